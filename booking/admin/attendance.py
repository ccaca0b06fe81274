"""What staff press on the day itself: arrived, did not come, completed; and the way back."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from booking.admin.decisions import DecisionsAdmin, SeenForm
from booking.models import Appointment
from booking.operations import (
    NotYet,
    TimeTaken,
    note_arrival,
    note_completion,
    note_no_show,
    step_back,
)

Operation = Callable[..., Appointment]


class AttendanceAdmin(DecisionsAdmin):
    """Adds to an appointment's addresses what is noted on its day."""

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        return [
            self.act("arrived", self._noting(note_arrival)),
            self.act("completed", self._noting(note_completion)),
            self.act("no-show", self._noting(note_no_show)),
            self.act("step-back", self._noting(step_back)),
            *super().get_urls(),
        ]

    def _noting(self, operation: Operation) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            return self._note(request, pk, operation)

        return view

    def _note(self, request: HttpRequest, pk: int, operation: Operation) -> HttpResponse:
        appointment = self._to_decide(request, pk)
        form = SeenForm(request.POST)
        if not form.is_valid():
            return self._not_understood(request, appointment)
        try:
            return self._carry_out(request, appointment, form, operation, says=_noted)
        except NotYet:
            messages.warning(request, _("This visit has not begun; nothing was changed."))
        except TimeTaken:
            messages.warning(request, _("Somebody else has this time by now; nothing was changed."))
        page = reverse("admin:booking_appointment_change", args=[appointment.pk])
        return HttpResponseRedirect(self._where_from(request) or page)


def _noted(noted: Appointment) -> str:
    """Nobody is written to about these."""
    return _("%(name)s, %(reference)s: %(status)s.") % {
        "name": noted.patient.name,
        "reference": noted.reference,
        "status": noted.get_status_display(),
    }
