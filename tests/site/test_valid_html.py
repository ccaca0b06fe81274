"""Every page is valid HTML, as people are sent it: html-validate reads all of them at once."""

import json
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.conf import settings
from django.core.management import call_command
from django.shortcuts import render
from django.test import Client, RequestFactory
from django.utils import timezone

from booking.samples import samples
from content.models import Article
from tests import node
from tests.booking.test_patient_way import pass_gate
from tests.site.test_routes import Site, written_down

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors, node.needed]

HTML = "text/html; charset=utf-8"
WRONG = b"""<!doctype html><html lang="en"><head><title>Two of one name</title></head>
<body><p id="one">The first</p><p id="one">The second</p></body></html>
"""


def answers(site: Site) -> Iterator[tuple[str, Any]]:
    """What every public address says to a stranger and to a patient, asked and posted to without a word typed."""
    for row in written_down():
        if row["anonymous"] != "sign-in/sign-in":
            for role, method in product(("anonymous", "patient"), ("get", "post")):
                name = f"{method} {site.address(row['route'])} as {role}"
                yield name, site.response(method, row["route"], role)


def further_pages() -> Iterator[tuple[str, Any]]:
    """The real articles, the answers of the safety gate, and the pages for when something went wrong."""
    for article in Article.objects.all():
        yield article.slug, Client().get(article.get_absolute_url())
    yield "found", Client().get("/articles/search/?q=back+pain")
    for gate in ("emergency", "urgent"):
        patient = Client()
        pass_gate(patient)
        yield f"stop {gate}", patient.post("/book/", {"gate": gate, "applies": "yes"})
    for template in sorted(settings.BASE_DIR.glob("templates/[45]*.html")):
        yield template.stem, render(RequestFactory().get("/"), template.name, {"minutes": 1})


def faults(folder: Path) -> list[str]:
    """What html-validate has to say about the pages in the folder, a line for each fault."""
    told = folder / "faults.json"
    options = ["--config", str(node.FOLDER / "htmlvalidate.mjs"), "--formatter", f"json={told}"]
    ran = node.run("node_modules/html-validate/bin/html-validate.mjs", *options, str(folder))
    assert told.exists(), ran.stderr
    return [
        f"{unquote(Path(page['filePath']).stem)}, line {fault['line']}: {fault['message']} ({fault['ruleId']})"
        for page in json.loads(told.read_text())
        for fault in page["messages"]
    ]


def test_every_page_is_valid_html(tmp_path: Path) -> None:
    site = Site()
    call_command("starter_content")
    shown = [(name, page) for name, page in chain(answers(site), further_pages()) if page.content]
    named = {name: page.content for name, page in shown if page.headers.get("Content-Type") == HTML}
    named |= {f"mail {sample.name}": sample.mail.html.encode() for sample in samples(now=timezone.now())}
    pages = {page: name for name, page in named.items()}  # many addresses answer with the same page
    assert len(pages) > 90
    for page, name in ({WRONG: "wrong"} | pages).items():
        (tmp_path / f"{quote(name, safe='')}.html").write_bytes(page)
    assert faults(tmp_path) == ['wrong, line 2: Duplicate ID "one" (no-dup-id)']
