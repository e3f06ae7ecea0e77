"""What is called once, what again, and what never crosses from request to request."""

import asyncio
import contextvars
import functools
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest
from ninja import Query, Schema
from pydantic import field_validator

from di import Depends, HTTPException, NinjaAPI, Security, SecurityScopes, override
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


def data(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return response.json()


def serial() -> int:
    """Return another number each time it is called in a test."""
    events.append("called")
    return len(events)


async def aserial() -> int:
    return serial()


def entered() -> Iterator[int]:
    yield serial()
    events.append("closed")


async def aentered() -> AsyncIterator[int]:
    yield serial()
    events.append("closed")


@pytest.mark.row("E1")
@pytest.mark.parametrize("call", [serial, aserial, entered, aentered])
def test_every_kind_is_called_once_a_request(call: Any, api: NinjaAPI, world: World) -> None:
    """Directly, below another dependable, and in `dependencies=`: one value."""

    def below(n: int = Depends(call)) -> int:
        return n

    @api.get("/x", dependencies=[Depends(call)])
    @world.view
    def view(request: HttpRequest, a: int = Depends(below), b: int = Depends(call)) -> Any:
        return [a, b]

    world.serve(api)
    assert data(world.get("/x")) == [1, 1]
    assert events.count("called") == 1
    calls = len(events)
    assert data(world.get("/x")) == [calls + 1, calls + 1]


@pytest.mark.row("E1")
def test_none_is_a_value_like_any_other(api: NinjaAPI, world: World) -> None:
    """A dependable that returns nothing is not called again to see whether it changed."""

    def nothing() -> None:
        events.append("called")

    @api.get("/x", dependencies=[Depends(nothing)])
    @world.view
    def view(request: HttpRequest, n: None = Depends(nothing)) -> Any:
        return n

    world.serve(api)
    assert data(world.get("/x")) is None
    assert events == ["called"]


@pytest.mark.row("E1")
def test_what_failed_is_not_called_again(api: NinjaAPI, world: World) -> None:
    """An exception ends the request: it is raised once, and no later use tries anew."""

    def fails() -> None:
        events.append("called")
        raise HTTPException(409)

    @api.get("/x", dependencies=[Depends(fails), Depends(fails, use_cache=False)])
    @world.view
    def view(request: HttpRequest, n: None = Depends(fails)) -> None:
        raise AssertionError

    world.serve(api)
    assert world.get("/x").status_code == 409
    assert events == ["called"]


@dataclass(frozen=True)
class Limit:
    """A parametrized dependable; equal ones are one."""

    most: int

    def __call__(self) -> list[int]:
        return [self.most, serial()]


@dataclass
class Mutable:
    """One that cannot be hashed; it is one with itself only."""

    most: int

    def __call__(self) -> list[int]:
        return [self.most, serial()]


class Service:
    def method(self) -> list[int]:
        return [0, serial()]


service = Service()
mutable = Mutable(1)


@pytest.mark.row("E2")
@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        (Limit(1), Limit(1), True),
        (Limit(1), Limit(2), False),
        (mutable, mutable, True),
        (mutable, Mutable(1), False),
        (service.method, service.method, True),
        (service.method, Service().method, False),
        (functools.partial(Limit, 1), functools.partial(Limit, 1), False),
        (lambda: [0, serial()], lambda: [0, serial()], False),
    ],
    ids=[
        *("equal", "unequal", "unhashable itself", "unhashable equal"),
        *("method", "method of another", "partials", "lambdas"),
    ],
)
def test_equal_callables_share_a_value(
    one: Any, other: Any, is_shared: bool, api: NinjaAPI, world: World
) -> None:
    """Equality decides, as in a dictionary; what cannot be hashed equals itself only."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: Any = Depends(one), b: Any = Depends(other)) -> Any:
        return a is b

    world.serve(api)
    assert data(world.get("/x")) is is_shared


@pytest.mark.row("E3")
def test_scopes_tell_uses_apart_only_where_somebody_reads_them(api: NinjaAPI, world: World) -> None:
    """The user is looked up once for each set of scopes, the database behind it once."""

    def database() -> int:
        return serial()

    def user(scopes: SecurityScopes, db: int = Depends(database)) -> Any:
        events.append(f"user with {scopes.scope_str}")
        return scopes.scopes

    def active(found: Any = Depends(user)) -> Any:
        return found

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: Any = Security(active, scopes=["read"]),
        b: Any = Security(user, scopes=["read"]),
        c: Any = Security(user, scopes=["write", "read"]),
        d: Any = Security(active, scopes=["read", "write"]),
        e: Any = Depends(user),
    ) -> Any:
        return [a, b, c, d, e]

    world.serve(api)
    assert data(world.get("/x")) == [
        *(["read"], ["read"]),
        *(["write", "read"], ["write", "read"], []),
    ]
    assert events == ["called", "user with read", "user with write read", "user with "]


@pytest.mark.row("E3")
def test_the_stricter_of_two_checks_denies(api: NinjaAPI, world: World) -> None:
    """The check that passed for fewer scopes is not taken for the other's."""

    def check(scopes: SecurityScopes) -> None:
        events.append(scopes.scope_str)
        if "admin" in scopes.scopes:
            raise HTTPException(403)

    @api.get("/x", dependencies=[Security(check, scopes=["me"])])
    @world.view
    def view(request: HttpRequest, c: None = Security(check, scopes=["me", "admin"])) -> None:
        raise AssertionError

    world.serve(api)
    assert world.get("/x").status_code == 403
    assert events == ["me", "me admin"]


