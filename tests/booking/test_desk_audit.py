"""What the desk writes down of what staff see and change of patients, and when it asks for a reason."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from booking.models import Appointment, Patient, Status
from clinic import audit
from clinic.desk_audit import COLUMNS, Page
from clinic.models import Act, AuditRow, QueuedMail
from clinic.trail_words import IN_WORDS
from tests.booking.factories import make_appointment, make_clinic, make_patient, wall
from tests.booking.test_desk import LIST, TODAY, act, make_staff, page_of, signed_in
from tests.booking.test_waitlist import join
from tests.site.test_routes import Site, routes

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

PATIENTS = "/admin/booking/patient/"
TRAIL = "/admin/clinic/auditrow/"
SEES = ("view_appointment", "view_patient", "change_patient", "decide_appointment", "view_waitlistentry")


@pytest.fixture
def mei() -> Client:
    return signed_in(make_staff("mei", *SEES))


@pytest.fixture
def officer() -> Client:
    return signed_in(make_staff("officer", "view_auditrow"))


def trail() -> list[tuple[Any, ...]]:
    """Who did what to what, with which fields and why, and whose it was; the oldest first."""
    return [
        (
            row.actor.username,
            row.act,
            row.kind,
            row.fields,
            row.reason,
            {one.person for one in row.people.all()},
        )
        for row in AuditRow.objects.select_related("actor").order_by("pk")
        if row.actor
    ]


def record_of(patient: Patient) -> str:
    return f"{PATIENTS}{patient.pk}/change/"


def reason_for(patient: Patient) -> str:
    return reverse("admin:booking_patient_reason", args=[patient.pk])


# --- One row for each view, search, list, change and refusal ---


def test_a_view_a_list_a_search_and_today_are_one_row_each(mei: Client) -> None:
    visit_type = make_clinic()
    parisa = make_appointment(visit_type, starts_at=wall(10)).patient
    tom = make_appointment(visit_type, starts_at=wall(12), patient=make_patient("Tom Lee")).patient
    mei.get(TODAY)
    mei.get(PATIENTS)
    mei.get(PATIENTS, {"q": "parisa"})
    mei.get(record_of(parisa))
    assert trail() == [
        ("mei", "list", "today", "", "", {parisa.pk, tom.pk}),
        ("mei", "list", "patient", "", "", {parisa.pk, tom.pk}),
        ("mei", "search", "patient", "", "", {parisa.pk}),
        ("mei", "view", "patient", "", "", {parisa.pk}),
    ]
    assert "parisa" not in str(list(AuditRow.objects.values())).lower()


def test_a_change_names_its_fields_and_never_what_stands_in_them(mei: Client) -> None:
    appointment = make_appointment()
    patient = appointment.patient
    corrected = {"name": "Parisa Karimi", "email": "new@example.com", "phone": "905-555-0199"}
    no_rows = {"appointments-TOTAL_FORMS": 0, "appointments-INITIAL_FORMS": 0}
    answer = mei.post(record_of(patient), corrected | no_rows)
    assert answer.status_code == 302
    mei.post(act(appointment, "confirm"), {"version": 1})
    assert trail() == [
        ("mei", "change", "patient", "email, phone", "", {patient.pk}),
        ("mei", "change", "appointment confirm", "status, version", "", {patient.pk}),
    ]
    assert "new@example.com" not in str(list(AuditRow.objects.values()))


def test_a_refusal_is_written_down_and_what_is_not_there_is_not() -> None:
    appointment = make_appointment()
    editor = signed_in(make_staff("editor", "change_article"))
    assert editor.get(record_of(appointment.patient)).status_code == 403
    assert editor.post(act(appointment, "confirm"), {"version": 1}).status_code == 403
    assert editor.get(LIST).status_code == 403
    assert editor.get(TODAY).status_code == 200
    assert trail() == [
        ("editor", "denied", "patient", "", "", {appointment.patient_id}),
        ("editor", "denied", "appointment confirm", "", "", {appointment.patient_id}),
        ("editor", "denied", "appointment", "", "", set()),
    ]


def test_who_is_looked_for_and_chosen_on_the_phone_is_written_down() -> None:
    mei = signed_in(make_staff("mei", *SEES))
    patient = make_patient("Parisa Karimi")
    make_clinic()
    page = reverse("admin:booking_appointment_book")
    mei.post(reverse("admin:booking_appointment_book_find"), {"q": "pari"})
    mei.get(page, {"patient": patient.pk})
    mei.get(reverse("admin:booking_appointment_day_sheet"))
    assert trail() == [
        ("mei", "search", "appointment book_find", "", "", {patient.pk}),
        ("mei", "view", "appointment book", "", "", {patient.pk}),
        ("mei", "list", "appointment day_sheet", "", "", set()),
    ]


def test_a_stranger_leaves_no_row(client: Client) -> None:
    assert client.get(page_of(make_appointment())).status_code == 302
    assert trail() == []


def test_a_mail_is_its_patients() -> None:
    appointment = make_appointment()
    entry = join(make_clinic(rooms=0, practitioners=0), now=timezone.now())
    reader = signed_in(make_staff("reader", "view_queuedmail"))
    QueuedMail.objects.update(about=appointment.reference)
    mail = QueuedMail.objects.first()
    assert mail
    reader.get(f"/admin/clinic/queuedmail/{mail.pk}/change/")
    QueuedMail.objects.filter(pk=mail.pk).update(about=entry.reference)
    reader.get("/admin/clinic/queuedmail/", {"q": "example.com"})
    assert [row[1:3] + row[5:] for row in trail()] == [
        ("view", "queuedmail", {appointment.patient_id}),
        ("search", "queuedmail", {entry.patient_id}),
    ]


NO_PATIENT = re.compile(
    r"admin/(login/|second-factor/|reports/|password_change/|jsi18n/|content/|auth/|clinic/queuedmail/messages/|\^"
    r"|booking/(hold|closure|resource|bookingrules|visittype)/|booking/patient/<int:pk>/reason/|booking/appointment/book/$"
    r"|booking/appointment/calendar/events/"  # refreshes itself: its rows have a test of their own
    r"|clinic/auditrow/<path:object_id>/)"
)


def test_no_page_of_the_desk_shows_a_patient_without_a_row() -> None:
    """Whoever adds a page at the desk calls `audit.record` in it, or writes it down above as showing nobody."""
    site = Site()
    silent = set()
    for route in routes():
        before = AuditRow.objects.count()
        if route.startswith("admin/") and not NO_PATIENT.match(route):
            client = Client(raise_request_exception=False)
            client.cookies = site.cookies["superuser"]
            if client.get(site.address(route)).status_code == 200 and AuditRow.objects.count() == before:
                silent.add(route)
    assert silent == set()


def test_a_calendar_that_draws_itself_anew_is_in_the_trail_when_somebody_new_stands_in_it(
    mei: Client,
) -> None:
    events = "/admin/booking/appointment/calendar/events/"
    first = make_appointment(starts_at=wall(10, days_ahead=0), status=Status.BOOKED)
    for _ in range(3):
        mei.get(events)
    assert [(row[1], row[2]) for row in trail()] == [("list", "appointment calendar")]
    make_appointment(first.visit_type, starts_at=wall(14, days_ahead=0), status=Status.BOOKED)
    for _ in range(3):
        mei.get(events)
    assert [(row[1], row[2]) for row in trail()] == [("list", "appointment calendar")] * 2


# --- Reasons ---


@pytest.mark.parametrize(
    ("days_ahead", "status", "answer"),
    [
        (-2, Status.FULFILLED, 302),
        (-1, Status.FULFILLED, 200),
        (0, Status.BOOKED, 200),
        (1, Status.BOOKED, 200),
        (2, Status.BOOKED, 302),
        (30, Status.PENDING, 200),
        (30, Status.PROPOSED, 200),
        (30, Status.CANCELLED, 302),
    ],
)
def test_a_record_outside_these_days_is_opened_for_a_reason(
    mei: Client, days_ahead: int, status: Status, answer: int
) -> None:
    appointment = make_appointment(starts_at=wall(10, days_ahead=days_ahead), status=status)
    pages = [mei.get(page) for page in (record_of(appointment.patient), page_of(appointment))]
    assert [page.status_code for page in pages] == [answer, answer]
    asked = reason_for(appointment.patient)
    assert [asked in page.headers.get("Location", "") for page in pages] == [answer == 302, answer == 302]
    assert [row[1] for row in trail()] == ([] if answer == 302 else ["view", "view"])


def test_who_waits_for_an_earlier_time_is_at_hand(mei: Client) -> None:
    entry = join(make_clinic(rooms=0, practitioners=0), now=timezone.now())
    assert mei.get(record_of(entry.patient)).status_code == 200


def test_one_press_gives_the_reason_once_in_a_session(mei: Client) -> None:
    appointment = make_appointment(starts_at=wall(10, days_ahead=9), status=Status.BOOKED)
    patient = appointment.patient
    asked = mei.get(page_of(appointment))
    page = mei.get(asked["Location"]).content.decode()
    assert '<button type="submit" name="reason" value="call"' in page
    given = mei.post(asked["Location"], {"reason": "call"})
    assert given["Location"] == page_of(appointment)
    assert mei.get(given["Location"]).status_code == 200
    assert mei.get(record_of(patient)).status_code == 200
    assert trail() == [
        ("mei", "reason", "patient", "", "call", {patient.pk}),
        ("mei", "view", "appointment", "", "call", {patient.pk}),
        ("mei", "view", "patient", "", "call", {patient.pk}),
    ]
    assert signed_in(make_staff("sara", *SEES)).get(record_of(patient)).status_code == 302


def test_something_else_needs_words_and_goes_nowhere_else(mei: Client) -> None:
    patient = make_appointment(starts_at=wall(10, days_ahead=9), status=Status.BOOKED).patient
    address = f"{reason_for(patient)}?next=//elsewhere.example/"
    assert "Say in a few words" in mei.post(address, {"reason": "other"}).content.decode()
    assert "Choose why." in mei.post(address, {}).content.decode()
    given = mei.post(address, {"reason": "other", "note": "Asked by the owner"})
    assert given["Location"] == record_of(patient)
    assert AuditRow.objects.values_list("reason", "note").get() == ("other", "Asked by the owner")


def test_who_has_just_changed_a_record_is_not_asked_why(mei: Client) -> None:
    appointment = make_appointment()
    mei.post(act(appointment, "decline"), {"version": 1, "reason": "away"})
    assert Appointment.objects.get().status == Status.DECLINED
    assert mei.get(page_of(appointment)).status_code == 200


# --- Who saw whom ---


def test_the_trail_tells_who_saw_a_patient_and_what_somebody_saw(mei: Client, officer: Client) -> None:
    parisa, tom = make_appointment().patient, make_patient("Tom Lee")
    mei.get(PATIENTS)
    mei.get(record_of(parisa))
    sara = User.objects.create_user("sara", first_name="Sara", last_name="Moradi")
    audit.record(by=sara, act=Act.VIEW, kind="patient", people=[tom.pk], now=timezone.now())

    def shown(**query: str | int) -> tuple[str, list[str]]:
        page = officer.get(TRAIL, query)
        return str(page.context["title"]), [str(row) for row in page.context["cl"].result_list]

    assert shown(patient=parisa.pk) == (
        "Who saw the record of Parisa Karimi",
        ["opened: patient", "saw in a list: patient"],
    )
    assert shown(staff=sara.pk) == ("What Sara Moradi saw and did", ["opened: patient"])
    assert shown(staff="clock") == ("What the clock did", [])
    assert [row[1:3] + row[5:] for row in trail() if row[0] == "officer"] == [
        ("list", "trail", {parisa.pk}),
        ("list", "trail", set()),
        ("list", "trail", set()),
    ]


def test_the_trail_has_words_for_every_page_of_a_patient() -> None:
    def names(patterns: list[Any]) -> Iterator[str]:
        for one in patterns:
            yield from names(one.url_patterns) if hasattr(one, "url_patterns") else [one.name or ""]

    models = {model.__name__.lower(): model for model in COLUMNS}
    parts = [name.split("_", 2) for name in names(admin.site.get_urls()) if name.count("_") > 1]
    kinds = {Page(models[model], page, "").kind for _, model, page in parts if model in models}
    assert "appointment care_plan" in kinds
    assert kinds - IN_WORDS.keys() == set()
    row = AuditRow(act=Act.DENIED, kind="booking_visittype_add")
    assert str(row) == "was refused: another page (booking_visittype_add)"


def test_the_trail_is_shown_for_the_days_asked_for(officer: Client) -> None:
    now = timezone.now()
    for days in (0, 3, 9):
        audit.record(by=None, act=Act.ERASE, kind=f"{days} days ago", now=now - timedelta(days=days))
    today = wall(0, days_ahead=0).date()

    def kinds(first: object, last: object) -> list[str]:
        page = officer.get(TRAIL, {"first_on": str(first), "last_on": str(last), "act__exact": "erase"})
        return [row.kind for row in page.context["cl"].result_list]

    assert kinds("", "") == ["0 days ago", "3 days ago", "9 days ago"]
    assert kinds(today - timedelta(days=3), today - timedelta(days=1)) == ["3 days ago"]
    assert kinds(today, "") == ["0 days ago"]
    assert kinds("", today - timedelta(days=4)) == ["9 days ago"]
    wrong = officer.get(TRAIL, {"first_on": "9999-99-99"})
    assert wrong.context["cl"].result_count == 0
    assert "Enter a valid date." in wrong.content.decode()


@pytest.mark.parametrize("rows", [1, 30])
def test_the_trail_costs_the_same_however_long_it_is(
    officer: Client, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    for number in range(rows):
        patient = make_patient()
        somebody = User.objects.create_user(f"somebody{number}")
        audit.record(by=somebody, act=Act.LIST, kind="patient", people=[patient.pk, 1], now=timezone.now())
    with django_assert_num_queries(9):
        assert officer.get(TRAIL).context["cl"].result_count == rows


@pytest.mark.parametrize(
    "query",
    [
        "patient=x",
        "patient=99999999999999999999",
        "staff=x",
        "staff=9",
        "patient=&staff=",
        "first_on=0001-01-01",
    ],
)
def test_an_odd_question_to_the_trail_finds_nothing(officer: Client, query: str) -> None:
    answer = officer.get(f"{TRAIL}?{query}")
    assert answer.status_code == 200


def test_nobody_changes_the_trail_at_the_desk() -> None:
    row = audit.record(by=None, act=Act.ERASE, kind="patient", people=[make_patient().pk], now=timezone.now())
    owner = signed_in(User.objects.create_superuser("owner", password="pw"))
    refuse: Callable[[str], int] = lambda page: owner.post(f"{TRAIL}{page}").status_code  # noqa: E731
    assert [refuse(page) for page in ("add/", f"{row.pk}/change/", f"{row.pk}/delete/")] == [403, 403, 403]
    page = owner.get(f"{TRAIL}{row.pk}/change/").content.decode()
    assert "Parisa Karimi" in page
    assert "The clock" in page
