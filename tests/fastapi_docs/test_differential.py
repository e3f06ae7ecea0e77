"""The same requests to FastAPI's examples and to ours: the same answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from fastapi.testclient import TestClient

from tests.fastapi_docs import models
from tests.fastapi_docs.original import main as original
from tests.fastapi_docs.original.database import SessionLocal
from tests.fastapi_docs.original.models import User as OriginalUser

pytestmark = [
    pytest.mark.django_db(transaction=True, reset_sequences=True),
    pytest.mark.urls("tests.fastapi_docs.urls"),
]

ANN = {"name": "Ann", "email": "ann@example.com"}
BOB = {"name": "Bob", "email": "bob@example.com"}


@pytest.fixture(autouse=True)
def _empty_original() -> None:
    original.Base.metadata.drop_all(original.engine)
    original.Base.metadata.create_all(original.engine)


def ask_original(method: str, url: str, body: Any) -> tuple[int, Any, Any]:
    client = TestClient(original.app, raise_server_exceptions=False)
    response = client.request(method, url, content=body, headers=JSON if body else {})
    return answer(response.status_code, response.text, response.headers)


def ask_ours(handler: str, method: str, url: str, body: Any) -> tuple[int, Any, Any]:
    options = {"data": body, "content_type": "application/json"} if body else {}
    if handler == "wsgi":
        client = Client(raise_request_exception=False)
        response = getattr(client, method.lower())(url, **options)
    else:
        aclient = AsyncClient(raise_request_exception=False)
        response = async_to_sync(getattr(aclient, method.lower()))(url, **options)
    return answer(response.status_code, response.content, response.headers)


JSON = {"Content-Type": "application/json"}


def answer(status: int, body: str | bytes, headers: Any) -> tuple[int, Any, Any]:
    """Return what is compared; of a 422, only where each error is."""
    challenge = headers.get("WWW-Authenticate")
    if status == 500:
        return status, None, challenge
    content = json.loads(body)
    if status == 422:
        # Ninja names the body's parameter, and leaves out the input: documented.
        content = sorted(
            [error["type"], error["loc"][0], error["loc"][-1]] for error in content["detail"]
        )
    return status, content, challenge


def rows() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    with SessionLocal() as db:
        theirs = [(user.name, user.email) for user in db.query(OriginalUser).order_by("id")]
    return theirs, list(models.User.objects.order_by("id").values_list("name", "email"))


CASES: dict[str, list[tuple[str, str, Any]]] = {
    "secure data, valid": [("GET", "/secure-data/?token=secret", None)],
    "secure data, wrong token": [("GET", "/secure-data/?token=wrong", None)],
    "secure data, no token": [("GET", "/secure-data/", None)],
    "secure data, empty token": [("GET", "/secure-data/?token=", None)],
    "create, then list": [
        ("POST", "/users/", ANN),
        ("POST", "/users/", BOB),
        ("GET", "/users/", None),
        ("GET", "/users/?skip=1&limit=1", None),
    ],
    "create, wrong token": [("POST", "/users/?token=wrong", ANN), ("GET", "/users/", None)],
    "create, wrong token and bad body": [("POST", "/users/?token=wrong", {"name": 1})],
    "create, missing field": [("POST", "/users/", {"name": "Ann"}), ("GET", "/users/", None)],
    "create, no fields": [("POST", "/users/", {})],
    "create, wrong type": [("POST", "/users/", {"name": ["Ann"], "email": 1})],
    "create, unknown field": [("POST", "/users/", {**ANN, "id": 7, "admin": True})],
    "list, wrong type": [("GET", "/users/?skip=a&limit=b", None)],
    "list, wrong token and wrong type": [("GET", "/users/?skip=a&token=wrong", None)],
    "list, empty": [("GET", "/users/", None)],
    "items, defaults": [("GET", "/items/", None)],
    "items, all given": [("GET", "/items/?q=x&skip=1&limit=2", None)],
    "items, wrong type": [("GET", "/items/?skip=x&limit=1.5", None)],
    "own items": [("GET", "/users/me/items/", None)],
    "own items, outer scope missing": [("GET", "/users/me/items/?granted=me", None)],
    "own items, inner scope missing": [("GET", "/users/me/items/?granted=items", None)],
    "own items, inactive": [("GET", "/users/me/items/?disabled=true", None)],
    "own items, wrong type": [("GET", "/users/me/items/?disabled=perhaps", None)],
    "unknown path": [("GET", "/nowhere/", None), ("POST", "/nowhere/", ANN)],
}


@pytest.mark.parametrize("handler", ["wsgi", "asgi"])
@pytest.mark.parametrize("name", CASES)
def test_the_same_request_gets_the_same_answer(name: str, handler: str) -> None:
    """Status, JSON and challenge are equal, and so are the rows afterwards."""
    for method, url, body in CASES[name]:
        sent = None if body is None else json.dumps(body)
        assert ask_ours(handler, method, url, sent) == ask_original(method, url, sent)
    theirs, ours = rows()
    assert ours == theirs


@pytest.mark.parametrize("handler", ["wsgi", "asgi"])
def test_a_duplicate_is_a_conflict_here_and_a_crash_there(handler: str) -> None:
    """The original has no answer to its own unique constraint; ours has 409."""
    sent = json.dumps(ANN)
    for expected_ours, expected_theirs in ((200, 200), (409, 500)):
        assert ask_ours(handler, "POST", "/users/", sent)[0] == expected_ours
        assert ask_original("POST", "/users/", sent)[0] == expected_theirs
    assert rows() == ([("Ann", "ann@example.com")], [("Ann", "ann@example.com")])


@pytest.mark.parametrize("handler", ["wsgi", "asgi"])
def test_malformed_json_is_422_there_and_400_here(handler: str) -> None:
    """The host's own convention; neither writes anything."""
    assert ask_original("POST", "/users/", "{broken")[0] == 422
    assert ask_ours(handler, "POST", "/users/", "{broken")[0] == 400
    assert rows() == ([], [])
