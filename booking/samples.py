"""Every message with made-up facts, so that staff see what is sent; nothing of it is stored, and nobody gets it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from booking import notices, notices_courses, times
from booking.models import (
    Appointment,
    Course,
    DeclineReason,
    OfferNote,
    OfferOption,
    Patient,
    Resource,
    Status,
    VisitType,
)
from clinic import mail
from clinic.models import QueuedMail

# What the desk calls each message; the code in a row of the queue names its templates.
IN_WORDS: Final[dict[str, Promise]] = {
    "received": _lazy("Request received"),
    "confirmed": _lazy("Visit confirmed"),
    "other_times_offered": _lazy("Other times offered"),
    "offer_ending": _lazy("Offer about to end"),
    "moved": _lazy("New time"),
    "declined": _lazy("Request declined"),
    "cancelled": _lazy("Cancelled"),
    "expired": _lazy("Request ended"),
    "reminder": _lazy("Reminder"),
    "link": _lazy("Private link"),
    "waitlist_joined": _lazy("On the waitlist"),
    "waitlist_offer": _lazy("Time offered from the waitlist"),
    "waitlist_offer_ended": _lazy("Waitlist offer ended"),
    "waitlist_ended": _lazy("Off the waitlist"),
    "new_request": _lazy("To the desk: new request"),
    "moved_by_patient": _lazy("To the desk: moved by the patient"),
    "cancelled_by_patient": _lazy("To the desk: cancelled by the patient"),
    "booked_from_waitlist": _lazy("To the desk: booked from the waitlist"),
    "course_received": _lazy("Course: request received"),
    "course_answered": _lazy("Course: answered"),
    "course_cancelled": _lazy("Course: cancelled"),
    "course_expired": _lazy("Course: request ended"),
    "course_offered": _lazy("Course: planned"),
    "course_offer_ending": _lazy("Course: offer about to end"),
    "course_offer_ended": _lazy("Course: offer ended"),
    "course_link": _lazy("Course: private link"),
    "course_request": _lazy("To the desk: new request for a course"),
    "course_accepted": _lazy("To the desk: course taken"),
    "course_declined_by_patient": _lazy("To the desk: course declined"),
    "course_cancelled_by_patient": _lazy("To the desk: visits of a course cancelled"),
}
WITHOUT_SAMPLE: Final[dict[str, Promise]] = {"remark": _lazy("To the desk: remark about a page")}


def in_words(kind: str) -> str:
    """What the desk calls a message of this kind."""
    return str((IN_WORDS | WITHOUT_SAMPLE).get(kind, kind))


@dataclass(frozen=True, slots=True)
class Sample:
    """One message, and in words when it is sent; `name` stands in addresses."""

    name: str
    sent_when: str
    mail: QueuedMail


def samples(*, now: datetime) -> list[Sample]:
    """One of each, in the order in which a patient may come to meet them, those to the desk last; then a course's."""
    return [_write(name, *occasion) for name, occasion in _occasions(now).items()]


def sample(name: str, *, now: datetime) -> Sample | None:
    """The one of this name, if there is one."""
    occasion = _occasions(now).get(name)
    return _write(name, *occasion) if occasion else None


def _write(name: str, sent_when: str, write: Callable[[], object]) -> Sample:
    with mail.laid_aside() as written:
        write()
    return Sample(name, sent_when, written[0])


def _occasions(now: datetime) -> dict[str, tuple[str, Callable[[], object]]]:
    pending, booked = _appointment(Status.PENDING, now), _appointment(Status.BOOKED, now)
    tomorrow, was_at = now + timedelta(days=1), _at(now, days=5, hour=14)
    options = [
        OfferOption(starts_at=_at(now, days=days, hour=hour), practitioner=pending.practitioner)
        for days, hour in ((6, 15), (7, 9), (8, 11))
    ]
    next_starts = [option.starts_at for option in options]
    return {
        "received": (_("A patient has sent a request."), lambda: notices.received(pending, now=now)),
        "confirmed": (
            _("Staff confirm, or book at the desk; a patient takes an offered time."),
            lambda: notices.confirmed(booked, now=now),
        ),
        "visit-changed": (
            _(
                "Staff confirm another visit in place of a booked one; it takes the old one out of the calendar."
            ),
            lambda: notices.confirmed(booked, replaced=pending, now=now),
        ),
        "other-times-offered": (
            _("Staff offer other times."),
            lambda: notices.other_times_offered(
                pending, options=options, until=tomorrow, note=OfferNote.NEAREST, now=now
            ),
        ),
        "offer-ending": (
            _("Four hours before an offer runs out, once."),
            lambda: notices.offer_ending(pending, options=options, until=tomorrow, key="", now=now),
        ),
        "visit-moved": (
            _("A confirmed visit gets another time."),
            lambda: notices.moved(booked, was_at=was_at, now=now),
        ),
        "request-moved": (
            _("A request gets another time."),
            lambda: notices.moved(pending, was_at=was_at, now=now),
        ),
        "declined": (
            _("Staff decline."),
            lambda: notices.declined(pending, reason=DeclineReason.AWAY, next_starts=next_starts, now=now),
        ),
        "visit-cancelled": (
            _("A confirmed visit is cancelled."),
            lambda: notices.cancelled(booked, was_booked=True, now=now),
        ),
        "visit-cancelled-by-us": (
            _("A closure or changed hours hit a confirmed visit, and staff cancel it."),
            lambda: notices.cancelled(
                booked, was_booked=True, reason=DeclineReason.AWAY, next_starts=next_starts, now=now
            ),
        ),
        "request-cancelled": (
            _("A request is cancelled."),
            lambda: notices.cancelled(pending, was_booked=False, now=now),
        ),
        "expired": (
            _("A request was not answered in time, or an offer was not taken."),
            lambda: notices.expired(pending, now=now),
        ),
        "reminder": (
            _("48 or 24 hours before a visit, as the patient chose."),
            lambda: notices.reminder(booked, free_until=tomorrow, key="", now=now),
        ),
        "new-request": (
            _(
                "To the desk: a request waits. Three minutes after it was sent, unless the patient took it back."
            ),
            lambda: notices.tell_staff_of_request(pending, now=now),
        ),
        "moved-by-patient": (
            _("To the desk: a patient has moved a visit."),
            lambda: notices.tell_staff_of_move(booked, was_at=was_at, now=now),
        ),
        "cancelled-by-patient": (
            _("To the desk: a patient has cancelled."),
            lambda: notices.tell_staff_of_cancellation(booked, now=now),
        ),
    } | _course_occasions(now)


