"""`manage.py up` and uvicorn as processes, for tests that need a real server."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).parent.parent.parent
WAIT = 60
FAST = {"DJANGO_SETTINGS_MODULE": "tests.project.fuzz_settings", "PYTHONPATH": str(ROOT)}
"""The environment of a server that limits nothing and hashes nothing for long."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Up:
    """A running `manage.py up` and what it has printed."""

    ready = "Stop with Ctrl-C."

    def __init__(self, database: str, *args: str, **environment: str) -> None:
        self.port = free_port()
        kept = {name: os.environ[name] for name in os.environ if name.startswith(("PATH", "COV"))}
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, *self.command(), "--port", str(self.port), *args],
            cwd=ROOT,
            env={**kept, "DATABASE_URL": database, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.reader = Thread(target=self.read)  # a full pipe would block it
        self.reader.start()

    def command(self) -> list[str]:
        """Return what Python is to run."""
        return ["manage.py", "up"]

    def read(self) -> None:
        """Read what it prints until it ends."""
        assert self.process.stdout is not None
        with self.process.stdout:
            self.lines.extend(self.process.stdout)

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "".join(self.lines)

    def wait_until_ready(self) -> None:
        """Wait until it has said that it serves, and does."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline and self.reader.is_alive():
            if self.ready in self.output:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                    return
            time.sleep(0.05)
        raise AssertionError(self.output)

    def finish(self) -> int:
        """Wait for its end and return its exit code."""
        code = self.process.wait(timeout=WAIT)
        self.reader.join(WAIT)
        return code

    def stop(self, how: signal.Signals) -> int:
        """Send *how* and wait."""
        self.process.send_signal(how)
        return self.finish()

    def kill(self) -> None:
        """End it and all of its processes, with no chance to do anything more."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.finish()

    def ask(self, path: str, form: str | None = None, token: str = "") -> tuple[int, str]:
        """Send a request and return status and body."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", form.encode() if form else None
        )
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as response:  # noqa: S310 - as above
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def password(self) -> str:
        """Return the administrator's password from what was printed."""
        found = re.search(r"^PASSWORD=(\S+)$", self.output, re.MULTILINE)
        assert found, self.output
        return found[1]


class Uvicorn(Up):
    """A running uvicorn that serves the project to a database which is migrated."""

    ready = "Application startup complete."

    def command(self) -> list[str]:
        """Return what Python is to run."""
        return ["-m", "uvicorn", "--no-access-log", "project.asgi:application"]


@contextlib.contextmanager
def running(database: str, *args: str, server: type[Up] = Up, **environment: str) -> Iterator[Up]:
    """Run a server until the block ends, however it does."""
    up = server(database, *args, **environment)
    try:
        yield up
    finally:
        up.kill()


@contextlib.contextmanager
def new_database(like: str, folder: Path) -> Iterator[str]:
    """Make an empty database of the same kind as the one at *like*; yield its URL."""
    url = urlsplit(like)
    if not url.scheme.startswith("postgres"):
        yield f"sqlite:///{folder / 'new.sqlite3'}"
        return
    name = f"{url.path[1:]}_new_{os.getpid()}"
    with psycopg.connect(url.geturl(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield url._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
