"""What one callable is and what it declares."""

from __future__ import annotations

import enum
import functools
import inspect
import sys
import types
import typing
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from typing_extensions import TypeAliasType

from di.exceptions import (
    MarkerConflictError,
    NotCallableError,
    UnreadableAnnotationError,
    UnsupportedParameterError,
)
from di.markers import Marker, Scope, defaults_of
from di.rendering import name_of

EMPTY: Any = inspect.Parameter.empty


class Kind(enum.Enum):
    """How a callable hands over its value."""

    FUNCTION = "function"
    COROUTINE = "coroutine"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"

    @property
    def is_async(self) -> bool:
        """Whether it needs an event loop."""
        return self in (Kind.COROUTINE, Kind.ASYNC_GENERATOR)

    @property
    def is_generator(self) -> bool:
        """Whether it has something to close."""
        return self in (Kind.GENERATOR, Kind.ASYNC_GENERATOR)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, its annotation evaluated and its marker found.

    `annotation` keeps its `Annotated` metadata unless that held the marker.
    """

    name: str
    kind: inspect._ParameterKind
    annotation: Any
    default: Any
    marker: Marker | None


@dataclass(frozen=True, slots=True, eq=False)
class Dependable:
    """A callable as its own source declares it, and nothing about what surrounds it."""

    call: Callable[..., Any]
    kind: Kind
    parameters: tuple[Parameter, ...]
    scope: Scope | None
    has_fixed_scope: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Stands in a dictionary for a callable that cannot be hashed."""

    address: int


def key_of(call: Callable[..., Any]) -> object:
    """Return what tells *call* from others: itself, or its identity if unhashable."""
    try:
        hash(call)
    except TypeError:
        return Identity(id(call))
    return call


def inspect_callable(call: Callable[..., Any]) -> Dependable:
    """Read *call*: its kind, its parameters and their markers.

    Raises:
        NotCallableError: it cannot be called, or tells nobody how.
        UnreadableAnnotationError: an annotation names what is not there at run time.
        UnsupportedParameterError: a parameter can only be passed by position.
    """
    if not callable(call):
        problem = f"Depends() was given {call!r}, which cannot be called."
        raise NotCallableError(problem, hint="Pass the function itself, without calling it.")
    defaults = defaults_of(call)
    return Dependable(
        call=call,
        kind=kind_of(call),
        parameters=tuple(_parameters(call)),
        scope=defaults.scope,
        has_fixed_scope=defaults.is_fixed,
    )


def kind_of(call: Callable[..., Any]) -> Kind:
    """Return how *call* hands over its value, seen through partials and wrappers."""
    target = _without_partials(call)
    if inspect.isclass(target):
        return Kind.FUNCTION
    for candidate in (target, inspect.unwrap(target)):
        function = _function_of(candidate)
        if inspect.isasyncgenfunction(function):
            return Kind.ASYNC_GENERATOR
        if inspect.isgeneratorfunction(function):
            return Kind.GENERATOR
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(candidate):
            return Kind.COROUTINE
    return Kind.FUNCTION


def find_marker(annotation: Any) -> tuple[Any, object | None]:
    """Return *annotation* without its marker, and the last marker or Param in it.

    >>> find_marker(Annotated[int, "a note"])
    (typing.Annotated[int, 'a note'], None)
    """
    annotation = _without_aliases(annotation)
    if get_origin(annotation) is not Annotated:
        return annotation, None
    inner, *metadata = get_args(annotation)
    last = next((item for item in reversed(metadata) if _declares(item)), None)
    if isinstance(last, Marker):
        return inner, last
    if last is None:
        return annotation, None
    # A marker that a Param overrules must not reach pydantic, which would refuse it.
    kept = [item for item in metadata if not isinstance(item, Marker) and item is not last]
    return Annotated[(inner, *kept, last)], last


def _parameters(call: Callable[..., Any]) -> Iterator[Parameter]:
    bound = _bound_keywords(call)
    namespaces = _Namespaces(call)
    for parameter in _signature(call).parameters.values():
        if parameter.name in bound or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        annotation = namespaces.evaluate(parameter)
        yield _read_parameter(call, parameter, annotation)


