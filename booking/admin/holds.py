"""Times that visitors keep while they fill in the form: seen at the desk, and freed if somebody hoards them."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from booking import times
from booking.models import Hold
from booking.models.holds import HoldQuerySet
from booking.operations import release_holds


@admin.register(Hold)
class HoldAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Whoever still fills in the form takes the time again with the next page, if nobody else has it by then."""

    list_display = ["when", "visit", "kept_until"]
    list_display_links = None
    ordering = ["starts_at", "pk"]
    list_per_page = 200
    show_full_result_count = False
    actions = ["free"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        """Only together, by the action below."""
        return obj is None and super().has_delete_permission(request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: act for name, act in super().get_actions(request).items() if name == "free"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        return Hold.objects.select_related("visit_type", "practitioner")

    @admin.action(description=gettext_lazy("Free these times"), permissions=["delete"])
    def free(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        count = release_holds(holds=cast("HoldQuerySet", queryset))
        says = ngettext("%(count)s time is free again.", "%(count)s times are free again.", count)
        messages.success(request, says % {"count": count})

    @admin.display(description=gettext_lazy("time"), ordering="starts_at")
    def when(self, hold: Hold) -> str:
        return times.moment(hold.starts_at)

    @admin.display(description=gettext_lazy("visit"))
    def visit(self, hold: Hold) -> str:
        return f"{hold.visit_type}: {hold.practitioner}"

    @admin.display(description=gettext_lazy("held until"), ordering="expires_at")
    def kept_until(self, hold: Hold) -> str:
        return times.moment(hold.expires_at)
