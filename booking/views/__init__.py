"""The pages on which a patient asks for a visit: gates, visit type, time, details, health, check, request sent."""

from booking.views.appointments import appointment
from booking.views.asking import check, details, health
from booking.views.choosing import choose_time
from booking.views.gate import start

__all__ = ["appointment", "check", "choose_time", "details", "health", "start"]
