"""Random graphs of dependables on both hosts: what happens here is what happens there.

Left out is what differs on purpose (see the README): swallowed exceptions, ``use_cache=False``
below the view, ``scope=`` on what does not yield, and scopes that nothing below reads, of which
only the view's own markers have some here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fastapi_docs.hosts import Both

KINDS = ("function", "coroutine", "generator", "async generator")


class Edge(NamedTuple):
    """A use of another dependable; *is_listed* ones are in ``dependencies=``."""

    to: int
    oauth_scopes: tuple[str, ...] = ()
    use_cache: bool = True
    is_listed: bool = False


class Node(NamedTuple):
    """A dependable: what it is, what it needs, and when it fails."""

    kind: str
    scope: str | None
    edges: tuple[Edge, ...]
    reads_scopes: bool
    has_input: bool
    fails: str | None


class Graph(NamedTuple):
    """Dependables that use earlier ones, and a view."""

    nodes: tuple[Node, ...]
    top: tuple[Edge, ...]
    is_view_failing: bool


class Failure(Exception):  # noqa: N818 - as in the model
    """What nobody handles."""


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to eight dependables of all kinds, shared, scoped and failing at random."""
    nodes: list[Node] = []
    oauth_scopes = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True).map(tuple)
    size = draw(st.integers(1, 8))
    for index in range(size):
        below = st.integers(0, index - 1) if index else st.nothing()
        edges = draw(
            st.lists(
                st.builds(Edge, below, oauth_scopes, st.just(True), st.just(False)),
                max_size=3 if index else 0,
            )
        )
        edges = [one if _reads(nodes, one.to) else one._replace(oauth_scopes=()) for one in edges]
        kind = draw(st.sampled_from(KINDS))
        scope = None
        if "generator" in kind:
            scope = draw(st.sampled_from([None, "request", "function"]))
            if any(_is_short(nodes, edge.to) for edge in edges):
                scope = "function"  # nothing may use what is closed before it
        nodes.append(
            Node(
                kind,
                scope,
                tuple(edges),
                reads_scopes=draw(st.booleans()),
                has_input=draw(st.booleans()),
                fails=draw(st.sampled_from([None] * 12 + ["call", "crash", "close", "replace"])),
            )
        )
    to = st.integers(0, size - 1)
    listed = st.builds(Edge, to, st.just(()), st.just(True), st.just(True))
    use_cache = st.sampled_from([True, True, False])
    taken = st.builds(Edge, to, oauth_scopes, use_cache, st.just(False))
    top = (*draw(st.lists(listed, max_size=2)), *draw(st.lists(taken, max_size=3)))
    return Graph(tuple(nodes), top, draw(st.sampled_from([False, False, True])))


def _reads(nodes: list[Node], index: int) -> bool:
    """Whether a node, or one below it, takes a `SecurityScopes`."""
    node = nodes[index]
    return node.reads_scopes or any(_reads(nodes, edge.to) for edge in node.edges)


def _is_short(nodes: list[Node], index: int) -> bool:
    """Whether the value of a node rests on what is closed before the response is sent."""
    node = nodes[index]
    return node.scope == "function" or any(_is_short(nodes, edge.to) for edge in node.edges)


def on_a_host(graph: Graph) -> Callable[[Any], Any]:
    """Return *graph* as an example."""

    def example(host: Any) -> Any:
        calls: list[Callable[..., Any]] = []
        for index in range(len(graph.nodes)):
            calls.append(dependable(host, graph, index, calls))

        def marker(edge: Edge) -> Any:
            return mark(host, graph, calls, edge)

        def view(request, **values):
            host.events.append(f"view {values}")
            if graph.is_view_failing:
                raise host.HTTPException(status_code=418)
            return values

        request = inspect.Parameter("request", _POSITIONAL, annotation=host.Request)
        taken = [marker(edge) for edge in graph.top if not edge.is_listed]
        view.__signature__ = inspect.Signature([request, *parameters(taken)])
        app = host.app()
        listed = [marker(edge) for edge in graph.top if edge.is_listed]
        app.get("/x", dependencies=listed)(host.view(view))
        return app

    return example


_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD


def parameters(markers: list[Any]) -> list[inspect.Parameter]:
    """Return one parameter for each marker."""
    return [
        inspect.Parameter(f"v{number}", inspect.Parameter.KEYWORD_ONLY, default=one)
        for number, one in enumerate(markers)
    ]


def mark(host: Any, graph: Graph, calls: list[Callable[..., Any]], edge: Edge) -> Any:
    scope = graph.nodes[edge.to].scope
    if edge.oauth_scopes and scope is None:  # FastAPI's Security() takes no scope=
        return host.Security(calls[edge.to], scopes=edge.oauth_scopes, use_cache=edge.use_cache)
    return host.Depends(calls[edge.to], use_cache=edge.use_cache, scope=scope)


def dependable(  # noqa: C901 - four kinds of callable, each written out
    host: Any, graph: Graph, index: int, calls: list[Callable[..., Any]]
) -> Callable[..., Any]:
    """Return a dependable of the node's kind that notes what happens to it."""
    node = graph.nodes[index]

    def fail(when: str) -> None:
        if node.fails == when:
            raise host.HTTPException(status_code=410 + index, headers={"X-Token": when})
        if node.fails == "crash" and when == "call":
            raise Failure

    def enter(values: dict[str, Any]) -> list[Any]:
        if "security_scopes" in values:
            # There a scope that is required twice on the way is listed twice.
            values["security_scopes"] = list(dict.fromkeys(values["security_scopes"].scopes))
        given = sorted(values.items())
        host.events.append(f"{index} is called with {given}")
        fail("call")
        return [index, len(host.events), given]  # which call of all this was

    def leave(error: BaseException | None) -> None:
        host.events.append(f"{index} sees {error and getattr(error, 'status_code', 'invalid')}")
        fail("close" if error is None else "replace")
        if error is not None:
            raise error

    def function(**values):
        return enter(values)

    async def coroutine(**values):
        return enter(values)

    def generator(**values):
        value = enter(values)
        try:
            yield value
        except Exception as error:  # noqa: BLE001 - whatever it sees
            leave(error)
        else:
            leave(None)

    async def async_generator(**values):
        value = enter(values)
        try:
            yield value
        except Exception as error:  # noqa: BLE001 - whatever it sees
            leave(error)
        else:
            leave(None)

    call: Any = dict(zip(KINDS, (function, coroutine, generator, async_generator), strict=True))[
        node.kind
    ]
    needs = parameters([mark(host, graph, calls, edge) for edge in node.edges])
    if node.reads_scopes:
        needs.append(_keyword("security_scopes", host.SecurityScopes))
    if node.has_input:
        needs.append(_keyword(f"n{index}", int, 0))
    call.__signature__ = inspect.Signature(needs)
    return call


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> Any:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


@pytest.mark.row("D2", "D3", "D4", "E1", "E3", "E5", "F5", "F7", "F8", "F9", "I4")
@given(graph=graphs(), invalid=st.sets(st.integers(0, 7), max_size=2))
def test_random_graphs(world, graph: Graph, invalid: set[int]) -> None:
    """The same calls with the same values, the same closings, the same answer."""
    answers = Both(on_a_host(graph), world)
    query = "&".join(f"n{index}={'x' if index in invalid else index}" for index in range(8))
    answers.get(f"/x?{query}")
    answers.events()
