"""How the values of one of Ninja's models are had from a request, faster where nobody sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.http.request import RawPostDataException
from django.utils.datastructures import MultiValueDict
from ninja.errors import HttpError
from ninja.params.models import CookieModel, FormModel, ParamModel, PathModel, QueryModel
from ninja.parser import Parser

from di.frame import Frame

ModelReader = Callable[[Frame], dict[str, Any]]
"""Returns the values of a model's fields, or raises pydantic's ValidationError."""


def model_reader(model: type[ParamModel]) -> ModelReader:
    """Return what reads *model*: by its own ``resolve``, or in fewer steps with its result.

    Fewer steps are taken for parameters of path, query, cookies and form, each by itself,
    if neither the model nor the API's parser has a way of its own. What validates them,
    and thus every coercion and every error, is the model in either case.
    """
    source = next((one for one in _SOURCES if _is_stock(model, one)), None)
    paths: Mapping[str, tuple[str, ...]] = getattr(model, "__ninja_flatten_map__", {})
    if source is None or any(len(path) > 1 for path in paths.values()):
        return _resolver(model)
    lists = frozenset(getattr(model, "__ninja_collection_fields__", ()))
    return _flat_reader(model, source, [(name, name in lists) for name in paths])


def _resolver(model: type[ParamModel]) -> ModelReader:
    def read(frame: Frame) -> dict[str, Any]:
        try:
            return model.resolve(frame.request, frame.api, frame.path_params).__dict__
        except RawPostDataException as error:
            # Whoever looked for a CSRF token has read a multipart form, which is no body of
            # ours: it is refused in Ninja's words for what its parser cannot read.
            raise HttpError(400, "Cannot parse request body") from error

    return read


def _flat_reader(
    model: type[ParamModel], source: type[ParamModel], fields: list[tuple[str, bool]]
) -> ModelReader:
    validate = model.__pydantic_validator__.validate_python
    by_ninja = _resolver(model)
    values_of = _SOURCES[source]
    is_parsed = source in _PARSED

    def read(frame: Frame) -> dict[str, Any]:
        given = values_of(frame)
        if is_parsed and not (isinstance(given, MultiValueDict) and _parses_as_ninja(frame)):
            return by_ninja(frame)
        found = {}
        for name, is_list in fields:
            # Past the methods of a MultiValueDict, which return the last of each list.
            value = dict.get(given, name)
            if value is not None:
                found[name] = value[-1] if is_parsed and value and not is_list else value
        return cast("dict[str, Any]", validate(found, context={"request": frame.request}).__dict__)

    return read


_SOURCES: dict[type[ParamModel], Callable[[Frame], Any]] = {
    PathModel: lambda frame: frame.path_params,
    QueryModel: lambda frame: frame.request.GET,
    CookieModel: lambda frame: frame.request.COOKIES,
    FormModel: lambda frame: frame.request.POST,
}

_PARSED = (QueryModel, FormModel)
"""Those that the API's parser makes flat."""

_STOCK = ("resolve", "_map_data_paths", "_map_data_path", "model_validate")


def _is_stock(model: type[ParamModel], source: type[ParamModel]) -> bool:
    """Whether *model* takes its values as *source* of Ninja does."""
    same = [getattr(model, name).__func__ is getattr(ParamModel, name).__func__ for name in _STOCK]
    getter: Any = model.get_request_data
    stock: Any = source.get_request_data
    return all(same) and getter.__func__ is stock.__func__


def _parses_as_ninja(frame: Frame) -> bool:
    return type(frame.api.parser).parse_querydict is Parser.parse_querydict
