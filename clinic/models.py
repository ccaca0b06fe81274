"""The mail queue's row: one message to one person, written with the change it reports."""

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class QueuedMailQuerySet(models.QuerySet["QueuedMail"]):
    def waiting(self) -> "QueuedMailQuerySet":
        return self.filter(sent_at=None, parked_at=None)

    def due(self, now: datetime) -> "QueuedMailQuerySet":
        """Waiting, its time has come, and no worker has it in hand."""
        return self.waiting().filter(
            models.Q(leased_until=None) | models.Q(leased_until__lte=now), send_at__lte=now
        )

    def parked(self) -> "QueuedMailQuerySet":
        """Given up after a permanent failure: a person has to look."""
        return self.exclude(parked_at=None)


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
    created_at = models.DateTimeField(_("written"))
    send_at = models.DateTimeField(_("send from"))
    leased_until = models.DateTimeField(_("in a worker's hands until"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    parked_at = models.DateTimeField(_("given up"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    objects = QueuedMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(
                fields=["send_at"],
                name="queuedmail_waiting",
                condition=models.Q(sent_at=None, parked_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Django's EmailField takes one address only; `to=["a@x, b@y"]` would be two on the wire.
        self.full_clean(exclude=["leased_until", "sent_at", "parked_at"])
        super().save(*args, **kwargs)
