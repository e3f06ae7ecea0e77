"""How fast a graph is resolved, in one process and without HTTP."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import django

django.setup()

from ninja import NinjaAPI  # noqa: E402 - Django comes first

import di  # noqa: E402
from tests.benchmarks import graphs, hand, ours, peers, plot, shared  # noqa: E402
from tests.benchmarks.contender import Contender, Resolve  # noqa: E402
from tests.benchmarks.graphs import Graph  # noqa: E402

BY_HAND = Contender("by hand", None, hand.build, delivers=True)
HOPPING = Contender(
    "by hand, in a thread", None, hand.build_hopping, kinds=("mixed",), delivers=True
)
CONTENDERS = (BY_HAND, HOPPING, ours.OURS, ours.ENTERED, ours.OVERRIDDEN, *peers.PEERS)
_TOKENS = [f"token-{number}" for number in range(8)]


def measure(effort: shared.Effort, _: argparse.Namespace) -> shared.Report:
    """Resolve each graph of each kind with everybody who is there."""
    report = shared.Report(
        "Resolving a graph: how many times the time of code written by hand",
        [
            (
                "A: session (generator) → user(session, token of this request) → service."
                " B: a chain of five. C: 20 dependables, 34 edges."
            ),
            "sync and async: dependables and view. mixed: sync dependables, async view.",
            f"CPU time. {shared.HOW} {shared.GARBAGE}",
            "Every value is checked before, and that the session was closed.",
            (
                "ours: the compiled function as an operation calls it. Its entry: the overrides in"
                " force are looked up, and what is kept of a request is made."
            ),
        ],
    )
    versions = shared.versions(*(one.package for one in CONTENDERS if one.package))
    report.notes.append(", ".join(f"{name} {found}" for name, found in versions.items()))
    report.data["versions"] = versions
    ratios: dict[str, dict[str, shared.Ratio]] = {one.name: {} for one in CONTENDERS}
    by_hand: dict[str, float] = {}
    with asyncio.Runner() as runner:
        for kind in graphs.KINDS:
            for graph in graphs.graphs(kind):
                cell = f"{graph.name} {kind}"
                times = _times(graph, runner, effort, cell)
                by_hand[cell] = shared.Ratio.of(times[BY_HAND.name]).median
                for name, found in times.items():
                    ratios[name][cell] = shared.Ratio.between(found, times[BY_HAND.name])
    report.data |= {"ratios": ratios, "by_hand_seconds": by_hand}
    for kind in graphs.KINDS:
        cells = [f"{graph.name} {kind}" for graph in graphs.graphs(kind)]
        rows = [
            [name, *(row.get(cell, "-") for cell in cells)]
            for name, row in ratios.items()
            if cells[0] in row
        ]
        absent = [
            [one.name, *["not installed"] * len(cells)]
            for one in CONTENDERS
            if not _is_there(one) and kind in one.kinds
        ]
        micro = [f"{shared.microseconds(by_hand[cell])} µs" for cell in cells]
        report.tables.append((kind, ["", *cells], [*rows, *absent, ["1.00 is", *micro]]))
    entries = _entry_costs(effort)
    report.data["entry_seconds"] = entries
    rows = [[name, shared.microseconds(found.median)] for name, found in entries.items()]
    report.tables.append(("What it costs to get there", ["", "µs"], rows))
    title = "Time to resolve, by hand = 1 (logarithmic)"
    report.svg = plot.bars(title, _plotted(ratios), is_logarithmic=True)
    return report


def _times(
    graph: Graph, runner: asyncio.Runner, effort: shared.Effort, cell: str
) -> dict[str, list[float]]:
    present = [one for one in CONTENDERS if graph.kind in one.kinds and _is_there(one)]
    runs = {}
    for contender in present:
        _check(contender, graph, runner)
        view = graphs.view_of(graph)
        turns = [contender.arguments(token, view) for token in _TOKENS]
        resolve = contender.build(graph, view)
        make_run = _async_run if graph.is_awaited else _run
        runs[contender.name] = make_run(contender, graph, resolve, turns, runner)
    return shared.measured(runs, effort, cell)


def _run(
    contender: Contender,
    graph: Graph,
    resolve: Resolve,
    arguments: Sequence[Sequence[Any]],
    _: asyncio.Runner,
) -> shared.Run:
    def run(count: int) -> float:
        with contender.around(graph):
            turns = list(itertools.islice(itertools.cycle(arguments), count))
            start = time.thread_time()
            for turn in turns:
                resolve(*turn)
            return time.thread_time() - start

    return run


def _async_run(
    contender: Contender,
    graph: Graph,
    resolve: Resolve,
    arguments: Sequence[Sequence[Any]],
    runner: asyncio.Runner,
) -> shared.Run:
    async def repeat(count: int) -> float:
        with contender.around(graph):
            turns = list(itertools.islice(itertools.cycle(arguments), count))
            start = time.process_time()  # with that of the threads
            for turn in turns:
                await resolve(*turn)
            return time.process_time() - start

    return lambda count: runner.run(repeat(count))


def _check(contender: Contender, graph: Graph, runner: asyncio.Runner) -> None:
    """Require the right value, a fresh one each time, and a session that hears of errors."""

    def call(view: Callable[..., Any], token: str) -> Any:
        resolve = contender.build(graph, view)

        async def resolve_async() -> Any:
            with contender.around(graph):
                return await resolve(*contender.arguments(token, view))

        if graph.is_awaited:
            return runner.run(resolve_async())
        with contender.around(graph):
            return resolve(*contender.arguments(token, view))

    first, second = (call(graphs.view_of(graph), token) for token in _TOKENS[:2])
    assert first is not second, contender.name
    graphs.check(graph, first, _TOKENS[0])
    graphs.check(graph, second, _TOKENS[1])
    if contender.delivers and graph.has_session:
        error = None
        try:
            call(graphs.failing_view_of(graph), "token")
        except LookupError as raised:
            error = raised
        assert error is not None, contender.name
        session = error.args[0].parts[0]
        assert session.is_closed, contender.name
        assert session.error is error, contender.name


def _entry_costs(effort: shared.Effort) -> dict[str, shared.Ratio]:
    """Return the seconds of what is not counted above."""
    graph = graphs.graphs("sync")[0]
    root = ours.dependables(graph)[-1]
    request = ours.Request("token")

    def nothing() -> None:
        return None

    def answer(request):
        return "answer"

    def answer_with(request, root=di.Depends(root)):
        return "answer"

    def service(root=di.Depends(root)):
        return root

    plain = NinjaAPI(urls_namespace="benchmark-plain")
    bare, whole = (di.NinjaAPI(urls_namespace=f"benchmark-{name}") for name in ("bare", "whole"))
    runs = {
        "call() of a function that depends on nothing": lambda: di.call(nothing),
        "call() of graph A": lambda: di.call(service, request=request),
        "a plain Ninja operation": _running(plain, answer, request),
        "an operation of ours that depends on nothing": _running(bare, answer, request),
        "an operation of ours with graph A": _running(whole, answer_with, request),
    }
    found = shared.measured(
        {name: shared.repeated(work) for name, work in runs.items()}, effort, "entry"
    )
    return {name: shared.Ratio.of(times) for name, times in found.items()}


def _running(api: NinjaAPI, view: Callable[..., Any], request: Any) -> Callable[[], object]:
    api.get("/")(view)
    operation = ours.mounted_operation(api)
    assert operation.run(request).content == b'"answer"'
    return lambda: operation.run(request)


def _plotted(ratios: dict[str, dict[str, shared.Ratio]]) -> dict[str, dict[str, float]]:
    return {
        f"Graph C, {kind}": {
            name: row[f"C {kind}"].median for name, row in ratios.items() if f"C {kind}" in row
        }
        for kind in graphs.KINDS
    }


def _is_there(contender: Contender) -> bool:
    return contender.package is None or shared.version(contender.package) is not None


if __name__ == "__main__":
    shared.main("resolver", measure)
