"""APIs and routers with dependencies of their own."""

import functools
from typing import Any

import ninja
import pytest
from django.http import HttpRequest
from ninja.errors import ConfigError

from di import Depends, NinjaAPI, Router, inject
from di.exceptions import NotCallableError
from tests.di import samples
from tests.di.conftest import World

order: list[str] = []


@pytest.fixture(autouse=True)
def _no_order() -> None:
    order.clear()


def note(name: str, takes: type[int] | None = None) -> Any:
    """Return a marker of a dependable that notes *name*."""
    if takes is None:

        def plain() -> None:
            order.append(name)

        return Depends(plain)

    def reading(n: int) -> None:
        order.append(f"{name}{n}")

    return Depends(reading)


def routed(router: Any, world: World) -> None:
    @router.get("/x", dependencies=[note("operation")])
    @world.view
    def view(request: HttpRequest, p: None = note("parameter")) -> int:
        return 1


@pytest.mark.row("A12", "D1")
def test_outside_in(world: World) -> None:
    """API, mount, router, nested mount, nested router, operation, parameters."""
    api = NinjaAPI(dependencies=[note("api")], urls_namespace="api")
    outer = Router(dependencies=[note("outer")])
    inner = Router(dependencies=[note("inner")])
    routed(inner, world)
    outer.add_router("/inner", inner, dependencies=[note("mount inner")])
    api.add_router("/outer", outer, dependencies=[note("mount outer")])
    world.serve(api)
    assert world.get("/outer/inner/x").json() == 1  # type: ignore[attr-defined]
    assert order == [
        *("api", "mount outer", "outer", "mount inner", "inner"),
        *("operation", "parameter"),
    ]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_every_method_of_an_api(method: str, world: World) -> None:
    """The API's own route decorators take dependencies too."""
    api = NinjaAPI(dependencies=[note("api")], urls_namespace="api")

    @getattr(api, method)("/x", dependencies=[note("operation")])
    @world.view
    def view(request: HttpRequest, n: int = Depends(samples.function)) -> int:
        return n

    world.serve(api)
    assert world.request(method, "/x").json() == 1  # type: ignore[attr-defined]
    assert order == ["api", "operation"]


@pytest.mark.row("D1")
def test_one_router_mounted_twice(world: World) -> None:
    """Each mount has its parent's dependencies, and its own document."""
    api = NinjaAPI(urls_namespace="api")
    router = Router()
    routed(router, world)
    api.add_router("/one", router, dependencies=[note("one", int)])
    api.add_router("/two", router, dependencies=[note("two")], url_name_prefix="two")
    world.serve(api)
    world.get("/one/x?n=1")
    world.get("/two/x")
    assert order == ["one1", "operation", "parameter", "two", "operation", "parameter"]
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    assert [len(paths[path]["get"]["parameters"]) for path in ("/one/x", "/two/x")] == [1, 0]


def test_a_second_mount_still_needs_a_url_name_prefix(api: NinjaAPI) -> None:
    """Ninja's own refusal is not lost behind ours."""
    router = Router()
    api.add_router("/one", router, dependencies=[note("one")])
    with pytest.raises(ConfigError, match="url_name_prefix"):
        api.add_router("/two", router)


@pytest.mark.row("D1")
def test_plain_routers_inherit(world: World) -> None:
    """A router of Ninja's own under ours gets what its parents require."""
    api = NinjaAPI(dependencies=[note("api")], urls_namespace="api")
    plain = ninja.Router()

    @plain.get("/x")
    @world.view
    def view(request: HttpRequest, q: int = 1) -> int:
        return q

    api.add_router("/plain", plain, dependencies=[note("mount")])
    world.serve(api)
    assert world.get("/plain/x?q=2").json() == 2  # type: ignore[attr-defined]
    assert order == ["api", "mount"]


def without_wraps(run: Any) -> Any:
    """Decorate as Ninja's own documentation does: without functools.wraps."""

    def call(request: Any, **kwargs: Any) -> Any:
        order.append("decorator")
        return run(request, **kwargs)

    return call


@pytest.mark.row("K2")
@pytest.mark.parametrize("mode", ["view", "operation"])
def test_decorators_of_routers_keep_working(mode: Any, world: World) -> None:
    """Round the whole operation, or round the view with its values."""
    api = NinjaAPI(urls_namespace="api")
    outer, router = Router(), Router(dependencies=[note("router")])
    routed(router, world)
    wraps = functools.wraps if mode == "operation" else lambda _: lambda f: f

    def decorator(run: Any) -> Any:
        return wraps(run)(without_wraps(run))

    if world.is_async:
        return
    outer.add_decorator(decorator, mode=mode)
    outer.add_router("", router)
    api.add_router("", outer)
    world.serve(api)
    assert world.get("/x").json() == 1  # type: ignore[attr-defined]
    place = 0 if mode == "view" else 3
    assert order.index("decorator") == place


def test_an_operation_that_cannot_be_found_is_refused(world: World) -> None:
    """A decorator that hides what it decorates would lose the dependencies silently."""
    api = NinjaAPI(urls_namespace="api")
    outer, router = Router(), Router(dependencies=[note("router")])
    routed(router, world)
    outer.add_decorator(lambda _: lambda request: None, mode="view")
    outer.add_router("", router)
    api.add_router("", outer)
    with pytest.raises(ConfigError, match="hides the operation"):
        _ = api.urls


