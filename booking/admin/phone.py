"""Booking while the patient is on the phone: who calls, which visit, and one press on a free time."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any, Final, cast
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from booking import queries, records, screening, times
from booking.admin.arranging import DAYS_SHOWN, DayOfTimes, FreeTime
from booking.admin.decisions import DecisionsAdmin
from booking.admin.people import LONGEST, SHOWN, people_like
from booking.admin.picks import read_pick, write_pick
from booking.forms import DetailsForm
from booking.models import Appointment, BookingRules, Patient, Resource, VisitType
from booking.operations import OfferedTime, TimeTaken, book_appointment
from booking.operations.taking import AT_THE_DESK
from clinic import audit
from clinic.choices import is_key
from clinic.models import Act

SOONEST: Final = 3  # days from each of which the first free time is suggested
OLDEST: Final = 1900  # year of birth


class NewPersonForm(DetailsForm):
    """Who calls for the first time, or for whom a parent calls."""

    adult = None  # type: ignore[assignment]  # the date of birth says it
    new_patient = None  # type: ignore[assignment]
    reminders = None  # type: ignore[assignment]
    date_of_birth = forms.DateField(
        label=gettext_lazy("Date of birth"),
        required=False,
        help_text=gettext_lazy("Only for somebody under 18."),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "invalid": gettext_lazy("Enter a date of birth like 2012-03-27, or leave this empty")
        },
    )
    field_order = ["name", "phone", "email", "date_of_birth", "language"]

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.today = today
        self.fields["email"].required = False
        self.fields["language"].label = _("Preferred language")
        for name in ("phone", "email", "language"):
            self.fields[name].help_text = ""
        for name in ("name", "phone", "email"):
            self.fields[name].widget.attrs["autocomplete"] = "off"  # it is somebody else each time

    def clean_date_of_birth(self) -> date | None:
        born: date | None = self.cleaned_data["date_of_birth"]
        if born and not OLDEST <= born.year <= self.today.year:
            raise ValidationError(_("Enter a date of birth like 2012-03-27, or leave this empty"))
        if born and born > self.today:
            raise ValidationError(_("This date is still to come"))
        if born and records.years_after(born, records.OF_AGE) <= self.today:
            raise ValidationError(_("This person is of age: leave this empty. We keep it only under 18"))
        return born

    def clean(self) -> None:
        typed = self.cleaned_data
        if typed.get("phone") == "" == typed.get("email"):
            self.add_error("phone", _("Enter a phone number or an e-mail address, so that we can reach them"))

    @property
    def has_said_something(self) -> bool:
        """Whether there is anything to show of somebody new."""
        return any(self[name].value() for name in ("name", "phone", "email", "date_of_birth"))

    def patient(self, now: datetime) -> Patient:
        """Not yet saved: known with the visit, or not at all."""
        typed = self.cleaned_data
        facts = {name: typed[name] for name in ("name", "phone", "email", "date_of_birth")}
        return Patient(created_at=now, **facts)


class PressedForm(forms.Form):
    """The free time whose button was pressed; `key` makes two presses of one form one visit."""

    key = forms.UUIDField()
    pick = forms.CharField()

    def __init__(self, data: Any, *, practitioners: Sequence[Resource]) -> None:
        super().__init__(data)
        self.by_slug = {person.slug: person for person in practitioners}

    def clean(self) -> None:
        if "key" in self.errors and "pick" not in self.errors:
            self.add_error("pick", _("Please press the time again."))

    def clean_pick(self) -> OfferedTime:
        try:
            return read_pick(self.cleaned_data["pick"], self.by_slug)
        except ValueError as error:
            raise ValidationError(_("Choose a time from those below.")) from error


@dataclass(frozen=True, slots=True)
class Call:
    """What is known so far; whatever an address or form has wrong counts as not said.

    `visit_type` is what was said, or else what the person most likely wants; `practitioners` give it, `practitioner`
    is the one who was asked for. `before` holds the patient's visits, the latest first. `said` is what an address has
    to say for the page to stay as it is, but for the person.
    """

    said: dict[str, str]
    typed: str
    patient: Patient | None
    before: list[Appointment]
    visit_types: list[VisitType]
    visit_type: VisitType | None
    practitioner: Resource | None
    practitioners: list[Resource]
    starts_at: datetime | None
    first_on: date

    @property
    def later_on(self) -> date:
        return self.first_on + timedelta(days=DAYS_SHOWN)


class PhoneBookingAdmin(DecisionsAdmin):
    """Adds to an appointment's addresses the one where visits are booked at the desk."""

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        wrap = self.admin_site.admin_view
        return [
            path("book/", wrap(self.book), name="booking_appointment_book"),
            path("book/find/", wrap(require_POST(self.find)), name="booking_appointment_book_find"),
            *super().get_urls(),
        ]

    def book(self, request: HttpRequest) -> HttpResponse:
        """An address names a person by key only; what is typed to find somebody goes in a form's body."""
        self._may_book(request)
        now = timezone.now()
        call = self._heard(request, now)
        if "pick" in request.POST:
            return self._press(request, call, now)
        people = self._people(request, call.typed)
        if "find" in request.POST and len(people) == 1:
            return HttpResponseRedirect(self._address(request, call.said, people[0]))
        person = NewPersonForm(initial=_said_of_somebody_new(request, call), today=times.local_day(now))
        return self._page(request, call, person, now, people=people)

    def find(self, request: HttpRequest) -> HttpResponse:
        """The part of the page that Find would change, while somebody is still typing."""
        self._may_book(request)
        people = self._people(request, _typed(request))
        found = self._found(request, _said(request.POST), people)
        return TemplateResponse(request, "admin/booking/appointment/found.html", found)

    def _may_book(self, request: HttpRequest) -> None:
        """:raises PermissionDenied: if this person may not book, or not look through patients."""
        if not self.may_book(request):
            raise PermissionDenied

    def _patients(self, request: HttpRequest) -> QuerySet[Patient]:
        """Those whom this member of staff may see, and of whom more than a number is left."""
        return self.admin_site.get_model_admin(Patient).get_queryset(request).exclude(name="")

    def _people(self, request: HttpRequest, text: str) -> list[Patient]:
        return people_like(self._patients(request), text) if text else []

    def _heard(self, request: HttpRequest, now: datetime) -> Call:
        said = request.POST if request.method == "POST" else request.GET
        visit_types = list(VisitType.objects.at_the_desk())
        key = said.get("patient", "")
        patient = self._patients(request).filter(pk=key).first() if is_key(key) else None
        before = list(self.get_queryset(request).filter(patient=patient)) if patient else []
        said_type = next((one for one in visit_types if one.slug == said.get("visit_type")), None)
        visit_type = said_type or _likely(visit_types, before)
        practitioners = list(visit_type.practitioners.active()) if visit_type else []
        starts_at = _start(said.get("start", ""))
        return Call(
            said=_said(said),
            typed=_typed(request),
            patient=patient,
            before=before,
            visit_types=visit_types,
            visit_type=visit_type,
            practitioner=next((one for one in practitioners if one.slug == said.get("practitioner")), None),
            practitioners=practitioners,
            starts_at=starts_at,
            first_on=_first_on(said, starts_at, today=times.local_day(now)),
        )

    def _press(self, request: HttpRequest, call: Call, now: datetime) -> HttpResponse:
        pressed = PressedForm(request.POST, practitioners=call.practitioners)
        today = times.local_day(now)
        person = NewPersonForm(request.POST, today=today)
        if pressed.is_valid():
            if call.patient or person.is_valid():
                try:
                    return self._book(request, call, pressed, person, now)
                except TimeTaken:
                    at = pressed.cleaned_data["pick"].starts_at
                    pressed.add_error(
                        "pick",
                        _("%(when)s has just been taken. Choose another time.") % {"when": times.moment(at)},
                    )
            else:
                pick: OfferedTime = pressed.cleaned_data["pick"]
                said = {"start": times.write_start(pick.starts_at), "practitioner": pick.practitioner.slug}
                call = replace(
                    call,
                    said=call.said | said,
                    starts_at=pick.starts_at,
                    practitioner=pick.practitioner,
                )
        people = self._people(request, call.typed)
        return self._page(request, call, person, now, people=people, pressed=pressed)

    def _book(
        self, request: HttpRequest, call: Call, pressed: PressedForm, person: NewPersonForm, now: datetime
    ) -> HttpResponse:
        """:raises TimeTaken: if the time is no longer free."""
        pick: OfferedTime = pressed.cleaned_data["pick"]
        assert call.visit_type  # noqa: S101 (without one there is no practitioner to name)
        booked = book_appointment(
            visit_type=call.visit_type,
            starts_at=pick.starts_at,
            practitioner=pick.practitioner,
            patient=call.patient or person.patient(now),
            language="" if call.patient else person.cleaned_data["language"],
            by=cast("User", request.user),  # admin_view lets nobody else in
            idempotency_key=pressed.cleaned_data["key"],
            now=now,
        )
        audit.record(
            by=cast("User", request.user),
            act=Act.CHANGE,
            kind="appointment book",
            subject=booked.pk,
            people=[booked.patient_id],
            now=now,
        )
        audit.remember_reason(request.session, booked.patient_id, "")
        messages.success(request, _booked(booked))
        page = reverse("admin:booking_appointment_change", args=[booked.pk])
        return HttpResponseRedirect(self._where_from(request) or page)

    def _page(
        self,
        request: HttpRequest,
        call: Call,
        person: NewPersonForm,
        now: datetime,
        *,
        people: Sequence[Patient] = (),
        pressed: PressedForm | None = None,
    ) -> HttpResponse:
        """One page for all of it: whatever is still missing is asked for, and nothing that was said is lost."""
        nobody = bool(call.typed) and not people and pressed is None
        if nobody:
            person.fields["phone" if person["name"].value() else "name"].widget.attrs["autofocus"] = True
        is_unsaid = bool(pressed and not call.patient and not person.has_said_something)
        context = self.admin_site.each_context(request) | self._found(request, call.said, people)
        context |= {
            "title": _("Book a visit"),
            "opts": self.opts,
            "call": call,
            "flags": _flags_said(call.before),
            "coming": [
                visit for visit in reversed(call.before) if visit.is_occupying and visit.ends_at > now
            ],
            "person": NewPersonForm(today=person.today) if is_unsaid else person,
            "is_unsaid": is_unsaid,
            "is_new": nobody or person.has_said_something,
            "pressed": pressed,
            "free": _free_times(call, now=now) if call.visit_type else None,
            "key": uuid4(),
            "nobody_chosen": self._address(request, call.said),
            "back": self._where_from(request),
        }
        if call.patient:
            found = [one.pk for one in people[:SHOWN]]
            context["audit"] = audit.Shown(Act.SEARCH if found else Act.VIEW, [call.patient.pk, *found])
        return TemplateResponse(request, "admin/booking/appointment/book.html", context)

    def _found(self, request: HttpRequest, said: dict[str, str], people: Sequence[Patient]) -> dict[str, Any]:
        shown = people[:SHOWN]
        return {
            "typed": _typed(request),
            "people": [(person, self._address(request, said, person)) for person in shown],
            "has_more": len(people) > SHOWN,
            "audit": audit.Shown(Act.SEARCH, [person.pk for person in shown]) if _typed(request) else None,
        }

    def _address(self, request: HttpRequest, said: dict[str, str], patient: Patient | None = None) -> str:
        """The page with this person chosen, or nobody; all else stays."""
        whom = {"patient": str(patient.pk)} if patient else {}
        back = self._where_from(request)
        query = said | whom | ({"next": back} if back else {})
        page = reverse("admin:booking_appointment_book")
        return f"{page}?{urlencode(query)}" if query else page


