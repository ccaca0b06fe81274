"""The waitlist at the desk: read in the order in which people are asked, and left at their wish."""

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from booking import times
from booking.models import WaitlistEntry
from booking.operations import leave_waitlist

REMOVE = "booking.remove_waitlistentry"


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["reference", "patient", "visit", "wishes", "state", "last_offer"]
    list_filter = ["state", ("visit_type", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["reference", "patient__name", "patient__email", "patient__phone"]
    search_help_text = gettext_lazy("Reference, or the patient's name, e-mail or phone")
    fields = [
        "state",
        "patient",
        "visit",
        "wishes",
        "replaces",
        "booked",
        "joined",
        "ended",
        "removed_by",
        "last_offer",
    ]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None
    change_form_template = "admin/booking/waitlistentry/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: WaitlistEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WaitlistEntry | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[WaitlistEntry]:
        return WaitlistEntry.objects.with_people().prefetch_related("offers__options")

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        remove = self.admin_site.admin_view(require_POST(self.remove))
        return [path("<int:pk>/remove/", remove, name="booking_waitlistentry_remove"), *super().get_urls()]

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Takes the person off the list; `admin_view` only asks whether somebody is staff."""
        if not request.user.has_perm(REMOVE):
            raise PermissionDenied
        entry = get_object_or_404(WaitlistEntry, pk=pk)
        by = cast("User", request.user)  # admin_view lets nobody else in
        ended = leave_waitlist(entry=entry, by=by, now=timezone.now())
        if ended.state == WaitlistEntry.State.REMOVED:
            messages.success(
                request, _("%(reference)s is off the waitlist.") % {"reference": ended.reference}
            )
        else:
            says = _("%(reference)s waits no longer: %(state)s. Nothing was changed.")
            messages.warning(
                request, says % {"reference": ended.reference, "state": ended.get_state_display()}
            )
        return HttpResponseRedirect(reverse("admin:booking_waitlistentry_change", args=[pk]))

    @admin.display(description=gettext_lazy("joined"), ordering="joined_at")
    def joined(self, entry: WaitlistEntry) -> str:
        return times.moment(entry.joined_at)

    @admin.display(description=gettext_lazy("ended"), ordering="ended_at")
    def ended(self, entry: WaitlistEntry) -> str:
        return times.moment(entry.ended_at) if entry.ended_at else ""

    @admin.display(description=gettext_lazy("visit"))
    def visit(self, entry: WaitlistEntry) -> str:
        return f"{entry.visit_type}: {entry.practitioner or _('anyone')}"

    @admin.display(description=gettext_lazy("wishes"))
    def wishes(self, entry: WaitlistEntry) -> str:
        until = _("until %(day)s") % {"day": times.in_words(entry.wanted_until)}
        return "; ".join([", ".join(entry.weekday_names), ", ".join(entry.part_names), until])

    @admin.display(description=gettext_lazy("last offer"))
    def last_offer(self, entry: WaitlistEntry) -> str:
        offer = next(iter(entry.offers.all()), None)
        if offer is None:
            return _("none yet")
        [option] = offer.options.all()
        answer = offer.get_answer_display() or _("open until %(when)s") % {
            "when": times.moment(offer.expires_at)
        }
        return f"{times.moment(option.starts_at)}: {answer}"
