"""Hostile input that only a real server shows: `manage.py up` with production's settings."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.conftest import Answer
from tests.project.server import Up, running

LIMIT = 1024 * 1024
ORIGIN = "https://app.example"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklm-_",
    "ALLOWED_HOSTS": "127.0.0.1",
    "SECURE_PROXY_SSL_HEADER": "HTTP_X_FORWARDED_PROTO",
    "CORS_ALLOWED_ORIGINS": ORIGIN,
    "API_PASSWORD_LOGIN": "1",
}
HEAD = b"Host: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


class Server:
    """A running server, asked in bytes."""

    def __init__(self, up: Up, interface: str) -> None:
        self.up = up
        self.is_asgi = interface == "asgi"

    def send(
        self, line: bytes, headers: bytes = b"", body: bytes = b"", head: bytes = HEAD
    ) -> Answer:
        """Send one request as it is and read until the server hangs up."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.up.port), 10) as connection:
            # It may answer and hang up before it has read everything.
            with contextlib.suppress(ConnectionError):
                connection.sendall(line + b" HTTP/1.1\r\n" + head + headers + b"\r\n" + body)
            with contextlib.suppress(ConnectionError):
                while part := connection.recv(65_536):
                    received += part
        first, _, rest = received.partition(b"\r\n")
        fields, _, content = rest.partition(b"\r\n\r\n")
        pairs = (field.split(b": ", 1) for field in fields.split(b"\r\n"))
        found = {name.decode().lower(): value.decode() for name, value in pairs}
        if found.get("transfer-encoding") == "chunked":
            content = b"".join(re.findall(rb"[0-9a-f]+\r\n(.*)\r\n", content))
        return Answer(int(first.split()[1]), found, content)

    def lives(self) -> bool:
        """Whether a normal request works."""
        answer = self.send(b"GET /api/health")
        return (answer.status, answer.json()) == (200, {"status": "ok"})


