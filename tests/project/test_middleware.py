"""One path, with and without a slash."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client


def ask(handler: str, method: str, path: str) -> Any:
    if handler == "wsgi":
        return getattr(Client(), method)(path)
    return async_to_sync(getattr(AsyncClient(), method))(path)


@pytest.mark.parametrize("handler", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/users", 401),
        ("get", "/api/users/", 401),
        ("post", "/api/users/", 401),
        ("delete", "/api/users/1/", 401),
        ("post", "/api/auth/token/", 400),
        ("get", "/api/docs/", 200),
        ("get", "/api/users//", 404),
        ("get", "/api//users", 404),
        ("get", "/api/", 404),
        ("get", "/api", 404),
        ("get", "/admin", 404),
        ("get", "/admin/", 302),
    ],
)
@pytest.mark.django_db
def test_a_slash_makes_no_difference_to_the_api(
    method: str, path: str, status: int, handler: str
) -> None:
    """One slash is the same resource, two are none, and nothing outside the API changes."""
    assert ask(handler, method, path).status_code == status


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.django_db
def test_unknown_paths_of_the_api_are_json(debug: bool, settings: Any) -> None:
    """Also while developing, when Django would show a page of its own."""
    settings.DEBUG = debug
    response = Client().get("/api/nowhere/")
    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


def test_the_front_door_leads_to_the_documentation() -> None:
    """Somebody who opens the address finds out what it is."""
    response = Client().get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/api/docs")
