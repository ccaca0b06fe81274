"""The reports: their numbers are those that one counts by hand, and nothing in them is about one person."""

import csv
from datetime import date, datetime, time, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from booking import plots, times
from booking.models import (
    Actor,
    Appointment,
    Course,
    Offer,
    Status,
    StatusChange,
    VisitType,
    WaitlistEntry,
)
from booking.reports import Asked, report
from tests.booking.factories import (
    make_appointment,
    make_closure,
    make_hours,
    make_patient,
    make_practitioner,
    make_room,
    make_visit_type,
    phase,
)
from tests.booking.test_desk import make_staff, signed_in

PAGE, FILE = "/admin/reports/", "/admin/reports/file/"
NOW = datetime(2027, 3, 31, 12, tzinfo=times.ZONE)
MARCH = Asked(date(2027, 3, 1), date(2027, 3, 31))  # the clocks change on the 14th
FIRST_WEEKS = ["2027-02-28", "2027-03-07", "2027-03-14", "2027-03-21", "2027-03-28"]

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


@pytest.fixture
def owner() -> Client:
    return signed_in(make_staff("owner", "view_reports"))


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=times.ZONE)


@pytest.fixture
def clinic() -> VisitType:
    """One practitioner with one room, open in March on Mondays from nine to eleven."""
    mei = make_practitioner("Mei Lin", slug="mei-lin")
    make_hours(mei, weekdays=[0], opens=time(9), closes=time(11))
    make_room("Room 1")
    parts = [phase(15), phase(20, needs_practitioner=False), phase(10)]
    return make_visit_type("First visit", slug="first", phases=parts, practitioners=[mei])


def visit(visit_type: VisitType, starts_at: datetime, status: Status, **fields: Any) -> Appointment:
    """As it stands in the books after its day; nothing of it occupies time any more."""
    made = {"requested_at": starts_at - timedelta(days=2), "answer_by": None} | fields
    appointment = make_appointment(visit_type, starts_at=starts_at, status=Status.CANCELLED, **made)
    Appointment.objects.filter(pk=appointment.pk).update(status=status)
    return appointment


def change(appointment: Appointment, was: Status, to: Status, changed_at: datetime, actor: Actor) -> None:
    version = appointment.changes.count() + 1
    StatusChange.objects.create(
        appointment=appointment, version=version, from_status=was, to_status=to, at=changed_at, actor=actor
    )


def numbers(name: str, asked: Asked = MARCH) -> dict[str, tuple[Any, ...]]:
    """The numbers of one report by the names of its rows."""
    [table] = [one for one in report(asked, now=NOW) if one.name == name]
    return dict(table.rows)


def test_requests_are_counted_in_the_week_in_which_they_came(clinic: VisitType) -> None:
    for day, to in (
        (1, Status.BOOKED),
        (2, Status.BOOKED),
        (3, Status.DECLINED),
        (4, Status.PROPOSED),
        (5, Status.EXPIRED),
        (6, Status.CANCELLED),
        (7, Status.BOOKED),
    ):
        asked = visit(clinic, at(20, 10), to, requested_at=at(day, 9), answer_by=at(day, 12))
        change(asked, Status.PENDING, to, at(day, 11), Actor.STAFF)
    moved = visit(clinic, at(20, 10), Status.PENDING, requested_at=at(9, 9), answer_by=at(10, 9))
    change(moved, Status.PENDING, Status.PENDING, at(9, 10), Actor.PATIENT)
    visit(clinic, at(8, 10), Status.BOOKED)  # by phone: nobody asked for an answer
    visit(clinic, at(1, 10, month=5), Status.PENDING, requested_at=at(1, 9, month=4), answer_by=at(2, 9))
    assert numbers("requests") == {
        FIRST_WEEKS[0]: (6, 2, 1, 1, 1, 1, 0),
        FIRST_WEEKS[1]: (2, 1, 0, 0, 0, 0, 1),
        **dict.fromkeys(FIRST_WEEKS[2:], (0, 0, 0, 0, 0, 0, 0)),
    }


