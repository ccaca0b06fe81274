"""What a patient may ask of the clinic, and what is erased without being asked for when its time is over."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking import links, operations, records, times
from booking.models import (
    Actor,
    Appointment,
    CheckIn,
    Contact,
    OfferNote,
    Patient,
    Status,
    StatusChange,
    WaitlistEntry,
)
from booking.operations import NotOver, cancel_appointment, erase_outdated, erase_patient
from clinic.models import AuditRow, QueuedMail
from tests.booking.factories import make_appointment, make_clinic, make_patient, wall
from tests.booking.test_course_operations import request
from tests.booking.test_desk import make_staff, said, signed_in
from tests.booking.test_moves_and_offers import offer
from tests.booking.test_operations import PARISA, ask, somebody
from tests.booking.test_waitlist import join

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

NOW = datetime(2036, 11, 22, 15, tzinfo=UTC)  # the clock of what is erased by itself
ERASED = "name, email, phone, date_of_birth, marketing_consented_at, note, precautions, check_in, text, html, calendar"
CANARIES = ("Canary Karimi", "canary@example.com", "905-555-0177", "canary in the note", "blood")


@pytest.fixture
def officer() -> Client:
    """Signed in with a real password, which the desk asks for again."""
    return signed_in(
        make_staff("officer", "view_patient", "change_patient", "export_patient", "erase_patient")
    )


def page(patient: Patient, name: str = "rights") -> str:
    return reverse(f"admin:booking_patient_{name}", args=[patient.pk])


def known_patient() -> Patient:
    """Somebody who asked, came, answered questions before, waited for an earlier time and was written to."""
    details = replace(
        PARISA,
        name="Canary Karimi",
        email="canary@example.com",
        phone="905-555-0177",
        note="canary in the note",
        precautions={"blood": "yes"},
    )
    asked = ask(make_clinic(), starts_at=wall(10), details=details)
    now = timezone.now()
    operations.confirm_appointment(appointment=asked, version=1, by=make_staff("mei"), now=now)
    CheckIn.objects.create(
        appointment=asked, pain_now=7, pain_last_week=6, enjoyment=5, activity=4, answered_at=now
    )
    content_type = ContentType.objects.get_for_model(Patient)
    LogEntry.objects.create(
        user=make_staff("sara"),
        content_type=content_type,
        object_id=str(asked.patient_id),
        object_repr="Canary Karimi",
        action_flag=CHANGE,
    )
    return asked.patient


def everything() -> str:
    """Every column of every table that could name somebody."""
    tables: list[Any] = [
        Patient,
        Appointment,
        StatusChange,
        CheckIn,
        WaitlistEntry,
        QueuedMail,
        AuditRow,
        LogEntry,
    ]
    return json.dumps([list(table.objects.values()) for table in tables], default=str, ensure_ascii=False)


# --- A copy ---


def test_a_copy_holds_everything_that_is_kept_and_nobody_elses(officer: Client) -> None:
    patient = known_patient()
    make_patient("Tom Lee")
    answer = officer.post(page(patient, "export"), {"form": "file", "password": "pw"})
    assert answer["Content-Disposition"] == f'attachment; filename="record-{patient.pk}.json"'
    copy = answer.json()
    assert list(copy) == [
        "written_at",
        "person",
        "visits",
        "history",
        "check_ins",
        "offers",
        "offered_times",
        "courses",
        "waitlist",
        "mails",
        "trail",
    ]
    assert copy["person"][0]["name"] == "Canary Karimi"
    [visit] = copy["visits"]
    assert (visit["status"], visit["precautions"], visit["note"]) == (
        "booked",
        {"blood": "yes"},
        "canary in the note",
    )
    assert [change["to_status"] for change in copy["history"]] == ["pending", "booked"]
    assert copy["check_ins"][0]["pain_now"] == 7
    assert [mail["kind"] for mail in copy["mails"]] == ["received", "new_request", "confirmed"]
    assert "Tom Lee" not in answer.content.decode()
    assert links.address(Appointment.objects.get()) not in answer.content.decode()

    printed = officer.post(page(patient, "export"), {"form": "page", "password": "pw"}).content.decode()
    for words in ("Canary Karimi", "Bleeding / blood thinners", "canary in the note", "officer"):
        assert words in printed
    assert (
        list(AuditRow.objects.filter(act="export").values_list("kind", "people__person"))
        == [("patient export", patient.pk)] * 2
    )


def test_a_copy_needs_the_password_and_the_permission(officer: Client) -> None:
    patient = make_appointment().patient
    for password, says in (("", "Enter your password."), ("wrong", "This is not your password.")):
        answer = officer.post(page(patient, "export"), {"form": "file", "password": password})
        assert (answer.status_code, says in answer.content.decode()) == (403, True)
    mei = signed_in(make_staff("mei", "view_patient", "change_patient"))
    refused = [mei.get(page(patient)), mei.post(page(patient, "export")), mei.post(page(patient, "erase"))]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert not AuditRow.objects.filter(act="export").exists()


def test_everything_about_a_waiting_and_a_planning_person_can_be_copied() -> None:
    entry = join(make_clinic(rooms=0, practitioners=0), now=timezone.now())
    course = request(make_clinic(), details=somebody(), now=timezone.now())
    of_entry = {section.name: len(section.entries) for section in records.everything_about(entry.patient)}
    of_course = {section.name: len(section.entries) for section in records.everything_about(course.patient)}
    assert (of_entry["waitlist"], of_course["courses"], of_course["visits"]) == (1, 1, 3)


def test_the_copy_says_what_was_offered_and_with_which_sentence() -> None:
    asked = make_appointment()
    made = offer(asked, wall(12), note=OfferNote.CALL_US)
    sections = {section.name: section.entries for section in records.everything_about(asked.patient)}
    [facts] = sections["offers"]
    assert {fact.name: fact.words for fact in facts} == {
        "appointment": asked.reference,
        "entry": "–",
        "course": "–",
        "offered_at": times.moment(made.offered_at),
        "expires_at": times.moment(made.expires_at),
        "answer": "–",
        "note": OfferNote.CALL_US.label,
    }
    assert len(sections["offered_times"]) == 1


# --- Erasure ---


def test_nobody_is_erased_while_something_of_theirs_is_open(officer: Client) -> None:
    appointment = make_appointment()
    entry = join(make_clinic(rooms=0, practitioners=0), now=timezone.now())
    for patient, open_ in ((appointment.patient, appointment), (entry.patient, entry)):
        with pytest.raises(NotOver) as error:
            erase_patient(patient=patient, by=None, now=timezone.now())
        assert error.value.left == [open_]
        shown = officer.get(page(patient)).content.decode()
        assert "First end what is still to come" in shown
        assert open_.reference in shown


def test_who_never_had_a_visit_is_erased_at_once_and_times_and_trail_stay(officer: Client) -> None:
    patient = known_patient()
    StatusChange.objects.filter(to_status=Status.BOOKED).update(to_status=Status.PENDING)
    appointment = Appointment.objects.get()
    before = (appointment.starts_at, appointment.ends_at, appointment.reference, appointment.changes.count())
    link = links.token(appointment)
    Appointment.objects.update(status=Status.EXPIRED)
    officer.post(reverse("admin:booking_patient_reason", args=[patient.pk]), {"reason": "request"})
    assert all(canary in everything() for canary in CANARIES)

    unsure = officer.post(page(patient, "erase"), {"password": "pw"})
    assert "Tick that you have made sure." in unsure.content.decode()
    done = officer.post(page(patient, "erase"), {"password": "pw", "is_sure": "on"})
    assert said(done)[-1:] == ["Everything that tells who this person was is erased."]

    assert [canary for canary in CANARIES if canary in everything()] == []
    appointment.refresh_from_db()
    assert before == (
        appointment.starts_at,
        appointment.ends_at,
        appointment.reference,
        appointment.changes.count(),
    )
    assert str(appointment.patient) == "erased"
    assert links.opened_by(link, now=timezone.now()) is None
    assert not CheckIn.objects.exists()
    assert not appointment.contacts.exists()
    assert not QueuedMail.objects.waiting().exists()
    assert list(AuditRow.objects.filter(act="erase").values_list("actor__username", "subject", "fields")) == [
        (
            "officer",
            str(patient.pk),
            ERASED,
        )
    ]
    record = officer.get(reverse("admin:booking_patient_change", args=[patient.pk]))
    assert not record.context["has_change_permission"]


def test_a_record_of_visits_is_kept_and_the_page_says_until_when(officer: Client) -> None:
    patient = known_patient()
    Patient.objects.update(marketing_consented_at=timezone.now())
    appointment = Appointment.objects.get()
    cancel_appointment(appointment=appointment, version=2, by=make_staff("clerk"), now=timezone.now())
    officer.post(reverse("admin:booking_patient_reason", args=[patient.pk]), {"reason": "request"})
    until = records.kept_until(patient)
    assert until
    assert until == records.years_after(wall(10).date(), 10)
    assert str(until.year) in officer.get(page(patient)).content.decode()
    done = officer.post(page(patient, "erase"), {"password": "pw", "is_sure": "on"})
    assert said(done)[-1].startswith(
        "What is no part of the record is erased. The record itself is kept until"
    )
    patient.refresh_from_db()
    appointment.refresh_from_db()
    assert (patient.name, patient.marketing_consented_at) == ("Canary Karimi", None)
    assert (appointment.note, appointment.precautions) == ("canary in the note", {"blood": "yes"})


def test_records_that_were_merged_are_copied_and_erased_with_the_one_that_was_kept() -> None:
    kept, other = make_patient("Canary Karimi"), make_patient("Canary K.", email="canary@example.com")
    merge = operations.merge_patients(keep=kept, other=other, by=make_staff("mei"), now=timezone.now())
    [person, *_] = records.everything_about(merge.kept)
    assert [entry[0].value for entry in person.entries] == ["Canary Karimi", "Canary K."]
    erase_patient(patient=kept, by=None, now=timezone.now())
    assert list(Patient.objects.values_list("name", "email")) == [("", ""), ("", "")]
    assert set(AuditRow.objects.values_list("people__person", flat=True)) == {kept.pk, other.pk}


@pytest.mark.parametrize(
    ("born_on", "until"),
    [(None, date(2037, 3, 5)), (date(2012, 6, 1), date(2040, 6, 1)), (date(1980, 2, 29), date(2037, 3, 5))],
    ids=["grown up", "under age", "born on a leap day"],
)
def test_a_record_is_kept_ten_years_after_the_visit_or_after_turning_18(
    born_on: date | None, until: date
) -> None:
    patient = make_patient(date_of_birth=born_on)
    visit_type = make_clinic()
    for day in (4, 5):
        starts_at = datetime(2027, 3, day, 15, tzinfo=UTC)
        make_appointment(visit_type, starts_at=starts_at, patient=patient, status=Status.FULFILLED)
    assert records.kept_until(patient) == until


def test_the_29th_of_february_ends_on_the_first_of_march() -> None:
    assert records.years_after(date(2028, 2, 29), 10) == date(2038, 3, 1)


# --- What is erased by itself ---


def past_request(days_ago: int, status: Status = Status.DECLINED, **facts: Any) -> Appointment:
    """A request that ended so many days before the clock's day."""
    at = NOW - timedelta(days=days_ago)
    made = make_appointment(
        starts_at=at,
        status=status,
        requested_at=at,
        note="canary in the note",
        precautions={"blood": "yes"},
        **facts,
    )
    Patient.objects.filter(pk=made.patient_id).update(created_at=at)
    return made


