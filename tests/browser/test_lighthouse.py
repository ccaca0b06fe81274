"""Full marks from Lighthouse, as it imagines a phone, for the pages that people arrive at."""

import json
import shutil
from typing import Any

import pytest

from tests import node
from tests.browser.conftest import Site

PAGES = ["/", "/articles/", "/articles/acupuncture-for-back-pain/", "/points/"]
FULL_MARKS = {"performance": 100, "accessibility": 100, "best-practices": 100, "seo": 100}
TRIES = 3  # speed is measured, and with it whatever else the machine does: the best of these counts


@pytest.fixture
def _chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    monkeypatch.setenv("CHROME_PATH", path)


def looked_at(site: Site, *pages: str) -> list[dict[str, Any]]:
    """Of each page its `marks` by category, and the `faults` that cost any."""
    ran = node.run("lighthouse.mjs", *(site.url + page for page in pages))
    assert ran.returncode == 0, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(found) == len(pages)
    return found


@node.needed
@pytest.mark.usefixtures("_chromium")
def test_the_pages_that_people_arrive_at_get_full_marks_on_a_phone(site: Site) -> None:
    found = dict(zip(PAGES, looked_at(site, *PAGES), strict=True))
    marks = {page: found[page]["marks"] for page in PAGES}
    for _ in range(TRIES - 1):
        if slow := [page for page in PAGES if marks[page]["performance"] < 100]:
            for page, again in zip(slow, looked_at(site, *slow), strict=True):
                marks[page]["performance"] = max(marks[page]["performance"], again["marks"]["performance"])
    faults = {page: found[page]["faults"] for page in PAGES}
    assert marks == dict.fromkeys(PAGES, FULL_MARKS), json.dumps(faults, indent=1)
