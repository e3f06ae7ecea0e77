"""`max_concurrency`: how many requests are inside a dependable at once."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import pytest
from asgiref.sync import ThreadSensitiveContext
from django.http import HttpRequest
from django.test import AsyncClient
from pytest_django import Settings

from di import Depends, HTTPException, NinjaAPI, Security, call
from di.exceptions import InvalidLimitError
from di.limits import Limiter
from tests.di.conftest import World

ENOUGH = 0.02
"""Seconds in which others would come in if they were let."""


class Inside:
    """Counts who is inside, and remembers the most that ever were."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = self.total = 0

    def enter(self) -> None:
        with self.lock:
            self.now += 1
            self.total += 1
            self.most = max(self.most, self.now)

    def leave(self) -> None:
        with self.lock:
            self.now -= 1


def function(inside: Inside) -> Callable[[], Any]:
    def dependable() -> None:
        inside.enter()
        time.sleep(ENOUGH)
        inside.leave()

    return dependable


def coroutine(inside: Inside) -> Callable[[], Any]:
    async def dependable() -> None:
        inside.enter()
        await asyncio.sleep(ENOUGH)
        inside.leave()

    return dependable


def generator(inside: Inside) -> Callable[[], Any]:
    def dependable() -> Iterator[None]:
        inside.enter()
        time.sleep(ENOUGH)
        yield
        inside.leave()

    return dependable


def async_generator(inside: Inside) -> Callable[[], Any]:
    async def dependable() -> AsyncIterator[None]:
        inside.enter()
        await asyncio.sleep(ENOUGH)
        yield
        inside.leave()

    return dependable


KINDS = [function, coroutine, generator, async_generator]


def request_at_once(world: World, number: int) -> list[int]:
    """Send *number* requests at the same time and return their statuses."""
    if not world.is_asgi:
        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(lambda _: world.get("/x").status_code, range(number)))

    async def send() -> list[int]:
        responses = await asyncio.gather(*(aget("/x") for _ in range(number)))
        return [response.status_code for response in responses]

    return asyncio.run(send())


async def aget(url: str) -> Any:
    """Send one request, its sync code in a thread of its own, as Django's ASGI handler does."""
    async with ThreadSensitiveContext():
        return await AsyncClient().get(url)


@pytest.mark.row("G4")
@pytest.mark.parametrize("kind", KINDS)
def test_no_more_than_so_many_are_inside(kind: Any, world: World, api: NinjaAPI) -> None:
    """All are served in the end; a generator keeps its slot until it is closed."""
    inside = Inside()
    limited = kind(inside)

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: None = Depends(limited, max_concurrency=2)) -> None: ...

    world.serve(api)
    assert request_at_once(world, 6) == [200] * 6
    assert (inside.total, inside.now) == (6, 0)
    assert inside.most <= 2


@pytest.mark.row("G4")
def test_the_slots_belong_to_the_marker(world: World, api: NinjaAPI) -> None:
    """One marker in two views has one set of them; two markers have two."""
    inside = Inside()
    shared = Annotated[None, Depends(function(inside), max_concurrency=1)]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: shared) -> None: ...

    @api.post("/x")
    @world.view
    def other(request: HttpRequest, a: shared) -> None: ...

    world.serve(api)
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send, "/x") for send in (world.get, world.post) * 2]
        assert [one.result().status_code for one in sent] == [200] * 4
    assert inside.most == 1
    one, other_one = (Depends(function, max_concurrency=1) for _ in range(2))
    assert one != other_one
    assert one == one  # noqa: PLR0124 - itself, and nothing else
    assert len({one, other_one, Depends(function), Depends(function)}) == 3


def limited_twice() -> list[Any]:
    marker = Depends(generator(Inside()), max_concurrency=1, use_cache=False)
    return [marker, marker]


def test_a_request_never_waits_for_itself(world: World, api: NinjaAPI) -> None:
    """It is inside already: a second call needs no second slot, and the slot is free after."""

    @api.get("/x", dependencies=limited_twice())
    @world.view
    def view(request: HttpRequest) -> None: ...

    world.serve(api)
    assert [world.get("/x").status_code for _ in range(2)] == [200, 200]


