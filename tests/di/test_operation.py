"""Views with dependencies, over HTTP."""

import contextvars
import functools
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import ninja
import pytest
from django.http import HttpRequest, HttpResponse
from ninja import Status
from ninja.decorators import decorate_view
from ninja.errors import ConfigError, HttpError
from ninja.security import HttpBearer
from ninja.streaming import JSONL
from ninja.testing import TestAsyncClient, TestClient

from di import Depends, HTTPException, NinjaAPI, Security, SecurityScopes, inject, override
from di.exceptions import DependencyCycleError, UnsupportedParameterError
from di.sessions import Session, get_session
from tests.di import samples
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


def logged(name: str, scope: Any = None) -> Any:
    """Return a marker of a generator that notes when it opens, what it sees, when it closes."""

    def generator() -> Iterator[str]:
        events.append(f"{name} opens")
        try:
            yield name
        except BaseException as error:
            events.append(f"{name} sees {type(error).__name__}")
            raise
        finally:
            events.append(f"{name} closes")

    return Depends(generator, scope=scope)


def alogged(name: str, scope: Any = None) -> Any:
    """See `logged`; an async generator."""

    async def generator() -> AsyncIterator[str]:
        events.append(f"{name} opens")
        try:
            yield name
        except BaseException as error:
            events.append(f"{name} sees {type(error).__name__}")
            raise
        finally:
            events.append(f"{name} closes")

    return Depends(generator, scope=scope)


def data(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.row("B1", "B2", "B3", "B4", "B6", "B7", "B8", "B9", "B10")
@pytest.mark.parametrize("name", samples.VALUES)
def test_every_kind_of_dependable(name: str, world: World) -> None:
    """Each is called, awaited or entered as its kind demands, with its own input."""
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, value: Annotated[Any, Depends(samples.VALUES[name])]) -> Any:
        return value

    world.serve(api)
    assert data(world.get("/x")) == 1
    assert str(data(world.get("/x?n=2"))) == "2"


@pytest.mark.row("B5", "B12")
@pytest.mark.parametrize("name", samples.OBJECTS)
def test_classes_are_dependables(name: str, api: NinjaAPI, world: World) -> None:
    """Their constructor's parameters are their inputs."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, value: Annotated[Any, Depends(samples.OBJECTS[name])]) -> Any:
        return value.n

    world.serve(api)
    assert data(world.get("/x?n=2")) == 2


def test_plain_ninja_with_inject(world: World) -> None:
    """One decorator below the route makes a plain API's view inject."""
    api = ninja.NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @inject
    @world.view
    def view(request: HttpRequest, q: str, n: int = Depends(samples.function)) -> Any:
        return [q, n]

    world.serve(api)
    assert data(world.get("/x?q=a&n=2")) == ["a", 2]
    assert inject(view) is view


def test_an_injected_view_can_still_be_called(world: World) -> None:
    """A unit test may call the view itself with values of its own."""

    @inject
    def view(request: Any, n: int = Depends(samples.function)) -> int:
        return n + 1

    @inject
    async def aview(request: Any, n: int = Depends(samples.function)) -> int:
        return n + 1

    @inject
    async def stream(request: Any, n: int = Depends(samples.function)) -> AsyncIterator[int]:
        yield n + 1

    async def first() -> list[int]:
        return [await aview(None, n=2), *[item async for item in stream(None, n=2)]]

    assert view(None, n=2) == 3
    from asgiref.sync import async_to_sync

    assert async_to_sync(first)() == [3, 3]


class Payload(ninja.Schema):
    n: int


def refuse() -> None:
    raise HTTPException(401, "No")


def needs_number(number: int) -> int:
    events.append("number")
    return number


@pytest.mark.row("C10", "D1", "D4")
def test_an_exception_wins_over_bad_inputs(api: NinjaAPI, world: World) -> None:
    """Declared before or after, a 401 is the answer, and no list of bad inputs."""

    @api.post("/x")
    @world.view
    def view(
        request: HttpRequest,
        body: Payload,
        n: int = Depends(needs_number),
        auth: None = Depends(refuse),
    ) -> None: ...

    world.serve(api)
    for sent in ({}, "{broken"):
        assert world.post("/x?number=x", sent).status_code == 401
    assert events == []


@pytest.mark.row("C10", "D4")
def test_malformed_json_is_told_when_it_is_first_needed(api: NinjaAPI, world: World) -> None:
    """Nothing refuses before the body is read: Ninja's own 400."""

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, body: Payload, n: str = logged("a")) -> None: ...

    world.serve(api)
    assert world.post("/x", "{broken").status_code == 400
    assert events == ["a opens", "a sees HttpError", "a closes"]


