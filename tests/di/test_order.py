"""What happens before what: levels, dependables, inputs, errors."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import ninja
import pytest
from django.http import HttpRequest
from django.test import Client
from ninja import Cookie, Header, Path, Query, Schema
from ninja.errors import ValidationError
from pydantic import field_validator

from di import Depends, HTTPException, NinjaAPI, Security, SecurityScopes, inject
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


def note(name: str) -> Any:
    """Return a marker of a dependable that notes that it was called."""

    def noted() -> None:
        events.append(name)

    return Depends(noted)


def noting(name: str) -> Any:
    """Return a schema that notes when it is validated."""

    class Noting(Schema):
        n: int

        @field_validator("n")
        @classmethod
        def _note(cls, n: int) -> int:
            events.append(f"{name} is validated")
            return n

    return Noting


class Item(Schema):
    name: str
    price: float


@pytest.mark.row("D1")
def test_parameters_follow_dependencies_left_to_right(api: NinjaAPI, world: World) -> None:
    """Whichever style declares them, and whatever stands between them."""

    @api.get("/x", dependencies=[note("one"), note("two")])
    @world.view
    def view(
        request: HttpRequest,
        a: Annotated[None, note("three")],
        q: int = 1,
        b: None = note("four"),
        *,
        c: Annotated[None, note("five")],
    ) -> None:
        events.append("view")

    world.serve(api)
    assert world.get("/x").status_code == 200
    assert events == ["one", "two", "three", "four", "five", "view"]


@pytest.mark.row("D2")
def test_inputs_are_validated_between_the_dependencies_and_the_call(
    api: NinjaAPI, world: World
) -> None:
    """For each dependable in turn; the view's own inputs are the last."""
    inner_input, outer_input, view_input = noting("inner"), noting("outer"), noting("view")

    def inner(q: Annotated[inner_input, Query()]) -> None:
        events.append("inner is called")

    def outer(q: Annotated[outer_input, Query()], i: None = Depends(inner)) -> None:
        events.append("outer is called")

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest, q: Annotated[view_input, Query()], o: None = Depends(outer)
    ) -> None:
        events.append("view is called")

    world.serve(api)
    assert world.get("/x?n=1").status_code == 200
    assert events == [
        *("inner is validated", "inner is called"),
        *("outer is validated", "outer is called"),
        *("view is validated", "view is called"),
    ]


def everything(
    pk: Annotated[int, Path()],
    q: int,
    x_number: Annotated[int, Header(alias="X-Number")],
    taste: Annotated[int, Cookie()],
    item: Item,
) -> None:
    raise AssertionError


@pytest.mark.row("D3", "D5")
def test_the_errors_of_all_are_told_in_the_order_in_which_they_are_found(
    api: NinjaAPI, world: World
) -> None:
    """Deepest first, then each dependable's own, the view's last: the whole answer."""

    def middle(size: int, e: None = Depends(everything)) -> None:
        raise AssertionError

    def above(m: None = Depends(middle)) -> None:
        raise AssertionError

    @api.post("/x/{pk}")
    @world.view
    def view(request: HttpRequest, last: int, m: None = Depends(above)) -> None:
        raise AssertionError

    world.serve(api)
    response: Any = world.post(
        "/x/a?q=b&last=c",
        {"name": "n", "price": "d"},
        headers={"X-Number": "e"},
        cookies={"taste": "f"},
    )
    integer = "Input should be a valid integer, unable to parse string as an integer"
    number = "Input should be a valid number, unable to parse string as a number"
    assert response.status_code == 422
    assert response.json() == {
        "detail": [
            {"type": "int_parsing", "loc": ["path", "pk"], "msg": integer},
            {"type": "int_parsing", "loc": ["query", "q"], "msg": integer},
            {"type": "int_parsing", "loc": ["header", "X-Number"], "msg": integer},
            {"type": "int_parsing", "loc": ["cookie", "taste"], "msg": integer},
            {"type": "float_parsing", "loc": ["body", "item", "price"], "msg": number},
            {"type": "missing", "loc": ["query", "size"], "msg": "Field required"},
            {"type": "int_parsing", "loc": ["query", "last"], "msg": integer},
        ]
    }


@pytest.mark.row("D3")
def test_a_bad_dependable_used_twice_is_told_once(api: NinjaAPI, world: World) -> None:
    """Also when each use calls it anew."""

    def bad(n: int) -> None:
        raise AssertionError

    @api.get("/x", dependencies=[Depends(bad), Depends(bad, use_cache=False)])
    @world.view
    def view(request: HttpRequest, b: None = Depends(bad)) -> None:
        raise AssertionError

    world.serve(api)
    response: Any = world.get("/x")
    assert response.status_code == 422
    assert [error["loc"] for error in response.json()["detail"]] == [["query", "n"]]


def opened() -> Iterator[None]:
    events.append("opens")
    try:
        yield
    except BaseException as error:
        events.append(f"sees {type(error).__name__}")
        raise
    finally:
        events.append("closes")


def token_of(request: HttpRequest, scopes: SecurityScopes) -> str:
    events.append(f"token for {scopes.scope_str}")
    if "Authorization" not in request.headers:
        raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    return request.headers["Authorization"]


