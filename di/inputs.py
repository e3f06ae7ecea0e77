"""What a callable asks of the request, read by Ninja's own models."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, NoReturn, cast, get_args, get_origin

import pydantic
from django.http import HttpRequest, HttpResponse
from ninja import UploadedFile
from ninja.errors import ConfigError, ValidationErrorContext
from ninja.params.models import Body, File, Form, Header, Param, ParamModel, Path, _MultiPartBody
from ninja.signature.details import (
    FuncParam,
    ViewSignature,
    _unwrap_union_model,
    is_pydantic_model,
)
from ninja.signature.utils import get_path_param_names

from di.annotations import declares, find_marker, is_special, plain_types
from di.background import BackgroundTasks
from di.codegen import Reading
from di.exceptions import (
    BodyConflictError,
    NotInjectedError,
    PathParameterError,
    UnsupportedParameterError,
)
from di.frame import Frame
from di.graph import Way
from di.inspection import EMPTY, LEFT_OUT, Parameter, layers_of
from di.lifetimes import Outcome
from di.markers import Marker
from di.models import is_model, is_own_error, part_of, shown_names
from di.reading import ModelReader, model_reader
from di.rendering import written_type


class NinjaConfigError(UnsupportedParameterError, ConfigError):
    """A mistake for which Ninja itself raises its `ConfigError`, so that code may catch that."""


class Inputs(ViewSignature):
    """The inputs of one callable, classified by Ninja's rules.

    Args:
        path: of the operation; parameters named in it are read from it.
        way: from the view to the callable that declares them.
        parameters: those that nothing but the request fills.
        contributed: what decorators such as ``@paginate`` add to a view.
    """

    def __init__(
        self,
        path: str,
        way: Way,
        parameters: Sequence[Parameter],
        contributed: Iterable[tuple[str, Any, Any]] = (),
    ) -> None:
        self.path = path
        self.way = way
        self.view_func = way[-1][1]
        self.signature = inspect.Signature()
        self.path_params_names = get_path_param_names(path)
        self.given: dict[str, str] = {}
        self.params: list[FuncParam] = []
        self.left_out = [one.name for one in parameters if one.default is LEFT_OUT]
        self.names: dict[str, str] = {}
        for parameter in parameters:
            source = _given(parameter)
            if not source:
                self.params.append(self._read(parameter))
            elif _is_declared(parameter.default, parameter.annotation):
                self._contradict(
                    f"{parameter.name!r} is handed over by Ninja or by di, not read from a request",
                    "Leave out what says where it is read from.",
                )
            else:
                self.given[parameter.name] = source
        for name, annotation, source in contributed:
            self.params.append(
                FuncParam(name, source.alias or name, copy.copy(source), annotation, False)  # noqa: FBT003 - Ninja's own named tuple
            )
        self.models: list[type[ParamModel]] = []
        self.read_models: list[ModelReader] = []
        self.is_body_embedded = False

    def build(self, only_body: str | None, *, is_multipart: bool) -> None:
        """Make the models.

        Args:
            only_body: the name of the body of the operation, None if bodies are embedded.
            is_multipart: whether the operation has forms or files, so that bodies are
                JSON in fields of the form.
        """
        self.is_body_embedded = only_body is None
        if is_multipart:
            for param in self.params:
                if type(param.source) is Body:
                    param.source.__class__ = cast("Any", _MultiPartBody)
        try:
            self.models = self._create_models()
        except pydantic.PydanticUserError as error:
            self._refuse(error)
        except ConfigError as error:
            problem = f"Ninja cannot tell these parameters apart. {error}."
            hint = 'Rename one of them, or give it an alias of its own: Query(..., alias="name").'
            raise NinjaConfigError(problem, path=self.way, hint=hint) from error
        for model in self.models:
            if model.__ninja_param_source__ != "body":
                continue
            if is_multipart:
                model.__ninja_body_params__ = {  # type: ignore[attr-defined]
                    param.alias: param.annotation
                    for param in self.params
                    if isinstance(param.source, _MultiPartBody)
                }
            model.__read_from_single_attr__ = only_body  # type: ignore[attr-defined]
        self.read_models = [model_reader(model) for model in self.models]

    def __call__(self, frame: Frame) -> dict[str, Any] | None:
        """Read the values from *frame*; note the errors there and return None if any."""
        values: dict[str, Any] = {}
        is_valid = True
        for number, read in enumerate(self.read_models):
            try:
                values.update(read(frame))
            except pydantic.ValidationError as error:
                self._note(number, error, frame)
                is_valid = False
        for inside, name in self.names.items():
            if inside in values:
                values[name] = values.pop(inside)
        for name in self.left_out:
            if values.get(name) is LEFT_OUT:
                del values[name]
        return values if is_valid else None

    def read_one(self, frame: Frame) -> dict[str, Any] | None:
        """See `__call__`, for one model whose fields are named as the parameters."""
        try:
            return self.read_models[0](frame)
        except pydantic.ValidationError as error:
            self._note(0, error, frame)
            return None

    def reading(self) -> Reading:
        """Return what fills these inputs, for the resolver."""
        if not self.params:
            return Reading(self.given)
        names = tuple(self.names.get(param.name, param.name) for param in self.params)
        source = layers_of(self.view_func)[-1]
        refuse = functools.partial(self._refused, source) if is_model(source) else None
        if len(self.models) > 1 or self.names or self.left_out:
            return Reading(self.given, self, None if self.left_out else names, refuse)
        return Reading(self.given, self.read_one, names, refuse)

    def needed_in_path(self) -> Iterator[str]:
        """Yield the names that the path must hold."""
        for param in self.params:
            if not isinstance(param.source, Path) or not param.source.is_required():
                continue
            if not is_pydantic_model(param.annotation):
                yield param.alias
                continue
            for name, one in _unwrap_union_model(param.annotation).model_fields.items():
                if one.is_required():
                    yield one.alias or name

    def never_filled(self) -> Iterator[tuple[str, str, str]]:
        """Yield name, source and hint of each mapping that always has its default."""
        for param in self.params:
            if _cannot_be_filled(param) and param.name not in self.left_out:
                default = param.source.get_default(call_default_factory=True)
                hint = self._body_hint(param, repr(default))
                yield param.name, type(param.source).__name__.lower(), hint

    def _read(self, parameter: Parameter) -> FuncParam:
        annotation, default = _unshared(_with_items(parameter.annotation), parameter.default)
        if inspect.isclass(default) and issubclass(default, pydantic.BaseModel):
            problem = (
                f"Parameter {parameter.name!r} has the class {default.__name__} as its default."
            )
            hint = f"Write {parameter.name}: {default.__name__}, with a colon."
            raise NinjaConfigError(problem, path=self.way, hint=hint)
        self._refuse_uncalled(parameter.name, default, annotation)
        is_declared = _is_declared(default, annotation)
        if parameter.name in self.path_params_names and not is_declared:
            default = EMPTY  # a value from the path is always there
        elif _is_file(annotation) and not is_declared:
            default = File(_required(default))
        elif _is_own_collection(plain_types(annotation)[0]) and not is_declared:
            default = Body(_required(default))
        read = inspect.Parameter(
            parameter.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=EMPTY if default is LEFT_OUT else default,
            annotation=annotation,
        )
        param = self._get_param_type(parameter.name, read)
        if any(map(_is_collection, plain_types(param.annotation))):
            param = param._replace(is_collection=True)
        if default is LEFT_OUT:
            param.source.default_factory = _leave_out
        elif default is not EMPTY and param.source is not default:
            # Ninja sets it on a Param in Annotated, unseen by pydantic beside other metadata.
            known = param.source._attributes_set  # noqa: SLF001 - how pydantic merges two
            param.source._attributes_set = {**known, "default": param.source.default}  # noqa: SLF001
        self._check(param, is_declared=is_declared)
        if isinstance(param.source, Header) and not is_pydantic_model(param.annotation):
            param = _with_hyphens(param)
        if parameter.name.startswith("_") or hasattr(ParamModel, parameter.name):
            # pydantic's models have fields and attributes in one place.
            param = named(param, f"input_{parameter.name}_")
            self.names[param.name] = parameter.name
        return param

    def _refuse_uncalled(self, name: str, default: object, annotation: object) -> None:
        """Refuse an input whose default has a marker, which nothing would call."""
        for marker in _markers_behind(default, plain_types(annotation)):
            problem = (
                f"The default of parameter {name!r} holds {marker!r}, which nothing would call."
            )
            hint = (
                f"Write {name}: T = {marker!r}, or depend on a model that has it: Depends(Model)."
            )
            raise NotInjectedError(problem, path=self.way, hint=hint)

    def _check(self, param: FuncParam, *, is_declared: bool) -> None:
        """Refuse a declaration that no request could satisfy, or whose default nobody gets."""
        source = type(param.source).__name__
        if not param.source.is_required():
            return  # as in Ninja, the default counts where nothing else can
        if _cannot_be_filled(param):
            hint = self._body_hint(param, "...")
            if source == "Path":
                hint = "Give it a type that a part of a path can be read as, such as str."
            if is_declared:
                self._contradict(f"no {source}() holds a mapping such as {param.name!r}", hint)
            problem = (
                f"Ninja would read {param.name!r} from the {source.lower()},"
                " which cannot hold a mapping."
            )
            raise UnsupportedParameterError(problem, path=self.way, hint=hint)

    def _body_hint(self, param: FuncParam, default: str) -> str:
        """Return the line that reads *param* from the body: a model's field has no place for it."""
        name, shown = param.name, written_type(param.annotation)
        filled, call = self.way[-1]
        if is_pydantic_model(call):
            name, shown = filled or "x", written_type(call)
        return f"Write {name}: {shown} = Body({default}), with Body from ninja."

    def _contradict(self, what: str, hint: str) -> NoReturn:
        problem = f"A parameter contradicts its declaration: {what}."
        raise UnsupportedParameterError(problem, path=self.way, hint=hint)

    def _note(self, number: int, error: pydantic.ValidationError, frame: Frame) -> None:
        """Note what *error* says of a model, unless no client could have sent it otherwise."""
        model = self.models[number]
        if model.__ninja_param_source__ == "path":
            names = model.__ninja_flatten_map_reverse__  # type: ignore[attr-defined]
            for one in error.errors():
                if one["type"] == "missing":
                    name = names.get(one["loc"], one["loc"])[0]
                    raise not_in_path(name, frame.path_params, self.way)
        frame.errors.append(ValidationErrorContext(error, model))

    def _refused(self, made: Any, frame: Frame, error: pydantic.ValidationError) -> bool:
        """Note that the dependable *made* refuses its inputs; return False if it is not that.

        An error of the model as a whole is told where the first input is read from. A value
        that a dependency gave is not the client's to mend.
        """
        params = {self.names.get(param.name, param.name): param for param in self.params}
        names = shown_names(made)
        noted: dict[int, list[tuple[Any, tuple[int | str, ...]]]] = {}
        if not is_own_error(made, error):
            return False
        for one in error.errors():
            place = one["loc"]
            param = params.get(names.get(str(place[0]), "")) if place else self.params[0]
            if param is None:
                return False
            number = next(i for i, of in enumerate(self.models) if param.name in of.model_fields)
            noted.setdefault(number, []).append((one, (param.alias, *place[1:]) if place else ()))
        frame.errors += [
            ValidationErrorContext(part_of(error, parts), self.models[number])
            for number, parts in noted.items()
        ]
        return True

    def _refuse(self, error: pydantic.PydanticUserError) -> NoReturn:
        culprits = [param for param in self.params if not _is_readable(param.annotation)]
        names = ", ".join(
            f"{one.name!r} ({' | '.join(types)})"
            for one in culprits or self.params
            for types in [map(inspect.formatannotation, plain_types(one.annotation))]
        )
        problem = f"Ninja cannot read this from a request: {names}."
        name = (culprits or self.params)[0].name
        hint = f"Write {name}: T = Depends(f), with a function f that makes it."
        if not isinstance(error, pydantic.errors.PydanticSchemaGenerationError):
            hint = error.message
        raise UnsupportedParameterError(problem, path=self.way, hint=hint) from error


