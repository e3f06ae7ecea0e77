"""The settings that this app reads, and what holds where the project says nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from django.conf import settings

Limit = tuple[int, int]
"""How many, and in how many seconds."""

_THROTTLES: dict[str, Limit | None] = {
    "login_client": (5, 300),
    "client": (30, 300),
    "login": (100, 86_400),
    "suspect": (2, 3_600),
    "anonymous": (60, 60),
    "address": (5, 3_600),
    "user": None,
}


def throttle(name: str) -> Limit | None:
    """Return the limit called *name* in ``API_THROTTLES``; None switches it off."""
    given: Mapping[str, Limit | None] = _get("API_THROTTLES", {})
    return {**_THROTTLES, **given}[name]


def trusted_proxy_count() -> int:
    """Return how many proxies in front of this server add to ``X-Forwarded-For``."""
    return int(_get("TRUSTED_PROXY_COUNT", 0))


def allows_password_login() -> bool:
    """Whether tokens are issued for passwords."""
    return bool(_get("API_PASSWORD_LOGIN", default=True))


def hashing_slots() -> int:
    """Return how many passwords a process hashes at once: Argon2 takes 100 MiB for each."""
    return int(_get("API_HASHING_SLOTS", os.cpu_count() or 1))


def hashing_wait() -> float:
    """Return the seconds for which a login may wait until fewer passwords are hashed."""
    return float(_get("API_HASHING_WAIT", 10))


def staff_session_age() -> int:
    """Return the life of a browser session of the staff, in seconds."""
    return int(_get("STAFF_SESSION_AGE", 4 * 60 * 60))


def _get(name: str, default: Any) -> Any:
    return getattr(settings, name, default)
