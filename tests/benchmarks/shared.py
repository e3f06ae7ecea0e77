"""What all benchmarks share: rounds, ratios, tables, JSON, and how they are called."""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Run = Callable[[int], float]
"""Does one thing so many times, and returns how many seconds that took."""

HOW = (
    "Ratios: both sides measured in turn, the order rotated each round; the median of the"
    " rounds, and in brackets the lowest and the highest."
)
GARBAGE = "Garbage is collected before each turn, and not during it."


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: so many rounds, each turn about so many seconds."""

    rounds: int
    seconds: float
    is_quick: bool


FULL = Effort(rounds=9, seconds=0.1, is_quick=False)
QUICK = Effort(rounds=2, seconds=0.0005, is_quick=True)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio, or another number, in several rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Ratio:
        """Return what *values* come to."""
        return cls(statistics.median(values), min(values), max(values))

    @classmethod
    def between(cls, values: Sequence[float], references: Sequence[float]) -> Ratio:
        """Return how *values* relate to *references* of the same rounds."""
        return cls.of([one / other for one, other in zip(values, references, strict=True)])

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.low)}-{_short(self.high)})"


@dataclass(slots=True)
class Report:
    """What a benchmark found.

    Attributes:
        tables: heading, column titles and rows; what is not text is written as `str` has it.
        data: the same for programs.
        svg: a plot, if the benchmark has one.
    """

    title: str
    notes: list[str]
    tables: list[tuple[str, Sequence[str], Sequence[Sequence[object]]]] = field(
        default_factory=list
    )
    data: dict[str, Any] = field(default_factory=dict)
    svg: str | None = None


def main(name: str, measure: Callable[[Effort, argparse.Namespace], Report], **more: Any) -> None:
    """Run one benchmark as the command line says.

    Args:
        name: of the benchmark, and of its files.
        measure: does it.
        **more: further options by name, with what `argparse` takes for each.
    """
    parser = argparse.ArgumentParser(prog=f"python -m tests.benchmarks.{name}")
    parser.add_argument("--quick", action="store_true", help="see whether it runs; says nothing")
    parser.add_argument("--json", type=Path, default=Path(f".benchmarks/{name}.json"))
    parser.add_argument("--svg", type=Path, help="where to draw the plot, if there is one")
    for option, keywords in more.items():
        parser.add_argument(f"--{option}", **keywords)
    options = parser.parse_args()
    before = os.getloadavg()
    report = measure(QUICK if options.quick else FULL, options)
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load_before": before,
        "load_after": os.getloadavg(),
    }
    say("")
    _print(report, machine)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    found = {"benchmark": name, "machine": machine, "notes": report.notes, **report.data}
    options.json.write_text(json.dumps(found, indent=1, default=_plain) + "\n")
    if options.svg and report.svg:
        options.svg.write_text(report.svg)


def measured(runs: Mapping[str, Run], effort: Effort, what: str) -> dict[str, list[float]]:
    """Run *runs* in turn and return the seconds of a single time, one for each round."""
    counts = {name: _count(run, effort.seconds) for name, run in runs.items()}
    found: dict[str, list[float]] = {name: [] for name in runs}
    gc.collect()
    gc.freeze()  # what is there now stays; to look through it each time would take longest
    for number in range(effort.rounds):
        say(f"{what}: round {number + 1} of {effort.rounds}")
        for name in rotated(list(runs), number):
            with no_garbage():
                found[name].append(runs[name](counts[name]) / counts[name])
    return found


def repeated(work: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> Run:
    """Return what runs *work* in a loop."""

    def run(count: int) -> float:
        times = range(count)
        start = clock()
        for _ in times:
            work()
        return clock() - start

    return run


def rotated(names: Sequence[str], number: int) -> list[str]:
    """Return *names* beginning with another one each time."""
    start = number % len(names)
    return [*names[start:], *names[:start]]


@contextmanager
def no_garbage() -> Iterator[None]:
    """Collect garbage now, and none meanwhile."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def version(package: str) -> str | None:
    """Return which version of *package* is installed, if any."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of *packages*, for the report."""
    return {package: version(package) or "not installed" for package in packages}


def microseconds(seconds: float) -> str:
    """Return *seconds* as text in µs."""
    return _short(seconds * 1e6)


def say(line: str) -> None:
    """Show how far it is, on the one line that is there for it."""
    end = "" if line and sys.stderr.isatty() else "\n"
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    sys.stderr.write(f"{clear}{line}{end}")
    sys.stderr.flush()


def _count(run: Run, seconds: float) -> int:
    """Return how many times take about *seconds*."""
    count = 1
    while (taken := run(count)) < seconds / 4:
        count *= 4
    return max(1, round(count * seconds / taken))


def _print(report: Report, machine: Mapping[str, Any]) -> None:
    load = " → ".join(f"{machine[when][0]:.1f}" for when in ("load_before", "load_after"))
    where = f"Python {machine['python']}, {machine['cores']} cores, load average {load}."
    lines = [report.title, "", *report.notes, where]
    for heading, titles, rows in report.tables:
        texts = [list(titles), *([str(cell) for cell in row] for row in rows)]
        widths = [max(len(row[column]) for row in texts) for column in range(len(titles))]
        lines += ["", heading, ""]
        for row in texts:
            cells = zip(row[1:], widths[1:], strict=True)
            line = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in cells)]
            lines.append("  ".join(line).rstrip())
    sys.stdout.write("\n".join(lines) + "\n")


def _short(number: float) -> str:
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f}"


def _plain(value: object) -> object:
    return asdict(value)  # type: ignore[call-overload]
