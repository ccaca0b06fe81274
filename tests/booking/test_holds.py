"""A time kept while the form is filled in: nobody else gets it, and nobody keeps it for ever."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from booking import operations, queries, times
from booking.models import HELD_FOR, Appointment, BookingRules, Hold, Occupancy, VisitType
from booking.operations import TimeTaken, TooManyPending
from tests.booking.factories import make_clinic, wall
from tests.booking.test_operations import ask, occupied, somebody

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ME, OTHER = uuid4(), uuid4()


def hold(
    visit_type: VisitType, hour: int = 10, minute: int = 0, *, visitor: UUID = ME, now: datetime = NOW
) -> Hold:
    return operations.hold_time(
        visitor=visitor, visit_type=visit_type, starts_at=wall(hour, minute), practitioner=None, now=now
    )


def test_a_time_that_is_held_is_taken_for_everybody_else() -> None:
    visit_type = make_clinic()
    held = hold(visit_type)

    assert held.expires_at == NOW + timedelta(minutes=10)
    with pytest.raises(TimeTaken):
        hold(visit_type, visitor=OTHER)
    with pytest.raises(TimeTaken):
        ask(visit_type, wall(10), now=NOW)


def test_it_is_free_to_whoever_holds_it() -> None:
    visit_type = make_clinic()
    held = hold(visit_type)
    day = times.local_day(wall(10))

    def starts(but: Hold | None) -> list[int]:
        found = queries.find_openings(
            visit_type, first_on=day, last_on=day, rules=BookingRules(), now=NOW, but=but
        )
        return found.starts()

    ten = int(wall(10).timestamp())
    assert (ten in starts(None), ten in starts(held)) == (False, True)


def test_choosing_another_time_moves_the_hold() -> None:
    visit_type = make_clinic()
    hold(visit_type, 10)
    hold(visit_type, 14)

    assert [row.starts_at for row in Hold.objects.all()] == [wall(14)]
    hold(visit_type, 10, visitor=OTHER)


def test_choosing_a_time_that_is_taken_keeps_what_one_held() -> None:
    visit_type = make_clinic()
    hold(visit_type, 10)
    ask(visit_type, wall(14), now=NOW)
    with pytest.raises(TimeTaken):
        hold(visit_type, 14)
    assert Hold.objects.get().starts_at == wall(10)


def test_the_same_time_again_is_held_ten_minutes_more() -> None:
    visit_type = make_clinic()
    first = hold(visit_type)
    again = hold(visit_type, now=NOW + timedelta(minutes=9))
    assert (again.pk, again.expires_at) == (first.pk, NOW + timedelta(minutes=19))


def test_a_hold_that_ran_out_is_nobodys_without_anybody_cleaning_up() -> None:
    visit_type = make_clinic()
    hold(visit_type)

    with pytest.raises(TimeTaken):
        hold(visit_type, visitor=OTHER, now=NOW + HELD_FOR - timedelta(seconds=1))
    taken = hold(visit_type, visitor=OTHER, now=NOW + HELD_FOR)

    assert {row.hold_id for row in Occupancy.objects.all()} == {taken.pk}


def test_the_finder_passes_over_what_ran_out() -> None:
    visit_type = make_clinic()
    hold(visit_type)
    for later, free in ((HELD_FOR - timedelta(seconds=1), False), (HELD_FOR, True)):
        opening = queries.opening_at(
            visit_type, wall(10), practitioner=None, rules=BookingRules(), now=NOW + later
        )
        assert (opening is not None) == free


def test_it_becomes_the_request_with_the_very_room_and_practitioner() -> None:
    visit_type = make_clinic(practitioners=2, rooms=2)
    held = hold(visit_type)
    before = sorted(held.occupancies.values_list("pk", "resource"))

    appointment = ask(visit_type, wall(10), visitor=ME, now=NOW + timedelta(minutes=5))

    assert (appointment.practitioner, appointment.room) == (held.practitioner, held.room)
    assert sorted(appointment.occupancies.values_list("pk", "resource")) == before
    assert not Hold.objects.exists()


def test_a_request_whose_hold_ran_out_takes_the_time_again_while_it_is_free() -> None:
    visit_type = make_clinic()
    hold(visit_type)
    appointment = ask(visit_type, wall(10), visitor=ME, now=NOW + timedelta(minutes=30))
    assert len(occupied(appointment)) == 2
    assert not Hold.objects.exists()


def test_a_request_whose_hold_ran_out_and_went_to_another_is_refused() -> None:
    visit_type = make_clinic()
    hold(visit_type)
    hold(visit_type, visitor=OTHER, now=NOW + timedelta(minutes=11))
    with pytest.raises(TimeTaken):
        ask(visit_type, wall(10), visitor=ME, now=NOW + timedelta(minutes=12))


def test_asking_for_another_time_than_the_one_held_frees_the_one_held() -> None:
    visit_type = make_clinic()
    hold(visit_type, 10)
    ask(visit_type, wall(14), visitor=ME, now=NOW)
    assert not Hold.objects.exists()
    hold(visit_type, 10, visitor=OTHER)


def test_letting_go_frees_the_time() -> None:
    visit_type = make_clinic()
    hold(visit_type)
    operations.release_hold(visitor=ME)
    hold(visit_type, visitor=OTHER)


def test_one_address_may_have_two_requests_waiting_however_it_is_written() -> None:
    visit_type = make_clinic()
    for hour in (9, 10):
        ask(visit_type, wall(hour), details=replace(somebody(), email="Parisa@Example.com"))
    with pytest.raises(TooManyPending):
        ask(visit_type, wall(11), details=replace(somebody(), email="parisa@example.COM"))
    ask(visit_type, wall(11), details=somebody())


def test_one_phone_number_may_have_two_requests_waiting_however_it_is_written() -> None:
    visit_type = make_clinic()
    for hour, phone in ((9, "416-555-0188"), (10, "+1 (416) 555 0188")):
        ask(visit_type, wall(hour), details=replace(somebody(), phone=phone))
    with pytest.raises(TooManyPending):
        ask(visit_type, wall(11), details=replace(somebody(), phone="4165550188"))


def test_an_answered_request_makes_room_for_another() -> None:
    visit_type = make_clinic()
    first = ask(visit_type, wall(9))
    ask(visit_type, wall(10))
    operations.cancel_appointment(appointment=first, version=1, by=None, now=NOW)
    ask(visit_type, wall(11))
    assert Appointment.objects.pending().count() == 2


def test_the_limit_is_no_answer_to_the_same_form_sent_again() -> None:
    visit_type = make_clinic()
    ask(visit_type, wall(9))
    key = uuid4()
    second = ask(visit_type, wall(10), idempotency_key=key)
    assert ask(visit_type, wall(10), idempotency_key=key) == second
