"""Hashing passwords: slow on purpose, so only so many at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth.hashers import make_password

from users import conf
from users.exceptions import BusyError

_slots = BoundedSemaphore(conf.hashing_slots())


@contextmanager
def slot() -> Iterator[None]:
    """Take one of this process's places for hashing; never do so inside a transaction.

    Raises:
        BusyError: all were taken for as long as a login may wait. To wait longer would hold
            memory and threads for the client that sends the most.
    """
    if not _slots.acquire(timeout=conf.hashing_wait()):
        raise BusyError
    try:
        yield
    finally:
        _slots.release()


def hash_password(password: str) -> str:
    """Return the hash of *password*, made in a `slot`."""
    with slot():
        return make_password(password)
