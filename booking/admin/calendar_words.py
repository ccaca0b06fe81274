"""How the calendar reads: each thing that stands in it as one line of words, and the same as the script draws it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from booking import times, timetable
from booking.admin.calendar_lines import NOTHING, Escaped, Line, mark_up
from booking.admin.schedule import Away, Column, Entry, Kind, Schedule
from booking.models import Resource, Status
from booking.openings import Interval

_WALL: Final = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Board:
    """A column in words; `listed` is its lines marked up."""

    name: str
    hours: str
    lines: list[Line]
    listed: SafeString


@dataclass(frozen=True, slots=True)
class DayOfBoards:
    on: date
    boards: list[Board]


class Words:
    """Writes one schedule; whatever is said of many lines is worked out once.

    `back` is the address that a visit's form leads back to; without `may_move` no line leads to that form, and without
    `book`, the address of booking by phone, no free time there.
    """

    def __init__(
        self, schedule: Schedule, *, now: datetime, may_move: bool = False, back: str = "", book: str = ""
    ) -> None:
        self.schedule = schedule
        self.now = int(now.timestamp())
        self.today = times.local_day(now)
        self.may_move = may_move
        self.after = f"?next={back}"
        self.book = book
        self.statuses = {status.value: str(status.label) for status in Status}
        self.page = reverse("admin:booking_appointment_change", args=[0])
        self.move = reverse("admin:booking_appointment_move", args=[0])
        self.to = _("%(start)s to %(end)s")
        self.clocks: dict[int, str] = {}
        self.walls: dict[Interval, str] = {}
        self.spans: dict[Interval, str] = {}
        self.lines: dict[Any, Line] = {}
        self.escaped = Escaped()

    # --- In words ---------------------------------------------------------------------------------------------------

    def days(self, *, with_free: bool) -> list[DayOfBoards]:
        """Day by day; `with_free` also when practitioners could still be booked."""
        return [
            DayOfBoards(
                day, [self._board(column, with_free=with_free) for column in self.schedule.columns[day]]
            )
            for day in self.schedule.days
        ]

    def _board(self, column: Column, *, with_free: bool) -> Board:
        is_person = column.resource.kind == Resource.Kind.PRACTITIONER
        lines = [
            *(
                (entry.starts_at, self._line(entry, column.resource, with_idle=not with_free))
                for entry in column.entries
            ),
            *((away.starts_at, self.away(away)) for away in column.closures),
        ]
        if is_person and with_free:
            lines += [(start, self._free(start, end)) for start, end in column.free(self.now)]
        hours = ", ".join(map(self.span, column.hours)) or _("Does not work on this day")
        in_order = [line for _at, line in sorted(lines, key=lambda one: one[0])]
        return Board(
            name=column.resource.name,
            hours=hours if is_person else "",
            lines=in_order,
            listed=mark_up(
                in_order,
                who=column.resource.name,
                slug=column.resource.slug,
                book=self.book,
                escaped=self.escaped,
            ),
        )

    def _line(self, entry: Entry, resource: Resource, *, with_idle: bool) -> Line:
        return self._alike(entry, resource, with_idle=with_idle) | {
            "title": self.title(entry),
            "details": self.details(entry, resource),
            "page": self._page(entry),
            "move": self._move(entry),
        }

    def _alike(self, entry: Entry, resource: Resource, *, with_idle: bool) -> Line:
        """What lines of the same times, phases and status have in common."""
        alike = (
            entry.starts_at,
            entry.ends_at,
            id(entry.shape),
            entry.status,
            entry.until,
            resource.kind,
            with_idle,
        )
        if alike not in self.lines:
            is_over = entry.has_passed or entry.ends_at <= self.now
            is_now = not is_over and entry.starts_at <= self.now
            says_status = entry.status not in ("", Status.BOOKED)
            self.lines[alike] = NOTHING | {
                "when": self.span((entry.starts_at, entry.ends_at)),
                "css": "is-over" if is_over else "is-now" if is_now else "",
                "tag": self.statuses[entry.status] if says_status else "",
                "tag_css": _TAGS.get(entry.status, "rh-tag"),
                "remark": self.remark(entry, resource, with_idle=with_idle),
            }
        return self.lines[alike]

    def away(self, away: Away) -> Line:
        return NOTHING | {
            "when": _("All day") if away.is_all_day else self.span((away.starts_at, away.ends_at)),
            "title": _("Clinic closed") if away.is_whole_clinic else _("Away"),
            "details": away.reason,
            "css": "rh-cal-away is-over" if away.ends_at <= self.now else "rh-cal-away",
        }

    def _free(self, start: int, end: int) -> Line:
        return NOTHING | {
            "when": self.span((start, end)),
            "title": _("Free"),
            "css": "rh-cal-free",
            "start": times.write_start(times.from_epoch(start)),
        }

    def title(self, entry: Entry) -> str:
        if entry.kind == Kind.HOLD:
            return _("Somebody is booking this time online")
        if entry.kind == Kind.OFFER:
            return _("Offered to %(name)s") % {"name": entry.patient or _("a patient of somebody else")}
        return entry.patient

    def details(self, entry: Entry, resource: Resource) -> str:
        """The visit type, and whichever of practitioner and room the column does not say."""
        other = entry.room if resource.kind == Resource.Kind.PRACTITIONER else entry.practitioner
        return f"{entry.visit_type}, {self.schedule.names[other]}" if other else entry.visit_type

    def remark(self, entry: Entry, resource: Resource, *, with_idle: bool) -> str:
        """Until when a time is held and the room turned over; `with_idle` also when the practitioner is free."""
        said = []
        if entry.until:
            until = times.from_epoch(entry.until)
            when = timetable.label(until) if until.date() == self.today else times.moment(until)
            said.append(_("kept until %(when)s") % {"when": when})
        _start, free_at = entry.span(resource)
        if free_at > entry.ends_at:
            said.append(_("free again at %(time)s") % {"time": self.clock(free_at)})
        if with_idle and resource.kind == Resource.Kind.PRACTITIONER and (idle := entry.idle()):
            said.append(_("practitioner free %(times)s") % {"times": ", ".join(map(self.span, idle))})
        return ", ".join(said)

    def span(self, interval: Interval) -> str:
        """10:00 am to 11:05 am."""
        if interval not in self.spans:
            start, end = interval
            self.spans[interval] = self.to % {"start": self.clock(start), "end": self.clock(end)}
        return self.spans[interval]

    def clock(self, at: int) -> str:
        if at not in self.clocks:
            self.clocks[at] = timetable.label(times.from_epoch(at))
        return self.clocks[at]

    def _page(self, entry: Entry) -> str:
        return self.page.replace("/0/", f"/{entry.appointment}/") if entry.appointment else ""

    def _move(self, entry: Entry) -> str:
        if not (self.may_move and entry.can_be_moved):
            return ""
        return self.move.replace("/0/", f"/{entry.appointment}/") + self.after

    # --- As the script draws it ---------------------------------------------------------------------------------

    def events(self, first_hour: int, last_hour: int) -> list[dict[str, Any]]:
        """Every box of the grid that is drawn from one full hour to another.

        Times are wall times without a zone, and a box is drawn as long as it lasts.
        """
        found: list[dict[str, Any]] = []
        for day in self.schedule.days:
            opens, closes = (times.epoch(*wall_hour(day, hour)) for hour in (first_hour, last_hour))
            for column in self.schedule.columns[day]:
                found += [
                    self._shaded(column, start, end) | {"kind": "closed"}
                    for start, end in column.closed(opens, closes)
                ]
                for away in column.closures:
                    line = self.away(away)
                    says = ": ".join(filter(None, [line["title"], line["details"]]))
                    shaded = self._shaded(column, away.starts_at, away.ends_at)
                    found.append(shaded | {"kind": "away", "title": says})
                found += [self._event(entry, column.resource) for entry in column.entries]
        return found

    def _event(self, entry: Entry, resource: Resource) -> dict[str, Any]:
        start, end = entry.span(resource)
        line = self._alike(entry, resource, with_idle=True)
        return {
            "column": resource.slug,
            "kind": entry.kind,
            "status": entry.status,
            "start": self._wall(start),
            "end": self._wall(start, longer_by=end - start),
            "at": self.clock(entry.starts_at),
            "when": line["when"],
            "title": self.title(entry),
            "details": self.details(entry, resource),
            "state": self.statuses.get(entry.status, ""),
            "remark": line["remark"],
            "page": self._page(entry),
            "pk": entry.appointment,
            "version": entry.version,
            "isOver": entry.has_passed or entry.ends_at <= self.now,
            "canMove": self.may_move and entry.kind == Kind.VISIT and entry.can_be_moved,
            "canStretch": self.may_move and entry.can_stretch and not entry.has_passed,
            "bands": [
                [(part.ends - part.begins) // 60, part.needs(resource.kind), part.name]
                for part in entry.shape.parts
                if part.begins < end - start
            ],
        }

    def _shaded(self, column: Column, start: int, end: int) -> dict[str, Any]:
        return {"column": column.resource.slug, "start": self._wall(start), "end": self._wall(end)}

    def _wall(self, at: int, *, longer_by: int = 0) -> str:
        """The wall time; or what a clock that is never changed would show so many seconds later."""
        if (at, longer_by) not in self.walls:
            wall = times.from_epoch(at).replace(tzinfo=None) + timedelta(seconds=longer_by)
            self.walls[at, longer_by] = f"{wall:{_WALL}}"
        return self.walls[at, longer_by]


_TAGS: Final = {
    Status.PENDING.value: "rh-tag rh-tag--wait",
    Status.FULFILLED.value: "rh-tag rh-tag--off",
    Status.NOSHOW.value: "rh-tag rh-tag--off",
}


def wall_hour(day: date, hour: int) -> tuple[date, time]:
    """The full hour as a day and a wall time; 24 is the next midnight."""
    return (day, time(hour)) if hour < 24 else (day + timedelta(days=1), time.min)  # noqa: PLR2004
