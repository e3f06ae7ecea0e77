"""OpenID Connect."""

from typing import Any

import pytest
from django.http import HttpRequest

from di import Depends, HTTPException, NinjaAPI
from di.security import OpenIdConnect
from tests.di.conftest import World


@pytest.mark.row("I8")
def test_a_subclass_may_read_the_token_and_change_the_refusal(api: NinjaAPI, world: World) -> None:
    """The scheme hands over the whole header; what it means is the subclass's affair."""

    class Provider(OpenIdConnect):
        async def __call__(self, request: HttpRequest) -> Any:
            header = super().__call__(request)
            return header.partition(" ")[2]

        def make_not_authenticated_error(self) -> HTTPException:
            return HTTPException(403, "Not authenticated")

    @api.get("/")
    @world.view
    def view(
        request: HttpRequest, token: Any = Depends(Provider(openIdConnectUrl="openid"))
    ) -> Any:
        return token

    world.serve(api)
    assert world.get("/", headers={"Authorization": "Bearer abc"}).json() == "abc"
    answer = world.get("/")
    assert (answer.status_code, answer.json()) == (403, {"detail": "Not authenticated"})
    assert "WWW-Authenticate" not in answer.headers