@pytest.fixture(scope="module", params=["wsgi", "asgi"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Serve a new database."""
    folder: Path = tmp_path_factory.mktemp("serving")
    database = f"sqlite:///{folder / 'db.sqlite3'}"
    with running(database, "--interface", request.param, **PRODUCTION) as up:
        up.wait_until_ready()
        server = Server(up, request.param)
        yield server
        assert server.send(b"GET /api/a%0AERROR%20forged").is_refused(404)
        assert up.stop(signal.SIGTERM) == 0
        check_log(up.output)


def check_log(output: str) -> None:
    """Every line was written by us, and says which request it was for (CVE-2025-48432)."""
    _, _, log = output.partition("Stop with Ctrl-C.\n")
    lines = [line for line in log.splitlines() if not line.startswith("    ")]
    assert any(r"Not Found: /api/a\nERROR forged" in line for line in lines)
    assert not any(line.startswith("ERROR forged") for line in lines)
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert all(event["request_id"] for event in events)
    known = re.compile(
        r"[\d-]+ [\d:,]+ (WARNING|ERROR) django[\w.]* \[[\w.-]+\]: |{"
        # Two of granian's threads wait for a worker, and one may not know yet that it ended.
        r"|.*Killing worker-1 after it refused to gracefully stop$"
    )
    assert [line for line in lines if not known.match(line)] == ["Stopped"]


def chunked(size: int) -> bytes:
    part = b"a" * 65_536
    return b"10000\r\n" + (part + b"\r\n10000\r\n") * (size // len(part)) + part + b"\r\n0\r\n\r\n"


@pytest.mark.hostile("H90")
@pytest.mark.parametrize("size", [LIMIT + 1, 10_000_000_000])
@pytest.mark.parametrize("path", [b"/api/auth/token", b"/api/users", b"/admin/login/"])
def test_a_body_that_is_declared_too_large(size: int, path: bytes, server: Server) -> None:
    """H90: 413 at once, before any of it has come."""
    declared = f"Content-Length: {size}\r\n".encode()
    answer = server.send(b"POST " + path, FORM + declared, b"a" * 1_000)
    assert answer.is_refused(413)
    assert server.lives()


@pytest.mark.cve("2026-33034")
@pytest.mark.hostile("H90")
def test_a_body_that_is_not_declared(server: Server) -> None:
    """H90: counted while it comes, or refused where its end cannot be known."""
    encoding = FORM + b"Transfer-Encoding: chunked\r\n"
    answer = server.send(b"POST /api/auth/token", encoding, chunked(4 * LIMIT))
    assert answer.is_refused(413 if server.is_asgi else 411)
    small = server.send(b"POST /api/auth/token", encoding, b"3\r\na=b\r\n0\r\n\r\n")
    assert small.is_refused(400 if server.is_asgi else 411)
    assert server.lives()


@pytest.mark.rfc("9112", "6.3")
@pytest.mark.hostile("H90")
def test_a_body_that_is_declared_twice(server: Server) -> None:
    """H90: nobody counts by the length where the other header holds (RFC 9112 §6.3)."""
    both = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"
    answer = server.send(b"POST /api/users", both, b"5\r\na=b&c\r\n0\r\n\r\n")
    assert answer.status in (400, 401, 411)
    assert server.lives()


@pytest.mark.hostile("H93")
@pytest.mark.parametrize(
    ("line", "headers"),
    [
        pytest.param(b"GET /api/users", b"X: " + b"a" * 100_000 + b"\r\n", id="header"),
        pytest.param(
            b"GET /api/users", b"".join(b"X-%d: 1\r\n" % one for one in range(2_000)), id="headers"
        ),
        pytest.param(b"GET /api/users?q=" + b"a" * 100_000, b"", id="query"),
        pytest.param(b"GET /api/" + b"a" * 100_000, b"", id="path"),
        pytest.param(b"GET /api/users\xff", b"", id="bytes"),
        pytest.param(b"GET /api/users?q=\xff", b"", id="query-bytes"),
        pytest.param(b"GET", b"", id="line"),
        pytest.param(b"GET /api/users", b"X Y: 1\r\n", id="name"),
        pytest.param(b"GET /api/users", b"X: a\x00b\r\n", id="nul"),
        pytest.param(b"POST /api/users", b"Content-Length: abc\r\n", id="length"),
        pytest.param(b"POST /api/users", b"Content-Length: -1\r\n", id="negative"),
        pytest.param(
            b"POST /api/users", b"Content-Length: 1\r\nContent-Length: 2\r\n", id="lengths"
        ),
    ],
)
def test_heads_that_are_too_large_or_broken(line: bytes, headers: bytes, server: Server) -> None:
    """H93: the server refuses them, and lives."""
    assert server.send(line, headers).status in (400, 414, 431)
    assert server.lives()


@pytest.mark.asvs("4.1.3")
@pytest.mark.hostile("H94")
@pytest.mark.parametrize(
    "host",
    [
        pytest.param(b"Host: evil.example\r\n", id="other"),
        pytest.param(b"Host: 127.0.0.1\n evil.example\r\n", id="newline"),
        pytest.param(b"Host: 127.0.0.1\r\nHost: evil.example\r\n", id="two"),
        pytest.param(b"X-Forwarded-Host: 127.0.0.1\r\n", id="none"),
    ],
)
def test_hosts(host: bytes, server: Server) -> None:
    """H94: only the site's own name, and exactly one."""
    answer = server.send(b"GET /api/users", head=host + HEAD.partition(b"\r\n")[2])
    assert answer.status == 400
    assert not answer.body or answer.is_refused(400)
    assert server.lives()


@pytest.mark.parametrize("text", ["é", "日本", "😀"])
def test_text_as_it_is(text: str, server: Server) -> None:
    """A query in UTF-8 need not be percent-encoded; it is what curl sends."""
    assert server.send(f"GET /api/users?q={text}".encode()).is_refused(401)
    assert server.send(f"GET /api/{text}".encode()).status in (400, 404)
    assert server.lives()


@pytest.mark.asvs("4.1.4")
@pytest.mark.hostile("H29")
@pytest.mark.parametrize("method", [b"TRACE", b"FOO", b"OPTIONS", b"PUT"])
def test_methods(method: bytes, server: Server) -> None:
    """H29: 405, with nothing of the request in it."""
    answer = server.send(method + b" /api/users", b"X-Secret: echo-me\r\n")
    assert answer.is_refused(405)
    assert answer.headers["allow"] == "GET, POST"
    assert "echo-me" not in str(answer)


@pytest.mark.hostile("H97")
def test_nothing_gives_away_a_version(server: Server) -> None:
    """H97: the server says what it is, and not which one."""
    answer = server.send(b"GET /api/nowhere")
    assert answer.is_refused(404)
    assert not re.search(r"\d", answer.headers["server"])


@pytest.mark.asvs("13.4.5")
@pytest.mark.hostile("H100")
@pytest.mark.parametrize("path", [b"/api/docs", b"/api/openapi.json", b"/api/docs/"])
def test_the_documentation_is_for_staff(path: bytes, server: Server) -> None:
    """H100: production shows strangers a log-in page."""
    answer = server.send(b"GET " + path)
    assert (answer.status, answer.body) == (302, b"")
    assert answer.headers["location"].startswith("/admin/login/?next=/api/")


def test_only_the_health_is_told_without_tls(server: Server) -> None:
    """A proxy that does not say https, or says it to a client that has none."""
    plain = b"Host: 127.0.0.1\r\nConnection: close\r\n"
    assert server.send(b"GET /api/users", head=plain).status == 301
    assert server.send(b"GET /api/health", head=plain).status == 200


def test_other_origins(server: Server) -> None:
    """Those that are named may call the API and read what they need, without cookies."""
    asked = b"Access-Control-Request-Method: POST\r\nOrigin: "
    allowed = server.send(b"OPTIONS /api/users", asked + ORIGIN.encode() + b"\r\n")
    assert allowed.status == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    refused = server.send(b"OPTIONS /api/users", asked + b"https://evil.example\r\n")
    assert "access-control-allow-origin" not in refused.headers
    error = server.send(b"GET /api/users", f"Origin: {ORIGIN}\r\n".encode())
    assert error.is_refused(401)
    assert error.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in error.headers
    exposed = "Link, Location, Retry-After, WWW-Authenticate, X-Request-ID, X-Total-Count"
    assert error.headers["access-control-expose-headers"] == exposed
    page = server.send(b"GET /admin/login/", f"Origin: {ORIGIN}\r\n".encode())
    assert "access-control-allow-origin" not in page.headers


def test_a_normal_login(server: Server) -> None:
    """What is small and well-formed gets through all of this."""
    password = server.up.password()
    form = f"username=admin@example.com&password={password}&scope=users:read".encode()
    length = f"Content-Length: {len(form)}\r\n".encode()
    answer = server.send(b"POST /api/auth/token", FORM + length, form)
    assert answer.status == 200
    token = json.loads(answer.body)["access_token"]
    listed = server.send(b"GET /api/users", f"Authorization: Bearer {token}\r\n".encode())
    assert (listed.status, listed.json()[0]["email"]) == (200, "admin@example.com")
