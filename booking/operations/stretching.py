"""Lets a visit last longer where its phases may stretch, or as long as planned again; its start and place stay."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User

from booking.models import Actor, Appointment
from booking.operations import taking
from booking.operations.errors import AlreadyDecided, NoSuchEnd, TimeTaken
from booking.operations.history import By, done_before, expect, lock, record


def possible_ends(appointment: Appointment) -> list[datetime]:
    """When the patient could leave, as planned first; whether the time is free is another matter."""
    return [place.fields["ends_at"] for place in taking.stretched_places(appointment)]


def stretch_appointment(
    *,
    appointment: Appointment,
    version: int,
    ends_at: datetime,
    by: User,
    idempotency_key: UUID,
    now: datetime,
) -> Appointment:
    """Staff let the patient leave at `ends_at`; the same key again does nothing and returns the appointment.

    Only what others have is looked at: to stay past the hours is up to whoever stays. Nobody is written to, because
    the patient is there, or comes at the same time as before.

    :raises NoSuchEnd: if the phases cannot be stretched to just this end.
    :raises TimeTaken: if the practitioner or the room is not free for so long.
    :raises AlreadyDecided: if the appointment has changed since `version`, or occupies no time any more.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = lock(appointment)
        if done_before(idempotency_key):
            return locked
        expect(locked, version)
        if not locked.is_occupying:
            raise AlreadyDecided(locked)
        taking.lock_resources(locked.visit_type, [locked.practitioner], now=now)
        places = {place.fields["ends_at"]: place for place in taking.stretched_places(locked)}
        if ends_at not in places:
            raise NoSuchEnd
        taking.release(locked)
        if not taking.is_free(locked, places[ends_at]):
            raise TimeTaken
        taking.put(locked, places[ends_at])
        locked.version += 1
        locked.save(update_fields=["ends_at", "version"])
        taking.occupy(locked, places[ends_at])
        record(locked, locked.status, By(Actor.STAFF, now, by, idempotency_key), reason="stretched")
    return locked
