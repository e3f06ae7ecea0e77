"""Scope "app": one value for all requests, until the process ends."""

import asyncio
import contextvars
import logging
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from django.http import HttpRequest
from django.test import AsyncClient

from di import Depends, HTTPException, NinjaAPI, SecurityScopes, acall, call, dependable, override
from di.app_scope import app_scope
from di.bridge import lasting_loop
from di.codegen import akeep
from di.exceptions import DependencyScopeError, InvalidLimitError
from di.graph import analyze
from di.plan import compile_plan
from di.sessions import get_session
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    events.clear()
    yield
    app_scope.close()


def kept(call: Callable[..., Any]) -> Any:
    return Depends(call, scope="app")


def named(name: str, *needs: Any) -> dict[str, Callable[..., Any]]:
    """Return dependables of each kind that note when they open and close, and use *needs*."""
    below = Depends(needs[0], scope="app") if needs else Depends(lambda: "")

    def function(b: str = below) -> str:
        events.append(f"{name} opens")
        return b + name

    async def coroutine(b: str = below) -> str:
        return function(b)

    def generator(b: str = below) -> Iterator[str]:
        yield function(b)
        events.append(f"{name} closes")

    async def async_generator(b: str = below) -> AsyncIterator[str]:
        yield function(b)
        events.append(f"{name} closes")

    return {one.__name__: one for one in (function, coroutine, generator, async_generator)}


KINDS = list(named(""))


@pytest.mark.parametrize("kind", KINDS)
def test_once_for_all_requests(kind: str, world: World, api: NinjaAPI) -> None:
    """Whatever kind of callable it is: called once, its value shared, closed at the end."""
    a = named("a")[kind]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, one: str = kept(a), two: str = kept(a)) -> list[str]:
        return [one, two]

    world.serve(api)
    assert [world.get("/x").json() for _ in range(3)] == [["a", "a"]] * 3  # type: ignore[attr-defined]
    assert events == ["a opens"]
    app_scope.close()
    assert events == ["a opens", *["a closes"] * ("generator" in kind)]


class Pool:
    """A stand-in for asyncpg's pool or redis.asyncio's client: it refuses other loops."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()

    async def fetch(self, n: int) -> int:
        assert asyncio.get_running_loop() is self.loop
        await asyncio.sleep(0.01)
        return n


async def pool() -> AsyncIterator[Pool]:
    yield Pool()
    events.append("closes")


async def session(pool: Pool = kept(pool)) -> AsyncIterator[Pool]:
    await pool.fetch(1)
    yield pool
    await pool.fetch(1)


async def repository() -> Pool:
    return Pool()


def user(pool: Pool = kept(repository)) -> Pool:
    return pool


@pytest.mark.parametrize("made", [pool, repository, session, user])
@pytest.mark.parametrize("world", ["wsgi-async", "asgi-async"], indirect=True)
def test_an_async_view_runs_on_the_loop_of_an_async_value(
    made: Any, world: World, api: NinjaAPI
) -> None:
    """When WSGI gives each request a loop of its own, then the view runs on the value's."""
    marker = kept(made) if made in (pool, repository) else Depends(made)

    @api.get("/x")
    async def view(request: HttpRequest, n: int, pool: Pool = marker) -> list[object]:
        thread = await sync_to_async(threading.get_ident)()
        return [await pool.fetch(n), str(thread) == request.META.get("thread")]

    world.serve(api)

    def ask(n: int) -> Any:
        answer = world.get(f"/x?n={n}", thread=str(threading.get_ident()))
        return answer.json()  # type: ignore[attr-defined]

    if world.is_asgi:
        assert ask(1)[0] == 1
        return
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(20))) == [[n, True] for n in range(20)]
    app_scope.close()
    assert events == ["closes"] * (made in (pool, session))


