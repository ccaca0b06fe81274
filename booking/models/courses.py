"""Courses of treatment: visits that were planned together, and the pattern that they were planned by."""

from typing import Final

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from booking import courses
from booking.models.patients import Patient
from booking.models.resources import Resource
from booking.models.visit_types import VisitType

COURSE: Final = "CO-"  # how references begin


class CourseQuerySet(models.QuerySet["Course"]):
    def with_people(self) -> "CourseQuerySet":
        """Everything that a line about a course names, in one query."""
        return self.select_related("patient", "visit_type", "practitioner")


class Course(models.Model):
    """What its visits have in common; how it stands is asked of the visits, or of the offer while there are none.

    `days_off` and `any_hour` say how far a visit may be from the days and hours asked for.
    """

    reference = models.CharField(_("reference"), max_length=12, unique=True, editable=False)
    # A link carries the generation it was made in: a new generation makes all links before it open nothing.
    link_generation = models.PositiveIntegerField(_("private link"), default=1, editable=False)
    patient = models.ForeignKey(
        Patient, verbose_name=_("patient"), related_name="courses", on_delete=models.PROTECT
    )
    visit_type = models.ForeignKey(
        VisitType, verbose_name=_("visit type"), related_name="+", on_delete=models.PROTECT
    )
    practitioner = models.ForeignKey(
        Resource, verbose_name=_("practitioner"), related_name="+", on_delete=models.PROTECT
    )
    first_on = models.DateField(_("first day"))
    days_between = models.PositiveSmallIntegerField(
        _("days between two visits, at least"), validators=[MaxValueValidator(6)]
    )
    weekdays = models.JSONField(_("days of the week"))  # numbers of WorkingHours.Weekday
    from_hour = models.PositiveSmallIntegerField(_("from hour"), validators=[MaxValueValidator(23)])
    to_hour = models.PositiveSmallIntegerField(_("to hour"), validators=[MaxValueValidator(24)])
    days_off = models.PositiveSmallIntegerField(_("days earlier or later, at most"))
    any_hour = models.BooleanField(_("other hours too"))
    # Staff planned it after this visit, and the patient is offered it; none: the patient asked for it.
    planned_after = models.ForeignKey(
        "booking.Appointment",
        verbose_name=_("planned after"),
        related_name="planned_courses",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    planned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("planned by"),
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    created_at = models.DateTimeField(_("asked or planned"))
    idempotency_key = models.UUIDField(_("idempotency key"), unique=True, editable=False)

    objects = CourseQuerySet.as_manager()

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(planned_after__isnull=True, planned_by__isnull=True)
                | models.Q(planned_after__isnull=False, planned_by__isnull=False),
                name="course_planned_by_somebody_after_a_visit",
            )
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def pattern(self) -> courses.Pattern:
        return courses.Pattern(
            stages=tuple(courses.Stage(stage.visits_a_week, stage.weeks) for stage in self.stages.all()),
            days_between=self.days_between,
            weekdays=frozenset(self.weekdays),
            hours=(self.from_hour, self.to_hour),
            days_off=self.days_off,
            any_hour=self.any_hour,
        )


class CourseStage(models.Model):
    """So many visits in each of so many weeks, one stage after another."""

    course = models.ForeignKey(
        Course, verbose_name=_("course"), related_name="stages", on_delete=models.CASCADE
    )
    position = models.PositiveSmallIntegerField(_("position"))
    visits_a_week = models.PositiveSmallIntegerField(
        _("visits a week"), validators=[MinValueValidator(1), MaxValueValidator(courses.WEEK)]
    )
    weeks = models.PositiveSmallIntegerField(_("weeks"), validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["course", "position"], name="coursestage_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.visits_a_week} × {self.weeks}"
