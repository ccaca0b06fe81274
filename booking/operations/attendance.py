"""What staff note on the day itself: the patient arrived, did not come, was treated; and taking that back."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import F

from booking import times
from booking.models import Actor, Appointment, Status
from booking.operations import taking
from booking.operations.errors import AlreadyDecided, NotYet
from booking.operations.history import By, expect, lock, set_status

STEP_BACK = {
    Status.ARRIVED: Status.BOOKED,
    Status.NOSHOW: Status.BOOKED,
    Status.FULFILLED: Status.ARRIVED,
}


def note_arrival(*, appointment: Appointment, version: int, by: User, now: datetime) -> Appointment:
    """The patient is here.

    :raises NotYet: if the visit is on a later day.
    :raises AlreadyDecided: if it has changed since `version`, or is no booked visit.
    """
    return _note(appointment, version, Status.ARRIVED, by, now)


def note_no_show(*, appointment: Appointment, version: int, by: User, now: datetime) -> Appointment:
    """The patient did not come; what is left of the time is free again.

    :raises NotYet: if the visit has not begun.
    :raises AlreadyDecided: if it has changed since `version`, or is no booked visit.
    """
    return _note(appointment, version, Status.NOSHOW, by, now)


def note_completion(*, appointment: Appointment, version: int, by: User, now: datetime) -> Appointment:
    """The visit is over; what is left of its time is free again.

    :raises AlreadyDecided: if it has changed since `version`, or nobody has arrived.
    """
    return _note(appointment, version, Status.FULFILLED, by, now)


def step_back(*, appointment: Appointment, version: int, by: User, now: datetime) -> Appointment:
    """Takes back what was noted today, one step; a visit that occupies its time again takes it as it was planned.

    :raises TimeTaken: if somebody else has that time by now.
    :raises AlreadyDecided: if it has changed since `version`, or was noted on another day or not at all.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = lock(appointment)
        expect(locked, version)
        last = locked.changes.exclude(from_status=F("to_status")).last()  # a new link changes none
        before = STEP_BACK.get(Status(locked.status))
        if before is None or last is None or times.local_day(last.at) != times.local_day(now):
            raise AlreadyDecided(locked)
        was_occupying = locked.is_occupying
        taking.lock_resources(locked.visit_type, [locked.practitioner], now=now)
        set_status(locked, before, By(Actor.STAFF, now, by), reason="taken back")
        if not was_occupying:
            taken = taking.same_place(locked)
            taking.put(locked, taken)
            locked.save(update_fields=["starts_at", "ends_at"])
            taking.occupy(locked, taken)
    return locked


def _note(appointment: Appointment, version: int, to: Status, by: User, now: datetime) -> Appointment:
    with taking.change():
        locked = lock(appointment)
        expect(locked, version)
        if to == Status.ARRIVED and times.local_day(locked.starts_at) > times.local_day(now):
            raise NotYet
        if to == Status.NOSHOW and locked.starts_at > now:
            raise NotYet
        set_status(locked, to, By(Actor.STAFF, now, by))
    return locked
