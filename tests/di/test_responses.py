"""What dependables and view set on the response that is not there yet."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import ninja
import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Field, Schema, Status
from ninja.streaming import SSE
from ninja.testing import TestAsyncClient, TestClient
from pydantic import BaseModel, ConfigDict, PrivateAttr, computed_field, model_serializer

from di import Depends, HTTPException, NinjaAPI
from tests.di.conftest import World


def first(response: HttpResponse) -> None:
    response["X-First"] = "first"
    response["X-Clash"] = "first"
    response.set_cookie("first", "1")
    response.set_cookie("clash", "first")
    response.status_code = 202


def second(response: HttpResponse, before: None = Depends(first)) -> None:
    response["X-Second"] = f"after {response['X-First']}"
    response["X-Clash"] = "second"
    response.set_cookie("clash", "second", max_age=60)
    response.status_code = 203


def own(content: Any = b"own", cls: Any = HttpResponse, **options: Any) -> Any:
    """Return a response of the view's own that clashes with what dependables set."""
    response = cls(content, content_type="text/plain", headers={"X-Clash": "own"}, **options)
    response.set_cookie("clash", "own")
    return response


def seen(response: Any) -> dict[str, Any]:
    """Return all that a client sees of what was set, each header line by itself."""
    assert len({name.lower() for name, _ in response.items()}) == len(response.items())
    names = ("X-First", "X-Second", "X-Clash", "X-View")
    return {
        "status": response.status_code,
        "headers": [response.get(name) for name in names],
        "cookies": {name: cookie.value for name, cookie in response.cookies.items()},
    }


@pytest.mark.row("C13", "C14")
def test_what_is_set_accumulates(api: NinjaAPI, world: World) -> None:
    """One response for all of them, in the order of their calls; the last word is the view's."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, response: HttpResponse, s: None = Depends(second)) -> int:
        assert response.status_code == 203
        response["X-View"] = response["X-Clash"]
        response["X-Clash"] = "view"
        response.status_code = 201
        return 1

    world.serve(api)
    assert seen(world.get("/x")) == {
        "status": 201,
        "headers": ["first", "after first", "view", "second"],
        "cookies": {"first": "1", "clash": "second"},
    }


@pytest.mark.row("C14")
@pytest.mark.parametrize("cls", [HttpResponse, StreamingHttpResponse])
def test_a_response_of_the_views_own_wins(cls: Any, api: NinjaAPI, world: World) -> None:
    """On a clash; the rest is added to it, and no line is there twice."""
    if world.is_asgi and cls is StreamingHttpResponse:
        pytest.skip("Django warns when a stream is not of its handler's kind")

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, s: None = Depends(second)) -> Any:
        return own([b"own"], cls, status=418)

    world.serve(api)
    response: Any = world.get("/x")
    assert seen(response) == {
        "status": 418,
        "headers": ["first", "after first", "own", None],
        "cookies": {"first": "1", "clash": "own"},
    }
    assert response["Content-Type"] == "text/plain"
    assert response.getvalue() == b"own"


@pytest.mark.row("C14")
def test_a_view_may_return_the_response_that_it_was_given(api: NinjaAPI, world: World) -> None:
    """It is sent as it is, and what was set on it is there once."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, response: HttpResponse, s: None = Depends(second)) -> Any:
        response.content = b"given"
        return response

    world.serve(api)
    response = world.get("/x")
    assert (response.status_code, response.content) == (203, b"given")
    assert seen(response)["headers"] == ["first", "after first", "second", None]


@pytest.mark.row("C14")
@pytest.mark.django_db  # the end of a stream is one of a request, which looks after connections
@pytest.mark.parametrize("scope", ["function", "request", None])
def test_a_stream_begins_with_what_was_set(scope: Any, api: NinjaAPI, world: World) -> None:
    """Before its first item is made, though Ninja itself adds it after the last."""

    def generator(response: HttpResponse, s: None = Depends(second)) -> Iterator[None]:
        response["X-View"] = response["X-Accel-Buffering"] = "yes"
        yield

    marker = Depends(generator, scope=scope) if scope else Depends(second)
    route = api.get("/x", dependencies=[marker], response=SSE[int])
    if world.is_async:

        @route
        async def aview(request: HttpRequest) -> AsyncIterator[int]:
            yield 1

    else:

        @route
        def view(request: HttpRequest) -> Iterator[int]:
            yield 1

    world.serve(api)
    response: Any = world.get("/x")
    assert seen(response) == {
        "status": 203,
        "headers": ["first", "after first", "second", "yes" if scope else None],
        "cookies": {"first": "1", "clash": "second"},
    }
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-cache"
    assert response["X-Accel-Buffering"] == ("yes" if scope else "no")
    response.close()


