"""Requests to the project: through Django's handlers, and through its applications."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connections
from django.test import AsyncClient, Client

from project.inline import inlined
from tests.project.server import new_database
from users import crud
from users.models import AccessToken, User

SCOPE = "items me users:admin users:delete users:read users:write"
LEAKS = ("Traceback", 'File "', "SELECT", "INSERT", "<html", "<!DOCTYPE", "dnt_", "site-packages")


@dataclass
class Answer:
    """What came back; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body, which says that it is JSON."""
        assert self.headers["content-type"].startswith("application/json"), self
        return json.loads(self.body)

    def is_refused(self, *statuses: int) -> bool:
        """Whether it has one of *statuses*, in the API's format, and gives nothing away."""
        assert self.status in statuses, self
        assert "detail" in self.json()
        assert not any(leak in self.body.decode() for leak in LEAKS), self
        assert self.headers["x-content-type-options"] == "nosniff"
        assert self.headers["referrer-policy"] == "same-origin"
        assert self.headers["cross-origin-opener-policy"] == "same-origin"
        assert self.headers["content-security-policy"] == "default-src 'none'"
        return True


class Caller:
    """A client of one of Django's handlers, with a token of a superuser's."""

    def __init__(self, handler: str, user: User) -> None:
        self.is_asgi = handler == "asgi"
        _, token = crud.issue_token(user=user, scope=SCOPE)
        self.authorization = {"Authorization": f"Bearer {token}"}

    def ask(
        self,
        method: str,
        path: str,
        body: str | bytes = b"",
        content_type: str = "application/json",
        *,
        headers: Mapping[str, str] | None = None,
        is_anonymous: bool = False,
    ) -> Answer:
        """Send *body* as it is."""
        client: Any = (AsyncClient if self.is_asgi else Client)(raise_request_exception=False)
        given = {} if is_anonymous else self.authorization
        headers = {**given, **(headers or {})}

        async def wait() -> Any:
            return await client.generic(method, f"/api{path}", body, content_type, headers=headers)

        if self.is_asgi:
            response = async_to_sync(wait)()
        else:
            response = client.generic(method, f"/api{path}", body, content_type, headers=headers)
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, response.content)


@pytest.fixture(params=["wsgi", "asgi"])
def caller(request: pytest.FixtureRequest, db: None) -> Iterator[Caller]:
    """A superuser who calls each of Django's handlers, with its middlewares in production."""
    user = User.objects.create_superuser("root@example.com", "correct horse battery", name="Root")
    with inlined() if request.param == "asgi" else contextlib.nullcontext():
        yield Caller(request.param, user)


def rows() -> tuple[Any, ...]:
    """Return all that a request could have changed."""
    return (*User.objects.order_by("pk").values_list(), AccessToken.objects.count())


def ask_wsgi(
    method: str, target: str, headers: Mapping[str, str], body: bytes, chunks: int
) -> Answer:
    """Call the WSGI application as a server does (PEP 3333)."""
    from project.wsgi import application

    # It keeps its thread's connection, which is here the thread of all other tests.
    connections.settings["default"]["CONN_MAX_AGE"] = 0
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.encode().decode("latin-1"),
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body * chunks),
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    started: list[Any] = []
    response: Any = application(environ, lambda *args: started.append(args))
    content = b"".join(response)
    getattr(response, "close", lambda: None)()
    ((status, lines),) = started
    return Answer(int(status[:3]), {name.lower(): value for name, value in lines}, content)


def ask_asgi(
    method: str, target: str, headers: Mapping[str, str], body: bytes, chunks: int
) -> Answer:
    """Call the ASGI application as a server does; *body* comes in *chunks* equal parts."""
    from project.asgi import application

    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": unquote_to_bytes(path).decode(errors="replace"),
        "query_string": query.encode(),
        "server": ("testserver", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    received = 0
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal received
        if received == chunks:
            await asyncio.sleep(60)  # the client stays; Django cancels this when it is done
        received += 1
        return {"type": "http.request", "body": body, "more_body": received < chunks}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    start, *parts = sent
    found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(part["body"] for part in parts))


Ask = Callable[..., Answer]


@pytest.fixture(params=["wsgi", "asgi"])
def ask(request: pytest.FixtureRequest, db: None) -> Ask:
    """Send a request to one of the project's applications, with nobody's credentials."""
    send = ask_wsgi if request.param == "wsgi" else ask_asgi

    def ask(
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        chunks: int = 1,
    ) -> Answer:
        return send(method, target, {"Host": "localhost", **(headers or {})}, body, chunks)

    return ask


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """The URL of a new database of the kind that the tests run on, for a real server."""
    with new_database(settings.DATABASE_URL, tmp_path) as url:
        yield url
