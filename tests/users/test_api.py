"""The users API, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import ProtectedError
from django.db.models.signals import m2m_changed, post_delete, pre_delete
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from tests.users.conftest import PASSWORD, Api, login, make_user, rows
from users import crud, tokens
from users.models import AccessToken, AuditEntry, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

REALM = 'Bearer realm="api"'
INVALID = (
    f'{REALM}, error="invalid_token", error_description="The access token is invalid or expired"'
)
NEW = {"name": "Bob", "email": "bob@example.com"}


def shown(user: User) -> dict[str, Any]:
    return {"id": user.pk, "name": user.name, "email": user.email}


OPERATIONS = [
    ("get", "/users", None),
    ("post", "/users", NEW),
    ("get", "/users/me", None),
    ("patch", "/users/me", {"name": "X"}),
    ("get", "/users/1", None),
    ("patch", "/users/1", {"name": "X"}),
    ("delete", "/users/1", None),
]


@pytest.mark.rfc("6750", "3.1")
@pytest.mark.rfc("9110", "15.5.2")
@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
def test_nobody_gets_in_without_a_token(method: str, path: str, body: Any, ann: User) -> None:
    """401 with a bare challenge, with and without a slash, even if the body is bad."""
    before = rows()
    for url in (path, f"{path}/"):
        for sent in (body, "{broken" if body else None):
            response = Api().request(method, url, sent)
            assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, REALM)
            assert response.json() == {"detail": "Not authenticated"}  # type: ignore[attr-defined]
    assert rows() == before


@pytest.mark.parametrize(
    ("method", "path", "body"), [one for one in OPERATIONS if "me" not in one[1]]
)
def test_a_permission_is_needed_now(method: str, path: str, body: Any, ann: User) -> None:
    """403 without a challenge, the same whether the user exists or not, bad body or not."""
    before = rows()
    for url in (path, path.replace("1", "999999")):
        response = Api(ann).request(method, url, body and {})
        assert response.status_code == 403
        assert response.json() == {"detail": "Permission denied"}  # type: ignore[attr-defined]
        assert "WWW-Authenticate" not in response.headers
    assert rows() == (before[0], before[1] + 2)


@pytest.mark.asvs("8.3.2")
def test_a_permission_taken_away_bites_at_once(manager: User) -> None:
    """A token that was good a moment ago is not any more."""
    api = Api(manager)
    assert api.get("/users").status_code == 200
    manager.user_permissions.clear()
    assert api.get("/users").status_code == 403


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Token x", "bearerx"])
def test_other_schemes_are_no_credentials(header: str, ann: User) -> None:
    """An empty header, another scheme: nobody."""
    response = Api().get("/users/me", headers={"Authorization": header})
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, REALM)


@pytest.mark.rfc("6750", "2.1")
@pytest.mark.rfc("6750", "3.1")
@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a b", 'Bearer "x"', "Bearer a, b", "Bearer\ta"]
)
def test_malformed_credentials_are_a_bad_request(header: str, ann: User) -> None:
    """No token, two of them, or what no token can be."""
    response = Api().get("/users/me", headers={"Authorization": header})
    assert response.status_code == 400
    assert response.headers["WWW-Authenticate"] == f'{REALM}, error="invalid_request"'
    assert response.json() == {"detail": "Malformed credentials"}  # type: ignore[attr-defined]


@pytest.mark.rfc("9110", "11.1")
@pytest.mark.rfc("6750", "2.1")
def test_the_scheme_is_written_as_one_likes(ann: User) -> None:
    """Any case, any number of spaces."""
    _, text = crud.issue_token(user=ann, scope="me")
    response = Api().get("/users/me", headers={"Authorization": f"bEaReR   {text}"})
    assert response.json()["id"] == ann.pk  # type: ignore[attr-defined]


def rejected(text: str, queries: int, count: DjangoAssertNumQueries) -> None:
    with count(queries):
        response = Api().get("/users/me", headers={"Authorization": f"Bearer {text}"})
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, INVALID)
    assert response.json() == {"detail": "The access token is invalid or expired"}  # type: ignore[attr-defined]


def test_what_is_no_token_costs_no_query(
    ann: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Wrong checksum, cut off, over-long, not ASCII."""
    _, text = crud.issue_token(user=ann, scope="me")
    for wrong in (text[:-1], text + "0", text.swapcase(), "x", "x" * 10_000, "é"):
        rejected(wrong, 0, django_assert_num_queries)


