"""The operations that the site's URLs lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import Operation, PathView


@dataclass(frozen=True, slots=True)
class Route:
    """One operation where the site serves it.

    Attributes:
        path: from the root of the site, as Django's patterns write it.
        names: of all that its path holds.
    """

    operation: Operation
    path: str
    names: frozenset[str]

    def __str__(self) -> str:
        return f"{', '.join(self.operation.methods)} {self.path}"


def all_routes() -> list[Route]:
    """Return the operations of all of Ninja's APIs that the site serves."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    routes = _routes(get_resolver().url_patterns, "/", frozenset())
    # Ninja makes a pattern for each operation, all of which lead to all on the same path.
    return list({(route.path, id(route.operation)): route for route in routes}.values())


def _routes(
    patterns: Iterable[URLPattern | URLResolver], prefix: str, names: frozenset[str]
) -> Iterator[Route]:
    for pattern in patterns:
        here = names | pattern.pattern.regex.groupindex.keys()
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            below = here | pattern.default_kwargs.keys()
            yield from _routes(pattern.url_patterns, path, below)
            continue
        # What Ninja routes to is a function round its PathView.
        cells = getattr(pattern.callback, "__closure__", None) or ()
        for path_view in (cell.cell_contents for cell in cells):
            if isinstance(path_view, PathView):
                for operation in path_view.operations:
                    yield Route(operation, path, here)
