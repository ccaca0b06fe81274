"""What stands in the calendar on some days: visits with their phases, held and offered times, hours and closures.

Read in seven queries however much stands there, and one more each where times are held and offered. Kept as whole
seconds since 1970: a week of ten practitioners has thousands of occupancies.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from operator import itemgetter
from typing import Any

from django.db.models import Q, TextChoices
from django.db.models.functions import Coalesce

from booking import openings, times
from booking.models import (
    Appointment,
    Closure,
    ExtraHours,
    Hold,
    Occupancy,
    OfferOption,
    Phase,
    Resource,
    Status,
    WorkingHours,
)
from booking.openings import Interval, union
from booking.queries import LONGEST_OCCUPANCY, Epoch

SHORTEST_FREE = 15 * 60  # seconds; less is no time to book

_Owner = tuple[str, int]


class Kind(TextChoices):
    VISIT = "visit"
    HOLD = "hold"
    OFFER = "offer"


@dataclass(frozen=True, slots=True)
class Part:
    """One phase, in seconds after the visit's start; without a name where the visit type has other phases by now."""

    begins: int
    ends: int
    name: str
    needs_practitioner: bool
    needs_room: bool

    def needs(self, kind: str) -> bool:
        return self.needs_practitioner if kind == Resource.Kind.PRACTITIONER else self.needs_room


@dataclass(frozen=True, slots=True)
class Shape:
    """What visits alike have in common: their parts, and when these need a practitioner or a room.

    `can_stretch` says whether the patient could leave later, or earlier again.
    """

    parts: Sequence[Part]
    busy: dict[str, list[Interval]]
    idle: list[Interval]
    can_stretch: bool

    @classmethod
    def of(cls, parts: Sequence[Part], *, can_stretch: bool) -> "Shape":
        busy = {
            kind: union((part.begins, part.ends) for part in parts if part.needs(kind))
            for kind in Resource.Kind.values
        }
        idle = union((part.begins, part.ends) for part in parts if not part.needs_practitioner)
        return cls(parts, busy, idle, can_stretch)


@dataclass(frozen=True, slots=True)
class Entry:
    """A visit, a held or an offered time. `ends_at` is when the patient leaves; `until` when holding it ends.

    `appointment` is the visit's key or, of an offered time, that of the request it answers; `person` is the patient's.
    """

    kind: Kind
    starts_at: int
    ends_at: int
    practitioner: int
    room: int | None
    visit_type: str
    shape: Shape
    patient: str = ""
    person: int | None = None
    appointment: int | None = None
    status: str = ""
    version: int = 0
    until: int = 0
    can_stretch: bool = False

    @property
    def has_passed(self) -> bool:
        """Whether it is written down only: nobody is kept by it any more."""
        return self.status in (Status.FULFILLED, Status.NOSHOW)

    @property
    def can_be_moved(self) -> bool:
        return self.status in (Status.PENDING, Status.BOOKED)

    def span(self, resource: Resource) -> Interval:
        """How long it stands in this column: the patient's time, and the room's while it is turned over."""
        busy = self.shape.busy[resource.kind]
        return self.starts_at, max(self.ends_at, self.starts_at + busy[-1][1]) if busy else self.ends_at

    def busy(self, resource: Resource) -> list[Interval]:
        """When it keeps this practitioner or room."""
        return [
            (self.starts_at + begins, self.starts_at + ends)
            for begins, ends in self.shape.busy[resource.kind]
        ]

    def idle(self) -> list[Interval]:
        """When the patient is there and the practitioner free."""
        intervals = [(self.starts_at + begins, self.starts_at + ends) for begins, ends in self.shape.idle]
        return [(begins, ends) for begins, ends in intervals if begins < self.ends_at]


