"""Reports on what is hoped for and planned: places on the waitlist and courses of treatment."""

from collections import Counter
from datetime import datetime
from statistics import median

from django.db.models import Q
from django.utils.translation import gettext as _

from booking.models import Course, Offer, Status, WaitlistEntry
from booking.reports.tables import Asked, Table
from booking.reports.visits import CAME

GONE = (Status.CANCELLED, Status.DECLINED, Status.EXPIRED)


def waitlist(asked: Asked) -> Table:
    """What became of those who joined the list in this time, and of the times that they were offered."""
    wished = Q(joined_at__gte=asked.begins, joined_at__lt=asked.ends)
    if asked.practitioner:
        wished &= Q(practitioner=asked.practitioner) | Q(practitioner=None)
    if asked.visit_type:
        wished &= Q(visit_type=asked.visit_type)
    entries = WaitlistEntry.objects.filter(wished)
    states: Counter[str] = Counter()
    waited: list[float] = []
    for became, joined_at, ended_at in entries.values_list("state", "joined_at", "ended_at"):
        states[became] += 1
        if became == WaitlistEntry.State.BOOKED and ended_at:
            waited.append((ended_at - joined_at).total_seconds() / 86400)
    answers = Counter(Offer.objects.filter(entry__in=entries).values_list("answer", flat=True))
    state, answer = WaitlistEntry.State, Offer.Answer
    return Table(
        name="waitlist",
        title=_("Waitlist"),
        says=_("Of the people who joined in this time, for this practitioner or for anyone."),
        columns=[_("What"), _("Number")],
        rows=[
            (_("joined"), (sum(states.values()),)),
            (_("took an offered time"), (states[state.BOOKED],)),
            (_("still waiting"), (states[state.WAITING],)),
            (_("left or were taken off"), (states[state.LEFT] + states[state.REMOVED],)),
            (_("found nothing in time"), (states[state.ENDED],)),
            (_("times offered"), (sum(answers.values()),)),
            (_("of these taken"), (answers[answer.TAKEN],)),
            (_("of these refused"), (answers[answer.DECLINED],)),
            (_("of these not answered"), (answers[answer.LAPSED],)),
            (
                _("days until it was booked: half waited less"),
                (round(median(waited), 1) if waited else None,),
            ),
        ],
        plotted=(),
        unit="",
    )


def courses(asked: Asked, *, now: datetime) -> Table:
    """What became of the visits of courses that were asked for or planned in this time."""
    wanted = Course.objects.filter(
        asked.narrowed, created_at__gte=asked.begins, created_at__lt=asked.ends
    ).values_list("pk", "planned_after", "appointments__status")
    found: dict[int, tuple[bool, Counter[str]]] = {}
    for pk, planned_after, status in wanted:
        counts = found.setdefault(pk, (planned_after is not None, Counter()))[1]
        if status:
            counts[status] += 1

    def numbers(*, is_planned: bool) -> tuple[int, ...]:
        theirs = [counts for planned, counts in found.values() if planned == is_planned]
        taken = [counts for counts in theirs if counts]
        over = [counts for counts in taken if not (counts.keys() - {*CAME, Status.NOSHOW, *GONE})]
        return (
            len(theirs),
            len(taken),
            sum(counts.total() for counts in taken),
            sum(counts[status] for counts in taken for status in CAME),
            sum(counts[Status.NOSHOW] for counts in taken),
            sum(counts[status] for counts in taken for status in GONE),
            len(over),
            sum(not (counts.keys() - set(CAME)) for counts in over),
        )

    return Table(
        name="courses",
        title=_("Courses of treatment"),
        says=_(
            "A course is over when none of its visits is to come, and complete when the patient came to all."
        ),
        columns=[
            *(
                _("Course"),
                _("Courses"),
                _("With visits"),
                _("Visits"),
                _("Came"),
                _("Missed"),
                _("Called off"),
            ),
            *(_("Courses over"), _("Complete")),
        ],
        rows=[
            (_("asked for by a patient"), numbers(is_planned=False)),
            (_("planned by staff"), numbers(is_planned=True)),
        ],
        plotted=(2, 3),
        unit=_("visits"),
    )
