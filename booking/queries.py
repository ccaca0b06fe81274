"""Loads what the openings engine needs, in at most three queries whatever the range, and hands it plain values."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
)
from django.db.models.sql.compiler import SQLCompiler

from booking import openings, times
from booking.models import (
    Appointment,
    BookingRules,
    CheckIn,
    Closure,
    ExtraHours,
    Hold,
    Occupancy,
    Phase,
    Resource,
    VisitType,
    WorkingHours,
)

LONGEST_OCCUPANCY = timedelta(days=1)  # hours end the day they begin, so nothing is occupied for longer

ANSWER_AHEAD = timedelta(hours=2)

_Owner = tuple[int | None, ...]  # appointment, hold, offer: exactly one is set
_Visit = tuple[int, int, _Owner]


class Epoch(Func):
    """Whole seconds since 1970: reading them costs a tenth of reading aware datetimes."""

    output_field = IntegerField()

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        """None: both databases give whole numbers, and asking each of thousands again costs as much as reading it."""
        return []

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        )

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        # EXTRACT counts in numeric, which takes three times as long.
        return self.as_sql(compiler, connection, template="date_part('epoch', %(expressions)s)::bigint")


@dataclass(frozen=True, slots=True)
class _Hours:
    """One row of working hours or extra hours, or a resource without any; without a weekday, of every weekday.

    `shortest_visit` counts minutes, from the practitioner's first to their last; None where it is not asked for.
    """

    resource: int
    kind: str
    gives_visit: bool
    visits_a_day: int | None
    shortest_visit: int | None
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
            or self.weekday not in (None, day.weekday())
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
    but: Hold | Appointment | None = None,
    room: Resource | None = None,
) -> openings.Openings:
    """What can be booked online from `first_on` to `last_on`, both included, in the clinic's days; or in `room` alone.

    Practitioners can serve in their hours, extra hours included, until the day holds as many visits as they take
    a day; rooms whenever any practitioner works: the room is turned over within the clinic's hours. What `but`
    holds or occupies counts as free: it is free to whoever has it.
    """
    book = open_book(visit_type, first_on=first_on, last_on=last_on, rules=rules, now=now, but=but)
    return book.find(room=room)


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that was read for one visit type and a range of days, to be searched as often as wanted."""

    visit_type: VisitType
    hours: list[_Hours]
    open_by: Mapping[int, list[openings.Interval]]
    clinic_open: list[openings.Interval]
    closed_by: Mapping[int | None, list[openings.Interval]]
    visits_by: Mapping[int, list[_Visit]]
    midnights: list[int]
    bounds: openings.Interval

    def find(
        self,
        *,
        without: Appointment | None = None,
        also_taken: Mapping[int, Sequence[openings.Span]] | None = None,
        room: Resource | None = None,
    ) -> openings.Openings:
        """The openings, in all rooms or in this one.

        What `without` occupies counts as free, and `also_taken`, by appointment's key, as taken.
        """
        besides: dict[int, list[_Visit]] = defaultdict(list)
        for owner, spans in (also_taken or {}).items():
            for span in spans:
                besides[span.resource].append((span.starts_at, span.ends_at, (owner, None, None)))

        def calendar(row: _Hours, opened: list[openings.Interval]) -> openings.Calendar:
            visits = [*self.visits_by.get(row.resource, ()), *besides[row.resource]]
            if without:
                visits = [visit for visit in visits if visit[2][0] != without.pk]
            closed = [*self.closed_by.get(None, ()), *self.closed_by.get(row.resource, ())]
            if row.visits_a_day is not None:
                closed = closed + _full_days(visits, row.visits_a_day, self.midnights)
            return openings.Calendar(
                opened, [(starts_at, ends_at) for starts_at, ends_at, _ in visits], closed
            )

        giving = {row.resource: row for row in self.hours if row.gives_visit}
        rooms = {
            row.resource: row
            for row in self.hours
            if row.kind == Resource.Kind.ROOM and (room is None or row.resource == room.pk)
        }
        earliest, latest = self.bounds
        return openings.find_openings(
            phases=phases_of(self.visit_type),
            practitioners={id_: calendar(row, self.open_by.get(id_, [])) for id_, row in giving.items()},
            rooms={id_: calendar(row, self.clinic_open) for id_, row in rooms.items()},
            window=(self.midnights[0], self.midnights[-1]),
            earliest=earliest,
            latest=latest,
            every_minutes=self.visit_type.start_every,
            midnights=self.midnights,
            shortest_visits={id_: row.shortest_visit for id_, row in giving.items() if row.shortest_visit},
        )


