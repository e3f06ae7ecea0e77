"""Models of pydantic as dependables: a refusal is 422, and an alias is a name to call by."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, Self

import pydantic
import pytest
from django.http import HttpRequest
from ninja import Schema
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

from di import Depends, NinjaAPI, call, override
from tests.di.conftest import World


class Size(BaseModel):
    width: int


class Window(BaseModel):
    first: int
    last: Annotated[int, Field(le=100)]
    size: Size = Size(width=1)

    @pydantic.field_validator("first", mode="after")
    @classmethod
    def is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("not even")
        return value

    @pydantic.field_validator("size")
    @classmethod
    def is_small(cls, value: Size) -> Size:
        Size(width=value.width)
        if value.width > 9:
            raise ValueError("too wide")
        return value

    @pydantic.model_validator(mode="after")
    def is_ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("last before first")
        return self


@dataclass
class Pair:
    first: int
    last: int = 5

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError("last before first")


def _served(api: NinjaAPI, world: World, dependable: Callable[..., Any]) -> None:
    @api.post("/x")
    @world.view
    def view(
        request: HttpRequest, made: Annotated[Any, Depends(dependable)], page: int = 1
    ) -> dict[str, Any]:
        if isinstance(made, BaseModel):
            return made.model_dump()
        return dataclasses.asdict(made)

    world.serve(api)


def _places(response: Any) -> list[list[Any]]:
    assert response.status_code == 422, response.content
    return sorted(one["loc"] for one in response.json()["detail"])


def test_valid_inputs_make_the_model(api: NinjaAPI, world: World) -> None:
    """When all inputs are valid, then the view has the model."""
    _served(api, world, Window)
    made = world.post("/x?first=2&last=4", {"width": 3}).json()
    assert made == {"first": 2, "last": 4, "size": {"width": 3}}


@pytest.mark.parametrize(
    ("url", "body", "places"),
    [
        ("/x?first=1&last=4", {"width": 1}, [["query", "first"]]),
        ("/x?first=2&last=400", {"width": 1}, [["query", "last"]]),
        ("/x?first=4&last=2", {"width": 1}, [["query"]]),
        ("/x?first=2&last=4", {"width": 10}, [["body", "size"]]),
        (
            "/x?first=1&last=4&page=a",
            {"width": 10},
            [["body", "size"], ["query", "first"], ["query", "page"]],
        ),
    ],
)
def test_a_refusing_validator_is_told_where_its_input_is_read(
    api: NinjaAPI, world: World, url: str, body: Any, places: Any
) -> None:
    """When a validator refuses, then 422 names its input beside all other errors."""
    _served(api, world, Window)
    response = world.post(url, body)
    assert _places(response) == places


def test_the_error_reads_as_pydantic_writes_it(api: NinjaAPI, world: World) -> None:
    """When a validator refuses, then type, message and context are those of pydantic."""
    _served(api, world, Window)
    (error,) = world.post("/x?first=1&last=4", {"width": 1}).json()["detail"]
    assert error["type"] == "value_error"
    assert error["msg"] == "Value error, not even"
    assert error["ctx"] == {"error": "not even"}


def test_a_refusing_dataclass_of_pydantic_is_422(api: NinjaAPI, world: World) -> None:
    """When the ``__post_init__`` of pydantic's dataclass refuses, then it is 422."""
    _served(api, world, Pair)
    assert world.post("/x?first=1").json() == {"first": 1, "last": 5}
    assert _places(world.post("/x?first=9")) == [["query"]]


def test_what_depends_on_a_refusing_model_is_not_called(api: NinjaAPI, world: World) -> None:
    """When a model refuses, then neither its dependant nor the view is called."""

    def dependant(pair: Annotated[Pair, Depends()]) -> Pair:
        world.events.append("called")
        return pair

    _served(api, world, dependant)
    assert _places(world.post("/x?first=9")) == [["query"]]
    assert world.events == []


def test_a_model_that_stands_in_refuses_as_well(api: NinjaAPI, world: World) -> None:
    """When a model overrides a dependable and refuses, then it is 422."""

    def original() -> Pair:
        return Pair(1)

    _served(api, world, original)
    with override({original: Pair}):
        assert _places(world.post("/x?first=9")) == [["query"]]


def test_a_plain_dataclass_that_fails_is_a_mistake(api: NinjaAPI, world: World) -> None:
    """When a plain dataclass raises, or a function makes a model badly, then it is 500."""

    @dataclasses.dataclass
    class Plain:
        first: int

        def __post_init__(self) -> None:
            raise ValueError

    def careless(first: int) -> Pair:
        return Pair(first)

    for dependable in (Plain, careless):
        fresh = NinjaAPI(urls_namespace=dependable.__name__)
        _served(fresh, world, dependable)
        assert world.post("/x?first=9").status_code == 500