@pytest.mark.row("C14")
@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(status: int, api: NinjaAPI) -> None:
    """Whoever sets it, and whatever the view returns."""

    def empty(response: HttpResponse) -> None:
        response.status_code = status

    @api.get("/x", dependencies=[Depends(empty)])
    def view(request: HttpRequest) -> Any:
        return {"not": "sent"}

    # Django's test clients would remove a body, servers would send it.
    response = TestClient(api).get("/x")
    assert (response.status_code, response.content) == (status, b"")


@pytest.mark.row("C14")
def test_a_status_that_the_view_returns_wins(api: NinjaAPI, world: World) -> None:
    """It is said last, as `Status` or in a pair."""

    @api.get("/said", dependencies=[Depends(second)], response={200: int, 206: int})
    @world.view
    def said(request: HttpRequest, pair: bool) -> Any:
        return (206, 1) if pair else Status(206, 1)

    world.serve(api)
    assert world.get("/said?pair=false").status_code == 206
    with pytest.warns(DeprecationWarning, match="Use Status"):
        assert world.get("/said?pair=true").status_code == 206


@pytest.mark.row("C14")
def test_a_status_that_was_set_wins_over_one_that_is_declared(api: NinjaAPI, world: World) -> None:
    """Also if it is 200, with which every response begins."""

    def set_status(response: HttpResponse, status: int) -> None:
        assert response.status_code == 200
        response.status_code = status

    @api.get("/declared", response={201: int})
    @world.view
    def declared(request: HttpRequest) -> int:
        return 1

    @api.get("/set", dependencies=[Depends(set_status)], response={201: int})
    @world.view
    def set_before(request: HttpRequest) -> int:
        return 1

    world.serve(api)
    assert world.get("/declared").status_code == 201
    assert [world.get(f"/set?status={one}").status_code for one in (203, 200)] == [203, 200]


@pytest.mark.row("C14")
def test_an_exception_drops_what_was_set(api: NinjaAPI, world: World) -> None:
    """Its answer is another response."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, n: int, s: None = Depends(second)) -> None:
        raise HTTPException(409, headers={"X-View": "exception"})

    world.serve(api)
    assert [seen(world.get(url)) for url in ("/x?n=1", "/x")] == [
        {"status": 409, "headers": [None, None, None, "exception"], "cookies": {}},
        {"status": 422, "headers": [None] * 4, "cookies": {}},
    ]


class Person(Schema):
    name: str
    nick: str = Field("none", alias="nickName")


class Stored(Person):
    password: str = "hash"


@pytest.mark.filterwarnings("ignore:Returning tuple")
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("response", "value"),
    [
        (Person, Stored(name="Ann")),
        ({201: Person}, Stored(name="Ann")),
        ({200: Person, 409: None}, Status(200, Stored(name="Ann"))),
        ({...: Person}, Status(299, Stored(name="Ann"))),
        (Person, (200, Stored(name="Ann"))),
        ({200: Person, 404: Person}, (404, Stored(name="Ann"))),
        (Person | None, Stored(name="Ann")),
        (list[Person], [Stored(name="Ann")]),
        (Person, Person(name="Ann")),
        (Person, {"name": "Ann", "password": "hash"}),
    ],
)
def test_what_the_response_does_not_declare_is_not_sent(
    response: Any, value: Any, is_async: bool, api: NinjaAPI
) -> None:
    """A subclass's further fields stay here, as in FastAPI; plain Ninja sends them."""

    def view(request: HttpRequest) -> Any:
        return value

    async def aview(request: HttpRequest) -> Any:
        return value

    api.get("/x", response=response)(aview if is_async else view)
    client = TestAsyncClient(api) if is_async else TestClient(api)
    answer = client.get("/x")
    body = (asyncio.run(answer) if is_async else answer).json()  # type: ignore[arg-type]
    assert body in ({"name": "Ann", "nick": "none"}, [{"name": "Ann", "nick": "none"}])


class Shown(Schema):
    """Writes what it is told of its serialization."""

    name: str = Field(alias="fullName")
    nick: str | None = None
    age: int = 7

    @model_serializer(mode="wrap")
    def write(self, handler: Any, info: Any) -> Any:
        context = info.context
        return {**handler(self), "context": [context["request"].path, context["response_status"]]}


class Hidden(Shown):
    password: str = "hash"


