"""Dependables outside a request."""

import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Group
from django.http import HttpRequest
from ninja import Query

from di import Depends, SecurityScopes, acall, call, override
from di.exceptions import DependencyError, GeneratorProtocolError, MissingValueError
from di.sessions import SessionDep
from tests.di import samples

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
    with pytest.raises(TypeError, match="called 'nobody'"):
        resolve(other, n=1, nobody=2)
    assert events == []
    request = HttpRequest()
    request.path = "/given"
    assert resolve(job, request=request) == "/given"


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
