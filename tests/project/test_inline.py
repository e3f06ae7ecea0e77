"""Under ASGI Django's middlewares do on the loop what does not wait, and else go to a thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, async_to_sync
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

from project.inline import inlined
from users import crud, tokens
from users.models import User

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _middleware() -> Iterator[None]:
    with inlined():
        yield


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the functions that are called in a thread, as they are called."""
    made: list[str] = []
    call = SyncToAsync.__call__

    async def counted(self: SyncToAsync[Any, Any], *args: Any, **kwargs: Any) -> Any:
        made.append(getattr(self.func, "__name__", ""))
        return await call(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", counted)
    return made


@pytest.fixture
def root(transactional_db: None) -> User:
    """A superuser."""
    return User.objects.create_superuser("root@example.com", PASSWORD, name="Root")


def send(client: AsyncClient, method: str, url: str, **options: Any) -> HttpResponse:
    """Send one request and wait for the answer."""
    response: HttpResponse = async_to_sync(getattr(client, method))(url, **options)
    return response


def test_each_of_djangos_is_replaced_while_the_handler_is_made() -> None:
    """When the application is made, then all middlewares of Django's are inline; not later."""
    made = [import_string(name) for name in settings.MIDDLEWARE]
    classes = [one for one in made if isinstance(one, type) and issubclass(one, MiddlewareMixin)]
    assert len(classes) == 7
    assert {one.__module__ for one in classes} == {"project.inline"}
    names = [one.__bases__[1].__module__ for one in classes]
    with inlined():  # once more changes nothing
        assert [import_string(name) for name in settings.MIDDLEWARE] == made
    assert all(name.startswith("django.") for name in names)


def test_the_settings_have_djangos_names_afterwards() -> None:
    """When the handler is made, then Django's checks find the names that they look for."""
    from tests import settings as written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "MIDDLEWARE", written.MIDDLEWARE)
        with inlined():
            assert "django.middleware.security.SecurityMiddleware" not in settings.MIDDLEWARE
        assert settings.MIDDLEWARE is written.MIDDLEWARE


@pytest.mark.parametrize("text", ["x", None])
def test_an_api_request_goes_to_its_thread_for_its_view(
    text: str | None, trips: list[str], transactional_db: None
) -> None:
    """When a request of the API is answered, then no middleware goes to a thread."""
    token = text or tokens.generate().text
    headers = {"Authorization": f"Bearer {token}"}
    response = send(AsyncClient(), "get", "/api/users", headers=headers)
    assert response.status_code == 401
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Length"] == str(len(response.content))
    assert not [name for name in trips if name.startswith("process_")]


def test_a_session_is_saved_in_a_thread(root: User, trips: list[str]) -> None:
    """When someone logs in and out, then the session is written, on the request's thread."""
    client = AsyncClient(enforce_csrf_checks=True)
    page = send(client, "get", "/admin/login/")
    form = {"username": root.email, "password": PASSWORD}
    assert page.status_code == 200
    assert send(client, "post", "/admin/login/", data=form).status_code == 403
    trips.clear()
    form["csrfmiddlewaretoken"] = client.cookies["csrftoken"].value
    assert send(client, "post", "/admin/login/?next=/", data=form).status_code == 302
    assert Session.objects.count() == 1
    assert [name for name in trips if name.startswith("process_")] == [
        "process_view",
        "process_response",
    ]
    assert send(client, "get", "/admin/").status_code == 200


def test_messages_are_kept_for_the_next_page(root: User) -> None:
    """When the admin site says that something was saved, then the next page shows it once."""
    client = AsyncClient()
    async_to_sync(client.aforce_login)(root)
    group = {"name": "Some", "permissions": []}
    response = send(client, "post", "/admin/auth/group/add/", data=group)
    assert response.status_code == 302
    assert "was added successfully" in send(client, "get", "/admin/auth/group/").content.decode()
    assert "was added" not in send(client, "get", "/admin/auth/group/").content.decode()


def test_a_session_that_is_saved_each_time(
    root: User, trips: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When sessions are to be saved for each request, then that is done in a thread."""
    monkeypatch.setattr(settings, "SESSION_SAVE_EVERY_REQUEST", True)
    client = AsyncClient()
    async_to_sync(client.aforce_login)(root)
    trips.clear()
    assert send(client, "get", "/api/users/me").status_code == 200
    assert "process_response" in trips


def test_a_middleware_that_answers_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """When HTTPS is asked for, then the redirect comes before everything else."""
    monkeypatch.setattr(settings, "SECURE_SSL_REDIRECT", True)
    response = send(AsyncClient(), "get", "/api/users")
    assert (response.status_code, response.headers["Location"]) == (
        301,
        "https://testserver/api/users",
    )


def test_under_wsgi_they_are_djangos(root: User) -> None:
    """When they are used under WSGI all the same, then forms are checked and answered."""
    client = Client(enforce_csrf_checks=True)
    client.get("/admin/login/")
    form = {"username": root.email, "password": PASSWORD}
    assert client.post("/admin/login/", form).status_code == 403
    form["csrfmiddlewaretoken"] = client.cookies["csrftoken"].value
    assert client.post("/admin/login/?next=/", form).status_code == 302


def test_a_token_works_beside_cookies(root: User) -> None:
    """When a request has a token and a session's cookie, then the token counts."""
    client = AsyncClient(enforce_csrf_checks=True)
    async_to_sync(client.aforce_login)(root)
    _, text = crud.issue_token(user=root, scope="users:write")
    body = {"data": '{"name": "N", "email": "n@example.com"}', "content_type": "application/json"}
    headers = {"Authorization": f"Bearer {text}"}
    assert send(client, "post", "/api/users", headers=headers, **body).status_code == 201
    assert send(client, "post", "/api/users", **body).status_code == 403
