"""A practitioner's or a room's day drawn as one strip: hands-on phases, rests, what is asked for, what is free."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from booking import times
from booking.admin.calendar_words import wall_hour
from booking.admin.schedule import Column, Entry, Kind, Schedule
from booking.models import Resource, Status
from booking.openings import Interval

OPEN, REST, BUSY, ASKED, OVER = "open", "rest", "busy", "asked", "over"
LAYERS: Final = (OPEN, OVER, REST, ASKED, BUSY)  # what comes later lies on top
EVERY: Final = 2  # hours from one number under the strip to the next


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle; `x` and `width` are percentages of the strip, as SVG takes them."""

    kind: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Strip:
    """`hours` are the numbers under it with their places; `now` is nothing before and after the hours drawn."""

    pieces: list[Piece]
    hours: list[tuple[str, int]]
    now: str


@dataclass(frozen=True, slots=True)
class Axis:
    """From the first to the last full hour that is drawn, in seconds since 1970."""

    begins: int
    ends: int
    hours: list[tuple[int, int]]

    @classmethod
    def of(cls, plan: Schedule, day: date) -> "Axis":
        """The same for all columns of the day, so that what is at the same time stands at the same place."""
        first, last = plan.wall_hours()
        begins, ends = (times.epoch(*wall_hour(day, hour)) for hour in (first, last))
        marked = range(first + 1, last, EVERY)
        return cls(begins, ends, [(times.epoch(*wall_hour(day, hour)), hour % 12 or 12) for hour in marked])

    def percent(self, at: int) -> float:
        within = min(max(at, self.begins), self.ends)
        return 100 * (within - self.begins) / (self.ends - self.begins)

    def place(self, at: int) -> str:
        return f"{self.percent(at):.2f}%"

    def piece(self, kind: str, interval: Interval) -> Piece:
        start, end = map(self.percent, interval)
        return Piece(kind, f"{start:.2f}%", f"{end - start:.2f}%")


def draw(column: Column, axis: Axis, *, now: datetime) -> Strip:
    """The phases of every visit, held and offered time in the column, over the hours that are open."""
    drawn = [(OPEN, interval) for interval in column.open]
    for entry in column.entries:
        drawn += _phases(entry, column.resource)
    drawn.sort(key=lambda one: LAYERS.index(one[0]))
    at = int(now.timestamp())
    return Strip(
        pieces=[axis.piece(kind, interval) for kind, interval in drawn],
        hours=[(axis.place(hour), name) for hour, name in axis.hours],
        now=axis.place(at) if axis.begins <= at < axis.ends else "",
    )


def _phases(entry: Entry, resource: Resource) -> Iterator[tuple[str, Interval]]:
    """Hands-on phases, and those in which only the patient or the room is kept."""
    if entry.has_passed:  # it keeps nobody any more, and has no phases
        yield OVER, (entry.starts_at, entry.ends_at)
        return
    is_sure = entry.kind == Kind.VISIT and entry.status != Status.PENDING
    for part in entry.shape.parts:
        interval = entry.starts_at + part.begins, entry.starts_at + part.ends
        if part.needs_practitioner:
            yield BUSY if is_sure else ASKED, interval
        elif part.needs(resource.kind) or interval[0] < entry.ends_at:
            yield REST, interval
