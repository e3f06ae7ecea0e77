"""Markers in a signature, also in one that cannot be read as a whole."""

from __future__ import annotations

import builtins
import inspect
import operator
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, ForwardRef, get_args, is_typeddict
from weakref import WeakKeyDictionary

from di.annotations import closure_of, show_signature, without_aliases
from di.markers import Marker

_EMPTY: Any = inspect.Parameter.empty


def markers_of(view: Callable[..., Any]) -> Iterator[tuple[str, Marker]]:
    """Yield the name and the marker of each parameter that *view* shows and that has one.

    An annotation that cannot be read is read as far as it can be, because its host may
    have rules of its own for it.
    """
    try:
        parameters = show_signature(view).parameters.values()
    except (TypeError, ValueError):
        return
    for parameter in parameters:
        for marker in _markers_of(view, parameter.default, parameter.annotation):
            yield parameter.name, marker


def own_markers(function: FunctionType) -> dict[str, Marker]:
    """Return the markers of the parameters that the code of *function* has.

    Unlike `markers_of` it reads neither ``__wrapped__`` nor ``__signature__``, which say
    what callers see.
    """
    source = (function.__code__, function.__defaults__, function.__kwdefaults__)
    known, markers = _known.get(function, ((), {}))
    if len(known) != len(source) or any(map(operator.is_not, known, source)):
        markers = dict(_own_markers(function))
        _known[function] = source, markers
    return markers


_known: WeakKeyDictionary[FunctionType, tuple[Any, dict[str, Marker]]] = WeakKeyDictionary()
"""The markers of functions, beside their sources."""


def defaults_of(function: FunctionType) -> dict[str, Any]:
    """Return the defaults of the parameters that the code of *function* has."""
    code = function.__code__
    positional = reversed(code.co_varnames[: code.co_argcount])
    # A mock's function may have more defaults than parameters.
    named = dict(zip(positional, reversed(function.__defaults__ or ()), strict=False))
    return {**named, **(function.__kwdefaults__ or {})}


def attributes_with_markers(cls: type) -> Iterator[str]:
    """Yield the attributes of *cls*, its bases left out, that have a marker or are marked."""
    annotations = _annotations(cls)
    for name in {**vars(cls), **annotations}:
        default, annotation = vars(cls).get(name), annotations.get(name, _EMPTY)
        if next(_markers_of(cls, default, annotation), None) is not None:
            yield name


def parameter_names(code: CodeType) -> tuple[str, ...]:
    """Return the names of all parameters, but for ``*args`` and ``**kwargs``."""
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def variable_names(code: CodeType) -> tuple[str | None, str | None]:
    """Return the names of ``*args`` and of ``**kwargs``, None for the one that is not there."""
    names = iter(code.co_varnames[code.co_argcount + code.co_kwonlyargcount :])
    args = next(names) if code.co_flags & inspect.CO_VARARGS else None
    return args, next(names) if code.co_flags & inspect.CO_VARKEYWORDS else None


def _own_markers(function: FunctionType) -> Iterator[tuple[str, Marker]]:
    code, defaults, annotations = function.__code__, defaults_of(function), _annotations(function)
    for name in filter(None, (*parameter_names(code), *variable_names(code))):
        default, annotation = defaults.get(name, _EMPTY), annotations.get(name, _EMPTY)
        # The last one counts, and a default is none beside a marker in Annotated.
        for marker in _markers_of(function, default, annotation):
            yield name, marker


def _annotations(source: Any) -> dict[str, Any]:
    """Return the annotations of a function, or of a class without its bases."""
    if sys.version_info >= (3, 14):  # pragma: no cover - 3.11 measures the coverage
        import annotationlib  # noqa: PLC0415 - it is not there before

        return annotationlib.get_annotations(source, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(source)


def _markers_of(
    function: Callable[..., Any], default: object, annotation: object
) -> Iterator[Marker]:
    if isinstance(default, Marker):
        yield default
    if annotation is not _EMPTY and not isinstance(annotation, type):
        yield from _markers_in(_evaluated(function, annotation))


def _markers_in(annotation: object) -> Iterator[Marker]:
    """Yield the markers anywhere in *annotation*."""
    if isinstance(annotation, Marker):
        yield annotation
        return
    for part in get_args(without_aliases(annotation)):
        yield from _markers_in(part)
        if is_typeddict(part):  # of **kwargs: Unpack[...]
            for value in part.__annotations__.values():
                yield from _markers_in(value)


def _evaluated(view: Callable[..., Any], annotation: object) -> object:
    if isinstance(annotation, ForwardRef):  # Python 3.14's, of a name it does not know
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    function = inspect.unwrap(view)
    module = sys.modules.get(function.__module__, builtins)  # of a class, which has no globals
    scope = getattr(function, "__globals__", vars(module))
    names = _Lenient(closure_of(function), scope, vars(builtins))
    try:
        return eval(annotation, {}, names)  # noqa: S307 - an annotation, as typing evaluates it
    except Exception:  # noqa: BLE001 - whatever it is, there is no marker to be seen
        return None


class _Lenient(ChainMap[str, Any]):
    """Namespaces in which every name means something."""

    def __missing__(self, key: str) -> object:
        return _Unknown()


class _Unknown:
    """Stands in an annotation for a name that only type checkers know."""

    def __call__(self, *_: object, **__: object) -> _Unknown:
        return self

    def __getattr__(self, name: str) -> _Unknown:
        if name.startswith("__"):
            raise AttributeError(name)  # typing asks for its abilities
        return self

    def __getitem__(self, _: object) -> _Unknown:
        return self

    def __or__(self, _: object) -> _Unknown:
        return self

    __ror__ = __or__
