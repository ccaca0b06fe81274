"""Which dates a course is given: the fewest exceptions that what is free allows, compared with trying everything."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import combinations, product
from random import Random

import pytest

from booking.courses import EVERY_DAY, WEEK, Break, Pattern, Proposal, Stage, broken_by_move, judge, propose

MONDAY = date(2027, 3, 1)
TWICE_THEN_ONCE = Pattern((Stage(2, 4), Stage(1, 4)))


def at(day: int, hour: int = 9, minute: int = 0) -> datetime:
    """On the day of this number, counted from the first Monday."""
    return datetime.combine(MONDAY + timedelta(days=day), time(hour, minute))


def free(days: Iterable[int], hours: Sequence[int] = (9, 10, 14, 18)) -> list[datetime]:
    return [at(day, hour) for day in sorted(days) for hour in hours]


def dates(pattern: Pattern, starts: Iterable[datetime]) -> list[tuple[int, int, int]]:
    """The number of each day, its hour and its exceptions."""
    found = propose(pattern, first_on=MONDAY, starts=starts)
    return [
        ((visit.starts_at.date() - MONDAY).days, visit.starts_at.hour, visit.exceptions)
        for visit in found.visits
    ]


def test_two_a_week_for_four_weeks_then_weekly_for_four_are_twelve_dates_without_an_exception() -> None:
    assert dates(TWICE_THEN_ONCE, free(range(90))) == [
        (day, 9, 0) for day in (0, 3, 7, 10, 14, 17, 21, 24, 31, 38, 45, 52)
    ]


def test_the_days_and_the_part_of_the_day_asked_for_are_kept_where_they_are_free() -> None:
    pattern = replace(TWICE_THEN_ONCE, weekdays=frozenset({1, 4}), hours=(12, 17))
    assert {(day % WEEK, hour, exceptions) for day, hour, exceptions in dates(pattern, free(range(90)))} == {
        (1, 14, 0),
        (4, 14, 0),
    }


def test_a_day_later_is_an_exception_and_only_as_far_as_the_tolerance_goes() -> None:
    tuesdays = Pattern((Stage(1, 2),), weekdays=frozenset({1}))
    starts = free([1, 9, 10])  # Tuesday; a week later Wednesday and Thursday

    strict = propose(tuesdays, first_on=MONDAY, starts=starts)
    tolerant = propose(replace(tuesdays, days_off=1), first_on=MONDAY, starts=starts)

    assert ([visit.starts_at for visit in strict.visits], strict.missing) == ([at(1)], (1,))
    assert [(visit.starts_at, visit.days_off) for visit in tolerant.visits] == [(at(1), 0), (at(9), 1)]
    assert (tolerant.missing, tolerant.exceptions, strict.rank, tolerant.rank) == ((), 1, (1, 0), (0, 1))


def test_a_day_earlier_is_said_to_be_earlier() -> None:
    fridays = Pattern((Stage(1, 1),), weekdays=frozenset({4}), days_off=1)
    [visit] = propose(fridays, first_on=MONDAY, starts=free([3])).visits
    assert visit.days_off == -1


def test_another_part_of_the_day_is_taken_only_if_that_is_allowed() -> None:
    mornings = Pattern((Stage(1, 1),), hours=(0, 12))
    assert dates(mornings, free([2], hours=[14])) == []
    assert dates(replace(mornings, any_hour=True), free([2], hours=[14])) == [(2, 14, 1)]
    assert dates(replace(mornings, any_hour=True), free([2], hours=[10, 14])) == [(2, 10, 0)]


def test_a_day_lies_between_two_visits_even_if_one_is_missing_for_it() -> None:
    found = propose(Pattern((Stage(2, 1),)), first_on=MONDAY, starts=free([2, 3]))
    assert ([visit.starts_at for visit in found.visits], found.missing) == ([at(2)], (0,))
    assert dates(Pattern((Stage(2, 1),), days_between=0), free([2, 3])) == [(2, 9, 0), (3, 9, 0)]


def test_one_time_of_the_day_is_kept_to_if_it_can_be() -> None:
    starts = sorted([at(0, 9), *(at(day, hour) for day in (0, 7, 14) for hour in (13, 18)), at(14, 9)])
    assert dates(Pattern((Stage(1, 3),)), starts) == [(0, 13, 0), (7, 13, 0), (14, 13, 0)]


def test_nothing_free_means_every_visit_is_missing() -> None:
    assert propose(TWICE_THEN_ONCE, first_on=MONDAY, starts=[]) == Proposal(
        (), (0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7)
    )


def test_chosen_dates_are_told_where_they_leave_the_pattern() -> None:
    pattern = Pattern((Stage(1, 2),), weekdays=frozenset({0}), hours=(0, 12))
    chosen = judge(pattern, first_on=MONDAY, starts=[at(1, 14), at(2)])
    assert [
        (visit.days_off, visit.is_outside_hours, visit.too_close, visit.other_week) for visit in chosen.visits
    ] == [(1, True, False, False), (2, False, True, True)]
    assert chosen.missing == ()


@pytest.mark.parametrize(
    ("now_on", "told"),
    [(3, Break(False, False)), (6, Break(True, False)), (9, Break(False, True)), (8, Break(True, True))],  # noqa: FBT003
)
def test_moving_a_visit_tells_what_it_breaks(now_on: int, told: Break) -> None:
    def day(number: int) -> date:
        return MONDAY + timedelta(days=number)

    found = broken_by_move(
        TWICE_THEN_ONCE, first_on=MONDAY, was_on=day(4), now_on=day(now_on), others=[day(0), day(7)]
    )
    assert (found, bool(found)) == (told, now_on != 3)


# --- Compared with trying everything -----------------------------------------------------------------------------

Cost = tuple[int, int, int, int, int, int]


def cost(pattern: Pattern, chosen: Sequence[datetime]) -> Cost | None:
    """What `propose` makes least, said in the plainest way; None for dates that it must not choose."""
    exceptions = off = uneven = early = 0
    for week, wanted in enumerate(pattern.weekly):
        if sum((start.date() - MONDAY).days // WEEK == week for start in chosen) > wanted:
            return None
    for number, start in enumerate(chosen):
        day = (start.date() - MONDAY).days
        away = min(
            distance
            for distance in range(WEEK)
            if {(start.weekday() + distance) % WEEK, (start.weekday() - distance) % WEEK} & pattern.weekdays
        )
        in_hours = pattern.hours[0] <= start.hour < pattern.hours[1]
        if away > pattern.days_off or not (in_hours or pattern.any_hour):
            return None
        exceptions += (away > 0) + (not in_hours)
        off += away
        early += day
        if number:
            gap = (start.date() - chosen[number - 1].date()).days
            if gap <= pattern.days_between:
                return None
            uneven += abs(min(gap, 14) * 60 - 420 // pattern.weekly[day // WEEK])
    minutes = [start.hour * 60 + start.minute for start in chosen]
    irregular = min((sum(abs(one - usual) for one in minutes) for usual in minutes), default=0)
    return pattern.visits - len(chosen), exceptions, off, uneven, irregular, early


def test_no_other_dates_have_fewer_exceptions_whatever_is_free() -> None:
    random, compared = Random(5), 0  # noqa: S311 (the same dates in every run)
    for _ in range(120):
        pattern = Pattern(
            stages=tuple(Stage(random.choice([1, 2]), 1) for _ in range(random.choice([1, 2]))),
            days_between=random.choice([0, 1, 2]),
            weekdays=random.choice([EVERY_DAY, frozenset({0}), frozenset({1, 3})]),
            hours=random.choice([(0, 24), (0, 12)]),
            days_off=random.choice([0, 1, 2]),
            any_hour=random.random() < 0.5,
        )
        days = random.sample(range(pattern.weeks * WEEK), k=5)
        starts = sorted(at(day, hour) for day, hour in product(days, (9, 11, 15)) if random.random() < 0.5)
        found = propose(pattern, first_on=MONDAY, starts=starts)
        chosen = [visit.starts_at for visit in found.visits]
        possible = [
            worth
            for count in range(pattern.visits + 1)
            for some in combinations(starts, count)
            if (worth := cost(pattern, some)) is not None
        ]
        assert cost(pattern, chosen) == min(possible), (pattern, starts)
        assert len(found.missing) == pattern.visits - len(chosen)
        compared += len(possible)
    assert compared > 1_000
