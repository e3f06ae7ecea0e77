"""What a line of the log looks like: one line an event, with the id of its request.

No line has a token, wherever it got in: some people write theirs into the address.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import time
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from users.tokens import conceal

NO_REQUEST = "-"

request_id: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)
"""The id of the request that this thread or task works for."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_OWN = {*vars(logging.makeLogRecord({})), "message", "asctime", "request", "status_code"}


class LineFormatter(logging.Formatter):
    """Lines for people. What a client sent cannot forge one (CVE-2025-48432)."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of *record*, a traceback indented below it."""
        record.request_id = request_id.get()
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return one line, whatever the message holds."""
        return escape(conceal(super().formatMessage(record)))

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Return the traceback, indented: an exception's text may hold a line break, too."""
        lines = conceal(super().formatException(ei)).split("\n")
        return "\n".join(f"    {escape(line)}" for line in lines)


class JSONFormatter(logging.Formatter):
    """One JSON object a line, for machines: the message, and what ``extra`` holds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object of *record*; JSON escapes control characters by itself."""
        extra = {name: value for name, value in vars(record).items() if name not in _OWN}
        event: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(),
            "level": record.levelname,
            "event": record.getMessage(),
            "request_id": request_id.get(),
            **extra,
        }
        return conceal(json.dumps(event, default=str))


def escape(text: str) -> str:
    r"""Return *text* with control characters and lone surrogates written out.

    >>> escape("a\nb")
    'a\\nb'
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
