"""No text holds others up: its length is looked at before anything else is.

Every text that the product reads is sent, as long as it may be, through the applications as
a server calls them. Two kinds of work are counted: the characters that are normalized at
once, and processor time, which does not depend on what else the machine has to do.
"""

from __future__ import annotations

import contextlib
import json
import time
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from django.test import Client
from ninja.responses import NinjaJSONEncoder

from project.api import api
from tests.project.conftest import Answer, ask_asgi, ask_wsgi
from users import crud
from users.models import User
from users.scopes import SCOPES

MIB = 1024 * 1024
LONGEST = 1_024
"""Characters that may be normalized at once: the work grows with their square."""
MOST_SECONDS = 1.0
"""Of processor time: a request that is refused takes a hundredth of that."""

TEXTS = {
    "combining characters": "a" + "\u0301\u0316" * 40_000,
    "a letter that decomposes into 18": "\ufdfa" * 349_000,
    "one letter": "a" * 1_040_000,
    "commas": "," * 100_000,
    "white space": "a" + " " * 1_040_000 + "a",
    "signs of addresses": "a@" + "@." * 500_000,
    "quoted backslashes": '"' + "\\" * 100_000 + '"',
    "parameters": 'a;"' + ";" * 100_000,
    "token": "dnt_0123456789ab_" + "a" * 1_000_000,
}
READABLE = {name: text for name, text in TEXTS.items() if name != "quoted backslashes"}


class Place(NamedTuple):
    """Where a text may stand in a request."""

    method: str
    path: str
    kind: str
    name: str


def places() -> Iterator[Place]:
    """Yield each place for a text in the document of the API."""
    document = json.loads(json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder))
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                yield Place(method.upper(), path, parameter["in"], parameter["name"])
            for content in operation.get("requestBody", {}).get("content", {}).items():
                kind, schema = content[0], content[1]["schema"]
                schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
                for name in schema["properties"]:
                    yield Place(method.upper(), path, kind, name)


HEADERS = (
    *("Accept", "Accept-Language", "Authorization", "Content-Encoding", "Content-Type", "Cookie"),
    *("Host", "Origin", "Referer", "X-CSRFToken", "X-Forwarded-For", "X-Forwarded-Host"),
    *("X-HTTP-Method-Override", "X-Request-ID"),
)
ADMIN = {
    "/admin/login/": ("username", "password", "next"),
    "/admin/users/user/add/": ("email", "name", "password1", "password2"),
    "/admin/users/user/1/change/": ("email", "name"),
    "/admin/users/user/2/password/": ("password1", "password2"),
    "/admin/password_change/": ("old_password", "new_password1", "new_password2"),
    "/admin/auth/group/add/": ("name",),
    "/admin/auth/group/1/change/": ("name",),
    "/admin/users/user/": ("action", "_selected_action"),
}