def test_an_error_that_is_not_of_the_clients_making_is_a_mistake(
    api: NinjaAPI, world: World
) -> None:
    """When a dependency gives a bad value, or another model fails inside, then it is 500."""

    def wrong() -> str:
        return "no number"

    class Given(BaseModel):
        first: int
        given: int

        def __init__(self, first: int, given: Annotated[Any, Depends(wrong)]) -> None:
            super().__init__(first=first, given=given)

    class Nested(BaseModel):
        first: int

        def __init__(self, **values: Any) -> None:
            Pair(first="x")  # type: ignore[arg-type]
            super().__init__(**values)

    for model in (Given, Nested):
        fresh = NinjaAPI(urls_namespace=model.__name__)
        _served(fresh, world, model)
        assert world.post("/x?first=9").status_code == 500


class Aliased(BaseModel):
    one: Annotated[int, Field(ge=1)] = Field(validation_alias="first")
    two: int = Field(2, validation_alias=AliasChoices("second", "zwei"), ge=2)
    three: int = Field(3, alias="third", validation_alias="tertius")
    four: int = Field(4, alias="fo-ur")
    five: int = Field(5, validation_alias=AliasChoices(AliasPath("fives", 0), "fifth"))


class ByName(Aliased):
    model_config = ConfigDict(populate_by_name=True)


@pytest.mark.parametrize("model", [Aliased, ByName])
def test_a_field_with_an_alias_is_filled(api: NinjaAPI, world: World, model: Any) -> None:
    """When a field has an alias of any kind, then its parameter reaches it."""
    _served(api, world, model)
    response = world.post("/x?first=10&two=20&third=30&four=40&five=50")
    expected = {"one": 10, "two": 20, "three": 30, "four": 40, "five": 50}
    assert response.json() == expected


@pytest.mark.parametrize("model", [Aliased, ByName])
def test_a_refused_field_with_an_alias_is_named_as_sent(
    api: NinjaAPI, world: World, model: Any
) -> None:
    """When a field with an alias refuses, then the error has the name that was sent."""
    _served(api, world, model)
    assert _places(world.post("/x?first=0&two=1")) == [["query", "first"], ["query", "two"]]


def test_call_raises_the_models_own_error() -> None:
    """When a model refuses under ``call``, then its own error names field and reason."""

    def function(pair: Annotated[Pair, Depends()]) -> int:
        return pair.first

    with pytest.raises(pydantic.ValidationError, match="last before first"):
        call(function, first=9)


class Written(BaseModel):
    two: int = Field(validation_alias=AliasChoices("second", "zwei"))

    def __init__(self, two: int) -> None:
        super().__init__(zwei=two)


def test_a_constructor_of_its_own_gets_its_own_names(api: NinjaAPI, world: World) -> None:
    """When a model has an ``__init__``, then that is called with the names it declares."""
    _served(api, world, Written)
    assert world.post("/x?two=7").json() == {"two": 7}


class Big(Schema):
    first: Annotated[int, Field(ge=5)]


def test_a_schema_of_ninja_is_a_model_too(api: NinjaAPI, world: World) -> None:
    """When a Schema refuses as a dependable, then it is 422 once for each error."""
    _served(api, world, Big)
    assert world.post("/x?first=7").json() == {"first": 7}
    assert _places(world.post("/x?first=1")) == [["query", "first"]]


def test_aliases_of_all_kinds_in_errors(world: World, api: NinjaAPI) -> None:
    """When a field has a path among its aliases, an error is told at the input that is read."""

    class Filter(BaseModel):
        number: int = Field(1, validation_alias=AliasChoices("one", AliasPath("many", 0)))

        @pydantic.field_validator("number")
        @classmethod
        def is_small(cls, value: int) -> int:
            if value > 5:
                raise ValueError("too much")
            return value

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Annotated[Filter, Depends()]) -> int:
        return found.number

    world.serve(api)
    assert world.get("/x?number=2").json() == 2
    (error,) = world.get("/x?number=6").json()["detail"]
    assert error["loc"] == ["query", "number"]


def test_a_constructor_that_hides_a_field(world: World, api: NinjaAPI) -> None:
    """When a model's own constructor gives a field a wrong value, then that is a bug: 500."""

    class Filter(BaseModel):
        number: int
        limit: int = Field(1, le=5)

        def __init__(self, number: int) -> None:
            super().__init__(number=number, limit=9)

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Annotated[Filter, Depends()]) -> int:
        return found.number

    world.serve(api)
    assert world.get("/x?number=2").status_code == 500
