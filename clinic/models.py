"""The rows that no app owns: the mail queue, and how often something was done lately."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

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
