"""Decides on which days a course of visits takes place: all of them at once, as near to the wish as what is free.

Starts are aware datetimes in the clinic's zone, so that their date and hour are what its clock shows. A week of a
course is seven days, counted from its first day.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

WEEK: Final = 7
EVERY_DAY: Final = frozenset(range(WEEK))
ALL_HOURS: Final = (0, 24)
AROUND: Final = timedelta(days=WEEK)  # how far from its date another one is offered

# Costs are compared in this order, however many of a lesser one stand against one of a greater: visits not found,
# exceptions, days off, unevenness, minutes from the usual time, days from the first. One whole number holds them,
# because a search adds and compares tens of thousands of times.
_DAY, _MINUTE, _UNEVEN, _DAYS_OFF, _EXCEPTION, _MISSING = (1 << 20 * place for place in range(6))
_LONGEST_GAP: Final = 2 * WEEK  # a longer one is no more uneven
_PARTS_OF_A_DAY: Final = 60  # evenness is counted in these: half a week, a third … a sixth are whole numbers

_Way = tuple[int, "_Taken | None"]


@dataclass(frozen=True, slots=True)
class Stage:
    """So many visits in each of so many weeks."""

    visits_a_week: int
    weeks: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """How visits should follow one another.

    `days_between` are the whole days that lie between two visits at least. A visit on none of `weekdays` (Monday
    is 0) or outside `hours`, of which the last is no longer wished for, is an exception: up to `days_off` days
    before or after one of the weekdays, and outside the hours only with `any_hour`.
    """

    stages: tuple[Stage, ...]
    days_between: int = 1
    weekdays: frozenset[int] = EVERY_DAY
    hours: tuple[int, int] = ALL_HOURS
    days_off: int = 0
    any_hour: bool = False

    @property
    def weekly(self) -> list[int]:
        """The number of visits of each week."""
        return [stage.visits_a_week for stage in self.stages for _ in range(stage.weeks)]

    @property
    def visits(self) -> int:
        return sum(self.weekly)

    @property
    def weeks(self) -> int:
        return len(self.weekly)


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of a course and where it leaves the pattern.

    `days_off` counts from the nearest weekday asked for: 1 is a day later, -1 a day earlier. `too_close` says that
    too few days lie between the visit before and this one, `other_week` that its week has its visits already.
    """

    starts_at: datetime
    days_off: int = 0
    is_outside_hours: bool = False
    too_close: bool = False
    other_week: bool = False

    @property
    def exceptions(self) -> int:
        return (self.days_off != 0) + self.is_outside_hours + self.too_close + self.other_week


@dataclass(frozen=True, slots=True)
class Proposal:
    """All dates, in order; `missing` holds the week, from 0, of each visit for which nothing is free."""

    visits: tuple[Visit, ...]
    missing: tuple[int, ...]

    @property
    def exceptions(self) -> int:
        return sum(visit.exceptions for visit in self.visits)

    @property
    def rank(self) -> tuple[int, int]:
        """The smaller, the nearer to the pattern."""
        return len(self.missing), self.exceptions


@dataclass(frozen=True, slots=True)
class _Taken:
    """A way through the course so far: its last visit, and the way before it."""

    start: datetime
    before: "_Taken | None"


def propose(pattern: Pattern, *, first_on: date, starts: Iterable[datetime]) -> Proposal:
    """The dates with the fewest visits missing and, of these, the fewest exceptions; no others have fewer.

    Of equal ones, those that fall nearest to the weekdays asked for come first, then those most evenly spread,
    then those that keep most nearly to one time of the day, then the earliest. `starts` are in order.
    """
    days = _allowed_days(pattern, first_on, starts)
    best: _Way | None = None
    for usual in sorted({minute for day in days.values() for minute in day.minutes}):
        at_usual = {number: (day.cost(usual), day.start(usual)) for number, day in days.items()}
        best = _best_way(pattern, at_usual, cheaper_than=best) or best
    chosen: list[datetime] = []
    taken = best[1] if best else None
    while taken:
        chosen.append(taken.start)
        taken = taken.before
    return judge(pattern, first_on=first_on, starts=chosen[::-1])


def judge(pattern: Pattern, *, first_on: date, starts: Sequence[datetime]) -> Proposal:
    """Dates that somebody has chosen, with the exceptions that they make."""
    left = dict(enumerate(pattern.weekly))
    visits: list[Visit] = []
    before: date | None = None
    for start in sorted(starts):
        week = (start.date() - first_on).days // WEEK
        visits.append(
            Visit(
                start,
                days_off=_days_off(pattern, start.date()),
                is_outside_hours=not _is_in_hours(pattern, start),
                too_close=before is not None and (start.date() - before).days <= pattern.days_between,
                other_week=left.get(week, 0) <= 0,
            )
        )
        left[week] = left.get(week, 0) - 1
        before = start.date()
    missing = [week for week, count in sorted(left.items()) for _ in range(count)]
    return Proposal(tuple(visits), tuple(missing[: max(pattern.visits - len(visits), 0)]))


