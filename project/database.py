"""A database from its URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

_POSTGRES = "django.db.backends.postgresql"
_FORMS = (
    "sqlite:////absolute/path, sqlite:///relative/path or postgres://user:password@host:5432/name"
)


def database(url: str, *, base: Path, pool_size: int, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Return the entry of ``DATABASES`` for *url*.

    Args:
        url: in the common form, reserved characters percent-encoded.
        base: the folder from which a relative SQLite path starts.
        pool_size: connections that one process may hold at most, on PostgreSQL.
        name: the variable that *url* is from, for the message.

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
        raise _unreadable(f"{name} has a host or port that cannot be read") from None
    if parts.scheme == "sqlite":
        return _sqlite(parts, base, name)
    if parts.scheme in ("postgres", "postgresql"):
        return _postgres(parts, pool_size, name)
    raise _unreadable(f"{name} is neither SQLite nor PostgreSQL")


def replica(url: str, *, of: dict[str, Any], base: Path, pool_size: int) -> dict[str, Any]:
    """Return the entry of ``DATABASES`` for the read-only copy at *url* of the database *of*.

    Raises:
        ImproperlyConfigured: *url* cannot be read, or one of both is not PostgreSQL.
    """
    copy = database(url, base=base, pool_size=pool_size, name="DATABASE_REPLICA_URL")
    if not copy["ENGINE"] == of["ENGINE"] == _POSTGRES:
        message = (
            "DATABASE_REPLICA_URL needs PostgreSQL, which keeps the replica up to date, there"
            " and in DATABASE_URL. Set both to postgres://user:password@host:5432/name, or"
            " leave it out."
        )
        raise ImproperlyConfigured(message)
    # A replica refuses writes by itself; this does if the URL names another server.
    copy["OPTIONS"]["options"] += " -c default_transaction_read_only=on"
    copy["TEST"] = {"MIRROR": DEFAULT_DB_ALIAS}
    return copy


def keep_sqlite_connections() -> None:
    """Let each thread keep its connections to SQLite files.

    The threads of a WSGI server serve many requests, and opening a file with its settings
    costs more than most queries. Under ASGI every request has a thread of its own.
    """
    for alias in connections:
        if connections[alias].vendor == "sqlite":
            connections.settings[alias]["CONN_MAX_AGE"] = None


def separate(connection: BaseDatabaseWrapper, *, seconds: int) -> BaseDatabaseWrapper:
    """Return a connection like *connection*, outside its pool.

    A pool keeps trying, and hides why it fails; this one gives up after *seconds*.
    """
    options = dict(connection.settings_dict["OPTIONS"])
    options.pop("pool", None)
    options["timeout" if connection.vendor == "sqlite" else "connect_timeout"] = seconds
    return type(connection)({**connection.settings_dict, "OPTIONS": options}, connection.alias)


def _sqlite(parts: SplitResult, base: Path, variable: str) -> dict[str, Any]:
    if parts.netloc or len(parts.path) <= 1:
        raise _unreadable(f"{variable} names no file")
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


def _postgres(parts: SplitResult, pool_size: int, variable: str) -> dict[str, Any]:
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise _unreadable(f"{variable} names no database")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": _POSTGRES,
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


def _unreadable(problem: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{problem}. Write {_FORMS}.")
