"""Requests that nobody thought of, in four roles, and what the document says of the answers.

``python -m pytest -m fuzz`` runs it; ``FUZZ_EXAMPLES=1000`` in front of that makes it a long run.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings

from tests.project.server import ROOT, Up, running

pytestmark = pytest.mark.fuzz

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "20")
ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "tests.project.fuzz_settings", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """Return the URL of a new database of the kind that the tests run on."""
    url = urlsplit(settings.DATABASE_URL)
    if not url.scheme.startswith("postgres"):
        yield f"sqlite:///{tmp_path / 'fuzz.sqlite3'}"
        return
    name = f"{url.path[1:]}_fuzz_{os.getpid()}"
    with psycopg.connect(url.geturl(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield url._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.parametrize(
    ("role", "interface"),
    [("anonymous", "wsgi"), ("reader", "asgi"), ("manager", "wsgi"), ("superuser", "asgi")],
)
def test_every_answer_is_documented(
    role: str, interface: str, database: str, tmp_path: Path
) -> None:
    """No request is a 500, and what comes back is what the document says, and only that."""
    with running(database, "--interface", interface, **ENVIRONMENT) as up:
        up.wait_until_ready()
        log: list[str] = []
        assert up.process.stdout is not None
        reader = Thread(target=log.extend, args=[up.process.stdout])  # a full pipe would block it
        reader.start()
        done = fuzz(up, role, database, tmp_path)
        up.process.send_signal(signal.SIGTERM)
        reader.join()
        assert done.returncode == 0, done.stdout
        assert up.process.wait() == 0
        assert not any("Traceback" in line or " ERROR " in line for line in log)


def fuzz(up: Up, role: str, database: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # Nothing that nobody sends can be good, credentials included.
    exceptions = ["positive_data_acceptance"] if role == "anonymous" else []
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file"),
        *(str(ROOT / "tests/project/schemathesis.toml"), "run", "--no-color"),
        *(f"http://127.0.0.1:{up.port}/api/openapi.json", "--continue-on-failure"),
        *("--checks", "all", *(f"--exclude-checks={name}" for name in exceptions)),
        *("--max-examples", EXAMPLES, "--seed", "1", "--generation-database", "none"),
    ]
    environment = {
        **ENVIRONMENT,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database,
        "FUZZ_ROLE": role,
        "SCHEMATHESIS_HOOKS": "tests.project.fuzz_hooks",
    }
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
