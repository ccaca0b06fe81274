"""What can be booked: visit types and the phases they are made of."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from booking.models.resources import Resource


def validate_five_minutes(minutes: int) -> None:
    """The engine counts in cells of five minutes.

    :raises ValidationError: if `minutes` is not a multiple of 5.
    """
    if minutes % 5:
        raise ValidationError(_("Use a multiple of 5 minutes."))


class VisitTypeQuerySet(models.QuerySet["VisitType"]):
    def bookable(self) -> "VisitTypeQuerySet":
        """What patients may choose online, with its phases at hand."""
        return self.filter(is_active=True, phases__isnull=False).distinct().prefetch_related("phases")

    def at_the_desk(self) -> "VisitTypeQuerySet":
        """What staff may book: also what patients cannot choose online, as long as somebody gives it."""
        given = self.filter(phases__isnull=False, practitioners__is_active=True)
        return given.distinct().prefetch_related("phases")


class VisitType(models.Model):
    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("name in addresses"), max_length=60, unique=True)
    summary = models.CharField(_("in one sentence"), max_length=200)
    fee = models.DecimalField(
        _("fee in dollars"),
        max_digits=7,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("The whole price. While empty, patients read “Ask us”."),
    )
    start_every = models.PositiveSmallIntegerField(
        _("start every … minutes"),
        default=15,
        validators=[validate_five_minutes, MinValueValidator(5), MaxValueValidator(60)],
    )
    practitioners = models.ManyToManyField(
        Resource,
        verbose_name=_("given by"),
        related_name="visit_types",
        limit_choices_to={"kind": Resource.Kind.PRACTITIONER},
    )
    position = models.PositiveSmallIntegerField(_("position in lists"), default=0)
    is_active = models.BooleanField(_("can be booked online"), default=True)
    as_course = models.BooleanField(
        _("can be asked for as a course"),
        default=False,
        help_text=_("Several visits at once, online, by people who have been here before."),
    )

    objects = VisitTypeQuerySet.as_manager()

    class Meta:
        verbose_name = _("visit type")
        verbose_name_plural = _("visit types")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def minutes(self) -> int:
        """How long the patient is there, without stretching."""
        return sum(phase.minutes for phase in self.phases.all() if phase.with_patient)


class Phase(models.Model):
    """One part of a visit type: who and what it occupies, for how long, by how much it may stretch."""

    visit_type = models.ForeignKey(
        VisitType, verbose_name=_("visit type"), related_name="phases", on_delete=models.CASCADE
    )
    position = models.PositiveSmallIntegerField(_("position"))
    name = models.CharField(_("name"), max_length=40)
    minutes = models.PositiveSmallIntegerField(
        _("minutes"), validators=[validate_five_minutes, MinValueValidator(5), MaxValueValidator(240)]
    )
    may_stretch_by = models.PositiveSmallIntegerField(
        _("may stretch by … minutes"),
        default=0,
        validators=[validate_five_minutes, MaxValueValidator(60)],
    )
    needs_practitioner = models.BooleanField(_("needs the practitioner"), default=True)
    needs_room = models.BooleanField(_("needs the room"), default=True)
    with_patient = models.BooleanField(
        _("the patient is there"), default=True, help_text=_("Not for turning the room over.")
    )

    class Meta:
        verbose_name = _("phase")
        verbose_name_plural = _("phases")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["visit_type", "position"], name="phase_position_once"),
            models.CheckConstraint(condition=models.Q(minutes__gt=0), name="phase_takes_time"),
        ]

    def __str__(self) -> str:
        return self.name