def _course_occasions(now: datetime) -> dict[str, tuple[str, Callable[[], object]]]:
    first, tomorrow = _appointment(Status.BOOKED, now), now + timedelta(days=1)
    course = Course(
        pk=0,
        reference="CO-SAMPLE",
        patient=first.patient,
        visit_type=VisitType(name=_("Follow-up visit")),
        practitioner=first.practitioner,
    )
    visits = [_appointment(Status.BOOKED, now, days=days) for days in (6, 9, 13)]
    options = [OfferOption(starts_at=visit.starts_at) for visit in visits]
    return {
        "course-received": (
            _("A patient has asked for a course."),
            lambda: notices_courses.received(course, visits=visits, now=now),
        ),
        "course-answered": (
            _("Staff confirm a course or some of its visits; a patient takes a planned course."),
            lambda: notices_courses.answered(
                course, confirmed=visits[:2], declined=visits[2:], reason=DeclineReason.AWAY, now=now
            ),
        ),
        "course-cancelled": (
            _("All visits of a course that are to come are cancelled."),
            lambda: notices_courses.cancelled(course, visits=visits, was_booked=True, now=now),
        ),
        "course-expired": (
            _("A course that was asked for was not answered in time."),
            lambda: notices_courses.expired(course, visits=visits, now=now),
        ),
        "course-offered": (
            _("Staff have planned a course."),
            lambda: notices_courses.offered(course, options=options, until=tomorrow, now=now),
        ),
        "course-offer-ending": (
            _("Four hours before the offer of a course runs out, once."),
            lambda: notices_courses.offer_ending(course, options=options, until=tomorrow, key="", now=now),
        ),
        "course-offer-ended": (
            _("A planned course was not taken in time."),
            lambda: notices_courses.offer_ended(course, options=options, now=now),
        ),
        "course-link": (
            _("Staff send a new private link to a visit of a course."),
            lambda: notices_courses.link(course, now=now),
        ),
        "course-request": (
            _("To the desk: a course waits for an answer."),
            lambda: notices_courses.tell_staff_of_request(course, visits=visits, now=now),
        ),
        "course-accepted": (
            _("To the desk: a patient has taken a planned course."),
            lambda: notices_courses.tell_staff_of_acceptance(course, visits=visits, now=now),
        ),
        "course-declined-by-patient": (
            _("To the desk: a patient has declined a planned course."),
            lambda: notices_courses.tell_staff_of_refusal(course, options=options, now=now),
        ),
        "course-cancelled-by-patient": (
            _("To the desk: a patient has cancelled a course."),
            lambda: notices_courses.tell_staff_of_cancellation(course, visits=visits, now=now),
        ),
    }


def _appointment(status: Status, now: datetime, *, days: int = 6) -> Appointment:
    starts_at = _at(now, days=days, hour=10)
    return Appointment(
        pk=0,
        reference="RH-SAMPLE",
        status=status,
        visit_type=VisitType(name=_("First visit")),
        practitioner=Resource(name=_("Sample practitioner"), title="R. Ac"),
        patient=Patient(name=_("Sample patient"), email="patient@example.com"),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=45),
        requested_at=now,
        answer_by=now + timedelta(hours=20),
    )


def _at(now: datetime, *, days: int, hour: int) -> datetime:
    day = times.local_day(now) + timedelta(days=days)
    return datetime.combine(day, time(hour, 30), tzinfo=times.ZONE)
