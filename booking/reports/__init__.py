"""The clinic's reports: numbers about visits, never about one person."""

from datetime import datetime

from booking.models import VisitType
from booking.reports.plans import courses, waitlist
from booking.reports.rows import changes_of, visits_of
from booking.reports.tables import Asked, Table
from booking.reports.use import gain, use_by_hour
from booking.reports.visits import answers, leads, missed, requests

__all__ = ["Asked", "Table", "report"]


def report(asked: Asked, *, now: datetime) -> list[Table]:
    """Every report about what was asked, in a number of queries that does not grow with what is counted."""
    types = list(VisitType.objects.prefetch_related("phases"))
    visits = visits_of(asked)
    changes = changes_of(asked)
    asked_for = [one for one in visits if one.answer_by and asked.begins <= one.requested_at < asked.ends]
    taking_place = [one for one in visits if asked.begins <= one.starts_at < asked.ends]
    return [
        requests(asked, asked_for, changes),
        answers(asked, asked_for, changes),
        leads(taking_place),
        *missed(taking_place, changes, types, now=now),
        use_by_hour(asked, taking_place, types),
        gain(taking_place, types),
        waitlist(asked),
        courses(asked, now=now),
    ]
