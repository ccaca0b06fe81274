"""Keeps a time for a visitor while they fill in the form."""

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from booking.models import HELD_FOR, BookingRules, Hold, Occupancy, Resource, VisitType
from booking.models.holds import HoldQuerySet
from booking.operations import taking


def hold_time(
    *, visitor: UUID, visit_type: VisitType, starts_at: datetime, practitioner: Resource | None, now: datetime
) -> Hold:
    """Keeps this time for ten minutes from now; whatever else the visitor held is free again.

    With `practitioner` None anyone may give the visit. Holding the same time again renews it.

    :raises TimeTaken: if the time is not free; then the visitor keeps what they held.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        taking.lock_resources(visit_type, [practitioner], now=now)
        held = held_time(
            visitor=visitor, visit_type=visit_type, starts_at=starts_at, practitioner=practitioner, now=now
        )
        until = now + HELD_FOR
        if held and Hold.objects.filter(pk=held.pk).update(expires_at=until):  # unless it is being swept away
            held.expires_at = until
            return held
        drop_holds(visitor)
        taken = taking.look_again(
            visit_type, starts_at, practitioner=practitioner, rules=BookingRules.current(), now=now
        )
        hold = Hold.objects.create(
            visitor=visitor,
            visit_type=visit_type,
            anyone=practitioner is None,
            expires_at=until,
            **taken.fields,
        )
        taking.occupy(hold, taken)
    return hold


def held_time(
    *,
    visitor: UUID | None,
    visit_type: VisitType,
    starts_at: datetime,
    practitioner: Resource | None,
    now: datetime,
) -> Hold | None:
    """The visitor's hold on exactly this, if it has not run out and still occupies its time."""
    if visitor is None:
        return None
    occupies = Exists(Occupancy.objects.filter(hold=OuterRef("pk")))
    wanted = Hold.objects.filter(
        occupies,
        visitor=visitor,
        visit_type=visit_type,
        starts_at=starts_at,
        anyone=practitioner is None,
        expires_at__gt=now,
    )
    return (wanted.filter(practitioner=practitioner) if practitioner else wanted).first()


def release_hold(*, visitor: UUID) -> None:
    """The visitor no longer wants what they held."""
    with taking.change():
        drop_holds(visitor)


def release_holds(*, holds: HoldQuerySet) -> int:
    """Staff free what visitors hold; says how many times that were."""
    with taking.change():
        _, deleted = Hold.objects.filter(pk__in=list(holds.values_list("pk", flat=True))).delete()
    return deleted.get("booking.Hold", 0)


def drop_holds(visitor: UUID | None) -> None:
    """Frees whatever the visitor holds, in the caller's transaction."""
    if visitor is not None:
        Hold.objects.filter(visitor=visitor).delete()
