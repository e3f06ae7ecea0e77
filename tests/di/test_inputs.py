"""Inputs of dependables, over HTTP and in OpenAPI."""

import inspect
import json
from time import process_time
from typing import Annotated, Any, Protocol

import pytest
from annotated_types import Ge
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from ninja import Body, Cookie, File, Form, Header, Path, Query, Schema, UploadedFile
from ninja.pagination import paginate
from ninja.testing import TestClient
from pydantic import Field
from typing_extensions import TypedDict

from di import Depends, NinjaAPI, Security, SecurityScopes, inject
from di.exceptions import BodyConflictError, UnsupportedParameterError
from di.rendering import draw_path
from tests.di.conftest import World


class Item(Schema):
    name: str
    price: float = 1.0


class Owner(Schema):
    email: str


class Filters(Schema):
    q: str = ""
    tags: list[str] = []


def every_source(
    pk: int,
    q: str,
    user_agent: Annotated[str, Header()],
    session: Annotated[str, Cookie()],
    tags: Annotated[list[int], Query()],
    size: Annotated[int, Query(alias="page-size", ge=1)] = 10,
) -> dict[str, Any]:
    return locals()


@pytest.mark.row("C1", "C2")
def test_every_source_can_be_read_in_a_dependable(api: NinjaAPI, world: World) -> None:
    """Path, query, header, cookie, lists, aliases and constraints, as in a view."""

    @api.get("/items/{pk}")
    @world.view
    def view(request: HttpRequest, found: Annotated[Any, Depends(every_source)]) -> Any:
        return found

    world.serve(api)
    response = world.get(
        "/items/7?q=x&tags=1&tags=2&page-size=5",
        headers={"User-Agent": "tests"},
        cookies={"session": "abc"},
    )
    assert response.json() == {  # type: ignore[attr-defined]
        "pk": 7,
        "q": "x",
        "user_agent": "tests",
        "session": "abc",
        "tags": [1, 2],
        "size": 5,
    }
    response = world.get("/items/seven?tags=x&page-size=0")
    assert response.status_code == 422
    assert sorted(error["loc"] for error in response.json()["detail"]) == [  # type: ignore[attr-defined]
        ["cookie", "session"],
        ["header", "user-agent"],
        ["path", "pk"],
        ["query", "page-size"],
        ["query", "q"],
        ["query", "tags", 0],
    ]


@pytest.mark.row("C5", "C6")
def test_every_input_is_documented_once(api: NinjaAPI) -> None:
    """When a dependable reads an input, then the document shows it once at its operation."""

    def again(q: str) -> None: ...

    @api.get("/items/{pk}")
    def view(
        request: HttpRequest, pk: int, a: Any = Depends(every_source), b: None = Depends(again)
    ) -> None: ...

    parameters = api.get_openapi_schema(path_prefix="")["paths"]["/items/{pk}"]["get"]["parameters"]
    assert [(p["in"], p["name"], p["required"]) for p in parameters] == [
        ("path", "pk", True),
        ("query", "q", True),
        ("query", "tags", True),
        ("query", "page-size", False),
        ("header", "user-agent", True),
        ("cookie", "session", True),
    ]


def as_int(limit: int = 1) -> int:
    return limit


def as_text(limit: str = "") -> str:
    return limit


