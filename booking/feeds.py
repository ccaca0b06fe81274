"""What stands in a practitioner's calendar feed: of patients, initials and visit types only."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import OuterRef, Q, Subquery
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from booking import ics
from booking.models import Appointment, CalendarFeed, Closure, StatusChange
from booking.operations.taking import AT_THE_DESK
from booking.records import TOOK_PLACE_OR_WAS_TO

PAST: Final = timedelta(days=30)
AHEAD: Final = timedelta(days=AT_THE_DESK["horizon_days"] + 1)  # nobody books further
READ_EVERY: Final = timedelta(hours=1)  # what programs are asked to do


def written(feed: CalendarFeed, *, now: datetime) -> str:
    """The feed as a calendar file, the same to the byte until something in it changes; two queries."""
    name = f"{settings.CLINIC.name}: {feed.practitioner.name}"
    return ics.feed([*_visits(feed, now), *_closures(feed, now)], name=name, read_every=READ_EVERY)


def _visits(feed: CalendarFeed, now: datetime) -> Iterator[ics.Entry]:
    last = StatusChange.objects.filter(appointment=OuterRef("pk")).order_by("-version").values("at")
    visits: Iterable[Any] = (  # with `changed_at`
        Appointment.objects.filter(_in_reach(now), practitioner=feed.practitioner_id)
        .filter(status__in=TOOK_PLACE_OR_WAS_TO)
        .annotate(changed_at=Subquery(last[:1]))
        .select_related("patient", "room", "visit_type")
        .order_by("starts_at", "pk")
    )
    for visit in visits:
        said = [visit.patient.initials, visit.visit_type.name]
        yield ics.Entry(
            uid=_uid("visit", visit.reference),
            summary=" – ".join(filter(None, said)),
            place=visit.room.name if visit.room else "",
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            changed_at=visit.changed_at,
            version=visit.version,
        )


def _closures(feed: CalendarFeed, now: datetime) -> Iterator[ics.Entry]:
    """Why somebody is away is not said. A closure that is moved is another entry: nothing counts its changes."""
    whose = Q(resource=feed.practitioner_id) | Q(resource=None)
    for closure in Closure.objects.in_force().filter(_in_reach(now), whose).order_by("starts_at", "pk"):
        yield ics.Entry(
            uid=_uid("closure", str(closure.pk), closure.starts_at.isoformat(), closure.ends_at.isoformat()),
            summary=_("Away") if closure.resource_id else _("Clinic closed"),
            place="",
            starts_at=closure.starts_at,
            ends_at=closure.ends_at,
            changed_at=feed.made_at,
            version=1,
        )


def _in_reach(now: datetime) -> Q:
    return Q(ends_at__gt=now - PAST, starts_at__lt=now + AHEAD)


def _uid(*parts: str) -> str:
    """Stays the same for as long as the entry does, and says nothing: a reference would open a door by phone."""
    return salted_hmac("booking.feeds.uid", "\0".join(parts), algorithm="sha256").hexdigest()[:32]
