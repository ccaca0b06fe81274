"""A practitioner's calendar feed: read by programs that show nothing but its address, and keep no cookie."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from booking import feeds, links, operations
from booking.models import CalendarFeed
from booking.views.appointments import refused
from booking.views.pages import patient_page


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The visits of the practitioner whose address this is; every other address gets the same answer."""
    opened = links.feed_opened_by(token)
    return _written(request, opened) if opened else _refused(request)


@conditional_page
@cache_control(private=True, no_cache=True)  # kept by the program alone, which asks before it uses it again
def _written(request: HttpRequest, opened: CalendarFeed) -> HttpResponse:
    now = timezone.now()
    if request.method == "GET":
        operations.note_read(feed=opened, now=now)
    return HttpResponse(
        feeds.written(opened, now=now),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="visits.ics"', "X-Robots-Tag": "noindex"},
    )


_refused = patient_page(refused)
