"""`BackgroundTasks`: what is done after the response was sent."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from ninja import Status
from ninja.testing import TestAsyncClient, TestClient

from di import BackgroundTasks, Depends, HTTPException, NinjaAPI, acall, call
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


def note(text: str, *, twice: bool = False) -> None:
    events.extend([text] * (2 if twice else 1))


async def anote(text: str) -> None:
    await asyncio.sleep(0)
    events.append(text)


def resource() -> Iterator[str]:
    events.append("opens")
    try:
        yield "resource"
    except BaseException as error:
        events.append(f"sees {error!r}")
        raise
    finally:
        events.append("closes")


async def aresource() -> AsyncIterator[str]:
    inner = resource()
    value = next(inner)
    try:
        yield value
    except BaseException as error:  # noqa: BLE001 - passed on as it is
        inner.throw(error)
    else:
        next(inner, None)


def dependable(tasks: BackgroundTasks) -> BackgroundTasks:
    tasks.add_task(note, "from a dependable")
    return tasks


@pytest.mark.row("C16", "F2", "F3")
@pytest.mark.parametrize("made", [resource, aresource])
def test_they_run_between_the_two_scopes(made: Any, world: World, api: NinjaAPI) -> None:
    """In order, sync and async, after function scope and before request scope is left."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        tasks: BackgroundTasks,
        a: str = Depends(resource, scope="function"),
        b: str = Depends(made, scope="request"),
        shared: BackgroundTasks = Depends(dependable),
    ) -> bool:
        tasks.add_task(note, "from the view", twice=True)
        tasks.add_task(anote, "async")
        return tasks is shared

    world.serve(api)
    assert world.get_through_server("/x") == b"true"
    assert events == [
        *("opens", "opens", "closes"),
        *("from a dependable", "from the view", "from the view", "async"),
        "closes",
    ]


variable: ContextVar[str] = ContextVar("variable", default="nothing")
names: ContextVar[tuple[str, ...]] = ContextVar("names", default=())


def identify(get_response: Any) -> Any:
    """Set a context variable for each request, and reset it before the response is sent."""
    if iscoroutinefunction(get_response):

        async def amiddleware(request: HttpRequest) -> Any:
            token = variable.set("middleware's")
            try:
                return await get_response(request)
            finally:
                variable.reset(token)

        return amiddleware

    def middleware(request: HttpRequest) -> Any:
        token = variable.set("middleware's")
        try:
            return get_response(request)
        finally:
            variable.reset(token)

    return middleware


identify.sync_capable = identify.async_capable = True  # type: ignore[attr-defined]


def named() -> None:
    names.set((*names.get(), "dependable"))


async def anamed() -> None:
    names.set((*names.get(), "async dependable"))


@pytest.mark.row("C16")
@pytest.mark.parametrize("also", [None, resource, aresource])
@pytest.mark.parametrize("setter", [named, anamed])
def test_they_see_the_context_of_the_request(
    setter: Any, also: Any, world: World, api: NinjaAPI
) -> None:
    """Context variables of middleware, dependables and view, whatever else the view needs."""

    def report(kind: str) -> None:
        events.append(f"{kind}: {variable.get()}, {', '.join(names.get())}")

    async def areport() -> None:
        report("async")
        await sync_to_async(report)("async, in a thread")

    dependencies = [Depends(setter), *[Depends(one) for one in [also] if one]]

    @api.get("/x", dependencies=dependencies)
    @world.view
    def view(request: HttpRequest, tasks: BackgroundTasks) -> None:
        names.set((*names.get(), "view"))
        tasks.add_task(report, "sync")
        tasks.add_task(areport)

    world.serve(api)
    world.settings.MIDDLEWARE = [f"{__name__}.identify"]
    world.get_through_server("/x")
    assert world.get("/x").status_code == 200
    known = f"middleware's, {'async ' * (setter is anamed)}dependable, view"
    expected = [f"sync: {known}", f"async: {known}", f"async, in a thread: {known}"]
    assert [one for one in events if ":" in one] == expected * 2


@pytest.mark.row("C16")
def test_they_run_after_the_response_was_sent(world: World, api: NinjaAPI) -> None:
    """Nothing else has to be closed for it."""
    sent: list[str] = []

    class Noting(HttpResponse):
        def close(self) -> None:
            sent.extend(events)
            super().close()

    @api.get("/own")
    @world.view
    def own(request: HttpRequest, tasks: BackgroundTasks) -> HttpResponse:
        tasks.add_task(note, "task")
        return Noting(b"own")

    world.serve(api)
    assert world.get("/own").content == b"own"
    assert (sent, events) == ([], ["task"])


