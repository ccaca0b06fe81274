"""What the desk shows first: the requests that wait, each within its practitioner's day, and the visits of today."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q

from booking import times
from booking.admin import schedule, strips
from booking.admin.calendar_words import Words
from booking.models import (
    Appointment,
    AppointmentQuerySet,
    CourseQuerySet,
    Occupancy,
    Offer,
    Resource,
    Status,
)

SOON: Final = timedelta(hours=4)  # an offer that ends within it can still be saved by a call


@dataclass(frozen=True, slots=True)
class Visit:
    """One line in a practitioner's or room's day; `is_this` marks the request that the day is shown for.

    `idle` is when the patient is there and needs no practitioner, in words.
    """

    appointment: Appointment
    is_this: bool = False
    is_over: bool = False
    is_now: bool = False
    idle: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request with everything that occupies its practitioner's day, itself included, in order of time.

    A course is one request; `visits` are those of it that wait, and the day is that of the first.
    """

    appointment: Appointment
    day: list[Visit]
    visits: list[Appointment]
    is_overdue: bool
    is_due_today: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The day of one practitioner or room, or of the visits that are in no room; `free` is in words, from now on."""

    resource: Resource | None
    visits: list[Visit]
    strip: strips.Strip | None = None
    free: str = ""
    is_open: bool = True


def waiting(seen: AppointmentQuerySet, *, now: datetime) -> list[Waiting]:
    """Every request of these that waits for an answer, oldest first, in two queries however many there are."""
    requests: dict[tuple[str, int], list[Appointment]] = defaultdict(list)
    for appointment in seen.pending().with_people().with_replaced():
        course = appointment.course_id
        requests[("course", course) if course else ("visit", appointment.pk)].append(appointment)
    if not requests:
        return []
    pending = [visits[0] for visits in requests.values()]
    days = _days_of(pending)
    return [
        Waiting(
            appointment=appointment,
            day=[Visit(other, is_this=other == appointment) for other in days[_day_of(appointment)]],
            visits=visits if appointment.course_id else [],
            is_overdue=_promised_by(appointment, now),
            is_due_today=_promised_by(appointment, times.midnight(times.local_day(now) + timedelta(days=1))),
        )
        for appointment, visits in zip(pending, requests.values(), strict=True)
    ]


def offers_ending(seen: AppointmentQuerySet, courses: CourseQuerySet, *, now: datetime) -> list[Offer]:
    """What staff offered to these patients and nobody answered, if it ends soon; the first to end first."""
    held = Occupancy.objects.filter(option__offer=OuterRef("pk"))
    return list(
        Offer.objects.filter(
            Q(appointment__in=seen.filter(status=Status.PROPOSED)) | Q(course__in=courses),
            Exists(held),  # else another offer came after it
            answer="",
            expires_at__gt=now,
            expires_at__lte=now + SOON,
        )
        .select_related("appointment__patient", "course__patient")
        .order_by("expires_at", "pk")
    )


def places(
    day: date, seen: AppointmentQuerySet, *, kind: Resource.Kind, sees_everybody: bool, now: datetime
) -> list[Place]:
    """Those of these visits that are on this day, by practitioner or by room in the order of their lists.

    Whoever sees everybody also sees the practitioners and rooms that have no visit yet. It takes at most ten
    queries, however many visits there are.
    """
    found = seen.of_a_day().with_people().order_by("starts_at", "pk")
    visits = found.filter(
        starts_at__gte=times.midnight(day), starts_at__lt=times.midnight(day + timedelta(days=1))
    )
    theirs: dict[int | None, list[Appointment]] = defaultdict(list)
    for visit in visits:
        theirs[visit.practitioner_id if kind == Resource.Kind.PRACTITIONER else visit.room_id].append(visit)
    plan = schedule.read([day], kind=kind, only="", now=now)
    words, axis = Words(plan, now=now), strips.Axis.of(plan, day)
    shown = [
        column
        for column in plan.columns[day]
        if column.resource.pk in theirs or (sees_everybody and not column.is_empty)
    ]
    by_resource = [
        Place(
            column.resource,
            _as_seen(theirs[column.resource.pk], column.entries, words, now=now),
            strips.draw(column, axis, now=now),
            ", ".join(map(words.span, column.free(int(now.timestamp())))),
            is_open=bool(column.hours),
        )
        for column in shown
    ]
    nowhere = [Place(None, _as_seen(theirs[None], [], words, now=now))] if theirs[None] else []
    return by_resource + nowhere


def people_in(waiting: list[Waiting], places: list[Place], offers: list[Offer]) -> set[int]:
    """The keys of all patients whom the page names."""
    lines = [visit for place in places for visit in place.visits] + [
        visit for one in waiting for visit in one.day
    ]
    named = [visit.appointment for visit in lines] + [one.appointment for one in waiting]
    offered = [offer.appointment or offer.course for offer in offers]
    return {about.patient_id for about in [*named, *offered] if about}


def _as_seen(
    visits: list[Appointment], entries: Iterable[schedule.Entry], words: Words, *, now: datetime
) -> list[Visit]:
    entry_of = {entry.appointment: entry for entry in entries if entry.kind == schedule.Kind.VISIT}
    seen = []
    for visit in visits:
        is_over = visit.ends_at <= now or not visit.is_occupying
        entry = entry_of.get(visit.pk)
        idle = "" if entry is None or is_over else ", ".join(map(words.span, entry.idle()))
        seen.append(Visit(visit, is_over=is_over, is_now=visit.starts_at <= now and not is_over, idle=idle))
    return seen


def _days_of(pending: list[Appointment]) -> dict[tuple[int, date], list[Appointment]]:
    """What occupies the practitioners on the days that are asked for."""
    asked_for = sorted({times.local_day(appointment.starts_at) for appointment in pending})
    found = (
        Appointment.objects.occupying()
        .select_related("patient")
        .filter(
            practitioner__in={appointment.practitioner_id for appointment in pending},
            starts_at__date__in=asked_for,
            # The same again as instants, which the index on starts_at can use.
            starts_at__gte=times.midnight(asked_for[0]),
            starts_at__lt=times.midnight(asked_for[-1] + timedelta(days=1)),
        )
        .order_by("starts_at", "pk")
    )
    days: dict[tuple[int, date], list[Appointment]] = defaultdict(list)
    for appointment in found:
        days[_day_of(appointment)].append(appointment)
    return days


def _day_of(appointment: Appointment) -> tuple[int, date]:
    return appointment.practitioner_id, times.local_day(appointment.starts_at)


def _promised_by(appointment: Appointment, at: datetime) -> bool:
    return appointment.answer_by is not None and appointment.answer_by <= at
