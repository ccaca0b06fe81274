"""How staff let a visit last longer: by a form, or by dragging its end in the calendar."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from booking import times, timetable
from booking.admin.calendar import refused
from booking.admin.decisions import DecisionsAdmin, SeenForm, changed_meanwhile
from booking.models import Appointment
from booking.openings import CELL
from booking.operations import AlreadyDecided, NoSuchEnd, TimeTaken, possible_ends, stretch_appointment

TAKEN = gettext_lazy("Not changed. The practitioner or the room is not free for so long.")


class StretchForm(SeenForm):
    """When the patient is to leave, of the ends to which the phases may stretch."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    ends = forms.ChoiceField(
        label=gettext_lazy("The patient leaves at"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose a time."),
            "invalid_choice": gettext_lazy("Choose a time from those below."),
        },
    )

    def __init__(self, data: Any = None, *, appointment: Appointment) -> None:
        initial = {
            "key": uuid4(),
            "version": appointment.version,
            "ends": times.write_start(appointment.ends_at),
        }
        super().__init__(data, initial=initial)
        ends = possible_ends(appointment)
        cast("forms.ChoiceField", self.fields["ends"]).choices = [
            (times.write_start(at), _said(at, planned=ends[0])) for at in ends
        ]

    def clean_ends(self) -> datetime:
        return times.parse_start(self.cleaned_data["ends"])


class DragEndForm(SeenForm):
    """By how many minutes the end was dragged, less than none if towards the start."""

    key = forms.UUIDField()
    longer_by = forms.IntegerField(min_value=-24 * 60, max_value=24 * 60)


class StretchingAdmin(DecisionsAdmin):
    """Adds to an appointment's addresses those that let it last longer."""

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        return [
            self.act("stretch", self.stretch),
            self.act("drag-end", require_POST(self.drag_end)),
            *super().get_urls(),
        ]

    def stretch(self, request: HttpRequest, pk: int) -> HttpResponse:
        appointment = self._to_decide(request, pk)
        if not appointment.is_occupying:
            return self._already_decided(request, appointment)
        form = StretchForm(request.POST if request.method == "POST" else None, appointment=appointment)
        if form.is_valid():
            try:
                return self._carry_out(
                    request,
                    appointment,
                    form,
                    stretch_appointment,
                    says=_stretched,
                    ends_at=form.cleaned_data["ends"],
                    idempotency_key=form.cleaned_data["key"],
                )
            except TimeTaken:
                form.add_error("ends", str(TAKEN))
        elif "key" in form.errors:
            return self._not_understood(request, appointment)
        return self._ask(request, appointment, form, "stretch", _("Let this visit last longer?"))

    def drag_end(self, request: HttpRequest, pk: int) -> JsonResponse:
        appointment = self._to_decide(request, pk)
        form = DragEndForm(request.POST)
        if not form.is_valid():
            return refused(_("That form was not complete; nothing was changed."))
        try:
            stretched = stretch_appointment(
                appointment=appointment,
                version=form.cleaned_data["version"],
                ends_at=appointment.ends_at + timedelta(minutes=form.cleaned_data["longer_by"]),
                by=cast("User", request.user),  # admin_view lets nobody else in
                idempotency_key=form.cleaned_data["key"],
                now=timezone.now(),
            )
        except NoSuchEnd:
            return refused(_ends_in_words(appointment))
        except TimeTaken:
            return refused(str(TAKEN))
        except AlreadyDecided as error:
            return refused(changed_meanwhile(error.appointment))
        return JsonResponse({"says": _stretched(stretched)})


def _said(at: datetime, *, planned: datetime) -> str:
    minutes = int((at - planned).total_seconds()) // 60
    if not minutes:
        return _("%(time)s, as planned") % {"time": timetable.label(at)}
    longer = ngettext("%(count)s minute longer", "%(count)s minutes longer", minutes) % {"count": minutes}
    return f"{timetable.label(at)}, {longer}"


def _ends_in_words(appointment: Appointment) -> str:
    ends = sorted(possible_ends(appointment))
    return _("Not changed. %(visit)s may end from %(first)s to %(last)s, in steps of %(step)s minutes.") % {
        "visit": appointment.visit_type,
        "first": timetable.label(ends[0]),
        "last": timetable.label(ends[-1]),
        "step": CELL // 60,
    }


def _stretched(stretched: Appointment) -> str:
    return _("%(name)s, %(reference)s: now until %(time)s.") % {
        "name": stretched.patient.name,
        "reference": stretched.reference,
        "time": timetable.label(stretched.ends_at),
    }
