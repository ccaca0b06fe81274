"""The calendar file of an appointment or course (RFC 5545, invitations RFC 5546); the only place that writes one."""

from collections.abc import Iterable
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
    return _written([event], method)


def published(appointment: Appointment, *, now: datetime) -> str:
    """The same event as a file to fetch: tentative until it is confirmed, taken out again once it is off."""
    event = _standing_event(appointment, now=now)
    return _written([event], Method.CANCEL if event["STATUS"] == "CANCELLED" else Method.PUBLISH)


def published_course(visits: Iterable[Appointment], *, now: datetime) -> str:
    """All visits of a course in one file, each as it stands.

    Only PUBLISH may hold events of several UIDs (RFC 5546 §3.2.1); an invitation or a cancellation may not.
    """
    return _written([_standing_event(visit, now=now) for visit in visits], Method.PUBLISH)


def _standing_event(appointment: Appointment, *, now: datetime) -> Event:
    status = _STATUS.get(Status(appointment.status), "CONFIRMED")
    event = _event(appointment, is_off=status == "CANCELLED", now=now)
    event.add("status", status)
    return event


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


def _written(events: Iterable[Event], method: Method) -> str:
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.CLINIC.name}//Booking//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method.value)
    for event in events:
        calendar.add_component(event)
    calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written.decode()
