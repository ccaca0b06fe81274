"""What is asked of every page that a walk comes by: everyone can use it, and it fits its window."""

import os
import re
from functools import cache
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ONCE = re.compile(
    r'name="(csrfmiddlewaretoken|key|at)" value="[^"]*"'
)  # differs from one showing to the next
LOOKED_AT: set[tuple[str, str, bool]] = set()
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def look_at(page: Page, name: str) -> None:
    """axe finds nothing and nothing has to be scrolled sideways."""
    page.wait_for_load_state()  # one that has only begun to arrive has nothing to be looked at
    take_picture(page, name)
    found = violations(page)
    assert found == [], "\n".join([page.url, *found])
    assert_no_sideways_scroll(page)


def take_picture(page: Page, name: str, *, full_page: bool = True) -> None:
    """Keeps a picture for people to look at, when the environment's SHOTS names a folder for it."""
    if folder := os.environ.get("SHOTS"):
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=full_page)


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands.

    axe is a script, and styles what it measures. So it looks in another window, which shows the very same HTML
    under the same address with the same style sheets, and runs none of the page's scripts a second time.
    A page that an earlier walk has shown, word for word and in the same window, is not looked at again.
    """
    html, browser, size = page.content(), page.context.browser, page.viewport_size
    assert browser
    assert size
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    seen = (ONCE.sub("", html), str(size), is_dark)
    if seen in LOOKED_AT:
        return []
    window = _window(browser)
    window.set_viewport_size(size)
    window.emulate_media(color_scheme="dark" if is_dark else "light")

    def answer(route: Route) -> None:
        if route.request.is_navigation_request() and route.request.frame.parent_frame is None:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif route.request.resource_type == "script":
            route.abort()
        else:
            route.continue_()

    window.route("**/*", answer)
    try:
        window.goto(page.url)
        found = _axe(window)
    finally:
        window.unroute_all(behavior="ignoreErrors")
    if not found:
        LOOKED_AT.add(seen)
    return found


@cache
def _window(browser: Browser) -> Page:
    """The one in which this browser's pages are looked at: to open a window takes Chromium a second."""
    return browser.new_page()


def _axe(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]} ({'; '.join(check['message'] for check in node['any'] + node['all'])})"
        for one in found
        for node in one["nodes"]
    ]


def assert_no_sideways_scroll(page: Page) -> None:
    page.wait_for_load_state()
    assert page.evaluate(SIDEWAYS) == 0, f"{page.url} is wider than its window of {page.viewport_size}"
