"""Logging in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.users.conftest import PASSWORD, Api, Browser, login, make_user, rows
from users.dependencies.inputs import NewPassword, NewUser
from users.dependencies.login import Credentials
from users.models import AccessToken, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

FORM = {"username": "ann@example.com", "password": PASSWORD}


def error(kind: str, text: str) -> dict[str, str]:
    return {"detail": text, "error": kind, "error_description": text}


@pytest.mark.asvs("7.2.2", "7.3.2")
@pytest.mark.rfc("6749", "4.3")
@pytest.mark.rfc("6749", "5.1")
def test_a_token_for_a_password(ann: User) -> None:
    """The answer has RFC 6749's shape, must not be stored, and the token works."""
    response = login({**FORM, "grant_type": "password", "client_id": "", "client_secret": "x"})
    assert response.status_code == 200
    answer = response.json()  # type: ignore[attr-defined]
    text = answer.pop("access_token")
    assert answer == {"token_type": "bearer", "expires_in": 28_800, "scope": "me"}
    assert (response["Cache-Control"], response["Pragma"]) == ("no-store", "no-cache")
    api = Api()
    api.headers["Authorization"] = f"Bearer {text}"
    assert api.get("/users/me").status_code == 200
    assert AccessToken.objects.get().last_used_at is not None


def test_the_address_is_spelled_as_one_likes(ann: User) -> None:
    """And the path may end in a slash, and the client send Swagger UI's header."""
    from django.test import Client

    response = Client().post(
        "/api/auth/token/",
        {**FORM, "username": " ANN@example.com"},
        headers={"Authorization": "Basic Og==", "X-Requested-With": "XMLHttpRequest"},
    )
    assert response.status_code == 200


@pytest.mark.cve("2024-39329", "2025-13473")
@pytest.mark.asvs("6.3.8")
@pytest.mark.rfc("6749", "5.2")
def test_nobody_learns_who_is_there(ann: User, hashed: list[str]) -> None:
    """Wrong, unknown, inactive, without a password: the same bytes, and one hash each."""
    make_user("inactive@example.com", is_active=False)
    make_user("unusable@example.com", password=None)
    hashed.clear()
    answers = set()
    for form in (
        {**FORM, "password": "wrong"},
        {**FORM, "password": "x" * 4_096},
        {**FORM, "username": "nobody@example.com"},
        {**FORM, "username": "no address"},
        {**FORM, "username": "inactive@example.com"},
        {**FORM, "username": "unusable@example.com"},
    ):
        before = len(hashed)
        response = login(form)
        assert len(hashed) == before + 1
        answers.add((response.status_code, response.content, response["Cache-Control"]))
        assert response.json() == error("invalid_grant", "Incorrect username or password")  # type: ignore[attr-defined]
    assert len(answers) == 1
    assert next(iter(answers))[0] == 400
    assert AccessToken.objects.count() == 0


@pytest.mark.asvs("2.2.1", "15.3.7")
@pytest.mark.rfc("6749", "5.2")
@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({"other": "field"}, "invalid_request"),
        ({"username": "ann@example.com"}, "invalid_request"),
        ({"password": PASSWORD}, "invalid_request"),
        ({**FORM, "password": ""}, "invalid_request"),
        ({**FORM, "password": [PASSWORD, PASSWORD]}, "invalid_request"),
        ({**FORM, "scope": ["me", "items"]}, "invalid_request"),
        ({**FORM, "username": "a\x00b"}, "invalid_request"),
        ({**FORM, "password": "a\x00b"}, "invalid_request"),
        ("username=a&password=%ff%fe", "invalid_request"),
        ({**FORM, "scope": "a\x00b"}, "invalid_request"),
        (f"username=ann%40example.com&password={PASSWORD}&scope=%ff", "invalid_request"),
        ({**FORM, "password": "x" * 4_097}, "invalid_request"),
        ({**FORM, "grant_type": "client_credentials"}, "unsupported_grant_type"),
    ],
)
def test_a_bad_form_is_refused_before_anything_is_hashed(
    form: Any, kind: str, ann: User, hashed: list[str]
) -> None:
    """400 in RFC 6749's shape; nothing asked, nothing written."""
    hashed.clear()
    response = login(form)
    assert (response.status_code, response.json()["error"]) == (400, kind)  # type: ignore[attr-defined]
    assert response["Cache-Control"] == "no-store"
    assert (hashed, rows()) == ([], (1, 0))


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/xml"])
def test_only_a_form_is_read(content_type: str, ann: User, hashed: list[str]) -> None:
    """415 for anything else, JSON included."""
    hashed.clear()
    response = login('{"username": "a", "password": "b"}', content_type=content_type)
    assert (response.status_code, response.json()) == (415, {"detail": "Send a form"})  # type: ignore[attr-defined]
    assert hashed == []


