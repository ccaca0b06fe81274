"""What crawlers are told: which pages there are, which are none of theirs, and the clinic's picture."""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import sitemap
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from clinic.public_pages import MAX_AGE, public_page
from content.cards import draw_card
from content.feeds import CARD_MAX_AGE, ArticleSitemap
from content.models import Article

# Booking, private pages and the desk: nothing there is for a search engine, and each says noindex itself.
NOT_CRAWLED: Final = ("/book/", "/appointments/", "/waitlist/", "/calendars/", "/admin/")


class PageSitemap(Sitemap):  # type: ignore[type-arg]
    """The pages that are not articles, by the names of their addresses."""

    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: object = None) -> str:
        return urlsplit(settings.SITE_URL).netloc

    def items(self) -> list[str]:
        pages = ["home", "visit", "content:articles", "points"]
        return [*pages, "how-we-write", "privacy", "accessibility"]

    def location(self, item: str) -> str:
        return reverse(item)


@require_safe
@cache_control(public=True, max_age=MAX_AGE)
def robots_txt(request: HttpRequest) -> HttpResponse:
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in NOT_CRAWLED),
        f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
@public_page(changes_at=Article.objects.next_publication_at)
def sitemap_xml(request: HttpRequest) -> HttpResponse:
    """Every public page, by its address under `SITE_URL`; a translated article names its other languages."""
    rendered = sitemap(
        request, {"pages": PageSitemap, "articles": ArticleSitemap}, template_name="sitemap.xml"
    ).render()
    return HttpResponse(rendered.content, headers=dict(rendered.items()))


@require_safe
@cache_control(public=True, max_age=CARD_MAX_AGE)
def card(request: HttpRequest) -> HttpResponse:
    """The picture that other sites show beside a link to the home page, as PNG."""
    title = _("Acupuncture for back pain, explained before you book")
    return HttpResponse(draw_card(title, settings.CLINIC.name), content_type="image/png")
