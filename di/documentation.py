"""The inputs of an operation as OpenAPI shows them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from ninja.params.models import (
    Body,
    BodyModel,
    File,
    Param,
    ParamModel,
    _MultiPartBody,
    _MultiPartBodyModel,
)
from ninja.signature.details import FuncParam, ViewSignature

from di.inputs import Inputs, named

_SOURCES = ("path", "query", "header", "cookie")


class Documentation(ViewSignature):
    """All inputs of an operation together, each once.

    A view that reads all of them itself is documented in Ninja's order, otherwise the order
    is FastAPI's: path, query, header, cookie.

    Args:
        all_inputs: those of each callable, the view's first.
    """

    def __init__(self, all_inputs: Sequence[Inputs]) -> None:
        self.params: list[FuncParam] = []
        self.models: list[type[ParamModel]] = []
        taken: set[tuple[type[Param], str]] = set()
        apart: list[FuncParam] = []
        for param in itertools.chain.from_iterable(inputs.params for inputs in all_inputs):
            names = {(type(param.source), name) for name in self._names(param)}
            if names.isdisjoint(taken):
                self.params.append(self._renamed(param))
            elif not names <= taken:
                apart.append(param)
            elif param.source.is_required():
                self._require(param)
            taken |= names
        # Ninja refuses one model in which two schemas share a field's name.
        for params in (self.params, *([param] for param in apart)):
            self.params = params
            self.models += self._create_models()
        if any(inputs.is_body_embedded for inputs in all_inputs):
            self.models = [_embedded(model) for model in self.models]
        is_shared = any(inputs.params for inputs in all_inputs[1:])
        self.models.sort(key=_place if is_shared else _is_multipart_body)

    def _names(self, param: FuncParam) -> Iterable[str]:
        """Return the names under which a client sends *param*."""
        if isinstance(param.source, (Body, File, _MultiPartBody)):
            return [param.alias]
        return self._args_flatten_map([param])

    def _renamed(self, param: FuncParam) -> FuncParam:
        """Return a copy of *param* under a name that no other in the document has."""
        names = {other.name for other in self.params}
        name, number = param.name, 2
        while name in names:
            name, number = f"{param.name}_{number}", number + 1
        return named(param, name)

    def _require(self, param: FuncParam) -> None:
        """Show *param* in place of its like that is not required: whoever requires it wins."""
        for index, known in enumerate(self.params):
            is_like = type(known.source) is type(param.source) and known.alias == param.alias
            if is_like and not known.source.is_required():
                self.params[index] = named(param, known.name)


def _place(model: type[ParamModel]) -> int:
    source = str(model.__ninja_param_source__)
    return _SOURCES.index(source) if source in _SOURCES else len(_SOURCES)


def _is_multipart_body(model: type[ParamModel]) -> bool:
    """Return True if *model* is JSON in a field of a form, which Ninja documents last."""
    return issubclass(model, _MultiPartBodyModel)


def _embedded(model: type[ParamModel]) -> type[ParamModel]:
    """Return *model* so that Ninja documents its only body under its name.

    Ninja takes the outermost level away from a schema with one property, so that the schema
    of a model of bodies gets one more.
    """
    is_body = issubclass(model, BodyModel) and not _is_multipart_body(model)
    if not is_body or len(model.model_fields) > 1:
        return model

    class Embedded(model):  # type: ignore[misc, valid-type]
        @classmethod
        def model_json_schema(cls, **kwargs: Any) -> dict[str, Any]:
            schema = model.model_json_schema(**kwargs)
            definitions = schema.pop("$defs", {})
            required = ["body"] if schema.get("required") else []
            return {"properties": {"body": schema}, "required": required, "$defs": definitions}

    return Embedded
