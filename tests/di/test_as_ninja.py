"""Options of APIs, routers, mounts and operations mean the same as in Ninja itself."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import ninja
import ninja.decorators
import pytest
from django.http import HttpRequest
from ninja.constants import NOT_SET
from ninja.pagination import RouterPaginated
from ninja.testing import TestClient
from ninja.throttling import BaseThrottle

import di
from di import Depends

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ninja remembers the name of every API unless this is set."""
    monkeypatch.setenv("NINJA_SKIP_REGISTRY", "yes")


class Auth:
    """An authenticator that lets everybody in, and notes that it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, request: HttpRequest) -> str:
        events.append(f"auth {self.name}")
        return self.name


class Throttle(BaseThrottle):
    """A throttle that lets everything through, and notes that it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name

    def allow_request(self, request: HttpRequest) -> bool:
        events.append(f"throttle {self.name}")
        return True


def nothing() -> None:
    """Stand for a dependency that lets everybody in."""


class DependentAPI(di.NinjaAPI):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(dependencies=[Depends(nothing)], **kwargs)


class RoutesGet:
    """A router that wants an authenticator of its own on each GET."""

    def get(self, path: str, **kw: Any) -> Any:
        kw["auth"] = Auth("get")
        return super().get(path, **kw)  # type: ignore[misc]


class ReadsOptions:
    """A router that reads the options of an operation, all of which Ninja hands over."""

    def add_api_operation(self, path: str, methods: Any, view_func: Any, **kw: Any) -> None:
        kw["tags"] = [*(kw["tags"] or ()), view_func.__name__, repr(kw["response"])]
        if kw["throttle"] is NOT_SET:
            kw["throttle"] = Throttle("operation of the router")
        super().add_api_operation(path, methods, view_func, **kw)  # type: ignore[misc]


class RoutesOperation:
    """A router that changes the path in ``api_operation``, which every method calls."""

    def api_operation(self, methods: Any, path: str, **kw: Any) -> Any:
        events.append(f"routed {methods} {sorted(kw)}")
        return super().api_operation(methods, path, **kw)  # type: ignore[misc]


MIXINS = (RoutesGet, ReadsOptions, RoutesOperation)

HOSTS = {
    "ours": (di.NinjaAPI, di.Router),
    "our API with Ninja's routers": (di.NinjaAPI, ninja.Router),
    "our API with a dependency": (DependentAPI, di.Router),
    "a dependency over Ninja's routers": (DependentAPI, ninja.Router),
    "our routers in Ninja's API": (ninja.NinjaAPI, di.Router),
}


def answer(api: Any, path: str = "/x", method: str = "get") -> Any:
    """Return the answer to a request, what was asked on the way, and the document."""
    events.clear()
    response = getattr(TestClient(api), method)(path)
    asked = list(events)
    return response.status_code, response.content, asked, api.get_openapi_schema(path_prefix="")


def fresh_view() -> Callable[..., Any]:
    """Return a view that no router has seen, with the name that is in the document."""

    def view(request: HttpRequest, q: int = 1) -> list[Any]:
        return [q, getattr(request, "auth", None)]

    return view


def given(**options: Any) -> dict[str, Any]:
    """Return *options* without those that are left out."""
    return {name: value for name, value in options.items() if value is not ...}


def levels(name: str, make: Callable[[str], Any], nothing: Any) -> tuple[Any, ...]:
    """Return an option that is left out, that is set to nothing, and that is set."""
    return (..., nothing, make(name))


def of_an_api(api_class: Any, router_class: Any) -> Iterator[Any]:
    """Yield the answer of an API's own operation with each combination of options."""
    routers = (None, router_class, *(type("R", (one, router_class), {}) for one in MIXINS))
    for api_auth, router, router_auth, auth in itertools.product(
        levels("api", Auth, None),
        routers,
        levels("router", Auth, None),
        levels("operation", Auth, None),
    ):
        options = given(auth=api_auth)
        if router:
            options["default_router"] = router(tags=["r"], **given(auth=router_auth))
        api = api_class(**options)
        api.get("/x", **given(auth=auth))(fresh_view())
        api.post("/x", **given(auth=auth), tags=["o"])(fresh_view())
        yield [answer(api), answer(api, method="post")]
    for api_throttle, router, router_throttle, throttle in itertools.product(
        levels("api", Throttle, []),
        routers,
        levels("router", Throttle, []),
        levels("operation", Throttle, []),
    ):
        options = given(throttle=api_throttle)
        if router:
            options["default_router"] = router(**given(throttle=router_throttle))
        api = api_class(**options)
        api.get("/x", **given(throttle=throttle))(fresh_view())
        api.api_operation(["POST", "PUT"], "/x", **given(throttle=throttle))(fresh_view())
        yield [answer(api), answer(api, method="post")]


