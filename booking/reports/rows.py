"""The rows that the reports count: what was asked for or takes place in the time, and how it was decided."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q

from booking.models import Appointment, Status, StatusChange
from booking.reports.tables import Asked


class Visit(NamedTuple):
    pk: int
    status: str
    visit_type: int
    practitioner: int
    room: int | None
    reminders: str
    requested_at: datetime
    answer_by: datetime | None  # of requests only
    starts_at: datetime
    ends_at: datetime


class Change(NamedTuple):
    appointment: int
    was: str
    to: str
    actor: str
    at: datetime


Changes = Mapping[int, list[Change]]  # by appointment, in the order of time


def visits_of(asked: Asked) -> list[Visit]:
    rows = Appointment.objects.filter(_in_range(asked), asked.narrowed).order_by("starts_at", "pk")
    return [
        Visit(*row)
        for row in rows.values_list(
            *("pk", "status", "visit_type", "practitioner", "room", "reminders"),
            *("requested_at", "answer_by", "starts_at", "ends_at"),
        )
    ]


def changes_of(asked: Asked) -> Changes:
    """How requests stopped waiting, and which booked visits were called off."""
    answered = Q(from_status=Status.PENDING) & ~Q(to_status=Status.PENDING)
    called_off = Q(from_status=Status.BOOKED, to_status=Status.CANCELLED)
    rows = StatusChange.objects.filter(answered | called_off, _in_range(asked, "appointment__"))
    found: dict[int, list[Change]] = defaultdict(list)
    for row in rows.order_by("version").values_list("appointment", "from_status", "to_status", "actor", "at"):
        change = Change(*row)
        found[change.appointment].append(change)
    return found


def _in_range(asked: Asked, prefix: str = "") -> Q:
    """Asked for in this time, or to begin in it."""
    span = (asked.begins, asked.ends - timedelta(microseconds=1))
    return Q(**{f"{prefix}requested_at__range": span}) | Q(**{f"{prefix}starts_at__range": span})
