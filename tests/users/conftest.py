"""People and clients for the tests of users."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import AsyncClient, Client

from users import crud
from users.models import AccessToken, User

PASSWORD = "correct horse battery"


def make_user(
    email: str, *permissions: str, password: str | None = PASSWORD, **fields: Any
) -> User:
    """Create a user who holds *permissions*, each the codename of one on users."""
    user = User.objects.create_user(email, password, **fields)
    found = Permission.objects.filter(
        content_type__app_label="users", content_type__model="user", codename__in=permissions
    )
    assert len(found) == len(permissions)
    user.user_permissions.set(found)
    return user


class Handler:
    """Which of Django's two handlers answers."""

    is_asgi = False


def make_client() -> Any:
    """Return a client of that handler."""
    return (AsyncClient if Handler.is_asgi else Client)(raise_request_exception=False)


def send(client: Any, method: str, url: str, **options: Any) -> HttpResponse:
    """Send one request and wait for the answer."""
    call = getattr(client, method)
    return (async_to_sync(call) if isinstance(client, AsyncClient) else call)(url, **options)


class Api:
    """The API as *user* calls it, with a token of theirs; as nobody without one."""

    def __init__(self, user: User | None = None) -> None:
        self.client = make_client()
        self.headers = {}
        if user is not None:
            _, text = crud.issue_token(user=user, scope="me")
            self.headers["Authorization"] = f"Bearer {text}"

    def request(self, method: str, path: str, body: Any = None, **options: Any) -> HttpResponse:
        """Send *body* as JSON, a string as it is."""
        if body is not None:
            options["data"] = body if isinstance(body, (str, bytes)) else json.dumps(body)
            options.setdefault("content_type", "application/json")
        headers = {**self.headers, **options.pop("headers", {})}
        return send(self.client, method, f"/api{path}", headers=headers, **options)

    def get(self, path: str, **options: Any) -> HttpResponse:
        """See `request`."""
        return self.request("get", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> HttpResponse:
        """See `request`."""
        return self.request("post", path, body, **options)

    def patch(self, path: str, body: Any) -> HttpResponse:
        """See `request`."""
        return self.request("patch", path, body)

    def delete(self, path: str) -> HttpResponse:
        """See `request`."""
        return self.request("delete", path)


def login(form: Any, **options: Any) -> HttpResponse:
    """Send the password form."""
    options.setdefault("content_type", "application/x-www-form-urlencoded")
    if isinstance(form, dict):
        from urllib.parse import urlencode

        form = urlencode(form, doseq=True)
    return send(make_client(), "post", "/api/auth/token", data=form, **options)


def rows() -> tuple[int, int]:
    """Return how many users and tokens there are."""
    return User.objects.count(), AccessToken.objects.count()


@pytest.fixture(params=["wsgi", "asgi"])
def handler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test under each of Django's handlers."""
    monkeypatch.setattr(Handler, "is_asgi", request.param == "asgi")
    return str(request.param)


@pytest.fixture
def ann(db: None) -> User:
    """Somebody without any permission."""
    return make_user("ann@example.com", name="Ann")


@pytest.fixture
def manager(db: None) -> User:
    """Somebody who may do everything with users who are not superusers."""
    return make_user(
        "manager@example.com",
        *("add_user", "change_user", "delete_user", "view_user"),
        name="Manager",
    )


@pytest.fixture
def root(db: None) -> User:
    """A superuser."""
    return User.objects.create_superuser("root@example.com", PASSWORD, name="Root")
