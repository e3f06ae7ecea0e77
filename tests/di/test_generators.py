"""Generator dependables over HTTP: what they see, when they close, where they run."""

import asyncio
import contextvars
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import ninja
import pytest
from asgiref.sync import SyncToAsync, async_to_sync, sync_to_async
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from ninja import Status
from ninja.errors import HttpError
from ninja.testing import TestAsyncClient, TestClient

from di import Depends, HTTPException, NinjaAPI
from di.exceptions import GeneratorProtocolError
from di.sessions import SessionDep
from tests.di.conftest import World
from tests.di.test_lifetimes import as_async

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


def data(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return response.json()


class Maker:
    """Makes generator dependables of one kind and in one scope.

    What a generator does when it is closed is a function of the exception that it sees,
    None for a success.
    """

    def __init__(self, kind: str, scope: Any) -> None:
        self.is_async = kind == "async"
        self.scope = scope

    def __call__(self, name: str, end: Callable[[BaseException | None], object]) -> Any:
        def leave(error: BaseException | None) -> None:
            events.append(f"{name} sees {error!r}" if error else f"{name} closes")
            end(error)

        def generator() -> Iterator[None]:
            events.append(f"{name} opens")
            try:
                yield
            except BaseException as error:  # noqa: BLE001 - end() decides what goes on
                leave(error)
            else:
                leave(None)

        async def agenerator() -> AsyncIterator[None]:
            events.append(f"{name} opens")
            try:
                yield
            except BaseException as error:  # noqa: BLE001 - end() decides what goes on
                leave(error)
            else:
                leave(None)

        return Depends(agenerator if self.is_async else generator, scope=self.scope)

    def raw(self, function: Callable[[], Iterator[None]]) -> Any:
        """Return a marker of a generator with *function*'s own yields."""
        return Depends(as_async(function) if self.is_async else function, scope=self.scope)


@pytest.fixture(params=["sync-function", "sync-request", "async-function", "async-request"])
def make(request: pytest.FixtureRequest) -> Maker:
    """Sync or async generators, in the function or the request scope."""
    return Maker(*request.param.split("-"))


def passes(error: BaseException | None) -> None:
    if error is not None:
        raise error


def swallows(error: BaseException | None) -> None: ...


def raises(exception: Exception) -> Callable[[BaseException | None], None]:
    def end(_: BaseException | None) -> None:
        raise exception

    return end


def exchange(world: World, url: str) -> bytes:
    """Send a request as a server does, in a context of its own; note when all was sent."""
    return contextvars.copy_context().run(_exchange, world, url)


def _exchange(world: World, url: str) -> bytes:
    if not world.is_asgi:
        response = WSGIHandler()(RequestFactory().get(url).environ, lambda *_: None)
        body = b"".join(response)
        events.append("sent")
        response.close()
        return body
    chunks: list[bytes] = []
    received: list[Any] = [{"type": "http.request", "body": b""}]
    scope = {
        "type": "http",
        "method": "GET",
        "path": url,
        "query_string": b"",
        "headers": [(b"host", b"testserver")],
    }

    async def receive() -> Any:
        if received:
            return received.pop()
        return await asyncio.Future()  # the client stays; Django cancels this when it is done

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            chunks.append(message["body"])
            if not message.get("more_body"):
                events.append("sent")

    asyncio.run(ASGIHandler()(scope, receive, send))  # type: ignore[arg-type]
    return b"".join(chunks)


class Out(ninja.Schema):
    n: int

    @staticmethod
    def resolve_n(found: Any) -> int:
        events.append("serialized")
        return found["n"]  # type: ignore[no-any-return]


@pytest.mark.django_db  # the handler looks after connections that other tests left
@pytest.mark.row("F1", "F2", "F3")
def test_a_scope_ends_before_or_after_the_last_byte(
    make: Maker, api: NinjaAPI, world: World
) -> None:
    """Function scope: after serialization, before anything is sent. Request scope: after."""

    @api.get("/x", response=Out)
    @world.view
    def view(request: HttpRequest, a: None = make("a", passes)) -> Any:
        return {"n": 1}

    world.serve(api)
    assert exchange(world, "/x") == b'{"n": 1}'
    # Under WSGI an async view's loop ends with it, and what is async cannot outlive that.
    ends_with_loop = make.is_async and world.is_async and not world.is_asgi
    is_closed_first = make.scope == "function" or ends_with_loop
    end = ["a closes", "sent"] if is_closed_first else ["sent", "a closes"]
    assert events == ["a opens", "serialized", *end]


@pytest.mark.row("F7")
def test_one_that_fails_to_open_is_not_closed(make: Maker, api: NinjaAPI, world: World) -> None:
    """Those before it see what it raised; it has nothing to close, and the view is not called."""

    def fails() -> Iterator[None]:
        events.append("fails")
        if events:
            raise HTTPException(503, headers={"Retry-After": "1"})
        yield

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        bad: int,
        a: None = make("a", passes),
        b: None = make.raw(fails),
        c: None = make("c", passes),
    ) -> None:
        raise AssertionError

    world.serve(api)
    response = world.get("/x")
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    seen = HTTPException(503)
    assert events == ["a opens", "fails", f"a sees {seen!r}"]


