"""How points are laid on a drawing: labels large enough to touch, and the lines that lead to their dots."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot

from content.points import DRAWINGS, POINTS, Caution, Drawing, Place, Point, Spot

NARROW = 354  # CSS pixels: how wide a drawing is in a window of 390
TOUCHABLE = 26  # CSS pixels: labels are as high; WCAG 2.2 asks for 24
LETTERS = 13.5  # CSS pixels
DOT = 5.0  # CSS pixels from the middle to the edge


@dataclass(frozen=True, slots=True)
class Mark:
    """The shape of a caution within a label."""

    caution: Caution
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Label:
    """A point as it stands in a figure; `x` and `y` are the upper corner of its label, `middle` that of its code."""

    point: Point
    x: float
    y: float
    width: float
    middle: float
    baseline: float
    line: str
    dots: tuple[Place, ...]
    marks: tuple[Mark, ...]


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
    def height(self) -> float:
        return _tidy(TOUCHABLE * self.unit)

    @property
    def scale(self) -> float:
        return _tidy(self.unit)

    @property
    def letters(self) -> float:
        return _tidy(LETTERS * self.unit)

    @property
    def radius(self) -> float:
        return _tidy(DOT * self.unit)

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
        for y in (label.y, label.y + figure.height, *(place[1] for place in label.dots))
    ]
    margin = round(60 * figure.unit)
    first = max(top, round(min(places)) - margin)
    last = min(top + height, round(max(places)) + margin)
    return Figure(figure.drawing, (x, first, width, last - first), figure.labels, figure.unit)


def _label(point: Point, spot: Spot, unit: float) -> Label:
    mark = 14 * unit
    text = len(point.code) * 8.6 * unit
    width = text + len(point.cautions) * mark + 16 * unit
    (x, y), height = spot.label, TOUCHABLE * unit
    start = x - width / 2
    marks = tuple(
        Mark(caution, _tidy(start + text + 16 * unit + (place + 0.3) * mark), y)
        for place, caution in enumerate(point.cautions)
    )
    middle = start + text / 2 + 8 * unit
    line = " ".join(_line(spot, width / 2, (DOT + 1.5) * unit))
    return Label(
        point,
        _tidy(start),
        _tidy(y - height / 2),
        _tidy(width),
        _tidy(middle),
        _tidy(y + LETTERS * unit * 0.36),
        line,
        spot.dots,
        marks,
    )


def _line(spot: Spot, half: float, gap: float) -> list[str]:
    """From the label's nearer end to each dot it names: of two that mirror each other, the nearer alone."""
    x, y = spot.label
    dots = [min(spot.dots, key=lambda dot: abs(dot[0] - x))] if spot.is_mirrored else spot.dots
    paths = []
    for dot in dots:
        begin = (x + half if dot[0] > x else x - half, float(y))
        bend = spot.bend or begin
        away = hypot(dot[0] - bend[0], dot[1] - bend[1])
        end = tuple(round(dot[i] + (bend[i] - dot[i]) * gap / away) for i in (0, 1))
        stops = [begin, *([spot.bend] if spot.bend else []), end]
        paths.append("M" + "L".join(f"{round(stop[0])} {round(stop[1])}" for stop in stops))
    return paths


def _tidy(number: float) -> float:
    """Short enough not to weigh on the page."""
    return round(number, 1)
