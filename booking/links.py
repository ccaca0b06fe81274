"""The private link of an appointment, course or waitlist entry: what it is made of, how long it opens, how it ends."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from booking.models import Appointment, Course, WaitlistEntry

OPENS_FOR: Final = timedelta(days=90)  # after the visit; receipts and complaints come in that time


def address(appointment: Appointment) -> str:
    """The absolute address that mails carry: always the same, until another generation revokes it."""
    return f"{settings.SITE_URL}{reverse('booking:open', args=[token(appointment)])}"


def token(appointment: Appointment) -> str:
    """Reference, generation and an HMAC of 256 bits over both; no part of it is stored anywhere."""
    return _signer().sign(f"{appointment.reference}.{appointment.link_generation}")


def opened_by(token: str, *, now: datetime) -> Appointment | None:
    """The appointment that the token opens; None for every token that is forged, revoked or past its time.

    Each of them costs one HMAC and one query, so that how long a refusal takes tells nothing.
    """
    reference, generation = _signed_by(token)
    return Appointment.objects.filter(
        reference=reference, link_generation=generation, ends_at__gt=now - OPENS_FOR
    ).first()


def waitlist_address(entry: WaitlistEntry) -> str:
    """As `address`, for the page on which somebody sees what they are offered, and leaves the list."""
    return f"{settings.SITE_URL}{reverse('booking:open_waitlist', args=[waitlist_token(entry)])}"


def waitlist_token(entry: WaitlistEntry) -> str:
    """As `token`; references of the two kinds differ, so that neither opens the other."""
    return _signer().sign(f"{entry.reference}.{entry.link_generation}")


def entry_opened_by(token: str, *, now: datetime) -> WaitlistEntry | None:
    """As `opened_by`, for an entry that waits or has not been over for long."""
    reference, generation = _signed_by(token)
    return WaitlistEntry.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=now - OPENS_FOR),
        reference=reference,
        link_generation=generation,
    ).first()


def course_address(course: Course) -> str:
    """As `address`, for the page of a course with all its visits."""
    return f"{settings.SITE_URL}{reverse('booking:open_course', args=[course_token(course)])}"


def course_token(course: Course) -> str:
    """As `token`; references of all kinds differ, so that none opens another."""
    return _signer().sign(f"{course.reference}.{course.link_generation}")


def course_opened_by(token: str, *, now: datetime) -> Course | None:
    """As `opened_by`, for a course whose last visit, or whose offer, has not been over for long."""
    reference, generation = _signed_by(token)
    return Course.objects.filter(
        course_opens(now=now), reference=reference, link_generation=generation
    ).first()


def course_opens(*, now: datetime) -> Q:
    """Courses whose last visit, or whose offer, has not been over for too long."""
    recent = Appointment.objects.filter(course=OuterRef("pk"), ends_at__gt=now - OPENS_FOR)
    return Q(Exists(recent)) | Q(offer__expires_at__gt=now - OPENS_FOR)


def _signed_by(token: str) -> tuple[str, int]:
    """The reference and the generation that the token names; those of nothing, if it is forged."""
    try:
        reference, _, generation = _signer().unsign(token).partition(".")
    except BadSignature:
        return "", 0
    return reference, int(generation)


def _signer() -> Signer:
    return Signer(salt="booking.link", sep=".")