@pytest.mark.row("E4")
@pytest.mark.parametrize("call", [entered, aentered])
def test_a_generator_in_two_scopes_is_two(call: Any, api: NinjaAPI, world: World) -> None:
    """Each scope has its own, closed in its own time; the default is "request" spelled out."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: int = Depends(call),
        b: int = Depends(call, scope="function"),
        c: int = Depends(call, scope="request"),
    ) -> Any:
        return [a, b, c]

    world.serve(api)
    assert data(world.get("/x")) == [1, 2, 1]
    assert events == ["called", "called", "closed", "closed"]


@pytest.mark.row("E4")
@pytest.mark.parametrize("call", [serial, aserial])
def test_scope_says_nothing_of_what_has_nothing_to_close(
    call: Any, api: NinjaAPI, world: World
) -> None:
    """A plain dependable is called once, whatever scope its markers name."""

    @api.get("/x", dependencies=[Depends(call, scope="function"), Depends(call, scope="request")])
    @world.view
    def view(request: HttpRequest, a: int = Depends(call)) -> int:
        return a

    world.serve(api)
    assert data(world.get("/x")) == 1
    assert events == ["called"]


@pytest.mark.row("E5")
def test_use_cache_false_calls_again_each_time(api: NinjaAPI, world: World) -> None:
    """It fills an empty cache and never overwrites a full one; each generator is closed."""

    @api.get("/x", dependencies=[Depends(entered, use_cache=False)])
    @world.view
    def view(
        request: HttpRequest,
        a: int = Depends(entered),
        b: int = Depends(entered, use_cache=False),
        c: int = Depends(entered, use_cache=False),
        d: int = Depends(entered),
    ) -> Any:
        return [a, b, c, d]

    world.serve(api)
    assert data(world.get("/x")) == [1, 2, 3, 1]
    assert events == ["called"] * 3 + ["closed"] * 3


@pytest.mark.row("E6")
def test_use_cache_false_is_honored_in_dependencies(world: World) -> None:
    """Whoever writes it there means it: a check before and another one after."""
    api = NinjaAPI(urls_namespace="api", dependencies=[Depends(serial)])

    @api.get("/x", dependencies=[Depends(serial, use_cache=False)])
    @world.view
    def view(request: HttpRequest, n: int = Depends(serial)) -> int:
        return n

    world.serve(api)
    assert data(world.get("/x")) == 1
    assert events == ["called", "called"]


class Counted(Schema):
    n: int

    @field_validator("n")
    @classmethod
    def _count(cls, n: int) -> int:
        events.append("validated")
        return n


def bottom(
    q: Annotated[Counted, Query()],
    again: int = Depends(serial, use_cache=False),
) -> int:
    events.append("bottom")
    return q.n


@pytest.mark.row("E7")
def test_work_grows_with_dependables_not_with_the_ways_to_them(api: NinjaAPI, world: World) -> None:
    """Forty levels that each use the one below twice: a million million ways, one call each."""

    def above(call: Any) -> Any:
        def level(a: int = Depends(call), b: int = Depends(call)) -> int:
            events.append("level")
            return a

        return level

    top = functools.reduce(lambda call, _: above(call), range(40), bottom)

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: int = Depends(top), b: int = Depends(bottom)) -> Any:
        return [a, b]

    world.serve(api)
    assert data(world.get("/x?n=3")) == [3, 3]
    # Nor is what a shared dependable asks for with use_cache=False asked for again.
    assert events == ["called", "validated", "bottom", *["level"] * 40]


@pytest.mark.row("E8")
def test_a_stand_in_is_shared_as_its_original_is(api: NinjaAPI, world: World) -> None:
    """The original's markers decide; the same function elsewhere is a value of its own."""

    def original() -> int:
        raise AssertionError

    def another() -> int:
        raise AssertionError

    def below(n: int = Depends(original)) -> int:
        return n

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: int = Depends(original),
        b: int = Depends(below),
        c: int = Depends(original, use_cache=False),
        d: int = Depends(serial),
        e: int = Depends(another),
    ) -> Any:
        return [a, b, c, d, e]

    world.serve(api)
    with override({original: serial, another: serial}):
        assert data(world.get("/x")) == [1, 1, 2, 3, 4]