def test_acall_runs_on_the_loop_of_an_async_value() -> None:
    """A command may use `async_to_sync`, whose loop ends with the call."""

    async def command(pool: Pool = kept(pool)) -> int:
        return await pool.fetch(1)

    for _ in range(2):
        assert async_to_sync(acall)(command) == 1
    assert call(command) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_what_is_kept_may_rest_on_what_is_kept(kind: str, other: str, world: World) -> None:
    """Opened in the order of need, closed in reverse, for every pair of kinds."""
    api = NinjaAPI(urls_namespace="api")
    a = named("a")[kind]
    b = named("b", a)[other]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, b: str = kept(b), a: str = kept(a)) -> str:
        return a + b

    world.serve(api)
    assert world.get("/x").json() == "aab"  # type: ignore[attr-defined]
    app_scope.close()
    closes = [f"{name} closes" for name, of in (("b", other), ("a", kind)) if "generator" in of]
    assert events == ["a opens", "b opens", *closes]


def test_what_it_was_made_of_is_not_called_again(world: World, api: NinjaAPI) -> None:
    """A plain dependency below it belongs to its making; beside it, to each request."""

    def plain() -> str:
        events.append("plain")
        return "plain"

    def pool(p: str = Depends(plain)) -> str:
        return f"pool of {p}"

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, pool: str = kept(pool)) -> str:
        return pool

    @api.get("/y")
    @world.view
    def beside(request: HttpRequest, pool: str = kept(pool), p: str = Depends(plain)) -> str:
        return pool

    world.serve(api)
    assert [world.get("/x").json() for _ in range(2)] == ["pool of plain"] * 2  # type: ignore[attr-defined]
    assert events == ["plain"]
    assert world.get("/y").json() == "pool of plain"  # type: ignore[attr-defined]
    assert events == ["plain"] * 2


def slow(kind: str) -> Callable[..., Any]:
    """Return a dependable that takes its time to open."""

    def generator() -> Iterator[object]:
        events.append("opens")
        time.sleep(0.02)
        yield object()
        events.append("closes")

    async def async_generator() -> AsyncIterator[object]:
        events.append("opens")
        await asyncio.sleep(0.02)
        yield object()
        events.append("closes")

    return generator if kind == "generator" else async_generator


@pytest.mark.parametrize("kind", ["generator", "async_generator"])
def test_thirty_two_threads_get_one(kind: str) -> None:
    """Who comes while it is being made waits for it."""
    made = slow(kind)

    def task(a: Annotated[object, kept(made)]) -> object:
        return a

    barrier = threading.Barrier(32)

    def race(_: int) -> object:
        barrier.wait()
        return call(task)

    with ThreadPoolExecutor(32) as pool:
        values = list(pool.map(race, range(32)))
    assert len({id(value) for value in values}) == 1
    assert events == ["opens"]


@pytest.mark.parametrize("kind", ["generator", "async_generator"])
def test_thirty_two_tasks_get_one(kind: str, api: NinjaAPI, world: World) -> None:
    """On one event loop, with the requests of Django's handler."""
    made = slow(kind)

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: object = kept(made)) -> int:
        return id(a)

    world.serve(api)

    async def get() -> Any:
        async with ThreadSensitiveContext():
            return (await AsyncClient().get("/x")).json()

    async def race() -> list[Any]:
        return await asyncio.gather(*(get() for _ in range(32)))

    assert len(set(asyncio.run(race()))) == 1
    assert events[:2] in (["opens"], ["opens", "closes"])


