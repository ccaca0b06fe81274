"""The clinic's wall time in templates."""

from django import template

from booking import times

register = template.Library()

register.filter("in_words", times.in_words)
register.filter("clock", times.clock)
register.filter("zone", times.zone)
register.filter("moment", times.moment)
register.filter("local_day", times.local_day)
register.filter("start", times.write_start)
