"""How long the search for openings takes, beside its brute-force twin and the queries that feed it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.utils import timezone

from booking import openings, queries, times
from booking.models import BookingRules, VisitType
from tests.bench import rows
from tests.bench.surroundings import say
from tests.bench.table import Row, best_median, ms, seconds_of, times_as
from tests.booking.brute_force import every_opening

AT_LEAST_AS_FAST = 100  # times the twin
Statement = tuple[str, Any]


def measure(*, database: str, quick: bool) -> list[Row]:
    visit_type = rows.make_clinic(practitioners=3)
    today = times.local_day(timezone.now())
    rows.fill_half(visit_type, times.days(today, today + timedelta(days=90)))
    visit_type = VisitType.objects.bookable().get(pk=visit_type.pk)
    measured = []
    for name, days in (("4 weeks", 28), ("60 days", 60)):
        say(f"{database}: openings for {name}")
        measured += _of(visit_type, name, days, database=database, quick=quick)
    return measured


def _of(visit_type: VisitType, name: str, days: int, *, database: str, quick: bool) -> list[Row]:
    now = timezone.now()
    today = times.local_day(now)

    def load_and_find() -> openings.Openings:
        return queries.find_openings(
            visit_type,
            first_on=today,
            last_on=today + timedelta(days=days - 1),
            rules=BookingRules(),
            now=now,
        )

    given, statements = _what_it_is_given(load_and_find)

    def find() -> list[int]:
        return openings.find_openings(**given).starts()

    def ask() -> None:
        with connection.cursor() as cursor:
            for sql, values in statements:
                cursor.execute(sql, values)
                cursor.fetchall()

    often = 20 if quick else 100
    found = best_median(find, groups=5, repeats=often)
    asked = best_median(ask, groups=5, repeats=often // 4)
    whole = best_median(load_and_find, groups=5, repeats=often // 4)
    what = f"Openings for {name}"
    measured = [
        Row(
            f"{what}: search from plain values",
            database,
            ms(found),
            f"its {len(statements)} queries: {ms(asked)}",
            "less",
            found < asked,
        ),
        Row(
            f"{what}: queries and search", database, ms(whole), f"its {len(statements)} queries: {ms(asked)}"
        ),
    ]
    if database == "SQLite":
        slow = _of_the_twin(given, quick=quick)
        measured.insert(
            0,
            Row(
                f"{what}: search from plain values",
                "–",
                ms(found),
                f"brute force: {ms(slow)} = {times_as(slow / found)}",
                f"≥ {AT_LEAST_AS_FAST}×",
                slow / found >= AT_LEAST_AS_FAST,
            ),
        )
    return measured


def _what_it_is_given(load_and_find: Callable[[], object]) -> tuple[dict[str, Any], list[Statement]]:
    """What the engine is handed, and the statements that were sent for it."""
    statements: list[Statement] = []

    def note(execute: Callable[..., Any], sql: str, values: Any, many: Any, context: Any) -> Any:
        statements.append((sql, values))
        return execute(sql, values, many, context)

    with (
        patch.object(openings, "find_openings", wraps=openings.find_openings) as engine,
        connection.execute_wrapper(note),
    ):
        load_and_find()
    return dict(engine.call_args.kwargs), statements


def _of_the_twin(given: dict[str, Any], *, quick: bool) -> float:
    """Seconds of the twin on the same input, on which both must agree.

    :raises RuntimeError: if they do not.
    """
    if quick:
        first, _ = given["window"]
        given["window"] = first, first + 7 * 24 * 60 * 60
    say(f"the brute-force twin, {(given['window'][1] - given['window'][0]) // 86400} days")
    answers = []
    seconds = seconds_of(lambda: answers.append(every_opening(**given)))
    [twin], found = answers, openings.find_openings(**given)
    if [twin.at(start) for start in twin.starts()] != [found.at(start) for start in found.starts()]:
        raise RuntimeError("The search and its brute-force twin disagree")
    return seconds
