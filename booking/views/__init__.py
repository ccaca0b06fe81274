"""The pages on which a patient asks for a visit: safety gate, visit type, time, details, check, request sent."""

from booking.views.appointments import appointment, open_link
from booking.views.asking import check, details
from booking.views.choosing import choose_time
from booking.views.gate import start
from booking.views.waitlist import (
    decline_offer,
    join_waitlist,
    leave_waitlist,
    open_waitlist,
    take_offer,
    waitlist,
)

__all__ = [
    "appointment",
    "check",
    "choose_time",
    "decline_offer",
    "details",
    "join_waitlist",
    "leave_waitlist",
    "open_link",
    "open_waitlist",
    "start",
    "take_offer",
    "waitlist",
]
