"""What a callable asks of the request, read by Ninja's own models."""

from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NoReturn, cast, get_args, get_origin

import pydantic
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.params.models import Body, File, Form, Param, ParamModel, _MultiPartBody
from ninja.signature.details import FuncParam, ViewSignature
from ninja.signature.utils import get_path_param_names

from di.background import BackgroundTasks
from di.exceptions import BodyConflictError, UnsupportedParameterError
from di.inspection import EMPTY, Parameter
from di.lifetimes import Outcome


@dataclass(slots=True)
class Frame:
    """One request, as readers see it, and the errors that they found in it."""

    request: HttpRequest
    response: HttpResponse
    api: NinjaAPI
    path_params: dict[str, Any]
    outcome: Outcome = field(default_factory=Outcome)
    background: BackgroundTasks = field(default_factory=BackgroundTasks)
    errors: list[ValidationErrorContext[Any]] = field(default_factory=list)

    def invalid(self) -> ValidationError:
        """Return the one error that tells all, each once, in the API's own format."""
        error = self.api.validation_error_from_error_contexts(self.errors)
        unique: list[dict[str, Any]] = []
        for one in error.errors:
            if one not in unique:
                unique.append(one)
        error.errors = unique
        return error


class Inputs(ViewSignature):
    """The inputs of one callable, classified by Ninja's rules.

    Args:
        path: of the operation; parameters named in it are read from it.
        call: the callable that declares them.
        parameters: those that nothing but the request fills.
        contributed: what decorators such as ``@paginate`` add to a view.
    """

    def __init__(
        self,
        path: str,
        call: Callable[..., Any],
        parameters: Sequence[Parameter],
        contributed: Iterable[tuple[str, Any, Any]] = (),
    ) -> None:
        self.path = path
        self.view_func = call
        self.signature = inspect.Signature()
        self.path_params_names = get_path_param_names(path)
        self.given: list[tuple[str, str]] = []
        self.params: list[FuncParam] = []
        for parameter in parameters:
            source = _given(parameter)
            if source:
                self.given.append((parameter.name, source))
            else:
                self.params.append(self._read(parameter))
        for name, annotation, source in contributed:
            self.params.append(
                FuncParam(name, source.alias or name, copy.copy(source), annotation, False)  # noqa: FBT003 - Ninja's own named tuple
            )
        self.models: list[type[ParamModel]] = []

    def build(self, bodies: Sequence[str], *, is_multipart: bool) -> None:
        """Make the models.

        Args:
            bodies: the names of all bodies of the operation; several are embedded.
            is_multipart: whether the operation has forms or files, so that bodies are
                JSON in fields of the form.
        """
        if is_multipart:
            for param in self.params:
                if type(param.source) is Body:
                    param.source.__class__ = cast("Any", _MultiPartBody)
        try:
            self.models = self._create_models()
        except pydantic.errors.PydanticSchemaGenerationError as error:
            self._refuse(error)
        for model in self.models:
            if model.__ninja_param_source__ != "body":
                continue
            if is_multipart:
                model.__ninja_body_params__ = {  # type: ignore[attr-defined]
                    param.alias: param.annotation
                    for param in self.params
                    if isinstance(param.source, _MultiPartBody)
                }
            model.__read_from_single_attr__ = (  # type: ignore[attr-defined]
                bodies[0] if len(bodies) == 1 and not is_multipart else None
            )

    def __call__(self, frame: Frame) -> dict[str, Any] | None:
        """Read the values from *frame*; note the errors there and return None if any."""
        values = {name: getattr(frame, source) for name, source in self.given}
        is_valid = True
        for model in self.models:
            try:
                read = model.resolve(frame.request, frame.api, frame.path_params)
            except pydantic.ValidationError as error:
                frame.errors.append(ValidationErrorContext(error, model))
                is_valid = False
            else:
                values.update(read.__dict__)
        return values if is_valid else None

    def _read(self, parameter: Parameter) -> FuncParam:
        annotation, default = _unshared(parameter.annotation, parameter.default)
        if parameter.name in self.path_params_names and not isinstance(default, Param):
            default = EMPTY  # a value from the path is always there
        return self._get_param_type(
            parameter.name,
            inspect.Parameter(
                parameter.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=annotation,
            ),
        )

    def _refuse(self, error: Exception) -> NoReturn:
        culprits = [param for param in self.params if not _is_readable(param.annotation)]
        names = ", ".join(f"{one.name!r} ({one.annotation!r})" for one in culprits or self.params)
        problem = f"No request can hold what this is to read: {names}."
        hint = "Say where it comes from: name: Type = Depends(f)."
        path = [(None, self.view_func)]
        raise UnsupportedParameterError(problem, path=path, hint=hint) from error


class Documentation(ViewSignature):
    """All inputs of an operation together, each once, as OpenAPI shows them."""

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
            taken |= names
        # Ninja refuses one model in which two schemas share a field's name.
        for params in (self.params, *([param] for param in apart)):
            self.params = params
            self.models += self._create_models()

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
        source = copy.copy(param.source)
        if name != param.name and source.alias is None:
            source.alias = source.validation_alias = source.serialization_alias = param.alias
        return param._replace(name=name, source=source)


def build_all(all_inputs: Sequence[Inputs]) -> None:
    """Make the models of *all_inputs*, which belong to one operation.

    Raises:
        BodyConflictError: two of them declare one body in two types.
    """
    bodies: dict[str, FuncParam] = {}
    kinds = set()
    for inputs in all_inputs:
        for param in inputs.params:
            kinds.add(type(param.source))
            if type(param.source) is not Body:
                continue
            known = bodies.setdefault(param.alias, param)
            if known.annotation != param.annotation:
                problem = (
                    f"The body {param.alias!r} is a {known.annotation!r} in one place and a"
                    f" {param.annotation!r} in another."
                )
                hint = "Give one of them another name, or both the same type."
                raise BodyConflictError(problem, path=[(None, inputs.view_func)], hint=hint)
    is_multipart = bool(bodies) and bool(kinds & {Form, File})
    for inputs in all_inputs:
        inputs.build(list(bodies), is_multipart=is_multipart)


def _is_readable(annotation: Any) -> bool:
    try:
        pydantic.TypeAdapter(annotation)
    except pydantic.errors.PydanticSchemaGenerationError:
        return False
    return True


def _given(parameter: Parameter) -> str | None:
    """Return the attribute of `Frame` that fills *parameter*, if the host itself does."""
    annotation = parameter.annotation
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if inspect.isclass(annotation):
        for known, source in _GIVEN:
            if issubclass(annotation, known):
                return source
    return "request" if parameter.name == "request" and annotation is EMPTY else None


_GIVEN = (
    (HttpRequest, "request"),
    (HttpResponse, "response"),
    (Outcome, "outcome"),
    (BackgroundTasks, "background"),
)


def _unshared(annotation: Any, default: Any) -> tuple[Any, Any]:
    """Copy the Params in a declaration: Ninja writes defaults into them."""
    if isinstance(default, Param):
        default = copy.copy(default)
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        copies = [copy.copy(item) if isinstance(item, Param) else item for item in metadata]
        annotation = Annotated[(inner, *copies)]
    return annotation, default
