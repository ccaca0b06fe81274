"""The two safety gates, the precautions, and the call that an urgent sign asks for before a visit is confirmed."""

import re
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import escape

from booking import operations, screening
from booking.models import Actor, Appointment, DeclineReason, Hold, Occupancy, Status, VisitType
from booking.operations import AlreadyDecided, CallBackFirst, OfferedTime
from clinic.models import QueuedMail
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_patient,
    make_practitioner,
    make_visit_type,
    wall,
)
from tests.booking.test_desk import LIST, TODAY, act, make_staff, page_of, said, signed_in
from tests.booking.test_operations import PARISA, ask, staff
from tests.booking.test_patient_way import address, body, choose, pass_gate, send, type_details

pytestmark = pytest.mark.django_db

CHECKED = "I have already been checked by a doctor or nurse practitioner about this"


def answer(client: Client, gate: str, applies: str, **more: str) -> Any:
    return client.post("/book/", {"gate": gate, "applies": applies, **more})


def say_checked(client: Client, **more: str) -> Any:
    """“No” to the emergency signs, “yes” to the urgent ones, and then the button on the page that answers."""
    answer(client, "emergency", "no")
    answer(client, "urgent", "yes")
    return client.post("/book/", {"gate": "urgent", "checked": "1", **more})


@pytest.fixture
def visit_type() -> VisitType:
    return make_clinic(slug="first-visit", fee=115)


@pytest.fixture
def patient(client: Client) -> Client:
    """A browser that has passed both safety gates."""
    pass_gate(client)
    return client


# --- The emergency list -----------------------------------------------------------------------------------------


def test_the_way_begins_with_the_emergency_signs(client: Client, visit_type: VisitType) -> None:
    page = body(client.get("/book/"))
    assert [sign for sign in map(str, screening.EMERGENCY.signs) if escape(sign) not in page] == []
    assert "Under 18? We arrange those visits by phone only" in page
    assert visit_type.summary not in page
    assert str(screening.URGENT.signs[0]) not in page


def test_looking_at_the_gate_sets_the_form_cookie_and_nothing_else(client: Client) -> None:
    assert list(client.get("/book/").cookies) == ["csrf"]
    assert Session.objects.count() == 0


@pytest.mark.parametrize("applies", ["yes", "not_sure"])
def test_an_emergency_sign_or_a_doubt_stops_the_way_and_nothing_is_stored(
    client: Client, applies: str
) -> None:
    page = answer(client, "emergency", applies)
    assert page.status_code == 200
    assert '<a class="btn" href="tel:911">' in body(page)
    assert "Do not book an acupuncture visit for this." in body(page)
    assert CHECKED not in body(page)
    assert "session" not in page.cookies
    assert (Session.objects.count(), dict(client.session)) == (0, {})
    assert "/book/first-visit/" not in body(client.get("/book/"))


@pytest.mark.parametrize("gate", ["emergency", "urgent"])
def test_the_page_that_stops_shows_no_way_to_book(client: Client, gate: str) -> None:
    answer(client, "emergency", "no")
    page = answer(client, gate, "yes")
    links = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', body(page))
    assert [text for _, text in links if "Book" in text] == []
    assert [href for href, _ in links if href.startswith("/book/")] == [
        f"/book/?safety={gate}"
    ]  # to the answer


def test_no_emergency_sign_leads_to_the_urgent_ones(client: Client) -> None:
    assert answer(client, "emergency", "no")["Location"] == "/book/?safety=urgent"
    assert client.session["safety_gate"] == {
        "version": screening.VERSION,
        "passed": "emergency",
        "call_back": False,
    }
    page = body(client.get("/book/?safety=urgent"))
    assert [sign for sign in map(str, screening.URGENT.signs) if escape(sign) not in page] == []
    assert "Under 18? We arrange those visits by phone only" in page


def test_an_answer_that_names_no_list_answers_the_first(client: Client) -> None:
    for unnamed in ({}, {"gate": ""}, {"gate": "made-up"}):
        assert client.post("/book/", {"applies": "no", **unnamed})["Location"] == "/book/?safety=urgent"
        assert client.get("/book/first-visit/").status_code == 302


