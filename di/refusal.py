"""Markers in views that nothing would resolve.

Left alone they are worse than an error: the host takes the parameter for a query parameter,
or passes the marker itself as its default, and a check that the view relies on never runs.
"""

from __future__ import annotations

import builtins
import inspect
from collections import ChainMap
from collections.abc import Callable, Iterator
from typing import Any, get_args

from di.annotations import closure_of, without_aliases
from di.exceptions import NotInjectedError
from di.inspection import INJECTED
from di.markers import INJECTING_HINT, Marker


def refuse_markers(view: Callable[..., Any]) -> None:
    """Refuse *view*, which nothing injects, if it declares dependencies.

    Raises:
        NotInjectedError: it does, whatever the parameter is called or annotated with.
    """
    for name, marker in markers_of(view):
        problem = f"A view declares {name!r} with {marker!r}, but nothing would ever call it."
        raise NotInjectedError(problem, path=[(None, view)], hint=INJECTING_HINT)
    refuse_hidden(view)


def refuse_hidden(view: Callable[..., Any]) -> None:
    """Refuse a decorated *view* that does not show the dependencies of what it wraps.

    Raises:
        NotInjectedError: a function that it passes its arguments on to declares some.
    """
    hidden = next((one for one in _wrapped(view) if _is_hidden(one)), None)
    if hidden is not None:
        problem = "A decorator hides the dependencies of the view that it decorates."
        hint = "Write @functools.wraps(view) above the decorator's inner function."
        raise NotInjectedError(problem, path=[(None, view), (None, hidden)], hint=hint)


def markers_of(view: Callable[..., Any]) -> Iterator[tuple[str, Marker]]:
    """Yield the name and the marker of each parameter that has one, of any kind.

    An annotation that cannot be read is read as far as it can be: who wrote it may not
    depend on anything, and their host has its own rules.
    """
    try:
        parameters = inspect.signature(view).parameters.values()
    except (TypeError, ValueError):
        return
    for parameter in parameters:
        annotation = _evaluated(view, parameter.annotation)
        for marker in (*_markers_in(parameter.default), *_markers_in(annotation)):
            yield parameter.name, marker


def _wrapped(view: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Yield what a function that passes all its arguments on may pass them to."""
    code = getattr(view, "__code__", None)
    passes_on = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    if code is not None and code.co_flags & passes_on == passes_on:
        if hasattr(view, "__wrapped__"):
            return
        for value in closure_of(view).values():
            if inspect.isroutine(value):
                yield value
                yield from _wrapped(value)


def _is_hidden(view: Callable[..., Any]) -> bool:
    return hasattr(view, INJECTED) or next(markers_of(view), None) is not None


def _markers_in(value: object) -> Iterator[Marker]:
    """Yield the markers anywhere in a default or in an annotation."""
    if isinstance(value, Marker):
        yield value
        return
    for part in get_args(without_aliases(value)):
        yield from _markers_in(part)


def _evaluated(view: Callable[..., Any], annotation: object) -> object:
    if not isinstance(annotation, str):
        return annotation
    function = inspect.unwrap(view)
    names = _Lenient(closure_of(function), getattr(function, "__globals__", {}), vars(builtins))
    try:
        return eval(annotation, {}, names)  # noqa: S307 - an annotation, as typing evaluates it
    except Exception:  # noqa: BLE001 - whatever it is, there is no marker to be seen
        return None


class _Lenient(ChainMap[str, Any]):
    """Namespaces in which every name means something."""

    def __missing__(self, key: str) -> object:
        return _Unknown()


class _Unknown:
    """Stands in an annotation for what is known to type checkers only."""

    def __call__(self, *_: object, **__: object) -> _Unknown:
        return self

    def __getattr__(self, name: str) -> _Unknown:
        if name.startswith("__"):
            raise AttributeError(name)  # typing asks what it can do
        return self

    def __getitem__(self, _: object) -> _Unknown:
        return self

    def __or__(self, _: object) -> _Unknown:
        return self

    __ror__ = __or__
