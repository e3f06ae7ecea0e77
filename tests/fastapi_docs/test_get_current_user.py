"""Get Current User."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel


class User(BaseModel):
    username: str
    email: str | None = None
    full_name: str | None = None
    disabled: bool | None = None


def fake_decode_token(token):
    return User(username=token + "fakedecoded", email="john@example.com", full_name="John Doe")


def current_user_example(host: Any) -> Any:
    app = host.app()
    oauth2_scheme = host.security.OAuth2PasswordBearer(tokenUrl="token")

    async def get_current_user(token: Annotated[str, host.Depends(oauth2_scheme)]):
        return fake_decode_token(token)

    @app.get("/users/me")
    @host.view
    def read_users_me(
        request: host.Request, current_user: Annotated[User, host.Depends(get_current_user)]
    ):
        return current_user

    return app


@pytest.mark.row("D2")
def test_the_user_comes_from_the_token(both) -> None:
    """The dependable rests on the scheme, the view on the dependable: a model goes in."""
    answers = both(current_user_example)
    assert answers.get("/users/me", headers={"Authorization": "Bearer john"}).content == {
        "username": "johnfakedecoded",
        "email": "john@example.com",
        "full_name": "John Doe",
        "disabled": None,
    }


@pytest.mark.row("D6")
def test_without_a_token_there_is_no_user(both) -> None:
    """The scheme's refusal, two levels below the view, is the answer."""
    answer = both(current_user_example).get("/users/me")
    assert answer == (401, {"detail": "Not authenticated"}, {"www-authenticate": "Bearer"}, {})


@pytest.mark.row("I1")
def test_the_scheme_is_documented_through_the_dependable(both) -> None:
    """The operation requires what is enforced below it."""
    answers = both(current_user_example)
    assert answers.security("get", "/users/me") == [{"OAuth2PasswordBearer": []}]
