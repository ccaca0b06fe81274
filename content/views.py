"""The pages of the articles: the same for every reader, so that nothing here looks at who is asking.

They hold no secret, so they may be sent compressed; pages with a form may not (BREACH).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from clinic.public_pages import MAX_AGE, public_page
from content.feeds import languages_of
from content.figures import figure_of
from content.guides import guide_of
from content.models import Article, Reference
from content.points import DRAWINGS, POINTS, Caution
from content.rendering import render_article
from content.search import find_articles

QUERY_AT_MOST = 100  # characters; the field takes no more


@require_safe
@public_page(changes_at=Article.objects.next_publication_at)
def articles(request: HttpRequest) -> HttpResponse:
    visible = list(Article.objects.published(timezone.now()).defer("body"))
    by_topic = [(topic.label, [one for one in visible if one.topic == topic]) for topic in Article.Topic]
    return render(
        request,
        "content/articles.html",
        {
            "canonical": settings.SITE_URL + reverse("content:articles"),
            "topics": [(label, listed) for label, listed in by_topic if listed],
        },
    )


@require_safe
@public_page(changes_at=Article.objects.next_publication_at)
def article(request: HttpRequest, slug: str) -> HttpResponse:
    now = timezone.now()
    visible = Article.objects.published(now)
    shown = visible.select_related("translation_of").filter(slug=slug).first()
    if shown is None:
        moved = get_object_or_404(visible, former_addresses__slug=slug)
        return redirect(moved, permanent=True)
    return render(request, "content/article.html", article_context(shown, now))


def article_context(
    shown: Article, now: datetime, references: Sequence[Reference] | None = None
) -> dict[str, Any]:
    """What the page of an article is made of; with `references` instead of the saved ones, for a preview."""
    languages = list(shown.in_every_language(now))
    return {
        "canonical": settings.SITE_URL + shown.get_absolute_url(),
        "card": settings.SITE_URL + reverse("content:card", args=[shown.slug]),
        "article": shown,
        "alternates": languages_of(languages),
        "languages": [other for other in languages if other != shown],
        "rendered": render_article(shown.body),
        "references": shown.references.all() if references is None else references,
        "related": shown.related_articles(now),
        "guide": guide_of(shown, now),
    }


@require_safe
@gzip_page  # not kept: what readers type is without end
@conditional_page
@cache_control(public=True, max_age=MAX_AGE)
def search(request: HttpRequest) -> HttpResponse:
    query = " ".join(request.GET.get("q", "")[:QUERY_AT_MOST].split())
    visible = Article.objects.published(timezone.now()).defer("body")
    return render(request, "content/search.html", {"query": query, "found": find_articles(visible, query)})


@require_safe
@public_page()
def points(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "content/points.html",
        {
            "canonical": settings.SITE_URL + reverse("points"),
            "cautions": list(Caution),
            "whole": [(point, point.spots["back"].dots) for point in POINTS if "back" in point.spots],
            "figures": [figure_of(DRAWINGS[name]) for name in ("upper", "lower", "leg", "hand")],
        },
    )
