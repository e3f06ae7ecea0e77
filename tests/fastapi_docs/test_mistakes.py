"""Mistakes in declarations: what FastAPI says of them, and what is said here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi.exceptions import FastAPIError

from di.exceptions import (
    DependencyCycleError,
    InvalidLimitError,
    InvalidScopesError,
    MarkerConflictError,
    NotCallableError,
    UnknownScopeError,
    UnsupportedParameterError,
)
from di.rendering import describe
from tests.fastapi_docs.hosts import ours, theirs

# Nothing is served: it does not matter how.
pytestmark = pytest.mark.parametrize("world", ["wsgi-sync"], indirect=True)


def dependable() -> int:
    return 1


class Service:
    """What a request cannot hold."""


def nothing_to_call(host: Any) -> Any:
    return [host.Depends(None)]


def no_marker(host: Any) -> Any:
    return [dependable]


def not_callable(host: Any) -> Any:
    return [host.Depends(123)]


def builtin(host: Any) -> Any:
    return [host.Depends(int)]


@pytest.mark.parametrize(
    ("dependencies", "their_error", "our_message"),
    [
        pytest.param(
            nothing_to_call,
            AssertionError,
            "Depends() has nothing to call: it stands in dependencies=[...].",
            marks=pytest.mark.row("J1"),
            id="J1",
        ),
        pytest.param(
            no_marker,
            AttributeError,
            f"dependencies=[...] holds {describe(dependable)}, which is not a marker.",
            marks=pytest.mark.row("J2"),
            id="J2",
        ),
        pytest.param(
            not_callable,
            AssertionError,
            "Depends() was given 123, which cannot be called.",
            marks=pytest.mark.row("J3"),
            id="J3",
        ),
        pytest.param(
            builtin,
            ValueError,
            "builtins.int does not tell its parameters, so nothing can fill them.",
            marks=pytest.mark.row("B16", "J3"),
            id="B16",
        ),
    ],
)
def test_what_dependencies_may_not_hold(world, dependencies, their_error, our_message) -> None:
    """Both refuse it at the operation; here at the API, router and mount as well."""

    def at_operation(host: Any) -> None:
        app = host.app()
        app.get("/x", dependencies=dependencies(host))(_view)

    with pytest.raises(their_error):
        at_operation(theirs())
    host = ours(world)
    for declare in (
        lambda: at_operation(host),
        lambda: host.app(dependencies=dependencies(host)),
        lambda: host.router(dependencies=dependencies(host)),
        lambda: host.include(host.app(), host.router(), "/x", dependencies=dependencies(host)),
    ):
        with pytest.raises(NotCallableError) as caught:
            declare()
        assert caught.value.problem == our_message


def _view(request): ...


@pytest.mark.row("K1")
def test_a_mistake_at_a_mount_is_found_before_the_first_request(world) -> None:
    """There the application starts, and crashes when it is asked."""
    from fastapi.testclient import TestClient

    def include(host: Any) -> Any:
        app, router = host.app(), host.router()
        router.get("/x")(_view)
        host.include(app, router, "/r", dependencies=nothing_to_call(host))
        return app

    client = TestClient(include(theirs()), raise_server_exceptions=False)
    assert client.get("/r/x").status_code == 500
    with pytest.raises(NotCallableError):
        include(ours(world))


def two_markers(host: Any) -> Any:
    marker = host.Depends(dependable)
    return Annotated[int, marker], host.Depends(dependable)


def param_and_marker(host: Any) -> Any:
    return Annotated[int, host.Header()], host.Depends(dependable)


def marker_and_param(host: Any) -> Any:
    return Annotated[int, host.Depends(dependable)], host.Header()


def two_params(host: Any) -> Any:
    return Annotated[int, host.Header()], host.Header()


@pytest.mark.parametrize(
    ("declaration", "is_refused_there"),
    [
        pytest.param(two_markers, True, marks=pytest.mark.row("J5")),
        pytest.param(param_and_marker, True, marks=pytest.mark.row("J6")),
        # There the default is dropped without a word.
        pytest.param(marker_and_param, False, marks=pytest.mark.row("J6")),
        pytest.param(two_params, True, marks=pytest.mark.row("J7")),
    ],
)
def test_a_parameter_is_declared_once(world, declaration, is_refused_there) -> None:
    """Of two declarations, one in Annotated and one as default, nobody chooses."""
    if is_refused_there:
        with pytest.raises(AssertionError, match="together for 'value'"):
            _declare(theirs(), *declaration(theirs()))
    with pytest.raises(MarkerConflictError, match="Parameter 'value' has "):
        _declare(ours(world), *declaration(ours(world)))


@pytest.mark.row("J8")
def test_a_class_that_no_request_can_hold(world) -> None:
    """Both refuse it; here the hint says what was forgotten."""
    with pytest.raises(FastAPIError, match="Invalid args for response field"):
        _declare(theirs(), Service, ...)
    with pytest.raises(UnsupportedParameterError) as caught:
        _declare(ours(world), Service, ...)
    name = f"{Service.__module__}.{Service.__qualname__}"
    assert caught.value.problem == f"Ninja cannot read this from a request: 'value' ({name})."
    assert caught.value.hint == "Write value: T = Depends(f), with a function f that makes it."


@pytest.mark.row("J9")
@pytest.mark.parametrize("limit", [0, -1, True, 1.5])
def test_a_limit_that_limits_nothing(world, limit) -> None:
    """max_concurrency is a whole number of calls, one at least."""
    with pytest.raises(ValueError, match="max_concurrency must be a positive integer"):
        theirs().Depends(dependable, max_concurrency=limit)
    with pytest.raises(InvalidLimitError) as caught:
        ours(world).Depends(dependable, max_concurrency=limit)
    assert str(limit) in caught.value.problem


@pytest.mark.row("J10")
def test_a_cycle(world) -> None:
    """There the stack overflows; here the way round is drawn."""

    def cycle(host: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
        def first(value=None): ...

        def second(value=host.Depends(first)): ...

        first.__defaults__ = (host.Depends(second),)
        return first, second

    with pytest.raises(RecursionError):
        _declare(theirs(), int, theirs().Depends(cycle(theirs())[0]))
    first, second = cycle(ours(world))
    with pytest.raises(DependencyCycleError) as caught:
        _declare(ours(world), int, ours(world).Depends(first))
    assert [call for _, call in caught.value.path][1:] == [first, second, first]


def _declare(host: Any, annotation: Any, default: Any) -> None:
    """Route a view with one parameter of *annotation* and *default*."""

    def view(request, value=default): ...

    if default is ...:
        view.__defaults__ = None
    view.__annotations__ = {"request": host.Request, "value": annotation}
    host.app().get("/x")(view)


@pytest.mark.row("I5")
def test_scopes_that_are_one_text(world) -> None:
    """There each letter is a scope; here it is refused where it is written."""
    assert list(theirs().Security(dependable, scopes="me").scopes) == ["m", "e"]
    with pytest.raises(InvalidScopesError) as caught:
        ours(world).Security(dependable, scopes="me")
    assert caught.value.hint == 'Write scopes=["items"], one string a scope.'


@pytest.mark.row("F4")
def test_a_scope_that_is_none(world) -> None:
    """There any other word means the request; here it is refused."""
    assert theirs().Depends(dependable, scope="session").scope == "session"
    with pytest.raises(UnknownScopeError) as caught:
        ours(world).Depends(dependable, scope="session")
    assert caught.value.problem == "There is no scope 'session'."
