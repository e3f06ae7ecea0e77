"""Each kind of dependable, at work over HTTP."""

import asyncio
import inspect
import itertools
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar
from unittest.mock import AsyncMock, MagicMock, Mock, create_autospec

import ninja
import pytest
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, Field

from di import Depends, HTTPException, NinjaAPI, Router, call, inject, override
from di.exceptions import MissingValueError
from tests.di import samples
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


def data(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return response.json()


@contextmanager
def connection(name: str = "c") -> Iterator[str]:
    events.append(f"{name} opens")
    try:
        yield name
    except BaseException as error:
        events.append(f"{name} sees {type(error).__name__}")
        raise
    finally:
        events.append(f"{name} closes")


@asynccontextmanager
async def async_connection(name: str = "c") -> AsyncIterator[str]:
    with connection(name):
        yield name


@pytest.mark.row("B10")
@pytest.mark.parametrize("dependable", [connection, async_connection, samples.wraps(connection)])
@pytest.mark.parametrize("scope", ["function", "request"])
def test_context_managers_are_entered_and_closed(
    dependable: Any, scope: Any, api: NinjaAPI, world: World
) -> None:
    """As a generator dependable: open in the view, closed once, in sight of its exception."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest, fail: bool = False, opened: str = Depends(dependable, scope=scope)
    ) -> str:
        events.append("view")
        if fail:
            raise HTTPException(409)
        return opened

    world.serve(api)
    assert data(world.get("/x?name=db")) == "db"
    assert events == ["db opens", "view", "db closes"]
    events.clear()
    assert world.get("/x?fail=1").status_code == 409
    assert events == ["c opens", "view", "c sees HTTPException", "c closes"]


@pytest.mark.row("B10")
def test_a_context_manager_is_shared_within_a_request(api: NinjaAPI, world: World) -> None:
    """Also with a stand-in between its uses."""

    def uses(opened: str = Depends(connection)) -> str:
        return opened

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: str = Depends(uses), b: str = Depends(connection)) -> Any:
        return [a, b]

    def stand_in(opened: str = Depends(connection)) -> str:
        return opened

    world.serve(api)
    for stand_ins in ({}, {uses: stand_in}):
        events.clear()
        with override(stand_ins):
            assert data(world.get("/x")) == ["c", "c"]
        assert events == ["c opens", "c closes"]


@pytest.mark.row("B10")
def test_a_context_manager_outside_a_request() -> None:
    """`call` enters and closes it too."""

    def command(opened: str = Depends(connection)) -> str:
        return opened

    assert call(command, name="x") == "x"
    assert events == ["x opens", "x closes"]


@pytest.mark.row("C11")
def test_a_request_may_be_optional_outside_of_one() -> None:
    """With a default it is that; without, the error says that there is no request."""

    def command(request: HttpRequest | None = None) -> bool:
        return request is None

    def needs_one(request: HttpRequest | None) -> None: ...

    assert call(command)
    with pytest.raises(MissingValueError, match="'request' needs a request"):
        call(needs_one)


def fetch(n: int) -> int:
    return n


@pytest.mark.row("H9")
@pytest.mark.parametrize("mock", [MagicMock(return_value=5), AsyncMock(return_value=5)])
def test_mocks_stand_in(mock: Any, api: NinjaAPI, world: World) -> None:
    """They take anything, so nothing is asked of the client; an AsyncMock is awaited."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, n: int = Depends(fetch)) -> int:
        return n

    world.serve(api)
    with override({fetch: mock}):
        assert data(world.get("/x")) == 5


@pytest.mark.row("H9")
@pytest.mark.parametrize("original", [samples.function, samples.coroutine])
def test_mocks_made_after_a_dependable_have_its_inputs(
    original: Any, api: NinjaAPI, world: World
) -> None:
    """What `create_autospec` makes is called as the dependable itself would be."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, n: int = Depends(original)) -> int:
        return n

    world.serve(api)
    mock = create_autospec(original, return_value=5)
    with override({original: mock}):
        assert data(world.get("/x?n=3")) == 5
    mock.assert_called_once_with(n=3)


class Repository:
    def find(self, n: int) -> int:
        return n

    async def afind(self, n: int) -> int:
        return n


SPECS: list[Any] = [
    samples.function,
    samples.coroutine,
    samples.generator,
    samples.async_generator,
    Repository().find,
    Repository().afind,
    Repository,
]


@pytest.mark.row("H9")
@pytest.mark.parametrize("kind", [Mock, MagicMock, AsyncMock])
@pytest.mark.parametrize("spec", SPECS)
def test_mocks_with_a_spec_stand_in(spec: Any, kind: Any, api: NinjaAPI, world: World) -> None:
    """When a mock claims to be its spec, then it is still called without arguments."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, n: Any = Depends(fetch)) -> Any:
        return n

    world.serve(api)
    with override({fetch: kind(spec=spec, return_value=5)}):
        assert data(world.get("/x")) == 5
    api.dependency_overrides[fetch] = kind(spec=spec, return_value=6)
    assert data(world.get("/x")) == 6


@pytest.mark.row("H9")
@pytest.mark.parametrize("spec", SPECS)
def test_a_mock_with_a_spec_may_be_called(spec: Any) -> None:
    """`call` takes a mock for what it is, not for its spec."""
    assert call(MagicMock(spec=spec, return_value=5)) == 5
    assert call(Mock(spec=spec, return_value=5)) == 5


@pytest.mark.row("H9")
def test_a_mock_of_a_decorated_view_may_be_called() -> None:
    """A mock also claims the attributes that `inject` and `functools.wraps` set."""

    @inject
    def view(request: HttpRequest, n: int = Depends(fetch)) -> int:
        return n

    assert call(Mock(spec=view, return_value=5)) == 5


@pytest.mark.row("B11")
def test_a_coroutine_that_a_sync_callable_returns_is_its_value(api: NinjaAPI, world: World) -> None:
    """Nobody awaits it but who asked for it; what is to be awaited says so itself."""

    @api.get("/x")
    async def view(
        request: HttpRequest, later: Any = Depends(lambda: samples.coroutine(4))
    ) -> list[Any]:
        return [inspect.iscoroutine(later), await later]

    world.serve(api)
    assert data(world.get("/x")) == [True, 4]


@pytest.mark.row("B13")
def test_a_view_is_a_dependable(world: World) -> None:
    """Of our own router, or injected into a plain one: with its own inputs and dependencies."""
    own, plain = NinjaAPI(urls_namespace="own"), ninja.NinjaAPI(urls_namespace="plain")

    @own.get("/own")
    def view(request: HttpRequest, n: int, m: int = Depends(samples.function)) -> Any:
        return [request.path, n, m]

    @plain.get("/plain")
    @inject
    def injected(request: HttpRequest, n: int, m: int = Depends(samples.function)) -> Any:
        return [request.path, n, m]

    @own.get("/x")
    @world.view
    def uses(request: HttpRequest, a: Any = Depends(view), b: Any = Depends(injected)) -> Any:
        return [a, b]

    world.serve(own)
    assert data(world.get("/x?n=2")) == [["/x", 2, 2]] * 2


class Counter:
    """An instance that cannot be hashed, and is equal to others."""

    def __init__(self) -> None:
        self.calls = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counter)

    __hash__ = None  # type: ignore[assignment]

    def __call__(self) -> int:
        self.calls += 1
        return self.calls


