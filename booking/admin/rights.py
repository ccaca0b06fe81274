"""What a patient may ask for: a copy of everything kept about them, and to be erased."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from booking import records, times
from booking.models import Patient
from booking.operations import NotOver, erase_patient
from clinic.password_again import PasswordAgainForm

EXPORT = "clinic.export_patient"
ERASE = "clinic.erase_patient"
REFUSED = 403  # the page again, with what was wrong at its field


class CopyForm(PasswordAgainForm):
    """A page to print or a file for another program."""

    form = forms.ChoiceField(
        label=gettext_lazy("As"),
        choices=[("page", gettext_lazy("a page to read and print")), ("file", gettext_lazy("a file (JSON)"))],
    )


class EraseForm(PasswordAgainForm):
    is_sure = forms.BooleanField(
        label=gettext_lazy(
            "This cannot be taken back. I have made sure that the request is the patient’s own."
        ),
        error_messages={"required": gettext_lazy("Tick that you have made sure.")},
    )


class RightsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/rights/", wrap(require_safe(self.rights)), name="booking_patient_rights"),
            path("<int:pk>/export/", wrap(require_POST(self.export)), name="booking_patient_export"),
            path("<int:pk>/erase/", wrap(require_POST(self.erase)), name="booking_patient_erase"),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Patient | None = None) -> bool:
        """Who is erased stays so."""
        return super().has_change_permission(request, obj) and not (obj and obj.is_erased)

    def rights(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not (request.user.has_perm(EXPORT) or request.user.has_perm(ERASE)):
            raise PermissionDenied
        return self._ask(request, get_object_or_404(self.get_queryset(request), pk=pk))

    def export(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Everything that is kept about this one person."""
        if not request.user.has_perm(EXPORT):
            raise PermissionDenied
        patient = get_object_or_404(self.get_queryset(request), pk=pk)
        form = CopyForm(request.POST, request=request)
        if not form.is_valid():
            return self._ask(request, patient, copy=form)
        now, sections = timezone.now(), records.everything_about(patient)
        if form.cleaned_data["form"] == "file":
            facts = {
                section.name: [{fact.name: fact.value for fact in entry} for entry in section.entries]
                for section in sections
            }
            name = f'attachment; filename="record-{patient.pk}.json"'
            return JsonResponse(
                {"written_at": now} | facts,
                json_dumps_params={"ensure_ascii": False, "indent": 1},
                headers={"Content-Disposition": name},
            )
        context = self.admin_site.each_context(request) | {
            "title": _("Everything we keep about %(name)s") % {"name": patient},
            "opts": self.opts,
            "patient": patient,
            "sections": sections,
            "written_at": now,
        }
        return TemplateResponse(request, "admin/booking/patient/copy.html", context)

    def erase(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm(ERASE):
            raise PermissionDenied
        patient = get_object_or_404(self.get_queryset(request), pk=pk)
        form = EraseForm(request.POST, request=request)
        if not form.is_valid():
            return self._ask(request, patient, erase=form)
        by = cast("User", request.user)  # admin_view lets nobody else in
        try:
            until = erase_patient(patient=patient, by=by, now=timezone.now())
        except NotOver:
            messages.warning(request, _("Something of theirs is not over yet; nothing was erased."))
            return HttpResponseRedirect(reverse("admin:booking_patient_rights", args=[pk]))
        if until:
            says = _("What is no part of the record is erased. The record itself is kept until %(day)s.")
            messages.warning(request, says % {"day": times.in_words(until)})
        else:
            messages.success(request, _("Everything that tells who this person was is erased."))
        return HttpResponseRedirect(reverse("admin:booking_patient_changelist"))

    def _ask(
        self,
        request: HttpRequest,
        patient: Patient,
        *,
        copy: CopyForm | None = None,
        erase: EraseForm | None = None,
    ) -> HttpResponse:
        """The page of what a patient may ask for; a form that was not complete stands in it with its errors."""
        now = timezone.now()
        until = records.kept_until(patient)
        context: dict[str, Any] = self.admin_site.each_context(request) | {
            "title": _("What %(name)s may ask for") % {"name": patient},
            "opts": self.opts,
            "patient": patient,
            "may_export": request.user.has_perm(EXPORT),
            "may_erase": request.user.has_perm(ERASE) and not patient.is_erased,
            "copy": copy or CopyForm(request=request),
            "erase": erase or EraseForm(request=request),
            "left": [
                (one, reverse(f"admin:booking_{one._meta.model_name}_change", args=[one.pk]))  # noqa: SLF001
                for one in records.not_over(patient, now=now)
            ],
            "kept_until": until if until and until > times.local_day(now) else None,
        }
        status = REFUSED if copy or erase else 200
        return TemplateResponse(request, "admin/booking/patient/rights.html", context, status=status)
