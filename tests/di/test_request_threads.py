"""The handler of `di.asgi`: threads, signals, disconnects, and nothing that leaks."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.signals import request_finished, request_started
from django.db import connection
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from pytest_django import Settings

from di import NinjaAPI
from di.asgi import Handler
from di.request_threads import RequestThread, RequestThreads
from tests.di.conftest import World

Answer = Awaitable[list[dict[str, Any]]]


class Client:
    """A client of one handler. Each request runs in a task, as under a server."""

    def __init__(self, threads: int = 2) -> None:
        self.handler = Handler(threads)
        self.leaves = asyncio.Event()

    def get(self, url: str, **scope: Any) -> asyncio.Task[list[dict[str, Any]]]:
        """Send a request; the task returns the messages of the response."""
        return asyncio.create_task(self.exchange(url, [{"type": "http.request"}], **scope))

    def post(self, url: str, *messages: dict[str, Any]) -> asyncio.Task[list[dict[str, Any]]]:
        """See `get`."""
        return asyncio.create_task(self.exchange(url, list(messages), method="POST"))

    async def exchange(
        self, url: str, messages: list[dict[str, Any]], **scope: Any
    ) -> list[dict[str, Any]]:
        """Let the handler read *messages*, and return its own."""
        sent: list[dict[str, Any]] = []
        leaves = self.leaves

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop(0)
            await leaves.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        full = {"type": "http", "method": "GET", "path": url, "query_string": b"", "headers": []}
        await self.handler({**full, "headers": [(b"host", b"testserver")], **scope}, receive, send)
        return sent

    def close(self) -> None:
        """End the threads; their connections would keep the test's database in use."""
        self.handler.threads.close()


@pytest.fixture
def serve(settings: Settings, api: NinjaAPI) -> Callable[..., Any]:
    """Return a function that runs a coroutine function against the API of the test."""

    def run(function: Callable[[Client], Awaitable[Any]], threads: int = 2) -> Any:
        settings.MIDDLEWARE = []
        World("asgi-async", settings).serve(api)

        async def running() -> Any:
            client = Client(threads)
            try:
                return await function(client)
            finally:
                await drained(client)
                client.close()

        return asyncio.run(running())

    return run


class Slow:
    """A sync view at /slow, which keeps its thread until the test lets it go on."""

    def __init__(self, api: NinjaAPI) -> None:
        self.is_at_work = threading.Event()
        self.goes_on = threading.Event()
        api.get("/slow")(self.view())

    def view(self) -> Callable[..., None]:
        """Return the view as a function, on which Ninja can write."""

        def slow(request: HttpRequest) -> None:
            self.is_at_work.set()
            self.goes_on.wait(5)

        return slow


class ClosedCache(LocMemCache):
    """A cache that has something to close, as memcached's has."""

    def close(self, **_: Any) -> None:
        """Close nothing; that it is overridden is the point."""


async def drained(client: Client) -> None:
    """Wait until no request has a thread."""
    async with asyncio.timeout(5):
        while client.handler.threads.in_use:  # noqa: ASYNC110 - threads make it true
            await asyncio.sleep(0.001)


def body_of(messages: list[dict[str, Any]]) -> bytes:
    """Return the body of a response."""
    return b"".join(message.get("body", b"") for message in messages)


def status_of(messages: list[dict[str, Any]]) -> int:
    """Return the status of a response."""
    return int(messages[0]["status"])


