"""What has to be in place before the server may start."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, Error, IntegrityError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from project.database import separate
from users.models import User

_PASSWORD_BYTES = 16
_SECONDS_TO_ANSWER = 5
_SECONDS_TO_TRY_AGAIN = 0.2
_LOCK = 20_260_000_051  # any number, as long as nothing else locks it


class StartupError(Exception):
    """Something outside is not as it must be. The text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who may log in to the admin site; the password is known only when it was made."""

    email: str
    password: str | None = field(default=None, repr=False)


def check_port(host: str, port: int) -> None:
    """Refuse a port that is taken, or an address that is not this machine's.

    Raises:
        StartupError: the server could not listen there.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # A port that a server left a moment ago is free for the next one.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        message = f"Cannot listen on {host}:{port}: {error.strerror or error}. Try --port."
        raise StartupError(message) from None


def is_local(host: str) -> bool:
    """Return True if nobody but this machine can reach what listens on *host*."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return all(ipaddress.ip_address(address[0]).is_loopback for *_, address in found)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other process brings the same database up.

    Where there is no such database to lock, `check_database` says why.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    with ExitStack() as stack:
        with suppress(Error, OSError):
            if connection.vendor == "sqlite":  # its own locks are too short for a migration
                folder = os.open(Path(connection.settings_dict["NAME"]).parent, os.O_RDONLY)
                stack.callback(os.close, folder)
                fcntl.flock(folder, fcntl.LOCK_EX)
            else:
                separated = separate(connection, seconds=_SECONDS_TO_ANSWER)
                stack.callback(separated.close)
                with separated.cursor() as cursor:
                    # Asked again and again: a statement that waits would hold up each index
                    # that the other process creates CONCURRENTLY.
                    while not _try_lock(cursor):
                        time.sleep(_SECONDS_TO_TRY_AGAIN)
        yield


def check_database() -> str:
    """Return what the database is, once it answers and can be written to.

    Raises:
        StartupError: it cannot be reached, or only be read.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    probe = separate(connection, seconds=_SECONDS_TO_ANSWER)
    if probe.vendor == "sqlite":
        # SQLite would let everybody on the machine read a new file. It gives the log beside
        # the file the same mode. If the file cannot be made, opening it says why.
        with suppress(OSError):
            Path(probe.settings_dict["NAME"]).touch(mode=0o600)
    try:
        probe.ensure_connection()
        with probe.cursor() as cursor:
            # A table of our own would stay behind; beginning to write does not.
            cursor.execute("BEGIN IMMEDIATE" if probe.vendor == "sqlite" else "SELECT 1")
            if probe.vendor == "sqlite":
                cursor.execute("ROLLBACK")
    except (Error, OSError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        where = _place(connection)
        message = f"The database {where} cannot be used: {lines[0]}. Check DATABASE_URL."
        raise StartupError(message) from None
    finally:
        probe.close()
    return _place(connection)


def ensure_administrator(email: str) -> Administrator:
    """Return an active superuser; create one, with a new password, if there is none.

    Raises:
        StartupError: *email* belongs to somebody who is none, or is no address.
    """
    known = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if known is not None:
        return Administrator(known.email)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    try:
        with transaction.atomic():
            user = User.objects.create_superuser(email, password, name="Administrator")
    except ValueError as error:
        message = f"ADMIN_EMAIL is {email!r}. {error}."
        raise StartupError(message) from None
    except IntegrityError:
        message = f"{email} is a user already, but no active administrator. Set ADMIN_EMAIL."
        raise StartupError(message) from None
    return Administrator(user.email, password)


def _try_lock(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
    return bool(cursor.fetchone()[0])


def _place(connection: BaseDatabaseWrapper) -> str:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(settings["NAME"])
    return f"{settings['NAME']} on {settings['HOST'] or 'localhost'}"
