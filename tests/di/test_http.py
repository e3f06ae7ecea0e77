"""HTTPException as an answer."""

from __future__ import annotations

from typing import Any

import ninja
import pytest
from django.http import HttpResponse
from ninja.errors import HttpError

from di import HTTPException, NinjaAPI, inject
from tests.di.conftest import World

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="api"'}


def refuse(request: Any) -> None:
    raise HTTPException(401, {"why": ["no", 1]}, CHALLENGE)


def routed(api: ninja.NinjaAPI, world: World) -> None:
    view = world.view(refuse)
    api.get("/x")(view if isinstance(api, NinjaAPI) else inject(view))
    world.serve(api)


@pytest.mark.parametrize("api_class", [ninja.NinjaAPI, NinjaAPI])
def test_status_detail_and_headers_arrive(api_class: Any, world: World) -> None:
    """On a plain API too, where Ninja itself would drop the headers."""
    routed(api_class(urls_namespace="a"), world)
    response = world.get("/x")
    assert response.status_code == 401
    assert response.json() == {"detail": {"why": ["no", 1]}}  # type: ignore[attr-defined]
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_the_detail_is_the_phrase_by_default() -> None:
    """As in FastAPI: 404 says Not Found."""
    error = HTTPException(404)
    assert (error.detail, error.headers, str(error)) == ("Not Found", {}, "404: Not Found")
    assert repr(error) == "HTTPException(status_code=404, detail='Not Found')"
    assert isinstance(error, HttpError)


def test_a_handler_of_http_error_still_decides_the_body(world: World) -> None:
    """A project's own error format holds; the headers are added to it."""
    api = NinjaAPI(urls_namespace="a")

    @api.exception_handler(HttpError)
    def problem(request: Any, error: Any) -> HttpResponse:
        return HttpResponse("mine", status=error.status_code, headers={"X-Own": "1"})

    routed(api, world)
    response = world.get("/x")
    assert (response.content, response["X-Own"]) == (b"mine", "1")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_handler_of_its_own_stays(world: World) -> None:
    """Who registers a handler for HTTPException is not overruled."""
    api = ninja.NinjaAPI(urls_namespace="a")
    api.add_exception_handler(HTTPException, lambda *_: HttpResponse(status=418))
    routed(api, world)
    assert world.get("/x").status_code == 418


def test_an_api_without_any_handler_answers_too(world: World) -> None:
    """Even a subclass of NinjaAPI that set none of Ninja's defaults."""

    class Bare(NinjaAPI):
        def set_default_exception_handlers(self) -> None: ...

    routed(Bare(urls_namespace="a"), world)
    assert world.get("/x").status_code == 401
