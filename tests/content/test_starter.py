"""The articles that a new clinic begins with."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.test import Client

from content.models import Article, Reference
from content.starter import FOLDER, MalformedArticle, load_starter_articles
from tests.content.factories import NOW

pytestmark = pytest.mark.django_db

FILE = """---
title: First
summary: About it.
topic: safety
language: en
author: The clinic
published_on: 2026-11-20
reviewed_on: 2026-11-19
review_due_on: 2028-11-19
related: second
invites_booking: false
key_points:
  - "One: it is so."
  - Two.
references:
  - text: "A study."
    doi: 10.1000/1
  - text: A page.
    url: https://a.example/
  - text: A book.
---
## Part

Text.[^3]

---

More.
"""


def folder_with(path: Path, **files: str) -> Path:
    for slug, text in files.items():
        (path / f"{slug}.md").write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_an_article(tmp_path: Path) -> None:
    second = FILE.replace("title: First", "title: Second").replace("related: second\n", "")
    folder = folder_with(tmp_path, first=FILE, second=second)
    assert load_starter_articles(NOW, folder) == ["Added the article “First”.", "Added the article “Second”."]
    facts = Article.objects.values().get(slug="first")
    assert facts == {
        "id": facts["id"],
        "slug": "first",
        "title": "First",
        "summary": "About it.",
        "key_points": "One: it is so.\nTwo.",
        "body": "## Part\n\nText.[^3]\n\n---\n\nMore.\n",
        "topic": "safety",
        "language": "en",
        "position": 0,
        "invites_booking": False,
        "author": "The clinic",
        "reviewer": "",
        "reviewed_on": date(2026, 11, 19),
        "review_due_on": date(2028, 11, 19),
        "status": "published",
        "published_at": datetime(2026, 11, 20, 5, 0, tzinfo=UTC),  # midnight in Toronto
    }
    assert [(row.number, row.text, row.href) for row in Reference.objects.filter(article__slug="first")] == [
        (1, "A study.", "https://doi.org/10.1000/1"),
        (2, "A page.", "https://a.example/"),
        (3, "A book.", ""),
    ]
    assert [other.slug for other in Article.objects.get(slug="first").related.all()] == ["second"]
    assert list(Article.objects.get(slug="second").related.all()) == []


def test_loading_again_changes_nothing_that_staff_have_edited(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, first=FILE.replace("related: second\n", ""))
    load_starter_articles(NOW, folder)
    Article.objects.update(title="Ours", status="draft")
    Reference.objects.filter(number=2).delete()
    before = list(Article.objects.values()), list(Reference.objects.values())
    assert load_starter_articles(NOW, folder) == ["Kept the article “First” as it is."]
    assert (list(Article.objects.values()), list(Reference.objects.values())) == before


def test_articles_are_visible_at_once_where_the_clock_is_behind(tmp_path: Path) -> None:
    behind = datetime(2020, 1, 1, tzinfo=UTC)
    load_starter_articles(behind, folder_with(tmp_path, first=FILE.replace("related: second\n", "")))
    assert [article.slug for article in Article.objects.published(behind)] == ["first"]


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ("no facts at all", "begin with a line ---"),
        (FILE.replace("---\n## Part", "## Part"), "begin with a line ---|mapping|expected"),
        (FILE.replace("title: First\n", ""), "title"),
        (FILE.replace("title: First", "title: [unclosed"), "expected"),
        (FILE.replace("title: First", "headline: First"), "headline"),
        (FILE.replace("topic: safety", "topic: cures"), "cures"),
        (FILE.replace("2026-11-20", "soon"), "argument"),
        (FILE.replace("2028-11-19", "2026-11-19"), "next review"),
        (FILE.replace("About it.", "x" * 201), "200"),
        (FILE.replace("doi: 10.1000/1", "doi: nonsense"), "DOI"),
        (FILE.replace("url: https://a.example/", "url: https://a.example/\n    doi: 10.1000/2"), "not both"),
        (FILE.replace("[^3]", "[^4]"), "4"),
        (FILE.replace("## Part", "::: emergency Call 911"), ":::"),
        (FILE, "second"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_added(
    tmp_path: Path, broken: str, fault: str
) -> None:
    sound = FILE.replace("related: second\n", "")
    with pytest.raises(MalformedArticle, match=rf"^broken\.md: [\s\S]*({fault})"):
        load_starter_articles(NOW, folder_with(tmp_path, a_sound=sound, broken=broken))
    assert Article.objects.count() == 0


def test_our_own_articles_load_and_every_link_between_them_leads_somewhere(client: Client) -> None:
    lines = load_starter_articles(NOW)
    slugs = sorted(path.stem for path in FOLDER.glob("*.md"))
    assert len(lines) == len(slugs) >= 3
    assert sorted(Article.objects.published(NOW).values_list("slug", flat=True)) == slugs
    links: set[str] = set()
    for slug in slugs:
        response = client.get(f"/articles/{slug}/")
        assert response.status_code == 200
        links |= set(re.findall(r'href="(/articles/[^"]*)"', response.content.decode()))
    assert links == {"/articles/", *(f"/articles/{slug}/" for slug in slugs)}


def test_the_page_about_urgent_signs_does_not_invite_to_book() -> None:
    load_starter_articles(NOW)
    assert Article.objects.get(slug="when-back-pain-needs-urgent-care").invites_booking is False


def everything() -> list[object]:
    """Every article, every source and every choice of what to read next."""
    chosen = Article.related.through.objects.values_list("from_article__slug", "to_article__slug")
    return [list(Article.objects.values()), list(Reference.objects.values()), sorted(chosen)]


def test_our_own_articles_loaded_again_stay_as_staff_have_left_them() -> None:
    load_starter_articles(NOW)
    Article.objects.filter(slug="back-pain").update(title="Ours", body="Ours.", status="draft", position=9)
    Article.objects.get(slug="how-acupuncture-may-work").related.clear()
    Reference.objects.filter(article__slug="when-back-pain-needs-urgent-care").delete()
    before = everything()
    lines = load_starter_articles(NOW)
    assert [line for line in lines if not line.startswith("Kept ")] == []
    assert everything() == before
