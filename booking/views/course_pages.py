"""The private page of a course: all its visits, the offer of it, its calendar file, and calling it off."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from booking import drafts, ics, links, operations
from booking.forms import ChangeForm
from booking.models import Appointment, BookingRules, Course, Offer, Status
from booking.operations.courses import still_to_come, version_of
from booking.views.appointments import refused
from booking.views.pages import View, patient_page
from booking.views.standing import OPEN, PAST, STANDING, state_of
from clinic import limits

HAS_CHANGED = _("This course has changed since you opened the page. This is how it stands now.")
OFFER_HAS_ENDED = _("The times that we had planned are no longer kept.")


@dataclass(frozen=True, slots=True)
class Line:
    """One visit as the page shows it."""

    visit: Appointment
    state: str

    @property
    def headline(self) -> Promise:
        return STANDING[self.state][0]

    @property
    def is_open(self) -> bool:
        """Whether it can still be looked at to be moved or cancelled."""
        return self.state in OPEN

    @property
    def is_booked(self) -> bool:
        return self.state == Status.BOOKED


@patient_page
@require_safe
def open_course(request: HttpRequest, token: str) -> HttpResponse:
    """The link in a mail: the session learns which course it opens, and the token leaves the address."""
    opened = links.course_opened_by(token, now=timezone.now())
    if opened is None:
        return refused(request)
    drafts.note_opened(request.session, reference=opened.reference, generation=opened.link_generation)
    return redirect("booking:course_page", opened.reference)


def private_course(view: Callable[..., HttpResponse]) -> View:
    """Gives the view the course, if this session asked for it or came by a link that still holds."""

    @patient_page
    @wraps(view)
    def answer(request: HttpRequest, reference: str) -> HttpResponse:
        generation = drafts.generation_opened(request.session, reference)
        mine = Course.objects.with_people().select_related("offer")
        found = mine.filter(reference=reference, link_generation=generation).first() if generation else None
        return view(request, found) if found else refused(request)

    return answer


@private_course
@require_safe
def course_page(request: HttpRequest, asked: Course) -> HttpResponse:
    """The course as it stands; looking changes nothing."""
    return _page(request, asked, now=timezone.now())


@private_course
@require_safe
def course_calendar(request: HttpRequest, asked: Course) -> HttpResponse:
    """All visits for a calendar; fetched again it updates or removes what was there."""
    return HttpResponse(
        ics.published_course(_visits(asked), now=timezone.now()),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{asked.reference}.ics"'},
    )


@private_course
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_course(request: HttpRequest, asked: Course) -> HttpResponse:
    """The question first; then every visit that is still to come is off."""
    now, visits = timezone.now(), _visits(asked)
    if request.method != "POST":
        ahead = still_to_come(visits, now=now)
        if not ahead:
            return _page(request, asked, now=now, problem=HAS_CHANGED, status=409)
        context = _context(asked, visits, now=now) | {
            "ahead": ahead,
            "back_url": reverse("booking:course_page", args=[asked.reference]),
        }
        return render(request, "booking/course_cancel.html", context)
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _page(request, asked, now=now, problem=HAS_CHANGED, status=409)
    limits.count(limits.CHANGE, request, now=now)
    try:
        operations.cancel_course(
            course=asked,
            version=form.cleaned_data["version"],
            idempotency_key=form.cleaned_data["key"],
            by=None,
            now=now,
        )
    except operations.CourseChanged:
        return _page(request, asked, now=now, problem=HAS_CHANGED, status=409)
    return redirect("booking:course_page", asked.reference)


@private_course
@require_POST
def accept_course(request: HttpRequest, asked: Course) -> HttpResponse:
    """The planned visits are booked, all of them."""
    now = timezone.now()
    limits.count(limits.CHANGE, request, now=now)
    try:
        operations.accept_course(course=asked, now=now)
    except (operations.OfferEnded, operations.TimeTaken):
        return _page(request, asked, now=now, problem=OFFER_HAS_ENDED, status=409)
    return redirect("booking:course_page", asked.reference)


@private_course
@require_POST
def decline_course(request: HttpRequest, asked: Course) -> HttpResponse:
    """The planned visits do not suit; their times are free again."""
    now = timezone.now()
    limits.count(limits.CHANGE, request, now=now)
    try:
        operations.end_course_offer(course=asked, answer=Offer.Answer.DECLINED, by=None, now=now)
    except operations.OfferEnded:
        return _page(request, asked, now=now, problem=OFFER_HAS_ENDED, status=409)
    return redirect("booking:course_page", asked.reference)


def _visits(asked: Course) -> list[Appointment]:
    return list(asked.appointments.with_people().order_by("starts_at", "pk"))


def _page(
    request: HttpRequest, asked: Course, *, now: datetime, problem: str | Promise = "", status: int = 200
) -> HttpResponse:
    """The page; `problem` says why what was tried is not done."""
    context = _context(asked, _visits(asked), now=now) | {"problem": problem}
    return render(request, "booking/course_page.html", context, status=status)


def _context(asked: Course, visits: list[Appointment], *, now: datetime) -> dict[str, object]:
    offer: Offer | None = getattr(asked, "offer", None)
    lines = [Line(visit, state_of(visit, now=now)) for visit in visits]
    states = [line.state for line in lines]
    waiting = [line.visit for line in lines if line.state == Status.PENDING]
    return {
        "course": asked,
        "lines": lines,
        "options": offer.options.select_related("practitioner") if offer and not visits else [],
        "offer": offer,
        "offer_is_open": bool(offer and not offer.has_ended(now)),
        "answer_by": min((visit.answer_by for visit in waiting if visit.answer_by), default=None),
        "is_waiting": bool(waiting),
        "booked": states.count(Status.BOOKED),
        "is_over": bool(states) and set(states) <= {PAST, Status.ARRIVED, Status.FULFILLED, Status.NOSHOW},
        "may_cancel": any(line.is_open for line in lines),
        "version": version_of(visits),
        "key": uuid4(),
        "rules": BookingRules.current(),
    }
