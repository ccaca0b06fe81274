"""A time kept for a visitor while they fill in the form."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from booking.models.scheduled import Scheduled
from booking.models.visit_types import VisitType

HELD_FOR: Final = timedelta(minutes=10)  # at each renewal


class HoldQuerySet(models.QuerySet["Hold"]):
    def expired(self, now: datetime) -> "HoldQuerySet":
        """Still in the table, and of no effect: the finder passes over it, the next one to take the time erases it."""
        return self.filter(expires_at__lte=now)


class Hold(Scheduled):
    visitor = models.UUIDField(_("visitor"), unique=True)  # one hold each; the number stands in the session
    visit_type = models.ForeignKey(VisitType, verbose_name=_("visit type"), on_delete=models.CASCADE)
    anyone = models.BooleanField(_("asked for any practitioner"))
    expires_at = models.DateTimeField(_("held until"), db_index=True)

    objects = HoldQuerySet.as_manager()

    class Meta(Scheduled.Meta):
        verbose_name = _("hold")
        verbose_name_plural = _("holds")

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"
