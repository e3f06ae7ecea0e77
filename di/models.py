"""Models and pydantic's dataclasses that are dependables: how they are made, and refuse."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError


def is_model(source: object) -> bool:
    """Return True if calling *source* lets pydantic validate the arguments."""
    return inspect.isclass(source) and hasattr(source, "__pydantic_validator__")


def is_own_error(model: Any, error: pydantic.ValidationError) -> bool:
    """Return False if *error* is of another model, which code inside *model* made."""
    return bool(error.title == model.__pydantic_validator__.title)


def shown_names(model: Any) -> dict[str, str]:
    """Return the parameters of *model* by each name that an error may have for them."""
    shown = inspect.signature(model).parameters
    names = {name: name for name in shown}
    for field, info in _fields(model).items():
        aliases = [field, *_aliases(info)]
        parameter = _shown(field, info)
        if parameter in shown:
            names |= dict.fromkeys(aliases, parameter)
    return names


def maker(model: Any) -> Callable[..., Any]:
    """Return what makes a *model* of the arguments that its signature shows.

    The signature shows a field by its own name if its alias is no name for a parameter, or
    if it has several, and pydantic would ignore that name.
    """
    names: dict[str, str] = {}
    if not getattr(model.__init__, "__pydantic_base_init__", not _is_base(model)):
        return model  # type: ignore[no-any-return]
    for field, info in _fields(model).items():
        parameter = _shown(field, info)
        accepted = [*_aliases(info, is_path_left_out=True)] or [field]
        if not _takes_names(model) and parameter not in accepted:
            names[parameter] = accepted[0]
        elif _takes_names(model) and parameter not in accepted:
            names[parameter] = field
    if not names:
        return model  # type: ignore[no-any-return]

    @functools.wraps(model, updated=())
    def make(**values: Any) -> Any:
        return model(**{names.get(name, name): value for name, value in values.items()})

    return make


def part_of(
    error: pydantic.ValidationError, parts: list[tuple[Any, tuple[int | str, ...]]]
) -> pydantic.ValidationError:
    """Return an error that holds *parts* of *error*, each at a place of its own."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError(one["type"], one["msg"], one.get("ctx")),
            loc=place,
            input=one["input"],
        )
        for one, place in parts
    ]
    return pydantic.ValidationError.from_exception_data(error.title, details)


def _fields(model: Any) -> dict[str, FieldInfo]:
    fields: dict[str, FieldInfo]
    fields = model.model_fields if _is_base(model) else model.__pydantic_fields__
    return fields


def _is_base(model: Any) -> bool:
    return issubclass(model, pydantic.BaseModel)


def _takes_names(model: Any) -> bool:
    config = getattr(model, "model_config", None) or getattr(model, "__pydantic_config__", {})
    return bool(config.get("populate_by_name") or config.get("validate_by_name"))


def _shown(field: str, info: FieldInfo) -> str:
    """Return the name by which the signature shows a field, as pydantic chooses it."""
    for alias in (info.alias, info.validation_alias):
        if isinstance(alias, str) and alias.isidentifier():
            return alias
    return field


def _aliases(info: FieldInfo, *, is_path_left_out: bool = False) -> Iterator[str]:
    """Yield the names under which pydantic looks for a field, which are those in errors."""
    alias = info.validation_alias
    for one in alias.choices if isinstance(alias, pydantic.AliasChoices) else [alias]:
        if isinstance(one, str):
            yield one
        elif isinstance(one, pydantic.AliasPath) and not is_path_left_out:
            yield str(one.path[0])
