"""Who takes part in the comparison of resolvers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.graphs import Graph, Kind

View = Callable[..., Any]

Resolve = Callable[..., Any]
"""Resolves a graph for a request and calls the view; async if the view is."""


@contextmanager
def nothing_around(_: Graph) -> Iterator[None]:
    """Be where nothing has to be in force."""
    yield


class Request:
    """What is needed of a request where there is no HTTP."""

    def __init__(self, token: str) -> None:
        self.token = token


def only_request(token: str, _: View) -> Sequence[Any]:
    """Return a request, which is all that most need."""
    return (Request(token),)


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to resolve a graph.

    Attributes:
        package: what must be installed, None for nothing.
        build: makes what resolves a graph and calls the view.
        arguments: makes what that is called with, for a request with a token.
        kinds: of the graphs that it can resolve.
        around: what is in force while it does.
        delivers: whether it is checked that the session sees what the view raises.
    """

    name: str
    package: str | None
    build: Callable[[Graph, View], Resolve]
    arguments: Callable[[str, View], Sequence[Any]] = only_request
    kinds: tuple[Kind, ...] = ("sync", "async", "mixed")
    around: Callable[[Graph], AbstractContextManager[Any]] = nothing_around
    delivers: bool = False
