"""Appointments at the desk: found, read and answered, never typed over."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from booking import queries, times
from booking.admin import seen
from booking.admin.arranging import ArrangingAdmin
from booking.admin.attendance import AttendanceAdmin
from booking.admin.calendar import CalendarAdmin
from booking.admin.care_plan import CarePlanAdmin
from booking.admin.day_sheet import DaySheetAdmin
from booking.admin.decisions import who
from booking.admin.links import LinkAdmin
from booking.admin.phone import PhoneBookingAdmin
from booking.admin.stretching import StretchingAdmin
from booking.check_in_plot import check_in_plot
from booking.models import Appointment
from booking.operations import possible_ends
from booking.samples import in_words
from clinic.models import QueuedMail


class StartsFilter(admin.SimpleListFilter):
    """The days that a desk asks for; Django's own date filter only looks back."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("today", _("Today")),
            ("tomorrow", _("Tomorrow")),
            ("week", _("Next 7 days")),
            ("past", _("Past")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appointment]) -> QuerySet[Appointment]:
        today = times.local_day(timezone.now())

        def in_days(days: int) -> datetime:
            return times.midnight(today + timedelta(days=days))

        if self.value() == "past":
            return queryset.filter(starts_at__lt=in_days(0))
        spans = {"today": (0, 1), "tomorrow": (1, 2), "week": (0, 7)}
        if span := spans.get(self.value() or ""):
            return queryset.filter(starts_at__gte=in_days(span[0]), starts_at__lt=in_days(span[1]))
        return queryset


@admin.register(Appointment)
class AppointmentAdmin(
    CalendarAdmin,
    StretchingAdmin,
    PhoneBookingAdmin,
    DaySheetAdmin,
    CarePlanAdmin,
    LinkAdmin,
    ArrangingAdmin,
    AttendanceAdmin,
):
    list_display = ["reference", "when", "visit", "patient", "status_and_flags"]
    list_filter = [
        "status",
        StartsFilter,
        ("practitioner", admin.RelatedOnlyFieldListFilter),
        ("visit_type", admin.RelatedOnlyFieldListFilter),
    ]
    search_fields = ["reference", "patient__name", "patient__email", "patient__phone"]
    search_help_text = _("Reference, or the patient's name, e-mail or phone")
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None  # each row has its own buttons, which post the version that the row shows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Appointment | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Appointment | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appointment]:
        return seen.appointments(request.user).with_people().with_replaced()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*self.list_display, self._acts(request)] if self.may_decide(request) else self.list_display

    @admin.display(description=_("when"), ordering="starts_at")
    def when(self, appointment: Appointment) -> str:
        return times.moment(appointment.starts_at)

    @admin.display(description=_("visit"), ordering="practitioner__name")
    def visit(self, appointment: Appointment) -> str:
        return f"{appointment.visit_type}: {appointment.practitioner}"

    @admin.display(description=_("status and flags"), ordering="status")
    def status_and_flags(self, appointment: Appointment) -> SafeString:
        return render_to_string(
            "admin/booking/appointment/status_and_flags.html", {"appointment": appointment}
        )

    def _acts(self, request: HttpRequest) -> Callable[[Appointment], SafeString]:
        @admin.display(description=_("answer"))
        def acts(appointment: Appointment) -> SafeString:
            return render_to_string(
                "admin/booking/appointment/acts.html",
                {"appointment": appointment, "back": request.get_full_path()},
            )

        return acts

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        appointment: Appointment = context["original"]
        check_ins = queries.check_ins_along_with(appointment)
        context |= {
            "appointment": appointment,
            "check_ins": check_ins,
            "plot": check_in_plot(check_ins),
            "may_decide": self.may_decide(request),
            "offer": appointment.offers.prefetch_related("options__practitioner").first()
            if appointment.is_proposed
            else None,
            "can_stretch": appointment.is_occupying and len(possible_ends(appointment)) > 1,
            "is_today": times.local_day(appointment.starts_at) == times.local_day(timezone.now()),
            "history": [
                (change, who(change), change.reason_in_words)
                for change in appointment.changes.select_related("by")
            ],
            "mails": [
                (mail, in_words(mail.kind))
                for mail in QueuedMail.objects.filter(about=appointment.reference).order_by(
                    "created_at", "pk"
                )
            ],
        }
        return super().render_change_form(request, context, *args, **kwargs)