def open_book(
    visit_type: VisitType,
    *,
    first_on: date,
    last_on: date,
    rules: BookingRules,
    now: datetime,
    but: Hold | Appointment | None = None,
    closures: Iterable[Closure] = (),
) -> Book:
    """Reads what `find_openings` tells of; `closures` count beside those in force, saved or not."""
    days = times.days(first_on, last_on)
    midnights = [times.epoch(day, time.min) for day in [*days, last_on + timedelta(days=1)]]
    window = midnights[0], midnights[-1]
    hours = [_Hours(*row) for row in _hours(visit_type, first_on, last_on, compact=rules.keep_days_compact)]
    open_by: dict[int, list[openings.Interval]] = defaultdict(list)
    clinic_open: list[openings.Interval] = []
    for day in days:
        for row in hours:
            if interval := row.on(day):
                open_by[row.resource].append(interval)
                clinic_open.append(interval)

    closed_by: dict[int | None, list[openings.Interval]] = defaultdict(list)
    planned = [
        (closure.resource_id, int(closure.starts_at.timestamp()), int(closure.ends_at.timestamp()))
        for closure in closures
    ]
    for resource, starts_at, ends_at in [*_closures(window), *planned]:
        closed_by[resource].append((starts_at, ends_at))
    visits_by: dict[int, list[_Visit]] = defaultdict(list)
    for resource, starts_at, ends_at, *owner in _occupancies(window, now=now, but=but):
        visits_by[resource].append((starts_at, ends_at, tuple(owner)))
    return Book(
        visit_type=visit_type,
        hours=hours,
        open_by=open_by,
        clinic_open=clinic_open,
        closed_by=closed_by,
        visits_by=visits_by,
        midnights=midnights,
        bounds=(int((now + rules.notice).timestamp()), int((now + rules.horizon).timestamp())),
    )


def opening_at(
    visit_type: VisitType,
    starts_at: datetime,
    *,
    practitioner: Resource | None,
    rules: BookingRules,
    now: datetime,
    but: Hold | Appointment | None = None,
    room: Resource | None = None,
) -> openings.Opening | None:
    """The one opening at this start, with this practitioner or anyone, as things stand at this moment."""
    day = times.local_day(starts_at)
    found = find_openings(visit_type, first_on=day, last_on=day, rules=rules, now=now, but=but, room=room)
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
    """The next free starts, one a day, so that they differ enough to choose from.

    Where days are kept compact, the day's first start that touches another visit comes before its first.
    """
    today = times.local_day(now)
    found = find_openings(visit_type, first_on=today, last_on=today + rules.horizon, rules=rules, now=now)
    who = practitioner.pk if practitioner else None
    first_of_day: dict[date, datetime] = {}
    for start in [*(found.touching(who) if rules.keep_days_compact else ()), *found.starts(who)]:
        at = times.from_epoch(start)
        first_of_day.setdefault(at.date(), at)
    return sorted(first_of_day.values())[:limit]


def answer_by(starts_at: datetime, *, rules: BookingRules, now: datetime) -> datetime:
    """Until when a request for `starts_at` is answered.

    The rule's hours run only on days on which somebody works, so that a request of Friday evening is not due while
    the clinic is closed. The patient knows two hours before the visit, or half-way there if that is nearer.
    """
    latest = max(starts_at - ANSWER_AHEAD, now + (starts_at - now) / 2)
    today = times.local_day(now)
    weekdays = set(
        WorkingHours.objects.filter(
            Q(valid_from=None) | Q(valid_from__lte=today), Q(valid_until=None) | Q(valid_until__gte=today)
        ).values_list("weekday", flat=True)
    )
    due, left = now, rules.answer_within
    while due < latest and weekdays:
        midnight = times.midnight_after(due)
        if times.local_day(due).weekday() in weekdays:
            if left <= midnight - due:
                return min(due + left, latest)
            left -= midnight - due
        due = midnight
    return latest


