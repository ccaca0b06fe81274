"""The calendar file of one appointment (RFC 5545, invitations RFC 5546); the only place that writes one."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vText

from booking import times
from booking.models import Appointment, Status


class Method(StrEnum):
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    PUBLISH = "PUBLISH"


_STATUS: Final = {Status.PENDING: "TENTATIVE", Status.PROPOSED: "TENTATIVE"} | dict.fromkeys(
    (Status.CANCELLED, Status.DECLINED, Status.EXPIRED), "CANCELLED"
)  # all others are CONFIRMED


def invitation(appointment: Appointment, *, method: Method, now: datetime) -> str:
    """A calendar with exactly one event, which a later one with the same UID and a higher SEQUENCE replaces.

    It names the clinic, the visit's time and the reference: nothing of the patient's health or wishes.
    """
    event = _event(appointment, is_off=method is Method.CANCEL, now=now)
    event.add("status", "CANCELLED" if method is Method.CANCEL else "CONFIRMED")
    attendee = vCalAddress(f"mailto:{appointment.patient.email}")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["PARTSTAT"] = vText("NEEDS-ACTION")
    attendee.params["RSVP"] = vText("FALSE")
    event.add("attendee", attendee)
    return _written(event, method)


def published(appointment: Appointment, *, now: datetime) -> str:
    """The same event as a file to fetch: tentative until it is confirmed, taken out again once it is off."""
    status = _STATUS.get(Status(appointment.status), "CONFIRMED")
    is_off = status == "CANCELLED"
    event = _event(appointment, is_off=is_off, now=now)
    event.add("status", status)
    return _written(event, Method.CANCEL if is_off else Method.PUBLISH)


def _event(appointment: Appointment, *, is_off: bool, now: datetime) -> Event:
    clinic = settings.CLINIC
    event = Event()
    event.add("uid", f"{appointment.reference}@{clinic.mail_domain}")
    event.add("sequence", appointment.version - 1)
    event.add("dtstamp", now)
    event.add("dtstart", times.local(appointment.starts_at))
    event.add("dtend", times.local(appointment.ends_at))
    event.add("summary", _("Visit at %(clinic)s") % {"clinic": clinic.name})
    event.add("location", f"{clinic.name}, {clinic.address}")
    event.add(
        "description",
        _("Reference %(reference)s. To change or cancel, call %(phone)s.")
        % {"reference": appointment.reference, "phone": clinic.phone},
    )
    event.add("transp", "TRANSPARENT" if is_off else "OPAQUE")
    event.add("class", "PRIVATE")
    organizer = vCalAddress(f"mailto:{clinic.email}")
    organizer.params["CN"] = vText(clinic.name)
    event.add("organizer", organizer)
    return event


def _written(event: Event, method: Method) -> str:
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.CLINIC.name}//Booking//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method.value)
    calendar.add_component(event)
    calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written.decode()
