"""What is refused before Django reads a request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from project import limits
from project.limits import ASGILimits
from tests.project.conftest import Ask, ask_asgi, ask_wsgi

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LIMIT = 1024 * 1024


@pytest.mark.parametrize(
    ("headers", "status", "detail"),
    [
        ({"Content-Length": "-1"}, 400, "The Content-Length is not a number"),
        ({"Content-Length": "1_0"}, 400, "The Content-Length is not a number"),
        ({"Content-Length": "²"}, 400, "The Content-Length is not a number"),
        ({"Content-Length": str(LIMIT + 1)}, 413, "The request is too large"),
        ({"Content-Length": "9" * 5_000}, 413, "The request is too large"),
        *(
            ({"Content-Type": kind}, 400, "The charset of the request must be UTF-8")
            for kind in (
                "application/json; charset=zzz",
                "text/plain; charset=hex",
                'text/plain; CHARSET = "utf-16"',
                "a/b; charset*=zzz''x",
                "a/b; charset=utf-8; charset=hex",
                'a/b; x="charset=utf-8;"; charset=hex',
                'a/b; charset="he\\x"',
                "a/b; charset=",
                "a/b; charset*=utf-8''%00",
            )
        ),
    ],
)
def test_headers_that_django_fails_at(
    headers: dict[str, str], status: int, detail: str, ask: Ask
) -> None:
    """It would be a 500 of the server's, or a query in a codec of the client's choice."""
    answer = ask("POST", "/api/users?q=%41", headers)
    assert answer.is_refused(status)
    assert answer.json() == {"detail": detail}


@pytest.mark.parametrize(
    "charset",
    [
        *("", ";", "; charset=utf-8", '; charset="UTF-8"', "; Charset = utf8"),
        "; x=charset=hex",
        "; charset=hex; charset=utf-8",
    ],
)
def test_utf8_may_be_declared(charset: str, ask: Ask) -> None:
    """The request goes on to whoever asks for credentials."""
    headers = {"Content-Type": f"application/json{charset}"}
    assert ask("GET", "/api/users?q=%C3%A9&q=é", headers).is_refused(401)


def test_a_content_type_that_comes_twice() -> None:
    """ASGI: Django reads both as one, and so must who checks it."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def never(*_: Any) -> Any:
        raise NotImplementedError

    kinds = [(b"content-type", b"a/b; charset*=zzz''x"), (b"content-type", b"text/plain")]
    asyncio.run(ASGILimits(never)({"type": "http", "headers": kinds}, never, send))
    assert sent[0]["status"] == 400


def test_a_query_has_as_many_fields_as_a_form(ask: Ask) -> None:
    """Also where a declared charset makes Django read it before anybody can answer."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert ask("GET", f"/api/users?{'&'.join('a' * 100)}", headers).is_refused(401)
    answer = ask("GET", f"/api/users?{'&'.join('a' * 101)}", headers)
    assert answer.is_refused(400)
    assert answer.json() == {"detail": "The request has too many fields"}


def test_a_query_that_is_not_utf8() -> None:
    """Bytes as they are, not percent-encoded; Django's own 400 has no body (ASGI)."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def never(*_: Any) -> Any:
        raise NotImplementedError

    scope = {"type": "http", "headers": [], "query_string": b"q=\xff"}
    asyncio.run(ASGILimits(never)(scope, never, send))
    assert (sent[0]["status"], sent[1]["body"]) == (400, b'{"detail": "The query cannot be read"}')


def test_other_protocols_are_the_applications_own() -> None:
    """There is no body to count."""
    seen: list[Any] = []

    async def application(*args: Any) -> None:
        seen.append(args)

    call = ({"type": "lifespan"}, object(), object())
    asyncio.run(ASGILimits(application)(*call))  # type: ignore[arg-type]
    assert seen == [call]


@pytest.mark.cve("2026-33034")
@pytest.mark.hostile("H90")
@pytest.mark.parametrize("chunks", [1, 3])
def test_a_body_is_counted_while_it_comes(chunks: int) -> None:
    """ASGI: whatever was declared, 413 behind the limit; up to it, Django reads it."""
    size = LIMIT // chunks
    headers = {"Host": "localhost", "Content-Length": "1"}
    answer = ask_asgi("POST", "/api/users", headers, b"a" * (size + 1), chunks)
    assert answer.is_refused(413)
    assert answer.json() == {"detail": "The request is too large"}
    assert ask_asgi("POST", "/api/users", headers, b"a" * size, chunks).is_refused(401)


@pytest.mark.rfc("9110", "15.5.12")
@pytest.mark.hostile("H90")
def test_a_body_without_a_length() -> None:
    """WSGI: 411, as Django would take it for an empty one."""
    headers = {"Host": "localhost", **FORM, "Transfer-Encoding": "chunked"}
    answer = ask_wsgi("POST", "/api/auth/token", headers, b"username=a&password=b", 1)
    assert answer.is_refused(411)
    assert answer.json() == {"detail": "Send the body with a Content-Length"}


@pytest.mark.parametrize("parts", [0, 1])
def test_a_body_that_does_not_come(parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """ASGI: when a body is not there in time, then 408, and nothing waits for the rest."""
    monkeypatch.setattr(limits, "SECONDS_FOR_A_BODY", 0.05)
    sent: list[Any] = []
    received = 0

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 1
        if received > parts:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    from project.asgi import application

    headers = [(b"host", b"localhost"), (b"content-length", b"9")]
    scope = {"type": "http", "method": "POST", "path": "/api/users", "headers": headers}
    asyncio.run(application(scope, receive, send))
    assert [one.get("status") for one in sent] == [408, None]


def test_a_client_that_waits_for_its_answer_is_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """ASGI: when the body has come, then an answer may take as long as it takes."""
    monkeypatch.setattr(limits, "SECONDS_FOR_A_BODY", 0.05)

    async def application(_: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.request"
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(receive(), 0.2)
        await send({"type": "http.response.start", "status": 200})

    sent: list[Any] = []
    messages = [{"type": "http.request", "body": b""}]

    async def receive() -> Any:
        if not messages:
            await asyncio.sleep(60)
        return messages.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ASGILimits(application)({"type": "http", "headers": []}, receive, send))
    assert [one["status"] for one in sent] == [200]
