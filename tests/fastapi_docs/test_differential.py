"""The same requests to FastAPI's examples and to ours: the same answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

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


class Ask(NamedTuple):
    """One request; *body* is sent as JSON, or as it is if it is text."""

    method: str
    url: str
    body: Any = None
    authorization: str | None = None

    @property
    def content(self) -> str:
        return self.body if isinstance(self.body, str) else json.dumps(self.body)

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.authorization is None else {"Authorization": self.authorization}


class Answer(NamedTuple):
    """What is compared: of a 422, only where each error is; of a crash, that it is one."""

    status: int
    content: Any
    challenge: str | None = None


class Ours(NamedTuple):
    """One way to ask ours: a handler of Django's, and the routes or their twins."""

    handler: str
    prefix: str

    def ask(self, ask: Ask) -> Answer:
        body = "" if ask.body is None else ask.content
        request: Any = (ask.method, self.prefix + ask.url, body, "application/json")
        if self.handler == "wsgi":
            client = Client(raise_request_exception=False)
            response = client.generic(*request, headers=ask.headers)
        else:
            response = async_to_sync(asend)(*request, headers=ask.headers)
        return answer(response.status_code, response.content.decode(), response.headers)


async def asend(*request: Any, headers: dict[str, str]) -> Any:
    client = AsyncClient(raise_request_exception=False)
    return await client.generic(*request, headers=headers)


@pytest.fixture(
    params=[Ours(handler, prefix) for handler in ("wsgi", "asgi") for prefix in ("", "/twin")],
    ids=lambda ours: f"{ours.handler}{ours.prefix.replace('/', '-')}",
)
def ours(request: pytest.FixtureRequest) -> Ours:
    return request.param


@pytest.fixture(autouse=True)
def _empty_original() -> None:
    original.Base.metadata.drop_all(original.engine)
    original.Base.metadata.create_all(original.engine)


def ask_original(ask: Ask) -> Answer:
    client = TestClient(original.app, raise_server_exceptions=False)
    headers = dict(ask.headers)
    if ask.body is not None:
        headers["Content-Type"] = "application/json"
    content = None if ask.body is None else ask.content
    response = client.request(ask.method, ask.url, content=content, headers=headers)
    return answer(response.status_code, response.text, response.headers)


def answer(status: int, text: str, headers: Mapping[str, str]) -> Answer:
    if status == 500:
        return Answer(status, None)
    try:
        content = json.loads(text)
    except ValueError:
        content = text
    if status == 422:
        # Ninja names the body's parameter, and leaves out the input: documented.
        content = sorted(
            [error["type"], error["loc"][0], error["loc"][-1]] for error in content["detail"]
        )
    return Answer(status, content, headers.get("WWW-Authenticate"))


def rows() -> dict[str, list[tuple[str, str]]]:
    with SessionLocal() as db:
        theirs = [(user.name, user.email) for user in db.query(OriginalUser).order_by("id")]
    users = models.User.objects.order_by("id")
    return {"theirs": theirs, "ours": list(users.values_list("name", "email"))}


ANN = {"name": "Ann", "email": "ann@example.com"}
BOB = {"name": "Bob", "email": "bob@example.com"}
OWN = "/users/me/items/"

