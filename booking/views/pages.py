"""What all pages of booking share: who may keep them, who may see them, and the choice that an address names."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from booking import drafts, screening, times
from booking.models import ANYONE, Resource, VisitType

STEPS: Final = 5

View = Callable[..., HttpResponse]


def patient_page(view: View) -> View:
    """Never kept by a browser, a proxy or a search engine."""

    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex"
        return response

    return answer


def behind_the_gate(view: View) -> View:
    """Whoever has not passed both gates, as they are asked now, meets them first, and then comes back."""

    @patient_page
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if drafts.has_passed(request.session, screening.URGENT):
            return view(request, *args, **kwargs)
        return HttpResponseRedirect(
            f"{reverse('booking:start')}?{urlencode({'next': request.get_full_path()})}"
        )

    return answer


@dataclass(frozen=True, slots=True)
class Choice:
    """The visit that somebody is asking for; with `practitioner` None, anyone may give it."""

    visit_type: VisitType
    practitioner: Resource | None
    starts_at: datetime

    def address(self, page: str) -> str:
        """The address of this choice's page `details`, `health` or `check`."""
        slug = self.practitioner.slug if self.practitioner else ANYONE
        return reverse(f"booking:{page}", args=[self.visit_type.slug, slug, self.starts_at])

    @property
    def times_address(self) -> str:
        """The page of times, opened where this choice was made."""
        slug = self.practitioner.slug if self.practitioner else ANYONE
        query = urlencode({"practitioner": slug, "day": times.local_day(self.starts_at).isoformat()})
        return f"{reverse('booking:times', args=[self.visit_type.slug])}?{query}"


def choice_of(visit_type: str, practitioner: str, starts_at: datetime) -> Choice:
    """What the address names.

    :raises Http404: if there is no such visit type, or no such practitioner who gives it.
    """
    visit = get_object_or_404(VisitType.objects.bookable(), slug=visit_type)
    if practitioner == ANYONE:
        return Choice(visit, None, starts_at)
    return Choice(visit, get_object_or_404(visit.practitioners.active(), slug=practitioner), starts_at)
