"""Generic dependables: their inputs have the types of the arguments given to them."""

import functools
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Generic, ParamSpec, TypeVar, TypeVarTuple

import ninja
import pydantic
import pytest
import typing_extensions
from ninja import Query, Schema

from di import Depends, NinjaAPI, inject, override
from tests.di.conftest import World

T = TypeVar("T")
U = TypeVar("U")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")


class Item(Schema):
    size: int


Sized = TypeVar("Sized", bound="Item")
Either = TypeVar("Either", int, bool)
Meant = typing_extensions.TypeVar("Meant", default=int)


class Repo(Generic[T]):
    def __init__(self, item: T) -> None:
        self.item = item

    def method(self, item: T) -> list[T]:
        return [item]

    @classmethod
    def make(cls, item: T) -> list[T]:
        return [item]


class IntRepo(Repo[int]): ...


class Plain(IntRepo): ...


class Again(Repo[int], Generic[T]):
    """The same variable, for another argument than its base's."""


class Kid(Repo[U], Generic[T, U]): ...


class Several(Generic[T, U]):
    item: Any

    def __new__(cls, item: T, also: U) -> Any:
        self = super().__new__(cls)
        self.item = [item, also]
        return self


class Nested(Generic[T]):
    def __init__(
        self,
        item: Annotated[list[T], Query()],
        also: Annotated["T | None", Query(alias="more")] = None,
    ) -> None:
        self.item = [*item, also]


class Over(Generic[T]):
    def __init__(self, inner: Annotated[Repo[T], Depends()]) -> None:
        self.item = inner.item


class Written(Generic[T]):
    def __init__(self, inner: Any = Depends(Repo[T])) -> None:
        self.item = inner.item


class Wide(Generic[*Ts, T]):
    def __init__(self, item: T) -> None:
        self.item = item


class Calling(Generic[P, T]):
    def __init__(self, item: T) -> None:
        self.item = item


class Check(Generic[T]):
    def __call__(self, item: T) -> list[T]:
        return [item]


class Slotted(Check[int]):
    __slots__ = ()


class Choice(Generic[Either]):
    def __init__(self, item: Either) -> None:
        self.item = item


class Usual(Generic[Meant]):
    def __init__(self, item: Meant) -> None:
        self.item = item


@dataclass
class Data(Generic[T]):
    item: T


@dataclass
class More(Data[int], Generic[T]):
    also: T


@pydantic.dataclasses.dataclass
class Checked(Generic[T]):
    item: T


class Model(pydantic.BaseModel, Generic[T]):
    item: T


class Own(pydantic.BaseModel, Generic[T]):
    item: T

    def __init__(self, item: T) -> None:
        super().__init__(item=item)


class OwnKid(Own[int], Generic[U]): ...


GENERICS = {
    "class": (Repo[int], 5),
    "class, None allowed": (Repo[int | None], 5),
    "class with another argument": (Repo[str], "5"),
    "bare class": (Repo, "5"),
    "subclass": (IntRepo, 5),
    "subclass of a subclass": (Plain, 5),
    "subclass with the same variable": (Again[str], 5),
    "subclass with another variable": (Kid[str, int], 5),
    "subclass without arguments": (Kid, "5"),
    "several variables, in __new__": (Several[int, str], [5, "7"]),
    "inside other types": (Nested[int], [5, 7]),
    "another generic's argument": (Over[int], 5),
    "another generic's argument, in a marker": (Written[int], 5),
    "any number of variables": (Wide[str, str, int], 5),
    "a ParamSpec": (Calling[[str, bytes], int], 5),
    "a partial": (functools.partial(Repo[int]), 5),
    "instance": (Check[int](), [5]),
    "instance of a subclass": (Slotted(), [5]),
    "method": (Repo[int](1).method, [5]),
    "method of a subclass": (IntRepo(1).method, [5]),
    "class method": (IntRepo.make, [5]),
    "constraints": (Choice, 5),
    "default": (Usual, 5),
    "dataclass": (Data[int], 5),
    "inherited field": (More[str], 5),
    "pydantic's dataclass": (Checked[int], 5),
    "model": (Model[int], 5),
    "model with a constructor": (Own[int], 5),
    "subclass of a model with a constructor": (OwnKid[str], 5),
}


