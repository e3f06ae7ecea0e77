"""The admin site."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import ADMINISTRATOR, attempt, log_in
from tests.project.server import Up

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASSWORD = "correct horse battery"
WRONG = "Please enter the correct email and password for a staff account."
CELLS = "cells => cells.map(cell => cell.querySelector('img')?.alt ?? cell.innerText)"


def error(page: Page) -> str:
    return page.locator(".errornote").inner_text()


def rows(page: Page, kind: str, query: str = "") -> dict[str, list[str]]:
    """Return the list of a *kind* as it is shown: by the first column, the others."""
    page.goto(f"/admin/users/{kind}/?{query}")
    page.locator("#changelist").wait_for()
    lines = page.locator("#result_list tbody tr").all()
    return {
        line.locator("th").inner_text(): line.locator("td:not(.action-checkbox)").evaluate_all(
            CELLS
        )
        for line in lines
    }


def save(page: Page) -> str:
    """Press Save and return what the next page says was done."""
    page.get_by_role("button", name="Save", exact=True).click()
    return page.locator(".messagelist .success").inner_text()


def add_user(page: Page, name: str) -> str:
    """Fill the form for a new user with a password, and return their address."""
    email = f"{name.lower()}@example.com"
    page.goto("/admin/users/user/add/")
    page.get_by_label("Email:").fill(email)
    page.get_by_label("Name:").fill(name)
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation:").fill(PASSWORD)
    assert f"“{email}” was added successfully" in save(page)
    return email


def open_user(page: Page, email: str) -> None:
    page.goto("/admin/users/user/")
    page.get_by_role("link", name=email).click()
    page.locator("#user_form").wait_for()


@pytest.fixture
def admin(page: Page, site: Up) -> Page:
    """The page of the administrator, who has logged in."""
    log_in(page, ADMINISTRATOR, site.password())
    page.get_by_role("link", name="Access tokens").wait_for()
    return page


def test_logging_in(page: Page, site: Up) -> None:
    """By address: a wrong password is told, and the right one shows what there is."""
    log_in(page, ADMINISTRATOR, "wrong password")
    assert error(page).startswith(WRONG)
    log_in(page, ADMINISTRATOR.upper(), site.password())
    assert page.locator("#user-tools strong").inner_text().lower() == ADMINISTRATOR
    models = page.locator("#content-main th[scope=row]").all_inner_texts()
    assert models == ["Groups", "Access tokens", "Audit entries", "Users"]


def test_too_many_attempts(page: Page) -> None:
    """After five wrong passwords the page says so, whether there is such a user or not."""
    page.goto("/admin/login/")
    for _ in range(5):
        attempt(page, "eager@example.com", "wrong password")
        assert error(page).startswith(WRONG)
    attempt(page, "eager@example.com", "wrong password")
    assert error(page) == "Too many requests."


def test_a_user_comes_and_goes(admin: Page) -> None:
    """Added with a password, listed, found, logged; deleted, and the audit says by whom."""
    email = add_user(admin, "Dora")
    user_id = admin.url.split("/")[-3]
    admin.get_by_role("link", name="History").click()
    logged = admin.locator("#change-history tbody td").all_inner_texts()
    assert logged == [ADMINISTRATOR, "Added."]
    assert rows(admin, "user")[email] == ["Dora", "True", "False", "False", "-"]
    assert [*rows(admin, "user", "q=dora")] == [email]
    open_user(admin, email)
    admin.get_by_role("link", name="Delete").click()
    admin.get_by_role("button", name="Yes").click()
    assert "was deleted successfully" in admin.locator(".messagelist .success").inner_text()
    assert email not in rows(admin, "user")
    assert ["User deleted", ADMINISTRATOR, f"{user_id} (deleted)"] in rows(
        admin, "auditentry"
    ).values()


def test_a_token_is_revoked(admin: Page, site: Up) -> None:
    """By the action; the page never shows more of it than its key."""
    form = f"username={ADMINISTRATOR}&password={site.password()}&scope=users:read"
    token = json.loads(site.ask("/api/auth/token", form)[1])["access_token"]
    _, key, secret = token.split("_")
    assert site.ask("/api/users", token=token)[0] == 200
    before = rows(admin, "accesstoken")[key]
    assert before[:3] == [ADMINISTRATOR, "True", "users:read"]
    assert secret not in admin.content()
    admin.get_by_role("row", name=key).get_by_role("checkbox").check()
    admin.get_by_label("Action:").select_option("Revoke the selected tokens")
    admin.get_by_role("button", name="Go").click()
    assert admin.locator(".messagelist .success").inner_text() == "Revoked 1 tokens."
    assert rows(admin, "accesstoken")[key][:3] == [ADMINISTRATOR, "False", "users:read"]
    assert site.ask("/api/users", token=token)[0] == 401


def test_staff_has_no_say_in_privileges(admin: Page) -> None:
    """Who manages users edits names; privileges, and superusers, are there to be read."""
    somebody = add_user(admin, "Emil")
    staff = add_user(admin, "Frida")
    admin.get_by_label("Staff status").check()
    admin.locator("#id_groups_from").select_option("user-managers")
    admin.get_by_role("button", name="Choose selected groups").click()
    assert "was changed successfully" in save(admin)
    admin.get_by_role("button", name="Log out").click()
    log_in(admin, staff, PASSWORD)
    open_user(admin, somebody)
    fields = "#user_form fieldset :is(input, select)"
    names = admin.locator(fields).evaluate_all("fields => fields.map(field => field.name)")
    assert names == ["email", "name", "is_active"]
    shown = admin.locator("#user_form .readonly").count()
    assert shown == 6  # a password's hash, four privileges, two dates
    admin.get_by_label("Name:").fill("Emile")
    assert "was changed successfully" in save(admin)
    open_user(admin, ADMINISTRATOR)
    assert admin.locator("#content h1").inner_text() == "View user"
    assert admin.locator(fields).count() == 0
    assert admin.get_by_role("button", name="Save").count() == 0
    assert admin.get_by_role("link", name="Delete").count() == 0
    assert admin.get_by_role("link", name="Reset password").count() == 0
