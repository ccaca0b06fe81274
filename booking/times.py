"""How an instant becomes the clinic's wall time, in words and in addresses."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import formats
from django.utils.translation import gettext as _

ZONE = ZoneInfo(settings.TIME_ZONE)
NBSP = "\N{NO-BREAK SPACE}"
START_FORMAT = "%Y%m%dT%H%M%z"
NOON, EVENING = 12, 17  # hours at which the afternoon and the evening begin
SOONEST, LATEST = 2000, 2200  # years; further out, arithmetic on dates can overflow


def local(at: datetime) -> datetime:
    return at.astimezone(ZONE)


def local_day(at: datetime) -> date:
    return local(at).date()


def epoch(day: date, wall: time) -> int:
    """Seconds since 1970 of a wall time; one that the spring change skips counts as if the clock had run on."""
    return int(datetime.combine(day, wall, tzinfo=ZONE).timestamp())


def from_epoch(seconds: int) -> datetime:
    """The instant in the clinic's zone."""
    return datetime.fromtimestamp(seconds, tz=ZONE)


def midnight(day: date) -> datetime:
    """When the clinic's day begins, in its zone."""
    return from_epoch(epoch(day, time.min))


def sunday(day: date) -> date:
    """The Sunday on or before `day`: weeks begin on Sunday in Canada."""
    return day - timedelta(days=(day.weekday() + 1) % 7)


def midnight_after(at: datetime) -> datetime:
    """When the clinic's day that holds `at` ends, in UTC: differences of it are true across a clock change."""
    return datetime.combine(local_day(at) + timedelta(days=1), time.min, tzinfo=ZONE).astimezone(UTC)


def in_words(day: date) -> str:
    """Thursday 4 March 2027."""
    return f"{formats.date_format(day, 'l')} {day.day}{NBSP}{formats.date_format(day, 'F Y')}"


def clock(at: datetime) -> str:
    """10:30 am; the zone is named once beside a list of times."""
    wall = local(at)
    return f"{wall.hour % 12 or 12}:{wall:%M}{NBSP}{_('am') if wall.hour < 12 else _('pm')}"  # noqa: PLR2004 (noon)


def zone(at: datetime) -> str:
    """EST or EDT, so that both 1:30s of the autumn day differ."""
    return f"{local(at):%Z}"


def moment(at: datetime) -> str:
    """Thursday 4 March 2027, 10:30 am EST."""
    return f"{in_words(local_day(at))}, {clock(at)}{NBSP}{zone(at)}"


def parse_day(text: str) -> date:
    """A day written YYYY-MM-DD.

    :raises ValueError: if it is not one, or out of all proportion.
    """
    day = date.fromisoformat(text)
    if not SOONEST <= day.year <= LATEST:
        raise ValueError(text)
    return day


def write_start(at: datetime) -> str:
    """Wall time with offset, as it stands in addresses: 20270304T1030-0500."""
    return f"{local(at):{START_FORMAT}}"


def parse_start(text: str) -> datetime:
    """The instant behind such an address.

    :raises ValueError: if it is not one, or its offset is not the zone's at that time.
    """
    at = datetime.strptime(text, START_FORMAT)  # noqa: DTZ007 (the format has %z)
    if not SOONEST <= at.year <= LATEST or write_start(at) != text:
        raise ValueError(text)
    return local(at)


def days(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both included."""
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]