@pytest.mark.row("C1", "C5")
def test_one_name_may_have_two_types(api: NinjaAPI, world: World) -> None:
    """Each dependable gets the value as it declared it, and validates it itself."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest, a: int = Depends(as_int), b: str = Depends(as_text), limit: float = 0
    ) -> Any:
        return [a, b, limit]

    world.serve(api)
    assert world.get("/x?limit=3").json() == [3, "3", 3.0]  # type: ignore[attr-defined]
    detail = world.get("/x?limit=c").json()["detail"]  # type: ignore[attr-defined]
    assert [error["type"] for error in detail] == ["int_parsing", "float_parsing"]


@pytest.mark.row("C5", "D3")
def test_one_mistake_is_told_once(api: NinjaAPI, world: World) -> None:
    """Two dependables that ask for the same thing do not say the same thing twice."""

    def one(n: int) -> int:
        return n

    def two(n: int) -> int:
        return n

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: int = Depends(one), b: int = Depends(two)) -> None: ...

    world.serve(api)
    assert world.get("/x").json() == {  # type: ignore[attr-defined]
        "detail": [{"type": "missing", "loc": ["query", "n"], "msg": "Field required"}]
    }


def read_item(item: Item) -> Item:
    return item


def read_owner(owner: Owner) -> str:
    return owner.email


def body_of(api: NinjaAPI, path: str) -> Any:
    operation = api.get_openapi_schema(path_prefix="")["paths"][path]["post"]
    (schema,) = operation["requestBody"]["content"].values()
    return schema["schema"]


@pytest.mark.row("C7")
def test_one_body_is_sent_bare(api: NinjaAPI, world: World) -> None:
    """Also when view and dependable both declare it: one name, one body."""

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, item: Item, same: Item = Depends(read_item)) -> Any:
        return [item.dict(), same.dict()]

    world.serve(api)
    assert world.post("/x", {"name": "a"}).json() == [{"name": "a", "price": 1.0}] * 2  # type: ignore[attr-defined]
    detail = world.post("/x", {}).json()["detail"]  # type: ignore[attr-defined]
    assert [error["loc"] for error in detail] == [["body", "item", "name"]]
    assert body_of(api, "/x") == {"$ref": "#/components/schemas/Item"}


@pytest.mark.row("C7")
def test_several_bodies_are_embedded_under_their_names(api: NinjaAPI, world: World) -> None:
    """A dependable's body beside the view's changes both, and OpenAPI says so."""

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, item: Item, email: str = Depends(read_owner)) -> Any:
        return [item.name, email]

    world.serve(api)
    sent = {"item": {"name": "a"}, "owner": {"email": "e"}}
    assert world.post("/x", sent).json() == ["a", "e"]  # type: ignore[attr-defined]
    assert world.post("/x", {"name": "a"}).status_code == 422
    assert sorted(body_of(api, "/x")["properties"]) == ["item", "owner"]


@pytest.mark.row("C7")
def test_a_body_may_be_optional_for_one_of_two(api: NinjaAPI, world: World) -> None:
    """It is the same body; without it the one that requires it says so."""

    def perhaps(item: Item | None = None) -> bool:
        return item is None

    @api.post("/x")
    @world.view
    def view(
        request: HttpRequest, item: Annotated[Item, "note"], missing: bool = Depends(perhaps)
    ) -> Any:
        return [item.name, missing]

    world.serve(api)
    assert world.post("/x", {"name": "a"}).json() == ["a", False]  # type: ignore[attr-defined]
    assert world.post("/x", "").status_code == 422


@pytest.mark.row("C7", "J14")
def test_bodies_that_contradict_are_refused(api: NinjaAPI) -> None:
    """One name cannot be two types of body."""

    def other(item: Owner) -> None: ...

    def view(request: HttpRequest, item: Item, o: None = Depends(other)) -> None: ...

    with pytest.raises(BodyConflictError) as caught:
        api.post("/x")(view)
    first, second = inspect.formatannotation(Owner), inspect.formatannotation(Item)
    assert caught.value.problem == f"The body 'item' is declared as {first} and as {second}."
    assert caught.value.path == ((None, view), ("o", other))
    assert caught.value.other == ((None, view),)
    assert f"{draw_path([('o', other)])}\n\n    {draw_path([(None, view)])}\n" in str(caught.value)


class Movie(TypedDict):
    title: str


@pytest.mark.parametrize(
    ("annotation", "hint"),
    [
        (dict, "Write data: dict = Body(...), with Body from ninja."),
        (dict[str, str], "Write data: dict[str, str] = Body(...), with Body from ninja."),
        (Movie, "Write data: Movie = Body(...), with Body from ninja."),
        (dict | None, "Write data: dict | None = Body(...), with Body from ninja."),
    ],
)
def test_a_mapping_is_read_from_the_body_that_its_refusal_tells_to_write(
    annotation: Any, hint: str, api: NinjaAPI, world: World
) -> None:
    """As untyped bodies are written in FastAPI they are refused; what is said then works."""

    def plain(data: annotation) -> Any: ...

    def declared(data: annotation = Body(...)) -> Any:
        return data

    with pytest.raises(UnsupportedParameterError) as caught:
        api.post("/x")(below(plain))
    problem = "Ninja would read 'data' from the query, which cannot hold a mapping."
    assert (caught.value.problem, caught.value.hint) == (problem, hint)
    assert len(caught.value.path) == 2
    api.post("/x")(world.view(below(declared)))
    world.serve(api)
    assert world.post("/x", {"title": "Up"}).json() == {"title": "Up"}  # type: ignore[attr-defined]


def below(call: Any) -> Any:
    def view(request: HttpRequest, value: Any = Depends(call)) -> Any:
        return value

    return view


def test_a_mapping_in_a_path_is_told_what_a_path_holds(api: NinjaAPI) -> None:
    """There a body would be no way out: the path has its name."""

    def view(request: HttpRequest, data: dict[str, str]) -> None: ...

    with pytest.raises(UnsupportedParameterError) as caught:
        api.get("/{data}")(view)
    assert caught.value.problem.startswith("Ninja would read 'data' from the path")
    assert caught.value.hint.startswith("Give it a type that a part of a path")


def test_names_that_clash_are_refused_with_the_view(api: NinjaAPI) -> None:
    """Ninja's own refusal says which; the path says where."""

    def view(request: HttpRequest, s: Annotated[Filters, Query()], q: float = 0) -> None: ...

    with pytest.raises(UnsupportedParameterError) as caught:
        api.get("/x")(view)
    assert caught.value.problem == (
        "Ninja cannot tell these parameters apart. Duplicated name: 'q' also in 's'."
    )
    assert caught.value.path == ((None, view),)