@dataclass(frozen=True, slots=True)
class Away:
    """A closure as far as it falls on one day."""

    starts_at: int
    ends_at: int
    reason: str
    is_whole_clinic: bool
    is_all_day: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One practitioner's or room's day; a room is open whenever anybody works."""

    on: date
    resource: Resource
    hours: list[Interval]
    closures: list[Away]
    entries: list[Entry]

    @property
    def is_empty(self) -> bool:
        return not self.hours and not self.entries

    @property
    def open(self) -> list[Interval]:
        """The hours without the closures."""
        return _without(self.hours, [(away.starts_at, away.ends_at) for away in self.closures])

    def closed(self, first: int, last: int) -> list[Interval]:
        """What lies outside the hours between two instants."""
        return _without([(first, last)], self.hours)

    def free(self, now: int) -> list[Interval]:
        """When the practitioner or the room could still be booked, long enough to be worth it."""
        taken = [busy for entry in self.entries if not entry.has_passed for busy in entry.busy(self.resource)]
        left = _without(self.open, [*taken, (0, now)])
        return [(start, end) for start, end in left if end - start >= SHORTEST_FREE]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The columns of some days, day by day, each day's in the order of lists.

    `resources` are those that have columns, `choices` all that could; `names` are of everybody and every room.
    """

    days: list[date]
    resources: list[Resource]
    choices: list[Resource]
    columns: dict[date, list[Column]]
    names: dict[int, str]

    def in_use(self) -> "Schedule":
        """Without the days on which nobody works and nothing stands; all of them if there is no other."""
        used = [day for day in self.days if not all(column.is_empty for column in self.columns[day])]
        return replace(self, days=used or self.days)

    def own(self, resource: Resource, *, named: Collection[int]) -> "Schedule":
        """The columns of this one alone; of offered times, only those about the appointments `named` say to whom."""

        def seen(entry: Entry) -> Entry:
            if entry.kind != Kind.OFFER or entry.appointment in named:
                return entry
            return replace(entry, patient="", person=None, appointment=None)

        return replace(
            self,
            resources=[resource],
            choices=[resource],
            columns={
                day: [
                    replace(column, entries=[seen(entry) for entry in column.entries])
                    for column in columns
                    if column.resource == resource
                ]
                for day, columns in self.columns.items()
            },
        )

    def only(self, slugs: Collection[str]) -> "Schedule":
        """The columns of these alone."""
        return replace(
            self,
            resources=[one for one in self.resources if one.slug in slugs],
            columns={
                day: [column for column in columns if column.resource.slug in slugs]
                for day, columns in self.columns.items()
            },
        )

    def offered(self) -> list[int]:
        """The keys of the appointments for which other times are offered here."""
        return [
            entry.appointment
            for columns in self.columns.values()
            for column in columns
            for entry in column.entries
            if entry.kind == Kind.OFFER and entry.appointment
        ]

    def wall_hours(self) -> tuple[int, int]:
        """The first and the last hour to draw, such as 9 and 19: all hours worked, and all that stands there."""
        drawn = {
            (day, *interval)
            for day in self.days
            for column in self.columns[day]
            for interval in [*column.hours, *(entry.span(column.resource) for entry in column.entries)]
        }
        if not drawn:
            return 9, 17
        first = min(_wall_seconds(start, day) for day, start, _end in drawn)
        last = max(_wall_seconds(end, day) for day, _start, end in drawn)
        return first // 3600, min(24, -(-last // 3600))


def read(days: Sequence[date], *, kind: Resource.Kind, only: str, now: datetime) -> Schedule:
    """What stands on these days, one after another, by practitioner or by room: by all, or the one with this slug."""
    midnights = {day: times.epoch(day, time.min) for day in [*days, days[-1] + timedelta(days=1)]}
    window = midnights[days[0]], midnights[days[-1] + timedelta(days=1)]
    resources = list(Resource.objects.all())
    hours = _hours(days)
    closures = list(_closures(window))
    entries = _entries(window, now=now)
    standing = _by_place(entries, list(midnights.items()))
    places = {place for _day, place in standing}
    choices = [one for one in resources if one.kind == kind and (one.is_active or one.pk in places)]
    shown = [one for one in choices if one.slug == only] or choices

    def column(day: date, resource: Resource) -> Column:
        first, last = midnights[day], times.epoch(day + timedelta(days=1), time.min)
        is_person = resource.kind == Resource.Kind.PRACTITIONER
        return Column(
            on=day,
            resource=resource,
            hours=hours[day, resource.pk if is_person else None] if resource.is_active else [],
            closures=[
                Away(
                    max(start, first),
                    min(end, last),
                    reason,
                    is_whole_clinic=who is None,
                    is_all_day=start <= first and end >= last,
                )
                for who, start, end, reason in closures
                if who in (None, resource.pk) and start < last and end > first
            ],
            entries=standing[day, resource.pk],
        )

    return Schedule(
        days=list(days),
        resources=shown,
        choices=choices,
        columns={day: [column(day, resource) for resource in shown] for day in days},
        names={one.pk: one.name for one in resources},
    )


def _by_place(
    entries: Iterable[Entry], midnights: list[tuple[date, int]]
) -> dict[tuple[date, int], list[Entry]]:
    """The entries under the day and the practitioner, and again under the day and the room."""
    found: dict[tuple[date, int], list[Entry]] = defaultdict(list)
    for entry in entries:
        day, _midnight = midnights[bisect_right(midnights, entry.starts_at, key=itemgetter(1)) - 1]
        found[day, entry.practitioner].append(entry)
        if entry.room:
            found[day, entry.room].append(entry)
    return found


