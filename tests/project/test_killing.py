"""What is left after the server was killed, or stopped, while many wrote.

``KILLS=20`` in front of ``python -m pytest`` makes it a long run.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from threading import Event
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest

from tests.project.server import FAST, WAIT, Up, running

KILLS = int(os.environ.get("KILLS", "2"))
CLIENTS = 4
FEW = 100
"""How much of a thing is enough to be sure that it happens all the time."""

CREATED, CHANGED = "Created", "Changed"


@dataclass
class Load:
    """Clients that create users and then change two tables of each, until nobody answers.

    Attributes:
        acknowledged: what the server said each user's name is, by address.
        is_enough: set as soon as it said so a few times.
        refused: answers that were neither 200 nor 201.
    """

    port: int
    token: str
    group: int
    prefix: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    is_enough: Event = field(default_factory=Event)
    refused: list[tuple[int, Any]] = field(default_factory=list)

    def run(self, client: int) -> None:
        """Be one of the clients."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            for number in itertools.count():
                self.write(connection, f"{self.prefix}-{client}-{number}@example.com")
        except (OSError, HTTPException):
            return  # the server is gone
        finally:
            connection.close()

    def write(self, connection: HTTPConnection, email: str) -> None:
        """Create a user and change them."""
        new = {"name": CREATED, "email": email}
        id_ = self.ask(connection, "POST", "/api/users", new)
        self.acknowledged[email] = CREATED
        changes = {"name": CHANGED, "groups": [self.group]}
        self.ask(connection, "PATCH", f"/api/users/{id_}", changes)
        self.acknowledged[email] = CHANGED
        if len(self.acknowledged) >= FEW:
            self.is_enough.set()

    def ask(self, connection: HTTPConnection, method: str, path: str, body: Any) -> int:
        """Send a request; return the id in its answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status not in (200, 201):
            self.refused.append((response.status, answer))
            raise HTTPException
        return int(answer["id"])


def log_in(up: Up, password: str) -> str:
    """Return an administrator's token."""
    scope = "users:admin users:write"
    form = {"username": "admin@example.com", "password": password, "scope": scope}
    status, answer = up.ask("/api/auth/token", urlencode(form))
    assert status == 200
    return str(json.loads(answer)["access_token"])


def query(database: str, sql: str) -> list[tuple[Any, ...]]:
    """Ask the database itself."""
    if database.startswith("sqlite:"):
        connection: Any = sqlite3.connect(urlsplit(database).path[1:])
    else:
        connection = psycopg.connect(database)
    try:
        return list(connection.execute(sql).fetchall())
    finally:
        connection.close()


STORED = """
    SELECT email, name, EXISTS (SELECT 1 FROM users_user_groups AS g WHERE g.user_id = u.id)
    FROM users_user AS u WHERE email LIKE 'load-%'
"""
READERS = "SELECT id FROM auth_group WHERE name = 'user-readers'"


@pytest.mark.parametrize("endings", [["SIGKILL"] * KILLS, ["SIGTERM"]], ids=["SIGKILL", "SIGTERM"])
def test_nothing_that_was_acknowledged_is_lost(endings: list[str], database: str) -> None:
    """However a server ends under load: all of it is there, and nothing by half (F52)."""
    acknowledged: dict[str, str] = {}
    password = ""
    for number, ending in enumerate(endings):
        interface = ("wsgi", "asgi")[number % 2]
        with (
            ThreadPoolExecutor(CLIENTS) as threads,
            running(database, "--interface", interface, **FAST) as up,
        ):
            up.wait_until_ready()
            password = password or up.password()
            ((group,),) = query(database, READERS)
            load = Load(up.port, log_in(up, password), group, f"load-{number}")
            clients = [threads.submit(load.run, client) for client in range(CLIENTS)]
            assert load.is_enough.wait(WAIT), (load.refused, up.output)
            if ending == "SIGKILL":
                up.kill()
            else:
                assert up.stop(signal.SIGTERM) == 0
        for client in clients:
            client.result()
        assert load.refused == []
        acknowledged |= load.acknowledged
        check(database, acknowledged)


def check(database: str, acknowledged: dict[str, str]) -> None:
    """Assert that the database holds at least what was acknowledged, and is sound."""
    if database.startswith("sqlite:"):
        assert query(database, "PRAGMA integrity_check") == [("ok",)]
    stored = {email: (name, bool(is_in)) for email, name, is_in in query(database, STORED)}
    assert set(stored.values()) <= {(CREATED, False), (CHANGED, True)}
    changed = {email for email, name in acknowledged.items() if name == CHANGED}
    assert acknowledged.keys() - stored.keys() == set()
    assert {email for email in changed if stored[email] != (CHANGED, True)} == set()