def names() -> dict[str, str]:
    return dict(Appointment.objects.order_by("pk").values_list("patient__name", "note"))


@pytest.mark.parametrize(("days", "people"), [(89, 0), (91, 1)])
def test_a_request_that_became_no_visit_is_erased_after_90_days(days: int, people: int) -> None:
    request_ = past_request(days)
    assert erase_outdated(now=NOW).people == people
    request_.refresh_from_db()
    assert (request_.patient.is_erased, request_.note) == (
        (True, "") if people else (False, "canary in the note")
    )
    by_the_clock = AuditRow.objects.filter(actor=None).values_list("act", "people__person")
    assert list(by_the_clock) == [("erase", request_.patient_id)] * people
    assert erase_outdated(now=NOW).people == 0


@pytest.mark.parametrize(("days", "people"), [(3650, 0), (3654, 1)])
def test_a_record_of_visits_is_erased_after_ten_years(days: int, people: int) -> None:
    visit = past_request(days, Status.FULFILLED)
    assert erase_outdated(now=NOW).people == people
    visit.refresh_from_db()
    assert visit.patient.is_erased == bool(people)


@pytest.mark.parametrize(("born_on", "people"), [(date(2008, 11, 22), 1), (date(2008, 11, 23), 0)])
def test_a_record_of_somebody_under_age_waits_until_ten_years_after_18(born_on: date, people: int) -> None:
    past_request(3700, Status.FULFILLED, patient=make_patient(date_of_birth=born_on))
    assert erase_outdated(now=NOW).people == people


