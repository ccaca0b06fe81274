"""How free starts become the page that a time is chosen from: four weeks of days, and one day in parts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import times
from booking.times import EVENING, NOON

WEEKS: Final = 4
SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)
_PAGE: Final = timedelta(weeks=WEEKS)


@dataclass(frozen=True, slots=True)
class Day:
    """One cell of the calendar; `count` is the number of free times."""

    on: date
    count: int
    is_today: bool
    is_past: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Part:
    """The free starts of one part of the chosen day."""

    name: Promise
    starts: list[datetime]


@dataclass(frozen=True, slots=True)
class Timetable:
    """One page of days. `earlier_on` and `later_on` begin the pages before and after, None where there is none.

    `next_free_on` is the first free day after a page without any.
    """

    weeks: list[list[Day]]
    chosen_on: date | None
    parts: list[Part]
    earlier_on: date | None
    later_on: date | None
    next_free_on: date | None

    @property
    def months(self) -> str:
        """March 2027, or March to April 2027."""
        first, last = self.weeks[0][0].on, self.weeks[-1][-1].on
        ends = formats.date_format(last, "F Y")
        if (first.year, first.month) == (last.year, last.month):
            return ends
        begins = formats.date_format(first, "F" if first.year == last.year else "F Y")
        return _("%(begins)s to %(ends)s") % {"begins": begins, "ends": ends}


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A start that many look for, and why."""

    name: Promise
    start: datetime


def lay_out(
    starts: Sequence[datetime], *, today: date, last_on: date, from_on: date | None, day_on: date | None
) -> Timetable:
    """The page that shows `from_on` or, without it, the chosen day or the first free one.

    `starts` are in order and in the clinic's zone. A `from_on` before today's week or after `last_on` counts as
    none; so does a `day_on` that is not on the page or has no free time.
    """
    counts = Counter(start.date() for start in starts)
    first_on = _first_of_page(counts, today=today, last_on=last_on, from_on=from_on, day_on=day_on)
    days = times.days(first_on, first_on + _PAGE - _DAY)
    free = [day for day in days if counts[day]]
    chosen_on = day_on if day_on in free else next(iter(free), None)
    cells = [
        Day(
            on=day,
            count=counts[day],
            is_today=day == today,
            is_past=day < today,
            is_chosen=day == chosen_on,
        )
        for day in days
    ]
    later_on = first_on + _PAGE
    return Timetable(
        weeks=[cells[week * 7 : week * 7 + 7] for week in range(WEEKS)],
        chosen_on=chosen_on,
        parts=parts_of_day([start for start in starts if start.date() == chosen_on]),
        earlier_on=max(first_on - _PAGE, times.sunday(today)) if first_on > times.sunday(today) else None,
        later_on=later_on if later_on <= last_on else None,
        next_free_on=None if free else next((day for day in sorted(counts) if day >= later_on), None),
    )


def parts_of_day(starts: Sequence[datetime]) -> list[Part]:
    """Morning, afternoon and evening, those that have any start."""
    parts = [
        Part(gettext_lazy("Morning"), [start for start in starts if start.hour < NOON]),
        Part(gettext_lazy("Afternoon"), [start for start in starts if NOON <= start.hour < EVENING]),
        Part(gettext_lazy("Evening"), [start for start in starts if start.hour >= EVENING]),
    ]
    return [part for part in parts if part.starts]


def compact_first(starts: Iterable[datetime], touching: Iterable[datetime]) -> list[datetime]:
    """Day by day, those that touch another visit before the others."""
    close = set(touching)
    return sorted(starts, key=lambda start: (times.local_day(start), start not in close, start))


def shortcuts(starts: Sequence[datetime]) -> list[Shortcut]:
    """One on the first free day, one in the first evening and one at the first weekend, each start once.

    Of a day, the one that stands first in `starts` is taken.
    """
    wishes: list[tuple[Promise, Iterable[datetime]]] = [
        (gettext_lazy("First free day"), starts),
        (gettext_lazy("First evening"), (start for start in starts if start.hour >= EVENING)),
        (gettext_lazy("First weekend"), (start for start in starts if start.weekday() >= SATURDAY)),
    ]
    found: dict[datetime, Promise] = {}
    for name, fitting in wishes:
        if start := next(iter(fitting), None):
            found.setdefault(start, name)
    return [Shortcut(name, start) for start, name in found.items()]


def nearest(starts: Sequence[datetime], wanted: datetime, limit: int = 4) -> list[datetime]:
    """Up to `limit` starts around the wanted one, nearest first and of two equally near the earlier."""
    return sorted(starts, key=lambda start: abs(start.timestamp() - wanted.timestamp()))[:limit]


def is_twice(at: datetime) -> bool:
    """Whether the clock shows this wall time twice that day, so that it says nothing without EST or EDT."""
    wall = times.local(at)
    offsets = {wall.replace(fold=fold).utcoffset() for fold in (0, 1)}
    return len(offsets) > 1


def label(at: datetime) -> str:
    """10:30 am, or 1:30 am EST where the clock shows it twice."""
    return f"{times.clock(at)}{times.NBSP}{times.zone(at)}" if is_twice(at) else times.clock(at)


def day_and_month(day: date) -> str:
    """4 March, for pages that say the year elsewhere."""
    return f"{day.day}{times.NBSP}{formats.date_format(day, 'F')}"


def weekday_and_day(day: date) -> str:
    """Thursday 4 March."""
    return f"{formats.date_format(day, 'l')} {day_and_month(day)}"


def _first_of_page(
    counts: Counter[date], *, today: date, last_on: date, from_on: date | None, day_on: date | None
) -> date:
    for wish in (from_on, day_on, min(counts, default=None)):
        if wish is not None and times.sunday(today) <= wish <= last_on:
            return times.sunday(wish)
    return times.sunday(today)
