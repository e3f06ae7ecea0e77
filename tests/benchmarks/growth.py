"""How cost grows: with dependables, with inputs, with operations, with overrides."""

from __future__ import annotations

import argparse
import gc
import inspect
import statistics
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import django
from django.http import HttpRequest, QueryDict

django.setup()

import ninja  # noqa: E402 - Django comes first
from ninja.operation import Operation  # noqa: E402

import di  # noqa: E402
from di.operation import InjectedMixin  # noqa: E402
from tests.benchmarks import graphs, ours, plot, shared  # noqa: E402

_SIZES = (1, 2, 4, 8, 16, 32, 64)
_OVERRIDES = 1000
_OPERATIONS = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """An operation of some size, to be made again and again, and what it is asked."""

    make: Callable[[], Operation]
    request: HttpRequest
    answer: bytes


def measure(effort: shared.Effort, _: argparse.Namespace) -> shared.Report:
    """Print times by size with the line that fits them, and what stays in memory."""
    sizes = _SIZES[:4] if effort.is_quick else _SIZES
    report = shared.Report(
        "How cost grows",
        [
            (
                "A request: the operation's own run(), without Django's handler. To compile: to"
                " declare the view and to mount it in an API of its own, as at import, and to write"
                " its function, as at the first request."
            ),
            (
                "Each dependable depends on the two before it. Inputs are query parameters of one"
                " dependable, all sent."
            ),
            f"CPU time, medians of {effort.rounds} rounds, sizes in turn. {shared.GARBAGE}",
        ],
    )
    series: dict[str, list[tuple[float, float]]] = {}
    for what, sample in (("dependables", with_dependables), ("inputs", with_inputs)):
        samples = {str(size): sample(size) for size in sizes}
        works = {
            "request": {size: _asking(one) for size, one in samples.items()},
            "compile": {size: _compiling(one) for size, one in samples.items()},
        }
        for name, by_size in works.items():
            runs = {size: shared.repeated(work) for size, work in by_size.items()}
            found = shared.measured(runs, effort, f"{name}, {what}")
            series[f"{name}, {what}"] = [
                (int(size), statistics.median(times) * 1e6) for size, times in found.items()
            ]
    rows = []
    for name, points in series.items():
        slope, base = statistics.linear_regression(*zip(*points, strict=True))
        errors = [abs(base + slope * size - found) / found for size, found in points]
        numbers = [f"{found:.4g}" for _, found in points]
        rows.append([name, *numbers, f"{base:.4g} + {slope:.3g} n", f"{max(errors):.0%}"])
        report.data[name] = {"microseconds": points, "slope": slope, "intercept": base}
    titles = ["µs", *map(str, sizes), "line", "farthest off"]
    report.tables.append(("By size, and the straight line that fits best", titles, rows))
    kept = _memory(effort)
    report.data["kept_bytes"] = kept
    memory_rows = [[name, f"{size / 1024:.1f}"] for name, size in kept.items()]
    report.tables.append(("What stays in memory", ["", "KiB"], memory_rows))
    report.svg = plot.lines(
        "CPU time of a request in µs",
        "how many",
        {what: series[f"request, {what}"] for what in ("dependables", "inputs")},
    )
    return report


def with_dependables(size: int) -> Sample:
    """Return an operation that has so many dependables below it."""
    edges = tuple(tuple(range(max(0, number - 2), number)) for number in range(size))
    graph = graphs.Graph("D", "sync", edges)

    def view(request, root):
        return type(root).__name__

    answer = f'"D{size - 1}"'.encode()
    return Sample(lambda: ours.operation_of(graph, view), ours.Request(""), answer)


def with_inputs(size: int) -> Sample:
    """Return an operation with one dependable that has so many inputs."""
    names = [f"input_{number}" for number in range(size)]
    request = ours.Request("")
    request.GET = QueryDict("&".join(f"{name}={index}" for index, name in enumerate(names)))

    def read(**values: int) -> int:
        return sum(values.values())

    read.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=int) for name in names]
    )

    def view(request, total=di.Depends(read)):
        return total

    return Sample(lambda: _operation(view), request, f"{sum(range(size))}".encode())


def _operation(view: Callable[..., Any]) -> Operation:
    api = di.NinjaAPI(urls_namespace="growth")
    api.get("/")(view)
    return ours.mounted_operation(api)


def _asking(sample: Sample) -> Callable[[], object]:
    operation = sample.make()
    content = operation.run(sample.request).content
    assert content == sample.answer, content
    return lambda: operation.run(sample.request)


def _compiling(sample: Sample) -> Callable[[], object]:
    return lambda: ours.compiled_of(sample.make()).resolve


def _memory(effort: shared.Effort) -> dict[str, float]:
    """Return bytes: of an operation, and what overrides leave behind."""
    shared.say("memory")
    count = 2 if effort.is_quick else _OPERATIONS
    overrides = 10 if effort.is_quick else _OVERRIDES
    root = ours.dependables(graphs.graphs("sync")[2])[-1]

    def plain(request, skip: int = 0):
        return skip

    def injected(request, skip: int = 0, root=di.Depends(root)):
        return skip

    kept: dict[str, float] = {}
    tracemalloc.start()
    for name, make, view in (
        ("a plain operation with one input", ninja.NinjaAPI, plain),
        ("an operation with one input and graph C", di.NinjaAPI, injected),
    ):
        _filled(make, view, 1)  # what is kept once for all is there
        before = _allocated()
        operations = _filled(make, view, count)
        kept[name] = (_allocated() - before) / count
        del operations
    sample = with_dependables(8)
    operation = sample.make()
    original = ours.compiled_of(operation).plan.steps[0].dependable.call

    def same() -> str:
        return "same"

    for name, stand_in in (
        ("the same stand-in", lambda: same),
        ("another stand-in each time", lambda: lambda: "another"),
    ):
        for times in ("first", "next"):
            before = _allocated()
            for _ in range(overrides):
                with di.override({original: stand_in()}):
                    operation.run(sample.request)
            kept[f"the {times} {overrides} overrides, {name}"] = _allocated() - before
    tracemalloc.stop()
    return kept


def _filled(make: Callable[..., Any], view: Callable[..., Any], count: int) -> list[Operation]:
    """Return so many operations, ready for requests."""
    api = make(urls_namespace="growth")
    for number in range(count):
        api.get(f"/{number}")(view)
    operations = ours.mounted_operations(api)
    for operation in operations:
        if isinstance(operation, InjectedMixin):
            assert ours.compiled_of(operation).resolve
    return operations


def _allocated() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


if __name__ == "__main__":
    shared.main("growth", measure)
