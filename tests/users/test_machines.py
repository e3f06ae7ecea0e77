"""Two machines behind nginx share a primary database, and read lists from its replica."""

from __future__ import annotations

import json
import os
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection

from tests.users.stand import Stand, find_nginx, programs, stand

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a file has no replica and no second machine"
)
TLS = ssl._create_unverified_context()  # noqa: S323 - the certificate was made for the test


@pytest.fixture(scope="module")
def two() -> Iterator[Stand]:
    """Two machines, nginx, a primary and a replica."""
    nginx = find_nginx()
    if nginx is None or programs() is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("apt-get install nginx postgresql")
    with tempfile.TemporaryDirectory() as folder:  # which postgres can reach, unlike tmp_path
        Path(folder).chmod(0o755)
        with stand(str(nginx), Path(folder)) as running:
            yield running


class Caller:
    """A client of one address."""

    def __init__(self, port: int, *, secure: bool = False) -> None:
        self.site = f"{'https' if secure else 'http'}://127.0.0.1:{port}"
        self.token = ""

    def ask(self, path: str, data: Any = None, method: str | None = None) -> tuple[int, Any]:
        """Send one request; return the status and what the body says."""
        form = data if isinstance(data, str) else data and json.dumps(data)
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.site}/api{path}", form and form.encode(), method=method
        )
        request.add_header("Host", "example.com")
        request.add_header("X-Forwarded-Proto", "https")
        request.add_header("X-Forwarded-For", "192.0.2.7")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if data and not isinstance(data, str):
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60, context=TLS) as answer:  # noqa: S310 - as above
                return read(answer)
        except urllib.error.HTTPError as error:
            with error:
                return read(error)

    def log_in(self, password: str, email: str = "admin@example.com") -> int:
        """Log in, and return the status."""
        scope = "me users:read users:write users:admin"
        form = f"username={email}&password={password}&scope={scope}".replace(" ", "+")
        status, body = self.ask("/auth/token", form)
        self.token = body.get("access_token", "")
        return status


def read(answer: HTTPResponse | urllib.error.HTTPError) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    body = answer.read()
    is_json = answer.headers["Content-Type"].startswith("application/json")
    return int(answer.status or 0), json.loads(body) if is_json and body else None


@pytest.fixture
def both(two: Stand) -> tuple[Caller, Caller]:
    """An administrator at each machine, with the same token."""
    one, other = (Caller(machine.port) for machine in two.machines)
    assert one.log_in(two.password) == 200
    other.token = one.token
    return one, other


def test_a_token_revoked_at_one_is_dead_at_the_other(
    two: Stand, both: tuple[Caller, Caller]
) -> None:
    """When the replica stands still and a token is revoked, then both machines refuse it."""
    one, other = both
    assert other.ask("/users/me")[0] == 200
    two.replica.ask("SELECT pg_wal_replay_pause()")
    try:
        assert one.ask("/auth/revoke", f"token={one.token}")[0] == 200
        assert (one.ask("/users/me")[0], other.ask("/users/me")[0]) == (401, 401)
        assert other.ask("/users")[0] == 401
    finally:
        two.replica.ask("SELECT pg_wal_replay_resume()")


def test_a_new_user_is_found_while_the_replica_lags(
    two: Stand, both: tuple[Caller, Caller]
) -> None:
    """When the replica stands still, then a new user is read by id, and lists come to have it."""
    one, other = both
    two.replica.ask("SELECT pg_wal_replay_pause()")
    try:
        status, created = one.ask("/users", {"name": "New", "email": "new@example.com"})
        assert status == 201
        assert other.ask(f"/users/{created['id']}")[0] == 200
        assert other.ask("/users?q=new@example.com") == (200, [])
    finally:
        two.replica.ask("SELECT pg_wal_replay_resume()")
    deadline = time.monotonic() + 20
    while other.ask("/users?q=new@example.com") == (200, []):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_failed_logins_are_counted_over_both(two: Stand) -> None:
    """When five logins fail at both machines in turn, then each machine refuses the sixth."""
    callers = [Caller(machine.port) for machine in two.machines]
    answers = [callers[i % 2].log_in("wrong", "nobody@example.com") for i in range(7)]
    assert answers == [400] * 5 + [429] * 2


def test_a_rolling_restart_loses_no_request(two: Stand, both: tuple[Caller, Caller]) -> None:
    """When the machines restart one after the other, then no GET is lost."""
    caller = Caller(two.port, secure=True)
    caller.token = both[0].token
    is_over = Event()
    got: list[int] = []
    posted: list[int] = []

    def load() -> None:
        while not is_over.is_set():
            got.append(caller.ask("/users/me")[0])
            posted.append(caller.ask("/auth/revoke", "token=unknown")[0])

    threads = [Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for place in range(2):
            two.restart(place)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert len(got) > 20
    assert set(got) == {200}
    assert set(posted) <= {200, 502}  # nginx does not repeat a POST that was sent


def test_a_replica_that_is_away_costs_lists_only(two: Stand, both: tuple[Caller, Caller]) -> None:
    """When the replica stops, then lists are 503, everything else works, and health says it."""
    one, _ = both
    assert one.ask("/health") == (200, {"status": "ok", "replica": "ok"})
    two.replica.stop()
    try:
        assert one.ask("/users/me")[0] == 200
        assert one.ask("/users") == (503, {"detail": "The database is busy, try again"})
        assert one.ask("/health") == (200, {"status": "ok", "replica": "away"})
    finally:
        two.replica.start()
    deadline = time.monotonic() + 30
    while one.ask("/users")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