@pytest.mark.parametrize(
    "option", ["by_alias", "exclude_unset", "exclude_defaults", "exclude_none"]
)
def test_a_subclass_is_sent_as_the_operation_says(option: str, api: NinjaAPI, world: World) -> None:
    """With the options of its response and in the context that serializers read."""

    @api.get("/x", response={200: Shown, 201: Shown}, **{option: True})
    @world.view
    def view(request: HttpRequest, is_more: bool) -> Any:
        user = (Hidden if is_more else Shown)(fullName="Ann", nick=None)
        return Status(201, user)

    world.serve(api)
    more, exact = (world.get(f"/x?is_more={one}") for one in ("true", "false"))
    assert (more.status_code, more.content) == (201, exact.content)
    assert b'"context": ["/x", 201]' in more.content


def test_a_tuple_is_deprecated_as_in_ninja(world: World) -> None:
    """The same warning from the same file, so that a filter for one holds for the other."""
    warned = []
    for api in (ninja.NinjaAPI(urls_namespace="plain"), NinjaAPI(urls_namespace="ours")):

        @api.get("/x", response={201: Person})
        @world.view
        def view(request: HttpRequest) -> Any:
            return 201, Person(name="Ann")

        world.serve(api)
        with pytest.warns(DeprecationWarning, match="Use Status") as caught:
            assert world.get("/x").status_code == 201
        warned.append([(one.category, str(one.message), one.filename) for one in caught])
    assert warned[0] == warned[1]


def test_a_subclass_keeps_what_was_set_and_what_was_not(api: NinjaAPI) -> None:
    """`exclude_unset` and `by_alias` see the fields that were given to it."""

    @api.get("/x", response=Person, exclude_unset=True, by_alias=True)
    def view(request: HttpRequest, full: bool = False) -> Any:
        return Stored(name="Ann", nickName="A") if full else Stored(name="Ann")

    client = TestClient(api)
    assert client.get("/x").json() == {"name": "Ann"}
    assert client.get("/x?full=true").json() == {"name": "Ann", "nickName": "A"}


class Counted(BaseModel):
    """Not all that is declared is a field: some is computed, from what is no field."""

    model_config = ConfigDict(extra="allow")
    name: str
    _count: int = PrivateAttr(default=0)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def count(self) -> int:
        return self._count

    @computed_field  # type: ignore[prop-decorator]
    @property
    def label(self) -> str:
        return self.name


class Secret(Counted):
    password: str = "hash"

    @property
    def label(self) -> str:
        return f"{self.name} ({self.password})"

    def model_post_init(self, context: Any) -> None:
        super().model_post_init(context)
        self._count += 1


def test_a_subclass_is_sent_as_it_is(api: NinjaAPI, world: World) -> None:
    """What is declared is read from it; it is not made again, without what it has become."""

    @api.get("/x", response=Counted)
    @world.view
    def view(request: HttpRequest) -> Any:
        secret = Secret(name="Ann", other=1)
        secret._count += 1
        return secret

    world.serve(api)
    sent = {"name": "Ann", "other": 1, "count": 2, "label": "Ann (hash)"}
    assert world.get("/x").json() == sent  # type: ignore[attr-defined]


def test_without_a_schema_all_is_sent(api: NinjaAPI) -> None:
    """Nothing is declared, nothing is left out."""

    @api.get("/x")
    def view(request: HttpRequest) -> Any:
        return Stored(name="Ann")

    @api.get("/y", response={200: None, ...: Person})
    def other(request: HttpRequest) -> Any:
        return Status(200, Stored(name="Ann"))

    assert TestClient(api).get("/x").json()["password"] == "hash"
    assert TestClient(api).get("/y").content == b""


@pytest.mark.parametrize("kind", [HttpResponse, StreamingHttpResponse])
def test_headers_set_after_yield_reach_a_response_of_the_view(kind: Any, world: World) -> None:
    """When a function-scope generator sets headers after its yield, then they are sent."""

    def late(response: HttpResponse) -> Iterator[None]:
        response["X-Step"] = "before"
        yield
        response["X-Step"] = "after"
        response["X-Own"] = "dependable"
        response.set_cookie("late", "1")

    api = NinjaAPI(urls_namespace="api")

    @api.get("/x", dependencies=[Depends(late, scope="function")])
    @world.view
    def view(request: HttpRequest) -> Any:
        own = kind([b"text"])
        own["X-Own"] = "view"
        return own

    world.serve(api)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Django's, of a stream that is not of its handler's kind
        response = world.get("/x")
    assert (response["X-Step"], response["X-Own"]) == ("after", "view")
    assert response.cookies["late"].value == "1"
