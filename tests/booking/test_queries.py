"""What the rows say is what can be booked: hours, extra hours, closures, limits, compact days, in three queries."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from booking import openings, queries, times
from booking.models import BookingRules, Closure, ExtraHours, Resource, Status, VisitType
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_closure,
    make_hours,
    make_practitioner,
    make_room,
    make_visit_type,
    phase,
)
from tests.booking.test_openings import clock_changes

pytestmark = pytest.mark.django_db

THURSDAY = date(2027, 3, 4)
FRIDAY = THURSDAY + timedelta(days=1)
NOW = datetime(2027, 3, 1, 12, tzinfo=times.ZONE)
COMPACT = BookingRules(keep_days_compact=True)


def at(hour: int, minute: int = 0, on: date = THURSDAY, *, fold: int = 0) -> datetime:
    return datetime.combine(on, time(hour, minute, fold=fold), tzinfo=times.ZONE)


def search(
    visit_type: VisitType,
    first_on: date = THURSDAY,
    last_on: date | None = None,
    *,
    rules: BookingRules | None = None,
    now: datetime = NOW,
) -> openings.Openings:
    return queries.find_openings(
        visit_type, first_on=first_on, last_on=last_on or first_on, rules=rules or BookingRules(), now=now
    )


def clocks(
    visit_type: VisitType,
    first_on: date = THURSDAY,
    last_on: date | None = None,
    *,
    practitioner: Resource | None = None,
    **facts: Any,
) -> list[str]:
    found = search(visit_type, first_on, last_on, **facts)
    starts = found.starts(practitioner.pk if practitioner else None)
    return [f"{times.from_epoch(start):%a %H:%M}" for start in starts]


def make_extra_hours(practitioner: Resource, day: date, opens: time, closes: time) -> ExtraHours:
    return ExtraHours.objects.create(practitioner=practitioner, day=day, opens=opens, closes=closes)


def clinic(
    *,
    opens: time = time(9),
    closes: time = time(11),
    practitioners: int = 1,
    rooms: int = 3,
    **visit_type: Any,
) -> tuple[VisitType, list[Resource]]:
    """Visits of an hour on the hour, and who gives them, on weekdays."""
    people = [make_practitioner() for _ in range(practitioners)]
    for person in people:
        make_hours(person, weekdays=range(5), opens=opens, closes=closes)
    for _ in range(rooms):
        make_room()
    facts: dict[str, Any] = {"phases": [phase(60)], "start_every": 60} | visit_type
    return make_visit_type(practitioners=people, **facts), people


class TestTheCost:
    @pytest.mark.parametrize("practitioners", [1, 3])
    def test_a_search_costs_three_queries(
        self, django_assert_num_queries: DjangoAssertNumQueries, practitioners: int
    ) -> None:
        visit_type, people = clinic(practitioners=practitioners)
        for person in people:
            make_extra_hours(person, THURSDAY, time(18), time(20))
            make_extra_hours(person, THURSDAY, time(7), time(8))
            make_closure(at(9), at(10), person)
            make_appointment(visit_type, practitioner=person, room=_a_room(person), starts_at=at(10))
        Resource.objects.update(visits_a_day=2)
        visit_type = VisitType.objects.bookable().get()

        with django_assert_num_queries(3):
            found = clocks(visit_type, THURSDAY, THURSDAY + timedelta(days=28), rules=COMPACT)

        assert found[:5] == ["Thu 07:00", "Thu 18:00", "Thu 19:00", "Fri 09:00", "Fri 10:00"]

    @pytest.mark.parametrize("practitioners", [1, 3])
    def test_what_a_resource_has_many_of_multiplies_no_row(self, practitioners: int) -> None:
        visit_type, people = clinic(practitioners=practitioners, rooms=2)
        for person in people:
            for hour in (12, 14, 16):
                make_extra_hours(person, THURSDAY, time(hour), time(hour + 1))

        rows = list(queries._hours(visit_type, THURSDAY, FRIDAY, compact=True))  # noqa: SLF001

        assert len(rows) == practitioners * (5 + 3) + 2


def _a_room(person: Resource) -> Resource:
    """A different room for each, so that nobody's visits overlap."""
    rooms = list(Resource.objects.rooms().order_by("pk"))
    return rooms[list(Resource.objects.practitioners().order_by("pk")).index(person)]


