"""How the calendar reads: each thing that stands in it as one line of words, and the same as the script draws it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from booking import times, timetable
from booking.admin.schedule import Away, Column, Entry, Kind, Schedule
from booking.models import Resource, Status
from booking.openings import Interval

AWAY, FREE = "away", "free"
_WALL: Final = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a column, in words; `start` as it stands in addresses, for a time that can be booked."""

    kind: str
    when: str
    title: str = ""
    details: str = ""
    status: str = ""
    is_waiting: bool = False
    is_off: bool = False
    remark: str = ""
    page: str = ""
    move: str = ""
    reference: str = ""
    start: str = ""
    is_over: bool = False
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A column in words."""

    column: Column
    hours: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class DayOfBoards:
    on: date
    boards: list[Board]


class Words:
    """Writes one schedule; whatever is said of many lines is worked out once.

    `back` is the address that a visit's form leads back to; without `may_move` no line leads to that form.
    """

    def __init__(self, schedule: Schedule, *, now: datetime, may_move: bool = False, back: str = "") -> None:
        self.schedule = schedule
        self.now = int(now.timestamp())
        self.may_move = may_move
        self.back = back
        self.clocks: dict[int, str] = {}
        self.statuses = {status.value: str(status.label) for status in Status}
        self.page = reverse("admin:booking_appointment_change", args=[0])
        self.move = reverse("admin:booking_appointment_move", args=[0])

    def days(self) -> list[DayOfBoards]:
        return [
            DayOfBoards(day, [self.board(column) for column in self.schedule.columns[day]])
            for day in self.schedule.days
        ]

    def board(self, column: Column) -> Board:
        lines = [
            *((entry.starts_at, self.line(entry, column)) for entry in column.entries),
            *((away.starts_at, self.away(away)) for away in column.closures),
        ]
        if column.resource.kind == Resource.Kind.PRACTITIONER:
            lines += [(start, self._free(start, end)) for start, end in column.free(self.now)]
        hours = _(", ").join(map(self.span, column.hours)) or _("Does not work on this day")
        if column.resource.kind == Resource.Kind.ROOM:
            hours = ""
        return Board(column, hours, [line for _at, line in sorted(lines, key=lambda one: one[0])])

    def line(self, entry: Entry, column: Column) -> Line:
        is_over = entry.has_passed or entry.ends_at <= self.now
        pk = entry.appointment
        return Line(
            kind=entry.kind,
            when=self.span((entry.starts_at, entry.ends_at)),
            title=self.title(entry),
            details=self.details(entry, column.resource),
            status=self.statuses.get(entry.status, ""),
            is_waiting=entry.status == Status.PENDING,
            is_off=entry.has_passed,
            remark=self.remark(entry, column.resource),
            page=self.page.replace("/0/", f"/{pk}/") if pk else "",
            move=self.move.replace("/0/", f"/{pk}/") + f"?next={self.back}"
            if self.may_move and entry.can_be_moved
            else "",
            reference=entry.reference,
            is_over=is_over,
            is_now=not is_over and entry.starts_at <= self.now,
        )

    def title(self, entry: Entry) -> str:
        if entry.kind == Kind.HOLD:
            return _("Somebody is booking this time online")
        if entry.kind == Kind.OFFER:
            return _("Offered to %(name)s") % {"name": entry.patient}
        return entry.patient

    def details(self, entry: Entry, resource: Resource) -> str:
        """The visit type, and whichever of practitioner and room the column does not say."""
        other = entry.room if resource.kind == Resource.Kind.PRACTITIONER else entry.practitioner
        return _(", ").join(filter(None, [entry.visit_type, self.schedule.names.get(other or 0, "")]))

    def remark(self, entry: Entry, resource: Resource) -> str:
        """When the practitioner is free for others, or the room is turned over; until when a time is held."""
        said = []
        if entry.until:
            until = times.from_epoch(entry.until)
            said.append(
                _("kept until %(when)s")
                % {"when": timetable.label(until) if _same_day(until, self.now) else times.moment(until)}
            )
        _start, free_at = entry.span(resource)
        if free_at > entry.ends_at:
            said.append(_("free again at %(time)s") % {"time": self.clock(free_at)})
        if resource.kind == Resource.Kind.PRACTITIONER and (gaps := _gaps(entry, resource)):
            said.append(_("practitioner free %(times)s") % {"times": _(", ").join(map(self.span, gaps))})
        return _(", ").join(said)

    def span(self, interval: Interval) -> str:
        """10:00 am to 11:05 am."""
        start, end = interval
        return _("%(start)s to %(end)s") % {"start": self.clock(start), "end": self.clock(end)}

    def clock(self, at: int) -> str:
        if at not in self.clocks:
            self.clocks[at] = timetable.label(times.from_epoch(at))
        return self.clocks[at]

    def away(self, away: Away) -> Line:
        title = _("Clinic closed") if away.is_whole_clinic else _("Away")
        when = _("All day") if away.is_all_day else self.span((away.starts_at, away.ends_at))
        return Line(AWAY, when, title=title, details=away.reason)

    def _free(self, start: int, end: int) -> Line:
        return Line(
            FREE,
            self.span((start, end)),
            title=_("Free"),
            start=times.write_start(times.from_epoch(start)),
            is_now=start <= self.now,
        )

    # --- As the script draws it ---------------------------------------------------------------------------------

    def events(self) -> list[dict[str, Any]]:
        """Every box of the grid. Times are wall times without a zone, and a box is drawn as long as it lasts."""
        first_hour, last_hour = self.schedule.wall_hours()
        found: list[dict[str, Any]] = []
        for day in self.schedule.days:
            opens, closes = (times.epoch(*_hour(day, hour)) for hour in (first_hour, last_hour))
            for column in self.schedule.columns[day]:
                found += [_background(column, start, end) for start, end in column.closed(opens, closes)]
                for away in column.closures:
                    line = self.away(away)
                    found.append(
                        _background(column, away.starts_at, away.ends_at)
                        | {"title": line.title, "details": line.details, "kind": AWAY}
                    )
                found += [self.event(entry, column) for entry in column.entries]
        return found

    def event(self, entry: Entry, column: Column) -> dict[str, Any]:
        line = self.line(entry, column)
        start, end = entry.span(column.resource)
        return {
            "column": column.resource.slug,
            "kind": line.kind,
            "status": entry.status,
            "start": _wall(start),
            "end": _wall(start, longer_by=end - start),
            "at": self.clock(entry.starts_at),
            "when": line.when,
            "title": line.title,
            "details": line.details,
            "state": line.status,
            "remark": line.remark,
            "page": line.page,
            "pk": entry.appointment,
            "version": entry.version,
            "isOver": line.is_over,
            "canMove": bool(line.move),
            "canStretch": self.may_move and entry.can_stretch,
            "bands": [
                [(part.ends_at - part.starts_at) // 60, is_busy, part.name]
                for part, is_busy in entry.bands(column.resource)
            ],
        }


def _background(column: Column, start: int, end: int) -> dict[str, Any]:
    return {"column": column.resource.slug, "kind": "closed", "start": _wall(start), "end": _wall(end)}


def _wall(at: int, *, longer_by: int = 0) -> str:
    """The wall time, or what a clock without changes would show so many seconds later."""
    return (times.from_epoch(at).replace(tzinfo=None) + timedelta(seconds=longer_by)).strftime(_WALL)


def _hour(day: date, hour: int) -> tuple[date, time]:
    """The full hour as a day and a wall time; 24 is the next midnight."""
    return (day, time(hour)) if hour < 24 else (day + timedelta(days=1), time.min)  # noqa: PLR2004


def _gaps(entry: Entry, resource: Resource) -> list[Interval]:
    """While the patient is there and does not need the practitioner; neighbouring phases as one."""
    gaps: list[Interval] = []
    for part, is_busy in entry.bands(resource):
        if is_busy or part.starts_at >= entry.ends_at:
            continue
        if gaps and gaps[-1][1] == part.starts_at:
            gaps[-1] = (gaps[-1][0], part.ends_at)
        else:
            gaps.append((part.starts_at, part.ends_at))
    return gaps


def _same_day(at: datetime, now: int) -> bool:
    return at.date() == times.local_day(times.from_epoch(now))
