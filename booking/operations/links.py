"""Sends the private link of an appointment again or revokes it; it goes to the address on file and to no other."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import F

from booking import links, notices, notices_courses
from booking.models import Actor, Appointment, Course, Patient
from booking.models.courses import COURSE
from booking.operations.history import By, expect, lock, record
from clinic import mail, transactions
from clinic.models import QueuedMail

NOBODY: Final = "nobody@clinic.invalid"
LINK_AGAIN_AFTER: Final = timedelta(minutes=10)  # nobody's mailbox can be filled through the form


def send_link_again(*, email: str, reference: str, now: datetime) -> None:
    """Writes the mail with the link, if this address asked for the appointment or course of this reference.

    Whether it did cannot be seen, nor measured: without a match the same mail is written, to nobody, and taken
    back before anybody could send it.

    :raises Busy: if a lock was not to be had in time.
    """
    with transactions.change():
        kinds = (notices.LINK, notices_courses.LINK)
        was_sent = QueuedMail.objects.filter(
            kind__in=kinds, about=reference, created_at__gt=now - LINK_AGAIN_AFTER
        ).exists()
        write = _write_to_course if reference.startswith(COURSE) else _write_to_appointment
        written, is_somebodys = write(email, reference, now)
        QueuedMail.objects.filter(pk=0 if is_somebodys and not was_sent else written.pk).delete()


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
        if locked.course:
            _replace_course_link(locked.course, now=now)
        elif locked.patient.email:
            notices.link(locked, now=now)
    return locked


def _replace_course_link(course: Course, *, now: datetime) -> None:
    """The link to the course opens each of its visits, so it ends with the link to any of them."""
    Course.objects.filter(pk=course.pk).update(link_generation=F("link_generation") + 1)
    replaced = Course.objects.with_people().get(pk=course.pk)
    if replaced.patient.email:
        notices_courses.link(replaced, now=now)


def _write_to_appointment(email: str, reference: str, now: datetime) -> tuple[QueuedMail, bool]:
    """The message, and whether it is anybody's."""
    found = (
        Appointment.objects.with_people()
        .filter(reference=reference, patient__email__iexact=email, ends_at__gt=now - links.OPENS_FOR)
        .first()
    )
    return notices.link(found or _nobodys(reference, now=now), now=now), found is not None


def _write_to_course(email: str, reference: str, now: datetime) -> tuple[QueuedMail, bool]:
    """The same for a course."""
    found = (
        Course.objects.with_people()
        .filter(links.course_opens(now=now), reference=reference, patient__email__iexact=email)
        .first()
    )
    nobodys = Course(reference=reference, link_generation=0, patient=Patient(email=NOBODY))
    return notices_courses.link(found or nobodys, now=now), found is not None


def _nobodys(reference: str, *, now: datetime) -> Appointment:
    """An appointment that does not exist, for a mail that nobody gets."""
    patient = Patient(email=NOBODY)
    return Appointment(reference=reference, link_generation=0, patient=patient, starts_at=now, ends_at=now)