class TestExtraHours:
    def test_they_add_to_the_hours_of_that_day_alone(self) -> None:
        visit_type, [person] = clinic()
        make_extra_hours(person, THURSDAY, time(18), time(20))
        make_extra_hours(person, FRIDAY, time(7), time(8))
        assert clocks(visit_type, THURSDAY, FRIDAY) == [
            *("Thu 09:00", "Thu 10:00", "Thu 18:00", "Thu 19:00"),
            *("Fri 07:00", "Fri 09:00", "Fri 10:00"),
        ]
        assert clocks(visit_type, FRIDAY + timedelta(days=3)) == ["Mon 09:00", "Mon 10:00"]

    def test_they_open_a_day_on_which_nobody_works(self) -> None:
        visit_type, [person] = clinic()
        saturday = THURSDAY + timedelta(days=2)
        make_extra_hours(person, saturday, time(10), time(12))
        assert clocks(visit_type, saturday, saturday + timedelta(days=1)) == ["Sat 10:00", "Sat 11:00"]

    def test_they_may_touch_and_overlap_the_hours(self) -> None:
        visit_type, [person] = clinic(start_every=30)
        make_extra_hours(person, THURSDAY, time(11), time(11, 30))
        make_extra_hours(person, THURSDAY, time(10), time(12))
        assert clocks(visit_type) == [
            f"Thu {clock}" for clock in ("09:00", "09:30", "10:00", "10:30", "11:00")
        ]

    def test_a_practitioner_without_any_other_hours_may_have_them(self) -> None:
        visit_type, [first] = clinic()
        second = make_practitioner()
        visit_type.practitioners.add(second)
        make_extra_hours(second, THURSDAY, time(14), time(15))
        assert clocks(visit_type, practitioner=second) == ["Thu 14:00"]
        assert clocks(visit_type, practitioner=first) == ["Thu 09:00", "Thu 10:00"]

    def test_somebody_who_takes_no_visits_opens_nothing(self) -> None:
        visit_type, [person] = clinic()
        make_extra_hours(person, THURSDAY, time(18), time(20))
        away = make_practitioner(is_active=False)
        make_extra_hours(away, THURSDAY, time(20), time(22))
        make_visit_type(practitioners=[person], phases=[phase(60, needs_practitioner=False)], start_every=60)
        room_only = VisitType.objects.latest("pk")
        assert clocks(room_only) == ["Thu 09:00", "Thu 10:00", "Thu 18:00", "Thu 19:00"]
        assert clocks(visit_type) == clocks(room_only)

    @pytest.mark.parametrize("practitioners", [1, 3])
    def test_they_are_the_hours_of_one_practitioner(self, practitioners: int) -> None:
        visit_type, people = clinic(practitioners=practitioners)
        make_extra_hours(people[0], THURSDAY, time(18), time(19))
        make_extra_hours(people[0], THURSDAY, time(20), time(21))
        assert clocks(visit_type, practitioner=people[0])[2:] == ["Thu 18:00", "Thu 20:00"]
        for other in people[1:]:
            assert clocks(visit_type, practitioner=other) == ["Thu 09:00", "Thu 10:00"]

    def test_a_closure_closes_them_too(self) -> None:
        visit_type, [person] = clinic()
        make_extra_hours(person, THURSDAY, time(18), time(20))
        make_closure(at(9), at(19))
        assert clocks(visit_type) == ["Thu 19:00"]

    def test_the_database_refuses_hours_that_end_before_they_begin(self) -> None:
        person = make_practitioner()
        with pytest.raises(IntegrityError), transaction.atomic():
            make_extra_hours(person, THURSDAY, time(18), time(18))


