"""Type arguments: the types that `Repo[int]` and its bases give to type variables."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ParamSpec, TypeVar, Union, Unpack, get_args, get_origin

_CONSTRUCTORS = ("__new__", "__init__")


def declaring_class(layers: Sequence[Any], name: str) -> Any:
    """Return the class that declares a parameter, with its type arguments, or None.

    Args:
        layers: a callable and the callables inside it, from the outside in.
        name: the name of the parameter.
    """
    generic, methods = _class_of(layers)
    bases = inspect.getmro(_origin_of(generic))
    owner = next((one for one in bases if not vars(one).keys().isdisjoint(methods)), object)
    field = _fields_of(owner).get(name)
    if methods is _CONSTRUCTORS and field is not None:
        # A dataclass writes its constructor out of its own fields and those of its bases.
        owner = [one for one in owner.__mro__ if _fields_of(one).get(name) is field][-1]
    return None if owner is object else _as_base(generic, owner)


def fill_in(annotation: Any, generic: Any) -> Any:
    """Return *annotation* with the type arguments of *generic*, whose class declares it.

    A variable without an argument becomes its default, its bound or the union of its
    constraints, and stays if it has none of these.
    """
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return Annotated[(fill_in(inner, generic), *metadata)]
    known = _parameters_of(_origin_of(generic))
    free = (annotation,) if isinstance(annotation, TypeVar) else _parameters_of(annotation)
    if set(known).isdisjoint(free):
        return annotation
    if _is_model(annotation):
        return annotation[tuple(fill_in(one, generic) for one in free)]
    if inspect.isclass(annotation):  # a bare class has none of the arguments around it
        return annotation
    slots = [one if isinstance(one, TypeVar | ParamSpec) else Unpack[one] for one in known]
    given = _arguments_of(generic)
    values = [_stand_in(one) for one in (*given, *slots[len(given) :])]
    # typing itself finds the arguments of each variable.
    return get_args(tuple[(*slots, annotation)][tuple(values)])[-1]  # type: ignore[valid-type]


def type_parameters(generic: Any) -> Mapping[str, Any]:
    """Return the type parameters that `class Repo[T]` brings into the scope of its body."""
    return {one.__name__: one for one in getattr(_origin_of(generic), "__type_params__", ())}


def _class_of(layers: Sequence[Any]) -> tuple[Any, Sequence[str]]:
    """Return the class, with type arguments, and the methods that have the signature."""
    for layer in layers:
        if inspect.isclass(_origin_of(layer)):
            return layer, _CONSTRUCTORS
        if inspect.ismethod(layer):
            return _class_of_instance(layer.__self__), [layer.__func__.__name__]
        if not inspect.isroutine(layer) and not isinstance(layer, functools.partial):
            return _class_of_instance(layer), ["__call__"]
    return object, ()


def _class_of_instance(instance: Any) -> Any:
    if inspect.isclass(instance):  # the instance of a class method is the class
        return instance
    # typing notes on an instance the alias that made it: Repo[int].
    return inspect.getattr_static(instance, "__orig_class__", type(instance))


def _as_base(generic: Any, owner: type) -> Any:
    """Return the base *owner* of *generic* with its type arguments: `Repo[int]`."""
    cls = _origin_of(generic)
    if cls is owner:
        return generic
    bases = (*vars(cls).get("__orig_bases__", ()), *cls.__bases__)
    origins = ((one, _origin_of(one)) for one in bases)
    base = next(one for one, cls in origins if inspect.isclass(cls) and issubclass(cls, owner))
    return _as_base(fill_in(base, generic), owner)


def _origin_of(generic: Any) -> Any:
    """Return the class of `Repo[int]`; each `Model[int]` of pydantic is a class of its own."""
    if _is_model(generic):
        return generic.__pydantic_generic_metadata__["origin"] or generic
    return get_origin(generic) or generic


def _arguments_of(generic: Any) -> Any:
    if _is_model(generic):
        return generic.__pydantic_generic_metadata__["args"]
    return get_args(generic)


def _parameters_of(generic: Any) -> Any:
    if _is_model(generic):
        return generic.__pydantic_generic_metadata__["parameters"]
    return getattr(generic, "__parameters__", ())


def _is_model(annotation: Any) -> bool:
    return inspect.isclass(annotation) and hasattr(annotation, "__pydantic_generic_metadata__")


def _stand_in(argument: Any) -> Any:
    """Return *argument*, or the type that a variable has where nobody gives it one."""
    if not isinstance(argument, TypeVar):
        return argument
    if hasattr(argument, "has_default") and argument.has_default():
        return argument.__default__  # type: ignore[attr-defined]
    constraints = argument.__constraints__
    return argument.__bound__ or (Union[constraints] if constraints else argument)  # noqa: UP007 - of a tuple


def _fields_of(cls: type) -> Mapping[str, Any]:
    """Return the fields of *cls* if it is a dataclass."""
    fields: Mapping[str, Any] = vars(cls).get("__dataclass_fields__", {})
    return fields