def _markers_behind(default: object, types: Iterable[Any]) -> Iterator[Marker]:
    """Yield the markers that a request would get for a value, because nothing calls them."""
    value = default.default if isinstance(default, Param) else default
    yield from (one for one in _items(value) if isinstance(one, Marker))
    for model in filter(is_pydantic_model, types):
        for field in model.model_fields.values():
            yield from (one for one in _items(field.default) if isinstance(one, Marker))


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple | set) else (value,)


def build_all(all_inputs: Sequence[Inputs]) -> None:
    """Make the models of *all_inputs*, which belong to one operation.

    Raises:
        BodyConflictError: two of them declare one body in two types.
    """
    bodies: dict[str, tuple[FuncParam, Way]] = {}
    kinds = set()
    embeds = False
    for inputs in all_inputs:
        for param in inputs.params:
            kinds.add(type(param.source))
            if type(param.source) is not Body:
                continue
            # Ninja hands on to pydantic, which ignores it, each option that it does not know.
            embeds = embeds or bool(param.source._attributes_set.get("embed"))  # noqa: SLF001
            known, way = bodies.setdefault(param.alias, (param, inputs.way))
            if plain_types(known.annotation) != plain_types(param.annotation):
                types = [inspect.formatannotation(one.annotation) for one in (known, param)]
                problem = f"The body {param.alias!r} is declared as {types[0]} and as {types[1]}."
                hint = "Give one of them another name, or both the same type."
                raise BodyConflictError(problem, path=way, other=inputs.way, hint=hint)
    is_multipart = bool(bodies) and bool(kinds & {Form, File})
    is_embedded = is_multipart or len(bodies) > 1 or embeds
    only_body = None if is_embedded else next(iter(bodies), None)
    for inputs in all_inputs:
        inputs.build(only_body, is_multipart=is_multipart)


