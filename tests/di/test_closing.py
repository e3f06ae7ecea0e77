"""The end of a request, under both ASGI handlers with a client that may leave."""

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.handlers.asgi import ASGIHandler
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.decorators import async_only_middleware
from ninja.streaming import JSONL
from pytest_django import Settings

from di import BackgroundTasks, Depends, NinjaAPI
from di.asgi import Handler
from di.sessions import SessionDep
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True, params=[ASGIHandler, Handler], ids=["django", "di"])
def _handler(request: pytest.FixtureRequest) -> None:
    events.clear()
    Visitor.handler = request.param


def generator() -> Iterator[str]:
    events.append("opens")
    try:
        yield "value"
    except BaseException as error:
        events.append(f"sees {type(error).__name__}")
        raise
    finally:
        events.append("closes")


async def async_generator() -> AsyncIterator[str]:
    inner = generator()
    value = next(inner)
    try:
        yield value
    except BaseException as error:  # noqa: BLE001 - passed on as it is
        inner.throw(error)
    else:
        next(inner, None)


GENERATORS = [generator, async_generator]
SCOPES = ["function", "request"]


forgets_a_file = pytest.mark.filterwarnings(
    "ignore:Unclosed file",  # Django's own, of the request's body
    "ignore:Exception ignored in",
)


class Visitor:
    """A client of the ASGI application that leaves when it is told to."""

    handler: type[ASGIHandler] = ASGIHandler

    def __init__(self) -> None:
        self.leaves = asyncio.Event()
        self.sent: list[dict[str, Any]] = []
        self.is_asking = True

    async def get(self, url: str, method: str = "GET", **headers: str) -> list[dict[str, Any]]:
        """Send a request; return the messages of the response."""
        scope = {
            "type": "http",
            "method": method,
            "path": url,
            "query_string": b"",
            "headers": [
                (b"host", b"testserver"),
                *((name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()),
            ],
        }
        await self.handler()(scope, self.receive, self.send)  # type: ignore[arg-type]
        return self.sent

    async def receive(self) -> dict[str, Any]:
        if self.is_asking:
            self.is_asking = False
            return {"type": "http.request", "body": b""}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        events.append("sent" if message.get("body") else message["type"].removeprefix("http."))
        self.sent.append(message)
        await asyncio.sleep(0)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])


