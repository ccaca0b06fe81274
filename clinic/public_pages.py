"""How pages that are the same for every reader are sent: kept ready, and sent again only to whoever lacks them.

Each worker keeps the pages it has made, compressed, in its own memory, under a stamp that all workers of the machine
read from one small file. Saving what pages are made of writes a new stamp, so that nothing is found under the old one.
The stamp is read before a page is made, and written after what was saved can be read: a page can be thrown away
without need, but never be kept under a stamp that is newer than itself.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.core.cache import caches
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response, set_response_etag
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page

from clinic.compression import P, View, compressed_page, encoding_for

MAX_AGE: Final = 300  # seconds: a correction reaches browsers five minutes after staff save it
KEPT_FOR: Final = 60  # seconds: how long another machine, which does not see this one's stamp, may be behind

Change = Callable[[datetime], datetime | None]


class KeptPageMiddleware:
    """Sends a page that is kept, before anything looks for a session, an address or a view.

    Stands inside what guards every request and outside all else: what it sends carries the same headers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        kept: HttpResponse | None = caches["pages"].get(_key(request)) if _may_be_kept(request) else None
        if kept is None:
            return self.get_response(request)
        return get_conditional_response(request, etag=kept["ETag"], response=kept) or kept


def public_page(*, changes_at: Change | None = None) -> Callable[[View[P]], View[P]]:
    """For views whose pages hold no form and look at nothing but their address and what is saved.

    `changes_at` tells, for an instant, when the page next changes without anybody saving anything. Whoever has a
    session, as staff have, gets it made anew; so does an address with a question, of which there are endlessly many.
    """

    def decorate(view: View[P]) -> View[P]:
        @compressed_page
        @cache_control(public=True, max_age=MAX_AGE)
        @wraps(view)
        def made(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            response = view(request, *args, **kwargs)
            set_response_etag(response)  # of the page itself: it is the same however it is compressed
            return response

        @conditional_page
        @wraps(view)
        def kept(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            key, now = _key(request), timezone.now()
            response = made(request, *args, **kwargs)
            if _may_be_kept(request) and _is_for_everybody(request, response):
                response["Content-Length"] = str(len(response.content))
                next_change = changes_at(now) if changes_at else None  # since before it was made
                seconds = (next_change - timezone.now()).total_seconds() if next_change else KEPT_FOR
                caches["pages"].set(key, response, min(seconds, KEPT_FOR))
            return response

        return kept

    return decorate


def forget_pages_made_of(*models: str) -> None:
    """From now on, saving or deleting a row of these models forgets every kept page, once it is committed."""
    for model in models:
        for signal in (post_save, post_delete, m2m_changed):
            signal.connect(_forget_when_committed, sender=model)


def forget_pages() -> None:
    """Writes a new stamp, whole or not at all."""
    stamp = uuid4().hex
    settings.PAGES_STAMP.parent.mkdir(parents=True, exist_ok=True)
    written = settings.PAGES_STAMP.with_name(f"{stamp}.stamp")
    written.write_text(stamp)
    written.replace(settings.PAGES_STAMP)


def _forget_when_committed(**_: Any) -> None:
    transaction.on_commit(forget_pages, robust=True)  # what staff saved is saved, even if the disk is full


def _key(request: HttpRequest) -> str:
    parts = (_stamp(), str(get_language()), encoding_for(request), request.path)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _stamp() -> str:
    """Empty while nothing was ever saved, or if the disk ails: then a page is a minute old at most."""
    try:
        with settings.PAGES_STAMP.open("rb", buffering=0) as file:  # a fifth of the time of `read_text`
            return file.read().decode()
    except OSError:
        return ""


def _may_be_kept(request: HttpRequest) -> bool:
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return request.method in {"GET", "HEAD"} and not request.META.get("QUERY_STRING") and not has_session


def _is_for_everybody(request: HttpRequest, response: HttpResponse) -> bool:
    """A whole page, without a cookie or the token of a form: those are one reader's own."""
    has_token = request.META.get("CSRF_COOKIE_NEEDS_UPDATE", False)
    return response.status_code == 200 and not response.cookies and not has_token  # noqa: PLR2004 (OK)
