"""OAuth2 with Password (and hashing), Bearer with JWT tokens."""

from datetime import timedelta
from typing import Annotated, Any

import pytest

from tests.fastapi_docs.tokens import (
    ACCESS_TOKEN_EXPIRE_MINUTES,
    JOHN,
    InvalidTokenError,
    Token,
    User,
    UserInDB,
    authenticate_user,
    create_access_token,
    decode,
    get_user,
)


def oauth2_jwt(host: Any) -> Any:
    app = host.app()
    oauth2_scheme = host.security.OAuth2PasswordBearer(tokenUrl="token")
    Form = host.security.OAuth2PasswordRequestForm  # noqa: N806 - a class

    async def get_current_user(token: Annotated[str, host.Depends(oauth2_scheme)]):
        credentials_exception = host.HTTPException(
            status_code=401,
            detail="Could not validate credentials",
            headers={"WWW-Authenticate": "Bearer"},
        )
        try:
            username = decode(token).get("sub")
        except InvalidTokenError:
            raise credentials_exception from None
        user = get_user(username)
        if user is None:
            raise credentials_exception
        return user

    async def get_current_active_user(
        current_user: Annotated[User, host.Depends(get_current_user)],
    ):
        if current_user.disabled:
            raise host.HTTPException(status_code=400, detail="Inactive user")
        return current_user

    @app.post("/token", **host.returns(Token))
    @host.view
    def login_for_access_token(request: host.Request, form_data: Annotated[Form, host.Depends()]):
        user = authenticate_user(form_data.username, form_data.password)
        if not user:
            raise host.HTTPException(
                status_code=401,
                detail="Incorrect username or password",
                headers={"WWW-Authenticate": "Bearer"},
            )
        access_token = create_access_token(
            {"sub": user.username}, timedelta(minutes=ACCESS_TOKEN_EXPIRE_MINUTES)
        )
        return Token(access_token=access_token, token_type="bearer")

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
        current_user: Annotated[User, host.Depends(get_current_active_user)],
    ):
        return [{"item_id": "Foo", "owner": current_user.username}]

    return app


def bearer(data: dict[str, Any], **options: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {create_access_token(data, **options)}"}


def login(answers: Any, **form: str) -> dict[str, Any]:
    """Log in on both hosts; a token has a time in it, so theirs and ours differ."""
    logins = [ask("post", "/token", form=form) for ask in (answers.ask_theirs, answers.ask_ours)]
    assert [one.status for one in logins] == [200, 200]
    payloads = [decode(one.content["access_token"]) for one in logins]
    assert [{**one, "exp": None} for one in payloads] == [{**payloads[0], "exp": None}] * 2
    assert [one.content["token_type"] for one in logins] == ["bearer", "bearer"]
    return logins[1].content


def test_login_and_use_the_token(both) -> None:
    """The token that a login answers opens the user's own pages, on either host."""
    answers = both(oauth2_jwt)
    token = login(answers, username="johndoe", password="secret")["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    items = answers.get("/users/me/items/", headers=headers)
    assert items.content == [{"item_id": "Foo", "owner": "johndoe"}]


def test_the_answer_has_no_hash_of_the_password(both) -> None:
    """The dependable returns a `UserInDB`; what a `User` has goes out."""
    answers = both(oauth2_jwt)
    assert answers.get("/users/me/", headers=bearer({"sub": "johndoe"})).content == JOHN


def test_a_subclass_of_the_response_is_filtered(both) -> None:
    """The page returns the `UserInDB` itself: plain Ninja would send all that it has."""

    def example(host: Any) -> Any:
        app = host.app()

        @app.get("/users/me/", **host.returns(User))
        @host.view
        def read_users_me(request: host.Request, user: Annotated[UserInDB, host.Depends(get_john)]):
            return user

        return app

    def get_john():
        return get_user("johndoe")

    answers = both(example)
    assert answers.get("/users/me/").content == JOHN


@pytest.mark.parametrize(
    "form",
    [
        {"username": "johndoe", "password": "incorrect"},
        {"username": "foo", "password": "secret"},
    ],
)
def test_a_wrong_login_is_401(both, form) -> None:
    """With a challenge, and the same for a wrong password and an unknown user."""
    answer = both(oauth2_jwt).post("/token", form=form)
    assert answer == (
        401,
        {"detail": "Incorrect username or password"},
        {"www-authenticate": "Bearer"},
        {},
    )


def refused() -> dict[str, dict[str, str]]:
    """Return headers with tokens that are good for nothing."""
    return {
        "garbage": {"Authorization": "Bearer testtoken"},
        "no subject": bearer({}),
        "unknown user": bearer({"sub": "nobody"}),
        "expired": bearer({"sub": "johndoe"}, expires_delta=timedelta(seconds=-1)),
    }


@pytest.mark.row("D6")
@pytest.mark.parametrize("name", refused())
def test_a_bad_token_is_401(both, name) -> None:
    """Whatever is wrong with it, one answer."""
    answer = both(oauth2_jwt).get("/users/me/", headers=refused()[name])
    assert answer == (
        401,
        {"detail": "Could not validate credentials"},
        {"www-authenticate": "Bearer"},
        {},
    )


def test_an_inactive_user_is_400(both) -> None:
    """The token is good, the user is not."""
    answer = both(oauth2_jwt).get("/users/me/", headers=bearer({"sub": "alice"}))
    assert answer == (400, {"detail": "Inactive user"}, {}, {})


@pytest.mark.row("I1")
def test_each_operation_says_whether_it_needs_the_token(both) -> None:
    """The login does not, the others do."""
    answers = both(oauth2_jwt)
    assert answers.security("post", "/token") == []
    for url in ("/users/me/", "/users/me/items/"):
        assert answers.security("get", url) == [{"OAuth2PasswordBearer": []}]
