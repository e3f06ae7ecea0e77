"""Security schemes in the document."""

from typing import Annotated, Any

import pytest
from django.http import HttpRequest
from ninja import Router
from ninja.security import APIKeyHeader

from di import Depends, NinjaAPI, Security
from di.exceptions import SecuritySchemeConflictError
from di.security import OAuth2PasswordBearer
from tests.di.conftest import World

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


def test_each_operation_says_what_it_requires(api: NinjaAPI) -> None:
    """All schemes together are one requirement, with their scopes, in each alternative."""

    @api.get("/none")
    def none(request: HttpRequest) -> None: ...

    @api.get("/one")
    def one(request: HttpRequest, u: str = Security(user, scopes=["items", "me"])) -> None: ...

    @api.get("/twice", dependencies=[Security(user, scopes=["me"])])
    def twice(request: HttpRequest, u: str = Security(user, scopes=["items"])) -> None: ...

    @api.get("/both")
    def both(request: HttpRequest, u: str = Depends(user), p: Any = Depends(perhaps)) -> None: ...

    @api.get("/perhaps")
    def maybe(request: HttpRequest, p: Any = Depends(perhaps)) -> None: ...

    @api.get("/auth", auth=[Key(), Key()])
    def auth(request: HttpRequest, u: str = Depends(user)) -> None: ...

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
        "both": [{name: [], "optional": []}],
        "perhaps": [{"optional": []}, {}],
        "plain": [{"Key": []}],
        "auth": [{"Key": [], name: []}, {"Key": [], name: []}],
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


def test_urls_of_others_stay_as_they_are(api: NinjaAPI) -> None:
    """Only what is relative is completed, the refresh URL too."""
    other = OAuth2PasswordBearer(tokenUrl="https://id.example/token", refreshUrl="refresh")

    @api.get("/x", dependencies=[Depends(other)])
    def view(request: HttpRequest) -> None: ...

    flow = document(api)[1]["OAuth2PasswordBearer"]["flows"]["password"]
    assert (flow["tokenUrl"], flow["refreshUrl"]) == ("https://id.example/token", "/api/refresh")


def test_two_schemes_of_one_name_are_refused(api: NinjaAPI) -> None:
    """Otherwise one would be documented, and two enforced."""
    other = OAuth2PasswordBearer(tokenUrl="other")

    @api.get("/x", dependencies=[Depends(scheme), Depends(other)])
    def view(request: HttpRequest) -> None: ...

    with pytest.raises(SecuritySchemeConflictError, match="called 'OAuth2PasswordBearer'"):
        document(api)


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bEARER   abc ", "abc"), ("Bearer", None), ("Basic abc", None)],
)
def test_a_bearer_token_is_read(
    header: str, token: str | None, api: NinjaAPI, world: World
) -> None:
    """The scheme in any case; an empty token is none; without one 401 or None."""

    @api.get("/strict")
    @world.view
    def strict(request: HttpRequest, found: str = Depends(user)) -> str:
        return found

    @api.get("/lenient")
    @world.view
    def lenient(request: HttpRequest, found: Any = Depends(perhaps)) -> Any:
        return found

    world.serve(api)
    answer = world.get("/strict", headers={"Authorization": header})
    if token is None:
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.json() == {"detail": "Not authenticated"}  # type: ignore[attr-defined]
    else:
        assert answer.json() == token  # type: ignore[attr-defined]
    assert world.get("/lenient", headers={"Authorization": header}).json() == token  # type: ignore[attr-defined]


def test_names_are_imported_when_used() -> None:
    """An unknown one is an attribute error."""
    import di.security

    with pytest.raises(AttributeError, match=r"module 'di.security' has no attribute 'x'"):
        _ = di.security.x  # type: ignore[attr-defined]
