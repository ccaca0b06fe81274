"""The desk: what staff see of requests and appointments, and what they can and cannot do to them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from booking import times
from booking.models import (
    Appointment,
    BookingRules,
    Closure,
    DeclineReason,
    ExtraHours,
    Occupancy,
    Patient,
    Phase,
    Resource,
    Status,
    VisitType,
    WorkingHours,
)
from booking.operations import cancel_appointment, confirm_appointment
from clinic.models import QueuedMail
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_hours,
    make_patient,
    make_practitioner,
    make_room,
    make_visit_type,
    phase,
    wall,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.ignore_template_errors,
]  # Django's own pages print what may be unset

TODAY = "/admin/"
LIST = "/admin/booking/appointment/"
XSS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</title><svg onload=alert(1)>",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "javascript:alert(1)//",
]


def page_of(appointment: Appointment) -> str:
    return reverse("admin:booking_appointment_change", args=[appointment.pk])


def act(appointment: Appointment, name: str) -> str:
    return reverse(f"admin:booking_appointment_{name}", args=[appointment.pk])


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def make_staff(username: str, *permissions: str) -> User:
    user = User.objects.create_user(username, password="pw", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*permissions, "see_every_patient"]))
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def with_a_reason(client: Client, patient: Patient) -> Client:
    """Who was asked why they open the record of this patient, whose visit is neither today nor tomorrow."""
    client.post(reverse("admin:booking_patient_reason", args=[patient.pk]), {"reason": "call"})
    return client


@pytest.fixture
def owner() -> Client:
    return signed_in(User.objects.create_superuser("owner", password="pw", first_name="Mei", last_name="Lin"))


@pytest.fixture
def receptionist() -> Client:
    return signed_in(make_staff("receptionist", "decide_appointment", "view_appointment"))


@pytest.fixture
def viewer() -> Client:
    return signed_in(make_staff("viewer", "view_appointment"))


# --- Today ------------------------------------------------------------------------------------------------------


def test_requests_wait_oldest_first(receptionist: Client) -> None:
    visit_type = make_clinic()
    now = timezone.now()
    newer = make_appointment(visit_type, starts_at=wall(10), requested_at=now - timedelta(hours=1))
    older = make_appointment(visit_type, starts_at=wall(14), requested_at=now - timedelta(hours=3))
    make_appointment(
        visit_type, starts_at=wall(16), status=Status.BOOKED, requested_at=now - timedelta(days=1)
    )
    response = receptionist.get(TODAY)
    assert [waiting.appointment for waiting in response.context["waiting"]] == [older, newer]
    assert "Asked 3\xa0hours ago." in response.content.decode()


def test_a_waiting_request_shows_all_that_is_needed_to_answer(receptionist: Client) -> None:
    appointment = make_appointment(
        patient=make_patient("Parisa Karimi"),
        language="fa",
        precautions={"blood": "yes", "faint": "not_sure"},
        note="Worse when sitting",
        anyone=True,
    )
    content = receptionist.get(TODAY).content.decode()
    for text in (
        times.moment(appointment.starts_at),
        str(appointment.visit_type),
        str(appointment.practitioner),
        "asked for anyone",
        "Parisa Karimi",
        "Persian",
        "New patient",
        "Bleeding / blood thinners</span>",
        "More bruising and bleeding; ask which medicine.",
        "May faint (not sure)</span>",
        "Treat lying down; eat beforehand.",
        "Worse when sitting",
    ):
        assert text in content
    assert appointment.answer_by
    assert f"Answer by {times.moment(appointment.answer_by)}." in content


def test_a_request_is_shown_within_its_practitioners_day(receptionist: Client) -> None:
    mei, sara = make_practitioner("Mei"), make_practitioner("Sara")
    make_room()
    second_room = make_room()
    visit_type = make_visit_type(practitioners=[mei, sara])
    before = make_appointment(visit_type, starts_at=wall(9), practitioner=mei, status=Status.BOOKED)
    asked = make_appointment(visit_type, starts_at=wall(11), practitioner=mei)
    after = make_appointment(visit_type, starts_at=wall(18), practitioner=mei, status=Status.BOOKED)
    make_appointment(visit_type, starts_at=wall(12), practitioner=mei, status=Status.CANCELLED)
    make_appointment(visit_type, starts_at=wall(9, days_ahead=3), practitioner=mei, status=Status.BOOKED)
    hers = make_appointment(visit_type, starts_at=wall(9), practitioner=sara, room=second_room)
    of_mei, of_sara = receptionist.get(TODAY).context["waiting"]
    assert [(visit.appointment, visit.is_this) for visit in of_mei.day] == [
        (before, False),
        (asked, True),
        (after, False),
    ]
    assert [(visit.appointment, visit.is_this) for visit in of_sara.day] == [(hers, True)]


@pytest.mark.parametrize(
    ("answer_by", "tag"),
    [
        (lambda: timezone.now() - timedelta(seconds=1), "Answer overdue"),
        (lambda: wall(0, days_ahead=1), "Answer today"),
        (lambda: wall(0, 1, days_ahead=1), None),
    ],
    ids=["past", "tonight", "tomorrow"],
)
def test_an_answer_that_is_due_is_marked(
    receptionist: Client, answer_by: Callable[[], datetime], tag: str | None
) -> None:
    make_appointment(answer_by=answer_by())
    content = receptionist.get(TODAY).content.decode()
    assert [text for text in ("Answer overdue", "Answer today") if text in content] == ([tag] if tag else [])


def test_todays_visits_stand_under_their_practitioners(receptionist: Client) -> None:
    mei, sara = make_practitioner("Mei", position=2), make_practitioner("Sara", position=1)
    rooms = [make_room(), make_room()]
    visit_type = make_visit_type(practitioners=[mei, sara])
    later = make_appointment(visit_type, starts_at=wall(15, days_ahead=0), practitioner=mei, room=rooms[0])
    early = make_appointment(
        visit_type, starts_at=wall(0, days_ahead=0), practitioner=mei, room=rooms[0], status=Status.BOOKED
    )
    hers = make_appointment(
        visit_type, starts_at=wall(23, days_ahead=0), practitioner=sara, room=rooms[1], status=Status.BOOKED
    )
    make_appointment(visit_type, starts_at=wall(0, days_ahead=1), practitioner=mei, room=rooms[0])
    make_appointment(
        visit_type, starts_at=wall(10, days_ahead=0), practitioner=mei, room=rooms[0], status=Status.CANCELLED
    )
    places = receptionist.get(TODAY).context["places"]
    assert [(place.resource, [visit.appointment for visit in place.visits]) for place in places] == [
        (sara, [hers]),
        (mei, [early, later]),
    ]


def test_mail_that_could_not_be_delivered_is_announced(owner: Client) -> None:
    confirmed(make_appointment())
    assert "could not be delivered" not in owner.get(TODAY).content.decode()
    QueuedMail.objects.update(parked_at=timezone.now())
    assert "1 e-mail could not be delivered." in owner.get(TODAY).content.decode()


def test_the_page_of_an_appointment_takes_fourteen_queries(receptionist: Client) -> None:
    appointment = confirmed(make_appointment())
    with_a_reason(receptionist, appointment.patient).get(page_of(appointment))
    with CaptureQueriesContext(connection) as queries:
        receptionist.get(page_of(appointment))
    assert len(queries) == 14


def test_an_article_editor_sees_no_patient() -> None:
    make_appointment(patient=make_patient("Parisa Karimi"))
    editor = signed_in(make_staff("editor", "change_article"))
    response = editor.get(TODAY)
    assert response.status_code == 200
    assert "Parisa" not in response.content.decode()
    assert editor.get(LIST).status_code == 403


# --- Answering --------------------------------------------------------------------------------------------------


def confirmed(appointment: Appointment) -> Appointment:
    by = User.objects.get_or_create(username="colleague", first_name="Sara", last_name="Moradi")[0]
    return confirm_appointment(
        appointment=appointment, version=appointment.version, by=by, now=timezone.now()
    )


def test_confirming_books_the_visit_writes_the_mail_and_returns(receptionist: Client) -> None:
    appointment = make_appointment(patient=make_patient("Parisa Karimi", email="parisa@example.com"))
    response = receptionist.post(act(appointment, "confirm") + "?next=/admin/", {"version": 1})
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert said(response) == [
        f"{appointment.reference} is now confirmed. The e-mail to Parisa Karimi is on its way."
    ]
    appointment.refresh_from_db()
    assert (appointment.status, appointment.version) == (Status.BOOKED, 2)
    change = appointment.changes.last()
    assert change
    assert (change.to_status, change.by and change.by.username) == (Status.BOOKED, "receptionist")
    assert [(mail.kind, mail.to) for mail in QueuedMail.objects.all()] == [
        ("confirmed", "parisa@example.com")
    ]


def test_staff_are_told_to_call_a_patient_without_an_address(receptionist: Client) -> None:
    appointment = make_appointment(patient=make_patient("Wing Chan", email=""))
    response = receptionist.post(act(appointment, "confirm"), {"version": 1})
    assert said(response) == [
        f"{appointment.reference} is now confirmed. Wing Chan gave no e-mail address: please call."
    ]


def test_declining_asks_for_the_reason_that_the_patient_reads(receptionist: Client) -> None:
    appointment = make_appointment()
    asked = receptionist.get(act(appointment, "decline"))
    assert asked.context["form"].initial == {"version": 1}
    for reason in DeclineReason:
        assert escape(str(reason.label), quote=False) in asked.content.decode()
    unanswered = receptionist.post(act(appointment, "decline"), {"version": 1})
    assert "Choose what the patient reads." in unanswered.content.decode()
    assert "<title>Error: Decline this request?" in unanswered.content.decode()
    assert Appointment.objects.get().status == Status.PENDING

    response = receptionist.post(act(appointment, "decline"), {"version": 1, "reason": DeclineReason.AWAY})
    assert (response.status_code, response["Location"]) == (302, page_of(appointment))
    assert Appointment.objects.get().status == Status.DECLINED
    assert not Occupancy.objects.exists()
    content = receptionist.get(page_of(appointment)).content.decode()
    assert str(DeclineReason.AWAY.label) in content


def test_cancelling_asks_first_and_frees_the_time(receptionist: Client) -> None:
    appointment = confirmed(make_appointment())
    assert "Cancel this appointment?" in receptionist.get(act(appointment, "cancel")).content.decode()
    assert Appointment.objects.get().status == Status.BOOKED
    receptionist.post(act(appointment, "cancel"), {"version": 2})
    assert Appointment.objects.get().status == Status.CANCELLED
    assert not Occupancy.objects.exists()


def test_only_a_post_confirms(receptionist: Client) -> None:
    appointment = make_appointment()
    assert receptionist.get(act(appointment, "confirm")).status_code == 405
    assert Appointment.objects.get().status == Status.PENDING


@pytest.mark.parametrize("name", ["confirm", "decline", "cancel"])
def test_a_post_without_the_csrf_token_is_refused(name: str) -> None:
    appointment = make_appointment()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_staff("receptionist", "decide_appointment", "view_appointment"))
    response = client.post(act(appointment, name), {"version": 1, "reason": "away"})
    assert response.status_code == 403
    assert Appointment.objects.get().status == Status.PENDING


@pytest.mark.parametrize("name", ["confirm", "decline", "cancel"])
def test_staff_without_the_permission_cannot_answer(viewer: Client, name: str) -> None:
    appointment = make_appointment()
    assert viewer.post(act(appointment, name), {"version": 1, "reason": "away"}).status_code == 403
    assert Appointment.objects.get().status == Status.PENDING
    for page in (TODAY, LIST, page_of(appointment)):
        response = viewer.get(page)
        assert response.status_code == 200
        assert act(appointment, name) not in response.content.decode()


@pytest.mark.parametrize("name", ["decline", "cancel"])
def test_staff_without_the_permission_are_not_even_asked(viewer: Client, name: str) -> None:
    assert viewer.get(act(make_appointment(), name)).status_code == 403


@pytest.mark.parametrize("name", ["confirm", "decline", "cancel"])
def test_strangers_are_sent_to_sign_in(client: Client, name: str) -> None:
    appointment = make_appointment()
    response = client.post(act(appointment, name), {"version": 1, "reason": "away"})
    assert response["Location"].startswith("/admin/login/")
    assert Appointment.objects.get().status == Status.PENDING


@pytest.mark.parametrize("name", ["confirm", "decline"])
def test_the_second_answer_is_told_who_was_first_and_changes_nothing(receptionist: Client, name: str) -> None:
    appointment = make_appointment()
    confirmed(appointment)
    change = appointment.changes.get(version=2)
    mails = QueuedMail.objects.count()
    response = receptionist.post(act(appointment, name) + "?next=/admin/", {"version": 1, "reason": "away"})
    assert response["Location"] == page_of(appointment)
    when = times.moment(change.at)
    assert said(response) == [
        f"{appointment.reference} was already confirmed (by Sara Moradi, {when}); nothing was changed."
    ]
    appointment.refresh_from_db()
    assert (appointment.status, appointment.version) == (Status.BOOKED, 2)
    assert (appointment.changes.count(), QueuedMail.objects.count()) == (2, mails)


def test_cancelling_what_a_colleague_confirmed_meanwhile_changes_nothing(receptionist: Client) -> None:
    appointment = make_appointment()
    confirmed(appointment)
    response = receptionist.post(act(appointment, "cancel"), {"version": 1})
    assert "was already confirmed (by Sara Moradi" in said(response)[0]
    assert Appointment.objects.get().status == Status.BOOKED


def test_a_request_that_the_patient_withdrew_is_said_to_be_so(receptionist: Client) -> None:
    appointment = make_appointment()
    cancel_appointment(appointment=appointment, version=1, by=None, now=timezone.now())
    response = receptionist.post(act(appointment, "confirm"), {"version": 1})
    assert "was already cancelled (by patient, " in said(response)[0]
    for name in ("decline", "cancel"):
        assert receptionist.get(act(appointment, name))["Location"] == page_of(appointment)


@pytest.mark.parametrize("name", ["confirm", "decline", "cancel"])
def test_an_old_page_of_a_request_that_still_waits_changes_nothing(receptionist: Client, name: str) -> None:
    appointment = make_appointment()
    Appointment.objects.update(version=3)
    response = receptionist.post(act(appointment, name), {"version": 1, "reason": "away"})
    assert said(response) == [
        f"{appointment.reference} has changed since you looked at it; nothing was changed."
    ]
    assert Appointment.objects.get().status == Status.PENDING


NONSENSE = {
    "missing": None,
    "empty": "",
    "a word": "x",
    "negative": "-1",
    "zero": "0",
    "a fraction": "1.5",
    "thirty digits": "9" * 30,
    "five thousand digits": "9" * 5000,
    "a NUL": "1\0",
    "a lone surrogate": "1\ud800",
}


@pytest.mark.parametrize("version", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("name", ["confirm", "decline", "cancel"])
def test_a_nonsense_version_changes_nothing(receptionist: Client, name: str, version: str | None) -> None:
    appointment = make_appointment()
    data = {"reason": "away"} | ({} if version is None else {"version": version})
    response = receptionist.post(
        act(appointment, name),
        urlencode(data, errors="surrogatepass"),
        content_type="application/x-www-form-urlencoded",
    )
    assert (response.status_code, response["Location"]) == (302, page_of(appointment))
    assert Appointment.objects.get().status == Status.PENDING


def test_an_appointment_that_does_not_exist_is_not_found(receptionist: Client) -> None:
    for pk in (1, 10**30):
        assert (
            receptionist.post(f"/admin/booking/appointment/{pk}/confirm/", {"version": 1}).status_code == 404
        )


@pytest.mark.parametrize(
    "elsewhere", ["https://example.com/", "//example.com", "javascript:alert(1)", "\\\\x", ""]
)
def test_the_way_back_never_leaves_the_host(receptionist: Client, elsewhere: str) -> None:
    appointment = make_appointment()
    asked = receptionist.get(act(appointment, "decline"), {"next": elsewhere})
    assert asked.context["back"] == page_of(appointment)
    response = receptionist.post(
        act(appointment, "confirm"), {"version": 1}, query_params={"next": elsewhere}
    )
    assert response["Location"] == page_of(appointment)


@pytest.mark.parametrize(
    "find",
    [lambda _: TODAY, lambda _: LIST + "?status__exact=pending", page_of],
    ids=["today", "list", "page"],
)
def test_every_place_offers_the_acts_on_the_version_it_shows(
    receptionist: Client, find: Callable[[Appointment], str]
) -> None:
    appointment = make_appointment(version=7, patient=make_patient("Parisa Karimi"))
    content = receptionist.get(find(appointment)).content.decode()
    assert f'name="version" value="7" formaction="{act(appointment, "confirm")}?next=' in content
    assert f'href="{act(appointment, "decline")}?next=' in content
    assert act(appointment, "cancel") not in content  # the page that declines says when to cancel
    assert f'<span class="rh-vh"> {appointment.reference} Parisa Karimi</span>' in content
    assert "csrfmiddlewaretoken" in content


def test_declining_says_what_to_do_if_the_patient_called_it_off(receptionist: Client) -> None:
    appointment = make_appointment()
    content = receptionist.get(act(appointment, "decline")).content.decode()
    assert "Has the patient called it off?" in content
    assert f'href="{act(appointment, "cancel")}"' in content


def test_what_is_decided_offers_no_answer_any_more(receptionist: Client) -> None:
    booked = confirmed(make_appointment())
    content = with_a_reason(receptionist, booked.patient).get(page_of(booked)).content.decode()
    assert act(booked, "confirm") not in content
    assert act(booked, "decline") not in content
    assert act(booked, "cancel") in content


# --- The appointment's page and list ---------------------------------------------------------------------------


def test_the_page_tells_the_history_and_the_mails(owner: Client) -> None:
    appointment = confirmed(make_appointment(patient=make_patient(email="parisa@example.com")))
    QueuedMail.objects.update(parked_at=timezone.now(), last_error="SMTPRecipientsRefused 550")
    page = with_a_reason(owner, appointment.patient).get(page_of(appointment))
    content = " ".join(page.content.decode().split())
    assert "waiting for an answer → confirmed" in content
    assert "Sara Moradi" in content
    assert "parisa@example.com" in content
    assert "given up" in content
    assert "SMTPRecipientsRefused 550" in content


@pytest.mark.parametrize(
    "term", ["{0.reference}", "karimi", "parisa@", "555-0199"], ids=["reference", "name", "e-mail", "phone"]
)
def test_an_appointment_is_found_by(receptionist: Client, term: str) -> None:
    patient = make_patient("Parisa Karimi", email="parisa@example.com", phone="905-555-0199")
    wanted = make_appointment(patient=patient)
    make_appointment(patient=make_patient("Tom Lee", email="tom@example.com"))
    found = receptionist.get(LIST, {"q": term.format(wanted)}).context["cl"].result_list
    assert list(found) == [wanted]


@pytest.mark.parametrize(
    ("when", "expected"),
    [("today", [0]), ("tomorrow", [1]), ("week", [0, 1, 6]), ("past", [-1]), ("nonsense", [-1, 0, 1, 6, 7])],
)
def test_the_list_is_narrowed_to_days(receptionist: Client, when: str, expected: list[int]) -> None:
    visit_type = make_clinic()
    for days_ahead in (-1, 0, 1, 6, 7):
        make_appointment(visit_type, starts_at=wall(10, days_ahead=days_ahead))
    found = receptionist.get(LIST, {"when": when}).context["cl"].result_list
    assert sorted(row.starts_at for row in found) == [wall(10, days_ahead=days) for days in expected]


def test_an_appointment_can_be_neither_typed_over_nor_added_nor_deleted(owner: Client) -> None:
    appointment = make_appointment()
    other = make_practitioner()
    before = Appointment.objects.values().get()
    everything = {
        "status": Status.BOOKED,
        "version": 9,
        "starts_at_0": "2030-01-01",
        "starts_at_1": "10:00",
        "starts_at": "2030-01-01T10:00",
        "practitioner": other.pk,
        "room": "",
        "note": "changed",
        "reference": "RH-XXXXXX",
        "action": "delete_selected",
        "_selected_action": appointment.pk,
        "post": "yes",
        "_save": "Save",
    }
    assert owner.post(page_of(appointment), everything).status_code == 403
    assert owner.post(LIST + "add/", everything).status_code == 403
    assert owner.post(page_of(appointment).replace("change", "delete"), everything).status_code == 403
    owner.post(LIST, everything)
    assert Appointment.objects.values().get() == before


def test_extra_fields_beside_an_answer_change_nothing_else(receptionist: Client) -> None:
    appointment = make_appointment()
    other = make_practitioner()
    before = Appointment.objects.values().get()
    receptionist.post(
        act(appointment, "confirm"),
        {
            "version": 1,
            "status": "fulfilled",
            "practitioner": other.pk,
            "starts_at": "2030-01-01",
            "note": "x",
        },
    )
    assert Appointment.objects.values().get() == before | {"status": Status.BOOKED, "version": 2}


@pytest.mark.parametrize("where", ["/admin/auth/group/1/delete/", "/admin/booking/closure/add/"])
def test_an_empty_column_to_look_rows_up_by_is_a_bad_request(owner: Client, where: str) -> None:
    assert owner.get(where, {"_to_field": ""}).status_code == 400
    assert owner.post(f"{where}?_to_field=id", {"_to_field": ""}).status_code == 400


@pytest.mark.parametrize("text", XSS)
def test_what_a_patient_typed_stays_text(owner: Client, text: str) -> None:
    patient = make_patient(text, phone=text[:40])
    appointment = make_appointment(patient=patient, note=text, precautions={"blood": "yes"})
    for page in (
        TODAY,
        LIST,
        page_of(appointment),
        act(appointment, "decline"),
        act(appointment, "cancel"),
        f"/admin/booking/patient/{patient.pk}/change/",
        "/admin/booking/patient/",
    ):
        content = owner.get(page).content.decode()
        assert escape(text) in content
        assert "<" not in text or text not in content
    receptionist_sees = owner.post(act(appointment, "confirm") + "?next=/admin/", {"version": 1}, follow=True)
    assert "<" not in text or text not in receptionist_sees.content.decode()


# --- What staff may change --------------------------------------------------------------------------------------


def saved(client: Client, address: str, data: dict[str, Any]) -> None:
    response = client.post(address, data)
    assert response.status_code == 302, response.context["errors"]


def rows(prefix: str, *forms: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """Inline rows as the browser posts them."""
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(forms), f"{prefix}-INITIAL_FORMS": initial}
    for number, form in enumerate(forms):
        data |= {f"{prefix}-{number}-{name}": value for name, value in form.items()}
    return data


def test_a_practitioner_is_added_and_given_hours(owner: Client) -> None:
    facts = {"name": "Mei Lin", "slug": "mei-lin", "title": "R. Ac", "position": 0, "is_active": "on"}
    saved(owner, "/admin/booking/resource/add/", facts | {"kind": "practitioner"})
    mei = Resource.objects.get()
    hours = {"weekday": 0, "opens": "09:00", "closes": "17:00"}
    extra = {"day": "2027-03-06", "opens": "10:00", "closes": "14:00"}
    saved(
        owner,
        f"/admin/booking/resource/{mei.pk}/change/",
        facts | {"visits_a_day": 12} | rows("working_hours", hours) | rows("extra_hours", extra),
    )
    assert [str(row) for row in WorkingHours.objects.all()] == ["Monday 09:00–17:00"]
    assert [str(row) for row in ExtraHours.objects.all()] == ["2027-03-06 10:00–14:00"]
    assert Resource.objects.get().visits_a_day == 12


def test_a_practitioner_never_turns_into_a_room(owner: Client) -> None:
    mei = make_practitioner("Mei Lin")
    facts = {"kind": "room", "name": "Mei Lin", "slug": mei.slug, "position": 0}
    no_rows = rows("working_hours") | rows("extra_hours")
    saved(owner, f"/admin/booking/resource/{mei.pk}/change/", facts | no_rows)
    assert Resource.objects.get().kind == Resource.Kind.PRACTITIONER


def test_a_room_has_no_hours(owner: Client) -> None:
    room = make_room()
    content = owner.get(f"/admin/booking/resource/{room.pk}/change/").content.decode()
    assert "working_hours" not in content
    assert "extra_hours" not in content


def test_a_practitioner_with_visits_is_not_deleted(owner: Client) -> None:
    appointment = make_appointment()
    make_hours(appointment.practitioner)
    owner.post(f"/admin/booking/resource/{appointment.practitioner_id}/delete/", {"post": "yes"})
    assert Resource.objects.filter(pk=appointment.practitioner_id).exists()


def test_a_visit_type_is_added_with_its_phases(owner: Client) -> None:
    mei = make_practitioner()
    facts = {"name": "First visit", "slug": "first", "summary": "New.", "start_every": 15, "position": 0}
    facts |= {"practitioners": mei.pk, "is_active": "on"}
    part = {"position": 1, "name": "Treatment", "minutes": 45, "may_stretch_by": 0, "needs_room": "on"}
    response = owner.post("/admin/booking/visittype/add/", facts | rows("phases"))
    assert "Please submit at least 1 form." in response.content.decode()
    saved(owner, "/admin/booking/visittype/add/", facts | rows("phases", part))
    assert list(VisitType.objects.get().practitioners.all()) == [mei]
    assert [(row.name, row.minutes, row.needs_practitioner) for row in Phase.objects.all()] == [
        ("Treatment", 45, False)
    ]


def test_changing_a_visit_type_moves_no_appointment(owner: Client) -> None:
    visit_type = make_clinic(phases=[phase(45)])
    make_appointment(visit_type)
    before = (Appointment.objects.values().get(), list(Occupancy.objects.values()))
    part = {
        "id": Phase.objects.get().pk,
        "position": 1,
        "name": "Treatment",
        "minutes": 60,
        "may_stretch_by": 0,
    }
    facts = {"name": "Long", "slug": visit_type.slug, "summary": "New.", "start_every": 15, "position": 0}
    facts |= {"practitioners": visit_type.practitioners.get().pk}
    saved(owner, f"/admin/booking/visittype/{visit_type.pk}/change/", facts | rows("phases", part, initial=1))
    assert Phase.objects.get().minutes == 60
    assert (Appointment.objects.values().get(), list(Occupancy.objects.values())) == before


def test_a_closure_is_entered_in_the_clinics_time(owner: Client) -> None:
    data = {
        "starts_at_0": "2027-07-01",
        "starts_at_1": "09:00",
        "ends_at_0": "2027-07-01",
        "ends_at_1": "17:00",
    }
    saved(owner, "/admin/booking/closure/add/", data)
    assert times.moment(Closure.objects.get().starts_at) == "Thursday 1\xa0July 2027, 9:00\xa0am\xa0EDT"
    assert "Whole clinic" in owner.get("/admin/booking/closure/").content.decode()
    backwards = owner.post("/admin/booking/closure/add/", data | {"ends_at_1": "08:00"})
    assert "A closure must end after it begins." in backwards.content.decode()


def test_a_proposed_closure_is_accepted_by_taking_its_tick_away(owner: Client) -> None:
    proposal = Closure.objects.create(
        starts_at=wall(0), ends_at=wall(0, days_ahead=3), reason="Canada Day", proposed=True
    )
    assert list(owner.get("/admin/booking/closure/?proposed__exact=1").context["cl"].result_list) == [
        proposal
    ]
    data = {
        "starts_at_0": "2027-07-01",
        "starts_at_1": "00:00",
        "ends_at_0": "2027-07-02",
        "ends_at_1": "00:00",
    }
    saved(owner, f"/admin/booking/closure/{proposal.pk}/change/", data | {"reason": "Canada Day"})
    assert list(Closure.objects.in_force()) == [proposal]


def test_proposed_closures_are_accepted_from_the_list_together(owner: Client) -> None:
    labour_day, christmas = (
        Closure.objects.create(
            starts_at=wall(0, days_ahead=days), ends_at=wall(0, days_ahead=days + 1), proposed=True
        )
        for days in (3, 9)
    )
    left = Closure.objects.create(
        starts_at=wall(0, days_ahead=20), ends_at=wall(0, days_ahead=21), proposed=True
    )
    form = {"action": "accept", "_selected_action": [labour_day.pk, christmas.pk]}
    answer = owner.post("/admin/booking/closure/", form)
    assert said(answer) == ["2 proposed closures are accepted: nothing can be booked then any more."]
    assert set(Closure.objects.in_force()) == {labour_day, christmas}
    assert said(owner.post("/admin/booking/closure/", form))[1:] == [
        "None of these was only proposed; nothing was changed."
    ]
    assert left not in Closure.objects.in_force()


def test_there_is_one_row_of_booking_rules_and_it_stays(owner: Client) -> None:
    rules = {"notice_hours": 5, "horizon_days": 60, "answer_within_hours": 24, "cancellation_hours": 24}
    rules["waitlist_open_minutes"] = 90
    saved(owner, "/admin/booking/bookingrules/add/", rules)
    assert BookingRules.current().notice_hours == 5
    assert owner.post("/admin/booking/bookingrules/add/", rules).status_code == 403
    assert owner.post("/admin/booking/bookingrules/1/delete/", {"post": "yes"}).status_code == 403
    saved(
        owner, "/admin/booking/bookingrules/1/change/", rules | {"notice_hours": 6, "keep_days_compact": "on"}
    )
    changed = BookingRules.current()
    assert (changed.notice_hours, changed.keep_days_compact) == (6, True)


def test_a_patient_is_corrected_and_nothing_of_the_visit_changes(owner: Client) -> None:
    appointment = make_appointment(patient=make_patient("Parisa"))
    before = Appointment.objects.values().get()
    data = {
        "name": "Parisa Karimi",
        "email": "p@example.com",
        "phone": "905-555-0199",
        "date_of_birth": "2010-02-03",
    }
    forged = {"id": appointment.pk, "patient": appointment.patient_id, "status": "booked", "note": "x"}
    saved(
        owner,
        f"/admin/booking/patient/{appointment.patient_id}/change/",
        data | {"created_at": "2020-01-01"} | rows("appointments", forged, initial=1),
    )
    patient = Patient.objects.get()
    assert (patient.name, patient.email, str(patient.date_of_birth)) == (
        "Parisa Karimi",
        "p@example.com",
        "2010-02-03",
    )
    assert patient.created_at == appointment.patient.created_at
    assert Appointment.objects.values().get() == before


def test_a_patient_is_deleted_only_without_appointments(owner: Client) -> None:
    with_visit, without = make_appointment().patient, make_patient("Nobody")
    assert owner.post(f"/admin/booking/patient/{with_visit.pk}/delete/", {"post": "yes"}).status_code == 403
    assert owner.post(f"/admin/booking/patient/{without.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(Patient.objects.all()) == [with_visit]


def test_mail_is_read_and_never_written(owner: Client) -> None:
    appointment = confirmed(make_appointment(patient=make_patient(email="parisa@example.com")))
    mail = QueuedMail.objects.get()
    QueuedMail.objects.update(text="<b>Dear you</b>")
    address = f"/admin/clinic/queuedmail/{mail.pk}/"
    content = owner.get(address + "change/").content.decode()
    assert "&lt;b&gt;Dear you&lt;/b&gt;" in content
    assert appointment.reference in content
    before = QueuedMail.objects.values().get()
    assert owner.post(address + "change/", {"to": "thief@example.com", "text": "x"}).status_code == 403
    assert owner.post(address + "delete/", {"post": "yes"}).status_code == 403
    assert owner.post("/admin/clinic/queuedmail/add/", {}).status_code == 403
    assert QueuedMail.objects.values().get() == before


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "waiting"),
        ({"sent_at": 0}, "sent"),
        ({"parked_at": 0, "last_error": "SMTPDataError 554"}, "parked"),
    ],
)
def test_the_list_of_mail_says_what_became_of_each(owner: Client, fields: dict[str, Any], state: str) -> None:
    confirmed(make_appointment())
    now = timezone.now()
    QueuedMail.objects.update(**{name: now if value == 0 else value for name, value in fields.items()})
    address = "/admin/clinic/queuedmail/"
    shown = {
        name: owner.get(address, {"state": name}).context["cl"].result_count
        for name in ("waiting", "sent", "parked")
    }
    assert shown == {"waiting": 0, "sent": 0, "parked": 0} | {state: 1}
    words = {"waiting": "waiting", "sent": f"sent {times.moment(now)}", "parked": "SMTPDataError 554"}[state]
    assert words in owner.get(address).content.decode()
