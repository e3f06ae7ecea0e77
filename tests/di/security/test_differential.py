"""The same requests to FastAPI's schemes and to ours: the same answers."""

import asyncio
import base64
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from typing import Annotated, Any, NamedTuple

import fastapi
import fastapi.security.http
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from fastapi import Request
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import di.security
from di import Depends, HTTPException, NinjaAPI
from tests.di.conftest import World
from tests.di.security.samples import OPTIONS, make

THEIRS = types.SimpleNamespace(**{**vars(fastapi.security.http), **vars(fastapi.security)})
FORMS = ["OAuth2PasswordRequestForm", "OAuth2PasswordRequestFormStrict"]
NOT_ASCII = "\xe9"

AUTHORIZATIONS = [
    None,
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Bearer abc",
    "bEARER   abc ",
    "Bearer abc def",
    "Bearer\tabc",
    "Bearerabc",
    f"Bearer {NOT_ASCII}",
    " Bearer abc",
    "Basic",
    "Basic YW5uOnNlY3JldA==",
    "bASIC  YW5uOnNlOmNyZXQ= ",  # ann:se:cret
    "Basic Og==",  # no name, no password
    "Basic YW5u",  # no colon
    "Basic YW5uOnNlY3JldA",  # no padding
    "Basic YW5uOn!NlY3JldA==",
    "Basic w7w6w7w=",  # UTF-8
    f"Basic {NOT_ASCII}",
    'Digest username="ann", nonce="1"',
    "digest x",
    "Token abc",
    NOT_ASCII,
]
QUERIES = ["", "?key=", "?key=abc", "?key=%ff", "?key=%00", "?key=a&key=b", "?KEY=abc"]
KEYS = [None, "", " ", "abc", NOT_ASCII]
COOKIES = [None, "key=", "key=abc", 'key="a b"', "key=a; key=b", "KEY=abc", "other=1; key=abc"]

EMPTY_TOKEN = ("Bearer", "Bearer ")
"""Where we differ; see the README."""


class Answer(NamedTuple):
    status: int
    body: Any
    challenge: str | None

    @classmethod
    def of(cls, response: Any) -> "Answer":
        return cls(response.status_code, response.json(), response.headers.get("WWW-Authenticate"))


def requests(name: str) -> list[tuple[str, dict[str, str]]]:
    """Return a query and headers for each request that is worth sending to *name*."""
    if name == "APIKeyQuery":
        return [(query, {}) for query in QUERIES]
    values, header = {"APIKeyHeader": (KEYS, "X-Key"), "APIKeyCookie": (COOKIES, "Cookie")}.get(
        name, (AUTHORIZATIONS, "Authorization")
    )
    return [("", {} if value is None else {header: value}) for value in values]


def encoded(headers: Mapping[str, str]) -> dict[str, bytes]:
    return {name: value.encode() for name, value in headers.items()}


@functools.cache
def fastapi_answers(name: str, *, auto_error: bool) -> list[Answer]:
    app = fastapi.FastAPI()

    @app.get("/")
    def view(value: Any = fastapi.Depends(make(THEIRS, name, auto_error=auto_error))):
        return value

    client = TestClient(app)
    return [
        Answer.of(client.get(f"/{query}", headers=encoded(headers)))
        for query, headers in requests(name)
    ]


def ask(world: World, query: str, headers: Mapping[str, str]) -> Answer:
    """Send ours the same bytes that FastAPI's test client sends: UTF-8, and cookies apart."""
    raw = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    jar = SimpleCookie(raw.pop("Cookie", ""))
    cookies = {name: morsel.value for name, morsel in jar.items()}
    return Answer.of(world.get(f"/{query}", headers=raw, cookies=cookies))


def difference(name: str, headers: Mapping[str, str], theirs: Answer) -> "Answer":
    """Return what we answer where FastAPI answers *theirs*."""
    header = headers.get("Authorization")
    if name.endswith("Bearer") and name.startswith("OAuth2") and header in EMPTY_TOKEN:
        assert (theirs.status, theirs.body) == (200, "")
        return Answer(401, {"detail": "Not authenticated"}, "Bearer")
    return theirs


