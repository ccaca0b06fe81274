"""Where the points, lines and bars of small plots stand; plain values in, plain values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

WIDTH, HEIGHT = 360, 200  # units of the drawing, about a phone's pixels
LEFT, RIGHT, TOP, BOTTOM = 28, 348, 12, 170  # edges of the field within it
CROWDED: Final = 62  # days nearer to each other than this are not both written under the field

NAMES, LONGEST = 118, 198  # of bars: the width for their names, and that of the longest one
NAME_LENGTH: Final = 16  # letters that fit there
BAR, BETWEEN = 12, 8  # the height of a bar, and the gap after those of one name


@dataclass(frozen=True, slots=True)
class Point:
    """One value at its place; `x` and `y` in units of the drawing, y downwards."""

    x: float
    y: float
    value: float


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    points: list[Point]

    @property
    def path(self) -> str:
        """As an SVG polyline takes its points."""
        return " ".join(f"{point.x:g},{point.y:g}" for point in self.points)


@dataclass(frozen=True, slots=True)
class Plot:
    """`rules` are the marked values, each with its height; `days` those of the days that have room for their name."""

    lines: list[Line]
    rules: list[tuple[int, float]]
    days: list[tuple[date, float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """From the field's left edge; without a value there is none to draw."""

    y: float
    width: float
    value: float | None


@dataclass(frozen=True, slots=True)
class NamedBars:
    """One bar for each series; `y` is the middle of them."""

    name: str
    y: float
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Bars:
    rows: list[NamedBars]
    height: int


def bars(rows: Sequence[tuple[str, Sequence[float | None]]]) -> Bars:
    """Lying bars under each other, as many to a name as there are series, the longest over the whole width.

    Long names are cut: the numbers stand in a table beside the plot too.
    """
    longest = max((value for _, values in rows for value in values if value), default=1)
    placed, y = [], 0
    for name, values in rows:
        drawn = [
            Bar(y + number * BAR, round(LONGEST * (value or 0) / longest, 1), value)
            for number, value in enumerate(values)
        ]
        shown = name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1].rstrip()}…"
        placed.append(NamedBars(shown, y + len(values) * BAR / 2, drawn))
        y += len(values) * BAR + BETWEEN
    return Bars(placed, max(y - BETWEEN, BAR))


def over_time(days: Sequence[date], series: Sequence[tuple[str, Sequence[float]]], *, most: int) -> Plot:
    """Each named series as a line from 0 to `most`; each of its values belongs to the day in the same place.

    The days are in order and stand apart as they do in the calendar; a single one stands in the middle.
    """
    xs = _across(days)
    lines = [
        Line(name, [Point(x, _height(value, most), value) for x, value in zip(xs, values, strict=True)])
        for name, values in series
    ]
    return Plot(
        lines=lines,
        rules=[(value, _height(value, most)) for value in (0, most // 2, most)],
        days=_with_room(list(zip(days, xs, strict=True))),
    )


def _across(days: Sequence[date]) -> list[float]:
    span = (days[-1] - days[0]).days if days else 0
    if span == 0:
        return [(LEFT + RIGHT) / 2 for _ in days]
    return [round(LEFT + (RIGHT - LEFT) * (day - days[0]).days / span, 1) for day in days]


def _height(value: float, most: int) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / most, 1)


def _with_room(placed: list[tuple[date, float]]) -> list[tuple[date, float]]:
    """The last day always; before it, those far enough from the one that is named after them."""
    named: list[tuple[date, float]] = []
    for day, x in reversed(placed):
        if not named or named[-1][1] - x >= CROWDED:
            named.append((day, x))
    return named[::-1]
