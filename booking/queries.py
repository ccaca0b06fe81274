"""Loads what the openings engine needs, in at most three queries whatever the range, and hands it plain values."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, Func, IntegerField, OuterRef, Q
from django.db.models.sql.compiler import SQLCompiler

from booking import openings, times
from booking.models import BookingRules, Closure, Hold, Occupancy, Resource, VisitType, WorkingHours

LONGEST_OCCUPANCY = timedelta(days=1)  # hours end the day they begin, so nothing is occupied for longer


class Epoch(Func):
    """Whole seconds since 1970: reading them costs a tenth of reading aware datetimes."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        )

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> Any:
        return self.as_sql(compiler, connection, template="EXTRACT(EPOCH FROM %(expressions)s)::bigint")


@dataclass(frozen=True, slots=True)
class _Hours:
    """One row of working hours, or a room (with none)."""

    resource: int
    kind: str
    gives_visit: bool
    weekday: int | None
    opens: time | None
    closes: time | None
    valid_from: date | None
    valid_until: date | None

    def on(self, day: date) -> openings.Interval | None:
        """The open interval on this day in epoch seconds, or None."""
        if (
            self.opens is None
            or self.closes is None
            or self.weekday != day.weekday()
            or (self.valid_from and day < self.valid_from)
            or (self.valid_until and day > self.valid_until)
        ):
            return None
        return times.epoch(day, self.opens), times.epoch(day, self.closes)


def phases_of(visit_type: VisitType) -> list[openings.Phase]:
    """The phases in order, as the engine takes them."""
    return [
        openings.Phase(phase.minutes, phase.needs_practitioner, phase.needs_room, phase.may_stretch_by)
        for phase in visit_type.phases.all()
    ]


def find_openings(
    visit_type: VisitType,
    *,
    first_on: date,
    last_on: date,
    rules: BookingRules,
    now: datetime,
    but: Hold | None = None,
) -> openings.Openings:
    """What can be booked online from `first_on` to `last_on`, both included, in the clinic's days.

    What `but` holds counts as free: it is free to whoever holds it.

    Practitioners can serve in their hours, rooms whenever any practitioner works: the room is turned over
    within the clinic's hours.
    """
    window = times.epoch(first_on, time.min), times.epoch(last_on + timedelta(days=1), time.min)
    hours = [_Hours(*row) for row in _hours(visit_type)]
    open_by: dict[int, list[openings.Interval]] = defaultdict(list)
    clinic_open: list[openings.Interval] = []
    for day in times.days(first_on, last_on):
        for row in hours:
            if interval := row.on(day):
                open_by[row.resource].append(interval)
                clinic_open.append(interval)

    taken_by: dict[int | None, list[openings.Interval]] = defaultdict(list)
    for resource, starts_at, ends_at in [*_closures(window), *_occupancies(window, now=now, but=but)]:
        taken_by[resource].append((starts_at, ends_at))

    def calendar(resource: int, opened: list[openings.Interval]) -> openings.Calendar:
        return openings.Calendar(open=opened, taken=taken_by[None] + taken_by[resource])

    return openings.find_openings(
        phases=phases_of(visit_type),
        practitioners={
            row.resource: calendar(row.resource, open_by[row.resource]) for row in hours if row.gives_visit
        },
        rooms={
            row.resource: calendar(row.resource, clinic_open)
            for row in hours
            if row.kind == Resource.Kind.ROOM
        },
        window=window,
        earliest=int((now + rules.notice).timestamp()),
        latest=int((now + rules.horizon).timestamp()),
        every_minutes=visit_type.start_every,
    )


def opening_at(
    visit_type: VisitType,
    starts_at: datetime,
    *,
    practitioner: Resource | None,
    rules: BookingRules,
    now: datetime,
    but: Hold | None = None,
) -> openings.Opening | None:
    """The one opening at this start, with this practitioner or anyone, as things stand at this moment.

    The days before and after belong to the question: the least busy practitioner is found across midnight.
    """
    day = times.local_day(starts_at)
    found = find_openings(
        visit_type,
        first_on=day - timedelta(days=1),
        last_on=day + timedelta(days=1),
        rules=rules,
        now=now,
        but=but,
    )
    return found.at(int(starts_at.timestamp()), practitioner.pk if practitioner else None)


def hold_of(visitor: UUID | None) -> Hold | None:
    """What the visitor holds, or held last."""
    return Hold.objects.filter(visitor=visitor).first() if visitor else None


def next_starts(
    visit_type: VisitType,
    *,
    practitioner: Resource | None,
    rules: BookingRules,
    now: datetime,
    limit: int = 3,
) -> list[datetime]:
    """The next free starts, one a day, so that they differ enough to choose from."""
    today = times.local_day(now)
    found = find_openings(visit_type, first_on=today, last_on=today + rules.horizon, rules=rules, now=now)
    first_of_day: dict[date, datetime] = {}
    for start in found.starts(practitioner.pk if practitioner else None):
        at = times.from_epoch(start)
        first_of_day.setdefault(at.date(), at)
    return list(first_of_day.values())[:limit]


def answer_by(starts_at: datetime, *, rules: BookingRules, now: datetime) -> datetime:
    """Until when a request for `starts_at` is answered: never after the visit would begin.

    The rule's hours run only on days on which somebody works, so that a request of Friday evening is not due while
    the clinic is closed.
    """
    today = times.local_day(now)
    weekdays = set(
        WorkingHours.objects.filter(
            Q(valid_from=None) | Q(valid_from__lte=today), Q(valid_until=None) | Q(valid_until__gte=today)
        ).values_list("weekday", flat=True)
    )
    due, left = now, rules.answer_within
    while due < starts_at and weekdays:
        midnight = times.midnight_after(due)
        if times.local_day(due).weekday() in weekdays:
            if left <= midnight - due:
                return min(due + left, starts_at)
            left -= midnight - due
        due = midnight
    return starts_at


def _hours(visit_type: VisitType) -> Iterable[Any]:
    gives = VisitType.practitioners.through.objects.filter(visittype=visit_type, resource=OuterRef("pk"))
    return (
        Resource.objects.active()
        .order_by("pk")
        .values_list(
            "pk",
            "kind",
            Exists(gives),
            "working_hours__weekday",
            "working_hours__opens",
            "working_hours__closes",
            "working_hours__valid_from",
            "working_hours__valid_until",
        )
    )


def _closures(window: openings.Interval) -> Iterable[Any]:
    first, last = (times.from_epoch(seconds) for seconds in window)
    return Closure.objects.filter(starts_at__lt=last, ends_at__gt=first).values_list(
        "resource", Epoch("starts_at"), Epoch("ends_at")
    )


def _occupancies(window: openings.Interval, *, now: datetime, but: Hold | None) -> Iterable[Any]:
    """Both sides of the start are bounded, so that the index on it does the work whatever lies in the past."""
    first, last = (times.from_epoch(seconds) for seconds in window)
    rows = Occupancy.objects.in_force(now).filter(
        starts_at__gt=first - LONGEST_OCCUPANCY, starts_at__lt=last, ends_at__gt=first
    )
    if but:
        rows = rows.exclude(hold=but)
    return rows.order_by().values_list("resource", Epoch("starts_at"), Epoch("ends_at"))
