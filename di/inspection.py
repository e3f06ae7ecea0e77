"""What one callable is and what it declares."""

from __future__ import annotations

import builtins
import contextlib
import enum
import functools
import inspect
import operator
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, cast, get_origin
from weakref import WeakKeyDictionary

import pydantic
import pydantic.dataclasses
from asgiref.sync import iscoroutinefunction

from di.annotations import (
    UNKNOWN_NAME,
    Namespaces,
    annotations_of,
    declares,
    find_marker,
    holds_marker,
    plain_types,
    read_signature,
)
from di.exceptions import (
    BlockingGeneratorError,
    DependencyError,
    MarkerConflictError,
    NotCallableError,
    UnknownMarkerError,
    UnreadableAnnotationError,
    UnsupportedParameterError,
)
from di.foreign import refuse_call, refuse_type
from di.generics import declaring_class, fill_in, type_parameters
from di.markers import Defaults, Depends, Marker, Scope, Security, defaults_of
from di.rendering import Path, name_of, written
from di.security.base import SecurityBase

EMPTY: Any = inspect.Parameter.empty

LEFT_OUT: Any = object()
"""The default of a parameter that is not passed: its callable makes one afresh each time."""

INJECTED = "__di_injection__"
"""The attribute of a view that was wrapped in order to be injected."""


WRAPPER = "__di_wrapper__"
"""The attribute in which such a wrapper has itself: decorators above copy only the name."""


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
    is_blocking: bool


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
        MarkerConflictError: a parameter says twice where its value comes from.
        UnsupportedParameterError: a dependency can only be passed by position.
        UnknownMarkerError: a parameter has what only looks like a marker.
        BlockingGeneratorError: it is a generator that is said not to block.
    """
    while type(call) is FunctionType and hasattr(call, INJECTED):
        call = call.__wrapped__  # type: ignore[attr-defined]
    layers = layers_of(call)
    _check_callable(call, layers)
    _complete(call, layers[-1])
    kind, is_managed = _recognize(layers)
    defaults = _defaults_of(layers)
    if kind.is_generator and not defaults.is_blocking:
        problem = "blocking=False is for functions and classes, and this is a generator."
        hint = "Leave it out: a generator is entered and closed in its request's thread."
        raise BlockingGeneratorError(problem, path=[(None, call)], hint=hint)
    return Dependable(
        call=Managed(call) if is_managed else call,
        kind=kind,
        parameters=_known_parameters(call, layers),
        scope=defaults.scope,
        has_fixed_scope=defaults.is_fixed,
        is_blocking=defaults.is_blocking,
    )


def kind_of(call: Callable[..., Any]) -> Kind:
    """Return how *call* hands over its value, seen through partials and wrappers."""
    return _recognize(layers_of(call))[0]


def is_mock(value: object) -> bool:
    """Return True if *value* is a mock, whose class and attributes are those of its spec."""
    return any(base.__module__ in _MOCKING for base in type(value).__mro__)


def _mock_of(call: object) -> object | None:
    """Return the mock that *call* is, or that `create_autospec` has put behind it, if any."""
    behind = (call, getattr(call, "__dict__", {}).get("mock"))
    return next((one for one in behind if is_mock(one)), None)


def is_constructible(annotation: object) -> bool:
    """Whether *annotation* is a class, filled in or not, that can have instances."""
    cls = get_origin(annotation) or annotation
    return (
        inspect.isclass(cls)
        and cls not in (EMPTY, Any)
        and not inspect.isabstract(cls)
        and not getattr(cls, "_is_protocol", False)
        and not typing.is_typeddict(cls)
    )


class Managed:
    """What ``@contextmanager`` made of a generator function, giving the generator itself.

    It compares as the callable that it stands for, so that sharing goes on.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        functools.update_wrapper(self, call)
        self.__wrapped__ = call

    def __call__(self, **arguments: Any) -> Any:
        """Return the generator, not yet started."""
        return self.__wrapped__(**arguments).gen

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Managed) and self.__wrapped__ == other.__wrapped__

    def __hash__(self) -> int:
        return hash((Managed, self.__wrapped__))


