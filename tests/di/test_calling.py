"""Dependables outside a request."""

import asyncio
import gc
import inspect
import linecache
import weakref
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType
from typing import Annotated, Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Group
from django.core.management import BaseCommand, CommandParser, call_command
from django.db import connection, transaction
from django.http import HttpRequest
from ninja import Query

from di import Depends, NinjaAPI, Security, SecurityScopes, acall, call, override
from di.exceptions import DependencyError, GeneratorProtocolError, MissingValueError
from di.rendering import describe
from di.sessions import SessionDep
from tests.di import samples
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


@pytest.fixture(params=["call", "acall"])
def resolve(request: pytest.FixtureRequest) -> Any:
    """`call`, or `acall` from sync code."""
    return call if request.param == "call" else async_to_sync(acall)


def opened(name: str = "x") -> Iterator[str]:
    events.append(f"{name} opens")
    try:
        yield name
    except BaseException as error:
        events.append(f"{name} sees {type(error).__name__}")
        raise
    finally:
        events.append(f"{name} closes")


async def aopened(name: Annotated[str, Depends(opened)]) -> AsyncIterator[str]:
    events.append("async opens")
    yield name
    events.append("async closes")


def test_dependencies_are_resolved_and_closed(resolve: Any) -> None:
    """Of every kind, with values by name and defaults; all is closed when it returns."""

    def job(
        n: int,
        name: str = Depends(opened),
        a: str = Depends(aopened),
        c: int = Depends(samples.coroutine),
        limit: int = Query(5),
        size: Annotated[int, Query(default_factory=lambda: 6)] = 7,
        page: Annotated[int, Query()] = 8,
    ) -> Any:
        events.append("job")
        return [n, name, a, c, limit, size, page]

    async def ajob(n: int, a: str = Depends(aopened)) -> Any:
        events.append("job")
        return [n, a]

    assert resolve(job, n=3, name="y") == [3, "y", "y", 3, 5, 7, 8]
    assert resolve(ajob, n=4) == [4, "x"]
    assert events == [
        *("y opens", "async opens", "job", "async closes", "y closes"),
        *("x opens", "async opens", "job", "async closes", "x closes"),
    ]


def test_what_is_raised_reaches_all(resolve: Any) -> None:
    """And comes out, or what they made of it."""

    def job(name: str = Depends(opened), f: str = Depends(opened, scope="function")) -> None:
        raise ValueError("job")

    with pytest.raises(ValueError, match="job"):
        resolve(job)
    assert events == ["x opens", "x opens", *["x sees ValueError", "x closes"] * 2]

    def translate() -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise KeyError from error

    def trip() -> Iterator[None]:
        try:
            yield
        finally:
            raise KeyError

    for dependable in (translate, trip):

        def other(t: None = Depends(dependable)) -> None:
            raise ValueError

        with pytest.raises(KeyError) as caught:
            resolve(other)
        # A traceback shows both.
        assert isinstance(caught.value.__cause__ or caught.value.__context__, ValueError)
        assert caught.value.__cause__ or not caught.value.__suppress_context__


def test_a_traceback_tells_of_every_exception_that_was_replaced(resolve: Any) -> None:
    """The one that comes out, the one that it replaced, and the first."""

    def raising(error: Exception) -> Any:
        def trip() -> Iterator[None]:
            try:
                yield
            finally:
                raise error

        return Depends(trip)

    def job(a: None = raising(OSError()), b: None = raising(KeyError())) -> None:
        raise ValueError

    with pytest.raises(OSError) as caught:
        resolve(job)
    assert isinstance(caught.value.__context__, KeyError)
    assert isinstance(caught.value.__context__.__context__, ValueError)


