"""Logging in and out with a browser."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.users.conftest import PASSWORD, Api, Browser, make_user, send
from tests.users.test_api import REALM, shown
from users import conf
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

LOGIN = {"email": "ann@example.com", "password": PASSWORD}


def test_a_page_gets_a_csrf_token_and_its_cookie(db: None) -> None:
    """The token is not the cookie's text, and is another each time; both belong together."""
    api = Api()
    first, second = (api.get("/auth/csrf").json() for _ in range(2))  # type: ignore[attr-defined]
    assert first.keys() == {"csrf_token"}
    assert first != second
    assert api.client.cookies["csrftoken"].value not in first["csrf_token"]


@pytest.mark.asvs("7.2.4", "7.4.1")
def test_logging_in_and_out(ann: User) -> None:
    """The session's key and the CSRF token are new after the login; afterwards it is gone."""
    api = Browser()
    send(api.client, "get", "/api/auth/csrf")
    before = api.client.cookies["csrftoken"].value
    response = api.post("/auth/session/", {**LOGIN, "email": " ANN@example.com"})
    assert (response.status_code, response.json()) == (200, shown(ann))  # type: ignore[attr-defined]
    assert api.client.cookies["csrftoken"].value != before
    found: Any = api.get("/users/me").json()  # type: ignore[attr-defined]
    assert shown(ann).items() <= found.items()
    assert api.delete("/auth/session").status_code == 403
    api.refresh()
    response = api.delete("/auth/session")
    assert (response.status_code, response.content) == (204, b"")
    assert Session.objects.count() == 0
    assert api.get("/users/me").status_code == 401
    assert api.delete("/auth/session").status_code == 401


@pytest.mark.asvs("7.2.4")
def test_a_session_key_from_before_is_not_kept(ann: User) -> None:
    """Who plants a key in a browser does not get into the session."""
    api = Browser(make_user("bob@example.com"))
    planted = api.client.cookies["sessionid"].value
    assert api.post("/auth/session", LOGIN).status_code == 200
    assert api.client.cookies["sessionid"].value != planted
    assert not Session.objects.filter(pk=planted).exists()


@pytest.mark.asvs("7.2.4")
def test_logging_in_again(ann: User) -> None:
    """The same user, too, gets another session, and the one that there was is gone."""
    api = Browser()
    keys = set()
    for _ in range(2):
        api.refresh()
        assert api.post("/auth/session", LOGIN).status_code == 200
        keys.add(api.client.cookies["sessionid"].value)
    assert len(keys) == 2
    assert Session.objects.get().pk == api.client.cookies["sessionid"].value


@pytest.mark.asvs("7.4.1")
def test_a_cookie_of_a_session_that_ended(ann: User) -> None:
    """Whoever has kept it after the log-out is nobody."""
    api = Browser(ann)
    kept = api.client.cookies["sessionid"].value
    assert api.delete("/auth/session").status_code == 204
    api.client.cookies["sessionid"] = kept
    assert api.get("/users/me").status_code == 401


def lock_out(user: User, by: User, how: str) -> None:
    """Deactivate *user* in one of the ways there are."""
    if how == "api":
        assert Api(by).patch(f"/users/{user.pk}", {"is_active": False}).status_code == 200
    elif how == "shell":
        user.is_active = False
        user.save()
    elif how == "column":
        user.is_active = False
        user.save(update_fields=["is_active"])
    else:
        page = Client()
        page.force_login(by)
        url = reverse("admin:users_user_change", args=[user.pk])
        form: dict[str, Any] = {"email": user.email, "name": user.name}
        if how == "action":
            url = reverse("admin:users_user_changelist")
            form = {"action": "deactivate", "_selected_action": [user.pk]}
        assert page.post(url, form).status_code == 302
    assert not User.objects.get(pk=user.pk).is_active


