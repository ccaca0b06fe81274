"""Everything that changes an appointment, one transaction each: all of it happens, with its mail, or nothing does.

Locks are taken in one order: first the appointment's row, then the resources by primary key. On SQLite the
IMMEDIATE transaction is the lock. Under the locks an operation looks again before it writes; the database's
own NoOverlap constraint has the last word.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.crypto import get_random_string

from booking import notices, openings, queries, screening, times
from booking.models import (
    TRANSITIONS,
    Actor,
    Appointment,
    BookingRules,
    DeclineReason,
    Occupancy,
    Patient,
    Resource,
    Status,
    StatusChange,
    VisitType,
)

# Without vowels, and without letters and digits that look alike, nothing is misread or spells a word.
REFERENCE_LETTERS: Final = "BCDFGHJKMNPQRTVWXZ2346789"


class TimeTaken(Exception):
    """Somebody else has this time now, or it can no longer be booked."""


class AlreadyDecided(Exception):
    """The appointment has changed since the person who decides looked at it; it holds what it is now."""

    def __init__(self, appointment: Appointment) -> None:
        super().__init__(appointment.reference)
        self.appointment = appointment


@dataclass(frozen=True, slots=True)
class Details:
    """What a patient asks for and says of themselves; `precautions` maps codes of `screening` to yes / not_sure."""

    name: str
    email: str
    phone: str
    language: str
    new_patient: bool
    precautions: dict[str, str]
    note: str
    consent_version: str
    wants_articles: bool


def request_appointment(
    *,
    visit_type: VisitType,
    starts_at: datetime,
    practitioner: Resource | None,
    details: Details,
    idempotency_key: UUID,
    now: datetime,
) -> Appointment:
    """A patient asks for a visit; with `practitioner` None, anyone may give it.

    The same key again returns the appointment that it made the first time, and does nothing.

    :raises TimeTaken: if the time is no longer free or can no longer be booked online.
    """
    rules = BookingRules.current()
    with _refusing_overlaps(), transaction.atomic(durable=True):
        _lock_resources(visit_type, practitioner)
        if made_before := Appointment.objects.filter(idempotency_key=idempotency_key).first():
            return made_before
        opening = queries.opening_at(visit_type, starts_at, practitioner=practitioner, rules=rules, now=now)
        if opening is None or opening.practitioner is None:
            raise TimeTaken
        patient = Patient.objects.create(
            name=details.name,
            email=details.email,
            phone=details.phone,
            marketing_consented_at=now if details.wants_articles else None,
            created_at=now,
        )
        appointment = Appointment.objects.create(
            reference=f"RH-{get_random_string(6, REFERENCE_LETTERS)}",
            status=Status.PENDING,
            visit_type=visit_type,
            practitioner_id=opening.practitioner,
            anyone=practitioner is None,
            room_id=opening.room,
            patient=patient,
            starts_at=starts_at,
            ends_at=_patient_leaves_at(opening, visit_type),
            language=details.language,
            new_patient=details.new_patient,
            precautions=details.precautions,
            screening_version=screening.VERSION,
            note=details.note,
            consent_version=details.consent_version,
            consented_at=now,
            idempotency_key=idempotency_key,
            requested_at=now,
            answer_by=now + rules.answer_within,
        )
        _occupy(appointment, opening)
        _record(appointment, "", Actor.PATIENT, by=None, now=now)
        notices.received(appointment, now=now)
        notices.tell_staff_of_request(appointment, now=now)
    return appointment


def confirm_appointment(*, appointment: Appointment, version: int, by: User, now: datetime) -> Appointment:
    """Staff accept the request as it stands in `version`.

    :raises AlreadyDecided: if it has changed since, or no longer waits for an answer.
    """
    with _changing(appointment, version, Status.BOOKED, Actor.STAFF, by, now) as (confirmed, _):
        notices.confirmed(confirmed, now=now)
    return confirmed


def decline_appointment(
    *, appointment: Appointment, version: int, reason: DeclineReason, by: User, now: datetime
) -> Appointment:
    """Staff refuse the request; its time is free again and the patient is told the next free ones.

    :raises AlreadyDecided: if it has changed since, or no longer waits for an answer.
    """
    with _changing(appointment, version, Status.DECLINED, Actor.STAFF, by, now, reason) as (declined, _):
        next_starts = queries.next_starts(
            declined.visit_type,
            practitioner=None if declined.anyone else declined.practitioner,
            rules=BookingRules.current(),
            now=now,
        )
        notices.declined(declined, reason=reason, next_starts=next_starts, now=now)
    return declined


def cancel_appointment(
    *, appointment: Appointment, version: int, by: User | None, now: datetime
) -> Appointment:
    """Staff or, with `by` None, the patient call the visit off; its time is free again.

    :raises AlreadyDecided: if it has changed since, or is past cancelling.
    """
    actor = Actor.STAFF if by else Actor.PATIENT
    with _changing(appointment, version, Status.CANCELLED, actor, by, now) as (cancelled, was):
        notices.cancelled(cancelled, was_booked=was == Status.BOOKED, now=now)
    return cancelled


@contextmanager
def _changing(
    appointment: Appointment,
    version: int,
    to: Status,
    actor: Actor,
    by: User | None,
    now: datetime,
    reason: str = "",
) -> Iterator[tuple[Appointment, str]]:
    """Changes the status in a transaction that ends after the caller's block; yields the row and what it was.

    :raises AlreadyDecided: if the row is no longer `version`, or the table of transitions has no such change.
    """
    with transaction.atomic(durable=True):
        locked = (
            Appointment.objects.select_for_update(of=("self",), no_key=True)
            .with_people()
            .get(pk=appointment.pk)
        )
        transition = TRANSITIONS.get((locked.status, to))
        if locked.version != version or transition is None or actor not in transition.actors:
            raise AlreadyDecided(locked)
        was, locked.status = locked.status, to
        locked.version += 1
        locked.save(update_fields=["status", "version"])
        if not locked.is_occupying:
            locked.occupancies.all().delete()
        _record(locked, was, actor, by=by, now=now, reason=reason)
        yield locked, was


def _lock_resources(visit_type: VisitType, practitioner: Resource | None) -> None:
    """Locks everyone and every room that could serve the visit, in one query ordered by primary key."""
    could_serve = Q(kind=Resource.Kind.ROOM) | (
        Q(pk=practitioner.pk) if practitioner else Q(pk__in=visit_type.practitioners.values("pk"))
    )
    list(
        Resource.objects.active()
        .filter(could_serve)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk")
    )


def _occupy(appointment: Appointment, opening: openings.Opening) -> None:
    Occupancy.objects.bulk_create(
        Occupancy(
            appointment=appointment,
            resource_id=span.resource,
            starts_at=times.from_epoch(span.starts_at),
            ends_at=times.from_epoch(span.ends_at),
        )
        for span in openings.spans(opening, queries.phases_of(appointment.visit_type))
    )


def _patient_leaves_at(opening: openings.Opening, visit_type: VisitType) -> datetime:
    """The end of the last phase that the patient is there for."""
    phases = list(visit_type.phases.all())
    ends = [ends_at for _, ends_at in openings.phase_times(opening, queries.phases_of(visit_type))]
    return times.from_epoch(max(end for end, phase in zip(ends, phases, strict=True) if phase.with_patient))


def _record(
    appointment: Appointment, was: str, actor: Actor, *, by: User | None, now: datetime, reason: str = ""
) -> None:
    StatusChange.objects.create(
        appointment=appointment,
        version=appointment.version,
        from_status=was,
        to_status=appointment.status,
        at=now,
        actor=actor,
        by=by,
        reason=reason,
    )


@contextmanager
def _refusing_overlaps() -> Iterator[None]:
    """The database's refusal of an overlap is the same answer as the look before it.

    :raises TimeTaken: if the NoOverlap constraint refused.
    """
    try:
        yield
    except IntegrityError as error:
        if "occupancy_no_overlap" in str(error):
            raise TimeTaken from error
        raise
