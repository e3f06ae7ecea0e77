"""What FastAPI's users write out of habit: each mistake names the line to write."""

import inspect
import logging
from typing import Any

import fastapi
import fastapi.security
import ninja
import pytest
import starlette.background
import starlette.datastructures
import starlette.exceptions
import starlette.requests
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.test import modify_settings
from ninja import Body, Query
from ninja.testing import TestClient
from pydantic import BaseModel

import di
from di import (
    Depends,
    HTTPException,
    NinjaAPI,
    Router,
    Security,
    acall,
    call,
    foreign,
    inject,
    override,
)
from di.exceptions import (
    DependencyError,
    MarkerConflictError,
    NotInstalledError,
    UnknownMarkerError,
    UnsupportedArgumentError,
    UnsupportedParameterError,
)
from tests.di.conftest import World


def get_value() -> int:
    return 1


def as_type(p: Depends(get_value)) -> None: ...  # type: ignore[valid-type]
def as_type_with_default(p: Security(get_value) = 3) -> None: ...  # type: ignore[valid-type]
def as_quoted_type(p: "Depends(get_value)") -> None: ...  # type: ignore[valid-type]
def as_input_type(p: Query(1)) -> None: ...  # type: ignore[valid-type]


@pytest.mark.parametrize("host", [NinjaAPI, ninja.NinjaAPI])
@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (as_type, "Depends(get_value)"),
        (as_type_with_default, "Security(get_value)"),
        (as_quoted_type, "Depends(get_value)"),
        (as_input_type, "Query(1)"),
    ],
)
def test_a_declaration_in_place_of_a_type(call: Any, shown: str, host: Any) -> None:
    """When a marker stands where the type belongs, then the error shows it after a type."""

    def view(request: HttpRequest, below: None = Depends(call)) -> None: ...

    with pytest.raises(MarkerConflictError, match=r"'p' has .* as its type, where") as caught:
        host(urls_namespace="foreign").get("/x")(inject(view))
    assert caught.value.path == ((None, view), ("below", call))
    assert caught.value.hint == f"Write p: T = {shown}, with the type of its value in place of T."


def test_a_marker_inside_the_place_of_a_type() -> None:
    """When a marker is an argument of a type, then it is refused as inside another type."""

    def view(request: HttpRequest, p: list[Depends(get_value)]) -> None: ...  # type: ignore[misc]

    with pytest.raises(MarkerConflictError, match="is inside another type"):
        inject(view)


@pytest.mark.parametrize("maker", [Depends, Security])
def test_a_marker_without_parentheses_in_place_of_a_type(maker: Any) -> None:
    """When Depends itself is the annotation, then the hint has the parentheses."""

    def view(request: HttpRequest, p: Any) -> None: ...

    view.__annotations__["p"] = maker
    with pytest.raises(UnknownMarkerError, match="without parentheses") as caught:
        inject(view)
    assert caught.value.hint == f"Write {maker.__name__}(f)."


TYPES = [
    (fastapi.Request, "Import HttpRequest from django.http."),
    (starlette.requests.HTTPConnection, "Import HttpRequest from django.http."),
    (fastapi.Response, "Import HttpResponse from django.http."),
    (fastapi.responses.JSONResponse, "Import HttpResponse from django.http."),
    (fastapi.BackgroundTasks, "Import BackgroundTasks from di."),
    (starlette.background.BackgroundTasks, "Import BackgroundTasks from di."),
    (starlette.background.BackgroundTask, "Import BackgroundTasks from di."),
    (fastapi.security.SecurityScopes, "Import SecurityScopes from di."),
    (fastapi.WebSocket, "Use Channels: Django Ninja has no WebSockets."),
    (fastapi.UploadFile, "Import UploadedFile and File from ninja: {}: UploadedFile = File(...)."),
    (
        starlette.datastructures.UploadFile,
        "Import UploadedFile and File from ninja: {}: UploadedFile = File(...).",
    ),
]