class Line:
    """A dependable that fails the first time, when so many others wait for it."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.asking: list[int] = []
        self.attempts: list[int] = []

    def function(self) -> str:
        while len(self.asking) < self.length:
            time.sleep(0.001)
        time.sleep(0.2)
        return self.attempt()

    async def coroutine(self) -> str:
        while len(self.asking) < self.length:  # noqa: ASYNC110 - threads make it true
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.2)
        return self.attempt()

    def attempt(self) -> str:
        self.attempts.append(1)
        if len(self.attempts) == 1:
            raise HTTPException(503)
        return "value"


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_seen_by_all_who_wait_and_is_not_kept(kind: str) -> None:
    """The next one to ask tries again."""
    line = Line(4)
    function, coroutine = line.function, line.coroutine
    attempts = line.attempts

    def generator() -> Iterator[str]:
        yield function()

    async def async_generator() -> AsyncIterator[str]:
        yield await coroutine()

    made = {one.__name__: one for one in (function, coroutine, generator, async_generator)}[kind]

    def task(a: Annotated[str, kept(made)]) -> str:
        return a

    barrier = threading.Barrier(4)

    def race(_: int) -> str:
        barrier.wait()
        line.asking.append(1)
        try:
            return call(task)
        except HTTPException as error:
            return str(error.status_code)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(race, range(4))) == ["503"] * 4
    assert [call(task) for _ in range(2)] == ["value"] * 2
    assert len(attempts) == 2


def test_who_asked_first_may_leave() -> None:
    """Making it goes on for those who wait, and for later."""

    async def run() -> None:
        made = slow("async_generator")

        async def task(a: Annotated[object, kept(made)]) -> object:
            return a

        first, second = (asyncio.create_task(acall(task)) for _ in range(2))
        await asyncio.sleep(0.01)
        first.cancel()
        assert await second is await acall(task)
        assert first.cancelled()

    asyncio.run(run())
    assert events == ["opens", "closes"]


def test_what_is_async_ends_with_its_loop() -> None:
    """It is closed there, with all that rests on it, and nothing else; then made anew."""
    a = named("a")["async_generator"]
    b = named("b", a)["generator"]
    c = named("c")["generator"]

    async def task(b: Annotated[str, kept(b)], c: Annotated[str, kept(c)]) -> str:
        return b + c

    assert asyncio.run(acall(task)) == "abc"
    assert events == ["a opens", "b opens", "c opens", "b closes", "a closes"]
    assert asyncio.run(acall(task)) == "abc"
    assert events[5:] == ["a opens", "b opens", "b closes", "a closes"]
    app_scope.close()
    assert events[9:] == ["c closes"]


def test_a_loop_that_left_its_tasks_behind() -> None:
    """It was closed without a word: what was made on it is closed elsewhere, and made anew."""
    a = named("a")["async_generator"]

    async def task(a: Annotated[str, kept(a)]) -> str:
        return a

    for _ in range(2):
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(acall(task)) == "a"
        loop.close()
    assert events == ["a opens", "a closes", "a opens"]
    app_scope.close()
    assert events == ["a opens", "a closes"] * 2


def test_a_loop_that_was_stopped() -> None:
    """As servers stop theirs, and end: what was made on it is closed on it."""
    loops = []

    async def made() -> AsyncIterator[None]:
        loops.append(asyncio.get_running_loop())
        yield
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())

    async def task(a: Annotated[None, kept(made)]) -> None: ...

    loop = asyncio.new_event_loop()
    loop.run_until_complete(acall(task))
    app_scope.close()
    loop.close()
    assert loops == [loop, loop]


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")


@pytest.mark.parametrize("kind", ["generator", "async_generator"])
@pytest.mark.row("G1", "G2")
def test_it_has_a_context_of_its_own(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The first request sees none of its variables; it may reset them when it closes."""

    def generator() -> Iterator[str]:
        token = variable.set("set")
        yield "value"
        variable.reset(token)

    async def async_generator() -> AsyncIterator[str]:
        token = variable.set("set")
        yield "value"
        variable.reset(token)

    made = generator if kind == "generator" else async_generator

    def task(a: Annotated[str, kept(made)]) -> str:
        return variable.get()

    async def atask(a: Annotated[str, kept(made)]) -> str:
        return variable.get()

    assert call(task) == ""
    app_scope.close()
    assert asyncio.run(acall(atask)) == ""
    app_scope.close()
    assert caplog.records == []


