"""Reports on requests and on visits: how many, how soon answered, how long before, and who did not come."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, Final

from django.utils.translation import gettext as _

from booking import times
from booking.models import Actor, Appointment, BookingRules, Status, VisitType, WorkingHours
from booking.reports.rows import Changes, Visit
from booking.reports.tables import Asked, Table, percent

ANSWERS: Final = (Status.BOOKED, Status.PROPOSED, Status.DECLINED)
CAME: Final = (Status.ARRIVED, Status.FULFILLED)
LEADS: Final = (0, 1, 3, 7, 14, 28)  # days: where each step ends; the last one is open


def requests(asked: Asked, visits: Iterable[Visit], changes: Changes) -> Table:
    weeks: dict[date, Counter[str]] = {week: Counter() for week in asked.weeks}
    for visit in visits:
        became = next((one.to for one in changes.get(visit.pk, ()) if one.was == Status.PENDING), "waits")
        weeks[_week(visit)].update(["all", became])
    shown = ("all", *ANSWERS, Status.EXPIRED, Status.CANCELLED, "waits")
    return Table(
        name="requests",
        title=_("Requests and answers by week"),
        says=_(
            "By the week in which the request came: what became of it first. A course counts with each visit."
        ),
        columns=[
            *(_("Week of"), _("Requests"), _("Confirmed"), _("Other times offered"), _("Declined")),
            *(_("Expired"), _("Withdrawn"), _("Still waiting")),
        ],
        rows=[(_named(week), tuple(counts[key] for key in shown)) for week, counts in weeks.items()],
        plotted=(0, 1),
        unit=_("requests"),
    )


def answers(asked: Asked, visits: Iterable[Visit], changes: Changes) -> Table:
    hours: dict[date, list[float]] = {week: [] for week in asked.weeks}
    kept: Counter[date] = Counter()
    for visit in visits:
        answered = (
            one.at for one in changes.get(visit.pk, ()) if one.was == Status.PENDING and one.to in ANSWERS
        )
        if answered_at := next(answered, None):
            hours[_week(visit)].append((answered_at - visit.requested_at) / timedelta(hours=1))
            kept[_week(visit)] += visit.answer_by is not None and answered_at <= visit.answer_by
    return Table(
        name="time-to-answer",
        title=_("Time to answer"),
        says=_("From the request to the first answer by staff: half of the answers came sooner than this."),
        columns=[_("Week of"), _("Answered"), _("Hours"), _("In the promised time, %")],
        rows=[
            (
                _named(week),
                (
                    len(took),
                    round(median(took), 1) if took else None,
                    percent(kept[week], len(took)),
                ),
            )
            for week, took in hours.items()
        ],
        plotted=(1,),
        unit=_("hours"),
    )


def leads(visits: Iterable[Visit]) -> Table:
    steps: Counter[int] = Counter()
    for visit in visits:
        if visit.status in (Status.BOOKED, *CAME, Status.NOSHOW):
            days = (times.local_day(visit.starts_at) - times.local_day(visit.requested_at)).days
            steps[sum(days > last for last in LEADS)] += 1
    between = [
        _("%(first)d to %(last)d days before") % {"first": before + 1, "last": last}
        for before, last in pairwise(LEADS[1:])
    ]
    over = _("more than %(days)d days before") % {"days": LEADS[-1]}
    names = [_("on the same day"), _("on the day before"), *between, over]
    return Table(
        name="lead-time",
        title=_("How long before the visit it was asked for"),
        says=_(
            "Visits that are booked, took place or were missed, by the days from the request to the visit."
        ),
        columns=[_("Asked for"), _("Visits")],
        rows=[(name, (steps[number],)) for number, name in enumerate(names)],
        plotted=(0,),
        unit=_("visits"),
    )


def missed(
    visits: Sequence[Visit], changes: Changes, types: Iterable[VisitType], *, now: datetime
) -> list[Table]:
    """Who did not come, or called off too late, by visit type, by weekday and by the reminders that they chose."""
    free_until = timedelta(hours=BookingRules.current().cancellation_hours)

    def came_to(visit: Visit) -> str:
        if visit.status in CAME or visit.status == Status.NOSHOW:
            return "came" if visit.status in CAME else "missed"
        if visit.status != Status.CANCELLED or visit.starts_at > now:
            return ""
        off = [one for one in changes.get(visit.pk, ()) if one.was == Status.BOOKED]
        is_late = off and off[-1].actor == Actor.PATIENT and off[-1].at > visit.starts_at - free_until
        return "late" if is_late else ""

    due = [(visit, how) for visit in visits if (how := came_to(visit))]

    def table(
        name: str, title: str, first: str, rows: Iterable[tuple[Any, Any]], of: Callable[[Visit], Any]
    ) -> Table:
        counts: dict[Any, Counter[str]] = defaultdict(Counter)
        for visit, how in due:
            counts[of(visit)].update(["all", how])
        return Table(
            name=name,
            title=title,
            says=_(
                "Of the visits that patients came to, missed, or called off later than the clinic’s rule allows. "
                "What staff have not noted is not counted."
            ),
            columns=[
                *(first, _("Visits"), _("No-shows"), _("No-shows, %")),
                *(_("Late cancellations"), _("Late cancellations, %")),
            ],
            rows=[
                (
                    str(label),
                    (
                        counts[key]["all"],
                        counts[key]["missed"],
                        percent(counts[key]["missed"], counts[key]["all"]),
                        counts[key]["late"],
                        percent(counts[key]["late"], counts[key]["all"]),
                    ),
                )
                for key, label in rows
            ],
            plotted=(2, 4),
            unit="%",
        )

    return [
        table(
            "missed-by-visit-type",
            _("No-shows and late cancellations by visit type"),
            _("Visit type"),
            [(one.pk, one.name) for one in types],
            lambda visit: visit.visit_type,
        ),
        table(
            "missed-by-weekday",
            _("No-shows and late cancellations by weekday"),
            _("Weekday"),
            WorkingHours.Weekday.choices,
            lambda visit: times.local_day(visit.starts_at).weekday(),
        ),
        table(
            "missed-by-reminders",
            _("No-shows and late cancellations by reminders"),
            _("Reminders"),
            Appointment.Reminders.choices,
            lambda visit: visit.reminders,
        ),
    ]


def _week(visit: Visit) -> date:
    return times.sunday(times.local_day(visit.requested_at))


def _named(week: date) -> str:
    return week.isoformat()