def _hours(days: Sequence[date]) -> dict[tuple[date, int | None], list[Interval]]:
    """The hours of those who take visits, by day and practitioner; under None those in which anybody works."""
    weekly = WorkingHours.objects.filter(practitioner__is_active=True).order_by()
    extra = ExtraHours.objects.filter(practitioner__is_active=True, day__range=(days[0], days[-1])).order_by()
    rows: dict[tuple[date, int | None], list[Interval]] = defaultdict(list)
    on = defaultdict(list)
    for day in days:
        on[day.weekday()].append(day)
    for row in weekly:
        for day in on[row.weekday]:
            if row.is_valid_on(day):
                opened = times.epoch(day, row.opens), times.epoch(day, row.closes)
                rows[day, row.practitioner_id].append(opened)
    for who, day, opens, closes in extra.values_list("practitioner", "day", "opens", "closes"):
        rows[day, who].append((times.epoch(day, opens), times.epoch(day, closes)))
    for (day, _who), hours in list(rows.items()):
        rows[day, None] += hours
    return defaultdict(list, {key: union(hours) for key, hours in rows.items()})


def _closures(window: Interval) -> Iterable[Any]:
    first, last = map(times.from_epoch, window)
    return (
        Closure.objects.in_force()
        .filter(starts_at__lt=last, ends_at__gt=first)
        .values_list("resource", Epoch("starts_at"), Epoch("ends_at"), "reason")
    )


def _entries(window: Interval, *, now: datetime) -> list[Entry]:
    """Everything that stands in the window, in order of time."""
    first, last = map(times.from_epoch, window)
    occupied = _occupied(first, last)
    shape_of = _ShapeOf(_phases())
    place = (Epoch("starts_at"), Epoch("ends_at"), "practitioner", "room", "visit_type", "visit_type__name")
    within = Q(starts_at__gte=first, starts_at__lt=last)
    visits = Appointment.objects.of_a_day().filter(within).order_by()
    found = []
    for (
        pk,
        status,
        version,
        person,
        patient,
        start,
        end,
        who,
        room,
        type_id,
        type_name,
    ) in visits.values_list("pk", "status", "version", "patient", "patient__name", *place):
        shape = shape_of(type_id, start, who, occupied["appointment", pk])
        found.append(
            Entry(
                Kind.VISIT,
                start,
                end,
                who,
                room,
                type_name,
                shape,
                patient=patient,
                person=person,
                appointment=pk,
                status=status,
                version=version,
                can_stretch=shape.can_stretch,
            )
        )
    kinds = {kind for kind, _pk in occupied}
    if "hold" in kinds:
        holds = Hold.objects.filter(within, expires_at__gt=now).order_by()
        for pk, until, start, end, who, room, type_id, type_name in holds.values_list(
            "pk", Epoch("expires_at"), *place
        ):
            shape = shape_of(type_id, start, who, occupied["hold", pk])
            found.append(Entry(Kind.HOLD, start, end, who, room, type_name, shape, until=until))
    if "option" in kinds:
        found += _offered(within, occupied, shape_of, now=now)
    return sorted(found, key=lambda entry: (entry.starts_at, entry.practitioner))


def _offered(
    within: Q, occupied: dict[_Owner, list[tuple[int, int, int]]], shape_of: "_ShapeOf", *, now: datetime
) -> list[Entry]:
    """The times that are held until their offer ends, to whomever they are offered."""

    def about(field: str) -> Coalesce:
        return Coalesce(f"offer__appointment__{field}", f"offer__entry__{field}", f"offer__course__{field}")

    options = OfferOption.objects.filter(within, offer__expires_at__gt=now)
    found = []
    for (
        pk,
        until,
        start,
        end,
        who,
        room,
        type_id,
        type_name,
        person,
        patient,
        appointment,
    ) in options.values_list(
        "pk",
        Epoch("offer__expires_at"),
        Epoch("starts_at"),
        Epoch("ends_at"),
        "practitioner",
        "room",
        about("visit_type"),
        about("visit_type__name"),
        about("patient"),
        about("patient__name"),
        "offer__appointment",
    ):
        if not occupied["option", pk]:
            continue  # accepted or given back
        shape = shape_of(type_id, start, who, occupied["option", pk])
        found.append(
            Entry(
                Kind.OFFER,
                start,
                end,
                who,
                room,
                type_name,
                shape,
                patient=patient,
                person=person,
                appointment=appointment,
                until=until,
            )
        )
    return found


