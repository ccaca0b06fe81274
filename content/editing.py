"""What changes an article besides its form: keeping its past, revising, approving, restoring.

Readers see a changed text only after a second person has approved it: while an article is published, it is revised in
a draft beside it. `content.publish_alone` lifts this for a clinic where one person writes.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.translation import gettext as _

from clinic.transactions import change
from content.history import Revision
from content.links import broken_links
from content.models import Article, Reference
from content.rendering import render_article

# What a revision holds of an article; its address, status and dates of publishing are not the text's.
FIELDS: Final = (
    "title",
    "summary",
    "key_points",
    "body",
    "topic",
    "language",
    "position",
    "invites_booking",
    "author",
    "reviewer",
    "reviewed_on",
    "review_due_on",
    "translation_of_id",
)
REFERENCE_FIELDS: Final = ("number", "text", "doi", "url")

Facts = Mapping[str, Any]


class NeedsAnotherPerson(Exception):
    """Who edited an article last may not approve it too."""


class NothingToApprove(Exception):
    """The article is out as it stands."""


class AlreadyRevised(Exception):
    """Somebody has a revision of the article in hand."""


def facts_of(article: Article) -> dict[str, Any]:
    """The state of the article as JSON can hold it; dates as ISO 8601, related articles by primary key."""
    facts: dict[str, Any] = {}
    for field in FIELDS:
        value = getattr(article, field)
        facts[field] = value.isoformat() if isinstance(value, date) else value
    facts["references"] = list(article.references.values(*REFERENCE_FIELDS))
    facts["related"] = sorted(article.related.values_list("pk", flat=True))
    return facts


def record_revision(
    *, article: Article, act: Revision.Act, by: User | None, now: datetime, approved_by: User | None = None
) -> Revision | None:
    """Keeps the state of the article, in the caller's transaction; None if a save has changed nothing."""
    facts, last = facts_of(article), article.revisions.first()
    if last and act == Revision.Act.SAVED and last.facts == facts:
        return None
    number = (article.revisions.aggregate(Max("number"))["number__max"] or 0) + 1
    return Revision.objects.create(
        article=article, number=number, act=act, facts=facts, made_at=now, made_by=by, approved_by=approved_by
    )


def keep_earlier_state(article: Article) -> None:
    """Keeps what stands in the database of an article whose past nobody has kept yet, before it is changed."""
    if not article.revisions.exists():
        stored = Article.objects.get(pk=article.pk)
        act = Revision.Act.PUBLISHED if stored.is_published else Revision.Act.SAVED
        record_revision(article=stored, act=act, by=stored.edited_by, now=stored.updated_at)


def revise_article(*, article: Article, by: User, now: datetime, facts: Facts | None = None) -> Article:
    """A draft beside a published article, with its text or with `facts`, to be worked on and approved.

    :raises AlreadyRevised: if there is one already.
    """
    with change():
        article = Article.objects.select_for_update().get(pk=article.pk)
        if Article.objects.filter(revises=article).exists():
            raise AlreadyRevised
        draft = Article(slug=_free_slug(article), revises=article, edited_by=by)
        _apply(draft, facts or facts_of(article))
        record_revision(article=draft, act=Revision.Act.SAVED, by=by, now=now)
        return draft


def discard_revision(*, draft: Article) -> None:
    """Gives up the draft of a revision; the article stays as it is."""
    with change():
        Article.objects.filter(pk=draft.pk).exclude(revises=None).delete()


def approve_article(*, article: Article, by: User, now: datetime) -> Article:
    """Publishes a draft; the draft of a revision becomes the text of the article that it revises.

    A draft whose “visible from” is still to come stays hidden until then. Returns what readers see.

    :raises NothingToApprove: if it is published already.
    :raises NeedsAnotherPerson: if `by` was the last to edit it and may not publish alone.
    :raises ValidationError: if it is not fit to be published.
    """
    with change():
        draft = Article.objects.select_for_update().get(pk=article.pk)
        if draft.is_published:
            raise NothingToApprove
        if draft.edited_by_id in {None, by.pk} and not by.has_perm("content.publish_alone"):
            raise NeedsAnotherPerson
        check_fit_to_publish(draft.body, {row.number for row in draft.references.all()})
        shown, writer = draft.revises or draft, draft.edited_by
        keep_earlier_state(shown)
        shown.status = Article.Status.PUBLISHED
        shown.published_at = shown.published_at or now
        shown.edited_by = writer
        _apply(shown, facts_of(draft))
        record_revision(article=shown, act=Revision.Act.PUBLISHED, by=writer, approved_by=by, now=now)
        if draft.revises_id:
            draft.delete()
        return shown


def restore_revision(*, revision: Revision, by: User, now: datetime) -> Article:
    """Brings back an earlier text: in the draft itself, or as a revision of a published article to be approved.

    :raises AlreadyRevised: if the article is published and has a revision in hand.
    :raises ValidationError: if the text would not do today.
    """
    article = revision.article
    if article.is_published and not by.has_perm("content.publish_alone"):
        return revise_article(article=article, by=by, now=now, facts=revision.facts)
    with change():
        article = Article.objects.select_for_update().get(pk=article.pk)
        article.edited_by = by
        _apply(article, revision.facts)
        record_revision(article=article, act=Revision.Act.RESTORED, by=by, now=now)
        return article


def check_fit_to_publish(body: str, listed: set[int]) -> None:
    """Every source that the text cites is listed, and every link within the site leads somewhere.

    :raises ValidationError: naming what is wrong, at `body`.
    """
    rendered = render_article(body)
    faults = []
    if missing := sorted(rendered.cited - listed):
        numbers = ", ".join(map(str, missing))
        faults.append(
            _("The text cites %(numbers)s, but no such reference is listed.") % {"numbers": numbers}
        )
    if broken := broken_links(rendered.html):
        faults.append(_("These links lead nowhere: %(links)s") % {"links": ", ".join(broken)})
    if faults:
        raise ValidationError({"body": faults})


def _apply(article: Article, facts: Facts) -> None:
    """Writes the state `facts` into the article and its rows.

    :raises ValidationError: if the article could not be so.
    """
    for field in FIELDS:
        setattr(article, field, facts[field])
    article.full_clean()  # turns the dates back into dates
    article.save()
    article.references.all().delete()
    Reference.objects.bulk_create(
        Reference(article=article, **reference) for reference in facts["references"]
    )
    article.related.set(Article.objects.filter(pk__in=facts["related"]))


def _free_slug(article: Article) -> str:
    return f"{article.slug[:70]}-revision"
