"""No request holds up another: a real server answers while somebody tries to stop it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.project.server import FAST, Up, running

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COMBINING = "a" + "\u0301\u0316" * 250_000
CSRF = "a" * 32
KEYS = json.dumps({f"a{number}": 0 for number in range(75_000)})
SESSION = {"Cookie": f"csrftoken={CSRF}", "X-CSRFToken": CSRF, "Content-Type": "application/json"}
HOSTILE = {
    "a login": ("POST", "/api/auth/token", FORM, f"password=a&username={COMBINING}"),
    "a login to the admin site": (
        "POST",
        "/admin/login/",
        {**SESSION, **FORM},
        f"password=a&username={COMBINING}",
    ),
    "a login with keys": ("POST", "/api/auth/session", SESSION, KEYS),
    "a cookie": ("GET", "/api/users", {"Cookie": 'a="' + "\\" * 60_000 + '"'}, ""),
    "a type": ("POST", "/api/users", {"Content-Type": 'a;"' + ";" * 60_000}, "a"),
    "a name": ("PATCH", "/api/users/me", {}, json.dumps({"name": COMBINING}, ensure_ascii=False)),
    "keys": ("PATCH", "/api/users/me", {}, KEYS),
}
QUIET = 10
"""How many times its quiet time an answer may take."""
FLOOR = 4.0
"""Seconds that one may take anyway: each of these requests once took longer, most of them minutes,
and the machine of a test may have something else to do."""


def ask(up: Up, method: str, path: str, headers: dict[str, str], body: str = "") -> int:
    """Send a request and return the status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=120)
    try:
        connection.request(method, path, body.encode(), headers)
        response = connection.getresponse()
        response.read()
    finally:
        connection.close()
    return response.status


def slowest(up: Up, seconds: float) -> float:
    """Ask after the health for a while and return the longest time that it took."""
    longest = 0.0
    end = time.monotonic() + seconds
    while (before := time.monotonic()) < end:
        assert ask(up, "GET", "/api/health", {}) == 200
        longest = max(longest, time.monotonic() - before)
    return longest


@contextmanager
def repeating(up: Up, request: tuple[str, str, dict[str, str], str]) -> Iterator[list[int]]:
    """Send *request* again and again, from three clients; yield the statuses so far."""
    statuses: list[int] = []
    is_over = Event()

    def repeat() -> None:
        while not is_over.is_set():
            with suppress(ConnectionError):  # it answers before it has read everything
                statuses.append(ask(up, *request))

    clients = [Thread(target=repeat) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        yield statuses
    finally:
        is_over.set()
        for client in clients:
            client.join()


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_nothing_stands_still(interface: str, tmp_path: Path) -> None:
    """While long texts are sent, the health is answered about as fast as before."""
    database = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    with running(database, "--interface", interface, **FAST) as up:
        up.wait_until_ready()
        form = f"username=admin@example.com&password={up.password()}"
        token = json.loads(up.ask("/api/auth/token", form)[1])["access_token"]
        own = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        limit = max(FLOOR, QUIET * slowest(up, 1))
        for name, (method, path, headers, body) in HOSTILE.items():
            given = own if path.endswith("/me") else headers
            with repeating(up, (method, path, given, body)) as statuses:
                assert slowest(up, 1) < limit, name
            assert statuses, name
            assert set(statuses) <= {200, 400, 413, 422, 431, 503}, (name, statuses)
