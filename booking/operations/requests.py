"""A visit asked for by a patient, or booked at the desk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.utils.crypto import get_random_string

from booking import notices, queries, screening
from booking.models import (
    Actor,
    Appointment,
    BookingRules,
    Contact,
    Patient,
    Resource,
    Status,
    VisitType,
)
from booking.operations import taking
from booking.operations.errors import TooManyPending
from booking.operations.history import By, done_before, record
from booking.operations.holds import drop_holds, held_time
from booking.operations.merges import known_as

# Without vowels, and without letters and digits that look alike, nothing is misread or spells a word.
REFERENCE_LETTERS: Final = "BCDFGHJKMNPQRTVWXZ2346789"
PENDING_AT_ONCE: Final = 2  # requests that one address or phone number may have waiting; a course is one


@dataclass(frozen=True, slots=True)
class Details:
    """What a patient says of themselves; `precautions` maps codes of `screening` to yes / not_sure.

    With `call_back`, an urgent sign has been checked already: the request can be confirmed only after a call.
    """

    name: str
    email: str
    phone: str
    language: str
    new_patient: bool
    precautions: dict[str, str]
    note: str
    consent_version: str
    wants_articles: bool
    reminders: str = Appointment.Reminders.TWO_DAYS
    call_back: bool = False


def request_appointment(
    *,
    visit_type: VisitType,
    starts_at: datetime,
    practitioner: Resource | None,
    details: Details,
    idempotency_key: UUID,
    now: datetime,
    visitor: UUID | None = None,
) -> Appointment:
    """A patient asks for a visit; with `practitioner` None, anyone may give it.

    What `visitor` holds becomes the request; if it has run out, it is taken anew. The same key again returns the
    appointment that it made the first time, and does nothing.

    :raises TimeTaken: if the time is no longer free or can no longer be booked online.
    :raises TooManyPending: if the address or phone number has two requests waiting already.
    :raises Busy: if a lock was not to be had in time.
    """
    rules = BookingRules.current()
    with taking.change():
        contacts = lock_contacts(email=details.email, phone=details.phone)
        taking.lock_resources(visit_type, [practitioner], now=now)
        if made_before := done_before(idempotency_key):
            return made_before
        refuse_too_many(contacts)
        held = held_time(
            visitor=visitor, visit_type=visit_type, starts_at=starts_at, practitioner=practitioner, now=now
        )
        taken = None
        if held:
            place = {
                name: getattr(held, name) for name in ("practitioner_id", "room_id", "starts_at", "ends_at")
            }
        else:
            drop_holds(visitor)
            taken = taking.look_again(visit_type, starts_at, practitioner=practitioner, rules=rules, now=now)
            place = taken.fields
        appointment = Appointment.objects.create(
            reference=new_reference(),
            status=Status.PENDING,
            visit_type=visit_type,
            anyone=practitioner is None,
            patient=new_patient(details, now),
            language=details.language,
            reminders=details.reminders,
            new_patient=details.new_patient,
            precautions=details.precautions,
            screening_version=screening.VERSION,
            call_back=details.call_back,
            note=details.note,
            consent_version=details.consent_version,
            consented_at=now,
            requested_at=now,
            answer_by=queries.answer_by(place["starts_at"], rules=rules, now=now),
            **place,
        )
        appointment.contacts.set(contacts)
        if taken:
            taking.occupy(appointment, taken)
        elif held:
            taking.hand_over(held, appointment)
            held.delete()
        record(appointment, "", By(Actor.PATIENT, now, key=idempotency_key))
        notices.received(appointment, now=now)
        notices.tell_staff_of_request(appointment, now=now)
    return appointment


def book_appointment(
    *,
    visit_type: VisitType,
    starts_at: datetime,
    practitioner: Resource,
    patient: Patient,
    by: User,
    idempotency_key: UUID,
    now: datetime,
    language: str = "",
    over_in: Resource | None = None,
) -> Appointment:
    """Staff book a visit for a patient at the desk or on the phone; it needs no answer.

    Somebody new is given as a `Patient` not yet saved, and becomes known with the visit, or not at all. Without
    `language` the visit is in that of the patient's last one; reminders are as they were for it too. With `over_in` a
    room, it is put there over whatever is there already, in a lane of its own, and the history says so. The same key
    again returns the appointment that it made the first time, and does nothing.

    :raises TimeTaken: if the time is not free, and was not to be booked over.
    :raises PermissionDenied: if it was, and `by` may not.
    :raises Busy: if a lock was not to be had in time.
    """
    with taking.change():
        if patient.pk:
            patient = known_as(patient)
        taking.lock_resources(visit_type, [practitioner], now=now)
        if made_before := done_before(idempotency_key):
            return made_before
        taken = taking.choose_place(
            visit_type, starts_at, practitioner=practitioner, by=by, over_in=over_in, now=now
        )
        if patient.pk is None:
            patient.save()
        last = patient.appointments.order_by("requested_at", "pk").last()
        appointment = Appointment.objects.create(
            reference=new_reference(),
            status=Status.BOOKED,
            visit_type=visit_type,
            patient=patient,
            new_patient=last is None,
            language=language or (last.language if last else Appointment.Language.ENGLISH),
            reminders=last.reminders if last else Appointment.Reminders.TWO_DAYS,
            requested_at=now,
            **taken.fields,
        )
        taking.occupy(appointment, taken)
        record(
            appointment, "", By(Actor.STAFF, now, by, idempotency_key), reason=taking.overlap_reason(over_in)
        )
        notices.confirmed(appointment, now=now)
    return appointment


def new_reference() -> str:
    return f"RH-{get_random_string(6, REFERENCE_LETTERS)}"


def new_patient(details: Details, now: datetime) -> Patient:
    facts: dict[str, Any] = {"name": details.name, "email": details.email, "phone": details.phone}
    return Patient.objects.create(
        marketing_consented_at=now if details.wants_articles else None, created_at=now, **facts
    )


def lock_contacts(*, email: str, phone: str) -> list[Contact]:
    """The rows of this address and phone number, made where they are new, locked in the order of their keys."""
    keys = Contact.keys(email=email, phone=phone)
    Contact.objects.bulk_create([Contact(key=key) for key in keys], ignore_conflicts=True)
    return list(Contact.objects.filter(key__in=keys).order_by("key").select_for_update(no_key=True))


def refuse_too_many(contacts: Sequence[Contact]) -> None:
    """:raises TooManyPending: if one of the locked contacts has two requests waiting; a course counts once."""
    for contact in contacts:
        waiting = contact.appointments.pending().values_list("course", "pk")
        if len({(course, None if course else pk) for course, pk in waiting}) >= PENDING_AT_ONCE:
            raise TooManyPending
