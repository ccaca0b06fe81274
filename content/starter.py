"""What a new clinic starts with: the articles in `content/starter/`, and the form of those files."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

import yaml
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from content.models import Article, Reference
from content.rendering import render_article

FOLDER = Path(__file__).parent / "starter"
FENCE = "---\n"


class MalformedArticle(Exception):
    """A starter file cannot be used; the message names the file and the fault."""


@dataclass(frozen=True)
class StarterArticle:
    """One file: `---`, its facts as YAML, `---`, the text as Markdown; the file's name is the slug.

    `related` holds slugs separated by commas. Each reference has `text` and `doi` or `url` or neither; its
    place in the list is its number.
    """

    slug: str
    body: str
    title: str
    summary: str
    topic: str
    language: str
    author: str
    published_on: date
    reviewed_on: date
    review_due_on: date
    key_points: list[str]
    references: list[dict[str, str]] = field(default_factory=list)
    related: str = ""
    invites_booking: bool = True
    position: int = 0

    @property
    def related_slugs(self) -> list[str]:
        return [slug.strip() for slug in self.related.split(",") if slug.strip()]


def load_starter_articles(now: datetime, folder: Path = FOLDER) -> list[str]:
    """Adds the articles of `folder` that are missing and says of each what was done; all or none.

    An article that is there already stays as staff have left it.

    :raises MalformedArticle: if a file cannot be used.
    """
    files = read_starter_articles(folder)
    there = set(Article.objects.values_list("slug", flat=True))
    missing = [file for file in files if file.slug not in there]
    with transaction.atomic():
        for file in missing:
            try:
                _add(file, now)
            except (TypeError, ValidationError) as error:
                raise MalformedArticle(f"{file.slug}.md: {error}") from error
        for file in missing:
            _relate(file)
    added, kept = _("Added the article “%(title)s”."), _("Kept the article “%(title)s” as it is.")
    return [(added if file in missing else kept) % {"title": file.title} for file in files]


def read_starter_articles(folder: Path = FOLDER) -> list[StarterArticle]:
    """What stands in the files, without a database.

    :raises MalformedArticle: if a file cannot be used.
    """
    return [_read(path) for path in sorted(folder.glob("*.md"))]


def _read(path: Path) -> StarterArticle:
    before, *parts = path.read_text(encoding="utf-8").split(FENCE, 2)
    if before or len(parts) != 2:  # noqa: PLR2004 (the facts and the text)
        raise MalformedArticle(f"{path.name}: begin with a line ---, the facts, and another line ---")
    try:
        return StarterArticle(slug=path.stem, body=parts[1].strip() + "\n", **yaml.safe_load(parts[0]))
    except (TypeError, yaml.YAMLError) as error:
        raise MalformedArticle(f"{path.name}: {error}") from error


def _add(file: StarterArticle, now: datetime) -> None:
    midnight = datetime.combine(file.published_on, time.min, tzinfo=timezone.get_default_timezone())
    article = Article(
        slug=file.slug,
        title=file.title,
        summary=file.summary,
        key_points="\n".join(file.key_points),
        body=file.body,
        topic=file.topic,
        language=file.language,
        position=file.position,
        author=file.author,
        reviewed_on=file.reviewed_on,
        review_due_on=file.review_due_on,
        invites_booking=file.invites_booking,
        status=Article.Status.PUBLISHED,
        published_at=min(midnight, now),  # a new clinic sees them at once, even if its clock is behind
    )
    article.full_clean()
    article.save()
    for number, facts in enumerate(file.references, start=1):
        reference = Reference(article=article, number=number, **facts)
        reference.full_clean()
        reference.save()
    unlisted = render_article(file.body).cited - set(range(1, len(file.references) + 1))
    if unlisted:
        raise ValidationError(f"the text cites references that are not listed: {sorted(unlisted)}")


def _relate(file: StarterArticle) -> None:
    related = Article.objects.filter(slug__in=file.related_slugs)
    unknown = set(file.related_slugs) - {article.slug for article in related}
    if unknown:
        raise MalformedArticle(f"{file.slug}.md: there is no related article {sorted(unknown)}")
    Article.objects.get(slug=file.slug).related.set(related)
