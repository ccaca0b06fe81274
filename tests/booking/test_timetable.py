"""The page of free times: which weeks it shows, which day is chosen, and how times are named."""

from datetime import date, datetime, time, timedelta

from booking import times, timetable

TODAY = date(2027, 3, 3)  # a Wednesday
LAST_ON = TODAY + timedelta(days=90)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=times.ZONE)


def lay_out(
    starts: list[datetime], from_on: date | None = None, day_on: date | None = None
) -> timetable.Timetable:
    return timetable.lay_out(starts, today=TODAY, last_on=LAST_ON, from_on=from_on, day_on=day_on)


def test_a_page_is_four_weeks_from_a_sunday_to_a_saturday() -> None:
    page = lay_out([at(date(2027, 3, 4), 10)])
    assert [[day.on for day in week] for week in page.weeks] == [
        times.days(date(2027, 2, 28) + timedelta(weeks=week), date(2027, 3, 6) + timedelta(weeks=week))
        for week in range(4)
    ]


def test_it_opens_at_the_first_week_with_free_times_and_its_first_free_day() -> None:
    page = lay_out([at(date(2027, 4, 14), 10), at(date(2027, 4, 15), 9), at(date(2027, 4, 15), 10)])
    assert (page.weeks[0][0].on, page.chosen_on) == (date(2027, 4, 11), date(2027, 4, 14))
    assert [(day.on.day, day.count) for day in page.weeks[0] if day.count] == [(14, 1), (15, 2)]


def test_the_weeks_before_can_still_be_looked_at_but_not_those_that_have_passed() -> None:
    assert lay_out([at(date(2027, 4, 14), 10)]).earlier_on == date(2027, 3, 14)
    assert lay_out([], from_on=date(2027, 3, 14)).earlier_on == date(2027, 2, 28)
    assert lay_out([]).earlier_on is None


def test_the_last_page_is_the_one_that_holds_the_horizon() -> None:
    assert lay_out([]).later_on == date(2027, 3, 28)
    assert lay_out([], from_on=LAST_ON).later_on is None


def test_a_page_without_free_times_names_the_next_free_day() -> None:
    starts = [at(date(2027, 3, 4), 10), at(date(2027, 5, 11), 10)]
    page = lay_out(starts, from_on=date(2027, 4, 4))
    assert (page.chosen_on, page.parts, page.next_free_on) == (None, [], date(2027, 5, 11))
    assert lay_out(starts).next_free_on is None


def test_a_day_without_free_times_is_not_chosen() -> None:
    page = lay_out([at(date(2027, 3, 4), 10)], day_on=date(2027, 3, 5))
    assert page.chosen_on == date(2027, 3, 4)


def test_days_out_of_reach_are_as_if_nobody_had_asked() -> None:
    starts = [at(date(2027, 3, 4), 10)]
    for wish in (date(2000, 1, 1), date(2199, 12, 31), LAST_ON + timedelta(days=1), date(2027, 2, 27)):
        assert lay_out(starts, from_on=wish, day_on=wish) == lay_out(starts)


def test_today_and_days_that_have_passed_are_marked() -> None:
    week = lay_out([]).weeks[0]
    assert [day.on.day for day in week if day.is_past] == [28, 1, 2]
    assert [day.on.day for day in week if day.is_today] == [3]


def test_the_caption_names_the_months() -> None:
    assert lay_out([]).months == "February to March 2027"
    assert lay_out([], from_on=date(2027, 5, 2)).months == "May 2027"
    december = timetable.lay_out(
        [], today=date(2027, 12, 20), last_on=date(2028, 3, 1), from_on=None, day_on=None
    )
    assert december.months == "December 2027 to January 2028"


def test_the_afternoon_begins_at_noon_and_the_evening_at_five() -> None:
    day = date(2027, 3, 4)
    starts = [at(day, 11, 55), at(day, 12), at(day, 16, 55), at(day, 17)]
    assert [(str(part.name), part.starts) for part in timetable.parts_of_day(starts)] == [
        ("Morning", starts[:1]),
        ("Afternoon", starts[1:3]),
        ("Evening", starts[3:]),
    ]


def test_the_shortcuts_are_the_soonest_the_first_evening_and_the_first_weekend() -> None:
    thursday, friday, saturday = date(2027, 3, 4), date(2027, 3, 5), date(2027, 3, 6)
    starts = [at(thursday, 9), at(friday, 18), at(saturday, 10), at(saturday, 17)]
    assert [(str(found.name), found.start) for found in timetable.shortcuts(starts)] == [
        ("First free day", starts[0]),
        ("First evening", starts[1]),
        ("First weekend", starts[2]),
    ]


def test_no_time_is_offered_twice_as_a_shortcut() -> None:
    saturday_evening = at(date(2027, 3, 6), 18)
    found = timetable.shortcuts([saturday_evening])
    assert [(str(shortcut.name), shortcut.start) for shortcut in found] == [
        ("First free day", saturday_evening)
    ]


def test_compact_days_suggest_what_touches_another_visit_first_day_by_day() -> None:
    day, next_day = date(2027, 3, 4), at(date(2027, 3, 5), 9)
    first, second = at(day, 9), at(day, 11, 30)
    assert timetable.compact_first([first, second, next_day], [second]) == [second, first, next_day]
    assert timetable.shortcuts([]) == []


def test_the_nearest_times_lie_before_and_after() -> None:
    day = date(2027, 3, 4)
    starts = [at(day, hour) for hour in (8, 9, 11, 12, 13)]
    assert timetable.nearest(starts, at(day, 10)) == [at(day, hour) for hour in (9, 11, 8, 12)]


def test_on_the_autumn_day_a_time_that_comes_twice_says_which_it_is() -> None:
    autumn = date(2027, 11, 7)
    first = at(autumn, 1, 30)
    second = first.replace(fold=1)
    assert [timetable.label(first), timetable.label(second)] == [
        f"1:30{times.NBSP}am{times.NBSP}EDT",
        f"1:30{times.NBSP}am{times.NBSP}EST",
    ]
    assert timetable.label(at(autumn, 2, 0)) == f"2:00{times.NBSP}am"
    assert timetable.label(at(autumn, 0, 55)) == f"12:55{times.NBSP}am"


def test_on_the_spring_day_no_time_needs_more_than_the_clock() -> None:
    spring = date(2027, 3, 14)
    after_the_gap = times.from_epoch(times.epoch(spring, time(3)))
    assert timetable.label(after_the_gap) == f"3:00{times.NBSP}am"
