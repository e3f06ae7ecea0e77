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


def plainly() -> ninja.NinjaAPI:
    return ninja.NinjaAPI(urls_namespace="a")


def ours() -> NinjaAPI:
    return NinjaAPI(urls_namespace="a")


def routed(api: ninja.NinjaAPI, world: World, *, decorate: Any = None) -> None:
    view = world.view(refuse)
    api.get("/x")(decorate(view) if decorate else view)
    world.serve(api)


@pytest.mark.row("D6")
@pytest.mark.parametrize(
    ("made", "decorate"),
    [(plainly, None), (plainly, inject), (ours, None)],
    ids=["plain", "inject", "ours"],
)
def test_status_detail_and_headers_arrive(made: Any, decorate: Any, world: World) -> None:
    """At the first request already, and on a plain API too, which knows nothing of headers."""
    routed(made(), world, decorate=decorate)
    response = world.get("/x")
    assert response.status_code == 401
    assert response.json() == {"detail": {"why": ["no", 1]}}  # type: ignore[attr-defined]
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.row("D6")
@pytest.mark.parametrize("made", [plainly, ours])
@pytest.mark.parametrize("decorate", [inject, lambda view: view], ids=["injected", "as it is"])
def test_they_arrive_from_ninjas_own_checks(made: Any, decorate: Any, world: World) -> None:
    """Which run before anything is injected."""
    api = made()

    @api.get("/x", auth=refuse)
    @decorate
    @world.view
    def view(request: Any) -> None: ...

    world.serve(api)
    response = world.get("/x")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert response.json() == {"detail": {"why": ["no", 1]}}  # type: ignore[attr-defined]


def test_the_detail_is_the_phrase_by_default() -> None:
    """As in FastAPI: 404 says Not Found."""
    error = HTTPException(404)
    assert (error.detail, error.headers, str(error)) == ("Not Found", {}, "404: Not Found")
    assert repr(error) == "HTTPException(status_code=404, detail='Not Found')"
    assert isinstance(error, HttpError)


@pytest.mark.parametrize("made", [plainly, ours])
def test_a_handler_of_http_error_still_decides_the_body(made: Any, world: World) -> None:
    """A project's own error format holds; the headers are added to it."""
    api = made()

    @api.exception_handler(HttpError)
    def problem(request: Any, error: Any) -> HttpResponse:
        return HttpResponse("mine", status=error.status_code, headers={"X-Own": "1"})

    routed(api, world)
    response = world.get("/x")
    assert (response.content, response["X-Own"]) == (b"mine", "1")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("made", [plainly, ours])
@pytest.mark.parametrize("is_late", [False, True])
def test_a_handler_of_its_own_stays(made: Any, is_late: bool, world: World) -> None:
    """Who registers a handler for HTTPException is not overruled, nor are headers added."""
    api = made()
    routed(api, world)
    if is_late:
        assert world.get("/x").status_code == 401
    api.add_exception_handler(HTTPException, lambda *_: HttpResponse(status=418))
    response = world.get("/x")
    assert (response.status_code, response.has_header("WWW-Authenticate")) == (418, False)


class Gone(HTTPException): ...


@pytest.mark.parametrize("made", [plainly, ours])
def test_a_subclass_may_have_a_handler_of_its_own(made: Any, world: World) -> None:
    """It is another exception; one that has none is answered as the class that it extends."""
    api = made()

    @api.get("/x")
    @world.view
    def view(request: Any) -> None:
        raise Gone(410, headers=CHALLENGE)

    world.serve(api)
    assert world.get("/x")["WWW-Authenticate"] == 'Bearer realm="api"'
    api.add_exception_handler(Gone, lambda *_: HttpResponse(status=418))
    assert world.get("/x").status_code == 418


@pytest.mark.parametrize("base", [ninja.NinjaAPI, NinjaAPI])
def test_an_api_without_any_handler_answers_too(base: Any, world: World) -> None:
    """Even a subclass of NinjaAPI that set none of Ninja's defaults."""

    class Bare(base):
        def set_default_exception_handlers(self) -> None: ...

    routed(Bare(urls_namespace="a"), world)
    assert world.get("/x").status_code == 401