@pytest.mark.row("A3", "B6")
def test_unhashable_instances_are_shared_by_identity(api: NinjaAPI, world: World) -> None:
    """One is called once a request; its equal is another."""
    one, two = Counter(), Counter()

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        a: Annotated[int, Depends(one)],
        b: int = Depends(one),
        c: int = Depends(two),
    ) -> Any:
        return [a, b, c]

    world.serve(api)
    assert data(world.get("/x")) == [1, 1, 1]
    assert data(world.get("/x")) == [2, 2, 2]


@pytest.mark.row("B6")
def test_a_falsy_instance_may_stand_in(api: NinjaAPI, world: World) -> None:
    """A stand-in whose length is zero is one all the same."""

    @api.get("/x", dependencies=[Depends(samples.Falsy())])
    @world.view
    def view(request: HttpRequest, n: int = Depends(fetch)) -> int:
        return n

    world.serve(api)
    with override({fetch: samples.Falsy()}):
        assert data(world.get("/x")) == 1


@pytest.mark.row("B7")
def test_a_bound_method_is_one_dependable(api: NinjaAPI, world: World) -> None:
    """Each access makes another object, equal to the last; another instance is another."""

    class Service:
        def __init__(self) -> None:
            self.calls = 0

        def call(self) -> int:
            self.calls += 1
            return self.calls

    one, two = Service(), Service()

    @api.get("/x", dependencies=[Depends(one.call)])
    @world.view
    def view(request: HttpRequest, a: int = Depends(one.call), b: int = Depends(two.call)) -> Any:
        return [a, b, one.calls, two.calls]

    world.serve(api)
    assert data(world.get("/x")) == [1, 1, 1, 1]


@pytest.mark.row("B8")
def test_what_a_partial_binds_no_client_can_set(api: NinjaAPI, world: World) -> None:
    """Bound means bound, and it is no parameter of the document."""
    from functools import partial

    def who(name: str, role: str = "user") -> str:
        return f"{name}, {role}"

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: str = Depends(partial(who, role="admin"))) -> str:
        return found

    world.serve(api)
    assert data(world.get("/x?name=ann&role=evil")) == "ann, admin"
    parameters = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["get"]["parameters"]
    assert [one["name"] for one in parameters] == ["name"]


@pytest.mark.row("B15")
def test_var_args_ask_nothing_of_the_client(api: NinjaAPI, world: World) -> None:
    """They stay empty, and are in no document."""

    def takes_all(n: int = 1, *args: Any, **kwargs: Any) -> Any:
        return [n, args, kwargs]

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(takes_all)) -> Any:
        return found

    world.serve(api)
    assert data(world.get("/x?n=2&args=3&kwargs=4&other=5")) == [2, [], {}]
    parameters = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["get"]["parameters"]
    assert [one["name"] for one in parameters] == ["n"]


