"""Patients at the desk: corrected by staff, and kept as long as an appointment names them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from booking import times
from booking.admin import seen
from booking.models import Appointment, Patient


class AppointmentsInline(admin.TabularInline):  # type: ignore[type-arg]
    """What this person asked for and had; read here, answered on the appointment's own page."""

    model = Appointment
    fields = ["when", "visit_type", "practitioner", "status"]
    readonly_fields = ["when", "visit_type", "practitioner", "status"]
    show_change_link = True
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appointment]:
        return seen.appointments(request.user).with_people()

    def has_add_permission(self, request: HttpRequest, obj: Patient | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Appointment | None = None) -> bool:
        return False

    @admin.display(description=_("when"))
    def when(self, appointment: Appointment) -> str:
        return times.moment(appointment.starts_at)


@admin.register(Patient)
class PatientAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "email", "phone", "first_seen"]
    fields = ["name", "email", "phone", "date_of_birth", "first_seen", "marketing_consented_at"]
    readonly_fields = ["first_seen", "marketing_consented_at"]
    search_fields = ["name", "email", "phone"]
    list_per_page = 50
    show_full_result_count = False
    inlines = [AppointmentsInline]
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        return seen.patients(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Every patient comes with a request."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Patient | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.appointments.exists())

    @admin.display(description=_("first seen"), ordering="created_at")
    def first_seen(self, patient: Patient) -> str:
        return times.moment(patient.created_at)
