"""One function per message to a person; each is given what it says and writes it into the mail queue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from booking import ics, links, times
from booking.models import Appointment, DeclineReason, OfferNote, OfferOption, Status
from clinic import mail
from clinic.models import QueuedMail

LINK: Final = "link"

# Within these minutes a patient may think better of it, and nobody at the clinic is written to.
GRACE: Final = timedelta(minutes=3)
# What staff or a patient need not read any more once the appointment has changed.
OUTDATED_BY_A_CHANGE: Final = ("new_request", "offer_ending", "reminder")


def received(appointment: Appointment, *, now: datetime) -> None:
    """The request has arrived and is not yet a booked visit."""
    _to_patient(appointment, "received", _("We have your request"), now, {"answer_by": appointment.answer_by})


def confirmed(appointment: Appointment, *, now: datetime, replaced: Appointment | None = None) -> None:
    """The visit is booked; the calendar file is an invitation. With `replaced`, that visit leaves the calendar."""
    _to_patient(
        appointment,
        "confirmed",
        _("Your visit is confirmed: %(when)s") % {"when": times.moment(appointment.starts_at)},
        now,
        {"replaced": replaced},
        method=ics.Method.REQUEST,
        replaced=replaced,
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


def cancelled(
    appointment: Appointment,
    *,
    was_booked: bool,
    now: datetime,
    reason: DeclineReason | None = None,
    next_starts: Sequence[datetime] = (),
) -> None:
    """The visit is off; one that was in the patient's calendar is taken out of it.

    With `reason` the clinic could not keep it, and `next_starts` are free times to book instead.
    """
    _to_patient(
        appointment,
        "cancelled",
        _("Your visit is cancelled") if was_booked else _("Your request is cancelled"),
        now,
        {"was_booked": was_booked, "reason": reason.label if reason else "", "next_starts": next_starts},
        method=ics.Method.CANCEL if was_booked else None,
    )


def other_times_offered(
    appointment: Appointment,
    *,
    options: Sequence[OfferOption],
    until: datetime,
    note: OfferNote | None,
    now: datetime,
) -> None:
    """Instead of the time asked for, the patient may have one of these; each is held until the offer ends."""
    says = {"options": options, "until": until, "note": note.label if note else ""}
    _to_patient(appointment, "other_times_offered", _("We can offer you other times"), now, says)


def offer_ending(
    appointment: Appointment, *, options: Sequence[OfferOption], until: datetime, key: str, now: datetime
) -> None:
    """The offered times are still kept, but not for long."""
    says = {"options": options, "until": until}
    _to_patient(
        appointment, "offer_ending", _("We keep these times only a little longer"), now, says, key=key
    )


def moved(appointment: Appointment, *, was_at: datetime, now: datetime) -> None:
    """The visit or request has another time; a booked one moves in the patient's calendar too."""
    is_booked = appointment.is_booked
    says = _("Your visit has moved: %(when)s") if is_booked else _("Your request has moved: %(when)s")
    _to_patient(
        appointment,
        "moved",
        says % {"when": times.moment(appointment.starts_at)},
        now,
        {"was_at": was_at},
        method=ics.Method.REQUEST if is_booked else None,
    )


def reminder(appointment: Appointment, *, free_until: datetime | None, key: str, now: datetime) -> None:
    """The visit comes near; `free_until` is when cancelling begins to cost, None once it does."""
    subject = _("Reminder of your visit: %(when)s") % {"when": times.moment(appointment.starts_at)}
    _to_patient(appointment, "reminder", subject, now, {"free_until": free_until}, key=key)


def expired(appointment: Appointment, *, now: datetime) -> None:
    """Nobody answered in time; the patient learns what to do now."""
    _to_patient(appointment, "expired", _("Your request has ended"), now)


def link(appointment: Appointment, *, now: datetime) -> QueuedMail:
    """The private link once more, for somebody who asked for it with the right address and reference."""
    private_url = links.address(appointment)
    return mail.send(
        kind=LINK,
        to=appointment.patient.email,
        subject=_("The link to your visit"),
        template=f"booking/mail/{LINK}",
        context={"appointment": appointment, "private_url": private_url},
        about=appointment.reference,
        now=now,
        secret=private_url,
    )


def tell_staff_of_request(appointment: Appointment, *, now: datetime) -> None:
    """A request waits at the desk; who it is from and why they come is read there, not in mail."""
    subject = _("New request %(reference)s") % {"reference": appointment.reference}
    _to_desk(appointment, "new_request", subject, now, send_at=now + GRACE)


def tell_staff_of_move(appointment: Appointment, *, was_at: datetime, now: datetime) -> None:
    """A patient has moved a visit; it needs no answer."""
    subject = _("Moved by the patient: %(reference)s") % {"reference": appointment.reference}
    _to_desk(appointment, "moved_by_patient", subject, now, {"was_at": was_at})


def tell_staff_of_cancellation(appointment: Appointment, *, now: datetime) -> None:
    """A patient has called a visit off; its time is free again."""
    subject = _("Cancelled by the patient: %(reference)s") % {"reference": appointment.reference}
    _to_desk(appointment, "cancelled_by_patient", subject, now)


def withdraw_request(appointment: Appointment, *, now: datetime) -> bool:
    """Takes back what staff were to read of a request that is no more; True if nobody has been written to yet."""
    return mail.withdraw(about=appointment.reference, kinds=["new_request"], now=now) > 0


def withdraw_outdated(appointment: Appointment, *, now: datetime, was: str = "") -> None:
    """Takes back what has not left and no longer holds, because the appointment has changed.

    With a request that is cancelled goes its receipt: it would arrive after the cancellation and say the contrary.
    `was` is the status before.
    """
    receipt = ["received"] if (was, appointment.status) == (Status.PENDING, Status.CANCELLED) else []
    mail.withdraw(about=appointment.reference, kinds=[*OUTDATED_BY_A_CHANGE, *receipt], now=now)


def withdraw_reminders(appointment: Appointment, *, keys: Sequence[str], now: datetime) -> None:
    """Takes back those of these reminders that have not left."""
    mail.withdraw(about=appointment.reference, kinds=["reminder"], keys=keys, now=now)


def _to_desk(
    appointment: Appointment,
    kind: str,
    subject: str,
    now: datetime,
    says: dict[str, Any] | None = None,
    send_at: datetime | None = None,
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
        send_at=send_at,
    )


def _to_patient(
    appointment: Appointment,
    kind: str,
    subject: str,
    now: datetime,
    says: dict[str, Any] | None = None,
    method: ics.Method | None = None,
    key: str | None = None,
    replaced: Appointment | None = None,
) -> None:
    """People who gave no address (they booked by phone) get no mail.

    Nobody is greeted by name: a name is what a stranger typed, and the mail may be going to somebody else.
    """
    if not appointment.patient.email:
        return
    link = links.address(appointment)
    calendars = [ics.invitation(appointment, method=method, now=now)] if method else []
    if replaced:
        calendars.append(ics.invitation(replaced, method=ics.Method.CANCEL, now=now))
    mail.send(
        kind=kind,
        to=appointment.patient.email,
        subject=subject,
        template=f"booking/mail/{kind}",
        context={"appointment": appointment, "link": link} | (says or {}),
        about=appointment.reference,
        calendar="".join(calendars),
        calendar_method=method or "",
        now=now,
        key=key,
        secret=link,
    )
