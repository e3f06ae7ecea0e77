"""Hostile input, case by case; the ids are those of `tests.attacks`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

import pytest

from tests.project.conftest import Answer, Ask, Caller, rows
from users.models import User

NEW = '{"name": "Bob", "email": "bob@example.com"}'
FORM = "application/x-www-form-urlencoded"
LIMIT = 1024 * 1024
WITH_BODIES = [
    ("POST", "/users"),
    ("PATCH", "/users/me"),
    ("PATCH", "/users/1"),
    ("POST", "/auth/password"),
    ("POST", "/auth/session"),
]

Case = Any


def case(row: str, what: str, *values: Any) -> Case:
    """Return one case of the table, findable by its id."""
    return pytest.param(*values, id=f"{row}-{what}")


@pytest.fixture(autouse=True)
def _harmless(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing was written, and the next normal request works."""
    if "ask" in request.fixturenames:
        ask: Ask = request.getfixturevalue("ask")
        yield
        assert ask("GET", "/api/health").status == 200
        return
    if "caller" not in request.fixturenames:
        yield
        return
    caller: Caller = request.getfixturevalue("caller")
    before = rows()
    yield
    assert rows() == before
    answer = caller.ask("GET", "/users")
    assert (answer.status, answer.json()[0]["email"]) == (200, "root@example.com")


@pytest.mark.asvs("4.1.4")
@pytest.mark.rfc("9110", "15.5.6")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        *(
            case("H29", method, method, "/users", "GET, POST")
            for method in ("HEAD", "OPTIONS", "TRACE", "PUT", "FOO", "DELETE", "get")
            if method != "get"
        ),
        case("H29", "id", "PUT", "/users/1", "DELETE, GET, PATCH"),
        case("H29", "me", "DELETE", "/users/me/", "GET, PATCH"),
        case("H29", "token", "GET", "/auth/token", "POST"),
        case("H29", "openapi", "POST", "/openapi.json", "GET, HEAD"),
        case("H29", "override", "OPTIONS", "/users/1", "DELETE, GET, PATCH"),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_methods(
    method: str, path: str, allowed: str, debug: bool, caller: Caller, settings: Any
) -> None:
    """405 in JSON, with what is allowed; a header that names another method is not heard."""
    settings.DEBUG = debug
    headers = {"X-HTTP-Method-Override": "GET", "X-Secret": "echo-me"}
    answer = caller.ask(method, path, "echo-me", "text/plain", headers=headers)
    assert answer.headers["allow"] == allowed
    if method == "HEAD":  # it has no body to look at
        assert (answer.status, answer.body) == (405, b"")
        return
    assert answer.is_refused(405)
    assert answer.json() == {"detail": "Method Not Allowed"}
    assert "echo-me" not in str(answer)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        case("H36", "fields", "&".join(["a=1"] * 1_001), 400, "The request has too many fields"),
        case("H36", "password", f"password={'x' * 2 * LIMIT}", 413, "The request is too large"),
    ],
)
def test_forms(body: str, status: int, detail: str, caller: Caller) -> None:
    """A form has few fields, and all of it is small."""
    answer = caller.ask("POST", "/auth/token", body, FORM, is_anonymous=True)
    assert answer.is_refused(status)
    assert answer.json() == {"detail": detail}


@pytest.mark.parametrize(
    "body",
    [
        case(
            "H36", "parts", 'Content-Disposition: form-data; name="a"\r\n\r\n1\r\n--b\r\n' * 1_001
        ),
        case("H36", "broken", "Content-Disposition: form-data; name=\xff"),
        case(
            "H36",
            "transfer",
            "Content-Transfer-Encoding: base64\r\n"
            'Content-Disposition: form-data; name="a"\r\n\r\n!!!\r\n--b--',
        ),
    ],
)
def test_multipart_forms(body: str, caller: Caller) -> None:
    """What cannot be taken apart is a bad request."""
    sent = f"--b\r\n{body}"
    kind = "multipart/form-data; boundary=b"
    assert caller.ask("POST", "/auth/token", sent, kind, is_anonymous=True).is_refused(400)


