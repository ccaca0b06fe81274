"""Changes the status by the table of transitions, and writes down each change once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User

from booking import notices
from booking.models import TRANSITIONS, Actor, Appointment, Status, StatusChange
from booking.operations import taking
from booking.operations.errors import AlreadyDecided, CallBackFirst

# Other times are offered only after the call too: the patient's word alone makes one of them a booked visit.
AFTER_THE_CALL: Final = (Status.BOOKED, Status.PROPOSED)


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, when and with which form: `key` is the form's idempotency key, where it has one."""

    actor: Actor
    at: datetime
    user: User | None = None
    key: UUID | None = None


def staff_or_patient(user: User | None, at: datetime, key: UUID | None = None) -> By:
    return By(Actor.STAFF if user else Actor.PATIENT, at, user, key)


def done_before(key: UUID) -> Appointment | None:
    """The appointment that the form with this key made or changed, if it has been here; ask under the locks."""
    made = StatusChange.objects.filter(idempotency_key=key)
    if not made.exists():  # almost always, and asked while others wait for the locks
        return None
    return Appointment.objects.with_people().filter(changes__in=made).first()


def lock(appointment: Appointment) -> Appointment:
    """The appointment's row, locked, as it is now."""
    return (
        Appointment.objects.select_for_update(of=("self",), no_key=True).with_people().get(pk=appointment.pk)
    )


def expect(locked: Appointment, version: int) -> None:
    """:raises AlreadyDecided: if the appointment is no longer as in `version`."""
    if locked.version != version:
        raise AlreadyDecided(locked)


def set_status(appointment: Appointment, to: Status, by: By, *, reason: str = "") -> None:
    """Changes the status of a locked appointment; what ended gives its time back.

    Unsent mail about what it was is taken back.

    :raises AlreadyDecided: if the table of transitions has no such change, or not by this actor.
    :raises CallBackFirst: if it leads to a booked visit and the patient must be called before.
    """
    transition = TRANSITIONS.get((appointment.status, to))
    if transition is None or by.actor not in transition.actors:
        raise AlreadyDecided(appointment)
    if appointment.waits_for_call and to in AFTER_THE_CALL:
        raise CallBackFirst
    was, appointment.status = appointment.status, to
    appointment.version += 1
    appointment.save(update_fields=["status", "version"])
    if not appointment.is_occupying:
        taking.release(appointment)
    record(appointment, was, by, reason=reason)
    notices.withdraw_outdated(appointment, was=was, now=by.at)


def record(appointment: Appointment, was: str, by: By, *, reason: str = "") -> None:
    """Writes the row of history that belongs to the appointment's present version."""
    StatusChange.objects.create(
        appointment=appointment,
        version=appointment.version,
        from_status=was,
        to_status=appointment.status,
        at=by.at,
        actor=by.actor,
        by=by.user,
        reason=reason,
        idempotency_key=by.key,
    )


@contextmanager
def deciding(
    appointment: Appointment, version: int, to: Status, by: By, *, reason: str = ""
) -> Iterator[Appointment]:
    """A change of status and nothing else, in a transaction that ends after the caller's block.

    Yields the changed row.

    :raises AlreadyDecided: if the row is no longer as in `version`, or the table has no such change.
    """
    with taking.change():
        locked = lock(appointment)
        expect(locked, version)
        set_status(locked, to, by, reason=reason)
        yield locked