@pytest.mark.row("F7")
@pytest.mark.parametrize(
    "answer",
    [lambda: Status(409, "no"), lambda: HttpResponse("no", status=409)],
    ids=["Status", "HttpResponse"],
)
def test_an_error_that_is_returned_is_no_exception(
    answer: Any, make: Maker, api: NinjaAPI, world: World
) -> None:
    """Generators go on after their yield: nothing was raised."""

    @api.get("/x", response={409: str})
    @world.view
    def view(request: HttpRequest, a: None = make("a", passes)) -> Any:
        return answer()

    world.serve(api)
    assert world.get("/x").status_code == 409
    assert events == ["a opens", "a closes"]


@pytest.mark.row("F10", "F11")
@pytest.mark.parametrize("error", [HTTPException(404), HttpError(404, "No"), ValueError("bug")])
def test_swallowing_makes_no_success(
    error: Exception, make: Maker, api: NinjaAPI, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The outer ones see what the view raised, the client gets it, and the log says so."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest, a: None = make("a", passes), b: None = make("b", swallows)
    ) -> None:
        raise error

    world.serve(api)
    with caplog.at_level(logging.WARNING, "di"):
        assert world.get("/x").status_code == getattr(error, "status_code", 500)
    assert events == ["a opens", "b opens", f"b sees {error!r}", f"a sees {error!r}"]
    warnings = [one.getMessage() for one in caplog.records if one.name == "di"]
    assert [f"swallowed {error!r}. It goes on to the client" in one for one in warnings] == [True]


@pytest.mark.row("F8", "F9")
def test_each_outer_one_sees_what_reached_it(
    make: Maker, api: NinjaAPI, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """As nested with blocks would: three closings that raise, and a chain that tells of all."""
    first, second = KeyError("first"), HTTPException(503, "second")

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: None = make("a", passes),
        b: None = make("b", raises(second)),
        c: None = make("c", passes),
        d: None = make("d", raises(first)),
    ) -> int:
        return 1

    world.serve(api)
    with caplog.at_level(logging.ERROR, "di"):
        response: Any = world.get("/x")
    assert events[4:] == [
        *("d closes", f"c sees {first!r}"),
        *(f"b sees {first!r}", f"a sees {second!r}"),
    ]
    assert second.__context__ is first
    logged = [record.exc_info[1] for record in caplog.records if record.exc_info]
    if make.scope == "function":
        assert (response.status_code, response.json(), logged) == (503, {"detail": "second"}, [])
    else:
        assert (response.status_code, response.json(), logged) == (200, 1, [second])


def chain(error: BaseException | None) -> list[str]:
    """Return what a traceback shows of *error*: itself, and all that it replaced."""
    return [] if error is None else [repr(error), *chain(error.__cause__ or error.__context__)]


@pytest.mark.row("F8")
def test_a_traceback_tells_of_every_exception_that_was_replaced(
    make: Maker, api: NinjaAPI, world: World
) -> None:
    """The one that is answered, the one that it replaced, and the view's own."""
    answered: list[BaseException] = []

    @api.exception_handler(OSError)
    def handler(request: HttpRequest, error: OSError) -> Any:
        answered.append(error)
        return api.create_response(request, "answered", status=500)

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: None = make("a", raises(OSError("last"))),
        b: None = make("b", raises(KeyError("middle"))),
    ) -> None:
        raise ValueError("first")

    world.serve(api)
    response: Any = world.get("/x")
    assert response.json() == "answered"
    assert chain(answered[0]) == ["OSError('last')", "KeyError('middle')", "ValueError('first')"]


