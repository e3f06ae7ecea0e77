"""Objects of Django and Ninja as dependables: the door stays shut."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Annotated, Any

import ninja
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import AnonymousUser, Group
from django.db.models import Manager, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_protect
from ninja.openapi.schema import OpenAPISchema
from ninja.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HttpBasicAuth,
    HttpBearer,
    django_auth,
    django_auth_is_staff,
    django_auth_superuser,
)
from ninja.throttling import AnonRateThrottle
from typing_extensions import TypeAliasType

from di import BackgroundTasks, Depends, NinjaAPI, Router, Security, SecurityScopes, call, override
from di.exceptions import DependencyError, NotCallableError, NotInjectedError
from di.openapi import document_security
from di.operation import inject
from di.sessions import ReadSession, Session, SessionDep
from tests.di.conftest import World


class Bearer(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> str | None:
        return "ada" if token == "right" else None


class AsyncBearer(HttpBearer):
    async def authenticate(self, request: HttpRequest, token: str) -> str | None:
        return "ada" if token == "right" else None


class LateBearer(HttpBearer):
    """It is async, and does not say so, because its constructor is not called."""

    def __init__(self) -> None:
        self.openapi_security_schema = {"type": "http", "scheme": "bearer"}  # type: ignore[assignment]

    async def authenticate(self, request: HttpRequest, token: str) -> str | None:
        return "ada" if token == "right" else None


class Unsaid(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return self.find(token)

    async def find(self, token: str) -> str | None:
        return "ada" if token == "right" else None


class Basic(HttpBasicAuth):
    def authenticate(self, request: HttpRequest, username: str, password: str) -> str | None:
        return username if password == "right" else None


class Header(APIKeyHeader):
    param_name = "X-Key"

    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        return "ada" if key == "right" else None


class Query(APIKeyQuery):
    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        return "ada" if key == "right" else None


class Cookie(APIKeyCookie):
    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        return "ada" if key == "right" else None


class Lookalike:
    """No class of Ninja's, but documented by it as one."""

    openapi_security_schema = {"type": "http", "scheme": "bearer"}

    def __call__(self, request: HttpRequest) -> str | None:
        return Bearer()(request)


_BEARER = {"headers": {"Authorization": "Bearer right"}}
_WRONG = {"headers": {"Authorization": "Bearer wrong"}}
_BASIC = {"headers": {"Authorization": f"Basic {base64.b64encode(b'ada:right').decode()}"}}

AUTHS: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "bearer": (Bearer(), _BEARER, _WRONG),
    "async bearer": (AsyncBearer(), _BEARER, _WRONG),
    "late bearer": (LateBearer(), _BEARER, _WRONG),
    "unsaid": (Unsaid(), _BEARER, _WRONG),
    "basic": (Basic(), _BASIC, _WRONG),
    "header": (Header(), {"headers": {"X-Key": "right"}}, {"headers": {"X-Key": "wrong"}}),
    "query": (Query(), {"query_params": {"key": "right"}}, {"query_params": {"key": "wrong"}}),
    "cookie": (Cookie(), {"cookies": {"key": "right"}}, {"cookies": {"key": "wrong"}}),
    "lookalike": (Lookalike(), _BEARER, _WRONG),
}
"""An object, a request that it lets in, and one that it does not."""


def served(world: World, auth: Any, place: str, host: str) -> ninja.NinjaAPI:
    """Serve GET /x behind *auth* in some place; the answer is request.auth, and the value."""
    api: Any = (ninja.NinjaAPI if host == "plain" else NinjaAPI)(urls_namespace="api")
    router: Any = (ninja.Router if host == "plain" else Router)()
    options = {} if place == "parameter" else {"dependencies": [Depends(auth)]}
    default = Depends(auth) if place == "parameter" else ""
    if place == "auth":
        options, default = {"auth": auth}, ""

    def view(request: HttpRequest, user: Any = default) -> list[Any]:
        return [request.auth, user]  # type: ignore[attr-defined]

    router.get("/x", **options)(inject(world.view(view)))
    api.add_router("", router)
    world.serve(api)
    if host == "plain":
        document_security(api)
    return api  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", AUTHS)
@pytest.mark.parametrize(
    ("place", "host"), [("parameter", "plain"), ("parameter", "di"), ("route", "di")]
)
def test_ninjas_security_objects_check_as_dependables(
    world: World, name: str, place: str, host: str
) -> None:
    """When an object of Ninja's moves from auth= to Depends, then the same requests get in."""
    auth, right, wrong = AUTHS[name]
    is_known = name not in ("late bearer", "unsaid")  # Ninja takes their coroutine for a yes
    answers = []
    for where in ["auth"] * is_known + [place]:
        served(world, auth, where, host)
        found = [world.get("/x", **one) for one in ({}, wrong)]
        answers.append([(one.status_code, one.content) for one in found])
    assert answers == [[(401, b'{"detail": "Unauthorized"}')] * 2] * len(answers)
    value = "ada" if place == "parameter" else ""
    assert world.get("/x", **right).json() == ["ada", value]


