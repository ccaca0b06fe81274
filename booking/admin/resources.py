"""Practitioners and rooms at the desk, and the hours that practitioners work."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.widgets import AdminTimeWidget
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import TimeField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from booking import displaced, times
from booking.admin import closing
from booking.admin.decisions import DECIDE
from booking.admin.feeds import FeedAdmin
from booking.admin.rows import LabelledFormSet
from booking.admin.seen import EVERY_PATIENT
from booking.models import Closure, ExtraHours, Resource, WorkingHours
from booking.openings import CELL

# Hours and minutes; the admin would show the seconds too.
TIMES: Final[dict[Any, Any]] = {TimeField: {"widget": AdminTimeWidget(format="%H:%M")}}


class WorkingHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    model = WorkingHours
    fields = ["weekday", "opens", "closes", "valid_from", "valid_until"]
    formset = LabelledFormSet
    formfield_overrides = TIMES
    extra = 1


class ExtraHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ExtraHours
    fields = ["day", "opens", "closes"]
    formset = LabelledFormSet
    formfield_overrides = TIMES
    extra = 1


@admin.register(Resource)
class ResourceAdmin(FeedAdmin):
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

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        away = self.admin_site.admin_view(self.away)
        return [path("<int:pk>/away/", away, name="booking_resource_away"), *super().get_urls()]

    def away(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Somebody is ill, or a room cannot be used: the rest of today is closed, and its visits are decided about."""
        if not request.user.has_perms(["booking.add_closure", DECIDE, EVERY_PATIENT]):
            raise PermissionDenied
        resource, now = get_object_or_404(Resource, pk=pk), timezone.now()
        closure = _rest_of_today(resource, now)
        title = _("Away today: %(name)s") % {"name": resource}
        if closing.CONFIRMED in request.POST:
            if closure.pk is None:
                closure.save()
                self.log_change(request, resource, _("Closed for the rest of the day."))
            return closing.decide(self, request, title=title, reason=closing.why(resource))
        return closing.ask_about(
            self,
            request,
            displaced.hit_by(closure, now=now),
            title=title,
            what=closing.in_words(closure),
            back=reverse("admin:index"),
            closures=[closure],
        )

    def response_change(self, request: HttpRequest, obj: Resource) -> HttpResponse:
        """Before hours change, or somebody takes no visits any more, staff decide about the visits that are hit."""
        title = _("Changed hours: %(name)s") % {"name": obj}
        if closing.CONFIRMED in request.POST:
            return closing.decide(self, request, title=title, reason=closing.why(obj))
        hits = displaced.to_decide(now=timezone.now(), of=obj)
        if not hits:
            return super().response_change(request, obj)
        page = closing.ask_about(
            self,
            request,
            hits,
            title=title,
            what=_("These visits would lie outside the hours of %(name)s.") % {"name": obj},
            back=reverse("admin:booking_resource_change", args=[obj.pk]),
        )
        transaction.set_rollback(True)
        return page


def _rest_of_today(resource: Resource, now: datetime) -> Closure:
    """From now, at a full five minutes, to midnight: the closure that is there already, or one not saved yet."""
    midnight = times.midnight_after(now)
    there = Closure.objects.in_force().filter(resource=resource, starts_at__lte=now, ends_at__gte=midnight)
    begins = now - timedelta(seconds=now.timestamp() % CELL)
    return there.first() or Closure(
        resource=resource, starts_at=begins, ends_at=midnight, reason=_("Away today")
    )
