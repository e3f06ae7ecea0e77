"""Stand-ins over HTTP: whom they replace, what they may ask for, where they hold."""

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any
from unittest.mock import AsyncMock, MagicMock

import ninja
import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest
from ninja import Schema
from ninja.testing import TestClient
from typing_extensions import TypeAliasType

from di import Depends, NinjaAPI, Router, Security, SecurityScopes, dependable, inject, override
from di.exceptions import DependencyScopeError, NotCallableError
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


def data(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return response.json()


def function() -> str:
    return "function"


async def coroutine() -> str:
    return "coroutine"


def generator() -> Iterator[str]:
    yield "generator"
    events.append("closed")


async def async_generator() -> AsyncIterator[str]:
    yield "async generator"
    events.append("async closed")


KINDS = {
    "function": function,
    "coroutine": coroutine,
    "generator": generator,
    "async generator": async_generator,
}


def served(world: World, original: Any, **options: Any) -> NinjaAPI:
    """Serve GET /x, a view that answers with what *original* hands over."""
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x", **options)
    @world.view
    def view(request: HttpRequest, value: Any = Depends(original)) -> Any:
        return value

    world.serve(api)
    return api


@pytest.mark.row("H1", "H8")
@pytest.mark.parametrize("original", KINDS)
@pytest.mark.parametrize("stand_in", KINDS)
def test_a_stand_in_may_be_of_another_kind(original: str, stand_in: str, world: World) -> None:
    """It is called, awaited, entered and closed as its own kind demands."""
    served(world, KINDS[original])
    with override({KINDS[original]: KINDS[stand_in]}):
        assert data(world.get("/x")) == stand_in
    closed = {"generator": ["closed"], "async generator": ["async closed"]}
    assert events == closed.get(stand_in, [])


@pytest.mark.row("H1")
def test_an_apis_mapping_may_be_changed_and_replaced(world: World) -> None:
    """As in FastAPI it is looked at for each request."""
    api = served(world, function)
    api.dependency_overrides[function] = lambda: "changed"
    assert data(world.get("/x")) == "changed"
    api.dependency_overrides = {function: coroutine}
    assert data(world.get("/x")) == "coroutine"
    api.dependency_overrides = {}
    assert data(world.get("/x")) == "function"


@pytest.mark.row("H2")
def test_where_stand_ins_hold(world: World) -> None:
    """`dependency_overrides` in one API, `override` in all, a plain one of Ninja's included."""
    router = Router()

    @router.get("/x")
    @inject
    @world.view
    def view(request: HttpRequest, value: str = Depends(function)) -> str:
        return value

    one, two = NinjaAPI(urls_namespace="one"), NinjaAPI(urls_namespace="two")
    plain = ninja.NinjaAPI(urls_namespace="plain")
    for api in (one, two, plain):
        api.add_router("", router)
    world.serve(one, two, plain)
    urls = ("/x", "/two/x", "/plain/x")
    two.dependency_overrides[function] = lambda: "two"
    assert [data(world.get(url)) for url in urls] == ["function", "two", "function"]
    with override({function: lambda: "here"}):
        assert [data(world.get(url)) for url in urls] == ["here"] * 3


class Item(Schema):
    name: str


@pytest.mark.row("H3", "H7")
def test_a_stand_in_may_have_inputs_and_dependencies_of_its_own(world: World) -> None:
    """They are read and validated, the first body of an operation included."""

    def size(n: int) -> int:
        return n

    def stand_in(item: Item, q: str = "none", n: int = Depends(size)) -> Any:
        return [item.name, q, n]

    api = NinjaAPI(urls_namespace="api")

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, value: Any = Depends(function)) -> Any:
        return value

    world.serve(api)
    with override({function: stand_in}):
        assert data(world.post("/x?n=2&q=a", {"name": "b"})) == ["b", "a", 2]
        response: Any = world.post("/x?n=x", {})
        assert response.status_code == 422
        locations = [error["loc"] for error in response.json()["detail"]]
        assert locations == [["query", "n"], ["body", "item", "name"]]
        with override({size: lambda: 9}):
            assert data(world.post("/x", {"name": "b"})) == ["b", "none", 9]
    assert data(world.post("/x")) == "function"


