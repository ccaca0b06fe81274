"""One function per message about a course; each is given what it says and writes it into the mail queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from booking import ics, links
from booking.models import Appointment, Course, DeclineReason, OfferOption
from booking.notices import GRACE
from clinic import mail
from clinic.models import QueuedMail

RECEIVED, REQUEST, LINK = "course_received", "course_request", "course_link"
OFFER_ENDING = "course_offer_ending"


def received(course: Course, *, visits: Sequence[Appointment], now: datetime) -> None:
    """The request has arrived; none of its visits is booked yet."""
    says = {"visits": visits, "answer_by": visits[0].answer_by}
    _to_patient(course, RECEIVED, _("We have your request for %(count)s visits"), now, says, visits=visits)


def answered(
    course: Course,
    *,
    confirmed: Sequence[Appointment],
    declined: Sequence[Appointment],
    reason: DeclineReason | None,
    now: datetime,
) -> None:
    """Which visits are booked and which are not, and why; the calendar file holds both."""
    says = {"confirmed": confirmed, "declined": declined, "reason": reason.label if reason else ""}
    subject = (
        _("Your visits are confirmed: %(count)s")
        if confirmed
        else _("We cannot offer the visits you asked for")
    )
    published = [*confirmed, *declined] if confirmed else []
    _to_patient(course, "course_answered", subject, now, says, visits=confirmed, published=published)


def cancelled(course: Course, *, visits: Sequence[Appointment], was_booked: bool, now: datetime) -> None:
    """These visits are off; those that were in the patient's calendar are taken out of it."""
    _to_patient(
        course,
        "course_cancelled",
        _("Your visits are cancelled: %(count)s"),
        now,
        {"visits": visits, "was_booked": was_booked},
        visits=visits,
        published=visits if was_booked else [],
    )


def expired(course: Course, *, visits: Sequence[Appointment], now: datetime) -> None:
    """Nobody answered in time; the patient learns what to do now."""
    subject = _("Your request for %(count)s visits has ended")
    _to_patient(course, "course_expired", subject, now, {"visits": visits}, visits=visits)


def offered(course: Course, *, options: Sequence[OfferOption], until: datetime, now: datetime) -> None:
    """Staff have planned the course; its times are held until the offer ends."""
    says = {"options": options, "until": until}
    _to_patient(
        course, "course_offered", _("We have planned %(count)s visits for you"), now, says, visits=options
    )


def offer_ending(
    course: Course, *, options: Sequence[OfferOption], until: datetime, key: str, now: datetime
) -> None:
    """The planned visits are still kept, but not for long."""
    subject = _("We keep your %(count)s visits only a little longer")
    says = {"options": options, "until": until}
    _to_patient(course, OFFER_ENDING, subject, now, says, visits=options, key=key)


def withdraw_warning(course: Course, *, now: datetime) -> None:
    """Whoever has answered is not told that the offer ends."""
    mail.withdraw(about=course.reference, kinds=[OFFER_ENDING], now=now)


def offer_ended(course: Course, *, options: Sequence[OfferOption], now: datetime) -> None:
    """Nobody took the planned visits in time."""
    _to_patient(
        course,
        "course_offer_ended",
        _("We no longer keep the %(count)s visits for you"),
        now,
        {"options": options},
        visits=options,
    )


def link(course: Course, *, now: datetime) -> QueuedMail:
    """The private link once more, for somebody who asked for it, or because the old one was revoked."""
    link = links.course_address(course)
    return mail.send(
        kind=LINK,
        to=course.patient.email,
        subject=_("The link to your visits"),
        template=f"booking/mail/{LINK}",
        context={"course": course, "link": link},
        about=course.reference,
        now=now,
        secret=link,
    )


def tell_staff_of_request(course: Course, *, visits: Sequence[Appointment], now: datetime) -> None:
    """A course waits at the desk, for one answer."""
    says = {"visits": visits, "answer_by": visits[0].answer_by}
    subject = _("New request for %(count)s visits: %(reference)s")
    _to_desk(course, REQUEST, subject, now, says, send_at=now + GRACE)


def tell_staff_of_acceptance(course: Course, *, visits: Sequence[Appointment], now: datetime) -> None:
    """A patient has taken a planned course; it needs no answer."""
    says = {"visits": visits}
    _to_desk(course, "course_accepted", _("Course of %(count)s visits taken: %(reference)s"), now, says)


def tell_staff_of_refusal(course: Course, *, options: Sequence[OfferOption], now: datetime) -> None:
    """A patient has declined a planned course; its times are free again."""
    says = {"visits": options}
    subject = _("Course of %(count)s visits declined by the patient: %(reference)s")
    _to_desk(course, "course_declined_by_patient", subject, now, says)


def tell_staff_of_cancellation(course: Course, *, visits: Sequence[Appointment], now: datetime) -> None:
    """A patient has called visits off; their times are free again."""
    says = {"visits": visits}
    subject = _("%(count)s visits cancelled by the patient: %(reference)s")
    _to_desk(course, "course_cancelled_by_patient", subject, now, says)


def withdraw_request(course: Course, *, now: datetime) -> bool:
    """Takes back what staff were to read of a request that is no more; True if nobody has been written to yet."""
    return mail.withdraw(about=course.reference, kinds=[REQUEST], now=now) > 0


def withdraw_receipt(course: Course, *, now: datetime) -> None:
    """What would arrive after a cancellation and say the contrary is not sent."""
    mail.withdraw(about=course.reference, kinds=[RECEIVED], now=now)


def _to_desk(
    course: Course,
    kind: str,
    subject: str,
    now: datetime,
    says: dict[str, Any],
    send_at: datetime | None = None,
) -> None:
    path = reverse("admin:booking_course_change", args=[course.pk])
    mail.send(
        kind=kind,
        to=settings.CLINIC.email,
        subject=subject % {"count": len(says["visits"]), "reference": course.reference},
        template=f"booking/mail/{kind}",
        context={"course": course, "desk_url": f"{settings.SITE_URL}{path}"} | says,
        about=course.reference,
        now=now,
        send_at=send_at,
    )


def _to_patient(
    course: Course,
    kind: str,
    subject: str,
    now: datetime,
    says: dict[str, Any] | None = None,
    visits: Sequence[Appointment | OfferOption] = (),
    published: Sequence[Appointment] = (),
    key: str | None = None,
) -> None:
    """People who gave no address get no mail; `published` are the visits of the calendar file, if it has one."""
    if not course.patient.email:
        return
    link = links.course_address(course)
    mail.send(
        kind=kind,
        to=course.patient.email,
        subject=subject % {"count": len(visits)},
        template=f"booking/mail/{kind}",
        context={"course": course, "link": link} | (says or {}),
        about=course.reference,
        calendar=ics.published_course(published, now=now) if published else "",
        calendar_method=ics.Method.PUBLISH if published else "",
        now=now,
        secret=link,
        key=key,
    )
