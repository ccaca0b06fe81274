"""The private page of one appointment: who may see it, what it shows, and its calendar file."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from booking import drafts, ics, links, operations, queries
from booking.check_in_plot import check_in_plot
from booking.forms_visit import RemindersForm
from booking.models import Appointment, BookingRules, Course, DeclineReason, Status
from booking.views.pages import View, patient_page
from booking.views.standing import happened, standing_of

PrivateView = Callable[..., HttpResponse]


@patient_page
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link in a mail: the session learns which appointment it opens, and the token leaves the address."""
    opened = links.opened_by(token, now=timezone.now())
    if opened is None:
        return refused(request)
    drafts.note_opened(request.session, reference=opened.reference, generation=opened.link_generation)
    return redirect("booking:appointment", opened.reference)


def private(view: PrivateView) -> View:
    """Gives the view the appointment, if this session has come to it by a link that still holds."""

    @patient_page
    @wraps(view)
    def answer(request: HttpRequest, reference: str) -> HttpResponse:
        found = opened_before(request, reference)
        return view(request, found) if found else refused(request)

    return answer


def opened_before(request: HttpRequest, reference: str) -> Appointment | None:
    """The appointment, if this session asked for it or opened a link to it that still holds."""
    generation = drafts.generation_opened(request.session, reference)
    if generation is None:
        return _opened_with_course(request, reference)
    mine = Appointment.objects.with_people().with_replaced()
    return mine.filter(reference=reference, link_generation=generation).first()


def _opened_with_course(request: HttpRequest, reference: str) -> Appointment | None:
    """The appointment, if it is one of a course that this session has come to."""
    for course, generation in drafts.courses_opened(request.session).items():
        mine = (
            Appointment.objects.with_people()
            .with_replaced()
            .filter(reference=reference, course__reference=course, course__link_generation=generation)
        )
        if found := mine.first():
            return found
    return None


def course_to_show(request: HttpRequest, asked: Appointment) -> Course | None:
    """The course of the appointment, if this session may see it too."""
    course = asked.course
    opened = drafts.courses_opened(request.session)
    return course if course and opened.get(course.reference) == course.link_generation else None


def refused(request: HttpRequest) -> HttpResponse:
    """The same answer to every link and every address that opens nothing."""
    return render(request, "404.html", status=404)


@private
@require_safe
def appointment(request: HttpRequest, asked: Appointment) -> HttpResponse:
    """One appointment as it stands, for the session that asked for it or opened its link, and nobody else."""
    return appointment_page(request, asked, now=timezone.now())


@private
@require_safe
def calendar_file(request: HttpRequest, asked: Appointment) -> HttpResponse:
    """The visit for a calendar; fetched again it updates or removes what was there."""
    return HttpResponse(
        ics.published(asked, now=timezone.now()),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{asked.reference}.ics"'},
    )


def appointment_page(
    request: HttpRequest,
    asked: Appointment,
    *,
    now: datetime,
    problem: str | Promise = "",
    status: int = 200,
    reminders_form: RemindersForm | None = None,
) -> HttpResponse:
    """The page; `problem` says why what was tried is not done, a bound form what is to be corrected."""
    changes = [change for change in map(happened, asked.changes.order_by("-version")) if change]
    context = change_context(asked, now=now) | {"problem": problem, "changes": changes}
    context["reminders_form"] = reminders_form or RemindersForm(initial={"reminders": asked.reminders})
    context["form"] = reminders_form
    check_ins = queries.check_ins_along_with(asked)
    context["check_ins"], context["plot"] = check_ins, check_in_plot(check_ins)
    context["is_asked"] = operations.is_asked(asked, now=now)
    context["has_answered"] = any(check_in.appointment_id == asked.pk for check_in in check_ins)
    context["mine"] = drafts.references_opened(request.session)
    context["course"] = course_to_show(request, asked)
    return render(request, "booking/appointment.html", context, status=status)


def change_context(asked: Appointment, *, now: datetime) -> dict[str, Any]:
    """What every page about an appointment shows, with a new key for the form that it may have."""
    standing = standing_of(asked, now=now)
    return {
        "appointment": asked,
        "standing": standing,
        "reason": _reason(asked) if standing.is_declined else "",
        "rules": BookingRules.current(),
        "key": uuid4(),
    }


def _reason(asked: Appointment) -> str | Promise:
    change = asked.changes.filter(to_status=Status.DECLINED).first()  # a new link writes another row after it
    return DeclineReason(change.reason).label if change and change.reason in DeclineReason else ""
