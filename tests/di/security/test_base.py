"""What all schemes have in common, and the package."""

import functools
from typing import Any

import ninja
import pytest
from django.http import HttpRequest

import di.security
from di import Depends, NinjaAPI, inject, override
from tests.di.conftest import World
from tests.di.security.samples import CREDENTIALS, OPTIONS, make


def send(world: World, path: str, name: str) -> Any:
    """Return the answer to a request with credentials for the scheme *name*."""
    headers = dict(CREDENTIALS[name].get("headers", {}))
    cookies = {"key": "abc"} if headers.pop("Cookie", None) else {}
    return world.get(
        f"{path}{CREDENTIALS[name].get('query', '')}", headers=headers, cookies=cookies
    )


@pytest.mark.row("I1")
@pytest.mark.parametrize("name", OPTIONS)
def test_a_scheme_works_wherever_a_dependable_does(name: str, api: NinjaAPI, world: World) -> None:
    """Below another, in ``dependencies=``, under @inject on plain Ninja: called and documented."""
    scheme = make(di.security, name)

    def user(value: Any = Depends(scheme)) -> Any:
        return {"user": value}

    @api.get("/below")
    @world.view
    def below(request: HttpRequest, found: Any = Depends(user)) -> Any:
        return found

    @api.get("/before", dependencies=[Depends(scheme)])
    @world.view
    def before(request: HttpRequest) -> str:
        return "let in"

    plain = ninja.NinjaAPI(urls_namespace="plain")

    @plain.get("/injected")
    @inject
    @world.view
    def injected(request: HttpRequest, found: Any = Depends(user)) -> Any:
        return found

    world.serve(api, plain)
    value = send(world, "/below", name).json()
    assert value.keys() == {"user"}
    assert value["user"]
    assert send(world, "/before", name).json() == "let in"
    assert send(world, "/plain/injected", name).json() == value
    for path in ("/below", "/before", "/plain/injected"):
        answer = world.get(path)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
        assert answer.headers["WWW-Authenticate"]
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    assert paths["/below"]["get"]["security"] == [{name: []}]
    assert paths["/before"]["get"]["security"] == [{name: []}]


@pytest.mark.parametrize("name", OPTIONS)
def test_a_scheme_can_be_overridden(name: str, api: NinjaAPI, world: World) -> None:
    """Then nobody needs credentials, and the documentation stays."""
    scheme = make(di.security, name)

    @api.get("/")
    @world.view
    def view(request: HttpRequest, value: Any = Depends(scheme)) -> Any:
        return value

    world.serve(api)
    with override({scheme: lambda: "stand-in"}):
        assert world.get("/").json() == "stand-in"
        document = api.get_openapi_schema(path_prefix="")
    assert world.get("/").status_code == 401
    assert document["paths"]["/"]["get"]["security"] == [{name: []}]


@pytest.mark.row("I1")
def test_a_scheme_is_found_inside_what_wraps_it(api: NinjaAPI) -> None:
    """A partial, or a function that says what it wraps; its bare method is a function."""
    scheme = di.security.HTTPBearer()

    @functools.wraps(scheme, updated=())
    def wrapper(request: HttpRequest) -> Any:
        return scheme(request)

    dependables = {"partial": functools.partial(scheme), "wrapper": wrapper}
    for name, dependable in {**dependables, "method": scheme.__call__}.items():

        @api.get(f"/{name}", dependencies=[Depends(dependable)], operation_id=name)
        def view(request: HttpRequest) -> None: ...

    paths = api.get_openapi_schema(path_prefix="")["paths"]
    security = {path: methods["get"].get("security") for path, methods in paths.items()}
    required = [{"HTTPBearer": []}]
    assert security == {"/partial": required, "/wrapper": required, "/method": None}
