"""People and clients for the tests of users."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import hashers
from django.contrib.auth.models import Permission
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient, Client

from project.inline import inlined
from users import crud
from users.models import AccessToken, User
from users.scopes import SCOPES

PASSWORD = "correct horse battery"
EVERY_SCOPE = " ".join(sorted(SCOPES))


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
    """Return a client of that handler, for which CSRF counts."""
    kind = AsyncClient if Handler.is_asgi else Client
    return kind(enforce_csrf_checks=True, raise_request_exception=False)


def send(client: Any, method: str, url: str, **options: Any) -> HttpResponse:
    """Send one request and wait for the answer."""
    call = getattr(client, method)
    return (async_to_sync(call) if isinstance(client, AsyncClient) else call)(url, **options)


class Api:
    """The API as *user* calls it, with a token of theirs; as nobody without one."""

    def __init__(self, user: User | None = None, scope: str = EVERY_SCOPE) -> None:
        self.client = make_client()
        self.headers = {}
        self.text = ""
        if user is not None:
            _, self.text = crud.issue_token(user=user, scope=scope)
            self.headers["Authorization"] = f"Bearer {self.text}"

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

    def form(self, path: str, form: Any, **options: Any) -> HttpResponse:
        """Send *form* as a form; see `request`."""
        options.setdefault("content_type", "application/x-www-form-urlencoded")
        data = urlencode(form, doseq=True) if isinstance(form, dict) else form
        return self.request("post", path, data=data, **options)


class Browser(Api):
    """The API as a page of this site calls it, in which *user* has logged in."""

    def __init__(self, user: User | None = None) -> None:
        super().__init__()
        if user is not None:
            self.client.force_login(user)
        self.refresh()

    def refresh(self) -> None:
        """Read the CSRF token anew, as after each login."""
        answer = send(self.client, "get", "/api/auth/csrf").json()  # type: ignore[attr-defined]
        self.headers["X-CSRFToken"] = answer["csrf_token"]


def login(form: Any, **options: Any) -> HttpResponse:
    """Send the password form."""
    return Api().form("/auth/token", form, **options)


def rows() -> tuple[int, int]:
    """Return how many users and tokens there are."""
    return User.objects.count(), AccessToken.objects.count()


@pytest.fixture(params=["wsgi", "asgi"])
def handler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a test under each of Django's handlers, with the middlewares of each in production."""
    is_asgi = request.param == "asgi"
    monkeypatch.setattr(Handler, "is_asgi", is_asgi)
    with inlined() if is_asgi else nullcontext():
        yield request.param


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


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Return what the security log has: each event's name and details."""
    logger = logging.getLogger("security")
    logger.addHandler(caplog.handler)
    # What logging itself knows, and what a formatter of the project may add.
    usual = vars(logging.makeLogRecord({})).keys() | {"message", "asctime", "request_id"}

    def read() -> list[dict[str, Any]]:
        return [
            {"event": record.getMessage()}
            | {name: value for name, value in vars(record).items() if name not in usual}
            for record in caplog.records
            if record.name == logger.name
        ]

    with caplog.at_level("INFO", logger.name):
        yield read
    logger.removeHandler(caplog.handler)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count what is hashed."""
    calls: list[str] = []
    hasher = hashers.get_hasher()
    original = type(hasher).encode

    def encode(self: Any, password: str, *args: Any, **kwargs: Any) -> str:
        calls.append(password)
        return original(self, password, *args, **kwargs)

    monkeypatch.setattr(type(hasher), "encode", encode)
    return calls


def at_once(number: int, call: Any) -> list[Any]:
    """Call *call* in *number* threads that start together."""
    barrier = Barrier(number)

    def run(index: int) -> Any:
        barrier.wait()
        try:
            return call(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