def _check_callable(call: Any, layers: Sequence[Any]) -> None:
    if not callable(call) or isinstance(call, _MANAGERS):
        problem = f"Depends() was given {call!r}, which cannot be called."
        hint = "Pass the function itself, without calling it."
        if name := _name_of_called(call):
            problem = f"Depends() was given the result of {name}(), which cannot be called."
            hint = f"Pass {name}, not {name}()."
        raise NotCallableError(problem, hint=hint)
    for layer in layers:
        refuse_call(layer)
    source = layers[-1]
    if vars(builtins).get(getattr(source, "__name__", "")) is source:
        problem = f"{name_of(call)} does not tell its parameters, so nothing can fill them."
        hint = "Wrap it in a function of your own and depend on that."
        raise NotCallableError(problem, hint=hint)
    if inspect.isclass(source) and issubclass(source, SecurityBase):
        problem = f"{name_of(call)} is the class of a scheme; only an instance reads a request."
        hint = f"Write Depends({source.__name__}(...))."
        raise NotCallableError(problem, hint=hint)
    if inspect.isclass(source) and not is_constructible(source):
        problem = f"{name_of(call)} is abstract, so calling it makes no value."
        hint = "Write Depends(f), with a function or another class that makes one."
        raise NotCallableError(problem, hint=hint)


def _complete(call: Any, source: Any) -> None:
    """Let pydantic read the types of a model's fields that it could not read at first.

    Until then a model shows no parameters, and every call of it fails.

    Raises:
        UnreadableAnnotationError: one of them is unknown at run time.
    """
    if not inspect.isclass(source) or vars(source).get("__pydantic_complete__", True):
        return
    try:
        if issubclass(source, pydantic.BaseModel):
            source.model_rebuild(_types_namespace={})
        else:
            pydantic.dataclasses.rebuild_dataclass(cast("Any", source), _types_namespace={})
    except (pydantic.PydanticUserError, pydantic.PydanticUndefinedAnnotation) as error:
        problem = f"A field of {name_of(call)} has a type that cannot be read: {error.message}."
        raise UnreadableAnnotationError(problem, path=[(None, call)], hint=_IMPORT_HINT) from error


def _name_of_called(value: Any) -> str | None:
    """Return the name of the function that was called to get *value*, where it is known."""
    if inspect.iscoroutine(value):
        value.close()  # it would complain of never having been awaited
    if isinstance(value, _MANAGERS):
        value = value.gen
    is_result = (
        inspect.iscoroutine(value) or inspect.isgenerator(value) or inspect.isasyncgen(value)
    )
    return value.__name__ if is_result else None


def _recognize(layers: Sequence[Any]) -> tuple[Kind, bool]:
    """Return the kind of a callable, and whether contextlib wrapped a generator in it."""
    is_managed = False
    for layer in layers:
        if inspect.isclass(layer):
            break
        if (mock := _mock_of(layer)) is not None:
            bases = [base.__name__ for base in type(mock).__mro__]
            return (Kind.COROUTINE if "AsyncMockMixin" in bases else Kind.FUNCTION), False
        function = _function_of(layer)
        if getattr(function, "__code__", None) in _MANAGING:
            is_managed = True
            continue
        if inspect.isasyncgenfunction(function):
            return Kind.ASYNC_GENERATOR, is_managed
        if inspect.isgeneratorfunction(function):
            return Kind.GENERATOR, is_managed
        # asgiref's knows of the marks that Cython's functions have, too.
        if iscoroutinefunction(function) or iscoroutinefunction(layer):
            return Kind.COROUTINE, False
    return Kind.FUNCTION, False


_known: WeakKeyDictionary[Callable[..., Any], tuple[Sequence[object], tuple[Parameter, ...]]]
_known = WeakKeyDictionary()
"""The parameters of functions, beside what they were read from."""


def _known_parameters(call: Callable[..., Any], layers: Sequence[Any]) -> tuple[Parameter, ...]:
    """Return the parameters of *call*; those of a function are read once, until it changes.

    A large project has hundreds of views on the same few dependables.
    """
    if type(call) is not FunctionType or len(layers) > 1:
        return tuple(_parameters(call, layers))
    signature = vars(call).get("__signature__")
    annotations = annotations_of(call)
    source: list[object] = [call.__code__, call.__defaults__, call.__kwdefaults__, signature]
    source += [*annotations.keys(), *annotations.values()]
    known, parameters = _known.get(call, ((), ()))
    if len(known) != len(source) or any(map(operator.is_not, known, source)):
        parameters = tuple(_parameters(call, layers))
        _known[call] = source, parameters
    return parameters