def upload(
    note: Annotated[str, Form()], files: Annotated[list[UploadedFile], File()]
) -> dict[str, Any]:
    return {"note": note, "files": [one.read().decode() for one in files]}


@pytest.mark.row("C1", "C8")
def test_forms_files_and_json_fields(api: NinjaAPI, world: World) -> None:
    """With a form in a dependable, a body of the view is a field of the form."""

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, item: Item, found: Any = Depends(upload)) -> Any:
        return [item.dict(), found]

    world.serve(api)
    data = {
        "note": "n",
        "item": json.dumps({"name": "a"}),
        "files": [SimpleUploadedFile("1", b"one"), SimpleUploadedFile("2", b"two")],
    }
    assert world.request("post", "/x", data=data).json() == [  # type: ignore[attr-defined]
        {"name": "a", "price": 1.0},
        {"note": "n", "files": ["one", "two"]},
    ]
    assert sorted(body_of(api, "/x")["properties"]) == ["files", "item", "note"]


@pytest.mark.row("C1", "C5")
def test_form_fields_are_validated_per_dependable(api: NinjaAPI, world: World) -> None:
    """Forms behave as queries do."""

    def number(n: Annotated[int, Form()]) -> int:
        return n

    def text(n: Annotated[str, Form()]) -> str:
        return n

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, a: int = Depends(number), b: str = Depends(text)) -> Any:
        return [a, b]

    world.serve(api)
    assert world.request("post", "/x", data={"n": "1"}).json() == [1, "1"]  # type: ignore[attr-defined]


