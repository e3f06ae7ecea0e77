"""Dependencies in callables that Ninja calls by itself, and that nothing would resolve."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import ninja
import pytest
from django.http import HttpRequest, HttpResponse
from ninja.security import APIKeyHeader, HttpBasicAuth, HttpBearer
from ninja.testing import TestClient
from ninja.throttling import BaseThrottle

from di import Depends, NinjaAPI, Router, call
from di.exceptions import NotInjectedError


def verify() -> str:
    return "verified"


def function(request: HttpRequest, x: str = Depends(verify)) -> str:
    return x


async def coroutine(request: HttpRequest, x: str = Depends(verify)) -> str:
    return x


def calling(request: HttpRequest) -> str:
    return function(request)


class Bearer(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str, x: str = Depends(verify)) -> str:
        return x


class AsyncBearer(HttpBearer):
    async def authenticate(self, request: HttpRequest, token: str, x: str = Depends(verify)) -> str:
        return x


class Basic(HttpBasicAuth):
    def authenticate(self, request: HttpRequest, username: str, password: str) -> str:
        return self.find(username)

    def find(self, username: str, x: str = Depends(verify)) -> str:
        return x


class Key(APIKeyHeader):
    def authenticate(self, request: HttpRequest, key: str | None) -> str:
        return self.find()

    @staticmethod
    def find(x: str = Depends(verify)) -> str:
        return x


class Method:
    def check(self, request: HttpRequest, *, x: str = Depends(verify)) -> str:
        return x


AUTHS = [function, coroutine, calling, Bearer(), AsyncBearer(), Basic(), Key(), Method().check]
AUTHS += [functools.partial(function), [lambda request: True, Bearer()], (Key(),)]


class Throttle(BaseThrottle):
    def allow_request(self, request: HttpRequest, x: str = Depends(verify)) -> bool:
        return bool(x)


class Waiting(BaseThrottle):
    def allow_request(self, request: HttpRequest) -> bool:
        return False

    def wait(self, x: str = Depends(verify)) -> float:
        return len(x)


class Asking(BaseThrottle):
    def allow_request(self, request: HttpRequest) -> bool:
        return self.count(request) < 1

    def count(self, request: HttpRequest, x: str = Depends(verify)) -> int:
        return len(x)


THROTTLES = [Throttle(), Waiting(), Asking(), [Throttle()]]


def view(request: HttpRequest) -> str:
    return "in"


def on_the_api(api: Any, router: Any, **options: Any) -> Any:
    made = api(urls_namespace="none", **options)
    made.get("/x")(view)
    return made


def on_a_router(api: Any, router: Any, **options: Any) -> Any:
    made = router(**options)
    made.get("/x")(view)
    return mounted(api, made)


def on_the_mount(api: Any, router: Any, **options: Any) -> Any:
    made = router()
    made.get("/x")(view)
    return mounted(api, made, **options)


def on_an_inner_mount(api: Any, router: Any, **options: Any) -> Any:
    inner, outer = router(), router()
    inner.get("/x")(view)
    outer.add_router("/inner", inner, **options)
    return mounted(api, outer)


def on_the_operation(api: Any, router: Any, **options: Any) -> Any:
    made = router()
    made.get("/x", **options)(view)
    return mounted(api, made)


def mounted(api: Any, router: Any, **options: Any) -> Any:
    made = api(urls_namespace="none")
    made.add_router("/r", router, **options)
    return made


LEVELS: list[Callable[..., Any]] = [
    *(on_the_api, on_a_router, on_the_mount, on_an_inner_mount, on_the_operation)
]
HOSTS = [(ninja.NinjaAPI, ninja.Router), (NinjaAPI, Router)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("api", "router"), HOSTS, ids=["plain", "di"])
@pytest.mark.parametrize("auth", AUTHS, ids=lambda one: type(one).__name__)
def test_dependencies_in_auth_are_refused(auth: Any, api: Any, router: Any, level: Any) -> None:
    """When an object of auth= declares a dependency, then its API cannot be mounted."""
    with pytest.raises(NotInjectedError) as refusal:
        _ = level(api, router, auth=auth).urls
    text = str(refusal.value)
    assert text.startswith("An object of auth= declares a dependency, 'x', but nothing would ever")
    assert "a function that raises HTTPException(401) instead of returning None" in text


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("api", "router"), HOSTS, ids=["plain", "di"])
@pytest.mark.parametrize("throttle", THROTTLES, ids=lambda one: type(one).__name__)
def test_dependencies_in_a_throttle_are_refused(
    throttle: Any, api: Any, router: Any, level: Any
) -> None:
    """When a method of a throttle declares a dependency, then its API cannot be mounted."""
    with pytest.raises(NotInjectedError, match=r"A throttle declares a dependency, 'x', but"):
        _ = level(api, router, throttle=throttle).urls


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "options", [{"auth": Bearer()}, {"throttle": Throttle()}], ids=lambda one: type(one).__name__
)
def test_our_own_classes_refuse_at_the_line_that_declares_them(level: Any, options: Any) -> None:
    """When the API, the router or the route is ours, then that line raises."""
    with pytest.raises(NotInjectedError):
        level(NinjaAPI, Router, **options)


def of_two(request: HttpRequest, error: Exception, x: str = Depends(verify)) -> HttpResponse:
    return HttpResponse(x)


class Handler:
    def __call__(self, request: HttpRequest, error: Exception) -> HttpResponse:
        return self.answer(x="")

    def answer(self, *, x: str, y: str = Depends(verify)) -> HttpResponse:
        return HttpResponse(x + y)


@pytest.mark.parametrize("api", [ninja.NinjaAPI, NinjaAPI], ids=["plain", "di"])
@pytest.mark.parametrize(
    "handler", [of_two, Handler(), functools.partial(of_two)], ids=lambda one: type(one).__name__
)
@pytest.mark.parametrize("is_decorated", [True, False])
def test_dependencies_in_exception_handlers_are_refused(
    api: Any, handler: Any, *, is_decorated: bool
) -> None:
    """When a handler declares a dependency, then adding it raises."""
    made = api(urls_namespace="none")
    with pytest.raises(NotInjectedError, match="An exception handler declares a dependency"):
        if is_decorated:
            made.exception_handler(KeyError)(handler)
        else:
            made.add_exception_handler(KeyError, handler)


@pytest.mark.parametrize(("api", "router"), HOSTS, ids=["plain", "di"])
@pytest.mark.parametrize("level", LEVELS)
def test_objects_that_resolve_their_dependencies_start(api: Any, router: Any, level: Any) -> None:
    """When auth=, a throttle and a handler ask di.call(), then all of them work."""

    class Right(HttpBearer):
        def authenticate(self, request: HttpRequest, token: str) -> bool:
            return token == call(function, request=request)

    class Never(BaseThrottle):
        def allow_request(self, request: HttpRequest) -> bool:
            return bool(call(function, request=request))

    made = level(api, router, auth=[Right()], throttle=[Never()])
    made.exception_handler(KeyError)(lambda request, error: HttpResponse(call(verify)))
    client = TestClient(made)
    url = {on_the_api: "/x", on_an_inner_mount: "/r/inner/x"}.get(level, "/r/x")
    assert client.get(url).status_code == 401
    assert client.get(url, headers={"Authorization": "Bearer verified"}).json() == "in"


def test_code_that_hides_its_calls_in_auth_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """When the source of auth= does not tell how it calls a function, then a log does."""

    def held(request: HttpRequest, x: str = Depends(verify)) -> str:
        return x

    def auth(request: HttpRequest) -> Any:
        run = held
        return run(request)

    _ = on_the_api(ninja.NinjaAPI, ninja.Router, auth=auth).urls
    assert ["di.E203" in one.getMessage() for one in caplog.records] == [True]