@pytest.mark.parametrize("auth", [Bearer(), Basic(), Header(), Query(), Cookie(), django_auth])
@pytest.mark.parametrize("host", ["plain", "di"])
def test_they_are_documented_as_in_auth(world: World, auth: Any, host: str) -> None:
    """When an object of Ninja's is a dependable, then OpenAPI shows its scheme, required."""
    documents: list[OpenAPISchema] = []
    for place in ("auth", "parameter"):
        api = served(world, auth, place, host)
        documents.append(api.get_openapi_schema(path_prefix=""))
    expected, document = documents
    assert document["components"]["securitySchemes"] == expected["components"]["securitySchemes"]
    operations = [one["paths"]["/x"]["get"] for one in documents]
    assert operations[0]["security"] == operations[1]["security"] == [{type(auth).__name__: []}]


def test_scopes_of_security_are_documented(api: NinjaAPI) -> None:
    """When Security() asks scopes of an object of Ninja's, then OpenAPI shows them."""
    api.get("/x", dependencies=[Security(Bearer(), scopes=["me"])])(lambda request: None)
    document = api.get_openapi_schema(path_prefix="")
    assert document["paths"]["/x"]["get"]["security"] == [{"Bearer": ["me"]}]


def test_an_api_level_dependency_guards_every_operation(world: World) -> None:
    """When an object guards the whole API, then operations without a word of it are shut."""
    api = NinjaAPI(urls_namespace="api", dependencies=[Depends(Bearer())])
    router = Router()
    router.get("/y")(world.view(lambda request: "in"))
    api.get("/x")(world.view(lambda request: "in"))
    api.add_router("/r", router)
    world.serve(api)
    for url in ("/x", "/r/y"):
        assert world.get(url).status_code == 401
        assert world.get(url, **_BEARER).json() == "in"


@pytest.mark.parametrize("auth", [django_auth, django_auth_superuser, django_auth_is_staff])
def test_django_sessions_check_as_dependables(
    world: World, auth: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a session's user lacks the right, then the answer is 401; otherwise it is the user."""
    user: Any = AnonymousUser()
    monkeypatch.setattr(HttpRequest, "user", property(lambda _: user), raising=False)
    api = NinjaAPI(urls_namespace="api")

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, found: Any = Depends(auth)) -> list[Any]:
        return [found.username, request.auth is found]  # type: ignore[attr-defined]

    world.serve(api)
    assert world.get("/x").status_code == 401
    user = SimpleNamespace(username="ada", is_authenticated=True, is_superuser=True, is_staff=True)
    assert world.get("/x").json() == ["ada", True]


@pytest.mark.parametrize("place", ["auth", "parameter"])
def test_cookies_are_checked_for_csrf(world: World, place: str) -> None:
    """When a cookie comes without a CSRF token, then the answer is 403, as with auth=."""
    world.checks_csrf = True
    api = NinjaAPI(urls_namespace="api")
    options: Any = {"auth": Cookie()}
    if place == "parameter":
        options = {"dependencies": [Depends(Cookie())]}
    api.post("/x", **options)(world.view(lambda request: "in"))
    world.serve(api)
    response = world.post("/x", cookies={"key": "right"})
    assert (response.status_code, response.json()) == (403, {"detail": "CSRF check Failed"})


def test_one_object_is_asked_once_a_request(world: World) -> None:
    """When two dependables need one object, then they share its value."""
    asked = []

    class Counting(Bearer):
        def authenticate(self, request: HttpRequest, token: str) -> str | None:
            asked.append(token)
            return super().authenticate(request, token)

    auth = Counting()
    api = NinjaAPI(urls_namespace="api", dependencies=[Depends(auth)])

    @api.get("/x")
    @world.view
    def view(request: HttpRequest, a: str = Depends(auth), b: str = Depends(Bearer())) -> list[str]:
        return [a, b]

    world.serve(api)
    assert world.get("/x", **_BEARER).json() == ["ada", "ada"]
    assert asked == ["right"]
    with override({auth: lambda: "fake"}):
        assert world.get("/x", **_BEARER).json() == ["fake", "ada"]
    with override({auth: Header()}):
        assert world.get("/x", **_BEARER).status_code == 401