def test_the_time_to_answer_is_that_of_the_first_answer_by_staff(clinic: VisitType) -> None:
    for took, promised in ((1, 5), (3, 5), (8, 5)):
        asked = visit(
            clinic,
            at(20, 10),
            Status.BOOKED,
            requested_at=at(2, 9),
            answer_by=at(2, 9) + timedelta(hours=promised),
        )
        change(asked, Status.PENDING, Status.PROPOSED, at(2, 9) + timedelta(hours=took), Actor.STAFF)
        change(asked, Status.PROPOSED, Status.BOOKED, at(4, 9), Actor.PATIENT)
    lapsed = visit(clinic, at(20, 10), Status.EXPIRED, requested_at=at(2, 9), answer_by=at(2, 12))
    change(lapsed, Status.PENDING, Status.EXPIRED, at(2, 12), Actor.CLOCK)
    assert numbers("time-to-answer")[FIRST_WEEKS[0]] == (3, 3.0, 66.7)
    assert numbers("time-to-answer")[FIRST_WEEKS[1]] == (0, None, None)


def test_an_answer_over_the_clock_change_took_true_hours(clinic: VisitType) -> None:
    asked = visit(clinic, at(20, 10), Status.BOOKED, requested_at=at(13, 20), answer_by=at(14, 20))
    change(asked, Status.PENDING, Status.BOOKED, at(14, 8), Actor.STAFF)
    assert numbers("time-to-answer")["2027-03-07"] == (1, 11.0, 100.0)


def test_the_lead_time_is_in_days_of_the_clinic(clinic: VisitType) -> None:
    for days in (0, 1, 2, 3, 4, 7, 8, 14, 28, 29, 60):
        visit(clinic, at(29, 0, 30), Status.FULFILLED, requested_at=at(29, 0, 20) - timedelta(days=days))
    visit(clinic, at(29, 9), Status.CANCELLED, requested_at=at(29, 8))
    assert numbers("lead-time") == {
        "on the same day": (1,),
        "on the day before": (1,),
        "2 to 3 days before": (2,),
        "4 to 7 days before": (2,),
        "8 to 14 days before": (2,),
        "15 to 28 days before": (1,),
        "more than 28 days before": (2,),
    }


def test_no_shows_and_late_cancellations_by_type_weekday_and_reminders(clinic: VisitType) -> None:
    other = make_visit_type("Follow-up visit", practitioners=list(clinic.practitioners.all()))
    visit(clinic, at(1, 10), Status.FULFILLED, reminders="48h")  # a Monday
    visit(clinic, at(1, 11), Status.NOSHOW, reminders="none")
    visit(clinic, at(2, 10), Status.ARRIVED, reminders="48h")
    visit(other, at(2, 11), Status.NOSHOW, reminders="none")
    for starts_at, before, actor in (
        (at(8, 10), timedelta(hours=23), Actor.PATIENT),  # late
        (at(8, 11), timedelta(hours=25), Actor.PATIENT),  # in time
        (at(8, 13), timedelta(hours=30), Actor.PATIENT),  # in time
        (at(8, 12), timedelta(hours=1), Actor.STAFF),  # the clinic's doing
    ):
        off = visit(clinic, starts_at, Status.CANCELLED, reminders="48h")
        change(off, Status.BOOKED, Status.CANCELLED, starts_at - before, actor)
    visit(clinic, at(9, 10), Status.BOOKED)  # nobody noted anything
    assert numbers("missed-by-visit-type") == {
        "First visit": (4, 1, 25.0, 1, 25.0),
        "Follow-up visit": (1, 1, 100.0, 0, 0.0),
    }
    by_day = numbers("missed-by-weekday")
    assert by_day["Monday"] == (3, 1, 33.3, 1, 33.3)
    assert by_day["Tuesday"] == (2, 1, 50.0, 0, 0.0)
    assert by_day["Sunday"] == (0, 0, None, 0, None)
    assert numbers("missed-by-reminders") == {
        "2 days before": (3, 0, 0.0, 1, 33.3),
        "1 day before": (0, 0, None, 0, None),
        "Both: 2 days and 1 day before": (0, 0, None, 0, None),
        "No reminders": (2, 2, 100.0, 0, 0.0),
    }


def test_use_is_counted_by_phase_and_hour_against_what_was_open(clinic: VisitType) -> None:
    """15 minutes with the practitioner, 20 at rest, 10 with them again: in the room all the time."""
    mei = clinic.practitioners.get()
    visit(clinic, at(1, 9, 30), Status.FULFILLED)
    visit(clinic, at(1, 9), Status.NOSHOW)
    make_closure(at(8, 10), at(8, 12), mei)
    make_closure(at(15, 0), at(16, 0))
    week = Asked(date(2027, 3, 1), date(2027, 3, 21))
    assert numbers("use-by-hour", week) == {
        "09:00": (15, 120, 12.5, 30, 120, 25.0),
        "10:00": (10, 60, 16.7, 15, 60, 25.0),
    }


