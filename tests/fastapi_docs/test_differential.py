"""The samples on FastAPI and here: the same requests, the same answers."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management.color import no_style
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.urls import path
from pytest_django import Settings

from tests.di.conftest import lasting_loop, on_one_loop
from tests.fastapi_docs import asked
from tests.fastapi_docs.asked import ANN, bearer, get, post
from tests.fastapi_docs.original.user_crud.database import SessionLocal
from tests.fastapi_docs.original.user_crud.models import User as OriginalUser
from tests.fastapi_docs.ported.user_crud.models import User
from tests.fastapi_docs.samples import SAMPLES, ported
from tests.fastapi_docs.wire import Request, Response, ask_asgi, ask_wsgi

REQUESTS: dict[str, dict[str, list[Request]]] = {
    "secure_data": {name: [request] for name, request in asked.SECURE_DATA.items()},
    "user_crud": asked.USER_CRUD,
    "items": {name: [request] for name, request in asked.ITEMS.items()},
    "own_items": {name: [request] for name, request in asked.OWN_ITEMS.items()},
}
"""By sample and name: requests that are sent one after the other, beginning without users."""

HANDLERS = ("wsgi", "asgi")
PORTS = ("as it stands", "ninja sync", "ninja async", "di sync", "di async")


class Answer(NamedTuple):
    """The part of a response that is compared.

    Attributes:
        content: of invalid inputs a list of their errors, of an HTML page its heading, any
            other text as it was sent.
        headers: those that do not describe the body.
    """

    status: int
    content: Any
    headers: dict[str, str] = {}


class Difference(NamedTuple):
    """A difference between an original and its port that is on purpose.

    Attributes:
        theirs: status and content of the original's answer.
        ours: status and content of the port's answer.
        headers: those of the port that differ; None for one that is not sent.
        requests: names of the requests that are answered so. Without any, the difference
            holds for each request that the original answers with *theirs*.
    """

    reason: str
    theirs: tuple[int, Any]
    ours: tuple[int, Any]
    requests: Iterable[str] = ()
    headers: dict[str, str | None] = {}


SECURED = (200, '{"msg":"Secure data accessed!","token":"test123"}')
CREATED = '{"id":1,"name":"Ann","email":"ann@example.com"}'
OWN_ITEMS = (200, '[{"item_id":"Foo","owner":"johndoe"}]')
NO_OBJECT = [["model_attributes_type", "body", "body"]]
JSON_TYPES = "text/plain text/json application/octet-stream application/x-www-form-urlencoded"
CRASH = (500, "Internal Server Error")

DIFFERENCES = {
    "duplicate": Difference(
        "The sample does not handle its unique constraint, di.sessions does.",
        CRASH,
        (409, '{"detail":"Already exists: email"}'),
        ("duplicate", "duplicate, then list"),
    ),
    "broken JSON and a wrong token": Difference(
        "FastAPI reads the body before any dependency runs; here a check comes first.",
        (422, [["json_invalid", "body", ""]]),
        (403, '{"detail":"Invalid token"}'),
        ("create, wrong token and broken JSON",),
    ),
    "broken JSON": Difference(
        "Ninja answers 400 to a body that it cannot parse.",
        (422, [["json_invalid", "body", ""]]),
        (400, '{"detail":"Cannot parse request body"}'),
    ),
    "not UTF-8": Difference(
        "As for other broken JSON; FastAPI has a status of its own for this.",
        (400, '{"detail":"There was an error parsing the body"}'),
        (400, '{"detail":"Cannot parse request body"}'),
    ),
    "NaN": Difference(
        "FastAPI repeats the input in its 422, which then is no JSON. Ninja leaves it out.",
        CRASH,
        (422, [["string_type", "body", "name"]]),
        ("NaN",),
    ),
    "half a surrogate pair": Difference(
        "Neither side's database can store it. The project's parser refuses such JSON with 400.",
        CRASH,
        (422, '{"detail":"The database refused a value"}'),
        ("half a surrogate pair",),
    ),
    "no body": Difference(
        "In a 422 Ninja names the parameter, FastAPI the body.",
        (422, [["missing", "body", "body"]]),
        (422, [["missing", "body", "user"]]),
    ),
    "JSON that is called something else": Difference(
        "Ninja reads JSON whatever its content type, FastAPI takes it for text.",
        (422, NO_OBJECT),
        (200, CREATED),
        [f"JSON as {name}" for name in (*JSON_TYPES.split(), "nonsense", "nothing")],
    ),
    "a form": Difference(
        "As above, and as JSON it cannot be parsed.",
        (422, NO_OBJECT),
        (400, '{"detail":"Cannot parse request body"}'),
        ("a form",),
    ),
    "no object": Difference(
        "Again Ninja names the parameter, and FastAPI tries the attributes of the value.",
        (422, NO_OBJECT),
        (422, [["model_type", "body", "user"]]),
    ),
    "an empty token": Difference(
        "A bearer token that is empty is no token.",
        (401, '{"detail":"Could not validate credentials"}'),
        (401, '{"detail":"Not authenticated"}'),
        ("the scheme only", "the scheme and a blank"),
        {"www-authenticate": "Bearer"},
    ),
    "two headers": Difference(
        "Django and its servers join headers of one name, FastAPI takes the first.",
        OWN_ITEMS,
        (401, '{"detail":"Not enough permissions"}'),
        ("two headers, the first good",),
        {"www-authenticate": 'Bearer scope="items me"'},
    ),
    "405 where two methods are routed": Difference(
        "Ninja's 405 is text, and names the methods of all routes, FastAPI those of the first.",
        (405, '{"detail":"Method Not Allowed"}'),
        (405, "Method not allowed"),
        (*asked.other_methods("/users/", "GET", "POST"), "PUT with a wrong token"),
        {"allow": "GET, POST"},
    ),
    "405": Difference(
        "Ninja's 405 is text.",
        (405, '{"detail":"Method Not Allowed"}'),
        (405, "Method not allowed"),
    ),
    "404": Difference(
        "Outside of all routes Django answers, with a page.",
        (404, '{"detail":"Not Found"}'),
        (404, "page: Not Found"),
    ),
    "a slash too many": Difference(
        "Django adds slashes and takes none away.",
        (307, ""),
        (404, "page: Not Found"),
        ("log in, with a slash",),
        {"location": None},
    ),
    "no slash": Difference(
        "Django's CommonMiddleware adds it, by another redirect.",
        (307, ""),
        (301, ""),
    ),
}
if connection.vendor == "postgresql":
    DIFFERENCES["NUL"] = Difference(
        "PostgreSQL cannot store it. The project's parser refuses such JSON with 400.",
        (200, r'{"id":1,"name":"a\u0000b","email":"c"}'),
        (422, '{"detail":"The database refused a value"}'),
        ("NUL",),
    )
"""The differences that are on purpose; the first row that holds for a request counts."""


def row_of(name: str, theirs: Answer) -> Difference | None:
    """Return the difference that holds for the request *name*, given the original's answer."""
    rows = (row for row in DIFFERENCES.values() if row.theirs == (theirs.status, theirs.content))
    return next((row for row in rows if not row.requests or name in row.requests), None)


