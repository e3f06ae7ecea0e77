"""What `manage.py check --deploy` says about users."""

from __future__ import annotations

from typing import Any

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