@pytest.mark.parametrize("make", [lambda kind: kind, lambda kind: kind | None])
@pytest.mark.parametrize("name", ["request", "x"])
@pytest.mark.parametrize(("kind", "hint"), TYPES)
def test_a_class_that_fastapi_fills(kind: Any, hint: str, name: str, make: Any) -> None:
    """When a parameter has a class of FastAPI's, then the hint names ours, Django's, or Ninja's."""

    def read(**_: Any) -> None: ...

    parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=make(kind))
    read.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]

    def view(request: HttpRequest, below: None = Depends(read)) -> None: ...

    with pytest.raises(UnknownMarkerError, match=f"{name!r} is annotated with") as caught:
        inject(view)
    assert caught.value.path == ((None, view), ("below", read))
    assert caught.value.hint == hint.format(name)


@pytest.mark.parametrize(("kind", "hint"), TYPES)
def test_a_class_that_fastapi_fills_is_not_called(kind: Any, hint: str) -> None:
    """When Depends() is to call a class of FastAPI's, then the hint is the same."""

    def view(request: HttpRequest, x: Any = Depends(kind)) -> None: ...

    with pytest.raises(UnknownMarkerError, match="is FastAPI's, and cannot read") as caught:
        inject(view)
    assert caught.value.hint == hint.format("f")


def test_a_view_of_fastapis_request() -> None:
    """When a view takes FastAPI's Request, then it is refused: it would get Django's."""

    def view(request: fastapi.Request) -> None: ...

    with pytest.raises(UnknownMarkerError, match="'request' is annotated with"):
        NinjaAPI(urls_namespace="foreign").get("/x")(view)


def test_a_value_of_fastapis_is_a_value(world: World, api: NinjaAPI) -> None:
    """When a dependable returns something of FastAPI's, then its annotation is no mistake."""

    def make() -> Any:
        return fastapi.Response(b"made")

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, made: fastapi.Response = Depends(make)) -> str:
        return bytes(made.body).decode()

    world.serve(api)
    assert world.get("/x").json() == "made"  # type: ignore[attr-defined]


class OwnScheme(fastapi.security.HTTPBearer):
    """A scheme that somebody has derived from FastAPI's."""


@pytest.mark.parametrize(
    ("scheme", "name"),
    [
        (fastapi.security.HTTPBearer(), "HTTPBearer"),
        (fastapi.security.HTTPBasic(), "HTTPBasic"),
        (fastapi.security.OAuth2PasswordBearer("token"), "OAuth2PasswordBearer"),
        (fastapi.security.APIKeyHeader(name="x"), "APIKeyHeader"),
        (fastapi.security.HTTPBearer, "HTTPBearer"),
        (fastapi.security.OAuth2PasswordRequestForm, "OAuth2PasswordRequestForm"),
        (fastapi.security.base.SecurityBase, "HTTPBase"),
        (OwnScheme(), "HTTPBearer"),
        (OwnScheme().__call__, "HTTPBearer"),
    ],
)
def test_a_scheme_of_fastapis(scheme: Any, name: str) -> None:
    """When a dependable is a scheme or a form of FastAPI's, then the hint names ours."""

    def view(request: HttpRequest, x: Any = Security(scheme, scopes=["a"])) -> None: ...

    with pytest.raises(UnknownMarkerError) as caught:
        inject(view)
    assert caught.value.hint in (
        f"Import {name} from di.security.",
        "Import HttpRequest from django.http.",  # a bound method of one
    )
    assert hasattr(di.security, name)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (fastapi.HTTPException(418, "tea", {"X-Tea": "green"}), (418, "tea", "green")),
        (starlette.exceptions.HTTPException(401), (401, "Unauthorized", None)),
    ],
)
@pytest.mark.parametrize("host", [NinjaAPI, ninja.NinjaAPI])
@pytest.mark.parametrize("where", ["dependable", "view"])
def test_an_exception_of_fastapis_is_answered(
    world: World,
    caplog: pytest.LogCaptureFixture,
    host: Any,
    where: str,
    error: Exception,
    answer: tuple[int, str, str | None],
) -> None:
    """When FastAPI's HTTPException is raised, then its status is the answer, and that is logged."""
    seen: list[BaseException] = []

    def failing() -> None:
        if where == "dependable":
            raise error

    api = host(urls_namespace="foreign")

    @api.get("/x")
    @inject
    @world.view
    def view(request: HttpRequest, x: None = Depends(failing)) -> None:
        seen.append(error)
        raise error

    world.serve(api)
    with caplog.at_level(logging.WARNING, "di"):
        response = world.get("/x")
    status, detail, header = answer
    assert response.status_code == status
    assert response.json() == {"detail": detail}  # type: ignore[attr-defined]
    assert response.get("X-Tea") == header
    (record,) = [one for one in caplog.records if one.name == "di"]
    assert "HTTPException was raised and answered with its status" in record.getMessage()
    assert "Import HTTPException from di" in record.getMessage()
    assert bool(seen) is (where == "view")