def _occupied(first: datetime, last: datetime) -> dict[_Owner, list[tuple[int, int, int]]]:
    """What each owner occupies: resource, start and end; also holds and offers that have run out, which none asks for.

    Both sides are bounded for the index on the start.
    """
    rows = (
        Occupancy.objects.filter(
            starts_at__gt=first - LONGEST_OCCUPANCY, starts_at__lt=last + LONGEST_OCCUPANCY
        )
        .order_by("starts_at")
        .values_list("resource", Epoch("starts_at"), Epoch("ends_at"), "appointment", "hold", "option")
    )
    found: dict[_Owner, list[tuple[int, int, int]]] = defaultdict(list)
    for resource, start, end, appointment, hold, option in rows:
        owner = (
            ("appointment", appointment) if appointment else ("hold", hold) if hold else ("option", option)
        )
        found[owner].append((resource, start, end))
    return found


def _phases() -> dict[int, list[Phase]]:
    found: dict[int, list[Phase]] = defaultdict(list)
    for phase in Phase.objects.order_by("position"):
        found[phase.visit_type_id].append(phase)
    return found


class _ShapeOf:
    """Tells from what a visit occupies which phase it is in when; visits alike are worked out once."""

    def __init__(self, phases: dict[int, list[Phase]]) -> None:
        self.phases = phases
        self.known: dict[Any, Shape] = {}

    def __call__(
        self, visit_type: int, starts_at: int, practitioner: int, occupied: list[tuple[int, int, int]]
    ) -> Shape:
        spans = tuple(
            [
                (resource == practitioner, start - starts_at, end - starts_at)
                for resource, start, end in occupied
            ]
        )
        known = self.known.get((visit_type, spans))
        if known is None:
            known = self.known[visit_type, spans] = self._made(visit_type, spans)
        return known

    def _made(self, visit_type: int, spans: Sequence[tuple[bool, int, int]]) -> Shape:
        """The last phase never stretches; what is not as planned cannot be stretched either."""
        if named := self._named(visit_type, spans):
            stretches = any(phase.may_stretch_by for phase in self.phases[visit_type][:-1])
            return Shape.of(named, can_stretch=stretches)
        return Shape.of(_unnamed(spans), can_stretch=False)

    def _named(self, visit_type: int, spans: Sequence[tuple[bool, int, int]]) -> list[Part]:
        """The phases, stretched so that they occupy just this; none if no stretching makes them."""
        rows = self.phases[visit_type]
        phases = [
            openings.Phase(row.minutes, row.needs_practitioner, row.needs_room, row.may_stretch_by)
            for row in rows
        ]
        if not spans or not phases:
            return []
        person, room = 1, 2
        wanted = sorted((person if is_person else room, start, end) for is_person, start, end in spans)
        planned = partial(
            openings.Opening,
            0,
            person if any(phase.needs_practitioner for phase in phases) else None,
            room if any(phase.needs_room for phase in phases) else None,
        )
        for stretches in openings.ways_to_stretch(phases):
            opening = planned(stretches)
            made = [(span.resource, span.starts_at, span.ends_at) for span in openings.spans(opening, phases)]
            if made == wanted:
                return [
                    Part(start, end, row.name, row.needs_practitioner, row.needs_room)
                    for (start, end), row in zip(openings.phase_times(opening, phases), rows, strict=True)
                ]
        return []


def _unnamed(spans: Iterable[tuple[bool, int, int]]) -> list[Part]:
    """Parts without names, cut wherever a practitioner or a room begins or ends to be needed."""
    spans = list(spans)
    cuts = sorted({cut for _, start, end in spans for cut in (start, end)})

    def needed(is_person: bool, start: int) -> bool:  # noqa: FBT001
        return any(who == is_person and begins <= start < ends for who, begins, ends in spans)

    return [
        Part(start, end, "", needed(True, start), needed(False, start))  # noqa: FBT003
        for start, end in pairwise(cuts)
    ]


def _without(intervals: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """What is left of the intervals."""
    left = list(intervals)
    for begins, ends in union(taken):
        left = [
            piece
            for start, end in left
            for piece in ((start, min(end, begins)), (max(start, ends), end))
            if piece[0] < piece[1]
        ]
    return left


def _wall_seconds(at: int, day: date) -> int:
    """Seconds since midnight as the clock on the wall shows them; the midnight that ends the day is 24 hours."""
    wall = times.from_epoch(at)
    return (wall.date() - day).days * 86400 + wall.hour * 3600 + wall.minute * 60