@pytest.mark.hostile("H36")
@pytest.mark.parametrize("boundary", ["", "; boundary=", '; boundary="'])
def test_multipart_without_a_boundary(boundary: str, caller: Caller) -> None:
    """H36: nothing says where its parts end."""
    kind = f"multipart/form-data{boundary}"
    answer = caller.ask("POST", "/auth/token", "--b", kind, is_anonymous=True)
    assert answer.is_refused(400)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "user_id",
    [
        case("H45", "largest", 2**63 - 1),
        case("H45", "overflow", 2**63),
        case("H45", "huge", 10**26),
        case("H45", "4301-digits", "1" * 4_301),
        case("H46", "zero", 0),
        case("H46", "negative", -1),
        case("H46", "arabic", "%D9%A1"),
        case("H46", "superscript", quote("¹")),
        case("H46", "float", "1.0"),
        case("H46", "hex", "0x1"),
        case("H46", "space", "%201"),
        case("H46", "underscore", "1_0"),
    ],
)
def test_ids(user_id: Any, method: str, caller: Caller) -> None:
    """What is no id of a user is not found."""
    body = '{"name": "X"}' if method == "PATCH" else ""
    assert caller.ask(method, f"/users/{user_id}", body).is_refused(404)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        case("H50", "list", "GET", "/users/", 200),
        case("H50", "one", "GET", "/users/me/", 200),
        case("H50", "post", "POST", "/users/", 422),
        case("H50", "token", "POST", "/auth/token/", 415),
        case("H50", "double", "GET", "/users//", 404),
        case("H50", "double-post", "POST", "/users//", 404),
        case("H50", "inner", "GET", "//users", 404),
        case("H50", "dots", "GET", "/users/..", 404),
    ],
)
def test_slashes(method: str, path: str, status: int, caller: Caller) -> None:
    """One at the end makes no difference, two are another path, and none is a redirect."""
    answer = caller.ask(method, path)
    assert answer.status == status
    if status == 404:
        assert answer.is_refused(404)
    else:
        assert answer.body == caller.ask(method, path.rstrip("/")).body


@pytest.mark.parametrize(
    "query",
    [
        case("H51", "zero", "limit=0"),
        case("H51", "negative", "limit=-1"),
        case("H51", "text", "limit=abc"),
        case("H51", "empty", "limit="),
        case("H51", "above", "limit=101"),
        case("H51", "twice", "limit=1&limit=1"),
        case("H51", "skip", "skip=10001"),
        case("H51", "arabic", f"limit={'%D9%A3%D9%A3'}"),
        case("H52", "huge", f"limit={10**9}"),
        case("H52", "huge-skip", f"skip={10**23}"),
        case("H52", "digits", f"skip={'1' * 5_000}"),
    ],
)
def test_pages(query: str, caller: Caller) -> None:
    """Whoever asks for too much hears so, and gets nothing."""
    assert caller.ask("GET", f"/users?{query}").is_refused(422)


@pytest.mark.cve("2025-64459")
@pytest.mark.parametrize(
    "query",
    [
        case("H57", "password", "order=password"),
        case("H57", "join", "order=-groups__permissions__codename"),
        case("H57", "lookup", "password__startswith=a"),
        case("H57", "connector", "_connector=OR 1=1 OR"),
        case("H57", "negated", "_negated=1"),
        case("H60", "page", f"page={10**23}"),
        case("H60", "unknown", "is_superuser=0&x[]=1&%5B=&=&;"),
    ],
)
def test_unknown_parameters(query: str, caller: Caller) -> None:
    """They are ignored: they neither filter nor sort."""
    plain = caller.ask("GET", "/users")
    answer = caller.ask("GET", f"/users?{quote(query, safe='=&%;')}")
    assert (answer.status, answer.body) == (200, plain.body)
    assert answer.headers["x-total-count"] == plain.headers["x-total-count"]


UNREADABLE = {
    "H58-nul": "a%00b",
    "H58-latin1": "%E9",
    "H58-overlong": "%C0%80",
    "H58-surrogate": "%ED%A0%80",
    "H58-beyond": "%F5%80%80%80",
    "H58-cut": "%F0%9F%98",
}


@pytest.mark.hostile("H58")
@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ("/api/users?q={}", "The query cannot be read"),
        ("/api/users?{}=1", "The query cannot be read"),
        ("/api/users/{}", "The path cannot be read"),
        ("/api/{}/", "The path cannot be read"),
        ("/api/docs?{}", "The query cannot be read"),
    ],
)
def test_addresses(target: str, detail: str, text: str, ask: Ask) -> None:
    """NUL, and what is not UTF-8, wherever it is."""
    answer = ask("GET", target.format(text))
    assert answer.is_refused(400)
    assert answer.json() == {"detail": detail}


@pytest.mark.rfc("6749", "5.2")
@pytest.mark.hostile("H32")
@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("field", ["username", "password", "scope", "grant_type"])
@pytest.mark.parametrize("is_multipart", [False, True])
def test_form_fields(is_multipart: bool, field: str, text: str, caller: Caller) -> None:
    """The same in a form, in the words that OAuth2 has for it (RFC 6749 §5.2)."""
    good = {"username": b"a", "password": b"b", "scope": b"me", "grant_type": b"password"}
    form = {**good, field: unquote_to_bytes(text)}
    if is_multipart:
        kind = "multipart/form-data; boundary=b"
        part = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        body = b"".join(part % (name.encode(), value) for name, value in form.items()) + b"--b--"
    else:
        kind, body = FORM, urlencode(form).encode()
    answer = caller.ask("POST", "/auth/token", body, kind, is_anonymous=True)
    assert answer.is_refused(400)
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.hostile("H58")
def test_addresses_outside_the_api_are_djangos(ask: Ask) -> None:
    """H58: the admin site has forms of its own to say it with."""
    assert ask("GET", "/nowhere%00?q=%00").status == 404


