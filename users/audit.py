"""The security log: who did what, one record an event.

The message is the event's name, its details are the record's own attributes: a formatter
that writes JSON has all it needs. No passwords, tokens, digests or headers, and no logins
that nobody has: people type passwords there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from users.clients import client_of

logger = logging.getLogger("security")

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


@contextmanager
def caused_by(request: HttpRequest) -> Iterator[None]:
    """Note where the events recorded inside come from."""
    before = _request.set(request)
    try:
        yield
    finally:
        _request.reset(before)


def record(event: str, *, outcome: str = "success", **details: Any) -> None:
    """Log *event*.

    Args:
        event: what happened, as ``token_issued``.
        outcome: "success" or "failure".
        **details: ``user``, the id of who did it, ``whom``, of whom it was done to,
            ``token``, a public key, and what else there is to say. None is left out.
    """
    request = _request.get()
    client = None if request is None else client_of(request)
    given = {"outcome": outcome, "client": client, **details}
    extra = {name: value for name, value in given.items() if value is not None}
    level = logging.INFO if outcome == "success" else logging.WARNING
    logger.log(level, event, extra=extra)


def operation() -> str | None:
    """Return what is asked for by the request that `caused_by` noted."""
    request = _request.get()
    return None if request is None else f"{request.method} {request.path}"


def pseudonym(login: str) -> str:
    """Return what stands for *login* in the log: the same each time, and no way back."""
    return salted_hmac("users.audit", login, algorithm="sha256").hexdigest()[:16]