@pytest.mark.row("I7", "I8")
@pytest.mark.parametrize("name", OPTIONS)
def test_a_scheme_answers_as_in_fastapi(name: str, api: NinjaAPI, world: World) -> None:
    """Status, detail, challenge and value, whatever is sent; an empty token is none."""

    @api.get("/")
    @world.view
    def view(request: HttpRequest, value: Any = Depends(make(di.security, name))) -> Any:
        return value

    world.serve(api)
    theirs = fastapi_answers(name, auto_error=True)
    for (query, headers), answer in zip(requests(name), theirs, strict=True):
        ours = ask(world, query, headers)
        assert ours == difference(name, headers, answer), (query, headers)


@pytest.mark.row("I7")
@pytest.mark.parametrize("name", OPTIONS)
def test_an_optional_scheme_refuses_only_malformed_credentials(
    name: str, api: NinjaAPI, world: World
) -> None:
    """With `auto_error=False` absent credentials are None; malformed Basic ones are 401."""
    scheme = make(di.security, name, auto_error=False)

    @api.get("/")
    @world.view
    def view(request: HttpRequest, value: Any = Depends(scheme)) -> Any:
        return value

    world.serve(api)
    theirs = fastapi_answers(name, auto_error=False)
    for (query, headers), answer in zip(requests(name), theirs, strict=True):
        expected = answer if answer.body else answer._replace(body=None)
        assert ask(world, query, headers) == expected, (query, headers)
    assert any(one.status == 401 for one in theirs) is (name == "HTTPBasic")


HEADERS = st.text(st.characters(max_codepoint=255), max_size=40)
PAIRS = st.tuples(st.binary(max_size=9), st.sampled_from([b":", b""]), st.binary(max_size=9))
PREFIXED = st.builds(
    "{} {}".format,
    st.sampled_from(["Basic", "bearer", "DIGEST", "Bearer ", ""]),
    HEADERS | PAIRS.map(lambda parts: base64.b64encode(b"".join(parts)).decode()),
)


@pytest.mark.parametrize("name", [name for name in OPTIONS if "APIKey" not in name])
@given(header=HEADERS | PREFIXED)
def test_any_header_is_read_as_by_fastapi(name: str, header: str) -> None:
    """Whatever its bytes, FastAPI's scheme and ours return or raise the same."""
    theirs = make(THEIRS, name, auto_error=False)
    request = Request({"type": "http", "headers": [(b"authorization", header.encode("latin-1"))]})
    ours = make(di.security, name, auto_error=False)
    found = outcome(lambda: asyncio.run(theirs(request)))
    expected = None if found == "" else found  # an empty token is none
    django_request = RequestFactory().get("/", headers={"Authorization": header})
    assert outcome(lambda: ours(django_request)) == expected


def outcome(call: Callable[[], Any]) -> Any:
    """Return the value of a scheme as plain data, or the status and headers of its refusal."""
    try:
        value = call()
    except (fastapi.HTTPException, HTTPException) as error:
        return error.status_code, error.headers
    return value.model_dump() if isinstance(value, BaseModel) else value


@pytest.mark.parametrize("name", OPTIONS)
def test_a_scheme_takes_fastapis_arguments(name: str) -> None:
    """The same names in the same order with the same defaults, by position or not."""
    theirs = _parameters(getattr(THEIRS, name))
    ours = _parameters(getattr(di.security, name))
    if name == "OAuth2":
        theirs["flows"] = ours["flows"] = None  # a default of no flows, in both
    if name == "APIKeyCookie":
        assert ours.pop("csrf")
    assert list(ours.items()) == list(theirs.items())


@pytest.mark.row("I2")
@pytest.mark.parametrize("name", OPTIONS)
def test_a_scheme_is_documented_as_in_fastapi(name: str) -> None:
    """Its Security Scheme Object and its name are the same."""
    theirs = make(THEIRS, name, description="How.")
    ours = make(di.security, name, description="How.")
    expected = theirs.model.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert ours.model == expected
    assert ours.scheme_name == theirs.scheme_name == name
    assert "description" not in make(di.security, name).model
    assert make(di.security, name, scheme_name="other").scheme_name == "other"


