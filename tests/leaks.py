"""Every token, digest and password of a test run, and every place where none may turn up.

What is secret is noted where it is made: tokens by `watching`, passwords by the hasher of
the tests' settings. What is looked at: log records, mails, and the answers that are errors,
debug pages among them.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from users import tokens

SHORTEST = 12
"""Characters of a password; shorter ones are nobody's here, and may be words of a sentence."""


class Watch:
    """What is secret, and what was said where."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.heard: set[tuple[str, str]] = set()

    def keep_secret(self, text: str) -> None:
        """Let *text* be a secret, unless it may be in a text by chance."""
        if len(text) >= SHORTEST and len(set(text)) > 1:
            self.secrets.add(text)

    def hear(self, text: str, where: str) -> None:
        """Note what was said."""
        self.heard.add((where, text))

    def hear_record(self, record: logging.LogRecord) -> None:
        """Note a record: its message, its traceback, and what it carries."""
        record = copy.copy(record)  # a formatter keeps in it what it made of the traceback
        self.hear(logging.Formatter().format(record), f"a record of {record.name}")
        for value in vars(record).values():
            if isinstance(value, (str, dict, list, tuple)):
                self.hear(str(value), f"a record of {record.name}")

    def leaks(self) -> list[str]:
        """Return what was said that holds a secret, and where; not the secret."""
        everything = "\n".join(text for _, text in self.heard)
        leaked = [secret for secret in self.secrets if secret in everything]
        return sorted(
            {
                f"{where}: {_without(leaked, text)[:500]}"
                for where, text in self.heard
                if any(secret in text for secret in leaked)
            }
        )


WATCH = Watch()


class WatchedHasher(MD5PasswordHasher):
    """A fast hasher that notes which passwords it is asked for."""

    def encode(self, password: str, salt: str) -> str:
        """Note and hash."""
        WATCH.keep_secret(password)
        return super().encode(password, salt)


@sync_and_async_middleware
def watch_errors(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Note every answer that is an error, as the client gets it."""

    def note(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code >= 400 and not response.streaming:
            WATCH.hear(response.content.decode(), f"{response.status_code} for {request.path}")
        return response

    if inspect.iscoroutinefunction(get_response):

        async def aanswer(request: HttpRequest) -> HttpResponseBase:
            return note(request, await get_response(request))

        return aanswer

    def answer(request: HttpRequest) -> HttpResponseBase:
        return note(request, get_response(request))

    return answer


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """Look and listen, in this process."""
    generate = tokens.generate

    def watched_generate() -> tokens.TokenText:
        made = generate()
        WATCH.keep_secret(made.text)
        WATCH.keep_secret(tokens.digest(made.text))
        return made

    call_handlers = logging.Logger.callHandlers

    def watched_call(logger: logging.Logger, record: logging.LogRecord) -> None:
        WATCH.hear_record(record)
        call_handlers(logger, record)

    WATCH.keep_secret(settings.SECRET_KEY)
    with (
        patch.object(tokens, "generate", watched_generate),
        # A handler would be gone as soon as somebody configures logging anew.
        patch.object(logging.Logger, "callHandlers", watched_call),
    ):
        yield WATCH


def _without(leaked: list[str], text: str) -> str:
    for secret in leaked:
        text = text.replace(secret, "[a secret]")
    return text
