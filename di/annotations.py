"""What an annotation says, once its names and aliases are looked up."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
import types
import typing
from collections import ChainMap
from collections.abc import Mapping
from typing import Annotated, Any, ForwardRef, TypeVar, Union, cast, get_args, get_origin

import typing_extensions

from di.markers import Marker

# What ``type X = ...`` makes is a class of its own in Python 3.12 and 3.13.
_ALIASES = (
    typing_extensions.TypeAliasType,
    getattr(typing, "TypeAliasType", typing_extensions.TypeAliasType),
)
_UNIONS = (Union, types.UnionType)

UNKNOWN_NAME = (NameError, AttributeError)
"""The errors of an annotation whose names are known to type checkers only."""

if sys.version_info >= (3, 14):
    from annotationlib import Format

    def read_signature(call: Any) -> inspect.Signature:
        """Return the signature of *call*, its annotations as text if evaluating them fails.

        One name that is unknown at run time spoils all annotations of a function, the return
        annotation included. As text each of them can be evaluated by itself. Names that are
        unknown must not become `ForwardRef` here, because one could reach a dependable as the
        argument of a marker.
        """
        try:
            return inspect.signature(call)
        except Exception:  # noqa: BLE001 - evaluating an annotation may raise anything
            return inspect.signature(call, annotation_format=Format.STRING)

    def show_signature(call: Any) -> inspect.Signature:
        """Return the signature of *call* to look at; unknown names are `ForwardRef` objects."""
        try:
            return inspect.signature(call, annotation_format=Format.FORWARDREF)
        except Exception:  # noqa: BLE001 - evaluating an annotation may raise anything
            return inspect.signature(call, annotation_format=Format.STRING)

    def annotations_of(function: types.FunctionType) -> dict[str, Any]:
        """Return the annotations of *function*, or what makes them if evaluating them fails."""
        try:
            return function.__annotations__
        except Exception:  # noqa: BLE001 - evaluating an annotation may raise anything
            return {"": function.__annotate__}

    def _names_around(function: Any) -> Mapping[str, Any]:
        """Return the names that the annotations of *function* take from the scopes around it."""
        names = closure_of(getattr(function, "__annotate__", None))
        type_parameters = {one.__name__: one for one in getattr(function, "__type_params__", ())}
        return ChainMap(type_parameters, names, names.get("__classdict__", {}))

else:
    read_signature = show_signature = inspect.signature

    def annotations_of(function: types.FunctionType) -> dict[str, Any]:
        """Return the annotations of *function*."""
        return function.__annotations__

    def _names_around(function: Any) -> Mapping[str, Any]:
        """Return the type parameters of *function*."""
        return {one.__name__: one for one in getattr(function, "__type_params__", ())}


class Namespaces:
    """Where the names in annotations are looked up.

    Args:
        source: the function or class that they were written for.
        around: the type parameters of the class around them.
    """

    def __init__(self, source: Any, around: Mapping[str, Any] | None = None) -> None:
        names = []
        function = source
        if inspect.isclass(source):
            # A constructor may be inherited, or written by @dataclass out of fields that are.
            modules = [sys.modules.get(base.__module__) for base in source.__mro__]
            names = [vars(module) for module in modules if module is not None]
            function = source.__init__
        self.globals = getattr(function, "__globals__", {})
        around = {**(around or {}), **_names_around(function)}
        self.locals: Mapping[str, Any] = ChainMap(closure_of(function), around, *names)

    def evaluate(self, annotation: object) -> Any:
        """Return *annotation* with every string in it evaluated; raise what that raises."""
        if annotation is inspect.Parameter.empty or isinstance(annotation, type):
            return annotation
        holder = types.SimpleNamespace(__annotations__={"it": annotation})
        hints = typing.get_type_hints(holder, self.globals, dict(self.locals), include_extras=True)
        return hints["it"]

    def find_declared(self, annotation: object) -> object | None:
        """Return the last marker or Param in *annotation*, whose type cannot be read.

        >>> Namespaces(find_marker).find_declared("Annotated[Unknown, 'a note']") is None
        True

        Raises:
            NameError: the metadata of *annotation* cannot be read, either.
        """
        metadata = self._metadata_of(annotation)
        return next((item for item in reversed(metadata) if declares(item)), None)

    def _metadata_of(self, annotation: Any) -> list[Any]:
        """Return the metadata of *annotation* and of the annotations inside its type."""
        if isinstance(annotation, ForwardRef):
            annotation = annotation.__forward_arg__
        if isinstance(annotation, str):
            return self._metadata_in(annotation)
        if get_origin(annotation) is Annotated:
            inner, *metadata = get_args(annotation)
            return [*self._metadata_of(inner), *metadata]
        value = annotation
        with contextlib.suppress(*UNKNOWN_NAME):  # an alias of an unknown name is unknown, too
            value = without_aliases(annotation)
        return [] if value is annotation else self._metadata_of(value)

    def _metadata_in(self, text: str) -> list[Any]:
        """Return the metadata in *text*, such as ``Annotated[Unknown, ...]``."""
        try:
            value = self._value_of(text)
        except UNKNOWN_NAME:
            tree = ast.parse(text, mode="eval").body
        else:
            return self._metadata_of(value)
        if not isinstance(tree, ast.Subscript):
            return []
        outer = ast.unparse(tree.value)
        try:
            is_alias = self._value_of(outer) is not Annotated
        except UNKNOWN_NAME:
            return []
        if is_alias:
            return self._metadata_in(outer)
        inner, *metadata = map(ast.unparse, cast("ast.Tuple", tree.slice).elts)
        return [*self._metadata_in(inner), *map(self._value_of, metadata)]

    def _value_of(self, text: str) -> Any:
        return eval(text, self.globals, dict(self.locals))  # noqa: S307 - an annotation, as typing evaluates it


def find_marker(annotation: Any) -> tuple[Any, object | None]:
    """Return *annotation* without its marker, and the last marker or Param in it.

    >>> find_marker(Annotated[int, "a note"])
    (typing.Annotated[int, 'a note'], None)
    """
    annotation = without_aliases(annotation)
    if get_origin(annotation) is not Annotated:
        return annotation, None
    inner, *metadata = get_args(annotation)
    last = next((item for item in reversed(metadata) if declares(item)), None)
    if isinstance(last, Marker):
        return inner, last
    if last is None:
        return annotation, None
    # Neither may what is overruled reach pydantic, nor Ninja see its Param anywhere but last.
    kept = [item for item in metadata if not declares(item)]
    return Annotated[(inner, *kept, last)], last


def declares(item: object) -> bool:
    """Whether *item* says where a value comes from: a marker, or one of Ninja's Params."""
    return isinstance(item, Marker) or hasattr(type(item), "_param_source")


