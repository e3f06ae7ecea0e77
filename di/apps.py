"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class DiConfig(AppConfig):
    """Dependency injection for Django Ninja."""

    name = "di"
    verbose_name = "Dependency injection"
