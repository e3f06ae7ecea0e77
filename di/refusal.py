"""Markers in views that nothing would resolve.

Left alone they are worse than an error: the host takes the parameter for a query parameter,
or passes the marker itself as its default, and a check that the view relies on never runs.
"""

from __future__ import annotations

import builtins
import inspect
from collections import ChainMap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, get_args

from di.annotations import closure_of, show_signature, without_aliases
from di.exceptions import NotInjectedError
from di.inspection import INJECTED, layers_of
from di.markers import INJECTING_HINT, Marker
from di.rendering import Path


def refuse_markers(view: Callable[..., Any]) -> None:
    """Refuse *view*, which nothing injects, if it declares dependencies.

    Raises:
        NotInjectedError: it does, whatever the parameter is called or annotated with.
    """
    for name, marker in markers_of(view):
        problem = f"A view declares {name!r} with {marker!r}, but nothing would ever call it."
        raise NotInjectedError(problem, path=[(None, view)], hint=INJECTING_HINT)
    refuse_hidden(view)


def refuse_hidden(call: Callable[..., Any], path: Path = (), *, is_view: bool = True) -> None:
    """Refuse a decorated *call* that does not show the dependencies of what it wraps.

    Args:
        call: a view or a dependable.
        path: to *call*, if it is not the first.
        is_view: whether a host passes on to it what it asks for, as ``**kwargs``, too.

    Raises:
        NotInjectedError: a function that it passes its arguments on to declares some.
    """
    wrapped = _wrapped(call, [call], is_view=is_view)
    hidden = next((one for one in wrapped if _is_hidden(one, call)), None)
    if hidden is not None:
        what = "view" if is_view else "dependable"
        problem = f"A decorator hides the dependencies of the {what} that it decorates."
        hint = "Write @functools.wraps(function) above the decorator's inner function."
        way = path or ((None, call),)
        raise NotInjectedError(problem, path=(*way, (None, hidden)), hint=hint)


def markers_of(view: Callable[..., Any]) -> Iterator[tuple[str, Marker]]:
    """Yield the name and the marker of each parameter that has one, of any kind.

    An annotation that cannot be read is read as far as it can be: who wrote it may not
    depend on anything, and their host has its own rules.
    """
    try:
        parameters = show_signature(view).parameters.values()
    except (TypeError, ValueError):
        return
    for parameter in parameters:
        annotation = _evaluated(view, parameter.annotation)
        for marker in (*_markers_in(parameter.default), *_markers_in(annotation)):
            yield parameter.name, marker


def _wrapped(
    call: Callable[..., Any], seen: list[object], *, is_view: bool
) -> Iterator[Callable[..., Any]]:
    """Yield what *call* may stand before, without showing what that depends on.

    It is something that *call* holds, and that *call* takes all arguments for, or begins
    with the same parameter as.
    """
    layers = layers_of(call)
    source = layers[-1]
    if type(source) is not FunctionType:  # a mock says that it is whatever it stands for
        return
    code = source.__code__
    passes_on = bool(code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS))
    held = list(closure_of(source).values())
    for layer in layers:
        if not inspect.isroutine(layer):  # an instance, which has a decorator's function
            held += getattr(layer, "__dict__", {}).values()
    if passes_on and not is_view:
        # Nobody fills *args of a dependable: it can only be there to hand them on.
        held += [source.__globals__.get(name) for name in code.co_names]
    for value in held:
        is_seen = any(value is one for one in seen)  # a function may hold itself
        if is_seen or not (inspect.isroutine(value) or (passes_on and inspect.isclass(value))):
            continue
        seen.append(value)
        if passes_on or _first_name(value) == _first_name(call):
            yield value
            yield from _wrapped(value, seen, is_view=is_view)


def _first_name(call: Callable[..., Any]) -> str | None:
    try:
        return next(iter(show_signature(call).parameters), None)
    except (TypeError, ValueError):
        return None


def _is_hidden(held: Callable[..., Any], call: Callable[..., Any]) -> bool:
    """Whether *held* declares a dependency that *call* neither shows nor uses *held* as."""
    injection = getattr(held, INJECTED, None)
    declared = {name for name, _ in markers_of(injection.view if injection else held)}
    if not declared or any(marker.dependency is held for _, marker in markers_of(call)):
        return False
    return not declared <= show_signature(call).parameters.keys()


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
