"""The owner's rules for online booking at the desk: one row, changed and never deleted."""

from django.contrib import admin
from django.http import HttpRequest

from booking.models import BookingRules


@admin.register(BookingRules)
class BookingRulesAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    fields = [
        "notice_hours",
        "horizon_days",
        "keep_days_compact",
        "answer_within_hours",
        "waitlist_open_minutes",
        "cancellation_hours",
        "cancellation_rule",
    ]
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not BookingRules.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: BookingRules | None = None) -> bool:
        return False
