"""Use Old 403 Authentication Error Status Codes."""

from typing import Annotated, Any

import pytest


def forbidden(host: Any) -> Any:
    app = host.app()

    class HTTPBearer403(host.security.HTTPBearer):
        def make_not_authenticated_error(self):
            return host.HTTPException(status_code=403, detail="Not authenticated")

    Credentials = host.security.HTTPAuthorizationCredentials  # noqa: N806 - a class
    CredentialsDep = Annotated[Credentials, host.Depends(HTTPBearer403())]  # noqa: N806 - the page's

    @app.get("/me")
    @host.view
    def read_me(request: host.Request, credentials: CredentialsDep):
        return {"message": "You are authenticated", "token": credentials.credentials}

    return app


@pytest.mark.row("I8")
def test_a_subclass_chooses_the_refusal(both) -> None:
    """403 instead of 401, and no challenge; who has a token is not concerned."""
    answers = both(forbidden)
    assert answers.get("/me", headers={"Authorization": "Bearer secrettoken"}).content == {
        "message": "You are authenticated",
        "token": "secrettoken",
    }
    assert answers.get("/me") == (403, {"detail": "Not authenticated"}, {}, {})


@pytest.mark.row("I2")
def test_it_is_documented_under_its_own_name(both) -> None:
    """That of the subclass."""
    answers = both(forbidden)
    assert answers.schemes() == {"HTTPBearer403": {"type": "http", "scheme": "bearer"}}
    assert answers.security("get", "/me") == [{"HTTPBearer403": []}]