def holds_marker(annotation: object) -> bool:
    """Whether there is a marker anywhere in *annotation*."""
    return _holds_marker(annotation, {})


def without_aliases(annotation: Any) -> Any:
    """Resolve ``type X = ...`` and what is nested in it, as far as it goes."""
    while (value := _value_of(annotation)) is not annotation:
        annotation = value
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        resolved = without_aliases(inner)
        if resolved is not inner:
            return Annotated[(resolved, *metadata)]
    return annotation


def plain_types(annotation: Any) -> tuple[Any, ...]:
    """Return what *annotation* allows, without metadata and without None.

    >>> plain_types(Annotated[int | None, "a note"])
    (<class 'int'>,)
    """
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in _UNIONS:
        return (annotation,)
    return tuple(one for one in get_args(annotation) if one is not types.NoneType)


def is_special(annotation: Any, known: type) -> bool:
    """Whether *annotation* is *known*, a subclass of it, or one of these or None."""
    return all(inspect.isclass(one) and issubclass(one, known) for one in plain_types(annotation))


def _value_of(annotation: Any) -> Any:
    """Return what *annotation* stands for if it is an alias, with its parameters filled in."""
    if isinstance(annotation, _ALIASES):
        return annotation.__value__
    alias = get_origin(annotation)
    if not isinstance(alias, _ALIASES):
        return annotation
    filled = dict(zip(alias.__type_params__, get_args(annotation), strict=False))
    value = without_aliases(alias.__value__)
    if isinstance(value, TypeVar):
        return filled[value]
    parameters = getattr(value, "__parameters__", ())
    return value[tuple(filled.get(one, one) for one in parameters)] if parameters else value


def _holds_marker(annotation: object, seen: dict[int, object]) -> bool:
    annotation = without_aliases(annotation)
    if id(annotation) in seen:  # an alias may be recursive
        return False
    seen[id(annotation)] = annotation
    metadata = (annotation, *getattr(annotation, "__metadata__", ()))
    return any(isinstance(item, Marker) for item in metadata) or any(
        _holds_marker(argument, seen) for argument in get_args(annotation)
    )


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
