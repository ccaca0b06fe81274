"""The private link of an appointment, course, waitlist entry or calendar feed: what it is made of, how it ends."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.crypto import salted_hmac

from booking.models import Appointment, CalendarFeed, Course, WaitlistEntry

OPENS_FOR: Final = timedelta(days=90)  # after the visit; receipts and complaints come in that time
SEES_VISITS: Final = (
    "booking.view_appointment"  # what a practitioner's account needs, at the desk and for a feed
)


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


def feed_address(token: str) -> str:
    """The absolute address at which a calendar program reads a practitioner's visits."""
    return f"{settings.SITE_URL}{reverse('booking:feed', args=[token])}"


def new_feed_token() -> str:
    """256 random bits. No mail has to carry it again, so it is shown once and only its hash is kept."""
    return secrets.token_urlsafe(32)


def feed_hash(token: str) -> str:
    value = token.encode("utf-8", "surrogatepass")
    return salted_hmac("booking.feed", value, algorithm="sha256").hexdigest()


def feed_opened_by(token: str) -> CalendarFeed | None:
    """The feed that the token opens, as long as the account that made it is that practitioner's and sees visits.

    Every other token costs one hash and one query, so that how long a refusal takes tells nothing.
    """
    return (
        CalendarFeed.objects.select_related("practitioner")
        .filter(
            token_hash=feed_hash(token),
            user=F("practitioner__user"),
            user__is_staff=True,
            user__in=User.objects.with_perm(SEES_VISITS),
        )
        .first()
    )


def _signed_by(token: str) -> tuple[str, int]:
    """The reference and the generation that the token names; those of nothing, if it is forged."""
    try:
        reference, _, generation = _signer().unsign(token).partition(".")
    except BadSignature:
        return "", 0
    return reference, int(generation)


def _signer() -> Signer:
    return Signer(salt="booking.link", sep=".")
