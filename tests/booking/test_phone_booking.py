"""A visit is booked while the patient is on the phone: find the person or note who is new, and press a time."""

import re
from html import escape, unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from booking import times
from booking.models import Appointment, Patient, Resource, Status, VisitType
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_hours,
    make_patient,
    make_practitioner,
    make_room,
    make_visit_type,
    wall,
)
from tests.booking.test_desk import XSS, make_staff, page_of, said, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

BOOK = "/admin/booking/appointment/book/"
NADIA = {
    "name": "Nadia Rahimi",
    "phone": "(647) 555-0143",
    "email": "",
    "date_of_birth": "",
    "language": "fa",
}


@pytest.fixture
def receptionist() -> Client:
    return signed_in(make_staff("receptionist", "decide_appointment", "view_appointment", "view_patient"))


def key_on(page: str) -> str:
    return re.search(r'name="key" value="([^"]+)"', page)[1]  # type: ignore[index]


def picks(page: str) -> list[str]:
    """Every time that can be pressed, in the order of the page, each once."""
    return list(dict.fromkeys(map(unescape, re.findall(r'name="pick" value="([^"]+)"', page))))


def value(at: Any, practitioner: Resource) -> str:
    return f"{times.write_start(at)}/{practitioner.slug}"


def giver(visit_type: VisitType) -> Resource:
    return visit_type.practitioners.get()


def open_page(client: Client, **said_so_far: Any) -> str:
    response = client.get(BOOK, said_so_far)
    assert response.status_code == 200
    return response.content.decode()


def found(client: Client, text: str) -> list[str]:
    """The names of those who are shown while this is being typed."""
    page = client.post(f"{BOOK}find/", {"q": text}).content.decode()
    return list(map(unescape, re.findall(r"<b><bdi>([^<]*)</bdi></b>", page)))


# --- Who it is for ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("kar", ["Karim Aziz", "Parisa Karimi", "Oskar Lund"]),
        ("karimi parisa", ["Parisa Karimi"]),
        ("4165550188", ["Parisa Karimi"]),
        ("1 (416) 555-01", ["Parisa Karimi"]),
        ("0188", ["Parisa Karimi"]),
        ("PARISA@", ["Parisa Karimi"]),
        ("王", ["王小明"]),
        ("k", []),
        ("41", []),
        ("nobody", []),
        ("%", []),
        ("\0", []),
        ("", []),
    ],
)
def test_a_person_is_found_by_a_part_of_a_name_a_number_or_an_address(
    receptionist: Client, text: str, names: list[str]
) -> None:
    make_patient("Parisa Karimi", phone="+1 416.555-0188", email="parisa@example.com")
    make_patient("Karim Aziz", email="")
    make_patient("Oskar Lund", phone="905 555 0100")
    make_patient("王小明")
    assert found(receptionist, text) == names


def test_of_many_with_one_name_the_first_eight_are_shown(receptionist: Client) -> None:
    for number in range(9):
        make_patient(f"Mina {number}")
    page = receptionist.post(f"{BOOK}find/", {"q": "Mina"}).content.decode()
    assert "8 people found, and more: type another letter or digit" in page
    assert found(receptionist, "mina") == [f"Mina {number}" for number in range(8)]


def test_finding_takes_the_same_queries_for_one_and_for_eight(receptionist: Client) -> None:
    for expected in (1, 8):
        while Patient.objects.count() < expected:
            make_appointment(patient=make_patient(f"Mina {Patient.objects.count()}"))
        with CaptureQueriesContext(connection) as asked:
            assert len(found(receptionist, "mina")) == expected
        assert len(asked) == 7, [one["sql"] for one in asked]


def test_find_with_one_answer_chooses_the_person_and_keeps_what_was_said(receptionist: Client) -> None:
    visit_type = make_clinic()
    parisa = make_patient(phone="416-555-0188")
    start = times.write_start(wall(11))
    answer = receptionist.post(
        f"{BOOK}?next=/admin/", {"q": "5550188", "find": "yes", "start": start, "visit_type": visit_type.slug}
    )
    assert answer["Location"] == (
        f"{BOOK}?visit_type={visit_type.slug}&start={start}&patient={parisa.pk}&next=%2Fadmin%2F"
    )