class Work:
    """What requests cost."""

    def __init__(self) -> None:
        self.longest = 0

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Hold what is done inside, for the text called *name*, against the limits."""
        before = time.process_time()
        yield
        assert time.process_time() - before < MOST_SECONDS, name
        assert self.longest <= LONGEST, name


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Count the work, Django's own and that of Python's libraries, too."""
    work, normalize = Work(), unicodedata.normalize

    def watched(form: Any, text: str) -> str:
        work.longest = max(work.longest, len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", watched)
    return work


@pytest.fixture
def root(settings: Any, transactional_db: None) -> User:
    """A superuser, at a site that counts nothing."""
    settings.API_THROTTLES = dict.fromkeys(settings.API_THROTTLES)
    User.objects.create_user("ann@example.com", "correct horse battery", pk=2)
    return User.objects.create_superuser("root@example.com", "correct horse battery", pk=1)


class Sender:
    """A superuser, with a token, who sends texts."""

    def __init__(self, user: User, interface: str) -> None:
        _, token = crud.issue_token(user=user, scope=" ".join(SCOPES))
        self.headers = {"Host": "localhost", "Authorization": f"Bearer {token}"}
        self.call = ask_wsgi if interface == "wsgi" else ask_asgi

    def send(self, method: str, target: str, headers: Any = None, body: bytes = b"") -> Answer:
        """Send one request; the server in front has let it through."""
        headers = {**self.headers, "Content-Length": str(len(body)), **(headers or {})}
        return self.call(method, target, headers, body, 1)


@pytest.fixture(params=["wsgi", "asgi"])
def sender(request: pytest.FixtureRequest, root: User) -> Iterator[Sender]:
    """A superuser who calls each of the applications."""
    sender = Sender(root, request.param)
    yield sender
    assert sender.send("GET", "/api/users/1").status == 200  # they are who they seemed to be


def form(values: dict[str, str]) -> tuple[dict[str, str], bytes]:
    """Return a form that takes no more bytes than its texts."""
    parts = [
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values.items()
    ]
    body = "".join([*parts, "--B--\r\n"]).encode()
    assert len(body) <= MIB
    return {"Content-Type": "multipart/form-data; boundary=B"}, body


def request(place: Place, text: str) -> tuple[str, str, dict[str, str], bytes]:
    """Return a request that has *text* in *place*: method, target, headers, body."""
    method, path, kind, name = place
    if kind == "path":
        return method, path.replace(f"{{{name}}}", quote(text)), {}, b""
    if kind == "query":
        return method, f"{path}?{name}={quote(text)}", {}, b""
    if kind == "application/json":
        body = json.dumps({name: text}, ensure_ascii=False).encode()
        assert len(body) <= MIB
        return method, path.replace("{user_id}", "2"), {"Content-Type": kind}, body
    others = {"username": "ann@example.com", "password": "a"} if name != "token" else {}
    return method, path, *form({**others, name: text})


@pytest.mark.parametrize("place", list(places()), ids=" ".join)
def test_inputs(place: Place, sender: Sender, work: Work) -> None:
    """When an input of the API is a long text, then it is refused at once."""
    for name, text in READABLE.items():
        parts = request(place, text)
        with work.of(name):
            answer = sender.send(*parts)
        # To revoke a text that is no token is a success (RFC 7009 §2.2).
        expected = (200, 400) if place.name == "token" else range(400, 500)
        assert answer.status in expected, (name, answer)


@pytest.mark.parametrize("name", HEADERS)
def test_headers(name: str, sender: Sender, work: Work) -> None:
    """When a header is long, then it is refused unread; a shorter one is read at once."""
    for text in TEXTS.values():
        for size in (1_000, 8_000, 1_000_000):
            value = text.encode().decode("latin-1")[:size]
            with work.of(text[:20]):
                answer = sender.send("POST", "/api/users", {name: value}, b"{}")
            assert 400 <= answer.status < 500
            if len(value) > 8_192:
                assert answer.is_refused(431)
                assert answer.json() == {"detail": "A header is too long"}


@pytest.mark.parametrize(
    "target", ["/api/{}", "/api/users/{}", "/{}", "/admin/{}", "/api/users?{}"]
)
def test_addresses(target: str, sender: Sender, work: Work) -> None:
    """When an address is long, then it is refused unread."""
    for name, text in TEXTS.items():
        with work.of(name):
            answer = sender.send("GET", target.format(quote(text)))
        assert answer.is_refused(414)
        assert answer.json() == {"detail": "The address is too long"}


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, names in ADMIN.items() for name in names]
)
def test_the_admin_site(path: str, name: str, root: User, work: Work) -> None:
    """When a field of the admin site is a long text, then its page refuses it at once."""
    client = Client(raise_request_exception=False)
    new, old = "another long passphrase", "correct horse battery"
    values = dict.fromkeys(("password1", "password2", "new_password1", "new_password2"), new)
    values |= {"old_password": old, "email": "x@example.com", "name": "X", "username": "x@y.z"}
    if path == "/admin/login/":
        values["password"] = old
    else:
        client.force_login(root)
    before = list(User.objects.order_by("pk").values_list("pk", "email", "name", "password"))
    for title, text in TEXTS.items():
        headers, body = form({**values, name: text})
        with work.of(title):
            page = client.generic("POST", path, body, headers["Content-Type"])
        assert page.status_code in (200, 302)
    after = User.objects.order_by("pk").values_list("pk", "email", "name", "password")
    assert list(after) == before


@pytest.mark.parametrize("text", [",".join(["a"] * 4_000), " ".join(["a"] * 4_000), "\u0301" * 900])
@pytest.mark.parametrize(
    "page", ["auth/group", "users/user", "users/accesstoken", "users/auditentry"]
)
def test_a_search_of_the_admin_site(page: str, text: str, root: User, work: Work) -> None:
    """When a search is long, then the page says so, and no database is asked."""
    client = Client(raise_request_exception=False)
    client.force_login(root)
    with work.of(text[:20]):
        answer = client.get(f"/admin/{page}/", {"q": text})
    assert answer.status_code == 200
    assert b"A search has at most 100 characters." in answer.content


BODIES = {
    "keys": json.dumps({f"a{number}": 0 for number in range(75_000)}),
    "numbers": json.dumps({"groups": list(range(1, 130_000))}),
    "one number": json.dumps({"groups": [1] * 300_000}),
    "texts": json.dumps({"groups": ["a"] * 200_000}),
    "objects": '{"groups": [' + "{}," * 300_000 + "{}]}",
    "a long number": '{"name": ' + "1" * 1_000_000 + "}",
    "a long fraction": '{"name": 0.' + "1" * 1_000_000 + "e-9}",
    "long numbers": '{"groups": [' + ",".join(["1" * 4_300] * 240) + "]}",
    "brackets": "[" * 1_000_000,
    "escapes": '{"name": "' + "\\u0301" * 170_000 + '"}',
}


def test_bodies(sender: Sender, work: Work) -> None:
    """When a body is many things, then it is refused with a short answer."""
    kind = {"Content-Type": "application/json"}
    for name, body in BODIES.items():
        assert len(body) <= MIB, name
        with work.of(name):
            answer = sender.send("PATCH", "/api/users/2", kind, body.encode())
        assert answer.is_refused(400, 422)
        assert len(answer.body) < 1_000


def test_forms(sender: Sender, work: Work) -> None:
    """When a form is many things, then it is refused at once."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"&", b"username=%", b"username=%ff", b"username=+"):
        sent = body + body[-1:] * 1_000_000
        with work.of(body.decode()):
            answer = sender.send("POST", "/api/auth/token", kind, sent)
        assert answer.is_refused(400)
