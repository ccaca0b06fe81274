"""Other times that staff offer, and the patient's answer to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User

from booking import notices, queries
from booking.models import Actor, Appointment, BookingRules, Offer, OfferNote, OfferOption, Resource, Status
from booking.operations import taking
from booking.operations.changes import give_way, lock_with_replaced
from booking.operations.errors import AlreadyDecided, OfferEnded
from booking.operations.history import By, done_before, expect, lock, set_status

MOST_TIMES: Final = 3


@dataclass(frozen=True, slots=True)
class OfferedTime:
    starts_at: datetime
    practitioner: Resource


def offer_other_times(
    *,
    appointment: Appointment,
    version: int,
    offered: Sequence[OfferedTime],
    by: User,
    idempotency_key: UUID,
    now: datetime,
    note: OfferNote | None = None,
) -> Offer:
    """Staff answer a request with one to three other times, each held; the time asked for is free again.

    The offer ends when the rules say, or when the first of its times or the visit to be replaced begins, whichever is
    sooner. With `note` the patient reads that sentence beside the times.

    :raises ValueError: if there is no time among `offered`, or more than three.
    :raises TimeTaken: if one of the times is not free; then nothing is offered.
    :raises AlreadyDecided: if the request has changed since `version`, or no longer waits for an answer.
    :raises CallBackFirst: if the patient must be called before.
    :raises Busy: if a lock was not to be had in time.
    """
    if not 1 <= len(offered) <= MOST_TIMES:
        raise ValueError("An offer has one to three times")
    with taking.change():
        locked = lock(appointment)
        if done_before(idempotency_key):
            return locked.offers.all()[0]
        expect(locked, version)
        taking.lock_resources(locked.visit_type, [time.practitioner for time in offered], now=now)
        set_status(locked, Status.PROPOSED, By(Actor.STAFF, now, by, idempotency_key))
        begins = [time.starts_at for time in offered]
        if locked.kept and locked.kept.starts_at > now:
            begins.append(locked.kept.starts_at)
        ends = min(now + BookingRules.current().offer_open_for, *begins)
        offer = Offer.objects.create(
            appointment=locked, by=by, offered_at=now, expires_at=ends, note=note or ""
        )
        for time in offered:
            taken = taking.look_again(
                locked.visit_type,
                time.starts_at,
                practitioner=time.practitioner,
                rules=BookingRules(**taking.AT_THE_DESK),
                now=now,
            )
            taking.occupy(OfferOption.objects.create(offer=offer, **taken.fields), taken)
        options = list(offer.options.select_related("practitioner"))
        notices.other_times_offered(locked, options=options, until=ends, note=note, now=now)
    return offer


def accept_offered_time(
    *, appointment: Appointment, version: int, option: OfferOption, idempotency_key: UUID, now: datetime
) -> Appointment:
    """The patient takes one of the offered times: it is booked, and the others are free again.

    The visit that it was to replace ends with that.

    :raises OfferEnded: if the offer has run out, or the time is not among those offered last.
    :raises AlreadyDecided: if the appointment has changed since `version`, or has no open offer.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked, replaced = lock_with_replaced(appointment)
        if done_before(idempotency_key):
            return locked
        expect(locked, version)
        taking.lock_resources(locked.visit_type, [option.practitioner], now=now)
        offer = locked.offers.first()
        if offer is None or option.offer_id != offer.pk or offer.has_ended(now):
            raise OfferEnded
        if not option.occupancies.exists():
            raise OfferEnded
        taking.hand_over(option, locked)
        for name in ("practitioner_id", "room_id", "starts_at", "ends_at"):
            setattr(locked, name, getattr(option, name))
        locked.save(update_fields=["practitioner", "room", "starts_at", "ends_at"])
        taking.release_offered(locked)
        patient = By(Actor.PATIENT, now, key=idempotency_key)
        set_status(locked, Status.BOOKED, patient)
        notices.confirmed(locked, replaced=give_way(replaced, to=locked, by=patient), now=now)
    return locked


def ask_for_another_time(
    *,
    appointment: Appointment,
    version: int,
    starts_at: datetime,
    practitioner: Resource | None,
    idempotency_key: UUID,
    now: datetime,
) -> Appointment:
    """Instead of an offered time the patient asks for another; it waits for staff's answer as a request does.

    :raises TimeTaken: if that time is not free; then the offer stands.
    :raises AlreadyDecided: if the appointment has changed since `version`, or has no open offer.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        locked = lock(appointment)
        if done_before(idempotency_key):
            return locked
        expect(locked, version)
        if locked.status != Status.PROPOSED:
            raise AlreadyDecided(locked)
        taking.lock_resources(locked.visit_type, [practitioner], now=now)
        taking.release(locked)
        rules = BookingRules.current()
        taken = taking.look_again(
            locked.visit_type, starts_at, practitioner=practitioner, rules=rules, now=now
        )
        taking.put(locked, taken)
        locked.anyone = practitioner is None
        before = min(starts_at, locked.kept.starts_at) if locked.kept else starts_at
        locked.answer_by = queries.answer_by(before, rules=rules, now=now)
        locked.save(update_fields=["practitioner", "room", "starts_at", "ends_at", "anyone", "answer_by"])
        set_status(locked, Status.PENDING, By(Actor.PATIENT, now, key=idempotency_key))
        taking.occupy(locked, taken)
        notices.received(locked, now=now)
        notices.tell_staff_of_request(locked, now=now)
    return locked
