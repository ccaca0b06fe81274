"""A patient's answers before a visit: one set for each, and theirs to change until it starts."""

from dataclasses import asdict, dataclass
from datetime import datetime

from booking.models import ASKED_FROM, Appointment, CheckIn
from booking.operations import taking
from booking.operations.errors import NotAskedNow
from booking.operations.history import lock


@dataclass(frozen=True, slots=True)
class HowItIs:
    """Whole numbers from 0 to 10, named as the columns are."""

    pain_now: int
    pain_last_week: int
    enjoyment: int
    activity: int


def is_asked(appointment: Appointment, *, now: datetime) -> bool:
    """Whether the answers can be given or changed now: the visit is booked, near, and has not started."""
    return appointment.is_booked and appointment.starts_at - ASKED_FROM <= now < appointment.starts_at


def answer_check_in(*, appointment: Appointment, answers: HowItIs, now: datetime) -> CheckIn:
    """The patient says how it is, or says it anew; the visit itself does not change.

    :raises NotAskedNow: if it is too early or too late, or the visit is not booked.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = lock(appointment)
        if not is_asked(locked, now=now):
            raise NotAskedNow
        check_in, _ = CheckIn.objects.update_or_create(
            appointment=locked, defaults=asdict(answers) | {"answered_at": now}
        )
    return check_in
