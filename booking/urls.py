"""The addresses of booking: `/book/…` asks for visits; `/appointments/…`, `/courses/…` and the others show them."""

from datetime import datetime

from django.urls import path, register_converter

from booking import times, views


class StartConverter:
    """A start in an address: wall time with offset, as in 20270304T1030-0500; anything else is not found."""

    regex = r"[0-9]{8}T[0-9]{4}[+-][0-9]{4}"

    def to_python(self, text: str) -> datetime:
        return times.parse_start(text)

    def to_url(self, at: datetime) -> str:
        return times.write_start(at)


register_converter(StartConverter, "start")

app_name = "booking"
urlpatterns = [
    path("book/", views.start, name="start"),
    path("book/<slug:visit_type>/", views.choose_time, name="times"),
    path("book/<slug:visit_type>/waitlist/", views.join_waitlist, name="join_waitlist"),
    path("book/<slug:visit_type>/course/", views.course, name="course"),
    path("book/<slug:visit_type>/course/dates/", views.course_dates, name="course_dates"),
    path("book/<slug:visit_type>/course/swap/", views.course_swap, name="course_swap"),
    path("book/<slug:visit_type>/course/details/", views.course_details, name="course_details"),
    path("book/<slug:visit_type>/course/health/", views.course_health, name="course_health"),
    path("book/<slug:visit_type>/course/check/", views.course_check, name="course_check"),
    path("book/<slug:visit_type>/<slug:practitioner>/<start:starts_at>/", views.details, name="details"),
    path("book/<slug:visit_type>/<slug:practitioner>/<start:starts_at>/health/", views.health, name="health"),
    path("book/<slug:visit_type>/<slug:practitioner>/<start:starts_at>/check/", views.check, name="check"),
    path("appointments/open/<str:token>/", views.open_link, name="open"),
    path("appointments/lost/", views.lost_link, name="lost"),
    path("appointments/<slug:reference>/", views.appointment, name="appointment"),
    path("appointments/<slug:reference>/calendar.ics", views.calendar_file, name="calendar"),
    path("appointments/<slug:reference>/move/", views.move, name="move"),
    path("appointments/<slug:reference>/cancel/", views.cancel, name="cancel"),
    path("appointments/<slug:reference>/accept/", views.accept, name="accept"),
    path("courses/open/<str:token>/", views.open_course, name="open_course"),
    path("courses/<slug:reference>/", views.course_page, name="course_page"),
    path("courses/<slug:reference>/calendar.ics", views.course_calendar, name="course_calendar"),
    path("courses/<slug:reference>/cancel/", views.cancel_course, name="cancel_course"),
    path("courses/<slug:reference>/accept/", views.accept_course, name="accept_course"),
    path("courses/<slug:reference>/decline/", views.decline_course, name="decline_course"),
    path("appointments/<slug:reference>/check-in/", views.check_in, name="check_in"),
    path("appointments/<slug:reference>/reminders/", views.reminders, name="reminders"),
    path("waitlist/open/<str:token>/", views.open_waitlist, name="open_waitlist"),
    path("waitlist/<slug:reference>/", views.waitlist, name="waitlist"),
    path("waitlist/<slug:reference>/take/", views.take_offer, name="take_offer"),
    path("waitlist/<slug:reference>/decline/", views.decline_offer, name="decline_offer"),
    path("waitlist/<slug:reference>/leave/", views.leave_waitlist, name="leave_waitlist"),
    path("calendars/<str:token>.ics", views.feed, name="feed"),
]
