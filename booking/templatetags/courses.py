"""Where a visit leaves the pattern of its course, in words."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from booking import courses
from booking.timetable import parts_of_day

register = template.Library()


@register.filter
def exceptions(visit: courses.Visit) -> list[str]:
    """“a day later than you asked”, “in the afternoon instead”; empty for a visit that keeps to the pattern."""
    said = []
    count = abs(visit.days_off)
    if visit.days_off > 0:
        said.append(
            ngettext("%(days)d day later than you asked", "%(days)d days later than you asked", count)
            % {"days": count}
        )
    if visit.days_off < 0:
        said.append(
            ngettext("%(days)d day earlier than you asked", "%(days)d days earlier than you asked", count)
            % {"days": count}
        )
    if visit.is_outside_hours:
        [part] = parts_of_day([visit.starts_at])
        said.append(_("%(part)s instead") % {"part": part.name})
    if visit.too_close:
        said.append(_("closer to the visit before than you asked"))
    if visit.other_week:
        said.append(_("in another week"))
    return said


@register.filter
def stages(pattern: courses.Pattern) -> str:
    """2 visits a week for 4 weeks, then 1 visit a week for 4 weeks."""
    said = [
        "{} {}".format(
            ngettext("%(count)d visit a week", "%(count)d visits a week", stage.visits_a_week)
            % {"count": stage.visits_a_week},
            ngettext("for %(count)d week", "for %(count)d weeks", stage.weeks) % {"count": stage.weeks},
        )
        for stage in pattern.stages
    ]
    return _(", then ").join(said)
