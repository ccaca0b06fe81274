"""The nights on which the clocks change, as a patient and the desk meet them: on pages, in addresses, in mails."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from booking import queries, times
from booking.models import Appointment, BookingRules, VisitType
from clinic.models import QueuedMail
from tests.booking.factories import make_hours, make_practitioner, make_room, make_visit_type, phase
from tests.booking.test_openings import clock_changes
from tests.booking.test_operations import ask, somebody
from tests.booking.test_patient_way import body, pass_gate

pytestmark = pytest.mark.django_db

AUTUMN = date(2027, 11, 7)
MINUTES = timedelta(minutes=1)
# Two spells with the practitioner and, between them, one of the needles alone, over the hour that changes.
PARTS = [{"minutes": 20}, {"minutes": 20, "needs_practitioner": False}, {"minutes": 5}]


@pytest.fixture
def night_clinic() -> VisitType:
    """Open from midnight to six, so that the changes of the clock fall into its hours."""
    person = make_practitioner()
    make_hours(person, opens=time(0), closes=time(6))
    make_room()
    return make_visit_type(
        slug="night-visit", practitioners=[person], phases=[phase(**part) for part in PARTS], start_every=30
    )


def the_evening_before(day: date) -> datetime:
    return datetime.combine(day - timedelta(days=2), time(20), tzinfo=times.ZONE)


def starts_of(visit_type: VisitType, day: date) -> list[datetime]:
    found = queries.find_openings(
        visit_type, first_on=day, last_on=day, rules=BookingRules(), now=the_evening_before(day)
    )
    return [times.from_epoch(start) for start in found.starts()]


def truly(start: datetime, end: datetime) -> float:
    """Minutes that pass between them, whatever the clock on the wall shows."""
    return (end.astimezone(UTC) - start.astimezone(UTC)) / MINUTES


@pytest.mark.parametrize("day", clock_changes(), ids=str)
def test_every_start_of_the_night_has_an_address_of_its_own_that_leads_back_to_it(
    night_clinic: VisitType, day: date
) -> None:
    starts = starts_of(night_clinic, day)

    addresses = [times.write_start(start) for start in starts]

    assert [times.parse_start(address).astimezone(UTC) for address in addresses] == [
        start.astimezone(UTC) for start in starts
    ]
    assert len(set(addresses)) == len(starts) == {3: 9, 11: 13}[day.month]
    walls = [address[9:13] for address in addresses]
    if day.month == 3:
        assert [wall for wall in walls if wall[:2] == "02"] == []
    else:
        assert [address[9:] for address in addresses if address[9:11] == "01"] == [
            "0100-0400", "0130-0400", "0100-0500", "0130-0500"
        ]  # fmt: skip


@pytest.mark.parametrize("day", clock_changes(), ids=str)
def test_visits_around_the_change_last_as_long_as_any_other(night_clinic: VisitType, day: date) -> None:
    """One follows the other through the whole night: none overlaps, each lasts 45 minutes, in order."""
    now, booked = the_evening_before(day), list[Appointment]()
    while starts := starts_of(night_clinic, day):
        booked.append(ask(night_clinic, starts[0], details=somebody(), now=now))

    assert [truly(one.starts_at, one.ends_at) for one in booked] == [45] * len(booked)
    assert len(booked) == {3: 6, 11: 9}[day.month]
    for one in booked:
        one.refresh_from_db()
        assert [
            (truly(one.starts_at, row.starts_at), truly(one.starts_at, row.ends_at), row.resource_id)
            for row in one.occupancies.order_by("resource", "starts_at")
        ] == [
            (0, 20, one.practitioner_id),
            (40, 45, one.practitioner_id),
            (0, 45, one.room_id),
        ]


@pytest.mark.parametrize("day", [day for day in clock_changes() if day.month == 11], ids=str)
def test_both_half_past_ones_of_the_autumn_night_are_booked_and_told_apart(
    night_clinic: VisitType, day: date
) -> None:
    first, second = (
        datetime.combine(day, time(1, 30), tzinfo=times.ZONE).replace(fold=fold) for fold in (0, 1)
    )
    now = the_evening_before(day)

    asked = [ask(night_clinic, at, details=somebody(), now=now) for at in (first, second)]

    assert truly(asked[0].starts_at, asked[1].starts_at) == 60
    told = [QueuedMail.objects.get(kind="received", about=one.reference).text for one in asked]
    for text, zone in zip(told, ("EDT", "EST"), strict=True):
        assert f"1:30 am {zone}" in text.replace(times.NBSP, " ")


def test_the_page_of_times_names_the_zone_of_both_half_past_ones_and_of_no_other(
    client: Client, night_clinic: VisitType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: the_evening_before(AUTUMN).astimezone(UTC))
    pass_gate(client)

    page = body(client.get("/book/night-visit/", {"day": AUTUMN.isoformat()}))

    labels = re.findall(r'value="20271107T(\d{4}-\d{4})"><label[^>]*>([^<]*)<', page)
    assert dict(labels[:8]) == {
        "0000-0400": "12:00 am",
        "0030-0400": "12:30 am",
        "0100-0400": "1:00 am EDT",
        "0130-0400": "1:30 am EDT",
        "0100-0500": "1:00 am EST",
        "0130-0500": "1:30 am EST",
        "0200-0500": "2:00 am",
        "0230-0500": "2:30 am",
    }


@pytest.mark.parametrize(("start", "zone"), [("20271107T0130-0400", "EDT"), ("20271107T0130-0500", "EST")])
def test_whoever_chooses_one_of_them_reads_which_on_every_page(
    client: Client, night_clinic: VisitType, monkeypatch: pytest.MonkeyPatch, start: str, zone: str
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: the_evening_before(AUTUMN).astimezone(UTC))
    pass_gate(client)
    chosen: Any = client.post("/book/night-visit/", {"start": start, "practitioner": "anyone"})

    assert chosen["Location"] == f"/book/night-visit/anyone/{start}/"
    assert f"1:30 am {zone}" in body(client.get(chosen["Location"]))
    other = {"EDT": "20271107T0130-0500", "EST": "20271107T0130-0400"}[zone]
    neighbour = Client()
    pass_gate(neighbour)
    assert neighbour.post("/book/night-visit/", {"start": other, "practitioner": "anyone"}).status_code == 302
