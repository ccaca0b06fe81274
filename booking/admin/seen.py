"""Whose visits and patients somebody at the desk sees: everybody's, or only those of the practitioner they are.

Every list, page and act of the desk that is about a patient begins from one of these. Whoever neither may see every
patient nor is a practitioner sees none.
"""

from typing import Any, Final

from django.db.models import Exists, OuterRef

from booking.models import Appointment, AppointmentQuerySet, Course, CourseQuerySet, Patient, PatientQuerySet

EVERY_PATIENT: Final = "booking.see_every_patient"


def appointments(user: Any) -> AppointmentQuerySet:
    everybodys = Appointment.objects.all()
    return everybodys if user.has_perm(EVERY_PATIENT) else everybodys.filter(practitioner__user=user)


def courses(user: Any) -> CourseQuerySet:
    everybodys = Course.objects.all()
    return everybodys if user.has_perm(EVERY_PATIENT) else everybodys.filter(practitioner__user=user)


def patients(user: Any) -> PatientQuerySet:
    """One's own are those who have, had or asked for a visit or a course with oneself."""
    everybody = Patient.objects.all()
    if user.has_perm(EVERY_PATIENT):
        return everybody
    mine = OuterRef("pk")
    return everybody.filter(
        Exists(appointments(user).filter(patient=mine)) | Exists(courses(user).filter(patient=mine))
    )
