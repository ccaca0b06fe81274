"""What an operation promises: all of it happens, with its history and its mail, or nothing does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from booking import operations, queries, times
from booking.models import (
    TRANSITIONS,
    Actor,
    Appointment,
    BookingRules,
    DeclineReason,
    Occupancy,
    Patient,
    Resource,
    Status,
    StatusChange,
    VisitType,
)
from booking.operations import AlreadyDecided, Details, TimeTaken
from clinic.models import QueuedMail
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_closure,
    make_hours,
    make_practitioner,
    make_room,
    make_visit_type,
    needles,
    phase,
    wall,
)

pytestmark = pytest.mark.django_db

PARISA = Details(
    name="Parisa Karimi",
    email="parisa@example.com",
    phone="416-555-0188",
    language="fa",
    new_patient=True,
    precautions={"blood": "yes", "faint": "not_sure"},
    note="Low back pain since autumn",
    consent_version="2026-11",
    wants_articles=False,
)


def somebody(**facts: Any) -> Details:
    """A person of their own, who has asked for nothing before."""
    number = uuid4().int
    return replace(PARISA, email=f"{number}@example.com", phone=f"416-555-{number % 10_000_000:07}", **facts)


def ask(visit_type: VisitType, starts_at: datetime, **facts: Any) -> Appointment:
    given: dict[str, Any] = {
        "practitioner": None,
        "details": PARISA,
        "idempotency_key": uuid4(),
        "now": timezone.now(),
    }
    return operations.request_appointment(visit_type=visit_type, starts_at=starts_at, **given | facts)


def staff() -> User:
    return User.objects.create_user("desk", is_staff=True)


def occupied(appointment: Appointment) -> list[tuple[int, int, int]]:
    """Resource, and the minutes from the visit's start at which it is taken and free again."""
    start = appointment.starts_at
    return [
        (row.resource_id, int((row.starts_at - start).seconds / 60), int((row.ends_at - start).seconds / 60))
        for row in appointment.occupancies.order_by("resource", "starts_at")
    ]


def mails(appointment: Appointment) -> list[tuple[str, str]]:
    return sorted(QueuedMail.objects.filter(about=appointment.reference).values_list("kind", "to"))