def test_find_with_no_answer_takes_what_was_typed_for_somebody_new(receptionist: Client) -> None:
    make_clinic()
    page = receptionist.post(BOOK, {"q": "Nadia Rahimi", "find": "yes"}).content.decode()
    assert "Nobody is known by this. Is it somebody new?" in page
    assert '<details id="somebody-new" open>' in page
    assert re.search(r'name="name" value="Nadia Rahimi"', page)


def test_enter_among_the_details_of_somebody_new_looks_whether_they_are_known(receptionist: Client) -> None:
    make_clinic()
    known = [make_patient(name, phone="416-555-0188") for name in ("Parisa Karimi", "Reza Karimi")]
    typed = NADIA | {"phone": "416 555 0188"}
    page = receptionist.post(BOOK, typed | {"q": "", "find": "yes"}).content.decode()
    assert [f"patient={person.pk}" in page for person in known] == [True, True]
    assert re.search(r'name="name" value="Nadia Rahimi"', page)


def test_who_is_chosen_is_shown_with_what_is_planned_and_was_said_before(receptionist: Client) -> None:
    visit_type = make_clinic()
    parisa = make_patient(phone="416-555-0188")
    coming = make_appointment(
        visit_type, patient=parisa, status=Status.BOOKED, precautions={"blood": "yes"}, starts_at=wall(10)
    )
    page = open_page(receptionist, patient=parisa.pk)
    assert "416-555-0188" in page
    assert f'<a href="{page_of(coming)}">{times.moment(wall(10))}</a>' in page
    assert "Bleeding / blood thinners" in page


@pytest.mark.parametrize("wrong", ["0", "x", "-1", "9" * 30, "٣", ""])
def test_a_person_who_is_not_there_is_nobody(receptionist: Client, wrong: str) -> None:
    make_clinic()
    assert 'name="q"' in open_page(receptionist, patient=wrong)


# --- Which visit, and when --------------------------------------------------------------------------------------


def test_who_has_been_here_is_first_shown_the_visit_that_is_given_again(receptionist: Client) -> None:
    person = make_practitioner()
    make_hours(person)
    make_room()
    first = make_visit_type("First visit", practitioners=[person], position=1)
    make_visit_type("Follow-up", practitioners=[person], position=2, as_course=True)
    known = make_appointment(first, status=Status.FULFILLED).patient

    def shown(**said_so_far: Any) -> str:
        page = open_page(receptionist, **said_so_far)
        return re.search(r'aria-current="true"[^>]*>([^<]+)</button>', page)[1]  # type: ignore[index]

    assert shown() == "First visit"
    assert shown(patient=known.pk) == "Follow-up"
    assert shown(patient=known.pk, visit_type=first.slug) == "First visit"


def test_the_page_suggests_the_first_time_of_three_days_and_lists_two_weeks(receptionist: Client) -> None:
    visit_type = make_clinic()
    page = open_page(receptionist)
    first, second, third, *rest = picks(page)
    days = {one[:8] for one in picks(page)}
    assert len({first[:8], second[:8], third[:8]}) == 3
    today, *later = (f"{wall(9, days_ahead=ahead):%Y%m%d}" for ahead in range(14))
    assert days - {today} == set(later)  # in the evening nothing is left of today
    assert value(wall(9), giver(visit_type)) in [first, second, third]
    assert value(wall(18, 15), giver(visit_type)) in rest


def test_a_time_pressed_on_the_calendar_comes_first(receptionist: Client) -> None:
    visit_type = make_clinic(practitioners=2, rooms=2)
    second = visit_type.practitioners.order_by("pk")[1]
    page = open_page(receptionist, start=times.write_start(wall(11)), practitioner=second.slug)
    assert picks(page)[0] == value(wall(11), second)
    assert {one.split("/")[1] for one in picks(page)} == {second.slug}


def test_a_time_pressed_on_the_calendar_that_is_not_free_is_said(receptionist: Client) -> None:
    visit_type = make_clinic()
    make_appointment(visit_type, starts_at=wall(11), status=Status.BOOKED)
    page = open_page(receptionist, start=times.write_start(wall(11)))
    assert f"{times.moment(wall(11))} is not free for this visit (First visit)." in unescape(page)


