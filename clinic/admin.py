"""The desk: Django's admin under the clinic's name, with what waits for staff on its first page."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from booking import times
from booking.models import Resource
from clinic.models import QueuedMail, QueuedMailQuerySet

APPS = ["booking", "content", "clinic", "auth"]  # as staff meet them


class MailStateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("Waiting")), ("sent", _("Sent")), ("parked", _("Given up"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[QueuedMail]) -> QuerySet[QueuedMail]:
        mails = queryset if isinstance(queryset, QueuedMailQuerySet) else QueuedMail.objects.all()
        match self.value():
            case "waiting":
                return mails.waiting()
            case "sent":
                return mails.exclude(sent_at=None)
            case "parked":
                return mails.parked()
        return mails


class QueuedMailAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was written to whom, and whether it left; only the worker changes it."""

    list_display = ["kind", "about", "to", "state", "written"]
    list_filter = [MailStateFilter]
    search_fields = ["about", "to"]
    search_help_text = _("Reference, or the address it goes to")
    fields = ["kind", "about", "to", "state", "written", "attempts", "subject", "text"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: QueuedMail | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: QueuedMail | None = None) -> bool:
        return False

    @admin.display(description=_("state"))
    def state(self, mail: QueuedMail) -> SafeString:
        return render_to_string("admin/clinic/queuedmail/state.html", {"mail": mail})

    @admin.display(description=_("written"), ordering="created_at")
    def written(self, mail: QueuedMail) -> str:
        return times.moment(mail.created_at)


class Desk(AdminSite):
    site_header = _("Richmond Hill Acupuncture Pro")
    site_title = _("Desk")
    index_title = _("Today")
    index_template = "admin/today.html"
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.register(QueuedMail, QueuedMailAdmin)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Adds whether sample data is still there: every page of the desk then says so."""
        signed_in = request.user.is_active and request.user.is_staff
        return super().each_context(request) | {
            "sample_data": signed_in and Resource.objects.samples().exists(),
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The day's work first, accounts last."""
        return sorted(super().get_app_list(request, app_label), key=lambda app: APPS.index(app["app_label"]))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Adds what waits and today's visits, for staff who may see appointments."""
        from booking.admin import today  # noqa: PLC0415 (its package registers itself at this desk)

        now = timezone.now()
        day = times.local_day(now)
        context: dict[str, Any] = {"now": now, "day": day}
        if request.user.has_perm("booking.view_appointment"):
            context |= {
                "sees_appointments": True,
                "may_decide": request.user.has_perm("booking.decide_appointment"),
                "waiting": today.waiting(now),
                "practitioner_days": today.visits_of(day, now=now),
            }
        if request.user.has_perm("clinic.view_queuedmail"):
            context["undelivered"] = QueuedMail.objects.parked().count()
        return super().index(request, context | (extra_context or {}))
