"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Users and their access tokens."""

    name = "users"
    verbose_name = "Users"
