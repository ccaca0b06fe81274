"""How a free time that staff pick stands in a form: its start, and who gives the visit."""

from collections.abc import Mapping
from datetime import datetime

from booking import times
from booking.models import Resource
from booking.operations import OfferedTime


def write_pick(at: datetime, practitioner: Resource) -> str:
    return f"{times.write_start(at)}/{practitioner.slug}"


def read_pick(value: str, practitioners: Mapping[str, Resource]) -> OfferedTime:
    """What `write_pick` wrote; `practitioners` by slug.

    :raises ValueError: if it names no time, or none of these practitioners.
    """
    start, _slash, slug = value.partition("/")
    if slug not in practitioners:
        raise ValueError(value)
    return OfferedTime(times.parse_start(start), practitioners[slug])
