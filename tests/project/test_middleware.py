"""What happens to every request, and to its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from di import override
from project.api import database_is_there
from project.logs import NO_REQUEST, request_id
from tests.project.conftest import Ask


def ask(handler: str, method: str, path: str) -> Any:
    if handler == "wsgi":
        return getattr(Client(), method)(path)
    return async_to_sync(getattr(AsyncClient(), method))(path)


@pytest.mark.parametrize("handler", ["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/users", 401),
        ("get", "/api/users/", 401),
        ("post", "/api/users/", 401),
        ("delete", "/api/users/1/", 401),
        ("post", "/api/auth/token/", 400),
        ("get", "/api/docs/", 200),
        ("get", "/api/users//", 404),
        ("get", "/api//users", 404),
        ("get", "/api/", 200),
        ("get", "/api", 200),
        ("get", "/api//", 404),
        ("get", "/admin", 404),
        ("get", "/admin/", 302),
    ],
)
@pytest.mark.django_db
def test_a_slash_makes_no_difference_to_the_api(
    method: str, path: str, status: int, handler: str
) -> None:
    """One slash is the same resource, two are none, and nothing outside the API changes."""
    assert ask(handler, method, path).status_code == status


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.django_db
def test_unknown_paths_of_the_api_are_json(debug: bool, settings: Any) -> None:
    """Also while developing, when Django would show a page of its own."""
    settings.DEBUG = debug
    response = Client().get("/api/nowhere/")
    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


@pytest.mark.asvs("4.1.3")
@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("0af7651916cd43dd8448eb211c80319c", True),
        ("A.b_c-1", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("a\nb", False),
        ("é", False),
        ("{x}", False),
    ],
)
def test_a_request_has_an_id(given: str, is_taken: bool, ask: Ask) -> None:
    """The client's if it is sane, else a new one; the answer shows it, also an error."""
    seen = {ask("GET", "/api/users", {"X-Request-ID": given}).headers["x-request-id"]}
    seen.add(ask("GET", "/api/nowhere", {"X-Request-ID": given}).headers["x-request-id"])
    if is_taken:
        assert seen == {given}
    else:
        assert len(seen) == 2
        assert all(re.fullmatch("[0-9a-f]{32}", one) for one in seen)


def test_ids_are_not_shared(ask: Ask) -> None:
    """H97: two requests without one get two."""
    ids = {ask("GET", "/nowhere").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_an_id_lives_as_long_as_its_request(ask: Ask) -> None:
    """What is closed after the answer was sent logs it still; what comes later does not."""
    request_id.set(NO_REQUEST)  # Django's test clients do not end the ids of other tests
    seen: list[str] = []

    def watched() -> Iterator[bool]:
        yield True
        seen.append(request_id.get())

    with override({database_is_there: watched}):
        ask("GET", "/api/health", {"X-Request-ID": "it-42"})
    assert (seen, request_id.get()) == (["it-42"], NO_REQUEST)


def test_a_page_loads_only_files_of_this_site(ask: Ask) -> None:
    """When an answer is JSON, then it may load nothing; a page may load this site's files."""
    nothing = ask("GET", "/api/openapi.json").headers["content-security-policy"]
    assert nothing == "default-src 'none'"
    for page in ("/", "/api/docs", "/admin/login/"):
        answer = ask("GET", page)
        assert answer.headers["content-type"].startswith("text/html")
        policy = answer.headers["content-security-policy"]
        assert dict(one.strip().split(" ", 1) for one in policy.split(";")) == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "connect-src": "'self'",
            "img-src": "'self' data:",
            "base-uri": "'none'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
        }
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_error_page_has_no_policy(ask: Ask) -> None:
    """When Django shows an error page, then no policy forbids its styles, which are inline."""
    answer = ask("GET", "/nowhere")
    assert (answer.status, "content-security-policy" in answer.headers) == (404, False)