@pytest.mark.asvs("15.3.7")
@pytest.mark.rfc("8259", "4")
@pytest.mark.rfc("8259", "8.1")
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/users"), ("PATCH", "/users/1"), ("PATCH", "/users/me")]
)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        case("H62", "empty", "", 422),
        case("H62", "null", "null", 422),
        case("H62", "list", "[]", 422),
        case("H62", "string", '"x"', 422),
        case("H62", "number", "1", 422),
        case("H63", "truncated", '{"name": "Bo', 400),
        case("H63", "trailing", NEW + "x", 400),
        case("H63", "two", NEW + NEW, 400),
        case("H63", "single-quotes", NEW.replace('"', "'"), 400),
        case("H63", "comment", NEW + "// x", 400),
        case("H63", "invalid", b'{"name": "\xff"}', 400),
        case("H63", "latin-1", '{"name": "\xe9"}'.encode("latin-1"), 400),
        case("H64", "utf-16", NEW.encode("utf-16"), 400),
        case("H64", "utf-16-le", NEW.encode("utf-16-le"), 400),
        case("H64", "utf-32", NEW.encode("utf-32"), 400),
        case("H64", "utf-32-be", NEW.encode("utf-32-be"), 400),
        case("H64", "bom", b"\xef\xbb\xbf" + NEW.encode(), 400),
        case("H65", "twice", '{"name": "A", "name": "B"}', 400),
        case("H65", "escaped", r'{"name": "A", "n\u0061me": "B"}', 400),
        case("H65", "inner", '{"name": {"a": 1, "a": 1}}', 400),
        case("H66", "nan", '{"name": NaN}', 400),
        case("H66", "infinity", '{"name": -Infinity}', 400),
        case("H66", "1e999", '{"name": 1e999}', 422),
        case("H66", "digits", f'{{"name": {"1" * 4_301}}}', 400),
        case("H67", "40-levels", f'{{"name": {"[" * 40}{"]" * 40}}}', 400),
        case("H67", "arrays", "[" * 100_000 + "]" * 100_000, 400),
        case("H67", "objects", '{"a":' * 100_000 + "1" + "}" * 100_000, 400),
        case("H67", "open", "[" * 100_000, 400),
        case("H69", "value", r'{"name": "a\u0000b"}', 400),
        case("H69", "key", r'{"na\u0000me": "a"}', 400),
        case("H69", "inner", r'{"name": [{"a": "\u0000"}]}', 400),
        case("H69", "raw", '{"name": "a\x00b"}', 400),
        case("H69", "surrogate", r'{"name": "\ud800"}', 400),
        case("H69", "surrogate-key", r'{"\udc00": "a"}', 400),
        case("H69", "swapped", r'{"name": "\ude00\ud83d"}', 400),
    ],
)
def test_bodies(body: Any, status: int, method: str, path: str, caller: Caller) -> None:
    """400 for what is no JSON, 422 for what is no object, in our words."""
    path = path.replace("1", str(User.objects.get().pk))
    answer = caller.ask(method, path, body)
    assert answer.is_refused(status)
    detail = answer.json()["detail"]
    assert detail.startswith("The body ") if status == 400 else detail[0]["loc"][0] == "body"


