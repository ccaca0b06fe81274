"""What a patient says of their pain before a visit: pain now, and the three questions of the PEG scale."""

from datetime import timedelta
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from booking.models.appointments import Appointment

ASKED_FROM: Final = timedelta(hours=48)  # before the visit, until it starts
LEAST, MOST = 0, 10
SCALES: Final = ("pain_now", "pain_last_week", "enjoyment", "activity")


class CheckInQuerySet(models.QuerySet["CheckIn"]):
    def along_with(self, appointment: Appointment) -> "CheckInQuerySet":
        """Those before all visits of its course or, outside one, of the same patient, in the order of the visits."""
        same = (
            {"course": appointment.course_id}
            if appointment.course_id
            else {"patient": appointment.patient_id}
        )
        return (
            self.filter(**{f"appointment__{name}": key for name, key in same.items()})
            .select_related("appointment")
            .order_by("appointment__starts_at", "pk")
        )


class CheckIn(models.Model):
    """One set of answers for a visit, each a whole number from 0 to 10.

    PEG: Pain on average, interference with Enjoyment of life and with General activity, all in the last week. Krebs and
    others, J Gen Intern Med 2009, doi:10.1007/s11606-009-0981-1.
    """

    appointment = models.OneToOneField(
        Appointment, verbose_name=_("appointment"), related_name="check_in", on_delete=models.CASCADE
    )
    pain_now = models.PositiveSmallIntegerField(_("pain now"))
    pain_last_week = models.PositiveSmallIntegerField(_("pain on average in the last week"))
    enjoyment = models.PositiveSmallIntegerField(_("interference with enjoyment of life"))
    activity = models.PositiveSmallIntegerField(_("interference with general activity"))
    answered_at = models.DateTimeField(_("answered"))

    objects = CheckInQuerySet.as_manager()

    class Meta:
        verbose_name = _("check-in")
        verbose_name_plural = _("check-ins")
        ordering = ["appointment__starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(**{f"{scale}__gte": LEAST, f"{scale}__lte": MOST}),
                name=f"checkin_{scale}_0_to_10",
            )
            for scale in SCALES
        ]

    def __str__(self) -> str:
        return self.appointment.reference  # never the answers: this stands in lists and logs

    @property
    def peg(self) -> float:
        """The PEG score: the mean of its three answers."""
        return (self.pain_last_week + self.enjoyment + self.activity) / 3
