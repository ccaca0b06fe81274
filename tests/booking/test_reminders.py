"""The clock reminds: on time, once, by day, of what is still true, and never in a storm."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from booking import notices, operations, times
from booking.models import Appointment, BookingRules, Offer, OfferOption, Status
from booking.operations import Reminded, remind
from booking.operations.reminders import by_day
from clinic import mail
from clinic.models import QueuedMail
from tests.booking import test_course_operations as courses
from tests.booking.factories import make_appointment, make_clinic, make_patient, wall
from tests.booking.test_moves_and_offers import accept, move, offer
from tests.booking.test_operations import ask, staff
from tests.booking.test_races import all_at_once

Choice = Appointment.Reminders
BOOKED_LONG_AGO = datetime(2026, 1, 5, 15, tzinfo=UTC)
# Every change of Toronto's clocks from 2026 to 2035: second Sunday of March, first Sunday of November.
CHANGES = [
    date(2026, 3, 8), date(2026, 11, 1), date(2027, 3, 14), date(2027, 11, 7), date(2028, 3, 12), date(2028, 11, 5),
    date(2029, 3, 11), date(2029, 11, 4), date(2030, 3, 10), date(2030, 11, 3), date(2031, 3, 9), date(2031, 11, 2),
    date(2032, 3, 14), date(2032, 11, 7), date(2033, 3, 13), date(2033, 11, 6), date(2034, 3, 12), date(2034, 11, 5),
    date(2035, 3, 11), date(2035, 11, 4),
]  # fmt: skip


def toronto(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=times.ZONE)


THURSDAY = date(2027, 2, 4)
VISIT = toronto(THURSDAY, 14)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def booked(starts_at: datetime = VISIT, choice: Choice = Choice.BOTH, **facts: Any) -> Appointment:
    """A visit that was confirmed long before, or `requested_at` a moment."""
    made: dict[str, Any] = {"requested_at": BOOKED_LONG_AGO} | facts
    return make_appointment(starts_at=starts_at, status=Status.BOOKED, reminders=choice, **made)


def at_work(first: datetime, last: datetime, every: timedelta = timedelta(minutes=30)) -> list[datetime]:
    """When reminders are written by a worker that looks so often, in wall time."""
    wrote: list[datetime] = []
    now = first.astimezone(UTC)
    while now <= last.astimezone(UTC):
        reminded = remind(now=now)
        wrote += [times.local(now)] * (reminded.visits + reminded.offers)
        now += every
    return wrote


@pytest.mark.django_db
class TestVisits:
    @pytest.mark.parametrize(
        ("choice", "hours"),
        [(Choice.TWO_DAYS, [48]), (Choice.ONE_DAY, [24]), (Choice.BOTH, [48, 24]), (Choice.NONE, [])],
    )
    def test_the_patient_is_reminded_as_chosen_and_each_once(self, choice: Choice, hours: list[int]) -> None:
        booked(choice=choice)
        assert at_work(VISIT - 60 * HOUR, VISIT + HOUR) == [VISIT - hour * HOUR for hour in hours]
        assert QueuedMail.objects.filter(kind="reminder").count() == len(hours)

    def test_not_a_minute_early(self) -> None:
        booked()
        assert remind(now=VISIT - 48 * HOUR - MINUTE) == Reminded(0, 0)
        assert remind(now=VISIT - 48 * HOUR) == Reminded(1, 0)

    def test_it_names_the_visit_and_until_when_cancelling_is_free(self) -> None:
        BookingRules.objects.create(cancellation_hours=24)
        booked()
        remind(now=VISIT - 48 * HOUR)
        remind(now=VISIT - 24 * HOUR)
        first, second = QueuedMail.objects.order_by("pk")
        assert first.subject == "Reminder of your visit: Thursday 4 February 2027, 2:00 pm EST"
        assert f"You can cancel without a fee until {times.moment(VISIT - 24 * HOUR)}." in first.text
        assert "without a fee" not in second.text

    @pytest.mark.parametrize("status", [s for s in Status if s != Status.BOOKED])
    def test_only_confirmed_visits_are_reminded_of(self, status: Status) -> None:
        make_appointment(starts_at=VISIT, status=status, reminders=Choice.BOTH, requested_at=BOOKED_LONG_AGO)
        assert at_work(VISIT - 50 * HOUR, VISIT) == []

    def test_whoever_gave_no_address_is_passed_over(self) -> None:
        booked(patient=make_patient(email=""))
        assert at_work(VISIT - 50 * HOUR, VISIT) == []

    @pytest.mark.parametrize(("hours_before", "reminders"), [(49, 2), (47, 1), (25, 1), (23, 0), (2, 0)])
    def test_a_visit_booked_shortly_before_is_not_reminded_of_at_once(
        self, hours_before: int, reminders: int
    ) -> None:
        booked(requested_at=VISIT - hours_before * HOUR)
        assert len(at_work(VISIT - hours_before * HOUR, VISIT)) == reminders

    def test_what_counts_is_when_it_was_confirmed(self) -> None:
        visit_type, now = make_clinic(), timezone.now()
        starts_at = wall(14, days_ahead=9)
        appointment = ask(visit_type, starts_at, now=now)
        operations.confirm_appointment(
            appointment=appointment, version=1, by=staff(), now=starts_at - 30 * HOUR
        )
        assert at_work(starts_at - 30 * HOUR, starts_at) == []

    def test_a_moved_visit_is_reminded_of_at_its_new_time_only(self) -> None:
        visit_type, now = make_clinic(), timezone.now()
        old, new = wall(14, days_ahead=9), wall(14, days_ahead=12)
        appointment = ask(visit_type, old, now=now)
        operations.confirm_appointment(appointment=appointment, version=1, by=staff(), now=now)
        assert remind(now=old - 48 * HOUR) == Reminded(1, 0)
        appointment.refresh_from_db()
        move(appointment, new, now=old - 47 * HOUR)
        assert at_work(old - 46 * HOUR, new) == [new - 48 * HOUR]
        subjects = list(
            QueuedMail.objects.filter(kind="reminder").order_by("pk").values_list("subject", flat=True)
        )
        assert subjects == [
            f"Reminder of your visit: {times.moment(at)}".replace(times.NBSP, " ") for at in (old, new)
        ]

    def test_an_unsent_reminder_is_taken_back_when_the_visit_moves_or_is_cancelled(self) -> None:
        for change in ("move", "cancel"):
            QueuedMail.objects.all().delete()
            now = timezone.now()
            starts_at = wall(14, days_ahead=9)
            appointment = ask(make_clinic(), starts_at, now=now)
            Appointment.objects.filter(pk=appointment.pk).update(status=Status.BOOKED)
            appointment.refresh_from_db()
            assert remind(now=starts_at - 48 * HOUR).visits == 1
            later = starts_at - 47 * HOUR
            if change == "move":
                move(appointment, wall(16, days_ahead=9), now=later)
            else:
                operations.cancel_appointment(appointment=appointment, version=1, by=None, now=later)
            mail.deliver_due(now=later)
            assert not QueuedMail.objects.filter(kind="reminder").exclude(sent_at=None).exists(), change

    @pytest.mark.parametrize(
        ("starts_at", "expected"),
        [
            (toronto(THURSDAY, 8), toronto(date(2027, 2, 2), 8)),
            (toronto(THURSDAY, 7), toronto(date(2027, 2, 1), 20)),
            (toronto(THURSDAY, 20), toronto(date(2027, 2, 2), 20)),
            (toronto(THURSDAY, 20, 30), toronto(date(2027, 2, 2), 20)),
            (toronto(THURSDAY, 0), toronto(date(2027, 2, 1), 20)),
        ],
    )
    def test_what_would_come_at_night_comes_the_evening_before(
        self, starts_at: datetime, expected: datetime
    ) -> None:
        booked(starts_at, Choice.TWO_DAYS)
        assert at_work(starts_at - 70 * HOUR, starts_at) == [expected]

    def test_nobody_is_reminded_at_night_by_a_worker_that_comes_back(self) -> None:
        booked(toronto(THURSDAY, 19), Choice.ONE_DAY)
        wednesday = THURSDAY - timedelta(days=1)
        for hour in (21, 23):
            assert remind(now=toronto(wednesday, hour)) == Reminded(0, 0)
        assert remind(now=toronto(THURSDAY, 6)) == Reminded(0, 0)

    @pytest.mark.parametrize(
        ("late", "reminders"), [(HOUR, 1), (5 * HOUR, 1), (12 * HOUR, 0), (20 * HOUR, 0)]
    )
    def test_a_reminder_whose_moment_is_long_past_is_left_out(self, late: timedelta, reminders: int) -> None:
        visit = toronto(THURSDAY, 9)
        booked(visit, Choice.TWO_DAYS)
        assert remind(now=visit - 48 * HOUR + late) == Reminded(reminders, 0)

    def test_a_clock_that_jumps_brings_no_storm(self) -> None:
        for day in range(40):
            booked(toronto(THURSDAY + timedelta(days=day), 14))
        before = toronto(THURSDAY - timedelta(days=5), 14)
        assert remind(now=before) == Reminded(0, 0)
        ahead = toronto(THURSDAY + timedelta(days=30), 14, 5)  # a month too far, for a while
        assert remind(now=ahead) == Reminded(2, 0)  # those of that very hour
        assert remind(now=before) == Reminded(0, 0)
        assert remind(now=ahead) == Reminded(0, 0)

    @pytest.mark.parametrize("day", CHANGES)
    def test_across_a_clock_change_48_hours_are_48_hours(self, day: date) -> None:
        visit = toronto(day + timedelta(days=1), 13)
        booked(visit, requested_at=datetime(2026, 1, 1, tzinfo=UTC))
        start = visit.astimezone(UTC)
        due = [start - 48 * HOUR, start - 24 * HOUR]
        for at in due:
            assert [remind(now=at - MINUTE), remind(now=at), remind(now=at)] == [
                Reminded(0, 0),
                Reminded(1, 0),
                Reminded(0, 0),
            ]
        wall_hours = [times.local(at).hour for at in due]
        assert wall_hours == ([12, 13] if day.month == 3 else [14, 13])

    def test_visits_that_need_nothing_yet_cost_three_questions(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        visit_type = make_clinic()
        for day in range(2):
            for hour in range(9, 18):
                make_appointment(
                    visit_type,
                    starts_at=toronto(THURSDAY + timedelta(days=day), hour),
                    status=Status.BOOKED,
                    reminders=Choice.ONE_DAY,
                )
        with django_assert_max_num_queries(3):
            remind(now=toronto(THURSDAY - timedelta(days=2), 8))


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_one_reminder() -> None:
    booked()
    ended = all_at_once(4, lambda _: remind(now=VISIT - 48 * HOUR))
    assert set(ended) <= {"done", "Busy"}
    assert QueuedMail.objects.filter(kind="reminder").count() == 1


@pytest.mark.django_db
class TestOffers:
    def ending(self, ends_at: datetime, open_for: timedelta = 24 * HOUR) -> Offer:
        appointment = make_appointment(starts_at=VISIT, status=Status.PROPOSED, requested_at=BOOKED_LONG_AGO)
        made = Offer.objects.create(
            appointment=appointment, by=staff(), offered_at=ends_at - open_for, expires_at=ends_at
        )
        OfferOption.objects.create(
            offer=made,
            practitioner=appointment.practitioner,
            room=appointment.room,
            starts_at=VISIT + HOUR,
            ends_at=VISIT + 2 * HOUR,
        )
        return made

    def test_the_patient_is_warned_once_four_hours_before_the_end(self) -> None:
        ends_at = toronto(date(2027, 2, 1), 15)
        self.ending(ends_at)
        assert at_work(ends_at - 24 * HOUR, ends_at + HOUR) == [ends_at - 4 * HOUR]
        text = QueuedMail.objects.get().text
        assert f"- {times.moment(VISIT + HOUR)}" in text
        assert f"We keep them until: {times.moment(ends_at)}" in text

    def test_an_offer_that_ends_at_night_is_warned_of_the_evening_before(self) -> None:
        ends_at = toronto(date(2027, 2, 1), 9)
        self.ending(ends_at)
        assert at_work(ends_at - 24 * HOUR, ends_at) == [toronto(date(2027, 1, 31), 20)]

    def test_an_offer_that_was_short_from_the_beginning_needs_no_second_message(self) -> None:
        ends_at = toronto(date(2027, 2, 1), 15)
        self.ending(ends_at, open_for=7 * HOUR)
        assert at_work(ends_at - 7 * HOUR, ends_at) == []

    def test_nothing_is_said_once_it_has_ended(self) -> None:
        ends_at = toronto(date(2027, 2, 1), 15)
        self.ending(ends_at)
        assert remind(now=ends_at) == Reminded(0, 0)

    def test_nothing_is_said_once_a_time_is_taken_and_what_had_not_left_is_taken_back(self) -> None:
        now = timezone.now()
        made = offer(ask(make_clinic(), wall(14, days_ahead=9), now=now), wall(12, days_ahead=9), now=now)
        Offer.objects.update(expires_at=wall(15, days_ahead=2), offered_at=wall(15, days_ahead=1))
        assert remind(now=wall(11, days_ahead=2)) == Reminded(0, 1)
        accept(made, now=wall(12, days_ahead=2))
        assert QueuedMail.objects.get(kind="offer_ending").withdrawn_at == wall(12, days_ahead=2)
        assert remind(now=wall(13, days_ahead=2)) == Reminded(0, 0)

    def test_a_planned_course_is_warned_of_once_and_not_after_it_is_taken(self) -> None:
        course = courses.offer(make_clinic())
        Offer.objects.update(expires_at=wall(15, days_ahead=1), offered_at=wall(9, days_ahead=0))
        QueuedMail.objects.all().delete()
        assert remind(now=wall(10, days_ahead=1)) == Reminded(0, 0)
        assert remind(now=wall(11, days_ahead=1)) == Reminded(0, 1)
        assert remind(now=wall(12, days_ahead=1)) == Reminded(0, 0)
        warning = QueuedMail.objects.get(kind="course_offer_ending")
        assert f"We keep them until: {times.moment(wall(15, days_ahead=1))}" in warning.text
        course.refresh_from_db()
        operations.accept_course(course=course, now=wall(12, days_ahead=1))
        warning.refresh_from_db()
        assert warning.withdrawn_at == wall(12, days_ahead=1)


@pytest.mark.parametrize("hour", range(24))
def test_by_day_is_never_later_and_never_at_night(hour: int) -> None:
    for minute in (0, 1, 59):
        for day in (THURSDAY, *CHANGES[:4]):
            at = toronto(day, hour, minute).astimezone(UTC)
            moved = by_day(at)
            assert at - 13 * HOUR <= moved <= at
            assert time(8) <= times.local(moved).time() <= time(20)


@pytest.mark.django_db
def test_a_message_under_one_key_is_written_once() -> None:
    appointment = booked()
    key = str(uuid4())
    notices.reminder(appointment, free_until=None, key=key, now=VISIT - 48 * HOUR)
    with pytest.raises(ValidationError):
        notices.reminder(appointment, free_until=None, key=key, now=VISIT - 48 * HOUR)