def test_routers_by_import_path(world: World) -> None:
    """As Ninja's, with dependencies of the mount."""
    api = NinjaAPI(urls_namespace="api")
    api.add_router("/r", "tests.di.test_routing.module_router", dependencies=[note("mount")])
    world.serve(api)
    assert world.get("/r/x").json() == 1  # type: ignore[attr-defined]
    assert order == ["mount"]


module_router = Router()


@module_router.get("/x")
def module_view(request: HttpRequest, n: int = Depends(samples.function)) -> int:
    return n


@pytest.mark.row("H2")
def test_two_apis_in_one_project(world: World) -> None:
    """One router in two versions: each has its own dependencies and overrides."""
    first = NinjaAPI(version="1", dependencies=[note("first")], urls_namespace="v1")
    second = NinjaAPI(version="2", urls_namespace="v2")
    router = Router()

    @router.get("/x")
    @world.view
    def view(request: HttpRequest, n: int = Depends(samples.function)) -> int:
        return n

    first.add_router("", router)
    second.add_router("", router)
    second.dependency_overrides[samples.function] = lambda: 2
    world.serve(first, second)
    assert [world.get(path).json() for path in ("/x", "/v2/x")] == [1, 2]  # type: ignore[attr-defined]
    assert order == ["first"]


@pytest.mark.row("J1", "K1")
def test_mistakes_in_dependencies_surface_where_they_are_written() -> None:
    """Not when the URLs are made, and not with the first request."""
    for make in (
        lambda: NinjaAPI(dependencies=[samples.function]),
        lambda: Router(dependencies=[samples.function]),
        lambda: Router().add_router("/x", Router(), dependencies=[samples.function]),
    ):
        with pytest.raises(NotCallableError, match=r"Wrap it: Depends\(f\)"):
            make()


def test_a_mistake_above_views_is_drawn_without_a_view() -> None:
    """The path begins with what is in the list; who called Router() is in the traceback."""

    def bad(x: Any = Depends(1)) -> None: ...  # type: ignore[arg-type]

    for make in (
        lambda: NinjaAPI(dependencies=[note("fine"), Depends(bad)]),
        lambda: Router(dependencies=[note("fine"), Depends(bad)]),
        lambda: Router().add_router("/x", Router(), dependencies=[note("fine"), Depends(bad)]),
    ):
        with pytest.raises(NotCallableError) as caught:
            make()
        assert caught.value.path == ((None, bad), ("x", 1))


def view(request: HttpRequest) -> None: ...


@pytest.mark.parametrize(
    "use",
    [
        lambda given: NinjaAPI(dependencies=given),
        lambda given: Router(dependencies=given),
        lambda given: Router().add_router("/x", Router(), dependencies=given),
        lambda given: NinjaAPI().add_router("/x", Router(), dependencies=given),
        lambda given: Router().get("/x", dependencies=given)(view),
        lambda given: NinjaAPI().get("/x", dependencies=given)(view),
    ],
)
def test_dependencies_are_a_list_or_none(use: Any) -> None:
    """One marker outside a list is told how to become one."""
    for given, problem, hint in (
        (
            Depends(samples.function),
            "dependencies=Depends(function) is not a list.",
            "Write dependencies=[Depends(function)].",
        ),
        (
            samples.function,
            "dependencies=tests.di.samples.function is not a list.",
            "Write dependencies=[Depends(f)].",
        ),
    ):
        with pytest.raises(NotCallableError) as caught:
            use(given)
        assert (caught.value.problem, caught.value.hint) == (problem, hint)
    use(None)


@pytest.mark.row("D1")
def test_operation_dependencies_beside_inject(world: World) -> None:
    """@inject on a view of our own router changes nothing."""
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x", dependencies=[note("operation")])
    @inject
    @world.view
    def view(request: HttpRequest, p: None = note("parameter")) -> int:
        return 1

    world.serve(api)
    world.get("/x")
    assert order == ["operation", "parameter"]


@pytest.mark.parametrize("router_class", [Router, ninja.Router])
def test_apis_that_share_a_default_router_keep_their_dependencies(
    router_class: Any, world: World
) -> None:
    """When two APIs have one default router, then each runs and documents its own dependencies."""
    router, called = router_class(), []

    def of_first(first: int) -> None:
        called.append(f"first {first}")

    def of_second(second: int) -> None:
        called.append(f"second {second}")

    @router.get("/x")
    @world.view
    def view(request: HttpRequest) -> None: ...

    apis = [
        NinjaAPI(
            default_router=router, dependencies=[Depends(check)], urls_namespace=check.__name__
        )
        for check in (of_first, of_second)
    ]
    inner = router_class()
    inner.get("/y")(view)
    router.add_router("/inner", inner)
    world.serve(*apis)
    for url in ("/x", "/of_second/x", "/inner/y", "/of_second/inner/y"):
        assert world.get(f"{url}?first=1&second=2").status_code == 200
    assert called == ["first 1", "second 2"] * 2
    for api, name in zip(apis, ("first", "second"), strict=True):
        for operation in api.get_openapi_schema(path_prefix="")["paths"].values():
            assert [one["name"] for one in operation["get"]["parameters"]] == [name]
