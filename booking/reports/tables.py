"""What a report is asked and what it answers: a table of numbers under names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q

from booking import times
from booking.models import Resource, VisitType

Number = int | float | None
Row = tuple[str, tuple[Number, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted: the clinic's days from the first to the last, both included, and maybe only some visits."""

    first_on: date
    last_on: date
    practitioner: Resource | None = None
    visit_type: VisitType | None = None

    @property
    def begins(self) -> datetime:
        return times.midnight(self.first_on)

    @property
    def ends(self) -> datetime:
        return times.midnight(self.last_on + timedelta(days=1))

    @property
    def days(self) -> list[date]:
        return times.days(self.first_on, self.last_on)

    @property
    def weeks(self) -> list[date]:
        """The Sundays of all weeks that have a day in it."""
        return sorted({times.sunday(day) for day in self.days})

    @property
    def narrowed(self) -> Q:
        """The practitioner and the visit type, as a condition on whatever has both."""
        condition = Q()
        if self.practitioner:
            condition &= Q(practitioner=self.practitioner)
        if self.visit_type:
            condition &= Q(visit_type=self.visit_type)
        return condition


@dataclass(frozen=True, slots=True)
class Table:
    """One report; a number is None where there was nothing to count.

    `columns` name the rows and then each number. `plotted` are the positions of the numbers that are drawn, `unit` is
    what those are of.
    """

    name: str
    title: str
    says: str
    columns: Sequence[str]
    rows: Sequence[Row]
    plotted: Sequence[int]
    unit: str

    @property
    def is_empty(self) -> bool:
        return not any(number for _, numbers in self.rows for number in numbers)


def percent(part: float, whole: float) -> float | None:
    return round(100 * part / whole, 1) if whole else None
