"""The owner's rules for online booking: notice, horizon, compact days, promised answer, cancellation."""

from datetime import timedelta
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class BookingRules(models.Model):
    """One row; `BookingRules.current()` reads it, or the defaults while nobody has saved any."""

    notice_hours = models.PositiveSmallIntegerField(
        _("shortest notice, in hours"),
        default=12,
        validators=[MaxValueValidator(24 * 14)],
        help_text=_("Nearer times can be had by phone only."),
    )
    horizon_days = models.PositiveSmallIntegerField(
        _("how far ahead, in days"), default=90, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    keep_days_compact = models.BooleanField(
        _("keep the day compact"),
        default=False,
        help_text=_(
            "Times right before or after another visit are suggested first. Times that would leave a "
            "practitioner a gap too short for their shortest visit are not shown."
        ),
    )
    answer_within_hours = models.PositiveSmallIntegerField(
        _("we answer within … hours"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 7)],
    )
    offer_open_hours = models.PositiveSmallIntegerField(
        _("offered times are held for … hours"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 7)],
    )
    waitlist_open_minutes = models.PositiveSmallIntegerField(
        _("a time offered from the waitlist is held for … minutes"),
        default=120,
        validators=[MinValueValidator(15), MaxValueValidator(60 * 24)],
        help_text=_("Less if the visit is near: at most a quarter of the time until then."),
    )
    cancellation_hours = models.PositiveSmallIntegerField(
        _("free to cancel until … hours before"), default=24, validators=[MaxValueValidator(24 * 7)]
    )
    cancellation_rule = models.CharField(
        _("what a late cancellation costs, as patients read it"),
        max_length=300,
        blank=True,
        help_text=_("While empty, patients are told to ask."),
    )

    class Meta:
        verbose_name = _("booking rules")
        verbose_name_plural = _("booking rules")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="bookingrules_one_row")]

    def __str__(self) -> str:
        return str(_("Booking rules"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    @classmethod
    def current(cls) -> "BookingRules":
        return cls.objects.first() or cls()

    @property
    def notice(self) -> timedelta:
        return timedelta(hours=self.notice_hours)

    @property
    def horizon(self) -> timedelta:
        return timedelta(days=self.horizon_days)

    @property
    def answer_within(self) -> timedelta:
        return timedelta(hours=self.answer_within_hours)

    @property
    def offer_open_for(self) -> timedelta:
        return timedelta(hours=self.offer_open_hours)

    @property
    def waitlist_open_for(self) -> timedelta:
        return timedelta(minutes=self.waitlist_open_minutes)