def of_a_mounted_router(api_class: Any, router_class: Any) -> Iterator[Any]:
    """Yield the answer of a mounted router's operation with each combination of options."""
    for option, make, nothing in (("auth", Auth, None), ("throttle", Throttle, [])):
        names = ("api", "mount", "router", "operation")
        for values in itertools.product(*(levels(name, make, nothing) for name in names)):  # type: ignore[arg-type]
            on_api, on_mount, on_router, on_operation = (
                given(**{option: value}) for value in values
            )
            api, router = api_class(**on_api), router_class(tags=["router"], **on_router)
            router.get("/x", **on_operation)(fresh_view())
            api.add_router("/r", router, **on_mount)
            yield answer(api, "/r/x")


def of_a_nested_router(api_class: Any, router_class: Any) -> Iterator[Any]:
    """Yield the answer of a router in a router with each combination of options."""
    for option, make in (("auth", Auth), ("throttle", Throttle)):
        names = ("api", "mount", "router", "nested mount", "nested", "operation")
        for values in itertools.product(*((..., make(name)) for name in names)):  # type: ignore[abstract]
            on_api, on_mount, on_router, on_nested_mount, on_nested, on_operation = (
                given(**{option: value}) for value in values
            )
            api, router = api_class(**on_api), router_class(tags=["router"], **on_router)
            nested = router_class(**on_nested)
            nested.get("/x", **on_operation)(fresh_view())
            router.add_router("/n", nested, tags=["mount"], **on_nested_mount)
            api.add_router("/r", router, **on_mount)
            yield answer(api, "/r/n/x")


def of_a_paginated_router(api_class: Any, router_class: Any) -> Iterator[Any]:
    """Yield the answers of routers that paginate, in each order of their bases."""
    paginated = [RouterPaginated]
    if router_class is not ninja.Router:
        paginated += [
            type("P", (RouterPaginated, router_class), {}),
            type("P", (router_class, RouterPaginated), {}),
        ]
    for one in paginated:
        for is_default in (True, False):
            router = one()
            api = api_class(default_router=router) if is_default else api_class()
            if not is_default:
                api.add_router("", router)
            routes = api if is_default else router

            @routes.get("/x", response=list[int])
            def items(request: HttpRequest, start: int = 0) -> list[int]:
                return [start, start + 1, start + 2]

            @routes.get("/one", response=int)
            def item(request: HttpRequest) -> int:
                return 1

            yield [answer(api, "/x?limit=1&offset=1&start=5"), answer(api, "/one")]


@functools.cache
def of_ninja(combinations: Any) -> list[Any]:
    """Return the answers of Ninja itself."""
    return list(combinations(ninja.NinjaAPI, ninja.Router))


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(
    ("combinations", "number"),
    [(of_an_api, 270), (of_a_mounted_router, 162), (of_a_nested_router, 128)],
)
def test_every_combination_of_auth_and_throttle(host: str, combinations: Any, number: int) -> None:
    """When options are set on some levels and left out on others, then as in Ninja one wins."""
    ours = list(combinations(*HOSTS[host]))
    assert ours == of_ninja(combinations)
    assert len(ours) == number


@pytest.mark.parametrize("host", HOSTS)
def test_routers_that_paginate(host: str) -> None:
    """When a router paginates, then it does so with every order of its bases."""
    theirs = of_ninja(of_a_paginated_router)
    ours = list(of_a_paginated_router(*HOSTS[host]))
    assert ours == theirs * (len(ours) // len(theirs))


@pytest.mark.parametrize("default_router", [None, ninja.Router, RouterPaginated, di.Router])
def test_dependencies_on_every_default_router(default_router: Any) -> None:
    """When an API has a router of Ninja's, then its own operations inject nevertheless."""
    api = di.NinjaAPI(default_router=default_router and default_router())

    def check() -> None:
        events.append("checked")

    def seven() -> int:
        events.append("called")
        return 7

    @api.get("/x", response=int, dependencies=[Depends(check)])
    def view(request: HttpRequest, n: int = Depends(seven)) -> int:
        return n

    assert answer(api)[:3] == (200, b"7", ["checked", "called"])


def test_decorate_view_above_a_route_decorator_with_dependencies() -> None:
    """When @decorate_view stands above the route decorator, then it finds the operation."""
    api = di.NinjaAPI()

    def noting(run: Any) -> Any:
        @functools.wraps(run)
        def noted(*args: Any, **kwargs: Any) -> Any:
            events.append("decorator")
            return run(*args, **kwargs)

        return noted

    @ninja.decorators.decorate_view(noting)
    @api.get("/x", dependencies=[Depends(nothing)])
    def view(request: HttpRequest) -> int:
        return 1

    assert answer(api)[:3] == (200, b"1", ["decorator"])
