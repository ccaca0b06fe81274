"""Holds the finder of openings to what a receptionist would find by looking at the calendar."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.openings import (
    Calendar,
    Interval,
    Opening,
    Openings,
    Phase,
    Span,
    find_openings,
    phase_times,
    spans,
)
from tests.booking.brute_force import Found, every_opening

TORONTO = ZoneInfo("America/Toronto")
MINUTE = 60
HOUR = 3600

INSERTION = Phase(20, needs_practitioner=True, needs_room=True)
REST = Phase(20, needs_practitioner=False, needs_room=True, may_stretch_by=10)
REMOVAL = Phase(5, needs_practitioner=True, needs_room=True)
TURNOVER = Phase(10, needs_practitioner=False, needs_room=True)
ACUPUNCTURE = (INSERTION, REST, REMOVAL, TURNOVER)
ACUPUNCTURE_WITHOUT_STRETCH = (INSERTION, replace(REST, may_stretch_by=0), REMOVAL, TURNOVER)
TALK = (Phase(30, needs_practitioner=True, needs_room=False),)
FORMS = Phase(15, needs_practitioner=False, needs_room=False)

WANG, PATEL = 1, 2
BLUE, GREEN, WHITE = 11, 12, 13


def at(clock: str, on: date = date(2027, 3, 4), *, fold: int = 0) -> int:
    """The epoch second of this wall-clock time in Toronto."""
    return int(datetime.combine(on, time.fromisoformat(clock), TORONTO).replace(fold=fold).timestamp())


def clock(second: int) -> str:
    return datetime.fromtimestamp(second, TORONTO).strftime("%H:%M")


def between(first: str, last: str) -> Interval:
    return (at(first), at(last))


NINE_TO_FIVE = Calendar([between("09:00", "17:00")])


def openings(
    phases: Sequence[Phase] = TALK,
    *,
    practitioners: Mapping[int, Calendar] | None = None,
    rooms: Mapping[int, Calendar] | None = None,
    window: Interval | None = None,
    earliest: int | None = None,
    latest: int | None = None,
    every_minutes: int = 15,
    midnights: Sequence[int] = (),
    shortest_visits: Mapping[int, int] | None = None,
) -> Openings:
    """A search of one day; Wang and the blue room are free from nine to five, unless told otherwise."""
    window = window or between("00:00", "23:55")
    return find_openings(
        phases=phases,
        practitioners={WANG: NINE_TO_FIVE} if practitioners is None else practitioners,
        rooms={BLUE: NINE_TO_FIVE} if rooms is None else rooms,
        window=window,
        earliest=window[0] if earliest is None else earliest,
        latest=window[1] if latest is None else latest,
        every_minutes=every_minutes,
        midnights=midnights,
        shortest_visits=shortest_visits,
    )


def clocks(found: Openings, practitioner: int | None = None) -> list[str]:
    return [clock(start) for start in found.starts(practitioner)]


def wang_with(*taken: Interval, hours: str = "09:00-11:00") -> dict[int, Calendar]:
    return {WANG: Calendar([between(*hours.split("-"))], taken)}


# The day's edges


def test_a_visit_may_start_exactly_at_opening_and_end_exactly_at_closing() -> None:
    assert clocks(openings(practitioners=wang_with(hours="09:00-10:00"))) == ["09:00", "09:15", "09:30"]


def test_hours_shorter_than_the_visit_give_no_opening() -> None:
    assert clocks(openings(practitioners=wang_with(hours="09:00-09:25"), every_minutes=5)) == []


def test_a_visit_may_touch_the_visits_before_and_after_it() -> None:
    busy = wang_with(between("09:00", "09:30"), between("10:00", "11:00"))
    assert clocks(openings(practitioners=busy)) == ["09:30"]


def test_a_taken_time_is_refused() -> None:
    busy = wang_with(between("09:30", "10:00"))
    found = openings(practitioners=busy)
    assert clocks(found) == ["09:00", "10:00", "10:15", "10:30"]
    assert found.at(at("09:15")) is None
    assert found.who(at("09:15")) == ()


def test_a_break_between_two_open_times_is_not_bridged() -> None:
    lunch = {WANG: Calendar([between("11:30", "12:00"), between("13:00", "13:30")])}
    assert clocks(openings(practitioners=lunch, every_minutes=5)) == ["11:30", "13:00"]


def test_two_open_times_that_touch_are_one() -> None:
    shifts = {WANG: Calendar([between("10:00", "10:15"), between("09:45", "10:00")])}
    assert clocks(openings(practitioners=shifts)) == ["09:45"]


def test_a_visit_may_run_across_midnight_if_the_hours_do() -> None:
    night = Calendar([(at("23:30"), at("00:15", date(2027, 3, 5)))])
    found = openings(practitioners={WANG: night}, window=(at("12:00"), at("12:00", date(2027, 3, 5))))
    assert clocks(found) == ["23:30", "23:45"]


def test_nothing_outside_the_window_is_free() -> None:
    found = openings(window=between("10:00", "11:00"), earliest=at("09:00"), latest=at("17:00"))
    assert clocks(found) == ["10:00", "10:15", "10:30"]


def test_a_window_off_the_five_minutes_is_narrowed_to_whole_cells() -> None:
    window = (at("10:00") + 1, at("11:00") - 1)
    assert clocks(openings(window=window, every_minutes=5)) == ["10:05", "10:10", "10:15", "10:20", "10:25"]


@pytest.mark.parametrize("window", [between("10:00", "10:00"), between("11:00", "10:00")])
def test_an_empty_window_holds_no_opening(window: Interval) -> None:
    assert openings(window=window).starts() == []


def test_a_closure_without_end_and_hours_without_end_are_cut_to_the_window() -> None:
    forever = (0, at("00:00", date(9999, 12, 30)))
    assert clocks(openings(practitioners={WANG: Calendar([forever])}, window=between("10:00", "10:30"))) == [
        "10:00"
    ]
    assert clocks(openings(practitioners=wang_with((at("09:30"), forever[1])))) == ["09:00"]


# Notice and horizon


def test_a_start_exactly_at_the_end_of_the_notice_counts() -> None:
    assert clocks(openings(earliest=at("16:00"))) == ["16:00", "16:15", "16:30"]


def test_a_start_one_second_inside_the_notice_does_not_count() -> None:
    assert clocks(openings(earliest=at("16:00") + 1)) == ["16:15", "16:30"]


def test_the_last_start_of_the_horizon_counts_and_the_visit_may_end_after_it() -> None:
    assert clocks(openings(latest=at("09:15"))) == ["09:00", "09:15"]
    assert clocks(openings(latest=at("09:15") - 1)) == ["09:00"]


def test_a_notice_longer_than_the_horizon_leaves_no_opening() -> None:
    found = openings(earliest=at("12:00"), latest=at("10:00"))
    assert (found.starts(), found.at(at("11:00")), found.who(at("11:00"))) == ([], None, ())


# The grid


@pytest.mark.parametrize(
    ("every_minutes", "expected"),
    [
        (5, ["09:30", "09:35", "09:40", "09:45", "09:50", "09:55", "10:00"]),
        (10, ["09:30", "09:40", "09:50", "10:00"]),
        (20, ["09:40", "10:00"]),
        (30, ["09:30", "10:00"]),
        (60, ["10:00"]),
    ],
)
def test_starts_stand_on_the_same_minutes_of_every_hour(every_minutes: int, expected: list[str]) -> None:
    found = openings(practitioners=wang_with(hours="09:30-10:30"), every_minutes=every_minutes)
    assert clocks(found) == expected


def test_a_time_between_the_starts_cannot_be_booked() -> None:
    found = openings()
    assert [found.at(at("09:05")), found.at(at("09:00") + 1)] == [None, None]
    assert [found.who(at("09:05")), found.who(at("09:00") + 1)] == [(), ()]


def test_a_visit_that_overruns_its_cell_by_a_second_takes_the_whole_cell() -> None:
    late = wang_with((at("09:15"), at("09:30") + 1))
    assert clocks(openings(practitioners=late, every_minutes=5))[:1] == ["09:35"]


def test_hours_off_the_five_minutes_shrink_to_whole_cells() -> None:
    odd = {WANG: Calendar([(at("09:00") + 1, at("09:45") - 1)])}
    assert clocks(openings(practitioners=odd, every_minutes=5)) == ["09:05", "09:10"]


def test_an_empty_or_reversed_interval_takes_nothing() -> None:
    moment = at("09:30") + 100
    empty = wang_with((moment, moment), (moment + 10, moment), hours="09:15-09:45")
    assert clocks(openings(practitioners=empty)) == ["09:15"]


# The clinic's visit: needles in, rest, needles out, turnover


def test_one_visit_takes_the_practitioner_twice_and_the_room_throughout() -> None:
    opening = openings(ACUPUNCTURE).at(at("09:00"))
    assert opening == Opening(at("09:00"), WANG, BLUE, (0, 0, 0, 0))
    assert spans(opening, ACUPUNCTURE) == (
        Span(WANG, at("09:00"), at("09:20")),
        Span(WANG, at("09:40"), at("09:45")),
        Span(BLUE, at("09:00"), at("09:55")),
    )
    assert phase_times(opening, ACUPUNCTURE) == (
        between("09:00", "09:20"),
        between("09:20", "09:40"),
        between("09:40", "09:45"),
        between("09:45", "09:55"),
    )


def test_the_practitioner_is_free_for_the_next_room_while_the_patient_rests() -> None:
    wang = wang_with(between("09:00", "09:20"), between("09:40", "09:45"))
    rooms = {BLUE: Calendar(NINE_TO_FIVE.open, [between("09:00", "09:55")]), GREEN: NINE_TO_FIVE}
    opening = openings(ACUPUNCTURE, practitioners=wang, rooms=rooms, every_minutes=5).at(at("09:20"))
    assert opening == Opening(at("09:20"), WANG, GREEN, (0, 0, 0, 0))


def test_a_longer_rest_makes_a_start_possible_that_fixed_phases_refuse() -> None:
    busy = wang_with(between("09:40", "09:45"))
    assert openings(ACUPUNCTURE_WITHOUT_STRETCH, practitioners=busy).at(at("09:00")) is None
    opening = openings(ACUPUNCTURE, practitioners=busy).at(at("09:00"))
    assert opening == Opening(at("09:00"), WANG, BLUE, (0, 5, 0, 0))
    assert spans(opening, ACUPUNCTURE) == (
        Span(WANG, at("09:00"), at("09:20")),
        Span(WANG, at("09:45"), at("09:50")),
        Span(BLUE, at("09:00"), at("10:00")),
    )


def test_a_rest_stretches_only_as_far_as_it_may() -> None:
    ten_minutes = wang_with(between("09:40", "09:50"))
    fifteen_minutes = wang_with(between("09:40", "09:55"))
    stretched = openings(ACUPUNCTURE, practitioners=ten_minutes).at(at("09:00"))
    assert stretched == Opening(at("09:00"), WANG, BLUE, (0, 10, 0, 0))
    assert openings(ACUPUNCTURE, practitioners=fifteen_minutes).at(at("09:00")) is None


def test_a_rest_does_not_stretch_into_a_room_that_is_taken_next() -> None:
    busy = wang_with(between("09:40", "09:45"))
    room = {BLUE: Calendar(NINE_TO_FIVE.open, [between("09:55", "10:30")])}
    assert openings(ACUPUNCTURE, practitioners=busy, rooms=room).at(at("09:00")) is None


def test_a_practitioner_who_needs_no_stretch_comes_before_one_who_does() -> None:
    both = {
        WANG: Calendar(NINE_TO_FIVE.open, [between("09:40", "09:45")]),
        PATEL: Calendar(NINE_TO_FIVE.open, [between("14:00", "16:00")]),
    }
    found = openings(ACUPUNCTURE, practitioners=both)
    assert found.at(at("09:00")) == Opening(at("09:00"), PATEL, BLUE, (0, 0, 0, 0))
    assert found.at(at("09:00"), WANG) == Opening(at("09:00"), WANG, BLUE, (0, 5, 0, 0))


def test_of_equal_stretches_the_earlier_phases_are_kept_to_plan() -> None:
    two_rests = (INSERTION, REST, REMOVAL, REST, REMOVAL)
    late = wang_with(between("10:05", "10:10"))
    early_and_late = wang_with(between("09:40", "09:45"), between("10:05", "10:10"))
    opening = openings(two_rests, practitioners=late).at(at("09:00"))
    assert opening == Opening(at("09:00"), WANG, BLUE, (0, 0, 0, 5, 0))
    opening = openings(two_rests, practitioners=early_and_late).at(at("09:00"))
    assert opening == Opening(at("09:00"), WANG, BLUE, (0, 5, 0, 0, 0))


def test_the_shortest_visit_comes_first_whichever_phase_is_stretched() -> None:
    two_rests = (INSERTION, REST, REMOVAL, REST, REMOVAL)
    both = {
        WANG: Calendar(NINE_TO_FIVE.open, [between("10:05", "10:15")]),
        PATEL: Calendar(NINE_TO_FIVE.open, [between("09:40", "09:45"), between("14:00", "16:00")]),
    }
    found = openings(two_rests, practitioners=both)
    assert found.at(at("09:00"), WANG) == Opening(at("09:00"), WANG, BLUE, (0, 0, 0, 10, 0))
    assert found.at(at("09:00")) == Opening(at("09:00"), PATEL, BLUE, (0, 5, 0, 0, 0))


def test_the_same_room_is_kept_for_the_whole_visit() -> None:
    halves = {
        BLUE: Calendar([between("09:00", "09:30")]),
        GREEN: Calendar([between("09:30", "11:00")]),
    }
    assert clocks(openings(ACUPUNCTURE, practitioners=wang_with(), rooms=halves)) == [
        "09:30",
        "09:45",
        "10:00",
    ]


def test_the_same_practitioner_is_kept_for_the_whole_visit() -> None:
    halves = {
        WANG: Calendar([between("09:00", "09:30")]),
        PATEL: Calendar([between("09:30", "11:00")]),
    }
    assert clocks(openings(ACUPUNCTURE, practitioners=halves)) == ["09:30", "09:45", "10:00", "10:15"]


def test_turnover_must_end_before_the_room_closes_but_after_the_practitioner_left() -> None:
    wang = {WANG: Calendar([between("09:00", "09:45")])}
    assert clocks(
        openings(ACUPUNCTURE, practitioners=wang, rooms={BLUE: Calendar([between("09:00", "09:55")])})
    ) == ["09:00"]
    assert (
        clocks(openings(ACUPUNCTURE, practitioners=wang, rooms={BLUE: Calendar([between("09:00", "09:50")])}))
        == []
    )


def visits_booked(phases: Sequence[Phase], starts: Sequence[int]) -> int:
    """How many of these starts can be booked, one after another, with three rooms from nine to six."""
    calendars = {id_: Calendar([between("09:00", "18:00")]) for id_ in (WANG, BLUE, GREEN, WHITE)}
    booked = 0
    for start in starts:
        opening = openings(
            phases,
            practitioners={WANG: calendars[WANG]},
            rooms={room: calendars[room] for room in (BLUE, GREEN, WHITE)},
            every_minutes=5,
        ).at(start)
        if opening is None:
            continue
        booked += 1
        for span in spans(opening, phases):
            calendar = calendars[span.resource]
            taken = [*calendar.taken, (span.starts_at, span.ends_at)]
            calendars[span.resource] = replace(calendar, taken=taken)
    return booked


def test_three_rooms_let_one_practitioner_see_twenty_patients_in_nine_hours() -> None:
    every_25_minutes = range(at("09:00"), at("17:00"), 25 * MINUTE)
    last_first = every_25_minutes[::-1]
    all_starts = range(at("09:00"), at("18:00"), 5 * MINUTE)
    with_the_practitioner_throughout = (Phase(45, needs_practitioner=True, needs_room=True), TURNOVER)
    assert visits_booked(ACUPUNCTURE, last_first) == 20
    assert visits_booked(ACUPUNCTURE, all_starts) == 16
    assert visits_booked(with_the_practitioner_throughout, all_starts) == 11


# Phases that need less


def test_a_visit_that_needs_no_room_names_none() -> None:
    opening = openings(TALK, rooms={}).at(at("09:00"))
    assert opening == Opening(at("09:00"), WANG, None, (0,))
    assert spans(opening, TALK) == (Span(WANG, at("09:00"), at("09:30")),)


def test_a_visit_that_needs_no_practitioner_names_none() -> None:
    rest = (REST,)
    found = openings(rest, practitioners={}, rooms={BLUE: Calendar([between("09:00", "09:30")])})
    assert found.at(at("09:00")) == Opening(at("09:00"), None, BLUE, (0,))
    assert found.who(at("09:00")) == ()
    assert (clocks(found), clocks(found, WANG)) == (["09:00"], [])


def test_a_visit_that_needs_nothing_can_start_at_any_time_of_the_window() -> None:
    found = openings((FORMS,), practitioners={}, rooms={}, window=between("09:00", "09:30"))
    assert [found.at(start) for start in found.starts()] == [
        Opening(at("09:00"), None, None, (0,)),
        Opening(at("09:15"), None, None, (0,)),
    ]


def test_forms_filled_in_the_waiting_area_leave_practitioner_and_room_free() -> None:
    phases = (FORMS, INSERTION, FORMS, REMOVAL)
    taken = [between("09:00", "09:15"), between("09:35", "09:50")]
    found = openings(
        phases,
        practitioners={WANG: Calendar(NINE_TO_FIVE.open, taken)},
        rooms={BLUE: Calendar(NINE_TO_FIVE.open, taken)},
    )
    opening = found.at(at("09:00"))
    assert opening == Opening(at("09:00"), WANG, BLUE, (0, 0, 0, 0))
    assert spans(opening, phases) == (
        Span(WANG, at("09:15"), at("09:35")),
        Span(WANG, at("09:50"), at("09:55")),
        Span(BLUE, at("09:15"), at("09:35")),
        Span(BLUE, at("09:50"), at("09:55")),
    )


@pytest.mark.parametrize("missing", [{"practitioners": {}}, {"rooms": {}}])
def test_no_candidate_for_what_a_visit_needs_means_no_opening(
    missing: dict[str, Mapping[int, Calendar]],
) -> None:
    found = openings(ACUPUNCTURE, **missing)  # type: ignore[arg-type]
    assert (found.starts(), found.at(at("09:00")), found.who(at("09:00"))) == ([], None, ())


# Who and where


def test_anyone_offers_the_starts_of_all_and_a_name_only_that_practitioners() -> None:
    both = {
        PATEL: Calendar([between("10:00", "10:45")]),
        WANG: Calendar([between("09:30", "10:30")]),
    }
    found = openings(practitioners=both)
    assert clocks(found) == ["09:30", "09:45", "10:00", "10:15"]
    assert clocks(found, WANG) == ["09:30", "09:45", "10:00"]
    assert clocks(found, PATEL) == ["10:00", "10:15"]
    assert [found.who(start) for start in found.starts()] == [(WANG,), (WANG,), (WANG, PATEL), (PATEL,)]
    assert found.at(at("10:15"), WANG) is None


def test_an_unknown_practitioner_has_no_opening() -> None:
    assert (openings().starts(PATEL), openings().at(at("09:00"), PATEL)) == ([], None)


def test_anyone_is_the_practitioner_with_the_least_to_do_that_day() -> None:
    midnights = [at("00:00", date(2027, 3, day)) for day in (3, 4, 5)]

    def served_by(*, wang: list[Interval], patel: list[Interval]) -> int | None:
        opening = openings(
            practitioners={
                WANG: Calendar(NINE_TO_FIVE.open, wang),
                PATEL: Calendar(NINE_TO_FIVE.open, patel),
            },
            window=(at("00:00", date(2027, 3, 2)), at("00:00", date(2027, 3, 6))),
            midnights=midnights,
        ).at(at("09:00"))
        assert opening is not None
        return opening.practitioner

    hour, half = [between("11:00", "12:00")], [between("11:00", "11:30")]
    assert served_by(wang=hour, patel=half) == PATEL
    assert served_by(wang=half, patel=hour) == WANG
    assert served_by(wang=hour, patel=hour) == WANG
    assert served_by(wang=half * 3, patel=hour) == WANG  # one time taken thrice is taken once
    assert served_by(wang=[(midnights[1] - HOUR, midnights[1])], patel=[]) == WANG
    assert served_by(wang=[(midnights[1] - HOUR, midnights[1] + 300)], patel=[]) == PATEL
    assert served_by(wang=[(midnights[2], midnights[2] + HOUR)], patel=[]) == WANG
    assert served_by(wang=[(midnights[2] - 300, midnights[2] + HOUR)], patel=[]) == PATEL


def test_a_visit_at_midnight_belongs_to_the_day_that_begins() -> None:
    midnight = at("00:00", date(2027, 3, 5))
    night = [(midnight - HOUR, midnight + HOUR)]
    found = openings(
        practitioners={
            WANG: Calendar(night, [(midnight - HOUR, midnight)]),
            PATEL: Calendar(night, [(midnight + HOUR, midnight + 2 * HOUR)]),
        },
        window=(midnight - 12 * HOUR, midnight + 12 * HOUR),
        midnights=[midnight],
    )
    assert found.at(midnight) == Opening(midnight, WANG, None, (0,))


def test_a_closure_is_no_work_done_that_day() -> None:
    both = {
        WANG: Calendar(NINE_TO_FIVE.open, closed=[between("11:00", "16:00")]),
        PATEL: Calendar(NINE_TO_FIVE.open, [between("11:00", "11:05")]),
    }
    assert openings(practitioners=both).at(at("09:00")) == Opening(at("09:00"), WANG, None, (0,))


@pytest.mark.parametrize(
    ("blue", "green", "expected"),
    [
        ([], [], BLUE),
        ([], [("09:00", "10:00")], GREEN),
        ([], [("10:55", "12:00")], GREEN),
        ([("09:00", "10:00")], [("09:00", "10:00"), ("10:55", "12:00")], GREEN),
        ([("09:00", "10:00")], [("10:55", "12:00")], BLUE),
        ([("09:00", "09:55")], [("09:00", "10:00")], GREEN),
    ],
    ids=["lowest id", "after a visit", "before a visit", "between visits", "equal", "a gap of five minutes"],
)
def test_the_room_chosen_is_the_one_where_the_visit_leaves_fewest_gaps(
    blue: list[tuple[str, str]], green: list[tuple[str, str]], expected: int
) -> None:
    rooms = {
        GREEN: Calendar(NINE_TO_FIVE.open, [between(*times) for times in green]),
        BLUE: Calendar(NINE_TO_FIVE.open, [between(*times) for times in blue]),
    }
    opening = openings(ACUPUNCTURE, rooms=rooms).at(at("10:00"))
    assert opening == Opening(at("10:00"), WANG, expected, (0, 0, 0, 0))


def test_a_room_that_opens_or_closes_with_the_visit_is_chosen_before_one_that_does_not() -> None:
    rooms = {BLUE: NINE_TO_FIVE, GREEN: Calendar([between("10:00", "16:00")])}
    chosen = [
        openings(ACUPUNCTURE, rooms=rooms, every_minutes=5).at(at(start)) for start in ("10:00", "15:05")
    ]
    assert [opening and opening.room for opening in chosen] == [GREEN, GREEN]


def test_a_room_at_the_first_moment_of_the_window_has_no_free_side_before_it() -> None:
    rooms = {
        BLUE: NINE_TO_FIVE,
        GREEN: Calendar(NINE_TO_FIVE.open, [between("10:55", "11:00")]),
    }
    opening = openings(ACUPUNCTURE, rooms=rooms, window=between("10:00", "17:00")).at(at("10:00"))
    assert opening == Opening(at("10:00"), WANG, GREEN, (0, 0, 0, 0))


# Starts that touch another visit


def test_between_the_round_times_a_start_that_touches_a_visit_is_offered() -> None:
    busy = wang_with(between("09:40", "10:05"))
    found = openings(practitioners=busy)
    assert clocks(found) == ["09:00", "09:10", "10:05", "10:15", "10:30"]
    assert [clock(start) for start in found.touching()] == ["09:10", "10:05"]
    assert found.at(at("09:10")) == Opening(at("09:10"), WANG, None, (0,))
    assert (found.at(at("09:05")), found.who(at("09:05")), found.who(at("09:10"))) == (None, (), (WANG,))


def test_a_round_time_that_touches_is_told_apart_from_one_that_does_not() -> None:
    found = openings(practitioners=wang_with(between("09:30", "10:00")))
    assert clocks(found) == ["09:00", "10:00", "10:15", "10:30"]
    assert [clock(start) for start in found.touching(WANG)] == ["09:00", "10:00"]


def test_a_closure_is_nothing_to_touch() -> None:
    away = {WANG: Calendar([between("09:00", "11:00")], closed=[between("09:40", "10:05")])}
    found = openings(practitioners=away)
    assert clocks(found) == ["09:00", "10:15", "10:30"]
    assert found.touching() == []


def test_neither_the_edge_of_the_hours_nor_the_rooms_visits_are_touched() -> None:
    rooms = {BLUE: Calendar(NINE_TO_FIVE.open, [between("09:00", "10:05")])}
    found = openings(ACUPUNCTURE, practitioners=wang_with(hours="08:50-11:00"), rooms=rooms)
    assert clocks(found) == ["10:15"]
    assert found.touching() == []


def test_a_visit_begins_the_moment_another_patients_rest_begins() -> None:
    resting = wang_with(between("09:05", "09:25"), between("09:45", "09:50"))
    found = openings(ACUPUNCTURE, practitioners=resting, rooms={GREEN: NINE_TO_FIVE})
    assert clocks(found) == ["09:25", "09:50", "10:00", "10:15"]
    assert [clock(start) for start in found.touching()] == ["09:25", "09:50"]


def test_the_second_part_of_a_visit_may_be_the_one_that_touches() -> None:
    busy = wang_with(between("09:50", "10:30"))
    found = openings(ACUPUNCTURE, practitioners=busy)
    assert clocks(found) == ["09:00", "09:05"]
    assert found.at(at("09:05")) == Opening(at("09:05"), WANG, BLUE, (0, 0, 0, 0))


def test_a_rest_is_not_stretched_only_to_touch() -> None:
    busy = wang_with(between("09:55", "10:30"), hours="09:05-11:00")
    found = openings(ACUPUNCTURE, practitioners=busy, every_minutes=60)
    assert clocks(found) == ["09:10"], "five minutes earlier a longer rest would touch too"
    assert found.at(at("09:10")) == Opening(at("09:10"), WANG, BLUE, (0, 0, 0, 0))


def test_a_start_that_touches_one_practitioners_visit_is_offered_with_that_one_alone() -> None:
    both = wang_with(between("09:40", "10:05")) | {PATEL: Calendar([between("09:00", "11:00")])}
    found = openings(practitioners=both)
    assert [found.who(at(start)) for start in ("09:00", "09:10", "10:05")] == [
        (WANG, PATEL),
        (WANG,),
        (WANG,),
    ]
    assert clocks(found, PATEL)[:3] == ["09:00", "09:15", "09:30"]
    assert found.at(at("09:10"), PATEL) is None


def test_with_anyone_a_start_touches_if_the_one_who_would_serve_it_is_touched() -> None:
    both = wang_with(between("09:30", "10:00")) | {PATEL: Calendar([between("09:00", "11:00")])}
    found = openings(practitioners=both)
    assert [clock(start) for start in found.touching(WANG)] == ["09:00", "10:00"]
    assert found.at(at("09:00")) == Opening(at("09:00"), PATEL, None, (0,)), "the least busy"
    assert found.touching() == []


def test_touching_starts_keep_notice_horizon_and_window() -> None:
    busy = wang_with(between("09:40", "10:05"))
    assert clocks(openings(practitioners=busy, earliest=at("09:10") + 1, latest=at("10:05") - 1)) == []
    assert clocks(openings(practitioners=busy, earliest=at("09:10"), latest=at("10:05"))) == [
        "09:10",
        "10:05",
    ]


# Compact days

HALF_HOUR = {WANG: 30}


def test_a_compact_day_hides_starts_that_leave_a_gap_too_short_to_use() -> None:
    found = openings(practitioners=wang_with(hours="09:00-11:00"), shortest_visits=HALF_HOUR)
    assert clocks(found) == ["09:00", "09:30", "09:45", "10:00", "10:30"]


def test_a_gap_exactly_as_long_as_the_shortest_visit_is_no_loss() -> None:
    found = openings(practitioners=wang_with(hours="09:00-10:30"), shortest_visits=HALF_HOUR, every_minutes=5)
    assert clocks(found) == ["09:00", "09:30", "10:00"]
    found = openings(
        practitioners=wang_with(hours="09:00-10:30"), shortest_visits={WANG: 35}, every_minutes=5
    )
    assert clocks(found) == ["09:00", "10:00"]


def test_a_gap_before_the_next_visit_counts_like_one_before_closing_time() -> None:
    busy = wang_with(between("10:30", "11:00"))
    found = openings(practitioners=busy, shortest_visits=HALF_HOUR)
    assert clocks(found) == ["09:00", "09:30", "10:00"]
    away = {WANG: Calendar([between("09:00", "11:00")], closed=[between("10:30", "11:00")])}
    assert clocks(openings(practitioners=away, shortest_visits=HALF_HOUR)) == ["09:00", "09:30", "10:00"]


def test_where_some_minutes_are_lost_anyway_both_ends_of_the_free_time_are_shown() -> None:
    between_two_visits = wang_with(between("09:00", "09:30"), between("10:15", "11:00"))
    found = openings(practitioners=between_two_visits, shortest_visits=HALF_HOUR, every_minutes=5)
    assert clocks(found) == ["09:30", "09:45"]


def test_a_day_on_which_something_fits_never_looks_full() -> None:
    odd_hours = wang_with(hours="09:10-09:55")
    assert clocks(openings(practitioners=odd_hours, shortest_visits=HALF_HOUR)) == ["09:15"]
    two_days = [between("09:10", "09:55"), (at("09:00", date(2027, 3, 5)), at("10:00", date(2027, 3, 5)))]
    found = openings(
        practitioners={WANG: Calendar(two_days)},
        window=(at("00:00"), at("00:00", date(2027, 3, 6))),
        midnights=[at("00:00", date(2027, 3, 5))],
        shortest_visits=HALF_HOUR,
    )
    assert clocks(found) == ["09:15", "09:00", "09:30"]


def test_free_time_within_another_patients_rest_is_never_wasted() -> None:
    resting = wang_with(between("09:00", "09:20"), between("09:45", "09:50"))
    short = (Phase(15, needs_practitioner=True, needs_room=False),)
    found = openings(short, practitioners=resting, shortest_visits=HALF_HOUR, every_minutes=5)
    assert clocks(found)[:4] == ["09:20", "09:25", "09:30", "09:50"]


def test_a_rest_of_the_visit_itself_is_no_gap() -> None:
    found = openings(ACUPUNCTURE, practitioners=wang_with(hours="09:00-09:45"), shortest_visits={WANG: 45})
    assert clocks(found) == ["09:00"]


def test_each_practitioners_gaps_are_measured_by_their_own_shortest_visit() -> None:
    both = {id_: Calendar([between("09:00", "10:30")]) for id_ in (WANG, PATEL)}
    found = openings(practitioners=both, shortest_visits={WANG: 45})
    assert clocks(found, WANG) == ["09:00", "10:00"]
    assert clocks(found, PATEL) == ["09:00", "09:15", "09:30", "09:45", "10:00"]


def test_a_hidden_start_can_still_be_had_by_somebody_who_chose_it_before() -> None:
    found = openings(practitioners=wang_with(hours="09:00-10:00"), shortest_visits=HALF_HOUR)
    assert (clocks(found), found.who(at("09:15"))) == (["09:00", "09:30"], ())
    assert found.at(at("09:15")) == found.at(at("09:15"), WANG) == Opening(at("09:15"), WANG, None, (0,))


def test_at_a_start_hidden_with_one_practitioner_anyone_is_another() -> None:
    both = wang_with(hours="09:00-10:00") | {PATEL: Calendar([between("09:15", "11:00")])}
    found = openings(practitioners=both, shortest_visits={WANG: 30, PATEL: 30})
    assert found.who(at("09:15")) == (PATEL,)
    assert found.at(at("09:15")) == Opening(at("09:15"), PATEL, None, (0,))


# What cannot be a visit


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        (Phase(0, needs_practitioner=True, needs_room=True), "Phase 2 lasts 0 minutes"),
        (Phase(-5, needs_practitioner=True, needs_room=True), "Phase 2 lasts -5 minutes"),
        (Phase(7, needs_practitioner=True, needs_room=True), "Phase 2 lasts 7 minutes"),
        (replace(REST, may_stretch_by=-5), "Phase 2 may stretch by -5 minutes"),
        (replace(REST, may_stretch_by=3), "Phase 2 may stretch by 3 minutes"),
    ],
)
def test_a_phase_not_in_steps_of_five_minutes_is_named(phase: Phase, message: str) -> None:
    phases = (INSERTION, phase)
    opening = Opening(at("09:00"), WANG, BLUE, (0, 0))
    with pytest.raises(ValueError, match=message):
        openings(phases)
    with pytest.raises(ValueError, match=message):
        phase_times(opening, phases)
    with pytest.raises(ValueError, match=message):
        spans(opening, phases)


def test_a_visit_without_phases_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one phase"):
        openings(())


@pytest.mark.parametrize("every_minutes", [0, -15, 7])
def test_starts_not_in_steps_of_five_minutes_are_refused(every_minutes: int) -> None:
    with pytest.raises(ValueError, match=f"Starts every {every_minutes} minutes"):
        openings(every_minutes=every_minutes)


@pytest.mark.parametrize("minutes", [0, -30, 32])
def test_a_shortest_visit_not_in_steps_of_five_minutes_is_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match=f"Shortest visit with 1: {minutes} minutes"):
        openings(shortest_visits={WANG: minutes})


def test_one_resource_cannot_be_both_practitioner_and_room() -> None:
    with pytest.raises(ValueError, match=r"Resources \[1\]"):
        openings(practitioners={1: NINE_TO_FIVE}, rooms={1: NINE_TO_FIVE})


@pytest.mark.parametrize(
    "opening",
    [
        Opening(at("09:00"), WANG, None, (0, 0, 0, 0)),
        Opening(at("09:00"), None, BLUE, (0, 0, 0, 0)),
        Opening(at("09:00"), WANG, BLUE, (0,)),
    ],
)
def test_an_opening_of_another_visit_type_occupies_nothing_and_is_refused(opening: Opening) -> None:
    with pytest.raises(ValueError, match=r"other phases|zip"):
        spans(opening, ACUPUNCTURE)


def test_an_opening_with_a_room_is_refused_for_a_visit_that_needs_none() -> None:
    with pytest.raises(ValueError, match="other phases"):
        spans(Opening(at("09:00"), WANG, BLUE, (0,)), TALK)


# The two days on which the clocks change

SPRING = date(2027, 3, 14)
AUTUMN = date(2027, 11, 7)
HOUR_LONG = (Phase(60, needs_practitioner=True, needs_room=False),)


def openings_of_the_night(on: date, phases: Sequence[Phase] = HOUR_LONG, every_minutes: int = 30) -> Openings:
    """From midnight to four by the wall clock."""
    return openings(
        phases,
        practitioners={WANG: Calendar([(at("00:00", on), at("04:00", on))])},
        window=(at("00:00", on), at("00:00", on + timedelta(days=1))),
        every_minutes=every_minutes,
    )


def test_on_the_spring_day_nothing_starts_in_the_hour_that_does_not_exist() -> None:
    found = openings_of_the_night(SPRING)
    assert clocks(found) == ["00:00", "00:30", "01:00", "01:30", "03:00"]
    over_the_gap = found.at(at("01:30", SPRING))
    assert over_the_gap is not None
    assert [clock(time_) for time_ in phase_times(over_the_gap, HOUR_LONG)[0]] == ["01:30", "03:30"]
    assert spans(over_the_gap, HOUR_LONG) == (
        Span(WANG, at("01:30", SPRING), at("01:30", SPRING) + 60 * MINUTE),
    )


def test_on_the_autumn_day_both_half_past_ones_can_be_booked_and_differ() -> None:
    found = openings_of_the_night(AUTUMN)
    assert clocks(found) == [
        *("00:00", "00:30", "01:00", "01:30"),
        *("01:00", "01:30", "02:00", "02:30", "03:00"),
    ]
    first, second = at("01:30", AUTUMN), at("01:30", AUTUMN, fold=1)
    assert second - first == HOUR
    assert [found.at(first), found.at(second)] == [
        Opening(first, WANG, None, (0,)),
        Opening(second, WANG, None, (0,)),
    ]


def test_on_the_autumn_day_taking_one_half_past_one_leaves_the_other_free() -> None:
    first, second = at("01:30", AUTUMN), at("01:30", AUTUMN, fold=1)
    night = (at("00:00", AUTUMN), at("04:00", AUTUMN))
    found = openings(
        practitioners={WANG: Calendar([night], [(first, first + 30 * MINUTE)])},
        window=night,
        every_minutes=30,
    )
    assert first not in found.starts()
    assert second in found.starts()


def clock_changes() -> list[date]:
    """The second Sunday of March and the first of November, as in Ontario since 2007."""
    days = []
    for year in range(2026, 2036):
        for month, day in ((3, 8), (11, 1)):
            first = date(year, month, day)
            days.append(first + timedelta(days=(6 - first.weekday()) % 7))
    return days


@pytest.mark.parametrize("on", clock_changes(), ids=str)
def test_at_every_clock_change_the_night_has_as_many_starts_as_it_really_has_time(on: date) -> None:
    night_ends = at("04:00", on)
    found = openings_of_the_night(on, TALK, every_minutes=15)
    hours = {3: 3, 11: 5}[on.month]
    assert found.starts() == [night_ends - hours * HOUR + n * 15 * MINUTE for n in range(hours * 4 - 1)]
    for start in found.starts():
        there = datetime.fromtimestamp(start, TORONTO)
        assert there.astimezone(UTC).astimezone(TORONTO) == there
        assert there.date() == on
        assert there.minute % 15 == 0


# Equal to looking at every cell


def assert_finder_agrees_with_the_plainest_way(**search: Any) -> Found:
    """Compares every answer for every minute of the window; returns what the plainest way found."""
    found, expected = find_openings(**search), every_opening(**search)
    window = search["window"]
    everyone = (None, *search["practitioners"])
    assert [found.starts(id_) for id_ in everyone] == [expected.starts(id_) for id_ in everyone]
    assert [found.touching(id_) for id_ in everyone] == [expected.touching(id_) for id_ in everyone]
    for start in range(window[0] - window[0] % 60, window[1] + 600, 60):
        assert found.who(start) == expected.who(start)
        for id_ in everyone:
            assert found.at(start, id_) == expected.at(start, id_)
    return expected


def a_random_phase(random: Random) -> Phase:
    practitioner, room = random.choice(
        [(True, True), (True, True), (False, True), (True, False), (False, False)]
    )
    return Phase(
        random.choice([5, 5, 10, 15, 20, 30]),
        practitioner,
        room,
        may_stretch_by=random.choice([0, 0, 0, 5, 10]),
    )


def a_random_calendar(random: Random, window: Interval) -> Calendar:
    """Three shifts, some visits that begin and end at any second, and now and then a closure of hours."""

    def interval(longest: int, unit: int) -> Interval:
        start = window[0] + random.randrange(-HOUR, window[1] - window[0] + HOUR, unit)
        return (start, start + random.randrange(0, longest, unit))

    unit = random.choice([1, 60, 300, 300])
    taken = [interval(HOUR, unit) for _ in range(random.randrange(6))]
    closures = [interval(4 * HOUR, unit)] if random.random() < 0.2 else []
    return Calendar([interval(9 * HOUR, unit) for _ in range(3)], taken, closures)


@pytest.mark.parametrize("block", range(10))
def test_the_finder_agrees_with_the_plainest_way_on_random_days(block: int) -> None:
    random = Random(block)  # noqa: S311 - repeatable days, not secrets
    days_with_starts = days_with_touching_starts_off_the_grid = days_with_hidden_starts = 0
    for _ in range(30):
        day = random.choice([date(2027, 3, 4), SPRING, AUTUMN])
        starts = at("00:00", day) + random.choice([0, 0, random.randrange(24 * HOUR)])
        window = (starts, starts + random.randrange(2 * HOUR, 26 * HOUR, random.choice([1, 300])))
        practitioners = random.sample(range(1, 10), 2)
        every_minutes = random.choice([5, 10, 15, 15, 20, 30, 60])
        found = assert_finder_agrees_with_the_plainest_way(
            phases=[a_random_phase(random) for _ in range(random.randrange(1, 5))],
            practitioners={id_: a_random_calendar(random, window) for id_ in practitioners},
            rooms={id_: a_random_calendar(random, window) for id_ in random.sample(range(11, 20), 3)},
            window=window,
            earliest=window[0] + random.randrange(-HOUR, 2 * HOUR),
            latest=window[1] - random.randrange(-HOUR, 2 * HOUR),
            every_minutes=every_minutes,
            midnights=random.choice([[], [at("00:00", day + timedelta(days=more)) for more in (0, 1, 2)]]),
            shortest_visits=random.choice(
                [None, {practitioners[0]: 30}, dict.fromkeys(practitioners, random.choice([10, 45, 120]))]
            ),
        )
        days_with_starts += bool(found.shown)
        days_with_touching_starts_off_the_grid += any(start % (every_minutes * 60) for start in found.shown)
        days_with_hidden_starts += bool(found.hidden)
    assert days_with_starts >= 10
    assert days_with_touching_starts_off_the_grid >= 3
    assert days_with_hidden_starts >= 3


seconds = st.integers(at("08:00"), at("14:00"))
intervals = st.tuples(seconds, seconds)
calendars = st.builds(
    Calendar,
    st.lists(intervals, max_size=2).map(lambda more: [between("09:00", "13:00"), *more]),
    st.lists(intervals, max_size=3),
    st.lists(intervals, max_size=1),
)
visits = st.lists(
    st.builds(
        Phase,
        st.sampled_from([5, 10, 20]),
        st.booleans(),
        st.booleans(),
        st.sampled_from([0, 0, 5, 10]),
    ),
    min_size=1,
    max_size=4,
)


@given(
    phases=visits,
    practitioners=st.dictionaries(st.integers(1, 3), calendars, max_size=2),
    rooms=st.dictionaries(st.integers(11, 13), calendars, max_size=2),
    window=st.just(between("08:30", "13:30")) | st.tuples(seconds, seconds),
    every_minutes=st.sampled_from([5, 15, 25]),
    shortest_visits=st.none() | st.dictionaries(st.integers(1, 3), st.sampled_from([15, 45])),
)
def test_every_opening_lies_in_open_time_and_touches_nothing_taken(
    phases: list[Phase],
    practitioners: dict[int, Calendar],
    rooms: dict[int, Calendar],
    window: Interval,
    every_minutes: int,
    shortest_visits: dict[int, int] | None,
) -> None:
    found = openings(
        phases,
        practitioners=practitioners,
        rooms=rooms,
        window=window,
        every_minutes=every_minutes,
        shortest_visits=shortest_visits,
    )
    everything = practitioners | rooms
    for start in found.starts():
        for who in (None, *found.who(start)):
            opening = found.at(start, who)
            assert opening is not None
            assert opening.starts_at == start
            assert who in (None, opening.practitioner)
            for span in spans(opening, phases):
                calendar = everything[span.resource]
                for cell in range(span.starts_at, span.ends_at, 300):
                    assert any(first <= cell and cell + 300 <= last for first, last in calendar.open)
                assert not any(
                    max(first, span.starts_at) < min(last, span.ends_at)
                    for first, last in [*calendar.taken, *calendar.closed]
                )
                assert window[0] <= span.starts_at
                assert span.ends_at <= window[1]
            for phase, stretch in zip(phases, opening.stretches, strict=True):
                assert 0 <= stretch <= phase.may_stretch_by