def test_the_page_asks_as_often_for_one_visit_before_as_for_ten(receptionist: Client) -> None:
    visit_type = make_clinic()
    parisa = make_patient()
    for count in (1, 10):
        while parisa.appointments.count() < count:
            make_appointment(visit_type, patient=parisa, status=Status.CANCELLED)
        with CaptureQueriesContext(connection) as asked:
            open_page(receptionist, patient=parisa.pk)
        assert len(asked) == 15, [one["sql"] for one in asked]


# --- Booked -----------------------------------------------------------------------------------------------------


def test_one_press_books_the_visit_and_the_patient_gets_the_usual_mail(receptionist: Client) -> None:
    visit_type = make_clinic()
    parisa = make_patient("Parisa Karimi", email="parisa@example.com")
    make_appointment(
        visit_type, patient=parisa, starts_at=wall(9), status=Status.CANCELLED, language="fa", reminders="24h"
    )
    page = open_page(receptionist, patient=parisa.pk)

    answer = receptionist.post(
        BOOK, {"patient": parisa.pk, "key": key_on(page), "pick": value(wall(10), giver(visit_type))}
    )

    booked = Appointment.objects.get(status=Status.BOOKED)
    assert answer["Location"] == page_of(booked)
    [says] = said(answer)
    assert says == (
        f"Booked. The e-mail with the calendar file is on its way. Parisa Karimi: {times.moment(wall(10))}, "
        f"First visit with {booked.practitioner}, {booked.reference}."
    )
    assert (booked.patient, booked.starts_at, booked.language, booked.reminders, booked.new_patient) == (
        parisa,
        wall(10),
        "fa",
        "24h",
        False,
    )
    assert [(change.from_status, change.by.username) for change in booked.changes.all() if change.by] == [
        ("", "receptionist")
    ]
    [mail] = QueuedMail.objects.all()
    assert (mail.kind, mail.to, mail.calendar_method) == ("confirmed", "parisa@example.com", "REQUEST")
    assert books.overlaps() == 0


def test_somebody_new_is_noted_and_booked_with_one_press(receptionist: Client) -> None:
    visit_type = make_clinic()
    form = NADIA | {"key": key_on(open_page(receptionist)), "pick": value(wall(10), giver(visit_type))}
    answer = receptionist.post(f"{BOOK}?next=/admin/", form)
    booked = Appointment.objects.get()
    assert answer["Location"] == "/admin/"
    assert said(answer)[0].startswith(
        "Booked. There is no e-mail address: please read the day, time and reference out. Nadia Rahimi: "
    )
    nadia = booked.patient
    assert (nadia.name, nadia.phone, nadia.email, nadia.date_of_birth) == (
        "Nadia Rahimi",
        "(647) 555-0143",
        "",
        None,
    )
    assert (booked.language, booked.new_patient, booked.status) == ("fa", True, Status.BOOKED)
    assert QueuedMail.objects.count() == 0


def test_a_child_is_booked_by_phone_with_the_date_of_birth(receptionist: Client) -> None:
    visit_type = make_clinic()
    form = NADIA | {"key": key_on(open_page(receptionist)), "pick": value(wall(10), giver(visit_type))}
    receptionist.post(BOOK, form | {"date_of_birth": f"{wall(10).year - 12}-01-02"})
    assert str(Patient.objects.get().date_of_birth) == f"{wall(10).year - 12}-01-02"


def test_two_presses_of_one_form_are_one_visit_of_one_person(receptionist: Client) -> None:
    visit_type = make_clinic()
    form = NADIA | {"key": key_on(open_page(receptionist)), "email": "nadia@example.com"}
    for hour in (10, 10, 11):
        receptionist.post(BOOK, form | {"pick": value(wall(hour), giver(visit_type))})
    assert [visit.starts_at for visit in Appointment.objects.all()] == [wall(10)]
    assert (Patient.objects.count(), QueuedMail.objects.count()) == (1, 1)