def test_what_phases_and_stretching_gained_is_counted(clinic: VisitType) -> None:
    visit(clinic, at(1, 9), Status.FULFILLED)  # to 9:45
    visit(
        clinic, at(1, 9, 15), Status.FULFILLED, ends_at=at(1, 10, 5)
    )  # beside it, stretched by five minutes
    visit(clinic, at(1, 10, 5), Status.FULFILLED)  # after both
    visit(clinic, at(1, 9, 30), Status.CANCELLED)
    assert numbers("phases") == {"First visit": (3, 60, 1, 1, 5)}


def test_the_waitlist_tells_how_many_found_a_time(clinic: VisitType) -> None:
    def entry(state: str, days: int | None = None, month: int = 3) -> WaitlistEntry:
        joined_at = at(2, 9, month=month)
        return WaitlistEntry.objects.create(
            reference=f"WL-{uuid4().hex[:6]}",
            state=state,
            patient=make_patient(),
            visit_type=clinic,
            weekdays=[0],
            parts=["morning"],
            wanted_until=date(2027, 4, 30),
            new_patient=False,
            consented_at=joined_at,
            joined_at=joined_at,
            ended_at=None if days is None else joined_at + timedelta(days=days),
            idempotency_key=uuid4(),
        )

    booked = [entry("booked", days) for days in (1, 2, 6)]
    entry("waiting")
    left = entry("left", 1)
    entry("removed", 1)
    entry("ended", 30)
    entry("booked", 1, month=2)
    for one, answer in [*((each, "taken") for each in booked), (booked[0], "lapsed"), (left, "declined")]:
        Offer.objects.create(entry=one, offered_at=at(3, 9), expires_at=at(3, 11), answer=answer)
    assert [row[0] for row in numbers("waitlist").values()] == [7, 3, 1, 2, 1, 5, 3, 1, 1, 2.0]


def test_courses_tell_how_many_visits_took_place(clinic: VisitType) -> None:
    mei = clinic.practitioners.get()

    def course(*statuses: Status, planned: bool = False) -> None:
        after = visit(clinic, at(1, 9), Status.FULFILLED) if planned else None
        made = Course.objects.create(
            reference=f"CO-{uuid4().hex[:6]}",
            patient=make_patient(),
            visit_type=clinic,
            practitioner=mei,
            first_on=date(2027, 3, 8),
            days_between=2,
            weekdays=[0],
            from_hour=9,
            to_hour=11,
            days_off=0,
            any_hour=False,
            created_at=at(2, 9),
            idempotency_key=uuid4(),
            planned_after=after,
            planned_by=make_staff(f"planner-{uuid4().hex[:6]}") if planned else None,
        )
        for number, status in enumerate(statuses):
            visit(clinic, at(8 + number, 9), status, course=made)

    course(Status.FULFILLED, Status.FULFILLED)
    course(Status.FULFILLED, Status.NOSHOW, Status.CANCELLED)
    course(Status.FULFILLED, Status.BOOKED)
    course(planned=True)
    assert numbers("courses") == {
        "asked for by a patient": (3, 3, 7, 4, 1, 1, 2, 1),
        "planned by staff": (1, 0, 0, 0, 0, 0, 0, 0),
    }


def test_only_the_practitioner_and_visit_type_asked_about_are_counted(clinic: VisitType) -> None:
    sara = make_practitioner("Sara", slug="sara")
    follow_up = make_visit_type("Follow-up visit", slug="follow-up", practitioners=[sara])
    visit(clinic, at(1, 10), Status.NOSHOW)
    visit(follow_up, at(1, 10), Status.NOSHOW)
    for narrowed in ({"practitioner": sara}, {"visit_type": follow_up}):
        rows = numbers("missed-by-visit-type", Asked(MARCH.first_on, MARCH.last_on, **narrowed))
        assert (rows["First visit"][0], rows["Follow-up visit"][0]) == (0, 1)


# --- The page and the file -------------------------------------------------------------------------------------


def shown(client: Client, **asked: str) -> str:
    response = client.get(PAGE, asked)
    assert response.status_code == 200
    return response.content.decode()


def in_march(**more: str) -> dict[str, str]:
    return {"first_on": "2027-03-01", "last_on": "2027-03-31"} | more


