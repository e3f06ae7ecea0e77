"""A database from its URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

_FORMS = (
    "sqlite:////absolute/path, sqlite:///relative/path or postgres://user:password@host:5432/name"
)


def database(url: str, *, base: Path, pool_size: int) -> dict[str, Any]:
    """Return the entry of ``DATABASES`` for *url*.

    Args:
        url: in the common form, reserved characters percent-encoded.
        base: the folder from which a relative SQLite path starts.
        pool_size: connections that one process may hold at most, on PostgreSQL.

    Raises:
        ImproperlyConfigured: *url* cannot be read. The message never repeats it: it may
            hold a password.

    >>> database("sqlite:////tmp/x", base=Path("/"), pool_size=1)["NAME"]
    '/tmp/x'
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises if it is not a number
    except ValueError:
        raise _unreadable("has a host or port that cannot be read") from None
    if parts.scheme == "sqlite":
        return _sqlite(parts, base)
    if parts.scheme in ("postgres", "postgresql"):
        return _postgres(parts, pool_size)
    raise _unreadable("is neither SQLite nor PostgreSQL")


def separate(connection: BaseDatabaseWrapper, *, seconds: int) -> BaseDatabaseWrapper:
    """Return a connection like *connection*, outside its pool.

    A pool keeps trying, and hides why it fails; this one gives up after *seconds*.
    """
    options = dict(connection.settings_dict["OPTIONS"])
    options.pop("pool", None)
    options["timeout" if connection.vendor == "sqlite" else "connect_timeout"] = seconds
    return type(connection)({**connection.settings_dict, "OPTIONS": options}, connection.alias)


def _sqlite(parts: SplitResult, base: Path) -> dict[str, Any]:
    if parts.netloc or len(parts.path) <= 1:
        raise _unreadable("names no file")
    path = unquote(parts.path[1:])
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(base / path),
        "OPTIONS": {
            # Writers wait in line instead of failing: the lock is taken when a
            # transaction begins, not when it first writes.
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
            ),
        },
    }


def _postgres(parts: SplitResult, pool_size: int) -> dict[str, Any]:
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise _unreadable("names no database")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,  # a pool keeps the connections
        "OPTIONS": {
            "pool": {"min_size": min(2, pool_size), "max_size": pool_size, "timeout": 5},
            "options": (
                "-c statement_timeout=15000 -c lock_timeout=5000"
                " -c idle_in_transaction_session_timeout=30000"
            ),
            **options,
        },
    }


def _unreadable(why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"DATABASE_URL {why}. Write {_FORMS}.")
