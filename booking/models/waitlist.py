"""People who wait for a time to come free, and the times that would suit them."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from booking import times
from booking.models.appointments import Appointment
from booking.models.contacts import Contact
from booking.models.hours import WorkingHours
from booking.models.patients import Patient
from booking.models.resources import Resource
from booking.models.visit_types import VisitType


class WaitlistEntryQuerySet(models.QuerySet["WaitlistEntry"]):
    def waiting(self) -> "WaitlistEntryQuerySet":
        """Who still waits, in the order in which they are asked."""
        return self.filter(state=WaitlistEntry.State.WAITING).order_by("joined_at", "pk")

    def with_people(self) -> "WaitlistEntryQuerySet":
        """Everything that a line about an entry names, in one query."""
        return self.select_related("patient", "visit_type", "practitioner", "replaces__patient", "booked")


class WaitlistEntry(models.Model):
    """One person's wish to be told; it occupies nothing, only what it is offered does."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        BOOKED = "booked", _("took an offered time")
        LEFT = "left", _("left the list")
        REMOVED = "removed", _("removed by staff")
        ENDED = "ended", _("nothing came free in time")

    class Part(models.TextChoices):
        MORNING = "morning", _("Morning")
        AFTERNOON = "afternoon", _("Afternoon")
        EVENING = "evening", _("Evening")

    reference = models.CharField(_("reference"), max_length=12, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING, editable=False)
    patient = models.ForeignKey(
        Patient, verbose_name=_("patient"), related_name="waitlist_entries", on_delete=models.PROTECT
    )
    contacts = models.ManyToManyField(
        Contact, verbose_name=_("contacts"), related_name="waitlist_entries", editable=False
    )
    visit_type = models.ForeignKey(
        VisitType, verbose_name=_("visit type"), related_name="+", on_delete=models.PROTECT
    )
    practitioner = models.ForeignKey(
        Resource,
        verbose_name=_("practitioner"),
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )  # none: anyone may give the visit
    weekdays = models.JSONField(_("days of the week"))  # numbers of WorkingHours.Weekday
    parts = models.JSONField(_("parts of the day"))  # values of Part
    wanted_until = models.DateField(_("last day that suits"))
    replaces = models.ForeignKey(
        Appointment,
        verbose_name=_("would replace"),
        related_name="waitlist_entries",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    booked = models.OneToOneField(
        Appointment,
        verbose_name=_("booked"),
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    language = models.CharField(_("preferred language"), max_length=3, choices=Appointment.Language)
    new_patient = models.BooleanField(_("new to the clinic"))
    screening_version = models.CharField(_("screening version"), max_length=20, blank=True)
    consent_version = models.CharField(_("consent version"), max_length=20, blank=True)
    consented_at = models.DateTimeField(_("consented"))
    joined_at = models.DateTimeField(_("joined"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("removed by"),
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    # A link carries the generation it was made in: a new generation makes all links before it open nothing.
    link_generation = models.PositiveIntegerField(_("generation of links"), default=1, editable=False)
    idempotency_key = models.UUIDField(_("idempotency key"), unique=True, editable=False)

    objects = WaitlistEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("waitlist entry")
        verbose_name_plural = _("waitlist entries")
        ordering = ["joined_at", "pk"]
        permissions = [("remove_waitlistentry", "Can remove people from the waitlist")]
        indexes = [models.Index(fields=["state", "joined_at"], name="waitlistentry_queue")]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING

    @property
    def is_booked(self) -> bool:
        return self.state == self.State.BOOKED

    @property
    def weekday_names(self) -> list[str]:
        return [str(WorkingHours.Weekday(weekday).label) for weekday in sorted(self.weekdays)]

    @property
    def part_names(self) -> list[str]:
        return [str(part.label) for part in self.Part if part in self.parts]

    def suits(self, starts_at: datetime) -> bool:
        """Whether the person would come then; what replaces a visit has to be before it."""
        wall = times.local(starts_at)
        return (
            wall.date() <= self.wanted_until
            and wall.weekday() in self.weekdays
            and part_of_day(wall.hour) in self.parts
            and (self.replaces is None or starts_at < self.replaces.starts_at)
        )


def part_of_day(hour: int) -> WaitlistEntry.Part:
    """Where this hour of the wall clock belongs, as the page of times has it."""
    if hour < times.NOON:
        return WaitlistEntry.Part.MORNING
    return WaitlistEntry.Part.AFTERNOON if hour < times.EVENING else WaitlistEntry.Part.EVENING
