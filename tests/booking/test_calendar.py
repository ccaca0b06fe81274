"""The calendar of the desk: what it shows, in words and for the script that draws it, and what a drag does."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking import times
from booking.models import Appointment, OfferOption, Resource, Status, VisitType
from booking.operations import OfferedTime, hold_time, offer_other_times
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_closure,
    make_hours,
    make_patient,
    make_practitioner,
    make_room,
    make_visit_type,
    needles,
    wall,
)
from tests.booking.test_desk import XSS, act, make_staff, signed_in, with_a_reason
from tests.booking.test_desk_other_times import fields

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

CALENDAR = "/admin/booking/appointment/calendar/"
EVENTS = CALENDAR + "events/"


@pytest.fixture
def receptionist() -> Client:
    return signed_in(make_staff("receptionist", "decide_appointment", "view_appointment"))


@pytest.fixture
def viewer() -> Client:
    return signed_in(make_staff("viewer", "view_appointment"))


def needling(**fields: Any) -> VisitType:
    return make_visit_type("Follow-up visit", phases=needles(), **fields)


def clinic(*, rooms: int = 2) -> tuple[VisitType, Resource]:
    mei = make_practitioner("Mei Lin", slug="mei-lin")
    make_hours(mei)
    for number in range(1, rooms + 1):
        make_room(f"Room {number}", slug=f"room-{number}", position=number)
    return needling(practitioners=[mei]), mei


def day_of(at: datetime) -> str:
    return str(times.local_day(at))


def lines(client: Client, **asked: Any) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Each column's name with its lines: when, what, and what else."""
    page = client.get(CALENDAR, asked)
    assert page.status_code == 200
    return [
        (board.name, [(line["when"], line["title"], line["details"]) for line in board.lines])
        for day in page.context["days"]
        for board in day.boards
    ]


def events(client: Client, **asked: Any) -> list[dict[str, Any]]:
    """What the script draws, without what is only shaded."""
    answer = client.get(EVENTS, asked)
    assert answer.status_code == 200
    return [event for event in answer.json()["events"] if event["kind"] != "closed"]


def nbsp(text: str) -> str:
    return text.replace(" am", "\xa0am").replace(" pm", "\xa0pm")


# --- What it shows ----------------------------------------------------------------------------------------------


