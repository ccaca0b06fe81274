"""The patient's pages: the way to a request, from the safety gate on, and the private pages of what was asked for."""

from booking.views.appointments import appointment, calendar_file, open_link
from booking.views.asking import check, details, health
from booking.views.changing import accept, cancel, move
from booking.views.choosing import choose_time
from booking.views.course_pages import (
    accept_course,
    cancel_course,
    course_calendar,
    course_page,
    decline_course,
    open_course,
)
from booking.views.courses import (
    course,
    course_check,
    course_dates,
    course_details,
    course_health,
    course_swap,
)
from booking.views.feed import feed
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
    "accept_course",
    "appointment",
    "calendar_file",
    "cancel",
    "cancel_course",
    "check",
    "check_in",
    "choose_time",
    "course",
    "course_calendar",
    "course_check",
    "course_dates",
    "course_details",
    "course_health",
    "course_page",
    "course_swap",
    "decline_course",
    "decline_offer",
    "details",
    "feed",
    "health",
    "join_waitlist",
    "leave_waitlist",
    "lost_link",
    "move",
    "open_course",
    "open_link",
    "open_waitlist",
    "reminders",
    "start",
    "take_offer",
    "waitlist",
]
