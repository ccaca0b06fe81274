"""The only way a message leaves the clinic: written as a row with the change it reports, sent by the worker."""

import logging
import re
import smtplib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.core.validators import validate_email
from django.db.models import F, Func, Value
from django.template.loader import render_to_string

from clinic.models import FORGOTTEN, QueuedMail

LEASE = timedelta(
    minutes=2
)  # longer than one delivery can take: connect, each command and QUIT time out at 10 s
RETRY_AFTER = [timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240)]
HELD_BACK = timedelta(hours=4)  # between further attempts, once the list above is used up
GIVE_UP_AFTER = timedelta(days=3)

MOST_A_DAY: Final = 20  # messages to one address within 24 hours; what is more waits for a person to look
OVER_THE_LIMIT: Final = "held: too many to this address today"

# Only these two are about the message. A refused login, greeting or sender is about the connection: it passes.
REFUSALS: Final = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)

TEXTS: Final = ("text", "html", "calendar")  # what a message said
NOBODY: Final = "erased@clinic.invalid"  # to whom a message was whose reader is erased (RFC 2606)

_aside: ContextVar[list[QueuedMail] | None] = ContextVar("_aside", default=None)

logger = logging.getLogger(__name__)


def send(  # noqa: PLR0913 (the facts of one message, by keyword)
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
    key: str | None = None,
    secret: str = "",
) -> QueuedMail:
    """Writes one message to one person into the queue, in the caller's transaction.

    `template` names a pair under `booking/mail/` or its like: `<template>.txt` and `<template>.html`. `secret` is
    the link in it that is only its reader's; the row forgets it when the message has left. `calendar` is one calendar
    of the method named, then any that take what it replaces out of the reader's calendar.

    :raises ValidationError: if `to` is not exactly one address, or a message with this `key` was written before.
    """
    validate_email(to)
    known = {"clinic": settings.CLINIC, "subject": subject, "site_url": settings.SITE_URL}
    written = QueuedMail(
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
        key=key,
        secret=secret,
    )
    aside = _aside.get()
    if aside is None:
        written.save()
    else:
        aside.append(written)
    return written


@contextmanager
def laid_aside() -> Iterator[list[QueuedMail]]:
    """Messages written inside come into this list and go nowhere: how staff see what messages look like."""
    aside: list[QueuedMail] = []
    before = _aside.set(aside)
    try:
        yield aside
    finally:
        _aside.reset(before)


def was_written(key: str) -> bool:
    return QueuedMail.objects.filter(key=key).exists()


def withdraw(
    *, about: str, kinds: Collection[str], now: datetime, keys: Collection[str] | None = None
) -> int:
    """Takes back what no longer holds and has not left, and returns how many; what a worker has in hand leaves.

    With `keys`, only what was written under one of them.
    """
    mails = QueuedMail.objects.at_hand(now).filter(about=about, kind__in=kinds)
    if keys is not None:
        mails = mails.filter(key__in=keys)
    return mails.update(withdrawn_at=now, **_without_secrets())


def replace_secret(*, about: str, old: str, new: str) -> None:
    """What has not left carries its reader's new link instead of the old one, which opens nothing any more.

    What a worker has in hand may leave as it was; if that fails, its next attempt carries the new one.
    """
    text, html = (Func(F(name), F("secret"), Value(new), function="REPLACE") for name in ("text", "html"))
    waiting = QueuedMail.objects.filter(about=about, secret=old, sent_at=None, withdrawn_at=None)
    waiting.update(text=text, html=html, secret=new)


def erase_texts(
    *, written_before: datetime, now: datetime, about: Collection[str] | None = None
) -> list[str]:
    """Erases what messages said that will not leave any more, and returns what each was about.

    What was given up is taken back with that, so that nobody sends an empty message. With `about`, only messages
    about one of these.
    """
    old = QueuedMail.objects.filter(created_at__lt=written_before).exclude(text="")
    old = old.exclude(pk__in=QueuedMail.objects.waiting().values("pk"))
    if about is not None:
        old = old.filter(about__in=about)
    erased = dict(old.values_list("pk", "about"))
    messages = QueuedMail.objects.filter(pk__in=erased)
    messages.filter(sent_at=None, withdrawn_at=None).update(withdrawn_at=now)
    messages.update(secret="", **dict.fromkeys(TEXTS, ""))
    return list(erased.values())


