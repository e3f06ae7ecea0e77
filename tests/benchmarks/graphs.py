"""The graphs that all resolve: the same factories, annotated for each as it wants them."""

from __future__ import annotations

import types
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["sync", "async", "mixed"]
KINDS: tuple[Kind, ...] = ("sync", "async", "mixed")

REQUEST = -1
"""Stands for the request among the numbers of factories."""


class Node:
    """A value that a factory makes, and what it was made of."""

    __slots__ = ("error", "is_closed", "parts")

    def __init__(self, *parts: Any) -> None:
        self.parts = parts


@dataclass(frozen=True, eq=False)
class Graph:
    """Factories and their edges, the root last.

    Attributes:
        kind: "mixed" has sync factories and an async view.
        edges: for each factory the numbers of those that it takes.
        has_session: whether the first is a generator.
        node_types: what each makes.
        factories: without annotations, but for that takes what `edges` says.
    """

    name: str
    kind: Kind
    edges: tuple[tuple[int, ...], ...]
    has_session: bool = False
    node_types: list[type[Node]] = field(init=False)
    factories: list[Callable[..., Any]] = field(init=False)

    def __post_init__(self) -> None:
        node_types = [
            type(f"{self.name}{number}", (Node,), {"__slots__": ()})
            for number in range(len(self.edges))
        ]
        object.__setattr__(self, "node_types", node_types)
        object.__setattr__(
            self, "factories", [self._factory(one) for one in range(len(self.edges))]
        )

    @property
    def is_awaited(self) -> bool:
        """Whether the view is async."""
        return self.kind != "sync"

    def parameters(self, number: int) -> list[tuple[str, int]]:
        """Return name and source of each parameter of one factory.

        Each is named after what fills it: fast-depends has one value for one name.
        """
        return [
            ("request" if source == REQUEST else f"value_{source}", source)
            for source in self.edges[number]
        ]

    def annotated(
        self, source: Callable[[int, Callable[..., Any]], Any]
    ) -> list[Callable[..., Any]]:
        """Return copies of the factories, in which each parameter is annotated.

        Args:
            source: returns the annotation of a parameter, given the number of what fills it
                and the copy of that factory.
        """
        copies: list[Callable[..., Any]] = []
        for number, factory in enumerate(self.factories):
            annotations = {
                name: source(one, copies[one] if one != REQUEST else factory)
                for name, one in self.parameters(number)
            }
            copies.append(copied(factory, annotations))
        return copies

    def typed(self, request_type: type) -> list[Callable[..., Any]]:
        """Return copies of the factories for containers that go by types."""
        copies = self.annotated(
            lambda number, _: request_type if number == REQUEST else self.node_types[number]
        )
        for copy, node_type in zip(copies, self.node_types, strict=True):
            copy.__annotations__["return"] = node_type
        if self.has_session:
            iterator = AsyncIterator if self.kind == "async" else Iterator
            copies[0].__annotations__["return"] = iterator[self.node_types[0]]  # type: ignore[index]
        return copies

    def _factory(self, number: int) -> Callable[..., Any]:
        is_async = self.kind == "async"
        node_type = self.node_types[number]
        if self.has_session and number == 0:
            return _async_session(node_type) if is_async else _session(node_type)
        if self.edges[number] == (REQUEST,):
            return _async_token(node_type) if is_async else _token(node_type)
        makers = _async_makers(node_type) if is_async else _makers(node_type)
        factory = makers[len(self.edges[number])]
        names = tuple(name for name, _ in self.parameters(number))
        factory.__code__ = factory.__code__.replace(co_varnames=names)
        return factory


def graphs(kind: Kind) -> list[Graph]:
    """Return the three graphs: a unit of work, a chain, and twenty with shared leaves."""
    return [
        Graph("A", kind, ((), (REQUEST,), (0, 1), (0, 2)), has_session=True),
        Graph("B", kind, ((), (0,), (1,), (2,), (3,))),
        Graph("C", kind, SHARED_LEAVES),
    ]


SHARED_LEAVES: tuple[tuple[int, ...], ...] = (
    *((), (), (), (), ()),
    *((0, 1), (1, 2), (2, 3), (3, 4), (0, 4)),
    *((5, 6), (6, 7), (7, 8), (8, 9)),
    *((10, 11), (12, 13)),
    *((0, 10, 12), (1, 11, 13), (14, 15, 9)),
    (16, 17, 18),
)
"""20 dependables, 34 edges."""


def view_of(graph: Graph) -> Callable[..., Any]:
    """Return the view that gets the root of *graph*."""
    return _async_view if graph.is_awaited else _view


def failing_view_of(graph: Graph) -> Callable[..., Any]:
    """Return a view that fails with a `LookupError`, which has the root."""
    return _async_failing_view if graph.is_awaited else _failing_view


def copied(function: Any, annotations: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a function with the code of *function* and other *annotations*."""
    copy = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__annotations__ = dict(annotations)
    return copy


def shape(graph: Graph, root: Node) -> tuple[list[list[int]], str | None]:
    """Return how the nodes below *root* hang together, and the token that they got."""
    found: dict[int, Node] = {}

    def walk(node: Node) -> None:
        number = graph.node_types.index(type(node))
        if found.setdefault(number, node) is not node:
            raise AssertionError(f"{graph.name}: two values of one dependable")
        for part in node.parts:
            if isinstance(part, Node):
                walk(part)

    walk(root)
    token = None
    edges = []
    for number in sorted(found):
        parts = found[number].parts
        edges.append([graph.node_types.index(type(one)) for one in parts if isinstance(one, Node)])
        token = next((one for one in parts if isinstance(one, str)), token)
    return edges, token


def check(graph: Graph, root: Node, token: str) -> None:
    """Require that *root* is what the graph makes of a request with *token*."""
    wanted = [[one for one in edges if one != REQUEST] for edges in graph.edges]
    edges, found = shape(graph, root)
    assert edges == wanted, (graph.name, edges)
    if graph.has_session:
        assert found == token, (graph.name, found)
        assert root.parts[0].is_closed, graph.name


def _view(request, root):
    return root


async def _async_view(request, root):
    return root


def _failing_view(request, root):
    raise LookupError(root)


async def _async_failing_view(request, root):
    raise LookupError(root)


def _session(node_type):
    def session():
        node = node_type()
        try:
            yield node
        except LookupError as error:
            node.error = error
            raise
        finally:
            node.is_closed = True

    return session


def _async_session(node_type):
    async def session():
        node = node_type()
        try:
            yield node
        except LookupError as error:
            node.error = error
            raise
        finally:
            node.is_closed = True

    return session


def _token(node_type):
    def token(request):
        return node_type(request.token)

    return token


def _async_token(node_type):
    async def token(request):
        return node_type(request.token)

    return token


def _makers(node_type):
    def of_none():
        return node_type()

    def of_one(a):
        return node_type(a)

    def of_two(a, b):
        return node_type(a, b)

    def of_three(a, b, c):
        return node_type(a, b, c)

    return of_none, of_one, of_two, of_three


def _async_makers(node_type):
    async def of_none():
        return node_type()

    async def of_one(a):
        return node_type(a)

    async def of_two(a, b):
        return node_type(a, b)

    async def of_three(a, b, c):
        return node_type(a, b, c)

    return of_none, of_one, of_two, of_three
