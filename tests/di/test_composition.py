"""Dependencies beside everything else that an operation of Ninja's may have."""

import functools
import gc
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import ninja
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import File, Form, Schema, Status, UploadedFile
from ninja.decorators import decorate_view
from ninja.operation import AsyncOperation, Operation
from ninja.pagination import LimitOffsetPagination, paginate
from ninja.responses import codes_4xx
from ninja.security import APIKeyQuery
from ninja.streaming import JSONL, SSE
from ninja.throttling import BaseThrottle

from di import Depends, HTTPException, NinjaAPI, Router, inject
from di.exceptions import BodyConflictError
from tests.di import samples
from tests.di.conftest import World

events: list[str] = []


@pytest.fixture(autouse=True)
def _no_events() -> None:
    events.clear()


@pytest.fixture(params=[NinjaAPI, ninja.NinjaAPI], ids=["own", "plain"])
def any_api(request: pytest.FixtureRequest) -> Any:
    """Our API, and Ninja's own; views carry @inject on both."""
    return request.param(urls_namespace="api")


def data(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return response.json()


def note(name: str) -> Any:
    """Return a marker of a dependable that notes that it was called."""

    def noted() -> str:
        events.append(name)
        return name

    return Depends(noted)


def opened(scope: Any) -> Any:
    """Return a marker of a generator that notes what becomes of it."""

    def generator() -> Iterator[str]:
        events.append("opens")
        try:
            yield scope
        except BaseException as error:
            events.append(f"sees {type(error).__name__}")
            raise
        finally:
            events.append("closes")

    return Depends(generator, scope=scope)


class Key(APIKeyQuery):
    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        events.append("auth")
        return key


class Throttle(BaseThrottle):
    def allow_request(self, request: HttpRequest) -> bool:
        events.append("throttle")
        return "slow" not in request.GET

    def wait(self) -> float:
        return 1.0


@pytest.mark.row("D7")
def test_auth_and_throttle_come_before_any_dependable(any_api: Any, world: World) -> None:
    """Whoever they refuse costs nothing more; whoever they let in is known to dependables."""

    def who(request: HttpRequest) -> str:
        events.append("who")
        return request.auth  # type: ignore[attr-defined,no-any-return]

    @any_api.get("/x", auth=Key(), throttle=Throttle())
    @inject
    @world.view
    def view(request: HttpRequest, name: str = Depends(who)) -> str:
        return name

    world.serve(any_api)
    assert world.get("/x").status_code == 401
    assert world.get("/x?key=me&slow=1").status_code == 429
    assert events == ["auth", "auth", "throttle"]
    assert data(world.get("/x?key=me")) == "me"
    assert events[3:] == ["auth", "throttle", "who"]


@pytest.mark.row("D1")
def test_our_router_injects_below_a_plain_api(world: World) -> None:
    """With the dependencies of its own, of its mounts and of the routers in it."""
    api = ninja.NinjaAPI(urls_namespace="api")
    outer, inner = Router(dependencies=[note("outer")]), Router(dependencies=[note("inner")])

    @inner.get("/x", dependencies=[note("operation")])
    @world.view
    def view(request: HttpRequest, p: str = note("parameter")) -> str:
        return p

    outer.add_router("/inner", inner, dependencies=[note("mount")])
    api.add_router("/outer", outer)
    world.serve(api)
    assert data(world.get("/outer/inner/x")) == "parameter"
    assert events == ["outer", "mount", "inner", "operation", "parameter"]


@pytest.mark.row("D1", "A12")
def test_one_router_below_two_parents_in_two_apis(world: World) -> None:
    """Each way to a view has the dependencies that lie on it, and documents their inputs."""

    def tenant(tenant: str) -> None:
        events.append(f"tenant {tenant}")

    shared = Router(dependencies=[note("shared")])

    @shared.get("/x")
    @world.view
    def view(request: HttpRequest, q: int = 0) -> int:
        return q

    apis = [
        NinjaAPI(version=version, urls_namespace=f"v{version}", dependencies=[note(version)])
        for version in ("1", "2")
    ]
    for api, dependencies in zip(apis, ([], [Depends(tenant)]), strict=True):
        for name in ("a", "b"):
            parent = Router(dependencies=[note(name)])
            parent.add_router("", shared, dependencies=dependencies)
            api.add_router(f"/{name}", parent, url_name_prefix=name)
    world.serve(*apis)
    assert [data(world.get(f"/{name}/x?q=1")) for name in "ab"] == [1, 1]
    assert events == ["1", "a", "shared", "1", "b", "shared"]
    events.clear()
    assert world.get("/v2/b/x").status_code == 422
    assert data(world.get("/v2/b/x?tenant=t")) == 0
    assert events == ["2", "b", "shared", "2", "b", "tenant t", "shared"]
    documented = {
        f"v{api.version}{path}": [one["name"] for one in item["get"]["parameters"]]
        for api in apis
        for path, item in api.get_openapi_schema(path_prefix="")["paths"].items()
    }
    assert documented == {
        "v1/a/x": ["q"],
        "v1/b/x": ["q"],
        "v2/a/x": ["q", "tenant"],
        "v2/b/x": ["q", "tenant"],
    }


@pytest.mark.row("K1")
def test_a_mistake_between_mount_and_view_surfaces_with_the_urls() -> None:
    """Not with the first request: two bodies of one name that only a mount brings together."""

    def one(item: samples.PydanticModel) -> None: ...

    class Other(Schema):
        text: str

    router = Router()

    @router.post("/x")
    def view(request: HttpRequest, item: Other) -> None: ...

    api = NinjaAPI(urls_namespace="api")
    api.add_router("", router, dependencies=[Depends(one)])
    with pytest.raises(BodyConflictError, match="The body 'item' is declared as"):
        _ = api.urls


class Pages(LimitOffsetPagination):
    """Pagination that says in which order it works."""

    def paginate_queryset(self, queryset: Any, pagination: Any, **params: Any) -> Any:
        events.append(f"page of {type(queryset).__name__}")
        return super().paginate_queryset(queryset, pagination, **params)

    async def apaginate_queryset(self, queryset: Any, pagination: Any, **params: Any) -> Any:
        events.append(f"page of {type(queryset).__name__}")
        items = queryset[pagination.offset : pagination.offset + pagination.limit]
        return {"items": items, "count": len(queryset)}


@pytest.mark.row("K2")
@pytest.mark.parametrize("is_above", [True, False], ids=["above", "below"])
@pytest.mark.parametrize("scope", ["function", "request"])
def test_paginate_above_and_below_inject(
    is_above: bool, scope: Any, any_api: Any, world: World
) -> None:
    """Pages are cut while the view's dependables are open; both read their own inputs."""

    def count(total: int) -> int:
        return total

    def view(request: HttpRequest, total: int = Depends(count), o: str = opened(scope)) -> Any:
        return list(range(total))

    decorators: list[Callable[..., Any]] = [world.view, inject, paginate(Pages)]
    if not is_above:
        decorators[1:] = reversed(decorators[1:])
    decorated = functools.reduce(lambda f, decorator: decorator(f), decorators, view)
    any_api.get("/x", response=list[int])(decorated)

    world.serve(any_api)
    assert data(world.get("/x?total=5&limit=2&offset=1")) == {"items": [1, 2], "count": 5}
    assert events == ["opens", "page of list", "closes"]
    assert world.get("/x?limit=2").status_code == 422
    assert world.get("/x?total=5&limit=x").status_code == 422
    (path,) = any_api.get_openapi_schema(path_prefix="")["paths"].values()
    names = [parameter["name"] for parameter in path["get"]["parameters"]]
    assert sorted(names) == ["limit", "offset", "total"]


def counting(run: Any) -> Any:
    """Decorate a whole operation: count the responses that come out of it."""
    if inspect.iscoroutinefunction(run):

        @functools.wraps(run)
        async def arun(*args: Any, **kwargs: Any) -> Any:
            response = await run(*args, **kwargs)
            events.append(str(response.status_code))
            return response

        return arun

    @functools.wraps(run)
    def call(*args: Any, **kwargs: Any) -> Any:
        response = run(*args, **kwargs)
        events.append(str(response.status_code))
        return response

    return call


@pytest.mark.row("K2", "F3")
def test_a_decorator_of_the_operation_sees_its_answer_when_function_scope_is_over(
    any_api: Any, world: World
) -> None:
    """Whatever was the matter: a refusal, bad inputs, a closing that fails, a success."""

    def guarded(what: str) -> Iterator[int]:
        if what == "refuse":
            raise HTTPException(401)
        yield len(what)
        events.append("closes")
        if what == "fail":
            raise HTTPException(503)

    @any_api.get("/x")
    @decorate_view(counting)
    @inject
    @world.view
    def view(request: HttpRequest, n: int = Depends(guarded, scope="function")) -> int:
        return n

    world.serve(any_api)
    found = [world.get(f"/x?what={what}").status_code for what in ("refuse", "fail", "go")]
    assert [*found, world.get("/x").status_code] == [401, 503, 200, 422]
    assert events == ["401", "closes", "503", "closes", "200", "422"]


class TimedOperation(Operation):
    """An operation of somebody else's, who put it in place as we do."""

    def run(self, request: HttpRequest, **kwargs: Any) -> Any:
        events.append("their run")
        return super().run(request, **kwargs)


class AsyncTimedOperation(AsyncOperation):
    """See `TimedOperation`."""

    async def run(self, request: HttpRequest, **kwargs: Any) -> Any:  # type: ignore[override]
        events.append("their run")
        return await super().run(request, **kwargs)


def timed(view: Any) -> Any:
    def contribute(operation: Operation) -> None:
        is_async = isinstance(operation, AsyncOperation)
        operation.__class__ = AsyncTimedOperation if is_async else TimedOperation

    view._ninja_contribute_to_operation = [contribute]
    return view


@pytest.mark.row("K2", "K6")
def test_an_operation_of_another_package_keeps_its_own_ways(any_api: Any, world: World) -> None:
    """What it does around dependencies and view, it still does."""

    @any_api.get("/x")
    @inject
    @timed
    @world.view
    def view(request: HttpRequest, n: str = note("dependable")) -> str:
        return n

    world.serve(any_api)
    assert data(world.get("/x")) == "dependable"
    assert events == ["their run", "dependable"]


@pytest.mark.row("K6")
def test_our_classes_can_be_built_upon(world: World) -> None:
    """A subclass that registers its own way, as Ninja's maintainer recommends, injects."""

    class Audited(Router):
        def add_api_operation(self, path: str, methods: Any, view_func: Any, **kwargs: Any) -> None:
            kwargs["dependencies"] = [note("audit"), *kwargs.get("dependencies", ())]
            super().add_api_operation(path, methods, view_func, **kwargs)

    class Api(NinjaAPI):
        def create_response(self, request: HttpRequest, data: Any, **kwargs: Any) -> HttpResponse:
            return super().create_response(request, {"data": data}, **kwargs)

    api = Api(urls_namespace="api", default_router=Audited())

    @api.get("/x", dependencies=[note("operation")])
    @world.view
    def view(request: HttpRequest, n: int = Depends(samples.function)) -> int:
        return n

    world.serve(api)
    assert data(world.get("/x")) == {"data": 1}
    assert events == ["audit", "operation"]


class Number(Schema):
    n: int


@pytest.mark.parametrize(
    ("response", "result", "status", "body"),
    [
        (Number, {"n": "1"}, 200, b'{"n": 1}'),
        (list[Number], [{"n": 1}, {"n": 2}], 200, b'[{"n": 1}, {"n": 2}]'),
        (Number | None, None, 200, b"null"),
        (None, None, 200, b""),
        ({201: Number}, {"n": 1}, 201, b'{"n": 1}'),
        ({204: None}, None, 204, b""),
        ({200: Number, codes_4xx: str}, Status(404, "gone"), 404, b'"gone"'),
        ({200: Number, ...: list[str]}, Status(503, ["no"]), 503, b'["no"]'),
        (dict[str, int], {"a": "1"}, 200, b'{"a": 1}'),
    ],
    ids=[
        *("schema", "list", "optional", "nothing", "single status", "204"),
        *("group of codes", "ellipsis", "dict"),
    ],
)
def test_every_form_of_response_declaration(
    response: Any, result: Any, status: int, body: bytes, any_api: Any, world: World
) -> None:
    """Ninja reads the declaration; what the view returns is validated and closed over."""

    @any_api.get("/x", response=response)
    @inject
    @world.view
    def view(request: HttpRequest, o: str = opened("function")) -> Any:
        return result

    world.serve(any_api)
    answer = world.get("/x")
    assert (answer.status_code, answer.content) == (status, body)
    assert events == ["opens", "closes"]


@pytest.mark.row("F7")
@pytest.mark.parametrize("result", [{"n": "text"}, Status(202, {"n": 1}), {}])
def test_an_answer_that_was_not_declared_is_thrown_into_generators(
    result: Any, any_api: Any, world: World
) -> None:
    """A value that does not fit, a status that nobody declared: 500, and they see why."""

    @any_api.get("/x", response={200: Number})
    @inject
    @world.view
    def view(request: HttpRequest, r: str = opened("request"), f: str = opened("function")) -> Any:
        return result

    world.serve(any_api)
    assert world.get("/x").status_code == 500
    name = "ConfigError" if isinstance(result, Status) else "ValidationError"
    assert events == ["opens", "opens", *[f"sees {name}", "closes"] * 2]


@pytest.mark.row("F13")
@pytest.mark.parametrize(
    ("stream_format", "sent"),
    [(JSONL, b"3\n4\n"), (SSE, b"data: 3\n\ndata: 4\n\n")],
    ids=["JSONL", "SSE"],
)
def test_streams_with_dependencies(
    stream_format: Any, sent: bytes, any_api: Any, world: World
) -> None:
    """The items are made between the two closings; a refusal or bad inputs come instead."""
    if world.is_asgi != world.is_async:
        pytest.skip("Django warns when a stream is not of its handler's kind")

    def first(n: int) -> int:
        if n < 0:
            raise HTTPException(403)
        return n

    def items(n: int) -> Iterator[int]:
        for number in range(2):
            events.append("item")
            yield n + number

    if world.is_async:

        @any_api.get("/x", response=stream_format[int])
        @inject
        async def astream(
            request: HttpRequest,
            n: int = Depends(first),
            r: str = opened("request"),
            f: str = opened("function"),
        ) -> AsyncIterator[int]:
            for item in items(n):
                yield item

    else:

        @any_api.get("/x", response=stream_format[int])
        @inject
        def stream(
            request: HttpRequest,
            n: int = Depends(first),
            r: str = opened("request"),
            f: str = opened("function"),
        ) -> Iterator[int]:
            yield from items(n)

    world.serve(any_api)
    assert [world.get(f"/x{query}").status_code for query in ("", "?n=-1")] == [422, 403]
    events.clear()
    assert world.get_stream("/x?n=3") == sent
    assert events == ["opens", "opens", "closes", "item", "item", "closes"]


@pytest.mark.row("F7", "F13")
def test_what_breaks_a_stream_is_seen_by_the_request_scope(any_api: Any, world: World) -> None:
    """The client has half of it; the generators that are still open see why."""
    if world.is_asgi != world.is_async:
        pytest.skip("Django warns when a stream is not of its handler's kind")

    def items() -> Iterator[int]:
        yield 1
        raise ValueError("in the middle")

    if world.is_async:

        @any_api.get("/x", response=JSONL[int])
        @inject
        async def astream(
            request: HttpRequest, r: str = opened("request"), f: str = opened("function")
        ) -> AsyncIterator[int]:
            for item in items():
                yield item

    else:

        @any_api.get("/x", response=JSONL[int])
        @inject
        def stream(
            request: HttpRequest, r: str = opened("request"), f: str = opened("function")
        ) -> Iterator[int]:
            yield from items()

    world.serve(any_api)
    with pytest.raises(ValueError, match="in the middle"):
        world.get_stream("/x")
    assert events == ["opens", "opens", "closes", "sees ValueError", "closes"]


@pytest.mark.row("F13")
def test_a_streaming_response_of_the_views_own(any_api: Any, world: World) -> None:
    """Its body is read between the two closings too."""
    if world.is_asgi != world.is_async:
        pytest.skip("Django warns when a stream is not of its handler's kind")

    def chunks() -> Iterator[bytes]:
        events.append("chunk")
        yield b"chunk"

    async def achunks() -> AsyncIterator[bytes]:
        for chunk in chunks():
            yield chunk

    @any_api.get("/x")
    @inject
    @world.view
    def view(
        request: HttpRequest, r: str = opened("request"), f: str = opened("function")
    ) -> StreamingHttpResponse:
        return StreamingHttpResponse(achunks() if world.is_async else chunks())

    world.serve(any_api)
    assert world.get_stream("/x") == b"chunk"
    assert events == ["opens", "opens", "closes", "chunk", "closes"]


def test_sync_and_async_operations_share_a_path(any_api: Any, world: World) -> None:
    """Each with dependables of both kinds, and what one sets the other does not see."""

    @any_api.get("/x")
    @inject
    def read(
        request: HttpRequest,
        a: int = Depends(samples.function),
        b: int = Depends(samples.async_generator),
    ) -> Any:
        return ["read", a, b]

    @any_api.put("/x")
    @inject
    async def write(
        request: HttpRequest,
        a: int = Depends(samples.generator),
        b: int = Depends(samples.coroutine),
    ) -> Any:
        return ["write", a, b]

    world.serve(any_api)
    assert data(world.get("/x?n=2")) == ["read", 2, 2]
    assert data(world.request("put", "/x?n=3")) == ["write", 3, 3]


def test_an_async_generator_of_a_sync_view_that_shares_its_path(any_api: Any, world: World) -> None:
    """When an async view shares the path, its generator still ends as if it stood alone."""
    events = []

    async def opened() -> Any:
        try:
            yield 1
        except BaseException as error:
            events.append(repr(error))
            raise
        events.append("ends")

    @any_api.get("/x")
    @inject
    def read(request: HttpRequest, a: int = Depends(opened)) -> Any:
        return a

    @any_api.put("/x")
    @inject
    async def write(request: HttpRequest) -> Any:
        return "written"

    world.serve(any_api)
    assert data(world.get("/x")) == 1
    gc.collect()  # a coroutine that nobody awaited would warn
    assert events == ["ends"]


@pytest.mark.row("C1", "C8")
def test_a_form_with_files_split_between_view_and_dependables(any_api: Any, world: World) -> None:
    """Multipart: each reads its own fields and files of the one form."""

    def titled(title: Annotated[str, Form()]) -> str:
        return title

    def contents(files: Annotated[list[UploadedFile], File()]) -> list[str]:
        return [file.read().decode() for file in files]

    @any_api.post("/x")
    @inject
    @world.view
    def view(
        request: HttpRequest,
        size: Annotated[int, Form()],
        title: str = Depends(titled),
        found: Any = Depends(contents),
    ) -> Any:
        return [size, title, found]

    world.serve(any_api)
    files = [SimpleUploadedFile(f"{name}.txt", name.encode()) for name in ("one", "two")]
    sent = {"size": "3", "title": "t", "files": files}
    assert data(world.request("post", "/x", data=sent)) == [3, "t", ["one", "two"]]
    response: Any = world.request("post", "/x", data={"size": "x"})
    assert response.status_code == 422
    locations = [error["loc"] for error in response.json()["detail"]]
    assert locations == [["form", "title"], ["file", "files"], ["form", "size"]]
