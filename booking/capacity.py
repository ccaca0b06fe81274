"""Decides how many visits of one type fit in one day, and how sure that number is.

The day is gone through start by start, keeping every way of having packed it so far. Two of these are the
same if each practitioner and each room has the same time left from there on, in whatever order they stand:
only the one with more visits is kept. One is dropped if even the minutes left could not bring it above the
best packing found. With one practitioner few are left, and the answer is exact. With several, or with a great
many ways to stretch, there can be too many: the most promising are kept, the rest dropped. The answer is then
only the best found, and the most that a dropped one could have reached is given with it. Work is counted, not
timed, so that equal questions have equal answers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice, product
from typing import NamedTuple

from booking.openings import CELL, Calendar, Interval, Opening, Phase, find_openings

WORK = 200_000
"""How often one search may try to add a visit to a packing, about: three seconds on a small machine."""

FIRST_LOOK = 20
"""How many packings a first, quick search keeps; the visits it finds let the second drop far more."""

MOST_STRETCHES = 50
"""How many ways to stretch a visit are tried; only a visit type with many stretching phases has more."""


class Way(Enum):
    """How the practitioner's time counts."""

    BLOCKED = "blocked"
    """Occupied from the first phase to the last, turning the room over included."""
    FIXED = "fixed"
    """Occupied only in the phases that need it; nothing stretches."""
    STRETCHING = "stretching"
    """As fixed, and phases stretch as far as they may."""


@dataclass(frozen=True, slots=True)
class Packing:
    """Visits that fit in one day together, in the order of their starts.

    No packing has more than `at_most` visits. `at_most_by_minutes` says the same from minutes alone: what the
    practitioners have divided by what a visit takes, likewise the rooms, the smaller of the two.
    """

    visits: tuple[Opening, ...]
    at_most: int
    at_most_by_minutes: int

    @property
    def is_proven(self) -> bool:
        """Whether no packing can have more visits."""
        return len(self.visits) >= self.at_most


class _Shape(NamedTuple):
    """What a visit stretched in one way occupies, as masks of cells from its start on."""

    practitioner: int
    room: int
    stretches: tuple[int, ...]


class _Placed(NamedTuple):
    """A visit in a packing, by positions in the search's lists, and the visits placed before it."""

    start: int
    practitioner: int
    room: int
    shape: _Shape
    before: "_Placed | None"


class _Packed(NamedTuple):
    """A day packed up to some start: what each practitioner and room has free, bit 0 the cell of that start."""

    visits: int
    practitioners: tuple[int, ...]
    rooms: tuple[int, ...]
    last: _Placed | None


_Key = tuple[tuple[int, ...], tuple[int, ...]]


def phases_in(way: Way, phases: Sequence[Phase]) -> list[Phase]:
    """The phases as they occupy practitioner and room if the practitioner's time counts in this way."""
    if way is Way.STRETCHING:
        return list(phases)
    return [
        replace(phase, may_stretch_by=0, needs_practitioner=phase.needs_practitioner or way is Way.BLOCKED)
        for phase in phases
    ]


