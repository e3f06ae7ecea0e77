"""Which credential counts."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import OperationalError
from django.views.decorators.csrf import csrf_exempt

from di import Depends, NinjaAPI
from tests.users.conftest import Api, Browser, rows
from tests.users.test_api import INVALID, REALM
from users import crud, tokens
from users.dependencies.credentials import Caller, get_caller
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

KINDS = ("no", "good", "bad")


def api_with(bearer: str, cookie: str, csrf: str, user: User) -> Api:
    """Return a client that sends each kind of credential."""
    api = Browser(user if cookie == "good" else None)
    if cookie == "bad":
        api.client.cookies["sessionid"] = "x" * 32
    if csrf == "no":
        del api.headers["X-CSRFToken"]
    elif csrf == "bad":
        api.headers["X-CSRFToken"] = "x" * 64
    if bearer == "good":
        api.headers.update(Api(user).headers)
    elif bearer == "bad":
        api.headers["Authorization"] = f"Bearer {tokens.generate().text}"
    return api


def expected(bearer: str, cookie: str, method: str, csrf: str) -> tuple[int, str | None]:
    """Return the status and the challenge."""
    if bearer == "good":
        return 200, None
    if bearer == "bad":
        return 401, INVALID
    if cookie != "good":
        return 401, REALM
    return (200 if method == "get" or csrf == "good" else 403), None


@pytest.mark.parametrize(
    ("bearer", "cookie", "method", "csrf"),
    list(itertools.product(KINDS, KINDS, ("get", "patch"), KINDS)),
)
def test_the_matrix(bearer: str, cookie: str, method: str, csrf: str, ann: User) -> None:
    """A header decides alone; a cookie needs a CSRF token to change anything."""
    api = api_with(bearer, cookie, csrf, ann)
    before = rows()
    response = api.request(method, "/users/me", {"name": "Anne"} if method == "patch" else None)
    challenge = response.headers.get("WWW-Authenticate")
    assert (response.status_code, challenge) == expected(bearer, cookie, method, csrf)
    if response.status_code == 403:
        assert response.json() == {"detail": "CSRF check failed"}  # type: ignore[attr-defined]
    ann.refresh_from_db()
    is_changed = response.status_code == 200 and method == "patch"
    assert (ann.name, rows()) == ("Anne" if is_changed else "Ann", before)


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Token x"])
def test_a_header_of_another_scheme_hides_the_cookie(header: str, ann: User) -> None:
    """There is one credential, and it is none of ours."""
    response = Browser(ann).get("/users/me", headers={"Authorization": header})
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, REALM)


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_another_site_cannot_send(origin: str, ann: User) -> None:
    """Even with a CSRF token that it somehow got."""
    response = Browser(ann).request("patch", "/users/me", {"name": "X"}, headers={"Origin": origin})
    assert response.status_code == 403


@pytest.mark.cve("2021-32677")
def test_a_form_of_another_site_cannot_send(ann: User) -> None:
    """JSON under text/plain needs no preflight; it needs a CSRF token all the same."""
    api = Browser(ann)
    del api.headers["X-CSRFToken"]
    before = rows()
    response = api.post("/auth/revoke", "{}", content_type="text/plain")
    assert (response.status_code, rows()) == (403, before)


@pytest.mark.asvs("7.2.1")
@pytest.mark.parametrize("how", ["inactive", "password", "deleted"])
def test_a_session_that_ended(how: str, ann: User) -> None:
    """As a token that ended, but without an error code: there may be no token at all."""
    api = Browser(ann)
    if how == "inactive":
        User.objects.update(is_active=False)
    elif how == "password":
        User.objects.update(password="!")
    else:
        ann.delete()
    response = api.get("/users/me")
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, REALM)


def test_a_session_of_nobody(ann: User) -> None:
    """A session in which nobody has logged in is none."""
    api = Browser(ann)
    session = api.client.session
    del session[SESSION_KEY]
    session.save()
    assert api.get("/users/me").status_code == 401


@pytest.mark.parametrize("exempt", [True, False])
def test_a_view_may_be_exempt_from_csrf(exempt: bool, ann: User, settings: Any) -> None:
    """By Django's own decorator, as in Ninja."""
    import types

    from django.urls import path

    api = NinjaAPI(urls_namespace="exempt")

    def view(request: Any, caller: Caller = Depends(get_caller)) -> str:
        return caller.user.email

    api.post("/here")(csrf_exempt(view) if exempt else view)
    settings.ROOT_URLCONF = types.ModuleType("site")
    settings.ROOT_URLCONF.urlpatterns = [path("api/", api.urls)]
    client = Api()
    client.client.force_login(ann)
    assert client.post("/here").status_code == (200 if exempt else 403)


@pytest.mark.asvs("16.5.2", "16.5.3")
@pytest.mark.parametrize(("name", "status"), [("SQLITE_BUSY", 503), ("SQLITE_CORRUPT", 500)])
def test_a_database_that_is_busy(name: str, status: int, ann: User, monkeypatch: Any) -> None:
    """Before a session is opened, too, it is 503 if it may work the next time."""
    api = Api(ann)

    class CauseError(Exception):
        sqlite_errorname = name

    def fail(**_: Any) -> None:
        raise OperationalError from CauseError()

    monkeypatch.setattr(crud, "find_token", fail)
    response = api.get("/users/me")
    assert (response.status_code, response.headers.get("Retry-After")) == (
        status,
        "1" if status == 503 else None,
    )