def test_a_handler_of_fastapis_exception_is_asked(world: World, api: NinjaAPI) -> None:
    """When an API has a handler for FastAPI's HTTPException, then that answers."""

    def handle(request: HttpRequest, error: Exception) -> HttpResponse:
        return HttpResponse("handled")

    api.add_exception_handler(starlette.exceptions.HTTPException, handle)

    @api.get("/x")
    @world.view
    def view(request: HttpRequest) -> None:
        raise fastapi.HTTPException(418)

    world.serve(api)
    assert world.get("/x").content == b"handled"


def parameters(function: Any) -> set[str]:
    found = inspect.signature(function).parameters.values()
    return {one.name for one in found if one.kind is not one.VAR_KEYWORD} - {"self"}


def method(name: str) -> Any:
    return lambda **options: getattr(NinjaAPI(urls_namespace="foreign"), name)("/x", **options)


def add_operation(**options: Any) -> None:
    Router().add_api_operation("/x", ["GET"], lambda request: None, **options)


def add_router(**options: Any) -> None:
    NinjaAPI(urls_namespace="foreign").add_router("/x", Router(), **options)


SPELLINGS = [
    (
        fastapi.APIRouter.get,
        ninja.Router.get,
        foreign.OF_OPERATIONS,
        [method("get"), method("delete"), add_operation, lambda **kw: Router().put("/x", **kw)],
    ),
    (fastapi.APIRouter.__init__, ninja.Router.__init__, foreign.OF_ROUTERS, [Router]),
    (fastapi.FastAPI.__init__, ninja.NinjaAPI.__init__, foreign.OF_APIS, [NinjaAPI]),
    (
        fastapi.FastAPI.include_router,
        ninja.NinjaAPI.add_router,
        foreign.OF_MOUNTS,
        [add_router, lambda **kw: Router().add_router("/x", Router(), **kw)],
    ),
]


@pytest.mark.parametrize(("theirs", "ninjas", "hints", "calls"), SPELLINGS)
def test_every_argument_of_fastapis_has_its_line(
    theirs: Any, ninjas: Any, hints: Any, calls: list[Any]
) -> None:
    """When FastAPI takes an argument and Ninja does not, then the error has the line to write."""
    unknown = parameters(theirs) - parameters(ninjas) - {"dependencies", "path", "methods"}
    assert unknown - hints.keys() == set()
    assert hints.keys() & parameters(ninjas) == set()
    for name in hints:
        for one in calls:
            with pytest.raises(UnsupportedArgumentError, match=f"no argument '{name}'") as caught:
                one(**{name: "x"})
            assert isinstance(caught.value, TypeError)
            assert caught.value.hint == hints[name]
            assert caught.value.hint.endswith(".")


def test_an_unknown_argument_is_pythons_business() -> None:
    """When an argument is neither FastAPI's nor Ninja's, then Python's own error stays."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'") as caught:
        Router(nonsense=1)  # type: ignore[call-arg]
    assert not isinstance(caught.value, DependencyError)


def test_a_subclass_may_have_such_an_argument() -> None:
    """When a subclass takes FastAPI's spelling, then nothing is refused."""

    class Prefixed(Router):
        def __init__(self, prefix: str, **options: Any) -> None:
            super().__init__(**options)
            self.prefix = prefix

        def get(self, path: str, *, status_code: int = 200, **options: Any) -> Any:
            return super().get(self.prefix + path, response={status_code: str}, **options)

    router = Prefixed(prefix="/a")
    router.get("/b", status_code=201)(lambda request: "made")
    assert TestClient(router).get("/a/b").status_code == 201