@pytest.mark.asvs("7.2.1")
def test_unknown_and_wrong_secrets_cost_one(
    ann: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The same answer for both."""
    token, _ = crud.issue_token(user=ann, scope="me")
    unknown = tokens.generate()
    rejected(unknown.text, 1, django_assert_num_queries)
    body = f"dnt_{token.key}_{unknown.text[17:-6]}"
    rejected(body + tokens._checksum(body), 1, django_assert_num_queries)


@pytest.mark.cve("2024-22513")
@pytest.mark.asvs("7.2.1", "7.4.1")
@pytest.mark.rfc("6750", "3.1")
@pytest.mark.parametrize("how", ["revoked", "expired", "inactive", "password", "deleted"])
def test_a_token_that_ended(
    how: str, ann: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """However it ended, the answer is the same."""
    token, text = crud.issue_token(user=ann, scope="me")
    if how == "revoked":
        crud.revoke_tokens(access_tokens=AccessToken.objects.all())
    elif how == "expired":
        AccessToken.objects.update(expires_at=token.created_at)
    elif how == "inactive":
        User.objects.update(is_active=False)
    elif how == "password":
        User.objects.update(password="!")
    else:
        ann.delete()
    rejected(text, 1, django_assert_num_queries)


def test_the_log_has_the_reason_and_no_token(
    ann: User, caplog: pytest.LogCaptureFixture, events: Any
) -> None:
    """Only the public key."""
    token, text = crud.issue_token(user=ann, scope="me")
    AccessToken.objects.update(expires_at=token.created_at)
    Api().get("/users/me", headers={"Authorization": f"Bearer {text}"})
    assert events() == [
        {
            "event": "token_rejected",
            "outcome": "failure",
            "token": token.key,
            "reason": "expired",
            "client": "127.0.0.1",
        }
    ]
    assert text not in caplog.text


@pytest.mark.asvs("14.2.1", "15.3.7")
@pytest.mark.rfc("6750", "2")
def test_tokens_elsewhere_are_ignored(ann: User) -> None:
    """In the query or in a cookie a token would end in logs and be sent by itself."""
    _, text = crud.issue_token(user=ann, scope="me")
    api = Api()
    api.client.cookies["access_token"] = text
    assert api.get(f"/users/me?access_token={text}").status_code == 401


@pytest.mark.asvs("16.5.2")
def test_a_failing_note_of_use_does_not_matter(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database may refuse that write; the request goes on."""
    from django.db import OperationalError

    def refuse(**_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(crud, "note_use", refuse)
    assert Api(ann).get("/users/me").status_code == 200


@pytest.fixture
def people(manager: User) -> list[User]:
    """Five users after the manager."""
    return [manager, *(make_user(f"u{n}@example.com", name=f"User {n}%_\\") for n in range(5))]


@pytest.mark.asvs("15.3.1")
def test_the_list(people: list[User]) -> None:
    """By id, in pages, with or without a slash."""
    api = Api(people[0])
    for path in ("/users", "/users/"):
        assert api.get(path).json() == [shown(user) for user in people]  # type: ignore[attr-defined]
    assert api.get("/users?skip=1&limit=2").json() == [shown(user) for user in people[1:3]]  # type: ignore[attr-defined]
    assert api.get("/users?skip=100").json() == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", "6"),
        ("?skip=1&limit=2", "6"),
        ("?skip=4&limit=2", "6"),  # full, and the last
        ("?skip=5&limit=2", "6"),
        ("?skip=6", "6"),
        ("?skip=100", "6"),
        ("?q=u1", "1"),
        ("?q=u1&skip=1&count=true", "1"),
        ("?q=nobody", "0"),
        ("?q=user&limit=5", "5"),  # full, and the last
        ("?q=user&limit=2&count=true", "5"),
        ("?limit=2&count=true", "6"),
    ],
)
def test_the_list_says_how_many_there_are(query: str, total: str, people: list[User]) -> None:
    """When the number on all pages is cheap or asked for, then a header has it."""
    assert Api(people[0]).get(f"/users{query}").headers["X-Total-Count"] == total


