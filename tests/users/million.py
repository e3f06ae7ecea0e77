"""How long pages of a million users take: `python -m tests.users.million`.

It makes a database of its own beside the one of ``DATABASE_URL``, and drops it at the end.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.project.server import new_database

ROWS = 1_000_000
RUNS = 20
FILL = {
    "postgresql": """
        INSERT INTO users_user (name, email, password, is_active, is_staff, is_superuser,
                                date_joined)
        SELECT 'Person ' || lpad(n::text, 7, '0'), 'p' || lpad(n::text, 7, '0') || '@example.com',
               '!', true, false, false, now()
        FROM generate_series(1, %s) AS n
    """,
    "sqlite": """
        WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < %s)
        INSERT INTO users_user (name, email, password, is_active, is_staff, is_superuser,
                                date_joined)
        SELECT printf('Person %%07d', n), printf('p%%07d@example.com', n), '!', 1, 0, 0,
               '2026-01-01 00:00:00'
        FROM series
    """,
}
QUERIES = {
    "first page": "",
    "last page": f"after={ROWS - 50}",
    "page in the middle": f"after={ROWS // 2}",
    "skip=10000": "skip=10000",
    "search for one user": "q=0654321",
    "search that all match": "q=person",
    "search that nobody matches": "q=nobodyhere",
    "search of two letters, no match": "q=zq",
    "all counted": "count=true",
}


def fill() -> Any:
    """Insert the users and return a client with a superuser's token."""
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from users import crud
    from users.models import User

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET statement_timeout = 0")
        cursor.execute(FILL[connection.vendor], [ROWS])
        cursor.execute("VACUUM")
        cursor.execute("ANALYZE")
    root = User.objects.create_superuser("root@example.com", "correct horse battery", name="Root")
    _, token = crud.issue_token(user=root, scope="users:read")
    return Client(headers={"Authorization": f"Bearer {token}", "Host": "localhost"})


def walk(client: Any) -> tuple[float, int]:
    """Follow all links and return the seconds and the users seen."""
    start, seen, address = time.perf_counter(), 0, "/api/users"
    while address:
        response = client.get(address)
        seen += response.content.count(b'"id":')
        address = response.headers.get("Link", "<>")[1:].partition(">")[0]
    return time.perf_counter() - start, seen


def main() -> None:
    """Measure and print."""
    client = fill()
    for name, query in QUERIES.items():
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            assert client.get(f"/api/users?{query}").status_code == 200
            times.append((time.perf_counter() - start) * 1000)
        sys.stdout.write(f"{name:32} {statistics.median(times):9.1f} ms\n")
        sys.stdout.flush()
    seconds, seen = walk(client)
    sys.stdout.write(f"{'walk through ' + format(seen, ','):32} {seconds:9.1f} s\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        given = os.environ.get("DATABASE_URL", "sqlite:")
        with new_database(given, Path(folder)) as url:
            os.environ["DATABASE_URL"] = url
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
            import django

            django.setup()
            main()
            from django.db import connections

            connections.close_all()