def _parameters(call: Callable[..., Any], layers: Sequence[Any]) -> Iterator[Parameter]:
    bound = {name for one in layers if isinstance(one, functools.partial) for name in one.keywords}
    spec = vars(call).get("_spec_class") if is_mock(call) else None
    for parameter in _signature(call).parameters.values():
        is_variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if parameter.name not in bound and not is_variable:
            generic = declaring_class(layers, parameter.name)
            namespaces = Namespaces(spec or layers[-1], type_parameters(generic))
            yield _read_parameter(call, parameter, namespaces, generic)


def _read_parameter(
    call: Callable[..., Any], parameter: inspect.Parameter, namespaces: Namespaces, generic: Any
) -> Parameter:
    path = [(None, call)]
    try:
        evaluated = fill_in(namespaces.evaluate(parameter.annotation), generic)
        # Once more, because the bound of a type variable may be a string.
        annotation, declared = find_marker(namespaces.evaluate(evaluated))
        is_nested = holds_marker(annotation)
    except UNKNOWN_NAME as error:
        declared = _declared_without_type(call, parameter, namespaces, error)
        annotation, is_nested = EMPTY, False
    except DependencyError:
        raise
    except Exception as error:
        raise _unreadable(call, parameter, error) from error
    _refuse_lookalikes(parameter, annotation, declared, path)
    if declared is not None and declares(parameter.default):
        both = f"{written(declared)} and {written(parameter.default)}"
        problem = f"Parameter {parameter.name!r} has {both}."
        hint = "Keep the one in Annotated, or the one after the equals sign."
        raise MarkerConflictError(problem, path=path, hint=hint)
    if isinstance(parameter.default, Marker):
        marker, default = parameter.default, EMPTY
    elif isinstance(declared, Marker):
        # As in FastAPI, a default beside Annotated[T, Depends(f)] is never used.
        marker, default = declared, EMPTY
    else:
        marker, default = None, _without_factory(parameter.default)
    if marker is None and is_nested:
        problem = f"The marker of parameter {parameter.name!r} is inside another type."
        hint = "Put Annotated outermost: Annotated[T | None, Depends(f)]."
        raise MarkerConflictError(problem, path=path, hint=hint)
    if marker is not None and parameter.kind is parameter.POSITIONAL_ONLY:
        problem = f"Parameter {parameter.name!r} can only be passed by position."
        raise UnsupportedParameterError(problem, path=path, hint="Remove the / after it.")
    return Parameter(
        parameter.name, parameter.kind, annotation, default, _filled_in(marker, generic)
    )


def _filled_in(marker: Marker | None, generic: Any) -> Marker | None:
    """Return `Depends(Inner[T])` with the type argument that *generic* gives to T."""
    if marker is None or not get_origin(marker.dependency):
        return marker
    return replace(marker, dependency=fill_in(marker.dependency, generic))


def _declared_without_type(
    call: Callable[..., Any],
    parameter: inspect.Parameter,
    namespaces: Namespaces,
    error: Exception,
) -> object | None:
    """Return the last marker or Param of *parameter*, whose type is known to type checkers only.

    Raises:
        UnreadableAnnotationError: the type is needed, or a marker cannot be read, either.
    """
    try:
        declared = namespaces.find_declared(parameter.annotation)
    except Exception:  # noqa: BLE001 - evaluating an annotation may raise anything
        raise _unreadable(call, parameter, error) from error
    marker = parameter.default if isinstance(parameter.default, Marker) else declared
    if isinstance(marker, Marker):
        needs_type = marker.dependency is None
    else:
        # Django's own request needs no annotation, and may have one for type checkers.
        needs_type = parameter.name != "request" or declared is not None
    if needs_type:
        raise _unreadable(call, parameter, error) from error
    return declared


def _refuse_lookalikes(
    parameter: inspect.Parameter, annotation: Any, declared: object, path: Path
) -> None:
    """Refuse what only looks like a declaration, in a default or in an annotation."""
    for item in (annotation, parameter.default, *getattr(annotation, "__metadata__", ())):
        refuse_foreign(item, f"Parameter {parameter.name!r}", path)
    if not isinstance(parameter.default, Marker) and not isinstance(declared, Marker):
        for one in plain_types(annotation):
            refuse_type(one, parameter.name, path)
    if declares(annotation):
        shown = written(annotation)
        problem = f"Parameter {parameter.name!r} has {shown} as its type, where nothing reads it."
        hint = f"Write {parameter.name}: T = {shown}, with the type of its value in place of T."
        raise MarkerConflictError(problem, path=path, hint=hint)


