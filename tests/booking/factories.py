"""Rows for tests of booking, made by plain functions; every argument has a default that makes a legal row."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from booking import openings, queries, times
from booking.models import (
    Actor,
    Appointment,
    Closure,
    Occupancy,
    Patient,
    Phase,
    Resource,
    Status,
    StatusChange,
    VisitType,
    WorkingHours,
)

EVERY_DAY = range(7)
_number = count(1)


def make_practitioner(name: str = "", **fields: Any) -> Resource:
    number = next(_number)
    fields = {"title": "R. Ac", "slug": f"practitioner-{number}"} | fields
    return Resource.objects.create(
        kind=Resource.Kind.PRACTITIONER, name=name or f"Practitioner {number}", **fields
    )


def make_room(name: str = "", **fields: Any) -> Resource:
    number = next(_number)
    fields = {"slug": f"room-{number}"} | fields
    return Resource.objects.create(kind=Resource.Kind.ROOM, name=name or f"Room {number}", **fields)


def make_hours(
    practitioner: Resource,
    *,
    weekdays: Iterable[int] = EVERY_DAY,
    opens: time = time(9),
    closes: time = time(19),
    **fields: Any,
) -> list[WorkingHours]:
    """The same hours on each of `weekdays`, 0 for Monday."""
    return [
        WorkingHours.objects.create(
            practitioner=practitioner, weekday=weekday, opens=opens, closes=closes, **fields
        )
        for weekday in weekdays
    ]


def make_closure(starts_at: datetime, ends_at: datetime, resource: Resource | None = None) -> Closure:
    """Time away of one resource or, with none named, of the whole clinic."""
    return Closure.objects.create(resource=resource, starts_at=starts_at, ends_at=ends_at)


def phase(minutes: int = 45, **fields: Any) -> Phase:
    """One part of a visit, not yet saved: with practitioner, room and patient unless said otherwise."""
    return Phase(minutes=minutes, **{"name": "Treatment", **fields})


def needles() -> list[Phase]:
    """Needles in, a rest that may stretch, needles out, then the room is turned over; not yet saved."""
    return [
        phase(20, name="Needles in"),
        phase(20, name="Rest", needs_practitioner=False, may_stretch_by=10),
        phase(5, name="Needles out"),
        phase(10, name="Turnover", needs_practitioner=False, with_patient=False),
    ]


def make_visit_type(
    name: str = "First visit",
    *,
    phases: Sequence[Phase] = (),
    practitioners: Sequence[Resource] = (),
    **fields: Any,
) -> VisitType:
    """A visit type with these phases in their order; without any, one of 45 minutes."""
    fields = {"slug": f"visit-{next(_number)}", "summary": "For people who are new to the clinic."} | fields
    visit_type = VisitType.objects.create(name=name, **fields)
    visit_type.practitioners.set(practitioners)
    for position, part in enumerate(phases or [phase()], start=1):
        part.visit_type, part.position = visit_type, position
        part.save()
    return visit_type


def make_clinic(*, practitioners: int = 1, rooms: int = 1, **visit_type: Any) -> VisitType:
    """A visit type that can be booked from 9 am to 7 pm on every day of the week."""
    people = [make_practitioner() for _ in range(practitioners)]
    for person in people:
        make_hours(person)
    for _ in range(rooms):
        make_room()
    return make_visit_type(practitioners=people, **visit_type)


def wall(hour: int, minute: int = 0, *, days_ahead: int = 2) -> datetime:
    """This wall time so many days from today; from two days on, the default notice is kept."""
    day = times.local_day(timezone.now()) + timedelta(days=days_ahead)
    return datetime.combine(day, time(hour, minute), tzinfo=times.ZONE)


def make_patient(name: str = "Parisa Karimi", **fields: Any) -> Patient:
    fields = {"email": f"patient{next(_number)}@example.com", "created_at": timezone.now()} | fields
    return Patient.objects.create(name=name, **fields)


def make_appointment(
    visit_type: VisitType | None = None,
    *,
    starts_at: datetime | None = None,
    practitioner: Resource | None = None,
    room: Resource | None = None,
    status: Status = Status.PENDING,
    **fields: Any,
) -> Appointment:
    """An appointment as it would stand in its first version, occupying what its status and phases say.

    Without a visit type it comes with a clinic and a room of its own; else without practitioner or room, with
    the first there is.
    """
    if visit_type is None:
        visit_type = make_clinic(rooms=0)
        room = room or make_room()
    practitioner = practitioner or visit_type.practitioners.order_by("pk")[0]
    room = room or Resource.objects.rooms().order_by("pk")[0]
    starts_at = starts_at or wall(10)
    now = timezone.now()
    made = {
        "reference": f"RH-T{next(_number):05}",
        "ends_at": starts_at + timedelta(minutes=visit_type.minutes),
        "patient": fields.get("patient") or make_patient(),
        "new_patient": True,
        "requested_at": now,
        "answer_by": now + timedelta(hours=24),
    } | fields
    appointment = Appointment.objects.create(
        visit_type=visit_type,
        practitioner=practitioner,
        room=room,
        starts_at=starts_at,
        status=status,
        **made,
    )
    if appointment.is_occupying:
        _occupy(appointment)
    StatusChange.objects.create(
        appointment=appointment,
        version=appointment.version,
        to_status=status,
        at=appointment.requested_at,
        actor=Actor.PATIENT,
    )
    return appointment


def _occupy(appointment: Appointment) -> None:
    phases = queries.phases_of(appointment.visit_type)
    as_planned = openings.Opening(
        starts_at=int(appointment.starts_at.timestamp()),
        practitioner=appointment.practitioner_id if any(part.needs_practitioner for part in phases) else None,
        room=appointment.room_id if any(part.needs_room for part in phases) else None,
        stretches=(0,) * len(phases),
    )
    for span in openings.spans(as_planned, phases):
        Occupancy.objects.create(
            appointment=appointment,
            resource_id=span.resource,
            starts_at=times.from_epoch(span.starts_at),
            ends_at=times.from_epoch(span.ends_at),
        )
