"""The main job over HTTP: users behind tokens, with all that the project has in production."""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

# Before Django reads its settings: servers and this process have one key.
ENVIRONMENT = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "a key for benchmarks, which is long enough and guards nothing at all",
    "ALLOWED_HOSTS": "127.0.0.1",
    "SECURE_PROXY_SSL_HEADER": "HTTP_X_FORWARDED_PROTO",
    "DJANGO_SETTINGS_MODULE": "project.settings",
}

from tests.benchmarks import http, shared  # noqa: E402 - their package has settings of its own
from tests.benchmarks.servers import ROWS, Server, Side, Work, serving  # noqa: E402

_FULL = shared.Effort(rounds=5, seconds=2, is_quick=False)
_QUICK = shared.Effort(rounds=1, seconds=0.05, is_quick=True)
_MORE_ROWS = 2 * ROWS  # a list is one page of several
_PACKAGES = (
    *("django", "django-ninja", "granian", "psycopg"),
    *("fastapi", "sqlalchemy", "asyncpg", "aiosqlite", "uvicorn", "uvloop", "httptools"),
)


def measure(effort: shared.Effort, options: argparse.Namespace) -> shared.Report:
    """Ask all sides all works in turn."""
    effort = _QUICK if effort.is_quick else _FULL
    versions = shared.versions(*_PACKAGES)
    report = shared.Report(
        "The main job: requests per second, and how many times those of FastAPI",
        [
            "8 connections from another process on this machine; one process for each server.",
            "Ours has all of the project in production; theirs has no middleware and no log.",
            f"{shared.HOW} The content of the answers is compared before.",
            ", ".join(f"{name} {found}" for name, found in versions.items()),
        ],
    )
    report.data["versions"] = versions
    if missing := [name for name, found in versions.items() if found == "not installed"]:
        report.notes.append(f"Nothing was measured without {', '.join(missing)}.")
        return report
    with _database(options.database) as url, _prepared(url) as works:
        environment = {**ENVIRONMENT, "DATABASE_URL": url}
        sides = [
            Side("FastAPI, SQLAlchemy, uvicorn", "job_theirs", environment),
            Side("ours, WSGI", "job_ours", environment, "wsgi"),
            Side("ours, ASGI", "job_ours", environment, "asgi"),
        ]
        if effort.is_quick:
            sides.pop()
        found: dict[tuple[str, str], list[dict[str, float]]] = {
            (work.name, side.name): [] for work in works for side in sides
        }
        with serving(sides, "NORMAL") as servers:
            _check(servers, works)
            for number in range(effort.is_quick, effort.rounds + 1):
                for index, work in enumerate(works):
                    shared.say(f"{work.name}: round {number} of {effort.rounds}")
                    for turn, name in enumerate(shared.rotated(list(servers), number)):
                        first = 10_000_000 * (number + 1) + 1_000_000 * (3 * index + turn)
                        result = http.load(servers[name], work, effort, first)
                        _delete_new_users()
                        if number:  # round 0 is for warming up
                            found[work.name, name].append(result)
    http.fill(report, works, sides, found)
    return report


@contextlib.contextmanager
def _database(url: str) -> Iterator[str]:
    """Set up Django on *url*, or on a file of its own, and yield the URL."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        os.environ.update(ENVIRONMENT)
        os.environ["DATABASE_URL"] = url or f"sqlite:///{folder}/job.sqlite3"
        import django

        django.setup()
        yield os.environ["DATABASE_URL"]


@contextlib.contextmanager
def _prepared(url: str) -> Iterator[list[Work]]:
    """Yield what is to be asked; on PostgreSQL, of a database that must be empty before.

    Its tables are left behind empty of users.
    """
    import logging

    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.db import connection

    from users import crud, tokens
    from users.models import User

    logging.disable(logging.CRITICAL)
    call_command("migrate", verbosity=0)
    if User.objects.exists():
        raise SystemExit(f"{url} has users already. Name an empty database: they are deleted.")
    try:
        manager = User.objects.create_user("manager@example.com", name="Manager")
        manager.groups.add(Group.objects.get(name="user-managers"))
        User.objects.bulk_create(
            User(name=f"User {number}", email=f"user{number}@example.com", password="!")
            for number in range(_MORE_ROWS)
        )
        _, text = crud.issue_token(user=manager, scope="users:read users:write")
        last = User.objects.order_by("-pk")[0].pk
        connection.close()
        yield [
            _work(f"list of {ROWS}", f"GET /api/users?limit={ROWS}", 200, text),
            _work("one user", f"GET /api/users/{last}", 200, text),
            _work("rejected token", "GET /api/users", 401, tokens.generate().text),
            _work("POST", "POST /api/users", 201, text, '{"name": "N", "email": "new{n}@a.com"}'),
            _work("PATCH", f"PATCH /api/users/{last}", 200, text, '{"name": "Name {n}"}'),
        ]
    finally:
        User.objects.all().delete()
        connection.close()


def _work(name: str, request: str, status: int, token: str, body: str = "") -> Work:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-Proto": "https"}
    return Work(name, request, status, body, headers)


def _delete_new_users() -> None:
    from users.models import User

    User.objects.filter(email__startswith="new").delete()


def _check(servers: Mapping[str, Server], works: list[Work]) -> None:
    """Require the same answers of all, apart from the id of a new user."""
    for server in servers.values():
        server.wait()
    for work in works:
        answers: list[tuple[int, Any]] = []
        for server in servers.values():
            status, content = server.ask(work, 1)
            if work.status == 201:
                content.pop("id")
            answers.append((status, content))
            _delete_new_users()
        assert answers[0][0] == work.status, answers
        assert all(answer == answers[0] for answer in answers), answers


if __name__ == "__main__":
    shared.main(
        "job",
        measure,
        database={
            "default": "",
            "help": "the URL of an empty database; a new SQLite file if left out",
        },
    )
