"""The pages on which a patient asks for a visit: safety gate, visit type, time, details, check, request sent."""

from booking.views.appointments import appointment, open_link
from booking.views.asking import check, details
from booking.views.choosing import choose_time
from booking.views.gate import start

__all__ = ["appointment", "check", "choose_time", "details", "open_link", "start"]