@pytest.mark.asvs("7.4.2")
@pytest.mark.parametrize("how", ["api", "form", "action", "shell", "column"])
def test_who_is_locked_out_has_to_log_in_again(how: str, ann: User, root: User) -> None:
    """No session and no token comes back to life, whether it was tried meanwhile or not."""
    callers = [Browser(ann), Api(ann)]
    quiet = [Browser(ann), Api(ann)]
    bob = Browser(make_user("bob@example.com"))
    lock_out(ann, root, how)
    assert [one.get("/users/me").status_code for one in callers] == [401, 401]
    assert Api(root).patch(f"/users/{ann.pk}", {"is_active": True}).status_code == 200
    assert [one.get("/users/me").status_code for one in callers + quiet] == [401] * 4
    assert bob.get("/users/me").status_code == 200
    api = Browser()
    assert api.post("/auth/session", LOGIN).status_code == 200
    api.refresh()
    assert [one.get("/users/me").status_code for one in (api, Api(_again(ann)))] == [200, 200]


@pytest.mark.asvs("7.4.2")
def test_each_lock_out_ends_what_began_since_the_last(ann: User, root: User) -> None:
    """Also of somebody who had been locked out before."""
    for _ in range(2):
        api = Browser(_again(ann))
        assert api.get("/users/me").status_code == 200
        for is_active in (False, True):
            changed = Api(root).patch(f"/users/{ann.pk}", {"is_active": is_active})
            assert changed.status_code == 200
        assert api.get("/users/me").status_code == 401


@pytest.mark.asvs("7.4.2")
def test_who_is_deleted_is_logged_out(ann: User, root: User) -> None:
    """Everywhere."""
    callers = [Browser(ann), Api(ann)]
    assert Api(root).delete(f"/users/{ann.pk}").status_code == 204
    assert [one.get("/users/me").status_code for one in callers] == [401, 401]


def _again(user: User) -> User:
    return User.objects.get(pk=user.pk)


@pytest.mark.asvs("7.4.5")
def test_a_manager_ends_all_that_a_user_has(ann: User, manager: User) -> None:
    """Sessions and tokens, with a new password, that nobody need know."""
    callers = [Browser(ann), Browser(ann), Api(ann)]
    assert [one.get("/users/me").status_code for one in callers] == [200, 200, 200]
    new = {"password": "another long passphrase"}
    assert Api(manager).patch(f"/users/{ann.pk}", new).status_code == 200
    assert [one.get("/users/me").status_code for one in callers] == [401, 401, 401]


@pytest.mark.parametrize("csrf", [None, "x" * 64])
def test_another_site_cannot_log_somebody_in(csrf: str | None, ann: User, hashed: Any) -> None:
    """403 before anything is hashed."""
    hashed.clear()
    api = Browser()
    del api.headers["X-CSRFToken"]
    if csrf:
        api.headers["X-CSRFToken"] = csrf
    response = api.post("/auth/session", LOGIN)
    assert (response.status_code, response.json()) == (403, {"detail": "CSRF check failed"})  # type: ignore[attr-defined]
    assert (hashed, Session.objects.count()) == ([], 0)


@pytest.mark.cve("2024-39329", "2025-13473")
@pytest.mark.asvs("6.3.8")
def test_nobody_learns_who_is_there(ann: User, hashed: list[str]) -> None:
    """Wrong, unknown, inactive, without a password: the same bytes, and one hash each."""
    make_user("inactive@example.com", is_active=False)
    make_user("unusable@example.com", password=None)
    hashed.clear()
    answers = set()
    for body in (
        {**LOGIN, "password": "wrong"},
        *({**LOGIN, "email": email} for email in ("nobody@example.com", "x", "", "a\x7fb")),
        {**LOGIN, "email": "inactive@example.com"},
        {**LOGIN, "email": "unusable@example.com"},
    ):
        before = len(hashed)
        response = Browser().post("/auth/session", body)
        assert len(hashed) == before + 1
        answers.add((response.status_code, response.content))
    assert answers == {(400, b'{"detail":"Incorrect username or password"}')}
    assert Session.objects.count() == 0


