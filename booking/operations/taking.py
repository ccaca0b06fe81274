"""Takes time and gives it back: locks, looks again, occupies, releases. Always inside an operation's transaction.

Locks are taken in one order: patients by key, contacts by key, waitlist entry or course, appointments, then resources
by primary key, each in one query, once in a transaction. On SQLite the transaction itself is the lock. The database's
NoOverlap constraint has the last word.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Q, prefetch_related_objects

from booking import openings, queries, times
from booking.models import Appointment, BookingRules, Hold, Occupancy, OfferOption, Resource, VisitType
from booking.operations.errors import TimeTaken
from clinic import transactions

Owner = Appointment | Hold | OfferOption

# What staff may book: anything that is free, at once, and as far ahead as calendars reach.
AT_THE_DESK: Final = {"notice_hours": 0, "horizon_days": 366}
DELIBERATELY: Final = "overlap in "  # so the history's reason begins where staff put a visit over others


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a visit will be: the fields of `Scheduled`, and the opening they come from; maybe over other visits."""

    opening: openings.Opening
    visit_type: VisitType
    is_over_others: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """Named as the columns are; the patient leaves after the last phase that they are there for."""
        phases = list(self.visit_type.phases.all())
        ends = [
            ends_at for _, ends_at in openings.phase_times(self.opening, queries.phases_of(self.visit_type))
        ]
        leaves = max(end for end, phase in zip(ends, phases, strict=True) if phase.with_patient)
        return {
            "practitioner_id": self.opening.practitioner,
            "room_id": self.opening.room,
            "starts_at": times.from_epoch(self.opening.starts_at),
            "ends_at": times.from_epoch(leaves),
        }


@contextmanager
def change() -> Iterator[None]:
    """An operation's transaction, in which the database's refusal of an overlap is the same answer as ours.

    :raises TimeTaken: if the NoOverlap constraint refused.
    :raises Busy: if a lock was not to be had in time.
    """
    try:
        with transactions.change():
            yield
    except IntegrityError as error:
        if "occupancy_no_overlap" in str(error):
            raise TimeTaken from error
        raise


def lock_resources(
    visit_type: VisitType, practitioners: Collection[Resource | None], *, now: datetime
) -> None:
    """Locks whoever and whatever could serve the visit, then erases what has run out there.

    `practitioners` are those asked for, None among them meaning anyone who gives the visit.
    """
    could_serve = Q(kind=Resource.Kind.ROOM) | Q(pk__in=[person.pk for person in practitioners if person])
    if None in practitioners:
        could_serve |= Q(pk__in=visit_type.practitioners.values("pk"))
    resources = Resource.objects.active().filter(could_serve).order_by("pk").select_for_update(no_key=True)
    locked = [pk for (pk,) in resources.values_list("pk")]
    ended = Q(hold__expires_at__lte=now) | Q(option__offer__expires_at__lte=now)
    # Held and offered times are few, and the index on appointments finds them; without it every past visit is read.
    there = Occupancy.objects.filter(ended, appointment=None, resource__in=locked).order_by()
    if run_out := list(there.values_list("hold", "option")):
        # All of each: somebody whose form came before its end, and had to wait, must not find a part of it.
        holds, options = zip(*run_out, strict=True)
        Occupancy.objects.filter(Q(hold__in=holds) | Q(option__in=options)).delete()


def look_again(
    visit_type: VisitType,
    starts_at: datetime,
    *,
    practitioner: Resource | None,
    rules: BookingRules,
    now: datetime,
    room: Resource | None = None,
) -> Taken:
    """The opening as it stands under the locks, in any room or in this one.

    :raises TimeTaken: if there is none.
    """
    opening = queries.opening_at(
        visit_type, starts_at, practitioner=practitioner, rules=rules, now=now, room=room
    )
    if opening is None or opening.practitioner is None:
        raise TimeTaken
    return Taken(opening, visit_type)


def choose_place(
    visit_type: VisitType,
    starts_at: datetime,
    *,
    practitioner: Resource | None,
    by: User | None,
    over_in: Resource | None,
    now: datetime,
    room: Resource | None = None,
) -> Taken:
    """Where the visit goes: what is free by the rules of whoever asks, or the very place to book over.

    :raises TimeTaken: if the time is not free, and was not to be booked over.
    :raises PermissionDenied: if it was, and `by` may not.
    """
    if over_in is None:
        rules = BookingRules(**AT_THE_DESK) if by else BookingRules.current()
        return look_again(visit_type, starts_at, practitioner=practitioner, rules=rules, now=now, room=room)
    if by is None or practitioner is None or not by.has_perm("booking.overlap_appointment"):
        raise PermissionDenied
    return _over_what_is_taken(visit_type, starts_at, practitioner=practitioner, room=over_in)


def overlap_reason(over_in: Resource | None) -> str:
    """What the history says of a deliberate overlap."""
    return f"{DELIBERATELY}{over_in}" if over_in else ""


