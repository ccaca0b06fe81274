"""The patient's way, through the browser's eyes: from the choice of a time to “Request sent”."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from booking import operations, screening, times
from booking.forms import CONSENT_VERSION, DetailsForm, HealthForm
from booking.models import Appointment, BookingRules, Hold, Occupancy, Patient, Resource, Status, VisitType
from booking.views.standing import STANDING
from clinic.models import QueuedMail
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_closure,
    make_hours,
    make_practitioner,
    make_room,
    make_visit_type,
    wall,
)
from tests.booking.test_operations import ask, somebody

pytestmark = pytest.mark.django_db

TYPED = {
    "name": "Parisa Karimi",
    "email": "parisa@example.com",
    "phone": "416-555-0188",
    "adult": "yes",
    "new_patient": "new",
    "language": "fa",
    "any_precaution": "no",
    "note": "Low back pain since autumn",
}
XSS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</textarea><svg onload=alert(1)>",
    "{{ 7|add:7 }}{% debug %}",
    "javascript:alert(1)",
]


def body(response: Any) -> str:
    """The page as one line, so that line breaks in templates do not matter."""
    return " ".join(response.content.decode().replace(times.NBSP, " ").split())


def pass_gate(client: Client) -> None:
    """“No” to both lists of signs."""
    for gate in ("emergency", "urgent"):
        assert client.post("/book/", {"gate": gate, "applies": "no"}).status_code == 302


def address(visit_type: VisitType, starts_at: Any = None, who: str = "anyone", page: str = "details") -> str:
    return reverse(f"booking:{page}", args=[visit_type.slug, who, starts_at or wall(10)])


def choose(client: Client, visit_type: VisitType, starts_at: Any = None, who: str = "anyone") -> Any:
    start = times.write_start(starts_at or wall(10))
    return client.post(
        reverse("booking:times", args=[visit_type.slug]), {"start": start, "practitioner": who}
    )


def type_details(client: Client, visit_type: VisitType, **changed: Any) -> Any:
    """Both pages of questions, as far as the answers let one go on."""
    details = client.post(address(visit_type), TYPED | changed)
    if details.status_code != 302:
        return details
    return client.post(address(visit_type, page="health"), TYPED | changed)


def key_on(response: Any) -> str:
    found = re.search(r'name="key" value="([0-9a-f-]{36})"', response.content.decode())
    assert found, "the check page carries a key"
    return found[1]


def send(client: Client, visit_type: VisitType, starts_at: Any = None, **changed: Any) -> Any:
    check = address(visit_type, starts_at, page="check")
    return client.post(check, {"consent": "on", "key": key_on(client.get(check))} | changed)


@pytest.fixture
def patient(client: Client) -> Client:
    """A browser that has passed both safety gates."""
    pass_gate(client)
    return client


@pytest.fixture
def visit_type() -> VisitType:
    return make_clinic(slug="first-visit", fee=115)


def test_for_somebody_under_18_the_phone_number_is_given_and_nothing_kept(
    patient: Client, visit_type: VisitType
) -> None:
    choose(patient, visit_type)
    response = patient.post(address(visit_type), TYPED | {"adult": "no"})
    page = body(response)
    assert (response.status_code, Appointment.objects.count(), patient.session.get("draft")) == (200, 0, None)
    assert "For people under 18 we arrange visits by phone only." in page
    assert "905-555-0100. We have not kept anything from this page." in page
    assert 'value="Parisa Karimi"' in page
    assert type_details(patient, visit_type)["Location"] == address(visit_type, page="check")


# --- The time --------------------------------------------------------------------------------------------------


def test_the_page_of_times_shows_free_days_and_times(patient: Client, visit_type: VisitType) -> None:
    page = body(patient.get("/book/first-visit/"))
    assert "All times are Eastern Time (Toronto)." in page
    assert "<h1>Choose a day and time</h1>" in page
    day = wall(0).date()
    assert f'href="?practitioner=anyone&amp;from={sunday(day)}&amp;day={day}#times"' in page
    chosen = body(patient.get(f"/book/first-visit/?day={day}"))
    assert [time(9) <= times.parse_start(value).time() <= time(18, 15) for value in values(chosen)] == [
        True
    ] * 38
    assert re.findall(r"<h3[^>]*>(\w+) <span>(\d+) times", chosen) == [
        ("Morning", "12"),
        ("Afternoon", "20"),
        ("Evening", "6"),
    ]


def sunday(day: Any) -> Any:
    return day - timedelta(days=(day.weekday() + 1) % 7)


def values(page: str) -> list[str]:
    return re.findall(r'type="radio" name="start" id="at[^"]*" value="([^"]*)"', page)


def test_each_time_for_anyone_names_who_would_serve_it(patient: Client) -> None:
    mei, sara = make_practitioner("Mei Lin", slug="mei"), make_practitioner("Sara Moradi", slug="sara")
    make_hours(mei, opens=time(9), closes=time(10))
    make_hours(sara, opens=time(14), closes=time(15))
    make_room()
    visit = make_visit_type(slug="first-visit", practitioners=[mei, sara])
    day = wall(0).date()
    anyone = body(patient.get(f"/book/{visit.slug}/?day={day}"))
    assert re.findall(r">([0-9:]+ [ap]m)<small>([^<]*)</small></label>", anyone) == [
        ("9:00 am", "Mei Lin"),
        ("9:15 am", "Mei Lin"),
        ("2:00 pm", "Sara Moradi"),
        ("2:15 pm", "Sara Moradi"),
    ]
    only_sara = body(patient.get(f"/book/{visit.slug}/?practitioner=sara&day={day}"))
    assert re.findall(r">([0-9:]+ [ap]m)</label>", only_sara) == ["2:00 pm", "2:15 pm"]
    assert 'href="?practitioner=sara" aria-current="true">Sara Moradi, R. Ac</a>' in only_sara


def test_choosing_a_time_leads_to_the_details(patient: Client, visit_type: VisitType) -> None:
    chosen = {"start": times.write_start(wall(10)), "practitioner": "anyone"}
    assert patient.post("/book/first-visit/", chosen)["Location"] == address(visit_type)
    person = visit_type.practitioners.get()
    named = chosen | {"practitioner": person.slug}
    assert patient.post("/book/first-visit/", named)["Location"] == address(visit_type, who=person.slug)


def test_going_on_without_a_time_asks_for_one(patient: Client, visit_type: VisitType) -> None:
    page = patient.post("/book/first-visit/", {"practitioner": "anyone"})
    assert page.status_code == 200
    assert "<title>Error: Choose a day and time" in body(page)
    assert body(page).count("Choose a time") == 2


def test_a_time_that_is_no_longer_free_is_refused_with_the_times_that_are(
    patient: Client, visit_type: VisitType
) -> None:
    make_appointment(visit_type, starts_at=wall(10))
    taken = {"start": times.write_start(wall(10)), "practitioner": "anyone"}
    page = patient.post(f"/book/first-visit/?day={wall(0).date()}", taken)
    assert page.status_code == 409
    assert body(page).count("That time has just been taken") == 2
    assert times.write_start(wall(11)) in values(body(page))
    assert times.write_start(wall(10)) not in values(body(page))


def test_nobody_free_is_said_with_the_phone_number_and_the_way_to_the_next_free_day(
    patient: Client, visit_type: VisitType
) -> None:
    make_closure(wall(0, days_ahead=0), wall(0, days_ahead=40))
    page = body(patient.get(f"/book/first-visit/?from={wall(0).date()}"))
    assert "No free times in these weeks" in page
    assert f'href="?practitioner=anyone&amp;from={wall(0, days_ahead=40).date()}"' in page
    make_closure(wall(0, days_ahead=40), wall(0, days_ahead=100))
    page = body(patient.get("/book/first-visit/"))
    assert "See the next free times" not in page
    assert 'Or call <a href="tel:+19055550100">905-555-0100</a>' in page


def test_times_nearer_than_the_notice_or_beyond_the_horizon_are_not_offered(
    patient: Client, visit_type: VisitType
) -> None:
    BookingRules.objects.create(notice_hours=48, horizon_days=5)
    page = body(patient.get("/book/first-visit/"))
    days = re.findall(r"&amp;day=([0-9-]+)#times", page)
    assert [day < str(wall(0).date()) or day > str(wall(0, days_ahead=5).date()) for day in days] == [
        False
    ] * len(days)
    assert len(days) in {3, 4}  # four days, less the first or the last by the hour at which it is asked
    assert "Later weeks are not open yet" in page


def test_a_visit_type_that_cannot_be_booked_is_not_found(patient: Client) -> None:
    make_clinic(slug="retired", is_active=False)
    assert [patient.get(f"/book/{slug}/").status_code for slug in ("retired", "unknown")] == [404, 404]


@pytest.mark.parametrize("people", [1, 3])
def test_the_page_of_times_asks_the_database_eight_times_whatever_it_shows(
    client: Client, people: int, django_assert_num_queries: Any
) -> None:
    visit = make_clinic(slug="first-visit", practitioners=people, rooms=people)
    for hour in range(9, 9 + people):
        make_appointment(visit, starts_at=wall(hour))
    pass_gate(client)
    # session; visit type and phases; rules; practitioners; openings: hours, closures, occupancies
    for query in ("", "?from=2199-12-31", f"?from={wall(0, days_ahead=60).date()}"):
        with django_assert_num_queries(8):
            client.get(f"/book/first-visit/{query}")


def test_the_person_who_is_named_is_the_one_the_request_finds(patient: Client) -> None:
    visit = make_clinic(practitioners=2, rooms=2)
    busy, free = visit.practitioners.order_by("pk")
    make_appointment(visit, starts_at=wall(15), practitioner=busy)
    page = body(patient.get(f"/book/{visit.slug}/?day={wall(0).date()}"))
    assert f">10:00 am<small>{free.name}</small>" in page
    type_details(patient, visit)
    send(patient, visit)
    assert Appointment.objects.get(starts_at=wall(10)).practitioner == free


# --- Details ---------------------------------------------------------------------------------------------------


def test_the_privacy_notice_stands_above_the_form(patient: Client, visit_type: VisitType) -> None:
    choose(patient, visit_type)
    page = body(patient.get(address(visit_type)))
    above = page[: page.index('id="id_name"')]
    assert [
        words
        for words in (
            "Only the clinic’s staff see your answers",
            "otherwise after an hour",
            "the clinic&#x27;s privacy contact",
            "905-555-0100",
            "This form is not a medical assessment. Booking is not consent to treatment.",
        )
        if words not in above
    ] == []


def test_an_empty_form_says_at_each_field_what_is_missing(patient: Client, visit_type: VisitType) -> None:
    page = patient.post(address(visit_type), {})
    assert page.context["form"].errors == {
        "name": ["Enter your full name"],
        "email": ["Enter your e-mail address"],
        "adult": ["Answer whether the patient is 18 or older"],
        "new_patient": ["Answer whether you have been here before"],
        "language": ["Choose a language from the list"],
    }
    assert "<title>Error: About you" in body(page)
    page = patient.post(address(visit_type, page="health"), {})
    assert page.context["form"].errors == {
        "any_precaution": ["Answer whether any of these apply to you"],
    }
    assert "<title>Error: Your health" in body(page)


@pytest.mark.parametrize(
    ("changed", "errors"),
    [
        ({"any_precaution": "no", "precautions": ["blood"]}, {"any_precaution"}),
        ({"any_precaution": "yes"}, {"precautions"}),
        ({"any_precaution": "not_sure"}, set()),
        ({"any_precaution": "yes", "precautions": ["made-up"]}, {"precautions"}),
        ({"any_precaution": "yes", "precautions": ["interpreter"]}, {"precautions"}),
        ({"needs": ["interpreter", "step_free"]}, set()),
        ({"needs": ["blood"]}, {"needs"}),
        ({"phone": ""}, set()),
        ({"phone": "+1 (905) 555-0100 ext. 12"}, set()),
        ({"phone": "\u202a905\u2011555-0100\u202c"}, {"phone"}),
        ({"phone": "\u202a+1 905-555-0100\u202c"}, set()),
        ({"phone": "call me"}, {"phone"}),
        ({"phone": "12"}, {"phone"}),
        ({"phone": "905-555-0100" + " " * 30 + "1"}, {"phone"}),
        ({"name": "Ann\nBcc: all@example.com"}, {"name"}),
        ({"name": "\u200b"}, {"name"}),
        ({"name": "\x00"}, {"name"}),
        ({"name": "x" * 121}, {"name"}),
        ({"email": "parisa@example"}, {"email"}),
        ({"email": "a@example.com\nb@example.com"}, {"email"}),
        ({"note": "one\r\ntwo\ttabbed"}, set()),
        ({"note": "a\x07bell"}, {"note"}),
        ({"note": "x" * 300}, set()),
        ({"note": "x" * 299 + "\r\n"}, set()),
        ({"note": "x" * 301}, {"note"}),
        ({"language": "xx"}, {"language"}),
        ({"new_patient": "maybe"}, {"new_patient"}),
    ],
)
def test_what_may_be_typed(patient: Client, visit_type: VisitType, changed: Any, errors: set[str]) -> None:
    page = type_details(patient, visit_type, **changed)
    assert (set(page.context["form"].errors) if page.status_code == 200 else set()) == errors


def test_halves_of_characters_are_refused(visit_type: VisitType) -> None:
    """No browser can send them, so the forms are asked."""
    broken = TYPED | {"name": "A\ud800", "note": "\udfff"}
    assert (set(DetailsForm(broken).errors), set(HealthForm(broken).errors)) == ({"name"}, {"note"})


def test_a_mistake_loses_nothing_that_was_typed(patient: Client, visit_type: VisitType) -> None:
    text = body(type_details(patient, visit_type, email="nonsense"))
    assert 'value="Parisa Karimi"' in text
    assert 'value="nonsense"' in text
    text = body(type_details(patient, visit_type, any_precaution="no", precautions=["blood", "skin"]))
    assert "Low back pain since autumn</textarea>" in text
    assert [code for code in ("blood", "skin") if f'value="{code}" checked' not in ticked(text)] == []


def ticked(page: str) -> str:
    return re.sub(r'(value="\w+") id="\w+"', r"\1", re.sub(r' id="[^"]*"| aria-[a-z]+="[^"]*"', "", page))


def test_coming_back_shows_what_was_typed(patient: Client, visit_type: VisitType) -> None:
    assert type_details(patient, visit_type)["Location"] == address(visit_type, page="check")
    choose(patient, visit_type, wall(14))
    page = body(patient.get(address(visit_type, wall(14))))
    assert 'value="416-555-0188"' in page
    assert '<option value="fa" selected>' in page
    page = body(patient.get(address(visit_type, wall(14), page="health")))
    assert "Low back pain since autumn</textarea>" in page


def test_no_answer_stands_in_an_address(patient: Client, visit_type: VisitType) -> None:
    sent = type_details(patient, visit_type, any_precaution="yes", precautions=["blood"])
    assert sent["Location"] == f"/book/first-visit/anyone/{times.write_start(wall(10))}/check/"


def test_the_details_of_a_taken_time_offer_the_nearest_free_ones(
    patient: Client, visit_type: VisitType
) -> None:
    make_appointment(visit_type, starts_at=wall(12))
    page = patient.get(address(visit_type, wall(12)))
    assert page.status_code == 409
    assert "Your answers are kept" not in body(page)
    assert offered(page) == [wall(11, 15), wall(12, 45), wall(11), wall(13)]


def offered(page: Any) -> list[Any]:
    return [times.parse_start(start) for start in re.findall(r'name="start" value="([0-9T+-]+)"', body(page))]


# --- Check and send --------------------------------------------------------------------------------------------


def test_the_check_page_shows_everything_with_a_way_to_change_it(
    patient: Client, visit_type: VisitType
) -> None:
    type_details(
        patient, visit_type, any_precaution="yes", precautions=["blood", "faint"], needs=["interpreter"]
    )
    page = body(patient.get(address(visit_type, page="check")))
    rows = re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd>", page)
    assert [(name, re.sub(r"</?bdi>", "", text)) for name, text in rows] == [
        ("Visit", "First visit, 45 minutes, $115"),
        ("Day and time", times.moment(wall(10)).replace(times.NBSP, " ")),
        ("With", "Anyone"),
        ("Name", "Parisa Karimi"),
        ("E-mail", "parisa@example.com"),
        ("Phone number", "416-555-0188"),
        ("Been here before", "No, this is my first visit"),
        ("Language", "Persian"),
        ("Reminders", "2 days before"),
        (
            "Applies, or might",
            "A bleeding disorder, or you take blood thinners<br>You fear needles, or have fainted before",
        ),
        ("For your visit", "I need an interpreter"),
        ("Help with", "Low back pain since autumn"),
        ("Fee", "$115. You pay nothing now."),
        ("Cancellation", "Free until 24 hours before your visit. Ask us what a later cancellation costs."),
    ]
    assert page.count(">Change<span") == 12


def test_the_owners_cancellation_rule_is_shown(patient: Client, visit_type: VisitType) -> None:
    BookingRules.objects.create(cancellation_hours=48, cancellation_rule="Later, half the fee is due.")
    type_details(patient, visit_type)
    assert "Free until 48 hours before your visit. Later, half the fee is due." in body(
        patient.get(address(visit_type, page="check"))
    )


def test_whoever_has_typed_nothing_is_asked_for_it_first(patient: Client, visit_type: VisitType) -> None:
    for answer in (patient.get, patient.post):
        assert answer(address(visit_type, page="check"))["Location"] == address(visit_type)


def test_what_was_typed_is_gone_after_an_hour(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    session = patient.session
    session["draft"] = session["draft"] | {"until": timezone.now().timestamp() - 1}
    session.save()
    assert patient.get(address(visit_type, page="check"))["Location"] == address(visit_type)
    assert "draft" not in patient.session
    assert "Parisa" not in body(patient.get(address(visit_type)))


def test_what_was_typed_is_kept_for_an_hour_and_no_longer(patient: Client, visit_type: VisitType) -> None:
    before = timezone.now().timestamp()
    type_details(patient, visit_type)
    assert 0 <= patient.session["draft"]["until"] - before - 3600 < 60


def test_the_whole_way_makes_one_request_and_two_mails(client: Client, visit_type: VisitType) -> None:
    pass_gate(client)
    chosen = client.post(
        "/book/first-visit/", {"start": times.write_start(wall(10)), "practitioner": "anyone"}
    )
    health = client.post(chosen["Location"], TYPED)["Location"]
    assert health == address(visit_type, page="health")
    answers = TYPED | {"any_precaution": "yes", "precautions": ["blood", "device"], "needs": ["drives"]}
    checked = client.post(health, answers)["Location"]
    check = client.get(checked)
    sent = client.post(checked, {"consent": "on", "key": key_on(check)})
    asked = Appointment.objects.with_people().get()
    assert sent["Location"] == f"/appointments/{asked.reference}/"
    assert {
        name: getattr(asked, name)
        for name in (
            "status", "visit_type", "practitioner", "anyone", "starts_at", "language", "new_patient",
            "precautions", "screening_version", "note", "consent_version",
        )
    } == {
        "status": Status.PENDING,
        "visit_type": visit_type,
        "practitioner": visit_type.practitioners.get(),
        "anyone": True,
        "starts_at": wall(10),
        "language": "fa",
        "new_patient": True,
        "precautions": {"blood": "yes", "device": "yes", "drives": "yes"},
        "screening_version": screening.VERSION,
        "note": "Low back pain since autumn",
        "consent_version": CONSENT_VERSION,
    }  # fmt: skip
    assert asked.changes.get().idempotency_key == UUID(key_on(check))
    assert asked.consented_at == asked.requested_at
    assert (
        asked.patient.name,
        asked.patient.email,
        asked.patient.phone,
        asked.patient.marketing_consented_at,
    ) == (
        "Parisa Karimi",
        "parisa@example.com",
        "416-555-0188",
        None,
    )
    assert sorted(QueuedMail.objects.values_list("kind", "to")) == [
        ("new_request", "desk@clinic.invalid"),
        ("received", "parisa@example.com"),
    ]
    assert "draft" not in client.session
    page = body(client.get(sent["Location"]))
    assert "<h1>Request sent</h1>" in page
    assert asked.reference in page
    assert f"By {times.moment(asked.answer_by)}".replace(times.NBSP, " ") in page  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"any_precaution": "no"}, {}),
        ({"any_precaution": "not_sure"}, {"unnamed": "not_sure"}),
        ({"any_precaution": "not_sure", "precautions": ["skin"]}, {"skin": "not_sure"}),
        (
            {"any_precaution": "not_sure", "needs": ["chaperone"]},
            {"unnamed": "not_sure", "chaperone": "yes"},
        ),
    ],
)
def test_a_doubt_reaches_the_practitioner_as_a_doubt(
    patient: Client, visit_type: VisitType, typed: Any, kept: Any
) -> None:
    type_details(patient, visit_type, **typed)
    send(patient, visit_type)
    assert Appointment.objects.get().precautions == kept


def test_nothing_is_sent_without_agreement(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    page = send(patient, visit_type, consent="")
    assert body(page).count("Tick the box to agree, or call us instead") == 2
    assert "<title>Error:" in body(page)
    assert Appointment.objects.count() == 0


def test_the_box_for_articles_is_unticked_and_separate(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    check = body(patient.get(address(visit_type, page="check")))
    assert re.findall(r'<input type="checkbox" name="(\w+)"[^>]*?( checked)?>', check) == [
        ("consent", ""),
        ("wants_articles", ""),
    ]
    send(patient, visit_type, wants_articles="on")
    asked = Appointment.objects.get()
    assert asked.patient.marketing_consented_at == asked.requested_at


def test_sending_twice_makes_one_request_and_shows_the_same_page(
    patient: Client, visit_type: VisitType
) -> None:
    type_details(patient, visit_type)
    check = address(visit_type, page="check")
    sent = {"consent": "on", "key": key_on(patient.get(check))}
    assert patient.post(check, sent)["Location"] == patient.post(check, sent)["Location"]
    assert (Appointment.objects.count(), Patient.objects.count(), QueuedMail.objects.count()) == (1, 1, 2)


def test_sending_again_after_the_answer_was_lost_makes_one_request(
    patient: Client, visit_type: VisitType
) -> None:
    """The session as it was before the first answer: two presses of the button within one breath."""
    type_details(patient, visit_type)
    check = address(visit_type, page="check")
    sent = {"consent": "on", "key": key_on(patient.get(check))}
    as_it_was = dict(patient.session)
    first = patient.post(check, sent)["Location"]
    session = patient.session
    session.clear()
    session.update(as_it_was)
    session.save()
    assert patient.post(check, sent)["Location"] == first
    assert Appointment.objects.count() == 1


def test_the_page_that_was_checked_is_the_one_that_is_sent(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    check = address(visit_type, page="check")
    stale = key_on(patient.get(check))
    type_details(patient, visit_type, name="Somebody Else")
    page = patient.post(check, {"consent": "on", "key": stale})
    assert "Your answers have changed since you opened this page" in body(page)
    assert Appointment.objects.count() == 0


def test_another_persons_key_opens_nothing(patient: Client, visit_type: VisitType) -> None:
    others, key = make_appointment(visit_type, starts_at=wall(15)), uuid4()
    others.changes.update(idempotency_key=key)
    type_details(patient, visit_type)
    page = send(patient, visit_type, key=str(key))
    assert page.status_code == 200
    assert patient.get(f"/appointments/{others.reference}/").status_code == 404


def test_a_time_taken_meanwhile_keeps_the_answers_and_offers_the_nearest(
    patient: Client, visit_type: VisitType
) -> None:
    type_details(patient, visit_type)
    check = address(visit_type, page="check")
    sent = {"consent": "on", "key": key_on(patient.get(check))}
    operations.release_hold(visitor=UUID(patient.session["visitor"]))
    make_appointment(visit_type, starts_at=wall(10))
    page = patient.post(check, sent)
    assert page.status_code == 409
    assert "<title>Error: that time has just been taken" in body(page)
    assert "Your answers are kept." in body(page)
    assert offered(page) == [wall(9, 15), wall(10, 45), wall(9), wall(11)]
    chosen = choose(patient, visit_type, wall(11))
    assert "Parisa Karimi" in body(patient.get(chosen["Location"]))
    assert send(patient, visit_type, wall(11)).status_code == 302
    assert Appointment.objects.filter(starts_at=wall(11)).count() == 1


def test_the_nearest_times_are_with_the_person_who_was_asked_for(patient: Client) -> None:
    visit = make_clinic(practitioners=2, rooms=2)
    mine = visit.practitioners.order_by("pk")[0]
    make_appointment(visit, starts_at=wall(10), practitioner=mine)
    page = patient.get(address(visit, wall(10), who=mine.slug))
    assert offered(page) == [wall(9, 15), wall(10, 45), wall(9), wall(11)]
    assert f'name="practitioner" value="{mine.slug}"' in body(page)


def test_extra_fields_change_nothing(patient: Client, visit_type: VisitType) -> None:
    extra = {
        "status": "booked", "version": "9", "reference": "RH-OWN", "practitioner": "1", "answer_by": "2020-01-01",
        "consent_version": "x", "screening_version": "x", "marketing_consented_at": "2020-01-01", "id": "1",
    }  # fmt: skip
    type_details(patient, visit_type, **extra)
    send(patient, visit_type, **extra)
    asked = Appointment.objects.with_people().get()
    assert (asked.status, asked.version, asked.consent_version, asked.screening_version) == (
        Status.PENDING,
        1,
        CONSENT_VERSION,
        screening.VERSION,
    )
    assert asked.reference != "RH-OWN"
    assert asked.patient.marketing_consented_at is None
    assert asked.answer_by == asked.requested_at + timedelta(hours=24)


@pytest.mark.parametrize("attack", XSS)
def test_what_is_typed_stays_text_on_every_page(patient: Client, visit_type: VisitType, attack: str) -> None:
    email = '"<b>"@example.com'
    typed: Any = {"name": f"A {attack}", "email": email, "note": attack}
    pages = [type_details(patient, visit_type, **typed | {"language": attack, "phone": attack})]
    accepted = type_details(patient, visit_type, **typed)
    assert accepted.status_code == 302
    pages += [patient.get(address(visit_type, page=page)) for page in ("check", "details", "health")]
    sent = send(patient, visit_type)
    pages.append(patient.get(sent["Location"]))
    for page in pages:
        text = page.content.decode()
        assert [tag for tag in ("<script>alert", "<img src=x", "<svg onload", '<b>"@') if tag in text] == []
    assert escape(attack) in pages[1].content.decode()


# --- Request sent ----------------------------------------------------------------------------------------------


def test_only_the_session_that_asked_sees_the_request(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    sent = send(patient, visit_type)["Location"]
    assert patient.get(sent).status_code == 200
    stranger = Client()
    pass_gate(stranger)
    refusals = [
        stranger.get(sent),
        stranger.get("/appointments/RH-NOSUCH/"),
        patient.get("/appointments/RH-NOSUCH/"),
    ]
    assert [refusal.status_code for refusal in refusals] == [404, 404, 404]
    assert len({refusal.content for refusal in refusals}) == 1


def test_the_request_is_never_called_booked_before_staff_confirm(
    patient: Client, visit_type: VisitType
) -> None:
    type_details(patient, visit_type)
    page = body(patient.get(send(patient, visit_type)["Location"]))
    assert re.findall(r"[^.>]*\bbooked\b[^.<]*", page) == ["It is not booked yet"]


def test_the_page_of_the_request_shows_no_health_answer(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type, any_precaution="yes", precautions=["blood"], note="Canary note")
    page = body(patient.get(send(patient, visit_type)["Location"]))
    assert [word for word in ("Canary", "blood thinners", "416-555-0188") if word in page] == []


@pytest.mark.parametrize(
    "status", [status for status in Status if status != Status.PROPOSED]
)  # that one needs times that are offered
def test_the_page_of_the_request_says_how_it_stands(
    patient: Client, visit_type: VisitType, status: Status
) -> None:
    type_details(patient, visit_type)
    sent = send(patient, visit_type)["Location"]
    Appointment.objects.update(status=status)
    page = body(patient.get(sent))
    assert f"<h1>{STANDING[status][0]}</h1>" in page
    assert ("What happens next" in page) == (status == Status.PENDING)


# --- Every page ------------------------------------------------------------------------------------------------


def test_no_page_is_kept_or_found_by_search_engines(patient: Client, visit_type: VisitType) -> None:
    gate, stop = Client().get("/book/"), Client().post("/book/", {"applies": "yes"})
    pages = [
        gate,
        stop,
        patient.get("/book/"),
        patient.get("/book/first-visit/"),
        patient.get(address(visit_type)),
    ]
    type_details(patient, visit_type)
    pages.append(patient.get(address(visit_type, page="health")))
    pages.append(patient.get(address(visit_type, page="check")))
    pages.append(patient.get(send(patient, visit_type)["Location"]))
    pages.append(patient.get(address(visit_type)))  # taken by now
    choose(patient, visit_type, wall(15))
    pages.append(patient.get(address(visit_type, wall(15))))
    assert [page.status_code for page in pages] == [200] * 8 + [409, 200]
    for page in pages:
        assert "no-store" in page["Cache-Control"]
        assert page["X-Robots-Tag"] == "noindex"
        assert '<meta name="robots" content="noindex">' in body(page)
        assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", body(page))


def test_health_answers_are_in_no_address_log_or_mail(
    patient: Client, visit_type: VisitType, caplog: pytest.LogCaptureFixture
) -> None:
    canaries = {"name": "Canaryname", "phone": "416-555-7777", "note": "Canarynote"}
    with caplog.at_level("DEBUG"):
        type_details(patient, visit_type, any_precaution="yes", precautions=["lymph"], **canaries)
        send(patient, visit_type)
    mails = "".join(mail.subject + mail.text + mail.html for mail in QueuedMail.objects.all())
    for word in ("Canarynote", "416-555-7777", "lymph", "Lymph"):
        assert word not in mails
        assert word not in caplog.text
    assert "Canaryname" not in caplog.text


HOSTILE = [
    "\x00", "9999-12-31", "0001-01-01", "10000-01-01", "-1", "9" * 400, "2027-02-30", "NaN", "\ud83d\ude00", "%00",
    "20270304T1030-0500", "99991231T2359-0500", "00010101T0000+0000", "20270304T1030+9999", "20270304T9930-0500",
    "' OR 1=1 --", "../../admin/", "\u0660\u0661", "a" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_nothing_that_is_sent_breaks_a_page(patient: Client, visit_type: VisitType, value: str) -> None:
    patient.raise_request_exception = False
    type_details(patient, visit_type)
    value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    check = address(visit_type, page="check")
    answers = [
        patient.get("/book/first-visit/", {"practitioner": value, "from": value, "day": value}),
        patient.get("/book/", {"next": value, "safety": value}),
        patient.post("/book/first-visit/", {"start": value, "practitioner": value}),
        patient.post("/book/first-visit/", {"start": times.write_start(wall(10)), "practitioner": value}),
        patient.post(check, {"consent": value, "key": value, "wants_articles": value}),
        patient.post("/book/", {"applies": value, "next": value}),
        patient.get(f"/appointments/{value}/"),
        patient.get(f"/book/{value}/"),
        patient.get(f"/book/first-visit/{value}/{value}/"),
        patient.get(f"/book/first-visit/anyone/{value}/check/"),
        patient.post("/book/", {"gate": value, "applies": "no", "checked": value, "next": f"/book/{value}"}),
        patient.post(address(visit_type), dict.fromkeys(TYPED, value)),
        patient.post(
            address(visit_type, page="health"), dict.fromkeys(TYPED, value) | {"precautions": [value, value]}
        ),
    ]
    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []


def test_a_time_far_away_is_taken_rather_than_an_error(patient: Client, visit_type: VisitType) -> None:
    for start in ("20000101T1000-0500", "22001231T1000-0500"):
        assert patient.get(f"/book/first-visit/anyone/{start}/").status_code == 409


@pytest.mark.parametrize("start", ["20270304T1030-0400", "20270304T1030+0000", "20270314T0230-0500"])
def test_a_time_that_no_clock_in_toronto_shows_is_not_found(
    patient: Client, visit_type: VisitType, start: str
) -> None:
    assert patient.get(f"/book/first-visit/anyone/{start}/").status_code == 404


def test_a_practitioner_who_does_not_give_the_visit_is_not_found(
    patient: Client, visit_type: VisitType
) -> None:
    other, room = make_practitioner(slug="other"), Resource.objects.rooms().get()
    for slug in (other.slug, room.slug, "nobody"):
        assert patient.get(address(visit_type, who=slug)).status_code == 404
    page = patient.post(
        "/book/first-visit/", {"start": times.write_start(wall(10)), "practitioner": other.slug}
    )
    assert "This practitioner is not available. Choose a time again." in body(page)


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_pages_answer_only_what_they_are_for(patient: Client, visit_type: VisitType, method: str) -> None:
    addresses = ["/book/", "/book/first-visit/"]
    addresses += [address(visit_type, page=page) for page in ("details", "health", "check")]
    assert [getattr(patient, method)(page).status_code for page in addresses] == [405] * 5


def test_looking_changes_nothing(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    before, held = dict(patient.session), list(Hold.objects.values())
    pages = ["/book/", "/book/?safety=again", "/book/?safety=urgent", "/book/first-visit/"]
    for page in (*pages, *(address(visit_type, page=name) for name in ("details", "health", "check"))):
        patient.get(page)
        patient.head(page)
    assert dict(patient.session) == before
    assert Appointment.objects.count() == 0
    assert list(Hold.objects.values()) == held


# --- Holding ---------------------------------------------------------------------------------------------------


def test_choosing_a_time_holds_it_and_the_page_says_until_when(
    patient: Client, visit_type: VisitType
) -> None:
    page = body(patient.get(choose(patient, visit_type)["Location"]))
    held = Hold.objects.get()
    assert (held.starts_at, held.visitor) == (wall(10), UUID(patient.session["visitor"]))
    until = f"{times.clock(held.expires_at)} {times.zone(held.expires_at)}".replace(times.NBSP, " ")
    assert f"We hold this time for you until {until}." in page


def test_looking_at_a_time_takes_nothing_and_a_button_holds_it(
    patient: Client, visit_type: VisitType
) -> None:
    page = body(patient.get(address(visit_type)))
    assert "This time is free" in page
    assert '<button class="btn" name="hold" value="1">' in page
    assert not Hold.objects.exists()

    pressed = patient.post(address(visit_type), {"hold": "1"})

    assert pressed["Location"] == address(visit_type)
    assert Hold.objects.get().starts_at == wall(10)
    assert 'id="id_name"' in body(patient.get(pressed["Location"]))


def test_the_time_that_one_holds_is_still_on_the_page_of_times(
    patient: Client, visit_type: VisitType
) -> None:
    choose(patient, visit_type)
    value = f'value="{times.write_start(wall(10))}"'
    day = {"day": times.local_day(wall(10)).isoformat()}
    assert value in body(patient.get("/book/first-visit/", day))
    other = Client()
    pass_gate(other)
    assert value not in body(other.get("/book/first-visit/", day))


def test_every_form_sent_holds_the_time_ten_minutes_more(patient: Client, visit_type: VisitType) -> None:
    choose(patient, visit_type)
    forms: list[Callable[[], Any]] = [
        lambda: type_details(patient, visit_type),
        lambda: type_details(patient, visit_type, email="nobody"),
        lambda: send(patient, visit_type, consent=""),
    ]
    for send_form in forms:
        Hold.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
        send_form()
        assert Hold.objects.get().expires_at > timezone.now() + timedelta(minutes=9)


def test_a_hold_that_ran_out_is_taken_again_by_the_next_form(patient: Client, visit_type: VisitType) -> None:
    choose(patient, visit_type)
    Hold.objects.update(expires_at=timezone.now())
    assert type_details(patient, visit_type)["Location"] == address(visit_type, page="check")
    Hold.objects.update(expires_at=timezone.now())
    page = body(patient.get(address(visit_type, page="check")))
    assert "We no longer hold this time for you, but it is still free." in page
    assert send(patient, visit_type).status_code == 302
    assert Occupancy.objects.filter(appointment=Appointment.objects.get()).count() == 2


def test_a_hold_that_ran_out_and_went_to_another_is_told_at_the_form_with_the_answers_kept(
    patient: Client, visit_type: VisitType
) -> None:
    choose(patient, visit_type)
    Hold.objects.update(expires_at=timezone.now())
    other = Client()
    pass_gate(other)
    assert choose(other, visit_type).status_code == 302

    page = type_details(patient, visit_type)

    assert page.status_code == 409
    assert "Your answers are kept." in body(page)


def test_a_third_request_while_two_wait_is_asked_to_call(patient: Client, visit_type: VisitType) -> None:
    for hour in (9, 11):
        ask(visit_type, wall(hour), details=replace(somebody(), email=TYPED["email"]))
    type_details(patient, visit_type)
    page = send(patient, visit_type)
    assert page.status_code == 429
    assert "Two of your requests are waiting already" in body(page)
    assert "905-555-0100" in body(page)
    assert "draft" in patient.session
