"""Decides when a visit can start, and which practitioner and room would serve it.

Times are whole epoch seconds in UTC and intervals are half-open, `[starts_at, ends_at)`. A window of time
is cut into cells of five minutes, and what is free in it is one integer per resource: bit n stands for cell
n, counted from the start of the window. Cells are counted in UTC, so that a day of 23 or 25 hours is a day
like any other. Where a visit fits is then a matter of shifting these integers and AND-ing them, for all
starts at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

CELL = 300
"""Seconds in a cell: every phase and stretch is a multiple of it."""

LOAD_CELLS = 12 * 3600 // CELL
"""How far to either side of a start a practitioner's load is counted."""

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
    """When one resource could serve: inside one of the open intervals and outside all taken ones.

    The intervals may stand in any order, overlap, and reach beyond the window. Where they do not meet the
    five minutes, an open one shrinks to the cells wholly inside it and a taken one grows to the cells it
    touches. One that ends no later than it starts is empty.
    """

    open: Sequence[Interval]
    taken: Sequence[Interval] = ()


@dataclass(frozen=True, slots=True)
class _Fit:
    """Where the visit can start with these stretches: one mask of starts per candidate.

    A practitioner's mask holds only starts that some room can serve too; a room's speaks for the room alone.
    Where no phase needs one, the only candidate is None.
    """

    stretches: tuple[int, ...]
    practitioners: Mapping[int | None, int]
    rooms: Mapping[int | None, int]
    room_runs: Sequence[Interval]