@pytest.mark.row("E8")
def test_a_stand_in_shares_what_it_asks_for_with_the_rest(api: NinjaAPI, world: World) -> None:
    """Also one that wraps its original: only what rests on the original is there twice."""

    def original() -> int:
        return serial()

    def beside(n: int = Depends(aentered)) -> int:
        return n

    def stand_in(o: int = Depends(original), b: int = Depends(beside)) -> Any:
        return [o, b]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, o: Any = Depends(original), b: int = Depends(beside)) -> Any:
        return [o, b]

    world.serve(api)
    with override({original: stand_in}):
        assert data(world.get("/x")) == [[1, 2], 2]
    assert events == ["called", "called", "closed"]


current: contextvars.ContextVar[str | None] = contextvars.ContextVar("current", default=None)


class Crowd:
    """Ten dependables of all kinds that wait for each other in the middle of a request."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.lock = threading.Lock()

    def note(self, where: list[str], what: str) -> None:
        with self.lock:
            where.append(what)

    def chain(self) -> Any:
        """Return the last of them; its value is what each of them knows the request by."""

        def first(key: str) -> Iterator[str]:
            token = current.set(key)
            self.note(self.opened, key)
            yield key
            assert current.get() == key
            current.reset(token)
            self.note(self.closed, key)

        async def second(a: str = Depends(first)) -> AsyncIterator[str]:
            self.note(self.opened, a)
            await asyncio.sleep(0.001)
            yield a
            self.note(self.closed, a)

        def third(request: HttpRequest, b: str = Depends(second)) -> str:
            return request.GET["key"] if current.get() == b else "mixed"

        async def fourth(c: str = Depends(third)) -> str:
            await asyncio.sleep(0.001)
            return c

        call: Any = fourth
        for number in range(5):
            call = self.link(call, is_async=number % 2 == 0)

        def last(
            e: str = Depends(call), a: str = Depends(first), again: str = Depends(third)
        ) -> list[str | None]:
            return [e, a, again, current.get()]

        return last

    def link(self, call: Any, *, is_async: bool) -> Any:
        def generator(d: str = Depends(call)) -> Iterator[str]:
            self.note(self.opened, d)
            yield d
            self.note(self.closed, d)

        async def agenerator(d: str = Depends(call)) -> AsyncIterator[str]:
            self.note(self.opened, d)
            await asyncio.sleep(0)
            yield d
            self.note(self.closed, d)

        return agenerator if is_async else generator


@pytest.mark.row("E1", "G1")
def test_two_hundred_requests_at_once_keep_to_themselves(api: NinjaAPI, world: World) -> None:
    """On one loop or in sixteen threads: no value crosses over, and all that opened closed."""
    crowd = Crowd()

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(crowd.chain())) -> Any:
        return [*found, request.GET["key"]]

    world.serve(api)
    urls = [f"/x?key={number}" for number in range(200)]

    async def at_once() -> list[Any]:
        return await asyncio.gather(*(world.client({}).get(url) for url in urls))

    if world.is_asgi:
        responses = async_to_sync(at_once)()
    else:
        with ThreadPoolExecutor(16) as pool:
            responses = list(pool.map(world.get, urls))
    assert [data(one) for one in responses] == [[str(number)] * 5 for number in range(200)]
    expected = sorted(itertools.chain.from_iterable([str(number)] * 7 for number in range(200)))
    assert sorted(crowd.opened) == expected
    assert sorted(crowd.closed) == expected
