"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from users.checks import check_password_login, check_proxies


class UsersConfig(AppConfig):
    """Users and their access tokens."""

    name = "users"
    verbose_name = "Users"

    def ready(self) -> None:
        """Register the check, and listen for log-ins and log-outs: that needs models."""
        from django.contrib.auth.signals import user_logged_in, user_logged_out  # noqa: PLC0415

        from users.receivers import begin_session, end_session  # noqa: PLC0415

        register(check_password_login, Tags.security, deploy=True)
        register(check_proxies, Tags.security, deploy=True)
        user_logged_in.connect(begin_session)
        user_logged_out.connect(end_session)
