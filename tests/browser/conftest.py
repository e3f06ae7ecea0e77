"""Chromium, driven by Playwright, and the site that `manage.py up` serves to it.

Without a browser these tests are skipped; in CI, which says so with CI=true, they fail.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.project.server import Up, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
SECONDS = 15
ADMINISTRATOR = "admin@example.com"
REFUSED = "Failed to load resource: the server responded with a status of 4"


def need(thing: object, what: str) -> None:
    """Go on only with *thing*: skip the test without it, fail it in CI."""
    if not thing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is, if it can be driven."""
    need(find_spec("playwright"), 'Playwright is missing: pip install --editable ".[browser]"')
    path = shutil.which("chromium")
    need(path, "Chromium is missing: apt-get install chromium")
    return str(path)


@pytest.fixture(scope="session")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A new site, with an administrator and nobody else."""
    with running(f"sqlite:///{tmp_path_factory.mktemp('site') / 'new.sqlite3'}") as up:
        up.wait_until_ready()
        yield up


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium with a new profile.

    Not for the whole session: while Playwright runs, its event loop is that of this
    thread, and Django refuses queries beside one.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield browser
        browser.close()


def log_in(page: Page, email: str, password: str) -> None:
    """Open the admin site and log in there."""
    page.goto("/admin/")
    attempt(page, email, password)


def attempt(page: Page, email: str, password: str) -> None:
    """Fill and send the login form that the page shows."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@dataclass
class Seen:
    """What a page has asked for, and what it has complained of on the console."""

    urls: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        """Keep what is an error, breaches of the content security policy included."""
        if message.type == "error":
            self.complaints.append(message.text)


@pytest.fixture
def seen() -> Seen:
    """What the page of this test has done so far."""
    return Seen()


@pytest.fixture
def page(browser: Browser, site: Up, seen: Seen, tmp_path: Path) -> Iterator[Page]:
    """A page in a window of its own, without cookies; its last sight is kept as last.png.

    Whatever a test does, its pages ask nobody but this machine for anything, and nothing
    fails in them but what the site refuses.
    """
    context = browser.new_context(base_url=f"http://127.0.0.1:{site.port}")
    context.set_default_timeout(SECONDS * 1000)
    context.on("request", lambda request: seen.urls.append(request.url))
    context.on("console", seen.hear)
    context.on("weberror", lambda error: seen.complaints.append(str(error.error)))
    page = context.new_page()
    yield page
    page.screenshot(path=tmp_path / "last.png")
    context.close()
    assert {urlsplit(url).hostname for url in seen.urls} == {"127.0.0.1"}
    assert [text for text in seen.complaints if not text.startswith(REFUSED)] == []
