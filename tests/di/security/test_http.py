"""The schemes of HTTP itself."""

from typing import Any

import pytest
from django.http import HttpRequest

from di import Depends, HTTPException, NinjaAPI
from di.security import HTTPBase, HTTPBasic, HTTPBasicCredentials, HTTPBearer, HTTPDigest
from tests.di.conftest import World


@pytest.mark.row("I8")
@pytest.mark.parametrize("base", [HTTPBase, HTTPBasic, HTTPBearer, HTTPDigest])
def test_a_subclass_may_change_the_challenge(base: Any, api: NinjaAPI, world: World) -> None:
    """Its headers alone, or the whole refusal."""

    class Challenging(base):
        def make_authenticate_headers(self) -> dict[str, str]:
            return {"WWW-Authenticate": "Other", "X-Why": "changed"}

    class Forbidding(base):
        def make_not_authenticated_error(self) -> HTTPException:
            return HTTPException(403, "Not here")

    options = {"scheme": "other"} if base is HTTPBase else {}

    @api.get("/challenging")
    @world.view
    def challenging(request: HttpRequest, value: Any = Depends(Challenging(**options))) -> None: ...

    @api.get("/forbidding")
    @world.view
    def forbidding(request: HttpRequest, value: Any = Depends(Forbidding(**options))) -> None: ...

    world.serve(api)
    answer = world.get("/challenging")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
    assert (answer.headers["WWW-Authenticate"], answer.headers["X-Why"]) == ("Other", "changed")
    answer = world.get("/forbidding")
    assert (answer.status_code, answer.json()) == (403, {"detail": "Not here"})
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.rfc("7617", "2")
def test_the_first_colon_divides(api: NinjaAPI, world: World) -> None:
    """A password may hold colons, a user name may not (RFC 7617 §2)."""

    @api.get("/")
    @world.view
    def view(request: HttpRequest, value: Any = Depends(HTTPBasic())) -> Any:
        assert value == HTTPBasicCredentials(username="ann", password="se:cret")
        return type(value).__name__

    world.serve(api)
    answer = world.get("/", headers={"Authorization": "Basic YW5uOnNlOmNyZXQ="})
    assert answer.json() == "HTTPBasicCredentials"


def test_without_a_realm_the_challenge_has_none(api: NinjaAPI, world: World) -> None:
    """RFC 7617 wants one; FastAPI leaves it to the caller."""

    @api.get("/")
    @world.view
    def view(request: HttpRequest, value: Any = Depends(HTTPBasic())) -> None: ...

    world.serve(api)
    assert world.get("/").headers["WWW-Authenticate"] == "Basic"
