"""`manage.py up` as a process, for tests that need a real server."""

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

import pytest

ROOT = Path(__file__).parent.parent.parent
READY = "Stop with Ctrl-C."
WAIT = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Up:
    """A running `manage.py up` and what it has printed."""

    def __init__(self, database: str, *args: str, **environment: str) -> None:
        self.port = free_port()
        kept = {name: os.environ[name] for name in os.environ if name.startswith(("PATH", "COV"))}
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "manage.py", "up", "--port", str(self.port), *args],
            cwd=ROOT,
            env={**kept, "DATABASE_URL": database, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""

    def wait_until_ready(self) -> None:
        """Read what it prints until it serves."""
        assert self.process.stdout is not None
        while READY not in self.output:
            line = self.process.stdout.readline()
            assert line, self.output
            self.output += line
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.05)
        pytest.fail(self.output)

    def finish(self) -> int:
        """Wait for its end and return its exit code."""
        output, _ = self.process.communicate(timeout=WAIT)
        self.output += output
        return self.process.returncode

    def stop(self, how: signal.Signals) -> int:
        """Send *how* and wait."""
        self.process.send_signal(how)
        return self.finish()

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
        found = re.search(r"Password, shown this once: (\S+)", self.output)
        assert found, self.output
        return found[1]


@contextlib.contextmanager
def running(database: str, *args: str, **environment: str) -> Iterator[Up]:
    up = Up(database, *args, **environment)
    try:
        yield up
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(up.process.pid, signal.SIGKILL)
        up.process.communicate()