def test_the_page_shows_the_last_weeks_at_first_and_names_no_patient(owner: Client) -> None:
    appointment = make_appointment(patient=make_patient("Parisa Karimi"))
    page = shown(owner)
    assert page.count("<h2 id=") == 10
    assert "Parisa Karimi" not in page
    assert appointment.reference not in page
    assert "<svg" in page


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"first_on": "9999-12-31", "last_on": "9999-12-31"}, "Enter a date of these years."),
        ({"first_on": "0001-01-01", "last_on": "0001-01-02"}, "Enter a date of these years."),
        ({"first_on": "2027-03-02", "last_on": "2027-03-01"}, "The last day must not be before the first."),
        ({"first_on": "2026-03-01", "last_on": "2027-03-31"}, "Choose at most a year."),
        ({"first_on": "soon", "last_on": "2027-03-31"}, "Enter a valid date."),
        ({"first_on": "2027-03-01"}, "This field is required."),
        (in_march(practitioner="nobody\x00"), "Select a valid choice."),
        (in_march(visit_type="9" * 40), "Select a valid choice."),
    ],
)
def test_what_cannot_be_counted_is_said_at_its_field_and_stays_typed(
    owner: Client, asked: dict[str, str], says: str
) -> None:
    page = shown(owner, **asked)
    assert says in page
    assert asked["first_on"] in page
    assert "<svg viewBox" not in page
    assert says in owner.post(FILE, asked).content.decode()


def test_the_file_has_the_numbers_of_the_page_and_no_formula(owner: Client, clinic: VisitType) -> None:
    VisitType.objects.update(name="=HYPERLINK(1)")
    visit(clinic, at(1, 10), Status.NOSHOW)
    response = owner.post(FILE, in_march(practitioner="mei-lin", visit_type="first"))
    assert response["Content-Disposition"] == 'attachment; filename="reports-2027-03-01-2027-03-31.csv"'
    lines = list(csv.reader(StringIO(response.content.decode("utf-8-sig"))))
    assert lines[0] == ["Report", "Of", "What", "Number"]
    named = [line for line in lines if line[0] == "No-shows and late cancellations by visit type"]
    assert [line[1:] for line in named] == [
        ["'=HYPERLINK(1)", "Visits", "1"],
        ["'=HYPERLINK(1)", "No-shows", "1"],
        ["'=HYPERLINK(1)", "No-shows, %", "100.0"],
        ["'=HYPERLINK(1)", "Late cancellations", "0"],
        ["'=HYPERLINK(1)", "Late cancellations, %", "0.0"],
    ]
    tables = report(MARCH, now=NOW)
    assert len(lines) == 1 + sum(len(row[1]) for table in tables for row in table.rows)
    assert [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))] == []


def test_only_who_may_sees_the_reports() -> None:
    others = signed_in(make_staff("others", "view_appointment", "decide_appointment"))
    assert others.get(PAGE).status_code == 403
    assert others.post(FILE, in_march()).status_code == 403
    assert "/admin/reports/" not in others.get("/admin/").content.decode()
    may = signed_in(make_staff("may", "view_reports"))
    assert 'href="/admin/reports/"' in may.get("/admin/").content.decode()
    assert (may.post(PAGE).status_code, may.get(FILE).status_code) == (405, 405)


@pytest.mark.parametrize("count", [1, 30])
def test_the_reports_cost_the_same_however_much_is_counted(
    owner: Client, clinic: VisitType, count: int
) -> None:
    for number in range(count):
        one = visit(clinic, at(1 + number, 10), Status.FULFILLED, answer_by=at(1, 12))
        change(one, Status.PENDING, Status.BOOKED, at(1, 11), Actor.STAFF)
    with CaptureQueriesContext(connection) as asked:
        shown(owner, **in_march())
    assert len(asked) == 19, "\n".join(query["sql"][:150] for query in asked)


def test_bars_are_as_long_as_their_numbers_and_long_names_are_cut() -> None:
    drawn = plots.bars([("Both: 2 days and 1 day before", [50.0, None]), ("None", [25.0, 0.0])])
    assert [(row.name, [(bar.y, bar.width, bar.value) for bar in row.bars]) for row in drawn.rows] == [
        ("Both: 2 days an…", [(0, 198.0, 50.0), (12, 0.0, None)]),
        ("None", [(32, 99.0, 25.0), (44, 0.0, 0.0)]),
    ]
    assert drawn.height == 56
