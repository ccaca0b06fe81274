"""What the desk shows first: the requests that wait, each within its practitioner's day, and the visits of today."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from booking import times
from booking.models import Appointment, AppointmentQuerySet, Resource


@dataclass(frozen=True, slots=True)
class Visit:
    """One line in a practitioner's day; `is_this` marks the request that the day is shown for."""

    appointment: Appointment
    is_this: bool = False
    is_over: bool = False
    is_now: bool = False


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
class PractitionerDay:
    practitioner: Resource
    visits: list[Visit]


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


def visits_of(day: date, seen: AppointmentQuerySet, *, now: datetime) -> list[PractitionerDay]:
    """Those of these visits that are on this day, by practitioner in the order of their lists, in one query."""
    visits = (
        seen.of_a_day()
        .with_people()
        .filter(starts_at__gte=times.midnight(day), starts_at__lt=times.midnight(day + timedelta(days=1)))
        .order_by("practitioner__position", "practitioner__name", "practitioner", "starts_at", "pk")
    )
    return [
        PractitionerDay(practitioner, [_as_seen(visit, now) for visit in theirs])
        for practitioner, theirs in groupby(visits, key=lambda visit: visit.practitioner)
    ]


def people_in(waiting: list[Waiting], days: list[PractitionerDay]) -> set[int]:
    """The keys of all patients whom the page names."""
    lines = [visit for day in days for visit in day.visits] + [visit for one in waiting for visit in one.day]
    named = [visit.appointment for visit in lines] + [one.appointment for one in waiting]
    return {appointment.patient_id for appointment in named}


def _as_seen(visit: Appointment, now: datetime) -> Visit:
    is_over = visit.ends_at <= now or not visit.is_occupying
    return Visit(visit, is_over=is_over, is_now=visit.starts_at <= now and not is_over)


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
