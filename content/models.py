"""What an article is, when readers may see it, and what has to be true before they do."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from content.remarks import Remark  # noqa: F401 (a model of this app)
from content.rendering import render_article

RELATED_AT_MOST = 3


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self, now: datetime) -> "ArticleQuerySet":
        """What readers may see at `now`: the one definition for pages, lists, feed and sitemap."""
        return self.filter(status=Article.Status.PUBLISHED, published_at__lte=now)


class Article(models.Model):
    """A patient-education page."""

    class Topic(models.TextChoices):
        BACK_PAIN = "back-pain", _("Back pain")
        ACUPUNCTURE = "acupuncture", _("Acupuncture")
        SAFETY = "safety", _("Side effects and safety")
        VISITS = "visits", _("Visits and fees")

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        CHINESE_TRADITIONAL = "zh-hant", "繁體中文"
        CHINESE_SIMPLIFIED = "zh-hans", "简体中文"
        PERSIAN = "fa", "فارسی"

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")

    title = models.CharField(_("title"), max_length=120)
    slug = models.SlugField(
        _("name in addresses"),
        max_length=80,
        unique=True,
        help_text=_("Stays as it is once the article is published: others link to it."),
    )
    summary = models.CharField(
        _("summary"),
        max_length=200,
        blank=True,
        help_text=_("What readers and search engines see under the title. At most 200 characters."),
    )
    key_points = models.TextField(
        _("in short"), blank=True, help_text=_("Three or four points, each on a line of its own.")
    )
    body = models.TextField(
        _("text"),
        blank=True,
        help_text=_(
            "Markdown. “## Heading” begins a part, “[^1]” cites reference 1. A line “::: emergency Call 911 "
            "if:” begins a care card and a line “:::” ends it; urgent, non-urgent and note are cards too."
        ),
    )
    topic = models.CharField(_("topic"), max_length=20, choices=Topic)
    language = models.CharField(_("language"), max_length=10, choices=Language, default=Language.ENGLISH)
    position = models.PositiveSmallIntegerField(_("position in lists"), default=0)
    related = models.ManyToManyField(
        "self",
        verbose_name=_("related articles"),
        symmetrical=False,
        related_name="+",
        blank=True,
        help_text=_("At most three are shown. The pages of the same guide are listed without this."),
    )
    invites_booking = models.BooleanField(
        _("invites to book"),
        default=True,
        help_text=_("Untick where readers may need a doctor first: the invitation to book is left out."),
    )
    author = models.CharField(_("written by"), max_length=120, blank=True)
    reviewer = models.CharField(
        _("clinical reviewer"),
        max_length=120,
        blank=True,
        help_text=_("Name and registered title. While empty, the page says that it awaits clinical review."),
    )
    reviewed_on = models.DateField(_("last reviewed"), null=True, blank=True)
    review_due_on = models.DateField(_("next review due"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    published_at = models.DateTimeField(
        _("visible from"), null=True, blank=True, help_text=_("Left empty, it is the moment of publishing.")
    )

    objects = ArticleQuerySet.as_manager()

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["position", "title"]
        constraints = [
            models.CheckConstraint(
                condition=Q(review_due_on__gt=F("reviewed_on")),
                name="article_review_due_after_review",
                violation_error_message=_("The next review comes after the last one."),
            ),
            models.CheckConstraint(
                condition=Q(status="draft")
                | Q(
                    status="published",
                    published_at__isnull=False,
                    reviewed_on__isnull=False,
                    review_due_on__isnull=False,
                )
                & ~Q(summary="")
                & ~Q(body="")
                & ~Q(author=""),
                name="article_published_is_complete",
                violation_error_message=_("A published article is complete."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("content:article", args=[self.slug])

    def clean(self) -> None:
        """Says at each field what keeps the article from being published."""
        faults: dict[str, Any] = {}
        if self.is_published:
            for field in ("summary", "body", "author", "reviewed_on", "review_due_on"):
                if not getattr(self, field):
                    faults[field] = _("A published article needs this.")
        if self._has_broken_card():
            faults["body"] = _(
                "A line with “:::” does not make a card. Begin with ::: and emergency, urgent, non-urgent or "
                "note, then the heading on the same line; end with ::: alone."
            )
        elif wrong := render_article(self.body).faults:
            faults["body"] = list(wrong)
        if self.reviewed_on and self.review_due_on and self.review_due_on <= self.reviewed_on:
            faults["review_due_on"] = _("The next review comes after the last one.")
        if faults:
            raise ValidationError(faults)

    def _has_broken_card(self) -> bool:
        """A card's line is left as text, or a card has no end and swallows what follows."""
        html = render_article(self.body).html
        ends = sum(set(line.strip()) == {":"} for line in self.body.splitlines())
        return ":::" in html or html.count("<section ") + html.count("<figure ") > ends

    @property
    def is_published(self) -> bool:
        """Staff have released it; readers see it from `published_at` on."""
        return self.status == self.Status.PUBLISHED

    @property
    def is_about_our_treatment(self) -> bool:
        """We sell what the article is about, and the page has to say so."""
        return self.topic != self.Topic.BACK_PAIN

    @property
    def key_point_lines(self) -> list[str]:
        return [line.strip() for line in self.key_points.splitlines() if line.strip()]

    def related_articles(self, now: datetime) -> list["Article"]:
        """At most three visible articles that staff chose to go on with."""
        return list(self.related.published(now).defer("body")[:RELATED_AT_MOST])


class Reference(models.Model):
    """A source of an article, cited in its text by number."""

    article = models.ForeignKey(
        Article, verbose_name=_("article"), related_name="references", on_delete=models.CASCADE
    )
    number = models.PositiveSmallIntegerField(_("number"), validators=[MinValueValidator(1)])
    text = models.TextField(_("source"))
    doi = models.CharField(
        "DOI",
        max_length=200,
        blank=True,
        validators=[
            RegexValidator(r"^10\.[0-9]{4,9}/\S+$", _("A DOI looks like 10.1001/archinte.167.17.1892."))
        ],
    )
    url = models.URLField(_("address"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("reference")
        verbose_name_plural = _("references")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["article", "number"], name="reference_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="reference_number_from_one"),
            models.CheckConstraint(
                condition=Q(doi="") | Q(url=""),
                name="reference_one_link_at_most",
                violation_error_message=_("Give the DOI or an address, not both."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.text}"

    @property
    def href(self) -> str:
        """The one link of the source, empty when there is none; a DOI goes through its resolver (doi.org)."""
        return f"https://doi.org/{quote(self.doi, safe='/():;')}" if self.doi else self.url