def above_number(n: int = Depends(needs_number)) -> int:
    events.append("above")
    return n


def beside(other: int) -> int:
    events.append("beside")
    return other


@pytest.mark.row("D3")
def test_bad_inputs_of_one_stop_only_what_needs_it(api: NinjaAPI, world: World) -> None:
    """Siblings are still called; all errors come in one answer; the view is not called."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        q: int,
        a: int = Depends(above_number),
        b: int = Depends(beside),
        c: str = logged("c"),
    ) -> None:
        events.append("view")

    world.serve(api)
    response = world.get("/x?number=x&other=1&q=y")
    assert response.status_code == 422
    assert [error["loc"][1] for error in response.json()["detail"]] == ["number", "q"]  # type: ignore[attr-defined]
    assert events == ["beside", "c opens", "c sees ValidationError", "c closes"]


@pytest.mark.row("D3")
def test_a_failed_dependency_of_the_view_alone(api: NinjaAPI, world: World) -> None:
    """`dependencies=[...]` whose inputs are bad stop the view too."""

    @api.get("/x", dependencies=[Depends(needs_number)])
    @world.view
    def view(request: HttpRequest) -> None:
        events.append("view")

    world.serve(api)
    assert world.get("/x").status_code == 422
    assert events == []


@pytest.mark.row("E1", "E5")
def test_one_call_a_request(api: NinjaAPI, world: World) -> None:
    """A shared dependable is called once; each request calls it anew."""

    def counted() -> int:
        events.append("called")
        return len(events)

    def one(n: int = Depends(counted)) -> int:
        return n

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: int = Depends(one),
        b: int = Depends(counted),
        c: int = Depends(counted, use_cache=False),
    ) -> Any:
        return [a, b, c]

    world.serve(api)
    assert data(world.get("/x")) == [1, 1, 2]
    assert data(world.get("/x")) == [3, 3, 4]


@pytest.mark.row("F1", "F5")
def test_generators_close_in_reverse_by_scope(world: World) -> None:
    """Function scope before the response is sent, request scope after."""
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: str = logged("a"),
        b: str = logged("b", "function"),
        c: str = alogged("c"),
        d: str = alogged("d", "function"),
    ) -> Any:
        events.append("view")
        return [a, b, c, d]

    world.serve(api)
    assert data(world.get("/x")) == ["a", "b", "c", "d"]
    assert events == [
        *("a opens", "b opens", "c opens", "d opens", "view"),
        *("d closes", "b closes", "c closes", "a closes"),
    ]


@pytest.mark.row("D6", "F7")
@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (HTTPException(409), 409),
        (HttpError(418, "tea"), 418),
        (ValueError("bug"), 500),
    ],
)
def test_every_generator_sees_the_views_exception(
    raised: Exception, status: int, api: NinjaAPI, world: World
) -> None:
    """Of both scopes, whatever the exception is turned into for the client."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: str = logged("a"),
        b: str = logged("b", "function"),
        c: str = alogged("c"),
    ) -> Any:
        raise raised

    world.serve(api)
    assert world.get("/x").status_code == status
    name = type(raised).__name__
    assert events[3:] == [
        *(f"b sees {name}", "b closes"),
        *(f"c sees {name}", "c closes", f"a sees {name}", "a closes"),
    ]


@pytest.mark.row("F7")
def test_they_see_a_later_dependables_exception(api: NinjaAPI, world: World) -> None:
    """Those that are open close; the later ones never open."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: str = logged("a"),
        no: None = Depends(refuse),
        b: str = logged("b"),
    ) -> None: ...

    world.serve(api)
    assert world.get("/x").status_code == 401
    assert events == ["a opens", "a sees HTTPException", "a closes"]


@pytest.mark.row("F7")
def test_they_see_a_response_that_does_not_validate(api: NinjaAPI, world: World) -> None:
    """Serialization is inside: what it raises is not a success."""

    @api.get("/x", response=int)
    @world.view
    def view(request: HttpRequest, a: str = logged("a", "function")) -> Any:
        return "text"

    world.serve(api)
    assert world.get("/x").status_code == 500
    assert events == ["a opens", "a sees ValidationError", "a closes"]


@pytest.mark.row("F8")
def test_a_replaced_exception_is_the_answer(api: NinjaAPI, world: World) -> None:
    """A dependable may turn what it sees into another answer."""

    def translate() -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise HTTPException(418) from error

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: str = logged("a"), t: None = Depends(translate)) -> None:
        raise ValueError

    world.serve(api)
    assert world.get("/x").status_code == 418
    assert events == ["a opens", "a sees HTTPException", "a closes"]


def failing(scope: str) -> Any:
    def generator() -> Iterator[None]:
        yield
        raise HTTPException(503, "closing failed")

    return Depends(generator, scope=scope)  # type: ignore[arg-type]


@pytest.mark.row("F9")
def test_an_error_while_closing_the_function_scope_is_the_answer(
    api: NinjaAPI, world: World
) -> None:
    """Nothing was sent yet, so the client is told; the outer ones see it."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: str = logged("a"), f: None = failing("function")) -> None: ...

    world.serve(api)
    assert world.get("/x").status_code == 503
    assert events == ["a opens", "a sees HTTPException", "a closes"]


