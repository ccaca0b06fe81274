"""Decides when a visit can start, and which practitioner and room would serve it.

Times are whole epoch seconds in UTC and intervals are half-open, `[starts_at, ends_at)`. A window of time
is cut into cells of five minutes, and what is free in it is one integer per resource: bit n stands for cell
n, counted from the start of the window. Cells are counted in UTC, so that a day of 23 or 25 hours is a day
like any other. Where a visit fits is then a matter of shifting these integers and AND-ing them, for all
starts at once.

A start is on offer if it stands on the visit type's grid or touches another visit of the practitioner, so
that days can be filled without gaps although patients mostly see round times.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress, pairwise, product

CELL = 300
"""Seconds in a cell: every phase and stretch is a multiple of it."""

_BITS_OF_DIGITS = bytes.maketrans(b"01", b"\0\1")

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of a visit, lengths in minutes.

    A phase that needs neither resource (forms in the waiting area) is legal and leaves both free.
    """

    minutes: int
    needs_practitioner: bool
    needs_room: bool
    may_stretch_by: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """One resource occupied for one interval."""

    resource: int
    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Opening:
    """A start with who and what would serve it; None where no phase needs one.

    `stretches` holds the minutes added to each phase, in the order of the phases.
    """

    starts_at: int
    practitioner: int | None
    room: int | None
    stretches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """When one resource could serve: inside one of the open intervals, outside all taken and closed ones.

    Visits take time; closures close it. Both keep new visits out, but only visits count as work done that
    day and only visits are touched by other visits.

    The intervals may stand in any order, overlap, and reach beyond the window. Where they do not meet the
    five minutes, an open one shrinks to the cells wholly inside it, a taken or closed one grows to the cells
    it touches. One that ends no later than it starts is empty.
    """

    open: Sequence[Interval]
    taken: Sequence[Interval] = ()
    closed: Sequence[Interval] = ()


@dataclass(frozen=True, slots=True)
class _Fit:
    """Which starts are served with these stretches: one mask of starts per candidate.

    A practitioner's mask holds the starts on offer that some room can serve too and that no preferred stretches
    serve; `touching` says which starts would touch, `gappy` which would leave a gap that compact days avoid.
    A room's mask speaks for the room alone. Where no phase needs one, the only candidate is None.
    """

    stretches: tuple[int, ...]
    practitioners: dict[int | None, int]
    touching: dict[int | None, int]
    gappy: dict[int | None, int]
    rooms: Mapping[int | None, int]
    room_runs: Sequence[Interval]


@dataclass(frozen=True, slots=True)
class Openings:
    """All openings of one search, asked by start or by practitioner; made by `find_openings`.

    `shown` is what was found, preferred stretches first, and `hidden` likewise what compact days keep from
    being suggested. `days` holds the window's first cell, the first cells of its further days, and its end.
    `free_rooms` and `taken_practitioners` are masks of the window's cells.
    """

    window_starts_at: int
    days: Sequence[int]
    shown: Sequence[_Fit]
    hidden: Sequence[_Fit]
    free_rooms: Mapping[int | None, int]
    taken_practitioners: Mapping[int | None, int]

    def starts(self, practitioner: int | None = None) -> list[int]:
        """Every start to suggest, in order: with this practitioner, or with anyone."""
        mask = 0
        for fit in self.shown:
            for candidate, starts in fit.practitioners.items():
                if practitioner is None or candidate == practitioner:
                    mask |= starts
        return self._instants(mask)

    def touching(self, practitioner: int | None = None) -> list[int]:
        """Those of `starts` whose opening, as `at` gives it, touches another visit of its practitioner."""

        def touches(cell: int) -> bool:
            served = self._served(cell, practitioner)
            return bool(served and served[0].touching[served[1]] >> cell & 1)

        return [start for start in self.starts(practitioner) if touches(self._cell(start))]

    def who(self, start: int) -> tuple[int, ...]:
        """The practitioners who could be suggested for this start, by id; empty too if the visit needs none."""
        if not self._is_in_window(start):
            return ()
        cell = self._cell(start)
        able = {
            candidate
            for fit in self.shown
            for candidate, starts in fit.practitioners.items()
            if candidate is not None and starts >> cell & 1
        }
        return tuple(sorted(able))

    def at(self, start: int, practitioner: int | None = None) -> Opening | None:
        """The opening at this start, with this practitioner or with anyone, or None if there is none.

        Of several, one that may be suggested comes before one that compact days hide: somebody may have chosen
        that one while it was still shown, and a visit with a gap beside it is better than no visit. Then the
        smallest total stretch comes first, and at equal totals the one that keeps the earlier phases nearest to
        plan; then the practitioner with the fewest cells taken by visits on the day of the start; then the room
        where the fewest sides of the visit border on free time, so that visits stand close together and leave
        few gaps too short to use. The lowest id settles the rest.
        """
        if not self._is_in_window(start):
            return None
        cell = self._cell(start)
        served = self._served(cell, practitioner)
        if served is None:
            return None
        fit, chosen = served
        rooms = [room for room, starts in fit.rooms.items() if starts >> cell & 1]
        free_sides = [self._free_sides(room, cell, fit.room_runs) for room in rooms]
        return Opening(
            starts_at=start,
            practitioner=chosen,
            room=rooms[free_sides.index(min(free_sides))],
            stretches=fit.stretches,
        )

    def _served(self, cell: int, practitioner: int | None) -> tuple[_Fit, int | None] | None:
        """The stretches and the practitioner with whom a visit would start in this cell."""
        for fit in (*self.shown, *self.hidden):
            able = [
                candidate
                for candidate, starts in fit.practitioners.items()
                if starts >> cell & 1 and (practitioner is None or candidate == practitioner)
            ]
            if able:
                loads = [self._load(candidate, cell) for candidate in able]
                return fit, able[loads.index(min(loads))]
        return None

    def _instants(self, mask: int) -> list[int]:
        bits = bin(mask)[:1:-1].encode().translate(_BITS_OF_DIGITS)
        first = self.window_starts_at
        return list(compress(range(first, first + len(bits) * CELL, CELL), bits))

    def _is_in_window(self, start: int) -> bool:
        return start >= self.window_starts_at and (start - self.window_starts_at) % CELL == 0

    def _cell(self, at: int) -> int:
        return (at - self.window_starts_at) // CELL

    def _load(self, practitioner: int | None, cell: int) -> int:
        day = bisect_right(self.days, cell)
        first, end = self.days[day - 1 : day + 1]
        return (self.taken_practitioners.get(practitioner, 0) >> first & _ones(end - first)).bit_count()

    def _free_sides(self, room: int | None, cell: int, runs: Iterable[Interval]) -> int:
        free = self.free_rooms.get(room, 0)
        before = free << 1  # bit n: is the cell before cell n free? The one before the window never is.
        return sum((before >> cell + first & 1) + (free >> cell + end & 1) for first, end in runs)


