"""A booked visit wanted with somebody else or of another kind: asked for beside the old one, which staff's yes ends."""

from datetime import datetime
from uuid import UUID

from booking import notices, queries
from booking.models import Actor, Appointment, BookingRules, Resource, Status, VisitType
from booking.operations import taking
from booking.operations.errors import AlreadyDecided
from booking.operations.history import By, done_before, expect, lock, record, set_status
from booking.operations.requests import lock_contacts, new_reference, refuse_too_many

OPEN = (Status.PENDING, Status.PROPOSED)


def ask_to_change(
    *,
    appointment: Appointment,
    version: int,
    visit_type: VisitType,
    starts_at: datetime,
    practitioner: Resource | None,
    idempotency_key: UUID,
    now: datetime,
) -> Appointment:
    """The patient asks for another visit in place of a booked one; with `practitioner` None, anyone may give it.

    Both times are kept until staff answer, which they promise to do before either visit. The same key again returns
    the request that it made.

    :raises TimeTaken: if the new time is not free beside the old one.
    :raises AlreadyDecided: if the visit has changed since `version`, is not booked, or a change is asked for already.
    :raises TooManyPending: if the address or phone number has two requests waiting already.
    :raises Busy: if a lock was not to be had in time.
    """
    rules = BookingRules.current()
    with taking.change():
        contacts = lock_contacts(email=appointment.patient.email, phone=appointment.patient.phone)
        old = lock(appointment)
        if made_before := done_before(idempotency_key):
            return made_before
        expect(old, version)
        if not old.is_booked or old.open_change:
            raise AlreadyDecided(old)
        refuse_too_many(contacts)
        taking.lock_resources(visit_type, [practitioner], now=now)
        taken = taking.look_again(visit_type, starts_at, practitioner=practitioner, rules=rules, now=now)
        asked = Appointment.objects.create(
            reference=new_reference(),
            status=Status.PENDING,
            replaces=old,
            visit_type=visit_type,
            anyone=practitioner is None,
            patient=old.patient,
            language=old.language,
            reminders=old.reminders,
            new_patient=old.new_patient,
            precautions=old.precautions,
            screening_version=old.screening_version,
            call_back=old.call_back,
            called_back_at=old.called_back_at,
            called_back_by=old.called_back_by,
            note=old.note,
            consent_version=old.consent_version,
            consented_at=old.consented_at,
            requested_at=now,
            answer_by=queries.answer_by(min(starts_at, old.starts_at), rules=rules, now=now),
            **taken.fields,
        )
        asked.contacts.set(contacts)
        taking.occupy(asked, taken)
        record(asked, "", By(Actor.PATIENT, now, key=idempotency_key))
        notices.received(asked, now=now)
        notices.tell_staff_of_request(asked, now=now)
    return asked


def lock_with_replaced(appointment: Appointment) -> tuple[Appointment, Appointment | None]:
    """The request's row and that of the visit that it would replace, locked in one query, as they are now."""
    old = Appointment.objects.filter(pk=appointment.pk).values("replaces")
    rows = Appointment.objects.filter(pk__in=[appointment.pk]) | Appointment.objects.filter(pk__in=old)
    locked = {
        row.pk: row for row in rows.with_people().order_by("pk").select_for_update(of=("self",), no_key=True)
    }
    asked = locked.pop(appointment.pk)
    return asked, next(iter(locked.values()), None)


def give_way(replaced: Appointment | None, *, to: Appointment, by: By) -> Appointment | None:
    """Ends the visit that is now replaced, and returns it; None if there is none, it was over already, or has begun.

    Nothing is written to the patient: the confirmation of the new visit tells of it.
    """
    if replaced is None or not replaced.is_booked or replaced.starts_at <= by.at:
        return None
    set_status(replaced, Status.CANCELLED, By(by.actor, by.at, by.user), reason=f"moved to {to.reference}")
    return replaced


def lock_open_change(replaced: Appointment) -> Appointment | None:
    """The request to change this locked visit, locked too; it was made later, so its key is the higher one."""
    return (
        Appointment.objects.select_for_update(of=("self",), no_key=True)
        .with_people()
        .filter(replaces=replaced, status__in=OPEN)
        .first()
    )


def take_back_change(change: Appointment | None, *, now: datetime) -> None:
    """The patient gave up the visit that was to be changed: the locked request to change it goes with it."""
    if change is None:
        return
    unread = notices.withdraw_request(change, now=now)
    set_status(change, Status.CANCELLED, By(Actor.PATIENT, now))
    notices.cancelled(change, was_booked=False, now=now)
    if not unread:
        notices.tell_staff_of_cancellation(change, now=now)
