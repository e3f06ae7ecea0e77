"""One request, sent as the same bytes to an ASGI and to a WSGI application."""

from __future__ import annotations

import asyncio
import contextlib
import io
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

JSON = ("content-type", "application/json")
FORM = ("content-type", "application/x-www-form-urlencoded")


class Request(NamedTuple):
    """A request as a client writes it.

    Attributes:
        method: in upper case.
        target: path and query, percent-encoded.
        headers: names in lower case; a name may be repeated.
    """

    method: str
    target: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> bytes:
        """The path, percent-decoded."""
        return unquote_to_bytes(self.target.partition("?")[0])

    @property
    def query(self) -> str:
        """The query, still percent-encoded."""
        return self.target.partition("?")[2]

    @property
    def all_headers(self) -> list[tuple[str, str]]:
        """The headers, with those that every client adds."""
        length = [("content-length", str(len(self.body)))] if self.body else []
        return [("host", "testserver"), *length, *self.headers]


class Response(NamedTuple):
    """A response as a client reads it; names of headers are in lower case."""

    status: int
    body: bytes
    headers: dict[str, str]


async def ask_asgi(app: Any, request: Request) -> Response:
    """Send *request* to the ASGI application *app*, and read the whole response."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path.decode(errors="replace"),
        "raw_path": request.target.partition("?")[0].encode(),
        "root_path": "",
        "query_string": request.query.encode(),
        "headers": [(name.encode(), text.encode("latin-1")) for name, text in request.all_headers],
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80),
    }
    received = [{"type": "http.request", "body": request.body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not received:
            await asyncio.Event().wait()  # the client stays until it has the response
        return received.pop()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with contextlib.suppress(Exception):  # Starlette answers 500, then raises for the server's log
        await app(scope, receive, send)
    start, *parts = sent
    return Response(
        start["status"],
        b"".join(part.get("body", b"") for part in parts),
        {name.decode().lower(): text.decode("latin-1") for name, text in start["headers"]},
    )


def ask_wsgi(app: Any, request: Request) -> Response:
    """Send *request* to the WSGI application *app*, and read the whole response."""
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
    }
    for name, text in request.all_headers:
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    started: list[tuple[str, list[tuple[str, str]]]] = []
    response = app(environ, lambda status, headers: started.append((status, headers)))
    try:
        body = b"".join(response)
    finally:
        response.close()
    status, headers = started[0]
    return Response(int(status[:3]), body, {name.lower(): text for name, text in headers})