@pytest.mark.parametrize(
    ("query", "number"),
    [
        *(("", 2), ("?q=nobody", 2), ("?limit=3", 2), ("?skip=9", 3)),
        *(("?q=u&limit=3", 2), ("?q=u&limit=3&count=true", 3), ("?after=1&limit=3", 2)),
    ],
)
def test_the_list_costs_two_queries(
    query: str,
    number: int,
    people: list[User],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Token, user and permissions are one, the page and its number another.

    The number of all users is a third if it is asked for, or if the page is empty.
    """
    api = Api(people[0])
    api.get("/users")  # notes the use
    with django_assert_num_queries(number):
        api.get(f"/users{query}")


def test_one_user_costs_two_queries(
    people: list[User], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Token, user and permissions are one, the user that is asked for another."""
    api = Api(people[0])
    api.get("/users")  # notes the use
    with django_assert_num_queries(2):
        api.get(f"/users/{people[1].pk}")


def test_creating_costs_what_it_writes(people: list[User]) -> None:
    """Token with user, and one row in a savepoint of the transaction; nothing is read again."""
    people[0].is_superuser = True
    people[0].save()
    api = Api(people[0])
    api.get("/users")  # notes the use
    with CaptureQueriesContext(connection) as queries:
        assert api.post("/users", NEW).status_code == 201
    transaction = ["SAVEPOINT", "SAVEPOINT", "INSERT", "RELEASE", "RELEASE"]
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", *transaction]


@pytest.mark.parametrize(
    ("change", "statements"),
    [
        ({"name": "New"}, ["UPDATE"]),
        ({"email": "new@example.com"}, ["SAVEPOINT", "UPDATE", "RELEASE"]),
        ({}, []),
    ],
)
def test_changing_costs_what_it_writes(
    change: dict[str, str], statements: list[str], people: list[User]
) -> None:
    """Token with user, the row that is locked, and one row; a new address takes a savepoint."""
    api = Api(people[0])
    api.get("/users")  # notes the use
    with CaptureQueriesContext(connection) as queries:
        assert api.patch(f"/users/{people[1].pk}", change).status_code == 200
    transaction = ["SAVEPOINT", "SELECT", *statements, "RELEASE"]
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", *transaction]


@pytest.mark.parametrize(
    ("q", "found"),
    [("u1", ["u1"]), ("USER 3", ["u3"]), ("%25_%5C", ["u0", "u1", "u2", "u3", "u4"]), ("zzz", [])],
)
def test_the_search_is_literal(q: str, found: list[str], people: list[User]) -> None:
    """In name and e-mail, without regard to case; % and _ are characters like others."""
    answer = Api(people[0]).get(f"/users?q={q}").json()  # type: ignore[attr-defined]
    assert [one["email"].partition("@")[0] for one in answer] == found
    assert Api(people[0]).get("/users?q=%25u").json() == []  # type: ignore[attr-defined]


@pytest.mark.asvs("2.2.1", "2.4.1", "15.3.7")
@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=abc", "limit=", "limit=101", f"limit={10**23}"),
        *("skip=-1", "skip=10001", f"q={'x' * 101}"),
        *("limit=1&limit=1", "skip=0&skip=1", "q=a&q="),
    ],
)
def test_pages_have_bounds(query: str, manager: User) -> None:
    """422, never a whole table or a crash."""
    assert Api(manager).get(f"/users?{query}").status_code == 422