CASES: dict[str, list[Ask]] = {
    "secure data, valid": [Ask("GET", "/secure-data/?token=secret")],
    "secure data, wrong token": [Ask("GET", "/secure-data/?token=wrong")],
    "secure data, no token": [Ask("GET", "/secure-data/")],
    "secure data, empty token": [Ask("GET", "/secure-data/?token=")],
    "secure data, two tokens": [Ask("GET", "/secure-data/?token=wrong&token=secret")],
    "create, then list": [
        Ask("POST", "/users/", ANN),
        Ask("POST", "/users/", BOB),
        Ask("GET", "/users/"),
        Ask("GET", "/users/?skip=1&limit=1"),
        Ask("GET", "/users/?limit=0"),
        Ask("GET", "/users/?skip=2"),
    ],
    "create, token given": [Ask("POST", "/users/?token=test123", ANN), Ask("GET", "/users/")],
    "create, wrong token": [Ask("POST", "/users/?token=wrong", ANN), Ask("GET", "/users/")],
    "create, wrong token and bad body": [Ask("POST", "/users/?token=wrong", {"name": 1})],
    "create, missing field": [Ask("POST", "/users/", {"name": "Ann"}), Ask("GET", "/users/")],
    "create, no fields": [Ask("POST", "/users/", {})],
    "create, wrong type": [Ask("POST", "/users/", {"name": ["Ann"], "email": 1})],
    "create, null": [Ask("POST", "/users/", {"name": None, "email": "ann@example.com"})],
    "create, unknown field": [Ask("POST", "/users/", {**ANN, "id": 7, "admin": True})],
    "create, long and not ASCII": [Ask("POST", "/users/", {"name": "é😀" * 300, "email": "ü"})],
    "list, wrong type": [Ask("GET", "/users/?skip=a&limit=b")],
    "list, wrong token": [Ask("GET", "/users/?token=wrong")],
    "list, wrong token and wrong type": [Ask("GET", "/users/?skip=a&token=wrong")],
    "list, empty": [Ask("GET", "/users/")],
    "items, defaults": [Ask("GET", "/items/")],
    "items, all given": [Ask("GET", "/items/?q=x&skip=1&limit=2")],
    "items, wrong type": [Ask("GET", "/items/?skip=x&limit=1.5")],
    "items, empty": [Ask("GET", "/items/?q="), Ask("GET", "/items/?skip=")],
    "items, given twice": [Ask("GET", "/items/?q=a&q=b")],
    "items, unknown parameter": [Ask("GET", "/items/?unknown=1")],
    "own items": [Ask("GET", OWN, authorization="Bearer john")],
    "own items, no token": [Ask("GET", OWN)],
    "own items, other scheme": [Ask("GET", OWN, authorization="Basic john")],
    "own items, wrong token": [Ask("GET", OWN, authorization="Bearer wrong")],
    "own items, outer scope missing": [Ask("GET", OWN, authorization="Bearer john-me")],
    "own items, inner scope missing": [Ask("GET", OWN, authorization="Bearer john-items")],
    "own items, inactive": [Ask("GET", OWN, authorization="Bearer alice")],
    "unknown path": [Ask("GET", "/nowhere/"), Ask("POST", "/nowhere/", ANN)],
}


@pytest.mark.row("D4", "I4")
@pytest.mark.parametrize("name", CASES)
def test_the_same_request_gets_the_same_answer(ours: Ours, name: str) -> None:
    """Status, JSON and challenge are equal, and so are the rows afterwards."""
    for ask in CASES[name]:
        assert ours.ask(ask) == ask_original(ask)
    after = rows()
    assert after["ours"] == after["theirs"]


def test_the_examples_answer_what_they_say(ours: Ours) -> None:
    """The answers are those that the pattern promises: equality alone could be two crashes."""
    ann = {"id": 1, **ANN}
    expected = {
        Ask("GET", "/secure-data/?token=secret"): Answer(
            200, {"message": "This is secure data", "token": "secret"}
        ),
        Ask("GET", "/secure-data/?token=wrong"): Answer(401, {"detail": "Invalid token"}),
        Ask("GET", "/secure-data/"): Answer(422, [["missing", "query", "token"]]),
        Ask("POST", "/users/", json.dumps(ANN)): Answer(200, ann),
        Ask("POST", "/users/?token=wrong", json.dumps(BOB)): Answer(
            401, {"detail": "Invalid authentication credentials"}
        ),
        Ask("POST", "/users/", '{"name": "Bob"}'): Answer(422, [["missing", "body", "email"]]),
        Ask("GET", "/users/"): Answer(200, [ann]),
        Ask("GET", "/items/?limit=5"): Answer(200, {"q": None, "skip": 0, "limit": 5}),
        Ask("GET", OWN, authorization="Bearer john"): Answer(
            200, [{"item_id": "Foo", "owner": "johndoe"}]
        ),
        Ask("GET", OWN, authorization="Bearer john-items"): Answer(
            401, {"detail": "Not enough permissions"}, 'Bearer scope="items me"'
        ),
        Ask("GET", OWN): Answer(401, {"detail": "Not authenticated"}, "Bearer"),
        Ask("GET", OWN, authorization="Bearer alice"): Answer(400, {"detail": "Inactive user"}),
        Ask("GET", "/nowhere/"): Answer(404, {"detail": "Not Found"}),
    }
    assert {ask: ours.ask(ask) for ask in expected} == expected
    assert {ask: ask_original(ask) for ask in expected} == expected


