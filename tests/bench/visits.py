"""The clinic that the served site is measured with, and which of its times can be asked for."""

from datetime import timedelta

from django.core.management import call_command
from django.utils import timezone

from booking import queries, times
from booking.models import BookingRules
from tests.bench import rows

PRACTITIONERS = 3


def prepare(*, database: str, quick: bool) -> list[str]:
    """Starts as addresses write them, so far apart that each can be asked for once with every practitioner."""
    call_command("collectstatic", interactive=False, verbosity=0)
    visit_type, rules = rows.make_clinic(PRACTITIONERS), BookingRules()
    today = times.local_day(timezone.now())
    found = queries.find_openings(
        visit_type, first_on=today, last_on=today + timedelta(days=89), rules=rules, now=timezone.now()
    )
    starts = [times.from_epoch(start) for start in found.starts()]
    apart = [at for at in starts if at.hour % 2 and not at.minute]
    return [times.write_start(at) for at in apart for _ in range(PRACTITIONERS)]
