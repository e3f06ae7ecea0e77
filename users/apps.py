"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Users and their access tokens."""

    name = "users"
    verbose_name = "Users"

    def ready(self) -> None:
        """Listen for logins; what that needs are models, which are there only now."""
        from django.contrib.auth.signals import user_logged_in  # noqa: PLC0415

        from users.receivers import shorten_staff_session  # noqa: PLC0415

        user_logged_in.connect(shorten_staff_session)