# --- The urgent list --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("applies", ["yes", "not_sure"])
def test_an_urgent_sign_or_a_doubt_says_where_to_go_and_nothing_of_it_is_stored(
    client: Client, visit_type: VisitType, applies: str
) -> None:
    answer(client, "emergency", "no")
    before = dict(client.session)
    page = answer(client, "urgent", applies)
    assert page.status_code == 200
    assert (
        "See a doctor or nurse practitioner today, go to a walk-in or urgent care clinic, or call Health811 (dial 811)"
        in body(page)
    )
    assert '<a class="btn" href="tel:811">' in body(page)
    assert CHECKED in body(page)
    assert dict(client.session) == before
    assert client.get("/book/first-visit/").status_code == 302


@pytest.mark.parametrize("way_in", [{"applies": "no"}, {"checked": "1"}])
def test_the_urgent_list_counts_only_after_the_emergency_list(client: Client, way_in: dict[str, str]) -> None:
    assert str(screening.EMERGENCY.signs[0]) in body(client.get("/book/?safety=urgent"))
    assert client.post("/book/", {"gate": "urgent"} | way_in)["Location"] == "/book/?safety=emergency"
    assert dict(client.session) == {}


def test_an_emergency_sign_cannot_be_passed_as_checked_already(client: Client) -> None:
    page = client.post("/book/", {"gate": "emergency", "checked": "1"})
    assert "Error: Safety first" in body(page)
    assert dict(client.session) == {}


def test_no_sign_leads_to_the_visit_types(client: Client, visit_type: VisitType) -> None:
    make_visit_type("Follow-up visit", slug="follow-up", practitioners=[make_practitioner()])
    make_visit_type("Retired visit", is_active=False)
    answer(client, "emergency", "no")
    assert answer(client, "urgent", "no")["Location"] == "/book/"
    assert client.session["safety_gate"] == {
        "version": screening.VERSION,
        "passed": "urgent",
        "call_back": False,
    }
    page = body(client.get("/book/"))
    assert re.findall(r'<b>([^<]*)</b><small>([^<]*)</small></span><span class="fee">([^<]*)<', page) == [
        ("First visit", "45 minutes. For people who are new to the clinic.", "$115"),
        ("Follow-up visit", "45 minutes. For people who are new to the clinic.", "Ask us"),
    ]
    assert f'href="/book/{visit_type.slug}/"' in page


# --- Both -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "title"), [("emergency", "Safety first"), ("urgent", "Signs to have checked first")]
)
def test_without_an_answer_the_question_is_asked_again(client: Client, gate: str, title: str) -> None:
    answer(client, "emergency", "no")
    page = body(client.post("/book/", {"gate": gate}))
    assert f"<title>Error: {title}" in page
    assert page.count("Answer whether any of these apply to you now") == 2  # in the summary, at the field
    assert '<a href="#id_applies_0">' in page


@pytest.mark.parametrize(("gate", "left"), [("emergency", set()), ("urgent", {"safety_gate"})])
def test_a_stopped_answer_takes_back_an_earlier_pass_and_what_was_typed(
    patient: Client, visit_type: VisitType, gate: str, left: set[str]
) -> None:
    type_details(patient, visit_type)
    answer(patient, gate, "yes")
    for page in ("details", "health", "check"):
        assert patient.get(address(visit_type, page=page))["Location"].startswith("/book/?next=")
    assert patient.get("/book/first-visit/")["Location"] == "/book/?next=%2Fbook%2Ffirst-visit%2F"
    assert [row.get_decoded().keys() & {"safety_gate", "draft"} for row in Session.objects.all()] == [left]


def everything_stored() -> str:
    """Every value of every row in the database, the sessions opened."""
    rows = chain.from_iterable(
        model._default_manager.values_list()  # noqa: SLF001
        for model in apps.get_models(include_auto_created=True)
    )
    return f"{[row.get_decoded() for row in Session.objects.all()]} {list(rows)}"


