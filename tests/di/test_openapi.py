"""Security schemes in the document."""

import json
from typing import Annotated, Any

import ninja
import pytest
from django.http import HttpRequest
from ninja import Router
from ninja.security import APIKeyHeader
from openapi_spec_validator import OpenAPIV31SpecValidator

import di.security
from di import Depends, NinjaAPI, Security, inject
from di.exceptions import SecuritySchemeConflictError
from di.openapi import document_security
from di.security import (
    APIKeyQuery,
    HTTPBearer,
    OAuth2AuthorizationCodeBearer,
    OAuth2PasswordBearer,
    OAuth2PasswordRequestForm,
    OAuth2PasswordRequestFormStrict,
    OpenIdConnect,
)
from tests.di.conftest import World
from tests.di.security.samples import OPTIONS, make

scheme = OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "Yourself."}, description="Log in.")
optional = OAuth2PasswordBearer(tokenUrl="/abs", scheme_name="optional", auto_error=False)


def user(token: Annotated[str, Depends(scheme)]) -> str:
    return token


def perhaps(token: str | None = Depends(optional)) -> str | None:
    return token


class Key(APIKeyHeader):
    param_name = "X-Key"

    def authenticate(self, request: HttpRequest, key: str | None) -> str | None:
        return key


def document(api: NinjaAPI) -> tuple[dict[str, Any], dict[str, Any]]:
    schema = api.get_openapi_schema(path_prefix="/api/")
    security = {
        path.rpartition("/")[2]: methods["get"].get("security")
        for path, methods in schema["paths"].items()
    }
    return security, schema["components"].get("securitySchemes", {})


@pytest.mark.row("I2", "I3", "I4", "I7")
def test_each_operation_says_what_it_requires(api: NinjaAPI) -> None:
    """All schemes together are one requirement, with their scopes, in each alternative."""

    @api.get("/none")
    def none(request: HttpRequest) -> None: ...

    @api.get("/one")
    def one(request: HttpRequest, u: str = Security(user, scopes=["items", "me"])) -> None: ...

    @api.get("/twice", dependencies=[Security(user, scopes=["me"])])
    def twice(request: HttpRequest, u: str = Security(user, scopes=["items", "me"])) -> None: ...

    @api.get("/both")
    def both(request: HttpRequest, u: str = Depends(user), p: Any = Depends(perhaps)) -> None: ...

    @api.get("/perhaps")
    def maybe(request: HttpRequest, p: Any = Depends(perhaps)) -> None: ...

    @api.get("/auth", auth=[Key(), Key()])
    def auth(request: HttpRequest, u: str = Depends(user)) -> None: ...

    @api.get("/all", auth=Key())
    def everything(
        request: HttpRequest, u: str = Depends(user), p: Any = Depends(perhaps)
    ) -> None: ...

    @api.get("/auth_perhaps", auth=Key())
    def auth_perhaps(request: HttpRequest, p: Any = Depends(perhaps)) -> None: ...

    plain = Router()

    @plain.get("/plain", auth=Key())
    def not_ours(request: HttpRequest) -> None: ...

    api.add_router("", plain)
    security, schemes = document(api)
    name = "OAuth2PasswordBearer"
    assert security == {
        "none": None,
        "one": [{name: ["items", "me"]}],
        "twice": [{name: ["me", "items"]}],
        "both": [{name: [], "optional": []}, {name: []}],
        "perhaps": [{"optional": []}, {}],
        "plain": [{"Key": []}],
        "auth": [{"Key": [], name: []}, {"Key": [], name: []}],
        "all": [{"Key": [], name: [], "optional": []}, {"Key": [], name: []}],
        "auth_perhaps": [{"Key": [], "optional": []}, {"Key": []}],
    }
    assert schemes[name] == {
        "type": "oauth2",
        "description": "Log in.",
        "flows": {
            "password": {"tokenUrl": "/api/token", "scopes": {"me": "Yourself.", "items": ""}}
        },
    }
    assert schemes["optional"]["flows"]["password"]["tokenUrl"] == "/abs"
    assert scheme.model["flows"]["password"]["tokenUrl"] == "token"


@pytest.mark.parametrize("prefix", ["", "/", "api", "/api/"])
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("token", "{root}token"),
        ("./auth/token?x=1", "{root}auth/token?x=1"),
        ("/token", "/token"),
        ("https://id.example/token", "https://id.example/token"),
        ("//id.example/token", "//id.example/token"),
    ],
)
def test_a_relative_url_starts_at_the_api(
    prefix: str, url: str, expected: str, api: NinjaAPI
) -> None:
    """A browser would start at the page that shows the document."""
    code = OAuth2AuthorizationCodeBearer(url, url, refreshUrl=url)
    connect = OpenIdConnect(openIdConnectUrl=url)

    @api.get("/x", dependencies=[Depends(code), Depends(connect)])
    def view(request: HttpRequest) -> None: ...

    components = api.get_openapi_schema(path_prefix=prefix)["components"]["securitySchemes"]
    found = {
        **components["OAuth2AuthorizationCodeBearer"]["flows"]["authorizationCode"],
        **components["OpenIdConnect"],
    }
    for name in ("authorizationUrl", "tokenUrl", "refreshUrl", "openIdConnectUrl"):
        root = f"/{prefix.strip('/')}/" if prefix.strip("/") else "/"
        assert found[name] == expected.format(root=root)
    assert connect.model["openIdConnectUrl"] == url