def find_openings(
    *,
    phases: Sequence[Phase],
    practitioners: Mapping[int, Calendar],
    rooms: Mapping[int, Calendar],
    window: Interval,
    earliest: int,
    latest: int,
    every_minutes: int = 15,
    midnights: Iterable[int] = (),
    shortest_visits: Mapping[int, int] | None = None,
) -> Openings:
    """Find every start from `earliest` to `latest`, both included, at which the phases fit in their order.

    One practitioner serves the whole visit in one room; each is occupied only in the phases that need it, and
    only within the window, where the start lies too. Where the visit does not fit as planned, phases are
    stretched in steps of five minutes; everything below is said of the visit as stretched the least.

    Practitioners and rooms are candidates by resource id: no id stands in both. `midnights` cut the window into
    days; without any it is one day.

    On offer are the whole multiples of `every_minutes` of the epoch and, in steps of five minutes, the starts
    that touch another visit of the practitioner: a run of phases that need the practitioner begins exactly
    where a taken interval ends, or ends exactly where one begins. That is before or after a visit, and also
    in the rest of one. In a zone whose offset is whole hours, as in Toronto, a divisor of 60 gives the same
    minutes past every local hour, whatever the clock change.

    `shortest_visits` keeps days compact. For each practitioner whose days are to be kept so, it gives the
    minutes from their first to their last in the shortest visit that they give. Free time that holds those
    minutes in one piece is usable; free time in the rest of another visit mostly is not, so nothing there is
    wasted. A start is hidden if usable time is left on both sides of the visit, before the practitioner's
    first minute and after their last, and is too short for that shortest visit on one of them. So a visit
    that lies flush with another visit, with a closure or with the edge of the hours is always shown, even if
    what it leaves on its other side is too short: the same visit elsewhere in that time would leave no less.
    And where all starts of a practitioner's day would be hidden, they are all shown.

    :raises ValueError: if there is no phase; a length, a stretch or `every_minutes` is not in steps of five
        minutes; or an id is both a practitioner's and a room's.
    """
    _check(phases)
    _check_search(practitioners, rooms, every_minutes, shortest_visits or {})
    shortest: dict[int | None, int] = {
        id_: minutes * 60 // CELL for id_, minutes in (shortest_visits or {}).items()
    }
    origin = _round_up(window[0], CELL)
    cells = max((window[1] - origin) // CELL, 0)
    days = [0, *sorted({cell for at in midnights if 0 < (cell := (at - origin) // CELL) < cells}), cells]

    def starts_every(seconds: int) -> int:
        first = _round_up(max(earliest, origin), seconds)
        starts = range(first, min(latest + 1, origin + cells * CELL), seconds)
        return _every(seconds // CELL, len(starts)) << (first - origin) // CELL

    def taken_in(calendars: Mapping[int, Calendar]) -> dict[int | None, int]:
        return {id_: _mask(calendars[id_].taken, origin, cells, grow=True) for id_ in calendars}

    def free_in(calendars: Mapping[int, Calendar], taken: Mapping[int | None, int]) -> dict[int | None, int]:
        return {
            id_: _mask(calendars[id_].open, origin, cells, grow=False)
            & ~_mask(calendars[id_].closed, origin, cells, grow=True)
            & ~taken[id_]
            for id_ in sorted(calendars)
        }

    taken_practitioners = taken_in(practitioners)
    free_practitioners = free_in(practitioners, taken_practitioners)
    free_rooms = free_in(rooms, taken_in(rooms))
    in_time, on_grid = starts_every(CELL), starts_every(every_minutes * 60)
    fits = []
    settled: dict[int | None, int] = defaultdict(int)  # the starts that stretching less has settled already
    for stretches in ways_to_stretch(phases):
        times = _phase_times(0, phases, stretches)
        practitioner_runs = _in_cells(union(compress(times, [phase.needs_practitioner for phase in phases])))
        room_runs = _in_cells(union(compress(times, [phase.needs_room for phase in phases])))
        in_rooms = _fitting(free_rooms, room_runs)
        served = 0
        for starts in in_rooms.values():
            served |= starts & in_time
        fit = _Fit(stretches, {}, {}, {}, in_rooms, room_runs)
        for id_, starts in _fitting(free_practitioners, practitioner_runs).items():
            touching = _touching(taken_practitioners.get(id_, 0), practitioner_runs)
            fit.practitioners[id_] = starts & served & (on_grid | touching) & ~settled[id_]
            fit.touching[id_] = touching
            if id_ in shortest:
                fit.gappy[id_] = _gappy(free_practitioners[id_], shortest[id_], practitioner_runs)
            settled[id_] |= starts & served
        fits.append(fit)
    shown, hidden = _compact(fits, days) if shortest else (fits, [])
    return Openings(origin, days, shown, hidden, free_rooms, taken_practitioners)


def phase_times(opening: Opening, phases: Sequence[Phase]) -> tuple[Interval, ...]:
    """When each phase of this opening starts and ends, stretches included; the last end is the visit's.

    :raises ValueError: if the opening was found for another number of phases, or a phase is not in steps of
        five minutes.
    """
    _check(phases)
    return tuple(_phase_times(opening.starts_at, phases, opening.stretches))


def spans(opening: Opening, phases: Sequence[Phase]) -> tuple[Span, ...]:
    """What the opening occupies, by resource and time; consecutive phases of one resource make one span.

    :raises ValueError: if the opening was found for other phases, or a phase is not in steps of five minutes.
    """
    times = phase_times(opening, phases)
    found = []
    for resource, needed in (
        (opening.practitioner, [phase.needs_practitioner for phase in phases]),
        (opening.room, [phase.needs_room for phase in phases]),
    ):
        if (resource is not None) != any(needed):
            raise ValueError("The opening was found for other phases: a resource is missing or not needed")
        if resource is not None:
            found += [
                Span(resource, starts_at, ends_at) for starts_at, ends_at in union(compress(times, needed))
            ]
    return tuple(sorted(found, key=lambda span: (span.resource, span.starts_at)))


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in order, intervals that touch or overlap as one."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _check(phases: Sequence[Phase]) -> None:
    if not phases:
        raise ValueError("A visit has at least one phase")
    for number, phase in enumerate(phases, start=1):
        if phase.minutes <= 0 or phase.minutes * 60 % CELL:
            raise ValueError(f"Phase {number} lasts {phase.minutes} minutes: not a positive multiple of 5")
        if phase.may_stretch_by < 0 or phase.may_stretch_by * 60 % CELL:
            raise ValueError(
                f"Phase {number} may stretch by {phase.may_stretch_by} minutes: not a multiple of 5"
            )


def _check_search(
    practitioners: Mapping[int, Calendar],
    rooms: Mapping[int, Calendar],
    every_minutes: int,
    shortest_visits: Mapping[int, int],
) -> None:
    if both := practitioners.keys() & rooms.keys():
        raise ValueError(f"Resources {sorted(both)} are given as practitioners and as rooms")
    if every_minutes <= 0 or every_minutes * 60 % CELL:
        raise ValueError(f"Starts every {every_minutes} minutes: not a positive multiple of 5")
    for id_, minutes in shortest_visits.items():
        if minutes <= 0 or minutes * 60 % CELL:
            raise ValueError(f"Shortest visit with {id_}: {minutes} minutes are not a positive multiple of 5")


def ways_to_stretch(phases: Sequence[Phase]) -> list[tuple[int, ...]]:
    """Every way to stretch the visit, preferred first; `product` varies the later phases first.

    The last phase is left alone: ending later can only occupy more, so the shorter visit always fits too.
    """
    step = CELL // 60
    choices = [range(0, phase.may_stretch_by + 1, step) for phase in phases[:-1]]
    return sorted(product(*choices, (0,)), key=sum)


def _phase_times(starts_at: int, phases: Sequence[Phase], stretches: Sequence[int]) -> list[Interval]:
    times = []
    for phase, stretch in zip(phases, stretches, strict=True):
        ends_at = starts_at + (phase.minutes + stretch) * 60
        times.append((starts_at, ends_at))
        starts_at = ends_at
    return times


def _in_cells(times: Iterable[Interval]) -> list[Interval]:
    return [(starts_at // CELL, ends_at // CELL) for starts_at, ends_at in times]


def _fitting(free: Mapping[int | None, int], runs: Sequence[Interval]) -> dict[int | None, int]:
    """For each resource, in the order given, the starts from which it is free in all these runs of cells.

    Without runs nobody is needed: every start fits None.
    """
    if not runs:
        return {None: -1}
    fitting = {}
    for id_, mask in free.items():
        starts = -1
        for first, end in runs:
            starts &= _runs_of(end - first, mask) >> first
        fitting[id_] = starts
    return fitting


def _runs_of(length: int, free: int) -> int:
    """The cells at which `length` free cells in a row begin, found by doubling."""
    known = 1
    while known < length:
        further = min(known, length - known)
        free &= free >> further
        known += further
    return free


def _touching(taken: int, runs: Iterable[Interval]) -> int:
    """The starts from which one of these runs of cells begins where taken cells end, or ends where some begin."""
    starts = 0
    for first, end in runs:
        starts |= (taken << 1) >> first | taken >> end
    return starts


def _gappy(free: int, shortest: int, runs: Sequence[Interval]) -> int:
    """The starts from which these runs leave usable time on both sides, on one of them under `shortest` cells.

    Usable are free cells that stand in a row of at least `shortest`.
    """
    if not runs:
        return 0
    rows = _runs_of(shortest, free)
    usable = _spread(shortest, rows)
    first, end = runs[0][0], runs[-1][1]
    before, after = (usable << 1) >> first, usable >> end
    enough_before, enough_after = (rows << shortest) >> first, rows >> end
    return before & after & ~(enough_before & enough_after)


def _compact(fits: Sequence[_Fit], days: Sequence[int]) -> tuple[list[_Fit], list[_Fit]]:
    """The fits without their gappy starts, and these starts apart.

    A practitioner's day on which all starts are gappy keeps them.
    """
    tidy: dict[int | None, int] = defaultdict(int)
    for fit in fits:
        for id_, starts in fit.practitioners.items():
            tidy[id_] |= starts & ~fit.gappy.get(id_, 0)
    kept: dict[int | None, int] = defaultdict(int)
    for first, end in pairwise(days):
        day = _ones(end - first) << first
        for id_, starts in tidy.items():
            if not starts & day:
                kept[id_] |= day

    def only(fit: _Fit, *, gappy: bool) -> _Fit:
        apart = {id_: fit.gappy.get(id_, 0) & ~kept[id_] for id_ in fit.practitioners}
        starts = {
            id_: starts & (apart[id_] if gappy else ~apart[id_]) for id_, starts in fit.practitioners.items()
        }
        return replace(fit, practitioners=starts)

    return [only(fit, gappy=False) for fit in fits], [only(fit, gappy=True) for fit in fits]


def _mask(intervals: Iterable[Interval], origin: int, cells: int, *, grow: bool) -> int:
    """Of the `cells` from `origin` on, those wholly inside the intervals or, to grow, touched by them."""
    first_from, end_from = (origin, origin - CELL + 1) if grow else (origin - CELL + 1, origin)
    mask = 0
    for starts_at, ends_at in intervals:
        first, end = (starts_at - first_from) // CELL, (ends_at - end_from) // CELL
        if first < 0 or end > cells:
            first, end = max(first, 0), min(end, cells)
        if first < end and starts_at < ends_at:
            mask |= ((1 << (end - first)) - 1) << first
    return mask


def _spread(length: int, starts: int) -> int:
    """The cells of all rows of `length` cells that begin at `starts`, found by doubling."""
    known = 1
    while known < length:
        further = min(known, length - known)
        starts |= starts << further
        known += further
    return starts


def _ones(count: int) -> int:
    return (1 << count) - 1


def _every(step: int, count: int) -> int:
    """`count` bits, `step` apart, from bit 0 on: the sum of a geometric series."""
    return _ones(step * count) // _ones(step)


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step
