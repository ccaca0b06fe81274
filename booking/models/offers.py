"""Times that are offered and held until the offer ends: in answer to a request, to who waits, or as a course."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from booking.models.appointments import Appointment
from booking.models.courses import Course
from booking.models.scheduled import Scheduled
from booking.models.waitlist import WaitlistEntry


class OfferNote(models.TextChoices):
    """What staff say with other times, in the sentence that the patient reads; never free text, as in declining."""

    SORRY = "sorry", _("We are sorry that this is not the time you asked for.")
    AWAY = "away", _("The practitioner is away at the time you asked for.")
    NEAREST = "nearest", _("We looked for what is free nearest to the time you asked for.")
    SAME_HOUR = "same_hour", _("We kept to about the same time of day as you asked for.")
    CALL_US = "call_us", _("If nothing here suits you, call us, and we will look for a time together.")
    THANKS = "thanks", _("Thank you for your patience.")


class Offer(models.Model):
    """It belongs to an appointment, a waitlist entry or a course; the second kind the clock makes, the others staff."""

    class Answer(models.TextChoices):
        """How it ended; of an offer to an appointment, the appointment's history tells."""

        TAKEN = "taken", _("taken")
        DECLINED = "declined", _("declined")
        LAPSED = "lapsed", _("not answered in time")

    appointment = models.ForeignKey(
        Appointment,
        verbose_name=_("appointment"),
        related_name="offers",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
    )
    entry = models.ForeignKey(
        WaitlistEntry,
        verbose_name=_("waitlist entry"),
        related_name="offers",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
    )
    course = models.OneToOneField(
        Course,
        verbose_name=_("course"),
        related_name="offer",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("staff"),
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    offered_at = models.DateTimeField(_("offered"))
    expires_at = models.DateTimeField(_("open until"))
    answer = models.CharField(_("answer"), max_length=8, choices=Answer, blank=True)
    note = models.CharField(_("note to the patient"), max_length=9, choices=OfferNote, blank=True)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["-offered_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    appointment__isnull=False, entry__isnull=True, course__isnull=True, by__isnull=False
                )
                | models.Q(
                    appointment__isnull=True, entry__isnull=False, course__isnull=True, by__isnull=True
                )
                | models.Q(
                    appointment__isnull=True, entry__isnull=True, course__isnull=False, by__isnull=False
                ),
                name="offer_one_owner",
            ),
            models.UniqueConstraint(
                fields=["entry"],
                condition=models.Q(answer="", entry__isnull=False),
                name="offer_one_open_per_entry",
            ),
            models.CheckConstraint(
                condition=models.Q(note="") | models.Q(note__in=OfferNote.values, appointment__isnull=False),
                name="offer_known_note_to_a_request",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appointment or self.entry or self.course}, {self.offered_at:%Y-%m-%d}"

    def has_ended(self, now: datetime) -> bool:
        return bool(self.answer) or self.expires_at <= now


class OfferOption(Scheduled):
    """One of the one to three times of an offer; who waits is offered one at a time, a course has all its times."""

    offer = models.ForeignKey(
        Offer, verbose_name=_("offer"), related_name="options", on_delete=models.CASCADE
    )

    class Meta(Scheduled.Meta):
        verbose_name = _("offered time")
        verbose_name_plural = _("offered times")
        ordering = ["starts_at", "pk"]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M}"
