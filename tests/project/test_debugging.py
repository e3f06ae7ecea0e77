"""No error page or mail shows a secret of the settings."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.conf import settings as current
from django.test import Client, RequestFactory
from django.views.debug import get_exception_reporter_class, get_exception_reporter_filter

PASSWORD = "s&cret/'ü'"
URL = "postgres://app:s%26cret%2F%27%C3%BC%27@db.example/app"


@pytest.fixture(autouse=True)
def _database(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a password of a database where the product does."""
    settings.DATABASE_URL = URL
    monkeypatch.setitem(current.DATABASES["default"], "PASSWORD", PASSWORD)


def written() -> tuple[str, ...]:
    return ("s&cret", "s&amp;cret", "s%26cret", "s\\&cret", current.SECRET_KEY)


@pytest.mark.asvs("16.5.1")
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_a_strangers_wrong_host_shows_no_password(accept: str, settings: Any) -> None:
    """When DEBUG is on, then even its page for a wrong name of this host has no secret."""
    settings.DEBUG = True
    client = Client(raise_request_exception=False)
    headers = {"Host": "evil.example", "Accept": accept}
    page = client.get("/", headers=headers, DATABASE_URL=URL).content.decode()
    assert "evil.example" in page
    assert "DATABASE_URL" in page
    assert not [text for text in written() if text in page]


@pytest.mark.parametrize("is_html", [True, False])
def test_a_drivers_variables_show_no_password(is_html: bool, settings: Any) -> None:
    """When a database cannot be reached, then its password is in a variable of its driver."""
    settings.DEBUG = True
    request = RequestFactory().get("/")

    def connect(**conn_params: str) -> None:
        message = f"cannot connect to {URL} as {conn_params} with {settings.SECRET_KEY}"
        raise OSError(message)

    try:
        connect(user="app", password=PASSWORD)
    except OSError:
        reporter = get_exception_reporter_class(request)(request, *sys.exc_info())
    text = reporter.get_traceback_html() if is_html else reporter.get_traceback_text()
    assert "OSError" in text
    assert not [one for one in written() if one in text]


def test_settings_are_hidden_by_their_names() -> None:
    """When a setting is the address of a database, then its name says so."""
    found = get_exception_reporter_filter(None).get_safe_settings()  # type: ignore[arg-type]
    assert "postgres" not in found["DATABASE_URL"]
    assert found["STATIC_URL"] == current.STATIC_URL