def test_what_was_answered_at_the_gates_is_in_no_session_log_address_or_table(
    client: Client, visit_type: VisitType, caplog: pytest.LogCaptureFixture
) -> None:
    before = everything_stored()
    with caplog.at_level("DEBUG"):
        first = answer(client, "emergency", "not_sure")
        assert everything_stored() == before
        answer(client, "emergency", "no")
        passed_first = everything_stored()
        second = answer(client, "urgent", "not_sure")
        assert Session.objects.get().get_decoded() == {
            "safety_gate": {"version": screening.VERSION, "passed": "emergency", "call_back": False},
            "_session_expiry": 3600,
        }
        go_on = client.post("/book/", {"gate": "urgent", "checked": "1", "next": "/book/first-visit/"})
    assert "not_sure" not in passed_first + everything_stored() + caplog.text
    assert "checked" not in everything_stored() + caplog.text
    assert go_on["Location"] == "/book/first-visit/"
    links = re.findall(r'(?:href|action)="(/book/[^"]*)"', (first.content + second.content).decode())
    assert {link.partition("?")[2] for link in links} == {"", "safety=emergency", "safety=urgent"}


def test_the_safety_questions_can_be_answered_again(patient: Client) -> None:
    assert str(screening.EMERGENCY.signs[0]) in body(patient.get("/book/?safety=again"))
    assert "Which visit do you need?" in body(patient.get("/book/"))
    answer(patient, "emergency", "no")
    assert patient.get("/book/first-visit/").status_code == 302, "the second list is asked again as well"


def test_each_page_leads_back_to_the_one_before(client: Client) -> None:
    def back(page: str) -> list[str]:
        return re.findall(r'class="back" href="([^"]*)"', body(client.get(page)))

    assert back("/book/") == ["/"]
    answer(client, "emergency", "no")
    assert back("/book/?safety=urgent") == ["/book/?safety=emergency"]
    assert str(screening.EMERGENCY.signs[0]) in body(client.get("/book/")), "as the browser's own button asks"
    answer(client, "urgent", "no")
    assert back("/book/") == ["/book/?safety=urgent"]
    assert str(screening.URGENT.signs[0]) in body(client.get("/book/?safety=urgent"))


@pytest.mark.parametrize(
    "older", [{"version": "2001-01"}, {"version": "2001-01", "passed": "urgent", "call_back": False}]
)
def test_an_answer_to_older_questions_does_not_count(
    patient: Client, visit_type: VisitType, older: dict[str, Any]
) -> None:
    session = patient.session
    session["safety_gate"] = older
    session.save()
    for page in ("details", "health", "check"):
        assert patient.get(address(visit_type, page=page)).status_code == 302
        assert patient.post(address(visit_type, page=page)).status_code == 302
    assert patient.get(f"/book/{visit_type.slug}/").status_code == 302
    assert not Hold.objects.exists()


def test_health_answers_to_older_questions_are_asked_anew(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    session = patient.session
    session["draft"] = session["draft"] | {"version": "2001-01"}
    session.save()
    assert patient.get(address(visit_type, page="check"))["Location"] == address(visit_type)
    assert "draft" not in patient.session


@pytest.mark.parametrize("page", ["details", "health", "check"])
def test_deep_links_meet_both_gates_first_and_then_arrive(
    client: Client, visit_type: VisitType, page: str
) -> None:
    wanted = address(visit_type, page=page)
    gate = client.get(wanted)
    assert gate.status_code == 302
    assert f'name="next" value="{wanted}"' in body(client.get(gate["Location"]))
    second = answer(client, "emergency", "no", next=wanted)["Location"]
    assert client.get(wanted).status_code == 302
    assert f'name="next" value="{wanted}"' in body(client.get(second))
    assert f'name="next" value="{wanted}"' in body(answer(client, "urgent", "yes", next=wanted))
    assert answer(client, "urgent", "no", next=wanted)["Location"] == wanted


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/book/",
        "//evil.example",
        "/\\evil.example",
        "/admin/",
        "javascript:alert(1)",
        "\x00",
    ],
)
def test_the_gates_lead_nowhere_but_to_booking(client: Client, elsewhere: str) -> None:
    assert answer(client, "emergency", "no", next=elsewhere)["Location"] == "/book/?safety=urgent"
    assert answer(client, "urgent", "no", next=elsewhere)["Location"] == "/book/"
    assert (
        client.post("/book/", {"gate": "urgent", "checked": "1", "next": elsewhere})["Location"] == "/book/"
    )


def test_patients_are_not_asked_to_sign_in_and_are_forgotten_after_an_hour(patient: Client) -> None:
    assert patient.session.get_expiry_age() == 3600


# --- Checked already: the patient's side ------------------------------------------------------------------------