@pytest.mark.asvs("14.2.1", "15.3.7")
def test_nothing_is_read_from_the_address(ann: User, hashed: list[str]) -> None:
    """It is written to logs: a form there is none."""
    hashed.clear()
    response = Api().form(f"/auth/token?{urlencode(FORM)}", {"x": ""})
    assert response.json() == error("invalid_request", "username and password are required")  # type: ignore[attr-defined]
    response = Api(ann).form("/auth/revoke?token=x", {"x": ""})
    assert response.json() == error("invalid_request", "token is required")  # type: ignore[attr-defined]
    assert hashed == []


@pytest.mark.cve("2019-19844")
def test_letters_that_fold_to_others(hashed: list[str], db: None) -> None:
    """Who registers the look-alike of an address, or logs in with it, is nobody."""
    make_user("mike@example.org")
    folded = "m\u0131ke@example.org"  # a dotless i
    response = login({"username": folded, "password": PASSWORD})
    assert response.json()["error"] == "invalid_grant"  # type: ignore[attr-defined]
    root = User.objects.create_superuser("root@example.com", name="Root")
    assert Api(root).post("/users", {"name": "X", "email": folded}).status_code == 422


@pytest.mark.rfc("6749", "3.3")
@pytest.mark.parametrize(
    ("scope", "granted"), [("me items", "items me"), ("me users:admin", "me"), ("", "me")]
)
def test_the_answer_says_what_was_granted(scope: str, granted: str, ann: User) -> None:
    """What a user may not have is left out."""
    assert login({**FORM, "scope": scope}).json()["scope"] == granted  # type: ignore[attr-defined]
    assert AccessToken.objects.get().scope == granted


@pytest.mark.rfc("6749", "5.2")
@pytest.mark.parametrize("scope", ["everything", "users:read", 'a"b', "x" * 10_000])
def test_a_scope_that_cannot_be_granted(scope: str, ann: User) -> None:
    """400 invalid_scope, and no token."""
    response = login({**FORM, "scope": scope})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")  # type: ignore[attr-defined]
    assert AccessToken.objects.count() == 0


def test_secrets_are_in_no_repr() -> None:
    """A traceback that shows local variables shows neither password nor hash."""
    assert repr(Credentials("a", "secret", None)) == "Credentials(username='a', scope=None)"
    assert repr(NewUser("A", "a@b.co", "secret")) == "NewUser(name='A', email='a@b.co')"
    assert "secret" not in repr(NewPassword(User(email="a@b.co"), "secret"))


def test_password_logins_can_be_switched_off(ann: User, settings: Any, hashed: list[str]) -> None:
    """404 before anything else; a browser may still log in."""
    settings.API_PASSWORD_LOGIN = False
    hashed.clear()
    for form in (FORM, {}):
        response = login(form or "x=")
        assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})  # type: ignore[attr-defined]
    assert hashed == []
    body = {"email": ann.email, "password": PASSWORD}
    assert Browser().post("/auth/session", body).status_code == 200
