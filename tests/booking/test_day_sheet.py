"""The day on paper: who comes when to whom and where, with the flags, and nothing else of anybody."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking import times
from booking.admin.day_sheet import Sheet
from booking.models import Appointment, Patient, Resource, Status
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_patient,
    make_practitioner,
    make_room,
    needles,
    wall,
)
from tests.booking.test_desk import make_staff, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

SHEET = "/admin/booking/appointment/day-sheet/"


@pytest.fixture
def viewer() -> Client:
    return signed_in(make_staff("viewer", "view_appointment"))


def sheets(client: Client, **asked: str) -> list[Sheet]:
    response = client.get(SHEET, {"day": f"{wall(9):%Y-%m-%d}"} | asked)
    assert response.status_code == 200
    shown: list[Sheet] = response.context["sheets"]
    return shown


def plain(text: str) -> str:
    return text.replace(times.NBSP, " ").replace("–", "-")


def lines(sheet: Sheet) -> list[tuple[str, str, list[str]]]:
    return [
        (plain(line.here), plain(line.initials), [plain(span) for span in line.needed])
        for line in sheet.lines
    ]


def test_each_practitioner_reads_when_to_be_with_whom_and_each_room_when_it_is_taken(viewer: Client) -> None:
    visit_type = make_clinic(practitioners=2, rooms=2, phases=needles())
    first, second = visit_type.practitioners.order_by("pk")
    small, large = Resource.objects.rooms().order_by("pk")
    for starts_at, who, where, name in (
        (wall(14), first, small, "Parisa Karimi"),
        (wall(11, 30), first, large, "Wei"),
        (wall(11, 30), second, small, "José Luis de la Cruz"),
    ):
        make_appointment(
            visit_type,
            starts_at=starts_at,
            practitioner=who,
            room=where,
            status=Status.BOOKED,
            patient=make_patient(name),
        )
    make_appointment(visit_type, starts_at=wall(16), status=Status.CANCELLED)
    make_appointment(visit_type, starts_at=wall(10, days_ahead=3), status=Status.BOOKED)

    assert [(sheet.resource, lines(sheet)) for sheet in sheets(viewer)] == [
        (
            first,
            [
                ("11:30 am-12:15 pm", "W.", ["11:30-11:50 am", "12:10-12:15 pm"]),
                ("2:00-2:45 pm", "P. K.", ["2:00-2:20 pm", "2:40-2:45 pm"]),
            ],
        ),
        (second, [("11:30 am-12:15 pm", "J. C.", ["11:30-11:50 am", "12:10-12:15 pm"])]),
    ]
    assert [(sheet.resource, lines(sheet)) for sheet in sheets(viewer, by="room")] == [
        (
            small,
            [
                ("11:30 am-12:15 pm", "J. C.", ["11:30 am-12:25 pm"]),
                ("2:00-2:45 pm", "P. K.", ["2:00-2:55 pm"]),
            ],
        ),
        (large, [("11:30 am-12:15 pm", "W.", ["11:30 am-12:25 pm"])]),
    ]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Parisa Karimi", "P.\xa0K."),
        ("li li", "L.\xa0L."),
        ("王小明", "王."),
        ("(Mr) Ana-Maria von  Berg", "A.\xa0B."),
        ("!", ""),
    ],
)
def test_initials_are_the_first_and_the_last_words(name: str, written: str) -> None:
    assert Patient(name=name).initials == written


def test_the_sheet_holds_flags_and_no_name_number_address_or_note(viewer: Client) -> None:
    make_appointment(
        make_clinic(),
        starts_at=wall(10),
        patient=make_patient("Parisa Karimi", phone="416-555-0188", email="parisa@example.com"),
        precautions={"blood": "yes", "faint": "not_sure"},
        note="Worse when sitting",
    )
    page = viewer.get(SHEET, {"day": f"{wall(9):%Y-%m-%d}"}).content.decode()
    assert "Bleeding / blood thinners, May faint (not sure)" in page
    assert "waiting for an answer" in page
    for secret in ("Parisa", "Karimi", "416-555-0188", "parisa@example.com", "Worse when sitting"):
        assert secret not in page


@pytest.mark.parametrize("nonsense", [{"day": "x"}, {"day": "9999-99-99"}, {"day": "\0", "by": "x"}, {}])
def test_without_a_day_it_is_todays(viewer: Client, nonsense: dict[str, str]) -> None:
    page = viewer.get(SHEET, nonsense)
    assert page.context["day"] == times.local_day(timezone.now())
    assert "No visits on" in page.content.decode()


def test_thirty_visits_take_as_many_queries_as_one(viewer: Client) -> None:
    visit_type = make_clinic()
    for count in (1, 30):
        while Appointment.objects.count() < count:
            room, person = make_room(), make_practitioner()
            starts_at = wall(9) + timedelta(minutes=5 * Appointment.objects.count())
            make_appointment(visit_type, starts_at=starts_at, room=room, practitioner=person)
        with CaptureQueriesContext(connection) as asked:
            assert sum(len(sheet.lines) for sheet in sheets(viewer)) == count
        assert len(asked) == 9


def test_only_who_may_see_appointments_prints_them_and_today_leads_there(viewer: Client) -> None:
    assert signed_in(make_staff("editor", "view_patient")).get(SHEET).status_code == 403
    assert f'href="{SHEET}"' in viewer.get("/admin/").content.decode()
