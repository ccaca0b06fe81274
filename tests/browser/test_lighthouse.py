"""Full marks from Lighthouse, as it imagines a phone, for the pages that people arrive at."""

import json
import shutil
from typing import Any

import pytest

from tests import node
from tests.browser.conftest import Site

PAGES = ["/", "/articles/", "/articles/acupuncture-for-back-pain/", "/points/"]
FULL_MARKS = {"performance": 100, "accessibility": 100, "best-practices": 100, "seo": 100}
TRIES = 5  # speed is measured, and with it whatever else the machine does: the best of these counts


@pytest.fixture
def _chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    monkeypatch.setenv("CHROME_PATH", path)


def looked_at(site: Site, pages: list[str]) -> dict[str, dict[str, Any]]:
    """Of each page its `marks` by category, None where it could not tell, and the `faults` that cost any."""
    ran = node.run("lighthouse.mjs", *(site.url + page for page in pages))
    assert ran.returncode == 0, ran.stderr
    return dict(zip(pages, map(json.loads, ran.stdout.splitlines()), strict=True))


@node.needed
@pytest.mark.usefixtures("_chromium")
def test_the_pages_that_people_arrive_at_get_full_marks_on_a_phone(site: Site) -> None:
    found = looked_at(site, PAGES)
    for _ in range(TRIES - 1):
        if again := [page for page in PAGES if only_slow(found[page]["marks"])]:
            found |= looked_at(site, again)
    faults = json.dumps({page: found[page]["faults"] for page in PAGES}, indent=1)
    assert {page: found[page]["marks"] for page in PAGES} == dict.fromkeys(PAGES, FULL_MARKS), faults


def only_slow(marks: dict[str, int | None]) -> bool:
    """Nothing but speed was wanting, or the time to tell: for everything else there is one try."""
    others = [mark for category, mark in marks.items() if category != "performance"]
    return marks != FULL_MARKS and {*others} <= {100, None}
