"""How staff answer: each act is one POST of the version they saw to one operation, and one message back."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from booking import times
from booking.admin import seen
from booking.models import Appointment, DeclineReason, Patient, StatusChange
from booking.operations import (
    AlreadyDecided,
    CallBackFirst,
    cancel_appointment,
    confirm_appointment,
    decline_appointment,
    note_call_back,
)
from clinic.addresses import own_address

DECIDE = "booking.decide_appointment"


class SeenForm(forms.Form):
    """The version that the person who decides was looking at."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class DeclineForm(SeenForm):
    reason = forms.ChoiceField(
        label=gettext_lazy("What the patient reads"),
        choices=DeclineReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what the patient reads.")},
    )


class DecisionsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Adds the acts to the appointment's addresses.

    `admin_view` only asks whether somebody is staff, so each act asks for its own permission.
    """

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        return [
            self.act("confirm", require_POST(self.confirm)),
            self.act("called_back", require_POST(self.called_back)),
            self.act("decline", self.decline),
            self.act("cancel", self.cancel),
            *super().get_urls(),
        ]

    def act(self, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
        """The address of one act on one appointment."""
        wrapped = self.admin_site.admin_view(view)
        return path(f"<int:pk>/{name}/", wrapped, name=f"booking_appointment_{name}")

    def may_decide(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DECIDE)

    def may_book(self, request: HttpRequest) -> bool:
        """Whoever books looks through everybody that they may see."""
        patients = self.admin_site.get_model_admin(Patient)
        return self.may_decide(request) and patients.has_view_permission(request)

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        appointment = self._to_decide(request, pk)
        form = SeenForm(request.POST)
        if not form.is_valid():
            return self._not_understood(request, appointment)
        return self._carry_out(request, appointment, form, confirm_appointment)

    def called_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        appointment = self._to_decide(request, pk)
        form = SeenForm(request.POST)
        if not form.is_valid():
            return self._not_understood(request, appointment)
        return self._carry_out(request, appointment, form, note_call_back, says=_noted_call)

    def decline(self, request: HttpRequest, pk: int) -> HttpResponse:
        appointment = self._to_decide(request, pk)
        if not appointment.is_pending:
            return self._already_decided(request, appointment)
        form = DeclineForm(_posted(request), initial={"version": appointment.version})
        if form.is_valid():
            reason = DeclineReason(form.cleaned_data["reason"])
            return self._carry_out(request, appointment, form, decline_appointment, reason=reason)
        return self._ask(request, appointment, form, "decline", _("Decline this request?"))

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        appointment = self._to_decide(request, pk)
        if not appointment.can_be_cancelled:
            return self._already_decided(request, appointment)
        form = SeenForm(_posted(request), initial={"version": appointment.version})
        if form.is_valid():
            return self._carry_out(request, appointment, form, cancel_appointment)
        return self._ask(request, appointment, form, "cancel", _("Cancel this appointment?"))

    def _to_decide(self, request: HttpRequest, pk: int) -> Appointment:
        """The appointment that the address names.

        :raises PermissionDenied: if this person may not decide.
        :raises Http404: if there is none, or it is not theirs to see.
        """
        if not self.may_decide(request):
            raise PermissionDenied
        seen_by = seen.appointments(request.user)
        return get_object_or_404(seen_by.with_people().with_replaced(), pk=pk)

    def _carry_out(
        self,
        request: HttpRequest,
        appointment: Appointment,
        form: SeenForm,
        operation: Callable[..., Appointment],
        *,
        says: Callable[[Appointment], str] | None = None,
        **facts: Any,
    ) -> HttpResponse:
        try:
            decided = operation(
                appointment=appointment,
                version=form.cleaned_data["version"],
                by=cast("User", request.user),  # admin_view lets nobody else in
                now=timezone.now(),
                **facts,
            )
        except AlreadyDecided as error:
            return self._already_decided(request, error.appointment)
        except CallBackFirst:
            return self._call_first(request, appointment)
        messages.success(request, (says or _decided)(decided))
        return HttpResponseRedirect(self._where_from(request) or _page(appointment))

    def _ask(
        self, request: HttpRequest, appointment: Appointment, form: SeenForm, act: str, title: str
    ) -> HttpResponse:
        """The page before an act that cannot be taken back."""
        if "version" in form.errors:
            return self._not_understood(request, appointment)
        context = self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.opts,
            "appointment": appointment,
            "form": form,
            "back": self._where_from(request) or _page(appointment),
        }
        return TemplateResponse(request, f"admin/booking/appointment/{act}.html", context)

    def _already_decided(self, request: HttpRequest, appointment: Appointment) -> HttpResponse:
        messages.warning(request, changed_meanwhile(appointment))
        return HttpResponseRedirect(_page(appointment))

    def _call_first(self, request: HttpRequest, appointment: Appointment) -> HttpResponse:
        says = _("Call %(name)s first, then press “Called back”; nothing was changed.") % {
            "name": appointment.patient.name
        }
        messages.warning(request, says)
        return HttpResponseRedirect(_page(appointment))

    def _not_understood(self, request: HttpRequest, appointment: Appointment) -> HttpResponse:
        messages.error(request, _("That form was not complete; nothing was changed. Please look again."))
        return HttpResponseRedirect(_page(appointment))

    def _where_from(self, request: HttpRequest) -> str:
        """The address on our own host to go back to, if the link named one."""
        return own_address(request, request.GET.get("next", ""))


def changed_meanwhile(appointment: Appointment) -> str:
    """What it is now, who made it so and when."""
    change = appointment.changes.select_related("by").last()
    if appointment.is_pending or change is None:
        return _("%(reference)s has changed since you looked at it; nothing was changed.") % {
            "reference": appointment.reference
        }
    if change.from_status == change.to_status:
        return _("%(reference)s was changed by %(who)s (%(when)s); nothing was changed now.") % {
            "reference": appointment.reference,
            "who": who(change),
            "when": times.moment(change.at),
        }
    return _("%(reference)s was already %(status)s (by %(who)s, %(when)s); nothing was changed.") % {
        "reference": appointment.reference,
        "status": appointment.get_status_display(),
        "who": who(change),
        "when": times.moment(change.at),
    }


def _decided(decided: Appointment) -> str:
    """What it is now, and whether the patient is told by e-mail."""
    done = _("%(reference)s is now %(status)s.") % {
        "reference": decided.reference,
        "status": decided.get_status_display(),
    }
    told = (
        _("The e-mail to %(name)s is on its way.")
        if decided.patient.email
        else _("%(name)s gave no e-mail address: please call.")
    )
    return f"{done} {told % {'name': decided.patient.name}}"


def _noted_call(called: Appointment) -> str:
    return _("Noted: %(name)s was called back. %(reference)s can be confirmed now.") % {
        "name": called.patient.name,
        "reference": called.reference,
    }


def who(change: StatusChange) -> str:
    """The name of the member of staff, or what else changed the status."""
    if change.by:
        return change.by.get_full_name() or change.by.get_username()
    return change.get_actor_display()


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _page(appointment: Appointment) -> str:
    return reverse("admin:booking_appointment_change", args=[appointment.pk])
