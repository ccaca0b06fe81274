"""Reports on practitioners and rooms: how much of their open time visits use, and what visits in phases gain."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Final

from django.utils.translation import gettext as _

from booking import times
from booking.models import Closure, ExtraHours, Phase, Resource, Status, VisitType, WorkingHours
from booking.reports.rows import Visit
from booking.reports.tables import Asked, Table, percent

GIVEN: Final = (Status.BOOKED, Status.ARRIVED, Status.FULFILLED)
CELL: Final = 5  # minutes; a day is one integer, bit n stands for its n-th cell on the clinic's wall
DAY: Final = 24 * 60 // CELL
HOUR: Final = 60 // CELL


def use_by_hour(asked: Asked, visits: Iterable[Visit], types: Iterable[VisitType]) -> Table:
    """Minutes by the hour of the wall clock, as planned: a visit that is over occupies nothing any more."""
    used = {kind: Counter[int]() for kind in Resource.Kind.values}
    phases = {one.pk: list(one.phases.all()) for one in types}
    for visit in visits:
        if visit.status in GIVEN:
            for phase, first, end in _phases(visit, phases[visit.visit_type]):
                if phase.needs_practitioner:
                    used[Resource.Kind.PRACTITIONER].update(_minutes(first, end))
                if phase.needs_room:
                    used[Resource.Kind.ROOM].update(_minutes(first, end))
    opened = _open(asked)
    people, rooms = Resource.Kind.PRACTITIONER, Resource.Kind.ROOM
    hours = [
        hour for hour in range(24) if any(counts[hour] for one in (used, opened) for counts in one.values())
    ]
    return Table(
        name="use-by-hour",
        title=_("Use of practitioners and rooms by hour"),
        says=_(
            "Minutes that visits need of the open ones. Practitioners are open in their hours, rooms while anybody "
            "works; closures are taken off. Visits count as planned."
        ),
        columns=[
            *(_("Hour"), _("Practitioners, minutes used"), _("Practitioners, minutes open")),
            *(_("Practitioners, %"), _("Rooms, minutes used"), _("Rooms, minutes open"), _("Rooms, %")),
        ],
        rows=[
            (
                f"{hour:02}:00",
                (
                    used[people][hour],
                    opened[people][hour],
                    percent(used[people][hour], opened[people][hour]),
                    used[rooms][hour],
                    opened[rooms][hour],
                    percent(used[rooms][hour], opened[rooms][hour]),
                ),
            )
            for hour in hours
        ],
        plotted=(2, 5),
        unit="%",
    )


def gain(visits: Sequence[Visit], types: Iterable[VisitType]) -> Table:
    """Visits that began while their practitioner had another patient resting could not be without phases."""
    given = [visit for visit in visits if visit.status in GIVEN]
    beside = Counter(visit.visit_type for visit in _begun_beside_others(given))
    rows = []
    for visit_type in types:
        phases = list(visit_type.phases.all())
        with_practitioner = sum(phase.minutes for phase in phases if phase.needs_practitioner)
        theirs = [visit for visit in given if visit.visit_type == visit_type.pk]
        planned = timedelta(minutes=visit_type.minutes)
        stretched = [
            over for visit in theirs if (over := visit.ends_at - visit.starts_at - planned) > timedelta()
        ]
        rows.append(
            (
                visit_type.name,
                (
                    len(theirs),
                    len(theirs) * (sum(phase.minutes for phase in phases) - with_practitioner),
                    beside[visit_type.pk],
                    len(stretched),
                    int(sum(stretched, timedelta()) / timedelta(minutes=1)),
                ),
            )
        )
    return Table(
        name="phases",
        title=_("What phases and stretching gained"),
        says=_(
            "Visits, the minutes of them in which the practitioner was free, those that began while the same "
            "practitioner had another visit running, and those whose rest was stretched to make that fit."
        ),
        columns=[
            *(_("Visit type"), _("Visits"), _("Practitioner free, minutes"), _("Begun beside another visit")),
            *(_("Stretched visits"), _("Stretched by, minutes")),
        ],
        rows=rows,
        plotted=(0, 2),
        unit=_("visits"),
    )


def _phases(visit: Visit, phases: Iterable[Phase]) -> Iterator[tuple[Phase, datetime, datetime]]:
    at = times.local(visit.starts_at)
    for phase in phases:
        yield phase, at, at + timedelta(minutes=phase.minutes)
        at += timedelta(minutes=phase.minutes)


def _minutes(first: datetime, end: datetime) -> dict[int, int]:
    """How many of the minutes between these wall times lie in each hour of the day."""
    found: dict[int, int] = {}
    while first < end:
        hour_ends = first.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        until = min(hour_ends, end)
        found[first.hour] = found.get(first.hour, 0) + round((until - first) / timedelta(minutes=1))
        first = until
    return found


def _begun_beside_others(visits: Sequence[Visit]) -> Iterator[Visit]:
    by_person = sorted(visits, key=lambda visit: (visit.practitioner, visit.starts_at))
    for _person, theirs in groupby(by_person, key=lambda visit: visit.practitioner):
        busy_until: datetime | None = None
        for visit in theirs:
            if busy_until and visit.starts_at < busy_until:
                yield visit
            busy_until = max(busy_until or visit.ends_at, visit.ends_at)


def _open(asked: Asked) -> dict[str, Counter[int]]:
    """The open minutes of all practitioners asked about, and of all rooms, by hour of the day."""
    weekly: dict[int, list[WorkingHours]] = defaultdict(list)
    for row in WorkingHours.objects.filter(practitioner__is_active=True):
        weekly[row.weekday].append(row)
    extra: dict[date, list[ExtraHours]] = defaultdict(list)
    for more in ExtraHours.objects.filter(
        practitioner__is_active=True, day__range=(asked.first_on, asked.last_on)
    ):
        extra[more.day].append(more)
    closures = list(Closure.objects.in_force().filter(starts_at__lt=asked.ends, ends_at__gt=asked.begins))
    rooms = list(Resource.objects.rooms().active().values_list("pk", flat=True))
    opened = {kind: Counter[int]() for kind in Resource.Kind.values}
    for day in asked.days:
        closed = _closed(closures, day)
        working: dict[int, int] = defaultdict(int)
        rows: list[WorkingHours | ExtraHours] = [
            *(row for row in weekly[day.weekday()] if row.is_valid_on(day)),
            *extra[day],
        ]
        for hours in rows:
            working[hours.practitioner_id] |= _cells(hours.opens, hours.closes)
        anybody = 0
        for person, cells in working.items():
            anybody |= cells & ~closed[person]
            if asked.practitioner is None or asked.practitioner.pk == person:
                opened[Resource.Kind.PRACTITIONER].update(_by_hour(cells & ~closed[None] & ~closed[person]))
        for room in rooms:
            opened[Resource.Kind.ROOM].update(_by_hour(anybody & ~closed[None] & ~closed[room]))
    return opened


def _closed(closures: Iterable[Closure], day: date) -> dict[int | None, int]:
    closed: dict[int | None, int] = defaultdict(int)
    for closure in closures:
        first, last = times.local(closure.starts_at), times.local(closure.ends_at)
        if first.date() <= day <= last.date():
            begins = first.time() if first.date() == day else time.min
            closed[closure.resource_id] |= _cells(begins, last.time() if last.date() == day else None)
    return closed


def _cells(first: time, end: time | None) -> int:
    """The cells between two times on the wall, to midnight without an end."""
    begins = (first.hour * 60 + first.minute) // CELL
    ends = DAY if end is None else (end.hour * 60 + end.minute) // CELL
    return (1 << ends) - (1 << begins) if begins < ends else 0


def _by_hour(cells: int) -> dict[int, int]:
    whole = (1 << HOUR) - 1
    return {hour: (cells >> hour * HOUR & whole).bit_count() * CELL for hour in range(24)}
