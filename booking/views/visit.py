"""What a patient may say of a visit without changing it: when to be reminded; each is one POST."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from booking import operations
from booking.forms_visit import RemindersForm
from booking.models import Appointment
from booking.views.appointments import appointment_page, private
from clinic import limits

IS_OVER = _("This visit is over or will not take place. Nothing was changed.")


@private
@require_POST
def reminders(request: HttpRequest, asked: Appointment) -> HttpResponse:
    """Chosen anew, as often as somebody likes."""
    now, form = timezone.now(), RemindersForm(request.POST)
    if not form.is_valid():
        return appointment_page(request, asked, now=now, reminders_form=form)
    limits.count(limits.CHANGE, request, now=now)
    try:
        operations.choose_reminders(appointment=asked, reminders=form.chosen, now=now)
    except operations.AlreadyDecided as over:
        return appointment_page(request, over.appointment, now=now, problem=IS_OVER, status=409)
    return redirect(f"{reverse('booking:appointment', args=[asked.reference])}#reminders")
