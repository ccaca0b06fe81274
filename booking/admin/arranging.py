"""How staff give a visit another time: offer one to three, move it, or put it deliberately over another."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast
from uuid import uuid4

from django import forms
from django.contrib.admin.widgets import AdminDateWidget, AdminTimeWidget
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import openings, queries, times
from booking.admin.decisions import DecisionsAdmin, SeenForm
from booking.admin.picks import read_pick, write_pick
from booking.fields import of_these_years
from booking.models import Appointment, BookingRules, OfferNote, Resource
from booking.operations import OfferedTime, TimeTaken, move_appointment, offer_other_times
from booking.operations.offers import MOST_TIMES
from booking.operations.taking import AT_THE_DESK

OVERLAP: Final = "booking.overlap_appointment"
DAYS_SHOWN: Final = 14
TAKEN: Final = gettext_lazy("One of these times has just been taken: %(when)s. Choose another.")


class PickForm(SeenForm):
    """Free times that staff tick, each with who would give the visit; at most `most` of them."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    pick = forms.Field(required=False, widget=forms.MultipleHiddenInput)

    def __init__(
        self, data: Any = None, *, initial: dict[str, Any], practitioners: dict[str, Resource], most: int
    ) -> None:
        super().__init__(data, initial={"key": uuid4()} | initial)
        self.practitioners = practitioners
        self.most = most

    def clean_pick(self) -> list[OfferedTime]:
        picked = self.cleaned_data["pick"] or []
        if not 1 <= len(picked) <= self.most:
            if self.most == 1:
                raise ValidationError(_("Choose a time."))
            raise ValidationError(_("Choose one to three times."))
        return [self._read(text) for text in picked]

    def _read(self, text: str) -> OfferedTime:
        try:
            return read_pick(text, self.practitioners)
        except ValueError as error:
            raise ValidationError(_("Choose a time from those below.")) from error

    def facts(self) -> dict[str, Any]:
        """What the operation is told."""
        return {"offered": self.cleaned_data["pick"], "idempotency_key": self.cleaned_data["key"]}


class OfferForm(PickForm):
    """The same, and perhaps a sentence that the patient reads beside the times."""

    note = forms.TypedChoiceField(
        label=gettext_lazy("What the patient reads with the times"),
        choices=[("", gettext_lazy("Nothing more")), *OfferNote.choices],
        coerce=OfferNote,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": gettext_lazy("Choose one of these sentences, or nothing more.")},
    )

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"note": self.cleaned_data["note"]}


