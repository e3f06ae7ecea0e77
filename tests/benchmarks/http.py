"""The job itself over HTTP: real servers, one process each, asked in turn."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks import plot, shared
from tests.benchmarks.shared import Effort

_ROOT = Path(__file__).parent.parent.parent
_ROWS = 30
_CONNECTIONS = 8
_FULL = Effort(rounds=5, seconds=2, is_quick=False)
_QUICK = Effort(rounds=1, seconds=0.05, is_quick=True)
_MOST = 50_000
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 20
_PACKAGES = (
    *("django", "django-ninja", "granian"),
    *("fastapi", "sqlalchemy", "uvicorn", "uvloop", "httptools"),
)


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked, again and again."""

    name: str
    request: str
    status: int
    body: str = ""


WORKS = (
    Work("GET of 30 rows", f"GET /users/?limit={_ROWS}&token=test123", 200),
    Work("rejected token", "GET /users/?limit=30&token=wrong", 401),
    Work(
        "POST of one row",
        "POST /users/?token=test123",
        200,
        '{"name": "Ann Bee", "email": "ann{n}@example.com"}',
    ),
)


@dataclass(frozen=True, slots=True)
class Side:
    """A server: its module, and what it is told in its environment."""

    name: str
    module: str
    environment: Mapping[str, str]


THEIRS = Side("FastAPI, SQLAlchemy, uvicorn", "reference", {})
OURS = Side("ours, granian", "served", {})
WITH_MIDDLEWARE = Side(
    "ours, with the project's middleware", "served", {"BENCHMARK_MIDDLEWARE": "1"}
)


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    side: Side
    port: int
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
            {"Content-Type": "application/json"} if work.body else {},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


def measure(effort: Effort, options: argparse.Namespace) -> shared.Report:
    """Ask all sides all works in turn."""
    effort = _QUICK if effort.is_quick else _FULL
    sides = [THEIRS, OURS] if effort.is_quick else [THEIRS, OURS, WITH_MIDDLEWARE]
    versions = shared.versions(*_PACKAGES)
    report = shared.Report(
        "Over HTTP: requests per second, and how many times those of FastAPI",
        [
            (
                f"{_CONNECTIONS} connections from another process on this machine; one process and"
                " one SQLite file for each server."
            ),
            f"Journal in WAL, synchronous={options.synchronous}, on both sides.",
            (
                f"{shared.HOW} Every answer's status is checked, and before that that the content"
                " of all sides' answers is the same."
            ),
            ", ".join(f"{name} {found}" for name, found in versions.items()),
        ],
    )
    report.data |= {"versions": versions, "synchronous": options.synchronous}
    if missing := [name for name, found in versions.items() if found == "not installed"]:
        report.notes.append(f"Nothing was measured without {', '.join(missing)}.")
        return report
    found: dict[tuple[str, str], list[dict[str, float]]] = {
        (work.name, side.name): [] for work in WORKS for side in sides
    }
    with _serving(sides, options.synchronous) as servers:
        _check(servers)
        _warm_up(servers, effort)
        for number in range(effort.rounds):
            for index, work in enumerate(WORKS):
                shared.say(f"{work.name}: round {number + 1} of {effort.rounds}")
                for name in shared.rotated(list(servers), number):
                    first = 1_000_000 * (number + 1) + 100_000 * index
                    result = _load(servers[name], work, effort, first)
                    found[work.name, name].append(result)
    _fill(report, sides, found)
    return report


def _fill(
    report: shared.Report,
    sides: list[Side],
    found: Mapping[tuple[str, str], list[dict[str, float]]],
) -> None:
    titles = ["", "requests/s", "p50 ms", "p99 ms", "requests/s to theirs", "p99 to theirs"]
    for work in WORKS:
        rows = []
        for side in sides:
            mine, theirs = found[work.name, side.name], found[work.name, THEIRS.name]
            figures = {
                key: shared.Ratio.of([one[key] for one in mine])
                for key in ("per_second", "p50", "p99")
            }
            ratios = {
                key: shared.Ratio.between([one[key] for one in mine], [one[key] for one in theirs])
                for key in ("per_second", "p99")
            }
            latencies = [f"{figures[key].median * 1e3:.2f}" for key in ("p50", "p99")]
            per_second = f"{figures['per_second'].median:.0f}"
            rows.append([side.name, per_second, *latencies, ratios["per_second"], ratios["p99"]])
            report.data.setdefault(work.name, {})[side.name] = {"ratios": ratios, **figures}
        report.tables.append((work.name, titles, rows))
    report.svg = plot.bars(
        "Requests per second (logarithmic)",
        {
            work.name: {
                side.name: report.data[work.name][side.name]["per_second"].median
                for side in (*sides[1:], sides[0])
            }
            for work in WORKS
        },
    )


@contextlib.contextmanager
def _serving(sides: list[Side], synchronous: str) -> Iterator[dict[str, Server]]:
    """Start all *sides*, and end them, come what may."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-"))
        servers = {}
        for side in sides:
            database = Path(folder) / f"{len(servers)}.sqlite3"
            port = _free_port()
            server = Server(side, port, _start(side, port, database, synchronous))
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
        [sys.executable, "-m", f"tests.benchmarks.{side.module}", str(port), str(_ROWS)],
        cwd=_ROOT,
        env={
            **kept,
            **side.environment,
            "DATABASE_URL": f"sqlite:///{database}",
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
            "BENCHMARK_SYNCHRONOUS": synchronous,
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


def _check(servers: Mapping[str, Server]) -> None:
    """Require the same answers of all."""
    for server in servers.values():
        server.wait()
    for number, work in enumerate(WORKS):
        answers = {name: server.ask(work, number) for name, server in servers.items()}
        assert answers[THEIRS.name][0] == work.status, answers
        assert all(one == answers[THEIRS.name] for one in answers.values()), answers
    rows = servers[THEIRS.name].ask(WORKS[0], 0)[1]
    assert len(rows) == _ROWS, rows


def _warm_up(servers: Mapping[str, Server], effort: Effort) -> None:
    for server in servers.values():
        _load(server, WORKS[0], effort, 0)


def _load(server: Server, work: Work, effort: Effort, first: int) -> dict[str, float]:
    """Have another process ask *server*."""
    job = {
        "port": server.port,
        "request": work.request,
        "body": work.body,
        "first": first,
        "status": work.status,
        "seconds": effort.seconds,
        "most": _MOST,
        "connections": _CONNECTIONS,
    }
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.benchmarks.load", json.dumps(job)],
        cwd=_ROOT,
        capture_output=True,
        check=False,
        timeout=effort.seconds + 60,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    shared.main(
        "http",
        measure,
        synchronous={
            "choices": ("FULL", "NORMAL"),
            "default": "FULL",
            "help": "FULL: a commit survives a loss of power; NORMAL: as the project has it",
        },
    )
