"""Confirm, decline and cancel."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from booking import notices, queries
from booking.models import Actor, Appointment, BookingRules, DeclineReason, Status
from booking.operations import taking
from booking.operations.changes import give_way, lock_open_change, lock_with_replaced, take_back_change
from booking.operations.errors import AlreadyDecided
from booking.operations.history import (
    By,
    deciding,
    done_before,
    expect,
    lock,
    record,
    set_status,
    staff_or_patient,
)


def confirm_appointment(*, appointment: Appointment, version: int, by: User, now: datetime) -> Appointment:
    """Staff accept the request as it stands in `version`; the visit that it was to replace ends with that.

    :raises AlreadyDecided: if it has changed since, or no longer waits for an answer.
    :raises CallBackFirst: if the patient must be called before.
    """
    staff = By(Actor.STAFF, now, by)
    with taking.change():
        locked, replaced = lock_with_replaced(appointment)
        expect(locked, version)
        set_status(locked, Status.BOOKED, staff)
        notices.confirmed(locked, replaced=give_way(replaced, to=locked, by=staff), now=now)
    return locked


def note_call_back(*, appointment: Appointment, version: int, by: User, now: datetime) -> Appointment:
    """Staff have spoken with a patient whose urgent sign was checked already; the request can be confirmed now.

    :raises AlreadyDecided: if it has changed since, or waits for no call.
    """
    with taking.change():
        locked = lock(appointment)
        expect(locked, version)
        if not (locked.is_pending and locked.waits_for_call):
            raise AlreadyDecided(locked)
        locked.called_back_at, locked.called_back_by = now, by
        locked.version += 1
        locked.save(update_fields=["called_back_at", "called_back_by", "version"])
        record(locked, locked.status, By(Actor.STAFF, now, by), reason="called back")
    return locked


def decline_appointment(
    *, appointment: Appointment, version: int, reason: DeclineReason, by: User, now: datetime
) -> Appointment:
    """Staff refuse the request; its time is free again and the patient is told the next free ones.

    :raises AlreadyDecided: if it has changed since, or no longer waits for an answer.
    """
    staff = By(Actor.STAFF, now, by)
    with deciding(appointment, version, Status.DECLINED, staff, reason=reason) as declined:
        notices.declined(declined, reason=reason, next_starts=_next_starts(declined, now), now=now)
    return declined


def cancel_appointment(
    *,
    appointment: Appointment,
    version: int,
    by: User | None,
    now: datetime,
    idempotency_key: UUID | None = None,
    reason: DeclineReason | None = None,
) -> Appointment:
    """Staff or, with `by` None, the patient call the visit off; its time is free again.

    With `reason` it is the clinic that cannot keep it: the message says so, is sorry, and names the next free times.
    A change that the patient had asked for goes with a visit that the patient calls off; if staff do, it still waits.
    A request that nobody at the clinic has been written to about is taken back without a word to them.

    :raises AlreadyDecided: if it has changed since, or is past cancelling.
    """
    with taking.change():
        locked = lock(appointment)
        if idempotency_key and done_before(idempotency_key):
            return locked
        expect(locked, version)
        change = lock_open_change(locked) if by is None else None
        was = locked.status
        unread = notices.withdraw_request(locked, now=now)
        set_status(locked, Status.CANCELLED, staff_or_patient(by, now, idempotency_key), reason=reason or "")
        next_starts = _next_starts(locked, now) if reason else ()
        notices.cancelled(
            locked, was_booked=was == Status.BOOKED, reason=reason, next_starts=next_starts, now=now
        )
        if by is None and not unread:
            notices.tell_staff_of_cancellation(locked, now=now)
        take_back_change(change, now=now)
    return locked


def _next_starts(appointment: Appointment, now: datetime) -> list[datetime]:
    """What the patient could have instead, as things stand now."""
    return queries.next_starts(
        appointment.visit_type,
        practitioner=None if appointment.anyone else appointment.practitioner,
        rules=BookingRules.current(),
        now=now,
    )