def test_a_time_that_was_taken_meanwhile_is_said_and_nobody_new_is_noted(receptionist: Client) -> None:
    visit_type = make_clinic()
    form = NADIA | {"key": key_on(open_page(receptionist)), "pick": value(wall(10), giver(visit_type))}
    make_appointment(visit_type, starts_at=wall(10), status=Status.BOOKED)
    page = receptionist.post(BOOK, form).content.decode()
    assert f"{times.moment(wall(10))} has just been taken. Choose another time." in page
    assert value(wall(10), giver(visit_type)) not in picks(page)
    assert re.search(r'name="name" value="Nadia Rahimi"', page)
    assert not Patient.objects.filter(name="Nadia Rahimi").exists()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"name": ""}, "Enter your full name"),
        ({"phone": ""}, "Enter a phone number or an e-mail address, so that we can reach them"),
        ({"phone": "12"}, "Enter a phone number like 905-555-0100, or leave this empty"),
        ({"email": "nadia"}, "Enter an e-mail address like name@example.com"),
        ({"date_of_birth": "1980-01-01"}, "This person is of age: leave this empty."),
        ({"date_of_birth": "2099-01-01"}, "Enter a date of birth like 2012-03-27, or leave this empty"),
        ({"date_of_birth": "yesterday"}, "Enter a date of birth like 2012-03-27, or leave this empty"),
        (dict.fromkeys(NADIA, ""), "Say first who it is for"),
        ({"key": "x"}, "Please press the time again."),
        ({"pick": "nonsense"}, "Choose a time from those below."),
        ({"pick": "20270304T1030-0500/nobody"}, "Choose a time from those below."),
    ],
)
def test_what_is_missing_is_said_kindly_and_the_time_that_was_pressed_stays_first(
    receptionist: Client, typed: dict[str, str], says: str
) -> None:
    visit_type = make_clinic()
    pick = value(wall(10), giver(visit_type))
    form = {"key": str(uuid4()), "pick": pick} | NADIA | typed
    page = receptionist.post(BOOK, form).content.decode()
    assert says in unescape(page)
    assert "<title>Error: Book a visit" in page
    assert "pick" in typed or "key" in typed or picks(page)[0] == pick
    assert Appointment.objects.count() == 0


def test_what_was_typed_stays_while_other_times_are_looked_at(receptionist: Client) -> None:
    make_clinic()
    later = times.local_day(wall(10, days_ahead=23))
    for pressed in ({"show_from": f"{later}"}, {"from": f"{later}", "show": "yes"}):
        page = receptionist.post(BOOK, NADIA | {"q": "Nad"} | pressed).content.decode()
        assert re.search(r'name="name" value="Nadia Rahimi"', page)
        assert 'value="Nad"' in page
        assert min(picks(page)) >= f"{later:%Y%m%d}"
        assert "Error" not in page


def test_what_was_typed_stays_text_on_every_page_of_the_way(receptionist: Client) -> None:
    text = " ".join(XSS)[:120]
    visit_type = make_clinic()
    somebody = make_patient(text, phone=text[:40])
    typed = NADIA | {"name": text, "phone": text, "email": text, "q": XSS[0], "start": text}
    for page in (
        receptionist.post(f"{BOOK}find/", {"q": XSS[0]}),
        receptionist.get(BOOK, {"patient": somebody.pk}),
        receptionist.post(BOOK, typed | {"pick": value(wall(10), giver(visit_type))}),
    ):
        content = page.content.decode()
        assert escape(XSS[0]) in content
        assert XSS[0] not in content


@pytest.mark.parametrize(
    "permissions", [("view_appointment", "view_patient"), ("view_appointment", "decide_appointment")]
)
def test_only_who_may_decide_and_see_patients_books(permissions: tuple[str, ...]) -> None:
    somebody = signed_in(make_staff("somebody", *permissions))
    assert somebody.get(BOOK).status_code == 403
    assert somebody.post(BOOK, {}).status_code == 403
    assert somebody.post(f"{BOOK}find/", {"q": "kar"}).status_code == 403
    assert BOOK not in somebody.get("/admin/").content.decode()


def test_today_leads_there(receptionist: Client) -> None:
    assert f'href="{BOOK}"' in receptionist.get("/admin/").content.decode()
