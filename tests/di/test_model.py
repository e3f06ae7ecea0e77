"""Random graphs: what happens is what the model says."""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ninja import Query
from ninja.errors import ValidationError
from ninja.testing import TestAsyncClient, TestClient

from di import Depends, NinjaAPI
from di.app_scope import app_scope
from tests.di.model import Edge, Failure, Model, Node, Outcome

RANK = {"function": 0, "request": 1, "app": 2, None: 3}

NEVER = {"app": ("close", "bad"), "function": (), "request": (), None: ("close",)}
"""How a node of a scope never fails: what is kept reads nothing, and ends after the test."""


def lives(nodes: list[Node], index: int) -> str | None:
    """Return the shortest life that the value of a node rests on."""
    node = nodes[index]
    if node.fails == "bad":
        return "function" if node.scope == "function" else "request"  # it reads an input
    if node.scope is not None:
        return node.scope
    below = [lives(nodes, edge.to) for edge in node.edges]
    return min(below, key=lambda scope: RANK[scope], default=None)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Node], tuple[Edge, ...], bool]:
    """Up to thirty nodes of all kinds, shared, scoped and failing at random."""
    nodes: list[Node] = []
    edge = functools.partial(st.builds, Edge, use_cache=st.sampled_from([True, True, True, False]))
    # use_cache=False multiplies whole subtrees: few nodes may be reached so.
    size = draw(st.integers(1, 30))
    for index in range(size):
        edges: tuple[Edge, ...] = ()
        if index:
            edges = tuple(draw(st.lists(edge(to=st.integers(0, index - 1)), max_size=3)))
            edges = edges if index < 12 else tuple(Edge(one.to) for one in edges)
        scope = draw(st.sampled_from([None, None, "function", "function", "request", "app"]))
        below = min((lives(nodes, one.to) for one in edges), key=lambda s: RANK[s], default=None)
        if scope is not None and RANK[below] < RANK[scope]:
            # Nothing may use what is closed before it.
            scope = "request" if below == "request" else "function"
        fails = draw(st.sampled_from([None] * 12 + ["call", "close", "bad"]))
        node = Node(
            edges=edges,
            scope=scope,
            is_async=draw(st.booleans()),
            fails=None if fails in NEVER[scope] else fails,
            on_error=draw(st.sampled_from([None] * 6 + ["replaces", "swallows"])),
        )
        nodes.append(node)
    top = tuple(draw(st.lists(edge(to=st.integers(0, size - 1)), min_size=1, max_size=4)))
    return nodes, top, draw(st.sampled_from([False, False, True]))


def build(nodes: list[Node], events: list[str]) -> list[Callable[..., Any]]:
    """Return dependables that are *nodes*, noting what happens in *events*."""
    calls: list[Callable[..., Any]] = []
    counter = itertools.count(1)
    for index, node in enumerate(nodes):
        calls.append(dependable(index, node, calls, events, counter))
    return calls


def dependable(  # noqa: C901 - four kinds of callable, each written out
    index: int,
    node: Node,
    calls: list[Callable[..., Any]],
    events: list[str],
    counter: Iterator[int],
) -> Callable[..., Any]:
    """Return the dependable that is *node*, of its kind."""

    def enter(values: dict[str, Any]) -> int:
        events.append(f"call {index} {list(values.values())}")
        if node.fails == "call":
            raise Failure(f"call {index}")
        if node.scope == "app":
            opened.append(index)
        return next(counter)

    def leave(error: BaseException | None) -> None:
        if node.scope == "app":
            assert error is None
            opened.remove(index)
            return
        events.append(f"close {index} {shown(error)}")
        if error is not None and node.on_error == "swallows":
            return
        if node.fails == "close" or (error is not None and node.on_error == "replaces"):
            raise Failure(f"close {index}") from error
        if error is not None:
            raise error

    def function(**values: Any) -> int:
        return enter(values)

    async def coroutine(**values: Any) -> int:
        return enter(values)

    def generator(**values: Any) -> Any:
        value = enter(values)
        try:
            yield value
        except BaseException as error:  # noqa: BLE001 - whatever it sees
            leave(error)
        else:
            leave(None)

    async def async_generator(**values: Any) -> Any:
        value = enter(values)
        try:
            yield value
        except BaseException as error:  # noqa: BLE001 - whatever it sees
            leave(error)
        else:
            leave(None)

    kinds: dict[tuple[bool, bool], Callable[..., Any]] = {
        (False, False): function,
        (False, True): coroutine,
        (True, False): generator,
        (True, True): async_generator,
    }
    call = kinds[node.scope is not None, node.is_async]
    call.__signature__ = signature(node.edges, calls, [], is_bad=node.fails == "bad")  # type: ignore[attr-defined]
    call.scope = node.scope  # type: ignore[attr-defined]
    return call


def signature(
    edges: tuple[Edge, ...],
    calls: list[Callable[..., Any]],
    first: list[inspect.Parameter],
    *,
    is_bad: bool = False,
) -> inspect.Signature:
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter(
            f"p{number}",
            keyword,
            default=Depends(
                calls[edge.to],
                use_cache=edge.use_cache,
                scope=calls[edge.to].scope,  # type: ignore[attr-defined]
            ),
        )
        for number, edge in enumerate(edges)
    ]
    if is_bad:
        parameters.append(inspect.Parameter("bad", keyword, default=Query(...), annotation=int))
    return inspect.Signature([*first, *parameters])


def shown(error: BaseException | None) -> str:
    return "422" if isinstance(error, ValidationError) else str(error)


opened: list[int] = []
"""The nodes that are kept, and still open."""


class Logged(logging.Handler):
    """The last exception that `di` logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.text = f", log {shown(record.exc_info[1])}"


def observe(
    nodes: list[Node], top: tuple[Edge, ...], *, view_fails: bool, is_async: bool
) -> Outcome:
    """Serve one request for the graph, and return what was seen."""
    events: list[str] = []
    api = NinjaAPI(urls_namespace="model")
    api.add_exception_handler(
        Failure, lambda request, error: api.create_response(request, str(error), status=500)
    )
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)

    def view(request: Any, **values: Any) -> str:
        events.append(f"view {list(values.values())}")
        if view_fails:
            raise Failure("view")
        return "ok"

    async def aview(request: Any, **values: Any) -> str:
        return view(request, **values)

    target = aview if is_async else view
    target.__signature__ = signature(top, build(nodes, events), [request])  # type: ignore[attr-defined]
    api.get("/x")(target)
    logged = Logged()
    logging.getLogger("di").addHandler(logged)
    try:
        if is_async:
            response = asyncio.run(TestAsyncClient(api).get("/x"))  # type: ignore[arg-type]
        else:
            response = TestClient(api).get("/x")
    finally:
        logging.getLogger("di").removeHandler(logged)
        app_scope.close()
    assert opened == []
    body = "422" if response.status_code == 422 else response.json()
    return Outcome(events, f"answer {body}{logged.text}")


@pytest.mark.row("D2", "D3", "D4", "E1", "E5", "F5", "F7", "F8", "F9")
@given(graphs())
def test_any_graph_behaves_as_the_model(graph: tuple[list[Node], tuple[Edge, ...], bool]) -> None:
    """Same events in the same order, same answer, same log: in sync and in async views."""
    nodes, top, view_fails = graph
    expected = Model(nodes, top, view_fails=view_fails).run()
    for is_async in (False, True):
        assert observe(nodes, top, view_fails=view_fails, is_async=is_async) == expected
