"""Says what an opening is in the plainest way: each start, stretch, practitioner and room, cell by cell."""

from collections.abc import Mapping, Sequence
from itertools import product

from booking.openings import Calendar, Interval, Opening, Phase

FIVE_MINUTES = 300
TWELVE_HOURS = 12 * 3600


def every_opening(
    *,
    phases: Sequence[Phase],
    practitioners: Mapping[int, Calendar],
    rooms: Mapping[int, Calendar],
    window: Interval,
    earliest: int,
    latest: int,
    every_minutes: int,
) -> dict[int, dict[int | None, Opening]]:
    """For each start that can be booked, the opening with each practitioner able to, and None for anyone."""
    cells = [cell for cell in _multiples_of_five(*window) if cell + FIVE_MINUTES <= window[1]]
    calendars = {**practitioners, **rooms}
    taken = {id_: {cell for cell in cells if _is_taken(cell, calendars[id_])} for id_ in calendars}
    free = {id_: {cell for cell in cells if _is_open(cell, calendars[id_])} - taken[id_] for id_ in calendars}
    who = list(practitioners) if any(phase.needs_practitioner for phase in phases) else [None]
    where = list(rooms) if any(phase.needs_room for phase in phases) else [None]
    ways = list(product(*(range(0, phase.may_stretch_by + 5, 5) for phase in phases)))

    found: dict[int, dict[int | None, Opening]] = {}
    for start in cells:
        if start < earliest or start > latest or start % (every_minutes * 60) != 0:
            continue
        ranked = []
        for stretches, practitioner, room in product(ways, who, where):
            in_hand, in_room = _cells_needed(start, phases, stretches)
            if practitioner is not None and not in_hand <= free[practitioner]:
                continue
            if room is not None and not in_room <= free[room]:
                continue
            load = 0 if practitioner is None else _load(taken[practitioner], start)
            sides = 0 if room is None else _free_sides(in_room, free[room])
            rank = (sum(stretches), stretches, load, practitioner or 0, sides, room or 0)
            ranked.append((rank, Opening(start, practitioner, room, stretches)))
        for _, opening in sorted(ranked, key=lambda pair: pair[0]):
            found.setdefault(start, {}).setdefault(None, opening)
            found[start].setdefault(opening.practitioner, opening)
    return found


def _load(taken: set[int], start: int) -> int:
    return sum(start - TWELVE_HOURS <= cell < start + TWELVE_HOURS for cell in taken)


def _free_sides(needed: set[int], free: set[int]) -> int:
    before = {cell - FIVE_MINUTES for cell in needed} - needed
    after = {cell + FIVE_MINUTES for cell in needed} - needed
    return len(before & free) + len(after & free)


def _multiples_of_five(start: int, end: int) -> list[int]:
    return [second for second in range(start, end) if second % FIVE_MINUTES == 0]


def _is_open(cell: int, calendar: Calendar) -> bool:
    return any(starts_at <= cell and cell + FIVE_MINUTES <= ends_at for starts_at, ends_at in calendar.open)


def _is_taken(cell: int, calendar: Calendar) -> bool:
    return any(
        max(starts_at, cell) < min(ends_at, cell + FIVE_MINUTES) for starts_at, ends_at in calendar.taken
    )


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