@pytest.mark.row("H7")
def test_a_stand_ins_body_joins_that_of_the_view(world: World) -> None:
    """Two bodies are embedded, as they are when nobody stands in for anybody."""

    def stand_in(extra: Item) -> str:
        return extra.name

    api = NinjaAPI(urls_namespace="api")

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, item: Item, value: str = Depends(function)) -> Any:
        return [item.name, value]

    world.serve(api)
    both = {"item": {"name": "i"}, "extra": {"name": "e"}}
    with override({function: stand_in}):
        assert data(world.post("/x", both)) == ["i", "e"]
        assert world.post("/x", {"name": "i"}).status_code == 422
    assert data(world.post("/x", {"name": "i"})) == ["i", "function"]


@pytest.mark.row("H4")
def test_stand_ins_take_one_step(world: World) -> None:
    """A → b and b → c: who asks for a gets b, who asks for b gets c; two may trade places."""
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: str = Depends(function), b: str = Depends(coroutine)) -> Any:
        return [a, b]

    world.serve(api)
    with override({function: coroutine, coroutine: generator}):
        assert data(world.get("/x")) == ["coroutine", "generator"]
    with override({function: coroutine, coroutine: function}):
        assert data(world.get("/x")) == ["coroutine", "function"]


def logged() -> Iterator[str]:
    events.append("opens")
    try:
        yield "original"
    finally:
        events.append("closes")


@pytest.mark.row("H4")
def test_a_stand_in_may_wrap_what_it_stands_in_for(world: World) -> None:
    """The original is itself inside its stand-in, and nowhere else: opened and closed once."""

    def between(value: Any = Depends(logged)) -> Any:
        return ["between", value]

    def stand_in(value: str = Depends(logged), also: str = Depends(between)) -> Iterator[Any]:
        events.append("stand-in opens")
        yield [value, also]
        events.append("stand-in closes")

    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest, value: Any = Depends(logged), also: Any = Depends(between)
    ) -> Any:
        return [value, also]

    world.serve(api)
    wrapped = ["original", ["between", "original"]]
    with override({logged: stand_in}):
        assert data(world.get("/x")) == [wrapped, ["between", wrapped]]
    assert events == ["opens", "stand-in opens", "stand-in closes", "closes"]


@dataclass(frozen=True)
class Limit:
    most: int

    def __call__(self) -> int:
        return self.most


@pytest.mark.row("H5")
def test_a_parametrized_instance_is_replaced_by_an_equal_one(world: World) -> None:
    """Its class stands for none of its instances, and one for no unequal other."""
    served(world, Limit(3))
    with override({Limit: lambda: 0, Limit(4): lambda: 4}):
        assert data(world.get("/x")) == 3
    with override({Limit(3): lambda: 9}):
        assert data(world.get("/x")) == 9


def at(level: str) -> Any:
    def noted() -> None:
        events.append(level)

    return noted


@pytest.mark.row("H5")
def test_dependencies_of_every_level_can_be_replaced(world: World) -> None:
    """Of the API, a mount, a router, an operation, below a parameter, by one name each."""
    levels = ("api", "mount", "router", "operation", "nested")
    calls = {level: at(level) for level in levels}
    markers = {level: [Depends(call)] for level, call in calls.items()}

    def above(n: None = Depends(calls["nested"])) -> None: ...

    api = NinjaAPI(urls_namespace="api", dependencies=markers["api"])
    router = Router(dependencies=markers["router"])

    @router.get("/x", dependencies=markers["operation"])
    @world.view
    def view(request: HttpRequest, a: None = Depends(above)) -> None: ...

    api.add_router("", router, dependencies=markers["mount"])
    world.serve(api)
    for level in levels:
        events.clear()
        with override({calls[level]: at("stand-in")}):
            assert world.get("/x").status_code == 200
        assert events == ["stand-in" if one == level else one for one in levels]


