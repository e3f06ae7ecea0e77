"""The documentation page: who sees it, and what it lets the browser do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from users.models import User


@pytest.mark.asvs("13.4.5")
@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs", "/api/openapi.json"])
def test_staff_reads_the_documentation(path: str, settings: Any) -> None:
    """Where it is not open: members of staff in a browser, and nobody else."""
    settings.API_DOCS = "staff"
    ann = User.objects.create_user("ann@example.com", "correct horse battery", name="Ann")
    client = Client()
    client.force_login(ann)
    assert client.get(path).status_code == 302
    User.objects.update(is_staff=True)
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 405


def test_the_documentation_loads_what_is_here() -> None:
    """And runs no script in the page itself; that it works so is seen in a browser."""
    response = Client().get("/api/docs")
    directives = dict(
        one.strip().split(" ", 1) for one in response.headers["Content-Security-Policy"].split(";")
    )
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    scripts = re.findall("<script (.*?)>", response.content.decode())
    assert all("src=" in one or 'type="application/json"' in one for one in scripts)


def test_the_documentation_keeps_no_token() -> None:
    """A browser's storage is for the token of a developer, on their own machine."""
    assert '"persistAuthorization": false' in Client().get("/api/docs").content.decode()


@pytest.mark.django_db
def test_the_documentation_has_a_csrf_token() -> None:
    """Swagger UI sends it, so that whoever has a browser session may write without a token."""
    root = User.objects.create_superuser("root@example.com", "correct horse battery", name="Root")
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)
    page = client.get("/api/docs").content.decode()
    assert 'data-api-csrf="true"' in page
    (token,) = re.findall(r'data-csrf-token="(\w{64})"', page)
    body = {"name": "Ann", "email": "ann@example.com"}
    url, kind = "/api/users", "application/json"
    assert client.post(url, body, kind).status_code == 403
    assert client.post(url, body, kind, headers={"X-CSRFToken": token}).status_code == 201
