"""One's own tokens and password."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.users.conftest import PASSWORD, Api, Browser, login, make_user
from users import crud, tokens
from users.models import AccessToken, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

NEW_PASSWORD = "another long passphrase"
CHANGE = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}


def info(token: AccessToken) -> dict[str, Any]:
    """Return a token as the API shows it."""

    def stamp(moment: Any) -> Any:
        return moment and moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return {
        "key": token.key,
        "label": token.label,
        "scope": token.scope,
        "created_at": stamp(token.created_at),
        "last_used_at": stamp(token.last_used_at),
        "expires_at": stamp(token.expires_at),
    }


@pytest.mark.asvs("15.3.1")
def test_ones_tokens_are_listed(ann: User) -> None:
    """Newest first, those that still work, and nobody else's; never a secret."""
    older, _ = crud.issue_token(user=ann, scope="items", label="ci")
    for field in ("revoked_at", "expires_at", "fingerprint"):
        dead, _ = crud.issue_token(user=ann, scope="me")
        value = "another" if field == "fingerprint" else timezone.now()
        AccessToken.objects.filter(pk=dead.pk).update(**{field: value})
    crud.issue_token(user=make_user("bob@example.com"), scope="me")
    api = Api(ann, "me")
    response = api.get("/auth/tokens")
    used = AccessToken.objects.get(user=ann, last_used_at__isnull=False)
    assert response.json() == [info(used), info(older)]  # type: ignore[attr-defined]
    assert api.get(f"/auth/tokens/{older.key}/").json() == info(older)  # type: ignore[attr-defined]
    for secret in (api.text, older.digest, used.digest, used.fingerprint):
        assert secret not in response.content.decode()


@pytest.mark.asvs("8.2.2")
@pytest.mark.parametrize("method", ["get", "delete"])
def test_there_is_no_other_token(method: str, ann: User) -> None:
    """Another's, a dead one, an unknown one, what is no key: the same answer."""
    other, _ = crud.issue_token(user=make_user("bob@example.com"), scope="me")
    dead, _ = crud.issue_token(user=ann, scope="me")
    crud.revoke_tokens(access_tokens=AccessToken.objects.filter(pk=dead.pk))
    api = Api(ann)
    for key in (other.key, dead.key, tokens.generate().key, "x", "é" * 12, "x" * 1_000):
        response = api.request(method, f"/auth/tokens/{key}")
        assert (response.status_code, response.json()) == (404, {"detail": "Token not found"})  # type: ignore[attr-defined]
    other.refresh_from_db()
    assert other.revoked_at is None


@pytest.mark.asvs("7.4.1", "10.4.9")
def test_one_token_is_ended(ann: User) -> None:
    """And no other; a second time it is not found."""
    api, other = Api(ann), Api(ann)
    key = tokens.recognize(other.text).key  # type: ignore[union-attr]
    response = api.delete(f"/auth/tokens/{key}/")
    assert (response.status_code, response.content) == (204, b"")
    assert other.get("/users/me").status_code == 401
    assert api.delete(f"/auth/tokens/{key}").status_code == 404


@pytest.mark.asvs("7.4.1", "10.4.9")
def test_all_tokens_are_ended(ann: User) -> None:
    """The one that was used too; nobody else's."""
    api, other, bob = Api(ann), Api(ann), Api(make_user("bob@example.com"))
    assert api.delete("/auth/tokens").status_code == 204
    assert [one.get("/users/me").status_code for one in (api, other, bob)] == [401, 401, 200]


@pytest.mark.asvs("8.2.2")
@pytest.mark.rfc("7009", "2.2")
def test_revoking_never_tells(ann: User) -> None:
    """200 for whatever is sent; only one's own token ends (RFC 7009 §2.2)."""
    api, own, bob = Api(ann, ""), Api(ann), Api(make_user("bob@example.com"))
    key = tokens.recognize(own.text).key  # type: ignore[union-attr]
    forged = f"dnt_{key}_{tokens.generate().text[17:-6]}"
    forged += tokens._checksum(forged)
    for text in (bob.text, tokens.generate().text, "x", forged, own.text, own.text):
        response = api.form("/auth/revoke", {"token": text, "token_type_hint": "access_token"})
        assert (response.status_code, response.json()) == (200, {})  # type: ignore[attr-defined]
        assert own.get("/users/me").status_code == (401 if text == own.text else 200)
    assert bob.get("/users/me").status_code == 200


@pytest.mark.rfc("7009", "2.2.1")
@pytest.mark.parametrize(
    "form", [{}, {"token": ""}, {"token": ["a", "b"]}, {"token": "a\x00b"}, "token=%ff"]
)
def test_a_bad_revocation(form: Any, ann: User) -> None:
    """400 in RFC 6749's shape, as RFC 7009 §2.2.1 says."""
    response = Api(ann).form("/auth/revoke", form or "x=")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")  # type: ignore[attr-defined]


@pytest.mark.rfc("7009", "2.1")
def test_a_revocation_is_a_form(ann: User) -> None:
    """JSON is 415."""
    api = Api(ann)
    assert api.post("/auth/revoke", {"token": api.text}).status_code == 415
    assert api.get("/users/me").status_code == 200