@pytest.mark.row("C1", "C5")
def test_schemas_of_a_query_may_overlap(api: NinjaAPI, world: World) -> None:
    """Two dependables may read the same fields as schemas; OpenAPI still builds."""

    def one(filters: Annotated[Filters, Query()]) -> Filters:
        return filters

    def scalar(q: str = "") -> str:
        return q

    def two(others: Annotated[Filters, Query()], q: str = Depends(scalar)) -> Any:
        return [others.dict(), q]

    class More(Filters):
        page: int = 1

    def three(more: Annotated[More, Query()]) -> Any:
        return more.dict()

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: Filters = Depends(one),
        b: Any = Depends(two),
        c: Any = Depends(three),
    ) -> Any:
        return [a.dict(), b, c]

    world.serve(api)
    same = {"q": "x", "tags": ["t"]}
    assert world.get("/x?q=x&tags=t").json() == [same, [same, "x"], {**same, "page": 1}]  # type: ignore[attr-defined]
    parameters = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["get"]["parameters"]
    assert {p["name"] for p in parameters} == {"q", "tags", "page"}


@pytest.mark.row("C1")
def test_params_shared_between_views_are_not_changed(api: NinjaAPI, world: World) -> None:
    """A default in one view does not make the parameter optional in another."""
    shared = Annotated[int, Query()]

    @api.get("/one")
    @world.view
    def one(request: HttpRequest, n: shared = 7) -> int:
        return n

    @api.get("/two")
    @world.view
    def two(request: HttpRequest, n: shared) -> int:
        return n

    world.serve(api)
    assert world.get("/one").json() == 7  # type: ignore[attr-defined]
    assert world.get("/two").status_code == 422


@pytest.mark.row("C5")
def test_aliases_that_clash_in_the_document_are_told_apart(api: NinjaAPI, world: World) -> None:
    """One parameter name under two aliases is two parameters."""

    def one(n: Annotated[int, Query(alias="a")]) -> int:
        return n

    def two(n: Annotated[int, Query(alias="b")]) -> int:
        return n

    def three(n: int) -> int:
        return n

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: int = Depends(one),
        b: int = Depends(two),
        c: int = Depends(three),
    ) -> Any:
        return [a, b, c]

    world.serve(api)
    assert world.get("/x?a=1&b=2&n=3").json() == [1, 2, 3]  # type: ignore[attr-defined]
    parameters = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["get"]["parameters"]
    assert [p["name"] for p in parameters] == ["a", "b", "n"]


@pytest.mark.row("C11", "C13")
def test_what_the_host_gives(api: NinjaAPI, world: World) -> None:
    """The request by annotation or by name, and the response to set headers on."""

    def named(request, response: HttpResponse) -> str:  # type: ignore[no-untyped-def]
        response["X-Named"] = request.path
        return str(request.method)

    def annotated(r: HttpRequest, answer: Annotated[HttpResponse, "for cookies"]) -> str:
        answer.set_cookie("seen", "1")
        return r.path

    @api.get("/x")
    @world.view
    def view(
        r: HttpRequest, response: HttpResponse, a: str = Depends(named), b: str = Depends(annotated)
    ) -> Any:
        response["X-View"] = r.path
        return [a, b]

    world.serve(api)
    response = world.get("/x")
    assert response.json() == ["GET", "/x"]  # type: ignore[attr-defined]
    assert (response["X-Named"], response["X-View"]) == ("/x", "/x")
    assert response.cookies["seen"].value == "1"


@pytest.mark.row("C2", "C4")
def test_a_path_parameter_needs_no_default(api: NinjaAPI, world: World) -> None:
    """When a dependable has a default, then it holds in operations whose path lacks the name."""

    def which(pk: int = 0) -> int:
        return pk

    for path in ("/", "/{pk}"):

        @api.get(path, operation_id=path)
        @world.view
        def view(request: HttpRequest, pk: int = Depends(which)) -> int:
            return pk

    world.serve(api)
    assert [world.get(path).json() for path in ("/", "/3")] == [0, 3]  # type: ignore[attr-defined]


