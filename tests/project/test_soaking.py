"""Many requests of which every tenth fails: nothing stays open, and nothing grows.

``python -m pytest -m fuzz`` runs it. ``SOAK_REQUESTS=50000`` in front of that and ``-o
faulthandler_timeout=0`` behind it make it a long run.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from urllib.parse import urlencode

import psycopg
import pytest
from django.conf import settings

from tests.project.server import FAST, ROOT, WAIT, Up, Uvicorn, running
from tests.project.test_killing import query

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.skipif(
        not Path("/proc/self/statm").exists(), reason="Only Linux tells what a process holds"
    ),
]

REQUESTS = int(os.environ.get("SOAK_REQUESTS", "600"))
WARM_UP = 400
CLIENTS = 4
POOL = 4
MEGABYTE = 1024 * 1024
IS_POSTGRES = settings.DATABASE_URL.startswith("postgres")

OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
IN_TRANSACTION = f"{OTHERS} AND state LIKE 'idle in transaction%'"

FAULTS = {
    "opening": 500,  # a dependable fails before its yield
    "refusal": 409,  # the view refuses
    "status": 400,  # the view returns an error
    "response": 500,  # what the view returns is not what it has declared
    "bug": 500,  # the view fails
    "closing": 500,  # a dependable fails after the view
    "lost": 500,  # the transaction cannot be committed any more
    "late": 200,  # a dependable fails after the answer was sent
    "leaving": None,  # the client does not wait for the answer
}
"""Where a request may fail, and what its client hears."""


class Client:
    """A client with one connection; it notes which rows must be there, and which may be."""

    def __init__(self, port: int, name: str) -> None:
        self.port = port
        self.name = name
        self.chance = random.Random(name)  # noqa: S311 - not for secrets
        self.certain: set[str] = set()
        self.possible: set[str] = set()

    def run(self, requests: int) -> None:
        """Send as many requests, one after the other."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        for number in range(requests):
            fault = self.chance.choice([*FAULTS]) if self.chance.random() < 0.1 else ""
            name = f"{self.name}-{number}"
            view = self.chance.choice(["sync", "async"])
            url = f"/soaked/{view}?{urlencode({'fault': fault, 'name': name})}"
            if fault == "leaving":
                self.leave(url)
                self.possible.add(name)
                continue
            connection.request("POST", url)
            with connection.getresponse() as response:
                body = response.read()
            assert response.status == FAULTS.get(fault, 200), (fault, response.status, body)
            if response.status == 200:
                self.certain.add(name)
        connection.close()

    def leave(self, url: str) -> None:
        """Send a request and do not wait."""
        with socket.create_connection(("127.0.0.1", self.port), WAIT) as connection:
            connection.sendall(f"POST {url} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())


@contextmanager
def serving(kind: type[Up], database: str) -> Iterator[Up]:
    """Serve the site that is to be soaked."""
    environment = {**FAST, "DJANGO_SETTINGS_MODULE": "tests.project.soak_settings"}
    if kind is not Up:
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        given = {**os.environ, **environment, "DATABASE_URL": database}
        subprocess.run(migrate, cwd=ROOT, env=given, check=True)  # noqa: S603 - our own command
    with running(database, server=kind, **environment) as up:
        up.wait_until_ready()
        yield up


def settled(up: Up) -> dict[str, int]:
    """Return the server's state, once it has ended what it had begun.

    A thread closes its connection after the last byte of an answer, so the descriptors are
    counted until two counts agree.
    """
    deadline = time.monotonic() + WAIT
    descriptors = -1
    while True:
        status, body = up.ask("/soaked/state")
        state: dict[str, int] = json.loads(body)
        is_at_rest = state["open"] == 0 and state["descriptors"] == descriptors
        if is_at_rest or time.monotonic() > deadline:
            assert (status, state["open"]) == (200, 0)
            return state
        descriptors = state["descriptors"]
        time.sleep(0.05)


def soak(up: Up, name: str, requests: int) -> list[Client]:
    clients = [Client(up.port, f"{name}-{number}") for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(lambda client: client.run(requests // CLIENTS), clients))
    return clients


@pytest.mark.parametrize("kind", [Up, Uvicorn])
def test_nothing_grows(kind: type[Up], database: str) -> None:
    """All that was entered is closed, and memory and descriptors stay as they are (F59).

    Every row that was acknowledged is there, and none of a request that failed.
    """
    with serving(kind, database) as up:
        clients = soak(up, "warm", WARM_UP)
        before = settled(up)
        clients += soak(up, "soak", REQUESTS)
        after = settled(up)
        if IS_POSTGRES:
            assert query(database, IN_TRANSACTION) == [(0,)]
    assert after["entered"] - before["entered"] > 2 * REQUESTS
    assert abs(after["descriptors"] - before["descriptors"]) <= 2
    assert after["memory"] - before["memory"] <= 5 * MEGABYTE
    names = "SELECT name FROM auth_group WHERE name LIKE 'warm-%' OR name LIKE 'soak-%'"
    stored = {name for (name,) in query(database, names)}
    certain = set().union(*(client.certain for client in clients))
    possible = set().union(*(client.possible for client in clients))
    assert certain - stored == set()
    assert stored - certain - possible == set()


@pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has no pool")
@pytest.mark.parametrize("kind", [Up, Uvicorn])
def test_many_clients_at_once(kind: type[Up], database: str) -> None:
    """Eighty of them share the connections of the pool, and leave none in a transaction."""
    done = Event()
    counts: list[int] = []

    def watch() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            while not done.is_set():
                counts.extend(count for (count,) in connection.execute(OTHERS))
                time.sleep(0.002)

    with serving(kind, database) as up, ThreadPoolExecutor(81) as threads:
        watching = threads.submit(watch)
        clients = [Client(up.port, f"soak-{number}") for number in range(80)]
        try:
            list(threads.map(lambda client: client.run(5), clients))
        finally:
            done.set()
        watching.result()
        settled(up)
        assert query(database, IN_TRANSACTION) == [(0,)]
    assert 0 < max(counts) <= POOL
