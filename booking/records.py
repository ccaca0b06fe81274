"""What the clinic keeps about one person: all of it as plain facts, for how long, and whether it is at hand today."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from booking import times
from booking.models import (
    Appointment,
    CheckIn,
    Course,
    Offer,
    OfferOption,
    Patient,
    PatientMerge,
    Status,
    StatusChange,
    WaitlistEntry,
    WorkingHours,
)
from clinic.models import AuditRow, QueuedMail

# How long the clinic's College has its members keep records: so long after the last visit, or after turning 18.
YEARS_KEPT: Final = 10
OF_AGE: Final = 18

TOOK_PLACE_OR_WAS_TO: Final = (Status.BOOKED, Status.ARRIVED, Status.FULFILLED, Status.NOSHOW)
NEAR: Final = timedelta(days=1)
JUST_NOW: Final = timedelta(hours=1)  # whoever was second to decide reads what the first decided


def is_at_hand(person: int, *, now: datetime) -> bool:
    """Whether staff may be expected to look: a visit from yesterday to tomorrow, what waits or was just decided."""
    today = times.local_day(now)
    from_, to = (times.midnight(day) for day in (today - NEAR, today + NEAR + timedelta(days=1)))
    visits = Appointment.objects.filter(
        Q(status__in=[Status.PENDING, Status.PROPOSED]) | Q(starts_at__gte=from_, starts_at__lt=to),
        patient=person,
    )
    waiting = WaitlistEntry.objects.waiting().filter(patient=person)
    offered = _open_offers(now).filter(course__patient=person)
    changed = StatusChange.objects.filter(appointment__patient=person, at__gte=now - JUST_NOW, at__lte=now)
    decided = changed.exclude(from_status="")
    found: list[QuerySet[Any, Any]] = [
        rows.order_by().values_list("pk", flat=True) for rows in (visits, waiting, offered, decided)
    ]
    return bool(found[0].union(*found[1:])[:1])


def people_about(references: Iterable[str]) -> list[int]:
    """The keys of the patients whose appointment, course or waitlist entry has one of these references."""
    wanted = set(references) - {""}
    if not wanted:
        return []
    found: list[QuerySet[Any, Any]] = [
        model.objects.filter(reference__in=wanted).order_by().values_list("patient", flat=True)
        for model in (Appointment, Course, WaitlistEntry)
    ]
    return sorted(found[0].union(*found[1:]))


def references_of(patient: Patient) -> list[str]:
    """What mails about this person are filed under."""
    found: list[QuerySet[Any, Any]] = [
        model.objects.filter(patient=patient).order_by().values_list("reference", flat=True)
        for model in (Appointment, Course, WaitlistEntry)
    ]
    return sorted(found[0].union(*found[1:]))


def same_person(patient: Patient) -> list[Patient]:
    """The record itself and those that were merged into it, whose rows stay as they were."""
    merged = Patient.objects.filter(
        pk__in=PatientMerge.objects.standing().filter(kept=patient).values("merged")
    ).order_by("pk")
    return [patient, *(one for other in merged for one in same_person(other))]


def not_over(patient: Patient, *, now: datetime) -> list[Appointment | WaitlistEntry | Course]:
    """Visits, requests, waitlist entries and offered courses of this person that are still to come or unanswered."""
    return [
        *Appointment.objects.with_people()
        .filter(patient=patient, status__in=[Status.PENDING, Status.PROPOSED, Status.BOOKED, Status.ARRIVED])
        .filter(~Q(status__in=[Status.BOOKED, Status.ARRIVED]) | Q(ends_at__gt=now))
        .order_by("starts_at", "pk"),
        *WaitlistEntry.objects.with_people().waiting().filter(patient=patient),
        *Course.objects.with_people().filter(patient=patient, offer__in=_open_offers(now)),
    ]


def kept_until(patient: Patient) -> date | None:
    """The day until which the record must be kept; None if no visit was ever confirmed, so that there is no record."""
    last = (
        Appointment.objects.filter(patient=patient, changes__to_status__in=TOOK_PLACE_OR_WAS_TO)
        .order_by("-ends_at")
        .values_list("ends_at", flat=True)
        .first()
    )
    if last is None:
        return None
    days = [years_after(times.local_day(last), YEARS_KEPT)]
    if patient.date_of_birth:
        days.append(years_after(patient.date_of_birth, OF_AGE + YEARS_KEPT))
    return max(days)


def years_after(day: date, years: int) -> date:
    """The same day so many years later, at most the last there is; 29 February becomes 1 March."""
    if day.year + years > date.max.year:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _open_offers(now: datetime) -> QuerySet[Offer]:
    return Offer.objects.filter(answer="", expires_at__gt=now)


# --- Everything, as plain facts ---


@dataclass(frozen=True, slots=True)
class Fact:
    """One column: its name and value for machines, its label and the value in words for people."""

    name: str
    label: str
    value: Any
    words: str


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    title: str
    entries: list[list[Fact]]


def everything_about(patient: Patient) -> list[Section]:
    """Everything that is kept about this person, in a number of queries that does not depend on how much it is."""
    people = same_person(patient)
    visits = Appointment.objects.with_people().filter(patient=patient).order_by("starts_at", "pk")
    of_visits = {"appointment__patient": patient}
    offered = Q(offer__appointment__patient=patient) | Q(offer__entry__patient=patient)
    offered |= Q(offer__course__patient=patient)
    return [
        _section("person", _("Person"), people, PERSON),
        _section("visits", _("Visits and requests"), visits, VISIT),
        _section(
            "history",
            _("What happened to them"),
            StatusChange.objects.filter(**of_visits)
            .select_related("appointment", "by")
            .order_by("appointment__starts_at", "appointment", "version"),
            CHANGE,
        ),
        _section(
            "check_ins",
            _("Answers before visits"),
            CheckIn.objects.filter(**of_visits).select_related("appointment"),
            CHECK_IN,
        ),
        _section(
            "offers",
            _("Offers"),
            Offer.objects.filter(
                Q(appointment__patient=patient) | Q(entry__patient=patient) | Q(course__patient=patient)
            )
            .select_related("appointment", "entry", "course")
            .order_by("offered_at", "pk"),
            OFFER,
        ),
        _section(
            "offered_times",
            _("Times offered"),
            OfferOption.objects.filter(offered).select_related("practitioner", "room"),
            OFFERED,
        ),
        _section(
            "courses",
            _("Courses"),
            Course.objects.with_people().filter(patient=patient),
            COURSE,
        ),
        _section(
            "waitlist",
            _("Waitlist"),
            WaitlistEntry.objects.with_people().filter(patient=patient),
            ENTRY,
        ),
        _section(
            "mails",
            _("E-mails"),
            QueuedMail.objects.filter(about__in=references_of(patient)).order_by("created_at", "pk"),
            MAIL,
        ),
        _section(
            "trail",
            _("Who saw or changed it"),
            AuditRow.objects.filter(people__person__in=[one.pk for one in people])
            .select_related("actor")
            .distinct(),
            TRAIL,
        ),
    ]


PERSON: Final = ("name", "email", "phone", "date_of_birth", "marketing_consented_at", "created_at")
VISIT: Final = (
    "reference",
    "status",
    "starts_at",
    "ends_at",
    "visit_type",
    "practitioner",
    "room",
    "course",
    "language",
    "reminders",
    "new_patient",
    "precautions",
    "screening_version",
    "call_back",
    "called_back_at",
    "note",
    "consent_version",
    "consented_at",
    "requested_at",
    "answer_by",
)
CHANGE: Final = ("appointment", "at", "from_status", "to_status", "actor", "by", "reason")
CHECK_IN: Final = ("appointment", "pain_now", "pain_last_week", "enjoyment", "activity", "answered_at")
OFFER: Final = ("appointment", "entry", "course", "offered_at", "expires_at", "answer", "note")
OFFERED: Final = ("starts_at", "ends_at", "practitioner", "room")
COURSE: Final = (
    "reference",
    "visit_type",
    "practitioner",
    "first_on",
    "days_between",
    "weekdays",
    "from_hour",
    "to_hour",
    "created_at",
)
ENTRY: Final = (
    "reference",
    "state",
    "visit_type",
    "practitioner",
    "weekdays",
    "parts",
    "wanted_until",
    "language",
    "new_patient",
    "consented_at",
    "joined_at",
    "ended_at",
)
MAIL: Final = ("kind", "about", "to", "subject", "text", "created_at", "sent_at")
TRAIL: Final = ("at", "actor", "act", "kind", "fields", "reason")


def _section(name: str, title: str, rows: Iterable[Model], fields: Iterable[str]) -> Section:
    return Section(name, title, [[_fact(row, field) for field in fields] for row in rows])


def _fact(row: Model, name: str) -> Fact:
    value = _value(row, name)
    label = str(getattr(row._meta.get_field(name), "verbose_name", name))  # noqa: SLF001 (Django's public name for it)
    return Fact(name, label, value, _in_words(row, name, value))


def _value(row: Model, name: str) -> Any:
    """What a file for machines holds: rows referred to are named, and no mail shows its reader's link."""
    if isinstance(row, QueuedMail) and name == "text":
        return row.shown("text")
    value = getattr(row, name)
    return str(value) if isinstance(value, Model) else value


def _in_words(row: Model, name: str, value: Any) -> str:
    if words := _list_in_words(row, name, value):
        return words
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return times.moment(value)
    if isinstance(value, date):
        return times.in_words(value)
    display = getattr(row, f"get_{name}_display", None)
    return str(display() if display else value) if value or value == 0 else "–"


def _list_in_words(row: Model, name: str, value: Any) -> str:
    """What stands in a column of JSON, as people read it."""
    if isinstance(row, Appointment) and name == "precautions":
        return "; ".join(flag.text if flag.is_sure else f"{flag.text} (?)" for flag in row.flags)
    if isinstance(row, WaitlistEntry) and name in ("weekdays", "parts"):
        return ", ".join(row.weekday_names if name == "weekdays" else row.part_names)
    if isinstance(row, StatusChange) and name == "reason":
        return row.reason_in_words
    if isinstance(row, Course) and name == "weekdays":
        return ", ".join(str(WorkingHours.Weekday(weekday).label) for weekday in sorted(value))
    return ""