@dataclass(frozen=True, slots=True)
class FreeTimes:
    """What can be pressed: the very time that was asked for, the first of some days, and everything by day."""

    asked: FreeTime | None
    soonest: list[FreeTime]
    days: list[DayOfTimes]


def _free_times(call: Call, *, now: datetime) -> FreeTimes:
    """Two weeks of openings from the day that is asked for, in the three queries of one search."""
    assert call.visit_type  # noqa: S101 (asked for by the caller)
    found = queries.find_openings(
        call.visit_type,
        first_on=call.first_on,
        last_on=call.later_on - timedelta(days=1),
        rules=BookingRules(**AT_THE_DESK),
        now=now,
    )
    by_key = {person.pk: person for person in call.practitioners}
    who = call.practitioner.pk if call.practitioner else None

    def choice(start: int) -> FreeTime | None:
        opening = found.at(start, who)
        if opening is None or opening.practitioner not in by_key:
            return None
        at, person = times.from_epoch(start), by_key[opening.practitioner]
        return FreeTime(write_pick(at, person), at, person, is_picked=False)

    starts = found.starts(who)
    by_day: dict[date, list[FreeTime]] = {}
    for one in map(choice, starts):
        if one:
            by_day.setdefault(times.local_day(one.at), []).append(one)
    asked = int(call.starts_at.timestamp()) if call.starts_at else None
    return FreeTimes(
        asked=choice(asked) if asked in starts else None,
        soonest=[] if call.starts_at else [free[0] for free in list(by_day.values())[:SOONEST]],
        days=[DayOfTimes(day, free, day == min(by_day)) for day, free in sorted(by_day.items())],
    )