@pytest.mark.asvs("10.4.9")
def test_a_browser_revokes_too(ann: User) -> None:
    """With a CSRF token, as everything."""
    api = Api(ann)
    assert Browser(ann).form("/auth/revoke", {"token": api.text}).status_code == 200
    assert api.get("/users/me").status_code == 401


@pytest.mark.asvs("6.2.2", "7.4.3")
def test_a_new_password_by_token(ann: User) -> None:
    """All tokens and sessions end; the answer has a new one of the same scope."""
    api, other, browser = Api(ann, "items me"), Api(ann), Browser(ann)
    response = api.post("/auth/password", CHANGE)
    answer = response.json()  # type: ignore[attr-defined]
    new = Api()
    new.headers["Authorization"] = f"Bearer {answer.pop('access_token')}"
    assert (response.status_code, answer) == (
        200,
        {"token_type": "bearer", "expires_in": 28_800, "scope": "items me"},
    )
    callers = (api, other, browser, new)
    assert [one.get("/users/me").status_code for one in callers] == [401, 401, 401, 200]
    assert AccessToken.objects.filter(revoked_at=None).count() == 1
    assert login({"username": ann.email, "password": NEW_PASSWORD}).status_code == 200


@pytest.mark.asvs("6.2.2", "7.2.4", "7.4.3")
def test_a_new_password_by_browser(ann: User) -> None:
    """The browser stays logged in, under a new key; everybody else is out."""
    api, browser, other = Api(ann), Browser(ann), Browser(ann)
    before = browser.client.cookies["sessionid"].value
    response = browser.post("/auth/password", CHANGE)
    assert (response.status_code, response.content) == (204, b"")
    assert browser.client.cookies["sessionid"].value != before
    callers = (browser, api, other)
    assert [one.get("/users/me").status_code for one in callers] == [200, 401, 401]


@pytest.mark.asvs("6.2.1", "6.2.3", "15.3.3")
@pytest.mark.parametrize(
    ("change", "status", "hashes"),
    [
        ({**CHANGE, "current_password": "wrong"}, 400, 1),
        ({**CHANGE, "new_password": "short"}, 422, 0),
        ({**CHANGE, "new_password": "ann@example.com"}, 422, 0),
        ({**CHANGE, "new_password": "x" * 129}, 422, 0),
        ({"new_password": NEW_PASSWORD}, 422, 0),
        ({**CHANGE, "current_password": None}, 422, 0),
        ({**CHANGE, "is_superuser": True}, 422, 0),
    ],
)
def test_a_refused_password(
    change: Any, status: int, hashes: int, ann: User, hashed: list[str]
) -> None:
    """The current one is needed, and the new one must be good; nothing ends."""
    api = Api(ann)
    hashed.clear()
    response = api.post("/auth/password", change)
    assert (response.status_code, len(hashed)) == (status, hashes)
    assert NEW_PASSWORD not in response.content.decode()
    before = ann.password
    ann.refresh_from_db()
    assert ann.password == before
    assert api.get("/users/me").status_code == 200


@pytest.mark.asvs("6.3.1")
def test_passwords_are_not_guessed_here_either(ann: User, settings: Any) -> None:
    """A stolen token does not buy more guesses than a login."""
    settings.API_THROTTLES = {"login_client": (2, 300)}
    api = Api(ann)
    wrong = {**CHANGE, "current_password": "wrong"}
    assert [api.post("/auth/password", wrong).status_code for _ in range(3)] == [400, 400, 429]
    assert login({"username": ann.email, "password": PASSWORD}).status_code == 429


@pytest.mark.asvs("15.4.2")
@pytest.mark.parametrize(
    "changed", [{"password": "!"}, {"is_active": False}, {"locked_out_at": timezone.now()}]
)
def test_of_two_who_change_a_password_one_wins(changed: Any, ann: User, monkeypatch: Any) -> None:
    """Between the check and the write somebody else did so, or locked the user out."""
    authenticate = crud.authenticate

    def late(**credentials: Any) -> User:
        user = authenticate(**credentials)
        User.objects.update(**changed)
        return user

    monkeypatch.setattr(crud, "authenticate", late)
    response = Api(ann).post("/auth/password", CHANGE)
    assert (response.status_code, response.json()) == (
        400,
        {"detail": "Incorrect username or password"},
    )  # type: ignore[attr-defined]
    ann.refresh_from_db()
    assert not ann.check_password(NEW_PASSWORD)


def test_an_address_that_changed_hands(ann: User, monkeypatch: Any) -> None:
    """Whoever has it now does not get the new password."""
    bob = make_user("bob@example.com")
    monkeypatch.setattr(crud, "authenticate", lambda **_: bob)
    assert Api(ann).post("/auth/password", CHANGE).status_code == 400
    bob.refresh_from_db()
    assert not bob.check_password(NEW_PASSWORD)


def test_authentication_costs_one_query(
    ann: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Token and user together; the permissions of nobody are asked for."""
    api = Api(ann)
    api.get("/users/me/items")
    with django_assert_num_queries(1):
        api.get("/users/me/items")
