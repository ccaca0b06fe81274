"""Staff who open the record of somebody with no business today say why: one press, once for a patient in a session."""

from typing import cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking.models import Patient
from clinic import audit
from clinic.addresses import own_address
from clinic.models import Act, AuditRow, Reason
from clinic.text import refuse_unprintable

RECORDS = ("patient", "appointment", "course", "waitlistentry")


class ReasonForm(forms.Form):
    reason = forms.ChoiceField(
        choices=Reason.choices, error_messages={"required": gettext_lazy("Choose why.")}
    )
    note = forms.CharField(
        label=gettext_lazy("Something else: say why in a few words"),
        help_text=gettext_lazy("Nothing about anybody's health: this stays in the audit trail for good."),
        max_length=cast("int", AuditRow.note.field.max_length),
        required=False,
    )

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        refuse_unprintable(note)
        return note

    def clean(self) -> None:
        facts = self.cleaned_data
        if facts.get("reason") == Reason.OTHER and "note" in facts and not facts["note"]:
            self.add_error("note", _("Say in a few words why you open this record."))


class ReasonsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        ask = self.admin_site.admin_view(self.reason)
        return [path("<int:pk>/reason/", ask, name="booking_patient_reason"), *super().get_urls()]

    def reason(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks why, writes it down and goes on to the page that was wanted.

        :raises PermissionDenied: if this person may see no record anyway.
        """
        if not any(request.user.has_perm(f"booking.view_{record}") for record in RECORDS):
            raise PermissionDenied
        patient = get_object_or_404(self.get_queryset(request), pk=pk)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            facts = form.cleaned_data
            audit.record(
                by=cast("User", request.user),  # admin_view lets nobody else in
                act=Act.REASON,
                kind="patient",
                subject=pk,
                people=[pk],
                reason=facts["reason"],
                note=facts["note"],
                now=timezone.now(),
            )
            audit.remember_reason(request.session, pk, facts["reason"])
            return HttpResponseRedirect(_wanted(request, patient))
        context = self.admin_site.each_context(request) | {
            "title": _("Why do you open this record?"),
            "opts": self.opts,
            "patient": patient,
            "form": form,
            "reasons": [choice for choice in Reason.choices if choice[0] != Reason.OTHER],
            "other": Reason.OTHER,
        }
        return TemplateResponse(request, "admin/booking/patient/reason.html", context)


def _wanted(request: HttpRequest, patient: Patient) -> str:
    """The page on our own host that was asked for, or the patient's."""
    wanted = own_address(request, request.GET.get("next", ""))
    return wanted or reverse("admin:booking_patient_change", args=[patient.pk])