def test_whoever_was_checked_already_goes_on_and_leaves_a_phone_number(
    client: Client, visit_type: VisitType
) -> None:
    assert say_checked(client, next="/book/first-visit/")["Location"] == "/book/first-visit/"
    page = body(client.get(choose(client, visit_type)["Location"]))
    assert "We call you on this number before we confirm" in page
    assert 'Phone number <span class="opt">' not in page
    for phone in ("", "  ", "\u200e"):
        refused = type_details(client, visit_type, phone=phone)
        assert set(refused.context["form"].errors) == {"phone"}
    assert type_details(client, visit_type)["Location"] == address(visit_type, page="check")


def test_a_number_left_out_before_the_sign_was_checked_is_asked_for_at_the_end(
    patient: Client, visit_type: VisitType
) -> None:
    type_details(patient, visit_type, phone="")
    answer(patient, "emergency", "no")
    patient.post("/book/", {"gate": "urgent", "checked": "1"})
    assert patient.get(address(visit_type, page="check"))["Location"] == address(visit_type)


def test_the_request_holds_its_time_and_says_that_we_may_call_first(
    client: Client, visit_type: VisitType
) -> None:
    say_checked(client)
    type_details(client, visit_type)
    assert "We may call you first, on the phone number you gave." in body(
        client.get(address(visit_type, page="check"))
    )
    sent = client.get(send(client, visit_type)["Location"])
    asked = Appointment.objects.get()
    assert (asked.status, asked.call_back, asked.called_back_at, asked.waits_for_call) == (
        Status.PENDING,
        True,
        None,
        True,
    )
    assert Occupancy.objects.filter(appointment=asked).count() == 2
    assert "We may call you first, on the phone number you gave." in body(sent)
    mail = QueuedMail.objects.get(kind="received")
    for part in (mail.text, mail.html):
        assert "We may call you first, before we answer." in part


def test_nobody_else_is_told_of_a_call(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    pages = body(patient.get(address(visit_type, page="check")))
    pages += body(patient.get(send(patient, visit_type)["Location"]))
    assert not Appointment.objects.get().call_back
    for said_to_them in (pages, *QueuedMail.objects.values_list("text", flat=True)):
        assert "call you first" not in said_to_them


def test_answering_the_lists_again_with_no_takes_the_call_back_away(client: Client) -> None:
    say_checked(client)
    assert client.session["safety_gate"]["call_back"] is True
    pass_gate(client)
    assert client.session["safety_gate"]["call_back"] is False


# --- Checked already: the clinic's side -------------------------------------------------------------------------


def call(appointment: Appointment, version: int = 1, **facts: Any) -> Appointment:
    given: dict[str, Any] = {"by": facts.get("by") or staff(), "now": facts.get("now") or timezone.now()}
    return operations.note_call_back(appointment=appointment, version=version, **given)


def test_it_cannot_be_confirmed_before_the_call() -> None:
    appointment, by = ask(make_clinic(), wall(10), details=replace(PARISA, call_back=True)), staff()
    mails = QueuedMail.objects.count()
    with pytest.raises(CallBackFirst):
        operations.confirm_appointment(appointment=appointment, version=1, by=by, now=timezone.now())
    appointment.refresh_from_db()
    assert (appointment.status, appointment.version) == (Status.PENDING, 1)
    assert (appointment.changes.count(), QueuedMail.objects.count()) == (1, mails)


def test_after_the_call_it_is_confirmed_like_any_other() -> None:
    appointment, by = make_appointment(call_back=True), staff()
    now = timezone.now()

    called = call(appointment, by=by, now=now)
    operations.confirm_appointment(appointment=called, version=2, by=by, now=now)

    appointment.refresh_from_db()
    assert (appointment.status, appointment.version) == (Status.BOOKED, 3)
    assert (appointment.called_back_at, appointment.called_back_by) == (now, by)
    history = appointment.changes.values_list("version", "from_status", "to_status", "actor", "by", "reason")
    assert list(history)[1:] == [
        (2, Status.PENDING, Status.PENDING, Actor.STAFF, by.pk, "called back"),
        (3, Status.PENDING, Status.BOOKED, Actor.STAFF, by.pk, ""),
    ]
    assert [mail.kind for mail in QueuedMail.objects.all()] == ["confirmed"], "the call itself sends no mail"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"call_back": True, "called_back_at": timezone.now()},
        {"call_back": True, "status": Status.CANCELLED},
        {"call_back": True, "version": 2},
    ],
    ids=["no call asked for", "called already", "ended", "changed since"],
)
def test_a_call_is_noted_once_and_only_where_it_is_waited_for(fields: dict[str, Any]) -> None:
    appointment = make_appointment(**fields)
    before = Appointment.objects.values().get()
    with pytest.raises(AlreadyDecided):
        call(appointment)
    assert Appointment.objects.values().get() == before
    assert appointment.changes.count() == 1