@pytest.mark.row("H6")
def test_a_stand_in_is_told_the_scopes_of_its_original(world: World) -> None:
    """It and what lies below it, with what it requires itself; each set on its own."""

    def user() -> Any:
        raise AssertionError

    def told(scopes: SecurityScopes) -> list[str]:
        return scopes.scopes

    def stand_in(
        scopes: SecurityScopes, below: Any = Security(told, scopes=["own"])
    ) -> list[list[str]]:
        return [scopes.scopes, below]

    api = NinjaAPI(urls_namespace="api")

    @api.get("/x", dependencies=[Security(user, scopes=["first"])])
    @world.view
    def view(
        request: HttpRequest,
        a: Any = Security(user, scopes=["first"]),
        b: Any = Security(user, scopes=["second"]),
        c: Any = Depends(user),
    ) -> Any:
        return [a, b, c]

    world.serve(api)
    with override({user: stand_in}):
        assert data(world.get("/x")) == [
            [["first"], ["first", "own"]],
            [["second"], ["second", "own"]],
            [[], ["own"]],
        ]


@pytest.mark.row("H7", "H8")
def test_the_scope_is_the_markers_and_else_the_stand_ins_own(world: World) -> None:
    """A marker's scope holds for whoever stands in; a default belongs to its dependable."""

    @dependable(scope="function")
    def early() -> Iterator[str]:
        yield "early"
        events.append("early closes")

    def late() -> Iterator[str]:
        yield "late"
        events.append("late closes")

    api = NinjaAPI(urls_namespace="api")

    @api.get("/default")
    @world.view
    def default(request: HttpRequest, a: str = Depends(function), b: str = Depends(logged)) -> str:
        return a

    @api.get("/asked")
    @world.view
    def asked(
        request: HttpRequest,
        a: str = Depends(function, scope="request"),
        b: str = Depends(logged),
    ) -> str:
        return a

    world.serve(api)
    found = []
    for stand_in in (early, late):
        for url in ("/default", "/asked"):
            events.clear()
            with override({function: stand_in}):
                assert data(world.get(url)) == stand_in.__name__
            found.append(events[1])
    # In one scope the one opened last closes first; function scope ends before request scope.
    assert found == ["early closes", "closes", "closes", "closes"]


@pytest.mark.row("H8")
def test_a_stand_in_that_lives_too_short_is_refused_with_the_request(world: World) -> None:
    """As at declaration, with the path drawn; nothing was opened."""

    def above(value: str = Depends(function), other: str = Depends(logged)) -> Iterator[str]:
        yield value

    @dependable(scope="function")
    def stand_in() -> Iterator[str]:
        yield "short"

    api = served(world, above)
    with override({function: stand_in}):
        assert world.get("/x").status_code == 500
        if not world.is_async:
            with pytest.raises(DependencyScopeError, match="stand_in"):
                TestClient(api).get("/x")
    assert events == []


@pytest.mark.row("H9")
@pytest.mark.parametrize("mock", [MagicMock, AsyncMock])
def test_a_mock_is_called_without_arguments_and_awaited_if_need_be(mock: Any, world: World) -> None:
    """`*args, **kwargs` are no inputs, so a mock needs no lambda round it."""
    served(world, function)
    stand_in = mock(return_value="mock")
    with override({function: stand_in}):
        assert data(world.get("/x")) == "mock"
    stand_in.assert_called_once_with()


class Made:
    """A class that a marker without an argument calls."""


Alias = Annotated[str, Depends(function)]

NO_KEYS: dict[str, tuple[Any, str]] = {
    "name": ("function", "override({f: stand_in})."),
    "marker": (Depends(function), "override({function: stand_in})."),
    "security marker": (Security(function, scopes=["a"]), "override({function: stand_in})."),
    "alias": (Alias, "override({function: stand_in})."),
    "alias of a class": (Annotated[Made, Depends()], "override({Made: stand_in})."),
    "named alias": (TypeAliasType("NamedAlias", Alias), "override({function: stand_in})."),
    "plain alias": (Annotated[str, "a note"], "override({f: stand_in})."),
    "nothing": (None, "override({f: stand_in})."),
}
"""Keys that no dependency can have, and the end of the hint."""


