"""The first page, the API's root, and the names of the site."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import resolve

from tests.project.conftest import Ask


def test_the_first_page_leads_everywhere(settings: Any) -> None:
    """When somebody opens the address, then one page says what it is and where to go."""
    settings.SOURCE_URL = "https://example.com/source"
    response = Client().get("/")
    page = response.content.decode()
    assert response.status_code == 200
    assert re.findall('<a href="(.*?)">', page) == [
        "/api/docs",
        "/admin/",
        "/api/openapi.json",
        "https://example.com/source",
    ]
    assert '<html lang="en">' in page
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "FastAPI's <code>Depends()</code>" in page


def test_the_first_page_without_a_source() -> None:
    """When no address of the source is set, then the page has no dead link to one."""
    assert "Source" not in Client().get("/").content.decode()


def test_the_first_page_asks_the_database_for_nothing() -> None:
    """When the page is asked for, then it needs no database, which the test does not allow."""
    assert Client().get("/").status_code == 200
    assert Client().post("/").status_code == 405


def test_every_file_of_the_pages_is_there() -> None:
    """When a page names a file of this site, then there is such a file."""
    for path in ("/", "/api/docs"):
        page = Client().get(path).content.decode()
        files = re.findall('(?:href|src)="/static/(.*?)"', page)
        assert files
        assert [name for name in files if finders.find(name) is None] == []
        assert " style=" not in page
        assert "<style" not in page


def test_browsers_find_an_icon() -> None:
    """When a page names no icon, then the browser's own request for one finds it."""
    response = Client().get("/favicon.ico")
    assert (response.status_code, response["Location"]) == (302, "/static/project/icon.svg")


@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_the_root_of_the_api_shows_where_to_begin(path: str, ask: Ask) -> None:
    """When a client asks for the root, then it gets paths that exist, as JSON."""
    answer = ask("GET", path)
    assert answer.status == 200
    assert answer.json() == {
        "documentation": "/api/docs",
        "openapi": "/api/openapi.json",
        "token": "/api/auth/token",
        "me": "/api/users/me",
        "users": "/api/users",
        "health": "/api/health",
    }
    assert all(resolve(one) for one in answer.json().values())


@pytest.mark.django_db
def test_the_admin_site_has_the_name_of_the_product() -> None:
    """When the admin site is opened, then its heading is the product's and not Django's."""
    page = Client().get("/admin/login/").content.decode()
    assert "<title>Log in | django-ninja-depends</title>" in page
    assert "Django administration" not in page
