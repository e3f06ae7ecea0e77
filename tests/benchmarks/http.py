"""The job itself over HTTP: real servers, one process each, asked in turn."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks import plot, shared
from tests.benchmarks.servers import ROOT, ROWS, Server, Side, Work, serving
from tests.benchmarks.shared import Effort

_CONNECTIONS = 8
_FULL = Effort(rounds=5, seconds=2, is_quick=False)
_QUICK = Effort(rounds=1, seconds=0.05, is_quick=True)
_MOST = 50_000
_TICK = 0.01  # of CPU time; less than this the system does not count
_PACKAGES = (
    *("django", "django-ninja", "granian"),
    *("fastapi", "sqlalchemy", "uvicorn", "uvloop", "httptools"),
)


WORKS = (
    Work(f"GET of {ROWS} rows", "GET /users/?token=test123", 200),
    Work("rejected token", "GET /users/?token=wrong", 403),
    Work(
        "POST of one row",
        "POST /users/?token=test123",
        200,
        '{"name": "Ann Bee", "email": "ann{n}@example.com"}',
    ),
)


THEIRS = Side("FastAPI, SQLAlchemy, uvicorn", "reference", {})
OURS = Side("ours, granian", "served", {})
WITH_MIDDLEWARE = Side(
    "ours, with the project's middleware", "served", {"BENCHMARK_MIDDLEWARE": "1"}
)


@dataclass(frozen=True, slots=True)
class Figure:
    """What is shown of a round."""

    key: str
    title: str
    text: str
    is_compared: bool = True


_FIGURES = (
    Figure("per_second", "requests/s", "{:.0f}"),
    Figure("p50", "p50 ms", "{:.2f}", is_compared=False),
    Figure("p99", "p99 ms", "{:.2f}"),
    Figure("cpu", "CPU ms each", "{:.3f}"),
)


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
    with serving(sides, options.synchronous) as servers:
        _check(servers)
        _warm_up(servers, effort)
        for number in range(effort.rounds):
            for index, work in enumerate(WORKS):
                shared.say(f"{work.name}: round {number + 1} of {effort.rounds}")
                for name in shared.rotated(list(servers), number):
                    first = 1_000_000 * (number + 1) + 100_000 * index
                    result = load(servers[name], work, effort, first)
                    servers[name].delete_new_rows()
                    found[work.name, name].append(result)
    fill(report, WORKS, sides, found)
    return report


def fill(
    report: shared.Report,
    works: Sequence[Work],
    sides: Sequence[Side],
    found: Mapping[tuple[str, str], Sequence[Mapping[str, float]]],
) -> None:
    """Fill *report* with a table for each work; the first side is what the others are held to."""
    for work in works:
        theirs = found[work.name, sides[0].name]
        figures = [figure for figure in _FIGURES if figure.key in theirs[0]]
        rows = []
        for side in sides:
            mine = found[work.name, side.name]
            medians, ratios = {}, {}
            for figure in figures:
                values, others = ([one[figure.key] for one in both] for both in (mine, theirs))
                medians[figure.key] = shared.Ratio.of(values)
                if figure.is_compared:
                    ratios[figure.key] = shared.Ratio.between(values, others)
            texts = [figure.text.format(medians[figure.key].median) for figure in figures]
            rows.append([side.name, *texts, *ratios.values()])
            report.data.setdefault(work.name, {})[side.name] = {"ratios": ratios, **medians}
        compared = [f"{figure.title} to theirs" for figure in figures if figure.is_compared]
        titles = ["", *(figure.title for figure in figures), *compared]
        report.tables.append((work.name, titles, rows))
    report.svg = plot.bars(
        "Requests per second, FastAPI's = 1",
        {
            work.name: {
                side.name: report.data[work.name][side.name]["ratios"]["per_second"].median
                for side in (*sides[1:], sides[0])
            }
            for work in works
        },
    )


def _check(servers: Mapping[str, Server]) -> None:
    """Require the same answers of all."""
    for server in servers.values():
        server.wait()
    for number, work in enumerate(WORKS):
        answers = {name: server.ask(work, number) for name, server in servers.items()}
        assert answers[THEIRS.name][0] == work.status, answers
        assert all(one == answers[THEIRS.name] for one in answers.values()), answers
    for server in servers.values():
        server.delete_new_rows()
        rows = server.ask(WORKS[0], 0)[1]
        assert len(rows) == ROWS, rows


def _warm_up(servers: Mapping[str, Server], effort: Effort) -> None:
    for server in servers.values():
        load(server, WORKS[0], effort, 0)


def load(server: Server, work: Work, effort: Effort, first: int) -> dict[str, float]:
    """Have another process ask *server*; return what came of it, times in ms."""
    job = {
        "port": server.port,
        "request": work.request,
        "body": work.body,
        "headers": work.headers,
        "first": first,
        "status": work.status,
        "seconds": effort.seconds,
        "most": _MOST,
        "connections": _CONNECTIONS,
    }
    before = server.cpu_seconds()
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.benchmarks.load", json.dumps(job)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=effort.seconds + 60,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, float] = json.loads(done.stdout)
    after = server.cpu_seconds()
    if before is not None and after is not None:
        found["cpu"] = max(after - before, _TICK) * 1e3 / found["count"]
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
