"""When practitioners work, and when a resource or the whole clinic is away."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from booking.models.resources import Resource


class WorkingHours(models.Model):
    """One practitioner's hours on one weekday, in wall time of the clinic's zone."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    practitioner = models.ForeignKey(
        Resource,
        verbose_name=_("practitioner"),
        related_name="working_hours",
        on_delete=models.CASCADE,
        limit_choices_to={"kind": Resource.Kind.PRACTITIONER},
    )
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    opens = models.TimeField(_("from"))
    closes = models.TimeField(_("to"))
    valid_from = models.DateField(_("first day"), null=True, blank=True)
    valid_until = models.DateField(_("last day"), null=True, blank=True)

    class Meta:
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        ordering = ["practitioner", "weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(opens__lt=models.F("closes")),
                name="workinghours_open_before_close",
                violation_error_message=_("The day must end after it begins."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"

    def clean(self) -> None:
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise ValidationError({"valid_until": _("The last day must not be before the first.")})

    def is_valid_on(self, day: date) -> bool:
        """Whether the row holds by then, whatever the weekday; its first and its last day are included."""
        return (self.valid_from or day) <= day <= (self.valid_until or day)


class ExtraHours(models.Model):
    """More hours of one practitioner on one day only, in wall time of the clinic's zone."""

    practitioner = models.ForeignKey(
        Resource,
        verbose_name=_("practitioner"),
        related_name="extra_hours",
        on_delete=models.CASCADE,
        limit_choices_to={"kind": Resource.Kind.PRACTITIONER},
    )
    day = models.DateField(_("day"))
    opens = models.TimeField(_("from"))
    closes = models.TimeField(_("to"))

    class Meta:
        verbose_name = _("extra hours")
        verbose_name_plural = _("extra hours")
        ordering = ["day", "opens", "practitioner"]
        indexes = [models.Index(fields=["day"], name="extrahours_day")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(opens__lt=models.F("closes")),
                name="extrahours_open_before_close",
                violation_error_message=_("The extra hours must end after they begin."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.opens:%H:%M}–{self.closes:%H:%M}"


class ClosureQuerySet(models.QuerySet["Closure"]):
    def in_force(self) -> "ClosureQuerySet":
        """Those that close something: proposed ones wait for somebody to accept them."""
        return self.filter(proposed=False)


class Closure(models.Model):
    """Time when one resource is away or, with none named, the whole clinic; closes nothing while proposed."""

    resource = models.ForeignKey(
        Resource,
        verbose_name=_("who or what"),
        related_name="closures",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        help_text=_("Leave empty to close the whole clinic."),
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    reason = models.CharField(_("reason, for staff only"), max_length=120, blank=True)
    proposed = models.BooleanField(
        _("only proposed"), default=False, help_text=_("Closes nothing until you take this tick away.")
    )
    holiday_on = models.DateField(
        _("proposed for the holiday of"), null=True, blank=True, unique=True, editable=False
    )  # by this a proposal is known again, however staff change it

    objects = ClosureQuerySet.as_manager()

    class Meta:
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(starts_at__lt=models.F("ends_at")),
                name="closure_ends_after_start",
                violation_error_message=_("A closure must end after it begins."),
            )
        ]

    def __str__(self) -> str:
        return str(self.resource or _("Whole clinic"))