@pytest.mark.row("C5")
def test_a_dependables_limit_beside_paginate(world: World) -> None:
    """@paginate reads its own limit, the dependable reads another."""
    api = NinjaAPI(urls_namespace="api")

    if world.is_async:
        pytest.skip("Ninja paginates async views over querysets only")

    @api.get("/x", response=list[int])
    @paginate
    @inject
    def view(request: HttpRequest, limit: int = Depends(as_int)) -> Any:
        return [limit] * 5

    @api.get("/y", response=list[int])
    @inject
    @paginate
    def below(request: HttpRequest, limit: int = Depends(as_int)) -> Any:
        return [limit] * 5

    world.serve(api)
    for path in ("/x", "/y"):
        assert world.get(f"{path}?limit=2").json() == {"items": [2, 2], "count": 5}  # type: ignore[attr-defined]


class Service:
    """Something that no request can hold."""


@pytest.mark.row("J8")
def test_what_no_request_can_hold_is_refused_by_name(api: NinjaAPI) -> None:
    """A service without Depends is told to have one, with the way to it."""

    def uses(q: str, service: Annotated[Service, Query()]) -> None: ...

    with pytest.raises(
        UnsupportedParameterError, match=r"'service' \(tests.di.*Service(.|\n)*= Depends\(f\)"
    ):

        @api.get("/x")
        def view(request: HttpRequest, x: None = Depends(uses)) -> None: ...


def test_what_pydantic_cannot_use_is_refused_with_its_advice(api: NinjaAPI) -> None:
    """A mistake inside a type: pydantic says what to do, the path where."""

    def view(
        request: HttpRequest, one: Annotated[Item | Owner, Field(discriminator="kind")]
    ) -> None: ...

    with pytest.raises(UnsupportedParameterError, match="cannot read this") as caught:
        api.post("/x")(view)
    assert caught.value.path == ((None, view),)
    assert caught.value.hint == "Model 'Item' needs a discriminator field for key 'kind'"


@pytest.mark.row("C1", "C7")
def test_body_params_and_path_aliases(api: NinjaAPI, world: World) -> None:
    """Explicit Params work in dependables as they do in views."""

    def parts(
        number: Annotated[int, Path(alias="pk")], note: Annotated[str, Body()]
    ) -> list[object]:
        return [number, note]

    @api.post("/x/{pk}")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(parts)) -> Any:
        return found

    world.serve(api)
    assert world.post("/x/3", json.dumps("text")).json() == [3, "text"]  # type: ignore[attr-defined]


class Agent(Schema):
    user_agent: str
    x_token: str = "none"


class Login(Schema):
    name: str
    roles: list[int] = []


class Day(Schema):
    year: int
    month: int


class Visit(Schema):
    session: str


@pytest.mark.row("C1")
def test_schemas_of_every_source(api: NinjaAPI, world: World) -> None:
    """Header, cookie, path and form schemas in one dependable, each documented by field."""

    def every_schema(
        agent: Annotated[Agent, Header()],
        visit: Annotated[Visit, Cookie()],
        day: Annotated[Day, Path()],
        login: Annotated[Login, Form()],
        filters: Annotated[Filters, Query()],
    ) -> Any:
        return [one.dict() for one in (agent, visit, day, login, filters)]

    @api.post("/{year}/{month}")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(every_schema)) -> Any:
        return found

    world.serve(api)
    response = world.request(
        "post",
        "/2026/11?q=x&tags=a&tags=b",
        data={"name": "ann", "roles": ["1", "2"]},
        headers={"User-Agent": "tests", "X-Token": "t"},
        cookies={"session": "s"},
    )
    assert response.json() == [  # type: ignore[attr-defined]
        {"user_agent": "tests", "x_token": "t"},
        {"session": "s"},
        {"year": 2026, "month": 11},
        {"name": "ann", "roles": [1, 2]},
        {"q": "x", "tags": ["a", "b"]},
    ]
    response = world.request("post", "/x/11", data={"roles": ["a"]}, headers={"User-Agent": "t"})
    assert sorted(one["loc"][:2] for one in response.json()["detail"]) == [  # type: ignore[attr-defined]
        ["cookie", "session"],
        ["form", "login"],
        ["form", "name"],
        ["path", "year"],
    ]
    operation = api.get_openapi_schema(path_prefix="")["paths"]["/{year}/{month}"]["post"]
    assert [(one["in"], one["name"]) for one in operation["parameters"]] == [
        *(("path", "year"), ("path", "month"), ("query", "q"), ("query", "tags")),
        *(("header", "user_agent"), ("header", "x_token"), ("cookie", "session")),
    ]
    assert sorted(body_of(api, "/{year}/{month}")["properties"]) == ["name", "roles"]


