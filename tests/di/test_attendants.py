"""Async generators around whose yield stands a task group, a timeout or a cancel scope."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any, Literal

import anyio
import fastapi
import pytest
from django.http import HttpRequest
from fastapi.testclient import TestClient

from di import Depends, NinjaAPI, acall
from di.contexts import Attendant
from tests.di.conftest import World

Scope = Literal["function", "request"]

events: list[str] = []
variable: ContextVar[str] = ContextVar("variable", default="before")


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


async def in_a_task_group() -> AsyncIterator[str]:
    async with asyncio.TaskGroup() as group:
        child = group.create_task(asyncio.sleep(60))
        yield "value"
        child.cancel()
    events.append("closed")


async def in_a_timeout() -> AsyncIterator[str]:
    async with asyncio.timeout(60):
        yield "value"
    events.append("closed")


async def in_a_cancel_scope() -> AsyncIterator[str]:
    with anyio.CancelScope():
        yield "value"
    events.append("closed")


async def in_a_set_variable() -> AsyncIterator[str]:
    token = variable.set("value")
    task = asyncio.current_task()
    yield variable.get()
    assert asyncio.current_task() is task
    variable.reset(token)
    events.append("closed")


async def with_a_failing_child() -> AsyncIterator[str]:
    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise ValueError

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            yield "value"
    except BaseExceptionGroup as error:
        events.append(f"sees {error.exceptions!r}")
        raise


async def too_slow() -> AsyncIterator[str]:
    try:
        async with asyncio.timeout(0.01):
            yield "value"
    except TimeoutError:
        events.append("times out")
        raise


async def moved_on() -> AsyncIterator[str]:
    with anyio.move_on_after(0.01):
        yield "value"
    events.append("moves on")


@pytest.mark.parametrize("scope", ["function", "request"])
@pytest.mark.parametrize(
    "made", [in_a_task_group, in_a_timeout, in_a_cancel_scope, in_a_set_variable]
)
def test_an_async_generator_lives_in_one_task(
    made: Any, scope: Scope, world: World, api: NinjaAPI
) -> None:
    """When it is closed, then it is in the task in which it was opened, in any kind of view."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, value: str = Depends(made, scope=scope)) -> list[str]:
        return [value, variable.get()]

    world.serve(api)
    is_set = made is in_a_set_variable
    expected = ["value", "value" if is_set else "before"]
    assert world.get("/x").json() == expected  # type: ignore[attr-defined]
    world.get_through_server("/x")
    assert events == ["closed", "closed"]
    assert variable.get() == "before"


@pytest.mark.parametrize("scope", ["function", "request"])
@pytest.mark.parametrize("made", [with_a_failing_child, too_slow, moved_on])
def test_a_cancellation_at_the_yield_ends_the_request_as_in_fastapi(
    made: Any, scope: Scope, world: World, api: NinjaAPI
) -> None:
    """The view of an event loop is cancelled, one of a thread ends first; both are a 500."""
    ended: list[str] = []

    def wait() -> str:
        time.sleep(0.1)
        ended.append("view")
        return "done"

    async def await_() -> str:
        await asyncio.sleep(0.2)
        raise AssertionError

    if world.is_async:

        @api.get("/x")
        async def aview(request: HttpRequest, value: str = Depends(made, scope=scope)) -> str:
            return await await_()

    else:

        @api.get("/x")
        def view(request: HttpRequest, value: str = Depends(made, scope=scope)) -> str:
            return wait()

    world.serve(api)
    assert world.get("/x").status_code == 500
    ours = events.copy()
    events.clear()

    app = fastapi.FastAPI()
    theirs = await_ if world.is_async else wait
    app.get("/x", dependencies=[fastapi.Depends(made)])(theirs)
    client = TestClient(app, raise_server_exceptions=False)
    assert client.get("/x").status_code == 500
    assert ours == events
    assert ended == [] if world.is_async else ["view", "view"]


def test_outside_a_request() -> None:
    """`acall` closes it in its task as well."""

    async def job(value: str = Depends(in_a_task_group)) -> str:
        return value

    assert asyncio.run(acall(job)) == "value"
    assert events == ["closed"]


@pytest.mark.parametrize("error", [None, LookupError("a bug")])
def test_a_loop_that_ends_before_its_request(error: Exception | None) -> None:
    """When the loop ends first, the generator is closed there, and closing it later is fine."""
    attendant = Attendant()
    generator = in_a_set_variable()

    async def last(_: BaseException | None) -> None:
        await anext(generator, None)

    async def open_it() -> None:
        assert await attendant.enter(generator.__anext__, last) == "value"
        attendant.let_go()

    asyncio.run(open_it())
    assert events == ["closed"]
    assert asyncio.run(attendant.close(error)) is error
    assert events == ["closed"]


def test_a_loop_that_is_closed_under_a_generator() -> None:
    """When a loop is closed with the generator open, closing the request does not wait for it."""
    attendant = Attendant()
    loop = asyncio.new_event_loop()
    generator = in_a_set_variable()
    loop.run_until_complete(attendant.enter(generator.__anext__, generator.__anext__))
    assert attendant.task is not None
    attendant.task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    assert asyncio.run(attendant.close(None)) is None
    assert events == []


def test_a_cancellation_in_the_moment_in_which_a_generator_is_open() -> None:
    """When the user is cancelled as the generator comes to its yield, the generator is open."""

    async def run() -> None:
        attendant, goes_on = Attendant(), asyncio.Event()
        generator = in_a_set_variable()

        async def first() -> str:
            await goes_on.wait()
            return await anext(generator)

        async def last(_: BaseException | None) -> None:
            await anext(generator, None)

        entering = asyncio.create_task(attendant.enter(first, last))
        await asyncio.sleep(0.01)
        attendant.opened.add_done_callback(lambda _: entering.cancel())
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await entering
        assert attendant.is_open
        assert await asyncio.gather(attendant.close(None), attendant.close(None)) == [None, None]

    asyncio.run(run())
    assert events == ["closed"]


@pytest.mark.parametrize("gives_up", [True, False])
def test_a_cancellation_while_a_generator_opens(gives_up: bool) -> None:
    """When the user is cancelled meanwhile, the generator sees it, and may open all the same."""

    async def run() -> None:
        attendant, is_opening = Attendant(), asyncio.Event()

        async def first() -> str:
            is_opening.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                events.append("cancelled")
                if gives_up:
                    raise
            return "value"

        async def last(_: BaseException | None) -> None:
            events.append("closed")

        entering = asyncio.create_task(attendant.enter(first, last))
        await is_opening.wait()
        entering.cancel()
        if gives_up:
            with pytest.raises(asyncio.CancelledError):
                await entering
            assert not attendant.is_open
        else:
            assert await entering == "value"
            await attendant.close(None)

    asyncio.run(run())
    assert events == ["cancelled"] + ["closed"] * (not gives_up)
