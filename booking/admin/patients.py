"""Patients at the desk: corrected by staff, and kept as long as an appointment names them."""

from contextlib import suppress
from datetime import date
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from booking import times
from booking.admin import seen
from booking.admin.decisions import DECIDE
from booking.admin.duplicates import DuplicatesAdmin, perhaps_the_same
from booking.admin.reasons import ReasonsAdmin
from booking.admin.record import record_of
from booking.admin.rights import RightsAdmin
from booking.models import Patient

OLDEST: Final = date(1900, 1, 1)


class PatientForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is corrected of a person, unless a colleague has corrected it since the page was opened."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean_date_of_birth(self) -> date | None:
        born: date | None = self.cleaned_data["date_of_birth"]
        if born and not OLDEST <= born <= times.local_day(timezone.now()):
            raise ValidationError(_("Enter a date of birth like 2012-03-27, or leave this empty."))
        return born

    def clean(self) -> None:
        super().clean()
        for name, field in self.fields.items():  # the record is still as the database has it
            seen_before = self.data.get(self[name].html_initial_name)
            with suppress(ValidationError):
                if seen_before is not None and field.clean(seen_before) != field.clean(
                    getattr(self.instance, name)
                ):
                    self.add_error(name, _("A colleague has changed this to what stands in the record now."))


@admin.register(Patient)
class PatientAdmin(DuplicatesAdmin, ReasonsAdmin, RightsAdmin):
    form = PatientForm
    list_display = ["name", "email", "phone", "first_seen"]
    fields = ["name", "email", "phone", "date_of_birth", "first_seen", "marketing_consented_at"]
    readonly_fields = ["first_seen", "marketing_consented_at"]
    search_fields = ["name", "email", "phone"]
    list_per_page = 50
    show_full_result_count = False
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        return seen.patients(request.user).current()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Every patient comes with a request, or with a visit that is booked by phone."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Patient | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.appointments.exists())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        patient: Patient = context["original"]
        may_merge = self.may_merge(request) and not patient.is_erased
        context |= {
            "patient": patient,
            "record": record_of(patient, desk=self.admin_site, request=request, now=timezone.now()),
            "may_merge": may_merge,
            "merges": patient.merges.standing().select_related("merged", "merged_by"),
            "perhaps": perhaps_the_same(patient, self.get_queryset(request)) if may_merge else [],
            "may_book": request.user.has_perm(DECIDE)
            and self.has_view_permission(request, patient)
            and not patient.is_erased,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("first seen"), ordering="created_at")
    def first_seen(self, patient: Patient) -> str:
        return times.moment(patient.created_at)
