"""What `manage.py check --deploy` says about users."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name

from users import conf


def check_password_login(**_: Any) -> list[CheckMessage]:
    """Warn of tokens for passwords: OAuth clients must not use that (RFC 9700 §2.4)."""
    if not conf.allows_password_login():
        return []
    problem = "Anybody may exchange a password for an access token."
    hint = (
        "Set API_PASSWORD_LOGIN to False if browsers log in with a session and scripts have"
        " a token of manage.py create_token."
    )
    return [Warning(problem, hint=hint, id="users.W001")]


def check_proxies(**_: Any) -> list[CheckMessage]:
    """Warn of a proxy that is not counted: all clients would share one budget of logins."""
    if conf.trusted_proxy_count() or not settings.SECURE_PROXY_SSL_HEADER:
        return []
    problem = (
        "A proxy tells who uses TLS, but not who the clients are: all of them count as one,"
        " so 30 wrong passwords of one shut everybody out."
    )
    hint = "Set TRUSTED_PROXY_COUNT to the number of proxies that add to X-Forwarded-For."
    return [Warning(problem, hint=hint, id="users.W002")]
