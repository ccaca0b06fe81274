"""Appointments and the history of their status."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from booking import screening
from booking.models.contacts import Contact
from booking.models.courses import Course
from booking.models.patients import Patient
from booking.models.scheduled import Scheduled
from booking.models.visit_types import VisitType


class Status(models.TextChoices):
    """Words of FHIR R5 AppointmentStatus where it has them; `declined` and `expired` are ours."""

    PENDING = "pending", _("waiting for an answer")
    PROPOSED = "proposed", _("other times offered")
    BOOKED = "booked", _("confirmed")
    ARRIVED = "arrived", _("arrived")
    FULFILLED = "fulfilled", _("completed")
    CANCELLED = "cancelled", _("cancelled")
    DECLINED = "declined", _("declined")
    EXPIRED = "expired", _("expired")
    NOSHOW = "noshow", _("did not come")


class Actor(models.TextChoices):
    PATIENT = "patient", _("patient")
    STAFF = "staff", _("staff")
    CLOCK = "clock", _("the clock")


class DeclineReason(models.TextChoices):
    """Why staff decline, in the sentence that the patient reads; free text could carry a health matter into mail."""

    TIME_GONE = "time_gone", _("We can no longer offer this time.")
    AWAY = "away", _("The practitioner is away at this time.")
    TALK_FIRST = "talk_first", _("We would like to talk with you by phone before you book.")
    NOT_FOR_US = "not_for_us", _("We cannot offer this visit. Please call us, and we will explain why.")


# What an operation notes as the reason of a change, in the words of the desk.
_NOTED: Final = {
    "called back": _("the patient was called back"),
    "kept": _("kept, although it lies where nobody was expected to be"),
    "new private link": _("new private link"),
    "stretched": _("its end was moved"),
    "taken back": _("taken back"),
}


@dataclass(frozen=True, slots=True)
class Transition:
    """Who may change a status so, and the message (a name in `booking.notices`) that the patient gets."""

    actors: frozenset[Actor]
    notice: str = ""


_PATIENT, _STAFF, _CLOCK = frozenset({Actor.PATIENT}), frozenset({Actor.STAFF}), frozenset({Actor.CLOCK})
_NEW = ""  # the status of what does not exist yet

# The only way a status changes: (from, to) → who and what the patient is told.
TRANSITIONS: dict[tuple[str, str], Transition] = {
    (_NEW, Status.PENDING): Transition(_PATIENT, "received"),
    (Status.PENDING, Status.BOOKED): Transition(_STAFF, "confirmed"),
    (Status.PENDING, Status.DECLINED): Transition(_STAFF, "declined"),
    (Status.PENDING, Status.CANCELLED): Transition(_PATIENT | _STAFF, "cancelled"),
    (Status.PROPOSED, Status.CANCELLED): Transition(_PATIENT | _STAFF, "cancelled"),
    (Status.BOOKED, Status.CANCELLED): Transition(_PATIENT | _STAFF, "cancelled"),
    (_NEW, Status.BOOKED): Transition(_PATIENT | _STAFF, "confirmed"),
    (Status.PENDING, Status.PROPOSED): Transition(_STAFF, "other_times_offered"),
    (Status.PROPOSED, Status.BOOKED): Transition(_PATIENT, "confirmed"),
    (Status.PROPOSED, Status.PENDING): Transition(_PATIENT, "received"),
    (Status.PENDING, Status.EXPIRED): Transition(_CLOCK, "expired"),
    (Status.PROPOSED, Status.EXPIRED): Transition(_CLOCK, "expired"),
    (Status.BOOKED, Status.ARRIVED): Transition(_STAFF),
    (Status.BOOKED, Status.NOSHOW): Transition(_STAFF),
    (Status.ARRIVED, Status.FULFILLED): Transition(_STAFF),
    (Status.NOSHOW, Status.BOOKED): Transition(_STAFF),
    (Status.ARRIVED, Status.BOOKED): Transition(_STAFF),
    (Status.FULFILLED, Status.ARRIVED): Transition(_STAFF),
}

OCCUPYING = (Status.PENDING, Status.BOOKED, Status.ARRIVED)


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def pending(self) -> "AppointmentQuerySet":
        """Requests that wait for staff's answer, oldest first."""
        return self.filter(status=Status.PENDING).order_by("requested_at", "pk")

    def occupying(self) -> "AppointmentQuerySet":
        return self.filter(status__in=OCCUPYING)

    def of_a_day(self) -> "AppointmentQuerySet":
        """What stands in a day's plan: what occupies time, and what has ended there."""
        return self.filter(status__in=[*OCCUPYING, Status.FULFILLED, Status.NOSHOW])

    def with_people(self) -> "AppointmentQuerySet":
        """Everything that a line about an appointment names, in one query."""
        return self.select_related("patient", "practitioner", "room", "visit_type", "course")

    def with_replaced(self) -> "AppointmentQuerySet":
        """And of the visit that it would replace, as it was when this was asked: decisions lock it and look again."""
        return self.select_related("replaces__practitioner", "replaces__visit_type")