def expected(name: str, theirs: Answer) -> Answer:
    """Return the port's answer to the request *name* that the original answers with *theirs*."""
    row = row_of(name, theirs)
    if row is None:
        return theirs
    headers = {**theirs.headers, **row.headers}
    return Answer(*row.ours, {key: text for key, text in headers.items() if text is not None})


def answer(response: Response) -> Answer:
    """Return the part of *response* that is compared."""
    headers = dict(response.headers)
    headers.pop("content-length", None)
    kind = headers.pop("content-type", "").partition(";")[0]
    if "location" in headers:
        headers["location"] = headers["location"].removeprefix("http://testserver")
    if "allow" in headers:
        headers["allow"] = ", ".join(sorted(headers["allow"].split(", ")))
    content: Any = response.body.decode()
    if response.status == 422 and isinstance(json.loads(content)["detail"], list):
        content = errors(json.loads(content))
    elif kind == "text/html":
        content = re.sub(".*<h1>(.*)</h1>.*", r"page: \1", content, flags=re.DOTALL)
    return Answer(response.status, content, headers)


def compact(response: Response) -> Response:
    """Write JSON of Ninja's renderer as FastAPI and the project do, its fields in their order."""
    if not response.headers.get("content-type", "").startswith("application/json"):
        return response
    text = json.dumps(json.loads(response.body), separators=(",", ":"), ensure_ascii=False)
    return response._replace(body=text.encode())


def errors(content: Any) -> list[list[str]]:
    """Return type, source and name of each error of a 422.

    Ninja has a source of its own for forms, and FastAPI tells where in the text JSON is broken.
    """
    return sorted(
        [
            error["type"],
            {"form": "body"}.get(error["loc"][0], error["loc"][0]),
            "" if isinstance(error["loc"][-1], int) else error["loc"][-1],
        ]
        for error in content["detail"]
    )


def ask_original(sample: str, request: Request) -> Answer:
    """Send *request* to a sample on FastAPI."""
    asking = ask_asgi(SAMPLES[sample].original, request)
    return answer(asyncio.run_coroutine_threadsafe(asking, lasting_loop()).result())


@functools.cache
def original(sample: str, name: str) -> tuple[list[Answer], list[tuple[str, str]]]:
    """Return the answers of a sample on FastAPI to the requests *name*, and the users it keeps."""
    with SessionLocal() as db:
        db.query(OriginalUser).delete()
        db.commit()
    answers = [ask_original(sample, request) for request in REQUESTS[sample][name]]
    with SessionLocal() as db:
        users = db.query(OriginalUser).order_by("id")
        return answers, [(user.name, user.email) for user in users]


@functools.cache
def site(sample: str, port: str) -> types.ModuleType:
    """Return the URLs of a ported sample, as it stands or on another host."""
    if port == "as it stands":
        api = SAMPLES[sample].ported
    else:
        host, kind = port.split()
        api = ported(sample, host, is_async=kind == "async")
    module = types.ModuleType(f"{sample} {port}")
    module.urlpatterns = [path("", api.urls)]
    return module


