"""The operations that the site's URLs lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern
from ninja.operation import Operation, PathView


@dataclass(frozen=True, slots=True)
class Route:
    """One operation where the site serves it.

    Attributes:
        path: from the root of the site, as Django's patterns write it.
        names: of all that its path holds.
        converters: of the placeholders in its path; None if a part of it is a regular
            expression.
        path_view: all operations that Ninja serves at the same place.
    """

    operation: Operation
    path: str
    names: frozenset[str]
    converters: Mapping[str, Any] | None
    path_view: PathView

    def __str__(self) -> str:
        return f"{', '.join(self.operation.methods)} {self.path}"


def all_routes() -> list[Route]:
    """Return the operations of all of Ninja's APIs that the site serves."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    routes = _routes(get_resolver().url_patterns, "/", frozenset(), {})
    # Ninja makes a pattern for each operation, all of which lead to all on the same path.
    return list({(route.path, id(route.operation)): route for route in routes}.values())


def path_view_of(callback: Any) -> PathView | None:
    """Return the operations that *callback* leads to, if it is what Ninja routes to."""
    # It is a function round its PathView.
    cells = getattr(callback, "__closure__", None) or ()
    found = (cell.cell_contents for cell in cells)
    return next((one for one in found if isinstance(one, PathView)), None)


def _routes(
    patterns: Iterable[URLPattern | URLResolver],
    prefix: str,
    names: frozenset[str],
    converters: Mapping[str, Any] | None,
) -> Iterator[Route]:
    for pattern in patterns:
        here = names | pattern.pattern.regex.groupindex.keys()
        path = prefix + str(pattern.pattern)
        known = None
        if converters is not None and not isinstance(pattern.pattern, RegexPattern):
            known = {**converters, **pattern.pattern.converters}
        if isinstance(pattern, URLResolver):
            below = here | pattern.default_kwargs.keys()
            yield from _routes(pattern.url_patterns, path, below, known)
        elif path_view := path_view_of(pattern.callback):
            for operation in path_view.operations:
                yield Route(operation, path, here, known, path_view)
