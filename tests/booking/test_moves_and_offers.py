"""Another time: moved by whoever may, or offered by the desk and taken by the patient."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from booking import operations
from booking.models import (
    Actor,
    Appointment,
    BookingRules,
    Occupancy,
    Offer,
    OfferNote,
    Resource,
    Status,
    VisitType,
)
from booking.operations import AlreadyDecided, OfferedTime, OfferEnded, TimeTaken
from clinic.models import QueuedMail
from tests.booking.factories import make_appointment, make_clinic, make_patient, needles, wall
from tests.booking.test_operations import ask, occupied, somebody, staff

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def move(appointment: Appointment, starts_at: datetime, **facts: Any) -> Appointment:
    given: dict[str, Any] = {
        "version": appointment.version,
        "by": None,
        "idempotency_key": uuid4(),
        "now": NOW,
    }
    return operations.move_appointment(appointment=appointment, starts_at=starts_at, **given | facts)


def book(visit_type: VisitType, starts_at: datetime, by: User, **facts: Any) -> Appointment:
    given: dict[str, Any] = {
        "practitioner": visit_type.practitioners.order_by("pk")[0],
        "patient": make_patient(),
        "idempotency_key": uuid4(),
        "now": NOW,
    }
    return operations.book_appointment(visit_type=visit_type, starts_at=starts_at, by=by, **given | facts)


def offer(appointment: Appointment, *starts: datetime, **facts: Any) -> Offer:
    given: dict[str, Any] = {
        "version": appointment.version,
        "by": facts.pop("by", None) or staff(),
        "idempotency_key": uuid4(),
        "now": NOW,
    }
    offered = [OfferedTime(start, appointment.practitioner) for start in starts]
    return operations.offer_other_times(appointment=appointment, offered=offered, **given | facts)


def accept(made: Offer, number: int = 0, **facts: Any) -> Appointment:
    appointment = Appointment.objects.get(offers=made)
    given: dict[str, Any] = {"version": appointment.version, "idempotency_key": uuid4(), "now": NOW}
    return operations.accept_offered_time(
        appointment=appointment, option=made.options.all()[number], **given | facts
    )


def ask_again(appointment: Appointment, starts_at: datetime, **facts: Any) -> Appointment:
    """None of the offered times suits, and the patient chooses another, with anyone."""
    given: dict[str, Any] = {
        "version": appointment.version,
        "practitioner": None,
        "idempotency_key": uuid4(),
        "now": NOW,
    }
    return operations.ask_for_another_time(appointment=appointment, starts_at=starts_at, **given | facts)


def kinds() -> list[str]:
    return list(QueuedMail.objects.order_by("pk").values_list("kind", flat=True))


class TestMoving:
    def test_the_new_time_is_taken_and_the_old_one_free(self) -> None:
        visit_type = make_clinic(phases=needles())
        appointment = ask(visit_type, wall(10))
        before = occupied(appointment)

        moved = move(appointment, wall(14))

        assert (moved.starts_at, moved.ends_at, moved.status, moved.version) == (
            wall(14),
            wall(14, 45),
            Status.PENDING,
            2,
        )
        assert occupied(moved) == before
        ask(visit_type, wall(10), details=somebody())

    def test_a_visit_may_move_onto_its_own_time(self) -> None:
        visit_type = make_clinic(phases=needles())
        appointment = make_appointment(visit_type, status=Status.BOOKED)
        assert move(appointment, wall(10, 15)).starts_at == wall(10, 15)

    def test_a_booked_visit_stays_booked_and_moves_in_the_calendar(self) -> None:
        visit_type = make_clinic()
        appointment = make_appointment(visit_type, status=Status.BOOKED)

        moved = move(appointment, wall(14))

        assert moved.status == Status.BOOKED
        assert kinds() == ["moved", "moved_by_patient"]
        calendar = QueuedMail.objects.get(kind="moved").calendar
        assert "METHOD:REQUEST" in calendar
        assert "SEQUENCE:1" in calendar

    def test_the_history_tells_who_moved_it(self) -> None:
        appointment = make_appointment(make_clinic(), status=Status.BOOKED)
        by = staff()
        moved = move(appointment, wall(14), by=by)
        last = moved.changes.last()
        assert last is not None
        assert (last.from_status, last.to_status, last.actor, last.by, last.reason, last.version) == (
            Status.BOOKED,
            Status.BOOKED,
            Actor.STAFF,
            by,
            "moved",
            2,
        )
        assert kinds() == ["moved"]

    def test_a_taken_time_refuses_the_move_and_keeps_the_old_one(self) -> None:
        visit_type = make_clinic()
        appointment = ask(visit_type, wall(10))
        ask(visit_type, wall(14), details=somebody())
        before, mailed = occupied(appointment), QueuedMail.objects.count()

        with pytest.raises(TimeTaken):
            move(appointment, wall(14, 15))

        appointment.refresh_from_db()
        assert (appointment.starts_at, appointment.version, occupied(appointment)) == (wall(10), 1, before)
        assert QueuedMail.objects.count() == mailed

    def test_a_patient_stays_with_the_practitioner_and_staff_may_change_it(self) -> None:
        visit_type = make_clinic(practitioners=2, rooms=2)
        first, second = visit_type.practitioners.order_by("pk")
        appointment = make_appointment(visit_type, practitioner=first, status=Status.BOOKED)

        assert move(appointment, wall(14), practitioner=second).practitioner == first
        appointment.refresh_from_db()
        assert move(appointment, wall(15), practitioner=second, by=staff()).practitioner == second

    def test_staff_are_not_bound_by_notice_and_patients_are(self) -> None:
        visit_type = make_clinic()
        BookingRules(notice_hours=72).save()
        appointment = make_appointment(visit_type, starts_at=wall(10, days_ahead=5), status=Status.BOOKED)
        with pytest.raises(TimeTaken):
            move(appointment, wall(14, days_ahead=2))
        assert move(appointment, wall(14, days_ahead=2), by=staff()).starts_at == wall(14, days_ahead=2)

    def test_the_same_form_sent_again_moves_once(self) -> None:
        appointment = make_appointment(make_clinic(), status=Status.BOOKED)
        key = uuid4()
        moved = move(appointment, wall(14), idempotency_key=key)
        again = move(appointment, wall(14), idempotency_key=key)
        assert (again, again.version, len(kinds())) == (moved, 2, 2)

    def test_whoever_looked_at_an_older_version_is_told(self) -> None:
        appointment = make_appointment(make_clinic(), status=Status.BOOKED)
        move(appointment, wall(14))
        with pytest.raises(AlreadyDecided):
            move(appointment, wall(16), version=1)

    def test_what_ended_cannot_move(self) -> None:
        appointment = make_appointment(make_clinic(), status=Status.CANCELLED)
        with pytest.raises(AlreadyDecided):
            move(appointment, wall(14))


class TestBookingAtTheDesk:
    def test_it_is_booked_at_once_and_confirmed_by_mail(self) -> None:
        appointment = book(make_clinic(), wall(10), staff())
        assert appointment.status == Status.BOOKED
        assert kinds() == ["confirmed"]
        assert [(row.from_status, row.to_status, row.actor) for row in appointment.changes.all()] == [
            ("", Status.BOOKED, Actor.STAFF)
        ]

    def test_the_same_form_sent_again_books_once(self) -> None:
        visit_type, by, key = make_clinic(), staff(), uuid4()
        first = book(visit_type, wall(10), by, idempotency_key=key)
        assert book(visit_type, wall(10), by, idempotency_key=key) == first
        assert Appointment.objects.count() == 1


class TestADeliberateOverlap:
    def may_overlap(self) -> User:
        by = staff()
        by.user_permissions.add(Permission.objects.get(codename="overlap_appointment"))
        return User.objects.get(pk=by.pk)

    def test_it_stands_in_a_lane_of_its_own_and_the_history_says_so(self) -> None:
        visit_type = make_clinic()
        room = Resource.objects.rooms().get()
        ask(visit_type, wall(10))

        family = [book(visit_type, wall(10), self.may_overlap(), over_in=room)]
        family.append(
            book(visit_type, wall(10, 15), User.objects.get(), patient=make_patient("Child"), over_in=room)
        )

        assert [set(one.occupancies.values_list("lane", flat=True)) for one in family] == [{1}, {2}]
        last = family[0].changes.last()
        assert last is not None
        assert last.reason == f"overlap in {room}"

    def test_only_whoever_may(self) -> None:
        visit_type = make_clinic()
        room = Resource.objects.rooms().get()
        ask(visit_type, wall(10))
        with pytest.raises(PermissionDenied):
            book(visit_type, wall(10), staff(), over_in=room)
        assert Appointment.objects.count() == 1

    def test_without_being_deliberate_it_is_refused_even_to_whoever_may(self) -> None:
        visit_type = make_clinic()
        ask(visit_type, wall(10))
        with pytest.raises(TimeTaken):
            book(visit_type, wall(10), self.may_overlap())

    def test_every_look_reads_every_lane(self) -> None:
        visit_type = make_clinic()
        room = Resource.objects.rooms().get()
        first = ask(visit_type, wall(10))
        book(visit_type, wall(10, 30), self.may_overlap(), over_in=room)
        operations.cancel_appointment(appointment=first, version=1, by=None, now=NOW)

        for minute in (0, 15, 30, 45):
            with pytest.raises(TimeTaken):
                ask(visit_type, wall(10, minute), details=somebody())
        ask(visit_type, wall(11, 15), details=somebody())

    def test_a_visit_can_be_moved_over_another(self) -> None:
        visit_type = make_clinic()
        by, room = self.may_overlap(), Resource.objects.rooms().get()
        ask(visit_type, wall(10))
        other = book(visit_type, wall(14), by)
        moved = move(other, wall(10), by=by, over_in=room, practitioner=other.practitioner)
        assert set(moved.occupancies.values_list("lane", flat=True)) == {1}


class TestOffers:
    def test_the_times_are_held_and_the_one_asked_for_is_free(self) -> None:
        visit_type = make_clinic()
        appointment = ask(visit_type, wall(10))

        made = offer(appointment, wall(12), wall(14))

        appointment.refresh_from_db()
        assert (appointment.status, appointment.version, occupied(appointment)) == (Status.PROPOSED, 2, [])
        assert [option.starts_at for option in made.options.all()] == [wall(12), wall(14)]
        for hour in (12, 14):
            with pytest.raises(TimeTaken):
                ask(visit_type, wall(hour), details=somebody())
        ask(visit_type, wall(10), details=somebody())

    def test_the_patient_is_told_of_them(self) -> None:
        made = offer(ask(make_clinic(), wall(10)), wall(12))
        text = QueuedMail.objects.get(kind="other_times_offered").text
        assert "12:00" in text
        assert made.expires_at == NOW + timedelta(hours=24)

    def test_the_times_of_one_offer_are_one_visit_of_those_taken_a_day(self) -> None:
        visit_type = make_clinic()
        visit_type.practitioners.update(visits_a_day=2)
        offer(ask(visit_type, wall(10)), wall(12), wall(14))
        ask(visit_type, wall(16), details=somebody())
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(17), details=somebody())

    def test_taking_one_books_it_and_frees_the_others(self) -> None:
        visit_type = make_clinic()
        made = offer(ask(visit_type, wall(10)), wall(12), wall(14))

        booked = accept(made, 1)

        assert (booked.status, booked.starts_at, booked.version) == (Status.BOOKED, wall(14), 3)
        assert len(occupied(booked)) == 2
        assert kinds()[-1] == "confirmed"
        ask(visit_type, wall(12), details=somebody())
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(14), details=somebody())

    def test_the_same_form_sent_again_takes_it_once(self) -> None:
        made, key = offer(ask(make_clinic(), wall(10)), wall(12)), uuid4()
        booked = accept(made, idempotency_key=key)
        again = accept(made, idempotency_key=key, version=2)
        assert (again, again.version, kinds().count("confirmed")) == (booked, 3, 1)

    def test_an_offer_that_ran_out_cannot_be_taken_and_holds_nothing(self) -> None:
        visit_type = make_clinic()
        made = offer(ask(visit_type, wall(10, days_ahead=4)), wall(12, days_ahead=4))
        later = made.expires_at
        with pytest.raises(OfferEnded):
            accept(made, now=later)
        ask(visit_type, wall(12, days_ahead=4), details=somebody(), now=later)

    def test_an_offer_ends_when_its_first_time_begins(self) -> None:
        BookingRules(offer_open_hours=24 * 7).save()
        assert offer(ask(make_clinic(), wall(10)), wall(14), wall(12)).expires_at == wall(12)

    def test_instead_the_patient_may_ask_for_another_time(self) -> None:
        visit_type = make_clinic()
        made = offer(ask(visit_type, wall(10)), wall(12), wall(14))
        appointment = Appointment.objects.get()

        asked = ask_again(appointment, wall(16))

        assert (asked.status, asked.starts_at, asked.version) == (Status.PENDING, wall(16), 3)
        assert kinds()[-2:] == ["received", "new_request"]
        assert not Occupancy.objects.filter(option__offer=made).exists()
        for hour in (12, 14):
            ask(visit_type, wall(hour), details=somebody())

    def test_asking_for_a_time_that_is_taken_keeps_the_offer(self) -> None:
        visit_type = make_clinic()
        made = offer(ask(visit_type, wall(10)), wall(12))
        ask(visit_type, wall(16), details=somebody())
        appointment = Appointment.objects.get(offers=made)
        with pytest.raises(TimeTaken):
            ask_again(appointment, wall(16))
        assert accept(made).starts_at == wall(12)

    def test_only_an_offer_is_answered(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        with pytest.raises(AlreadyDecided):
            ask_again(appointment, wall(16))

    def test_cancelling_frees_what_was_offered(self) -> None:
        visit_type = make_clinic()
        offer(ask(visit_type, wall(10)), wall(12))
        operations.cancel_appointment(
            appointment=Appointment.objects.get(), version=2, by=None, now=NOW, idempotency_key=uuid4()
        )
        assert not Occupancy.objects.exists()

    @pytest.mark.parametrize("note", [OfferNote.NEAREST, None])
    def test_the_mail_says_the_chosen_sentence_and_without_one_nothing_more(
        self, note: OfferNote | None
    ) -> None:
        made = offer(ask(make_clinic(), wall(10)), wall(12), note=note)
        assert Offer.objects.get(pk=made.pk).note == (note or "")
        mail = QueuedMail.objects.get(kind="other_times_offered")
        for part in (mail.text, mail.html):
            assert [each for each in OfferNote if str(each.label) in part] == ([note] if note else [])

    def test_the_database_refuses_a_sentence_that_is_not_on_the_list(self) -> None:
        made = offer(ask(make_clinic(), wall(10)), wall(12))
        with pytest.raises(IntegrityError, match="offer_known_note_to_a_request"), transaction.atomic():
            Offer.objects.filter(pk=made.pk).update(note="get well")

    @pytest.mark.parametrize("hours", [[], [11, 12, 13, 14]])
    def test_an_offer_has_one_to_three_times(self, hours: list[int]) -> None:
        with pytest.raises(ValueError, match="one to three"):
            offer(ask(make_clinic(), wall(10)), *[wall(hour) for hour in hours])

    def test_if_one_of_the_times_is_taken_nothing_is_offered(self) -> None:
        visit_type = make_clinic()
        appointment = ask(visit_type, wall(10))
        ask(visit_type, wall(14), details=somebody())
        with pytest.raises(TimeTaken):
            offer(appointment, wall(12), wall(14))
        appointment.refresh_from_db()
        assert (appointment.status, len(occupied(appointment)), Offer.objects.count()) == (
            Status.PENDING,
            2,
            0,
        )

    def test_a_request_that_was_answered_meanwhile_gets_no_offer(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        operations.cancel_appointment(appointment=appointment, version=1, by=None, now=NOW)
        with pytest.raises(AlreadyDecided):
            offer(appointment, wall(12), version=1)

    def test_an_option_of_an_older_offer_is_not_for_the_taking(self) -> None:
        visit_type = make_clinic()
        first = offer(ask(visit_type, wall(10)), wall(12))
        asked = ask_again(Appointment.objects.get(), wall(16))
        offer(asked, wall(17), by=User.objects.get())
        with pytest.raises(OfferEnded):
            accept(first)


@pytest.mark.parametrize("owners", ["none", "two"])
def test_time_taken_belongs_to_exactly_one_owner(owners: str) -> None:
    visit_type = make_clinic()
    appointment = ask(visit_type, wall(10))
    held = operations.hold_time(
        visitor=uuid4(), visit_type=visit_type, starts_at=wall(14), practitioner=None, now=NOW
    )
    change = "appointment_id = NULL" if owners == "none" else f"hold_id = {held.pk}"
    with (
        pytest.raises(IntegrityError, match="occupancy_one_owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE booking_occupancy SET {change} WHERE appointment_id = {appointment.pk}")  # noqa: S608
