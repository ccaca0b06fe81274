"""Practitioners and rooms at the desk, and the hours that practitioners work."""

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.http import HttpRequest

from booking.admin.rows import LabelledFormSet
from booking.models import ExtraHours, Resource, WorkingHours


class WorkingHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    model = WorkingHours
    fields = ["weekday", "opens", "closes", "valid_from", "valid_until"]
    formset = LabelledFormSet
    extra = 1


class ExtraHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ExtraHours
    fields = ["day", "opens", "closes"]
    formset = LabelledFormSet
    extra = 1


@admin.register(Resource)
class ResourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "kind", "title", "registration_number", "is_active", "is_sample"]
    list_filter = ["kind", "is_active", "is_sample"]
    search_fields = ["name", "registration_number"]
    fields = [
        "kind",
        "name",
        "slug",
        "title",
        "registration_number",
        "languages",
        "user",
        "visits_a_day",
        "position",
        "is_active",
        "is_sample",
    ]
    prepopulated_fields = {"slug": ["name"]}
    show_facets = admin.ShowFacets.NEVER
    actions = None

    def get_readonly_fields(self, request: HttpRequest, obj: Resource | None = None) -> list[str]:
        """A practitioner with hours and visits never turns into a room; accounts are for those who edit accounts."""
        kept = ["kind"] if obj else []
        return kept if request.user.has_perm("auth.change_user") else [*kept, "user"]

    def get_inlines(self, request: HttpRequest, obj: Resource | None) -> list[type[InlineModelAdmin]]:  # type: ignore[type-arg]
        """Only practitioners have hours; a room is there whenever any of them works."""
        if obj and obj.kind == Resource.Kind.PRACTITIONER:
            return [WorkingHoursInline, ExtraHoursInline]
        return []
