"""Inputs that Ninja reads, or ignores, are read or ignored here as well."""

from __future__ import annotations

import functools
import inspect
import json
import typing
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import ninja
import pytest
from django.http import HttpRequest
from ninja import Body, Cookie, Form, Header, Path, Query, Schema
from ninja.errors import ConfigError
from ninja.testing import TestAsyncClient, TestClient

import di
from di import Depends, inject
from di.exceptions import UnsupportedParameterError
from tests.di.conftest import World, on_one_loop


class Item(Schema):
    name: str


class Point(NamedTuple):
    x: int
    y: int


@pytest.fixture(autouse=True)
def _no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ninja remembers the name of every API unless this is set."""
    monkeypatch.setenv("NINJA_SKIP_REGISTRY", "yes")


def nothing() -> None:
    """Stand for a dependency that lets everybody in."""


def path_with_none(pk: int = Path(None)) -> Any:
    return pk


def path_with_value(pk: str = Path("x")) -> Any:
    return pk


def path_without_annotation(pk=Path("x")) -> Any:
    return pk


def path_in_annotated(pk: Annotated[int, Path(gt=1)] = 5) -> Any:
    return pk


def path_that_is_not_there(other: int = Path(4)) -> Any:
    return other


def path_that_is_not_there_in_annotated(other: Annotated[str, Path()] = "x") -> Any:
    return other


def query(pk: Annotated[int | None, Query()] = None) -> Any:
    return pk


def query_with_constraint(pk: Annotated[int, Query(gt=3)] = 5) -> Any:
    return pk


def query_as_default(pk: int = Query(6)) -> Any:
    return pk


def header(pk: Annotated[int | None, Header()] = 4) -> Any:
    return pk


def cookie(pk: Annotated[int | None, Cookie()] = 4) -> Any:
    return pk


def body(pk: Annotated[int | None, Body()] = 4) -> Any:
    return pk


def form(pk: Annotated[int | None, Form()] = 4) -> Any:
    return pk


def untyped_mapping(extra: dict = None) -> Any:  # noqa: RUF013 - as users write
    return extra


def mapping(extra: dict[str, int] | None = None) -> Any:
    return extra


def mapping_with_value(extra: dict[str, int] = {"a": 1}) -> Any:  # noqa: B006 - as users write
    return extra


def mapping_in_annotated(extra: Annotated[dict, Query()] = {}) -> Any:  # noqa: B006
    return extra


def mapping_in_header(extra: Annotated[dict, Header()] = None) -> Any:  # noqa: RUF013
    return extra


def optional_list(n: list | None = None) -> Any:
    return n


def optional_point(point: Point | None = None) -> Any:
    return point and list(point)


def every_source(
    c: Annotated[str, Cookie()] = "c",
    h: Annotated[str, Header()] = "h",
    q: int = 1,
    pk: str = Path(...),
    f: str = Form("f"),
    item: Item | None = None,
) -> Any:
    return [c, h, q, pk, f, item]


DECLARATIONS = [
    path_with_none,
    path_with_value,
    path_without_annotation,
    path_in_annotated,
    path_that_is_not_there,
    path_that_is_not_there_in_annotated,
    query,
    query_with_constraint,
    query_as_default,
    header,
    cookie,
    body,
    form,
    untyped_mapping,
    mapping,
    mapping_with_value,
    mapping_in_annotated,
    mapping_in_header,
    optional_list,
    optional_point,
    every_source,
]

REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("?pk=8&extra=1&n=1&n=2&q=3&point=1&point=2", {}),
    ("", {"headers": {"pk": "9", "h": "9"}, "COOKIES": {"pk": "9", "c": "9"}, "json": 5}),
    ("", {"json": [1, 2]}),
    ("", {"data": {"pk": "9", "f": "9"}}),
]


def view_of(call: Callable[..., Any], *, is_async: bool, is_dependable: bool) -> Any:
    """Return a view with the inputs of *call*, its own or those of a dependable."""
    if is_dependable:

        def view(request: HttpRequest, found: Any = Depends(call)) -> Any:
            return found

        signature = inspect.signature(view)
    else:

        def view(request: HttpRequest, **values: Any) -> Any:
            return call(**values)

        request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        inputs = inspect.signature(call, eval_str=True).parameters.values()
        signature = inspect.Signature([request, *inputs], __validate_parameters__=False)  # type: ignore[call-arg]
    declared = view if not is_async else as_async(view)
    declared.__signature__ = signature
    return declared


def as_async(function: Callable[..., Any]) -> Any:
    """Return *function* as a coroutine function of the same name."""

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


def answers(api: Any, view: Any, *, prefix: str, is_async: bool) -> Any:
    """Return the answers to all requests, and the document of the operation."""
    router = ninja.Router() if type(api) is ninja.NinjaAPI else di.Router()
    router.post("/x" if prefix else "/{pk}")(view)
    api.add_router(prefix, router)
    path = "/7/x" if prefix else "/7"
    found = []
    for query_string, options in REQUESTS:
        url = path + query_string
        client = (TestAsyncClient if is_async else TestClient)(api)
        send = on_one_loop(client.post) if is_async else client.post
        response = send(url, **options)
        found.append((response.status_code, response.content))
    return found, next(iter(api.get_openapi_schema(path_prefix="")["paths"].values()))


@pytest.mark.filterwarnings("ignore:Field:UserWarning")
@pytest.mark.parametrize("prefix", ["", "/{pk}"])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("call", DECLARATIONS)
def test_a_declaration_is_read_as_ninja_reads_it(
    call: Callable[..., Any], prefix: str, is_async: bool
) -> None:
    """When Ninja starts with a declaration, then every host of ours answers the same."""

    def host(api: Any, *, is_injected: bool = False, is_dependable: bool = False) -> Any:
        view = view_of(call, is_async=is_async, is_dependable=is_dependable)
        return answers(api, inject(view) if is_injected else view, prefix=prefix, is_async=is_async)

    theirs, document = host(ninja.NinjaAPI())
    assert host(di.NinjaAPI()) == (theirs, document)
    assert host(di.NinjaAPI(dependencies=[Depends(nothing)])) == (theirs, document)
    assert host(ninja.NinjaAPI(), is_injected=True) == (theirs, document)
    assert host(di.NinjaAPI(), is_dependable=True)[0] == theirs
    assert host(ninja.NinjaAPI(), is_injected=True, is_dependable=True)[0] == theirs


def bare(read: Callable[..., Any], annotation: Any, default: Any = inspect.Parameter.empty) -> Any:
    """Return a dependable with one parameter, annotated with *annotation*."""

    def call(q: Any) -> Any:
        return read(q)

    parameter = inspect.Parameter(
        "q", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation, default=default
    )
    call.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
    return call


class Names(list):  # type: ignore[type-arg]
    """A collection whose items pydantic knows nothing of."""


@pytest.mark.parametrize(
    ("call", "query_string", "content", "expected"),
    [
        (bare(list, list), "", [1, "a"], [1, "a"]),
        (bare(sorted, set), "", [2, 1, 2], [1, 2]),
        (bare(list, tuple), "", [1, "a"], [1, "a"]),
        (bare(list, list, Body(...)), "", [1, "a"], [1, "a"]),
        (bare(list, list, Query([3])), "", None, [3]),
        (bare(list, typing.List), "", [1], [1]),  # noqa: UP006 - as users write
        (bare(list, typing.Optional[typing.List], None), "", [1], [1]),  # noqa: UP006, UP045
        (bare(list, list, Query()), "?q=1&q=2", None, ["1", "2"]),
        (bare(sorted, set, Query()), "?q=1&q=2&q=1", None, ["1", "2"]),
        (bare(list, tuple, Query([0])), "", None, [0]),
        (bare(list, Annotated[list, Query(min_length=2)]), "?q=1&q=2", None, ["1", "2"]),
        (bare(list, Annotated[list | None, Query()], None), "?q=1", None, ["1"]),
        (bare(sorted, frozenset, Query()), "?q=1&q=2", None, ["1", "2"]),
        (bare(list, Sequence[int], Query()), "?q=1&q=2", None, [1, 2]),
        (bare(Point._asdict, Point), "", [1, 2], {"x": 1, "y": 2}),
        (bare(Point._asdict, Point, Body(...)), "", [1, 2], {"x": 1, "y": 2}),
        (bare(Point._asdict, Annotated[Point, Query()]), "?q=1&q=2", None, {"x": 1, "y": 2}),
    ],
)
def test_collections_that_do_not_name_the_type_of_their_items(
    call: Any, query_string: str, content: Any, expected: Any, world: World
) -> None:
    """When a collection is bare, then items of any type are read; Ninja's own is a bare error."""
    view = view_of(call, is_async=world.is_async, is_dependable=True)
    api = di.NinjaAPI()
    api.post("/x")(view)
    world.serve(api)
    response = world.post(f"/x{query_string}", content)
    assert response.json() == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("is_dependable", [False, True])