def check_ins_along_with(appointment: Appointment) -> list[CheckIn]:
    """What the patient said before each visit so far, in the order of the visits."""
    return list(CheckIn.objects.along_with(appointment))


def _full_days(
    visits: Iterable[_Visit], visits_a_day: int, midnights: Sequence[int]
) -> list[openings.Interval]:
    """The days on which so many visits start; a visit counts once, however often it occupies the resource."""
    owners: dict[int, set[_Owner]] = defaultdict(set)
    for starts_at, _, owner in visits:
        owners[bisect_right(midnights, starts_at)].add(owner)
    return [
        (midnight, next_midnight)
        for number, (midnight, next_midnight) in enumerate(pairwise(midnights), start=1)
        if len(owners[number]) >= visits_a_day
    ]


def _hours(visit_type: VisitType, first_on: date, last_on: date, *, compact: bool) -> Iterable[Any]:
    """Each resource with its working hours, if any; then extra hours, as hours that are valid on their day alone.

    Rows of extra hours say nothing else of the practitioner: the resource's other rows have said it.
    """
    gives = VisitType.practitioners.through.objects.filter(visittype=visit_type, resource=OuterRef("pk"))
    nothing = Value(None, IntegerField())
    weekly = (
        Resource.objects.active()
        .order_by()
        .values_list(
            "pk",
            "kind",
            Exists(gives),
            "visits_a_day",
            Subquery(_shortest_visit()) if compact else nothing,
            "working_hours__weekday",
            "working_hours__opens",
            "working_hours__closes",
            "working_hours__valid_from",
            "working_hours__valid_until",
        )
    )
    extra = (
        ExtraHours.objects.filter(day__range=(first_on, last_on), practitioner__is_active=True)
        .order_by()
        .values_list(
            "practitioner",
            Value(Resource.Kind.PRACTITIONER),
            Value(False),  # noqa: FBT003 (a column)
            *(nothing, nothing, nothing),
            *("opens", "closes", "day"),
            F("day"),
        )
    )
    return weekly.union(extra, all=True)


def _shortest_visit() -> Any:
    """Minutes from the practitioner's first to their last in the shortest visit that they give online."""
    same_visit = Phase.objects.filter(visit_type=OuterRef("visit_type"), needs_practitioner=True)
    return (
        Phase.objects.filter(
            Exists(same_visit.filter(position__lte=OuterRef("position"))),
            Exists(same_visit.filter(position__gte=OuterRef("position"))),
            visit_type__is_active=True,
            visit_type__practitioners=OuterRef("pk"),
        )
        .order_by()
        .values("visit_type")
        .annotate(length=Sum("minutes"))
        .order_by("length")
        .values("length")[:1]
    )


def _closures(window: openings.Interval) -> Iterable[Any]:
    first, last = (times.from_epoch(seconds) for seconds in window)
    return (
        Closure.objects.in_force()
        .filter(starts_at__lt=last, ends_at__gt=first)
        .values_list("resource", Epoch("starts_at"), Epoch("ends_at"))
    )


def _occupancies(
    window: openings.Interval, *, now: datetime, but: Hold | Appointment | None
) -> Iterable[Any]:
    """What takes time, each row with its owner: the one place that says which rows count.

    Both sides of the start are bounded, so that the index on it does the work whatever lies in the past.
    """
    first, last = (times.from_epoch(seconds) for seconds in window)
    rows = Occupancy.objects.in_force(now).filter(
        Q(starts_at__gt=first - LONGEST_OCCUPANCY), starts_at__lt=last, ends_at__gt=first
    )
    if isinstance(but, Hold):
        rows = rows.filter(~Q(hold=but) | Q(hold=None))
    elif but:
        rows = rows.filter(
            ~Q(appointment=but) | Q(appointment=None), ~Q(option__offer__appointment=but) | Q(option=None)
        )
    owner = ("appointment", "hold", "option__offer")  # the times of one offer are one visit
    return rows.order_by().values_list("resource", Epoch("starts_at"), Epoch("ends_at"), *owner)