@pytest.mark.row("F9")
def test_an_error_while_closing_the_request_scope_is_logged(
    api: NinjaAPI, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The client has its answer; the log has the traceback; the others still close."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: str = logged("a"), f: None = failing("request")) -> int:
        return 1

    world.serve(api)
    with caplog.at_level(logging.ERROR, "di"):
        assert data(world.get("/x")) == 1
    assert events == ["a opens", "a sees HTTPException", "a closes"]
    (record,) = caplog.records
    assert "after the response was sent" in record.message
    assert record.exc_info


@pytest.mark.row("F7")
def test_unhandled_exceptions_are_unwound_with_debug_too(api: NinjaAPI, world: World) -> None:
    """With DEBUG Ninja answers with a traceback; what dependables see is the same."""
    world.settings.DEBUG = True

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: str = logged("a", "function")) -> None:
        raise ValueError

    world.serve(api)
    assert world.get("/x").status_code == 500
    assert events == ["a opens", "a sees ValueError", "a closes"]


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def setting() -> Iterator[int]:
    token = variable.set("set")
    thread = threading.get_ident()
    yield thread
    variable.reset(token)
    events.append(variable.get())
    # Django's AsyncClient, unlike its ASGI handler, closes in any thread.
    events.append("same" if threading.get_ident() == thread else "other")


