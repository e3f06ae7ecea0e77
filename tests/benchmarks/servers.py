"""Servers on this machine, started for a while and asked over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
ROWS = 30
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked, again and again."""

    name: str
    request: str
    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Side:
    """A server: its module, and what it is told in its environment and after its port."""

    name: str
    module: str
    environment: Mapping[str, str]
    argument: str = str(ROWS)


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    side: Side
    port: int
    database: Path
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + _SECONDS_TO_START
        while self.process.poll() is None and time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 1),
            ):
                return
            time.sleep(0.02)
        raise TimeoutError(f"{self.side.name} does not answer.")

    def ask(self, work: Work, number: int) -> tuple[int, Any]:
        """Send one request and return status and content."""
        method, _, path = work.request.partition(" ")
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            work.body.replace("{n}", str(number)).encode() or None,
            {**work.headers, **({"Content-Type": "application/json"} if work.body else {})},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def delete_new_rows(self) -> None:
        """Delete the rows that were added since it started, because a GET answers all rows."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=20)) as connection:
            connection.execute("DELETE FROM users WHERE id > ?", (ROWS,))
            connection.commit()

    def cpu_seconds(self) -> float | None:
        """Return the CPU time of all its processes, where the system tells (Linux)."""
        if not Path("/proc/self/stat").exists():
            return None
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # another process that has just ended
                fields = stat.read_text().rpartition(") ")[2].split()
                if int(fields[3]) == self.process.pid:  # its session, see `_start`
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(sides: Sequence[Side], synchronous: str) -> Iterator[dict[str, Server]]:
    """Start all *sides*, and end them, come what may: SIGTERM, too."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit("Terminated"))
    with contextlib.ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGTERM, before)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-"))
        servers = {}
        for side in sides:
            database = Path(folder) / f"{len(servers)}.sqlite3"
            port = _free_port()
            process = _start(side, port, database, synchronous)
            server = Server(side, port, database, process)
            stack.callback(_stop, server.process)
            servers[side.name] = server
        yield servers


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(side: Side, port: int, database: Path, synchronous: str) -> subprocess.Popen[bytes]:
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("PATH", "COV"))}
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", f"tests.benchmarks.{side.module}", str(port), side.argument],
        cwd=ROOT,
        env={
            **kept,
            "DATABASE_URL": f"sqlite:///{database}",
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
            "BENCHMARK_SYNCHRONOUS": synchronous,
            **side.environment,
        },
        start_new_session=True,
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its own session: nobody else is in it
        process.wait()
