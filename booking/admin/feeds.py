"""The page of calendar feeds: practitioners make and renew their own; whoever changes practitioners revokes any."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from booking import links
from booking.models import CalendarFeed, Resource
from booking.operations import make_feed, revoke_feed
from clinic.password_again import PasswordAgainForm

REVOKE_ANY = "booking.change_resource"
REFUSED = 403  # the page again, with what was wrong at its field


class FeedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        wrap = self.admin_site.admin_view
        make = sensitive_post_parameters("password")(require_POST(self.make))
        return [
            path("feed/", wrap(require_safe(self.feed)), name="booking_resource_feed"),
            path("feed/make/", wrap(make), name="booking_resource_feed_make"),
            path(
                "<int:pk>/feed/revoke/", wrap(require_POST(self.revoke)), name="booking_resource_feed_revoke"
            ),
            *super().get_urls(),
        ]

    def feed(self, request: HttpRequest) -> HttpResponse:
        mine = _own(request)
        if not (mine or request.user.has_perm(REVOKE_ANY)):
            raise PermissionDenied
        return self._page(request, mine, form=PasswordAgainForm(request=request))

    def make(self, request: HttpRequest) -> HttpResponse:
        """A new address, for whoever knows the password; the page is the answer itself, and shows it this once."""
        mine = _own(request)
        if mine is None:
            raise PermissionDenied
        form = PasswordAgainForm(request.POST, request=request)
        if not form.is_valid():
            return self._page(request, mine, form=form, status=REFUSED)
        by = cast("User", request.user)  # admin_view lets nobody else in
        token = make_feed(practitioner=mine, by=by, now=timezone.now())
        return self._page(
            request, mine, form=PasswordAgainForm(request=request), address=links.feed_address(token)
        )

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        mine = _own(request)
        if not (request.user.has_perm(REVOKE_ANY) or (mine and mine.pk == pk)):
            raise PermissionDenied
        practitioner = get_object_or_404(Resource.objects.practitioners(), pk=pk)
        by = cast("User", request.user)  # admin_view lets nobody else in
        was_there = revoke_feed(practitioner=practitioner, by=by, now=timezone.now())
        done = _("The calendar feed of %(name)s is revoked: its address opens nothing any more.")
        nothing = _("%(name)s has no calendar feed.")
        messages.success(request, (done if was_there else nothing) % {"name": practitioner.name})
        return redirect("admin:booking_resource_feed")

    def _page(
        self, request: HttpRequest, mine: Resource | None, *, status: int = 200, **context: Any
    ) -> HttpResponse:
        feeds = list(CalendarFeed.objects.select_related("practitioner", "user"))
        may_revoke_any = request.user.has_perm(REVOKE_ANY)
        known = self.admin_site.each_context(request) | {
            "title": _("Calendar feeds") if may_revoke_any else _("My calendar feed"),
            "opts": self.opts,
            "mine": mine,
            "my_feed": next((feed for feed in feeds if feed.practitioner == mine), None),
            "others": [feed for feed in feeds if feed.practitioner != mine] if may_revoke_any else [],
            "may_revoke_any": may_revoke_any,
            "address": "",
        }
        template = "admin/booking/resource/feed.html"
        return TemplateResponse(request, template, known | context, status=status)


def _own(request: HttpRequest) -> Resource | None:
    """The practitioner that this account is, if it may see their visits."""
    if not request.user.has_perm(links.SEES_VISITS):
        return None
    return Resource.objects.practitioners().filter(user=request.user.pk).first()