@pytest.mark.row("G2", "G3")
@pytest.mark.parametrize("scope", ["function", "request"])
def test_a_context_variable_is_set_seen_and_reset(
    scope: Any, api: NinjaAPI, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Set before the yield, read in the view, reset after: one context, one thread."""

    def reads() -> tuple[str, int]:
        return variable.get(), threading.get_ident()

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        thread: int = Depends(setting, scope=scope),
        read: Any = Depends(reads),
    ) -> Any:
        return [variable.get(), read[0], read[1] == thread]

    world.serve(api)
    if world.is_asgi:
        assert world.get_through_server("/x") == b'["set", "set", true]'
    else:
        assert data(world.get("/x")) == ["set", "set", True]
    assert events == ["unset", "same"]
    assert caplog.records == []


def test_security_scopes_reach_the_dependable(api: NinjaAPI, world: World) -> None:
    """The union of what Security() required on the way, outermost first."""

    def user(scopes: SecurityScopes) -> str:
        return scopes.scope_str

    def active(found: str = Security(user, scopes=["me"])) -> str:
        return found

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        scopes: SecurityScopes,
        found: str = Security(active, scopes=["items"]),
    ) -> Any:
        return [found, scopes.scopes]

    world.serve(api)
    assert data(world.get("/x")) == ["items me", []]


def test_every_form_of_response(api: NinjaAPI, world: World) -> None:
    """Status, HttpResponse, None and schemas are Ninja's own work still."""

    @api.get("/{kind}", response={200: int, 202: int, 204: None})
    @world.view
    def view(request: HttpRequest, kind: str, n: int = Depends(samples.function)) -> Any:
        answers: dict[str, Any] = {
            "plain": n,
            "status": Status(202, n),
            "none": Status(204, None),
            "own": HttpResponse("own", status=418),
        }
        return answers[kind]

    world.serve(api)
    found = [world.get(f"/{kind}") for kind in ("plain", "status", "none", "own")]
    assert [(one.status_code, one.content) for one in found] == [
        (200, b"1"),
        (202, b"1"),
        (204, b""),
        (418, b"own"),
    ]


@pytest.mark.row("C13", "C14")
def test_what_dependables_set_on_the_response_arrives(api: NinjaAPI, world: World) -> None:
    """Headers, cookies and status; a response of the view's own wins on a clash."""

    def sets(response: HttpResponse) -> None:
        response["X-Set"] = "dependable"
        response["X-Both"] = "dependable"
        response.set_cookie("set", "dependable")
        response.set_cookie("both", "dependable")
        response.status_code = 203

    @api.get("/plain", dependencies=[Depends(sets)])
    @world.view
    def plain(request: HttpRequest) -> int:
        return 1

    @api.get("/explicit", dependencies=[Depends(sets)], response={200: int, 202: int})
    @world.view
    def explicit(request: HttpRequest) -> Any:
        return Status(202, 1)

    @api.get("/own", dependencies=[Depends(sets)])
    @world.view
    def own(request: HttpRequest) -> HttpResponse:
        response = HttpResponse("own", content_type="text/plain", headers={"X-Both": "view"})
        response.set_cookie("both", "view")
        return response

    world.serve(api)
    found = {name: world.get(f"/{name}") for name in ("plain", "explicit", "own")}
    assert {name: one.status_code for name, one in found.items()} == {
        "plain": 203,
        "explicit": 202,
        "own": 200,
    }
    assert [one["X-Set"] for one in found.values()] == ["dependable"] * 3
    assert [one.cookies["set"].value for one in found.values()] == ["dependable"] * 3
    assert (found["own"]["X-Both"], found["own"].cookies["both"].value) == ("view", "view")
    assert found["own"]["Content-Type"] == "text/plain"


@pytest.mark.row("F13")
def test_streams_run_after_the_function_scope(world: World) -> None:
    """The items come while the request scope is open and the function scope is closed."""
    api = NinjaAPI(urls_namespace="api")

    if world.is_async:

        @api.get("/x", response=JSONL[int])
        async def astream(
            request: HttpRequest, a: str = logged("a", "function"), b: str = logged("b")
        ) -> AsyncIterator[int]:
            events.append("streams")
            yield 1

    else:

        @api.get("/x", response=JSONL[int])
        def stream(
            request: HttpRequest, a: str = logged("a", "function"), b: str = logged("b")
        ) -> Iterator[int]:
            events.append("streams")
            yield 1

    if world.is_asgi != world.is_async:
        pytest.skip("Django warns when a stream is not of its handler's kind")
    world.serve(api)
    assert world.get_stream("/x") == b"1\n"
    assert events == ["a opens", "b opens", "a closes", "streams", "b closes"]


def test_a_stream_with_a_session_is_refused(api: NinjaAPI) -> None:
    """It would be committed before the first item was made."""
    from di.exceptions import StreamingSessionError

    with pytest.raises(StreamingSessionError, match="An operation that streams its response"):

        @api.get("/x", response=JSONL[int])
        def stream(request: HttpRequest, db: Session = Depends(get_session)) -> Iterator[int]:
            yield 1


def test_ninjas_auth_runs_before(api: NinjaAPI, world: World) -> None:
    """`auth=` is checked first, and its result is on the request of every dependable."""

    class Bearer(HttpBearer):
        def authenticate(self, request: HttpRequest, token: str) -> str | None:
            return token if token == "good" else None

    def who(request: HttpRequest) -> str:
        return request.auth  # type: ignore[attr-defined,no-any-return]

    @api.get("/x", auth=Bearer())
    @world.view
    def view(request: HttpRequest, name: str = Depends(who)) -> str:
        return name

    world.serve(api)
    assert world.get("/x").status_code == 401
    assert data(world.get("/x", headers={"Authorization": "Bearer good"})) == "good"


def mark(response: HttpResponse) -> HttpResponse:
    response["X-Decorated"] = "1"
    return response


@pytest.mark.row("K2")
def test_decorate_view_above_and_below(world: World) -> None:
    """View decorators wrap the whole operation wherever they are written."""
    import functools
    import inspect

    def decorator(run: Any) -> Any:
        if inspect.iscoroutinefunction(run):

            @functools.wraps(run)
            async def arun(*args: Any, **kwargs: Any) -> Any:
                return mark(await run(*args, **kwargs))

            return arun

        @functools.wraps(run)
        def call(*args: Any, **kwargs: Any) -> Any:
            return mark(run(*args, **kwargs))

        return call

    for api in (NinjaAPI(urls_namespace="a"), ninja.NinjaAPI(urls_namespace="b")):

        @decorate_view(decorator)
        @api.get("/above")
        @inject
        @world.view
        def above(request: HttpRequest, n: int = Depends(samples.function)) -> int:
            return n

        @api.get("/below")
        @decorate_view(decorator)
        @inject
        @world.view
        def below(request: HttpRequest, n: int = Depends(samples.function)) -> int:
            return n

        @api.get("/beneath")
        @inject
        @decorate_view(decorator)
        @world.view
        def beneath(request: HttpRequest, n: int = Depends(samples.function)) -> int:
            return n

        world.serve(api)
        for path in ("/above", "/below", "/beneath"):
            response = world.get(path)
            assert (data(response), response["X-Decorated"]) == (1, "1")


def test_sync_and_async_operations_on_one_path(api: NinjaAPI, world: World) -> None:
    """Each method keeps its own kind."""

    @api.get("/x")
    def sync(request: HttpRequest, n: int = Depends(samples.coroutine)) -> int:
        return n

    @api.post("/x")
    async def coroutine(request: HttpRequest, n: int = Depends(samples.generator)) -> int:
        return n

    world.serve(api)
    assert data(world.get("/x?n=2")) == 2
    assert data(world.post("/x?n=3")) == 3


@pytest.mark.row("H1", "H3", "H5", "H8")
def test_overrides_hold_for_a_request(api: NinjaAPI, world: World) -> None:
    """A stand-in of any kind, with inputs of its own, in this block only."""

    def inner(n: int = Depends(samples.function)) -> int:
        return n

    async def stand_in(other: int) -> AsyncIterator[int]:
        yield -other

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, n: int = Depends(inner)) -> int:
        return n

    world.serve(api)
    with override({samples.function: stand_in}):
        assert data(world.get("/x?other=5")) == -5
        assert world.get("/x").status_code == 422
        with override({inner: lambda: 9}):
            assert data(world.get("/x")) == 9
    with override({refuse: stand_in}):
        assert data(world.get("/x")) == 1
    api.dependency_overrides[inner] = lambda: 8
    assert data(world.get("/x")) == 8
    api.dependency_overrides.clear()
    assert data(world.get("/x")) == 1