@pytest.mark.parametrize("scope", ["function", "request"])
def test_an_error_while_closing_is_raised(scope: Any, resolve: Any) -> None:
    """There is somebody to tell."""

    def twice() -> Iterator[None]:
        yield
        yield

    def job(name: str = Depends(opened), t: None = Depends(twice, scope=scope)) -> None: ...

    with pytest.raises(GeneratorProtocolError):
        resolve(job)
    assert events == ["x opens", "x sees GeneratorProtocolError", "x closes"]


def needs_request(request: HttpRequest) -> str:
    return request.path


def test_what_is_missing_is_named(resolve: Any) -> None:
    """With the way to it, before anything is opened."""

    def job(name: str = Depends(opened), p: str = Depends(needs_request)) -> str:
        return p

    def other(n: int, name: str = Depends(opened)) -> None: ...

    def third(n: Annotated[int, Query()]) -> None: ...

    with pytest.raises(MissingValueError, match="'request' needs a request") as caught:
        resolve(job)
    assert [function for _, function in caught.value.path] == [job, needs_request]
    for function in (other, third):
        with pytest.raises(MissingValueError, match=r"'n' has neither(.|\n)*call\(\.\.\., n="):
            resolve(function)
    with pytest.raises(TypeError, match="called 'nobody'") as wrong:
        resolve(other, n=1, nobody=2)
    assert describe(other) in str(wrong.value)
    assert str(wrong.value).endswith("Hint: Pass inputs by their names; there are: n, name.")
    assert events == []
    request = HttpRequest()
    request.path = "/given"
    assert resolve(job, request=request) == "/given"


def test_the_whole_way_to_a_missing_value_is_drawn(resolve: Any) -> None:
    """With the parameter that each step fills."""

    def deep(n: int) -> int:
        return n

    def middle(value: int = Depends(deep)) -> int:
        return value

    def job(first: int = Depends(middle)) -> int:
        return first

    with pytest.raises(MissingValueError) as caught:
        resolve(job)
    assert caught.value.path == ((None, job), ("first", middle), ("value", deep))


def test_overrides_and_scopes_hold(resolve: Any) -> None:
    """As in a request."""

    def job(scopes: SecurityScopes, n: int = Depends(samples.function)) -> Any:
        return [scopes.scopes, n]

    with override({samples.function: lambda: 9}):
        assert resolve(job) == [[], 9]


@pytest.mark.django_db(transaction=True)
def test_a_session_is_committed_if_it_returns(resolve: Any) -> None:
    """And rolled back if it raises."""
    Group.objects.all().delete()

    def job(name: str, db: SessionDep, fails: bool = False) -> None:
        db.add(Group(name=name))
        if fails:
            raise ValueError(name)

    async def ajob(name: str, db: SessionDep) -> None:
        await db.aadd(Group(name=name))

    resolve(job, name="kept")
    resolve(ajob, name="async")
    with pytest.raises(ValueError, match="lost"):
        resolve(job, name="lost", fails=True)
    assert sorted(Group.objects.values_list("name", flat=True)) == ["async", "kept"]


def test_in_a_thread_of_an_event_loop() -> None:
    """A sync task queue's function may be called below async code."""

    def job(a: str = Depends(aopened)) -> str:
        return a

    assert async_to_sync(sync_to_async(call))(job) == "x"
    assert inspect.iscoroutinefunction(acall)
    assert issubclass(MissingValueError, DependencyError)


@pytest.mark.parametrize("name", [*samples.VALUES, *samples.OBJECTS])
def test_whatever_may_be_a_dependable_may_be_below(name: str, resolve: Any) -> None:
    """Of every kind, its input given by name."""

    def job(value: Any = Depends({**samples.VALUES, **samples.OBJECTS}[name])) -> Any:
        return getattr(value, "n", value)

    assert resolve(job, n=2) == 2