def test_the_search_finds_names_as_they_are_stored(manager: User) -> None:
    """Names are composed; what is searched for may be written in two characters."""
    rene = make_user("rene@example.com", name="Rene\u0301")
    assert Api(manager).get("/users?q=Rene%CC%81").json() == [shown(rene)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "query", ["order=password", "password__startswith=a", "page=1", "email=x", "unknown"]
)
def test_unknown_parameters_never_filter_or_sort(query: str, people: list[User]) -> None:
    """Clients choose nothing about the query."""
    assert len(Api(people[0]).get(f"/users?{query}").json()) == 6  # type: ignore[attr-defined]


@pytest.mark.asvs("15.3.1")
@pytest.mark.rfc("9110", "15.3.2")
@pytest.mark.parametrize("path", ["/users", "/users/"])
def test_creating(path: str, manager: User) -> None:
    """201, where it is, and the user; with a password they can log in, without not."""
    api = Api(manager)
    response = api.post(path, {**NEW, "email": "BOB@example.com", "password": PASSWORD})
    user = User.objects.get(email="bob@example.com")
    assert (response.status_code, response.json()) == (201, shown(user))  # type: ignore[attr-defined]
    assert response.headers["Location"] == f"/api/users/{user.pk}"
    assert api.get(response.headers["Location"].removeprefix("/api")).status_code == 200
    assert user.check_password(PASSWORD)
    assert (user.is_staff, user.is_superuser) == (False, False)
    other = api.post(path, {"name": "C", "email": "c@example.com"}).json()  # type: ignore[attr-defined]
    assert not User.objects.get(pk=other["id"]).has_usable_password()