class TestClosures:
    def test_the_clinic_a_practitioner_or_a_room_can_be_away(self) -> None:
        visit_type, [first, second] = clinic(practitioners=2, rooms=1, closes=time(13))
        make_closure(at(9), at(10))
        make_closure(at(10), at(11), first)
        make_closure(at(11), at(12), Resource.objects.rooms().get())
        assert clocks(visit_type) == ["Thu 10:00", "Thu 12:00"]
        assert clocks(visit_type, practitioner=first) == ["Thu 12:00"]
        assert clocks(visit_type, practitioner=second) == ["Thu 10:00", "Thu 12:00"]

    def test_one_room_away_leaves_the_others(self) -> None:
        visit_type, _ = clinic(rooms=2)
        closed, other = Resource.objects.rooms().order_by("pk")
        make_closure(at(0), at(0, on=FRIDAY), closed)
        found = search(visit_type).at(int(at(9).timestamp()))
        assert found is not None
        assert found.room == other.pk

    def test_one_across_midnight_closes_the_evening_and_the_morning(self) -> None:
        visit_type, _ = clinic(opens=time(0), closes=time(23))
        make_closure(at(2), at(21, on=THURSDAY))
        make_closure(at(22), at(1, on=FRIDAY))
        make_closure(at(3, on=FRIDAY), at(23, on=FRIDAY))
        assert clocks(visit_type, THURSDAY, FRIDAY) == [
            *("Thu 00:00", "Thu 01:00", "Thu 21:00"),
            *("Fri 01:00", "Fri 02:00"),
        ]
        assert clocks(visit_type, FRIDAY) == ["Fri 01:00", "Fri 02:00"]

    def test_one_of_many_days_closes_all_of_them(self) -> None:
        visit_type, _ = clinic()
        make_closure(at(10, on=THURSDAY - timedelta(days=400)), at(10, on=FRIDAY))
        assert clocks(visit_type, THURSDAY, FRIDAY) == ["Fri 10:00"]

    def test_a_proposed_one_closes_nothing_until_it_is_accepted(self) -> None:
        visit_type, _ = clinic()
        proposed = Closure.objects.create(starts_at=at(9), ends_at=at(10), proposed=True)
        assert clocks(visit_type) == ["Thu 09:00", "Thu 10:00"]
        proposed.proposed = False
        proposed.save()
        assert clocks(visit_type) == ["Thu 10:00"]

    def test_time_away_is_no_work_done(self) -> None:
        visit_type, [away, busy] = clinic(practitioners=2, closes=time(17))
        make_closure(at(11), at(17), away)
        make_appointment(visit_type, practitioner=busy, starts_at=at(13))
        found = search(visit_type).at(int(at(9).timestamp()))
        assert found is not None
        assert found.practitioner == away.pk

    @pytest.mark.parametrize(
        ("day", "expected"),
        [
            # 14 March 2027: 2:00 to 3:00 does not exist. 7 November 2027: 1:00 to 2:00 happens twice.
            (date(2027, 3, 14), ["00:00 EST", "04:00 EDT"]),
            (date(2027, 11, 7), ["00:00 EDT", "04:00 EST"]),
        ],
        ids=["spring", "autumn"],
    )
    def test_one_across_the_change_of_clocks_lasts_as_the_clock_on_the_wall_says(
        self, day: date, expected: list[str]
    ) -> None:
        person = make_practitioner()
        make_hours(person, opens=time(0), closes=time(5))
        make_room()
        visit_type = make_visit_type(practitioners=[person], phases=[phase(60)], start_every=60)
        make_closure(at(1, on=day), at(4, on=day))
        found = search(visit_type, day, now=at(12, on=day - timedelta(days=2)))
        assert [f"{times.from_epoch(start):%H:%M %Z}" for start in found.starts()] == expected


