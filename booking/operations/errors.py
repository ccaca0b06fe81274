"""Why an operation refused; each name says what happened."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Model

from booking.models import Appointment


class TimeTaken(Exception):
    """Somebody else has this time now, or it can no longer be booked."""


class SomeTaken(TimeTaken):
    """Some times of a course are gone; it holds which."""

    def __init__(self, starts: Sequence[datetime]) -> None:
        super().__init__(len(starts))
        self.starts = starts


class CourseChanged(Exception):
    """The course has changed since somebody looked at it, or it is past what they want."""


class NoAddress(Exception):
    """The patient gave no e-mail address to which an offer could go."""


class TooManyPending(Exception):
    """The e-mail address or phone number has as many requests waiting for an answer as it may have."""


class OfferEnded(Exception):
    """The offered times are no longer held."""


class TimeFree(Exception):
    """There is nothing to wait for: it holds the first times that fit and are free now."""

    def __init__(self, starts: Sequence[datetime]) -> None:
        super().__init__(len(starts))
        self.starts = starts


class AlreadyWaiting(Exception):
    """The e-mail address or phone number is on the waitlist for this visit type."""


class CallBackFirst(Exception):
    """The patient must be called before the visit can be confirmed or another time be offered."""


class MergedAlready(Exception):
    """One of these records of patients is no longer one of its own: it belongs to another by now."""


class NotAskedNow(Exception):
    """What is asked before a visit can be answered neither this early nor this late, nor of a visit not booked."""


class NotOver(Exception):
    """Something of this person is still to come or unanswered; it holds what."""

    def __init__(self, left: Sequence[Model]) -> None:
        super().__init__(len(left))
        self.left = left


class NoSuchEnd(Exception):
    """The phases of the visit may not stretch just so far."""


class NotYet(Exception):
    """The visit has not come to the point that was to be noted."""


class AlreadyDecided(Exception):
    """The appointment has changed since the person who decides looked at it; it holds what it is now."""

    def __init__(self, appointment: Appointment) -> None:
        super().__init__(appointment.reference)
        self.appointment = appointment
