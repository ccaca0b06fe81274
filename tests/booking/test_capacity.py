"""How many visits fit in a day: known best numbers, an independent check of every packing, and the command."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from io import StringIO
from itertools import product
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from booking import capacity, times
from booking.capacity import Packing, Way, pack_day, phases_in
from booking.models import Closure, ExtraHours, Resource, VisitType
from booking.openings import Calendar, Interval, Opening, Phase, phase_times
from tests.booking import factories

HOUR = 3600
NINE_HOURS = (0, 9 * HOUR)

TREATMENT = (
    Phase(20, needs_practitioner=True, needs_room=True),
    Phase(20, needs_practitioner=False, needs_room=True, may_stretch_by=10),
    Phase(5, needs_practitioner=True, needs_room=True),
    Phase(10, needs_practitioner=False, needs_room=True),
)
"""Needles in, rest, needles out, room made ready: 55 minutes, of which the practitioner is needed for 25."""


def resources(first_id: int, calendars: Sequence[Calendar]) -> dict[int, Calendar]:
    return dict(enumerate(calendars, start=first_id))


def pack(
    way: Way = Way.STRETCHING,
    *,
    phases: Sequence[Phase] = TREATMENT,
    practitioners: int | Sequence[Calendar] = 1,
    rooms: int | Sequence[Calendar] = 3,
    every_minutes: int = 5,
    window: Interval = NINE_HOURS,
    known: Sequence[Opening] = (),
) -> Packing:
    """The packing of one day, checked; resources given as a number are free in the whole window."""
    all_day = Calendar([window])
    practitioners = [all_day] * practitioners if isinstance(practitioners, int) else practitioners
    rooms = [all_day] * rooms if isinstance(rooms, int) else rooms
    people, places = resources(1, practitioners), resources(101, rooms)
    counted = phases_in(way, phases)
    packing = pack_day(
        phases=counted,
        practitioners=people,
        rooms=places,
        window=window,
        every_minutes=every_minutes,
        known=known,
    )
    assert is_sound(packing.visits, counted, {**people, **places}, every_minutes)
    assert len(packing.visits) <= packing.at_most <= packing.at_most_by_minutes
    return packing


def is_sound(
    visits: Sequence[Opening], phases: Sequence[Phase], calendars: Mapping[int, Calendar], every_minutes: int
) -> bool:
    """Whether the visits keep the hours, the grid and what may stretch, and share no minute of a resource."""
    for visit in visits:
        stretched = zip(phases, visit.stretches, strict=True)
        if visit.starts_at % (every_minutes * 60) or any(
            not 0 <= stretch <= phase.may_stretch_by for phase, stretch in stretched
        ):
            return False
    taken = [minute for visit in visits for minute in minutes_needed(visit, phases)]
    return len(taken) == len(set(taken)) and all(
        resource is not None and is_free(calendars[resource], at) for resource, at in taken
    )


def minutes_needed(visit: Opening, phases: Sequence[Phase]) -> Iterator[tuple[int | None, int]]:
    """Each minute of each resource that the visit occupies; None stands for one that it lacks."""
    for (starts_at, ends_at), phase in zip(phase_times(visit, phases), phases, strict=True):
        for at in range(starts_at, ends_at, 60):
            if phase.needs_practitioner:
                yield visit.practitioner, at
            if phase.needs_room:
                yield visit.room, at


def is_free(calendar: Calendar, at: int) -> bool:
    is_open = any(starts_at <= at < ends_at for starts_at, ends_at in calendar.open)
    return is_open and not any(
        starts_at <= at < ends_at for starts_at, ends_at in [*calendar.taken, *calendar.closed]
    )


def numbers(*, rooms: int, every_minutes: int, practitioners: int = 1) -> tuple[int, int, int]:
    """Visits in nine hours with the practitioner blocked, with phases, with stretching; all of them proven."""
    packings = [
        pack(way, practitioners=practitioners, rooms=rooms, every_minutes=every_minutes) for way in Way
    ]
    assert all(packing.is_proven for packing in packings)
    blocked, fixed, stretching = (len(packing.visits) for packing in packings)
    return blocked, fixed, stretching


def brute_force(
    *,
    phases: Sequence[Phase],
    practitioners: Sequence[Calendar],
    rooms: Sequence[Calendar],
    window: Interval,
    every_minutes: int,
) -> int:
    """The most visits of any set of visits without a conflict, found by trying all sets."""
    step = every_minutes * 60
    people, places = resources(1, practitioners), resources(101, rooms)
    calendars = {**people, **places}
    ways = list(product(*(range(0, phase.may_stretch_by + 5, 5) for phase in phases)))
    who = list(people) if any(phase.needs_practitioner for phase in phases) else [None]
    where = list(places) if any(phase.needs_room for phase in phases) else [None]
    needs = []
    for start, person, room, stretches in product(range(0, window[1], step), who, where, ways):
        visit = Opening(start, person, room, stretches)
        if is_sound([visit], phases, calendars, every_minutes):
            needs.append(set(minutes_needed(visit, phases)))

    def most(first: int, taken: frozenset[tuple[int | None, int]]) -> int:
        return max(
            (
                1 + most(number + 1, taken | needs[number])
                for number in range(first, len(needs))
                if not taken & needs[number]
            ),
            default=0,
        )

    return most(0, frozenset())


# One practitioner, nine hours, turning the room over inside the hours


def test_three_rooms_and_starts_every_five_minutes_give_20_visits_instead_of_9() -> None:
    assert numbers(rooms=3, every_minutes=5) == (9, 16, 20)


def test_three_rooms_and_starts_every_quarter_of_an_hour_give_17_visits_instead_of_9() -> None:
    # 11 with fixed phases: two starts on this grid are 45 minutes apart or the needles collide, and a twelfth
    # visit, begun after 8 h 15 min, would end 10 minutes after the hours.
    assert numbers(rooms=3, every_minutes=15) == (9, 11, 17)


def test_a_room_made_ready_after_the_hours_gives_room_for_a_twelfth_visit() -> None:
    packing = pack(
        Way.FIXED,
        practitioners=[Calendar([NINE_HOURS])],
        rooms=[Calendar([(0, 9 * HOUR + 600)])] * 3,
        window=(0, 10 * HOUR),
        every_minutes=15,
    )
    assert (len(packing.visits), packing.is_proven) == (12, True)


def test_two_rooms_give_16_visits_and_stretching_adds_none_to_starts_every_five_minutes() -> None:
    assert numbers(rooms=2, every_minutes=5) == (9, 16, 16)


def test_two_rooms_and_starts_every_quarter_of_an_hour_give_14_visits() -> None:
    assert numbers(rooms=2, every_minutes=15) == (9, 11, 14)


@pytest.mark.parametrize("every_minutes", [5, 15])
def test_one_room_gives_9_visits_however_the_practitioner_is_counted(every_minutes: int) -> None:
    assert numbers(rooms=1, every_minutes=every_minutes) == (9, 9, 9)


def test_a_fourth_room_gives_one_practitioner_nothing_more() -> None:
    assert numbers(rooms=4, every_minutes=5) == (9, 16, 20)


# Several practitioners


def test_two_practitioners_with_six_rooms_do_twice_what_one_does_with_three() -> None:
    assert numbers(practitioners=2, rooms=6, every_minutes=5) == (18, 32, 40)


def test_two_practitioners_with_three_rooms_fill_the_rooms() -> None:
    assert numbers(practitioners=2, rooms=3, every_minutes=5) == (18, 27, 27)


def test_where_more_might_fit_the_packing_says_how_many_at_most() -> None:
    packing = pack(practitioners=2, rooms=4)
    assert (len(packing.visits), packing.at_most, packing.is_proven) == (34, 36, False)


def test_equal_questions_have_equal_answers() -> None:
    assert pack(practitioners=2, rooms=4, every_minutes=15) == pack(
        practitioners=2, rooms=4, every_minutes=15
    )


# Odd days


def test_hours_with_a_lunch_break_hold_no_visit_across_it() -> None:
    split = Calendar([(0, 2 * HOUR), (3 * HOUR, 5 * HOUR)])
    packing = pack(Way.BLOCKED, practitioners=[split], rooms=1, window=(0, 5 * HOUR))
    assert [visit.starts_at for visit in packing.visits if 65 * 60 < visit.starts_at < 3 * HOUR] == []
    assert (len(packing.visits), packing.is_proven) == (4, True)


def test_time_away_holds_no_visit() -> None:
    away = Calendar([NINE_HOURS], taken=[(HOUR, 9 * HOUR)])
    assert len(pack(practitioners=[away]).visits) == 1


def test_a_visit_that_needs_no_practitioner_is_bounded_by_rooms_alone() -> None:
    packing = pack(phases=[Phase(60, needs_practitioner=False, needs_room=True)], practitioners=0, rooms=2)
    assert len(packing.visits) == packing.at_most_by_minutes == 18
    assert {visit.practitioner for visit in packing.visits} == {None}


@pytest.mark.parametrize(("practitioners", "rooms"), [(0, 3), (1, 0)])
def test_without_practitioners_or_rooms_nothing_fits(practitioners: int, rooms: int) -> None:
    assert pack(practitioners=practitioners, rooms=rooms) == Packing((), at_most=0, at_most_by_minutes=0)


def test_starts_keep_the_quarter_of_an_hour_whenever_the_window_begins() -> None:
    packing = pack(window=(100, 3 * HOUR + 100), every_minutes=15)
    assert packing.visits[0].starts_at == 900


def test_visits_known_to_fit_are_kept_where_no_more_are_found() -> None:
    known = pack(Way.FIXED, rooms=1, every_minutes=15).visits
    assert pack(rooms=1, every_minutes=15, known=known).visits == known


def test_a_visit_type_with_a_thousand_ways_to_stretch_claims_no_proof() -> None:
    stretching = [
        Phase(10, needs_practitioner=number % 2 == 0, needs_room=True, may_stretch_by=45)
        for number in range(4)
    ]
    packing = pack(phases=stretching, rooms=2, window=(0, 4 * HOUR))
    assert (packing.at_most, packing.at_most_by_minutes) == (12, 12)


def test_phases_that_need_nothing_cannot_be_packed() -> None:
    with pytest.raises(ValueError, match="any number of visits fits"):
        pack(phases=[Phase(5, needs_practitioner=False, needs_room=False)])


def test_starts_off_the_five_minutes_are_refused() -> None:
    with pytest.raises(ValueError, match="not a positive multiple of 5"):
        pack(every_minutes=7)


def a_small_day(random: Random) -> dict[str, Any]:
    """What `pack` takes: up to three phases, two practitioners and two rooms in 40 minutes at most."""
    end = random.randrange(4, 9) * 300

    def calendar() -> Calendar:
        gap = random.randrange(0, end, 300)
        return Calendar(
            [(0, random.randrange(600, end + 1, 300))],
            closed=[(gap, gap + 300)] if random.random() < 0.3 else [],
        )

    return {
        "phases": [
            Phase(
                random.choice([5, 5, 10]),
                needs_practitioner=number == 0 or random.random() < 0.5,
                needs_room=random.random() < 0.7,
                may_stretch_by=random.choice([0, 0, 5]),
            )
            for number in range(random.randrange(1, 4))
        ],
        "practitioners": [calendar() for _ in range(random.randrange(1, 3))],
        "rooms": [calendar() for _ in range(random.randrange(1, 3))],
        "window": (0, end),
        "every_minutes": random.choice([5, 5, 10]),
    }


def test_small_days_are_packed_as_full_as_trying_everything_packs_them() -> None:
    random = Random(20270304)  # noqa: S311
    most_visits = set()
    for _ in range(250):
        day = a_small_day(random)
        packing, most = pack(**day), brute_force(**day)
        assert (len(packing.visits), packing.is_proven) == (most, True)
        most_visits.add(most)
    assert most_visits >= set(range(7)), "the days differ too little to show anything"


@pytest.fixture
def _cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "WORK", 1)
    monkeypatch.setattr(capacity, "FIRST_LOOK", 1)


@pytest.mark.usefixtures("_cut_short")
@pytest.mark.parametrize(("practitioners", "rooms", "fit"), [(1, 3, 20), (2, 4, 34), (2, 6, 40)])
def test_a_search_cut_short_still_bounds_a_long_day(practitioners: int, rooms: int, fit: int) -> None:
    packing = pack(practitioners=practitioners, rooms=rooms)
    assert len(packing.visits) < fit <= packing.at_most


@pytest.mark.usefixtures("_cut_short")
def test_a_search_cut_short_never_claims_that_less_fits_than_does() -> None:
    random = Random(20270305)  # noqa: S311
    unproven = 0
    for _ in range(250):
        day = a_small_day(random)
        packing, most = pack(**day), brute_force(**day)
        assert len(packing.visits) <= most <= packing.at_most
        unproven += not packing.is_proven
    assert unproven > 10, "the searches were not cut short"


# The command


@pytest.fixture
def clinic(db: None) -> VisitType:
    """One practitioner from 9 to 6 on weekdays, three rooms, a visit of 20 + 20 to 30 + 5 + 10 minutes."""
    person = factories.make_practitioner()
    factories.make_hours(person, weekdays=range(5), closes=time(18))
    for _ in range(3):
        factories.make_room()
    return factories.make_visit_type(
        "Follow-up <visit> & talk",
        slug="follow-up",
        practitioners=[person],
        phases=[
            factories.phase(20, name="Needles in"),
            factories.phase(20, name="Rest", may_stretch_by=10, needs_practitioner=False),
            factories.phase(5, name="Needles out"),
            factories.phase(10, name="Room made ready", needs_practitioner=False, with_patient=False),
        ],
    )


def next_day(weekday: int) -> date:
    today = times.local_day(timezone.now())
    return today + timedelta(days=(weekday - today.weekday()) % 7)


def capacity_says(svg: Path, *arguments: str) -> str:
    printed = StringIO()
    call_command("capacity", "--svg", str(svg), *arguments, stdout=printed)
    return printed.getvalue()


def table(printed: str) -> list[list[str]]:
    return [line.split() for line in printed.splitlines() if re.fullmatch(r" +\d+( +\d+\*?)+", line)]


def test_the_owner_reads_how_many_visits_fit_for_each_number_of_rooms(
    clinic: VisitType, tmp_path: Path
) -> None:
    printed = capacity_says(tmp_path / "c.svg", "--day", "monday", "--start-every", "5")
    assert table(printed) == [
        ["1", "9", "9", "9", "9"],
        ["2", "9", "16", "16", "18"],
        ["3", "9", "16", "20", "21"],
    ]
    monday = times.in_words(next_day(0))
    assert f"{monday}, 9:00{times.NBSP}am to 6:00{times.NBSP}pm" in printed
    assert "1 practitioner, starts every 5 minutes" in printed
    assert "With 3 rooms: 20 visits with phases that stretch, 9 without phases." in printed
    assert "Each number is proven" in printed
    assert printed.endswith(f"Chart written to {tmp_path / 'c.svg'}\n")


def test_starts_follow_the_visit_type_unless_said_otherwise(clinic: VisitType, tmp_path: Path) -> None:
    assert table(capacity_says(tmp_path / "c.svg", "--rooms", "1"))
    assert "starts every 15 minutes" in capacity_says(tmp_path / "c.svg")


def test_practitioners_and_rooms_can_be_imagined(clinic: VisitType, tmp_path: Path) -> None:
    printed = capacity_says(
        tmp_path / "c.svg", "--practitioners", "2", "--rooms", "4", "--start-every", "5", "--day", "friday"
    )
    assert table(printed)[3] == ["4", "18", "32", "34*", "36"]
    assert "2 practitioners" in printed
    assert "* The best found; more might fit. 4 rooms, phases that stretch: at most 36." in printed


def test_the_shortest_visit_type_is_counted_unless_another_is_named(
    clinic: VisitType, tmp_path: Path
) -> None:
    factories.make_visit_type(
        "First visit", slug="first", practitioners=[*clinic.practitioners.all()], phases=[factories.phase(90)]
    )
    assert capacity_says(tmp_path / "c.svg").startswith(
        "Follow-up <visit> & talk: Needles in 20 min, Rest 20"
    )
    printed = capacity_says(tmp_path / "c.svg", "--visit-type", "first", "--day", "monday")
    assert printed.startswith("First visit: Treatment 90 min\n")
    assert table(printed)[0] == ["1", "6", "6", "6", "6"]


def test_closures_and_extra_hours_count_only_on_a_day_named_by_its_date(
    clinic: VisitType, tmp_path: Path
) -> None:
    monday = next_day(0)
    noon = datetime.combine(monday, time(12), tzinfo=times.ZONE)
    factories.make_closure(noon, noon + timedelta(days=1))
    ExtraHours.objects.create(
        practitioner=clinic.practitioners.get(), day=monday, opens=time(8), closes=time(9)
    )
    by_name = capacity_says(tmp_path / "c.svg", "--day", "Monday", "--rooms", "1")
    by_date = capacity_says(tmp_path / "c.svg", "--day", monday.isoformat(), "--rooms", "1")
    assert table(by_name) == [["1", "9", "9", "9", "9"]]
    assert table(by_date) == [["1", "4", "4", "4", "4"]]  # 8 to 12


def test_a_closure_that_is_only_proposed_closes_nothing(clinic: VisitType, tmp_path: Path) -> None:
    noon = datetime.combine(next_day(0), time(12), tzinfo=times.ZONE)
    Closure.objects.create(starts_at=noon, ends_at=noon + timedelta(days=1), proposed=True)
    by_date = capacity_says(tmp_path / "c.svg", "--day", next_day(0).isoformat(), "--rooms", "1")
    assert table(by_date) == [["1", "9", "9", "9", "9"]]


def test_hours_that_are_not_valid_that_day_are_not_counted(clinic: VisitType, tmp_path: Path) -> None:
    person = clinic.practitioners.get()
    factories.make_hours(person, weekdays=[5], valid_from=date(2030, 1, 1))
    factories.make_hours(person, weekdays=[5], valid_until=date(2020, 1, 1))
    with pytest.raises(CommandError, match="has hours on Saturday"):
        capacity_says(tmp_path / "c.svg", "--day", "saturday")


def test_rooms_are_open_while_anybody_works(clinic: VisitType, tmp_path: Path) -> None:
    factories.make_hours(factories.make_practitioner(), weekdays=[0], closes=time(20))
    printed = capacity_says(tmp_path / "c.svg", "--day", "monday", "--start-every", "15")
    assert f"to 8:00{times.NBSP}pm" in printed
    assert table(printed)[2][2] == "12"  # the last room is made ready after its practitioner has gone home


def test_the_chart_is_a_picture_with_a_name_a_description_and_every_number(
    clinic: VisitType, tmp_path: Path
) -> None:
    svg = tmp_path / "c.svg"
    capacity_says(svg, "--day", "monday", "--start-every", "5")
    root = ET.parse(svg).getroot()  # noqa: S314 (our own file)
    namespace = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    named = {element.get("id"): element.text or "" for element in root if element.get("id")}
    assert root.get("aria-labelledby") == "title desc"
    assert named["title"] == "How many visits fit in a day"
    assert "3 rooms: blocked throughout 9, phases 16, phases that stretch 20." in named["desc"]
    texts = [element.text or "" for element in root.iter(f"{namespace}text")]
    assert any(text.startswith("Follow-up <visit> & talk: ") for text in texts)
    shown = [element.text for element in root.iter(f"{namespace}text") if element.get("class") == "visits"]
    assert shown == ["9", "9", "9", "9", "16", "16", "9", "16", "20"]
    assert texts.count("as the clinic is today") == 1
    assert list(root.iter(f"{namespace}script")) == []


def test_without_a_visit_type_that_can_be_booked_there_is_nothing_to_count(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no visit type with phases that can be booked"):
        capacity_says(tmp_path / "c.svg")


def test_an_unknown_visit_type_is_refused_with_those_there_are(clinic: VisitType, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no visit type “cupping”\. There are: follow-up"):
        capacity_says(tmp_path / "c.svg", "--visit-type", "cupping")


def test_a_visit_type_without_phases_is_refused(clinic: VisitType, tmp_path: Path) -> None:
    clinic.phases.all().delete()
    with pytest.raises(CommandError, match="has no phases"):
        capacity_says(tmp_path / "c.svg", "--visit-type", "follow-up")


def test_a_visit_type_that_needs_nobody_and_no_room_is_refused(clinic: VisitType, tmp_path: Path) -> None:
    clinic.phases.update(needs_practitioner=False, needs_room=False)
    with pytest.raises(CommandError, match="any number of visits fits"):
        capacity_says(tmp_path / "c.svg", "--rooms", "1")


def test_without_hours_there_is_nothing_to_count(clinic: VisitType, tmp_path: Path) -> None:
    clinic.practitioners.get().working_hours.all().delete()
    with pytest.raises(CommandError, match="has hours in the next seven days"):
        capacity_says(tmp_path / "c.svg")


def test_without_rooms_there_is_nothing_to_count(clinic: VisitType, tmp_path: Path) -> None:
    Resource.objects.rooms().update(is_active=False)
    with pytest.raises(CommandError, match="There are no rooms"):
        capacity_says(tmp_path / "c.svg")


def test_hours_too_short_for_a_visit_are_said_to_be(clinic: VisitType, tmp_path: Path) -> None:
    clinic.practitioners.get().working_hours.update(closes=time(9, 30))
    with pytest.raises(CommandError, match="Not one visit fits"):
        capacity_says(tmp_path / "c.svg")
    assert not (tmp_path / "c.svg").exists()


def test_a_chart_that_cannot_be_written_is_an_error(clinic: VisitType, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="could not be written"):
        capacity_says(tmp_path / "missing" / "c.svg", "--rooms", "1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--day", "2027-02-30"], "YYYY-MM-DD, or a weekday"),
        (["--rooms", "0"], "whole number from 1"),
        (["--practitioners", "two"], "whole number from 1"),
        (["--start-every", "7"], "invalid choice: 7"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=message):
        capacity_says(tmp_path / "c.svg", *arguments)
