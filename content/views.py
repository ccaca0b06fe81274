"""The pages of the articles: the same for every reader, so that nothing here looks at who is asking.

They hold no secret, so they may be sent compressed; pages with a form may not (BREACH).
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from clinic.compression import compressed_page
from content.figures import figure_of
from content.guides import guide_of
from content.models import Article
from content.points import DRAWINGS, POINTS, Caution
from content.rendering import render_article

MAX_AGE = 300  # seconds: a correction is out everywhere five minutes after staff save it


@require_safe
@compressed_page
@cache_control(public=True, max_age=MAX_AGE)
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
@compressed_page
@cache_control(public=True, max_age=MAX_AGE)
def article(request: HttpRequest, slug: str) -> HttpResponse:
    now = timezone.now()
    shown = get_object_or_404(Article.objects.published(now), slug=slug)
    return render(
        request,
        "content/article.html",
        {
            "canonical": settings.SITE_URL + shown.get_absolute_url(),
            "article": shown,
            "rendered": render_article(shown.body),
            "references": shown.references.all(),
            "related": shown.related_articles(now),
            "guide": guide_of(shown, now),
        },
    )


@require_safe
@compressed_page
@cache_control(public=True, max_age=MAX_AGE)
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