@pytest.mark.asvs("2.2.1")
@pytest.mark.parametrize(
    "body",
    [
        *({}, {"email": "a@b.co"}, {**LOGIN, "password": ""}, {**LOGIN, "email": 1}, []),
        *({**LOGIN, "password": "x" * 4_097}, {**LOGIN, "email": "x" * 4_097}),
        {**LOGIN, "remember": True},
    ],
)
def test_a_bad_body_costs_no_hash(body: Any, ann: User, hashed: list[str]) -> None:
    """422, and what was sent is not repeated."""
    hashed.clear()
    response = Browser().post("/auth/session", body)
    assert (response.status_code, hashed) == (422, [])
    assert PASSWORD not in response.content.decode()


def test_half_a_surrogate_pair_is_no_text(ann: User, hashed: list[str]) -> None:
    """Refused by the parser or by the schema, and never a crash."""
    hashed.clear()
    for field in LOGIN:
        body = json.dumps({**LOGIN, field: "a\ud800"})
        assert Browser().post("/auth/session", body).status_code in (400, 422)
    assert hashed == []


def test_a_form_is_no_body(ann: User, hashed: list[str]) -> None:
    """Django's CSRF check looks into a form; it is refused as it is with a token."""
    hashed.clear()
    for body, content_type in (
        ("--x--\r\n", "multipart/form-data; boundary=x"),
        ("email=a&password=b", "application/x-www-form-urlencoded"),
    ):
        for api, path in ((Browser(), "session"), (Browser(ann), "password")):
            response = api.post(f"/auth/{path}", body, content_type=content_type)
            assert (response.status_code, response.json()) == (  # type: ignore[attr-defined]
                415,
                {"detail": "Send application/json"},
            )
    assert hashed == []


def test_a_token_is_no_session(ann: User) -> None:
    """There is nothing to log out of."""
    both = Browser(ann)
    both.headers.update(Api(ann).headers)
    for api in (Api(ann), both):
        response = api.delete("/auth/session")
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, REALM)
    assert Session.objects.count() == 1


@pytest.mark.asvs("7.3.2")
@pytest.mark.parametrize("is_staff", [True, False])
def test_sessions_of_the_staff_are_shorter(is_staff: bool, settings: Any, db: None) -> None:
    """They open the admin site, too."""
    make_user("ann@example.com", is_staff=is_staff)
    settings.STAFF_SESSION_AGE = 1_800
    api = Browser()
    assert api.post("/auth/session", LOGIN).status_code == 200
    age = api.client.cookies["sessionid"]["max-age"]
    whole = 1_800 if is_staff else 14 * 24 * 60 * 60
    assert whole - 60 < age <= whole


@pytest.mark.asvs("7.3.2")
@pytest.mark.parametrize("is_staff", [True, False])
def test_use_does_not_prolong_a_session(is_staff: bool, db: None) -> None:
    """What is stored in it later leaves its end where the login has put it."""
    make_user("ann@example.com", is_staff=is_staff)
    api = Browser()
    assert api.post("/auth/session", LOGIN).status_code == 200
    end = Session.objects.get().expire_date
    session = api.client.session
    session["more"] = 1
    session.save()
    assert Session.objects.get().expire_date == end
    Session.objects.update(expire_date=timezone.now())
    assert api.get("/users/me").status_code == 401


@pytest.mark.asvs("7.3.2")
@pytest.mark.parametrize("privilege", ["is_staff", "is_superuser"])
@pytest.mark.parametrize("page", ["/api/users/me", "/admin/"])
def test_a_session_is_shortened_when_privileges_grow(
    privilege: str, page: str, ann: User, settings: Any
) -> None:
    """When a user is promoted, then a session of theirs ends as soon as one of the staff."""
    api = Browser(ann)
    api.get("/users/me")
    long = Session.objects.get().expire_date
    setattr(ann, privilege, True)
    ann.is_staff = ann.is_staff or page == "/admin/"
    ann.save()
    send(api.client, "get", page)
    short = Session.objects.get().expire_date
    assert short < long
    assert short - timezone.now() <= dt.timedelta(seconds=conf.staff_session_age())
    send(api.client, "get", page)
    assert Session.objects.get().expire_date == short
    Session.objects.update(expire_date=timezone.now())
    assert api.get("/users/me").status_code == 401