@pytest.mark.row("C1")
def test_headers_by_alias_and_by_name(api: NinjaAPI, world: World) -> None:
    """Underscores are hyphens; an alias is taken as it stands."""

    def read(
        x_request_id: Annotated[str, Header()], token: Annotated[str, Header(alias="X-Token")]
    ) -> Any:
        return [x_request_id, token]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(read)) -> Any:
        return found

    world.serve(api)
    response = world.get("/x", headers={"X-Request-Id": "1", "x-token": "2"})
    assert response.json() == ["1", "2"]  # type: ignore[attr-defined]


@pytest.mark.row("A5", "C1")
def test_the_last_param_of_several_counts(api: NinjaAPI, world: World) -> None:
    """Nothing is left of the others, and constraints may be anywhere in Annotated."""

    def read(
        x_one: Annotated[str, Query(alias="q", min_length=5), Header()],
        two: Annotated[int, Header(alias="X-Two"), Ge(1), "note"],
    ) -> Any:
        return [x_one, two]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(read)) -> Any:
        return found

    world.serve(api)
    found = [world.get("/x", headers={"X-One": "1", "X-Two": two}) for two in ("2", "0")]
    assert found[0].json() == ["1", 2]  # type: ignore[attr-defined]
    assert found[1].json()["detail"][0]["loc"] == ["header", "X-Two"]  # type: ignore[attr-defined]


@pytest.mark.row("C1")
def test_defaults_made_by_a_param(api: NinjaAPI, world: World) -> None:
    """`default_factory` makes one a request, in both styles."""
    made: list[int] = []

    def fresh() -> list[int]:
        made.append(1)
        return list(made)

    def one(n: Annotated[list[int], Query(default_factory=fresh)]) -> Any:
        return n

    def two(m: list[int] = Query(default_factory=fresh)) -> Any:  # type: ignore[assignment]
        return m

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: Any = Depends(one), b: Any = Depends(two)) -> Any:
        return [a, b]

    world.serve(api)
    found = [world.get(url).json() for url in ("/x", "/x?n=7", "/x")]  # type: ignore[attr-defined]
    assert found == [[[1], [1, 1]], [[7], [1] * 3], [[1] * 4, [1] * 5]]


@pytest.mark.row("C9")
@pytest.mark.parametrize("method", ["get", "delete"])
def test_a_body_on_any_method(method: str, api: NinjaAPI) -> None:
    """Unusual, but read and documented where it is asked for."""

    @getattr(api, method)("/x")
    def view(request: HttpRequest, item: Item = Depends(read_item)) -> Any:
        return item.dict()

    send = getattr(TestClient(api), method)
    assert send("/x", json={"name": "a"}).json() == {"name": "a", "price": 1.0}
    operation = api.get_openapi_schema(path_prefix="")["paths"]["/x"][method]
    assert operation["requestBody"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Item"}}
    }


@pytest.mark.row("C7")
def test_an_alias_names_a_body(api: NinjaAPI, world: World) -> None:
    """Alone it is sent bare; beside another it is found under its alias."""

    def read(note: Annotated[str, Body(alias="remark")]) -> str:
        return note

    @api.post("/alone")
    @world.view
    def alone(request: HttpRequest, note: str = Depends(read)) -> str:
        return note

    @api.post("/beside")
    @world.view
    def beside(request: HttpRequest, item: Item, note: str = Depends(read)) -> Any:
        return [item.name, note]

    world.serve(api)
    assert world.post("/alone", '"text"').json() == "text"  # type: ignore[attr-defined]
    sent = {"item": {"name": "a"}, "remark": "text"}
    assert world.post("/beside", sent).json() == ["a", "text"]  # type: ignore[attr-defined]
    assert sorted(body_of(api, "/beside")["properties"]) == ["item", "remark"]


