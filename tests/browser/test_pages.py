"""Every page on a phone and on a desktop, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import ADMINISTRATOR, Seen, log_in
from tests.project.server import Up

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZES = [(390, 844), (1280, 800)]
WIDTHS = "() => [document.documentElement.scrollWidth, window.innerWidth]"
LUMINANCE = """element => {
    const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[0-9.]+/g);
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}"""


def fits(page: Page) -> bool:
    """Return True if nothing of the page is outside the window to the right."""
    needed, there = page.evaluate(WIDTHS)
    return bool(needed <= there)


@pytest.fixture(params=SIZES, ids=["phone", "desktop"])
def sized(request: pytest.FixtureRequest, page: Page) -> Page:
    """A page in a window of that size."""
    width, height = request.param
    page.set_viewport_size({"width": width, "height": height})
    return page


def test_the_first_page(sized: Page, seen: Seen) -> None:
    """When it is opened, then it fits, and each link leads to a page that is there."""
    sized.goto("/")
    assert fits(sized)
    assert sized.get_by_role("heading", level=1).inner_text() == "django-ninja-depends"
    links = sized.get_by_role("link").evaluate_all("links => links.map(link => link.href)")
    for link in links:
        answer = sized.goto(link)
        assert answer is not None
        assert answer.status == 200
    assert seen.complaints == []


@pytest.mark.parametrize("path", ["/", "/api/docs"])
def test_light_and_dark(path: str, page: Page) -> None:
    """When the reader's system is dark, then the page is, and it follows a change."""
    is_docs = path == "/api/docs"
    page.emulate_media(color_scheme="dark")
    page.goto(path)
    body = page.locator("html" if is_docs else "body")
    if is_docs:
        page.locator(".information-container").wait_for()
    assert body.evaluate(LUMINANCE) < 0.2
    page.emulate_media(color_scheme="light")
    if is_docs:  # its page is as white as the browser's paper then
        page.locator("html:not(.dark-mode)").wait_for()
    else:
        assert body.evaluate(LUMINANCE) > 0.8


def test_the_documentation_fits(sized: Page) -> None:
    """When an operation is open and the dialog too, then nothing scrolls sideways."""
    sized.goto("/api/docs")
    block = sized.locator(".opblock[id$='_api_list_users']")
    block.locator(".opblock-summary-control").click()
    block.locator(".responses-table").wait_for()
    assert fits(sized)
    sized.locator(".auth-wrapper .authorize").first.click()
    sized.locator(".dialog-ux").wait_for()
    assert fits(sized)


def test_the_admin_site_fits(sized: Page, site: Up, seen: Seen) -> None:
    """When the administrator looks at lists and forms, then they fit, and nothing is refused."""
    log_in(sized, ADMINISTRATOR, site.password())
    assert sized.locator("#site-name").inner_text() == "django-ninja-depends"
    for path in ("", "users/user/", "users/user/1/change/", "users/user/add/", "users/auditentry/"):
        sized.goto(f"/admin/{path}")
        assert fits(sized)
    assert seen.complaints == []
