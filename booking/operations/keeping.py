"""Staff keep a visit that lies in a closure or outside the hours: somebody comes in for it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User

from booking.models import Actor, Appointment
from booking.operations import taking
from booking.operations.errors import AlreadyDecided
from booking.operations.history import By, done_before, expect, lock, record

KEPT: Final = "kept"  # the history's reason


def keep_appointment(
    *, appointment: Appointment, version: int, by: User, idempotency_key: UUID, now: datetime
) -> Appointment:
    """Staff have seen that nobody would be there, and the visit takes place all the same; nobody is written to.

    It is asked about again once it changes. The same key again does nothing and returns the appointment.

    :raises AlreadyDecided: if the appointment has changed since `version`, or has no time any more.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = lock(appointment)
        if done_before(idempotency_key):
            return locked
        expect(locked, version)
        if not (locked.is_occupying or locked.is_proposed):
            raise AlreadyDecided(locked)
        locked.version += 1
        locked.save(update_fields=["version"])
        record(locked, locked.status, By(Actor.STAFF, now, by, idempotency_key), reason=KEPT)
    return locked