@pytest.mark.row("C2")
def test_uploads_need_no_file_marker(api: NinjaAPI, world: World) -> None:
    """One, several, or perhaps none: never a query parameter."""

    def read(
        one: UploadedFile, several: list[UploadedFile], perhaps: UploadedFile | None = None
    ) -> Any:
        return [one.name, [other.name for other in several], perhaps]

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(read)) -> Any:
        return found

    world.serve(api)
    files = [SimpleUploadedFile(name, b"") for name in "abc"]
    response = world.request("post", "/x", data={"one": files[0], "several": files[1:]})
    assert response.json() == ["a", ["b", "c"], None]  # type: ignore[attr-defined]
    operation = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["post"]
    assert operation["parameters"] == []
    body = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert (list(body["properties"]), body["required"]) == (
        ["one", "several", "perhaps"],
        ["one", "several"],
    )


@pytest.mark.row("C1")
def test_any_name_will_do(api: NinjaAPI, world: World) -> None:
    """Also one that pydantic's or Ninja's models have for themselves."""

    def read(
        resolve: Item,
        _hidden: int = 1,
        model_config: int = 2,
        schema: Annotated[int, Query(alias="copy")] = 3,
    ) -> Any:
        return [resolve.name, _hidden, model_config, schema]

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(read), json: int = 4) -> Any:
        return [*found, json]

    world.serve(api)
    url = "/x?_hidden=5&model_config=6&copy=7&json=8"
    assert world.post(url, {"name": "a"}).json() == ["a", 5, 6, 7, 8]  # type: ignore[attr-defined]
    assert world.post("/x", {"name": "a"}).json() == ["a", 1, 2, 3, 4]  # type: ignore[attr-defined]
    detail = world.post("/x?_hidden=x", {}).json()["detail"]  # type: ignore[attr-defined]
    assert sorted(one["loc"] for one in detail) == [
        ["body", "resolve", "name"],
        ["query", "_hidden"],
    ]
    parameters = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["post"]["parameters"]
    assert [one["name"] for one in parameters] == ["json", "_hidden", "model_config", "copy"]


class OwnRequest(HttpRequest):
    """What some middleware makes of requests, for type checkers."""


@pytest.mark.row("C11", "C13")
def test_what_the_host_gives_in_every_form(api: NinjaAPI, world: World) -> None:
    """By annotation, subclass, Annotated or optional; all of one kind are filled alike."""

    def special(
        a: HttpRequest,
        b: OwnRequest,
        c: Annotated[HttpRequest, "note"],
        d: HttpRequest | None,
        e: OwnRequest | HttpRequest | None = None,
        *,
        r: HttpResponse,
        s: Annotated[HttpResponse | None, "note"] = None,
        one: SecurityScopes,
        two: Annotated[SecurityScopes, "note"],
    ) -> Any:
        assert s is not None
        return [a is b is c is d is e, r is s, one.scopes, two.scopes]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Security(special, scopes=["me"])) -> Any:
        return found

    world.serve(api)
    assert world.get("/x").json() == [True, True, ["me"], ["me"]]  # type: ignore[attr-defined]
    operation = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["get"]
    assert operation["parameters"] == []


@pytest.mark.row("C11")
def test_a_dependency_on_a_special_type_wins(api: NinjaAPI, world: World) -> None:
    """What Depends names fills the parameter, whatever it is annotated with."""

    def changed(request: HttpRequest) -> str:
        return f"changed {request.path}"

    def read(request: HttpRequest = Depends(changed), r: HttpResponse = Depends(changed)) -> Any:
        return [request, r]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(read)) -> Any:
        return found

    world.serve(api)
    assert world.get("/x").json() == ["changed /x"] * 2  # type: ignore[attr-defined]