@pytest.mark.row("E1", "E5", "I4")
def test_sharing_and_scopes_are_those_of_a_request(resolve: Any) -> None:
    """One call for one key, another with use_cache=False, the union of scopes."""

    def counted() -> int:
        events.append("called")
        return len(events)

    def told(scopes: SecurityScopes) -> str:
        return scopes.scope_str

    def above(found: str = Security(told, scopes=["inner"])) -> str:
        return found

    def job(
        a: int = Depends(counted),
        b: int = Depends(counted),
        c: int = Depends(counted, use_cache=False),
        scopes: str = Security(above, scopes=["outer"]),
    ) -> Any:
        return [a, b, c, scopes]

    assert resolve(job) == [1, 1, 2, "outer inner"]
    assert resolve(job) == [3, 3, 4, "outer inner"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_process_unwinds_first(error: type[BaseException], resolve: Any) -> None:
    """Ctrl-C in a command leaves nothing open."""

    def job(name: str = Depends(opened), f: str = Depends(opened, scope="function")) -> None:
        raise error

    with pytest.raises(error):
        resolve(job)
    name = error.__name__
    assert events == ["x opens", "x opens", *[f"x sees {name}", "x closes"] * 2]


def add_group(name: str, db: SessionDep, fails: bool = False) -> str:
    """Do what a job does: write, and perhaps fail."""
    db.add(Group(name=name))
    if fails:
        raise ValueError(name)
    return name


def groups() -> list[str]:
    return sorted(Group.objects.values_list("name", flat=True))


@pytest.fixture
def _no_groups(transactional_db: None) -> None:
    Group.objects.all().delete()  # those that a migration made


@pytest.mark.usefixtures("_no_groups")
def test_in_a_management_command() -> None:
    """Options are values; the session is committed, or rolled back if the command fails."""

    class Command(BaseCommand):
        def add_arguments(self, parser: CommandParser) -> None:
            parser.add_argument("--name", required=True)
            parser.add_argument("--fails", action="store_true")

        def handle(self, *, name: str, fails: bool, **_: object) -> str:
            return call(add_group, name=name, fails=fails)

    assert call_command(Command(), name="kept") == "kept"
    with pytest.raises(ValueError, match="lost"):
        call_command(Command(), name="lost", fails=True)
    assert groups() == ["kept"]


@pytest.mark.usefixtures("_no_groups")
def test_in_the_threads_of_a_task_queue() -> None:
    """Each call has its own values and its own transaction; stand-ins stay where they are."""

    def task(number: int) -> str:
        try:
            return call(add_group, name=f"{number:02}", fails=number % 2 == 1)
        except ValueError:
            return "failed"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool, override({add_group: task}):
        found = list(pool.map(task, range(20)))
    even = [f"{number:02}" for number in range(0, 20, 2)]
    assert found == [name for one in even for name in (one, "failed")]
    assert groups() == even


def test_in_a_running_event_loop() -> None:
    """`acall` is for there. `call` does what needs no loop, and refuses the rest, all closed."""

    def job(n: int, name: str = Depends(opened)) -> Any:
        return [n, name]

    def waiting(name: str = Depends(opened), a: str = Depends(aopened)) -> None:
        raise AssertionError

    async def main() -> list[Any]:
        found = await asyncio.gather(*(acall(job, n=n, name=f"{n}") for n in range(3)))
        events.clear()
        found.append(call(job, n=3))
        with pytest.raises(RuntimeError, match="same thread as an async event loop"):
            call(waiting)
        return found

    assert asyncio.run(main()) == [[0, "0"], [1, "1"], [2, "2"], [3, "x"]]
    assert events == ["x opens", "x closes", "x opens", "x sees RuntimeError", "x closes"]


@pytest.mark.usefixtures("_no_groups")
def test_inside_a_request(api: NinjaAPI, world: World) -> None:
    """A call of its own: nothing is shared with the request, and its end is not the view's."""

    def job(name: str, db: SessionDep, o: str = Depends(opened), fails: bool = False) -> str:
        events.append("job")
        return add_group(name, db, fails)

    if world.is_async:

        @api.post("/x")
        async def aview(request: HttpRequest, db: SessionDep, o: str = Depends(opened)) -> str:
            await db.aadd(Group(name="view"))
            await acall(job, name="kept")
            with pytest.raises(ValueError, match="lost"):
                await acall(job, name="lost", fails=True)
            events.append("view")
            return o

    else:

        @api.post("/x")
        def view(request: HttpRequest, db: SessionDep, o: str = Depends(opened)) -> str:
            db.add(Group(name="view"))
            call(job, name="kept")
            with pytest.raises(ValueError, match="lost"):
                call(job, name="lost", fails=True)
            events.append("view")
            return o

    world.serve(api)
    response: Any = world.post("/x?name=r")
    assert (response.status_code, response.json()) == (200, "r")
    assert events == [
        "r opens",
        *("kept opens", "job", "kept closes"),
        *("lost opens", "job", "lost sees ValueError", "lost closes"),
        *("view", "r closes"),
    ]
    assert groups() == ["kept", "view"]


@pytest.mark.usefixtures("_no_groups")
def test_inside_a_transaction_of_the_callers(resolve: Any) -> None:
    """The session is a savepoint then: what fails is undone, the caller's work is not."""
    with transaction.atomic():
        Group.objects.create(name="callers")
        with pytest.raises(ValueError, match="lost"):
            resolve(add_group, name="lost", fails=True)
        resolve(add_group, name="kept")
    assert groups() == ["callers", "kept"]


def yielding(n: int = 1) -> Iterator[int]:
    yield n


async def ayielding(n: int = 1) -> AsyncIterator[int]:
    yield n


@pytest.mark.parametrize("function", [yielding, ayielding])
def test_a_generator_is_not_called(function: Any) -> None:
    """It would begin when everything that it depends on is closed."""
    for run in (lambda: call(function), lambda: asyncio.run(acall(function))):
        with pytest.raises(TypeError, match=r"yielding \(tests/di/test_calling\.py:\d+\) is a gen"):
            run()


def counted(
    n: int, numbers: Annotated[list[int], Query(default_factory=list)], *, by: int = 1
) -> Any:
    numbers.append(n + by)
    return numbers


def job(n: int = 0, name: str = Depends(opened), numbers: list[int] = Depends(counted)) -> Any:
    return [n, name, numbers]


def sources() -> set[str]:
    """Return what was compiled and is still there."""
    gc.collect()
    return {name for name in linecache.cache if name.startswith("<di ")}


def test_a_function_is_compiled_once(resolve: Any) -> None:
    """One of a module; each call has values, defaults and stand-ins of its own."""
    assert resolve(job, n=1) == [1, "x", [2]]
    compiled = sources()
    assert any(name.startswith("<di tests.di.test_calling.job") for name in compiled)
    assert resolve(job, n=2, name="y") == [2, "y", [3]]
    assert resolve(job, n=1, by=5) == [1, "x", [6]]
    with pytest.raises(TypeError, match="an input called 'm'"):
        resolve(job, m=1)
    assert sources() == compiled
    with override({opened: lambda: "z"}):
        assert resolve(job, n=1) == [1, "z", [2]]
    assert resolve(job, n=1) == [1, "x", [2]]
    assert sources() == compiled


def test_what_was_called_is_not_held(resolve: Any) -> None:
    """What a nested function or a method knows goes with it; of others, there is a limit."""

    class Owner:
        def run(self, name: str = Depends(opened)) -> str:
            return name

    def of(owner: Owner) -> Any:
        def nested(name: str = Depends(opened)) -> Any:
            return owner, name

        return nested

    owner = Owner()
    watched = weakref.ref(owner)
    before = sources()
    assert resolve(of(owner)) == (owner, "x")
    assert resolve(owner.run) == "x"
    assert sources() == before
    del owner
    gc.collect()
    assert watched() is None
    for number in range(300):
        other = FunctionType(job.__code__, globals(), "job", job.__defaults__)
        other.__qualname__ = f"job_{number}"
        resolve(other, n=1)
    assert len(sources() - before) <= 129
