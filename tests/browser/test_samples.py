"""The reference's example of `Security` in Swagger UI, as it stands in `ported`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.project.server import ROOT, Up, Uvicorn, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCOPES = {"me": "Read information about the current user.", "items": "Read items."}
OPERATION = "#operations-default-tests_fastapi_docs_ported_reference_own_items_read_own_items"


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The sample under uvicorn; it asks nothing of its database."""
    settings = {
        "DJANGO_SETTINGS_MODULE": "tests.browser.sample_settings",
        "PYTHONPATH": str(ROOT),
    }
    database = f"sqlite:///{tmp_path_factory.mktemp('sample') / 'empty.sqlite3'}"
    with running(database, server=Uvicorn, **settings) as up:
        up.wait_until_ready()
        yield up


def test_authorize_offers_the_scope_items(page: Page) -> None:
    """When `Security` names the scope "items", Authorize offers it, and a login with it works."""
    page.goto("/docs")
    page.locator(".auth-wrapper .authorize").first.click()
    dialog = page.locator(".dialog-ux")
    offered = dialog.locator(".scopes .checkbox")
    offered.first.wait_for()
    names = offered.locator(".name").all_inner_texts()
    texts = offered.locator(".description").all_inner_texts()
    assert dict(zip(names, texts, strict=True)) == SCOPES

    dialog.get_by_label("username:").fill("johndoe")
    dialog.get_by_label("password:").fill("secret")
    for name in SCOPES:
        dialog.locator(f"label[for='{name}-password-checkbox-OAuth2PasswordBearer']").click()
    dialog.get_by_label("Apply given OAuth2 credentials").click()
    dialog.get_by_label("Remove authorization").wait_for()
    dialog.locator(".close-modal").click()

    block = page.locator(OPERATION)
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    assert answer.locator(".response-col_status").inner_text().split()[0] == "200"
    assert '"owner": "johndoe"' in answer.locator("pre").first.inner_text()
