"""What an article is, when readers may see it, and what has to be true before they do."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from content.history import FormerAddress, Revision  # noqa: F401 (models of this app)
from content.remarks import Remark  # noqa: F401 (a model of this app)
from content.rendering import render_article
from content.search import index_article

RELATED_AT_MOST = 3
REVIEW_AHEAD = timedelta(days=30)  # a review takes weeks: staff, sources, a registrant's time
RESERVED_SLUGS = {"feed", "search"}  # pages under /articles/ that are no article


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self, now: datetime) -> "ArticleQuerySet":
        """What readers may see at `now`: the one definition for pages, lists, feed and sitemap."""
        return self.filter(status=Article.Status.PUBLISHED, published_at__lte=now)

    def next_publication_at(self, now: datetime) -> datetime | None:
        """When the next article comes out that staff have released for later; None if none waits."""
        later = self.filter(status=Article.Status.PUBLISHED, published_at__gt=now)
        next_at: datetime | None = later.aggregate(next=models.Min("published_at"))["next"]
        return next_at

    def due_for_review(self, day: date) -> "ArticleQuerySet":
        """Published articles whose next review has come, or comes within `REVIEW_AHEAD`."""
        return self.filter(status=Article.Status.PUBLISHED, review_due_on__lte=day + REVIEW_AHEAD)


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
        help_text=_(
            "Others link to it. When it changes after publishing, the old address leads to the new one."
        ),
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

    translation_of = models.ForeignKey(
        "self",
        verbose_name=_("translation of"),
        related_name="translations",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        limit_choices_to={"translation_of": None},
        help_text=_("The article in the language it was written in. Left empty for the original itself."),
    )
    revises = models.OneToOneField(
        "self", related_name="revision_in_hand", on_delete=models.CASCADE, null=True, editable=False
    )
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", on_delete=models.SET_NULL, null=True, editable=False
    )
    updated_at = models.DateTimeField(_("last changed"), auto_now=True)

    objects = ArticleQuerySet.as_manager()

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["position", "title"]
        permissions = [
            ("approve_article", "Can approve and publish what another person wrote"),
            ("publish_alone", "Can publish without a second person"),
        ]
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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Search rows and former addresses change with the article or not at all."""
        with transaction.atomic():
            self._keep_former_address()
            super().save(*args, **kwargs)
            index_article(self)

    def get_absolute_url(self) -> str:
        return reverse("content:article", args=[self.slug])

    def _keep_former_address(self) -> None:
        """Links to a published article go on working when its address changes."""
        was = Article.objects.filter(pk=self.pk, status="published").exclude(slug=self.slug)
        for slug in was.values_list("slug", flat=True):
            FormerAddress.objects.update_or_create(slug=slug, defaults={"article": self})
        FormerAddress.objects.filter(slug=self.slug).delete()

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
        faults |= self._address_faults()
        if translation_fault := self._translation_fault():
            faults["translation_of"] = translation_fault
        if self.reviewed_on and self.review_due_on and self.review_due_on <= self.reviewed_on:
            faults["review_due_on"] = _("The next review comes after the last one.")
        if faults:
            raise ValidationError(faults)

    def _has_broken_card(self) -> bool:
        """A card's line is left as text, or a card has no end and swallows what follows."""
        html = render_article(self.body).html
        ends = sum(set(line.strip()) == {":"} for line in self.body.splitlines())
        return ":::" in html or html.count("<section ") + html.count("<figure ") > ends

    def _address_faults(self) -> dict[str, Any]:
        if self.slug in RESERVED_SLUGS:
            return {"slug": _("A page of our own has this address.")}
        if FormerAddress.objects.filter(slug=self.slug).exclude(article=self.pk).exists():
            return {"slug": _("Another article had this address, and links to it still lead there.")}
        return {}

    def _translation_fault(self) -> str:
        """What is wrong with the original this is said to be a translation of, or nothing."""
        original = self.translation_of
        if original is None:
            return ""
        if original.translation_of_id or original == self or (self.pk and self.translations.exists()):
            return str(_("Choose the article that was written first: a translation of a translation drifts."))
        if original.language == self.language:
            return str(_("That article is in the same language."))
        return ""

    @property
    def is_published(self) -> bool:
        """Staff have released it; readers see it from `published_at` on."""
        return self.status == self.Status.PUBLISHED

    @property
    def language_tag(self) -> str:
        """The language as BCP 47 writes it, with our country for English."""
        return {"en": "en-CA", "zh-hant": "zh-Hant", "zh-hans": "zh-Hans"}.get(self.language, self.language)

    @property
    def direction(self) -> str:
        """Which way its letters run, for HTML's `dir`."""
        return "rtl" if self.language == self.Language.PERSIAN else "ltr"

    @property
    def visibly_changed_at(self) -> datetime:
        """When readers last got to see something new here: the last change, or the day it came out."""
        return max(self.updated_at, self.published_at or self.updated_at)

    @property
    def is_behind_its_original(self) -> bool:
        """The article that this one is a translation of has been changed since."""
        return self.translation_of is not None and self.translation_of.updated_at > self.updated_at

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

    def in_every_language(self, now: datetime) -> ArticleQuerySet:
        """The visible articles that say the same, this one among them: the original and its translations."""
        original = self.translation_of_id or self.pk
        return (
            Article.objects.published(now)
            .filter(Q(pk=original) | Q(translation_of=original))
            .defer("body")
            .order_by("pk")
        )


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