@pytest.fixture
def _connections_stay_open() -> Iterator[None]:
    """Keep the database open between requests, as Django's test clients do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


Ask = Callable[[str, Request], Answer]


@pytest.fixture(params=[f"{handler}, {port}" for handler in HANDLERS for port in PORTS])
def ask(request: pytest.FixtureRequest, settings: Settings, _connections_stay_open: None) -> Ask:
    """Send a request to a ported sample, in each way to run it."""
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
    settings.APPEND_SLASH = True
    settings.ALLOWED_HOSTS = ["testserver"]
    handler, port = request.param.split(", ")
    send = ask_wsgi if handler == "wsgi" else on_one_loop(ask_asgi)
    application = WSGIHandler() if handler == "wsgi" else ASGIHandler()

    def ask(sample: str, request: Request) -> Answer:
        if settings.ROOT_URLCONF is not site(sample, port):
            settings.ROOT_URLCONF = site(sample, port)
        response = send(application, request)
        return answer(compact(response) if port == "as it stands" else response)

    return ask


def begin_without_users() -> None:
    """Delete the port's users, so that the next one has the id 1."""
    User.objects.all().delete()
    sequences = [{"table": "users", "column": "id"}]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_by_name_sql(no_style(), sequences):
            cursor.execute(sql)


def created(answers: Iterable[Answer]) -> list[tuple[str, str]]:
    """Return names and addresses of the users that *answers* say were created."""
    found = [json.loads(one.content) for one in answers if one.status == 200]
    return [(one["name"], one["email"]) for one in found if isinstance(one, dict)]


@pytest.mark.row("D4", "I4")
@pytest.mark.parametrize("sample", ["secure_data", "items", "own_items"])
def test_the_same_request_gets_the_same_answer(ask: Ask, sample: str) -> None:
    """When both sides are sent the same bytes, they answer alike but for the table."""
    ours, theirs = {}, {}
    for name, (request,) in REQUESTS[sample].items():
        ours[name] = ask(sample, request)
        theirs[name] = expected(name, original(sample, name)[0][0])
    assert ours == theirs


@pytest.mark.django_db(transaction=True)
@pytest.mark.row("C10", "D4", "D5")
def test_the_same_requests_leave_the_same_users(ask: Ask) -> None:
    """When both sides are sent the same requests, they answer alike and keep the same rows."""
    ours, theirs = {}, {}
    for name, requests in REQUESTS["user_crud"].items():
        begin_without_users()
        ours[name] = [ask("user_crud", request) for request in requests]
        answers, users = original("user_crud", name)
        theirs[name] = [expected(name, one) for one in answers]
        assert users == created(answers)
        kept = User.objects.order_by("id").values_list("name", "email")
        assert list(kept) == created(ours[name])
    assert ours == theirs


def test_each_difference_is_met() -> None:
    """When a row of the table holds for no request, it is out of date."""
    met = [
        row_of(name, one)
        for sample, requests in REQUESTS.items()
        for name in requests
        for one in original(sample, name)[0]
    ]
    assert [name for name, row in DIFFERENCES.items() if row not in met] == []


@pytest.mark.django_db(transaction=True)
def test_the_samples_answer_as_they_say(ask: Ask) -> None:
    """When both sides agree, they agree on the pattern's own answers, not on two crashes."""
    begin_without_users()
    with SessionLocal() as db:
        db.query(OriginalUser).delete()
        db.commit()
    refused = (403, '{"detail":"Invalid token"}')
    said = [
        ("secure_data", get("/secure-data/"), SECURED),
        ("secure_data", get("/secure-data/?token=test123"), SECURED),
        ("secure_data", get("/secure-data/?token="), refused),
        ("secure_data", get("/secure-data/?token=wrong"), refused),
        ("secure_data", get("/secure-data/?token=wrong&token=test123"), SECURED),
        ("user_crud", get("/users/"), (200, "[]")),
        ("user_crud", get("/users/?token=wrong"), refused),
        ("user_crud", post(ANN, "/users/?token=wrong"), refused),
        ("user_crud", post(ANN), (200, CREATED)),
        ("user_crud", post({"name": "Ann"}), (422, [["missing", "body", "email"]])),
        ("user_crud", get("/users/?token=test123"), (200, f"[{CREATED}]")),
        ("items", get("/items/"), (200, '{"q":null,"skip":0,"limit":100}')),
        ("items", get("/items/?limit=5&q=x&skip=1"), (200, '{"q":"x","skip":1,"limit":5}')),
        ("own_items", get(asked.OWN, bearer(asked.JOHN)), OWN_ITEMS),
        ("own_items", get(asked.OWN), (401, '{"detail":"Not authenticated"}')),
    ]
    answers = [(ask(sample, one), ask_original(sample, one)) for sample, one, _ in said]
    assert [[one[:2] for one in both] for both in answers] == [[one, one] for *_, one in said]
