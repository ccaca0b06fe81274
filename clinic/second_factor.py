"""The second factor of staff: an app that shows codes, and recovery codes on paper for when the phone is lost."""

import re
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import segno
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.crypto import get_random_string, salted_hmac
from django_otp import login as note_device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

from clinic.transactions import change

RECOVERY_CODES: Final = 10
QUIET_ZONE: Final = 4  # modules around a QR code (ISO/IEC 18004)

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
_HALF: Final = 5  # letters; a recovery code is two halves, some 49 bits
_SHOWN: Final = "second_factor_shown"


class WrongCode(Exception):
    """Not what the app shows now, used before, or no recovery code of this person."""


class WaitFirst(Exception):
    """Wrong codes came before; the next is looked at only after `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many wrong codes")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class QrCode:
    """A square of `size` units; `path` fills its dark modules, as the `d` of an SVG path."""

    size: int
    path: str


def is_needed(user: Any) -> bool:
    """All staff need one; only a laptop's demo account does not."""
    return user.get_username() not in settings.WITHOUT_SECOND_FACTOR


def is_shown(request: HttpRequest) -> bool:
    """Whether whoever is signed in has shown what they need, with a device that is still theirs."""
    return not is_needed(request.user) or getattr(request.user, "otp_device", None) is not None


def was_taken_away(request: HttpRequest) -> bool:
    """Whether this session showed a second factor that has been reset or replaced since."""
    return request.user.is_authenticated and _SHOWN in request.session and not is_shown(request)


def has_one(user: User) -> bool:
    exists: bool = TOTPDevice.objects.filter(user=user, confirmed=True).exists()
    return exists


def with_it_told(accounts: "QuerySet[User]") -> "QuerySet[User]":
    """Each account with `has_second_factor`, in the same query."""
    apps = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    return accounts.annotate(has_second_factor=Exists(apps))


def new_key() -> str:
    """160 random bits as hexadecimal digits."""
    key: str = default_key()
    return key


def address_for_app(*, user: User, key: str) -> str:
    """The `otpauth:` address that authenticator apps read."""
    address: str = TOTPDevice(user=user, key=key).config_url
    return address


def key_in_groups(key: str) -> str:
    """As apps take it when it is typed: base 32, four letters to a group."""
    letters = b32encode(bytes.fromhex(key)).decode()
    return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def qr_code(text: str) -> QrCode:
    rows = [bytes(row) for row in segno.make_qr(text).matrix_iter(border=QUIET_ZONE)]
    path = []
    for y, row in enumerate(rows):
        x = 0
        for is_dark, run in groupby(row):
            width = len(list(run))
            if is_dark:
                path.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    return QrCode(len(rows), "".join(path))


def set_up(*, user: User, key: str, code: str, now: datetime) -> tuple[TOTPDevice, list[str]]:
    """Makes the app that holds `key` this person's second factor, in place of any before; with new recovery codes.

    :raises WrongCode: if `code` is not what such an app shows now.
    """
    totp = TOTP(bytes.fromhex(key))
    totp.time = now.timestamp()
    if not _is_from_app(code) or not totp.verify(int(code), tolerance=1):
        raise WrongCode
    with change():
        _take_away(user)
        device = TOTPDevice.objects.create(user=user, name="app", key=key, drift=totp.drift, last_t=totp.t())
        return device, _write_codes(user)


def replace_recovery_codes(*, user: User) -> list[str]:
    """New codes; those before no longer work."""
    with change():
        StaticToken.objects.filter(device__user=user).delete()  # the device stays: somebody may be in by it
        return _write_codes(user)


def recovery_codes_left(user: User) -> int:
    left: int = StaticToken.objects.filter(device__user=user).count()
    return left


def take_away(*, user: User) -> None:
    """Their sessions end with it, and the next sign-in sets up a new one."""
    with change():
        _take_away(user)


def check_code(*, user: User, code: str) -> TOTPDevice | StaticDevice:
    """What showed this code, from the app or from the paper; neither works twice.

    :raises WrongCode: if it is wrong.
    :raises WaitFirst: if wrong ones came just before.
    """
    written = re.sub(r"[\s-]", "", code).lower()
    kind, token = (TOTPDevice, written) if _is_from_app(written) else (StaticDevice, _hashed(written))
    with change():
        device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            raise WrongCode
        is_allowed, facts = device.verify_is_allowed()
        is_right = is_allowed and device.verify_token(token)
    if not is_allowed:
        raise WaitFirst(2 ** (facts["failure_count"] - 1))
    if not is_right:
        raise WrongCode
    return device


def note_shown(request: HttpRequest, device: TOTPDevice | StaticDevice) -> None:
    """From now on this session may do what its account may, under a new key."""
    note_device(request, device)
    request.session[_SHOWN] = True
    request.session.cycle_key()


def _is_from_app(code: str) -> bool:
    return re.fullmatch(r"[0-9]{6}", code) is not None


def _take_away(user: User) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()


def _write_codes(user: User) -> list[str]:
    """As they are written on paper; the table only gets what they cannot be read from."""
    codes = ["-".join(get_random_string(_HALF, _LETTERS) for _ in range(2)) for _ in range(RECOVERY_CODES)]
    device, _is_new = StaticDevice.objects.get_or_create(user=user, defaults={"name": "paper"})
    StaticToken.objects.bulk_create(
        StaticToken(device=device, token=_hashed(code.replace("-", ""))) for code in codes
    )
    return codes


def _hashed(code: str) -> str:
    """Sixteen hexadecimal digits, which is what django-otp's column holds."""
    value = code.encode("utf-8", "surrogatepass")
    return salted_hmac("clinic.second_factor", value, algorithm="sha256").hexdigest()[:16]
