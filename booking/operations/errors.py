"""Why an operation refused; each name says what happened."""

from booking.models import Appointment


class TimeTaken(Exception):
    """Somebody else has this time now, or it can no longer be booked."""


class TooManyPending(Exception):
    """The e-mail address or phone number has as many requests waiting for an answer as it may have."""


class OfferEnded(Exception):
    """The offered times are no longer held."""


class CallBackFirst(Exception):
    """The patient must be called before the visit can be confirmed or another time be offered."""


class AlreadyDecided(Exception):
    """The appointment has changed since the person who decides looked at it; it holds what it is now."""

    def __init__(self, appointment: Appointment) -> None:
        super().__init__(appointment.reference)
        self.appointment = appointment