@pytest.mark.row("D4")
@pytest.mark.parametrize("url", ["/plain", "/injecting"])
def test_who_is_not_let_in_learns_nothing_about_the_inputs(url: str, world: World) -> None:
    """Missing, bad or malformed, in the query or the body: 401, and nothing later runs."""
    plain = ninja.NinjaAPI(urls_namespace="plain")
    injecting = NinjaAPI(urls_namespace="injecting")

    @plain.post("/x")
    @injecting.post("/x")
    @inject
    @world.view
    def view(
        request: HttpRequest,
        item: Item,
        n: int,
        token: str = Security(token_of, scopes=["items"]),
        o: None = Depends(opened),
    ) -> str:
        return token

    world.serve(NinjaAPI(urls_namespace="root"), plain, injecting)
    for query, body in (("", {}), ("?n=x", {"name": 1}), ("?n=1", "{broken")):
        response: Any = world.post(f"{url}/x{query}", body)
        assert response.status_code == 401
        assert response.json() == {"detail": "Not authenticated"}
        assert response["WWW-Authenticate"] == "Bearer"
    assert events == ["token for items"] * 3

    events.clear()
    allowed = {"headers": {"Authorization": "Bearer t"}}
    assert world.post(f"{url}/x?n=1", "{broken", **allowed).status_code == 400
    assert world.post(f"{url}/x?n=x", {"name": 1}, **allowed).status_code == 422
    assert events == [
        *("token for items", "opens", "sees HttpError", "closes"),
        *("token for items", "opens", "sees ValidationError", "closes"),
    ]
    response = world.post(f"{url}/x?n=1", {"name": "a", "price": 1}, **allowed)
    assert (response.status_code, response.json()) == (200, "Bearer t")


@pytest.mark.row("D4")
def test_malformed_json_comes_before_what_needs_it_and_after_the_rest(
    api: NinjaAPI, world: World
) -> None:
    """The 400 is raised in the place of the first dependable that reads the body."""

    def reads(item: Item) -> None:
        events.append("reads")

    @api.post("/x")
    @world.view
    def view(
        request: HttpRequest,
        before: None = note("before"),
        item: None = Depends(reads),
        after: None = note("after"),
    ) -> None: ...

    world.serve(api)
    response: Any = world.post("/x", "{broken")
    assert response.status_code == 400
    assert events == ["before"]


class Refused(Exception):  # noqa: N818 - what a project calls its own
    """An exception that an API has a handler for."""


@pytest.mark.row("D6")
def test_handlers_answer_after_everything_is_closed(api: NinjaAPI, world: World) -> None:
    """What a handler of the API says, it says when both scopes have seen the exception."""

    @api.exception_handler(Refused)
    def handler(request: HttpRequest, error: Refused) -> Any:
        events.append("handler")
        return api.create_response(request, {"refused": error.args[0]}, status=451)

    def refuses() -> None:
        raise Refused("by law")

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        r: None = Depends(opened),
        f: None = Depends(opened, scope="function"),
        no: None = Depends(refuses),
    ) -> None:
        raise AssertionError

    world.serve(api)
    response: Any = world.get("/x")
    assert (response.status_code, response.json()) == (451, {"refused": "by law"})
    assert events == ["opens", "opens", *["sees Refused", "closes"] * 2, "handler"]


@pytest.mark.row("D6")
def test_the_detail_of_an_exception_may_be_any_json(api: NinjaAPI, world: World) -> None:
    """With its headers, raised below the view."""

    def refuses() -> None:
        raise HTTPException(403, {"needs": ["admin", 1, None]}, {"X-Why": "role"})

    @api.get("/x", dependencies=[Depends(refuses)])
    @world.view
    def view(request: HttpRequest) -> None:
        raise AssertionError

    world.serve(api)
    response: Any = world.get("/x")
    assert (response.status_code, response["X-Why"]) == (403, "role")
    assert response.json() == {"detail": {"needs": ["admin", 1, None]}}


@pytest.mark.row("D6", "K8")
def test_an_unhandled_exception_reaches_the_test_that_sent_the_request(
    api: NinjaAPI, world: World
) -> None:
    """Django's client raises the dependable's own exception, not a wrapper of it."""
    bug = ZeroDivisionError("a bug")

    def fails() -> None:
        raise bug

    @api.get("/x", dependencies=[Depends(fails)])
    @world.view
    def view(request: HttpRequest) -> None:
        raise AssertionError

    world.serve(api)
    assert world.get("/x").status_code == 500
    with pytest.raises(ZeroDivisionError) as caught:
        Client().get("/x")
    assert caught.value is bug


@pytest.mark.row("D7")
def test_nothing_runs_for_what_is_no_operation(world: World) -> None:
    """Not for a path or a method that is not there, nor for the documentation."""
    api = NinjaAPI(urls_namespace="api", dependencies=[note("api")])

    @api.get("/x")
    @world.view
    def view(request: HttpRequest) -> None: ...

    world.serve(api)
    urls = {"/nowhere": 404, "/docs": 200, "/openapi.json": 200}
    assert {url: world.get(url).status_code for url in urls} == urls
    assert world.post("/x").status_code == 405
    assert events == []
    assert world.get("/x").status_code == 200
    assert events == ["api"]


@pytest.mark.row("K7")
def test_a_projects_own_format_of_validation_errors_holds(world: World) -> None:
    """Both of Ninja's ways: the hook that builds the error, and the handler that answers it."""

    class Own(NinjaAPI):
        def validation_error_from_error_contexts(self, error_contexts: Any) -> ValidationError:
            sources = [one.model.__ninja_param_source__ for one in error_contexts]
            return ValidationError([{"sources": sources}])

    api = Own(urls_namespace="api")

    @api.exception_handler(ValidationError)
    def handler(request: HttpRequest, error: ValidationError) -> Any:
        sent = json.loads(request.body)
        return api.create_response(request, {"errors": error.errors, "sent": sent}, status=400)

    def reads(n: int) -> None:
        raise AssertionError

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, item: Item, r: None = Depends(reads)) -> None:
        raise AssertionError

    world.serve(api)
    response: Any = world.post("/x", {"name": 1})
    assert response.status_code == 400
    assert response.json() == {"errors": [{"sources": ["query", "body"]}], "sent": {"name": 1}}