@pytest.mark.row("F12")
def test_a_generator_that_never_yields_stops_the_request(
    make: Maker, api: NinjaAPI, world: World
) -> None:
    """500: the view is not called, and those that are open see why."""

    def never() -> Iterator[None]:
        if not events:
            yield

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: None = make("a", passes),
        n: None = make.raw(never),
        b: None = make("b", passes),
    ) -> None:
        raise AssertionError

    world.serve(api)
    assert world.get("/x").status_code == 500
    assert events[0] == "a opens"
    assert events[1].startswith("a sees GeneratorProtocolError('A generator dependable never")
    assert events[2:] == []


def twice() -> Iterator[None]:
    yield
    events.append("goes on")
    try:
        yield
    finally:
        events.append("ends")


def stubborn() -> Iterator[None]:
    yield
    try:
        yield
    except GeneratorExit:
        events.append("ends")
        yield


@pytest.mark.row("F12")
@pytest.mark.parametrize("function", [twice, stubborn])
def test_a_second_yield_is_never_a_success(
    function: Any,
    make: Maker,
    api: NinjaAPI,
    world: World,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """500, or a log record if the answer is out; it is closed, also if it will not be."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest, a: None = make("a", passes), t: None = make.raw(function)
    ) -> int:
        return 1

    world.serve(api)
    with caplog.at_level(logging.ERROR, "di"):
        response = world.get("/x")
    assert response.status_code == (500 if make.scope == "function" else 200)
    assert "ends" in events
    assert events[-1].startswith("a sees GeneratorProtocolError('A generator dependable yielded")
    logged = [record.exc_info[0] for record in caplog.records if record.name == "di"]  # type: ignore[index]
    assert logged == ([] if make.scope == "function" else [GeneratorProtocolError])


BASE_EXCEPTIONS = [KeyboardInterrupt, SystemExit, asyncio.CancelledError, GeneratorExit]


@pytest.mark.row("F7")
@pytest.mark.parametrize("raised", BASE_EXCEPTIONS)
def test_what_ends_a_process_unwinds_first(
    raised: type[BaseException], make: Maker, api: NinjaAPI, world: World
) -> None:
    """It is no answer and nobody handles it, but every generator has seen it."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest, a: None = make("a", passes), b: None = make("b", swallows)
    ) -> None:
        raise raised

    world.serve(api)
    with pytest.raises(raised):
        world.get("/x")
    assert events == ["a opens", "b opens", f"b sees {raised()!r}", f"a sees {raised()!r}"]


