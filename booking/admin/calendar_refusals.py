"""Why a visit cannot be put where staff dropped it, in the words of somebody who looks at the calendar."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from booking import openings, queries, times
from booking.admin import schedule
from booking.admin.calendar_words import Words
from booking.models import Appointment, Resource
from booking.openings import Interval

MINUTE: Final = 60


def why_not(
    appointment: Appointment,
    *,
    at: datetime,
    practitioner: Resource,
    room: Resource | None,
    now: datetime,
) -> str:
    """The first of what stands in the way, as things are now; the operation alone decides whether something does."""
    if at < now:
        return _("That time is past.")
    if not appointment.visit_type.practitioners.active().filter(pk=practitioner.pk).exists():
        return _("%(name)s does not give this visit: %(visit)s.") % {
            "name": practitioner.name,
            "visit": appointment.visit_type,
        }
    phases = queries.phases_of(appointment.visit_type)
    planned = openings.Opening(int(at.timestamp()), None, None, (0,) * len(phases))
    lengths = list(zip(openings.phase_times(planned, phases), phases, strict=True))
    with_person = [length for length, phase in lengths if phase.needs_practitioner]
    in_room = [length for length, phase in lengths if phase.needs_room]
    return (
        _in_the_way(practitioner, at, with_person, appointment, now=now)
        or (_in_the_way(room, at, in_room, appointment, now=now) if room else "")
        or _("No room is free for the whole visit.")
    )


def _in_the_way(
    resource: Resource, at: datetime, needed: Sequence[Interval], appointment: Appointment, *, now: datetime
) -> str:
    """What of the practitioner's or the room's day does not let these times be had."""
    day = times.local_day(at)
    found = schedule.read([day], kind=Resource.Kind(resource.kind), only=resource.slug, now=now)
    [column], words = found.columns[day], Words(found, now=now)
    for away in column.closures:
        if _meet(needed, [(away.starts_at, away.ends_at)]):
            line = words.away(away)
            return _("%(name)s, %(when)s: %(why)s.") % {
                "name": resource.name,
                "when": line["when"],
                "why": line["title"].lower(),
            }
    if not all(
        any(opens <= start and end <= closes for opens, closes in column.hours) for start, end in needed
    ):
        return _("%(name)s does not work then.") % {"name": resource.name}
    others = [
        entry for entry in column.entries if entry.appointment != appointment.pk and not entry.has_passed
    ]
    for entry in others:
        if _meet(needed, entry.busy(resource)):
            return _("%(name)s is taken %(when)s: %(what)s.") % {
                "name": resource.name,
                "when": words.span(entry.span(resource)),
                "what": words.title(entry),
            }
    if resource.visits_a_day and len(others) >= resource.visits_a_day:
        return _("%(name)s takes no more visits on this day.") % {"name": resource.name}
    every = appointment.visit_type.start_every
    busy = [span for entry in others for span in entry.busy(resource)]
    touches = any(start == needed[-1][1] or end == needed[0][0] for start, end in busy) if needed else True
    if (at.hour * MINUTE + at.minute) % every and not touches:
        return _("%(visit)s begins every %(minutes)s minutes, or right beside another visit.") % {
            "visit": appointment.visit_type,
            "minutes": every,
        }
    return ""


def _meet(some: Sequence[Interval], others: Sequence[Interval]) -> bool:
    return any(start < ends and begins < end for start, end in some for begins, ends in others)
