"""Says what an opening is in the plainest way: each start, stretch, practitioner and room, cell by cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from booking.openings import Calendar, Interval, Opening, Phase

FIVE_MINUTES = 300


@dataclass(frozen=True)
class Served:
    """How one practitioner (or None, if none is needed) would serve one start."""

    opening: Opening
    load: int
    touches: bool
    leaves_a_gap: bool


@dataclass
class Found:
    """By start and practitioner: what is shown and what is hidden."""

    shown: dict[int, dict[int | None, Served]] = field(default_factory=dict)
    hidden: dict[int, dict[int | None, Served]] = field(default_factory=dict)

    def starts(self, practitioner: int | None = None) -> list[int]:
        return [
            start for start, by_whom in self.shown.items() if practitioner is None or practitioner in by_whom
        ]

    def touching(self, practitioner: int | None = None) -> list[int]:
        return [start for start in self.starts(practitioner) if self._first(start, practitioner).touches]

    def who(self, start: int) -> tuple[int, ...]:
        return tuple(sorted(id_ for id_ in self.shown.get(start, {}) if id_ is not None))

    def at(self, start: int, practitioner: int | None = None) -> Opening | None:
        for by_whom in (self.shown.get(start, {}), self.hidden.get(start, {})):
            if practitioner in by_whom or (practitioner is None and by_whom):
                return self._first(start, practitioner).opening
        return None

    def _first(self, start: int, practitioner: int | None) -> Served:
        """What is shown before what is hidden; then the least stretched, the least busy, the lowest id."""
        by_whom = self.shown.get(start, {})
        if not by_whom or (practitioner is not None and practitioner not in by_whom):
            by_whom = self.hidden[start]
        if practitioner is not None:
            return by_whom[practitioner]

        def rank(served: Served) -> tuple[int, tuple[int, ...], int, int]:
            opening = served.opening
            return (sum(opening.stretches), opening.stretches, served.load, opening.practitioner or 0)

        return min(by_whom.values(), key=rank)


def every_opening(
    *,
    phases: Sequence[Phase],
    practitioners: Mapping[int, Calendar],
    rooms: Mapping[int, Calendar],
    window: Interval,
    earliest: int,
    latest: int,
    every_minutes: int,
    midnights: Iterable[int] = (),
    shortest_visits: Mapping[int, int] | None = None,
) -> Found:
    cells = [cell for cell in _multiples_of_five(*window) if cell + FIVE_MINUTES <= window[1]]
    calendars = {**practitioners, **rooms}
    taken = {id_: {cell for cell in cells if _meets(cell, calendars[id_].taken)} for id_ in calendars}
    free = {
        id_: {
            cell
            for cell in cells
            if _is_inside(cell, calendar.open)
            and not _meets(cell, calendar.taken)
            and not _meets(cell, calendar.closed)
        }
        for id_, calendar in calendars.items()
    }
    midnights = list(midnights)
    day_of = {cell: sum(midnight <= cell for midnight in midnights) for cell in cells}
    who = list(practitioners) if any(phase.needs_practitioner for phase in phases) else [None]
    offered: dict[int, dict[int | None, Served]] = {}
    for start, practitioner in product(cells, who):
        if start < earliest or start > latest:
            continue
        fitting = _fitting(start, practitioner, phases, rooms, free)
        if not fitting:
            continue
        _, in_hand, opening = min(fitting, key=lambda way: way[0])
        touches, gap, load = False, False, 0
        if practitioner is not None:
            touches = bool((_before(in_hand) | _after(in_hand)) & taken[practitioner])
            load = sum(day_of[cell] == day_of[start] for cell in taken[practitioner])
            shortest = (shortest_visits or {}).get(practitioner, 0)
            gap = _leaves_a_gap(in_hand, free[practitioner], shortest * 60)
        if touches or start % (every_minutes * 60) == 0:
            offered.setdefault(start, {})[practitioner] = Served(opening, load, touches, gap)

    found = Found()
    tidy_days = {
        (practitioner, day_of[start])
        for start, by_whom in offered.items()
        for practitioner, served in by_whom.items()
        if not served.leaves_a_gap
    }
    for start, by_whom in offered.items():
        for practitioner, served in by_whom.items():
            is_hidden = served.leaves_a_gap and (practitioner, day_of[start]) in tidy_days
            part = found.hidden if is_hidden else found.shown
            part.setdefault(start, {})[practitioner] = served
    return found


def _fitting(
    start: int,
    practitioner: int | None,
    phases: Sequence[Phase],
    rooms: Iterable[int],
    free: dict[int, set[int]],
) -> list[tuple[Any, set[int], Opening]]:
    """Every way to serve this start with this practitioner: its rank, the practitioner's cells, the opening."""
    ways = product(*(range(0, phase.may_stretch_by + 5, 5) for phase in phases))
    where = rooms if any(phase.needs_room for phase in phases) else [None]
    fitting = []
    for stretches, room in product(ways, where):
        in_hand, in_room = _cells_needed(start, phases, stretches)
        if practitioner is not None and not in_hand <= free[practitioner]:
            continue
        if room is not None and not in_room <= free[room]:
            continue
        sides = 0 if room is None else len(_before(in_room) & free[room]) + len(_after(in_room) & free[room])
        rank = (sum(stretches), stretches, sides, room or 0)
        fitting.append((rank, in_hand, Opening(start, practitioner, room, stretches)))
    return fitting


def _leaves_a_gap(needed: set[int], free: set[int], shortest: int) -> bool:
    """Whether free time of some use is left on both sides and, on one of them, less than `shortest` seconds."""
    before, after = min(needed) - FIVE_MINUTES, max(needed) + FIVE_MINUTES
    sides = [_row(before, free, -FIVE_MINUTES), _row(after, free, FIVE_MINUTES)]
    for cell, side in ((before, sides[0]), (after, sides[1])):
        whole_row = {*_row(cell, free, -FIVE_MINUTES), *_row(cell, free, FIVE_MINUTES)}
        if not side or len(whole_row) * FIVE_MINUTES < shortest:
            return False
    return any(len(side) * FIVE_MINUTES < shortest for side in sides)


def _row(cell: int, free: set[int], step: int) -> list[int]:
    """The free cells in a row from this one on, in one direction."""
    row = []
    while cell in free:
        row.append(cell)
        cell += step
    return row


def _before(cells: set[int]) -> set[int]:
    return {cell - FIVE_MINUTES for cell in cells} - cells


def _after(cells: set[int]) -> set[int]:
    return {cell + FIVE_MINUTES for cell in cells} - cells


def _multiples_of_five(start: int, end: int) -> list[int]:
    return [second for second in range(start, end) if second % FIVE_MINUTES == 0]


def _is_inside(cell: int, intervals: Iterable[Interval]) -> bool:
    return any(starts_at <= cell and cell + FIVE_MINUTES <= ends_at for starts_at, ends_at in intervals)


def _meets(cell: int, intervals: Iterable[Interval]) -> bool:
    return any(max(starts_at, cell) < min(ends_at, cell + FIVE_MINUTES) for starts_at, ends_at in intervals)


def _cells_needed(start: int, phases: Sequence[Phase], stretches: Sequence[int]) -> tuple[set[int], set[int]]:
    practitioner, room = set(), set()
    cell = start
    for phase, stretch in zip(phases, stretches, strict=True):
        for _ in range((phase.minutes + stretch) // 5):
            if phase.needs_practitioner:
                practitioner.add(cell)
            if phase.needs_room:
                room.add(cell)
            cell += FIVE_MINUTES
    return practitioner, room
