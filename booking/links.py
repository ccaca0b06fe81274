"""The private link of an appointment: what it is made of, how long it opens, and how it is revoked."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from booking.models import Appointment

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
    try:
        signed = _signer().unsign(token)
    except BadSignature:
        signed = ".0"  # of no appointment
    reference, _, generation = signed.partition(".")
    return Appointment.objects.filter(
        reference=reference, link_generation=int(generation), ends_at__gt=now - OPENS_FOR
    ).first()


def _signer() -> Signer:
    return Signer(salt="booking.link", sep=".")
