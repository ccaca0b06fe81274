"""The desk: Django's admin under the clinic's name, with what waits for staff on its first page."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, cast

from django.contrib.admin.options import TO_FIELD_VAR
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from booking import displaced, times
from booking.models import Resource
from clinic import audit, desk_sessions, limits
from clinic.desk_audit import audited
from clinic.desk_mail import QueuedMailAdmin
from clinic.desk_second_factor import SecondFactorSite
from clinic.desk_trail import AuditRowAdmin
from clinic.models import Act, AuditRow, QueuedMail
from content.models import Article
from content.remarks import Remark

APPS = ["booking", "content", "clinic", "auth"]  # as staff meet them


class Desk(SecondFactorSite):
    site_header = _("Richmond Hill Acupuncture Pro")
    site_title = _("Desk")
    index_title = _("Today")
    index_template = "admin/today.html"
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.register(QueuedMail, QueuedMailAdmin)
        self.register(AuditRow, AuditRowAdmin)

    def admin_view(  # type: ignore[override]
        self,
        view: Callable[..., Any],
        cacheable: bool = False,  # noqa: FBT001, FBT002
    ) -> Callable[..., Any]:
        """As Django's, for as long as a sign-in lasts, with the audit trail written.

        An empty name of a column to look rows up by, on which Django fails, is a bad request.
        """
        answer = super().admin_view(view, cacheable)

        @wraps(answer)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if "" in (request.GET.get(TO_FIELD_VAR), request.POST.get(TO_FIELD_VAR)):
                raise BadRequest
            self.end_if_over(request)
            if request.user.is_authenticated and desk_sessions.is_activity(view):
                desk_sessions.note_activity(request, now=timezone.now())
            if not self.has_permission(request):
                return answer(request, *args, **kwargs)
            return audited(answer, request, *args, **kwargs)

        return checked

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Adds the reports, and what Today shows by itself, for the page to keep up to date."""
        from booking.admin import reports  # noqa: PLC0415 (its package registers itself at this desk)

        return [
            path("today/", self.admin_view(require_GET(self.today)), name="today"),
            path("reports/", self.admin_view(reports.page), name="reports"),
            path("reports/file/", self.admin_view(reports.as_file), name="reports_file"),
            *super().get_urls(),
        ]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """No form looks rows up by a few letters; patients are looked for where it is written down.

        :raises PermissionDenied: always.
        """
        raise PermissionDenied

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Adds whether sample data is still there: every page of the desk then says so."""
        signed_in = self.has_permission(request)
        context = super().each_context(request)
        if not signed_in:  # after the password alone nothing of the desk is named
            context |= {"is_nav_sidebar_enabled": False, "available_apps": []}
        return context | {"sample_data": signed_in and Resource.objects.samples().exists()}

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Signs in as Django does, so many times in a while; whoever needs a second factor is asked for it next."""
        if request.method != "POST":
            self.end_if_over(request)
            if request.user.is_active and request.user.is_staff and not self.has_permission(request):
                return self.to_second_step(request, request.GET.get("next", ""))
            return super().login(request, extra_context)
        now, account = timezone.now(), request.POST.get("username", "")
        limits.count_sign_in(request, account, now=now)
        response = super().login(request, extra_context)
        if not isinstance(response, HttpResponseRedirect):
            return response
        if not self.has_permission(request):
            return self.to_second_step(request, response.url)
        limits.remember_place(request, account, now=now)
        return response

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The day's work first, accounts last."""
        return sorted(super().get_app_list(request, app_label), key=lambda app: APPS.index(app["app_label"]))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Adds what waits and today's visits, for staff who may see appointments."""
        now = timezone.now()
        context, people = self._shown(request, now=now)
        if context["sees_appointments"]:
            context["audit"] = audit.Shown(Act.LIST, people)
        if request.user.has_perm("content.view_article"):
            context["reviews_due"] = (
                Article.objects.due_for_review(context["day"]).defer("body").order_by("review_due_on")
            )
        return super().index(request, context | (extra_context or {}))

    @desk_sessions.no_activity
    def today(self, request: HttpRequest) -> TemplateResponse:
        """The lists of Today as they are now; of the requests that wait, those that the address calls known are old.

        :raises PermissionDenied: if this person may not see appointments.
        """
        if not request.user.has_perm("booking.view_appointment"):
            raise PermissionDenied
        now = timezone.now()
        context, people = self._shown(request, now=now)
        known = set(request.GET.getlist("known"))
        context["new"] = sum(str(one.appointment.pk) not in known for one in context["waiting"])
        by = cast("User", request.user)  # admin_view lets nobody else in
        audit.record_refresh(by=by, kind="today", people=people, now=now)
        return TemplateResponse(request, "admin/today/lists.html", context)

    def _shown(self, request: HttpRequest, *, now: datetime) -> tuple[dict[str, Any], set[int]]:
        """What the lists of Today are made of, and the keys of the patients whom they name."""
        from booking.admin import seen, today  # noqa: PLC0415 (its package registers itself at this desk)

        day, user, people = times.local_day(now), request.user, set()
        kind = Resource.Kind.ROOM if request.GET.get("by") == "room" else Resource.Kind.PRACTITIONER
        sees_appointments = user.has_perm("booking.view_appointment")
        context: dict[str, Any] = {
            "now": now,
            "day": day,
            "by": kind,
            "by_room": kind == Resource.Kind.ROOM,
            "sees_appointments": sees_appointments,
        }
        # Answers lead back to the same view of Today, whichever address the lists were fetched from.
        context["back"] = reverse("admin:index") + ("?by=room" if context["by_room"] else "")
        if sees_appointments:
            visits, sees_everybody = seen.appointments(user), user.has_perm(seen.EVERY_PATIENT)
            context |= {
                "may_decide": user.has_perm("booking.decide_appointment"),
                "waiting": today.waiting(visits, now=now),
                "places": today.places(day, visits, kind=kind, sees_everybody=sees_everybody, now=now),
                "offers_ending": today.offers_ending(visits, seen.courses(user), now=now),
                "displaced": len(displaced.to_decide(now=now).appointments) if sees_everybody else 0,
                "may_close": sees_everybody
                and user.has_perms(["booking.add_closure", "booking.decide_appointment"]),
            }
            people = today.people_in(context["waiting"], context["places"], context["offers_ending"])
        if user.has_perm("clinic.view_queuedmail"):
            context["undelivered"] = QueuedMail.objects.parked().count()
            context["late_mails"] = QueuedMail.objects.late(now).count()
        if user.has_perm("content.view_remark"):
            context["remarks"] = Remark.objects.filter(is_settled=False).count()
        return context, people