def live(api: NinjaAPI, how: str) -> Any:
    """Return a function that sets one stand-in in one of the ways there are."""
    mapping = api.dependency_overrides
    ways: dict[str, Callable[[Any, Any], Any]] = {
        "override": lambda original, stand_in: override({original: stand_in}),
        "setitem": mapping.__setitem__,
        "setdefault": mapping.setdefault,
        "update": lambda original, stand_in: mapping.update({original: stand_in}),
        "or": lambda original, stand_in: mapping.__ior__({original: stand_in}),
    }
    return ways[how]


@pytest.mark.row("H9")
@pytest.mark.parametrize("how", ["override", "setitem", "setdefault", "update", "or"])
@pytest.mark.parametrize("key", NO_KEYS)
def test_a_key_that_replaces_nothing_is_refused(api: NinjaAPI, how: str, key: str) -> None:
    """When a key is no dependable, then it is refused, because the original would run."""
    original, hint = NO_KEYS[key]
    with pytest.raises(NotCallableError, match="would never be called") as caught:
        live(api, how)(original, function)
    assert caught.value.hint.endswith(hint)
    assert api.dependency_overrides == {}


@pytest.mark.row("H9")
@pytest.mark.parametrize("how", ["override", "setitem", "setdefault", "update", "or"])
@pytest.mark.parametrize(
    ("stand_in", "hint"),
    [
        (None, "Write lambda: value to hand over a value."),
        (Depends(function), "Write function itself."),
        (Alias, "Write function itself."),
    ],
)
def test_a_stand_in_that_cannot_be_called_is_refused(
    api: NinjaAPI, how: str, stand_in: Any, hint: str
) -> None:
    """When a stand-in is no callable, then the line that sets it raises."""
    with pytest.raises(NotCallableError, match="which cannot be called") as caught:
        live(api, how)(function, stand_in)
    assert caught.value.hint == hint


@pytest.mark.row("H9")
def test_the_fixture_refuses_a_key_that_replaces_nothing(
    dependency_overrides: dict[Any, Any],
) -> None:
    """When a test sets an alias in the fixture's mapping, then that line raises."""
    with pytest.raises(NotCallableError, match="would never be called"):
        dependency_overrides[Alias] = function


@pytest.mark.row("H9")
def test_a_mapping_of_stand_ins_serves_like_any_dictionary(world: World) -> None:
    """When stand-ins are set by each of a dictionary's methods, then requests get them."""
    api = served(world, function)
    for how in ("setitem", "setdefault", "update", "or"):
        live(api, how)(function, lambda how=how: how)
        expected = "setitem" if how == "setdefault" else how
        assert data(world.get("/x")) == expected
    api.dependency_overrides = {"function": function}  # type: ignore[dict-item]
    assert world.get("/x").status_code == 500


class Inspected:
    """A stand-in that counts how often its signature is read."""

    def __init__(self) -> None:
        self.count = 0

    @property
    def __signature__(self) -> inspect.Signature:
        self.count += 1
        return inspect.Signature()

    def __call__(self) -> str:
        return "inspected"


@pytest.mark.row("H10")
def test_a_stand_in_is_analyzed_once(world: World) -> None:
    """Not with each request, and never for operations that do not use it."""
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, value: str = Depends(function)) -> str:
        return value

    @api.get("/other")
    @world.view
    def other(request: HttpRequest, value: str = Depends(coroutine)) -> str:
        return value

    world.serve(api)
    stand_in = Inspected()
    api.dependency_overrides[function] = stand_in
    assert data(world.get("/other")) == "coroutine"
    assert stand_in.count == 0
    assert data(world.get("/x")) == "inspected"
    assert stand_in.count > 0
    stand_in.count = 0
    assert [data(world.get("/x")) for _ in range(3)] == ["inspected"] * 3
    assert stand_in.count == 0