def _likely(visit_types: Sequence[VisitType], before: Sequence[Appointment]) -> VisitType | None:
    """The first; for whoever has been here, the first that is given again and again, or that of last time."""
    if not before:
        return next(iter(visit_types), None)
    again = (one for one in visit_types if one.as_course)
    same = (one for one in visit_types if one.pk == before[0].visit_type_id)
    return next(chain(again, same, visit_types), None)


def _said(said: QueryDict) -> dict[str, str]:
    names = ("visit_type", "practitioner", "start")
    return {name: text[:LONGEST] for name in names if (text := said.get(name))}


def _typed(request: HttpRequest) -> str:
    """What to find somebody by: the field for it or, while that is empty, what was said of somebody new."""
    typed = [request.POST.get(name, "").strip()[:LONGEST] for name in ("q", "phone", "email", "name")]
    return next(filter(None, typed if "find" in request.POST else typed[:1]), "")


def _said_of_somebody_new(request: HttpRequest, call: Call) -> dict[str, str]:
    """As it was typed; what nobody known was found by is somebody's name, number or address."""
    said = {name: request.POST[name] for name in NewPersonForm.base_fields if request.POST.get(name)}
    if call.typed and not {"name", "phone", "email"} & set(said):
        is_name = any(map(str.isalpha, call.typed))
        said["email" if "@" in call.typed else "name" if is_name else "phone"] = call.typed
    return said


