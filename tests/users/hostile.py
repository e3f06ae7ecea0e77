"""What an attacker may try: each case arranges its own world and returns the attempt.

The ids are those of the project's list of hostile input. A case says what must come back;
`tests.users.test_hostile` checks that, and what must hold after every one of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.users.conftest import PASSWORD, Api, Browser, login, make_user
from users import crud, tokens
from users.models import AccessToken, User

REALM = 'Bearer realm="api"'
MALFORMED = f'{REALM}, error="invalid_request"'
INVALID = (
    f'{REALM}, error="invalid_token", error_description="The access token is invalid or expired"'
)
ANONYMOUS = {"detail": "Not authenticated"}
REJECTED = {"detail": "The access token is invalid or expired"}
DENIED = {"detail": "Permission denied"}
FOREIGN = {"detail": "CSRF check failed"}
MISSING = {"detail": "User not found"}
TAKEN = {"detail": "A user with this email already exists"}
MANY = {"detail": "Too many requests"}

NEW = {"name": "Bob", "email": "bob@example.com"}
NEW_PASSWORD = "another long passphrase"
FORM = {"username": "ann@example.com", "password": PASSWORD}
WRONG = {**FORM, "password": "wrong passphrase"}

Attempt = Callable[[], HttpResponse]


class People:
    """Who is there, and settings that hold for one case."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        permissions = ("add_user", "change_user", "delete_user", "view_user")
        self.ann = make_user("ann@example.com", name="Ann")
        self.manager = make_user("manager@example.com", *permissions, name="Manager")
        self.root = User.objects.create_superuser("root@example.com", PASSWORD, name="Root")


@dataclass(frozen=True, slots=True)
class Case:
    """One attempt, and what comes of it.

    Attributes:
        body: the whole JSON answer; None where it is only the status that counts.
        fields: of a 422, the last parts of the places that are wrong.
        queries: how many the attempt may cost, if it matters.
        hashes: how many passwords it hashes, if it matters.
    """

    id: str
    arrange: Callable[[People], Attempt]
    status: int
    body: Any = None
    challenge: str | None = None
    fields: frozenset[Any] | None = None
    queries: int | None = None
    hashes: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


CASES: list[Case] = []


def case(
    case_id: str, status: int, body: Any = None, *, over: Iterable[Any] = (), **expected: Any
) -> Callable[[Any], Any]:
    """Register a function as the case *case_id*, once for each value of *over*."""

    def register(arrange: Any) -> Any:
        values = list(over)
        for number, value in enumerate(values):
            CASES.append(
                Case(
                    f"{case_id}-{number}",
                    lambda people, value=value: arrange(people, value),
                    status,
                    body,
                    **expected,
                )
            )
        if not values:
            CASES.append(Case(case_id, arrange, status, body, **expected))
        return arrange

    return register


def bearing(text: str) -> Api:
    """Return a client with this token."""
    api = Api()
    api.headers["Authorization"] = f"Bearer {text}"
    return api


def token_of(api: Api) -> AccessToken:
    """Return the row of a client's token."""
    recognized = tokens.recognize(api.text)
    assert recognized is not None
    return AccessToken.objects.get(key=recognized.key)


def signed(body: str) -> str:
    """Return a token whose checksum is right."""
    return body + tokens._checksum(body)


# Credentials

READS = ["/users", "/users/1", "/users/me", "/users/me/items", "/auth/tokens"]


@case("H01", 401, ANONYMOUS, challenge=REALM, over=READS)
def no_credentials(people: People, path: str) -> Attempt:
    return lambda: Api().get(path)


@case("H02", 401, ANONYMOUS, challenge=REALM, over=["", "Basic YTpi", "Bearerx", "Token"])
def no_bearer(people: People, header: str) -> Attempt:
    return lambda: Api().get("/users", headers={"Authorization": header})