def test_a_day_says_who_is_with_whom_and_when_the_practitioner_is_free(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    make_appointment(visit_type, starts_at=wall(9), patient=make_patient("Wing Chan"), status=Status.BOOKED)
    make_appointment(
        visit_type,
        starts_at=wall(11),
        patient=make_patient("Ali Nouri"),
        room=Resource.objects.get(slug="room-2"),
    )
    [(name, said)] = lines(receptionist, on=day_of(wall(9)))
    assert name == "Mei Lin"
    assert said == [
        (nbsp("9:00 am to 9:45 am"), "Wing Chan", "Follow-up visit, Room 1"),
        (nbsp("9:20 am to 9:40 am"), "Free", ""),
        (nbsp("9:45 am to 11:00 am"), "Free", ""),
        (nbsp("11:00 am to 11:45 am"), "Ali Nouri", "Follow-up visit, Room 2"),
        (nbsp("11:20 am to 11:40 am"), "Free", ""),
        (nbsp("11:45 am to 7:00 pm"), "Free", ""),
    ]


def test_a_room_is_shown_taken_until_it_is_turned_over(receptionist: Client) -> None:
    visit_type, _mei = clinic(rooms=1)
    make_appointment(visit_type, starts_at=wall(9), patient=make_patient("Wing Chan"), status=Status.BOOKED)
    asked = {"on": day_of(wall(9)), "by": "room"}
    assert lines(receptionist, **asked) == [
        ("Room 1", [(nbsp("9:00 am to 9:45 am"), "Wing Chan", "Follow-up visit, Mei Lin")])
    ]
    [event] = events(receptionist, **asked)
    assert (event["column"], event["end"][-5:], event["remark"]) == (
        "room-1",
        "09:55",
        nbsp("free again at 9:55 am"),
    )
    assert event["bands"] == [
        [20, True, "Needles in"],
        [20, True, "Rest"],
        [5, True, "Needles out"],
        [10, True, "Turnover"],
    ]


def test_the_script_is_told_the_name_of_a_patient_and_nothing_that_they_wrote(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(
        visit_type,
        starts_at=wall(9),
        patient=make_patient("Wing Chan", phone="416-555-0199"),
        status=Status.BOOKED,
        note="My back",
        precautions={"blood": "yes"},
    )
    assert events(receptionist, on=day_of(wall(9))) == [
        {
            "column": "mei-lin",
            "kind": "visit",
            "status": "booked",
            "start": f"{day_of(wall(9))}T09:00",
            "end": f"{day_of(wall(9))}T09:45",
            "at": nbsp("9:00 am"),
            "when": nbsp("9:00 am to 9:45 am"),
            "title": "Wing Chan",
            "details": "Follow-up visit, Room 1",
            "state": "confirmed",
            "remark": nbsp("practitioner free 9:20 am to 9:40 am"),
            "page": f"/admin/booking/appointment/{booked.pk}/change/",
            "pk": booked.pk,
            "version": 1,
            "isOver": False,
            "canMove": True,
            "canStretch": True,
            "bands": [[20, True, "Needles in"], [20, False, "Rest"], [5, True, "Needles out"]],
        }
    ]


def test_held_and_offered_times_and_closures_are_shown_for_what_they_are(receptionist: Client) -> None:
    visit_type, mei = clinic()
    asked = make_appointment(visit_type, starts_at=wall(9), patient=make_patient("Sam Ito"))
    now = timezone.now()
    offer_other_times(
        appointment=asked,
        version=1,
        offered=[OfferedTime(wall(12), mei)],
        by=make_staff("owner", "decide_appointment"),
        idempotency_key=uuid4(),
        now=now,
    )
    hold_time(visitor=uuid4(), visit_type=visit_type, starts_at=wall(14), practitioner=mei, now=now)
    make_closure(wall(16), wall(17), mei)
    make_closure(wall(18), wall(20))
    make_appointment(visit_type, starts_at=wall(15), status=Status.CANCELLED)
    [(_name, said)] = lines(receptionist, on=day_of(wall(9)))
    assert [(when, what) for when, what, _ in said if what != "Free"] == [
        (nbsp("12:00 pm to 12:45 pm"), "Offered to Sam Ito"),
        (nbsp("2:00 pm to 2:45 pm"), "Somebody is booking this time online"),
        (nbsp("4:00 pm to 5:00 pm"), "Away"),
        (nbsp("6:00 pm to 8:00 pm"), "Clinic closed"),
    ]
    found = events(receptionist, on=day_of(wall(9)))
    assert [(event["kind"], event.get("canMove")) for event in found] == [
        ("away", None),
        ("away", None),
        ("offer", False),
        ("hold", False),
    ]


def test_the_phases_of_a_stretched_visit_are_shown_as_long_as_they_last(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    stretch(receptionist, booked, 10)
    [event] = events(receptionist, on=day_of(wall(9)))
    assert [minutes for minutes, _, _ in event["bands"]] == [20, 30, 5]


def test_a_visit_whose_type_has_other_phases_by_now_still_shows_when_the_practitioner_is_busy(
    receptionist: Client,
) -> None:
    visit_type, _mei = clinic()
    make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    visit_type.phases.filter(name="Needles in").update(minutes=35)
    [event] = events(receptionist, on=day_of(wall(9)))
    assert event["bands"] == [[20, True, ""], [20, False, ""], [5, True, ""]]
    assert event["canStretch"] is False


def test_a_week_shows_the_days_on_which_somebody_works_or_something_stands(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    Resource.objects.get(slug="mei-lin").working_hours.exclude(weekday__in=[0, 3]).delete()
    monday = "2027-03-01"
    make_appointment(visit_type, starts_at=datetime(2027, 3, 6, 10, tzinfo=times.ZONE), status=Status.BOOKED)
    page = receptionist.get(CALENDAR, {"on": monday, "view": "week"})
    assert [day.on.day for day in page.context["days"]] == [1, 4, 6]
    content = page.content.decode()
    assert "28\xa0February to 6\xa0March 2027" in content
    assert "?on=2027-02-22&amp;view=week" in content
    assert "?on=2027-03-08&amp;view=week" in content
    told = receptionist.get(EVENTS, {"on": monday, "view": "week"}).json()
    assert (told["date"], told["hidden"], told["opens"], told["closes"]) == (
        "2027-02-28",
        [0, 2, 3, 5],
        "09:00",
        "19:00",
    )


def test_on_the_autumn_day_both_half_past_ones_are_told_apart_and_drawn_as_long_as_they_last(
    receptionist: Client,
) -> None:
    visit_type, _mei = clinic()
    for fold, name in enumerate(["Wing Chan", "Ali Nouri"]):
        at = datetime(2027, 11, 7, 1, 30, tzinfo=times.ZONE, fold=fold).astimezone(UTC)
        make_appointment(visit_type, starts_at=at, patient=make_patient(name), status=Status.BOOKED)
    page = receptionist.get(CALENDAR, {"on": "2027-11-07"}).content.decode()
    assert "Eastern Time (Toronto), EDT, then EST." in page
    first, second = events(receptionist, on="2027-11-07")
    assert (first["at"], second["at"]) == ("1:30\xa0am\xa0EDT", "1:30\xa0am\xa0EST")
    assert {(event["start"], event["end"]) for event in (first, second)} == {
        ("2027-11-07T01:30", "2027-11-07T02:15")
    }


@pytest.mark.parametrize("typed", ["tomorrow", "9999-12-31", "0001-01-01", "2027-02-29"])
def test_a_day_that_is_none_is_said_at_the_field_and_today_is_shown(receptionist: Client, typed: str) -> None:
    make_clinic()
    page = receptionist.get(CALENDAR, {"on": typed, "view": "year", "by": "moon", "only": "\x00"})
    content = page.content.decode()
    assert page.context["shown"].on == times.local_day(timezone.now())
    assert 'aria-invalid="true" aria-describedby="on-error"' in content
    assert receptionist.get(EVENTS, {"on": typed}).status_code == 200


def test_one_practitioner_alone_can_be_looked_at(receptionist: Client) -> None:
    make_clinic(practitioners=2)
    make_practitioner("Sara Moradi", slug="sara-moradi")
    assert [name for name, _ in lines(receptionist, only="sara-moradi")] == ["Sara Moradi"]
    assert len(lines(receptionist)) == 3


@pytest.mark.parametrize("payload", XSS)
def test_what_people_type_stays_text(receptionist: Client, payload: str) -> None:
    visit_type, _mei = clinic()
    make_appointment(visit_type, starts_at=wall(9), patient=make_patient(payload), status=Status.BOOKED)
    page = receptionist.get(CALENDAR, {"on": day_of(wall(9))}).content.decode()
    assert f"<bdi>{escape(payload)}</bdi>" in page
    answer = receptionist.get(EVENTS, {"on": day_of(wall(9))})
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/json", "nosniff")
    assert json.loads(answer.content)["events"][-1]["title"] == payload


def test_who_may_only_look_is_offered_no_move(viewer: Client) -> None:
    visit_type, _mei = clinic()
    make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    assert "Move…" not in viewer.get(CALENDAR, {"on": day_of(wall(9))}).content.decode()
    [event] = events(viewer, on=day_of(wall(9)))
    assert (event["canMove"], event["canStretch"]) == (False, False)


def test_a_free_time_leads_to_booking_by_phone_for_who_may_book(receptionist: Client) -> None:
    clinic()
    on = day_of(wall(9))
    assert "Book by phone" not in receptionist.get(CALENDAR, {"on": on}).content.decode()
    booker = signed_in(make_staff("booker", "decide_appointment", "view_appointment", "view_patient"))
    content = booker.get(CALENDAR, {"on": on}).content.decode()
    link = (
        f"/admin/booking/appointment/book/?start={quote(times.write_start(wall(9)))}&amp;practitioner=mei-lin"
    )
    assert f'href="{link}"' in content
    assert booker.get(unescape(link)).status_code == 200


def test_every_visit_leads_to_its_page_and_to_the_form_that_moves_it(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    on = day_of(wall(9))
    content = receptionist.get(CALENDAR, {"on": on}).content.decode()
    assert f'href="/admin/booking/appointment/{booked.pk}/change/"' in content
    back = f"%2Fadmin%2Fbooking%2Fappointment%2Fcalendar%2F%3Fon%3D{on}"
    assert f'href="{act(booked, "move")}?next={back}"' in content


@pytest.mark.parametrize("visits", [1, 30])
@pytest.mark.parametrize(("address", "queries"), [(CALENDAR, 14), (EVENTS, 14)])
def test_the_calendar_costs_the_same_queries_however_full(
    receptionist: Client, visits: int, address: str, queries: int
) -> None:
    visit_type, _mei = clinic()
    for number in range(visits):
        make_appointment(
            visit_type,
            starts_at=wall(9) + timedelta(hours=number % 8, days=number // 8),
            status=Status.BOOKED,
        )
    with CaptureQueriesContext(connection) as asked:
        receptionist.get(address, {"on": day_of(wall(9)), "view": "week"})
    assert len(asked) == queries, "\n".join(query["sql"] for query in asked)


# --- Free times to pick ----------------------------------------------------------------------------------------


def openings(client: Client, appointment: Appointment, at: datetime) -> dict[str, Any]:
    answer = client.get(act(appointment, "openings"), {"on": day_of(at)})
    assert answer.status_code == 200
    drawn: dict[str, Any] = answer.json()
    return drawn


def test_a_days_drawing_tells_with_whom_and_when_the_visit_could_be_instead(receptionist: Client) -> None:
    visit_type, mei = clinic()
    ada = make_practitioner("Ada Moss", slug="ada-moss")  # gives another visit
    make_hours(ada)
    asked = make_appointment(visit_type, starts_at=wall(10), practitioner=mei)
    make_appointment(visit_type, starts_at=wall(11), practitioner=mei, status=Status.BOOKED)
    drawn = openings(receptionist, asked, wall(10))

    on = day_of(wall(10))
    assert [column["id"] for column in drawn["columns"]] == ["mei-lin"]
    assert {event["column"] for event in drawn["events"]} == {"mei-lin"}
    assert drawn["minutes"] == 45
    # Whole before the other visit, in its rest, and after it; a mark ends a quarter of an hour after its last start.
    assert [(mark["start"][-5:], mark["end"][-5:]) for mark in drawn["marks"]] == [
        ("09:00", "10:55"),
        ("11:20", "11:35"),
        ("11:45", "18:15"),
    ]
    assert drawn["free"][0] == {
        "column": "mei-lin",
        "start": f"{on}T09:00",
        "value": f"{times.write_start(wall(9))}/mei-lin",
        "says": f"{times.in_words(times.local_day(wall(9)))}, 9:00\N{NO-BREAK SPACE}am Mei Lin",
    }
    assert (drawn["earlier"], drawn["later"]) == (
        day_of(wall(10, days_ahead=1)),
        day_of(wall(10, days_ahead=3)),
    )


def test_what_the_drawing_calls_free_can_be_offered(receptionist: Client) -> None:
    visit_type, mei = clinic()
    asked = make_appointment(visit_type, starts_at=wall(10), practitioner=mei)
    free = openings(receptionist, asked, wall(10, days_ahead=40))["free"][0]
    page = receptionist.get(act(asked, "offer")).content.decode()
    sent = fields(page) | {"pick": free["value"]}
    assert receptionist.post(act(asked, "offer"), sent).status_code == 302
    assert [option.starts_at for option in OfferOption.objects.all()] == [wall(9, days_ahead=40)]


def test_a_days_drawing_costs_the_same_queries_however_full(receptionist: Client) -> None:
    visit_type, mei = clinic()
    asked = make_appointment(visit_type, starts_at=wall(10), practitioner=mei)
    with CaptureQueriesContext(connection) as few:
        openings(receptionist, asked, wall(10))
    for hour in range(11, 18):
        make_appointment(visit_type, starts_at=wall(hour), practitioner=mei, patient=asked.patient)
    with CaptureQueriesContext(connection) as many:
        openings(receptionist, asked, wall(10))
    assert (len(few), len(many)) == (24, 23)  # the first of all also notes whom it showed


# --- Dragging --------------------------------------------------------------------------------------------------


def drag(client: Client, appointment: Appointment, at: datetime, column: str, **fields: Any) -> Any:
    sent = {
        "version": appointment.version,
        "key": uuid4(),
        "at": f"{at:%Y-%m-%dT%H:%M}",
        "column": column,
    }
    return client.post(act(appointment, "drag"), sent | fields)


def stretch(client: Client, appointment: Appointment, minutes: int, **fields: Any) -> Any:
    sent = {"version": appointment.version, "key": uuid4(), "longer_by": minutes}
    return client.post(act(appointment, "drag-end"), sent | fields)


def test_a_dropped_visit_is_asked_about_before_anything_changes(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(
        visit_type, starts_at=wall(9), patient=make_patient("Wing Chan"), status=Status.BOOKED
    )
    answer = drag(receptionist, booked, wall(11), "mei-lin")
    assert answer.json() == {
        "asks": {
            "question": "Move this visit?",
            "who": "Wing Chan, Follow-up visit",
            "from": f"{times.moment(wall(9))}, Mei Lin",
            "to": f"{times.moment(wall(11))}, Mei Lin",
            "told": "Wing Chan is told by e-mail, with a new calendar file.",
        }
    }
    booked.refresh_from_db()
    assert (booked.starts_at, booked.version, QueuedMail.objects.count()) == (wall(9), 1, 0)


def test_a_dropped_visit_is_moved_once_and_the_patient_is_told_once(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(
        visit_type, starts_at=wall(9), patient=make_patient("Wing Chan"), status=Status.BOOKED
    )
    key = uuid4()
    for _ in range(2):
        answer = drag(receptionist, booked, wall(11), "mei-lin", key=key, sure="on")
    assert answer.json() == {
        "says": f"Wing Chan, {booked.reference}: now on {times.moment(wall(11))} with Mei Lin, Room 1."
    }
    booked.refresh_from_db()
    assert (booked.starts_at, booked.version) == (wall(11), 2)
    assert [mail.kind for mail in QueuedMail.objects.all()] == ["moved"]
    assert books.overlaps() == 0


def test_a_visit_dropped_on_a_room_goes_to_that_room(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    assert drag(receptionist, booked, wall(9), "room-2", sure="on").status_code == 200
    booked.refresh_from_db()
    assert (booked.starts_at, str(booked.room)) == (wall(9), "Room 2")


def _taken(visit_type: VisitType) -> str:
    make_appointment(visit_type, starts_at=wall(11), patient=make_patient("Ali Nouri"), status=Status.BOOKED)
    return nbsp("Mei Lin is taken 11:00 am to 11:45 am: Ali Nouri.")


def _closed(visit_type: VisitType) -> str:
    make_closure(wall(11), wall(12))
    return nbsp("Mei Lin, 11:00 am to 12:00 pm: clinic closed.")


def _not_there(visit_type: VisitType) -> str:
    Resource.objects.get(slug="mei-lin").working_hours.update(opens="12:00")
    return "Mei Lin does not work then."


def _full(visit_type: VisitType) -> str:
    Resource.objects.filter(slug="mei-lin").update(visits_a_day=1)
    make_appointment(visit_type, starts_at=wall(15), status=Status.BOOKED)
    return "Mei Lin takes no more visits on this day."


def _no_room(visit_type: VisitType) -> str:
    sara = make_practitioner("Sara Moradi")
    for room in Resource.objects.rooms():
        make_appointment(visit_type, starts_at=wall(11), practitioner=sara, room=room, status=Status.BOOKED)
        sara = make_practitioner()
    return "No room is free for the whole visit."


def _not_given(visit_type: VisitType) -> str:
    visit_type.practitioners.clear()
    return "Mei Lin does not give this visit: Follow-up visit."


@pytest.mark.parametrize("obstacle", [_taken, _closed, _not_there, _full, _no_room, _not_given])
@pytest.mark.parametrize("sure", ["", "on"])
def test_a_visit_dropped_where_it_cannot_be_stays_and_staff_are_told_why(
    receptionist: Client, obstacle: Callable[[VisitType], str], sure: str
) -> None:
    visit_type, mei = clinic()
    moved = make_appointment(
        visit_type, starts_at=wall(9, days_ahead=3), practitioner=mei, status=Status.BOOKED
    )
    why = obstacle(visit_type)
    answer = drag(receptionist, moved, wall(11), "mei-lin", sure=sure)
    assert (answer.status_code, answer.json()) == (409, {"says": f"Not moved. {why}"})
    moved.refresh_from_db()
    assert (moved.starts_at, moved.version, QueuedMail.objects.count()) == (wall(9, days_ahead=3), 1, 0)


@pytest.mark.parametrize(
    ("at", "column", "says"),
    [
        (wall(9, days_ahead=-1), "mei-lin", "Not moved. That time is past."),
        (
            wall(11, 5),
            "mei-lin",
            "Not moved. Follow-up visit begins every 15 minutes, or right beside another visit.",
        ),
        (datetime(2027, 3, 14, 2, 30), "mei-lin", "The clocks skip this time on that day."),  # noqa: DTZ001
        (datetime(2199, 3, 14, 2, 30), "mei-lin", "Not moved. "),  # noqa: DTZ001
        (wall(11), "nobody", "Select a valid choice. That choice is not one of the available choices."),
    ],
)
def test_a_place_that_cannot_be_is_refused_in_words(
    receptionist: Client, at: datetime, column: str, says: str
) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    answer = drag(receptionist, booked, at, column, sure="on")
    assert answer.status_code == 409
    assert answer.json()["says"].startswith(says)


def test_a_room_that_is_taken_is_named(receptionist: Client) -> None:
    visit_type, mei = clinic()
    sara = make_practitioner("Sara Moradi")
    second = Resource.objects.get(slug="room-2")
    make_appointment(visit_type, starts_at=wall(9), practitioner=sara, room=second, status=Status.BOOKED)
    booked = make_appointment(visit_type, starts_at=wall(9), practitioner=mei, status=Status.BOOKED)
    answer = drag(receptionist, booked, wall(9), "room-2")
    assert answer.json()["says"] == nbsp("Not moved. Room 2 is taken 9:00 am to 9:55 am: Parisa Karimi.")


def test_the_second_of_two_who_drag_is_told_that_somebody_has_moved_it(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    assert drag(receptionist, booked, wall(11), "mei-lin", sure="on").status_code == 200
    for sure in ({}, {"sure": "on"}):
        answer = drag(receptionist, booked, wall(15), "mei-lin", **sure)
        assert answer.status_code == 409
        assert answer.json()["says"].startswith(f"{booked.reference} was changed by receptionist (")
    booked.refresh_from_db()
    assert booked.starts_at == wall(11)


def test_staff_without_the_permission_drag_nothing(viewer: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    assert drag(viewer, booked, wall(11), "mei-lin", sure="on").status_code == 403
    assert stretch(viewer, booked, 5).status_code == 403


# --- Lasting longer ---------------------------------------------------------------------------------------------


def test_the_rest_is_stretched_and_shortened_again_and_nobody_is_written_to(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(
        visit_type, starts_at=wall(9), patient=make_patient("Wing Chan"), status=Status.BOOKED
    )
    answer = stretch(receptionist, booked, 10)
    assert answer.json() == {"says": nbsp(f"Wing Chan, {booked.reference}: now until 9:55 am.")}
    booked.refresh_from_db()
    assert (booked.starts_at, booked.ends_at, booked.version) == (wall(9), wall(9, 55), 2)
    taken = [(times.local(row.starts_at), times.local(row.ends_at)) for row in booked.occupancies.all()]
    assert sorted(taken) == [
        (wall(9), wall(9, 20)),
        (wall(9), wall(10, 5)),
        (wall(9, 50), wall(9, 55)),
    ]
    assert stretch(receptionist, booked, -10).status_code == 200
    booked.refresh_from_db()
    assert (booked.ends_at, QueuedMail.objects.count()) == (wall(9, 45), 0)
    assert [change.reason for change in booked.changes.order_by("version")] == ["", "stretched", "stretched"]


@pytest.mark.parametrize("minutes", [15, -5, 3])
def test_a_visit_lasts_no_longer_than_its_phases_may(receptionist: Client, minutes: int) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    answer = stretch(receptionist, booked, minutes)
    assert (answer.status_code, answer.json()["says"]) == (
        409,
        nbsp("Not changed. Follow-up visit may end from 9:45 am to 9:55 am, in steps of 5 minutes."),
    )


def test_a_visit_does_not_stretch_into_the_next_one(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    make_appointment(
        visit_type, starts_at=wall(9, 45), room=Resource.objects.get(slug="room-2"), status=Status.BOOKED
    )
    answer = stretch(receptionist, booked, 10)
    assert (answer.status_code, answer.json()["says"]) == (
        409,
        "Not changed. The practitioner or the room is not free for so long.",
    )
    booked.refresh_from_db()
    assert (booked.ends_at, booked.occupancies.count(), books.overlaps()) == (wall(9, 45), 3, 0)


def test_the_form_does_what_dragging_the_end_does(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    booked = make_appointment(visit_type, starts_at=wall(9), status=Status.BOOKED)
    with_a_reason(receptionist, booked.patient)
    assert act(booked, "stretch") in receptionist.get(act(booked, "change")).content.decode()
    page = receptionist.get(act(booked, "stretch"))
    assert [choice.choice_label for choice in page.context["form"]["ends"]] == [
        nbsp("9:45 am, as planned"),
        nbsp("9:50 am, 5 minutes longer"),
        nbsp("9:55 am, 10 minutes longer"),
    ]
    form = {"version": 1, "key": uuid4(), "ends": times.write_start(wall(9, 50))}
    for _ in range(2):
        assert receptionist.post(act(booked, "stretch"), form).status_code == 302
    booked.refresh_from_db()
    assert (booked.ends_at, booked.version) == (wall(9, 50), 2)
    again = receptionist.post(act(booked, "stretch"), {"version": 2, "key": uuid4()}).content.decode()
    assert "Choose a time." in again


def test_what_is_over_does_not_last_longer(receptionist: Client) -> None:
    visit_type, _mei = clinic()
    over = make_appointment(visit_type, starts_at=wall(9), status=Status.CANCELLED)
    answer = stretch(receptionist, over, 5)
    assert answer.status_code == 409
    assert receptionist.get(act(over, "stretch")).status_code == 302