def erase(*, about: Collection[str], now: datetime) -> None:
    """Messages about these say nothing and went to nobody any more; what has not left is taken back."""
    messages = QueuedMail.objects.filter(about__in=about)
    messages.filter(sent_at=None, withdrawn_at=None).update(withdrawn_at=now)
    messages.update(secret="", **dict.fromkeys(TEXTS, ""))
    messages.exclude(to=settings.CLINIC.email).update(to=NOBODY)


def resend(mail: QueuedMail, *, now: datetime) -> bool:
    """A new attempt, and three days of them, for what has not left; past the limit of one address if need be.

    False if there is nothing to do: it has left, was taken back, or a worker has it in hand.
    """
    again = {"parked_at": None, "attempts": 0, "send_at": now, "resent_at": now, "last_error": ""}
    return bool(QueuedMail.objects.at_hand(now).filter(pk=mail.pk).update(**again))


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
    """One attempt; whatever goes wrong with one message never stops the next."""
    if _is_over_the_limit(mail, now):
        _park(mail, OVER_THE_LIMIT, now)
        return False
    try:
        validate_email(mail.to)
        built = message(mail)
        built.message().as_bytes()  # what cannot be written fails here, before any server is asked
    except Exception as error:  # noqa: BLE001 (a poison message may raise anything)
        _park(mail, f"cannot be written: {type(error).__name__}", now)
        return False
    try:
        built.send()
    except Exception as error:  # noqa: BLE001 (whatever it is, the message waits and the next one goes)
        _postpone(mail, error, now)
        return False
    QueuedMail.objects.filter(pk=mail.pk).update(
        sent_at=now, leased_until=None, attempts=mail.attempts + 1, last_error="", **_without_secrets()
    )
    logger.info("mail %s for %s sent", mail.kind, mail.about or "the clinic")
    return True


def _is_over_the_limit(mail: QueuedMail, now: datetime) -> bool:
    """Whether somebody's address is being flooded; the desk's own and what staff send again are not counted."""
    if mail.resent_at or mail.to == settings.CLINIC.email:
        return False
    today = QueuedMail.objects.filter(to__iexact=mail.to, sent_at__gt=now - timedelta(days=1))
    return today.count() >= MOST_A_DAY


def _without_secrets() -> dict[str, Any]:
    """The columns of a row that forgets its reader's link; an address needs no escaping in HTML."""
    return {"secret": ""} | {
        name: Func(F(name), F("secret"), Value(FORGOTTEN), function="REPLACE") for name in ("text", "html")
    }


def _postpone(mail: QueuedMail, error: Exception, now: datetime) -> None:
    """Tries again later after a passing fault (4xx, no answer); parks what the server will never take (5xx)."""
    code = _smtp_code(error)
    reason = f"{type(error).__name__} {code or ''}".strip()  # never the text: servers quote addresses
    is_refused = isinstance(error, REFUSALS) and 500 <= code < 600  # noqa: PLR2004 (RFC 5321 §4.2.1)
    if is_refused or now - (mail.resent_at or mail.created_at) >= GIVE_UP_AFTER:
        _park(mail, reason, now)
        return
    wait = RETRY_AFTER[mail.attempts] if mail.attempts < len(RETRY_AFTER) else HELD_BACK
    QueuedMail.objects.filter(pk=mail.pk).update(
        attempts=mail.attempts + 1, leased_until=None, send_at=now + wait, last_error=reason
    )
    logger.warning("mail %s for %s not sent: %s", mail.kind, mail.about or "the clinic", reason)


def _park(mail: QueuedMail, reason: str, now: datetime) -> None:
    """No more attempts until a person has looked."""
    QueuedMail.objects.filter(pk=mail.pk).update(
        attempts=mail.attempts + 1, leased_until=None, parked_at=now, last_error=reason
    )
    logger.warning("mail %s for %s parked: %s", mail.kind, mail.about or "the clinic", reason)


def _smtp_code(error: Exception) -> int:
    """The SMTP reply code behind `error`, 0 when there was no reply."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max((code for code, _ in error.recipients.values()), default=0)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0


def message(mail: QueuedMail) -> EmailMultiAlternatives:
    """The message as it goes out: text, HTML and, where there are any, the calendar files (RFC 6047)."""
    built = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.to],
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
    )
    built.attach_alternative(mail.html, "text/html")
    if mail.calendar:
        # As files every client can read them; those that know invitations see one, by the method.
        own, *replaced = re.split(r"(?<=END:VCALENDAR\r\n)(?=BEGIN)", mail.calendar)
        built.attach("visit.ics", own, f"text/calendar; method={mail.calendar_method}")
        for calendar in replaced:
            built.attach("old-visit.ics", calendar, "text/calendar; method=CANCEL")
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
