"""A practitioner's calendar feed is made, made anew under another address, and revoked."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q

from booking import links
from booking.models import CalendarFeed, Resource
from clinic import audit, transactions
from clinic.models import Act

NOTED_EVERY: Final = timedelta(hours=1)


def make_feed(*, practitioner: Resource, by: User, now: datetime) -> str:
    """The token of the new address, which is kept nowhere; an address that was made before opens nothing any more.

    :raises Busy: if a lock was not to be had in time.
    """
    token = links.new_feed_token()
    made = {"user": by, "token_hash": links.feed_hash(token), "made_at": now, "read_at": None}
    with transactions.change():
        _feed, is_new = CalendarFeed.objects.update_or_create(practitioner=practitioner, defaults=made)
        kind = "calendar feed made" if is_new else "calendar feed made anew"
        audit.record(by=by, act=Act.CHANGE, kind=kind, subject=practitioner.pk, now=now)
    return token


def revoke_feed(*, practitioner: Resource, by: User, now: datetime) -> bool:
    """Whether there was one; from now on its address opens nothing.

    :raises Busy: if a lock was not to be had in time.
    """
    with transactions.change():
        gone, _each = CalendarFeed.objects.filter(practitioner=practitioner).delete()
        if gone:
            kind = "calendar feed revoked"
            audit.record(by=by, act=Act.CHANGE, kind=kind, subject=practitioner.pk, now=now)
    return bool(gone)


def note_read(*, feed: CalendarFeed, now: datetime) -> None:
    """Programs read every few minutes; that one did is written down at most once an hour."""
    before = now - NOTED_EVERY
    if feed.read_at is None or feed.read_at <= before:
        last = Q(read_at=None) | Q(read_at__lte=before)
        CalendarFeed.objects.filter(last, pk=feed.pk).update(read_at=now)
