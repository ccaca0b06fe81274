"""How measurements are written down; nothing here takes a time."""

from tests.bench.table import Part, Row, best_median, ms, page, percentile, times_as

FAST = Row("Page", "SQLite", "10.0 ms", "12.0 ms", "≤ 1.2×", is_met=True)
SLOW = Row("Race, p99", "PostgreSQL", "3,000 ms", "", "< 2 s", is_met=False)
TOLD = Row("Way", "–", "1", "")


def test_the_page_says_where_what_and_how_many_goals_are_met() -> None:
    parts = [Part("Pages", "What a page is.", [FAST, TOLD]), Part("Race", "What a race is.", [SLOW])]
    written = page(parts, circumstances=[("Machine", "2 cores")], skipped=["every PostgreSQL line"])
    assert (
        written
        == """\
# Performance

Written by `make bench`; do not edit. Each figure stands beside its reference from the same run.

**1 of 2 goals met.**

- Machine: 2 cores

**Skipped: every PostgreSQL line**

| Measured  | Database   | Figure   | Reference | Goal   | Met    |
|-----------|------------|----------|-----------|--------|--------|
| Page      | SQLite     | 10.0 ms  | 12.0 ms   | ≤ 1.2× | yes    |
| Way       | –          | 1        |           |        |        |
| Race, p99 | PostgreSQL | 3,000 ms |           | < 2 s  | **no** |

## What is compared

**Pages.** What a page is.

**Race.** What a race is.
"""
    )


def test_figures_are_written_with_as_many_digits_as_they_are_worth() -> None:
    assert [ms(0.00042), ms(0.0123), ms(1.2345)] == ["0.42 ms", "12.3 ms", "1,234 ms"]
    assert [times_as(0.624), times_as(12.4), times_as(4321)] == ["0.62×", "12×", "4,321×"]


def test_of_a_hundred_values_one_is_above_the_99th_percentile() -> None:
    assert percentile(list(range(100, 0, -1)), 0.99) == 99
    assert percentile([3, 1, 2], 0.5) == 2


def test_what_is_timed_is_called_once_to_warm_up_and_then_as_often_as_asked() -> None:
    calls: list[int] = []
    best_median(lambda: calls.append(1), groups=2, repeats=3)
    assert len(calls) == 7
