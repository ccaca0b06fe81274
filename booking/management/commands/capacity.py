"""Tells the owner how many visits fit in a day with one, two, three … rooms, as a table and as a chart."""

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import cycle, islice
from pathlib import Path
from textwrap import wrap
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from booking import times
from booking.capacity import Packing, Way, pack_day, phases_in
from booking.models import Closure, ExtraHours, Resource, VisitType, WorkingHours
from booking.openings import Calendar, Interval
from booking.queries import phases_of

WAYS = {
    Way.BLOCKED: gettext_lazy("blocked throughout"),
    Way.FIXED: gettext_lazy("phases"),
    Way.STRETCHING: gettext_lazy("phases that stretch"),
}
"""How the practitioner's time counts, as the owner reads it."""

# The chart's measures, in pixels; the template holds those that do not depend on what is drawn.
FIRST_LINE, LINE_STEP = 92, 23
GROUP_GAP, GROUP_STEP, BELOW_HEADING = 52, 142, 18
BAR_START, BAR_STEP, SHORTEST_BAR, LONGEST_BAR = 240, 26, 9, 430
BASELINE = 15
LINE_LENGTH = 96  # characters

Row = Mapping[Way, Packing]


@dataclass(frozen=True, slots=True)
class _Day:
    """The hours of one day: of each practitioner who gives the visit, and of the clinic as a whole."""

    on: date
    practitioners: Sequence[Calendar]
    clinic: Calendar
    window: Interval