def test_creating_costs_little(
    root: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The token, BEGIN, the savepoint, INSERT, its release, COMMIT: nothing is read again."""
    api = Api(root)
    api.get("/users")
    with django_assert_num_queries(6):
        api.post("/users", NEW)


@pytest.mark.asvs("2.2.1", "15.3.3", "15.3.5")
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name", "email"}),
        ({"name": "Bob"}, {"email"}),
        ({**NEW, "is_superuser": True, "id": 7}, {"is_superuser", "id"}),
        ({**NEW, "name": " "}, {"name"}),
        ({**NEW, "name": "x" * 151}, {"name"}),
        ({**NEW, "name": 1}, {"name"}),
        ({**NEW, "name": None}, {"name"}),
        ({**NEW, "email": "nobody"}, {"email"}),
        ({**NEW, "email": {"$ne": ""}}, {"email"}),
        ({**NEW, "email": True}, {"email"}),
        ({**NEW, "email": "a@b.co\u200b"}, {"email"}),
        ({**NEW, "password": None}, {"password"}),
        ({**NEW, "password": "x" * 129}, {"password"}),
        ({**NEW, "password": "tiny"}, {"password"}),
        ({**NEW, "password": "password1234"}, {"password"}),
        ({**NEW, "password": "bob@example.com"}, {"password"}),
    ],
)
def test_a_bad_body_is_told_field_by_field(body: Any, fields: set[str], manager: User) -> None:
    """422; what was sent is not repeated, and nothing is written."""
    before = rows()
    response = Api(manager).post("/users", body)
    detail = response.json()["detail"]  # type: ignore[attr-defined]
    assert (response.status_code, {error["loc"][-1] for error in detail}) == (422, fields)
    assert not any("input" in error for error in detail)
    if isinstance(body.get("password"), str):
        assert body["password"] not in response.content.decode()
    assert rows() == (before[0], before[1] + 1)


@pytest.mark.parametrize("field", ["name", "email", "password"])
def test_half_a_surrogate_pair_is_no_text(field: str, manager: User) -> None:
    """Refused by the parser or by the schema, and never a crash."""
    body = {**NEW, "password": PASSWORD, field: "a long enough \ud800 text"}
    assert Api(manager).post("/users", body).status_code in (400, 422)


@pytest.mark.parametrize("body", ["", "null", "[]", '"x"', "1"])
def test_a_body_must_be_an_object(body: str, manager: User) -> None:
    """An empty body is a missing one."""
    assert Api(manager).post("/users", body).status_code == 422


@pytest.mark.parametrize("body", ["{", '{"name": "a"} x', b"\xff"])
def test_what_is_no_json_is_a_bad_request(body: Any, manager: User) -> None:
    """400, as Ninja answers."""
    response = Api(manager).post("/users", body)
    assert response.status_code == 400
    assert "detail" in response.json()  # type: ignore[attr-defined]


TAKEN = (409, {"detail": "A user with this email already exists"})


@pytest.mark.django_db(transaction=True)
def test_an_address_is_taken_once(manager: User, ann: User) -> None:
    """By POST, by PATCH and by PATCH me, in any spelling: 409 names the field."""
    api = Api(manager)
    taken = {"name": "X", "email": "ANN@example.com"}
    for response in (
        api.post("/users", taken),
        api.patch(f"/users/{manager.pk}", taken),
        api.patch("/users/me", taken),
    ):
        assert (response.status_code, response.json()) == TAKEN  # type: ignore[attr-defined]
    manager.refresh_from_db()
    assert (rows(), manager.name) == ((2, 1), "Manager")


@pytest.mark.asvs("15.3.1")
def test_reading_one(manager: User, ann: User) -> None:
    """By id, with or without a slash."""
    api = Api(manager)
    for path in (f"/users/{ann.pk}", f"/users/{ann.pk}/"):
        assert api.get(path).json() == shown(ann)  # type: ignore[attr-defined]


@pytest.mark.parametrize("user_id", ["0", "999999", str(2**63 - 1), str(2**63), "1" + "0" * 26])
@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_unknown_ids_are_404(user_id: str, method: str, manager: User) -> None:
    """Ids that no database could hold too."""
    response = Api(manager).request(method, f"/users/{user_id}", {} if method == "patch" else None)
    assert (response.status_code, response.json()) == (404, {"detail": "User not found"})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    ["/users/-1", f"/users/{'9' * 4_301}", "/users/abc", "/users/1/2", "/users//", "/nothing"],
)
def test_unknown_paths_are_404_in_json(path: str, manager: User) -> None:
    """The API's own format, with or without DEBUG, and no redirect."""
    response = Api(manager).get(path)
    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})  # type: ignore[attr-defined]


def test_changing(manager: User, ann: User) -> None:
    """Only what is sent changes; the same again writes nothing."""
    api = Api(manager)
    response = api.patch(f"/users/{ann.pk}/", {"name": "Anne", "email": "ANNE@example.com"})
    assert response.json() == {"id": ann.pk, "name": "Anne", "email": "anne@example.com"}  # type: ignore[attr-defined]
    for body in ({}, {"name": "Anne"}):
        with CaptureQueriesContext(connection) as queries:
            assert api.patch(f"/users/{ann.pk}", body).json()["name"] == "Anne"  # type: ignore[attr-defined]
        assert not any('UPDATE "users_user"' in query["sql"] for query in queries)


