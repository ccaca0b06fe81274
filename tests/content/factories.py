"""Articles for tests: complete and visible unless a test says otherwise."""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from content.models import Article, Reference

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
_numbers = count(1)


def make_article(**facts: Any) -> Article:
    number = next(_numbers)
    return Article.objects.create(
        **{
            "title": f"Article {number}",
            "slug": f"article-{number}",
            "summary": "What it is about.",
            "body": "## A part\n\nText.",
            "topic": Article.Topic.ACUPUNCTURE,
            "author": "A. Writer",
            "reviewed_on": date(2026, 11, 1),
            "review_due_on": date(2028, 11, 1),
            "status": Article.Status.PUBLISHED,
            "published_at": datetime(2026, 11, 1, 12, 0, tzinfo=UTC),
            **facts,
        }
    )


def make_draft(**facts: Any) -> Article:
    return make_article(status=Article.Status.DRAFT, published_at=None, **facts)


def make_reference(article: Article, number: int, **facts: Any) -> Reference:
    return Reference.objects.create(article=article, number=number, **{"text": f"Source {number}.", **facts})
