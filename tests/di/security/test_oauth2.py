"""OAuth2."""

from typing import Annotated, Any

import pytest
from django.http import HttpRequest
from ninja import File
from ninja.files import UploadedFile

from di import Depends, HTTPException, NinjaAPI, Security, SecurityScopes, call
from di.exceptions import MissingValueError
from di.security import (
    OAuth2,
    OAuth2AuthorizationCodeBearer,
    OAuth2PasswordBearer,
    OAuth2PasswordRequestForm,
)
from tests.di.conftest import World
from tests.di.security import samples


@pytest.mark.row("I8")
@pytest.mark.parametrize("base", [OAuth2, OAuth2PasswordBearer, OAuth2AuthorizationCodeBearer])
def test_a_subclass_may_change_the_refusal(base: Any, api: NinjaAPI, world: World) -> None:
    """403 and no challenge, as it was in FastAPI once."""

    class Forbidding(base):
        def make_not_authenticated_error(self) -> HTTPException:
            return HTTPException(403, "Not authenticated")

    scheme = Forbidding(**samples.OPTIONS[base.__name__])

    @api.get("/")
    @world.view
    def view(request: HttpRequest, value: Any = Depends(scheme)) -> None: ...

    world.serve(api)
    answer = world.get("/")
    assert (answer.status_code, answer.json()) == (403, {"detail": "Not authenticated"})
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.row("I4")
def test_scopes_reach_what_reads_the_token(api: NinjaAPI, world: World) -> None:
    """Outermost first, each once, through plain dependencies, not to neighbors."""
    scheme = OAuth2PasswordBearer(tokenUrl="token")

    def user(scopes: SecurityScopes, token: str = Depends(scheme)) -> list[str]:
        return [token, *scopes.scopes, scopes.scope_str]

    def active(found: Any = Depends(user)) -> Any:
        return found

    @api.get("/")
    @world.view
    def view(
        request: HttpRequest,
        own: Any = Security(active, scopes=["items", "me", "items"]),
        other: Any = Security(user, scopes=["other"]),
    ) -> Any:
        return [own, other]

    world.serve(api)
    answer = world.get("/", headers={"Authorization": "Bearer abc"})
    assert answer.json() == [["abc", "items", "me", "items me"], ["abc", "other", "other"]]


def test_a_form_may_come_with_a_file(api: NinjaAPI, world: World) -> None:
    """Its fields are ordinary ones: they mix with those of the view."""

    @api.post("/")
    @world.view
    def view(
        request: HttpRequest,
        form: Annotated[OAuth2PasswordRequestForm, Depends()],
        key: Annotated[UploadedFile, File()],
    ) -> Any:
        return form.username, form.scopes, key.read().decode()

    world.serve(api)
    parts = [("username", "ann"), ("password", "secret"), ("scope", "a b")]
    lines = [f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts]
    lines.append('--x\r\nContent-Disposition: form-data; name="key"; filename="k"\r\n\r\npem\r\n')
    body = "".join([*lines, "--x--\r\n"])
    answer = world.request("post", "/", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.json() == ["ann", ["a", "b"], "pem"]


def test_a_form_can_be_filled_outside_a_request() -> None:
    """By name; what is required and not given is named."""

    def login(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, Any]:
        return vars(form)

    assert call(login, username="ann", password="secret", scope="a b") == {
        "grant_type": None,
        "username": "ann",
        "password": "secret",
        "scopes": ["a", "b"],
        "client_id": None,
        "client_secret": None,
    }
    with pytest.raises(MissingValueError, match="password"):
        call(login, username="ann")