@case(
    *("H03", 400, {"detail": "Malformed credentials"}),
    challenge=MALFORMED,
    over=["Bearer", "Bearer ", "bearer\t", "Bearer a b", 'Bearer "a"', "Bearer ="],
)
def no_token(people: People, header: str) -> Attempt:
    return lambda: Api().get("/users", headers={"Authorization": header})


@case(
    *("H05", 400, {"detail": "Malformed credentials"}), challenge=MALFORMED, over=[",", ", ", " ,"]
)
def two_tokens(people: People, comma: str) -> Attempt:
    one, two = (Api(people.root).headers["Authorization"] for _ in range(2))
    return lambda: Api().get("/users", headers={"Authorization": f"{one}{comma}{two}"})


@case("H07", 200, over=["bEaReR", "BEARER ", "bearer   "])
def any_case(people: People, scheme: str) -> Attempt:
    text = Api(people.root).text
    return lambda: Api().get("/users", headers={"Authorization": f"{scheme} {text}"})


@case("H10", 401, ANONYMOUS, challenge=REALM, over=["{}", "{broken", "[]", "", b"\xff", '"x"'])
def anonymous_body(people: People, body: Any) -> Attempt:
    return lambda: Api().post("/users", body)


@case("H11", 401, REJECTED, challenge=INVALID, queries=1)
def forged_secret(people: People) -> Attempt:
    key = token_of(Api(people.root)).key
    forged = bearing(signed(f"dnt_{key}_{tokens.generate().text[17:-6]}"))
    return lambda: forged.get("/users")


@case("H12", 401, REJECTED, challenge=INVALID, queries=1)
def unknown_key(people: People) -> Attempt:
    return lambda: bearing(tokens.generate().text).get("/users")


@case("H13", 401, REJECTED, challenge=INVALID, queries=0, over=range(9))
def no_token_of_ours(people: People, kind: int) -> Attempt:
    text = Api(people.root).text
    wrong = [
        *(text[:-1] + ("0" if text[-1] != "0" else "1"), text[:-1], text + "0"),
        *(f"ghp{text[3:]}", text.swapcase(), text[::-1], "x", "x" * 10_000, "é" * 66),
    ]
    return lambda: bearing(wrong[kind]).get("/users")


@case("H14", 401, REJECTED, challenge=INVALID, queries=1)
def expired(people: People) -> Attempt:
    api = Api(people.root)
    AccessToken.objects.update(expires_at=timezone.now())
    return lambda: api.get("/users")


@case(
    "H15", 401, REJECTED, challenge=INVALID, queries=1, over=["row", "key", "all", "text", "page"]
)
def revoked(people: People, how: str) -> Attempt:
    api, other = Api(people.root), Api(people.root)
    row = token_of(api)
    if how == "row":
        AccessToken.objects.update(revoked_at=timezone.now())
    elif how == "key":
        assert other.delete(f"/auth/tokens/{row.key}").status_code == 204
    elif how == "all":
        assert other.delete("/auth/tokens").status_code == 204
    elif how == "text":
        assert other.form("/auth/revoke", {"token": api.text}).status_code == 200
    else:
        page = Client()
        page.force_login(people.root)
        data = {"action": "revoke", "_selected_action": [row.pk]}
        page.post(reverse("admin:users_accesstoken_changelist"), data)
    return lambda: api.get("/users")


@case(
    *("H16", 401, REJECTED),
    challenge=INVALID,
    queries=1,
    over=["api", "manager", "admin", "changepassword", "shell", "update"],
)
def old_password(people: People, how: str) -> Attempt:
    ann = people.ann
    api = Api(ann)
    if how == "api":
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert Browser(ann).post("/auth/password", body).status_code == 204
    elif how == "manager":
        manager = Api(people.manager)
        assert manager.patch(f"/users/{ann.pk}", {"password": NEW_PASSWORD}).status_code == 200
    elif how == "admin":
        page = Client()
        page.force_login(people.root)
        form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
        page.post(reverse("admin:auth_user_password_change", args=[ann.pk]), form)
    elif how == "changepassword":
        from unittest.mock import patch

        with patch("getpass.getpass", return_value=NEW_PASSWORD):
            call_command("changepassword", ann.email, verbosity=0)
    elif how == "shell":
        ann.set_password(NEW_PASSWORD)
        ann.save()
    else:
        User.objects.filter(pk=ann.pk).update(password=make_password(NEW_PASSWORD))
    return lambda: api.get("/users/me")


