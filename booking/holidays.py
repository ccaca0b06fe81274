"""Which days are proposed as closures: the nine public holidays of Ontario's Employment Standards Act, 2000."""

from datetime import date, datetime, time, timedelta

from holidays import country_holidays

from booking import times
from booking.models import Closure


def public_holidays(year: int) -> dict[date, str]:
    """Day and name, in order, each on its own day; a day off in its place is between employer and employee.

    The Civic Holiday, Easter Monday and 30 September are no public holidays under the Act, section 1 (1).
    """
    found = country_holidays("CA", subdiv="ON", years=year, observed=False, language="en_CA")
    return dict(sorted(found.items()))


def propose_closures(*, year: int, now: datetime) -> list[str]:
    """Proposes to close the clinic on that year's holidays from today on; returns a line for each.

    Safe to repeat: a day that was proposed before, whatever staff made of it, or that is closed anyway is left
    alone. A proposal that staff deleted is made again.
    """
    return [
        f"{day:%Y-%m-%d} {name}: {_propose(day, name)}."
        for day, name in public_holidays(year).items()
        if day >= times.local_day(now)
    ]


def _propose(day: date, name: str) -> str:
    starts_at, ends_at = (
        datetime.combine(midnight, time.min, tzinfo=times.ZONE) for midnight in (day, day + timedelta(days=1))
    )
    whole_day = Closure.objects.in_force().filter(
        resource=None, starts_at__lte=starts_at, ends_at__gte=ends_at
    )
    if Closure.objects.filter(holiday_on=day).exists():
        return "proposed before"
    if whole_day.exists():
        return "closed already"
    Closure.objects.create(starts_at=starts_at, ends_at=ends_at, reason=name, proposed=True, holiday_on=day)
    return "proposed"
