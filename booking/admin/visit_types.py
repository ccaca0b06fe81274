"""Visit types at the desk, with the phases that they are made of."""

from typing import Any

from django.contrib import admin
from django.db.models import ManyToManyField, QuerySet
from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from booking.admin.rows import LabelledFormSet
from booking.models import Phase, VisitType
from clinic.choices import RowsField


class PhaseInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Phase
    fields = [
        "position",
        "name",
        "minutes",
        "may_stretch_by",
        "needs_practitioner",
        "needs_room",
        "with_patient",
    ]
    formset = LabelledFormSet
    extra = 1
    min_num = 1

    def get_formset(self, request: HttpRequest, obj: VisitType | None = None, **kwargs: Any) -> Any:
        """A visit type without a phase could not be booked."""
        return super().get_formset(request, obj, validate_min=True, **kwargs)


@admin.register(VisitType)
class VisitTypeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "fee", "length", "is_active"]
    fields = [
        "name",
        "slug",
        "summary",
        "fee",
        "start_every",
        "practitioners",
        "position",
        "is_active",
        "as_course",
    ]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [PhaseInline]
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[VisitType]:
        return super().get_queryset(request).prefetch_related("phases")

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        """Ticks for the few practitioners there are: no key to be held, no JavaScript."""
        kwargs |= {"widget": CheckboxSelectMultiple, "form_class": RowsField}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("minutes"))
    def length(self, visit_type: VisitType) -> int:
        return visit_type.minutes
