"""What a patient may say of a visit without changing it: when to be reminded, and how it is; each is one POST."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from booking import operations
from booking.forms_visit import CheckInForm, RemindersForm
from booking.models import SCALES, Appointment, CheckIn
from booking.views.appointments import appointment_page, private
from clinic import limits

NOT_ASKED_NOW = _("These questions can be answered from 2 days before a booked visit until it starts.")
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


@private
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def check_in(request: HttpRequest, asked: Appointment) -> HttpResponse:
    """The four questions before the visit; answered again, the answers are changed."""
    now, address = timezone.now(), reverse("booking:appointment", args=[asked.reference])
    if not operations.is_asked(asked, now=now):
        return appointment_page(request, asked, now=now, problem=NOT_ASKED_NOW, status=409)
    given = CheckIn.objects.filter(appointment=asked).values(*SCALES).first()
    form = CheckInForm(request.POST if request.method == "POST" else None, initial=given)
    if not form.is_valid():
        context = {"form": form, "appointment": asked, "has_answered": bool(given), "back_url": address}
        return render(request, "booking/check_in.html", context)
    limits.count(limits.CHANGE, request, now=now)
    try:
        operations.answer_check_in(appointment=asked, answers=form.answers, now=now)
    except operations.NotAskedNow:
        return appointment_page(request, asked, now=now, problem=NOT_ASKED_NOW, status=409)
    return redirect(f"{address}#how-it-is")