def test_a_collection_that_pydantic_cannot_read_is_refused_by_name(is_dependable: bool) -> None:
    """When a list of a class of its own is an input, then the error names it and draws the way."""
    call = bare(list, Names)
    view = view_of(call, is_async=False, is_dependable=is_dependable)
    with pytest.raises(UnsupportedParameterError, match=r"'q' \(tests.*Names\)") as caught:
        di.NinjaAPI().post("/x")(view)
    assert len(caught.value.path) == 1 + is_dependable


def embedded(item: Annotated[Item, Body(embed=True)]) -> Any:
    return item


def embedded_default(item: Item | None = Body(None, embed=True)) -> Any:
    return item


def embedded_number(n: int = Body(..., embed=True, alias="N")) -> Any:
    return n


def embedded_list(n: list[int] = Body(..., embed=True)) -> Any:
    return n


def not_embedded(item: Item = Body(..., embed=False)) -> Any:
    return item


ITEM = {"$ref": "#/components/schemas/Item"}


@pytest.mark.parametrize("is_dependable", [False, True])
@pytest.mark.parametrize(
    ("call", "good", "bad", "loc", "properties"),
    [
        (embedded, {"item": {"name": "a"}}, {"name": "a"}, ["body", "item"], {"item": ITEM}),
        (embedded_default, {"item": {"name": "a"}}, {"item": 1}, ["body", "item", "name"], ...),
        (embedded_number, {"N": 3}, 3, ["body"], {"N": {"title": "N", "type": "integer"}}),
        (embedded_list, {"n": [3]}, {"m": [3]}, ["body", "n"], ...),
        (not_embedded, {"name": "a"}, {"item": {"name": "a"}}, ["body", "item", "name"], None),
    ],
)
def test_a_body_that_is_to_be_embedded(
    call: Any, good: Any, bad: Any, loc: Any, properties: Any, is_dependable: bool, world: World
) -> None:
    """When a body says embed=True, then a client sends it, and sees it, under its name."""
    api = di.NinjaAPI()
    api.post("/x")(view_of(call, is_async=world.is_async, is_dependable=is_dependable))
    world.serve(api)
    found = world.post("/x", good).json()  # type: ignore[attr-defined]
    assert found == next(iter(good.values()), None) if properties else {"name": "a"}
    response = world.post("/x", bad)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == loc  # type: ignore[attr-defined]
    body = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert body["required"] is (call is not embedded_default)
    if properties is None:
        assert schema == ITEM
    else:
        assert list(schema["properties"]) == list(good)
        assert properties in (..., schema["properties"])