def test_they_need_a_request_outside_of_one() -> None:
    """When a function is called with a request, then its security object reads that."""

    def function(user: str = Depends(Bearer())) -> str:
        return user

    request = HttpRequest()
    request.META["HTTP_AUTHORIZATION"] = "Bearer right"
    assert call(function, request=request) == "ada"
    with pytest.raises(DependencyError, match="needs a request"):
        call(function)


def test_an_object_that_declares_dependencies_is_refused(api: NinjaAPI) -> None:
    """When nothing would fill a parameter of authenticate(), then the route is refused."""

    class Asking(HttpBearer):
        def authenticate(self, request: HttpRequest, token: str, x: Any = Depends(call)) -> Any:
            return x

    with pytest.raises(NotInjectedError, match="declares a dependency, 'x'") as refusal:
        api.get("/x", dependencies=[Depends(Asking())])(lambda request: None)
    assert "Asking" in str(refusal.value)


class Groups(QuerySet[Group]):
    """A query of one's own."""


Alias = TypeAliasType("Alias", SessionDep)

REFUSED: dict[str, tuple[Any, str]] = {
    "class of security object": (Bearer, "Write Depends(Bearer())."),
    "throttle": (AnonRateThrottle("1/s"), "Write throttle=[AnonRateThrottle(...)]."),
    "class of throttle": (AnonRateThrottle, "Write throttle=[AnonRateThrottle(...)]."),
    "model": (Group, "depend on that: Depends(get_group)."),
    "model of users": (get_user_model(), "depend on that: Depends(get_user)."),
    "query": (Groups, "Write a dependable that returns one: Depends(f)."),
    "manager": (Manager, "Write a dependable that returns one: Depends(f)."),
    "session": (Session, "Write session: SessionDep, or Depends(get_session)."),
    "read session": (ReadSession, "Write session: ReadSessionDep, or Depends(get_read_session)."),
    "request": (HttpRequest, "Write request: HttpRequest, without Depends."),
    "response": (HttpResponse, "Write response: HttpResponse, without Depends."),
    "tasks": (BackgroundTasks, "Write tasks: BackgroundTasks, without Depends."),
    "scopes": (SecurityScopes, "Write scopes: SecurityScopes, without Depends."),
    "decorator": (login_required, "that reads request.user and raises HTTPException(401)."),
    "made decorator": (permission_required("a.b"), "and raises HTTPException(401)."),
    "decorator of views": (csrf_protect, "that reads request.user and raises HTTPException(401)."),
    "alias": (SessionDep, "Annotate the parameter with the alias, and leave Depends out."),
    "named alias": (Alias, "Annotate the parameter with the alias, and leave Depends out."),
    "manager object": (Group.objects, "."),
    "query object": (Group.objects.none(), "."),
    "marker": (Depends(call), "."),
}
"""What lets everybody in if it is called, and the end of the hint."""


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("place", ["parameter", "annotation", "route", "api", "override"])
def test_objects_that_check_nothing_are_refused(name: str, place: str) -> None:
    """When calling an object would let everybody in, then depending on it is refused."""
    value, hint = REFUSED[name]
    if place == "annotation" and not isinstance(value, type):
        return
    with pytest.raises(NotCallableError) as refusal:
        depend_on(value, place)
    if place != "override":  # there, some are refused as no callables
        assert refusal.value.hint.endswith(hint)


def depend_on(value: Any, place: str) -> None:
    def parameter(request: HttpRequest, x: Any = Depends(value)) -> None: ...
    def bare(request: HttpRequest) -> None: ...
    def overridden(x: Any = Depends(get_user_model)) -> None: ...

    def annotated(request: HttpRequest, x: Any) -> None: ...

    annotated.__annotations__["x"] = Annotated[value, Depends()] if place == "annotation" else Any
    api = NinjaAPI(urls_namespace="none")
    if place == "parameter":
        api.get("/x")(parameter)
    elif place == "annotation":
        api.get("/x")(annotated)
    elif place == "route":
        api.get("/x", dependencies=[Depends(value)])(bare)
    elif place == "api":
        NinjaAPI(urls_namespace="other", dependencies=[Depends(value)])
    else:
        with override({get_user_model: value}):
            call(overridden)


def test_permissions_of_other_frameworks_are_refused(api: NinjaAPI) -> None:
    """When a permission class is depended on, then nothing would ask it, so it is refused."""

    class Permission:
        def has_permission(self, request: HttpRequest) -> bool:
            return False

    api.get("/mine", dependencies=[Depends(Permission)])(lambda request: None)
    Permission.__module__ = "rest_framework.permissions"
    with pytest.raises(NotCallableError, match="is a kind of permission"):
        api.get("/theirs", dependencies=[Depends(Permission)])(lambda request: None)
