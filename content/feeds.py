"""What programs fetch about articles: the Atom feed, the sitemap's entries, and the picture shown with a link."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.syndication.views import Feed
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from clinic.public_pages import public_page
from content.cards import draw_card
from content.models import Article

CARD_MAX_AGE = 24 * 60 * 60  # seconds: others keep the picture for weeks anyway


class ArticleFeed(Feed):  # type: ignore[type-arg]
    """Every address in it comes from `SITE_URL`, never from the request."""

    feed_type = Atom1Feed
    title = _("Articles about back pain and acupuncture")
    subtitle = _("What studies found for and against, side effects, and when to see a doctor first.")

    def author_name(self) -> str:
        return settings.CLINIC.name

    def link(self) -> str:
        return settings.SITE_URL + reverse("content:articles")

    def feed_url(self) -> str:
        return settings.SITE_URL + reverse("content:feed")

    def items(self) -> QuerySet[Article]:
        return Article.objects.published(timezone.now()).defer("body").order_by("-published_at", "-pk")

    def item_title(self, item: Article) -> str:
        return item.title

    def item_description(self, item: Article) -> str:
        return item.summary

    def item_link(self, item: Article) -> str:
        return settings.SITE_URL + item.get_absolute_url()

    def item_author_name(self, item: Article) -> str:
        return item.author

    def item_pubdate(self, item: Article) -> datetime | None:
        return item.published_at

    def item_updateddate(self, item: Article) -> datetime:
        return item.visibly_changed_at


@require_safe
@public_page(changes_at=Article.objects.next_publication_at)
def feed(request: HttpRequest) -> HttpResponse:
    return ArticleFeed()(request)


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of the sitemap; `languages` gives each language's address where there is more than one."""

    article: Article
    languages: Sequence[tuple[str, str]]


def languages_of(group: Sequence[Article]) -> list[tuple[str, str]]:
    """Language tag and absolute address of each article of a group that says the same; none if it is alone."""
    if len(group) < 2:  # noqa: PLR2004 (one language has no other)
        return []
    return [(article.language_tag, settings.SITE_URL + article.get_absolute_url()) for article in group]


class ArticleSitemap(Sitemap):  # type: ignore[type-arg]
    """Each article with its last change; the sitemap's template adds its other languages."""

    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: object = None) -> str:
        return urlsplit(settings.SITE_URL).netloc

    def items(self) -> list[Listed]:
        visible = list(Article.objects.published(timezone.now()).defer("body"))
        groups = defaultdict[int, list[Article]](list)
        for article in visible:
            groups[article.translation_of_id or article.pk].append(article)
        return [Listed(one, languages_of(group)) for group in groups.values() for one in group]

    def location(self, item: Listed) -> str:
        return item.article.get_absolute_url()

    def lastmod(self, item: Listed) -> datetime:
        return item.article.visibly_changed_at


@require_safe
def card(request: HttpRequest, slug: str) -> HttpResponse:
    """The picture that other sites show beside a link to the article, as PNG."""
    article = get_object_or_404(Article.objects.published(timezone.now()).defer("body"), slug=slug)
    title = article.title if article.language == Article.Language.ENGLISH else ""
    response = HttpResponse(draw_card(title, str(settings.CLINIC.name)), content_type="image/png")
    response["Cache-Control"] = f"public, max-age={CARD_MAX_AGE}"
    return response