def test_one_body_of_two_callables_is_embedded_if_one_of_them_says_so(world: World) -> None:
    """When a view and a dependable read one body, then one embed=True is enough, as in FastAPI."""
    api = di.NinjaAPI()

    def same(item: Item) -> str:
        return item.name

    @api.post("/x")
    @world.view
    def view(
        request: HttpRequest, item: Annotated[Item, Body(embed=True)], name: str = Depends(same)
    ) -> Any:
        return [item, name]

    world.serve(api)
    assert world.post("/x", {"item": {"name": "a"}}).json() == [{"name": "a"}, "a"]  # type: ignore[attr-defined]


def test_a_body_beside_a_form_is_in_its_own_field_anyway(world: World) -> None:
    """When there is a form, then a body is JSON in one of its fields, embedded or not."""
    api = di.NinjaAPI()

    @api.post("/x")
    @world.view
    def view(
        request: HttpRequest, item: Annotated[Item, Body(embed=True)], f: Annotated[str, Form()]
    ) -> Any:
        return [item, f]

    world.serve(api)
    data = {"item": json.dumps({"name": "a"}), "f": "b"}
    assert world.request("post", "/x", data=data).json() == [{"name": "a"}, "b"]  # type: ignore[attr-defined]
    body = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["post"]["requestBody"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert list(schema["properties"]) == ["f", "item"]


def hiding(view: Any) -> Any:
    """Decorate without functools.wraps."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return wrapper


def test_a_decorator_that_takes_everything_by_position(api: di.NinjaAPI) -> None:
    """When a decorator does not use functools.wraps, then a view without inputs is called."""

    @api.get("/x")
    @hiding
    def view(request: HttpRequest) -> str:
        return request.method or ""

    @api.get("/y", dependencies=[Depends(nothing)])
    @hiding
    def other(request: HttpRequest, q: int) -> int:
        return q

    @api.get("/z")
    def everything(*args: Any, q: int) -> list[Any]:
        return [len(args), q]

    client = TestClient(api)
    assert client.get("/x").json() == "GET"
    assert client.get("/z?q=3").json() == [1, 3]
    with pytest.raises(TypeError, match=r"use functools.wraps\(\) in a decorator"):
        client.get("/y?q=1")


def test_mistakes_for_which_ninja_raises_its_own_error(api: di.NinjaAPI) -> None:
    """When Ninja raises ConfigError for a declaration, then so does the error of ours."""
    with pytest.raises(ConfigError, match="Duplicated name: 'name'") as caught:

        @api.post("/x")
        def twice(request: HttpRequest, name: str = Form(...), item: Item = Form(...)) -> None: ...

    assert isinstance(caught.value, UnsupportedParameterError)
    with pytest.raises(ConfigError, match="with a colon") as caught:

        @api.post("/y")
        def assigned(request: HttpRequest, item=Item) -> None: ...

    assert isinstance(caught.value, UnsupportedParameterError)
    assert caught.value.hint == "Write item: Item, with a colon."
