"""The only way a message leaves the clinic: written as a row with the change it reports, sent by the worker."""

import logging
import smtplib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.core.validators import validate_email
from django.template.loader import render_to_string

from clinic.models import QueuedMail

LEASE = timedelta(
    minutes=2
)  # longer than one delivery can take: connect, each command and QUIT time out at 10 s
RETRY_AFTER = [timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240)]
HELD_BACK = timedelta(hours=4)  # between further attempts, once the list above is used up
GIVE_UP_AFTER = timedelta(days=3)

logger = logging.getLogger(__name__)


def send(
    *,
    kind: str,
    to: str,
    subject: str,
    template: str,
    context: dict[str, Any],
    now: datetime,
    about: str = "",
    calendar: str = "",
    calendar_method: str = "",
    send_at: datetime | None = None,
) -> QueuedMail:
    """Writes one message to one person into the queue, in the caller's transaction.

    `template` names a pair under `booking/mail/` or its like: `<template>.txt` and `<template>.html`.

    :raises ValidationError: if `to` is not exactly one address.
    """
    validate_email(to)
    known = {"clinic": settings.CLINIC, "subject": subject, "site_url": settings.SITE_URL}
    return QueuedMail.objects.create(
        kind=kind,
        about=about,
        to=to,
        subject=" ".join(subject.split()),
        text=render_to_string(f"{template}.txt", known | context).strip() + "\n",
        html=render_to_string(f"{template}.html", known | context),
        calendar=calendar,
        calendar_method=calendar_method,
        message_id=f"<{uuid4().hex}@{settings.CLINIC.mail_domain}>",
        created_at=now,
        send_at=send_at or now,
    )


def deliver_due(*, now: datetime, limit: int = 50) -> int:
    """Sends what is due, one message at a time, and returns how many left.

    Each message is leased by one atomic UPDATE before it is sent and marked after it: a worker that dies in
    between leaves a lease that runs out, and the message goes again under the same Message-ID.
    """
    sent = 0
    for pk in list(
        QueuedMail.objects.due(now).order_by("send_at", "pk").values_list("pk", flat=True)[:limit]
    ):
        if QueuedMail.objects.due(now).filter(pk=pk).update(leased_until=now + LEASE):
            sent += _deliver(QueuedMail.objects.get(pk=pk), now)
    return sent


def _deliver(mail: QueuedMail, now: datetime) -> bool:
    try:
        message(mail).send()
    except (OSError, smtplib.SMTPException) as error:
        _postpone(mail, error, now)
        return False
    QueuedMail.objects.filter(pk=mail.pk).update(
        sent_at=now, leased_until=None, attempts=mail.attempts + 1, last_error=""
    )
    logger.info("mail %s for %s sent", mail.kind, mail.about or "the clinic")
    return True


def _postpone(mail: QueuedMail, error: Exception, now: datetime) -> None:
    """Tries again later after a passing fault (4xx, no answer); parks the message after a lasting one (5xx)."""
    code = _smtp_code(error)
    lasting = 500 <= code < 600 or now - mail.created_at >= GIVE_UP_AFTER  # noqa: PLR2004 (RFC 5321 §4.2.1)
    wait = RETRY_AFTER[mail.attempts] if mail.attempts < len(RETRY_AFTER) else HELD_BACK
    QueuedMail.objects.filter(pk=mail.pk).update(
        attempts=mail.attempts + 1,
        leased_until=None,
        send_at=mail.send_at if lasting else now + wait,
        parked_at=now if lasting else None,
        last_error=f"{type(error).__name__} {code or ''}".strip(),  # never the text: servers quote addresses
    )
    logger.warning("mail %s for %s not sent: %s %s", mail.kind, mail.about, type(error).__name__, code or "")


def _smtp_code(error: Exception) -> int:
    """The SMTP reply code behind `error`, 0 when there was no reply."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max((code for code, _ in error.recipients.values()), default=0)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0


def message(mail: QueuedMail) -> EmailMultiAlternatives:
    """The message as it goes out: text, HTML and, where there is one, the calendar file (RFC 6047)."""
    built = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.to],
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
        connection=get_connection(),
    )
    built.attach_alternative(mail.html, "text/html")
    if mail.calendar:
        # As a file every client can read it; those that know invitations see one, by the method.
        built.attach("visit.ics", mail.calendar, f"text/calendar; method={mail.calendar_method}")
    return built


class FolderBackend(BaseEmailBackend):
    """Puts each message into `EMAIL_FILE_PATH` as an .eml file that any mail program opens (development)."""

    def send_messages(self, email_messages: list[EmailMessage]) -> int:  # type: ignore[override]
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for email in email_messages:
            message_id = str(email.extra_headers["Message-ID"])
            path = folder / f"{message_id.strip('<>').split('@')[0]}.eml"
            path.write_bytes(email.message().as_bytes())
            logger.info("mail “%s” is in %s", email.subject, path)
        return len(email_messages)