class OverlapForm(SeenForm):
    """The very place that a visit is put to, whatever is there already."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    on = forms.DateField(label=gettext_lazy("Date"), widget=AdminDateWidget, validators=[of_these_years])
    at = forms.TimeField(label=gettext_lazy("Time (Toronto)"), widget=AdminTimeWidget)
    practitioner = forms.ModelChoiceField(Resource.objects.none(), label=gettext_lazy("Practitioner"))
    room = forms.ModelChoiceField(Resource.objects.none(), label=gettext_lazy("Room"))

    def __init__(self, data: Any = None, *, appointment: Appointment) -> None:
        at = times.local(appointment.starts_at)
        initial = {
            "key": uuid4(),
            "version": appointment.version,
            "on": at.date(),
            "at": at.time(),
            "practitioner": appointment.practitioner,
            "room": appointment.room,
        }
        super().__init__(data, initial=initial)
        practitioner, room = (
            cast("forms.ModelChoiceField[Resource]", self.fields[name]) for name in ("practitioner", "room")
        )
        practitioner.queryset = appointment.visit_type.practitioners.active()
        room.queryset = Resource.objects.rooms().active()

    def clean_at(self) -> time:
        wall: time = self.cleaned_data["at"]
        if wall.minute % 5 or wall.second:
            raise ValidationError(_("Visits begin at a full five minutes."))
        return wall

    def clean(self) -> None:
        facts = self.cleaned_data
        if "on" not in facts or "at" not in facts:
            return
        facts["starts_at"] = times.from_epoch(times.epoch(facts["on"], facts["at"]))
        if facts["starts_at"].time() != facts["at"]:
            self.add_error("at", _("The clocks skip this time on that day."))


@dataclass(frozen=True, slots=True)
class FreeTime:
    """One free time; `value` is what the form sends."""

    value: str
    at: datetime
    practitioner: Resource
    is_picked: bool


@dataclass(frozen=True, slots=True)
class DayOfTimes:
    on: date
    choices: list[FreeTime]
    is_open: bool


class ArrangingAdmin(DecisionsAdmin):
    """Adds to an appointment's addresses those that give it another time."""

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        return [
            self.act("offer", self.offer),
            self.act("move", self.move),
            self.act("overlap", self.overlap),
            *super().get_urls(),
        ]

    def offer(self, request: HttpRequest, pk: int) -> HttpResponse:
        appointment = self._to_decide(request, pk)
        if not appointment.is_pending:
            return self._already_decided(request, appointment)
        if appointment.waits_for_call:
            return self._call_first(request, appointment)

        def offer_these(*, appointment: Appointment, offered: list[OfferedTime], **facts: Any) -> Appointment:
            offer_other_times(appointment=appointment, offered=offered, **facts)
            return appointment

        return self._pick(request, appointment, "offer", offer_these, most=MOST_TIMES, form_class=OfferForm)

    def move(self, request: HttpRequest, pk: int) -> HttpResponse:
        appointment = self._to_decide(request, pk)
        if not appointment.can_be_moved:
            return self._already_decided(request, appointment)

        def move_there(*, appointment: Appointment, offered: list[OfferedTime], **facts: Any) -> Appointment:
            [to] = offered
            return move_appointment(
                appointment=appointment, starts_at=to.starts_at, practitioner=to.practitioner, **facts
            )

        return self._pick(request, appointment, "move", move_there, most=1)

    def overlap(self, request: HttpRequest, pk: int) -> HttpResponse:
        appointment = self._to_decide(request, pk)
        if not request.user.has_perm(OVERLAP):
            raise PermissionDenied
        if not appointment.can_be_moved:
            return self._already_decided(request, appointment)
        form = OverlapForm(request.POST if request.method == "POST" else None, appointment=appointment)
        if form.is_valid():
            facts = form.cleaned_data
            return self._carry_out(
                request,
                appointment,
                form,
                move_appointment,
                says=_moved,
                starts_at=facts["starts_at"],
                practitioner=facts["practitioner"],
                over_in=facts["room"],
                idempotency_key=facts["key"],
            )
        return self._ask(request, appointment, form, "overlap", _("Put this visit over another?"))

    def _pick(
        self,
        request: HttpRequest,
        appointment: Appointment,
        act: str,
        operation: Callable[..., Appointment],
        *,
        most: int,
        form_class: type[PickForm] = PickForm,
    ) -> HttpResponse:
        """The page of free times; what was chosen stays while staff look at other days or at one practitioner's."""
        now = timezone.now()
        practitioners = {person.slug: person for person in appointment.visit_type.practitioners.active()}
        is_sent = request.method == "POST" and "show" not in request.POST
        form = form_class(
            request.POST if is_sent else None,
            initial={"note": request.POST.get("note", "")},
            practitioners=practitioners,
            most=most,
        )
        if form.is_valid():
            offered = form.cleaned_data["pick"]
            try:
                return self._carry_out(
                    request,
                    appointment,
                    form,
                    operation,
                    says=_moved if most == 1 else _offered,
                    **form.facts(),
                )
            except TimeTaken:
                form.add_error(
                    "pick", TAKEN % {"when": "; ".join(times.moment(one.starts_at) for one in offered)}
                )
        elif "version" in form.errors or "key" in form.errors:
            return self._not_understood(request, appointment)
        shown = _Shown.asked(request, appointment, practitioners, now=now)
        context = self.admin_site.each_context(request) | {
            "title": _("Offer other times") if most > 1 else _("Move to another time"),
            "opts": self.opts,
            "appointment": appointment,
            "form": form,
            "key": form["key"].value(),
            "version": form["version"].value() or request.POST.get("version") or appointment.version,
            "is_one": most == 1,
            "most": most,
            "days": shown.days(appointment, now=now),
            "shown": shown,
            "practitioners": practitioners.values(),
            "may_overlap": most == 1 and request.user.has_perm(OVERLAP),
            "back": self._where_from(request)
            or reverse("admin:booking_appointment_change", args=[appointment.pk]),
        }
        return TemplateResponse(request, f"admin/booking/appointment/{act}.html", context)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Which free times the page shows, and which of them are ticked."""

    first_on: date
    practitioner: Resource | None
    practitioners: dict[int, Resource]
    picked: tuple[str, ...]
    asked_on: date

    @classmethod
    def asked(
        cls,
        request: HttpRequest,
        appointment: Appointment,
        practitioners: dict[str, Resource],
        *,
        now: datetime,
    ) -> "_Shown":
        """From the day that was asked for; at first from two days before the visit's own."""
        today = times.local_day(now)
        asked_on = times.local_day(appointment.starts_at)
        try:
            first_on = times.parse_day(request.POST.get("from", ""))
        except ValueError:
            first_on = asked_on - timedelta(days=2)
        last = today + BookingRules(**AT_THE_DESK).horizon - timedelta(days=DAYS_SHOWN)
        return cls(
            first_on=min(max(first_on, today), last),
            practitioner=practitioners.get(request.POST.get("who", "")),
            practitioners={person.pk: person for person in practitioners.values()},
            picked=tuple(request.POST.getlist("pick")),
            asked_on=asked_on,
        )

    @property
    def first_drawn_on(self) -> date:
        """The visit's own day, if it is among those shown."""
        return self.asked_on if self.first_on <= self.asked_on < self.later_on else self.first_on

    @property
    def earlier_on(self) -> date:
        return self.first_on - timedelta(days=DAYS_SHOWN)

    @property
    def later_on(self) -> date:
        return self.first_on + timedelta(days=DAYS_SHOWN)

    def days(self, appointment: Appointment, *, now: datetime) -> list[DayOfTimes]:
        """The free times by day; what was ticked before stays in the list wherever it lies."""
        found = queries.find_openings(
            appointment.visit_type,
            first_on=self.first_on,
            last_on=self.later_on - timedelta(days=1),
            rules=BookingRules(**AT_THE_DESK),
            now=now,
            but=appointment,
        )
        by_day: dict[date, list[FreeTime]] = {}
        free = self._free(found)
        for choice in [*self._ticked_besides(free), *free]:
            by_day.setdefault(times.local_day(choice.at), []).append(choice)
        first = min((day for day in by_day if day >= self.asked_on), default=None)
        return [
            DayOfTimes(day, choices, day == first or any(choice.is_picked for choice in choices))
            for day, choices in sorted(by_day.items())
        ]

    def _free(self, found: openings.Openings) -> list[FreeTime]:
        who = self.practitioner.pk if self.practitioner else None
        serving = [(start, found.at(start, who)) for start in found.starts(who)]
        return [
            self._choice(times.from_epoch(start), self.practitioners[opening.practitioner])
            for start, opening in serving
            if opening and opening.practitioner
        ]

    def _ticked_besides(self, free: list[FreeTime]) -> list[FreeTime]:
        """What was ticked and is not among those shown: on another day, or with somebody else."""
        shown = {choice.value for choice in free}
        by_slug = {person.slug: person for person in self.practitioners.values()}
        ticked = []
        for value in self.picked[:MOST_TIMES]:
            with suppress(ValueError):
                if value not in shown:
                    picked = read_pick(value, by_slug)
                    ticked.append(self._choice(picked.starts_at, picked.practitioner))
        return ticked

    def _choice(self, at: datetime, practitioner: Resource) -> FreeTime:
        value = write_pick(at, practitioner)
        return FreeTime(value, at, practitioner, value in self.picked)


def _moved(moved: Appointment) -> str:
    return _("%(reference)s is now on %(when)s.") % {
        "reference": moved.reference,
        "when": times.moment(moved.starts_at),
    }


def _offered(offered: Appointment) -> str:
    return _("The times are offered to %(name)s and held until the offer runs out.") % {
        "name": offered.patient.name
    }