def named(param: FuncParam, name: str) -> FuncParam:
    """Return a copy of *param* with another *name*, which no client sees."""
    source = copy.copy(param.source)
    if name != param.alias and source.alias is None:
        source.alias = source.validation_alias = source.serialization_alias = param.alias
    return param._replace(name=name, source=source)


def _with_hyphens(param: FuncParam) -> FuncParam:
    """Return a header under the name that clients are to send: servers drop underscores."""
    if param.source.alias is not None:
        return param
    return named(param._replace(alias=param.name.replace("_", "-")), param.name)


def not_in_path(name: str, names: Iterable[str], way: Way) -> PathParameterError:
    """Return what tells that *name* is read from a path that holds *names* only."""
    known = ", ".join(map(repr, names)) or "none"
    problem = f"Parameter {name!r} is read from the path, which does not hold it."
    hint = f"Give it a name that the path holds ({known}), or read it elsewhere: Query(...)."
    return PathParameterError(problem, path=way, hint=hint)


def _is_file(annotation: Any) -> bool:
    """Whether *annotation* is an upload, or a list of them, or one of these or None."""
    items = [
        item
        for one in plain_types(annotation)
        for item in (get_args(one) if get_origin(one) is list else [one])
    ]
    return bool(items) and all(
        inspect.isclass(one) and issubclass(one, UploadedFile) for one in items
    )