def other_starts(
    pattern: Pattern, *, was_at: datetime, others: Iterable[datetime], free: Iterable[datetime]
) -> list[datetime]:
    """The free starts within a week of one visit that leave it, with days enough, between the same other visits."""
    taken = [start.date() for start in others]
    return [
        start
        for start in free
        if abs(start.date() - was_at.date()) <= AROUND
        and start != was_at
        and all(abs((start.date() - day).days) > pattern.days_between for day in taken)
        and all((start.date() < day) == (was_at.date() < day) for day in taken)
    ]


@dataclass(frozen=True, slots=True)
class Break:
    """What moving one visit would do to the pattern."""

    too_close: bool
    other_week: bool

    def __bool__(self) -> bool:
        return self.too_close or self.other_week


def broken_by_move(
    pattern: Pattern, *, first_on: date, was_on: date, now_on: date, others: Iterable[date]
) -> Break:
    """Whether too few days would lie between the moved visit and another, and whether it leaves its week."""
    return Break(
        too_close=any(abs((now_on - other).days) <= pattern.days_between for other in others),
        other_week=(now_on - first_on).days // WEEK != (was_on - first_on).days // WEEK,
    )


@dataclass(frozen=True, slots=True)
class _Day:
    """The starts of one day that make the fewest exceptions, and what any of them costs beside its minutes."""

    starts: list[datetime]
    minutes: list[int]
    base: int

    def start(self, usual: int) -> datetime:
        """The one nearest to this minute of the day, the earlier of two."""
        return self.starts[self._nearest(usual)]

    def cost(self, usual: int) -> int:
        return self.base + abs(self.minutes[self._nearest(usual)] - usual) * _MINUTE

    def _nearest(self, usual: int) -> int:
        after = bisect_left(self.minutes, usual)
        around = [place for place in (after - 1, after) if 0 <= place < len(self.minutes)]
        return min(around, key=lambda place: abs(self.minutes[place] - usual))


def _allowed_days(pattern: Pattern, first_on: date, starts: Iterable[datetime]) -> dict[int, _Day]:
    """What the pattern and its tolerance allow, by the day's number from the first."""
    by_date: dict[date, list[datetime]] = defaultdict(list)
    for start in starts:
        by_date[start.date()].append(start)
    days = {}
    for on, of_day in by_date.items():
        number, off = (on - first_on).days, abs(_days_off(pattern, on))
        wished = [start for start in of_day if _is_in_hours(pattern, start)]
        fitting = wished or (of_day if pattern.any_hour else [])
        if 0 <= number < pattern.weeks * WEEK and off <= pattern.days_off and fitting:
            exceptions = (off > 0) + (not wished)
            base = exceptions * _EXCEPTION + off * _DAYS_OFF + number * _DAY
            days[number] = _Day(fitting, [_minute(start) for start in fitting], base)
    return days


def _best_way(
    pattern: Pattern, days: Mapping[int, tuple[int, datetime]], *, cheaper_than: _Way | None
) -> _Way | None:
    """The cheapest course through these days, if it is cheaper than the other.

    Visit by visit, only one way is kept for each day of the last visit. That is enough: what is still to come
    depends on nothing but that day. And no way gets cheaper as it goes on.
    """
    most = cheaper_than[0] if cheaper_than else pattern.visits * _MISSING + 1
    ways: dict[int | None, _Way] = {None: (0, None)}
    for week, visits in enumerate(pattern.weekly):
        of_week = [(day, *days[day]) for day in range(week * WEEK, (week + 1) * WEEK) if day in days]
        for _ in range(visits):
            further = {
                last: (cost + _MISSING, taken)
                for last, (cost, taken) in ways.items()
                if cost + _MISSING < most
            }
            for last, (cost, taken) in ways.items():
                for day, day_cost, start in of_week:
                    if last is not None and day - last <= pattern.days_between:
                        continue
                    total = cost + day_cost + _unevenness(last, day, visits) * _UNEVEN
                    if total < most and (day not in further or total < further[day][0]):
                        further[day] = total, _Taken(start, taken)
            ways = further
    return min(ways.values(), key=lambda way: way[0], default=None)


def _unevenness(last: int | None, day: int, visits_a_week: int) -> int:
    """How far the gap to the visit before is from an even spread over the week."""
    if last is None:
        return 0
    return abs(min(day - last, _LONGEST_GAP) * _PARTS_OF_A_DAY - WEEK * _PARTS_OF_A_DAY // visits_a_week)


def _days_off(pattern: Pattern, day: date) -> int:
    """Days from the nearest weekday asked for; of one before and one after, the one before."""
    if not pattern.weekdays:
        return 0
    off = [away for distance in range(WEEK) for away in (distance, -distance)]
    return next(away for away in off if (day - timedelta(days=away)).weekday() in pattern.weekdays)


def _is_in_hours(pattern: Pattern, start: datetime) -> bool:
    return pattern.hours[0] <= start.hour < pattern.hours[1]


def _minute(start: datetime) -> int:
    return start.hour * 60 + start.minute
