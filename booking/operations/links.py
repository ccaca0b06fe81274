"""Sends the private link of an appointment again or revokes it; it goes to the address on file and to no other."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User

from booking import links, notices
from booking.models import Actor, Appointment, Patient
from booking.operations.history import By, expect, lock, record
from clinic import mail, transactions
from clinic.models import QueuedMail

LINK_AGAIN_AFTER: Final = timedelta(minutes=10)  # nobody's mailbox can be filled through the form


def send_link_again(*, email: str, reference: str, now: datetime) -> None:
    """Writes the mail with the link, if this address asked for the appointment of this reference.

    Whether it did cannot be seen, nor measured: without a match the same mail is written, to nobody, and taken
    back before anybody could send it.

    :raises Busy: if a lock was not to be had in time.
    """
    with transactions.change():
        found = (
            Appointment.objects.with_people()
            .filter(reference=reference, patient__email__iexact=email, ends_at__gt=now - links.OPENS_FOR)
            .first()
        )
        was_sent = QueuedMail.objects.filter(
            kind=notices.LINK, about=reference, created_at__gt=now - LINK_AGAIN_AFTER
        ).exists()
        written = notices.link(found or _nobodys(reference, now=now), now=now)
        QueuedMail.objects.filter(pk=written.pk if found is None or was_sent else 0).delete()


def replace_link(*, appointment: Appointment, version: int, by: User, now: datetime) -> Appointment:
    """Staff revoke every link sent before, for who is in by one too, and send a new one; unsent mail carries it too.

    :raises AlreadyDecided: if the appointment has changed since `version`.
    :raises Busy: if a lock was not to be had in time.
    """
    with transactions.change():
        locked = lock(appointment)
        expect(locked, version)
        old = links.address(locked)
        locked.link_generation += 1
        locked.version += 1
        locked.save(update_fields=["link_generation", "version"])
        record(locked, locked.status, By(Actor.STAFF, now, by), reason="new private link")
        mail.replace_secret(about=locked.reference, old=old, new=links.address(locked))
        if locked.patient.email:
            notices.link(locked, now=now)
    return locked


def _nobodys(reference: str, *, now: datetime) -> Appointment:
    """An appointment that does not exist, for a mail that nobody gets."""
    patient = Patient(email="nobody@clinic.invalid")
    return Appointment(reference=reference, link_generation=0, patient=patient, starts_at=now, ends_at=now)