@pytest.mark.row("H1")
def test_a_request_keeps_the_overrides_that_it_started_with(api: NinjaAPI, world: World) -> None:
    """What an earlier dependable of the same request sets comes too late for it."""

    def sets() -> None:
        api.dependency_overrides[samples.function] = lambda: 7

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest, a: None = Depends(sets), n: int = Depends(samples.function)
    ) -> int:
        return n

    world.serve(api)
    assert [data(world.get("/x")) for _ in range(2)] == [1, 7]


@pytest.mark.row("H10")
def test_fresh_stand_ins_leave_no_growth(api: NinjaAPI, world: World) -> None:
    """Plans compiled for overrides are kept, but not for ever."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, n: int = Depends(samples.function)) -> int:
        return n

    world.serve(api)
    for number in range(150):
        with override({samples.function: lambda number=number: number}):
            assert data(world.get("/x")) == number
    (bound,) = (one for one in api._get_bound_routers() if one.path_operations)
    assert len(bound.path_operations["/x"].operations[0].signature.variants) <= 128  # type: ignore[attr-defined]


@pytest.mark.row("K8")
@pytest.mark.parametrize("is_async", [False, True])
def test_ninjas_test_clients_close_everything(is_async: bool, api: NinjaAPI) -> None:
    """They never close a request, so its scope ends with the view."""
    if not is_async:

        @api.get("/x")
        def view(request: HttpRequest, a: str = logged("a")) -> str:
            return a

        assert TestClient(api).get("/x").json() == "a"
    else:

        @api.get("/x")
        async def aview(request: HttpRequest, a: str = logged("a")) -> str:
            return a

        from asgiref.sync import async_to_sync

        assert async_to_sync(TestAsyncClient(api).get)("/x").json() == "a"
    assert events == ["a opens", "a closes"]


@pytest.mark.row("F7")
def test_keyboard_interrupt_unwinds(api: NinjaAPI) -> None:
    """Not an answer, but nothing stays open."""

    @api.get("/x")
    def view(request: HttpRequest, a: str = logged("a")) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TestClient(api).get("/x")
    assert events == ["a opens", "a sees KeyboardInterrupt", "a closes"]


@pytest.mark.row("F9")
def test_base_exceptions_of_request_closing_are_raised(api: NinjaAPI) -> None:
    """Ctrl-C while a request is closed is not just a line in the log."""

    def generator() -> Iterator[None]:
        yield
        raise KeyboardInterrupt

    @api.get("/x")
    def view(request: HttpRequest, a: None = Depends(generator)) -> None: ...

    with pytest.raises(KeyboardInterrupt):
        TestClient(api).get("/x")


@pytest.mark.row("K1")
def test_mistakes_surface_at_the_view(api: NinjaAPI) -> None:
    """The decorator itself raises, with the path from the view."""

    def one(x: Any = None) -> None: ...

    one.__defaults__ = (Depends(one),)
    with pytest.raises(DependencyCycleError):

        @api.get("/x")
        def view(request: HttpRequest, x: None = Depends(one)) -> None: ...


def no_parameters() -> None: ...
def marker_first(n: int = Depends(samples.function)) -> None: ...
def something_else(n: int) -> None: ...


@pytest.mark.parametrize("view", [no_parameters, marker_first, something_else])
def test_a_view_must_take_the_request(view: Any) -> None:
    """Ninja passes it by position; a view without it would fail on every request."""
    with pytest.raises(UnsupportedParameterError, match="request as its first parameter"):
        inject(view)


def test_the_request_may_have_any_name(api: NinjaAPI, world: World) -> None:
    """Position decides, not the name."""

    @api.get("/one")
    @world.view
    def one(req: HttpRequest, n: int = Depends(samples.function)) -> Any:
        return [req.path, n]

    @api.get("/two")
    @world.view
    def two(_, n: int = Depends(samples.function)) -> int:  # type: ignore[no-untyped-def]
        return n

    world.serve(api)
    assert data(world.get("/one")) == ["/one", 1]
    assert data(world.get("/two")) == 1


def test_files_on_put_need_ninjas_middleware(api: NinjaAPI) -> None:
    """Ninja's own check still sees the files that dependables read."""

    def upload(file: ninja.UploadedFile) -> None: ...

    with pytest.raises(ConfigError, match="takes files: add 'ninja"):

        @api.put("/x")
        def view(request: HttpRequest, f: None = Depends(upload)) -> None: ...


