"""How often something may be done in a while, by whom it is counted, and what whoever does it more often sees.

Windows are fixed: each begins on a multiple of its length, so that nobody is kept out for longer than one of them,
however often they try, and at worst twice the number passes around the moment when one ends. The counts stand in
the database, which all workers share; nothing in them can be turned back into an address or a name.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final

from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac

from clinic.models import Tally
from clinic.transactions import Busy, is_busy


@dataclass(frozen=True, slots=True)
class Limit:
    """How often one `act` may be done in each window of `per`; None counts nothing.

    A name is whatever the act is about: an e-mail address or phone number (hashed already), or an account.
    """

    act: str
    per: timedelta
    from_one_address: int
    for_one_name: int | None = None
    by_everyone: int | None = None


# One address may be a family, a community centre or a phone company's shared gateway, so it is allowed what a
# dozen people do at once; nobody does by hand what lies above. One patient's whole way is two gates, three to six
# holds and one send.
GATE: Final = Limit("gate", timedelta(minutes=10), from_one_address=60)
# A hold lasts ten minutes, so this is also how many times one address, or all together, can keep from others.
HOLD: Final = Limit("hold", timedelta(minutes=10), from_one_address=40, by_everyone=400)
# Two requests may wait per contact; eight leaves room for changes of mind. A full clinic gets some 40 a day.
SEND: Final = Limit("send", timedelta(hours=1), from_one_address=20, for_one_name=8, by_everyone=200)
# Whoever is told that times are free already asks again with other wishes, which sends nothing.
JOIN: Final = Limit("join", timedelta(hours=1), from_one_address=40, for_one_name=16, by_everyone=200)
# Moving, cancelling, taking or refusing an offered time, waiting for an earlier one; a move takes and frees time, so
# it is bounded as holds are.
CHANGE: Final = Limit("change", timedelta(minutes=10), from_one_address=40)
# Each may bring about a mail to somebody, and each is a guess at a reference.
LOST_LINK: Final = Limit(
    "lost link", timedelta(hours=1), from_one_address=20, for_one_name=5, by_everyone=200
)
# Each is one more mail to the desk, and a person reads it.
REMARK: Final = Limit("remark", timedelta(hours=1), from_one_address=10, by_everyone=60)
# A desk of ten signs in behind one address, mistyping now and then.
SIGN_IN: Final = Limit("sign in", timedelta(minutes=15), from_one_address=30, for_one_name=50)
# Of a million codes from an app three are right at a time; django-otp doubles the wait after each wrong one besides.
SECOND_STEP: Final = Limit("second step", timedelta(minutes=15), from_one_address=30, for_one_name=10)

# Where a member of staff has signed in lately, strangers trying the same account elsewhere do not keep them out.
REMEMBER_PLACE_FOR: Final = timedelta(days=30)


class OverLimit(Exception):
    """Somebody did this too often; `ends_at` is when it may be done again."""

    def __init__(self, ends_at: datetime) -> None:
        super().__init__("too often")
        self.ends_at = ends_at


def count(limit: Limit, request: HttpRequest, *, now: datetime, names: Sequence[str] = ()) -> None:
    """Counts one more act of this client, for each of `names` and for everyone, in one atomic statement.

    :raises OverLimit: if it is one too many by any of them.
    :raises Busy: if the database did not get round to it.
    """
    starts_at = _window_start(limit.per, now)
    ends_at = starts_at + limit.per
    counted = [("address", client_address(request), limit.from_one_address)]
    if limit.for_one_name is not None:
        counted += [("name", name, limit.for_one_name) for name in names]
    if limit.by_everyone is not None:
        counted.append(("everyone", "", limit.by_everyone))
    most = {_key(limit.act, by, value, starts_at.isoformat()): most for by, value, most in counted}
    uses = _add_one(sorted(most), ends_at)  # in one order, so that two requests cannot wait for each other
    if any(uses[key] > allowed * settings.LIMITS_TIMES for key, allowed in most.items()):
        raise OverLimit(ends_at)


def count_sign_in(request: HttpRequest, account: str, *, now: datetime) -> None:
    """Counts one more try to sign in to this account, before its password is looked at.

    Where its owner has signed in lately, only the tries from that place count.

    :raises OverLimit: if it is one too many.
    """
    is_known = Tally.objects.filter(key=_place(request, account), ends_at__gt=now).exists()
    count(SIGN_IN, request, now=now, names=[] if is_known else [_same_account(account)])


def remember_place(request: HttpRequest, account: str, *, now: datetime) -> None:
    """Notes that the owner of this account has signed in from here."""
    Tally.objects.update_or_create(
        key=_place(request, account), defaults={"uses": 0, "ends_at": now + REMEMBER_PLACE_FOR}
    )


def erase_ended(*, now: datetime) -> int:
    """Erases the counts whose window is over, and says how many."""
    return Tally.objects.filter(ends_at__lte=now).delete()[0]


def client_address(request: HttpRequest) -> str:
    """Whom a request comes from: one IPv4 address, or the /64 network that IPv6 gives to one household.

    Only with `TRUSTED_PROXY` is X-Forwarded-For read, and of it only the last entry: our own proxy wrote that one,
    anything before it was written by the client.
    """
    written: str = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXY:
        written = request.META.get("HTTP_X_FORWARDED_FOR", written).rpartition(",")[2].strip()
    try:
        address = ip_address(written)
    except ValueError:
        return "unknown"
    if address.version == 4:  # noqa: PLR2004 (the IP version)
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))


def _window_start(per: timedelta, now: datetime) -> datetime:
    length = int(per.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // length * length, tz=UTC)


def _key(*parts: str) -> str:
    value = "\0".join(parts).encode("utf-8", "surrogatepass")
    return salted_hmac("clinic.limits", value, algorithm="sha256").hexdigest()


def _place(request: HttpRequest, account: str) -> str:
    return _key("signed in", _same_account(account), client_address(request))


def _same_account(account: str) -> str:
    """As the sign-in form reads it, so that other spellings of one name are not other names."""
    return unicodedata.normalize("NFKC", account).strip()


def _add_one(keys: Sequence[str], ends_at: datetime) -> dict[str, int]:
    """Adds one to the row of each key, making it where there is none, and returns what they then are."""
    rows = ", ".join(["(%s, 1, %s)"] * len(keys))
    ends = connection.ops.adapt_datetimefield_value(ends_at)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO clinic_tally (key, uses, ends_at) VALUES {rows}"  # noqa: S608 (only placeholders)
                " ON CONFLICT (key) DO UPDATE SET uses = clinic_tally.uses + 1 RETURNING key, uses",
                [value for key in keys for value in (key, ends)],
            )
            return dict(cursor.fetchall())
    except OperationalError as error:
        if is_busy(error):
            raise Busy from error
        raise


class LimitsMiddleware:
    """Answers `OverLimit` with 429 and Retry-After: what was typed stands in the page, ready to be sent again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OverLimit):
            return None
        wait = max(1, ceil((exception.ends_at - timezone.now()).total_seconds()))
        response = render(request, "429.html", {"minutes": ceil(wait / 60)}, status=429)
        response["Retry-After"] = str(wait)
        response["Cache-Control"] = "no-store, private"
        response["X-Robots-Tag"] = "noindex"
        return response