_INTERNAL = {
    *("setup", "build_middleware_stack", "handle", "matches", "app", "not_found", "lifespan"),
}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (fastapi.FastAPI, NinjaAPI(urls_namespace="foreign-attributes")),
        (fastapi.APIRouter, Router()),
    ],
)
def test_every_method_of_fastapis_has_its_line(theirs: Any, ours: Any) -> None:
    """When FastAPI has a method and Ninja does not, then the error has the line to write."""
    methods = {name for name in dir(theirs) if name[0] != "_" and callable(getattr(theirs, name))}
    for name in methods - set(dir(ours)) - _INTERNAL:
        with pytest.raises(AttributeError, match="this is FastAPI's spelling") as caught:
            getattr(ours, name)
        assert str(caught.value).endswith(f"\n\nHint: {foreign.ATTRIBUTES[name]}")
        assert caught.value.name == name
    with pytest.raises(AttributeError, match=r"has no attribute 'nonsense'$"):
        _ = ours.nonsense


def test_every_name_of_fastapis_has_its_line() -> None:
    """When FastAPI exports a name and di does not, then the import error has the line to write."""
    for name in vars(fastapi):
        value = getattr(fastapi, name)
        if name[0] == "_" or name in di.__all__ or (inspect.ismodule(value) and name != "status"):
            continue
        with pytest.raises(ImportError, match="this is FastAPI's") as caught:
            getattr(di, name)
        assert str(caught.value).endswith(f"Hint: {foreign.NAMES[name]}")
    assert not hasattr(di, "nonsense")


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: Depends(get_value, scopes=["a"]), "OAuth2 scopes go into Security"),  # type: ignore[call-arg]
        (lambda: Depends(get_value, True), "use_cache=..."),  # type: ignore[call-arg]
        (lambda: Security(get_value, ["a"]), "scopes=[...]"),  # type: ignore[call-arg]
        (lambda: override(get_value, get_value), "override({original: stand_in})"),  # type: ignore[call-arg]
        (override, "override({original: stand_in})"),  # type: ignore[call-arg]
        (lambda: Router().add_router(Router()), "the prefix comes first"),  # type: ignore[call-arg, arg-type]
        (lambda: Router().add_router(Router(), prefix="/x"), "the prefix comes first"),  # type: ignore[misc, arg-type]
        (lambda: NinjaAPI(urls_namespace="f").add_router(Router()), "the prefix comes first"),  # type: ignore[call-arg, arg-type]
    ],
)
def test_arguments_that_do_not_fit(make: Any, hint: str) -> None:
    """When the arguments of a function of ours do not fit, then the hint shows how to call it."""
    with pytest.raises(UnsupportedArgumentError, match="cannot be called like this: ") as caught:
        make()
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("no", 401), "Swap the arguments: HTTPException(401, 'no')."),
        (("no",), 'Write a number from 100 to 599 first: HTTPException(404, "Not found").'),
        (("401", "no"), 'Write a number from 100 to 599 first: HTTPException(404, "Not found").'),
        ((None,), 'Write a number from 100 to 599 first: HTTPException(404, "Not found").'),
        ((True,), 'Write a number from 100 to 599 first: HTTPException(404, "Not found").'),
        ((401.0,), 'Write a number from 100 to 599 first: HTTPException(404, "Not found").'),
        ((42,), 'Write a number from 100 to 599 first: HTTPException(404, "Not found").'),
        ((1000, 1), 'Write a number from 100 to 599 first: HTTPException(404, "Not found").'),
        ((400, ValueError("x" * 100)), "Write detail=str(error)."),
        ((401, "no", "Basic"), "Write a dictionary of strings"),
        ((401, "no", ["Basic"]), "Write a dictionary of strings"),
        ((401, "no", 5), "Write a dictionary of strings"),
        ((401, "no", {1: "Basic"}), "Write a dictionary of strings"),
        ((401, "no", {"a": None}), "Write a dictionary of strings"),
        ((401, "no", {"a": ["b"]}), "Write a dictionary of strings"),
        ((401, "no", {"a": "b\nc: d"}), "Write a dictionary of strings"),
        ((401, "no", {"a\r": "b"}), "Write a dictionary of strings"),
    ],
)
def test_an_answer_that_cannot_be_sent(arguments: Any, hint: str) -> None:
    """When an HTTPException is no answer, then the error shows where it is made, and how."""
    with pytest.raises(UnsupportedArgumentError) as caught:
        HTTPException(*arguments)
    assert caught.value.hint.startswith(hint)
    assert len(caught.value.problem) < 160