@pytest.mark.parametrize("name", GENERICS)
def test_inputs_have_the_types_of_the_arguments(name: str, world: World) -> None:
    """When a class has type arguments, then its inputs are validated and documented by them."""
    dependable, expected = GENERICS[name]
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(request: object, value: Any = Depends(dependable)) -> Any:
        return getattr(value, "item", value)

    world.serve(api)
    assert world.get("/x?item=5&also=7&more=7").json() == expected
    refused = world.get("/x?item=a&also=b")
    assert refused.status_code == (200 if isinstance(expected, str) else 422)


def test_depends_without_an_argument(world: World) -> None:
    """When the annotation is the dependable, then its arguments count, in plain Ninja, too."""
    api = ninja.NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @inject
    @world.view
    def view(
        request: object, one: Annotated[Repo[int], Depends()], two: Repo[str] = Depends()
    ) -> Any:
        return [one.item, two.item]

    world.serve(api)
    assert world.get("/x?item=5").json() == [5, "5"]
    refused = world.get("/x?item=a")
    assert refused.status_code == 422
    assert [one["loc"] for one in refused.json()["detail"]] == [["query", "item"]]


def test_equal_arguments_are_one_dependable(world: World) -> None:
    """When two parameters ask for one class with equal arguments, then it is made once."""
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(
        request: object,
        one: Annotated[Repo[int], Depends()],
        same: Annotated[Repo[int], Depends()],
        other: Annotated[Repo[bool], Depends()],
    ) -> Any:
        return [one is same, one.item, other.item]

    world.serve(api)
    assert world.get("/x?item=1").json() == [True, 1, True]
    with override({Repo[int]: lambda: IntRepo(7)}):
        assert world.get("/x?item=1").json() == [True, 7, True]


class Bounded(Generic[Sized]):
    def __init__(self, item: Sized) -> None:
        self.item = item.size


class Page(pydantic.BaseModel, Generic[T]):
    rows: list[T]


class Paged(Generic[U]):
    def __init__(self, item: Page[U]) -> None:
        self.item = item.rows


@pytest.mark.parametrize(
    ("dependable", "body", "expected", "bad"),
    [
        (Bounded, {"size": 5}, 5, {"size": "a"}),
        (Repo[Page[int]], {"rows": [5]}, {"rows": [5]}, {"rows": ["a"]}),
        (Paged[int], {"rows": ["5"]}, [5], {"rows": ["a"]}),
    ],
)
def test_models_are_read_from_the_body(
    dependable: Any, body: object, expected: object, bad: object, world: World
) -> None:
    """When the type of an input turns out to be a model, then it is read from the body."""
    api = NinjaAPI(urls_namespace="api")

    @api.post("/x")
    @world.view
    def view(request: object, value: Any = Depends(dependable)) -> Any:
        return value.item

    world.serve(api)
    assert world.post("/x", body).json() == expected
    assert world.post("/x", bad).status_code == 422


class Outer(Generic[T]):
    def __init__(self, inner: Annotated[Repo, Depends()], item: T) -> None:  # type: ignore[type-arg]
        self.item = [inner.item, item]


def test_bare_annotations_have_no_argument(world: World) -> None:
    """When a class is named bare inside of another, then the arguments around it are not its."""
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(request: object, value: Any = Depends(Outer[int])) -> Any:
        return value.item

    world.serve(api)
    assert world.get("/x?item=5").json() == ["5", 5]


STATEMENTS = """
from __future__ import annotations
class Repo[T]:
    def __init__(self, item: T): self.item = item
    def method(self, item: T): return item
class Again[T](Repo[int]): ...
class Sized[T: Number]:
    def __init__(self, item: T): self.item = item
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is new in Python 3.12")
@pytest.mark.parametrize("first", [0, 1])
def test_type_parameters(first: int, world: World) -> None:
    """When a class declares its variables in brackets, then each class has its own."""
    found: dict[str, Any] = {"__name__": __name__, "Number": int}
    source = "".join(STATEMENTS.lstrip().splitlines(keepends=True)[first:])
    exec(source, found)  # noqa: S102 - older Pythons cannot compile it
    repo, again, sized = found["Repo"], found["Again"], found["Sized"]
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(
        request: object,
        one: Any = Depends(repo[int]),
        two: Any = Depends(again[str]),
        three: Any = Depends(again),
        four: Any = Depends(again[str](5).method),
        five: Any = Depends(sized),
    ) -> Any:
        return [one.item, two.item, three.item, four, five.item]

    world.serve(api)
    assert world.get("/x?item=5").json() == [5] * 5
    assert world.get("/x?item=a").status_code == 422