class Command(BaseCommand):
    help = (
        "Prints how many visits of one type fit in a day for each number of rooms, and draws it as a chart: "
        "with the practitioner blocked from the first phase to the last, with phases, and with phases that "
        "stretch. Appointments and the most visits a practitioner takes a day are not counted; extra hours and "
        "closures only on a day named by its date."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--visit-type", metavar="SLUG", help="default: the shortest that can be booked")
        parser.add_argument(
            "--start-every",
            type=int,
            choices=range(5, 61, 5),
            metavar="MINUTES",
            help="default: the visit type's own; 5 also counts the starts that touch another visit",
        )
        parser.add_argument(
            "--practitioners",
            type=_one_or_more,
            metavar="N",
            help="default: those who work that day; more than these keep the same hours in turn",
        )
        parser.add_argument(
            "--rooms", type=_one_or_more, metavar="N", help="the most rooms; default: those in use"
        )
        parser.add_argument(
            "--day", type=_day, help="YYYY-MM-DD or a weekday; default: the next day that has hours"
        )
        parser.add_argument("--svg", type=Path, metavar="PATH", help="default: capacity.svg with the data")

    def handle(
        self,
        *args: Any,
        visit_type: str | None,
        start_every: int | None,
        practitioners: int | None,
        rooms: int | None,
        day: date | WorkingHours.Weekday | None,
        svg: Path | None,
        **options: Any,
    ) -> None:
        given = _visit_type(visit_type)
        packed_day = _find_day(given, day, practitioners)
        rooms_in_use = Resource.objects.active().rooms().count()
        if not (rooms or rooms_in_use):
            raise CommandError(_("There are no rooms. Add them at the desk, or say --rooms."))
        every_minutes = start_every or given.start_every
        about = _about(given, packed_day, every_minutes)
        for line in about:
            self.stdout.write(line)
        rows = self._pack(given, packed_day, rooms or rooms_in_use, every_minutes)
        if not rows[-1][Way.STRETCHING].visits:
            raise CommandError(_("Not one visit fits in these hours."))

        notes = _notes(rows)
        for line in notes:
            self.stdout.write(line)
        path = svg or settings.DATA_DIR / "capacity.svg"
        try:
            path.write_text(_chart(about, rows, notes, rooms_in_use), encoding="utf-8")
        except OSError as error:
            raise CommandError(
                _("The chart could not be written to %(path)s: %(why)s")
                % {"path": path, "why": error.strerror}
            ) from error
        self.stdout.write(_("Chart written to %(path)s") % {"path": path})

    def _pack(self, visit_type: VisitType, day: _Day, rooms: int, every_minutes: int) -> list[Row]:
        """Prints each number as soon as it is found: one can take some seconds."""
        headings = [_("rooms"), *map(str, WAYS.values()), _("minutes alone allow")]
        self.stdout.write("\n" + "   ".join(headings))
        widths = [len(heading) for heading in headings]
        who = dict(enumerate(day.practitioners))
        phases = phases_of(visit_type)
        rows: list[Row] = []
        for count in range(1, rooms + 1):
            cells = iter(widths)
            self._print_cell(str(count), next(cells))
            row: dict[Way, Packing] = {}
            for way in Way:
                simpler = [*row.values(), *(fewer_rooms[way] for fewer_rooms in rows[-1:])]
                try:
                    row[way] = pack_day(
                        phases=phases_in(way, phases),
                        practitioners=who,
                        rooms={len(who) + number: day.clinic for number in range(count)},
                        window=day.window,
                        every_minutes=every_minutes,
                        known=max((packing.visits for packing in simpler), key=len, default=()),
                    )
                except ValueError as error:
                    raise CommandError(_("The phases cannot be packed: %(why)s") % {"why": error}) from error
                self._print_cell(_visits(row[way]), next(cells) + 3)
            self._print_cell(str(row[Way.STRETCHING].at_most_by_minutes), next(cells) + 3)
            self.stdout.write("")
            rows.append(row)
        return rows

    def _print_cell(self, text: str, width: int) -> None:
        self.stdout.write(text.rjust(width), ending="")
        self.stdout.flush()


def _one_or_more(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(_("Give a whole number from 1 on."))
    return int(text)


def _day(text: str) -> date | WorkingHours.Weekday:
    if text.upper() in WorkingHours.Weekday.names:
        return WorkingHours.Weekday[text.upper()]
    try:
        return times.parse_day(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            _("Give a date as YYYY-MM-DD, or a weekday such as monday.")
        ) from error


def _visit_type(slug: str | None) -> VisitType:
    if slug:
        found = VisitType.objects.filter(slug=slug).first()
        if found is None:
            known = ", ".join(VisitType.objects.values_list("slug", flat=True))
            raise CommandError(
                _("There is no visit type “%(slug)s”. There are: %(known)s") % {"slug": slug, "known": known}
            )
        if not found.phases.exists():
            raise CommandError(_("%(visit)s has no phases. Add them at the desk.") % {"visit": found})
        return found
    shortest = min(
        VisitType.objects.bookable(),
        key=lambda visit_type: sum(phase.minutes for phase in visit_type.phases.all()),
        default=None,
    )
    if shortest is None:
        raise CommandError(_("There is no visit type with phases that can be booked. Add one at the desk."))
    return shortest


def _find_day(
    visit_type: VisitType, day: date | WorkingHours.Weekday | None, practitioners: int | None
) -> _Day:
    """The day asked for, or the next that has hours; with so many practitioners, or those who work."""
    today = times.local_day(timezone.now())
    if isinstance(day, date):
        days = [day]
    else:
        days = times.days(today, today + timedelta(days=6))
        if day is not None:
            days = [on for on in days if on.weekday() == day]
    for on in days:
        found = _hours_on(on, visit_type, ordinary=on != day)
        if found.practitioners:
            people = islice(cycle(found.practitioners), practitioners or len(found.practitioners))
            return _Day(found.on, list(people), found.clinic, found.window)
    if len(days) == 1:
        raise CommandError(
            _("Nobody who gives %(visit)s has hours on %(day)s.")
            % {"visit": visit_type, "day": times.in_words(days[0])}
        )
    raise CommandError(
        _("Nobody who gives %(visit)s has hours in the next seven days.") % {"visit": visit_type}
    )


def _hours_on(on: date, visit_type: VisitType, *, ordinary: bool) -> _Day:
    """Rooms serve whenever any practitioner works, as they do online.

    An ordinary day has neither extra hours nor closures.
    """
    window = times.epoch(on, time.min), times.epoch(on + timedelta(days=1), time.min)
    closed: dict[int | None, list[Interval]] = defaultdict(list)
    if not ordinary:
        for closure in Closure.objects.in_force().filter(
            starts_at__lt=times.from_epoch(window[1]), ends_at__gt=times.from_epoch(window[0])
        ):
            interval = int(closure.starts_at.timestamp()), int(closure.ends_at.timestamp())
            closed[closure.resource_id].append(interval)

    weekly = (
        WorkingHours.objects.filter(weekday=on.weekday())
        .exclude(valid_from__gt=on)
        .exclude(valid_until__lt=on)
    )
    extra = ExtraHours.objects.none() if ordinary else ExtraHours.objects.filter(day=on)
    open_by: dict[int, list[Interval]] = defaultdict(list)
    rows: list[WorkingHours | ExtraHours] = [*weekly, *extra]
    for hours in rows:
        interval = times.epoch(on, hours.opens), times.epoch(on, hours.closes)
        open_by[hours.practitioner_id].append(interval)
    working = Resource.objects.active().filter(pk__in=open_by).values_list("pk", flat=True)
    gives = set(visit_type.practitioners.values_list("pk", flat=True))
    return _Day(
        on=on,
        practitioners=[
            Calendar(open_by[id_], closed=closed[None] + closed[id_]) for id_ in working if id_ in gives
        ],
        clinic=Calendar([interval for id_ in working for interval in open_by[id_]], closed=closed[None]),
        window=window,
    )


def _about(visit_type: VisitType, day: _Day, every_minutes: int) -> list[str]:
    """Two lines: what is packed, and into what."""
    parts = [
        _("%(name)s %(shortest)d to %(longest)d min")
        % {"name": phase.name, "shortest": phase.minutes, "longest": phase.minutes + phase.may_stretch_by}
        if phase.may_stretch_by
        else _("%(name)s %(minutes)d min") % {"name": phase.name, "minutes": phase.minutes}
        for phase in visit_type.phases.all()
    ]
    first = times.from_epoch(min(starts_at for starts_at, _end in day.clinic.open))
    last = times.from_epoch(max(ends_at for _start, ends_at in day.clinic.open))
    practitioners = len(day.practitioners)
    return [
        f"{visit_type}: {', '.join(parts)}",
        _("%(day)s, %(first)s to %(last)s %(zone)s, %(practitioners)s, starts every %(every)d minutes")
        % {
            "day": times.in_words(day.on),
            "first": times.clock(first),
            "last": times.clock(last),
            "zone": times.zone(last),
            "practitioners": ngettext("%d practitioner", "%d practitioners", practitioners) % practitioners,
            "every": every_minutes,
        },
    ]


def _visits(packing: Packing) -> str:
    """The number, with a star while more might fit."""
    return f"{len(packing.visits)}" if packing.is_proven else f"{len(packing.visits)}*"


def _rooms(count: int) -> str:
    return ngettext("%d room", "%d rooms", count) % count


def _notes(rows: Sequence[Row]) -> list[str]:
    """What the last row means, and how sure the numbers are."""
    unproven = [
        _("%(rooms)s, %(way)s: at most %(most)d")
        % {"rooms": _rooms(count), "way": WAYS[way], "most": packing.at_most}
        for count, row in enumerate(rows, start=1)
        for way, packing in row.items()
        if not packing.is_proven
    ]
    return [
        _("With %(rooms)s: %(stretching)d visits with phases that stretch, %(blocked)d without phases.")
        % {
            "rooms": _rooms(len(rows)),
            "stretching": len(rows[-1][Way.STRETCHING].visits),
            "blocked": len(rows[-1][Way.BLOCKED].visits),
        },
        _("* The best found; more might fit. %(unproven)s.") % {"unproven": "; ".join(unproven)}
        if unproven
        else _("Each number is proven: no more visits can fit."),
        _(
            "Blocked throughout: the practitioner is occupied from the first phase to the last. "
            "Phases: only in those that need a practitioner."
        ),
    ]


def _chart(about: Sequence[str], rows: Sequence[Row], notes: Sequence[str], rooms_in_use: int) -> str:
    """The chart as an SVG file's text; bars are as long as visits are many."""
    about_lines = _set(about, FIRST_LINE)
    first_group = about_lines[-1]["y"] + GROUP_GAP
    most = max(len(packing.visits) for row in rows for packing in row.values())
    groups = []
    for place, row in enumerate(rows):
        y = first_group + place * GROUP_STEP
        bars = []
        for number, (way, packing) in enumerate(row.items()):
            top = y + BELOW_HEADING + number * BAR_STEP
            length = len(packing.visits) * LONGEST_BAR // most
            bars.append(
                {
                    "way": way.value,
                    "label": WAYS[way],
                    "visits": _visits(packing),
                    "y": top,
                    "text_y": top + BASELINE,
                    "length": max(length, SHORTEST_BAR),
                    "end": BAR_START + max(length, SHORTEST_BAR) + 10,
                }
            )
        groups.append(
            {
                "label": _rooms(place + 1),
                "is_today": place + 1 == rooms_in_use,
                "y": y,
                "point_y": y - 6,
                "axis_y": bars[0]["y"] - 4,
                "bars": bars,
            }
        )
    rule_y = first_group + len(rows) * GROUP_STEP - 20
    note_lines = _set(notes, rule_y + 34)
    return render_to_string(
        "booking/capacity.svg",
        {
            "about": about_lines,
            "groups": groups,
            "notes": note_lines,
            "rule_y": rule_y,
            "height": note_lines[-1]["y"] + 34,
        },
    )


def _set(paragraphs: Sequence[str], y: int) -> list[dict[str, Any]]:
    """The paragraphs cut into lines that the chart is wide enough for, each with the height of its baseline."""
    lines = [line for text in paragraphs for line in wrap(text, LINE_LENGTH)]
    return [{"text": line, "y": y + place * LINE_STEP} for place, line in enumerate(lines)]