@dataclass(frozen=True, slots=True)
class Openings:
    """All openings of one search, asked by start or by practitioner; made by `find_openings`.

    `grid` holds the starts that were considered, `fits` what was found, preferred stretches first.
    `free_rooms` and `taken_practitioners` are masks of the window's cells.
    """

    window_starts_at: int
    grid: range
    fits: Sequence[_Fit]
    free_rooms: Mapping[int | None, int]
    taken_practitioners: Mapping[int | None, int]

    def starts(self, practitioner: int | None = None) -> list[int]:
        """Every start that can be booked, in order: with this practitioner, or with anyone."""
        mask = 0
        for fit in self.fits:
            for candidate, starts in fit.practitioners.items():
                if practitioner is None or candidate == practitioner:
                    mask |= starts
        first_bit_first = bin(mask)[:1:-1]
        on_the_grid = first_bit_first[self._cell(self.grid.start) :: self.grid.step // CELL]
        return [start for start, bit in zip(self.grid, on_the_grid, strict=False) if bit == "1"]

    def who(self, start: int) -> tuple[int, ...]:
        """The practitioners who could serve this start, by id; empty too if the visit needs none."""
        if start not in self.grid:
            return ()
        cell = self._cell(start)
        able = {
            candidate
            for fit in self.fits
            for candidate, starts in fit.practitioners.items()
            if candidate is not None and starts >> cell & 1
        }
        return tuple(sorted(able))

    def at(self, start: int, practitioner: int | None = None) -> Opening | None:
        """The opening at this start, with this practitioner or with anyone, or None if there is none.

        Of several, the smallest total stretch comes first, and at equal totals the one that keeps the
        earlier phases nearest to plan; then the practitioner with the fewest cells taken from 12 hours
        before the start to 12 hours after it, as far as the window reaches; then the room where the fewest
        sides of the visit border on free time, so that visits stand close together and leave few gaps too
        short to use. The lowest id settles the rest.
        """
        if start not in self.grid:
            return None
        cell = self._cell(start)
        for fit in self.fits:
            able = [
                candidate
                for candidate, starts in fit.practitioners.items()
                if starts >> cell & 1 and (practitioner is None or candidate == practitioner)
            ]
            if able:
                rooms = [room for room, starts in fit.rooms.items() if starts >> cell & 1]
                loads = [self._load(candidate, cell) for candidate in able]
                free_sides = [self._free_sides(room, cell, fit.room_runs) for room in rooms]
                return Opening(
                    starts_at=start,
                    practitioner=able[loads.index(min(loads))],
                    room=rooms[free_sides.index(min(free_sides))],
                    stretches=fit.stretches,
                )
        return None

    def _cell(self, at: int) -> int:
        return (at - self.window_starts_at) // CELL

    def _load(self, practitioner: int | None, cell: int) -> int:
        first = max(cell - LOAD_CELLS, 0)
        taken = self.taken_practitioners.get(practitioner, 0) >> first
        return (taken & _ones(cell + LOAD_CELLS - first)).bit_count()

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
) -> Openings:
    """Find every start from `earliest` to `latest`, both included, at which the phases fit in their order.

    One practitioner serves the whole visit in one room; each is occupied only in the phases that need it, and
    only within the window, where the start lies too. Where the visit does not fit as planned, phases are
    stretched in steps of five minutes.

    Practitioners and rooms are candidates by resource id: no id stands in both. Starts are whole multiples of
    `every_minutes` of the epoch. In a zone whose offset is whole hours, as in Toronto, a divisor of 60
    therefore gives the same minutes past every local hour, whatever the clock change.

    :raises ValueError: if there is no phase; a length, a stretch or `every_minutes` is not in steps of five
        minutes; or an id is both a practitioner's and a room's.
    """
    _check(phases)
    if every_minutes <= 0 or every_minutes * 60 % CELL:
        raise ValueError(f"Starts every {every_minutes} minutes: not a positive multiple of 5")
    if both := practitioners.keys() & rooms.keys():
        raise ValueError(f"Resources {sorted(both)} are given as practitioners and as rooms")

    origin = _round_up(window[0], CELL)
    cells = (window[1] - origin) // CELL
    step = every_minutes * 60
    grid = range(_round_up(max(earliest, origin), step), min(latest + 1, origin + cells * CELL), step)
    grid_mask = _every(step // CELL, len(grid)) << (grid.start - origin) // CELL

    def taken_in(calendars: Mapping[int, Calendar]) -> dict[int | None, int]:
        return {id_: _mask(calendars[id_].taken, origin, cells, grow=True) for id_ in calendars}

    def free_in(calendars: Mapping[int, Calendar], taken: Mapping[int | None, int]) -> dict[int | None, int]:
        return {
            id_: _mask(calendars[id_].open, origin, cells, grow=False) & ~taken[id_]
            for id_ in sorted(calendars)
        }

    taken_practitioners = taken_in(practitioners)
    free_practitioners = free_in(practitioners, taken_practitioners)
    free_rooms = free_in(rooms, taken_in(rooms))
    fits = []
    for stretches in _stretches(phases):
        times = _phase_times(0, phases, stretches)
        practitioner_runs = _in_cells(_joined(times, [phase.needs_practitioner for phase in phases]))
        room_runs = _in_cells(_joined(times, [phase.needs_room for phase in phases]))
        in_rooms = _fitting(free_rooms, room_runs)
        served = 0
        for starts in in_rooms.values():
            served |= starts & grid_mask
        with_practitioners = {
            id_: starts & served for id_, starts in _fitting(free_practitioners, practitioner_runs).items()
        }
        fits.append(_Fit(stretches, with_practitioners, in_rooms, room_runs))
    return Openings(origin, grid, fits, free_rooms, taken_practitioners)


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
            found += [Span(resource, starts_at, ends_at) for starts_at, ends_at in _joined(times, needed)]
    return tuple(sorted(found, key=lambda span: (span.resource, span.starts_at)))


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


def _stretches(phases: Sequence[Phase]) -> list[tuple[int, ...]]:
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


def _joined(times: Iterable[Interval], needed: Iterable[bool]) -> list[Interval]:
    """The times that are needed, those that touch joined into one."""
    joined: list[Interval] = []
    for (starts_at, ends_at), need in zip(times, needed, strict=True):
        if need and joined and joined[-1][1] == starts_at:
            joined[-1] = (joined[-1][0], ends_at)
        elif need:
            joined.append((starts_at, ends_at))
    return joined


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


def _ones(count: int) -> int:
    return (1 << count) - 1


def _every(step: int, count: int) -> int:
    """`count` bits, `step` apart, from bit 0 on: the sum of a geometric series."""
    return _ones(step * count) // _ones(step)


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step
