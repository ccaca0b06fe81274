"""Staff send a patient a new private link, for instance when the old one was seen by somebody else."""

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from booking.admin import seen
from booking.admin.decisions import DECIDE, SeenForm
from booking.operations import AlreadyDecided, replace_link


class LinkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        new_link = self.admin_site.admin_view(require_POST(self.new_link))
        return [
            path("<int:pk>/new-link/", new_link, name="booking_appointment_new_link"),
            *super().get_urls(),
        ]

    def new_link(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm(DECIDE):
            raise PermissionDenied
        appointment, form = get_object_or_404(seen.appointments(request.user), pk=pk), SeenForm(request.POST)
        changed = _("%(reference)s has changed since you looked at it; nothing was changed.")
        try:
            version = form.cleaned_data["version"] if form.is_valid() else 0
            by = cast("User", request.user)  # admin_view lets nobody else in
            linked = replace_link(appointment=appointment, version=version, by=by, now=timezone.now())
        except AlreadyDecided:
            messages.warning(request, changed % {"reference": appointment.reference})
        else:
            sent = _("A new link is on its way to %(name)s; the old one no longer works.")
            no_mail = _("The old link no longer works. %(name)s gave no e-mail address to send a new one to.")
            said = sent if linked.patient.email else no_mail
            messages.success(request, said % {"name": linked.patient.name})
        return redirect("admin:booking_appointment_change", pk)