class TestARequest:
    def test_it_waits_for_an_answer_and_keeps_what_was_said(self) -> None:
        visit_type = make_clinic()
        now = timezone.now()

        appointment = ask(visit_type, wall(10), now=now)

        appointment.refresh_from_db()
        assert appointment.status == Status.PENDING
        assert (appointment.starts_at, appointment.ends_at) == (wall(10), wall(10, 45))
        assert (appointment.anyone, appointment.language, appointment.new_patient) == (True, "fa", True)
        assert [(flag.text, flag.is_sure) for flag in appointment.flags] == [
            ("Bleeding / blood thinners", True),
            ("May faint", False),
        ]
        assert appointment.answer_by == now + timedelta(hours=24)
        assert (appointment.consent_version, appointment.consented_at) == ("2026-11", now)
        assert appointment.patient.name == "Parisa Karimi"
        assert appointment.patient.marketing_consented_at is None

    def test_it_is_answered_by_a_mail_to_the_patient_and_told_to_the_desk(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        assert mails(appointment) == [
            ("new_request", "desk@clinic.invalid"),
            ("received", "parisa@example.com"),
        ]

    def test_it_begins_the_history(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        assert list(appointment.changes.values_list("version", "from_status", "to_status", "actor")) == [
            (1, "", Status.PENDING, Actor.PATIENT)
        ]

    def test_the_practitioner_is_free_while_the_needles_rest_and_the_room_is_taken_throughout(self) -> None:
        visit_type = make_clinic(phases=needles())

        appointment = ask(visit_type, wall(10))

        assert appointment.room_id is not None
        assert occupied(appointment) == sorted(
            [
                (appointment.practitioner_id, 0, 20),
                (appointment.practitioner_id, 40, 45),
                (appointment.room_id, 0, 55),
            ]
        )
        assert appointment.ends_at == wall(10, 45), "the patient does not stay for the turnover"

    def test_a_taken_time_is_refused_and_leaves_nothing(self) -> None:
        visit_type = make_clinic()
        ask(visit_type, wall(10))
        before = (Appointment.objects.count(), Patient.objects.count(), QueuedMail.objects.count())

        for minute in (0, 15, 30):
            with pytest.raises(TimeTaken):
                ask(visit_type, wall(10, minute))

        assert (Appointment.objects.count(), Patient.objects.count(), QueuedMail.objects.count()) == before
        ask(visit_type, wall(10, 45))

    def test_anyone_is_the_least_busy_practitioner_that_day(self) -> None:
        visit_type = make_clinic(practitioners=2, rooms=2)
        busy, idle = visit_type.practitioners.order_by("pk")
        ask(visit_type, wall(14), practitioner=busy)

        assert ask(visit_type, wall(10)).practitioner == idle

    def test_a_named_practitioner_is_kept(self) -> None:
        visit_type = make_clinic(practitioners=2, rooms=2)
        named = visit_type.practitioners.order_by("pk")[1]
        ask(visit_type, wall(14), practitioner=named)

        appointment = ask(visit_type, wall(10), practitioner=named)

        assert (appointment.practitioner, appointment.anyone) == (named, False)

    def test_a_room_of_its_own_is_needed(self) -> None:
        visit_type = make_clinic(practitioners=2, rooms=1)
        ask(visit_type, wall(10))
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(10))

    @pytest.mark.parametrize(
        "moment",
        [
            pytest.param(lambda: wall(8, 45), id="before hours"),
            pytest.param(lambda: wall(18, 30), id="ends after hours"),
            pytest.param(lambda: wall(10, 5), id="off the quarter hours"),
            pytest.param(lambda: timezone.now() - timedelta(days=1), id="in the past"),
            pytest.param(lambda: wall(10, days_ahead=95), id="past the horizon"),
        ],
    )
    def test_only_a_time_that_was_on_offer_can_be_asked_for(self, moment: Any) -> None:
        visit_type = make_clinic()
        with pytest.raises(TimeTaken):
            ask(visit_type, moment())

    def test_the_notice_is_kept_to_the_minute(self) -> None:
        visit_type = make_clinic()
        BookingRules(notice_hours=12).save()
        start = wall(12)
        ask(visit_type, start, now=start - timedelta(hours=12))
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(13), now=wall(13) - timedelta(hours=12) + timedelta(seconds=1))

    def test_a_closure_of_the_clinic_a_practitioner_or_the_room_is_kept(self) -> None:
        visit_type = make_clinic()
        practitioner, room = Resource.objects.practitioners().get(), Resource.objects.rooms().get()
        make_closure(wall(9), wall(10))
        make_closure(wall(11), wall(12), practitioner)
        make_closure(wall(13), wall(14), room)
        for hour in (9, 11, 13):
            with pytest.raises(TimeTaken):
                ask(visit_type, wall(hour))
        ask(visit_type, wall(10))
        ask(visit_type, wall(12))

    def test_a_practitioner_gives_only_their_visit_types(self) -> None:
        visit_type = make_clinic()
        other = make_practitioner()
        make_hours(other)
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(10), practitioner=other)

    def test_hours_hold_only_while_they_are_valid(self) -> None:
        practitioner = make_practitioner()
        make_hours(practitioner, valid_from=times.local_day(wall(0, days_ahead=5)))
        make_room()
        visit_type = make_visit_type(practitioners=[practitioner])
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(10, days_ahead=4))
        ask(visit_type, wall(10, days_ahead=5))

    def test_the_room_is_made_ready_within_the_clinics_hours(self) -> None:
        visit_type = make_clinic(phases=needles())
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(18, 15))
        assert occupied(ask(visit_type, wall(18)))[-1][2] == 55

    def test_the_same_form_sent_again_makes_nothing_new(self) -> None:
        visit_type = make_clinic()
        key = UUID("6f1b2c3d-0000-4000-8000-000000000001")
        first = ask(visit_type, wall(10), idempotency_key=key)

        again = ask(visit_type, wall(10), idempotency_key=key)

        assert again == first
        assert (Appointment.objects.count(), QueuedMail.objects.count()) == (1, 2)

    def test_an_address_that_is_two_is_refused_and_leaves_nothing(self) -> None:
        visit_type = make_clinic()
        two = replace(PARISA, email="a@x.ca, b@y.ca")
        with pytest.raises(ValidationError):
            ask(visit_type, wall(10), details=two)
        assert (Appointment.objects.count(), Occupancy.objects.count(), QueuedMail.objects.count()) == (
            0,
            0,
            0,
        )


