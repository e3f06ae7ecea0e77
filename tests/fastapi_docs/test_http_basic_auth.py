"""HTTP Basic Auth."""

import base64
import secrets
from typing import Annotated, Any

import pytest


def simple(host: Any) -> Any:
    app = host.app()
    security = host.security.HTTPBasic()
    Credentials = host.security.HTTPBasicCredentials  # noqa: N806 - a class

    @app.get("/users/me")
    @host.view
    def read_current_user(
        request: host.Request, credentials: Annotated[Credentials, host.Depends(security)]
    ):
        return {"username": credentials.username, "password": credentials.password}

    return app


def checked(host: Any) -> Any:
    app = host.app()
    security = host.security.HTTPBasic()
    Credentials = host.security.HTTPBasicCredentials  # noqa: N806 - a class

    def get_current_username(credentials: Annotated[Credentials, host.Depends(security)]):
        is_correct_username = secrets.compare_digest(
            credentials.username.encode("utf8"), b"stanleyjobson"
        )
        is_correct_password = secrets.compare_digest(
            credentials.password.encode("utf8"), b"swordfish"
        )
        if not (is_correct_username and is_correct_password):
            raise host.HTTPException(
                status_code=401,
                detail="Incorrect username or password",
                headers={"WWW-Authenticate": "Basic"},
            )
        return credentials.username

    @app.get("/users/me")
    @host.view
    def read_current_user(
        request: host.Request, username: Annotated[str, host.Depends(get_current_username)]
    ):
        return {"username": username}

    return app


def basic(username: str, password: str) -> dict[str, str]:
    encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


def test_the_credentials_are_what_was_sent(both) -> None:
    """Name and password, split at the first colon."""
    answers = both(simple)
    for password in ("secret", "with:colon", ""):
        assert answers.get("/users/me", headers=basic("john", password)).content == {
            "username": "john",
            "password": password,
        }


@pytest.mark.parametrize("example", [simple, checked])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic notabase64token"},
        {"Authorization": "Basic " + base64.b64encode(b"johnsecret").decode()},
        {"Authorization": "Bearer token"},
    ],
    ids=["none", "not base64", "no colon", "other scheme"],
)
def test_without_credentials_a_browser_is_asked_for_them(both, example, headers) -> None:
    """401 with a challenge, which has it show the prompt."""
    answer = both(example).get("/users/me", headers=headers)
    assert answer == (401, {"detail": "Not authenticated"}, {"www-authenticate": "Basic"}, {})


def test_credentials_that_are_checked(both) -> None:
    """Both right is 200; either wrong is 401, with the prompt again."""
    answers = both(checked)
    right = answers.get("/users/me", headers=basic("stanleyjobson", "swordfish"))
    assert right.content == {"username": "stanleyjobson"}
    for headers in (basic("alice", "swordfish"), basic("stanleyjobson", "wrong")):
        assert answers.get("/users/me", headers=headers) == (
            401,
            {"detail": "Incorrect username or password"},
            {"www-authenticate": "Basic"},
            {},
        )


@pytest.mark.row("I1")
def test_it_is_documented(both) -> None:
    """So that the docs page offers to log in."""
    answers = both(checked)
    assert answers.schemes() == {"HTTPBasic": {"type": "http", "scheme": "basic"}}
    assert answers.security("get", "/users/me") == [{"HTTPBasic": []}]