@pytest.mark.cve("2025-64459")
@pytest.mark.asvs("2.2.1", "15.3.3", "15.3.5")
@pytest.mark.parametrize(
    "body",
    [
        *({"name": None}, {"email": None}, {"is_active": "maybe"}, {"is_active": None}),
        *({"is_staff": "yes"}, {"groups": [0]}, {"password": "short"}, {"date_joined": None}),
        *({"_connector": "OR"}, {"email__startswith": "a"}),
    ],
)
def test_bad_changes(body: Any, manager: User, ann: User) -> None:
    """null, wrong types, what nobody may set: 422, and the row stays as it is."""
    before = User.objects.filter(pk=ann.pk).values().get()
    assert Api(manager).patch(f"/users/{ann.pk}", body).status_code == 422
    assert User.objects.filter(pk=ann.pk).values().get() == before


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"password": "ann@example.com"}, 422),
        ({"password": "bob@example.com", "email": "bob@example.com"}, 422),
        ({"password": "Bob the Builder!", "name": "Bob the Builder"}, 422),
        ({"password": "ann@example.com", "name": "B", "email": "b@c.net"}, 200),
    ],
)
def test_a_password_must_not_be_like_its_owner(
    changes: Any, status: int, manager: User, ann: User
) -> None:
    """Like the name and address that the owner will have, sent or not."""
    before = User.objects.filter(pk=ann.pk).values().get()
    response = Api(manager).patch(f"/users/{ann.pk}", changes)
    assert response.status_code == status
    if status == 422:
        (error,) = response.json()["detail"]  # type: ignore[attr-defined]
        assert (error["loc"], set(error)) == (
            ["body", "changes", "password"],
            {"type", "loc", "msg"},
        )
        assert User.objects.filter(pk=ann.pk).values().get() == before


@pytest.mark.parametrize("user_id", [0, 999_999, 2**63])
def test_nobody_gets_a_password(user_id: int, manager: User) -> None:
    """404, however good the password is."""
    response = Api(manager).patch(f"/users/{user_id}", {"password": "short"})
    assert (response.status_code, response.json()) == (404, {"detail": "User not found"})  # type: ignore[attr-defined]


def test_a_new_password_ends_tokens(manager: User, ann: User) -> None:
    """And is the one to log in with."""
    api = Api(ann)
    changed = Api(manager).patch(f"/users/{ann.pk}", {"password": "another long passphrase"})
    assert changed.status_code == 200
    assert api.get("/users/me").status_code == 401
    form = {"username": ann.email, "password": "another long passphrase"}
    assert login(form).status_code == 200


@pytest.mark.asvs("7.4.2", "8.3.2")
def test_deactivation_ends_tokens_for_ever(manager: User, ann: User) -> None:
    """Letting somebody in again does not revive them."""
    api, by = Api(ann), Api(manager)
    for is_active in (False, True):
        assert by.patch(f"/users/{ann.pk}", {"is_active": is_active}).status_code == 200
        assert api.get("/users/me").status_code == 401


@pytest.mark.asvs("8.2.2")
def test_superusers_are_protected(manager: User, root: User) -> None:
    """From everybody but superusers."""
    for response in (
        Api(manager).patch(f"/users/{root.pk}", {"name": "X"}),
        Api(manager).delete(f"/users/{root.pk}"),
    ):
        assert (response.status_code, response.json()) == (403, {"detail": "Permission denied"})  # type: ignore[attr-defined]
    assert Api(root).patch(f"/users/{root.pk}", {"name": "X"}).status_code == 200


def test_deleting(manager: User, ann: User) -> None:
    """204 without a body, then 404; tokens go too."""
    Api(ann)
    api = Api(manager)
    response = api.delete(f"/users/{ann.pk}/")
    assert (response.status_code, response.content) == (204, b"")
    assert api.delete(f"/users/{ann.pk}").status_code == 404
    assert rows() == (1, 1)


@pytest.fixture
def failing() -> Iterator[None]:
    """Let the last write of a request fail."""

    def fail(**_: Any) -> None:
        raise ZeroDivisionError

    m2m_changed.connect(fail, sender=User.groups.through)
    post_delete.connect(fail, sender=User)
    yield
    m2m_changed.disconnect(fail, sender=User.groups.through)
    post_delete.disconnect(fail, sender=User)


