"""One function per message about the waitlist; each is given what it says and writes it into the mail queue."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from booking import links, times
from booking.models import Appointment, OfferOption, WaitlistEntry
from clinic import mail


def joined(entry: WaitlistEntry, *, now: datetime) -> None:
    """The person is on the list; the link leads to it and off it."""
    _to_person(entry, "waitlist_joined", _("You are on our waitlist"), now)


def time_offered(entry: WaitlistEntry, *, option: OfferOption, now: datetime) -> None:
    """A time came free and is kept for this person alone until the offer ends."""
    _to_person(
        entry,
        "waitlist_offer",
        _("A time came free: %(when)s") % {"when": times.moment(option.starts_at)},
        now,
        {"option": option},
    )


def offer_ended(entry: WaitlistEntry, *, option: OfferOption, now: datetime) -> None:
    """Nobody answered in time; the person stays on the list."""
    _to_person(
        entry,
        "waitlist_offer_ended",
        _("The time we kept for you is no longer kept"),
        now,
        {"option": option},
    )


def wait_ended(entry: WaitlistEntry, *, now: datetime) -> None:
    """The days that would have suited are over."""
    _to_person(entry, "waitlist_ended", _("Your place on our waitlist has ended"), now)


def tell_staff_of_booking(appointment: Appointment, *, replaced: Appointment | None, now: datetime) -> None:
    """Somebody took a time that was offered; it needs no answer."""
    path = reverse("admin:booking_appointment_change", args=[appointment.pk])
    mail.send(
        kind="booked_from_waitlist",
        to=settings.CLINIC.email,
        subject=_("Booked from the waitlist: %(reference)s") % {"reference": appointment.reference},
        template="booking/mail/booked_from_waitlist",
        context={
            "appointment": appointment,
            "replaced": replaced,
            "desk_url": f"{settings.SITE_URL}{path}",
        },
        about=appointment.reference,
        now=now,
    )


def _to_person(
    entry: WaitlistEntry, kind: str, subject: str, now: datetime, says: dict[str, Any] | None = None
) -> None:
    link = links.waitlist_address(entry)
    mail.send(
        kind=kind,
        to=entry.patient.email,
        subject=subject,
        template=f"booking/mail/{kind}",
        context={"entry": entry, "link": link} | (says or {}),
        about=entry.reference,
        now=now,
        secret=link,
    )
