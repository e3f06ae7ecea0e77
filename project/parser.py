"""JSON as strictly as RFC 8259 allows, so that every reader of a body reads the same."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpRequest
from ninja.parser import Parser

from di.http import HTTPException
from project.limits import is_utf8

DEEPEST = 32
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")


class BodyError(HTTPException):
    """A body that is refused before anything is looked for in it."""


class StrictParser(Parser):
    """Reads JSON objects in UTF-8, and nothing that two parsers could read differently.

    It runs when an operation first needs the body, so that whoever may not call the
    operation hears that first.
    """

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body of *request*.

        Raises:
            BodyError: 415 if it is declared to be something else, 400 if it cannot be read.
        """
        _check_declaration(request)
        return loads(request.body)


def loads(body: bytes) -> Any:
    """Return the value that *body* holds.

    Raises:
        BodyError: it is not JSON in UTF-8, nested too deep, or ambiguous.

    >>> loads(b'{"a": [1]}')
    {'a': [1]}
    """
    try:
        text = body.decode()
        if text.startswith("\ufeff"):
            raise _malformed("begins with a byte order mark")
        value = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise _malformed("is not UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _malformed(f"is not JSON: {error.msg} ({place})") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # what int() raises, and nothing else is left to raise one
        raise _malformed("has a number with too many digits") from None
    # Only an escape can bring in what the checks below refuse; most bodies have none.
    if "\\u" in text or text.count("[") + text.count("{") > DEEPEST:
        _check(value)
    return value


def _check_declaration(request: HttpRequest) -> None:
    kind = request.content_type or ""
    if not (kind == "application/json" or kind.endswith("+json")):
        raise BodyError(415, "Send application/json")
    if "Content-Encoding" in request.headers:
        raise BodyError(415, "Send the body without a Content-Encoding")
    if not is_utf8(request.META["CONTENT_TYPE"]):
        raise BodyError(400, "The charset of the body must be UTF-8")


def _check(value: Any) -> None:
    """Refuse characters that no database stores alike, and nesting; without recursion."""
    level, depth = [value], 0
    while level:
        inner: list[Any] = []
        depth += 1
        for one in level:
            if isinstance(one, str):
                if _UNREADABLE.search(one):
                    raise _malformed("has a NUL character or half a surrogate pair in a string")
            elif isinstance(one, (dict, list)):
                if depth > DEEPEST:
                    raise _too_deep()
                inner += one
                if isinstance(one, dict):
                    inner += one.values()
        level = inner


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS  # as forms and queries have at most
    if len(pairs) > most:
        raise _malformed(f"has an object with more than {most} keys")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _malformed("has an object with one key twice")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise _malformed("is not JSON: it has no NaN and no Infinity")


def _malformed(problem: str) -> BodyError:
    return BodyError(400, f"The body {problem}")


def _too_deep() -> BodyError:
    return _malformed(f"is nested more than {DEEPEST} levels deep")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
