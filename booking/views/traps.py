"""What tells a program that fills in forms from a person, without asking people to prove anything."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from booking import drafts

TRAP: Final = "website"  # a box that no person sees; programs fill in whatever they find


def fell_into_trap(request: HttpRequest) -> bool:
    """Whether the hidden box is filled in.

    A person can be caught by a browser that fills in too much. What they see must say so and let them go on.
    """
    return bool(request.POST.get(TRAP))


def looks_automatic(request: HttpRequest, *, now: datetime) -> bool:
    """The same, or whether the details were sent on faster than anybody reads them again. The draft must exist.

    A person can be caught by having read everything before.
    """
    typed_for = now - drafts.kept_at(request.session)
    return fell_into_trap(request) or typed_for < timedelta(seconds=settings.QUICKEST_SEND)


def ask_to_send_again(request: HttpRequest, *, back_url: str) -> HttpResponse:
    """Says that nothing was sent, and sends the same form with one more button."""
    return render(request, "booking/send_again.html", {"back_url": back_url}, status=422)