def test_answers_that_can_be_sent(world: World, api: NinjaAPI) -> None:
    """When a status has no phrase, or a header is a number, then the answer is sent."""

    @api.get("/x")
    @world.view
    def view(request: HttpRequest) -> None:
        raise HTTPException(499, headers={"Retry-After": 5})  # type: ignore[dict-item]

    world.serve(api)
    response = world.get("/x")
    assert response.status_code == 499
    assert response.json() == {"detail": "Unknown status code"}  # type: ignore[attr-defined]
    assert response["Retry-After"] == "5"


def needs_value(a: int = 1, b: int = Depends(get_value)) -> int:
    return a + b


def test_call_does_not_take_dependencies() -> None:
    """When call() is given a dependency, then the hint shows how to override it."""
    with pytest.raises(UnsupportedArgumentError, match="'b' is a dependency, and") as caught:
        call(needs_value, b=2)
    assert caught.value.path == ((None, needs_value), ("b", get_value))
    assert "override({get_value: lambda: value})" in caught.value.hint
    with override({get_value: lambda: 5}):
        assert call(needs_value, a=2) == 7


def test_acall_does_not_take_dependencies() -> None:
    """See `test_call_does_not_take_dependencies`."""
    with pytest.raises(UnsupportedArgumentError, match="'b' is a dependency, and"):
        async_to_sync(acall)(needs_value, b=2)


class Extra(BaseModel):
    extra: dict[str, int]


def test_a_mapping_in_a_model() -> None:
    """When a model that is a dependable has a mapping, then the hint reads it from the body."""

    def view(request: HttpRequest, m: Extra = Depends()) -> None: ...

    with pytest.raises(UnsupportedParameterError, match="cannot hold a mapping") as caught:
        NinjaAPI(urls_namespace="foreign").post("/x")(view)
    assert caught.value.hint == "Write m: Extra = Body(...), with Body from ninja."
    with pytest.raises(UnsupportedParameterError) as caught:
        NinjaAPI(urls_namespace="foreign").post("/x", dependencies=[Depends(Extra)])(
            lambda request: None
        )
    assert caught.value.hint == "Write x: Extra = Body(...), with Body from ninja."


def test_the_hint_about_a_model_works(world: World, api: NinjaAPI) -> None:
    """When the hint is followed, then the model is read."""

    @api.post("/x")
    @world.view
    def view(request: HttpRequest, m: Extra = Body(...), one: int = Depends(get_value)) -> Any:
        return m.extra

    world.serve(api)
    assert world.post("/x", {"extra": {"a": 1}}).json() == {"a": 1}  # type: ignore[attr-defined]


@modify_settings(INSTALLED_APPS={"remove": ["di"]})
def test_di_is_not_installed(world: World) -> None:
    """When "di" is missing from INSTALLED_APPS, then no view is injected."""

    def view(request: HttpRequest, one: int = Depends(get_value)) -> int:
        return one

    with pytest.raises(NotInstalledError, match="di is not in INSTALLED_APPS") as caught:
        inject(view)
    assert caught.value.hint == 'Write "di" in INSTALLED_APPS.'
    with pytest.raises(NotInstalledError):
        NinjaAPI(urls_namespace="foreign").get("/x")(view)


def test_di_was_not_yet_installed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a view was written before Django knew its apps, then its first request tells."""
    api = NinjaAPI(urls_namespace="foreign")

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, one: int = Depends(get_value)) -> int:
        return one

    world.serve(api)
    with modify_settings(INSTALLED_APPS={"remove": ["di"]}):
        assert world.get("/x").status_code == 500
    assert world.get("/x").json() == 1  # type: ignore[attr-defined]
