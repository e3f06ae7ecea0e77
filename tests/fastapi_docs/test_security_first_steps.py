"""Security - First Steps."""

from typing import Annotated, Any

import pytest


def items_behind_a_token(host: Any) -> Any:
    app = host.app()
    oauth2_scheme = host.security.OAuth2PasswordBearer(tokenUrl="token")

    @app.get("/items/")
    @host.view
    def read_items(request: host.Request, token: Annotated[str, host.Depends(oauth2_scheme)]):
        return {"token": token}

    return app


@pytest.mark.row("B6")
def test_the_scheme_is_a_dependency_whose_value_is_the_token(both) -> None:
    """It reads the header, in any case and without the blanks around the token."""
    answers = both(items_behind_a_token)
    for header in ("Bearer testtoken", "bearer testtoken", "Bearer   testtoken "):
        answer = answers.get("/items/", headers={"Authorization": header})
        assert answer.content == {"token": "testtoken"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic testtoken"}])
def test_without_a_token_it_answers_401(both, headers) -> None:
    """The view is not called; the challenge names the scheme."""
    answer = both(items_behind_a_token).get("/items/", headers=headers)
    assert answer == (401, {"detail": "Not authenticated"}, {"www-authenticate": "Bearer"}, {})


def test_an_empty_token_is_none_here(both) -> None:
    """There it passes as an empty text."""
    answers = both(items_behind_a_token)
    empty = {"Authorization": "Bearer "}
    assert answers.ask_theirs("get", "/items/", headers=empty).content == {"token": ""}
    assert answers.ask_ours("get", "/items/", headers=empty).status == 401


@pytest.mark.row("I1")
def test_the_document_has_what_authorize_needs(both) -> None:
    """The scheme, where its token is issued, and which operation requires it."""
    answers = both(items_behind_a_token)
    assert answers.schemes() == {
        "OAuth2PasswordBearer": {
            "type": "oauth2",
            "flows": {"password": {"scopes": {}, "tokenUrl": "/token"}},
        }
    }
    assert answers.security("get", "/items/") == [{"OAuth2PasswordBearer": []}]
    assert answers.inputs("get", "/items/") == []
