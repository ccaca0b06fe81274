"""Requests end: what nobody answered is ended by the clock, once, and the patient is told."""

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from booking import operations, queries, times
from booking.models import Actor, Appointment, BookingRules, Hold, Occupancy, Status
from booking.operations import Expired
from clinic.models import QueuedMail
from tests.booking.factories import make_clinic, make_hours, make_practitioner, wall
from tests.booking.test_moves_and_offers import ask_again, offer
from tests.booking.test_operations import ask, somebody
from tests.booking.test_races import all_at_once

NOW = timezone.now()


@pytest.mark.django_db
def test_a_request_past_its_promised_answer_ends_and_frees_its_time() -> None:
    visit_type = make_clinic()
    appointment = ask(visit_type, wall(10, days_ahead=5), now=NOW)
    assert appointment.answer_by is not None

    before = operations.expire_overdue(now=appointment.answer_by - timedelta(seconds=1))
    after = operations.expire_overdue(now=appointment.answer_by)

    assert (before, after) == (Expired(0, 0, 0), Expired(1, 0, 0))
    appointment.refresh_from_db()
    assert (appointment.status, Occupancy.objects.count()) == (Status.EXPIRED, 0)
    last = appointment.changes.last()
    assert last is not None
    assert (last.actor, last.by) == (Actor.CLOCK, None)
    assert QueuedMail.objects.filter(kind="expired").count() == 1


@pytest.mark.django_db
def test_an_offer_past_its_end_ends_the_request() -> None:
    made = offer(ask(make_clinic(), wall(10, days_ahead=5)), wall(12, days_ahead=5))

    assert operations.expire_overdue(now=made.expires_at - timedelta(seconds=1)) == Expired(0, 0, 0)
    assert operations.expire_overdue(now=made.expires_at) == Expired(0, 1, 0)
    assert (Appointment.objects.get().status, Occupancy.objects.count()) == (Status.EXPIRED, 0)


@pytest.mark.django_db
def test_only_the_last_offer_counts() -> None:
    made = offer(ask(make_clinic(), wall(10, days_ahead=9)), wall(12, days_ahead=9))
    asked = ask_again(Appointment.objects.get(offers=made), wall(16, days_ahead=9))
    later = offer(asked, wall(17, days_ahead=9), by=made.by, now=NOW + timedelta(hours=5))
    assert operations.expire_overdue(now=made.expires_at) == Expired(0, 0, 0)
    assert operations.expire_overdue(now=later.expires_at) == Expired(0, 1, 0)


@pytest.mark.django_db
def test_holds_that_ran_out_are_erased() -> None:
    visit_type = make_clinic()
    operations.hold_time(
        visitor=uuid4(), visit_type=visit_type, starts_at=wall(10), practitioner=None, now=NOW
    )
    assert operations.expire_overdue(now=NOW + timedelta(minutes=9)).holds == 0
    assert operations.expire_overdue(now=NOW + timedelta(minutes=10)).holds == 1
    assert (Hold.objects.count(), Occupancy.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_it_may_run_in_any_number_of_places_at_once() -> None:
    visit_type = make_clinic()
    for hour in (9, 11, 13):
        ask(visit_type, wall(hour, days_ahead=5), details=somebody(), now=NOW)

    ended = all_at_once(6, lambda _: operations.expire_overdue(now=NOW + timedelta(days=4)))

    assert ended == {"done": 6}
    assert set(Appointment.objects.values_list("status", "version")) == {(Status.EXPIRED, 2)}
    assert QueuedMail.objects.filter(kind="expired").count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "visit", "due"),
    [
        # The clinic works Monday to Friday; 1 March 2027 is a Monday.
        pytest.param("2027-03-01 10:00", "2027-03-20 10:00", "2027-03-02 10:00", id="a working day later"),
        pytest.param("2027-03-05 18:00", "2027-03-20 10:00", "2027-03-08 18:00", id="over the weekend"),
        pytest.param("2027-03-06 12:00", "2027-03-20 10:00", "2027-03-09 00:00", id="asked on a Saturday"),
        pytest.param(
            "2027-03-05 18:00", "2027-03-08 09:00", "2027-03-08 07:00", id="two hours before the visit"
        ),
        pytest.param("2027-03-02 09:00", "2027-03-02 11:00", "2027-03-02 10:00", id="half-way to a near one"),
        pytest.param("2027-03-12 18:00", "2027-03-25 09:00", "2027-03-15 18:00", id="over the spring change"),
    ],
)
def test_the_answer_is_promised_for_when_somebody_works(asked: str, visit: str, due: str) -> None:
    make_hours(make_practitioner(), weekdays=range(5))

    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=times.ZONE)

    assert queries.answer_by(at(visit), rules=BookingRules(), now=at(asked)) == at(due)


@pytest.mark.django_db
def test_without_any_hours_the_answer_is_due_before_the_visit() -> None:
    start = datetime.combine(times.local_day(NOW), time(12), tzinfo=times.ZONE) + timedelta(days=3)
    assert queries.answer_by(start, rules=BookingRules(), now=NOW) == start - timedelta(hours=2)
