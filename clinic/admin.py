"""The desk: Django's admin under the clinic's name."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from booking.models import Resource


class Desk(AdminSite):
    site_header = _("Richmond Hill Acupuncture Pro")
    site_title = _("Desk")
    index_title = _("Desk")
    enable_nav_sidebar = True

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Adds whether sample data is still there: every page of the desk then says so."""
        signed_in = request.user.is_active and request.user.is_staff
        return super().each_context(request) | {
            "sample_data": signed_in and Resource.objects.samples().exists(),
        }
