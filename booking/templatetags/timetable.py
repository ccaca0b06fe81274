"""Days and times as the page of free times writes them."""

from django import template

from booking import timetable

register = template.Library()

register.filter("time_label", timetable.label)
register.filter("weekday_and_day", timetable.weekday_and_day)
register.filter("day_and_month", timetable.day_and_month)