def test_an_async_view_needs_no_thread(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When nothing of a request is sync, then no thread is made or used."""

    @api.get("/x")
    async def view(request: HttpRequest) -> None:
        await asyncio.sleep(0)

    async def run(client: Client) -> None:
        before = threading.active_count()
        assert status_of(await client.get("/x")) == 200
        assert threading.active_count() == before
        assert not client.handler.threads.idle

    serve(run)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_thread_is_used_again(
    is_kept: bool, api: NinjaAPI, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When one request follows another, it gets its thread, and its connection if that is kept."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None if is_kept else 0)
    seen: list[tuple[int, object]] = []

    @api.get("/sync")
    def sync_view(request: HttpRequest) -> int:
        count = Group.objects.count()
        seen.append((threading.get_ident(), connection.connection))
        return count

    @api.get("/async")
    async def async_view(request: HttpRequest) -> None:
        await Group.objects.acount()
        await sync_to_async(sync_view)(request)

    async def run(client: Client) -> None:
        for url in ["/sync", "/async", "/sync"]:
            assert status_of(await client.get(url)) == 200
            await drained(client)

    serve(run)
    assert len({thread for thread, _ in seen}) == 1
    assert (len({id(one) for _, one in seen}) == 1) == is_kept


def test_context_variables_stay_in_their_request(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When a view sets a context variable, then neither the next request nor the server sees it."""
    variable = ContextVar("variable", default="unset")
    seen: list[str] = []

    def change() -> None:
        seen.append(variable.get())
        variable.set("set")

    @api.get("/async")
    async def async_view(request: HttpRequest) -> None:
        change()
        await sync_to_async(change)()

    @api.get("/sync")
    def sync_view(request: HttpRequest) -> None:
        change()

    async def run(client: Client) -> None:
        for url in ["/async", "/sync", "/sync"]:
            await client.exchange(url, [{"type": "http.request"}])
            await drained(client)
            seen.append(variable.get())

    serve(run)
    assert seen == ["unset", "set", "unset", "unset", "unset", "unset", "unset"]


@contextlib.contextmanager
def connected(receiver: Callable[..., Any]) -> Iterator[None]:
    """Let *receiver* hear of the start and the end of requests."""
    signals = [request_started, request_finished]
    for signal in signals:
        signal.connect(receiver)
    try:
        yield
    finally:
        for signal in signals:
            signal.disconnect(receiver)


@pytest.mark.parametrize("is_async", [True, False])
def test_receivers_are_called(is_async: bool, api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When others listen for Django's signals, they are called, sync ones in the thread."""
    heard: list[Any] = []

    def receiver(signal: Any, sender: type, **named: Any) -> None:
        is_in_thread = threading.current_thread() is not threading.main_thread()
        heard.append((signal, sender, is_in_thread, "scope" in named))

    async def areceiver(**named: Any) -> None:
        receiver(**named)

    @api.get("/x")
    async def view(request: HttpRequest) -> None: ...

    async def run(client: Client) -> None:
        with connected(areceiver if is_async else receiver):
            assert status_of(await client.get("/x")) == 200

    serve(run)
    starts, ends = heard
    assert starts == (request_started, Handler, not is_async, True)
    # Django closes a response in the request's thread, where async receivers are bridged.
    assert ends == (request_finished, Handler, not is_async, False)


def test_many_requests_share_few_threads(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When 500 requests come at once, all are answered, by few threads."""
    seen: set[int] = set()

    @api.get("/x")
    def view(request: HttpRequest) -> None:
        seen.add(threading.get_ident())

    async def run(client: Client) -> None:
        answers = await asyncio.gather(*(client.get("/x") for _ in range(500)))
        assert {status_of(one) for one in answers} == {200}

    serve(run, threads=4)
    assert len(seen) < 20


def test_a_request_that_others_wait_for_gets_a_thread(
    api: NinjaAPI, serve: Callable[..., Any]
) -> None:
    """When all threads belong to requests that wait for another one, it gets one beyond them."""
    goes_on = threading.Event()

    @api.get("/waits")
    def waits(request: HttpRequest) -> bool:
        return goes_on.wait(5)

    @api.get("/helps")
    def helps(request: HttpRequest) -> None:
        goes_on.set()

    async def run(client: Client) -> None:
        answers = [client.get("/waits") for _ in range(2)]
        await asyncio.sleep(0.01)
        assert status_of(await client.get("/helps")) == 200
        assert [body_of(await one) for one in answers] == [b"true", b"true"]
        await drained(client)
        assert len(client.handler.threads.idle) <= 2

    serve(run)


def test_a_thread_at_work_is_no_other_requests(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When a client leaves while sync code runs, the next request does not wait for that code."""
    is_at_work, goes_on = threading.Event(), threading.Event()

    def work() -> None:
        is_at_work.set()
        goes_on.wait(5)

    @api.get("/slow")
    async def slow(request: HttpRequest) -> None:
        await sync_to_async(work)()

    @api.get("/quick")
    def quick(request: HttpRequest) -> None: ...

    async def run(client: Client) -> None:
        answer = client.get("/slow")
        await asyncio.to_thread(is_at_work.wait, 5)
        client.leaves.set()
        client.leaves = asyncio.Event()
        await asyncio.sleep(0.01)
        assert status_of(await asyncio.wait_for(client.get("/quick"), 1)) == 200
        goes_on.set()
        assert await answer == []

    serve(run)


def test_a_request_that_leaves_while_it_waits_for_a_thread(
    api: NinjaAPI, serve: Callable[..., Any]
) -> None:
    """When the client of a waiting request leaves, the request gets no thread any more."""
    slow = Slow(api)
    called: list[str] = []

    @api.get("/waits")
    async def waits(request: HttpRequest) -> None:
        await sync_to_async(called.append)("waits")

    async def run(client: Client) -> None:
        answer = client.get("/slow")
        await asyncio.to_thread(slow.is_at_work.wait, 5)
        waiting = client.get("/waits")
        await asyncio.sleep(0.01)
        assert len(client.handler.threads.waiting) == 1
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        assert not client.handler.threads.waiting
        slow.goes_on.set()
        assert status_of(await answer) == 200

    serve(run, threads=1)
    assert called == []


def test_calls_that_wait_for_a_thread(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When calls wait for a thread, it makes them in order, but not those that were cancelled."""
    slow = Slow(api)
    called: list[str] = []

    @api.get("/fails")
    def fails(request: HttpRequest) -> None:
        raise LookupError("a bug")

    @api.get("/waits")
    async def waits(request: HttpRequest) -> None:
        call = sync_to_async(called.append)
        calls = [asyncio.create_task(call(name)) for name in ("first", "cancelled", "last")]
        await asyncio.sleep(0.01)
        calls[1].cancel()
        await asyncio.wait(calls)

    async def run(client: Client) -> None:
        answers = [client.get("/slow")]
        await asyncio.to_thread(slow.is_at_work.wait, 5)
        answers += [client.get("/waits"), client.get("/fails")]
        await asyncio.sleep(0.05)
        slow.goes_on.set()
        assert [status_of(await one) for one in answers] == [200, 200, 500]

    serve(run, threads=1)
    assert called == ["first", "last"]


def test_the_pool_grows_only_while_it_stands_still(
    api: NinjaAPI, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When threads come back all the time, then waiting requests get these and no others."""
    monkeypatch.setattr("di.request_threads._SECONDS_TO_GROW", 0.3)
    seen: set[int] = set()

    @api.get("/x")
    def view(request: HttpRequest) -> None:
        seen.add(threading.get_ident())
        time.sleep(0.01)

    async def run(client: Client) -> None:
        await asyncio.gather(*(client.get("/x") for _ in range(60)))

    serve(run, threads=1)
    assert len(seen) == 1


def test_a_connection_that_cannot_be_closed(
    api: NinjaAPI,
    serve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """When closing an old connection fails, that is logged, and the request is answered."""

    def fail() -> None:
        raise OSError("broken")

    monkeypatch.setattr("di.request_threads.close_old_connections", fail)

    @api.get("/x")
    def view(request: HttpRequest) -> None: ...

    async def run(client: Client) -> None:
        assert status_of(await client.get("/x")) == 200

    serve(run)
    assert {one.name for one in caplog.records} == {"di"}
    assert [one.exc_info[1].args for one in caplog.records if one.exc_info] == [("broken",)] * 2  # type: ignore[union-attr]


def test_a_call_that_was_dropped_never_begins() -> None:
    """When a request drops the call that waits for a thread, then no thread makes that call."""
    made: list[str] = []

    async def run() -> None:
        threads = RequestThreads(1)
        first, second = RequestThread(threads), RequestThread(threads)
        await asyncio.wrap_future(first.submit(made.append, "first"))
        waiting = second.submit(made.append, "dropped")
        assert first.drop_waiting()
        assert not second.drop_waiting()
        assert waiting.cancelled()
        first.end()
        await asyncio.wrap_future(second.submit(made.append, "second"))
        second.end()
        assert not threads.waiting
        threads.close()

    asyncio.run(run())
    assert made == ["first", "second"]


def test_a_request_that_has_ended() -> None:
    """When a request has ended, then its thread does nothing for it any more."""
    thread = RequestThread(RequestThreads(1))
    thread.end()
    with pytest.raises(RuntimeError, match="has ended"):
        thread.submit(int)


def test_sync_code_of_both_kinds(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When user code asks for another thread, it gets asyncio's; a task may outlive a request."""
    outliving: list[asyncio.Task[str]] = []

    @api.get("/x")
    async def view(request: HttpRequest) -> bool:
        async def later() -> str:
            await asyncio.sleep(0.01)
            return await sync_to_async(lambda: "later")()

        outliving.append(asyncio.create_task(later()))
        own = await sync_to_async(threading.get_ident)()
        again = await sync_to_async(threading.get_ident)()
        other = await sync_to_async(threading.get_ident, thread_sensitive=False)()
        return own == again != other

    async def run(client: Client) -> None:
        assert body_of(await client.get("/x")) == b"true"
        assert await outliving[0] == "later"

    serve(run)


@pytest.mark.parametrize("body", [b"", b"short", b"x" * 200], ids=["empty", "short", "spooled"])
def test_bodies(body: bytes, api: NinjaAPI, serve: Callable[..., Any], settings: Settings) -> None:
    """When a body comes in one piece or in several, then the view reads all of it."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100

    @api.post("/x")
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.body)

    async def run(client: Client) -> None:
        whole = {"type": "http.request", "body": body}
        assert body_of(await client.post("/x", whole)) == body
        pieces = [{"type": "http.request", "body": body, "more_body": True}] * 2
        assert body_of(await client.post("/x", *pieces, {"type": "http.request"})) == body * 2

    serve(run)


def test_a_client_that_leaves_while_it_sends(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When the client leaves before its body has come, then there is no request."""
    heard: list[Any] = []

    def receiver(**named: Any) -> None:
        heard.append(named)

    async def run(client: Client) -> None:
        with connected(receiver):
            piece = {"type": "http.request", "body": b"x", "more_body": True}
            assert await client.post("/x", piece, {"type": "http.disconnect"}) == []
            assert await client.post("/x", {"type": "http.disconnect"}) == []

    serve(run)
    assert heard == []


@pytest.mark.parametrize("point", ["view", "stream", "thread"])
def test_a_disconnect_closes_once(point: str, api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When the client leaves, the view is cancelled, and the request ends exactly once."""
    events: list[str] = []
    is_there = asyncio.Event()

    def receiver(**_: Any) -> None:
        events.append("finished")

    async def wait() -> None:
        is_there.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    async def stream() -> AsyncIterator[bytes]:
        yield b"first"
        await wait()

    @api.get("/view")
    async def view(request: HttpRequest) -> None:
        await wait()

    @api.get("/thread")
    async def thread(request: HttpRequest) -> None:
        await sync_to_async(lambda: None)()
        await wait()

    @api.get("/stream")
    async def streams(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(stream())

    async def run(client: Client) -> None:
        request_finished.connect(receiver)
        try:
            answer = client.get(f"/{point}")
            await is_there.wait()
            client.leaves.set()
            await answer
        finally:
            request_finished.disconnect(receiver)

    serve(run)
    assert events == ["cancelled", "finished"]


def test_a_server_that_cancels(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When the server cancels a request, its view is cancelled and the server hears of it."""
    events: list[str] = []

    @api.get("/x")
    async def view(request: HttpRequest) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            events.append("view ends")

    async def run(client: Client) -> None:
        answer = client.get("/x")
        await asyncio.sleep(0.01)
        answer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answer

    serve(run)
    assert events == ["view ends"]


def test_a_server_that_cannot_send(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When sending fails, the response is closed, and the server hears why."""
    closed: list[bool] = []

    class Response(HttpResponse):
        def close(self) -> None:
            super().close()
            closed.append(self.closed)

    @api.get("/x")
    async def view(request: HttpRequest) -> HttpResponse:
        return Response(b"body")

    async def run(client: Client) -> None:
        messages = [{"type": "http.request"}]

        async def receive() -> dict[str, Any]:
            if not messages:
                await asyncio.sleep(60)
            return messages.pop()

        async def send(message: dict[str, Any]) -> None:
            raise OSError("gone")

        scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
        with pytest.raises(OSError, match="gone"):
            await client.handler(scope, receive, send)

    serve(run)
    assert closed == [True]


def test_a_server_that_breaks_the_protocol(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When a server sends a body after the body, the request is dropped with an error."""

    @api.post("/x")
    async def view(request: HttpRequest) -> None:
        await asyncio.sleep(60)

    async def run(client: Client) -> None:
        with pytest.raises(AssertionError, match="Invalid ASGI message"):
            await client.post("/x", {"type": "http.request"}, {"type": "http.request"})
        with pytest.raises(ValueError, match="not websocket"):
            await client.get("/x", type="websocket")

    serve(run)


def test_requests_that_are_none(api: NinjaAPI, serve: Callable[..., Any]) -> None:
    """When Django cannot make a request of what came, the answer is 400."""

    async def run(client: Client) -> None:
        assert status_of(await client.get("/x", query_string=b"\xff")) == 400
        assert status_of(await client.get("/unknown")) == 404

    serve(run)


def test_errors_are_logged(
    api: NinjaAPI, serve: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """When a response is an error, then it is logged as under Django."""

    @api.get("/bug")
    async def bug(request: HttpRequest) -> None:
        raise LookupError("a bug")

    async def run(client: Client) -> None:
        assert status_of(await client.get("/bug")) == 500
        assert status_of(await client.get("/unknown")) == 404

    serve(run)
    logged = [(one.levelname, one.message) for one in caplog.records]
    assert logged == [("ERROR", "Internal Server Error: /bug"), ("WARNING", "Not Found: /unknown")]


def test_responses_that_take_time_to_close(
    api: NinjaAPI, serve: Callable[..., Any], settings: Settings
) -> None:
    """When closing may block, then it happens in the request's thread."""
    closed_in: list[threading.Thread] = []

    class Response(HttpResponse):
        def close(self) -> None:
            super().close()
            closed_in.append(threading.current_thread())

    @api.get("/file")
    async def file(request: HttpRequest) -> FileResponse:
        return FileResponse(open(__file__, "rb"))  # noqa: ASYNC230, PTH123 - Django closes it

    @api.get("/cache")
    async def cached(request: HttpRequest) -> HttpResponse:
        await caches["closed"].aset("key", "value")
        return Response()

    @api.get("/upload")
    async def upload(request: HttpRequest) -> HttpResponse:
        assert not request.FILES
        return Response()

    @api.get("/plain")
    async def plain(request: HttpRequest) -> HttpResponse:
        return Response()

    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "closed": {"BACKEND": f"{ClosedCache.__module__}.ClosedCache"},
    }

    async def run(client: Client) -> None:
        with pytest.warns(Warning, match="StreamingHttpResponse must consume"):
            assert body_of(await client.get("/file")).startswith(b'"""The handler')
        for url in ["/cache", "/upload", "/plain"]:
            assert status_of(await client.get(url)) == 200

    serve(run)
    is_on_loop = [one is threading.main_thread() for one in closed_in]
    assert is_on_loop == [False, False, True]
