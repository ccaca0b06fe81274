"""The record: what the desk knows of one person, on one page."""

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking import notices, times
from booking.admin.record import Record
from booking.models import Appointment, CheckIn, Course, Patient, Status, WaitlistEntry
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_patient,
    make_practitioner,
    make_visit_type,
    wall,
)
from tests.booking.test_course_operations import request as request_course
from tests.booking.test_desk import make_staff, page_of, signed_in
from tests.booking.test_waitlist import join

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def page(patient: Patient) -> str:
    return f"/admin/booking/patient/{patient.pk}/change/"


def record(client: Client, patient: Patient) -> Record:
    response = client.get(page(patient))
    assert response.status_code == 200
    shown: Record = response.context["record"]
    return shown


@pytest.fixture
def owner() -> Client:
    return signed_in(User.objects.create_superuser("owner", password="pw"))


@pytest.fixture
def parisa() -> Patient:
    """With a visit past and one to come, a course, a place on the waitlist, answers before a visit, and mails."""
    patient = make_patient("Parisa Karimi", phone="416-555-0188")
    visit_type = make_clinic()
    past = make_appointment(
        visit_type,
        patient=patient,
        starts_at=wall(10, days_ahead=-20),
        status=Status.FULFILLED,
        precautions={"blood": "yes", "faint": "not_sure"},
    )
    CheckIn.objects.create(
        appointment=past, pain_now=7, pain_last_week=6, enjoyment=5, activity=4, answered_at=timezone.now()
    )
    make_appointment(
        visit_type, patient=patient, starts_at=wall(9), status=Status.BOOKED, precautions={"blood": "yes"}
    )
    make_appointment(visit_type, patient=patient, starts_at=wall(16), status=Status.CANCELLED)
    request_course(visit_type, hour=11)
    never_free = make_visit_type(slug="never-free", practitioners=[make_practitioner()])
    join(never_free, now=timezone.now())
    for model in (Appointment, Course, WaitlistEntry):
        model._default_manager.update(patient=patient)  # noqa: SLF001 (Django's documented name)
    make_appointment(visit_type, starts_at=wall(15))  # somebody else's
    notices.confirmed(Appointment.objects.get(status=Status.BOOKED), now=timezone.now())
    return patient


def test_the_record_shows_everything_of_this_person_and_of_nobody_else(
    owner: Client, parisa: Patient
) -> None:
    shown = record(owner, parisa)
    assert [(visit.status, visit.starts_at) for visit in shown.coming] == [
        ("booked", wall(9)),
        *[("pending", wall(11, days_ahead=days)) for days in (2, 5, 9)],
    ]
    assert [(visit.status, visit.starts_at) for visit in shown.past] == [
        ("cancelled", wall(16)),
        ("fulfilled", wall(10, days_ahead=-20)),
    ]
    assert [(said.flag.text, said.flag.is_sure, said.visit.status) for said in shown.flags][:2] == [
        ("Bleeding / blood thinners", True, "pending"),
        ("May faint", False, "pending"),
    ]
    assert shown.courses == list(Course.objects.all())
    assert shown.waitlist == list(WaitlistEntry.objects.all())
    assert [check_in.pain_now for check_in in shown.check_ins] == [7]
    assert shown.plot is not None
    assert sorted(mail.kind for mail, _ in shown.mails) == [
        "confirmed",
        "course_received",
        "course_request",
        "waitlist_joined",
    ]


def test_its_lines_lead_to_the_pages_of_what_they_name(owner: Client, parisa: Patient) -> None:
    content = unescape(owner.get(page(parisa)).content.decode())
    booked, course, entry = (
        Appointment.objects.get(status=Status.BOOKED),
        Course.objects.get(),
        WaitlistEntry.objects.get(),
    )
    for link in (
        f'<a href="{page_of(booked)}">{times.moment(wall(9))}</a>',
        f'<a href="/admin/booking/course/{course.pk}/change/">{course.reference}</a>',
        f'<a href="/admin/booking/waitlistentry/{entry.pk}/change/">{entry.reference}</a>',
        f'href="/admin/booking/appointment/book/?patient={parisa.pk}"',
        "Visit confirmed</a>",
    ):
        assert link in content


def test_thirty_visits_take_as_many_queries_as_one(owner: Client, parisa: Patient) -> None:
    visit_type = Appointment.objects.all()[0].visit_type
    for count in (6, 36):
        while parisa.appointments.count() < count:
            visit = make_appointment(visit_type, patient=parisa, status=Status.CANCELLED)
            notices.confirmed(visit, now=timezone.now())
        if count > 6:
            request_course(visit_type, hour=13)
            Course.objects.update(patient=parisa)
        with CaptureQueriesContext(connection) as asked:
            record(owner, parisa)
        assert len(asked) == 15, [one["sql"] for one in asked]


def test_whoever_may_not_see_appointments_sees_who_it_is_and_no_visits(parisa: Patient) -> None:
    viewer = signed_in(make_staff("viewer", "view_patient"))
    shown = record(viewer, parisa)
    assert (shown.coming, shown.past, shown.flags, shown.courses, shown.waitlist) == ([], [], [], [], [])
    assert (shown.check_ins, shown.mails) == ([], [])
    content = viewer.get(page(parisa)).content.decode()
    assert "416-555-0188" in content
    assert "Book a visit" not in content


def test_a_detail_that_is_wrong_is_said_in_the_open_form_and_nothing_typed_is_lost(
    owner: Client, parisa: Patient
) -> None:
    content = owner.post(page(parisa), {"name": "Parisa K", "email": "parisa"}).content.decode()
    assert '<details class="rh-correct" open>' in content
    assert "Enter a valid email address." in content
    assert 'value="Parisa K"' in content
