"""What the mails about an appointment say, and what they must never say."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import TemplateDoesNotExist
from icalendar import Calendar
from pytest_django import Settings

from booking import links, operations, times
from booking.models import TRANSITIONS, Appointment, DeclineReason, Occupancy, StatusChange
from clinic import mail
from clinic.models import QueuedMail
from tests.booking.factories import make_clinic, wall
from tests.booking.test_operations import PARISA, ask

pytestmark = pytest.mark.django_db

CANARIES = {
    "phone": "416-555-7777",
    "note": "canary-note sciatica",
    "precautions": {"blood": "yes", "pregnant": "yes"},
}


def history(**said: Any) -> list[QueuedMail]:
    """Every mail that the first day of two appointments can bring about."""
    visit_type = make_clinic()
    details = replace(PARISA, **said)
    by = User.objects.create_user("desk")
    now = datetime.now(UTC)
    first = ask(visit_type, wall(10), details=details, now=now)
    operations.confirm_appointment(appointment=first, version=1, by=by, now=now)
    operations.cancel_appointment(appointment=first, version=2, by=by, now=now)
    second = ask(visit_type, wall(11), details=details, now=now)
    operations.decline_appointment(appointment=second, version=1, reason=DeclineReason.AWAY, by=by, now=now)
    return list(QueuedMail.objects.order_by("pk"))


def written(row: QueuedMail) -> str:
    return f"{row.subject}\n{row.text}\n{row.html}\n{row.calendar}"


def test_each_change_writes_its_mails() -> None:
    assert [(row.kind, row.to) for row in history()] == [
        ("received", "parisa@example.com"),
        ("new_request", "desk@clinic.invalid"),
        ("confirmed", "parisa@example.com"),
        ("cancelled", "parisa@example.com"),
        ("received", "parisa@example.com"),
        ("new_request", "desk@clinic.invalid"),
        ("declined", "parisa@example.com"),
    ]


def test_every_change_of_status_sends_the_mail_that_the_table_gives_it() -> None:
    to_patient = [row.kind for row in history() if row.kind != "new_request"]
    changes = StatusChange.objects.order_by("pk").values_list("from_status", "to_status")
    assert to_patient == [TRANSITIONS[change].notice for change in changes]


def test_no_mail_carries_a_reason_a_health_answer_or_a_phone_number_of_the_patient() -> None:
    for row in history(**CANARIES):
        for secret in ("7777", "canary", "sciatica", "blood", "Bleeding", "regnan"):
            assert secret not in written(row), row.kind


def test_every_mail_to_a_patient_says_who_writes_why_when_and_how_to_answer() -> None:
    for row in history():
        for part in (row.text, row.html):
            for said in (
                "Richmond Hill Acupuncture Pro",
                "905-555-0100",
                "You get this message because",
                "911",
            ):
                assert said in part, (row.kind, said)
        appointment = Appointment.objects.get(reference=row.about)
        assert row.about in row.text
        assert times.moment(appointment.starts_at) in row.text
        assert f"{appointment.starts_at:%Y}" in row.text


def test_mails_to_patients_carry_the_private_link_and_no_other() -> None:
    for row in history():
        if row.kind != "new_request":
            private = links.address(Appointment.objects.get(reference=row.about))
            assert re.findall(r"https?://\S+", row.text) == [private]
            assert re.findall(r'href="(http[^"]+)"', row.html) == [private]


def test_links_in_mail_come_from_the_sites_own_address(settings: Settings) -> None:
    settings.SITE_URL = "https://clinic.example"
    for row in history():
        for address in re.findall(r"https?://\S+", row.text) + re.findall(r'href="(http[^"]+)"', row.html):
            assert address.startswith("https://clinic.example/"), row.kind


def test_links_to_the_desk_come_from_the_sites_own_address(settings: Settings) -> None:
    settings.SITE_URL = "https://clinic.example"
    appointment = ask(make_clinic(), wall(10))
    text = QueuedMail.objects.get(kind="new_request").text
    assert f"https://clinic.example/admin/booking/appointment/{appointment.pk}/change/" in text


def test_the_invitation_is_one_event_that_a_calendar_understands() -> None:
    visit_type = make_clinic()
    appointment = ask(visit_type, wall(10))
    now = datetime.now(UTC).replace(microsecond=0)
    operations.confirm_appointment(
        appointment=appointment, version=1, by=User.objects.create_user("desk"), now=now
    )

    row = QueuedMail.objects.get(kind="confirmed")
    [part] = [
        part for part in mail.message(row).message().walk() if part.get_content_type() == "text/calendar"
    ]
    attached: Any = part.get_payload(decode=True)
    calendar: Any = Calendar.from_ical(attached)
    [event] = calendar.walk("VEVENT")
    assert (part.get_param("method"), calendar["METHOD"]) == ("REQUEST", "REQUEST")
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (
        f"{appointment.reference}@clinic.invalid",
        1,
        "CONFIRMED",
    )
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (wall(10), wall(10, 45))
    assert event["DTSTART"].params["TZID"] == "America/Toronto"
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["America/Toronto"]
    assert event["LOCATION"] == "Richmond Hill Acupuncture Pro, Richmond Hill, Ontario (sample address)"
    assert str(event["SUMMARY"]) == "Visit at Richmond Hill Acupuncture Pro"
    assert (str(event["ORGANIZER"]), str(event["ATTENDEE"])) == (
        "mailto:desk@clinic.invalid",
        "mailto:parisa@example.com",
    )


def test_a_cancellation_replaces_the_same_event() -> None:
    calendars: list[Any] = [Calendar.from_ical(row.calendar) for row in history() if row.calendar]
    [(asked, asked_event), (off, off_event)] = [(one, one.walk("VEVENT")[0]) for one in calendars]
    assert (asked["METHOD"], off["METHOD"]) == ("REQUEST", "CANCEL")
    assert asked_event["UID"] == off_event["UID"]
    assert off_event["SEQUENCE"] > asked_event["SEQUENCE"]
    assert off_event["STATUS"] == "CANCELLED"


def test_a_name_that_looks_like_code_stays_text() -> None:
    nasty = "<script>alert(1)</script>{{ clinic }}\"'"
    for row in history(name=nasty, note=nasty):
        assert "<script" not in written(row)


def test_a_mail_that_cannot_be_written_takes_its_change_with_it(settings: Settings, tmp_path: Path) -> None:
    visit_type = make_clinic()
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]  # the mails' templates are gone
    with pytest.raises(TemplateDoesNotExist):
        ask(visit_type, wall(10))
    assert (Appointment.objects.count(), Occupancy.objects.count(), QueuedMail.objects.count()) == (0, 0, 0)