@pytest.mark.row("C16")
@pytest.mark.parametrize("answer", ["exception", "status"])
def test_none_run_if_the_request_ends_in_an_exception(
    answer: str, world: World, api: NinjaAPI
) -> None:
    """A returned error is a response like any other."""

    @api.get("/x", response={200: None, 409: None})
    @world.view
    def view(request: HttpRequest, tasks: BackgroundTasks) -> Any:
        tasks.add_task(note, "task")
        if answer == "exception":
            raise HTTPException(409)
        return Status(409, None)

    world.serve(api)
    assert world.get("/x").status_code == 409
    assert events == (["task"] if answer == "status" else [])


@pytest.mark.row("F7", "F10")
@pytest.mark.parametrize("made", [resource, aresource])
def test_a_failure_ends_the_row_and_is_logged(
    made: Any, world: World, api: NinjaAPI, caplog: pytest.LogCaptureFixture
) -> None:
    """What is still open sees it; the client has its response."""
    error = ValueError("task")

    def fails() -> None:
        raise error

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, tasks: BackgroundTasks, a: str = Depends(made)) -> str:
        for task in (fails, note, note):
            tasks.add_task(task)
        return a

    world.serve(api)
    with caplog.at_level(logging.ERROR, "di"):
        assert world.get_through_server("/x") == b'"resource"'
    assert events == ["opens", "sees ValueError('task')", "closes"]
    (record,) = caplog.records
    assert record.getMessage() == "A request failed after the response was sent."
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    (told,) = error.__notes__
    assert told.startswith("Raised by the background task tests.di.test_background.")
    assert told.endswith("; 2 after it were not called.")


def test_the_last_one_keeps_nobody_from_being_called() -> None:
    """The note on the error counts only what was lost."""
    error = ValueError("last")

    async def fails() -> None:
        raise error

    def function(tasks: BackgroundTasks) -> None:
        tasks.add_task(note, "first")
        tasks.add_task(fails)

    with pytest.raises(ValueError, match="last"):
        call(function)
    assert events == ["first"]
    assert "were not called" not in error.__notes__[0]


def test_a_task_may_add_another(world: World, api: NinjaAPI) -> None:
    """It comes last."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, tasks: BackgroundTasks) -> None:
        tasks.add_task(lambda: tasks.add_task(note, "added"))
        tasks.add_task(note, "second")

    world.serve(api)
    assert world.get("/x").status_code == 200
    assert events == ["second", "added"]


def test_with_ninjas_test_clients(api: NinjaAPI) -> None:
    """They never close a request: the tasks have run when the response is there."""

    @api.get("/x")
    def view(request: HttpRequest, tasks: BackgroundTasks) -> None:
        tasks.add_task(note, "sync")

    @api.get("/y")
    async def aview(request: HttpRequest, tasks: BackgroundTasks) -> None:
        tasks.add_task(note, "async")

    assert TestClient(api).get("/x").status_code == 200
    assert asyncio.run(TestAsyncClient(api).get("/y")).status_code == 200  # type: ignore[arg-type]
    assert events == ["sync", "async"]


def test_outside_a_request() -> None:
    """`call` runs them when its function has returned, before it returns itself."""

    def function(tasks: BackgroundTasks, a: str = Depends(resource)) -> str:
        tasks.add_task(note, "task")
        tasks.add_task(anote, "async task")
        events.append("returns")
        return a

    expected = ["opens", "returns", "task", "async task", "closes"]
    assert (call(function), events) == ("resource", expected)
    assert (asyncio.run(acall(function)), events) == ("resource", expected * 2)


@pytest.mark.parametrize("made", [resource, aresource])
def test_outside_a_request_its_failure_is_the_callers(made: Any) -> None:
    """What is open sees it before."""

    def fails() -> None:
        raise OSError("task")

    def function(tasks: BackgroundTasks, a: str = Depends(made)) -> None:
        tasks.add_task(fails)

    for run in (lambda: call(function), lambda: asyncio.run(acall(function))):
        events.clear()
        with pytest.raises(OSError, match="task"):
            run()
        assert events == ["opens", "sees OSError('task')", "closes"]


def test_a_task_added_when_tasks_have_run_is_named_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """When a request-scope generator adds a task after its yield, then the log names that task."""

    def forgotten() -> None: ...

    def late(tasks: BackgroundTasks) -> Iterator[None]:
        yield
        tasks.add_task(forgotten)

    api = NinjaAPI(urls_namespace="api")

    @api.get("/x", dependencies=[Depends(late)])
    @world.view
    def view(request: HttpRequest) -> int:
        return 1

    world.serve(api)
    assert world.get("/x").status_code == 200
    assert [record.name for record in caplog.records] == ["di"]
    assert "forgotten" in caplog.text
    assert "nothing will call it" in caplog.text
