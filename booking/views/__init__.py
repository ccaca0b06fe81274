"""The patient's pages: the way to a request, from the safety gate on, and the private pages of what was asked for."""

from booking.views.appointments import appointment, calendar_file, open_link
from booking.views.asking import check, details, health
from booking.views.changing import accept, cancel, move
from booking.views.choosing import choose_time
from booking.views.gate import start
from booking.views.lost import lost_link
from booking.views.visit import check_in, reminders
from booking.views.waitlist import (
    decline_offer,
    join_waitlist,
    leave_waitlist,
    open_waitlist,
    take_offer,
    waitlist,
)

__all__ = [
    "accept",
    "appointment",
    "calendar_file",
    "cancel",
    "check",
    "check_in",
    "choose_time",
    "decline_offer",
    "details",
    "health",
    "join_waitlist",
    "leave_waitlist",
    "lost_link",
    "move",
    "open_link",
    "open_waitlist",
    "reminders",
    "start",
    "take_offer",
    "waitlist",
]
