"""Which visits lie where nobody is: in a closure or outside the hours; and what times they could have instead."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import F, Q

from booking import openings, queries, times
from booking.models import (
    Appointment,
    BookingRules,
    Closure,
    ExtraHours,
    Hold,
    Occupancy,
    OfferOption,
    Resource,
    StatusChange,
    VisitType,
    WorkingHours,
)
from booking.models.occupancies import OccupancyQuerySet
from booking.operations import OfferedTime
from booking.operations.keeping import KEPT
from booking.operations.offers import MOST_TIMES
from booking.operations.taking import AT_THE_DESK, DELIBERATELY

SEARCHED: Final = timedelta(days=14)  # after the last visit that needs another time


@dataclass(frozen=True, slots=True)
class Hits:
    """What lies where nobody is, each in order of time.

    `appointments` have their time there or, while other times are offered, one of these. `offered` are times kept
    for somebody on the waitlist or for a course, which end by themselves.
    """

    appointments: list[Appointment]
    holds: list[Hold]
    offered: list[OfferOption]

    def __bool__(self) -> bool:
        return bool(self.appointments or self.holds or self.offered)

    def without_kept(self) -> "Hits":
        """Without the visits that staff have kept there, or put there, on purpose."""
        kept = _kept_on_purpose(self.appointments)
        return Hits([one for one in self.appointments if one.pk not in kept], self.holds, self.offered)


def hit_by(closure: Closure, *, now: datetime) -> Hits:
    """What a closure hits or, before it is saved, would hit; nothing while it is only proposed."""
    if closure.proposed:
        return Hits([], [], [])
    there = _to_come(now).filter(starts_at__lt=closure.ends_at, ends_at__gt=closure.starts_at)
    if closure.resource_id:
        there = there.filter(resource=closure.resource_id)
    return _hits(list(there.order_by().values_list("pk", flat=True)))


def to_decide(*, now: datetime, of: Resource | None = None) -> Hits:
    """Everything to come that lies in a closure in force or outside the hours, or in what takes no visits any more.

    With `of`, only where that practitioner or room is needed. Visits that staff have put there or kept there on
    purpose are left out.
    """
    return _hits(_away(now=now, of=of)).without_kept()


def other_times(
    appointments: Sequence[Appointment], *, closures: Sequence[Closure] = (), now: datetime
) -> dict[int, list[OfferedTime]]:
    """Up to three free times for each appointment, by its key; none before its own time.

    The first is the soonest on its own day, with whoever is there; the others are with its own practitioner, on the
    days after at nearly the same hour. No two appointments are given the same first time, and what all of them
    occupy now still counts as taken by them: so the first times can be had together, in whatever order.
    `closures` count beside those in force.
    """
    if not appointments:
        return {}
    today = times.local_day(now)
    days = [times.local_day(appointment.starts_at) for appointment in appointments]
    last_on = min(max(days) + SEARCHED, today + BookingRules(**AT_THE_DESK).horizon)
    first_on = min(max(min(days), today), last_on)
    types = VisitType.objects.prefetch_related("phases", "practitioners")
    books = {
        visit_type.pk: queries.open_book(
            visit_type,
            first_on=first_on,
            last_on=last_on,
            rules=BookingRules(**AT_THE_DESK),
            now=now,
            closures=closures,
        )
        for visit_type in types.filter(pk__in={appointment.visit_type_id for appointment in appointments})
    }
    given: dict[int, Sequence[openings.Span]] = {}
    found: dict[int, list[OfferedTime]] = {}
    for appointment in appointments:
        book = books[appointment.visit_type_id]
        people = {person.pk: person for person in book.visit_type.practitioners.all()}
        phases = queries.phases_of(book.visit_type)
        best = _best(book.find(without=appointment, also_taken=given), appointment, phases)
        kept_for_it = best if appointment.is_pending else best[:1]  # what is offered is held, all of it
        given[appointment.pk] = [span for one in kept_for_it for span in openings.spans(one, phases)]
        found[appointment.pk] = [
            OfferedTime(times.from_epoch(one.starts_at), people[one.practitioner])
            for one in best
            if one.practitioner
        ]
    return found


def _best(
    found: openings.Openings, appointment: Appointment, phases: Sequence[openings.Phase]
) -> list[openings.Opening]:
    """The soonest on the visit's day, then day by day what is nearest to its hour; no two at the same time."""
    was, own = int(appointment.starts_at.timestamp()), appointment.practitioner_id
    hour = _seconds(was)
    anyones = [start for start in found.starts() if start >= was]
    theirs = [start for start in found.starts(own) if start >= was]
    wanted: list[tuple[int, int | None]] = []
    if anyones and _day(anyones[0]) == _day(was):
        wanted.append((anyones[0], own if anyones[0] in theirs else None))
    by_day: dict[date, list[int]] = defaultdict(list)
    for start in theirs or anyones:
        by_day[_day(start)].append(start)
    for starts in by_day.values():
        nearest = min(starts, key=lambda start: abs(_seconds(start) - hour))
        wanted.append((nearest, own if theirs else None))
    best: list[openings.Opening] = []
    ends = [was]
    for start, who in wanted:
        if len(best) < MOST_TIMES and start >= ends[-1] and (opening := found.at(start, who)):
            best.append(opening)
            ends.append(openings.phase_times(opening, phases)[-1][1])
    return best


