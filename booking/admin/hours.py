"""Closures at the desk: when a resource or the whole clinic is away, and what is only proposed so far."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import Field
from django.forms import Field as FormField
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from booking import times
from booking.models import Closure
from booking.models.hours import ClosureQuerySet


@admin.register(Closure)
class ClosureAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "begins", "ends", "reason", "proposed"]
    list_filter = ["proposed"]
    show_facets = admin.ShowFacets.NEVER
    list_select_related = ["resource"]
    fields = ["resource", "starts_at", "ends_at", "reason", "proposed"]
    actions = ["accept"]

    @admin.action(permissions=["change"], description=_("Accept: close on these days"))
    def accept(self, request: HttpRequest, closures: ClosureQuerySet) -> None:
        accepted = closures.filter(proposed=True).update(proposed=False)
        says = ngettext(
            "%(count)d proposed closure is accepted: nothing can be booked then any more.",
            "%(count)d proposed closures are accepted: nothing can be booked then any more.",
            accepted,
        )
        if accepted:
            messages.success(request, says % {"count": accepted})
        else:
            messages.info(request, gettext("None of these was only proposed; nothing was changed."))

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> FormField | None:
        """The two boxes of a moment say aloud which is which; Django labels neither."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, AdminSplitDateTime):
            for part, box in zip((_("date"), _("time")), field.widget.widgets, strict=True):
                box.attrs["aria-label"] = f"{field.label}: {part}"
        return field

    @admin.display(description=_("from"), ordering="starts_at")
    def begins(self, closure: Closure) -> str:
        return times.moment(closure.starts_at)

    @admin.display(description=_("to"), ordering="ends_at")
    def ends(self, closure: Closure) -> str:
        return times.moment(closure.ends_at)