@case("H17", 401, REJECTED, challenge=INVALID, queries=1, over=["row", "api", "api and back"])
def deactivated(people: People, how: str) -> Attempt:
    api = Api(people.ann)
    if how == "row":
        User.objects.filter(pk=people.ann.pk).update(is_active=False)
    else:
        for is_active in (False, True)[: 2 if "back" in how else 1]:
            manager = Api(people.manager)
            changed = manager.patch(f"/users/{people.ann.pk}", {"is_active": is_active})
            assert changed.status_code == 200
    return lambda: api.get("/users/me")


@case("H17s", 401, ANONYMOUS, challenge=REALM)
def deactivated_in_a_browser(people: People) -> Attempt:
    api = Browser(people.ann)
    for is_active in (False, True):
        changed = Api(people.manager).patch(f"/users/{people.ann.pk}", {"is_active": is_active})
        assert changed.status_code == 200
    return lambda: api.get("/users/me")


@case("H18", 401, REJECTED, challenge=INVALID, queries=1)
def deleted(people: People) -> Attempt:
    api = Api(people.ann)
    assert Api(people.root).delete(f"/users/{people.ann.pk}").status_code == 204
    return lambda: api.get("/users/me")


@case("H19", 200)
def rehashed(people: People) -> Attempt:
    people.settings.PASSWORD_HASHERS = [
        *people.settings.PASSWORD_HASHERS,
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
    people.ann.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    people.ann.save()
    api = Api(people.ann)
    assert login(FORM).status_code == 200
    assert User.objects.get(pk=people.ann.pk).password != people.ann.password
    return lambda: api.get("/users/me")


# Scopes and permissions


def missing(scope: str) -> dict[str, str]:
    return {"detail": f"Not enough permissions: the token lacks {scope}"}


def lacking(scope: str) -> str:
    return f'{REALM}, error="insufficient_scope", scope="{scope}"'


@case("H21", 403, missing("users:write"), challenge=lacking("users:write"), over=["post", "patch"])
def write_with_read(people: People, method: str) -> Attempt:
    path = "/users" if method == "post" else f"/users/{people.ann.pk}"
    return lambda: Api(people.root, "users:read").request(method, path, NEW)


@case("H21d", 403, missing("users:delete"), challenge=lacking("users:delete"))
def delete_with_write(people: People) -> Attempt:
    return lambda: Api(people.root, "users:read users:write").delete(f"/users/{people.ann.pk}")


@case(
    "H21a",
    403,
    missing("users:admin"),
    challenge=lacking("users:admin"),
    over=["is_staff", "is_superuser"],
)
def privilege_with_write(people: People, name: str) -> Attempt:
    api = Api(people.root, "users:write")
    return lambda: api.patch(f"/users/{people.ann.pk}", {name: True})


@case("H22", 403, DENIED, over=["user", "group", "superuser"])
def no_longer_permitted(people: People, how: str) -> Attempt:
    user = people.root if how == "superuser" else people.manager
    if how == "group":
        user = people.ann
        group = Group.objects.create(name="readers")
        group.permissions.add(
            Permission.objects.get(codename="view_user", content_type__app_label="users")
        )
        user.groups.add(group)
    api = Api(user)
    assert api.get("/users").status_code == 200
    user.user_permissions.clear()
    user.groups.clear()
    User.objects.filter(pk=user.pk).update(is_superuser=False)
    return lambda: api.get("/users")


@case("H24", 401, ANONYMOUS, challenge=REALM, over=["query", "form", "json", "cookie", "header"])
def token_elsewhere(people: People, where: str) -> Attempt:
    text = Api(people.root).text
    api = Api()
    if where == "cookie":
        for name in ("access_token", "sessionid", "Authorization"):
            api.client.cookies[name] = text
    if where == "header":
        api.headers = {"X-Access-Token": text, "X-Authorization": f"Bearer {text}"}
    sends: dict[str, Attempt] = {
        "query": lambda: api.get(f"/users?access_token={text}&token={text}"),
        "form": lambda: api.form("/auth/revoke", {"access_token": text, "token": text}),
        "json": lambda: api.post("/users", {**NEW, "access_token": text}),
    }
    return sends.get(where, lambda: api.get("/users"))


@case("H25", 401, REJECTED, challenge=INVALID, over=["get", "patch"])
def bad_bearer_good_cookie(people: People, method: str) -> Attempt:
    api = Browser(people.root)
    api.headers["Authorization"] = f"Bearer {tokens.generate().text}"
    return lambda: api.request(method, "/users/me", {"name": "X"} if method == "patch" else None)


@case("H27", 403, FOREIGN, over=["none", "wrong", "origin", "text", "form", "override"])
def forged_by_another_site(people: People, how: str) -> Attempt:
    api = Browser(people.root)
    if how == "origin":
        api.headers["Origin"] = "https://evil.example"
    elif how == "wrong":
        api.headers["X-CSRFToken"] = "x" * 64
    else:
        del api.headers["X-CSRFToken"]
    if how == "form":
        return lambda: api.form("/auth/revoke", {"token": "x"})
    if how == "override":
        api.headers["X-HTTP-Method-Override"] = "GET"
    content_type = "text/plain" if how == "text" else "application/json"
    return lambda: api.post("/users", NEW, content_type=content_type)


# Logging in

REFUSED = {
    "detail": "Incorrect username or password",
    "error": "invalid_grant",
    "error_description": "Incorrect username or password",
}


@case(
    "H31", 400, REFUSED, hashes=1, over=["unknown", "wrong", "inactive", "unusable", "no address"]
)
def nobody(people: People, kind: str) -> Attempt:
    make_user("inactive@example.com", is_active=False)
    make_user("unusable@example.com", password=None)
    form = WRONG if kind == "wrong" else {**FORM, "username": f"{kind}@example.com"}
    return lambda: login(form)


def bad_form(text: str, error: str = "invalid_request") -> dict[str, str]:
    return {"detail": text, "error": error, "error_description": text}


UNREADABLE = bad_form("A field cannot be read")


@case(
    *("H32", 400, UNREADABLE),
    queries=0,
    hashes=0,
    over=[
        *("username=a%00b&password=x", "username=a&password=x%00", "username=a&password=%00"),
        *("username=a&password=x&scope=%00", "username=%ff&password=x", "username=a&password=%c3"),
        "username=%ed%a0%80&password=x",
    ],
)
def unreadable_form(people: People, form: str) -> Attempt:
    return lambda: login(form)


@case("H34", 415, {"detail": "Send a form"}, hashes=0, over=["application/json", "text/plain", "x"])
def no_form(people: People, content_type: str) -> Attempt:
    return lambda: login('{"username": "a", "password": "b"}', content_type=content_type)


@case(
    *("H34m", 400, bad_form("username and password are required")),
    queries=0,
    hashes=0,
    over=[
        *("x=", "username=a", "password=x", "username=&password=x", "username=a&password="),
        "USERNAME=a&PASSWORD=x",
    ],
)
def missing_field(people: People, form: str) -> Attempt:
    return lambda: login(form)


@case(
    *("H35", 400, bad_form("A field is given twice")),
    queries=0,
    hashes=0,
    over=["username", "password", "scope", "grant_type"],
)
def repeated_field(people: People, name: str) -> Attempt:
    return lambda: login({**FORM, "grant_type": "password", "scope": "me", name: ["a", "a"]})


@case("H36", 400, bad_form("The password is too long"), queries=0, hashes=0)
def endless_password(people: People) -> Attempt:
    return lambda: login({**FORM, "password": "x" * 4_097})


@case(
    *("H37", 400, bad_form("Only the grant type password is known", "unsupported_grant_type")),
    queries=0,
    hashes=0,
    over=["client_credentials", "refresh_token", "Password", " password", "x" * 10_000],
)
def other_grant(people: People, kind: str) -> Attempt:
    return lambda: login({**FORM, "grant_type": kind})


@case("H38", 200, over=["me users:admin", "users:write me users:read", ""])
def too_much_scope(people: People, scope: str) -> Attempt:
    def attempt() -> HttpResponse:
        response = login({**FORM, "scope": scope})
        assert response.json()["scope"] == "me"  # type: ignore[attr-defined]
        return response

    return attempt


@case(
    *("H38m", 400, bad_form("The scope is malformed", "invalid_scope")),
    queries=0,
    hashes=0,
    over=["x" * 10_240, 'me"', "me\\", "me  items", " me", "me\r\nX: y", "mé"],
)
def malformed_scope(people: People, scope: str) -> Attempt:
    return lambda: login({**FORM, "scope": scope})


@case(
    *("H38u", 400, bad_form("The scope is unknown", "invalid_scope")),
    queries=0,
    hashes=0,
    over=["everything", "ME", "me users:*", "users"],
)
def unknown_scope(people: People, scope: str) -> Attempt:
    return lambda: login({**FORM, "scope": scope})


@case("H38n", 400, bad_form("None of this scope can be granted to you", "invalid_scope"))
def nothing_grantable(people: People) -> Attempt:
    return lambda: login({**FORM, "scope": "users:admin users:read"})


THROTTLED = {"Retry-After": "300"}


@case("H39", 429, MANY, hashes=0, headers=THROTTLED, over=[WRONG, FORM])
def sixth_failure(people: People, form: Any) -> Attempt:
    assert [login(WRONG).status_code for _ in range(5)] == [400] * 5
    return lambda: login(form)


@case("H41", 429, MANY, hashes=0, headers=THROTTLED)
def rotated_client(people: People) -> Attempt:
    def attempt(number: int) -> HttpResponse:
        names = ("X-Forwarded-For", "X-Real-IP", "Forwarded")
        return login(WRONG, headers=dict.fromkeys(names, f"192.0.2.{number}"))

    assert [attempt(number).status_code for number in range(5)] == [400] * 5
    return lambda: attempt(6)


@case("H43", 429, MANY, hashes=0, headers=THROTTLED, over=["nobody@example.com", "x", "\x01"])
def sixth_failure_of_nobody(people: People, username: str) -> Attempt:
    form = {**FORM, "username": username}
    assert [login(form).status_code for _ in range(5)] == [400] * 5
    return lambda: login(form)


# Objects

IDS = [2**63 - 1, 2**63, 10**26, 0]


@case("H45", 404, MISSING, over=[(m, n) for n in IDS for m in ("get", "patch", "delete")])
def no_such_id(people: People, what: tuple[str, int]) -> Attempt:
    method, user_id = what
    body = {"name": "X"} if method == "patch" else None
    return lambda: Api(people.manager).request(method, f"/users/{user_id}", body)


@case(
    "H46", 404, {"detail": "Not Found"}, over=["-1", "9" * 4_301, "1e3", "٣", "0x1", "1.0", "me/1"]
)
def no_id(people: People, text: str) -> Attempt:
    return lambda: Api(people.manager).get(f"/users/{text}")


@case("H49", 403, DENIED, over=[(m, w) for m in ("get", "patch", "delete") for w in range(4)])
def somebody_elses(people: People, what: tuple[str, int]) -> Attempt:
    method, which = what
    user_id = (people.ann.pk, people.root.pk, 999_999, 2**63)[which]
    body = {"name": "X"} if method == "patch" else None
    return lambda: Api(people.ann).request(method, f"/users/{user_id}", body)


@case(
    *("H61", 422),
    fields=frozenset({"is_active"}),
    over=["maybe", "true", 1, 0, None, [], {}, ""],
)
def no_flag(people: People, value: Any) -> Attempt:
    return lambda: Api(people.manager).patch(f"/users/{people.ann.pk}", {"is_active": value})


NAMES = ["👩‍👩‍👧‍👦", "👍🏽", "Zoe\u0308", "मेरा नाम", "می‌خواهم", "\ufb01", "Иван", "x" * 150]


@case("H71", 201, over=NAMES)
def unusual_name(people: People, name: str) -> Attempt:
    def attempt() -> HttpResponse:
        response = Api(people.manager).post("/users", {**NEW, "name": name})
        stored = unicodedata.normalize("NFC", name)
        assert response.json()["name"] == stored  # type: ignore[attr-defined]
        assert User.objects.get(email=NEW["email"]).name == stored
        return response

    return attempt


def created(people: People, changes: dict[str, Any]) -> Attempt:
    return lambda: Api(people.manager).post("/users", {**NEW, **changes})


LONG = ["x" * 151, "x" * 10_000]


@case("H72n", 422, fields=frozenset({"name"}), over=LONG)
def long_name(people: People, name: str) -> Attempt:
    return created(people, {"name": name})


@case("H72e", 422, fields=frozenset({"email"}), over=["x" * 244 + "@example.com", "a@" + "x" * 300])
def long_email(people: People, email: str) -> Attempt:
    return created(people, {"email": email})


@case(
    *("H74", 422),
    fields=frozenset({"email"}),
    over=[
        "\u0430nn@example.com",
        "\uff41nn@example.com",
        "ann@\uff45xample.com",
        "ann@ex\u00admple.com",
    ],
)
def look_alike(people: People, email: str) -> Attempt:
    return created(people, {"email": email})


@case("H74n", 201, over=["\u0430nn", "\uff41nn"])
def look_alike_name(people: People, name: str) -> Attempt:
    return created(people, {"name": name})


INVISIBLE = ["", " ", "\t\n", "\u200b", "a\u202eb", "a\x07b", "a\u2028b", "\u200d", "a\ue000"]


@case("H75", 422, fields=frozenset({"name"}), over=INVISIBLE)
def invisible_name(people: People, name: str) -> Attempt:
    return created(people, {"name": name})


@case(
    *("H76", 422),
    fields=frozenset({"email"}),
    over=[
        *(
            "nobody",
            "a@b.co\nBcc: c@d.co",
            "a@b.co\u200b",
            "\u017fam@example.com",
            "\u0131van@example.com",
        ),
        *(
            "a@[127.0.0.1]",
            '"<script>"@x.com',
            "a@b",
            "@b.co",
            "a@",
            "a@b@c.co",
            "a b@c.co",
            "a@b..co",
        ),
    ],
)
def no_email(people: People, email: str) -> Attempt:
    return created(people, {"email": email})


WRONG_TYPES = [1, 1.5, True, None, [], ["a"], {}, {"$ne": ""}]


@case("H78", 422, over=[(name, value) for name in ("name", "email") for value in WRONG_TYPES])
def wrong_type(people: People, what: tuple[str, Any]) -> Attempt:
    name, value = what
    return created(people, {name: value})


@case(
    *("H79", 422),
    over=[
        *({"is_superuser": True}, {"is_staff": True}, {"groups": [1]}, {"id": 7}, {"pk": 7}),
        *({"date_joined": "2000-01-01"}, {"last_login": None}, {"__class__": "x"}, {"": 1}),
    ],
)
def mass_assignment(people: People, more: dict[str, Any]) -> Attempt:
    return created(people, more)


@case("H79me", 422, over=[{"is_superuser": True}, {"password": NEW_PASSWORD}, {"is_active": True}])
def mass_assignment_to_oneself(people: People, more: dict[str, Any]) -> Attempt:
    return lambda: Api(people.root).patch("/users/me", {"name": "X", **more})


@case("H79h", 201)
def hash_as_password(people: People) -> Attempt:
    text = make_password("known to the attacker", hasher="md5")

    def attempt() -> HttpResponse:
        response = created(people, {"password": text})()
        user = User.objects.get(email=NEW["email"])
        assert user.check_password(text)
        assert not user.check_password("known to the attacker")
        return response

    return attempt


@case(
    "H80", 403, DENIED, over=["staff", "own groups", "own superuser", "a superuser", "delete one"]
)
def manager_reaches_up(people: People, how: str) -> Attempt:
    api = Api(people.manager)
    own, root = f"/users/{people.manager.pk}", f"/users/{people.root.pk}"
    sends: dict[str, Attempt] = {
        "staff": lambda: api.patch(f"/users/{people.ann.pk}", {"is_staff": True}),
        "own groups": lambda: api.patch(own, {"groups": [1]}),
        "own superuser": lambda: api.patch(own, {"is_superuser": True, "name": "X"}),
        "a superuser": lambda: api.patch(root, {"name": "X"}),
        "delete one": lambda: api.delete(root),
    }
    return sends[how]


@case(
    *("H82", 422),
    fields=frozenset({"password"}),
    hashes=0,
    over=["x" * 11, "password1234", "bob@example.com", "x" * 129, "", 123456789012, None],
)
def weak_password(people: People, password: Any) -> Attempt:
    return created(people, {"password": password})


@case("H82l", 201, over=["x y" * 42 + "zz", "пароль пароль", "  spaces   stay  "])
def unusual_password(people: People, password: str) -> Attempt:
    def attempt() -> HttpResponse:
        response = created(people, {"password": password})()
        assert User.objects.get(email=NEW["email"]).check_password(password)
        return response

    return attempt


@case("H84", 409, TAKEN, over=["post", "patch", "me"])
def taken(people: People, how: str) -> Attempt:
    body = {"name": "X", "email": "Root@Example.com"}
    api = Api(people.manager)
    if how == "post":
        return lambda: api.post("/users", body)
    path = "/users/me" if how == "me" else f"/users/{people.ann.pk}"
    return lambda: api.patch(path, body)


@case("H87", 404, MISSING)
def deleted_twice(people: People) -> Attempt:
    path = f"/users/{people.ann.pk}"
    api = Api(people.manager)
    assert api.delete(path).status_code == 204
    return lambda: api.delete(path)


@case("H87y", 409, {"detail": "You cannot delete yourself"})
def oneself(people: People) -> Attempt:
    return lambda: Api(people.manager).delete(f"/users/{people.manager.pk}")


@case(
    *("H87l", 409, {"detail": "The last active superuser must stay"}),
    over=["delete", {"is_active": False}, {"is_superuser": False}],
)
def last_superuser(people: People, how: Any) -> Attempt:
    path = f"/users/{people.root.pk}"
    api = Api(people.root)
    return lambda: api.delete(path) if how == "delete" else api.patch(path, how)


# One's own


@case("H98", 404, {"detail": "Token not found"}, over=["get", "delete"])
def somebody_elses_token(people: People, method: str) -> Attempt:
    key = token_of(Api(people.root)).key
    return lambda: Api(people.ann).request(method, f"/auth/tokens/{key}")


@case("H98r", 200, {})
def revoke_somebody_elses(people: People) -> Attempt:
    api = Api(people.root)

    def attempt() -> HttpResponse:
        response = Api(people.ann).form("/auth/revoke", {"token": api.text})
        assert crud.find_token(key=token_of(api).key).revoked_at is None  # type: ignore[union-attr]
        return response

    return attempt


@case("H98p", 400, {"detail": "Incorrect username or password"}, hashes=1)
def stolen_token(people: People) -> Attempt:
    body = {"current_password": "a guess", "new_password": NEW_PASSWORD}
    return lambda: Api(people.ann).post("/auth/password", body)
