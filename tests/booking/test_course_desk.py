"""Courses at the desk: one row to answer, all or some of it, and the care plan from an appointment."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from booking import operations, times
from booking.models import Appointment, Course, Occupancy, Status
from booking.operations.courses import version_of
from clinic.models import QueuedMail
from tests.booking.factories import make_appointment, make_clinic, make_patient, wall
from tests.booking.test_course_operations import offer, request, stands, visits_of
from tests.booking.test_desk import TODAY, make_staff, said, signed_in, with_a_reason

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

PERMISSIONS = ("view_appointment", "view_course", "decide_appointment")


@pytest.fixture
def receptionist() -> Client:
    return signed_in(make_staff("reception", *PERMISSIONS))


def act(course: Course, name: str = "change") -> str:
    return reverse(f"admin:booking_course_{name}", args=[course.pk])


def test_a_waiting_course_is_one_row_with_one_answer(receptionist: Client) -> None:
    course = request(make_clinic())
    page = receptionist.get(TODAY)
    [row] = page.context["waiting"]
    assert [visit.pk for visit in row.visits] == [visit.pk for visit in visits_of(course)]
    assert act(course) in page.content.decode()
    assert (
        reverse("admin:booking_appointment_confirm", args=[row.appointment.pk]) not in page.content.decode()
    )


def test_the_ticked_visits_are_confirmed_and_the_others_declined(receptionist: Client) -> None:
    course = request(make_clinic())
    visits = visits_of(course)
    page = receptionist.get(act(course)).content.decode()
    assert page.count('name="confirmed"') == 3
    form = {"version": 3, "confirmed": [visits[0].pk, visits[2].pk]}
    refused = receptionist.post(act(course, "answer"), form)
    assert said(refused)[-1:] == ["Choose what the patient reads of the visits that are not confirmed."]
    done = receptionist.post(act(course, "answer"), form | {"reason": "away"})
    assert said(done)[-1:] == [f"{course.reference}: 2 visits confirmed."]
    assert stands(course) == [Status.BOOKED, Status.DECLINED, Status.BOOKED]
    again = receptionist.post(act(course, "answer"), form | {"reason": "away"})
    assert said(again)[-1:] != said(done)[-1:]


def test_the_course_is_called_off_at_the_desk(receptionist: Client) -> None:
    course = request(make_clinic())
    old = receptionist.post(act(course, "cancel"), {"version": 2})
    assert (said(old)[-1:], stands(course)) == (
        [f"{course.reference} has changed since you looked at it; nothing was changed."],
        [Status.PENDING] * 3,
    )
    assert receptionist.post(act(course, "cancel"), {"version": "9" * 5000}).status_code == 302
    assert stands(course) == [Status.PENDING] * 3
    receptionist.post(act(course, "cancel"), {"version": 3})
    assert (stands(course), Occupancy.objects.count()) == ([Status.CANCELLED] * 3, 0)


@pytest.mark.parametrize("name", ["answer", "cancel", "withdraw"])
def test_only_who_may_decide_answers_and_only_by_post(receptionist: Client, name: str) -> None:
    course = request(make_clinic())
    viewer = signed_in(make_staff("viewer", "view_appointment", "view_course"))
    assert viewer.post(act(course, name), {"version": 3}).status_code == 403
    assert receptionist.get(act(course, name)).status_code == 405
    assert viewer.get(act(course)).status_code == 200
    assert stands(course) == [Status.PENDING] * 3


def care_plan(appointment: Appointment) -> str:
    return reverse("admin:booking_appointment_care_plan", args=[appointment.pk])


def wishes(appointment: Appointment, **changed: Any) -> dict[str, Any]:
    return {
        "a_week": 1,
        "weeks": 3,
        "days_between": 1,
        "weekdays": list(range(7)),
        "part": "any",
        "tolerance": "day",
        "practitioner": appointment.practitioner.slug,
        "first_on": wall(0, days_ahead=3).date().isoformat(),
        "visit_type": appointment.visit_type_id,
    } | changed


def test_a_care_plan_is_offered_from_an_appointment(receptionist: Client) -> None:
    appointment = make_appointment(make_clinic(), status=Status.BOOKED)
    page = reverse("admin:booking_appointment_change", args=[appointment.pk])
    with_a_reason(receptionist, appointment.patient)
    assert care_plan(appointment) in receptionist.get(page).content.decode()
    assert receptionist.get(care_plan(appointment)).status_code == 200
    found = receptionist.get(care_plan(appointment), wishes(appointment))
    starts = [times.write_start(visit.starts_at) for visit in found.context["proposal"].visits]
    assert len(starts) == 3
    form = {"key": found.context["key"], "with": appointment.practitioner.slug, "start": starts[:2]}
    address = f"{care_plan(appointment)}?{found.wsgi_request.GET.urlencode()}"
    nothing = receptionist.post(address, form | {"start": []})
    assert said(nothing)[-1:] == ["Tick at least one date."]
    done = receptionist.post(address, form)
    course = Course.objects.get()
    assert done.headers["Location"] == act(course)
    assert (course.patient, course.offer.options.count()) == (appointment.patient, 2)
    assert QueuedMail.objects.get().kind == "course_offered"
    assert "Offered to the patient" in receptionist.get(act(course)).content.decode()
    receptionist.post(act(course, "withdraw"))
    assert Occupancy.objects.filter(option__isnull=False).count() == 0


def test_one_date_of_a_care_plan_is_swapped_for_another_time(receptionist: Client) -> None:
    appointment = make_appointment(make_clinic(), status=Status.BOOKED)
    found = receptionist.get(care_plan(appointment), wishes(appointment))
    _, second, third = (visit.starts_at for visit in found.context["proposal"].visits)
    ticked = {
        "with": appointment.practitioner.slug,
        "start": [times.write_start(at) for at in (second, third)],
    }
    address = f"{care_plan(appointment)}?{found.wsgi_request.GET.urlencode()}"
    page = receptionist.post(address, ticked | {"swap": times.write_start(second)})
    offered = [at for _, starts in page.context["days"] for at in starts]
    assert second not in offered
    assert {at.date() for at in offered} == {
        day
        for day in times.days(second.date() - timedelta(days=7), third.date() - timedelta(days=2))
        if day >= wall(0, days_ahead=3).date()
    }
    hidden = QueryDict(mutable=True)
    for name, value in page.context["hidden"]:
        hidden.appendlist(name, value)
    assert hidden.getlist("start") == [times.write_start(third)]  # the first was not ticked
    hidden.appendlist("start", times.write_start(offered[0]))
    after = receptionist.get(f"{care_plan(appointment)}?{hidden.urlencode()}")
    assert [visit.starts_at for visit in after.context["proposal"].visits] == [offered[0], third]
    assert receptionist.post(address, {"swap": "soon"}).status_code == 302
    assert Course.objects.count() == 0


def test_a_date_of_a_care_plan_that_is_taken_meanwhile_stays_in_the_list_without_its_tick(
    receptionist: Client,
) -> None:
    visit_type = make_clinic()
    appointment = make_appointment(visit_type, status=Status.BOOKED)
    found = receptionist.get(care_plan(appointment), wishes(appointment))
    starts = [visit.starts_at for visit in found.context["proposal"].visits]
    make_appointment(visit_type, starts_at=starts[1], status=Status.BOOKED)
    form = {
        "key": found.context["key"],
        "with": appointment.practitioner.slug,
        "start": [times.write_start(at) for at in starts],
    }
    address = f"{care_plan(appointment)}?{found.wsgi_request.GET.urlencode()}"
    told = receptionist.post(address, form)
    assert said(told)[-1:] == ["Some of these times have just been taken. Choose other times for them."]
    page = receptionist.get(told.headers["Location"]).content.decode()
    values = re.findall(r'name="start" value="([^"]*)" id="at\d"( checked)?', page)
    assert [(times.parse_start(html.unescape(value)), bool(tick)) for value, tick in values] == [
        (starts[0], True),
        (starts[1], False),
        (starts[2], True),
    ]
    assert page.count("No longer free") == 1


@pytest.mark.parametrize("typed", [{}, {"first_on": "soon", "practitioner": "", "weekdays": [], "part": ""}])
def test_every_hint_and_error_of_a_care_plan_is_read_out_with_its_field(
    receptionist: Client, typed: dict[str, Any]
) -> None:
    appointment = make_appointment(make_clinic(), status=Status.BOOKED)
    page = receptionist.get(care_plan(appointment), wishes(appointment, **typed)).content.decode()
    names = " ".join(re.findall(r'aria-describedby="([^"]*)"', page)).split()
    assert "id_practitioner_helptext" in names
    assert len(names) == 1 + len(typed)
    assert [name for name in names if page.count(f'id="{name}"') != 1] == []


def test_a_care_plan_needs_an_address_and_the_permission(receptionist: Client) -> None:
    appointment = make_appointment(make_clinic(), status=Status.BOOKED, patient=make_patient(email=""))
    found = receptionist.get(care_plan(appointment), wishes(appointment))
    starts = [times.write_start(visit.starts_at) for visit in found.context["proposal"].visits]
    form = {"key": found.context["key"], "with": appointment.practitioner.slug, "start": starts}
    address = f"{care_plan(appointment)}?{found.wsgi_request.GET.urlencode()}"
    assert said(receptionist.post(address, form))[-1:] == [
        "Please call the patient: there is no e-mail address, or a call is due."
    ]
    assert signed_in(make_staff("viewer", "view_appointment")).get(care_plan(appointment)).status_code == 403


def test_a_course_that_the_patient_took_is_shown_as_confirmed(receptionist: Client) -> None:
    course = offer(make_clinic())
    operations.accept_course(course=course, now=timezone.now())
    page = with_a_reason(receptionist, course.patient).get(act(course)).content.decode()
    assert page.count("rh-tag") >= 3
    assert 'name="confirmed"' not in page
    assert version_of(visits_of(course)) == 3


@pytest.mark.parametrize("days", [(2,), (2, 5, 9, 12)])
def test_today_asks_as_often_however_many_visits_a_course_has(
    receptionist: Client, django_assert_num_queries: DjangoAssertNumQueries, days: tuple[int, ...]
) -> None:
    request(make_clinic(), days)
    receptionist.get(TODAY)
    with django_assert_num_queries(22):
        receptionist.get(TODAY)
