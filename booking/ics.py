"""The calendar file of one appointment (RFC 5545, invitations RFC 5546); the only place that writes one."""

from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vText

from booking import times
from booking.models import Appointment


class Method(StrEnum):
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


def invitation(appointment: Appointment, *, method: Method, now: datetime) -> str:
    """A calendar with exactly one event, which a later one with the same UID and a higher SEQUENCE replaces.

    It names the clinic, the visit's time and the reference: nothing of the patient's health or wishes.
    """
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
    event.add("status", "CANCELLED" if method is Method.CANCEL else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if method is Method.CANCEL else "OPAQUE")
    event.add("class", "PRIVATE")
    organizer = vCalAddress(f"mailto:{clinic.email}")
    organizer.params["CN"] = vText(clinic.name)
    event.add("organizer", organizer)
    attendee = vCalAddress(f"mailto:{appointment.patient.email}")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["PARTSTAT"] = vText("NEEDS-ACTION")
    attendee.params["RSVP"] = vText("FALSE")
    event.add("attendee", attendee)

    calendar = Calendar()
    calendar.add("prodid", f"-//{clinic.name}//Booking//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method.value)
    calendar.add_component(event)
    calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written.decode()
