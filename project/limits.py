"""What is refused before Django reads a request.

Under ASGI Django has stored the whole body before anything of ours runs, and under WSGI it
takes a body without a declared length for an empty one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse

from django.conf import settings
from django.utils.http import parse_header_parameters

_HEADERS = {
    "Content-Type": "application/json",
    "Content-Security-Policy": "default-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_LONGEST_LENGTH = 19  # digits; Python refuses to read numbers of many thousand
_LONGEST_LINE = 8_192  # characters of one header, path or query, as nginx has it
# Python's reader of header parameters, and its reader of cookies before 3.13, take time that
# grows with the square of the length: seconds for 64 kB, which a server may let through.
_LONGEST_TYPE = 1_024
SECONDS_FOR_A_BODY = 30

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]
WSGIApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def refusal(
    length: str, content_type: str, *, path: str, query: bytes, headers: Iterable[str | bytes]
) -> tuple[HTTPStatus, str] | None:
    """Return how to refuse a request with this head; None if it may go on.

    Everything is measured before anything is read. Most of the rest are errors to Django
    while it builds the request, where nobody catches them.

    Args:
        length: the value of ``Content-Length``.
        content_type: the value of ``Content-Type``.
        path: without the query.
        query: as it was sent.
        headers: the values of all headers.
    """
    if len(path) > _LONGEST_LINE or len(query) > _LONGEST_LINE:
        return HTTPStatus.REQUEST_URI_TOO_LONG, "The address is too long"
    if len(content_type) > _LONGEST_TYPE or any(len(value) > _LONGEST_LINE for value in headers):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "A header is too long"
    if problem := _problem(length, content_type, query):
        return HTTPStatus.BAD_REQUEST, problem
    if len(length) > _LONGEST_LENGTH or int(length or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large"
    return None


def is_utf8(content_type: str) -> bool:
    """Whether *content_type* names no other charset than UTF-8."""
    try:
        _, parameters = parse_header_parameters(content_type)
    except ValueError:  # an unknown charset in the notation of RFC 2231
        return False
    return parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")


def _problem(length: str, content_type: str, query: bytes) -> str | None:
    """Return the reason why Django could not read a request with this head, None if it can."""
    if length and not (length.isascii() and length.isdigit()):
        return "The Content-Length is not a number"
    # Django would read the query in any of Python's codecs that the client names, and
    # fails at one that is none of text.
    if not is_utf8(content_type):
        return "The charset of the request must be UTF-8"
    if query.count(b"&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        return "The request has too many fields"
    try:
        query.decode()
    except UnicodeDecodeError:
        return "The query cannot be read"
    return None


class WSGILimits:
    """A WSGI application behind what `refusal` refuses, and bodies of unknown length."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let the application answer."""
        length = environ.get("CONTENT_LENGTH", "")
        refused = refusal(
            length,
            environ.get("CONTENT_TYPE", ""),
            path=environ.get("PATH_INFO", ""),
            query=environ.get("QUERY_STRING", "").encode("latin-1"),
            headers=(value for name, value in environ.items() if name.startswith("HTTP_")),
        )
        if "HTTP_TRANSFER_ENCODING" in environ and not length:
            refused = HTTPStatus.LENGTH_REQUIRED, "Send the body with a Content-Length"
        if refused is None:
            return self.application(environ, start_response)
        status, detail = refused
        body = _body(detail)
        headers = [*_HEADERS.items(), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]


class ASGILimits:
    """An ASGI application behind what `refusal` refuses, that counts bodies while they come."""

    def __init__(self, application: ASGIApplication) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        length, content_type = (
            # Django joins what comes twice, too.
            b",".join(value for name, value in scope["headers"] if name == wanted).decode("latin-1")
            for wanted in (b"content-length", b"content-type")
        )
        refused = refusal(
            length,
            content_type,
            path=scope.get("path", ""),
            query=scope.get("query_string", b""),
            headers=(value for _, value in scope["headers"]),
        )
        if refused is None:
            counted = _Counted(receive, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            await self.application(scope, counted, send)
            refused = counted.refusal
            if refused is None:
                return
        status, detail = refused
        body = _body(detail)
        lines = {**_HEADERS, "Content-Length": str(len(body))}.items()
        await send(
            {
                "type": "http.response.start",
                "status": status.value,
                "headers": [(name.lower().encode(), value.encode()) for name, value in lines],
            }
        )
        await send({"type": "http.response.body", "body": body})


class _Counted:
    """What the client sends, up to a limit.

    Behind it the client is gone: the application drops what it has and answers nothing.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self.receive = receive
        self.left = limit
        self.is_late = False
        self._deadline = asyncio.get_running_loop().time() + SECONDS_FOR_A_BODY
        self._is_complete = False

    @property
    def refusal(self) -> tuple[HTTPStatus, str] | None:
        """How to refuse the body, None if all of it came in time."""
        if self.is_late:
            return HTTPStatus.REQUEST_TIMEOUT, "The body did not come in time"
        if self.left < 0:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large"
        return None

    async def __call__(self) -> Message:
        if self._is_complete:  # what comes now is the end of the connection
            return await self.receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self.receive()
        except TimeoutError:
            self.is_late = True
            return {"type": "http.disconnect"}
        self._is_complete = not message.get("more_body", False)
        self.left -= len(message.get("body", b""))
        return message if self.left >= 0 else {"type": "http.disconnect"}


def _body(detail: str) -> bytes:
    return json.dumps({"detail": detail}).encode()