def _first_on(said: QueryDict, starts_at: datetime | None, *, today: date) -> date:
    """The day that was asked for, or today, as far ahead as calendars reach."""
    asked = times.local_day(starts_at) if starts_at else today
    with suppress(ValueError):
        asked = times.parse_day(said.get("show_from") or said.get("from", ""))
    last = today + BookingRules(**AT_THE_DESK).horizon - timedelta(days=DAYS_SHOWN)
    return min(max(asked, today), last)


def _start(text: str) -> datetime | None:
    with suppress(ValueError):
        return times.parse_start(text)
    return None


def _flags_said(before: Sequence[Appointment]) -> list[screening.Flag]:
    """What was last answered before a visit; over the phone it is asked again."""
    return next((flags for visit in before if (flags := screening.flags(visit.precautions))), [])


def _booked(booked: Appointment) -> str:
    """What to read out, and whether the patient is told by e-mail too."""
    done = _("%(name)s: %(when)s, %(visit_type)s with %(practitioner)s, %(reference)s.") % {
        "name": booked.patient.name,
        "when": times.moment(booked.starts_at),
        "visit_type": booked.visit_type,
        "practitioner": booked.practitioner,
        "reference": booked.reference,
    }
    told = (
        _("Booked. The e-mail with the calendar file is on its way.")
        if booked.patient.email
        else _("Booked. There is no e-mail address: please read the day, time and reference out.")
    )
    return f"{told} {done}"