def put(owner: Appointment, taken: Taken) -> None:
    """Gives the appointment its place; the caller saves it."""
    for name, value in taken.fields.items():
        setattr(owner, name, value)


def _over_what_is_taken(
    visit_type: VisitType, starts_at: datetime, *, practitioner: Resource, room: Resource
) -> Taken:
    """The visit exactly there, whoever else is there too: a deliberate overlap, which looks at nothing."""
    there = _unstretched(visit_type, starts_at, practitioner.pk, room.pk)
    return Taken(there, visit_type, is_over_others=True)


def same_place(appointment: Appointment) -> Taken:
    """Where and when the visit was planned, nothing stretched; whether it is free, the constraint says."""
    visit_type = appointment.visit_type
    there = _unstretched(visit_type, appointment.starts_at, appointment.practitioner_id, appointment.room_id)
    return Taken(there, visit_type)


def stretched_places(appointment: Appointment) -> list[Taken]:
    """The visit when and where it is, once for each time at which the patient could leave; as planned comes first."""
    visit_type = appointment.visit_type
    prefetch_related_objects([visit_type], "phases")  # every place asks for them
    places = [
        Taken(
            openings.Opening(
                int(appointment.starts_at.timestamp()),
                appointment.practitioner_id,
                appointment.room_id,
                stretches,
            ),
            visit_type,
        )
        for stretches in openings.ways_to_stretch(queries.phases_of(visit_type))
    ]
    by_end: dict[datetime, Taken] = {}
    for place in places:
        by_end.setdefault(place.fields["ends_at"], place)
    return list(by_end.values())


def is_free(owner: Owner, taken: Taken) -> bool:
    """Whether nothing else is there, in any lane; ask it under the locks."""
    return _free_lane(_rows(owner, taken)) == 0


def _unstretched(
    visit_type: VisitType, starts_at: datetime, practitioner: int, room: int | None
) -> openings.Opening:
    stretches = (0,) * visit_type.phases.count()
    return openings.Opening(int(starts_at.timestamp()), practitioner, room, stretches)


def occupy(owner: Owner, taken: Taken) -> None:
    """Writes what the visit occupies, in lane 0, where the database refuses what is taken.

    Only a deliberate overlap stands in the next lane that is free of others there.
    """
    rows = _rows(owner, taken)
    if taken.is_over_others:
        lane = _free_lane(rows)
        for row in rows:
            row.lane = lane
    Occupancy.objects.bulk_create(rows)


def occupy_all(visits: Iterable[tuple[Owner, Taken]]) -> None:
    """As `occupy`, for many visits in one statement; none of them over others."""
    Occupancy.objects.bulk_create([row for owner, taken in visits for row in _rows(owner, taken)])


def _rows(owner: Owner, taken: Taken) -> list[Occupancy]:
    return [
        Occupancy(
            resource_id=span.resource,
            starts_at=times.from_epoch(span.starts_at),
            ends_at=times.from_epoch(span.ends_at),
            **{_owner_name(owner): owner},
        )
        for span in openings.spans(taken.opening, queries.phases_of(taken.visit_type))
    ]


def hand_over(old: Hold | OfferOption, new: Appointment) -> None:
    """What was held for the appointment is now its own; nothing moves, so nothing can collide.

    :raises TimeTaken: if it was let go in this very moment.
    """
    handed_over = Occupancy.objects.filter(**{_owner_name(old): old}).update(
        **{owner: new if owner == "appointment" else None for owner in ("appointment", "hold", "option")}
    )
    if not handed_over:
        raise TimeTaken


def release_offered(appointment: Appointment) -> None:
    """Frees the times that were offered for the appointment."""
    Occupancy.objects.filter(option__offer__appointment=appointment).delete()


def release(appointment: Appointment) -> None:
    """Frees all that the appointment occupies, and the times offered for it.

    In two statements, each with an index: both conditions in one would read the whole table.
    """
    Occupancy.objects.filter(appointment=appointment).delete()
    release_offered(appointment)


def _owner_name(owner: Owner) -> str:
    return {Appointment: "appointment", Hold: "hold", OfferOption: "option"}[type(owner)]


def _free_lane(rows: Collection[Occupancy]) -> int:
    """Asks by time alone, which the index on it answers: asked by resource too, SQLite reads all its past."""
    first, last = min(row.starts_at for row in rows), max(row.ends_at for row in rows)
    there = Occupancy.objects.filter(
        starts_at__gt=first - queries.LONGEST_OCCUPANCY, starts_at__lt=last, ends_at__gt=first
    ).order_by()
    taken = [
        lane
        for resource, lane, starts_at, ends_at in there.values_list(
            "resource", "lane", "starts_at", "ends_at"
        )
        for row in rows
        if row.resource_id == resource and row.starts_at < ends_at and starts_at < row.ends_at
    ]
    return max(taken, default=-1) + 1