_WITH_ITEMS: dict[Any, Any] = {list: list[Any], set: set[Any], tuple: tuple[Any, ...]}


def _with_items(annotation: Any) -> Any:
    """Return *annotation* with the type of items that Ninja looks for in every collection.

    >>> _with_items(list)
    list[typing.Any]
    """
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return Annotated[(_with_items(arguments[0]), *arguments[1:])]
    if not arguments:
        annotation = _WITH_ITEMS.get(get_origin(annotation) or annotation, annotation)
    # Metadata keeps Ninja from looking into a class that does not tell.
    return Annotated[annotation, "no items"] if _is_own_collection(annotation) else annotation


def _is_own_collection(annotation: Any) -> bool:
    """Return True if *annotation* is a class derived from a collection, such as a NamedTuple."""
    is_class = inspect.isclass(annotation) and get_origin(annotation) is None
    return is_class and issubclass(annotation, tuple(_WITH_ITEMS))


def _is_collection(annotation: Any) -> bool:
    """Return True if a client sends *annotation* as several values of one name."""
    kind = get_origin(annotation) or annotation
    is_one_value = inspect.isclass(kind) and issubclass(kind, (str, bytes, bytearray, Mapping))
    return inspect.isclass(kind) and issubclass(kind, Collection) and not is_one_value


def _cannot_be_filled(param: FuncParam) -> bool:
    """Return True if *param* is a mapping that is read from a place that holds none."""
    return type(param.source).__name__ not in ("Body", "File") and _is_mapping(param.annotation)


def _is_mapping(annotation: Any) -> bool:
    kinds = (get_origin(one) or one for one in plain_types(annotation))
    return any(inspect.isclass(kind) and issubclass(kind, Mapping) for kind in kinds)


def _required(default: Any) -> Any:
    return ... if default is EMPTY else default


def _leave_out() -> Any:
    return LEFT_OUT


def _is_readable(annotation: Any) -> bool:
    try:
        pydantic.TypeAdapter(annotation)
    except pydantic.PydanticUserError:
        return False
    return True


def _given(parameter: Parameter) -> str | None:
    """Return the attribute of `Frame` that fills *parameter*, if the host itself does."""
    for known, source in _GIVEN:
        if is_special(parameter.annotation, known):
            return source
    if parameter.name != "request" or _is_declared(parameter.default, parameter.annotation):
        return None
    return "request"


def _is_declared(default: Any, annotation: Any) -> bool:
    """Whether a Param, as a default or in an annotation, says where to read from."""
    return declares(default) or find_marker(annotation)[1] is not None


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
