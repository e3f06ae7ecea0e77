"""Databases from their URLs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.database import database, replica


def read(url: str) -> dict[str, Any]:
    return database(url, base=Path("/base"), pool_size=4)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:////absolute/path.db", "/absolute/path.db"),
        ("sqlite:///relative/path.db", "/base/relative/path.db"),
        ("sqlite:////with%20space%3F", "/with space?"),
    ],
)
def test_sqlite(url: str, name: str) -> None:
    """Writers wait in line, readers read on, and foreign keys are kept."""
    found = read(url)
    assert (found["ENGINE"], found["NAME"]) == ("django.db.backends.sqlite3", name)
    assert found["OPTIONS"] == {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        ),
    }


def test_postgresql() -> None:
    """Every part of the URL, percent-decoded; a pool; limits on what a query may take."""
    found = read("postgres://user%40x:p%3Aw@db.example:5433/name?sslmode=require")
    assert {key: found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "name",
        "USER": "user@x",
        "PASSWORD": "p:w",
        "HOST": "db.example",
        "PORT": "5433",
    }
    assert found["CONN_MAX_AGE"] == 0
    assert found["OPTIONS"]["pool"] == {"min_size": 2, "max_size": 4, "timeout": 5}
    assert found["OPTIONS"]["sslmode"] == "require"
    assert "lock_timeout=5000" in found["OPTIONS"]["options"]
    bare = read("postgresql:///name")
    assert (bare["USER"], bare["HOST"], bare["PORT"]) == ("", "", "")


def test_a_replica() -> None:
    """When a database is a replica, then it is read only, and in tests it is the primary."""
    primary = read("postgres://primary/name")
    found = replica("postgres://replica/name", of=primary, base=Path("/base"), pool_size=4)
    assert (found["HOST"], found["TEST"]) == ("replica", {"MIRROR": "default"})
    assert found["OPTIONS"]["pool"] == primary["OPTIONS"]["pool"]
    assert found["OPTIONS"]["options"].startswith(primary["OPTIONS"]["options"])
    assert found["OPTIONS"]["options"].endswith("-c default_transaction_read_only=on")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:secret@host/name",
        "sqlite://",
        "sqlite:///",
        "sqlite://host/path",
        "postgres://user:secret@host",
        "postgres://user:secret@host/a/b",
        "postgres://user:secret@host:port/name",
        "postgres://user:secret@[host/name",
        "nonsense",
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(url: str) -> None:
    """With the forms that can, and without the password."""
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL .*Write sqlite:") as caught:
        read(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


SERVED = """
import threading
from io import BytesIO
from project.wsgi import application
from django.db import connection

seen = []

def serve():
    for _ in range(2):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/auth/tokens",
                   "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost",
                   "wsgi.input": BytesIO(), "wsgi.url_scheme": "http",
                   "HTTP_AUTHORIZATION": "Bearer " + TOKEN}
        response = application(environ, lambda *_: None)
        list(response)
        response.close()
        seen.append(connection.connection)
    connection.close()

thread = threading.Thread(target=serve)
thread.start()
thread.join()
print(seen[0] is not None and seen[0] is seen[1])
"""


def test_a_wsgi_thread_keeps_its_connection_to_a_file(tmp_path: Path) -> None:
    """Opening it for each request would take longer than what the request asks."""
    from users import tokens

    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}"}
    environment["DJANGO_SETTINGS_MODULE"] = "project.settings"
    migrated = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrated, check=True, env=environment)  # noqa: S603 - our own command
    served = f"TOKEN = {tokens.generate().text!r}\n{SERVED}"
    result = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", served], check=True, env=environment, capture_output=True, text=True
    )
    assert result.stdout.splitlines()[-1] == "True"