def _day(start: int) -> date:
    return times.from_epoch(start).date()


def _seconds(start: int) -> int:
    """Since midnight on the clinic's wall."""
    at = times.from_epoch(start)
    return at.hour * 3600 + at.minute * 60


def _kept_on_purpose(appointments: Collection[Appointment]) -> set[int]:
    """The keys of those whose last change was that staff kept them, or put them over others."""
    return set(
        StatusChange.objects.filter(
            Q(reason=KEPT) | Q(reason__startswith=DELIBERATELY),
            appointment__in=appointments,
            version=F("appointment__version"),
        ).values_list("appointment", flat=True)
    )


def _to_come(now: datetime) -> OccupancyQuerySet:
    """Bounded at the start, so that the index on it does the work whatever lies in the past."""
    return Occupancy.objects.in_force(now).filter(
        starts_at__gt=now - queries.LONGEST_OCCUPANCY, ends_at__gt=now
    )


def _hits(occupancies: Collection[int]) -> Hits:
    """Whose occupancies these are, in at most four queries however many."""
    owners = Occupancy.objects.filter(pk__in=occupancies).order_by()
    appointments: set[int] = set()
    holds: set[int] = set()
    options: set[int] = set()
    for appointment, hold, option, offered_to in owners.values_list(
        "appointment", "hold", "option", "option__offer__appointment"
    ):
        if appointment or offered_to:
            appointments.add(appointment or offered_to)
        elif hold:
            holds.add(hold)
        elif option:
            options.add(option)
    found = Appointment.objects.with_people().filter(pk__in=appointments)
    held = Hold.objects.select_related("visit_type", "practitioner").filter(pk__in=holds)
    offered = OfferOption.objects.select_related(
        "practitioner", "offer__entry__patient", "offer__entry__visit_type", "offer__course__patient"
    ).filter(pk__in=options)
    return Hits(
        list(found.order_by("starts_at", "pk")),
        list(held.order_by("starts_at", "pk")),
        list(offered.order_by("starts_at", "pk")),
    )


def _away(*, now: datetime, of: Resource | None) -> list[int]:
    """The keys of the occupancies that nobody is there for, in four queries however many there are."""
    rows = _to_come(now)
    if of:
        rows = rows.filter(resource=of)
    hours = _Hours.read(now)
    closed: dict[int | None, list[openings.Interval]] = defaultdict(list)
    for closure in Closure.objects.in_force().filter(ends_at__gt=now):
        closed[closure.resource_id].append(
            (int(closure.starts_at.timestamp()), int(closure.ends_at.timestamp()))
        )
    found = rows.order_by().values_list(
        "pk",
        "resource",
        "resource__kind",
        "resource__is_active",
        queries.Epoch("starts_at"),
        queries.Epoch("ends_at"),
    )
    return [
        pk
        for pk, resource, kind, is_active, starts_at, ends_at in found
        if not is_active
        or any(first < ends_at and starts_at < end for first, end in [*closed[None], *closed[resource]])
        or (kind == Resource.Kind.PRACTITIONER and not hours.hold(resource, starts_at, ends_at))
    ]


@dataclass(frozen=True, slots=True)
class _Hours:
    """All practitioners' hours; what is open on a day is worked out once, when it is first asked for."""

    weekly: dict[tuple[int, int], list[WorkingHours]]
    extra: dict[tuple[int, date], list[ExtraHours]]
    by_day: dict[tuple[int, date], list[openings.Interval]]

    @classmethod
    def read(cls, now: datetime) -> "_Hours":
        hours = cls(defaultdict(list), defaultdict(list), {})
        for row in WorkingHours.objects.all():
            hours.weekly[row.practitioner_id, row.weekday].append(row)
        for extra in ExtraHours.objects.filter(day__gte=times.local_day(now) - queries.LONGEST_OCCUPANCY):
            hours.extra[extra.practitioner_id, extra.day].append(extra)
        return hours

    def hold(self, practitioner: int, starts_at: int, ends_at: int) -> bool:
        """Whether the practitioner works all this time; hours end on the day they begin."""
        day = times.from_epoch(starts_at).date()
        if (practitioner, day) not in self.by_day:
            self.by_day[practitioner, day] = self._open_on(practitioner, day)
        opened = self.by_day[practitioner, day]
        before = bisect_right(opened, starts_at, key=lambda interval: interval[0])
        return before > 0 and ends_at <= opened[before - 1][1]

    def _open_on(self, practitioner: int, day: date) -> list[openings.Interval]:
        weekly = [row for row in self.weekly.get((practitioner, day.weekday()), ()) if row.is_valid_on(day)]
        rows: Iterable[WorkingHours | ExtraHours] = [*weekly, *self.extra.get((practitioner, day), ())]
        return openings.union((times.epoch(day, row.opens), times.epoch(day, row.closes)) for row in rows)
