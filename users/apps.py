"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from users.checks import check_password_login


class UsersConfig(AppConfig):
    """Users and their access tokens."""

    name = "users"
    verbose_name = "Users"

    def ready(self) -> None:
        """Register the check, and listen for logins: what that needs are models."""
        from django.contrib.auth.signals import user_logged_in  # noqa: PLC0415

        from users.receivers import shorten_staff_session  # noqa: PLC0415

        register(check_password_login, Tags.security, deploy=True)
        user_logged_in.connect(shorten_staff_session)