def test_only_what_is_limited_has_a_slot(world: World, api: NinjaAPI) -> None:
    """Generators beside it open and close as ever."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: None = Depends(generator(Inside())),
        b: None = Depends(generator(Inside()), max_concurrency=1),
        c: None = Depends(async_generator(Inside()), scope="function"),
        d: None = Depends(generator(Inside()), scope="function"),
    ) -> None: ...

    world.serve(api)
    assert [world.get("/x").status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_frees_the_slot(kind: Any, world: World, api: NinjaAPI) -> None:
    """Raised inside, before a value or after: the next request is served."""

    class Raising(Inside):
        def leave(self) -> None:
            raise HTTPException(418)

        enter = leave

    marker = Depends(kind(Raising()), max_concurrency=1, scope="function")

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: None = marker) -> None: ...

    @api.get("/y")
    @world.view
    def fails(request: HttpRequest, a: None = Depends(kind(Inside()), max_concurrency=1)) -> None:
        raise HTTPException(409)

    world.serve(api)
    assert [world.get("/x").status_code for _ in range(2)] == [418, 418]
    assert [world.get("/y").status_code for _ in range(2)] == [409, 409]


def test_who_waits_in_a_coroutine_holds_no_thread(api: NinjaAPI, settings: Settings) -> None:
    """The one thread of all these requests stays free for one that waits for nothing."""
    finished: list[str] = []

    @api.get("/x")
    async def slow(
        request: HttpRequest, a: None = Depends(function(Inside()), max_concurrency=1)
    ) -> None:
        await asyncio.sleep(ENOUGH)
        finished.append("slow")

    @api.get("/y")
    async def fast(request: HttpRequest, a: None = Depends(lambda: None)) -> None:
        finished.append("fast")

    World("asgi-async", settings).serve(api)

    async def send() -> None:
        client = AsyncClient()
        await asyncio.gather(*(client.get("/x") for _ in range(4)), client.get("/y"))

    asyncio.run(send())
    assert finished.index("fast") < 3
    assert finished.count("slow") == 4


def test_outside_a_request_too() -> None:
    """`call` takes a slot and gives it back."""

    def task(a: Annotated[str, Depends(lambda: "value", max_concurrency=1)]) -> str:
        return a

    assert [call(task) for _ in range(2)] == ["value", "value"]


@pytest.mark.row("G4", "J9")
@pytest.mark.parametrize("number", [0, -1, True, False, 1.0, "1"])
def test_only_a_positive_integer_is_a_number_of_slots(number: Any) -> None:
    """Anything else is refused where it is written, as FastAPI does with a ValueError."""
    for declare in (Depends, Security):
        with pytest.raises(InvalidLimitError, match=r"is not a positive integer\. \(di\.E014\)"):
            declare(function, max_concurrency=number)
    assert issubclass(InvalidLimitError, ValueError)


def test_a_marker_shows_its_limit() -> None:
    """Its repr is what was written."""
    assert repr(Depends(function, max_concurrency=2)) == "Depends(function, max_concurrency=2)"


def test_first_come_first_served() -> None:
    """Threads and tasks stand in one line."""
    limiter = Limiter(1)
    limiter.acquire()
    order: list[str] = []

    async def in_a_task() -> None:
        await limiter.aacquire()
        order.append("task")
        limiter.release()

    def in_a_thread() -> None:
        limiter.acquire()
        order.append("thread")
        limiter.release()

    first = threading.Thread(target=asyncio.run, args=[in_a_task()])
    second = threading.Thread(target=in_a_thread)
    for length, thread in enumerate([first, second], 1):
        thread.start()
        while len(limiter.waiting) < length:
            time.sleep(0.001)
    limiter.release()
    first.join()
    second.join()
    assert order == ["task", "thread"]
    assert limiter.free == 1


def test_who_gives_up_leaves_the_line() -> None:
    """Cancelled while it waits, or in the moment it is served: no slot is lost."""
    limiter = Limiter(1)

    async def run() -> None:
        await limiter.aacquire()
        before = asyncio.create_task(limiter.aacquire())
        meanwhile = asyncio.create_task(limiter.aacquire())
        await asyncio.sleep(0)
        before.cancel()
        await asyncio.sleep(0)
        limiter.release()  # to *meanwhile*, which has not heard of it yet
        meanwhile.cancel()
        results = await asyncio.gather(before, meanwhile, return_exceptions=True)
        assert [type(one) for one in results] == [asyncio.CancelledError] * 2

    asyncio.run(run())
    assert limiter.free == 1


def test_an_interrupted_thread_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while it waits."""
    limiter = Limiter(1)
    limiter.acquire()

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        limiter.acquire()
    limiter.release()
    assert limiter.free == 1


def test_after_a_fork_all_slots_are_free() -> None:
    """Those inside, and those who wait, stayed in the parent."""
    limiter = Limiter(2)
    limiter.acquire()
    child = os.fork()
    if child == 0:  # pragma: no cover - in another process
        os._exit(0 if limiter.free == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert limiter.free == 1