@pytest.mark.parametrize(
    "body", [case("H10", "object", "{}"), case("H10", "broken", "{"), case("H10", "nul", "\x00")]
)
@pytest.mark.parametrize("content_type", ["application/json", "text/xml", "x/y; charset=utf-16"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/users"), ("PATCH", "/users/1")])
def test_who_asks_comes_first(
    body: str, content_type: str, method: str, path: str, caller: Caller
) -> None:
    """Whoever may not call hears so, whatever they sent."""
    answer = caller.ask(method, path, body, content_type, is_anonymous=True)
    assert answer.is_refused(401)


@pytest.mark.cve("2021-32677")
@pytest.mark.rfc("9110", "15.5.16")
@pytest.mark.parametrize(
    ("content_type", "headers", "status"),
    [
        case("H88", "text", "text/plain", {}, 415),
        case("H88", "xml", "application/xml", {}, 415),
        case("H88", "none", "", {}, 415),
        case("H88", "form", FORM, {}, 415),
        case("H88", "multipart", "multipart/form-data; boundary=b", {}, 415),
        case("H88", "javascript", "text/javascript", {}, 415),
        case("H88", "json-in-text", "text/plain; application/json", {}, 415),
        case("H88", "list", "text/plain, application/json", {}, 415),
        case("H88", "prefix", "application/jsonx", {}, 415),
        case("H88", "gzip", "application/json", {"Content-Encoding": "gzip"}, 415),
        case("H88", "identity", "application/json", {"Content-Encoding": "identity"}, 415),
        case("H89", "zzz", "application/json; charset=zzz", {}, 400),
        case("H89", "latin-1", "application/json; charset=iso-8859-1", {}, 400),
        case("H89", "utf-16", 'application/json; charset="utf-16"', {}, 400),
        case("H89", "empty", "application/json; charset=", {}, 400),
    ],
)
@pytest.mark.parametrize(("method", "path"), WITH_BODIES)
def test_content_types(
    content_type: str,
    headers: dict[str, str],
    status: int,
    method: str,
    path: str,
    caller: Caller,
) -> None:
    """Only what says that it is JSON in UTF-8 is read as such (CVE-2021-32677)."""
    assert caller.ask(method, path, NEW, content_type, headers=headers).is_refused(status)


@pytest.mark.hostile("H88")
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        'Application/JSON; Charset="UTF-8"',
        "application/vnd.api+json",
    ],
)
def test_content_types_of_json(content_type: str, caller: Caller) -> None:
    """H88: these all are."""
    assert caller.ask("POST", "/users", '{"name": 1}', content_type).is_refused(422)


@pytest.mark.rfc("9110", "15.5.14")
@pytest.mark.parametrize(
    "body",
    [
        case("H82", "password", f'{{"password": "{"x" * 2 * LIMIT}"}}'),
        case("H90", "json", f'{{"name": "{"x" * LIMIT}"}}'),
        case("H90", "white", " " * 2 * LIMIT),
    ],
)
@pytest.mark.parametrize(("method", "path"), WITH_BODIES)
def test_large_bodies(body: str, method: str, path: str, caller: Caller) -> None:
    """Refused by their size, also where nobody counted before Django."""
    answer = caller.ask(method, path, body)
    assert answer.is_refused(413)
    assert answer.json() == {"detail": "The request is too large"}


@pytest.mark.parametrize(
    "host",
    [
        case("H94", "other", "evil.example"),
        case("H94", "newline", "localhost\nX: y"),
        case("H94", "none", ""),
        case("H94", "path", "localhost/x"),
        case("H94", "user", "localhost@evil.example"),
        case("H94", "port", "localhost:port"),
        case("H94", "two", "localhost, evil.example"),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_hosts(host: str, debug: bool, ask: Ask, settings: Any) -> None:
    """Only the site's own names are."""
    settings.DEBUG = debug
    answer = ask("GET", "/api/users", {"Host": host})
    assert answer.is_refused(400)
    assert answer.json() == {"detail": "Bad Request"}


@pytest.mark.asvs("16.5.1")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        case("H97", "unknown", "GET", "/nowhere", 404),
        case("H97", "root", "POST", "/", 405),
        case("H97", "post", "POST", "/nowhere", 404),
        case("H97", "method", "PUT", "/users", 405),
        case("H97", "static", "GET", "/static/x", 404),
        case("H97", "percent", "GET", "/%25", 404),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_nothing_gives_away_what_it_runs_on(
    method: str, path: str, status: int, debug: bool, caller: Caller, settings: Any
) -> None:
    """JSON, and no word of versions, also while developing."""
    settings.DEBUG = debug
    answer = caller.ask(method, path)
    assert answer.is_refused(status)
    assert not {"server", "x-powered-by"} & answer.headers.keys()
    assert answer.json() == {"detail": {404: "Not Found", 405: "Method Not Allowed"}[status]}


@pytest.mark.hostile("H100")
@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/"])
def test_the_documentation_is_for_staff(path: str, caller: Caller, settings: Any) -> None:
    """H100: where it is not open, others are led to the log-in page."""
    settings.API_DOCS = "staff"
    answer = caller.ask("GET", path)  # a token is not a session
    assert answer.status == 302
    assert answer.headers["location"].startswith("/admin/login/?next=/api/")
    assert answer.body == b""


def test_answers_are_compared() -> None:
    """What the checks above refuse to pass."""
    headers = dict.fromkeys(
        ("x-content-type-options", "referrer-policy", "cross-origin-opener-policy"), ""
    )
    headers["content-type"] = "application/json"
    for body in (b'{"detail": "Traceback"}', b"{}"):
        with pytest.raises(AssertionError):
            Answer(400, headers, body).is_refused(400)