class Page:
    def __init__(self, skip: int = 0, limit: int = 10) -> None:
        self.skip, self.limit = skip, limit


T = TypeVar("T")


class Repository(Generic[T]):
    def __init__(self, only: str = "all") -> None:
        self.only = only

    def name(self) -> str:
        return f"{self.__orig_class__.__args__[0].__name__}s, {self.only}"  # type: ignore[attr-defined]


Repo = Annotated[Repository[T], Depends()]


@pytest.mark.row("A7", "B5")
def test_depends_without_argument(api: NinjaAPI, world: World) -> None:
    """In both styles the annotation is called, a generic class with what fills it in."""

    @api.get("/x")
    @world.view
    def view(
        request: HttpRequest,
        users: Repo[HttpRequest],
        page: Annotated[Page, Depends()],
        same: Page = Depends(),
        pages: Repository[Page] = Depends(),
    ) -> Any:
        return [page is same, page.skip, page.limit, users.name(), pages.name()]

    world.serve(api)
    assert data(world.get("/x?skip=5&only=new")) == [
        *(True, 5, 10),
        *("HttpRequests, new", "Pages, new"),
    ]


numbers = itertools.count()


class Filters(BaseModel):
    n: int = Field(1, ge=1)
    made: int = Field(default_factory=numbers.__next__)


@dataclass
class Options:
    n: int = 1
    made: int = field(default_factory=numbers.__next__)


@pytest.mark.row("B12")
@pytest.mark.parametrize("cls", [Filters, Options])
def test_defaults_that_are_made_afresh(cls: Any, api: NinjaAPI, world: World) -> None:
    """One for each request, and nothing of how they are made in value or document."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(cls)) -> Any:
        return found.made

    world.serve(api)
    first = next(numbers) + 1
    found = [data(world.get(url)) for url in ("/x", "/x?made=-1", "/x")]
    assert found == [first, -1, first + 1]
    parameters = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["get"]["parameters"]
    assert parameters[1] == {
        "in": "query",
        "name": "made",
        "required": False,
        "schema": {"title": "Made", "type": "integer"},
    }

    def command(found: Any = Depends(cls)) -> Any:
        return found.made

    assert [call(command), call(command, made=-1)] == [first + 2, -1]


@pytest.mark.row("B12")
def test_a_models_constraints_are_the_clients_to_keep(api: NinjaAPI, world: World) -> None:
    """What pydantic would refuse in the constructor is a 422, and is documented."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(Filters)) -> int:
        return int(found.n)

    world.serve(api)
    response: Any = world.get("/x?n=0")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", "n"]
    parameters = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["get"]["parameters"]
    assert parameters[0]["schema"]["minimum"] == 1


@pytest.mark.row("A6", "A11", "C15", "C17")
def test_a_value_is_handed_over_as_it_is(api: NinjaAPI, world: World) -> None:
    """No annotation converts it, no default replaces it, a response in it is not sent."""

    def text() -> str:
        return "text"

    def answer() -> HttpResponse:
        return HttpResponse(status=418)

    @api.get("/x", dependencies=[Depends(answer)])
    @world.view
    def view(
        request: HttpRequest,
        a: Annotated[int, Depends(text)] = 5,
        b: HttpResponse = Depends(answer),
        c: HttpRequest = Depends(text),
    ) -> Any:
        return [a, b.status_code, c]

    world.serve(api)
    assert data(world.get("/x")) == ["text", 418, "text"]


@pytest.mark.row("A1", "A2", "A12", "C17")
def test_every_place_for_a_marker(world: World) -> None:
    """In each list of dependencies, in views and in dependables; a listed value is shared."""

    def noted() -> int:
        events.append("called")
        return 7

    marker = Depends(noted)
    api = NinjaAPI(dependencies=[marker], urls_namespace="api")
    router = Router(dependencies=[marker])
    api.add_router("/r", router, dependencies=[marker])

    def above(n: int = Depends(noted)) -> int:
        return n

    @router.get("/x", dependencies=[marker])
    @world.view
    def view(request: HttpRequest, n: int = Depends(above), m: int = Depends(noted)) -> Any:
        return [n, m]

    world.serve(api)
    assert data(world.get("/r/x")) == [7, 7]
    assert events == ["called"]


def test_many_callables_are_told_apart(api: NinjaAPI, world: World) -> None:
    """Nothing is remembered by what may be thrown away: each lambda is its own dependable."""

    def make(number: int) -> Any:
        return Depends(lambda: number)

    markers = [make(number) for number in range(300)]

    def gather(**values: Any) -> Any:
        return sum(values.values())

    gather.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(f"p{number}", inspect.Parameter.KEYWORD_ONLY, default=marker)
            for number, marker in enumerate(markers)
        ]
    )

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, total: int = Depends(gather)) -> int:
        return total

    world.serve(api)
    assert data(world.get("/x")) == sum(range(300))


def test_nothing_is_left_unawaited() -> None:
    """A refused coroutine does not complain when it is collected."""
    from di.exceptions import NotCallableError
    from di.graph import analyze

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NotCallableError):
            analyze(asyncio.sleep, [Depends(samples.coroutine())])  # type: ignore[arg-type]
