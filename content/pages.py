"""The pages beside the articles: the clinic's statements, and the form for readers who found a mistake."""

import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from clinic import limits
from clinic.public_pages import public_page
from content import statements
from content.forms import RemarkForm
from content.remarks import PAGE_LENGTH, note_remark
from content.rendering import render_article

OUR_ADDRESS: Final = re.compile(rf"/[a-z0-9/-]{{0,{PAGE_LENGTH - 1}}}")


@require_safe
@public_page()
def statement(request: HttpRequest, slug: str) -> HttpResponse:
    shown = statements.statement(slug)
    context = {
        "canonical": settings.SITE_URL + reverse(slug),
        "statement": shown,
        "rendered": render_article(shown.body),
    }
    return render(request, "content/statement.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def corrections(request: HttpRequest) -> HttpResponse:
    """`?page=` fills in the page: only what looks like an address of ours, never a stranger's sentence."""
    asked = request.GET.get("page", "")
    page = asked if OUR_ADDRESS.fullmatch(asked) else ""
    form = RemarkForm(request.POST if request.method == "POST" else None, initial={"page": page})
    if form.is_valid():
        now = timezone.now()
        limits.count(limits.REMARK, request, now=now)
        note_remark(**form.cleaned_data, now=now)
        return redirect(f"{reverse('corrections')}?sent=1")
    is_sent = "sent" in request.GET and not form.is_bound
    template = "content/corrections_sent.html" if is_sent else "content/corrections.html"
    response = render(request, template, {"form": form})
    response["X-Robots-Tag"] = "noindex"
    return response
