"""Sends the private link of an appointment again, to the address on file and to no other."""

from datetime import datetime, timedelta
from typing import Final

from booking import links, notices
from booking.models import Appointment, Patient
from clinic import transactions
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
        mail = notices.link(found or _nobodys(reference, now=now), now=now)
        QueuedMail.objects.filter(pk=mail.pk if found is None or was_sent else 0).delete()


def _nobodys(reference: str, *, now: datetime) -> Appointment:
    """An appointment that does not exist, for a mail that nobody gets."""
    patient = Patient(email="nobody@clinic.invalid")
    return Appointment(reference=reference, link_generation=0, patient=patient, starts_at=now, ends_at=now)
