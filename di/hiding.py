"""Operations that are hidden by another one at the same place of the site."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import Resolver404, get_resolver
from ninja.operation import PathView

from di.rendering import describe
from di.routes import Route, all_routes, path_view_of


@dataclass(frozen=True, slots=True)
class Hidden:
    """An operation that does not get all requests for its path.

    Attributes:
        route: the operation.
        url: an example of a request that another view gets.
        by: that view, described.
        is_whole: True if the operation gets no request at all.
        is_refused: True if the answer is 405, because the other view does not know the
            method.
    """

    route: Route
    url: str
    by: str
    is_whole: bool
    is_refused: bool


def hidden_routes() -> Iterator[Hidden]:
    """Yield the operations of the site that another view hides.

    Django asks the first pattern that fits the path, and looks at no other one if the view
    found there does not know the method. So the site is asked for examples of each path.
    """
    routes = all_routes()
    for route in routes:
        answers = list(_answers(route))
        others = [(url, view) for url, view in answers if path_view_of(view) is not route.path_view]
        is_whole = len(others) == len(answers)
        for url, view in others:
            methods = _methods_of(path_view_of(view))
            is_refused = bool(methods) and not methods.issuperset(route.operation.methods)
            if is_whole or is_refused:
                yield Hidden(route, url, _described(view, routes), is_whole, is_refused)
                break


def _methods_of(path_view: PathView | None) -> set[str]:
    """Return the methods that a view knows; none if Ninja does not check them."""
    operations = path_view.operations if path_view else []
    return {method for operation in operations for method in operation.methods}


def _answers(route: Route) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield examples of the path of *route* and the view that the site calls for each."""
    resolver = get_resolver()
    for url in _examples(route):
        try:
            yield url, resolver.resolve(url).func
        except Resolver404:  # a converter that refuses what its expression allows
            continue


def _examples(route: Route) -> list[str]:
    """Return paths that lead to *route*, none if nobody knows what its placeholders take."""
    if route.converters is None:
        return []
    fitting = {
        name: [value for value in _VALUES if re.fullmatch(converter.regex, value)]
        for name, converter in route.converters.items()
    }
    if not all(fitting.values()):
        return []
    count = max(map(len, fitting.values()), default=1)
    choices = [
        {name: values[number % len(values)] for name, values in fitting.items()}
        for number in range(count)
    ]
    return [_filled(route.path, choice) for choice in choices]


def _filled(path: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found["name"]], path)


def _described(view: Callable[..., Any], routes: Iterable[Route]) -> str:
    path_view = path_view_of(view)
    for route in routes:
        if route.path_view is path_view:
            return f"{route} {describe(route.operation.signature.view_func)}"
    return describe(view)


_PLACEHOLDER = re.compile(r"<(?:[^>:]*:)?(?P<name>[^>]*)>")

_VALUES = (
    *("7", "a", "a-b", "A_b", "2024-01-31", "1.5", "a/b"),
    "00000000-0000-4000-8000-000000000000",
)
"""Values of which each common converter takes some and refuses some."""
