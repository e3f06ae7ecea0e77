"""Operations of other packages, written as ninja_extra writes its own."""

import functools
import types
from collections.abc import Callable
from typing import Annotated, Any

import ninja
import pytest
from django.http import HttpRequest, HttpResponse
from ninja.operation import AsyncOperation, Operation, PathView

from di import Depends, NinjaAPI, Router, inject
from di.exceptions import NotInjectedError
from tests.di.conftest import World


class OwnOperation(Operation):
    """It runs a view without Ninja's own `run`."""

    def run(self, request: HttpRequest, **path_params: Any) -> Any:
        values: dict[str, Any] = {}
        for model in self.signature.models:
            values |= model.resolve(request, self.api, path_params)  # type: ignore[attr-defined]
        return self._result_to_response(
            request,
            self.view_func(request, **values),
            HttpResponse(content_type="application/json"),
        )


class OwnAsyncOperation(AsyncOperation):
    """See `OwnOperation`."""

    async def run(self, request: HttpRequest, **path_params: Any) -> Any:  # type: ignore[override]
        result = await self.view_func(request, **path_params)
        return self._result_to_response(
            request, result, HttpResponse(content_type="application/json")
        )


class LoggingOperation(Operation):
    """It runs a view with Ninja's own `run`."""

    ran: list[str] = []

    def run(self, request: HttpRequest, **path_params: Any) -> Any:
        self.ran.append(request.path)
        return super().run(request, **path_params)


def router_of(sync: type[Operation], asynchronous: type[Operation] = AsyncOperation) -> Any:
    """Return a router whose operations have these classes."""

    class OwnPathView(PathView):
        def add_operation(  # type: ignore[override]
            self, path: str, methods: list[str], view_func: Any, **options: Any
        ) -> Any:
            options.pop("url_name")
            self.is_async = ninja.operation.is_async(view_func)
            cls = asynchronous if self.is_async else sync
            self.operations.append(cls(path, methods, view_func, **options))

    class OwnRouter(ninja.Router):
        def add_api_operation(  # type: ignore[override]
            self, path: str, methods: list[str], view_func: Any, **options: Any
        ) -> None:
            view = self.path_operations.setdefault(path, OwnPathView())
            view.add_operation(path, methods, view_func, **options)

    return OwnRouter()


def count(q: int) -> int:
    return q


REFUSED = "runs views in its own way, so nothing would resolve the dependencies"
HINT = 'Write it as a function on a di.Router: api.add_router("/prefix", router).'


def test_a_view_that_its_operation_would_not_inject_is_refused(world: World) -> None:
    """When an operation runs views in its own way, then an injected view is refused at import."""
    router = router_of(OwnOperation, OwnAsyncOperation)

    with pytest.raises(NotInjectedError, match=REFUSED) as caught:

        @router.get("/x")
        @inject
        @world.view
        def view(request: HttpRequest, number: int = Depends(count)) -> Any: ...

    assert caught.value.hint == HINT


@pytest.mark.parametrize("is_nested", [True, False])
def test_dependencies_of_an_api_are_not_lost_in_such_a_router(
    is_nested: bool, world: World
) -> None:
    """When an API with dependencies has such a router, then it is refused when it is mounted."""
    router = router_of(OwnOperation, OwnAsyncOperation)

    @router.get("/x")
    @world.view
    def view(request: HttpRequest) -> Any: ...

    api = NinjaAPI(
        dependencies=() if is_nested else [Depends(count)], urls_namespace=f"own{is_nested}"
    )
    outer = Router(dependencies=[Depends(count)] if is_nested else ())
    outer.add_router("", router)
    api.add_router("", outer)
    with pytest.raises(NotInjectedError, match=REFUSED):
        world.serve(api)


def test_plain_views_of_such_a_router_run(world: World) -> None:
    """When such a router has no dependencies, then it works beside one of ours in one API."""
    api = ninja.NinjaAPI(urls_namespace="api")
    theirs, ours = router_of(OwnOperation, OwnAsyncOperation), Router()

    @theirs.get("/theirs")
    @world.view
    def plain(request: HttpRequest) -> Any:
        return "plain"

    @ours.get("/ours")
    @world.view
    def injected(request: HttpRequest, number: int = Depends(count)) -> Any:
        return number

    api.add_router("", theirs)
    api.add_router("", ours)
    world.serve(api)
    assert world.get("/theirs").json() == "plain"
    assert world.get("/ours?q=5").json() == 5


def answer_of(world: World, router: ninja.Router) -> Any:
    """Return the answer of an injected view on *router*, which is its input: 5."""
    api = ninja.NinjaAPI(urls_namespace="api")

    @router.get("/x")
    @inject
    def view(request: HttpRequest, number: int = Depends(count)) -> Any:
        return number

    api.add_router("", router)
    world.serve(api)
    return world.get("/x?q=5").json()


def test_an_operation_that_hands_on_to_ninjas_injects(world: World) -> None:
    """When an operation overrides `run` and calls Ninja's, then its views are injected."""
    LoggingOperation.ran.clear()
    assert answer_of(world, router_of(LoggingOperation)) == 5
    assert LoggingOperation.ran == ["/x"]


class Compiled:
    """A `run` that has no Python code to be read, as Cython's functions have none."""

    def __get__(self, operation: Any, owner: Any) -> Callable[..., Any]:
        return self if operation is None else functools.partial(Operation.run, operation)

    def __call__(self) -> None: ...


def test_an_operation_without_readable_code_is_trusted(world: World) -> None:
    """When the code of `run` cannot be read, then nothing is certain and the view starts."""
    operation = type("CompiledOperation", (Operation,), {"run": Compiled()})
    assert answer_of(world, router_of(operation)) == 5


def as_controller(cls: type, method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the view of a controller's method, made as ninja_extra makes it."""

    def as_view(request: HttpRequest, **values: Any) -> Any:
        return method(object.__new__(cls), **values)  # an injector makes the real one

    controller = types.SimpleNamespace(controller_class=cls)
    route = types.SimpleNamespace(api_controller=controller)
    as_view.get_route_function = lambda: route  # type: ignore[attr-defined]
    return as_view


class Checked:
    def __init__(self, number: int = Depends(count)) -> None: ...

    def read(self) -> str:
        return "in"


class CheckedInAnnotated:
    def __init__(self, number: Annotated[int, Depends(count)]) -> None: ...

    def read(self) -> str:
        return "in"


class Inheriting(Checked): ...


class Bare:
    def read(self) -> str:
        return "in"


@pytest.mark.parametrize("cls", [Checked, CheckedInAnnotated, Inheriting])
def test_dependencies_of_a_controllers_constructor_are_refused(cls: Any) -> None:
    """When the constructor of a controller declares a dependency, then it does not start."""
    with pytest.raises(NotInjectedError, match="constructor of a controller declares") as caught:
        router_of(OwnOperation).get("/x")(as_controller(cls, cls.read))
    assert caught.value.hint is not None
    assert "di.call(f, request=self.context.request)" in caught.value.hint


def test_controllers_without_dependencies_start(world: World) -> None:
    """When a controller declares no dependency, then it works as without `di`."""
    api = ninja.NinjaAPI(urls_namespace="api")
    router = router_of(OwnOperation)
    router.get("/x")(as_controller(Bare, Bare.read))
    api.add_router("", router)
    world.serve(api)
    assert world.get("/x").json() == "in"