class Appointment(Scheduled):
    """One booked or requested visit, from request to end; only `booking.operations` changes its status."""

    class Language(models.TextChoices):
        ENGLISH = "en", _("English")
        CANTONESE = "yue", _("Cantonese")
        MANDARIN = "cmn", _("Mandarin")
        PERSIAN = "fa", _("Persian")
        RUSSIAN = "ru", _("Russian")
        KOREAN = "ko", _("Korean")

    class Reminders(models.TextChoices):
        TWO_DAYS = "48h", _("2 days before")
        ONE_DAY = "24h", _("1 day before")
        BOTH = "both", _("Both: 2 days and 1 day before")
        NONE = "none", _("No reminders")

        @property
        def leads(self) -> tuple[timedelta, ...]:
            """How long before the visit, in true hours: a day across a clock change has 24 of them too."""
            two_days, one_day = timedelta(hours=48), timedelta(hours=24)
            return {"48h": (two_days,), "24h": (one_day,), "both": (two_days, one_day), "none": ()}[
                self.value
            ]

    reference = models.CharField(_("reference"), max_length=12, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    # Stands in the private link; another number revokes every link sent before.
    link_generation = models.PositiveIntegerField(_("private link"), default=1, editable=False)
    visit_type = models.ForeignKey(VisitType, verbose_name=_("visit type"), on_delete=models.PROTECT)
    anyone = models.BooleanField(_("asked for any practitioner"), default=False)
    patient = models.ForeignKey(
        Patient, verbose_name=_("patient"), related_name="appointments", on_delete=models.PROTECT
    )
    contacts = models.ManyToManyField(
        Contact, verbose_name=_("contacts"), related_name="appointments", editable=False
    )
    course = models.ForeignKey(
        Course,
        verbose_name=_("course"),
        related_name="appointments",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    language = models.CharField(
        _("preferred language"), max_length=3, choices=Language, default=Language.ENGLISH
    )
    # Two days before, by default: then a visit can still be cancelled for nothing under the usual rule.
    reminders = models.CharField(_("reminders"), max_length=4, choices=Reminders, default=Reminders.TWO_DAYS)
    new_patient = models.BooleanField(_("new to the clinic"))
    precautions = models.JSONField(_("precautions"), default=dict, blank=True)
    screening_version = models.CharField(_("screening version"), max_length=20, blank=True)
    call_back = models.BooleanField(_("call back before confirming"), default=False)
    called_back_at = models.DateTimeField(_("called back"), null=True, blank=True)
    called_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("called back by"),
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    note = models.TextField(_("note from the patient"), blank=True, validators=[MaxLengthValidator(300)])
    consent_version = models.CharField(_("consent version"), max_length=20, blank=True)
    consented_at = models.DateTimeField(_("consented"), null=True, blank=True)
    # A booked visit that the patient wants changed: it is kept until this request for another one is answered.
    replaces = models.ForeignKey(
        "self",
        verbose_name=_("would replace"),
        related_name="replacements",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
    )
    requested_at = models.DateTimeField(_("requested"))
    answer_by = models.DateTimeField(_("answer promised by"), null=True, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta(Scheduled.Meta):
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        ordering = ["-starts_at", "-pk"]
        permissions = [
            ("decide_appointment", "Can confirm, decline and cancel appointments"),
            ("overlap_appointment", "Can book over what is taken, deliberately"),
            ("view_reports", "Can see the reports and take their numbers out"),
        ]
        indexes = [
            models.Index(fields=["status", "requested_at"], name="appointment_queue"),
            models.Index(fields=["starts_at"], name="appointment_starts"),
        ]
        constraints = [
            *Scheduled.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(status__in=Status.values), name="appointment_known_status"
            ),
            models.CheckConstraint(
                condition=models.Q(call_back=False)
                | models.Q(called_back_at__isnull=False)
                | ~models.Q(status__in=[Status.BOOKED, Status.ARRIVED, Status.FULFILLED, Status.NOSHOW]),
                name="appointment_called_back_before_booked",
            ),
            models.UniqueConstraint(
                fields=["replaces"],
                condition=models.Q(status__in=[Status.PENDING, Status.PROPOSED]),
                name="appointment_one_open_change",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_pending(self) -> bool:
        return self.status == Status.PENDING

    @property
    def is_proposed(self) -> bool:
        return self.status == Status.PROPOSED

    @property
    def is_booked(self) -> bool:
        return self.status == Status.BOOKED

    @property
    def is_occupying(self) -> bool:
        return self.status in OCCUPYING

    @property
    def can_be_cancelled(self) -> bool:
        return (self.status, Status.CANCELLED) in TRANSITIONS

    @property
    def kept(self) -> "Appointment | None":
        """The booked visit that this request would replace, which stays as it is unless this one is confirmed."""
        return self.replaces if self.replaces and self.replaces.is_booked and not self.is_booked else None

    @property
    def open_change(self) -> "Appointment | None":
        """What the patient asked for in place of this booked visit, as long as it is not answered for good."""
        if not self.is_booked:
            return None
        return self.replacements.with_people().filter(status__in=[Status.PENDING, Status.PROPOSED]).first()

    @property
    def successor(self) -> "Appointment | None":
        """What took the place of this visit when staff confirmed the change that the patient had asked for."""
        if self.status != Status.CANCELLED:
            return None
        return self.replacements.with_people().filter(changes__to_status=Status.BOOKED).first()

    @property
    def can_be_moved(self) -> bool:
        """Whether it waits for its day, or for an answer."""
        return self.status in (Status.PENDING, Status.BOOKED)

    @property
    def wants_reminders(self) -> bool:
        return bool(self.Reminders(self.reminders).leads)

    @property
    def has_arrived(self) -> bool:
        return self.status == Status.ARRIVED

    @property
    def can_step_back(self) -> bool:
        """Whether what was noted on its day can be taken back, as far as the status goes."""
        return self.status in (Status.ARRIVED, Status.NOSHOW, Status.FULFILLED)

    @property
    def waits_for_call(self) -> bool:
        """Whether staff must speak with the patient before this can become a booked visit."""
        return self.call_back and self.called_back_at is None

    @property
    def flags(self) -> list[screening.Flag]:
        """The patient's answers as staff read them, the call first."""
        call = [screening.CALL_BACK if self.waits_for_call else screening.CALLED_BACK]
        return [*(call if self.call_back else []), *screening.flags(self.precautions)]


class StatusChange(models.Model):
    """What happened to an appointment, when and by whom; rows are only ever added."""

    appointment = models.ForeignKey(
        Appointment, verbose_name=_("appointment"), related_name="changes", on_delete=models.CASCADE
    )
    version = models.PositiveIntegerField(_("version"))
    from_status = models.CharField(_("from"), max_length=10, choices=Status, blank=True)
    to_status = models.CharField(_("to"), max_length=10, choices=Status)
    at = models.DateTimeField(_("when"))
    actor = models.CharField(_("who"), max_length=8, choices=Actor)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("staff"),
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    # The key of the form that brought it about: the same form again finds what it did, and does nothing.
    idempotency_key = models.UUIDField(_("idempotency key"), unique=True, null=True, editable=False)

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        ordering = ["version"]
        constraints = [
            models.UniqueConstraint(fields=["appointment", "version"], name="statuschange_one_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.from_status or '–'} → {self.to_status}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("A status change is never rewritten")
        super().save(*args, **kwargs)

    @property
    def reason_in_words(self) -> str:
        """The sentence that the patient reads, or what the operation noted."""
        return str({**_NOTED, **dict(DeclineReason.choices)}.get(self.reason, self.reason))