def _read_parameter(
    call: Callable[..., Any], parameter: inspect.Parameter, annotation: object
) -> Parameter:
    inner, declared = find_marker(annotation)
    path = [(None, call)]
    if declared is not None and _declares(parameter.default):
        problem = f"Parameter {parameter.name!r} has {declared!r} and {parameter.default!r}."
        hint = "Keep the one in Annotated, or the one after the equals sign."
        raise MarkerConflictError(problem, path=path, hint=hint)
    if isinstance(parameter.default, Marker):
        marker, default = parameter.default, EMPTY
    elif isinstance(declared, Marker):
        # As in FastAPI, a default beside Annotated[T, Depends(f)] is never used.
        marker, default = declared, EMPTY
    else:
        marker, default = None, parameter.default
    if marker is None and _holds_marker(inner):
        problem = f"The marker of parameter {parameter.name!r} is inside another type."
        hint = "Put Annotated outermost: Annotated[T | None, Depends(f)]."
        raise MarkerConflictError(problem, path=path, hint=hint)
    if marker is not None and parameter.kind is parameter.POSITIONAL_ONLY:
        problem = f"Parameter {parameter.name!r} can only be passed by position."
        raise UnsupportedParameterError(problem, path=path, hint="Remove the / after it.")
    return Parameter(parameter.name, parameter.kind, inner, default, marker)


def _signature(call: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(call)
    except (TypeError, ValueError):
        problem = f"{name_of(call)} does not say which parameters it takes."
        hint = "Wrap it in a function of your own and depend on that."
        raise NotCallableError(problem, hint=hint) from None


class _Namespaces:
    """Where the names in the annotations of *call* are looked up."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call
        target = inspect.unwrap(_without_partials(call))
        if inspect.isclass(target):
            # A constructor may be inherited, or written by @dataclass out of fields that are.
            modules = [sys.modules.get(base.__module__) for base in target.__mro__]
            names = [vars(module) for module in modules if module is not None]
            function = target.__init__
            self.globals = getattr(function, "__globals__", {})
            self.locals: Mapping[str, Any] = ChainMap(closure_of(function), *names)
        else:
            function = _function_of(target)
            self.globals = getattr(function, "__globals__", {})
            self.locals = closure_of(function)

    def evaluate(self, parameter: inspect.Parameter) -> object:
        annotation = parameter.annotation
        if annotation is EMPTY or isinstance(annotation, type):
            return annotation
        holder = types.SimpleNamespace(__annotations__={parameter.name: annotation})
        try:
            hints = typing.get_type_hints(
                holder, self.globals, dict(self.locals), include_extras=True
            )
        except Exception as error:
            problem = (
                f"The annotation of parameter {parameter.name!r}, {annotation!r},"
                f" cannot be read: {error}."
            )
            hint = (
                "Import what it names at run time, not under TYPE_CHECKING, and define it"
                " at the top of a module."
                if isinstance(error, NameError)
                else "Mend the annotation: evaluating it raised that error."
            )
            raise UnreadableAnnotationError(problem, path=[(None, self.call)], hint=hint) from error
        return hints[parameter.name]


def closure_of(function: object) -> dict[str, Any]:
    """Return the names that *function* takes from the functions around it."""
    code = getattr(function, "__code__", None)
    cells = getattr(function, "__closure__", None)
    if code is None or not cells:
        return {}
    found = {}
    for name, cell in zip(code.co_freevars, cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # the cell is still empty: its name is assigned further down
            continue
    return found


def _without_partials(call: Any) -> Any:
    while isinstance(call, functools.partial):
        call = call.func
    return call


def _bound_keywords(call: Any) -> set[str]:
    bound: set[str] = set()
    while isinstance(call, functools.partial):
        bound.update(call.keywords)
        call = call.func
    return bound


def _function_of(call: Any) -> Any:
    """Return the function that runs when *call* is called."""
    if inspect.isfunction(call):
        return call
    if inspect.ismethod(call):
        return call.__func__
    return getattr(type(call), "__call__", call)  # noqa: B004 - not whether, but which


def _without_aliases(annotation: Any) -> Any:
    """Resolve ``type X = ...`` and what is nested in it, as far as it goes."""
    while isinstance(annotation, TypeAliasType):
        annotation = annotation.__value__
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        resolved = _without_aliases(inner)
        if resolved is not inner:
            return Annotated[(resolved, *metadata)]
    return annotation


def _declares(item: object) -> bool:
    """Whether *item* says where a value comes from: a marker, or one of Ninja's Params."""
    return isinstance(item, Marker) or hasattr(type(item), "_param_source")


def _holds_marker(annotation: object) -> bool:
    metadata = getattr(annotation, "__metadata__", ())
    return any(isinstance(item, Marker) for item in metadata) or any(
        _holds_marker(argument) for argument in get_args(annotation)
    )
