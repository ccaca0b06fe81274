"""Other times that staff offer in answer to a request, each held until the offer ends."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from booking.models.appointments import Appointment
from booking.models.scheduled import Scheduled


class Offer(models.Model):
    appointment = models.ForeignKey(
        Appointment, verbose_name=_("appointment"), related_name="offers", on_delete=models.CASCADE
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("staff"), related_name="+", on_delete=models.PROTECT
    )
    offered_at = models.DateTimeField(_("offered"))
    expires_at = models.DateTimeField(_("open until"))

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["-offered_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.appointment}, {self.offered_at:%Y-%m-%d}"

    def has_ended(self, now: datetime) -> bool:
        return self.expires_at <= now


class OfferOption(Scheduled):
    """One of the one to three times of an offer."""

    offer = models.ForeignKey(
        Offer, verbose_name=_("offer"), related_name="options", on_delete=models.CASCADE
    )

    class Meta(Scheduled.Meta):
        verbose_name = _("offered time")
        verbose_name_plural = _("offered times")
        ordering = ["starts_at", "pk"]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"
