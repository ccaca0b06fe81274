"""What a measurement is and how measurements are written down: one table, each figure beside its reference."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from time import perf_counter
from typing import Final

HEADINGS: Final = ("Measured", "Database", "Figure", "Reference", "Goal", "Met")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; without a goal it is only told."""

    what: str
    database: str
    figure: str
    reference: str
    goal: str = ""
    is_met: bool | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What was measured together, and what exactly that means."""

    title: str
    meaning: str
    rows: Sequence[Row]


def page(parts: Sequence[Part], *, circumstances: Sequence[tuple[str, str]], skipped: Sequence[str]) -> str:
    """The whole document: where and with what it was measured, one table, and what its lines mean."""
    rows = [row for part in parts for row in part.rows]
    with_goal = [row for row in rows if row.is_met is not None]
    met = sum(bool(row.is_met) for row in with_goal)
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; do not edit. Each figure stands beside its reference from the same run.",
        "",
        f"**{met} of {len(with_goal)} goals met.**",
        "",
        *(f"- {name}: {value}" for name, value in circumstances),
        "",
        *(f"**Skipped: {what}**\n" for what in skipped),
        *table(rows),
        "",
        "## What is compared",
        "",
    ]
    for part in parts:
        lines += [f"**{part.title}.** {part.meaning}", ""]
    return "\n".join(lines).rstrip() + "\n"


def table(rows: Iterable[Row]) -> list[str]:
    """The lines of a Markdown table whose columns stand under each other in plain text too."""
    met = {True: "yes", False: "**no**", None: ""}
    cells = [
        HEADINGS,
        *((row.what, row.database, row.figure, row.reference, row.goal, met[row.is_met]) for row in rows),
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    ]
    return [written[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *written[1:]]


def seconds_of(act: Callable[[], object]) -> float:
    """How long one call takes."""
    began = perf_counter()
    act()
    return perf_counter() - began


def best_median(act: Callable[[], object], *, groups: int, repeats: int) -> float:
    """Seconds of a call: the lowest of several medians, because what else the machine does only ever adds."""
    act()
    return min(median(seconds_of(act) for _ in range(repeats)) for _ in range(groups))


def percentile(values: Sequence[float], share: float) -> float:
    """The lowest of the values that this share of them does not exceed."""
    return sorted(values)[ceil(len(values) * share) - 1]


def ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    digits = 2 if milliseconds < 1 else 1 if milliseconds < 100 else 0
    return f"{milliseconds:,.{digits}f} ms"


def times_as(ratio: float) -> str:
    """A ratio: 0.62×, 1.1×, 4,300×."""
    digits = 2 if ratio < 10 else 0
    return f"{ratio:,.{digits}f}×"