@pytest.mark.asvs("2.3.3", "16.5.3")
@pytest.mark.usefixtures("failing")
@pytest.mark.django_db(transaction=True)
def test_what_fails_at_its_end_has_not_happened(root: User, ann: User) -> None:
    """A user whose groups cannot be set has no new flag; one who is not deleted, no entry."""
    api, group = Api(root), Group.objects.create(name="one")
    Api(ann)
    changes = {"name": "Anne", "is_staff": True, "groups": [group.pk]}
    assert api.patch(f"/users/{ann.pk}", changes).status_code == 500
    assert api.delete(f"/users/{ann.pk}").status_code == 500
    before = (ann.name, ann.is_staff)
    ann.refresh_from_db()
    assert (ann.name, ann.is_staff) == before
    assert (rows(), AuditEntry.objects.count()) == ((2, 2), 0)


def test_nobody_deletes_themselves(manager: User, root: User) -> None:
    """409 says why."""
    response = Api(manager).delete(f"/users/{manager.pk}")
    assert (response.status_code, response.json()) == (
        409,
        {"detail": "You cannot delete yourself"},
    )  # type: ignore[attr-defined]


@pytest.mark.asvs("8.2.3", "15.3.3")
def test_oneself(ann: User) -> None:
    """Everybody reads and changes themselves, name and address only."""
    api = Api(ann)
    for path in ("/users/me", "/users/me/"):
        me = api.get(path).json()  # type: ignore[attr-defined]
        assert me == {**shown(ann), "scopes": ["me", "items"], "permissions": []}
    assert api.patch("/users/me/", {"name": "Anne"}).json()["name"] == "Anne"  # type: ignore[attr-defined]
    for body in ({"is_active": False}, {"password": PASSWORD}, {"name": None}):
        assert api.patch("/users/me", body).status_code == 422
    ann.refresh_from_db()
    assert (ann.name, ann.is_active) == ("Anne", True)


def test_a_superuser_changes_themselves(root: User) -> None:
    """The protection is from others."""
    assert Api(root).patch("/users/me", {"name": "R"}).json()["name"] == "R"  # type: ignore[attr-defined]


def test_docs_and_openapi(client: Any) -> None:
    """Every operation is documented, and the page is served from here."""
    document = client.get("/api/openapi.json").json()
    assert {
        (method, path) for path, methods in document["paths"].items() for method in methods
    } == {
        *(("get", "/api/users"), ("post", "/api/users")),
        *(("get", "/api/users/me"), ("patch", "/api/users/me")),
        *((method, "/api/users/{user_id}") for method in ("get", "patch", "delete")),
        ("get", "/api/users/me/items"),
        *(("post", "/api/auth/token"), ("post", "/api/auth/revoke"), ("get", "/api/auth/csrf")),
        *(("get", "/api/auth/tokens"), ("delete", "/api/auth/tokens")),
        *(("get", "/api/auth/tokens/{key}"), ("delete", "/api/auth/tokens/{key}")),
        *(("post", "/api/auth/session"), ("delete", "/api/auth/session")),
        ("post", "/api/auth/password"),
        *(("get", "/api/"), ("get", "/api/health")),
    }
    page = client.get("/api/docs").content.decode()
    assert "/static/ninja/swagger-ui-bundle.js" in page
    assert "cdn" not in page


@pytest.mark.django_db(transaction=True)
def test_a_user_whom_another_app_needs(root: User, ann: User) -> None:
    """When another app protects a user's rows, then 409, and nothing has changed."""
    _, text = crud.issue_token(user=ann, scope="me")

    def protect(instance: User, **_: Any) -> None:
        raise ProtectedError("An invoice needs the user", {instance})

    pre_delete.connect(protect, sender=User)
    try:
        answer: Any = Api(root).delete(f"/users/{ann.pk}")
    finally:
        pre_delete.disconnect(protect, sender=User)
    assert answer.status_code == 409
    assert "in use" in answer.json()["detail"]
    assert User.objects.filter(pk=ann.pk).exists()
    assert crud.find_token(key=text[4:16]) is not None
    assert not AuditEntry.objects.exists()
