"""Writes the messages that the clock brings about: a visit comes near, an offer is about to run out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from django.db.models import Max, Q

from booking import notices, notices_courses, times
from booking.models import Appointment, BookingRules, Course, Offer, Status
from booking.operations import taking
from booking.operations.courses import lock_offer
from booking.operations.errors import AlreadyDecided
from booking.operations.history import lock
from clinic import mail

MORNING, LAST_CALL, NIGHT = time(8), time(20), time(21)  # nobody is reminded from 21:00 to 8:00
TOO_LATE: Final = timedelta(
    hours=12
)  # a worker that was down, or a clock that jumped, brings no storm of old news
OFFER_ENDS_IN: Final = timedelta(hours=4)
LONGEST_LEAD: Final = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Reminded:
    visits: int
    offers: int


def remind(*, now: datetime) -> Reminded:
    """Queues each reminder whose moment has come, once; safe to run at any time, in any number of processes.

    None is written at night, none whose moment passed more than twelve hours ago, and none to somebody who has
    been told of the time since that moment. A visit that was moved is reminded of anew.

    :raises Busy: if a lock was not to be had in time; what was queued before stays queued.
    """
    if not MORNING <= times.local(now).time() < NIGHT:
        return Reminded(0, 0)
    return Reminded(
        visits=sum(_remind_of_visit(appointment, now) for appointment in _visits_ahead(now)),
        offers=sum(_warn_of_end(appointment, now) for appointment in _offers_ending(now))
        + sum(_warn_of_course_end(course, now) for course in _course_offers_ending(now)),
    )


def choose_reminders(
    *, appointment: Appointment, reminders: Appointment.Reminders, now: datetime
) -> Appointment:
    """The patient chooses when to be reminded; a reminder not wanted any more that has not left is taken back.

    It is no change of the visit, so neither its version nor its history knows of it.

    :raises AlreadyDecided: if the visit is over, or will not take place.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = lock(appointment)
        if not locked.can_be_cancelled or locked.starts_at <= now:
            raise AlreadyDecided(locked)
        locked.reminders = reminders
        locked.save(update_fields=["reminders"])
        every = Appointment.Reminders.BOTH.leads
        unwanted = [_key(locked, lead) for lead in every if lead not in reminders.leads]
        notices.withdraw_reminders(locked, keys=unwanted, now=now)
    return locked


def by_day(at: datetime) -> datetime:
    """The same instant or, where that is at night, the evening before it at eight."""
    local = times.local(at)
    if MORNING <= local.time() <= LAST_CALL:
        return at
    evening = local.date() if local.time() > LAST_CALL else local.date() - timedelta(days=1)
    return datetime.combine(evening, LAST_CALL, tzinfo=times.ZONE).astimezone(UTC)


def _visits_ahead(now: datetime) -> Iterable[Appointment]:
    """Confirmed visits that could be due, with `told_at`: when the patient last heard of the time."""
    last_told = Max("changes__at", filter=Q(changes__to_status=Status.BOOKED))
    return (
        Appointment.objects.filter(
            status=Status.BOOKED, starts_at__gt=now, starts_at__lte=now + LONGEST_LEAD + TOO_LATE
        )
        .exclude(reminders=Appointment.Reminders.NONE)
        .exclude(patient__email="")
        .annotate(told_at=last_told)
        .order_by("pk")
    )


def _remind_of_visit(appointment: Appointment, now: datetime) -> bool:
    """At most one message, the one whose moment has come."""
    told_at: datetime | None = getattr(appointment, "told_at")  # noqa: B009 (annotated)
    starts_at = appointment.starts_at.astimezone(UTC)  # there a day before is 24 hours, whatever clocks do
    for lead in Appointment.Reminders(appointment.reminders).leads:
        due_at = by_day(starts_at - lead)
        key = _key(appointment, lead)
        is_due = due_at <= now < min(due_at + TOO_LATE, starts_at) and (told_at is None or told_at <= due_at)
        if is_due and not mail.was_written(key):
            free_until = starts_at - timedelta(hours=BookingRules.current().cancellation_hours)
            with taking.change():
                locked = lock(appointment)
                is_same = (locked.version, locked.reminders) == (appointment.version, appointment.reminders)
                if not is_same or mail.was_written(key):
                    return False
                notices.reminder(
                    locked, free_until=free_until if free_until > now else None, key=key, now=now
                )
            return True
    return False


def _key(appointment: Appointment, lead: timedelta) -> str:
    """One reminder for each visit, time and lead; times in addresses and keys are whole minutes."""
    starts_at = appointment.starts_at.astimezone(UTC)
    return f"reminder {appointment.reference} {starts_at:%Y%m%dT%H%MZ} {lead // timedelta(hours=1)}h"


def _offers_ending(now: datetime) -> Iterable[Appointment]:
    return (
        Appointment.objects.filter(status=Status.PROPOSED)
        .exclude(patient__email="")
        .annotate(open_until=Max("offers__expires_at"))
        .filter(open_until__gt=now, open_until__lte=now + OFFER_ENDS_IN + TOO_LATE)
        .order_by("pk")
    )


def _course_offers_ending(now: datetime) -> Iterable[Course]:
    return (
        Course.objects.with_people()
        .filter(
            offer__answer="", offer__expires_at__gt=now, offer__expires_at__lte=now + OFFER_ENDS_IN + TOO_LATE
        )
        .exclude(patient__email="")
        .order_by("pk")
    )


def _warn_of_end(appointment: Appointment, now: datetime) -> bool:
    with taking.change():
        locked = lock(appointment)
        offer = locked.offers.first()
        if locked.version != appointment.version or offer is None or not _is_to_be_warned_of(offer, now):
            return False
        options = list(offer.options.select_related("practitioner"))
        notices.offer_ending(locked, options=options, until=offer.expires_at, key=_ending(offer), now=now)
    return True


def _warn_of_course_end(course: Course, now: datetime) -> bool:
    with taking.change():
        offer = lock_offer(course)
        if offer.answer or not _is_to_be_warned_of(offer, now):
            return False
        options = list(offer.options.select_related("practitioner"))
        notices_courses.offer_ending(
            course, options=options, until=offer.expires_at, key=_ending(offer), now=now
        )
    return True


def _is_to_be_warned_of(offer: Offer, now: datetime) -> bool:
    """Some hours before the end, once; an offer that was short from the beginning needs no second message."""
    due_at = by_day(offer.expires_at - OFFER_ENDS_IN)
    is_due = offer.offered_at + OFFER_ENDS_IN <= due_at <= now < offer.expires_at
    return is_due and not mail.was_written(_ending(offer))


def _ending(offer: Offer) -> str:
    return f"offer {offer.pk} ending"