class TestADecision:
    def test_confirming_books_the_visit_and_sends_the_invitation(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        before = occupied(appointment)
        by = staff()

        confirmed = operations.confirm_appointment(
            appointment=appointment, version=1, by=by, now=timezone.now()
        )

        assert (confirmed.status, confirmed.version) == (Status.BOOKED, 2)
        assert occupied(confirmed) == before
        assert [(row.to_status, row.actor, row.by) for row in confirmed.changes.all()] == [
            (Status.PENDING, Actor.PATIENT, None),
            (Status.BOOKED, Actor.STAFF, by),
        ]
        mail = QueuedMail.objects.get(kind="confirmed")
        assert (mail.to, mail.calendar_method) == ("parisa@example.com", "REQUEST")

    def test_declining_frees_the_time_and_names_the_next_free_ones(self) -> None:
        visit_type = make_clinic()
        appointment = ask(visit_type, wall(10))

        declined = operations.decline_appointment(
            appointment=appointment, version=1, reason=DeclineReason.AWAY, by=staff(), now=timezone.now()
        )

        assert declined.status == Status.DECLINED
        assert occupied(declined) == []
        assert declined.changes.get(version=2).reason == DeclineReason.AWAY
        text = QueuedMail.objects.get(kind="declined").text
        assert "The practitioner is away at this time." in text
        assert times.moment(wall(9)) in text
        ask(visit_type, wall(10))

    @pytest.mark.parametrize("by_staff", [True, False])
    def test_cancelling_frees_the_time_whoever_calls_it_off(self, *, by_staff: bool) -> None:
        visit_type = make_clinic()
        appointment = ask(visit_type, wall(10))
        by = staff() if by_staff else None

        cancelled = operations.cancel_appointment(
            appointment=appointment, version=1, by=by, now=timezone.now()
        )

        assert (cancelled.status, occupied(cancelled)) == (Status.CANCELLED, [])
        assert cancelled.changes.get(version=2).actor == (Actor.STAFF if by_staff else Actor.PATIENT)
        assert QueuedMail.objects.get(kind="cancelled").calendar == ""
        ask(visit_type, wall(10))

    def test_a_confirmed_visit_that_is_cancelled_leaves_the_patients_calendar(self) -> None:
        appointment = make_appointment(status=Status.BOOKED)
        operations.cancel_appointment(appointment=appointment, version=1, by=staff(), now=timezone.now())
        mail = QueuedMail.objects.get(kind="cancelled")
        assert mail.calendar_method == "CANCEL"
        assert "METHOD:CANCEL" in mail.calendar

    def test_the_second_of_two_deciding_is_told_and_overwrites_nothing(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        first = staff()
        operations.confirm_appointment(appointment=appointment, version=1, by=first, now=timezone.now())
        mailed = QueuedMail.objects.count()

        decisions: list[Callable[[], object]] = [
            lambda: operations.confirm_appointment(
                appointment=appointment, version=1, by=first, now=timezone.now()
            ),
            lambda: operations.decline_appointment(
                appointment=appointment, version=1, reason=DeclineReason.AWAY, by=first, now=timezone.now()
            ),
            lambda: operations.cancel_appointment(
                appointment=appointment, version=1, by=None, now=timezone.now()
            ),
        ]
        for decide in decisions:
            with pytest.raises(AlreadyDecided) as told:
                decide()
            assert told.value.appointment.status == Status.BOOKED

        appointment.refresh_from_db()
        assert (appointment.status, appointment.version) == (Status.BOOKED, 2)
        assert (StatusChange.objects.count(), QueuedMail.objects.count()) == (2, mailed)

    def test_what_ended_cannot_be_decided_again(self) -> None:
        appointment = make_appointment(status=Status.CANCELLED)
        with pytest.raises(AlreadyDecided):
            operations.confirm_appointment(appointment=appointment, version=1, by=staff(), now=timezone.now())

    def test_somebody_who_gave_no_address_gets_no_mail(self) -> None:
        appointment = make_appointment()
        Patient.objects.update(email="")
        operations.confirm_appointment(appointment=appointment, version=1, by=staff(), now=timezone.now())
        assert not QueuedMail.objects.exists()


def test_the_history_of_an_appointment_is_never_rewritten() -> None:
    change = make_appointment().changes.get()
    change.to_status = Status.BOOKED
    with pytest.raises(TypeError):
        change.save()


def test_every_change_of_status_stands_in_the_table_of_who_may_make_it() -> None:
    """The table of the product's description, written out a second time."""
    patient, desk, clock = Actor.PATIENT, Actor.STAFF, Actor.CLOCK
    assert {
        change: (set(transition.actors), transition.notice) for change, transition in TRANSITIONS.items()
    } == {
        ("", "pending"): ({patient}, "received"),
        ("", "booked"): ({patient, desk}, "confirmed"),
        ("pending", "booked"): ({desk}, "confirmed"),
        ("pending", "declined"): ({desk}, "declined"),
        ("pending", "proposed"): ({desk}, "other_times_offered"),
        ("proposed", "booked"): ({patient}, "confirmed"),
        ("proposed", "pending"): ({patient}, "received"),
        ("pending", "expired"): ({clock}, "expired"),
        ("proposed", "expired"): ({clock}, "expired"),
        ("pending", "cancelled"): ({patient, desk}, "cancelled"),
        ("proposed", "cancelled"): ({patient, desk}, "cancelled"),
        ("booked", "cancelled"): ({patient, desk}, "cancelled"),
        ("booked", "arrived"): ({desk}, ""),
        ("booked", "noshow"): ({desk}, ""),
        ("arrived", "fulfilled"): ({desk}, ""),
        ("noshow", "booked"): ({desk}, ""),
        ("arrived", "booked"): ({desk}, ""),
        ("fulfilled", "arrived"): ({desk}, ""),
    }


@pytest.mark.parametrize(
    ("day", "opens", "closes", "expected"),
    [
        # 14 March 2027: 2:00 to 3:00 does not exist.
        (date(2027, 3, 14), time(0), time(5), ["0000-0500", "0100-0500", "0300-0400", "0400-0400"]),
        # 7 November 2027: 1:00 to 2:00 happens twice.
        (date(2027, 11, 7), time(0), time(3), ["0000-0400", "0100-0400", "0100-0500", "0200-0500"]),
    ],
    ids=["spring", "autumn"],
)
def test_on_the_days_the_clock_changes_every_opening_is_a_real_hour(
    day: date, opens: time, closes: time, expected: list[str]
) -> None:
    practitioner = make_practitioner()
    make_hours(practitioner, opens=opens, closes=closes)
    make_room()
    visit_type = make_visit_type(practitioners=[practitioner], phases=[phase(60)], start_every=60)
    now = datetime.combine(day - timedelta(days=2), time(12), tzinfo=times.ZONE)

    found = queries.find_openings(visit_type, first_on=day, last_on=day, rules=BookingRules(), now=now)

    starts = [times.from_epoch(start) for start in found.starts()]
    assert [times.write_start(at).split("T")[1] for at in starts] == expected
    for at in starts:
        assert ask(visit_type, at, now=now, details=somebody()).starts_at == at