FORM = "application/x-www-form-urlencoded"
MULTIPART = "\r\n".join(
    f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
    for name, value in [("grant_type", "password"), ("username", "ann"), ("password", "secret")]
)
BODIES = [
    (FORM, "grant_type=password&username=ann&password=secret"),
    (FORM, "username=ann&password=secret"),
    (FORM, "grant_type=password&username=ann&password=s+%C3%BC&scope=+me++items:read+"),
    (FORM, "grant_type=password&username=ann&password=secret&client_id=a&client_secret=b"),
    (FORM, "grant_type=&username=ann&password=secret&scope=&client_id=&client_secret="),
    (FORM, "grant_type=password%0A&username=ann&password=secret"),
    (FORM, "grant_type=Password&username=ann&password=secret"),
    (FORM, "grant_type=password&username=&password="),
    (FORM, "grant_type=password&username=ann&username=bob&password=+"),
    (FORM, "scope=me"),
    (FORM, ""),
    ("application/json", '{"username": "ann", "password": "secret"}'),
    ("multipart/form-data; boundary=x", f"{MULTIPART}\r\n--x--\r\n"),
]


class FormAnswer(NamedTuple):
    """What is compared: a value, or which fields are wrong and why."""

    status: int
    value: Any

    @classmethod
    def of(cls, response: Any) -> "FormAnswer":
        body = response.json()
        if response.status_code == 422:
            body = [(error["loc"][-1], error["type"], error["msg"]) for error in body["detail"]]
        return cls(response.status_code, body)


@functools.cache
def fastapi_form_answers(name: str) -> list[FormAnswer]:
    app = fastapi.FastAPI()
    form_class = getattr(THEIRS, name)

    @app.post("/")
    def view(form: Annotated[Any, fastapi.Depends(form_class)]):
        return vars(form)

    client = TestClient(app)
    return [
        FormAnswer.of(client.post("/", content=body, headers={"Content-Type": content_type}))
        for content_type, body in BODIES
    ]


@pytest.mark.parametrize("name", FORMS)
def test_a_form_answers_as_in_fastapi(name: str, api: NinjaAPI, world: World) -> None:
    """The same values, the same fields refused; an empty field is one that is not there."""

    @api.post("/")
    @world.view
    def view(request: HttpRequest, form: Annotated[Any, Depends(getattr(di.security, name))]):
        return vars(form)

    world.serve(api)

    def post(content_type: str, body: str) -> HttpResponse:
        return world.request("post", "/", data=body, content_type=content_type)

    ours = [FormAnswer.of(post(*one)) for one in BODIES]
    assert ours == fastapi_form_answers(name)
    assert {answer.status for answer in ours} == {200, 422}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_takes_fastapis_arguments(name: str) -> None:
    """It can be made by hand too, in a test or a command."""
    ours, theirs = (getattr(module, name) for module in (di.security, THEIRS))
    assert list(_parameters(ours).items()) == list(_parameters(theirs).items())
    values = {"grant_type": "password", "username": "ann", "password": "secret", "scope": "a b"}
    assert vars(ours(**values)) == vars(theirs(**values))


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_documented_as_in_fastapi(name: str, api: NinjaAPI) -> None:
    """A form, with the same fields, of which the same are required and secret."""

    def view(form: Annotated[Any, fastapi.Depends(getattr(THEIRS, name))]) -> None: ...

    def twin(
        request: HttpRequest, form: Annotated[Any, Depends(getattr(di.security, name))]
    ) -> None: ...

    app = fastapi.FastAPI()
    app.post("/")(view)
    api.post("/")(twin)
    (theirs,) = (
        schema for key, schema in app.openapi()["components"]["schemas"].items() if "Body" in key
    )
    document = api.get_openapi_schema(path_prefix="")
    content = document["paths"]["/"]["post"]["requestBody"]["content"]
    assert list(content) == [FORM]
    ours = content[FORM]["schema"]
    assert ours["properties"] == theirs["properties"]
    assert sorted(ours["required"]) == sorted(theirs["required"])


def _parameters(call: Any) -> dict[str, tuple[Any, Any]]:
    parameters = inspect.signature(call).parameters
    return {name: (one.kind, one.default) for name, one in parameters.items()}