class TestVisitsADay:
    def test_a_practitioner_with_that_many_visits_takes_no_more_that_day(self) -> None:
        visit_type, [person] = clinic(closes=time(12))
        Resource.objects.filter(pk=person.pk).update(visits_a_day=2)
        make_appointment(visit_type, starts_at=at(9))
        assert clocks(visit_type, THURSDAY, FRIDAY)[:3] == ["Thu 10:00", "Thu 11:00", "Fri 09:00"]
        second = make_appointment(visit_type, starts_at=at(10), status=Status.BOOKED)
        assert clocks(visit_type, THURSDAY, FRIDAY) == ["Fri 09:00", "Fri 10:00", "Fri 11:00"]
        second.occupancies.all().delete()
        assert clocks(visit_type) == ["Thu 10:00", "Thu 11:00"]

    def test_a_visit_counts_once_although_it_needs_the_practitioner_twice(self) -> None:
        needles = [phase(20), phase(20, needs_practitioner=False), phase(20)]
        visit_type, [person] = clinic(closes=time(12), phases=needles)
        Resource.objects.filter(pk=person.pk).update(visits_a_day=2)
        make_appointment(visit_type, starts_at=at(9))
        assert "Thu 11:00" in clocks(visit_type)

    def test_each_practitioner_has_a_limit_of_their_own(self) -> None:
        visit_type, [full, other] = clinic(practitioners=2)
        Resource.objects.filter(pk=full.pk).update(visits_a_day=1)
        make_appointment(visit_type, practitioner=full, starts_at=at(9))
        make_appointment(visit_type, practitioner=other, room=_a_room(other), starts_at=at(9))
        assert clocks(visit_type, practitioner=full) == []
        assert clocks(visit_type, practitioner=other) == clocks(visit_type) == ["Thu 10:00"]

    def test_no_limit_is_no_limit(self) -> None:
        visit_type, _ = clinic(closes=time(14))
        for hour in (9, 10, 11, 12):
            make_appointment(visit_type, starts_at=at(hour))
        assert clocks(visit_type) == ["Thu 13:00"]

    def test_the_day_is_the_clinics_and_not_the_one_of_utc(self) -> None:
        """8 pm in Toronto is the next day in UTC."""
        visit_type, [person] = clinic(opens=time(18), closes=time(23))
        Resource.objects.filter(pk=person.pk).update(visits_a_day=1)
        make_appointment(visit_type, starts_at=at(21))
        assert clocks(visit_type, THURSDAY, FRIDAY) == [f"Fri {hour}:00" for hour in range(18, 23)]
        assert clocks(visit_type, THURSDAY) == []
        assert clocks(visit_type, FRIDAY)[0] == "Fri 18:00"

    def test_the_time_asked_for_is_refused_under_the_lock_too(self) -> None:
        visit_type, [person] = clinic()
        Resource.objects.filter(pk=person.pk).update(visits_a_day=1)
        make_appointment(visit_type, starts_at=at(9))
        for day, expected in ((THURSDAY, None), (FRIDAY, person.pk)):
            found = queries.opening_at(
                visit_type, at(10, on=day), practitioner=None, rules=BookingRules(), now=NOW
            )
            assert (found and found.practitioner) == expected


class TestCompactDays:
    def test_a_start_that_leaves_a_gap_no_visit_fits_into_is_hidden(self) -> None:
        visit_type, _ = clinic(closes=time(12), start_every=15)
        assert clocks(visit_type, rules=COMPACT) == [f"Thu {clock}" for clock in ("09:00", "10:00", "11:00")]
        assert len(clocks(visit_type)) == 9

    def test_the_gap_is_measured_by_the_shortest_visit_that_this_practitioner_gives_online(self) -> None:
        visit_type, [person] = clinic(start_every=15)
        other = make_practitioner()
        make_visit_type(practitioners=[other], phases=[phase(15)])
        make_visit_type(practitioners=[person], phases=[phase(15)], is_active=False)
        assert clocks(visit_type, rules=COMPACT) == ["Thu 09:00", "Thu 10:00"]
        make_visit_type(practitioners=[person], phases=[phase(30)])
        assert clocks(visit_type, rules=COMPACT) == ["Thu 09:00", "Thu 09:30", "Thu 10:00"]

    def test_a_visits_length_runs_from_the_practitioners_first_minute_to_their_last(self) -> None:
        forms = phase(30, needs_practitioner=False, needs_room=False)
        rest = phase(10, needs_practitioner=False, may_stretch_by=10)
        turnover = phase(20, needs_practitioner=False, with_patient=False)
        visit_type, _ = clinic(
            phases=[forms, phase(15), rest, phase(5), turnover], closes=time(10, 30), start_every=5
        )
        # The practitioner is needed for half an hour, from half an hour after the start: from 9:00 or from 9:30.
        assert clocks(visit_type, rules=COMPACT) == ["Thu 08:30", "Thu 09:00"]
        assert len(clocks(visit_type)) == 9

    def test_a_visit_without_a_practitioner_is_no_measure(self) -> None:
        visit_type, [person] = clinic(start_every=15)
        make_visit_type(practitioners=[person], phases=[phase(15, needs_practitioner=False)])
        assert clocks(visit_type, rules=COMPACT) == ["Thu 09:00", "Thu 10:00"]

    def test_what_is_hidden_can_still_be_sent_by_somebody_who_saw_it(self) -> None:
        visit_type, [person] = clinic(start_every=15)
        found = queries.opening_at(visit_type, at(9, 15), practitioner=None, rules=COMPACT, now=NOW)
        assert found is not None
        assert found.practitioner == person.pk

    def test_the_next_free_times_begin_with_those_that_touch_a_visit(self) -> None:
        visit_type, _ = clinic(opens=time(9), closes=time(17), start_every=60)
        make_appointment(visit_type, starts_at=at(12, on=FRIDAY))

        def next_starts(rules: BookingRules) -> list[datetime]:
            return queries.next_starts(
                visit_type,
                practitioner=None,
                rules=rules,
                now=at(12, on=THURSDAY - timedelta(days=1)),
                limit=2,
            )

        assert next_starts(BookingRules()) == [at(9), at(9, on=FRIDAY)]
        assert next_starts(COMPACT) == [at(9), at(11, on=FRIDAY)]