def test_no_warning_for_path_parameters_of_dependables(
    api: NinjaAPI, recwarn: pytest.WarningsRecorder
) -> None:
    """Ninja warns of names in a path that no parameter has; here one of them has."""
    from ninja import Path

    def read(
        pk: int, slug: Annotated[str, Path(alias="name")], other: str = Path(alias="o")
    ) -> None: ...  # type: ignore[assignment]

    @api.get("/{pk}/{name}/{o}")
    def view(request: HttpRequest, r: None = Depends(read)) -> None: ...

    assert not recwarn.list


def plain_view(request: HttpRequest, n: int = Depends(samples.function)) -> int:
    return n


async def async_view(request: HttpRequest, n: int = Depends(samples.function)) -> int:
    return n


async def stream_view(request: HttpRequest, n: int = Depends(samples.function)) -> Any:
    yield n


@pytest.mark.parametrize("view", [plain_view, async_view, stream_view])
@pytest.mark.parametrize("make", [NinjaAPI, ninja.NinjaAPI])
def test_a_warning_for_a_path_parameter_names_the_view(view: Any, make: Any) -> None:
    """The user's file and line, as Ninja's own warning does where nothing is injected."""
    api = make(urls_namespace="warning")
    with pytest.warns(UserWarning, match="'team_id'") as caught:
        api.get("/teams/{team_id}", response=JSONL[int])(inject(view))
    (warning,) = caught
    assert (warning.filename, warning.lineno) == (__file__, view.__code__.co_firstlineno)


def test_a_view_may_be_bound(world: World) -> None:
    """A partial has no file of its own."""

    def view(request: HttpRequest, greeting: str, n: int = Depends(samples.function)) -> str:
        return f"{greeting} {n}"

    api = NinjaAPI(urls_namespace="bound")
    api.get("/x")(functools.partial(world.view(view), greeting="hello"))
    world.serve(api)
    assert world.get("/x").json() == "hello 1"  # type: ignore[attr-defined]


@pytest.mark.row("E1")
def test_two_hundred_requests_at_once_do_not_mix(api: NinjaAPI, world: World) -> None:
    """Values belong to their own request."""
    from concurrent.futures import ThreadPoolExecutor

    def mine(n: int) -> Iterator[int]:
        yield n

    def twice(n: int = Depends(mine)) -> int:
        return 2 * n

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, n: int = Depends(mine), m: int = Depends(twice)) -> Any:
        return [n, m]

    world.serve(api)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda n: data(world.get(f"/x?n={n}")), range(200)))
    assert found == [[n, 2 * n] for n in range(200)]
