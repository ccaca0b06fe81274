"""The calendar as a practitioner sees it who sees no patients but their own: one column, no name of others."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from booking.models import Appointment, Resource, Status
from booking.operations import OfferedTime, offer_other_times
from clinic.models import AuditedPerson
from clinic.roles import PRACTITIONERS
from tests.booking.factories import make_appointment, make_patient, make_practitioner, wall
from tests.booking.test_calendar import CALENDAR, EVENTS, clinic, day_of, drag, events, lines
from tests.booking.test_desk import make_staff, signed_in
from tests.booking.test_feeds import in_role, linked

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

STRANGER = "Wing Chan"


@pytest.fixture
def mei_and_colleague() -> tuple[Client, Appointment]:
    """Mei Lin at the desk with a visit of hers; a colleague's visit and request, the request offered Mei's time."""
    visit_type, mei = clinic()
    colleague = make_practitioner("Colleague", slug="colleague")
    visit_type.practitioners.add(colleague)
    mine = make_appointment(
        visit_type,
        practitioner=mei,
        starts_at=wall(9),
        status=Status.BOOKED,
        patient=make_patient("Parisa Karimi"),
    )
    by = make_staff("desk", "decide_appointment")
    for hour in (10, 11):
        theirs = make_appointment(
            visit_type, practitioner=colleague, starts_at=wall(hour), patient=make_patient(STRANGER)
        )
    offer(theirs, [OfferedTime(wall(14), mei)], by)
    own_request = make_appointment(
        visit_type, practitioner=mei, starts_at=wall(16), patient=make_patient("Ali Nouri")
    )
    offer(own_request, [OfferedTime(wall(12), mei)], by)
    return signed_in(linked(mei)), mine


def offer(appointment: Appointment, offered: list[OfferedTime], by: Any) -> None:
    offer_other_times(
        appointment=appointment,
        version=1,
        offered=offered,
        by=by,
        idempotency_key=uuid4(),
        now=timezone.now(),
    )


@pytest.mark.parametrize(
    "asked", [{}, {"only": "colleague"}, {"by": "room"}, {"by": "room", "only": "room-1"}]
)
@pytest.mark.parametrize("view", ["day", "week"])
def test_whatever_is_asked_for_it_is_ones_own_column(
    mei_and_colleague: tuple[Client, Appointment], asked: dict[str, str], view: str
) -> None:
    mei, mine = mei_and_colleague
    asked = {"on": day_of(wall(9)), "view": view} | asked
    told = ["Parisa Karimi", "Offered to Ali Nouri", "Offered to a patient of somebody else"]
    columns = lines(mei, **asked)
    assert {name for name, _said in columns} == {"Mei Lin"}
    assert [what for _name, said in columns for _when, what, _ in said if what != "Free"] == told
    found = events(mei, **asked)
    assert [(event["column"], event["title"]) for event in found] == [("mei-lin", title) for title in told]
    assert {event["canMove"] or event["canStretch"] for event in found} == {
        False
    }  # by a form, not by dragging
    for address in (CALENDAR, EVENTS):
        assert STRANGER not in mei.get(address, asked).content.decode()
    named = set(AuditedPerson.objects.values_list("person", flat=True))
    assert named == {mine.patient_id, Appointment.objects.get(patient__name="Ali Nouri").patient_id}
    assert drag(mei, mine, wall(13), "mei-lin").status_code == 403


def test_who_takes_no_visits_any_more_sees_an_empty_calendar_and_nobody_elses(
    mei_and_colleague: tuple[Client, Appointment],
) -> None:
    mei, _mine = mei_and_colleague
    Resource.objects.filter(slug="mei-lin").update(is_active=False)
    day = day_of(wall(9, days_ahead=5))
    assert (lines(mei, on=day), events(mei, on=day)) == ([], [])


def test_an_account_that_is_nobodys_has_no_calendar(mei_and_colleague: tuple[Client, Appointment]) -> None:
    nobody = signed_in(in_role("nobody", PRACTITIONERS))
    assert [nobody.get(address).status_code for address in (CALENDAR, EVENTS)] == [403, 403]


def test_it_asks_as_much_for_one_visit_as_for_three(
    mei_and_colleague: tuple[Client, Appointment], django_assert_num_queries: Any
) -> None:
    mei, mine = mei_and_colleague
    mei.get(CALENDAR)
    for hour in (13, 15, 17):
        with django_assert_num_queries(19):
            mei.get(CALENDAR, {"on": day_of(wall(9))})
        make_appointment(
            mine.visit_type, practitioner=mine.practitioner, starts_at=wall(hour), patient=make_patient()
        )