def test_one_start_asked_for_is_answered_as_on_the_page_that_showed_it() -> None:
    visit_type, people = clinic(practitioners=3, closes=time(17), start_every=15)
    for person, hours in zip(people, [(9, 12), (10,), (9, 13, 15)], strict=True):
        for hour in hours:
            make_appointment(visit_type, practitioner=person, room=_a_room(person), starts_at=at(hour, 20))
    make_appointment(visit_type, practitioner=people[1], starts_at=at(9, on=FRIDAY))
    page = search(visit_type, THURSDAY - timedelta(days=1), FRIDAY, rules=COMPACT)
    assert len(page.starts()) > 20
    for start in page.starts():
        for who in [None, *(person for person in people if person.pk in page.who(start))]:
            asked = queries.opening_at(
                visit_type, times.from_epoch(start), practitioner=who, rules=COMPACT, now=NOW
            )
            assert asked == page.at(start, who.pk if who else None)


@pytest.mark.parametrize("day", clock_changes(), ids=str)
def test_at_every_clock_change_rows_mean_what_the_clock_on_the_wall_shows(day: date) -> None:
    """Hours from midnight to 5, closed until 0:30, a visit at 4, extra hours from 6 to 7, and a limit of two."""
    person = make_practitioner(visits_a_day=2)
    make_hours(person, opens=time(0), closes=time(5))
    make_room()
    visit_type = make_visit_type(practitioners=[person], phases=[phase(30)], start_every=30)
    next_day = day + timedelta(days=1)
    make_closure(at(23, on=day - timedelta(days=1)), at(0, 30, on=day))
    make_appointment(visit_type, starts_at=at(4, on=day))
    make_extra_hours(person, day, time(6), time(7))
    now = at(12, on=day - timedelta(days=3))

    found = search(visit_type, day, next_day, now=now)

    assert found.starts() == [
        second
        for second in range(int(at(0, on=day).timestamp()), int(at(0, on=next_day).timestamp()) + 86400, 1800)
        if _can_be_booked(datetime.fromtimestamp(second, UTC).astimezone(times.ZONE), day)
    ]
    last_minute_visit = make_appointment(visit_type, starts_at=at(6, on=day))
    assert {
        times.from_epoch(start).date() for start in search(visit_type, day, next_day, now=now).starts()
    } == {next_day}
    last_minute_visit.occupancies.all().delete()
    make_appointment(visit_type, starts_at=at(0, on=next_day))
    assert day in {times.from_epoch(start).date() for start in search(visit_type, day, now=now).starts()}


def _can_be_booked(wall: datetime, day: date) -> bool:
    clock = wall.time().replace(fold=0)
    if wall.date() == day:
        return (time(0, 30) <= clock < time(5) and clock != time(4)) or time(6) <= clock < time(7)
    return wall.date() == day + timedelta(days=1) and clock < time(5)


def test_an_empty_day_of_ten_hours_has_a_start_every_quarter_of_an_hour() -> None:
    visit_type = make_clinic(practitioners=3, rooms=3)
    found = clocks(visit_type, THURSDAY)
    assert (len(found), found[0], found[-1]) == (38, "Thu 09:00", "Thu 18:15")
