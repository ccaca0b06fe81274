"""One function per message to a person; each is given what it says and writes it into the mail queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from booking import ics, links, times
from booking.models import Appointment, DeclineReason, Offer
from clinic import mail
from clinic.models import QueuedMail

LINK: Final = "link"


def received(appointment: Appointment, *, now: datetime) -> None:
    """The request has arrived and is not yet a booked visit."""
    _to_patient(appointment, "received", _("We have your request"), now, {"answer_by": appointment.answer_by})


def confirmed(appointment: Appointment, *, now: datetime) -> None:
    """The visit is booked; the calendar file is an invitation."""
    _to_patient(
        appointment,
        "confirmed",
        _("Your visit is confirmed: %(when)s") % {"when": times.moment(appointment.starts_at)},
        now,
        method=ics.Method.REQUEST,
    )


def declined(
    appointment: Appointment, *, reason: DeclineReason, next_starts: Sequence[datetime], now: datetime
) -> None:
    """The visit cannot take place at this time; `next_starts` are free times to ask for instead."""
    _to_patient(
        appointment,
        "declined",
        _("We cannot offer the time you asked for"),
        now,
        {"reason": reason.label, "next_starts": next_starts},
    )


def cancelled(appointment: Appointment, *, was_booked: bool, now: datetime) -> None:
    """The visit is off; one that was in the patient's calendar is taken out of it."""
    _to_patient(
        appointment,
        "cancelled",
        _("Your visit is cancelled"),
        now,
        method=ics.Method.CANCEL if was_booked else None,
    )


def other_times_offered(appointment: Appointment, *, offer: Offer, now: datetime) -> None:
    """Instead of the time asked for, the patient may have one of these; each is held until the offer ends."""
    _to_patient(appointment, "other_times_offered", _("We can offer you other times"), now, {"offer": offer})


def moved(appointment: Appointment, *, was_at: datetime, now: datetime) -> None:
    """The visit or request has another time; a booked one moves in the patient's calendar too."""
    _to_patient(
        appointment,
        "moved",
        _("Your visit has moved: %(when)s") % {"when": times.moment(appointment.starts_at)},
        now,
        {"was_at": was_at},
        method=ics.Method.REQUEST if appointment.is_booked else None,
    )


def expired(appointment: Appointment, *, now: datetime) -> None:
    """Nobody answered in time; the patient learns what to do now."""
    _to_patient(appointment, "expired", _("Your request has ended"), now)


def link(appointment: Appointment, *, now: datetime) -> QueuedMail:
    """The private link once more, for somebody who asked for it with the right address and reference."""
    return mail.send(
        kind=LINK,
        to=appointment.patient.email,
        subject=_("The link to your visit"),
        template=f"booking/mail/{LINK}",
        context={"appointment": appointment, "private_url": links.address(appointment)},
        about=appointment.reference,
        now=now,
    )


def tell_staff_of_request(appointment: Appointment, *, now: datetime) -> None:
    """A request waits at the desk; who it is from and why they come is read there, not in mail."""
    subject = _("New request %(reference)s") % {"reference": appointment.reference}
    _to_desk(appointment, "new_request", subject, now)


def tell_staff_of_move(appointment: Appointment, *, was_at: datetime, now: datetime) -> None:
    """A patient has moved a visit; it needs no answer."""
    subject = _("Moved by the patient: %(reference)s") % {"reference": appointment.reference}
    _to_desk(appointment, "moved_by_patient", subject, now, {"was_at": was_at})


def _to_desk(
    appointment: Appointment, kind: str, subject: str, now: datetime, says: dict[str, Any] | None = None
) -> None:
    path = reverse("admin:booking_appointment_change", args=[appointment.pk])
    mail.send(
        kind=kind,
        to=settings.CLINIC.email,
        subject=subject,
        template=f"booking/mail/{kind}",
        context={"appointment": appointment, "desk_url": f"{settings.SITE_URL}{path}"} | (says or {}),
        about=appointment.reference,
        now=now,
    )


def _to_patient(
    appointment: Appointment,
    kind: str,
    subject: str,
    now: datetime,
    says: dict[str, Any] | None = None,
    method: ics.Method | None = None,
) -> None:
    """People who gave no address (they booked by phone) get no mail."""
    if not appointment.patient.email:
        return
    mail.send(
        kind=kind,
        to=appointment.patient.email,
        subject=subject,
        template=f"booking/mail/{kind}",
        context={"appointment": appointment} | (says or {}),
        about=appointment.reference,
        calendar=ics.invitation(appointment, method=method, now=now) if method else "",
        calendar_method=method or "",
        now=now,
    )
