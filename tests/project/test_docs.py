"""The documentation page: who sees it, and what it lets the browser do."""

from __future__ import annotations

import json
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
    """When the page is loaded, then each script is a file, as its policy demands."""
    page = Client().get("/api/docs").content.decode()
    scripts = re.findall("<script (.*?)>", page)
    assert len(scripts) == 4
    assert all("src=" in one or 'type="application/json"' in one for one in scripts)


def test_the_documentation_says_its_language_and_fits_a_phone() -> None:
    """When a browser or a screen reader opens the page, then it knows how to show it."""
    page = Client().get("/api/docs").content.decode()
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert '<meta charset="utf-8">' in page
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page


def test_the_documentation_asks_for_useful_scopes() -> None:
    """When a reader logs in there, then all scopes are chosen but the superusers' one."""
    page = Client().get("/api/docs").content.decode()
    (chosen,) = re.findall('<script id="scopes" type="application/json">(.*?)</script>', page)
    assert json.loads(chosen) == ["me", "items", "users:read", "users:write", "users:delete"]


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
    (token,) = re.findall(r'data-csrf-token="(\w{64})"', page)
    body = {"name": "Ann", "email": "ann@example.com"}
    url, kind = "/api/users", "application/json"
    assert client.post(url, body, kind).status_code == 403
    assert client.post(url, body, kind, headers={"X-CSRFToken": token}).status_code == 201
