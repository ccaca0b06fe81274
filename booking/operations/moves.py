"""Moves a visit to another time: the new one is taken and the old one released in one transaction, or neither."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from booking import notices, queries
from booking.models import Appointment, BookingRules, Resource
from booking.operations import taking
from booking.operations.errors import AlreadyDecided
from booking.operations.history import done_before, expect, lock, record, staff_or_patient


def move_appointment(
    *,
    appointment: Appointment,
    version: int,
    starts_at: datetime,
    by: User | None,
    idempotency_key: UUID,
    now: datetime,
    practitioner: Resource | None = None,
    room: Resource | None = None,
    over_in: Resource | None = None,
) -> Appointment:
    """Staff or, with `by` None, the patient move the visit; its status stays.

    Without `practitioner` it stays with the present one; of a booked visit only staff may name another. Without
    `room` it gets the one that fits best. `over_in` as in `book_appointment`. The answer to a request stays promised
    for the same time, or sooner if the new time needs it. The same key again does nothing and returns the appointment.

    :raises TimeTaken: if the new time is not free; then the old one is kept.
    :raises AlreadyDecided: if the appointment has changed since `version`, or is past moving.
    :raises PermissionDenied: if it was to be put over another, and `by` may not.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = lock(appointment)
        if done_before(idempotency_key):
            return locked
        expect(locked, version)
        if not locked.can_be_moved:
            raise AlreadyDecided(locked)
        who = practitioner if practitioner and (by or locked.is_pending) else locked.practitioner
        taking.lock_resources(locked.visit_type, [who, locked.practitioner], now=now)
        was_at = locked.starts_at
        taking.release(locked)
        taken = taking.choose_place(
            locked.visit_type, starts_at, practitioner=who, by=by, over_in=over_in, now=now, room=room
        )
        taking.put(locked, taken)
        if locked.answer_by:  # never after the visit would begin
            due = queries.answer_by(starts_at, rules=BookingRules.current(), now=now)
            locked.answer_by = min(locked.answer_by, due, starts_at)
        locked.version += 1
        locked.save(update_fields=["practitioner", "room", "starts_at", "ends_at", "answer_by", "version"])
        taking.occupy(locked, taken)
        reason = taking.overlap_reason(over_in) or "moved"
        record(locked, locked.status, staff_or_patient(by, now, idempotency_key), reason=reason)
        unread = notices.withdraw_request(locked, now=now)
        notices.withdraw_outdated(locked, now=now)
        notices.moved(locked, was_at=was_at, now=now)
        if by is None and unread:
            notices.tell_staff_of_request(locked, now=now)
        elif by is None:
            notices.tell_staff_of_move(locked, was_at=was_at, now=now)
    return locked