@pytest.mark.django_db(transaction=True)
def test_what_ends_a_process_keeps_nothing(api: NinjaAPI) -> None:
    """A session is rolled back on Ctrl-C, and the connection is free again."""

    @api.get("/x")
    def view(request: HttpRequest, db: SessionDep) -> None:
        db.add(Group(name="lost"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TestClient(api).get("/x")
    assert not connection.in_atomic_block
    assert not Group.objects.filter(name="lost").exists()


def stops() -> None:
    next(iter(()))


async def astops() -> None:
    raise StopAsyncIteration


def passes_on() -> None: ...


@pytest.mark.row("F7", "D6")
@pytest.mark.parametrize("call", [stops, astops, passes_on], ids=["sync", "async", "view"])
def test_a_forgotten_stop_iteration_is_a_bug_like_any_other(
    call: Any, make: Maker, api: NinjaAPI, world: World
) -> None:
    """500 and everything closed: it neither ends a generator quietly nor hangs the request."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: None = make("a", passes), s: None = Depends(call)) -> None:
        stops()

    world.serve(api)
    assert world.get("/x").status_code == 500
    assert [event.split("(")[0] for event in events] in (
        ["a opens", "a sees StopIteration"],
        ["a opens", "a sees StopAsyncIteration"],
        ["a opens", "a sees RuntimeError"],
    )


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def read() -> str:
    return variable.get()


async def setting() -> AsyncIterator[None]:
    token = variable.set("set")
    yield
    events.append(variable.get())
    variable.reset(token)
    events.append(variable.get())


@pytest.mark.django_db  # the handler looks after connections that other tests left
@pytest.mark.row("G1")
@pytest.mark.parametrize("scope", ["function", "request"])
def test_an_async_generators_context_variable_is_set_seen_and_reset(
    scope: Any, api: NinjaAPI, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Set before the yield, read by a sync dependable and the view, reset after."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        s: None = Depends(setting, scope=scope),
        found: str = Depends(read),
    ) -> Any:
        return [variable.get(), found]

    world.serve(api)
    assert exchange(world, "/x") == b'["set", "set"]'
    events.remove("sent")
    assert events == ["set", "unset"]
    assert caplog.records == []


@pytest.mark.django_db  # the handler looks after connections that other tests left
@pytest.mark.row("G2")
def test_what_sync_and_async_code_set_they_see_of_each_other(
    api: NinjaAPI, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A variable that is set already may be changed, and changed back, across the two."""

    async def outer() -> AsyncIterator[None]:
        variable.set("outer")
        yield
        events.append(variable.get())

    def inner(o: None = Depends(outer, scope="function")) -> Iterator[str]:
        seen = variable.get()
        token = variable.set("inner")
        yield seen
        events.append(variable.get())
        variable.reset(token)

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, seen: str = Depends(inner, scope="function")) -> Any:
        found = [seen, variable.get()]
        variable.set("view")
        return found

    world.serve(api)
    assert exchange(world, "/x") == b'["outer", "inner"]'
    assert events == ["view", "outer", "sent"]
    assert caplog.records == []


def here() -> list[Any]:
    """Return what tells thread and connection from others."""
    return [threading.get_ident(), id(connection.connection)]


def with_connection() -> Iterator[list[Any]]:
    connection.ensure_connection()
    yield here()
    events.append(str(here()))


@pytest.mark.row("G2", "G3")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scope", ["function", "request"])
def test_sync_code_of_a_request_has_one_thread_and_one_connection(
    scope: Any, api: NinjaAPI, world: World
) -> None:
    """Entering, calling, the view's own ORM calls, closing."""

    async def between() -> list[Any]:
        return await sync_to_async(here)()

    if world.is_async:

        @api.get("/x")
        async def aview(
            request: HttpRequest,
            g: Any = Depends(with_connection, scope=scope),
            b: Any = Depends(between),
            f: Any = Depends(here),
        ) -> Any:
            await Group.objects.acount()
            return [g, b, f, await sync_to_async(here)()]

    else:

        @api.get("/x")
        def view(
            request: HttpRequest,
            g: Any = Depends(with_connection, scope=scope),
            b: Any = Depends(between),
            f: Any = Depends(here),
        ) -> Any:
            Group.objects.count()
            return [g, b, f, here()]

    world.serve(api)
    found = json.loads(exchange(world, "/x"))
    assert found == [found[0]] * 4
    events.remove("sent")
    assert events == [str(found[0])]


def one() -> int:
    return 1


def two(n: int = Depends(one)) -> Iterator[int]:
    yield n


def three(n: int = Depends(two)) -> Iterator[int]:
    yield n


def other() -> None: ...


async def apart() -> None: ...


@pytest.mark.row("B1", "B3")
@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ([], 0),
        ([apart], 0),
        ([one], 1),
        ([one, two, three], 2),
        ([three, apart, other], 3),
    ],
    ids=["none", "async", "one", "neighbors, closed together", "something async between"],
)
def test_neighbors_share_one_hop_to_their_thread(
    dependencies: Any, expected: int, api: NinjaAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In async views one for a run of sync dependables, one to close them; else none at all."""
    hops: list[object] = []
    hop = SyncToAsync.__call__

    async def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        hops.append(self.func)
        return await hop(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    markers = [Depends(call) for call in dependencies]

    @api.get("/async", dependencies=markers)
    async def aview(request: HttpRequest) -> int:
        return 1

    @api.get("/sync", dependencies=[one for one in markers if one.dependency is not apart])
    def view(request: HttpRequest) -> int:
        return 1

    assert data(async_to_sync(TestAsyncClient(api).get)("/async")) == 1
    assert len(hops) == expected
    assert data(TestClient(api).get("/sync")) == 1
    assert len(hops) == expected


@pytest.mark.row("F16")
def test_an_upload_stays_open_until_all_have_closed(
    make: Maker, api: NinjaAPI, world: World
) -> None:
    """A generator may read the file when it is closed; then the host closes the file."""
    files: list[Any] = []

    def upload(file: ninja.UploadedFile) -> Any:
        files.append(file)
        return file

    def reads(error: BaseException | None) -> None:
        files[0].seek(0)
        events.append(files[0].read().decode())

    @api.post("/x", dependencies=[make("a", reads)])
    @world.view
    def view(request: HttpRequest, file: Any = Depends(upload)) -> str:
        return file.read().decode()  # type: ignore[no-any-return]

    world.serve(api)
    sent = {"file": SimpleUploadedFile("name.txt", b"content")}
    assert data(world.request("post", "/x", data=sent)) == "content"
    assert events == ["a opens", "a closes", "content"]
    assert files[0].closed