@pytest.mark.parametrize("kind", ["generator", "async_generator"])
def test_a_failure_while_closing_is_logged(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """It stops nobody else from being closed."""

    def generator() -> Iterator[None]:
        yield
        raise OSError("closing")

    async def async_generator() -> AsyncIterator[None]:
        yield
        raise OSError("closing")

    a = named("a")["generator"]
    made = generator if kind == "generator" else async_generator
    call(lambda: None)

    def task(a: Annotated[str, kept(a)], b: Annotated[None, kept(made)]) -> None: ...

    call(task)
    with caplog.at_level(logging.ERROR, "di"):
        app_scope.close()
    (record,) = caplog.records
    assert record.getMessage().startswith('A dependable of scope "app" failed while it was closed')
    assert "generator (tests/di/test_app_scope.py:" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is OSError
    assert events[-1] == "a closes"


def test_an_end_that_takes_too_long_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The process ends all the same."""
    monkeypatch.setattr("di.app_scope._SECONDS_TO_CLOSE", 0.01)

    async def stubborn() -> AsyncIterator[None]:
        yield
        await asyncio.sleep(0.2)

    def task(a: Annotated[None, kept(stubborn)]) -> None: ...

    call(task)
    app_scope.close()
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [TimeoutError]


def test_the_decorator_makes_it_the_default() -> None:
    """`@dependable(scope="app")`, and markers that name no scope."""

    @dependable(scope="app")
    def made() -> object:
        return object()

    def task(a: Annotated[object, Depends(made)]) -> object:
        return a

    assert call(task) is call(task)


def reads_input(region: str = "eu") -> str:
    return region


def reads_request(request: HttpRequest) -> HttpRequest:
    return request


def reads_scopes(scopes: SecurityScopes) -> SecurityScopes:
    return scopes


def above(n: Annotated[str, Depends(reads_input)]) -> str:
    return n


def plain_generator() -> Iterator[None]:
    yield


def on_a_generator(n: Annotated[None, Depends(plain_generator)]) -> None: ...


def on_a_session(n: Annotated[None, Depends(get_session)]) -> None: ...


@pytest.mark.row("F6", "J4")
@pytest.mark.parametrize(
    ("made", "words"),
    [
        (reads_input, "would keep inputs of one request for all others: 'region'."),
        (reads_request, "for all others: 'request'."),
        (reads_scopes, "for all others: 'scopes'."),
        (above, "for all others: those of the last dependable here."),
        (on_a_generator, 'uses one of scope "request", which is closed earlier'),
        (on_a_session, 'uses one of scope "function", which is closed earlier'),
    ],
)
def test_it_may_use_nothing_of_a_request(made: Any, words: str) -> None:
    """When a value of scope "app" would use a request or a shorter scope, then it is refused."""

    def view(request: HttpRequest, a: Any = kept(made)) -> None: ...

    with pytest.raises(DependencyScopeError) as refusal:
        analyze(view)
    assert words in str(refusal.value)
    assert f"a: tests.di.test_app_scope.{made.__name__}" in str(refusal.value)
    assert "Hint: " in str(refusal.value)


def test_there_is_nothing_to_limit() -> None:
    """One call in a process is not many at once."""

    def view(request: HttpRequest, a: Any = Depends(slow, scope="app", max_concurrency=2)) -> None:
        raise NotImplementedError

    with pytest.raises(InvalidLimitError, match="max_concurrency limits nothing"):
        analyze(view)


def test_a_stand_in_does_not_outlive_its_override(world: World, api: NinjaAPI) -> None:
    """It lives for the request, and what rests on it is made anew for the request, too."""
    a = named("a")["generator"]
    b = named("b", a)["generator"]
    fake = named("fake")["generator"]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, b: str = kept(b)) -> str:
        return b

    world.serve(api)

    def read() -> str:
        return world.get("/x").json()  # type: ignore[attr-defined, no-any-return]

    assert read() == "ab"
    with override({a: fake}):
        assert [read(), read()] == ["fakeb"] * 2
    assert read() == "ab"
    of_one = ["fake opens", "b opens", "b closes", "fake closes"]
    assert events == ["a opens", "b opens", *of_one, *of_one]


SCRIPT = """
import asyncio, multiprocessing, os, sys
from collections.abc import AsyncIterator, Iterator
from typing import Annotated
import django
from django.conf import settings
settings.configure()
from di import Depends, acall, call

def say(text):
    os.write(1, f"{text} {names[os.getpid()]}\\n".encode())

names = {os.getpid(): "parent"}

def a() -> Iterator[str]:
    say("a opens")
    yield "a"
    say("a closes")

async def b(a: Annotated[str, Depends(a, scope="app")]) -> AsyncIterator[str]:
    say("b opens")
    yield a + "b"
    await asyncio.sleep(0)
    say("b closes")

def c(b: Annotated[str, Depends(b, scope="app")]) -> Iterator[str]:
    say("c opens")
    yield b + "c"
    say("c closes")

def task(c: Annotated[str, Depends(c, scope="app")]) -> str:
    return c

def in_child():
    names[os.getpid()] = "child"
    call(task)
"""


def run(script: str) -> list[str]:
    result = subprocess.run(  # noqa: S603 - our own script
        # Python 3.12 and later warn of every fork beside a thread.
        [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", SCRIPT + script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


OPENS = ["a opens", "b opens", "c opens"]
CLOSES = ["c closes", "b closes", "a closes"]


def of(name: str, lines: list[str]) -> list[str]:
    return [f"{line} {name}" for line in lines]


@pytest.mark.parametrize("end", ["", "sys.exit()"])
def test_closed_in_reverse_when_the_process_ends(end: str) -> None:
    """At its last line, or by sys.exit, as servers end their workers."""
    assert run(f"call(task); call(task); print(end=''); {end}") == of("parent", OPENS + CLOSES)


def test_closed_when_the_loop_was_the_process() -> None:
    """What a server's own loop made is closed on it."""
    lines = run("async def main():\n  await acall(task)\nasyncio.run(main())\nsay('end')")
    assert lines == of("parent", [*OPENS, "c closes", "b closes", "end", "a closes"])


@pytest.mark.parametrize(
    "fork",
    [
        "if not os.fork():\n  in_child(); sys.exit()\nos.wait()",
        "p = multiprocessing.get_context('fork').Process(target=in_child); p.start(); p.join()",
    ],
    ids=["os.fork", "multiprocessing"],
)
def test_after_a_fork_each_process_has_its_own(fork: str) -> None:
    """The child opens and closes anew; what is its parent's it leaves alone."""
    lines = run(f"call(task)\n{fork}\nsay('joined')")
    expected = [
        *of("parent", OPENS),
        *of("child", OPENS + CLOSES),
        *of("parent", ["joined", *CLOSES]),
    ]
    assert lines == expected


def test_a_child_that_opens_nothing_closes_nothing() -> None:
    """Not even when the garbage of a fork is collected."""
    lines = run(
        "call(task)\nif not os.fork():\n  names[os.getpid()] = 'child'; import gc; gc.collect()\n"
        "  sys.exit()\nos.wait()"
    )
    assert lines == of("parent", OPENS + CLOSES)


def test_a_loop_that_ends_asks_one_that_lasts() -> None:
    """When an async value is first wanted on a loop that ends, it lives on the lasting one."""
    closed: list[str] = []

    async def kept() -> AsyncIterator[asyncio.AbstractEventLoop]:
        yield asyncio.get_running_loop()
        closed.append("kept")

    def job(value: Any = Depends(kept, scope="app")) -> None: ...

    (step,) = compile_plan(analyze(job)).steps
    assert step.own_plan is not None
    loop = async_to_sync(akeep)(step.own_plan)
    assert loop is lasting_loop()
    assert async_to_sync(akeep)(step.own_plan) is loop
    app_scope.close()
    assert closed == ["kept"]
