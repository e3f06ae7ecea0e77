"""Markers in places where they look declared and nothing would call them."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypedDict, Unpack

import ninja
import pytest
from django.http import HttpRequest
from ninja import Query, Schema
from ninja.decorators import decorate_view
from ninja.parser import Parser
from ninja.renderers import JSONRenderer
from pydantic import BaseModel

from di import Depends, HTTPException, NinjaAPI, Router, inject
from di.exceptions import DependencyError, NotInjectedError
from tests.di.conftest import World


def verify(request: HttpRequest) -> str:
    if "X-Name" not in request.headers:
        raise HTTPException(401)
    return request.headers["X-Name"]


class Attribute:
    name = Depends(verify)


class Inherited(Attribute):
    def __init__(self, number: int = 1) -> None:
        self.number = number


class Annotation:
    name: Annotated[str, Depends(verify)]

    def __call__(self) -> str:
        return "value"

    def method(self) -> str:
        return "value"

    @classmethod
    def make(cls) -> str:
        return "value"


class Quoted:
    other: "Unknown"  # type: ignore[name-defined]  # noqa: F821 - only type checkers know it
    name: "Annotated[str, Depends(verify)]"


class Keywords(TypedDict):
    name: Annotated[str, Depends(verify)]


def keywords(**values: Unpack[Keywords]) -> str:
    return str(values)


def takes(name: Any) -> str:
    return str(name)


def tuple_default(names: tuple[str, ...] = (Depends(verify),)) -> str:  # type: ignore[assignment]
    return str(names)


class Model(Schema):
    name: Any = Depends(verify)


def model_input(model: Query[Model]) -> str:
    return str(model.name)


def param_default(name: str = Query(Depends(verify))) -> str:
    return name


UNCALLED: dict[str, Callable[..., Any]] = {
    "attribute": Attribute,
    "inherited attribute": Inherited,
    "annotation": Annotation,
    "quoted annotation": Quoted,
    "instance": Annotation(),
    "method": Annotation().method,
    "class method": Annotation.make,
    "keywords": keywords,
    "partial by name": functools.partial(takes, name=Depends(verify)),
    "partial by position": functools.partial(takes, Depends(verify)),
    "tuple as default": tuple_default,
    "field of an input": model_input,
    "default of a Query": param_default,
}


@pytest.mark.parametrize("way", UNCALLED)
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("host", [ninja.NinjaAPI, NinjaAPI])
def test_a_marker_that_nothing_would_call(host: Any, is_async: bool, way: str) -> None:
    """When a dependable has a marker that nothing would call, its view is refused with a hint."""
    dependable = UNCALLED[way]

    def view(request: HttpRequest, x: Any = Depends(dependable)) -> None: ...

    async def aview(request: HttpRequest, x: Any = Depends(dependable)) -> None: ...

    with pytest.raises(NotInjectedError, match=r"Depends|'(name|names|values)'") as raised:
        host(urls_namespace="uncalled").get("/x")(inject(aview if is_async else view))
    assert raised.value.hint
    assert len(raised.value.path) >= 2


@dataclass
class DataClass:
    name: str = Depends(verify)


class Tuple(NamedTuple):
    name: str = Depends(verify)


class PydanticModel(BaseModel):
    name: str = Depends(verify)


class Slot:
    kind = "slot"
    note: Annotated[str, "no marker"] = "note"

    def __init__(self, name: str = Depends(verify)) -> None:
        self.name = name


@pytest.mark.parametrize("model", [DataClass, Tuple, PydanticModel, Slot])
def test_fields_of_models_are_called(world: World, api: NinjaAPI, model: Any) -> None:
    """When a class has a constructor of its fields, then their markers are called."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, x: Any = Depends(model)) -> str:
        return str(x.name)

    world.serve(api)
    assert world.get("/x").status_code == 401
    assert world.get("/x", headers={"X-Name": "ada"}).json() == "ada"


def plain_view(request: HttpRequest) -> None: ...


@pytest.mark.parametrize("value", [Depends(verify), [Depends(verify)]])
@pytest.mark.parametrize("option", ["auth", "throttle"])
def test_a_marker_as_a_guard(option: str, value: Any) -> None:
    """When ``auth=`` or ``throttle=`` has a marker, it is refused with the line to write."""
    makers: Iterable[Callable[..., Any]] = (
        NinjaAPI,
        Router,
        lambda **options: NinjaAPI().get("/x", **options)(plain_view),
        lambda **options: NinjaAPI().add_router("/x", Router(), **options),
    )
    for make in makers:
        with pytest.raises(NotInjectedError, match="which Ninja cannot call") as raised:
            make(**{option: value})
        assert raised.value.hint == "Write dependencies=[Depends(verify)] instead."


@pytest.mark.parametrize("make", [NinjaAPI, Router])
def test_dependencies_are_not_set_later(make: Any) -> None:
    """When somebody sets the dependencies of a router or an API, they are told where to write."""
    made = make()
    with pytest.raises(NotInjectedError, match="cannot be set later") as raised:
        made.dependencies = [Depends(verify)]
    assert raised.value.hint == f"Write {make.__name__}(dependencies=[...])."
    assert not hasattr(made, "dependencies")


def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def inner(request: HttpRequest, *args: Any, user: str = Depends(verify), **values: Any) -> Any:
        return call(request, *args, **values)

    return inner


def counted(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def inner(*args: Any, **values: Any) -> Any:
        return call(*args, **values)

    return inner


class AskingRenderer(JSONRenderer):
    def render(
        self, request: HttpRequest, data: Any, *, response_status: int, user: Any = Depends(verify)
    ) -> Any:
        return super().render(request, data, response_status=response_status)


class AskingParser(Parser):
    def parse_body(self, request: HttpRequest, user: Any = Depends(verify)) -> Any:
        return super().parse_body(request)


class AskingQueryParser(Parser):
    def parse_querydict(
        self, data: Any, list_fields: Any, request: Any, user: Any = Depends(verify)
    ) -> Any:
        return super().parse_querydict(data, list_fields, request)


@pytest.mark.parametrize("host", [ninja.NinjaAPI, NinjaAPI])
@pytest.mark.parametrize(
    "options",
    [
        {"renderer": AskingRenderer()},
        {"parser": AskingParser()},
        {"parser": AskingQueryParser()},
    ],
)
def test_a_parser_or_renderer_with_a_marker(host: Any, options: Any) -> None:
    """When a method that Ninja calls for each request has a marker, its API is not mounted."""
    api = host(urls_namespace="asking", **options)
    with pytest.raises(NotInjectedError, match=r"(parser|renderer) declares a dependency, 'user'"):
        _ = api.urls


@pytest.mark.parametrize("host", [ninja.NinjaAPI, NinjaAPI])
@pytest.mark.parametrize("way", ["view", "operation", "decorate_view"])
def test_a_decorator_of_operations_with_a_marker(
    host: Any, way: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """When a decorator that Ninja applies has a marker of its own, its API is not mounted."""
    for decorate in (counted, guarded):
        api = host(urls_namespace=f"decorated-{decorate.__name__}")
        if way == "decorate_view":
            api.get("/x")(decorate_view(decorate)(lambda request: None))
        else:
            api.add_decorator(decorate, mode=way)
            api.get("/x")(lambda request: None)
        if decorate is counted:
            assert api.urls
            assert caplog.records == []
            continue
        with pytest.raises(DependencyError, match="'user'"):
            _ = api.urls