def pack_day(
    *,
    phases: Sequence[Phase],
    practitioners: Mapping[int, Calendar],
    rooms: Mapping[int, Calendar],
    window: Interval,
    every_minutes: int = 15,
    known: Sequence[Opening] = (),
) -> Packing:
    """Pack as many visits with these phases into the window as the search finds.

    Resources and window are those of `booking.openings.find_openings`; the whole visit, turning the room over
    included, lies inside the hours. Visits start at whole multiples of `every_minutes` of the epoch: the starts
    online that stand elsewhere because they touch another visit are counted only if this is 5. `known` are
    visits known to fit, say those of a day with fewer rooms: the packing has at least as many.

    :raises ValueError: if `find_openings` would, or no phase needs a practitioner or a room.
    """
    origin = find_openings(  # asked first of all because it refuses what cannot be searched
        phases=phases_in(Way.FIXED, phases),
        practitioners=practitioners,
        rooms=rooms,
        window=window,
        earliest=window[0],
        latest=window[1],
        every_minutes=every_minutes,
    ).window_starts_at
    shapes = list(islice(_shapes(phases), MOST_STRETCHES + 1))
    who: Mapping[int | None, int] = _free(practitioners, window) if shapes[0].practitioner else {None: 0}
    where: Mapping[int | None, int] = _free(rooms, window) if shapes[0].room else {None: 0}
    empty = _Packed(0, tuple(who.values()), tuple(where.values()), None)

    search = _Search(shapes[:MOST_STRETCHES], empty, known=len(known))
    by_minutes = search.ceiling
    if len(who) > 1:  # together they cannot give more than each would with all the rooms to themselves
        one_of_a_kind = {who[id_]: id_ for id_ in practitioners}
        alone = {
            free: pack_day(
                phases=phases,
                practitioners={id_: practitioners[id_]},
                rooms=rooms,
                window=window,
                every_minutes=every_minutes,
            ).at_most
            for free, id_ in one_of_a_kind.items()
        }
        search.ceiling = min(search.ceiling, sum(alone[free] for free in who.values()))
    step = every_minutes * 60
    cells = range(-origin % step // CELL, (window[1] - origin) // CELL, step // CELL)
    starts = [cell for cell in cells if search.has_place(_later(empty, cell))]
    together = min(len(resources) for resources in (who, where) if None not in resources)
    tries_per_packing = max(len(starts) * len(search.shapes) * together, 1)
    for width in (FIRST_LOOK, WORK // tries_per_packing):
        if width >= FIRST_LOOK and search.most < search.ceiling:
            search.ceiling = min(search.ceiling, search.run(empty, starts, width))

    ids = list(who), list(where)
    return Packing(
        visits=_openings(search.best, ids, origin) if search.best else tuple(known),
        at_most=search.ceiling if len(shapes) <= MOST_STRETCHES else by_minutes,
        at_most_by_minutes=by_minutes,
    )


class _Search:
    """Looks for packings with more visits than the `most` known so far; the `best` found stands after `run`.

    None has more than `ceiling`: what the minutes of an empty day allow, or less where the caller knows better.
    """

    def __init__(self, shapes: Sequence[_Shape], empty: _Packed, *, known: int) -> None:
        self.shapes = shapes
        self.most = known
        self.best: _Placed | None = None
        self._cells = (
            min(shape.practitioner.bit_count() for shape in shapes),
            min(shape.room.bit_count() for shape in shapes),
        )
        self.ceiling = self._minutes_allow(empty)
        self._lost = 0  # the most visits that a dropped packing could have reached

    def run(self, empty: _Packed, starts: Sequence[int], width: int) -> int:
        """Go through the starts with no more than `width` packings at a time; the most visits there can be."""
        self._lost = 0
        packings, at = [empty], 0
        for start in starts:
            kept = _without_twins(_later(packing, start - at) for packing in packings)
            at = start
            newest = list(kept.values())
            while newest:  # visits that start together are added one by one
                added = _without_twins(
                    more for packing in newest for more in self._with_one_more(packing, start)
                )
                newest = self._most_promising(added.values(), width)
                kept = _without_twins([*kept.values(), *newest])
            packings = self._most_promising(kept.values(), width)
        return max(self._lost, self.most)

    def has_place(self, packing: _Packed) -> bool:
        """Whether one more visit could start at the first cell."""
        return any(
            _able(shape.practitioner, packing.practitioners) and _able(shape.room, packing.rooms)
            for shape in self.shapes
        )

    def _with_one_more(self, packing: _Packed, start: int) -> Iterator[_Packed]:
        """The packing with a visit more at its first cell, once for each choice that makes a difference."""
        visits, practitioners, rooms, last = packing
        for shape in self.shapes:
            able, fit = _able(shape.practitioner, practitioners), _able(shape.room, rooms)
            for (free, who), (free_room, where) in product(able.items(), fit.items()):
                more = _Packed(
                    visits + 1,
                    (*practitioners[:who], free & ~shape.practitioner, *practitioners[who + 1 :]),
                    (*rooms[:where], free_room & ~shape.room, *rooms[where + 1 :]),
                    _Placed(start, who, where, shape, last),
                )
                if more.visits > self.most:
                    self.most, self.best = more.visits, more.last
                if self._at_most(more) > self.most:
                    yield more

    def _most_promising(self, packings: Iterable[_Packed], width: int) -> list[_Packed]:
        """As many as may be kept of those that could still beat the most visits known."""
        hopeful = [packing for packing in packings if self._at_most(packing) > self.most]
        if len(hopeful) > width:
            hopeful.sort(key=lambda packing: (-self._promise(packing), _key(packing)))
            self._lost = max(self._lost, *map(self._at_most, hopeful[width:]))
        return hopeful[:width]

    def _at_most(self, packing: _Packed) -> int:
        return min(self._minutes_allow(packing), self.ceiling)

    def _minutes_allow(self, packing: _Packed) -> int:
        """How many visits there can be for the minutes left, those already packed included."""
        return packing.visits + min(
            sum(free.bit_count() // cells for free in resources)
            for resources, cells in zip(packing[1:3], self._cells, strict=True)
            if cells
        )

    def _promise(self, packing: _Packed) -> float:
        """As `_minutes_allow`, in fractions: every minute left counts."""
        return packing.visits + min(
            sum(free.bit_count() for free in resources) / cells
            for resources, cells in zip(packing[1:3], self._cells, strict=True)
            if cells
        )


def _shapes(phases: Sequence[Phase]) -> Iterator[_Shape]:
    """Every way to stretch the visit, the unstretched first, later phases varied first.

    The last phase is left alone: ending later can only occupy more.
    """
    step = CELL // 60
    for stretches in product(*(range(0, phase.may_stretch_by + 1, step) for phase in phases[:-1]), (0,)):
        practitioner = room = first = 0
        for phase, stretch in zip(phases, stretches, strict=True):
            length = (phase.minutes + stretch) // step
            cells = ((1 << length) - 1) << first
            practitioner |= cells if phase.needs_practitioner else 0
            room |= cells if phase.needs_room else 0
            first += length
        if not practitioner and not room:
            raise ValueError("No phase needs a practitioner or a room: any number of visits fits")
        yield _Shape(practitioner, room, stretches)


def _free(calendars: Mapping[int, Calendar], window: Interval) -> dict[int | None, int]:
    """The free cells of each resource: the openings of a visit that takes five minutes of it."""
    found = find_openings(
        phases=[Phase(CELL // 60, needs_practitioner=True, needs_room=False)],
        practitioners=calendars,
        rooms={},
        window=window,
        earliest=window[0],
        latest=window[1],
        every_minutes=CELL // 60,
    )
    first = found.window_starts_at
    return {id_: sum(1 << (start - first) // CELL for start in found.starts(id_)) for id_ in calendars}


def _able(needed: int, resources: Sequence[int]) -> dict[int, int]:
    """The positions of those that are free in all cells needed, by their free cells: one of each kind."""
    return {free: position for position, free in enumerate(resources) if not needed & ~free}


def _later(packing: _Packed, cells: int) -> _Packed:
    return packing._replace(
        practitioners=tuple([free >> cells for free in packing.practitioners]),
        rooms=tuple([free >> cells for free in packing.rooms]),
    )


def _key(packing: _Packed) -> _Key:
    return tuple(sorted(packing.practitioners)), tuple(sorted(packing.rooms))


def _without_twins(packings: Iterable[_Packed]) -> dict[_Key, _Packed]:
    """Of those with the same time left, the first with the most visits."""
    kept: dict[_Key, _Packed] = {}
    for packing in packings:
        key = _key(packing)
        if key not in kept or kept[key].visits < packing.visits:
            kept[key] = packing
    return kept


def _openings(
    last: _Placed, ids: tuple[Sequence[int | None], Sequence[int | None]], window_starts_at: int
) -> tuple[Opening, ...]:
    who, where = ids
    found = []
    placed: _Placed | None = last
    while placed:
        found.append(
            Opening(
                starts_at=window_starts_at + placed.start * CELL,
                practitioner=who[placed.practitioner],
                room=where[placed.room],
                stretches=placed.shape.stretches,
            )
        )
        placed = placed.before
    return tuple(reversed(found))