@pytest.mark.row("H7")
def test_the_documentation_is_of_the_product_not_of_the_test(world: World) -> None:
    """A stand-in's inputs are read and not documented."""

    def stand_in(q: int) -> int:
        return q

    api = served(world, function)
    before = dict(api.get_openapi_schema(path_prefix=""))
    with override({function: stand_in}):
        assert data(world.get("/x?q=3")) == 3
        assert dict(api.get_openapi_schema(path_prefix="")) == before
    assert before["paths"]["/x"]["get"]["parameters"] == []


class Gate:
    """Holds requests in the middle until they are let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.open.wait(10)


@pytest.mark.row("H1")
def test_a_running_request_keeps_what_held_when_it_began(world: World) -> None:
    """Set from another thread meanwhile, a stand-in holds for the next request."""
    gate = Gate()
    api = NinjaAPI(urls_namespace="api", dependencies=[Depends(gate)])

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, value: str = Depends(function)) -> str:
        return value

    world.serve(api)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(world.get, "/x")
        assert gate.entered.wait(10)
        api.dependency_overrides[function] = coroutine
        gate.open.set()
        assert data(running.result()) == "function"
    assert data(world.get("/x")) == "coroutine"


@pytest.mark.row("H1")
def test_a_block_holds_for_its_own_thread_and_the_mapping_for_all(world: World) -> None:
    """A request that another thread sends meanwhile gets the real thing, or the API's."""
    api = served(world, function)
    with ThreadPoolExecutor(1) as pool, override({function: lambda: "here"}):
        assert data(pool.submit(world.get, "/x").result()) == "function"
        api.dependency_overrides[function] = lambda: "everywhere"
        assert data(pool.submit(world.get, "/x").result()) == "everywhere"
        assert data(world.get("/x")) == "here"


@pytest.mark.row("H1")
def test_two_tasks_at_once_have_their_own_stand_ins(world: World) -> None:
    """Requests of one event loop that interleave do not see each other's."""
    if not world.is_asgi:
        pytest.skip("One event loop is a matter of ASGI")

    async def waits() -> None:
        await asyncio.sleep(0.001)

    served(world, function, dependencies=[Depends(waits)])

    async def task(name: str) -> Any:
        async with override({function: lambda: name}):
            return data(await world.client({}).get("/x"))

    async def all_at_once() -> list[Any]:
        real = world.client({}).get("/x")
        return [*await asyncio.gather(*map(task, "abc")), data(await real)]

    assert async_to_sync(all_at_once)() == ["a", "b", "c", "function"]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, asyncio.CancelledError])
def test_blocks_and_decorated_functions_are_undone_however_they_end(
    error: type[BaseException], world: World
) -> None:
    """Also in the middle of another block, whose stand-ins hold again."""
    served(world, function)

    @override({function: lambda: "inner"})
    def fails() -> None:
        assert data(world.get("/x")) == "inner"
        raise error

    @override({function: lambda: "inner"})
    async def afails() -> None:
        raise error

    with override({function: lambda: "outer"}):
        for failing in (fails, async_to_sync(afails)):
            with pytest.raises(error):
                failing()
            assert data(world.get("/x")) == "outer"
    assert data(world.get("/x")) == "function"


@pytest.mark.row("K8")
def test_the_fixture_holds_for_requests(dependency_overrides: dict[Any, Any], world: World) -> None:
    """In every world, as it is changed, under blocks and over the API's own mapping."""
    api = served(world, function)
    api.dependency_overrides[function] = lambda: "api"
    dependency_overrides[function] = lambda: "fixture"
    assert data(world.get("/x")) == "fixture"
    with override({function: lambda: "block"}):
        assert data(world.get("/x")) == "block"
    dependency_overrides.clear()
    assert data(world.get("/x")) == "api"
