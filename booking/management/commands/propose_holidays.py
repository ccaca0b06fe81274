"""Proposes Ontario's public holidays as closures; staff accept them at the desk."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from booking import holidays, times


class Command(BaseCommand):
    help = (
        "Proposes to close on Ontario's public holidays of one year or, without --year, of this year and the "
        "next; nothing closes before staff accept it. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--year", type=int, choices=range(times.SOONEST, times.LATEST), metavar="YEAR")

    def handle(self, *args: Any, year: int | None, **options: Any) -> None:
        now = timezone.now()
        this_year = times.local_day(now).year
        for each in [year] if year else [this_year, this_year + 1]:
            for line in holidays.propose_closures(year=each, now=now):
                self.stdout.write(line)
