"""Databases from their URLs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.database import database


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
