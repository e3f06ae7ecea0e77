"""The requests that both sides of each sample are sent, by name."""

from __future__ import annotations

import json
from typing import Any

from tests.fastapi_docs.wire import FORM, JSON, Request

ANN = {"name": "Ann", "email": "ann@example.com"}
BOB = {"name": "Bob", "email": "bob@example.com"}

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


def get(target: str, *headers: tuple[str, str], body: bytes = b"") -> Request:
    return Request("GET", target, body, headers)


def post(
    body: Any, target: str = "/users/", *headers: tuple[str, str], content_type: str | None = None
) -> Request:
    """Return a POST of *body* as JSON, or as it is if it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = JSON if content_type is None else ("content-type", content_type)
    return Request("POST", target, content, (kind, *headers) if kind[1] else headers)


def bearer(token: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {token}")


def log_in(form: str, *headers: tuple[str, str]) -> Request:
    return Request("POST", "/token", form.encode(), (FORM, *headers))


def other_methods(target: str, *routed: str) -> dict[str, Request]:
    return {
        f"{method} {target}": Request(method, target) for method in METHODS if method not in routed
    }


SECURE = "/secure-data/"

SECURE_DATA = {
    "no token": get(SECURE),
    "a question mark only": get(f"{SECURE}?"),
    "right token": get(f"{SECURE}?token=test123"),
    "wrong token": get(f"{SECURE}?token=wrong"),
    "empty token": get(f"{SECURE}?token="),
    "token without an equals sign": get(f"{SECURE}?token"),
    "wrong, then right": get(f"{SECURE}?token=wrong&token=test123"),
    "right, then wrong": get(f"{SECURE}?token=test123&token=wrong"),
    "right, then empty": get(f"{SECURE}?token=test123&token="),
    "right twice": get(f"{SECURE}?token=test123&token=test123"),
    "right among others": get(f"{SECURE}?a=1&token=test123&b=&c"),
    "right, then an ampersand": get(f"{SECURE}?token=test123&"),
    "right, then a semicolon": get(f"{SECURE}?token=test123;token=wrong"),
    "right in capitals": get(f"{SECURE}?token=TEST123"),
    "right but for a blank before": get(f"{SECURE}?token=%20test123"),
    "right but for a blank after": get(f"{SECURE}?token=test123+"),
    "right but for a line feed": get(f"{SECURE}?token=test123%0A"),
    "right but for a NUL": get(f"{SECURE}?token=test123%00"),
    "right, percent-encoded": get(f"{SECURE}?token=%74est123"),
    "right, its name percent-encoded": get(f"{SECURE}?%74oken=test123"),
    "wrong under a name in capitals": get(f"{SECURE}?TOKEN=wrong"),
    "wrong under a name with brackets": get(f"{SECURE}?token[]=wrong"),
    "wrong and not ASCII": get(f"{SECURE}?token=%C3%A9%F0%9F%98%80"),
    "wrong and not UTF-8": get(f"{SECURE}?token=%FF"),
    "wrong and not percent-encoded well": get(f"{SECURE}?token=%zz"),
    "wrong and long": get(f"{SECURE}?token={'x' * 10_000}"),
    "wrong in a header": get(SECURE, ("token", "wrong")),
    "wrong in a cookie": get(SECURE, ("cookie", "token=wrong")),
    "wrong in the body": get(SECURE, JSON, body=b'{"token": "wrong"}'),
    "wrong in a form": get(SECURE, FORM, body=b"token=wrong"),
    "wrong as a bearer token": get(SECURE, bearer("wrong")),
    "broken JSON in the body": get(SECURE, JSON, body=b"{broken"),
    "right, and headers that do not matter": get(
        f"{SECURE}?token=test123",
        ("accept", "text/html"),
        ("accept-language", "de"),
        ("cookie", "sessionid=x; csrftoken=y; =; broken"),
        ("x-http-method-override", "DELETE"),
        ("x-forwarded-for", "10.0.0.1"),
        ("if-none-match", "*"),
        ("range", "bytes=0-1"),
    ),
    **other_methods(SECURE, "GET"),
    "no slash": get("/secure-data"),
    "no slash, wrong token": get("/secure-data?token=wrong"),
    "two slashes": get("/secure-data//"),
    "two slashes before": get("//secure-data/"),
    "more behind it": get("/secure-data/more"),
    "in capitals": get("/SECURE-DATA/"),
    "path percent-encoded": get("/secure%2Ddata/"),
    "a slash percent-encoded": get("/secure-data%2F"),
    "a dot": get("/./secure-data/"),
    "a path that is not UTF-8": get("/secure-data%FF/"),
    "the root": get("/"),
    "an unknown path": get("/nowhere/"),
    "an unknown path, no slash": get("/nowhere"),
    "POST to an unknown path": post({}, "/nowhere/"),
}

USER_CRUD: dict[str, list[Request]] = {
    "nobody yet": [get("/users/")],
    "create": [post(ANN)],
    "create, then list": [post(ANN), post(BOB), get("/users/")],
    "fields in another order": [post({"email": "ann@example.com", "name": "Ann"}), get("/users/")],
    "many": [
        *(post({"name": f"User {n}", "email": f"user{n}@example.com"}) for n in range(40)),
        get("/users/"),
    ],
    "no paging": [post(ANN), post(BOB), get("/users/?skip=1&limit=1"), get("/users/?limit=a")],
    "one name, two addresses": [post(ANN), post({**BOB, "name": "Ann"}), get("/users/")],
    "an address in capitals is another": [
        post(ANN),
        post({**ANN, "email": "ANN@EXAMPLE.COM"}),
        get("/users/"),
    ],
    "duplicate": [post(ANN), post({**ANN, "name": "Eve"})],
    "duplicate, then list": [post(ANN), post({**ANN, "name": "Eve"}), get("/users/")],
    "duplicate with a wrong token": [post(ANN), post(ANN, "/users/?token=wrong"), get("/users/")],
    "duplicate that is no user": [post(ANN), post({"email": "ann@example.com"}), get("/users/")],
    "create, right token": [post(ANN, "/users/?token=test123"), get("/users/")],
    "create, wrong token": [post(ANN, "/users/?token=wrong"), get("/users/")],
    "create, empty token": [post(ANN, "/users/?token="), get("/users/")],
    "create, wrong then right token": [post(ANN, "/users/?token=a&token=test123"), get("/users/")],
    "create, right then wrong token": [post(ANN, "/users/?token=test123&token=a"), get("/users/")],
    "create, token in the body": [post({**ANN, "token": "wrong"}), get("/users/")],
    "create, token in a header": [post(ANN, "/users/", ("token", "wrong")), get("/users/")],
    "create, wrong token and a bad body": [post({"name": 1}, "/users/?token=wrong")],
    "create, wrong token and no body": [post(b"", "/users/?token=wrong")],
    "create, wrong token and broken JSON": [post(b"{broken", "/users/?token=wrong")],
    "list, right token": [post(ANN), get("/users/?token=test123")],
    "list, wrong token": [post(ANN), get("/users/?token=wrong")],
    "list, empty token": [post(ANN), get("/users/?token=")],
    "list, wrong then right token": [post(ANN), get("/users/?token=a&token=test123")],
    "list, right then wrong token": [post(ANN), get("/users/?token=test123&token=a")],
    "list, with a body": [post(ANN), get("/users/", JSON, body=b"{broken")],
    "no name": [post({"email": "ann@example.com"}), get("/users/")],
    "no email": [post({"name": "Ann"}), get("/users/")],
    "no fields": [post({}), get("/users/")],
    "other fields only": [post({"Name": "Ann", "e-mail": "a"}), get("/users/")],
    "a field more": [post({**ANN, "admin": True, "address": {"city": "x"}}), get("/users/")],
    "an id of its own": [post({**ANN, "id": 7}), get("/users/")],
    "under the parameter's name": [post({"user": ANN}), get("/users/")],
    **{
        f"{field} is {value!r}": [post({**ANN, field: value}), get("/users/")]
        for field in ANN
        for value in (None, 1, 1.5, True, [], ["a"], {}, {"a": "b"})
    },
    "both wrong": [post({"name": None, "email": 1}), get("/users/")],
    "both empty": [post({"name": "", "email": ""}), get("/users/")],
    "both blank": [post({"name": " ", "email": "\n"}), get("/users/")],
    "an address that is none": [post({"name": "Ann", "email": "ann"}), get("/users/")],
    "not ASCII": [
        post({"name": "é😀 日本", "email": "ü@example.com"}),
        post('{"name": "é", "email": "é"}'.encode()),
        get("/users/"),
    ],
    "markup, quotes, backslashes": [
        post({"name": "<b>&'\"\\/</b>", "email": "\u2028\t%s{}"}),
        get("/users/"),
    ],
    "long": [post({"name": "x" * 70_000, "email": "y" * 2_000}), get("/users/")],
    "a key twice": [post(b'{"name": "A", "email": "a", "name": "B"}'), get("/users/")],
    "half a surrogate pair": [post(b'{"name": "\\ud800", "email": "a"}'), get("/users/")],
    "NUL": [post({"name": "a\0b", "email": "c"})],
    "blanks around the JSON": [post(b' \n{"name": "Ann", "email": "a"}\t '), get("/users/")],
    "no body": [post(b""), get("/users/")],
    "no body, no type": [post(b"", content_type=""), get("/users/")],
    **{
        f"the body is {body.decode()}": [post(body), get("/users/")]
        for body in (b"null", b"true", b"1", b'"Ann"', b"[]", b'["Ann", "a"]')
    },
    "a list of one": [post([ANN]), get("/users/")],
    **{
        f"broken JSON: {body!r}": [post(body), get("/users/")]
        for body in (
            b"{broken",
            b'{"name": "Ann"',
            b'{"name": "Ann", "email": "a",}',
            b"{'name': 'Ann', 'email': 'a'}",
            b'{"name": "Ann", "email": "a"} more',
            b" ",
            b"name=Ann&email=a",
            b"\xff",
        )
    },
    "NaN": [post(b'{"name": NaN, "email": "a"}'), get("/users/")],
    "a byte order mark": [post(b"\xef\xbb\xbf" + json.dumps(ANN).encode()), get("/users/")],
    "UTF-16": [post(json.dumps(ANN).encode("utf-16")), get("/users/")],
    **{
        f"JSON as {kind or 'nothing'}": [post(ANN, content_type=kind)]
        for kind in (
            "application/json; charset=utf-8",
            "APPLICATION/JSON",
            "application/vnd.api+json",
            "text/plain",
            "text/json",
            "application/octet-stream",
            "application/x-www-form-urlencoded",
            "nonsense",
            "",
        )
    },
    "a form": [post(b"name=Ann&email=a", content_type=FORM[1]), get("/users/")],
    "headers that do not matter": [
        post(
            ANN,
            "/users/",
            ("accept", "text/html"),
            ("cookie", "sessionid=x; token=wrong"),
            ("origin", "https://elsewhere.example"),
            ("x-csrftoken", "x"),
            ("authorization", "Bearer x"),
        ),
        get("/users/", ("accept", "application/xml"), ("cookie", "id=1")),
    ],
    **{name: [request] for name, request in other_methods("/users/", "GET", "POST").items()},
    "PUT with a wrong token": [Request("PUT", "/users/?token=wrong")],
    "list, no slash": [get("/users")],
    "create, no slash": [post(ANN, "/users"), get("/users/")],
    "one user": [post(ANN), get("/users/1")],
    "one user, with a slash": [post(ANN), get("/users/1/")],
    "an unknown path": [get("/nowhere/"), post(ANN, "/nowhere/")],
}

ITEMS_PATH = "/items/"
NUMBERS = (
    *("0", "5", "-1", "007", "%2B5", "-0", "1_000", "%20 7", "5%20", "%D9%A1", "1.0", "1.5"),
    *("", "a", "null", "true", "0x1", "1e3", "--1", "%00", "9223372036854775808", "9" * 40),
    "9" * 5_000,
)

ITEMS = {
    "defaults": get(ITEMS_PATH),
    "all given": get(f"{ITEMS_PATH}?q=foo&skip=1&limit=2"),
    "all given, in another order": get(f"{ITEMS_PATH}?limit=2&q=foo&skip=1"),
    "q": get(f"{ITEMS_PATH}?q=foo"),
    "q is empty": get(f"{ITEMS_PATH}?q="),
    "q without an equals sign": get(f"{ITEMS_PATH}?q"),
    "q is null": get(f"{ITEMS_PATH}?q=null"),
    "q is a number": get(f"{ITEMS_PATH}?q=1"),
    "q with blanks": get(f"{ITEMS_PATH}?q=a+b%20c"),
    "q is not ASCII": get(f"{ITEMS_PATH}?q=%C3%A9%F0%9F%98%80"),
    "q is not UTF-8": get(f"{ITEMS_PATH}?q=%FF"),
    "q is markup": get(f"{ITEMS_PATH}?q=%3Cb%3E%26%22%27%5C%2F"),
    "q has an ampersand": get(f"{ITEMS_PATH}?q=a%26skip%3D1"),
    "q has control characters": get(f"{ITEMS_PATH}?q=%00%01%1F%7F%0A"),
    "q is long": get(f"{ITEMS_PATH}?q={'x' * 10_000}"),
    "q twice": get(f"{ITEMS_PATH}?q=a&q=b"),
    "q twice, the last empty": get(f"{ITEMS_PATH}?q=a&q="),
    **{
        f"{name}={value[:25]}": get(f"{ITEMS_PATH}?{name}={value}")
        for name in ("skip", "limit")
        for value in NUMBERS
    },
    "skip twice": get(f"{ITEMS_PATH}?skip=1&skip=2"),
    "skip twice, the first wrong": get(f"{ITEMS_PATH}?skip=a&skip=2"),
    "skip twice, the last wrong": get(f"{ITEMS_PATH}?skip=1&skip=a"),
    "both numbers wrong": get(f"{ITEMS_PATH}?skip=a&limit=b"),
    "both numbers wrong, in another order": get(f"{ITEMS_PATH}?limit=b&skip=a"),
    "names in capitals": get(f"{ITEMS_PATH}?Q=a&SKIP=1&Limit=2"),
    "names with brackets": get(f"{ITEMS_PATH}?q[]=a&skip[0]=1"),
    "unknown parameters": get(f"{ITEMS_PATH}?unknown=1&commons=2&request=3"),
    "in headers and cookies": get(ITEMS_PATH, ("skip", "1"), ("cookie", "limit=2; q=a")),
    "in the body": get(ITEMS_PATH, JSON, body=b'{"q": "a", "skip": 1}'),
    **other_methods(ITEMS_PATH, "GET"),
    "no slash": get("/items"),
    "no slash, a wrong number": get("/items?skip=a"),
    "more behind it": get("/items/1"),
    "an unknown path": get("/nowhere/"),
}

OWN = "/users/me/items/"
JOHN = "johndoe.me.items"
LOGIN = "username=johndoe&password=secret"

OWN_ITEMS = {
    "both scopes": get(OWN, bearer(JOHN)),
    "both scopes, in another order": get(OWN, bearer("johndoe.items.me")),
    "scopes more than needed": get(OWN, bearer("johndoe.me.items.users")),
    "scopes twice": get(OWN, bearer("johndoe.me.me.items.items")),
    "no scope": get(OWN, bearer("johndoe")),
    "only me": get(OWN, bearer("johndoe.me")),
    "only items": get(OWN, bearer("johndoe.items")),
    "scopes in capitals": get(OWN, bearer("johndoe.ME.ITEMS")),
    "inactive": get(OWN, bearer("alice.me.items")),
    "inactive, without the scopes": get(OWN, bearer("alice")),
    "unknown user": get(OWN, bearer("nobody.me.items")),
    "garbage": get(OWN, bearer("garbage")),
    "only dots": get(OWN, bearer("..")),
    "long": get(OWN, bearer("x" * 10_000)),
    "no header": get(OWN),
    "empty header": get(OWN, ("authorization", "")),
    "blank header": get(OWN, ("authorization", " ")),
    "the scheme only": get(OWN, ("authorization", "Bearer")),
    "the scheme and a blank": get(OWN, ("authorization", "Bearer ")),
    "the token only": get(OWN, ("authorization", JOHN)),
    "no blank": get(OWN, ("authorization", f"Bearer{JOHN}")),
    "two blanks": get(OWN, ("authorization", f"Bearer  {JOHN}")),
    "a tab": get(OWN, ("authorization", f"Bearer\t{JOHN}")),
    "a blank after": get(OWN, ("authorization", f"Bearer {JOHN} ")),
    "a blank before": get(OWN, ("authorization", f" Bearer {JOHN}")),
    "a word more": get(OWN, ("authorization", f"Bearer {JOHN} more")),
    "small letters": get(OWN, ("authorization", f"bearer {JOHN}")),
    "capitals": get(OWN, ("authorization", f"BEARER {JOHN}")),
    "Basic": get(OWN, ("authorization", "Basic am9obmRvZTpzZWNyZXQ=")),
    "Digest": get(OWN, ("authorization", 'Digest username="johndoe"')),
    "not ASCII": get(OWN, ("authorization", "Bearer johnd\xf6e")),
    "two headers, the first good": get(OWN, bearer(JOHN), bearer("garbage")),
    "two headers, the last good": get(OWN, bearer("garbage"), bearer(JOHN)),
    "in the query": get(f"{OWN}?access_token={JOHN}&token={JOHN}&authorization=Bearer+{JOHN}"),
    "in a cookie": get(OWN, ("cookie", f"token={JOHN}; authorization=Bearer {JOHN}")),
    "in another header": get(OWN, ("x-authorization", f"Bearer {JOHN}"), ("token", JOHN)),
    "in the body": get(OWN, FORM, body=f"access_token={JOHN}".encode()),
    "scopes in the query": get(f"{OWN}?scopes=me&security_scopes=items", bearer("johndoe")),
    **other_methods(OWN, "GET"),
    "no slash": get("/users/me/items", bearer(JOHN)),
    "no slash, no token": get("/users/me/items"),
    "another user": get("/users/you/items/", bearer(JOHN)),
    "log in": log_in(LOGIN),
    "log in, as the RFC has it": log_in(f"grant_type=password&{LOGIN}&scope="),
    "log in with scopes": log_in(f"{LOGIN}&scope=me+items"),
    "log in with scopes and blanks": log_in(f"{LOGIN}&scope=++items+++me+"),
    "log in, inactive": log_in("username=alice&password=secret2&scope=me"),
    "log in, wrong password": log_in("username=johndoe&password=wrong"),
    "log in, unknown": log_in("username=nobody&password=secret"),
    "log in, password of another": log_in("username=johndoe&password=secret2"),
    "log in, no username": log_in("password=secret"),
    "log in, no password": log_in("username=johndoe"),
    "log in, empty fields": log_in("username=&password="),
    "log in, other grant": log_in(f"grant_type=refresh_token&{LOGIN}"),
    "log in, empty grant": log_in(f"grant_type=&{LOGIN}"),
    "log in, twice the same field": log_in(f"{LOGIN}&password=wrong"),
    "log in, other fields": log_in(f"{LOGIN}&client_id=a&client_secret=b&more=c"),
    "log in, not ASCII": log_in("username=johnd%C3%B6e&password=secret"),
    "log in, nothing": log_in(""),
    "log in, JSON": post({"username": "johndoe", "password": "secret"}, "/token"),
    "log in, in the query": Request("POST", f"/token?{LOGIN}"),
    "log in, multipart": post(
        b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\njohndoe\r\n'
        b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nsecret\r\n--x--\r\n',
        "/token",
        content_type="multipart/form-data; boundary=x",
    ),
    **other_methods("/token", "POST"),
    "log in, with a slash": log_in(LOGIN)._replace(target="/token/"),
}
