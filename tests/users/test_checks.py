"""Checks before deployment."""

from __future__ import annotations

from typing import Any

from django.core.checks import Tags, run_checks


def messages() -> list[str]:
    found = run_checks(tags=[Tags.security], include_deployment_checks=True)
    return [str(one.id) for one in found if str(one.id).startswith("users.")]


def test_password_logins_are_told(settings: Any) -> None:
    """Only before deployment, and only while they are on."""
    settings.API_PASSWORD_LOGIN = True
    assert messages() == ["users.W001"]
    assert not any(str(one.id).startswith("users.") for one in run_checks(tags=[Tags.security]))
    settings.API_PASSWORD_LOGIN = False
    assert messages() == []


def test_a_proxy_that_nobody_counted_is_told(settings: Any) -> None:
    """When a proxy says who uses TLS, then it has to be counted as well."""
    settings.API_PASSWORD_LOGIN = False
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert messages() == ["users.W002"]
    settings.TRUSTED_PROXY_COUNT = 1
    assert messages() == []
