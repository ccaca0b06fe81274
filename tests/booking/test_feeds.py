"""A practitioner's own calendar reads their visits: initials and visit types, at an address that can be revoked."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

from booking import operations, times
from booking.models import Appointment, CalendarFeed, Resource, Status
from clinic.models import AuditRow
from clinic.roles import FRONT_DESK, OWNERS, PRACTITIONERS, make_roles
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_closure,
    make_patient,
    make_practitioner,
    make_room,
    make_visit_type,
    wall,
)
from tests.booking.test_desk import said, signed_in
from tests.booking.test_openings import clock_changes
from tests.booking.test_private_page import body

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

PAGE = "/admin/booking/resource/feed/"
MAKE = "/admin/booking/resource/feed/make/"

Row = tuple[str, datetime, datetime, str]


def revoke_page(practitioner: Resource) -> str:
    return reverse("admin:booking_resource_feed_revoke", args=[practitioner.pk])


def in_role(name: str, role: str) -> User:
    make_roles()
    user = User.objects.create_user(name, password="pw", is_staff=True)
    user.groups.set(Group.objects.filter(name=role))
    return user


def linked(practitioner: Resource) -> User:
    """The account of this practitioner."""
    practitioner.user = in_role(practitioner.name, PRACTITIONERS)
    practitioner.save()
    return practitioner.user


def make_feed(practitioner: Resource) -> str:
    """The path of a feed that the practitioner has just made."""
    user = practitioner.user or linked(practitioner)
    token = operations.make_feed(practitioner=practitioner, by=user, now=timezone.now())
    return reverse("booking:feed", args=[token])


def read(path: str) -> list[Row]:
    """Summary, start, end and place of each entry: two parsers that know nothing of each other say the same."""
    written = Client().get(path).content.decode()
    entries: list[Any] = Calendar.from_ical(written).walk("VEVENT")
    ours: list[Row] = sorted(
        (str(event["SUMMARY"]), event["DTSTART"].dt, event["DTEND"].dt, str(event.get("LOCATION", "")))
        for event in entries
    )
    theirs = sorted(
        (str(event.summary), event.dtstart, event.dtend, event.location or "")
        for event in IcsCalendarStream.calendar_from_ics(written).events
    )
    assert ours == theirs
    return ours


def events(path: str) -> list[Any]:
    return Calendar.from_ical(Client().get(path).content).walk("VEVENT")


# --- What stands in it ------------------------------------------------------------------------------------------


def test_it_holds_the_practitioners_own_visits_that_are_to_take_place_or_did() -> None:
    visit_type = make_clinic(practitioners=2)
    mine, colleague = visit_type.practitioners.order_by("pk")
    make_room("Blue room", position=0)
    make_appointment(visit_type, practitioner=colleague, status=Status.BOOKED, starts_at=wall(9))
    for hour, status in enumerate(Status, start=9):
        make_appointment(
            visit_type,
            practitioner=mine,
            room=make_room(f"Room, {status}"),
            status=status,
            starts_at=wall(hour),
        )
    found = {place for _summary, _start, _end, place in read(make_feed(mine))}
    assert found == {"Room, booked", "Room, arrived", "Room, fulfilled", "Room, noshow"}


def test_a_visit_is_its_time_its_room_the_initials_and_the_visit_type_and_nothing_else() -> None:
    visit_type = make_clinic(name="First visit; needles, rest")
    appointment = make_appointment(
        visit_type,
        status=Status.BOOKED,
        patient=make_patient("Parisa Karimi", email="parisa@example.com", phone="416-555-0188"),
        note="Worse when sitting",
        precautions={"blood": "yes"},
    )
    room, practitioner = appointment.room, appointment.practitioner
    assert room
    path = make_feed(practitioner)
    assert read(path) == [("P.\xa0K. – First visit; needles, rest", wall(10), wall(10, 45), room.name)]
    [event] = events(path)
    change = appointment.changes.get()
    assert {name: str(getattr(value, "dt", value)) for name, value in event.items() if name != "UID"} == {
        "SUMMARY": "P.\xa0K. – First visit; needles, rest",
        "DTSTART": str(wall(10).astimezone(UTC)),
        "DTEND": str(wall(10, 45).astimezone(UTC)),
        "DTSTAMP": str(change.at.replace(microsecond=0)),
        "LAST-MODIFIED": str(change.at.replace(microsecond=0)),
        "SEQUENCE": "0",
        "LOCATION": room.name,
        "STATUS": "CONFIRMED",
        "TRANSP": "OPAQUE",
        "CLASS": "PRIVATE",
    }
    written = Client().get(path).content.decode().replace("\r\n ", "")
    for secret in ("Parisa", "Karimi", "example.com", "0188", "sitting", "blood", appointment.reference):
        assert secret not in written
    calendar = Calendar.from_ical(written)
    assert {name: str(value) for name, value in calendar.items() if name.startswith(("NAME", "X-WR"))} == {
        "NAME": f"Richmond Hill Acupuncture Pro: {practitioner.name}",
        "X-WR-CALNAME": f"Richmond Hill Acupuncture Pro: {practitioner.name}",
    }
    assert "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in written
    assert "\r\nX-PUBLISHED-TTL:PT1H\r\n" in written


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("王小明", "王."),
        ("Wang Xiaoming (王小明)", "W.\xa0X."),
        ("Cher", "C."),
        ("پریسا کریمی", "پ.\xa0ک."),
        ("\u202eevil Name\u202c", "N."),
        ("Lee, Ann; Smith", "L.\xa0S."),
        ("Ann\r\nBEGIN:VALARM\r\nATTACH:x", "A.\xa0A."),
        ("\N{CJK UNIFIED IDEOGRAPH-20BB7}野 家", "\N{CJK UNIFIED IDEOGRAPH-20BB7}.\xa0家."),
    ],
)
def test_of_hostile_and_of_other_names_only_letters_are_left(name: str, initials: str) -> None:
    appointment = make_appointment(
        make_clinic(name="A, b; c\\n"), status=Status.BOOKED, patient=make_patient(name)
    )
    path = make_feed(appointment.practitioner)
    assert [row[0] for row in read(path)] == [f"{initials} – A, b; c\\n"]
    lines = Client().get(path).content.split(b"\r\n")
    assert [line for line in lines if len(line) > 75 or b"\n" in line] == []


def test_a_patient_without_letters_is_only_a_visit() -> None:
    appointment = make_appointment(make_clinic(), status=Status.BOOKED, patient=make_patient("!"))
    assert [row[0] for row in read(make_feed(appointment.practitioner))] == ["First visit"]


def test_it_begins_thirty_days_back_and_ends_where_nobody_books_any_more() -> None:
    visit_type = make_clinic()
    for days in (-31, -29, 366, 369):
        make_appointment(visit_type, status=Status.BOOKED, starts_at=wall(10, days_ahead=days))
    found = read(make_feed(visit_type.practitioners.get()))
    assert sorted(start for _, start, _, _ in found) == [wall(10, days_ahead=-29), wall(10, days_ahead=366)]


@pytest.mark.parametrize("day", clock_changes()[:2], ids=str)
def test_in_the_nights_when_the_clocks_change_every_time_is_true(
    day: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(day.year, day.month, day.day, tzinfo=UTC))
    visit_type = make_visit_type(practitioners=[make_practitioner()])
    midnight = datetime(day.year, day.month, day.day, tzinfo=times.ZONE).astimezone(UTC)
    starts = [midnight + timedelta(minutes=30 * half) for half in range(8)]
    for starts_at in starts:
        make_appointment(visit_type, status=Status.FULFILLED, room=make_room(), starts_at=starts_at)
    found = sorted(read(make_feed(visit_type.practitioners.get())), key=lambda row: row[1])
    assert [(start, end - start) for _, start, end, _ in found] == [
        (start, timedelta(minutes=45)) for start in starts
    ]


def test_a_move_keeps_the_entry_and_makes_it_newer_and_a_cancelled_visit_goes() -> None:
    visit_type = make_clinic()
    appointment = make_appointment(visit_type, status=Status.BOOKED)
    path = make_feed(appointment.practitioner)
    [before] = events(path)
    by, later = User.objects.create_user("desk"), timezone.now() + timedelta(minutes=5)
    moved = operations.move_appointment(
        appointment=appointment,
        version=1,
        starts_at=wall(14),
        practitioner=appointment.practitioner,
        room=None,
        by=by,
        idempotency_key=uuid4(),
        now=later,
    )
    [after] = events(path)
    assert (after["UID"], after["DTSTART"].dt) == (before["UID"], wall(14))
    assert after["SEQUENCE"] == before["SEQUENCE"] + 1
    assert after["DTSTAMP"].dt == after["LAST-MODIFIED"].dt == later.replace(microsecond=0)
    operations.cancel_appointment(appointment=moved, version=2, by=by, now=later)
    assert read(path) == []


def test_time_away_is_said_without_the_reason_and_not_while_it_is_only_proposed() -> None:
    practitioner, colleague = make_practitioner(), make_practitioner()
    make_closure(wall(9), wall(12), practitioner)
    make_closure(wall(9), wall(12), colleague)
    make_closure(wall(9, days_ahead=3), wall(12, days_ahead=3))
    proposed = make_closure(wall(9, days_ahead=4), wall(12, days_ahead=4))
    proposed.proposed = True
    proposed.save()
    practitioner.closures.update(reason="Surgery")
    path = make_feed(practitioner)
    away, closed = ("Away", wall(9), wall(12), ""), ("Clinic closed", wall(9, days_ahead=3))
    assert read(path) == [away, (*closed, wall(12, days_ahead=3), "")]
    assert b"Surgery" not in Client().get(path).content


# --- How it is sent ---------------------------------------------------------------------------------------------


def test_it_is_for_one_program_alone_and_leaves_no_cookie() -> None:
    answer = Client().get(make_feed(make_practitioner()))
    told = {
        name: answer[name]
        for name in (
            "Content-Type",
            "Cache-Control",
            "X-Robots-Tag",
            "Referrer-Policy",
            "Content-Disposition",
        )
    }
    assert told == {
        "Content-Type": "text/calendar; charset=utf-8",
        "Cache-Control": "private, no-cache",
        "X-Robots-Tag": "noindex",
        "Referrer-Policy": "same-origin",
        "Content-Disposition": 'attachment; filename="visits.ics"',
    }
    assert (dict(answer.cookies), "Vary" in answer) == ({}, False)


def test_who_has_it_already_is_told_that_nothing_changed_until_something_does() -> None:
    appointment = make_appointment(make_clinic(), status=Status.BOOKED)
    path = make_feed(appointment.practitioner)
    first = Client().get(path)
    again = Client().get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    appointment.visit_type.name = "Second visit"
    appointment.visit_type.save()
    changed = Client().get(path, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


@pytest.mark.parametrize("visits", [1, 30])
def test_it_asks_three_questions_however_full_the_calendar_is(visits: int) -> None:
    visit_type = make_clinic()
    for day in range(visits):
        make_appointment(visit_type, status=Status.BOOKED, starts_at=wall(10, days_ahead=day + 2))
        make_closure(wall(12, days_ahead=day + 2), wall(13, days_ahead=day + 2))
    path = make_feed(visit_type.practitioners.get())
    with CaptureQueriesContext(
        connection,
    ) as first:
        assert len(read(path)) == 2 * visits
    with CaptureQueriesContext(connection) as again:
        read(path)
    assert (len(first), len(again)) == (4, 3)  # the first note of an hour is the fourth


def test_when_it_was_last_read_is_noted_once_an_hour_and_looking_ahead_writes_nothing() -> None:
    practitioner = make_practitioner()
    path = make_feed(practitioner)

    def noted() -> datetime | None:
        return CalendarFeed.objects.get().read_at

    Client().head(path)
    assert noted() is None
    Client().get(path)
    first = noted()
    assert first is not None
    assert timezone.now() - first < timedelta(minutes=1)
    for ago, is_noted in ((timedelta(minutes=59), False), (timedelta(minutes=61), True)):
        before = timezone.now() - ago
        CalendarFeed.objects.update(read_at=before)
        Client().get(path)
        assert (noted() != before) == is_noted


# --- Who is refused ---------------------------------------------------------------------------------------------


def test_every_address_that_opens_nothing_gets_one_answer_for_one_question() -> None:
    practitioner, other = make_practitioner(), make_practitioner()
    old, good, revoked = make_feed(practitioner), make_feed(practitioner), make_feed(other)
    operations.revoke_feed(practitioner=other, by=User.objects.get(resource=other), now=timezone.now())
    stored = CalendarFeed.objects.get(practitioner=practitioner).token_hash
    paths = [old, revoked, good.replace(".ics", "x.ics"), f"/calendars/{stored}.ics"]
    paths += [f"/calendars/{quote(token)}.ics" for token in ("x", "\x00", "é" * 300, "..", good[11:20])]
    answers = []
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            answer = Client().get(path)
        headers = {name: value for name, value in answer.headers.items() if name != "Expires"}
        answers.append((answer.status_code, body(answer), headers, dict(answer.cookies), len(queries)))
    assert [answer for answer in answers if answer != answers[0]] == []
    assert (answers[0][0], answers[0][3], answers[0][4]) == (404, {}, 1)
    assert "no-store" in answers[0][2]["Cache-Control"]
    assert Client().get(good).status_code == 200
    assert Client().post(good).status_code == 405


def without_the_account(user: User) -> None:
    Resource.objects.filter(user=user).update(user=None)


def with_another_account(user: User) -> None:
    Resource.objects.filter(user=user).update(user=in_role("lin", PRACTITIONERS))


def inactive(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def no_staff(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=False)


def without_the_role(user: User) -> None:
    user.groups.clear()


@pytest.mark.parametrize(
    "left", [without_the_account, with_another_account, inactive, no_staff, without_the_role]
)
def test_a_feed_ends_with_what_allowed_it(left: Callable[[User], None]) -> None:
    practitioner = make_practitioner()
    path = make_feed(practitioner)
    assert Client().get(path).status_code == 200
    left(User.objects.get(resource=practitioner))
    assert Client().get(path).status_code == 404


# --- The page at the desk ---------------------------------------------------------------------------------------


def trail() -> list[tuple[str, str, str]]:
    rows = AuditRow.objects.filter(kind__startswith="calendar feed").order_by("pk")
    return [(str(row.actor), row.kind, row.subject) for row in rows]


def shown(answer: Any) -> str:
    """The address on the page, nothing if there is none."""
    found = re.search(r"https?://[^\s<\"]*/calendars/[^\s<\"]*", answer.content.decode())
    return found[0] if found else ""


def test_a_practitioner_makes_a_feed_sees_its_address_once_and_makes_it_anew() -> None:
    practitioner = make_practitioner("Mei Lin")
    desk = signed_in(linked(practitioner))
    assert (shown(desk.get(PAGE)), desk.get(PAGE).context["my_feed"]) == ("", None)
    first = shown(desk.post(MAKE, {"password": "pw"}))
    path = first.removeprefix(settings.SITE_URL)
    assert re.fullmatch(r"/calendars/[A-Za-z0-9_-]{43}\.ics", path)
    assert Client().get(path).status_code == 200
    assert path[11:-4] not in str(list(CalendarFeed.objects.values_list()))
    later = desk.get(PAGE)
    assert (shown(later), later.context["my_feed"]) == ("", CalendarFeed.objects.get())
    second = shown(desk.post(MAKE, {"password": "pw"}))
    assert second not in (first, "")
    assert Client().get(path).status_code == 404
    key = str(practitioner.pk)
    assert trail() == [("Mei Lin", "calendar feed made", key), ("Mei Lin", "calendar feed made anew", key)]


def test_a_wrong_password_makes_nothing_and_is_said_at_its_field() -> None:
    desk = signed_in(linked(make_practitioner()))
    answer = desk.post(MAKE, {"password": "no"})
    assert (answer.status_code, answer.context["form"].errors) == (
        403,
        {"password": ["This is not your password."]},
    )
    assert (CalendarFeed.objects.count(), trail()) == (0, [])


def test_practitioners_revoke_their_own_and_the_owner_anybodys() -> None:
    mei, lin = make_practitioner("Mei"), make_practitioner("Lin")
    of_mei, of_lin = signed_in(linked(mei)), signed_in(linked(lin))
    paths = [make_feed(mei), make_feed(lin)]
    assert of_lin.post(revoke_page(mei)).status_code == 403
    assert [Client().get(path).status_code for path in paths] == [200, 200]
    assert said(of_mei.post(revoke_page(mei))) == [
        "The calendar feed of Mei is revoked: its address opens nothing any more."
    ]
    owner = signed_in(in_role("owner", OWNERS))
    page = owner.get(PAGE)
    assert (page.context["mine"], [feed.practitioner for feed in page.context["others"]]) == (None, [lin])
    owner.post(revoke_page(lin))
    assert said(owner.post(revoke_page(lin)))[-1] == "Lin has no calendar feed."
    assert [Client().get(path).status_code for path in paths] == [404, 404]
    assert trail()[2:] == [
        ("Mei", "calendar feed revoked", str(mei.pk)),
        ("owner", "calendar feed revoked", str(lin.pk)),
    ]
    assert of_lin.get(PAGE).context["others"] == []


def test_who_is_no_practitioner_makes_none() -> None:
    make_practitioner()
    for role in (FRONT_DESK, OWNERS, PRACTITIONERS):  # the last, with an account that is nobody's
        desk = signed_in(in_role(role.lower(), role))
        assert desk.post(MAKE, {"password": "pw"}).status_code == 403
        assert desk.get(PAGE).status_code == (200 if role == OWNERS else 403)
    assert (CalendarFeed.objects.count(), Appointment.objects.count()) == (0, 0)


@pytest.mark.parametrize("feeds", [1, 30])
def test_the_owners_page_asks_as_much_for_one_feed_as_for_thirty(feeds: int) -> None:
    owner = signed_in(in_role("owner", OWNERS))
    for number in range(feeds):
        person = make_practitioner()
        CalendarFeed.objects.create(
            practitioner=person,
            user=User.objects.create_user(f"person{number}"),
            token_hash=str(number),
            made_at=timezone.now(),
        )
    owner.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        owner.get(PAGE)
    assert len(queries) == 8