async def until(condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - threads make it true, too
            await asyncio.sleep(0.001)


@pytest.fixture
def serve(settings: Settings, api: NinjaAPI) -> Callable[[], None]:
    """Make *api* the site."""
    return lambda: World("asgi-async", settings).serve(api)


@pytest.mark.row("F15")
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("made", GENERATORS)
def test_the_client_leaves_while_an_async_view_waits(
    made: Any, scope: Any, api: NinjaAPI, serve: Callable[[], None]
) -> None:
    """The view is cancelled, every generator sees it and closes, once."""

    @api.get("/x")
    async def view(request: HttpRequest, a: str = Depends(made, scope=scope)) -> None:
        events.append("view")
        await asyncio.sleep(5)

    serve()

    async def visit() -> None:
        visitor = Visitor()
        visit = asyncio.create_task(visitor.get("/x"))
        await until(lambda: "view" in events)
        visitor.leaves.set()
        await visit

    asyncio.run(visit())
    assert events == ["opens", "view", "sees CancelledError", "closes"]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("made", GENERATORS)
def test_the_client_leaves_while_a_sync_view_runs(
    made: Any, scope: Any, api: NinjaAPI, serve: Callable[[], None]
) -> None:
    """A thread cannot be cancelled: the view ends as if the client were there."""
    goes_on = threading.Event()

    @api.get("/x")
    def view(
        request: HttpRequest, tasks: BackgroundTasks, a: str = Depends(made, scope=scope)
    ) -> None:
        events.append("view")
        tasks.add_task(events.append, "task")
        goes_on.wait(5)

    serve()

    async def visit() -> None:
        visitor = Visitor()
        visit = asyncio.create_task(visitor.get("/x"))
        await until(lambda: "view" in events)
        visitor.leaves.set()
        await asyncio.sleep(0.01)
        goes_on.set()
        await visit

    asyncio.run(visit())
    end = ["closes", "task"] if scope == "function" else ["task", "closes"]
    assert events == ["opens", "view", *end]


@pytest.mark.parametrize("where", ["opening", "closing"])
def test_the_client_leaves_while_a_sync_view_waits_for_async_code(
    where: str, api: NinjaAPI, serve: Callable[[], None]
) -> None:
    """What the view waits for is not cancelled either: a sync view runs to its end."""

    async def slow(when: str) -> None:
        if when == where:
            events.append(when)
            await asyncio.sleep(0.05)

    async def waiting() -> AsyncIterator[None]:
        await slow("opening")
        yield
        await slow("closing")
        events.append("closed")

    @api.get("/x")
    def view(
        request: HttpRequest,
        tasks: BackgroundTasks,
        a: str = Depends(async_generator),
        b: None = Depends(waiting, scope="function"),
    ) -> None:
        events.append("view")
        tasks.add_task(events.append, "task")

    serve()

    async def visit() -> None:
        visitor = Visitor()
        visit = asyncio.create_task(visitor.get("/x"))
        await until(lambda: where in events)
        visitor.leaves.set()
        await visit

    asyncio.run(visit())
    ours = [event for event in events if event not in ("response.start", "sent", where)]
    assert ours == ["opens", "view", "closed", "task", "closes"]


@async_only_middleware
def dawdling(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Keep the response for a while."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = await get_response(request)
        events.append("dawdling")
        await asyncio.sleep(5)
        return response

    return middleware


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("made", GENERATORS)
def test_the_client_leaves_between_the_view_and_the_response(
    made: Any, is_async: bool, api: NinjaAPI, settings: Settings, serve: Callable[[], None]
) -> None:
    """Django then never closes the response; the request scope is closed all the same."""
    settings.MIDDLEWARE = [f"{__name__}.dawdling"]

    def view(request: HttpRequest, a: str = Depends(made)) -> None:
        events.append("view")

    async def aview(request: HttpRequest, a: str = Depends(made)) -> None:
        events.append("view")

    api.get("/x")(aview if is_async else view)
    serve()

    async def visit() -> None:
        visitor = Visitor()
        visit = asyncio.create_task(visitor.get("/x"))
        await until(lambda: "dawdling" in events)
        visitor.leaves.set()
        await visit

    asyncio.run(visit())
    assert events == ["opens", "view", "dawdling", "closes"]


@pytest.mark.parametrize("scope", SCOPES)
def test_the_client_leaves_while_a_dependable_opens(
    scope: Any, api: NinjaAPI, serve: Callable[[], None]
) -> None:
    """What the thread opens meanwhile is known, and closed."""
    goes_on = threading.Event()

    def slow() -> Iterator[None]:
        events.append("opening")
        goes_on.wait(5)
        yield from generator()  # type: ignore[misc]

    @api.get("/x")
    async def view(request: HttpRequest, a: None = Depends(slow, scope=scope)) -> None:
        events.append("view")

    serve()

    async def visit() -> None:
        visitor = Visitor()
        visit = asyncio.create_task(visitor.get("/x"))
        await until(lambda: "opening" in events)
        visitor.leaves.set()
        await asyncio.sleep(0.01)
        goes_on.set()
        await visit

    asyncio.run(visit())
    assert events == ["opening", "opens", "sees CancelledError", "closes"]


@forgets_a_file
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.row("F15")
def test_the_client_leaves_in_the_moment_in_which_a_dependable_is_open(
    scope: Any, api: NinjaAPI, serve: Callable[[], None]
) -> None:
    """Entered and cancelled in one turn of the loop: it is closed like any other."""

    async def task() -> Any:
        return asyncio.current_task()

    async def cancelled(task: Any = Depends(task)) -> AsyncIterator[None]:
        events.append("opens")
        asyncio.get_running_loop().call_soon(task.cancel)
        try:
            yield
        except BaseException as error:
            events.append(f"sees {type(error).__name__}")
            raise

    @api.get("/x")
    async def view(request: HttpRequest, a: None = Depends(cancelled, scope=scope)) -> None:
        await asyncio.sleep(5)

    serve()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(Visitor().get("/x"))
    gc.collect()
    assert events == ["opens", "sees CancelledError"]  # and not what the garbage collector says


@forgets_a_file
def test_a_second_cancellation_stops_no_closing(api: NinjaAPI, serve: Callable[[], None]) -> None:
    """A server that loses patience while generators close: all of them still do."""

    def stubborn() -> Iterator[None]:
        try:
            yield
        finally:
            events.append("closing")
            time.sleep(0.05)

    @api.get("/x")
    async def view(
        request: HttpRequest,
        a: str = Depends(generator),
        b: None = Depends(stubborn),
        c: None = Depends(stubborn, use_cache=False),
    ) -> None:
        handling.append(asyncio.current_task())
        events.append("view")
        await asyncio.sleep(5)

    serve()
    handling: list[Any] = []

    async def visit() -> None:
        visit = asyncio.create_task(Visitor().get("/x"))
        await until(lambda: "view" in events)
        for _ in range(2):
            handling[0].cancel()
            await until(lambda: "closing" in events)
        with contextlib.suppress(asyncio.CancelledError):
            await visit

    asyncio.run(visit())
    gc.collect()
    assert events == ["opens", "view", "closing", "closing", "sees CancelledError", "closes"]


@pytest.mark.row("F13", "F15")
@pytest.mark.parametrize("made", GENERATORS)
@pytest.mark.parametrize("leaves", [False, True])
def test_a_stream_is_sent_before_the_request_scope_closes(
    leaves: bool, made: Any, api: NinjaAPI, serve: Callable[[], None]
) -> None:
    """To its last item, or to the one after which the client has left."""

    @api.get("/x", response=JSONL[int])
    async def view(request: HttpRequest, a: str = Depends(made)) -> AsyncIterator[int]:
        try:
            for item in range(3):
                yield item
                await asyncio.sleep(0 if not leaves else 5)
        finally:
            events.append("end of stream")

    serve()

    async def visit() -> None:
        visitor = Visitor()
        visit = asyncio.create_task(visitor.get("/x"))
        if leaves:
            await until(lambda: "sent" in events)
            visitor.leaves.set()
        await visit

    asyncio.run(visit())
    if leaves:
        middle = ["sent", "end of stream", "sees CancelledError", "closes"]
    else:
        middle = [*["sent"] * 3, "end of stream", "response.body", "closes"]
    assert events == ["opens", "response.start", *middle]


@pytest.mark.row("F13")
@forgets_a_file
@pytest.mark.parametrize("made", GENERATORS)
@pytest.mark.parametrize("is_async", [False, True])
def test_what_breaks_off_a_stream_of_ones_own(
    is_async: bool, made: Any, api: NinjaAPI, serve: Callable[[], None]
) -> None:
    """The request scope sees it and closes, also round a response that the view made."""

    def items() -> Iterator[bytes]:
        yield b"1"
        raise OSError("disk")

    async def aitems() -> AsyncIterator[bytes]:
        for item in items():
            yield item

    @api.get("/x")
    async def aview(request: HttpRequest, a: str = Depends(made)) -> StreamingHttpResponse:
        return StreamingHttpResponse(aitems())

    @api.get("/y")
    def view(request: HttpRequest, a: str = Depends(made)) -> StreamingHttpResponse:
        return StreamingHttpResponse(items())

    serve()
    with pytest.raises(OSError, match="disk"), contextlib.ExitStack() as stack:
        if not is_async:
            stack.enter_context(pytest.warns(Warning, match="must consume synchronous iterators"))
        asyncio.run(Visitor().get("/x" if is_async else "/y"))
    gc.collect()
    assert events[-2:] == ["sees OSError", "closes"]
    assert events.count("closes") == 1


@pytest.mark.row("F2")
@pytest.mark.parametrize("made", GENERATORS)
@pytest.mark.parametrize("is_async", [False, True])
def test_no_body_is_the_end_of_a_body_too(
    is_async: bool, made: Any, api: NinjaAPI, settings: Settings, serve: Callable[[], None]
) -> None:
    """HEAD, and a 304 by which a middleware replaces the response: closed after it, once."""
    settings.MIDDLEWARE = ["django.middleware.http.ConditionalGetMiddleware"]

    def view(request: HttpRequest, a: str = Depends(made)) -> str:
        return a

    async def aview(request: HttpRequest, a: str = Depends(made)) -> str:
        return a

    api.api_operation(["GET", "HEAD"], "/x")(aview if is_async else view)
    serve()
    head, first, again = Visitor(), Visitor(), Visitor()

    async def visit() -> None:
        await head.get("/x", "HEAD")
        await first.get("/x")
        etag = dict(first.sent[0]["headers"])[b"ETag"]
        await again.get("/x", if_none_match=etag.decode())

    asyncio.run(visit())
    assert [one.status for one in (head, first, again)] == [200, 200, 304]
    bodies = ["sent", "sent", "response.body"]  # servers send none in answer to a HEAD
    assert events == [
        event for body in bodies for event in ("opens", "response.start", body, "closes")
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["waiting for a lock", "in the view"])
def test_a_session_whose_client_leaves(
    where: str, api: NinjaAPI, serve: Callable[[], None]
) -> None:
    """It rolls back, and leaves neither a transaction nor a lock behind (F27, F29)."""
    Group.objects.all().delete()
    first = Group.objects.create(name="first")
    is_locked, goes_on = threading.Event(), threading.Event()

    @api.get("/x")
    async def view(request: HttpRequest, session: SessionDep) -> None:
        await session.aadd(Group(name="second"))
        events.append("view")
        await Group.objects.filter(pk=first.pk).aupdate(name="changed")
        await asyncio.sleep(5)

    serve()

    def hold_a_lock() -> None:
        try:
            with transaction.atomic():
                Group.objects.filter(pk=first.pk).update(name="held")
                is_locked.set()
                goes_on.wait(5)
                transaction.set_rollback(True)
        finally:
            connection.close()

    async def visit() -> None:
        holder = threading.Thread(target=hold_a_lock)
        if where == "waiting for a lock":
            holder.start()
            await asyncio.to_thread(is_locked.wait, 5)
        visitor = Visitor()
        visit = asyncio.create_task(visitor.get("/x"))
        if where == "in the view":
            await until(lambda: "view" in events)
        await asyncio.sleep(0.05)
        visitor.leaves.set()
        await asyncio.sleep(0.05)
        goes_on.set()
        await visit
        if holder.ident:
            await asyncio.to_thread(holder.join)

    asyncio.run(visit())
    assert list(Group.objects.values_list("name", flat=True)) == ["first"]
    with transaction.atomic():  # nobody holds the lock
        Group.objects.create(name="third")


@pytest.mark.parametrize("is_async", [False, True])
def test_a_stream_with_nothing_to_close(is_async: bool, api: NinjaAPI, settings: Settings) -> None:
    """It goes to Ninja as it is."""

    def view(request: HttpRequest, n: int = Depends(lambda: 1)) -> Iterator[int]:
        yield from [n, 2]

    async def aview(request: HttpRequest, n: int = Depends(lambda: 1)) -> AsyncIterator[int]:
        for item in (n, 2):
            yield item

    api.get("/x", response=JSONL[int])(aview if is_async else view)
    world = World("asgi-async" if is_async else "wsgi-sync", settings)
    world.serve(api)
    assert world.get_stream("/x") == b"1\n2\n"


@pytest.mark.parametrize("is_async", [False, True])
def test_what_breaks_off_a_stream_may_be_replaced(
    is_async: bool, api: NinjaAPI, settings: Settings
) -> None:
    """The server is told what a dependable made of it, and what that came from."""

    def translating() -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LookupError("translated") from error

    def view(request: HttpRequest, a: None = Depends(translating)) -> Iterator[int]:
        yield 1
        raise OSError("disk")

    async def aview(request: HttpRequest, a: None = Depends(translating)) -> AsyncIterator[int]:
        yield 1
        raise OSError("disk")

    api.get("/x", response=JSONL[int])(aview if is_async else view)
    world = World("asgi-async" if is_async else "wsgi-sync", settings)
    world.serve(api)
    with pytest.raises(LookupError, match="translated") as caught:
        world.get_stream("/x")
    assert isinstance(caught.value.__cause__, OSError)