def test_other_times_are_offered_only_after_the_call() -> None:
    visit_type = make_clinic()
    appointment = make_appointment(visit_type, call_back=True)
    offer: dict[str, Any] = {
        "appointment": appointment,
        "offered": [OfferedTime(wall(15), appointment.practitioner)],
        "by": staff(),
        "now": timezone.now(),
    }
    with pytest.raises(CallBackFirst):
        operations.offer_other_times(**offer, version=1, idempotency_key=uuid4())
    assert Occupancy.objects.filter(appointment=appointment).exists()
    call(appointment, by=offer["by"])
    operations.offer_other_times(**offer, version=2, idempotency_key=uuid4())


def test_it_can_be_declined_or_cancelled_without_a_call() -> None:
    visit_type, by, now = make_clinic(), staff(), timezone.now()
    first = make_appointment(visit_type, call_back=True)
    second = make_appointment(visit_type, starts_at=wall(12), call_back=True)
    operations.decline_appointment(
        appointment=first, version=1, reason=DeclineReason.TALK_FIRST, by=by, now=now
    )
    operations.cancel_appointment(appointment=second, version=1, by=None, now=now)
    assert not Occupancy.objects.exists()


@pytest.mark.parametrize("status", [Status.BOOKED, Status.ARRIVED, Status.FULFILLED, Status.NOSHOW])
def test_the_database_itself_refuses_a_visit_without_its_call(status: Status) -> None:
    make_appointment(call_back=True)
    with pytest.raises(IntegrityError, match="appointment_called_back_before_booked"):
        Appointment.objects.update(status=status)


# --- Checked already: the desk ----------------------------------------------------------------------------------


@pytest.fixture
def receptionist() -> Client:
    return signed_in(make_staff("receptionist", "decide_appointment", "view_appointment"))


def desk_pages(client: Client, appointment: Appointment) -> dict[str, str]:
    places = {"today": TODAY, "list": LIST, "page": page_of(appointment)}
    return {name: client.get(place).content.decode() for name, place in places.items()}


@pytest.mark.ignore_template_errors
def test_the_desk_shows_the_call_and_offers_to_confirm_only_after_it(receptionist: Client) -> None:
    appointment = make_appointment(call_back=True, patient=make_patient(phone="416-555-0188"))
    confirm, called_back = act(appointment, "confirm"), act(appointment, "called_back")
    for name, content in desk_pages(receptionist, appointment).items():
        assert "Call back first</span>" in content, name
        assert (f'formaction="{called_back}?' in content, confirm in content) == (True, False), name
    assert "416-555-0188" in receptionist.get(TODAY).content.decode()

    response = receptionist.post(f"{called_back}?next=/admin/", {"version": 1})

    assert response["Location"] == "/admin/"
    assert said(response) == [
        f"Noted: Parisa Karimi was called back. {appointment.reference} can be confirmed now."
    ]
    for name, content in desk_pages(receptionist, appointment).items():
        assert "Call back first" not in content, name
        assert "Called back</span>" in content, name
        assert (called_back in content, f'formaction="{confirm}?' in content) == (False, True), name
    receptionist.post(confirm, {"version": 2})
    assert Appointment.objects.get().status == Status.BOOKED


@pytest.mark.ignore_template_errors
def test_confirming_before_the_call_is_refused_with_what_to_do(receptionist: Client) -> None:
    appointment = make_appointment(call_back=True)
    response = receptionist.post(act(appointment, "confirm"), {"version": 1})
    assert response["Location"] == page_of(appointment)
    assert said(response) == ["Call Parisa Karimi first, then press “Called back”; nothing was changed."]
    assert Appointment.objects.get().status == Status.PENDING


