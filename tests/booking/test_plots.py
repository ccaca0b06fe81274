"""Where the points of a small plot stand."""

import itertools
from datetime import date

from booking.plots import BOTTOM, LEFT, RIGHT, TOP, Line, Plot, Point, over_time

MARCH = [date(2027, 3, day) for day in (1, 8, 11)]


def test_values_stand_between_the_edges_and_days_as_far_apart_as_in_the_calendar() -> None:
    plot = over_time(MARCH, [("Pain", [10, 5, 0])], most=10)
    assert plot == Plot(
        lines=[
            Line(
                "Pain",
                [
                    Point(LEFT, TOP, 10),
                    Point(round(LEFT + (RIGHT - LEFT) * 0.7, 1), (TOP + BOTTOM) / 2, 5),
                    Point(RIGHT, BOTTOM, 0),
                ],
            )
        ],
        rules=[(0, BOTTOM), (5, (TOP + BOTTOM) / 2), (10, TOP)],
        days=[(MARCH[0], LEFT), (MARCH[1], 252.0), (MARCH[2], RIGHT)],
    )
    assert plot.lines[0].path == "28,12 252,91 348,170"


def test_a_single_visit_stands_in_the_middle() -> None:
    plot = over_time(MARCH[:1], [("Pain", [3])], most=10)
    assert plot.days == [(MARCH[0], (LEFT + RIGHT) / 2)]
    assert plot.lines[0].points == [Point((LEFT + RIGHT) / 2, 122.6, 3)]


def test_two_visits_of_one_day_stand_in_one_place() -> None:
    plot = over_time([MARCH[0]] * 2, [("Pain", [3, 4])], most=10)
    assert [point.x for point in plot.lines[0].points] == [188, 188]
    assert len(plot.days) == 1


def test_days_without_room_for_their_name_are_left_out_and_never_the_last() -> None:
    days = [date(2027, 3, day) for day in range(1, 31)]
    named = over_time(days, [], most=10).days
    assert named[-1] == (days[-1], RIGHT)
    places = [x for _, x in named]
    assert min(later - before for before, later in itertools.pairwise(places)) >= 62


def test_nothing_is_no_plot_and_no_fault() -> None:
    assert over_time([], [("Pain", [])], most=10).lines == [Line("Pain", [])]
