"""Time taken of a practitioner or a room, by an appointment, a hold or an offered time."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from booking.constraints import NoOverlap
from booking.models.appointments import Appointment
from booking.models.holds import Hold
from booking.models.offers import OfferOption
from booking.models.resources import Resource

OWNERS = ("appointment", "hold", "option")


def _one_owner() -> models.Q:
    """Exactly one of the owners is set."""
    condition = models.Q()
    for owner in OWNERS:
        condition |= models.Q(**{f"{other}__isnull": other != owner for other in OWNERS})
    return condition


class OccupancyQuerySet(models.QuerySet["Occupancy"]):
    def in_force(self, now: datetime) -> "OccupancyQuerySet":
        """Without those of holds and offers that have run out, which may still stand in the table."""
        return self.filter(
            models.Q(hold=None) | models.Q(hold__expires_at__gt=now),
            models.Q(option=None) | models.Q(option__offer__expires_at__gt=now),
        )


class Occupancy(models.Model):
    """One resource taken for one half-open interval `[starts_at, ends_at)`; the database refuses overlaps.

    A deliberate overlap stands in another `lane`.
    """

    resource = models.ForeignKey(
        Resource, verbose_name=_("resource"), related_name="+", on_delete=models.PROTECT
    )
    lane = models.PositiveSmallIntegerField(_("lane"), default=0)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    appointment = models.ForeignKey(
        Appointment,
        verbose_name=_("appointment"),
        related_name="occupancies",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
    )
    hold = models.ForeignKey(
        Hold,
        verbose_name=_("hold"),
        related_name="occupancies",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
    )
    option = models.ForeignKey(
        OfferOption,
        verbose_name=_("offered time"),
        related_name="occupancies",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
    )

    objects = OccupancyQuerySet.as_manager()

    class Meta:
        verbose_name = _("occupancy")
        verbose_name_plural = _("occupancies")
        ordering = ["starts_at", "resource"]
        indexes = [models.Index(fields=["starts_at"], name="occupancy_starts")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(starts_at__lt=models.F("ends_at")), name="occupancy_ends_after_start"
            ),
            models.CheckConstraint(condition=_one_owner(), name="occupancy_one_owner"),
            NoOverlap(
                fields=["resource", "lane"], start="starts_at", end="ends_at", name="occupancy_no_overlap"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource_id}: {self.starts_at:%Y-%m-%d %H:%M}–{self.ends_at:%H:%M}"