@pytest.mark.ignore_template_errors
def test_the_second_to_note_the_call_is_told(receptionist: Client) -> None:
    appointment = make_appointment(call_back=True)
    receptionist.post(act(appointment, "called_back"), {"version": 1})
    response = receptionist.post(act(appointment, "called_back"), {"version": 1})
    assert said(response)[-1] == (
        f"{appointment.reference} has changed since you looked at it; nothing was changed."
    )


def test_the_call_is_noted_by_a_post_of_staff_who_may_decide(receptionist: Client) -> None:
    appointment = make_appointment(call_back=True)
    viewer = signed_in(make_staff("viewer", "view_appointment"))
    address_of_it = act(appointment, "called_back")
    assert viewer.post(address_of_it, {"version": 1}).status_code == 403
    assert Client().post(address_of_it, {"version": 1}).status_code == 302
    assert receptionist.get(address_of_it).status_code == 405
    assert said(receptionist.post(address_of_it, {"version": "x"})) == [
        "That form was not complete; nothing was changed. Please look again."
    ]
    assert Appointment.objects.get().called_back_at is None


# --- The questions ----------------------------------------------------------------------------------------------

QUESTIONS = (*screening.PRECAUTIONS, *screening.NEEDS)


def test_the_gates_ask_what_the_article_on_urgent_care_lists() -> None:
    article = Path("content/starter/when-back-pain-needs-urgent-care.md").read_text()
    signs = [str(sign) for gate in screening.GATES for sign in gate.signs]
    assert [sign for sign in signs if sign not in article] == []


def test_every_question_has_a_code_of_its_own_and_says_what_to_do() -> None:
    assert len({question.code for question in QUESTIONS} | {screening.UNNAMED}) == len(QUESTIONS) + 1
    assert [question.code for question in QUESTIONS if not (question.flag and question.hint)] == []


def test_a_hint_without_a_source_only_asks() -> None:
    assert [each.code for each in QUESTIONS if not each.source and not each.hint.startswith("Ask")] == []


def test_staff_read_flags_in_english_whatever_language_the_patient_read() -> None:
    """What patients read waits to be translated; what staff read is plain text from the start."""
    kinds = {(type(each.flag), type(each.hint), isinstance(each.label, Promise)) for each in QUESTIONS}
    assert kinds == {(str, str, True)}


def test_flags_follow_the_order_of_the_questions_with_the_call_first() -> None:
    answers = {"interpreter": "yes", "unnamed": "not_sure", "lung": "not_sure", "blood": "yes", "gone": "yes"}
    appointment = Appointment(precautions=answers, call_back=True)
    assert [(flag.text, flag.is_sure) for flag in appointment.flags] == [
        ("Call back first", True),
        ("Bleeding / blood thinners", True),
        ("Lung disease / very slim", False),
        ("Interpreter", True),
        ("Not sure about precautions", False),
    ]
    assert Appointment(precautions={}).flags == []


def test_every_question_is_on_the_health_page_and_its_flag_at_the_desk(
    patient: Client, visit_type: VisitType
) -> None:
    choose(patient, visit_type)
    page = body(patient.get(address(visit_type, page="health")))
    assert [each.code for each in QUESTIONS if escape(str(each.label)) not in page] == []
    assert "Step 4 of 5" in page
    type_details(
        patient,
        visit_type,
        any_precaution="yes",
        precautions=[each.code for each in screening.PRECAUTIONS],
        needs=[each.code for each in screening.NEEDS],
    )
    send(patient, visit_type)
    asked = Appointment.objects.get()
    assert [(flag.text, flag.hint) for flag in asked.flags] == [(each.flag, each.hint) for each in QUESTIONS]
    assert asked.screening_version == screening.VERSION


def test_changing_one_page_of_answers_leads_straight_back_to_the_check(
    patient: Client, visit_type: VisitType
) -> None:
    choose(patient, visit_type)
    first = patient.post(address(visit_type, page="health"), {"any_precaution": "no", "note": "Kept"})
    assert first["Location"] == address(visit_type), (
        "whoever comes first to the health page is asked who they are"
    )
    type_details(patient, visit_type, note="Kept")
    changed = {
        "name": "Wing Chan",
        "email": "wing@example.com",
        "adult": "yes",
        "new_patient": "new",
        "language": "yue",
    }
    assert patient.post(address(visit_type), changed)["Location"] == address(visit_type, page="check")
    check = body(patient.get(address(visit_type, page="check")))
    assert ("Wing Chan" in check, "Kept" in check) == (True, True)