@pytest.mark.row("I2")
def test_two_schemes_of_one_name_are_refused(api: NinjaAPI) -> None:
    """Otherwise one would be documented, and two enforced."""
    other = OAuth2PasswordBearer(tokenUrl="other")

    @api.get("/x", dependencies=[Depends(scheme), Depends(other)])
    def view(request: HttpRequest) -> None: ...

    with pytest.raises(
        SecuritySchemeConflictError, match="called 'OAuth2PasswordBearer'"
    ) as caught:
        document(api)
    assert [name for name, _ in caught.value.path] == [None]
    assert "Give one of them a scheme_name of its own." in str(caught.value)


@pytest.mark.row("I2")
@pytest.mark.parametrize("is_first", [True, False])
def test_a_scheme_named_like_ninjas_own_is_refused(is_first: bool, api: NinjaAPI) -> None:
    """Whichever of the two is documented first."""
    named = HTTPBearer(scheme_name="Key")

    def ours(request: HttpRequest, value: Any = Depends(named)) -> None: ...

    def theirs(request: HttpRequest) -> None: ...

    routes: list[tuple[Any, dict[str, Any]]] = [(ours, {}), (theirs, {"auth": Key()})]
    for view, options in routes if is_first else reversed(routes):
        api.get(f"/{view.__name__}", **options)(view)
    with pytest.raises(SecuritySchemeConflictError, match="rename the class in auth="):
        document(api)


@pytest.mark.row("I2")
def test_one_scheme_may_be_made_twice(api: NinjaAPI) -> None:
    """Where nothing but scopes or auto_error differ: all scopes are listed, and it is required."""
    again = OAuth2PasswordBearer(
        tokenUrl="token", scopes={"items": "Yours."}, description="Log in.", auto_error=False
    )

    @api.get("/x", dependencies=[Security(scheme, scopes=["items", "own"])])
    def view(
        request: HttpRequest, found: Any = Security(again, scopes=["own", "more"])
    ) -> None: ...

    @api.get("/y", dependencies=[Depends(scheme)])
    def other(request: HttpRequest) -> None: ...

    security, schemes = document(api)
    name = "OAuth2PasswordBearer"
    assert security == {"x": [{name: ["items", "own", "more"]}], "y": [{name: []}]}
    assert schemes[name]["flows"]["password"]["scopes"] == {
        "me": "Yourself.",
        "items": "Yours.",
        "own": "",
        "more": "",
    }


def test_of_several_optional_schemes_each_is_a_choice(api: NinjaAPI) -> None:
    """One of them, or none: what a view that accepts a key or a token declares."""
    key = APIKeyQuery(name="key", auto_error=False)
    token = HTTPBearer(auto_error=False)

    @api.get("/x", dependencies=[Depends(key), Depends(token)])
    def view(request: HttpRequest) -> None: ...

    assert document(api)[0] == {"x": [{"APIKeyQuery": []}, {"HTTPBearer": []}, {}]}


@pytest.mark.row("I6")
def test_security_adds_no_response(api: NinjaAPI) -> None:
    """As in FastAPI, a 401 is not documented; write it into ``response=`` if it should be."""

    @api.get("/x", dependencies=[Depends(scheme)])
    def view(request: HttpRequest) -> None: ...

    operation = api.get_openapi_schema(path_prefix="")["paths"]["/x"]["get"]
    assert operation["responses"] == {200: {"description": "OK"}}


def document_of(api: ninja.NinjaAPI) -> dict[str, Any]:
    """Return the document as a client gets it."""
    document: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/")))
    return document


@pytest.mark.parametrize("is_plain", [False, True])
def test_the_document_is_valid(is_plain: bool) -> None:
    """OpenAPI 3.1, with one of each scheme and the form, in an API of either kind."""
    api = ninja.NinjaAPI() if is_plain else NinjaAPI()
    for name in OPTIONS:
        one = make(di.security, name, description="How.")
        two = make(di.security, name, scheme_name=f"Optional{name}", auto_error=False)

        @api.get(f"/{name}", operation_id=name)
        @inject
        def view(
            request: HttpRequest,
            first: Any = Security(one, scopes=["me"]),
            second: Any = Depends(two),
        ) -> None: ...

    for form_class in (OAuth2PasswordRequestForm, OAuth2PasswordRequestFormStrict):

        @api.post(f"/{form_class.__name__}", operation_id=form_class.__name__)
        @inject
        def login(request: HttpRequest, form: Any = Depends(form_class)) -> None: ...

    if is_plain:
        assert "securitySchemes" not in document_of(api)["components"]
        document_security(api)
    content = document_of(api)
    OpenAPIV31SpecValidator(content).validate()
    names = {name for one in OPTIONS for name in (one, f"Optional{one}")}
    assert content["components"]["securitySchemes"].keys() == names
    for name in OPTIONS:
        operation = content["paths"][f"/api/{name}"]["get"]
        optional = f"Optional{name}"
        assert operation["security"] == [{name: ["me"], optional: []}, {name: ["me"]}]


def test_a_plain_api_serves_the_schemes(world: World) -> None:
    """At its own URL, with URLs below the place where it is mounted."""
    api = ninja.NinjaAPI(urls_namespace="plain")

    @api.get("/x")
    @inject
    @world.view
    def view(request: HttpRequest, token: str = Depends(scheme)) -> None: ...

    document_security(api)
    world.serve(NinjaAPI(urls_namespace="first"), api)
    content = world.get("/plain/openapi.json").json()  # type: ignore[attr-defined]
    assert content["paths"]["/plain/x"]["get"]["security"] == [{"OAuth2PasswordBearer": []}]
    flows = content["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]
    assert flows["password"]["tokenUrl"] == "/plain/token"
