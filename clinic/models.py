"""The rows that no app owns: the mail queue, how often something was done lately, and who saw what of patients."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from clinic.append_only import AppendOnly
from clinic.trail_words import in_words

LATE_AFTER: Final = timedelta(minutes=30)
FORGOTTEN: Final = "[private link]"  # what stands in a row instead of its reader's own address


class QueuedMailQuerySet(models.QuerySet["QueuedMail"]):
    def waiting(self) -> "QueuedMailQuerySet":
        return self.filter(sent_at=None, parked_at=None, withdrawn_at=None)

    def at_hand(self, now: datetime) -> "QueuedMailQuerySet":
        """Not gone, not taken back, and no worker has it in hand."""
        free = models.Q(leased_until=None) | models.Q(leased_until__lte=now)
        return self.filter(free, sent_at=None, withdrawn_at=None)

    def due(self, now: datetime) -> "QueuedMailQuerySet":
        """Waiting, its time has come, and no worker has it in hand."""
        return self.waiting().at_hand(now).filter(send_at__lte=now)

    def parked(self) -> "QueuedMailQuerySet":
        """Given up after a permanent failure, or held back: a person has to look."""
        return self.filter(withdrawn_at=None).exclude(parked_at=None)

    def late(self, now: datetime) -> "QueuedMailQuerySet":
        """Tried without success and still being tried, long after it was written."""
        return self.waiting().filter(attempts__gt=0, created_at__lt=now - LATE_AFTER)


class QueuedMail(models.Model):
    kind = models.CharField(_("message"), max_length=40)
    about = models.CharField(_("about"), max_length=40, blank=True, db_index=True)
    to = models.EmailField(_("to"))
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"))
    calendar = models.TextField(_("calendar file"), blank=True)
    calendar_method = models.CharField(_("calendar method"), max_length=10, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=120, unique=True)
    # What is written by the clock is written once: a second message under the same key is refused.
    key = models.CharField(  # noqa: DJ001 (many have none, and only nulls may be many)
        _("written once for"), max_length=80, unique=True, null=True, editable=False
    )
    # The reader's own address on our site, which the row forgets as soon as the message has left.
    secret = models.CharField(_("private link"), max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(_("written"))
    send_at = models.DateTimeField(_("send from"))
    leased_until = models.DateTimeField(_("in a worker's hands until"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    parked_at = models.DateTimeField(_("given up"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    resent_at = models.DateTimeField(_("sent again by staff"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    objects = QueuedMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ["-created_at", "-pk"]
        permissions = [("resend_queuedmail", "Can send undelivered mail again")]
        indexes = [
            models.Index(
                fields=["send_at"],
                name="queuedmail_waiting",
                condition=models.Q(sent_at=None, parked_at=None),
            ),
            models.Index(fields=["sent_at"], name="queuedmail_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Django's EmailField takes one address only; `to=["a@x, b@y"]` would be two on the wire.
        self.full_clean(exclude=["leased_until", "sent_at", "parked_at", "withdrawn_at", "resent_at"])
        super().save(*args, **kwargs)

    def shown(self, part: str) -> str:
        """`text` or `html` as staff may read it: without the link that is only its reader's."""
        written: str = getattr(self, part)
        return written.replace(self.secret, FORGOTTEN) if self.secret else written


class Tally(models.Model):
    """How often one thing was done in one window; `key` is a hash that cannot be turned back into who did it."""

    key = models.CharField(_("key"), max_length=64, primary_key=True)
    uses = models.PositiveIntegerField(_("how often"))
    ends_at = models.DateTimeField(_("window ends"), db_index=True)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")

    def __str__(self) -> str:
        return self.key[:8]


class Act(models.TextChoices):
    """What was done with what the clinic keeps about a patient."""

    VIEW = "view", _("opened")
    LIST = "list", _("saw in a list")
    SEARCH = "search", _("searched")
    EXPORT = "export", _("took out a copy")
    CHANGE = "change", _("changed")
    ERASE = "erase", _("erased")
    REASON = "reason", _("gave a reason")
    DENIED = "denied", _("was refused")


class Reason(models.TextChoices):
    """Why staff open the record of somebody who has nothing to do with their day."""

    CALL = "call", _("The patient is on the phone or here")
    VISIT = "visit", _("Planning, moving or cancelling a visit")
    CARE = "care", _("Preparing or documenting care")
    BILLING = "billing", _("A receipt or a bill")
    REQUEST = "request", _("The patient asked to see, correct or erase their record")
    MISTAKE = "mistake", _("A mistake, a complaint or a check of the records")
    OTHER = "other", _("Something else")


class AuditRow(models.Model):
    """Somebody saw, searched, took out, changed or was refused something about patients; rows are only ever added.

    Without an actor, the clock did it. `kind` and `subject` say what it was about, such as `appointment` and its key;
    `fields` are names alone, separated by commas.
    """

    at = models.DateTimeField(_("when"), db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        related_name="+",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    act = models.CharField(_("what"), max_length=8, choices=Act)
    kind = models.CharField(_("of what"), max_length=80)
    subject = models.CharField(_("key"), max_length=40, blank=True)
    fields = models.TextField(_("fields"), blank=True)
    reason = models.CharField(_("reason"), max_length=8, choices=Reason, blank=True)
    note = models.CharField(_("in their words"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("audit row")
        verbose_name_plural = _("audit trail")
        ordering = ["-at", "-pk"]
        default_permissions = ["view"]
        indexes = [models.Index(fields=["actor", "-at"], name="auditrow_actor")]
        constraints = [AppendOnly(name="auditrow_append_only")]

    def __str__(self) -> str:
        return f"{self.get_act_display()}: {in_words(self.kind)}"


class AuditedPerson(models.Model):
    """One patient whom an audit row is about: their key, which stays when the rest of them is erased."""

    row = models.ForeignKey(AuditRow, related_name="people", on_delete=models.PROTECT)
    person = models.PositiveBigIntegerField(_("patient"), db_index=True)

    class Meta:
        verbose_name = _("patient concerned")
        verbose_name_plural = _("patients concerned")
        ordering = ["pk"]
        default_permissions = ()
        permissions = [
            ("export_patient", "Can take out everything kept about a patient"),
            ("erase_patient", "Can erase a patient"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["row", "person"], name="auditedperson_once"),
            AppendOnly(name="auditedperson_append_only"),
        ]

    def __str__(self) -> str:
        return str(self.person)