def refuse_foreign(item: object, where: str, path: Path) -> None:
    """Refuse what only looks like a marker: nothing would call what it names.

    Raises:
        UnknownMarkerError: *item* is FastAPI's, or what makes a marker, not called.
    """
    if item is Depends or item is Security:
        maker = item.__name__
        problem = f"{where} has {maker} without parentheses, which calls nothing."
        raise UnknownMarkerError(problem, path=path, hint=f"Write {maker}(f).")
    if type(item).__module__.partition(".")[0] == "fastapi":
        kind = type(item).__name__
        problem = f"{where} has FastAPI's {kind}, which nothing here reads."
        ours = "di" if hasattr(item, "dependency") else "ninja"
        raise UnknownMarkerError(problem, path=path, hint=f"Import {kind} from {ours}.")


_IMPORT_HINT = (
    "Import what it names at run time, not under TYPE_CHECKING,"
    " or define it at the top of a module."
)


def _unreadable(
    call: Callable[..., Any], parameter: inspect.Parameter, error: Exception
) -> DependencyError:
    problem = (
        f"The annotation of parameter {parameter.name!r}, {parameter.annotation!r},"
        f" cannot be read: {error}."
    )
    hint = "Fix the annotation: evaluating it raised that error."
    if isinstance(error, UNKNOWN_NAME):
        hint = _IMPORT_HINT
    elif "<lambda>" in str(parameter.annotation):
        # Python 3.14 hands over text if another annotation of the function cannot be read.
        hint = "Define the lambda with def, or import what all annotations here name at run time."
    return UnreadableAnnotationError(problem, path=[(None, call)], hint=hint)


def _signature(call: Any) -> inspect.Signature:
    if is_mock(call):  # only those of create_autospec() have one of their own
        signature: inspect.Signature | None = vars(type(call)).get("__signature__")
        return signature or inspect.Signature()
    if isinstance(call, functools.partial):  # of Repo[int] it shows the call of an alias
        call = functools.partial(get_origin(call.func) or call.func, *call.args, **call.keywords)
    try:
        return read_signature(get_origin(call) or call)
    except (TypeError, ValueError):
        problem = f"{name_of(call)} does not say which parameters it takes."
        hint = "Wrap it in a function of your own and depend on that."
        raise NotCallableError(problem, hint=hint) from None


def _without_factory(default: Any) -> Any:
    # What dataclasses and pydantic, each its own, show for field(default_factory=...).
    is_sentinel = type(default).__name__ == "_HAS_DEFAULT_FACTORY_CLASS"
    return LEFT_OUT if is_sentinel else default


def _defaults_of(layers: Sequence[Any]) -> Defaults:
    """Return what `dependable` noted on a callable, or on what is inside it."""
    noted = (defaults_of(layer) for layer in layers)
    return next((one for one in noted if one != Defaults()), Defaults())


def layers_of(call: Any) -> list[Any]:
    """Return *call* and, one by one, what is inside its partials, wrappers and instances.

    The last is the function or the class whose signature it has.
    """
    layers: list[Any] = []
    while not any(call is one for one in layers):
        layers.append(call)
        if not is_mock(call):
            call = _inside(call)
    return layers


def _inside(call: Any) -> Any:
    if isinstance(call, functools.partial):
        return call.func
    if inspect.ismethod(call) or isinstance(call, staticmethod):
        return call.__func__
    if inspect.isclass(get_origin(call)):
        return get_origin(call)
    if inspect.isclass(call):
        return call
    if inspect.isfunction(call):
        return vars(call).get("__wrapped__", call)
    # A proxy may answer getattr() for any name, without end.
    wrapped = inspect.getattr_static(call, "__wrapped__", None)
    return _function_of(call) if wrapped is None else wrapped


def _function_of(call: Any) -> Any:
    """Return the function that runs when *call* is called."""
    if inspect.ismethod(call):
        return call.__func__
    if inspect.isroutine(call):
        return call
    return getattr(type(call), "__call__", call)  # noqa: B004 - not whether, but which


_MOCKING = ("unittest.mock", "mock.mock")
"""The modules of mocks: the standard library's, and its backport."""


def _nothing() -> Any: ...


_MANAGING = {
    contextlib.contextmanager(_nothing).__code__,
    contextlib.asynccontextmanager(_nothing).__code__,
}
"""The code of the functions that contextlib puts round generator functions."""

_MANAGERS = (contextlib._GeneratorContextManager, contextlib._AsyncGeneratorContextManager)  # noqa: SLF001 - they have no other names
