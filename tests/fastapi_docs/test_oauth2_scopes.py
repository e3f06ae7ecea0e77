"""OAuth2 scopes."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from tests.fastapi_docs.test_oauth2_jwt import bearer, login
from tests.fastapi_docs.tokens import (
    JOHN,
    InvalidTokenError,
    Token,
    User,
    authenticate_user,
    create_access_token,
    decode,
    get_user,
)

SCOPES = {"me": "Read information about the current user.", "items": "Read items."}


class TokenData(BaseModel):
    username: str
    scopes: list[str] = []


def current_user(host: Any) -> Any:
    """Return the page's dependable that checks the token and its scopes."""
    oauth2_scheme = host.security.OAuth2PasswordBearer(tokenUrl="token", scopes=SCOPES)

    async def get_current_user(
        security_scopes: host.SecurityScopes, token: Annotated[str, host.Depends(oauth2_scheme)]
    ):
        challenge = "Bearer"
        if security_scopes.scopes:
            challenge = f'Bearer scope="{security_scopes.scope_str}"'

        def refuse(detail: str) -> Exception:
            headers = {"WWW-Authenticate": challenge}
            return host.HTTPException(status_code=401, detail=detail, headers=headers)

        try:
            payload = decode(token)
            token_data = TokenData(
                username=payload.get("sub"), scopes=payload.get("scope", "").split(" ")
            )
        except (InvalidTokenError, ValueError):
            raise refuse("Could not validate credentials") from None
        user = get_user(token_data.username)
        if user is None:
            raise refuse("Could not validate credentials")
        if not set(security_scopes.scopes) <= set(token_data.scopes):
            raise refuse("Not enough permissions")
        return user

    return get_current_user


def oauth2_scopes(host: Any) -> Any:
    app = host.app()
    Form = host.security.OAuth2PasswordRequestForm  # noqa: N806 - a class
    get_current_user = current_user(host)

    async def get_current_active_user(
        current_user: Annotated[User, host.Security(get_current_user, scopes=["me"])],
    ):
        if current_user.disabled:
            raise host.HTTPException(status_code=400, detail="Inactive user")
        return current_user

    @app.post("/token", **host.returns(Token))
    @host.view
    def login_for_access_token(request: host.Request, form_data: Annotated[Form, host.Depends()]):
        user = authenticate_user(form_data.username, form_data.password)
        if not user:
            raise host.HTTPException(status_code=400, detail="Incorrect username or password")
        data = {"sub": user.username, "scope": " ".join(form_data.scopes)}
        return Token(access_token=create_access_token(data), token_type="bearer")

    @app.get("/users/me/", **host.returns(User))
    @host.view
    def read_users_me(
        request: host.Request,
        current_user: Annotated[User, host.Depends(get_current_active_user)],
    ):
        return current_user

    @app.get("/users/me/items/")
    @host.view
    def read_own_items(
        request: host.Request,
        current_user: Annotated[User, host.Security(get_current_active_user, scopes=["items"])],
    ):
        return [{"item_id": "Foo", "owner": current_user.username}]

    @app.get("/status/")
    @host.view
    def read_system_status(
        request: host.Request, current_user: Annotated[User, host.Depends(get_current_user)]
    ):
        return {"status": "ok"}

    return app


def test_a_login_asks_for_scopes(both) -> None:
    """The form has them in one field; the token has what was asked for."""
    answers = both(oauth2_scopes)
    form = {"username": "johndoe", "password": "secret", "scope": "me items"}
    token = login(answers, **form)["access_token"]
    assert decode(token)["scope"] == "me items"
    for name, wrong in (("password", "incorrect"), ("username", "foo")):
        answer = answers.post("/token", form={**form, name: wrong})
        assert answer == (400, {"detail": "Incorrect username or password"}, {}, {})


@pytest.mark.row("I4")
@pytest.mark.parametrize(
    ("url", "scope", "challenge"),
    [
        ("/users/me/", "me", None),
        ("/users/me/", "me items", None),
        ("/users/me/", "items", 'Bearer scope="me"'),
        ("/users/me/", "", 'Bearer scope="me"'),
        ("/users/me/items/", "me items", None),
        ("/users/me/items/", "items", 'Bearer scope="items me"'),
        ("/users/me/items/", "me", 'Bearer scope="items me"'),
        ("/status/", "", None),
        ("/status/", "me items", None),
    ],
)
def test_each_view_needs_the_scopes_on_the_way_to_the_user(both, url, scope, challenge) -> None:
    """Its own and those of the dependables between; the challenge lists them all."""
    answers = both(oauth2_scopes)
    answer = answers.get(url, headers=bearer({"sub": "johndoe", "scope": scope}))
    if challenge is None:
        expected = {
            "/users/me/": JOHN,
            "/users/me/items/": [{"item_id": "Foo", "owner": "johndoe"}],
            "/status/": {"status": "ok"},
        }
        assert answer == (200, expected[url], {}, {})
    else:
        refused = {"detail": "Not enough permissions"}
        assert answer == (401, refused, {"www-authenticate": challenge}, {})


@pytest.mark.parametrize(
    ("url", "challenge"),
    [
        ("/users/me/", 'Bearer scope="me"'),
        ("/users/me/items/", 'Bearer scope="items me"'),
        ("/status/", "Bearer"),
    ],
)
def test_a_bad_token_is_told_the_scopes_too(both, url, challenge) -> None:
    """Garbage, no subject, an unknown user: the same answer with the view's own challenge."""
    answers = both(oauth2_scopes)
    for headers in (
        {"Authorization": "Bearer testtoken"},
        bearer({"scope": "me items"}),
        bearer({"sub": "nobody", "scope": "me items"}),
    ):
        assert answers.get(url, headers=headers) == (
            401,
            {"detail": "Could not validate credentials"},
            {"www-authenticate": challenge},
            {},
        )


def test_without_a_token_the_scheme_refuses(both) -> None:
    """Before anything knows of scopes."""
    answer = both(oauth2_scopes).get("/users/me/items/")
    assert answer == (401, {"detail": "Not authenticated"}, {"www-authenticate": "Bearer"}, {})


def test_an_inactive_user_is_400(both) -> None:
    """The token has the scopes, the user is not active."""
    answers = both(oauth2_scopes)
    answer = answers.get("/users/me/", headers=bearer({"sub": "alice", "scope": "me"}))
    assert answer == (400, {"detail": "Inactive user"}, {}, {})


@pytest.mark.row("I1", "I4")
def test_the_document_has_the_scopes_of_scheme_and_operations(both) -> None:
    """What each scope allows, and which of them each operation needs."""
    answers = both(oauth2_scopes)
    assert answers.schemes() == {
        "OAuth2PasswordBearer": {
            "type": "oauth2",
            "flows": {"password": {"scopes": SCOPES, "tokenUrl": "/token"}},
        }
    }
    required = {
        url: answers.security("get", url) for url in ("/users/me/", "/users/me/items/", "/status/")
    }
    assert required == {
        "/users/me/": [{"OAuth2PasswordBearer": ["me"]}],
        "/users/me/items/": [{"OAuth2PasswordBearer": ["items", "me"]}],
        "/status/": [{"OAuth2PasswordBearer": []}],
    }
    assert answers.security("post", "/token") == []
