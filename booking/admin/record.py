"""The record: everything the desk knows of one person, on one page, in as many queries for a year as for a day."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from django.contrib.admin import AdminSite
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from booking import plots, screening
from booking.check_in_plot import check_in_plot
from booking.models import Appointment, CheckIn, Course, Patient, WaitlistEntry
from booking.samples import in_words
from clinic.models import QueuedMail

MOST_MAILS: Final = 50
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flag, and the last visit before which the patient said so."""

    flag: screening.Flag
    visit: Appointment


@dataclass(frozen=True, slots=True)
class Record:
    """What whoever looks may see of a person; the nearest visit to come first, everything else the latest first."""

    coming: list[Appointment]
    past: list[Appointment]
    flags: list[Flagged]
    courses: list[Course]
    waitlist: list[WaitlistEntry]
    check_ins: list[CheckIn]
    plot: plots.Plot | None
    mails: list[tuple[QueuedMail, str]]


def record_of(patient: Patient, *, desk: AdminSite, request: HttpRequest, now: datetime) -> Record:
    """Read through the pages of the desk that show these rows, so that nobody sees here what they may not see there."""

    def theirs(model: type[Row]) -> QuerySet[Row]:
        page = desk.get_model_admin(model)
        shown: QuerySet[Any] = page.get_queryset(request)
        return shown.filter(patient=patient) if page.has_view_permission(request) else shown.none()

    visits = list(theirs(Appointment).order_by("-starts_at", "-pk"))
    courses = list(theirs(Course).prefetch_related("stages"))
    waitlist = list(theirs(WaitlistEntry).order_by("-joined_at", "-pk"))
    check_ins = list(
        CheckIn.objects.filter(appointment__in=visits)
        .select_related("appointment")
        .order_by("appointment__starts_at", "pk")
    )
    references = [visit.reference for visit in visits]
    references += [course.reference for course in courses] + [entry.reference for entry in waitlist]
    mails = QueuedMail.objects.filter(about__in=references).order_by("-created_at", "-pk")[:MOST_MAILS]
    coming = [visit for visit in visits if visit.ends_at > now and _stands(visit)]
    return Record(
        coming=coming[::-1],
        past=[visit for visit in visits if visit not in coming],
        flags=_flags(visits),
        courses=courses,
        waitlist=waitlist,
        check_ins=check_ins,
        plot=check_in_plot(check_ins),
        mails=[(mail, in_words(mail.kind)) for mail in mails],
    )


def _stands(visit: Appointment) -> bool:
    return visit.is_occupying or visit.is_proposed


def _flags(visits: list[Appointment]) -> list[Flagged]:
    """Each once, as it was said last."""
    said: dict[str, Flagged] = {}
    for visit in visits:
        for flag in screening.flags(visit.precautions):
            said.setdefault(flag.text, Flagged(flag, visit))
    return list(said.values())
