"""What an appointment, a hold and an offered time have in common: who would see the patient, where and when."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from booking.models.resources import Resource


class Scheduled(models.Model):
    """`ends_at` is when the patient leaves; what is occupied, and for how long, stands in the occupancies."""

    practitioner = models.ForeignKey(
        Resource, verbose_name=_("practitioner"), related_name="+", on_delete=models.PROTECT
    )
    room = models.ForeignKey(
        Resource, verbose_name=_("room"), related_name="+", on_delete=models.PROTECT, null=True, blank=True
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(starts_at__lt=models.F("ends_at")), name="%(class)s_ends_after_start"
            )
        ]
