"""Public holidays are proposed as closures; nothing closes before staff accept it."""

from datetime import date, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from booking import holidays, queries, times
from booking.models import BookingRules, Closure
from tests.booking.factories import make_clinic, make_closure, make_practitioner

NEW_YEAR = datetime(2027, 1, 1, 8, tzinfo=times.ZONE)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=times.ZONE)


def proposed() -> list[tuple[datetime, datetime, str, bool]]:
    return list(Closure.objects.values_list("starts_at", "ends_at", "reason", "proposed"))


def test_the_holidays_are_the_nine_of_the_employment_standards_act_each_on_its_own_day() -> None:
    assert holidays.public_holidays(2027) == {
        date(2027, 1, 1): "New Year's Day",
        date(2027, 2, 15): "Family Day",
        date(2027, 3, 26): "Good Friday",
        date(2027, 5, 24): "Victoria Day",
        date(2027, 7, 1): "Canada Day",
        date(2027, 9, 6): "Labour Day",
        date(2027, 10, 11): "Thanksgiving Day",
        date(2027, 12, 25): "Christmas Day",
        date(2027, 12, 26): "Boxing Day",
    }
    assert {len(holidays.public_holidays(year)) for year in range(2026, 2036)} == {9}


@pytest.mark.django_db
class TestProposing:
    def test_each_is_proposed_for_the_whole_clinic_from_midnight_to_midnight(self) -> None:
        lines = holidays.propose_closures(year=2027, now=NEW_YEAR)
        assert lines[1] == "2027-02-15 Family Day: proposed."
        assert set(Closure.objects.values_list("resource", flat=True)) == {None}
        assert proposed() == [
            (midnight(day), midnight(day + timedelta(days=1)), name, True)
            for day, name in holidays.public_holidays(2027).items()
        ]

    def test_nothing_is_proposed_twice_even_if_staff_accepted_or_changed_it(self) -> None:
        holidays.propose_closures(year=2027, now=NEW_YEAR)
        Closure.objects.filter(reason="Family Day").update(proposed=False)
        half_day = midnight(date(2027, 12, 26)) + timedelta(hours=12)
        Closure.objects.filter(reason="Boxing Day").update(starts_at=half_day, reason="Half a day")
        before = proposed()

        lines = holidays.propose_closures(year=2027, now=NEW_YEAR)

        assert proposed() == before
        assert {line.split(": ")[1] for line in lines} == {"proposed before."}

    def test_a_day_on_which_the_clinic_is_closed_anyway_needs_no_proposal(self) -> None:
        make_closure(midnight(date(2027, 12, 24)), midnight(date(2027, 12, 26)))
        make_closure(midnight(date(2027, 7, 1)) + timedelta(hours=12), midnight(date(2027, 7, 2)))
        make_closure(midnight(date(2027, 5, 24)), midnight(date(2027, 5, 25)), make_practitioner())
        only_proposed = make_closure(midnight(date(2027, 9, 6)), midnight(date(2027, 9, 7)))
        Closure.objects.filter(pk=only_proposed.pk).update(proposed=True)
        lines = holidays.propose_closures(year=2027, now=NEW_YEAR)
        assert [line for line in lines if "proposed." not in line] == [
            "2027-12-25 Christmas Day: closed already."
        ]
        assert Closure.objects.exclude(holiday_on=None).count() == 8

    def test_days_that_have_passed_are_left_out(self) -> None:
        christmas_evening = datetime(2027, 12, 25, 23, tzinfo=times.ZONE)
        assert holidays.propose_closures(year=2027, now=christmas_evening) == [
            "2027-12-25 Christmas Day: proposed.",
            "2027-12-26 Boxing Day: proposed.",
        ]

    def test_the_day_closes_when_staff_accept_the_proposal(self) -> None:
        visit_type, canada_day = make_clinic(), date(2027, 7, 1)
        holidays.propose_closures(year=2027, now=NEW_YEAR)

        def is_open() -> bool:
            found = queries.find_openings(
                visit_type,
                first_on=canada_day,
                last_on=canada_day,
                rules=BookingRules(),
                now=midnight(canada_day - timedelta(days=7)),
            )
            return bool(found.starts())

        assert is_open()
        Closure.objects.filter(holiday_on=canada_day).update(proposed=False)
        assert not is_open()


@pytest.mark.django_db
class TestTheCommand:
    def test_it_says_what_it_did_and_can_be_repeated(self) -> None:
        year = times.local_day(timezone.now()).year + 1
        for answer in ("proposed.", "proposed before."):
            out = StringIO()
            call_command("propose_holidays", "--year", str(year), stdout=out)
            lines = out.getvalue().splitlines()
            assert lines[0] == f"{year}-01-01 New Year's Day: {answer}"
            assert [line.split(": ")[1] for line in lines] == [answer] * 9
        assert Closure.objects.count() == 9

    def test_without_a_year_it_covers_this_year_and_the_next(self) -> None:
        call_command("propose_holidays", stdout=StringIO())
        today = times.local_day(timezone.now())
        assert set(Closure.objects.values_list("holiday_on", flat=True)) == {
            day
            for year in (today.year, today.year + 1)
            for day in holidays.public_holidays(year)
            if day >= today
        }

    def test_a_year_out_of_all_proportion_is_refused(self) -> None:
        with pytest.raises(CommandError):
            call_command("propose_holidays", "--year", "99999")
