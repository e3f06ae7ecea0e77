"""Simple OAuth2 with Password and Bearer."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel

fake_users_db = {
    "johndoe": {
        "username": "johndoe",
        "full_name": "John Doe",
        "email": "johndoe@example.com",
        "hashed_password": "fakehashedsecret",
        "disabled": False,
    },
    "alice": {
        "username": "alice",
        "full_name": "Alice Wonderson",
        "email": "alice@example.com",
        "hashed_password": "fakehashedsecret2",
        "disabled": True,
    },
}


class User(BaseModel):
    username: str
    email: str | None = None
    full_name: str | None = None
    disabled: bool | None = None


class UserInDB(User):
    hashed_password: str


def fake_hash_password(password: str):
    return "fakehashed" + password


def get_user(username: str):
    return UserInDB(**fake_users_db[username]) if username in fake_users_db else None


def simple_oauth2(host: Any) -> Any:
    app = host.app()
    oauth2_scheme = host.security.OAuth2PasswordBearer(tokenUrl="token")
    Form = host.security.OAuth2PasswordRequestForm  # noqa: N806 - a class

    async def get_current_user(token: Annotated[str, host.Depends(oauth2_scheme)]):
        user = get_user(token)
        if not user:
            raise host.HTTPException(
                status_code=401,
                detail="Not authenticated",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return user

    async def get_current_active_user(
        current_user: Annotated[User, host.Depends(get_current_user)],
    ):
        if current_user.disabled:
            raise host.HTTPException(status_code=400, detail="Inactive user")
        return current_user

    @app.post("/token")
    @host.view
    def login(request: host.Request, form_data: Annotated[Form, host.Depends()]):
        user = get_user(form_data.username)
        if not user or fake_hash_password(form_data.password) != user.hashed_password:
            raise host.HTTPException(status_code=400, detail="Incorrect username or password")
        return {"access_token": user.username, "token_type": "bearer"}

    @app.get("/users/me")
    @host.view
    def read_users_me(
        request: host.Request,
        current_user: Annotated[User, host.Depends(get_current_active_user)],
    ):
        return current_user

    return app


def test_login_and_use_the_token(both) -> None:
    """A form goes in, a token comes out, and the token is the way to the user."""
    answers = both(simple_oauth2)
    issued = answers.post("/token", form={"username": "johndoe", "password": "secret"})
    assert issued.content == {"access_token": "johndoe", "token_type": "bearer"}
    bearer = {"Authorization": f"Bearer {issued.content['access_token']}"}
    assert answers.get("/users/me", headers=bearer).content == fake_users_db["johndoe"]


@pytest.mark.parametrize(
    "form",
    [
        {"username": "johndoe", "password": "incorrect"},
        {"username": "foo", "password": "secret"},
    ],
)
def test_a_wrong_login_is_400(both, form) -> None:
    """The same answer for a wrong password and an unknown user."""
    answer = both(simple_oauth2).post("/token", form=form)
    assert answer == (400, {"detail": "Incorrect username or password"}, {}, {})


@pytest.mark.row("C1")
def test_the_form_requires_what_the_specification_names(both) -> None:
    """User and password are fields of a form; ``grant_type`` may be left out, or be right."""
    answers = both(simple_oauth2)
    assert answers.post("/token", form={"grant_type": "password"}).content == [
        ["missing", "body", "password"],
        ["missing", "body", "username"],
    ]
    good = {"username": "johndoe", "password": "secret"}
    assert answers.post("/token", form={**good, "grant_type": "password"}).status == 200
    assert answers.post("/token", form={**good, "grant_type": "code"}).content == [
        ["string_pattern_mismatch", "body", "grant_type"]
    ]


@pytest.mark.parametrize(
    ("authorization", "status", "content", "headers"),
    [
        (None, 401, {"detail": "Not authenticated"}, {"www-authenticate": "Bearer"}),
        (
            "Bearer nonexistent",
            401,
            {"detail": "Not authenticated"},
            {"www-authenticate": "Bearer"},
        ),
        (
            "Notexistent testtoken",
            401,
            {"detail": "Not authenticated"},
            {"www-authenticate": "Bearer"},
        ),
        ("Bearer alice", 400, {"detail": "Inactive user"}, {}),
    ],
)
def test_who_is_refused(both, authorization, status, content, headers) -> None:
    """No token, an unknown one, another scheme, and a user who is not active."""
    sent = {} if authorization is None else {"Authorization": authorization}
    answer = both(simple_oauth2).get("/users/me", headers=sent)
    assert answer == (status, content, headers, {})


@pytest.mark.row("I1", "I6")
def test_the_document_shows_login_and_lock(both) -> None:
    """The scheme points to the login, the view requires the scheme, the login takes a form."""
    answers = both(simple_oauth2)
    assert answers.schemes()["OAuth2PasswordBearer"]["flows"] == {
        "password": {"scopes": {}, "tokenUrl": "/token"}
    }
    assert answers.security("get", "/users/me") == [{"OAuth2PasswordBearer": []}]
    assert answers.security("post", "/token") == []
    for document in answers.documents().values():
        assert list(document["paths"]["/token"]["post"]["requestBody"]["content"]) == [
            "application/x-www-form-urlencoded"
        ]