def test_a_duplicate_is_a_conflict_here_and_a_crash_there(ours: Ours) -> None:
    """The original has no answer to its own unique constraint; neither keeps the row."""
    first, again = Ask("POST", "/users/", ANN), Ask("POST", "/users/", {**ANN, "name": "Eve"})
    assert [ours.ask(first), ours.ask(again)] == [
        Answer(200, {"id": 1, **ANN}),
        Answer(409, {"detail": "Already exists: email"}),
    ]
    assert [ask_original(first), ask_original(again)] == [
        Answer(200, {"id": 1, **ANN}),
        Answer(500, None),
    ]
    one = [("Ann", "ann@example.com")]
    assert rows() == {"theirs": one, "ours": one}


def test_both_go_on_after_a_duplicate(ours: Ours) -> None:
    """A request that failed leaves nothing behind that the next one could trip over."""
    for user in (ANN, ANN, BOB):
        ours.ask(Ask("POST", "/users/", user))
        ask_original(Ask("POST", "/users/", user))
    both = [("Ann", "ann@example.com"), ("Bob", "bob@example.com")]
    assert rows() == {"theirs": both, "ours": both}


@pytest.mark.row("C10")
def test_malformed_json_is_422_there_and_400_here(ours: Ours) -> None:
    """The host's own convention; neither writes anything."""
    ask = Ask("POST", "/users/", "{broken")
    assert (ours.ask(ask).status, ask_original(ask).status) == (400, 422)
    assert rows() == {"theirs": [], "ours": []}


@pytest.mark.row("C10", "D4")
def test_malformed_json_with_a_wrong_token_is_401_here(ours: Ours) -> None:
    """The original reads the body first; here whoever may not write is told so first."""
    ask = Ask("POST", "/users/?token=wrong", "{broken")
    # The view's own body comes after its dependencies, wherever it stands in the signature.
    assert (ours.ask(ask).status, ask_original(ask).status) == (401, 422)


@pytest.mark.row("D5")
def test_no_body_is_422_in_both(ours: Ours) -> None:
    """Of the 422's shape: Ninja names the parameter that is missing, FastAPI the body."""
    ask = Ask("POST", "/users/")
    assert ask_original(ask) == Answer(422, [["missing", "body", "body"]])
    assert ours.ask(ask) == Answer(422, [["missing", "body", "user"]])
    assert rows() == {"theirs": [], "ours": []}


@pytest.mark.parametrize("body", ["null", "[]", '"text"'])
def test_a_body_that_is_no_object_is_422_in_both(ours: Ours, body: str) -> None:
    """Of the 422's shape: Ninja names each field that is missing, FastAPI the body."""
    ask = Ask("POST", "/users/", body)
    assert ask_original(ask) == Answer(422, [["model_attributes_type", "body", "body"]])
    assert ours.ask(ask) == Answer(422, [["missing", "body", "email"], ["missing", "body", "name"]])
    assert rows() == {"theirs": [], "ours": []}


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(Ask("PUT", "/users/", {}), id="PUT where there are GET and POST"),
        pytest.param(Ask("DELETE", "/items/"), id="DELETE where there is GET"),
    ],
)
def test_a_method_that_is_not_routed_gets_the_same_status(ours: Ours, ask: Ask) -> None:
    """405 in both; Ninja's body is text, FastAPI's is JSON, as the README says."""
    response = Client().generic(ask.method, ours.prefix + ask.url)
    assert (response.status_code, ask_original(ask).status) == (405, 405)
    assert response.content == b"Method not allowed"


@pytest.mark.parametrize("query", ["skip=-1", "limit=-1"])
def test_a_negative_number_gets_the_same_answer(ours: Ours, query: str) -> None:
    """No offset, no limit: SQLite's way, which a slice of Django's would refuse."""
    for person in (ANN, BOB):
        assert ours.ask(Ask("POST", "/users/", person)) == ask_original(
            Ask("POST", "/users/", person)
        )
    ask = Ask("GET", f"/users/?{query}")
    assert ours.ask(ask) == ask_original(ask)
