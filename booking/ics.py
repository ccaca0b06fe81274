"""Calendar files of visits, and the feed of a practitioner (RFC 5545, RFC 5546); the only place that writes any."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vDuration, vText

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


@dataclass(frozen=True, slots=True)
class Entry:
    """One time in a practitioner's feed: `changed_at` is when it last became different, by its `version`."""

    uid: str
    summary: str
    place: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    version: int


def feed(entries: Iterable[Entry], *, name: str, read_every: timedelta) -> str:
    """What a calendar program keeps itself equal to, by reading it again and again.

    Its bytes depend on nothing but `entries` and `name`. Without METHOD, DTSTAMP says when an entry was last revised
    (RFC 5545 §3.8.7.2); in UTC both 1:30s of the autumn day differ, which they would not beside the name of a zone.
    """
    calendar = _calendar()
    for property_ in ("name", "x-wr-calname"):  # RFC 7986, and what programs read before it
        calendar.add(property_, name)
    calendar.add("refresh-interval", read_every, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(read_every))
    for entry in entries:
        calendar.add_component(_entry(entry))
    return _text(calendar)


def _entry(entry: Entry) -> Event:
    event = Event()
    event.add("uid", f"{entry.uid}@{settings.CLINIC.mail_domain}")
    event.add("sequence", entry.version - 1)
    event.add("dtstamp", entry.changed_at)
    event.add("last-modified", entry.changed_at)
    event.add("dtstart", entry.starts_at.astimezone(UTC))
    event.add("dtend", entry.ends_at.astimezone(UTC))
    event.add("summary", entry.summary)
    if entry.place:
        event.add("location", entry.place)
    event.add("status", "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("class", "PRIVATE")
    return event


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
    calendar = _calendar()
    calendar.add("method", method.value)
    for event in events:
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return _text(calendar)


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.CLINIC.name}//Booking//EN")
    calendar.add("version", "2.0")
    return calendar


def _text(calendar: Calendar) -> str:
    written: bytes = calendar.to_ical()
    return written.decode()
