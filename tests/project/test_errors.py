"""Errors of the framework, in the API's own format."""

from __future__ import annotations

import io
import logging
import types
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse, UnreadablePostError
from django.urls import path
from ninja.errors import HttpError

from di import HTTPException, NinjaAPI, override
from project import errors
from project.api import database_is_there
from project.logs import LineFormatter
from tests.project.conftest import Caller
from users.dependencies.credentials import get_caller


class BrokenError(Exception):
    """What nobody expects."""


def broken() -> bool:
    raise BrokenError("the secret")


TAKEN = '{"name": "R", "email": "root@example.com"}'


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What Django logs, in the project's format."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(LineFormatter("[{request_id}] {message}", style="{"))
    logging.getLogger("django").addHandler(handler)
    yield handler.stream
    logging.getLogger("django").removeHandler(handler)


@pytest.fixture
def signals() -> Iterator[list[str]]:
    """What Django tells those who watch for errors."""
    seen: list[str] = []

    def receive(request: HttpRequest, **_: Any) -> None:
        seen.append(request.path)

    got_request_exception.connect(receive)
    yield seen
    got_request_exception.disconnect(receive)


@pytest.mark.asvs("16.3.4", "16.5.1", "16.5.4")
@pytest.mark.hostile("H97")
@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_gives_nothing_away(
    debug: bool, caller: Caller, settings: Any, log: io.StringIO, signals: list[str]
) -> None:
    """A generic body that names the request; the log has the rest, under the same name."""
    settings.DEBUG = debug
    with override({database_is_there: broken}):
        answer = caller.ask("GET", "/health", headers={"X-Request-ID": "it-42"})
    assert answer.is_refused(500)
    assert answer.json() == {"detail": "Internal Server Error", "request_id": "it-42"}
    assert signals == ["/api/health"]
    assert log.getvalue().startswith("[it-42] Internal Server Error: /api/health\n    Traceback ")
    assert log.getvalue().endswith("BrokenError: the secret\n")


FORM = "application/x-www-form-urlencoded"
UNPROCESSABLE = HTTPStatus(422).phrase  # another one since Python 3.13


@pytest.mark.asvs("16.3.3")
@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "line"),
    [
        ("POST", "/users", "{", "application/json", "Bad Request: /api/users"),
        ("POST", "/users", "{}", "text/plain", "Unsupported Media Type: /api/users"),
        ("POST", "/users", "{}", "application/json", f"{UNPROCESSABLE}: /api/users"),
        ("POST", "/users", TAKEN, "application/json", "Conflict: /api/users"),
        ("POST", "/auth/token", "username=a", FORM, "Bad Request: /api/auth/token"),
        (
            "POST",
            "/auth/token",
            "username=a&password=b",
            FORM,
            "Too Many Requests: /api/auth/token",
        ),
        ("GET", "/users?limit=0", "", "", f"{UNPROCESSABLE}: /api/users"),
        ("GET", "/users?q=%00", "", "", "Bad Request: /api/users"),
        ("GET", "/users/999", "", "", "Not Found: /api/users/999"),
        ("PUT", "/users", "", "", "Method Not Allowed: /api/users"),
    ],
)
def test_every_refusal_is_logged(
    method: str,
    path: str,
    body: str,
    kind: str,
    line: str,
    caller: Caller,
    settings: Any,
    log: io.StringIO,
) -> None:
    """By input, by a rule, by a limit: what for, and in which request."""
    settings.API_THROTTLES = {"client": (0, 60)}
    caller.ask(method, path, body, kind, headers={"X-Request-ID": "it-42"})
    assert f"[it-42] {line}\n" in log.getvalue()


@pytest.mark.hostile("H97", "H98")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/users", 500),
        ("PATCH", "/users/1", 500),
        ("PUT", "/users", 405),
        ("GET", "/users/x", 404),
        ("GET", "/users?q=%00", 400),
    ],
)
def test_no_error_is_cached(method: str, path: str, status: int, caller: Caller) -> None:
    """Neither a bug, which passes by what an operation does with its answers, nor another."""
    with override({get_caller: broken}):
        answer = caller.ask(method, path)
    assert answer.is_refused(status)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "Authorization, Cookie"


def test_the_parser_speaks_for_itself(caller: Caller) -> None:
    """Ninja would hide what is wrong, and the status."""
    answer = caller.ask("POST", "/users", "{")
    expected = "The body is not JSON: Expecting property name enclosed in double quotes"
    assert answer.json() == {"detail": f"{expected} (line 1, column 2)"}
    answer = caller.ask("POST", "/users", "{}", "text/plain")
    assert (answer.status, answer.json()) == (415, {"detail": "Send application/json"})


class Detailed(HTTPException):
    def body(self) -> dict[str, Any]:
        return {**super().body(), "more": 1}


def cause() -> None:
    try:
        raise HTTPException(401, "inner")
    except HTTPException as error:
        raise HttpError(409, "outer") from error


def read_form_then_body(request: HttpRequest) -> None:
    assert request.POST["a"] == "1"
    assert request.body


def raising(error: Exception) -> Any:
    def view(request: HttpRequest) -> None:
        raise error

    return view


@pytest.mark.asvs("16.5.4")
@pytest.mark.parametrize(
    ("view", "status", "body"),
    [
        (raising(UnreadablePostError("gone")), 400, {"detail": "The body ended early"}),
        (raising(PermissionDenied("secret")), 403, {"detail": "Forbidden"}),
        (raising(HttpError(418, "tea")), 418, {"detail": "tea"}),
        (raising(Detailed(409, "taken")), 409, {"detail": "taken", "more": 1}),
        (lambda request: cause(), 409, {"detail": "outer"}),
        (read_form_then_body, 415, {"detail": "Send application/json"}),
        (lambda request: HttpResponse("<p>", status=410), 410, {"detail": "Gone"}),
        (lambda request: HttpResponse("{}", "application/json", 410), 410, {}),
    ],
)
def test_what_views_raise(view: Any, status: int, body: Any, caller: Caller, settings: Any) -> None:
    """JSON, whoever answers, and what is JSON already stays as it is."""
    api = NinjaAPI(urls_namespace="api")
    errors.register(api)
    api.post("/raise")(view)
    site = types.ModuleType("site")
    site.urlpatterns = [path("api/", api.urls)]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = site
    form = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'
    answer = caller.ask("POST", "/raise", form, "multipart/form-data; boundary=b")
    assert (answer.status, answer.json()) == (status, body)


def test_what_is_converted_keeps_what_it_has() -> None:
    """Headers, cookies and what is to be closed; a stream is no page of the framework's."""
    response = HttpResponse("<p>", status=405, headers={"Allow": "POST, GET", "X-Y": "z"})
    response.set_cookie("a", "b")
    errors.convert(response)
    assert response.content == b'{"detail": "Method Not Allowed"}'
    assert dict(response.items()) == {
        "Allow": "GET, POST",
        "Content-Length": "32",
        "Content-Type": "application/json",
        "X-Y": "z",
    }
    assert response.cookies["a"].value == "b"
    stream = StreamingHttpResponse(iter(["a"]), status=404, content_type="text/plain")
    errors.convert(stream)
    assert stream.getvalue() == b"a"
