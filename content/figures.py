"""How points are laid on a drawing: labels large enough to touch, and the lines that lead to their dots."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, hypot

from content.points import DRAWINGS, POINTS, Caution, Drawing, Place, Point, Spot

NARROW = 354  # CSS pixels: how wide a drawing is in a window of 390
TOUCHABLE = 26  # CSS pixels: labels are as high; WCAG 2.2 asks for 24
LETTERS = 13.5  # CSS pixels
DOT = 5.0  # CSS pixels from the middle to the edge
LETTER, SHAPE, EDGE = 9.2, 15.0, 7.0  # CSS pixels: the widths of a letter, of a shape, and of the room beside


@dataclass(frozen=True, slots=True)
class Label:
    """A point as it stands in a figure. `x` and `y` are the middle of its label.

    `half` is half the label's width, `letters_at` how far from the middle its code is centred, and `marks` says
    of each caution how far from the middle its shape stands.
    """

    point: Point
    x: int
    y: int
    half: int
    letters_at: int
    marks: tuple[tuple[Caution, int], ...]
    line: str
    dots: tuple[Place, ...]

    @property
    def width(self) -> int:
        return 2 * self.half


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with points, in the drawing's units."""

    drawing: Drawing
    view: tuple[int, int, int, int]
    labels: tuple[Label, ...]
    unit: float  # how many units make one CSS pixel in a narrow window

    @property
    def view_box(self) -> str:
        return " ".join(map(str, self.view))

    @property
    def half(self) -> int:
        """Half the height of a label."""
        return ceil(TOUCHABLE * self.unit / 2)

    @property
    def height(self) -> int:
        return 2 * self.half

    @property
    def letters(self) -> int:
        return round(LETTERS * self.unit)

    @property
    def baseline(self) -> int:
        """How far below the middle of a label its letters stand."""
        return round(LETTERS * self.unit * 0.36)

    @property
    def radius(self) -> int:
        return round(DOT * self.unit)

    @property
    def scale(self) -> float:
        return round(self.unit, 1)

    @property
    def cautions(self) -> list[Caution]:
        """What the shapes in this figure mean."""
        return [
            caution for caution in Caution if any(caution in label.point.cautions for label in self.labels)
        ]

    @property
    def points(self) -> list[Point]:
        return [label.point for label in self.labels]


def figure_of(drawing: Drawing, points: Iterable[Point] = POINTS) -> Figure:
    """The drawing with those of the points that stand in it."""
    unit = drawing.view[2] / NARROW
    labels = tuple(
        _label(point, point.spots[drawing.name], unit) for point in points if drawing.name in point.spots
    )
    return Figure(drawing, drawing.view, labels, unit)


def figures_for(points: Iterable[Point]) -> list[Figure]:
    """As few drawings as show all the points, each cut to the height of its points."""
    left = list(points)
    figures: list[Figure] = []
    for name in ("back", "leg", "hand"):
        here = [point for point in left if name in point.spots]
        left = [point for point in left if point not in here]
        if here:
            figures.append(_cut(figure_of(DRAWINGS[name], here)))
    return figures


def _cut(figure: Figure) -> Figure:
    x, top, width, height = figure.view
    places = [
        y
        for label in figure.labels
        for y in (label.y - figure.half, label.y + figure.half, *(place[1] for place in label.dots))
    ]
    margin = round(60 * figure.unit)
    first = max(top, min(places) - margin)
    last = min(top + height, max(places) + margin)
    return Figure(figure.drawing, (x, first, width, last - first), figure.labels, figure.unit)


def _label(point: Point, spot: Spot, unit: float) -> Label:
    letters = len(point.code) * LETTER * unit
    shapes = len(point.cautions) * SHAPE * unit
    half = round((letters + shapes) / 2 + EDGE * unit)
    marks = tuple(
        (caution, round((letters - shapes) / 2 + (place + 0.7) * SHAPE * unit))
        for place, caution in enumerate(point.cautions)
    )
    line = "".join(_line(spot, half, (DOT + 1.5) * unit))
    return Label(point, *spot.label, half, round(-shapes / 2), marks, line, spot.dots)


def _line(spot: Spot, half: int, gap: float) -> list[str]:
    """From the label's nearer end to each dot it names: of two that mirror each other, the nearer alone."""
    x, y = spot.label
    dots = [min(spot.dots, key=lambda dot: abs(dot[0] - x))] if spot.is_mirrored else spot.dots
    paths = []
    for dot in dots:
        begin = (x + half if dot[0] > x else x - half, y)
        bend = spot.bend or begin
        away = hypot(dot[0] - bend[0], dot[1] - bend[1])
        end = tuple(round(dot[i] + (bend[i] - dot[i]) * gap / away) for i in (0, 1))
        stops = [begin, *([spot.bend] if spot.bend else []), end]
        paths.append("M" + "L".join(f"{stop[0]} {stop[1]}" for stop in stops))
    return paths