@pytest.mark.row("C5", "C6")
def test_the_order_of_the_document(api: NinjaAPI) -> None:
    """Inputs are sorted by source; within one, the view's own come first, then those below it."""

    def deep(q4: int = 0, h2: Annotated[int, Header()] = 0) -> None: ...
    def outer(pk: int, q2: int = 0, d: None = Depends(deep), q3: int = 0) -> None: ...
    def last(q5: int = 0, c: Annotated[int, Cookie()] = 0) -> None: ...

    @api.get("/{pk}/{other}")
    def view(
        request: HttpRequest,
        h1: Annotated[int, Header()],
        q1: int,
        other: int,
        o: None = Depends(outer),
        e: None = Depends(last),
    ) -> None: ...

    operation = api.get_openapi_schema(path_prefix="")["paths"]["/{pk}/{other}"]["get"]
    assert [one["name"] for one in operation["parameters"]] == [
        *("other", "pk", "q1", "q2", "q3", "q4", "q5", "h1", "h2", "c")
    ]


@pytest.mark.row("C5")
def test_whoever_requires_a_parameter_is_documented(api: NinjaAPI, world: World) -> None:
    """Optional for one and required by another is required, as the first of these has it."""

    def optional(n: int = 1, item: Item | None = None) -> Any:
        return n

    def required(n: int, item: Item | None) -> Any:
        return n

    def also(n: float) -> Any:
        return n

    @api.post("/x", dependencies=[Depends(optional), Depends(required), Depends(also)])
    @world.view
    def view(request: HttpRequest, n: str = "") -> str:
        return n

    world.serve(api)
    assert world.post("/x", {"name": "a"}).status_code == 422
    assert world.post("/x?n=1", {"name": "a"}).json() == "1"  # type: ignore[attr-defined]
    operation = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["post"]
    (parameter,) = operation["parameters"]
    assert (parameter["required"], parameter["schema"]["type"]) == (True, "integer")
    assert operation["requestBody"]["required"] is True


class HasMethod(Protocol):
    method: str


def by_any(request: Any) -> Any:
    return request.method


def by_protocol(request: HasMethod) -> Any:
    return request.method


def by_checkers_only(request: "OnlyForTypeCheckers") -> Any:  # type: ignore[name-defined]  # noqa: F821
    return request.method


def by_query(request: Annotated[str, Query()]) -> Any:
    return request


def by_query_too(request: str = Query()) -> Any:
    return request


@pytest.mark.parametrize(
    ("dependable", "value"),
    [
        *((by_any, "GET"), (by_protocol, "GET"), (by_checkers_only, "GET")),
        *((by_query, "a"), (by_query_too, "a")),
    ],
)
def test_a_parameter_called_request_is_the_request(
    dependable: Any, value: str, api: NinjaAPI, world: World
) -> None:
    """Whatever its annotation says to type checkers, as in a view; unless it has a Param."""

    @api.get("/x")
    @world.view
    def view(request: "OnlyForTypeCheckers", found: str = Depends(dependable)) -> Any:  # type: ignore[name-defined]  # noqa: F821
        return [request.method, found]

    world.serve(api)
    assert world.get("/x?request=a").json() == ["GET", value]  # type: ignore[attr-defined]


def test_many_errors_are_told_in_linear_time(api: NinjaAPI, world: World) -> None:
    """When a body has thousands of errors, then telling each once takes a moment, not minutes."""

    class Closed(Schema, extra="forbid"):
        name: str = ""

    def get_name(item: Closed) -> str:
        return item.name

    @api.post("/items")
    @world.view
    def view(request: HttpRequest, item: Closed, name: Annotated[str, Depends(get_name)]) -> Any:
        return name

    world.serve(api)
    before = process_time()
    answer: Any = world.post("/items", {f"a{number}": 0 for number in range(30_000)})
    assert answer.status_code == 422
    assert [one["loc"][-1] for one in answer.json()["detail"]] == [f"a{n}" for n in range(30_000)]
    assert process_time() - before < 10
