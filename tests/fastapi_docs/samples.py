"""The samples: each on FastAPI, and ported, on both hosts and with both kinds of view."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import ninja

import di
from di.openapi import document_security
from project.renderer import FastRenderer
from tests.fastapi_docs import twins
from tests.fastapi_docs.original import secure_data as original_secure_data
from tests.fastapi_docs.original.reference import items as original_items
from tests.fastapi_docs.original.reference import own_items as original_own_items
from tests.fastapi_docs.original.user_crud import main as original_user_crud
from tests.fastapi_docs.ported import secure_data
from tests.fastapi_docs.ported.reference import items, own_items, security
from tests.fastapi_docs.ported.user_crud import main as user_crud
from tests.fastapi_docs.ported.user_crud import schemas

Host = Literal["di", "ninja"]
View = Callable[..., Any]


class Route(NamedTuple):
    """A route of a ported sample: *view* is the sample's own, *twin* is of the other kind."""

    method: str
    path: str
    view: View
    twin: View
    options: dict[str, Any] = {}


class Sample(NamedTuple):
    """A sample on FastAPI and on Django; *host* is the one that its file is written for."""

    original: Any
    ported: Any
    host: Host
    routes: list[Route]


SAMPLES = {
    "secure_data": Sample(
        original_secure_data.app,
        secure_data.app,
        "ninja",
        [Route("GET", "/secure-data/", secure_data.read_secure_data, twins.read_secure_data)],
    ),
    "user_crud": Sample(
        original_user_crud.app,
        user_crud.app,
        "di",
        [
            Route(
                "POST",
                "/users/",
                user_crud.create_user,
                twins.create_user,
                {"response": schemas.UserOut},
            ),
            Route(
                "GET",
                "/users/",
                user_crud.read_users,
                twins.read_users,
                {"response": list[schemas.UserOut]},
            ),
        ],
    ),
    "items": Sample(
        original_items.app,
        items.app,
        "di",
        [Route("GET", "/items/", items.read_items, twins.read_items)],
    ),
    "own_items": Sample(
        original_own_items.app,
        own_items.app,
        "di",
        [
            Route("POST", "/token", security.login, twins.login),
            Route("GET", "/users/me/items/", own_items.read_own_items, twins.read_own_items),
        ],
    ),
}


@functools.cache
def ported(name: str, host: Host, *, is_async: bool) -> Any:
    """Return a sample on *host* with views of one kind, written by the project's renderer.

    The sample as its file stands is not among them, because its JSON is written by Ninja.
    """
    module = di if host == "di" else ninja
    api = module.NinjaAPI(urls_namespace=f"{name}-{host}-{is_async}", renderer=FastRenderer())
    for route in SAMPLES[name].routes:
        views = [inspect.unwrap(view) for view in (route.view, route.twin)]
        view = next(view for view in views if inspect.iscoroutinefunction(view) is is_async)
        register = api.api_operation([route.method], route.path, **route.options)
        register(view if host == "di" else di.inject(view))
    if host == "ninja":
        document_security(api)
    return api
