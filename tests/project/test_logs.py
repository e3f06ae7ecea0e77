"""Lines of the log."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from project.logs import JSONFormatter, LineFormatter, request_id

LINE = LineFormatter("{levelname} {name} [{request_id}]: {message}", style="{")


@pytest.fixture(autouse=True)
def _identified() -> Any:
    token = request_id.set("abc")
    yield
    request_id.reset(token)


def record(message: str, *args: Any, **more: Any) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "django", "levelname": "INFO", "msg": message, "args": args, **more}
    )


@pytest.mark.cve("2025-48432")
@pytest.mark.parametrize("formatter", [LINE, JSONFormatter()])
@pytest.mark.parametrize("forged", ["\n", "\r", "\x00", "\x1b[31m", "\x85", "\u2028", "\ud800"])
def test_a_message_is_one_line(forged: str, formatter: logging.Formatter) -> None:
    """What a client sent can neither end a line, nor color it, nor break the stream."""
    line = formatter.format(record("Not Found: %s", f"/a{forged}ERROR b"))
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.asvs("16.2.1")
def test_a_line_names_its_request() -> None:
    """Text that needs no escape stays as it is."""
    assert LINE.format(record("né %d", 1)) == "INFO django [abc]: né 1"


@pytest.mark.cve("2025-48432")
def test_a_traceback_cannot_forge_a_line() -> None:
    """Its lines are indented, those in the exception's text, too."""
    try:
        raise ValueError("x\nINFO forged\x1b")
    except ValueError:
        lines = LINE.format(record("Oh", exc_info=sys.exc_info())).split("\n")
    assert lines[:2] == ["INFO django [abc]: Oh", "    Traceback (most recent call last):"]
    assert lines[-2:] == ["    ValueError: x", r"    INFO forged\x1b"]
    assert all(line.startswith("    ") for line in lines[1:])


@pytest.mark.parametrize("formatter", [LINE, JSONFormatter()])
def test_a_token_is_not_told(formatter: logging.Formatter) -> None:
    """Its public key is all that is left: in a message, in a detail, in a traceback."""
    key, secret = "0123456789ab", "s" * 49
    path = f"/api/auth/tokens/dnt_{key}_{secret}"
    try:
        raise ValueError(path)
    except ValueError:
        told = record("Not Found: %s", path, operation=path, exc_info=sys.exc_info())
    line = formatter.format(told)
    assert f"/api/auth/tokens/dnt_{key}_***" in line
    assert secret not in line


@pytest.mark.asvs("16.2.1")
def test_an_event_is_one_object() -> None:
    """The message, and what the code gave with it."""
    event = record("token rejected", created=0.0, key="k", reason=ValueError("old"))
    assert json.loads(JSONFormatter().format(event)) == {
        "time": "1970-01-01T00:00:00+00:00",
        "level": "INFO",
        "event": "token rejected",
        "request_id": "abc",
        "key": "k",
        "reason": "old",
    }