def test_who_still_waits_or_has_a_newer_visit_is_not_erased() -> None:
    entry = join(make_clinic(rooms=0, practitioners=0), now=NOW - timedelta(days=100))
    regular = past_request(4000, Status.FULFILLED)
    past_request(30, Status.FULFILLED, patient=regular.patient)
    Patient.objects.update(created_at=NOW - timedelta(days=4000))
    assert erase_outdated(now=NOW).people == 0
    entry.refresh_from_db()
    assert not entry.patient.is_erased


def test_of_a_patient_who_stays_only_the_old_request_loses_its_answers() -> None:
    regular = past_request(400, Status.FULFILLED)
    declined = past_request(91, patient=regular.patient)
    lately = past_request(80, patient=regular.patient)
    done = erase_outdated(now=NOW)
    assert (done.people, done.requests) == (0, 1)
    kept = dict(Appointment.objects.values_list("pk", "note"))
    assert kept == {regular.pk: "canary in the note", declined.pk: "", lately.pk: "canary in the note"}
    assert erase_outdated(now=NOW).requests == 0


def test_what_messages_said_is_erased_after_30_days_and_what_waits_is_not() -> None:
    appointment = past_request(40, Status.FULFILLED)

    def mail(days: int, **facts: Any) -> QueuedMail:
        at = NOW - timedelta(days=days)
        return QueuedMail.objects.create(
            kind="received",
            about=appointment.reference,
            to="canary@example.com",
            subject="We have your request",
            text="Text",
            html="<p>Text</p>",
            message_id=f"<{uuid4()}@clinic.invalid>",
            created_at=at,
            send_at=at,
            **facts,
        )

    sent, lately, waits, given_up = (
        mail(31, sent_at=NOW),
        mail(29, sent_at=NOW),
        mail(31),
        mail(31, parked_at=NOW),
    )
    assert erase_outdated(now=NOW).mails == 2
    texts = dict(QueuedMail.objects.values_list("pk", "text"))
    assert texts == {sent.pk: "", lately.pk: "Text", waits.pk: "Text", given_up.pk: ""}
    given_up.refresh_from_db()
    assert given_up.withdrawn_at == NOW
    rows = AuditRow.objects.filter(actor=None).values_list("act", "kind", "fields", "people__person")
    assert list(rows) == [("erase", "queuedmail", "text, html, calendar", appointment.patient_id)]


def test_a_visit_called_off_by_its_patient_after_it_was_confirmed_is_part_of_the_record() -> None:
    made = past_request(200, Status.CANCELLED)
    StatusChange.objects.create(
        appointment=made,
        version=2,
        from_status=Status.BOOKED,
        to_status=Status.BOOKED,
        at=NOW,
        actor=Actor.STAFF,
    )
    StatusChange.objects.update(at=NOW - timedelta(days=200))
    assert erase_outdated(now=NOW) == operations.Outdated(people=0, requests=0, mails=0)


def test_hashes_of_addresses_are_parted_from_who_is_erased() -> None:
    made = past_request(91)
    made.contacts.set([Contact.objects.create(key="0" * 64)])
    erase_outdated(now=NOW)
    assert not made.contacts.exists()
