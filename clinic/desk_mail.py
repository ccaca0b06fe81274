"""Mail at the desk: what was written to whom, whether it left, what messages look like, and sending again."""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from booking import times
from booking.samples import Sample, in_words, sample, samples
from clinic import mail
from clinic.models import QueuedMail, QueuedMailQuerySet

RESEND = "clinic.resend_queuedmail"


class MailStateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("waiting", gettext_lazy("Waiting")),
            ("late", gettext_lazy("Late")),
            ("sent", gettext_lazy("Sent")),
            ("parked", gettext_lazy("Given up")),
            ("withdrawn", gettext_lazy("Taken back")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[QueuedMail]) -> QuerySet[QueuedMail]:
        mails = queryset if isinstance(queryset, QueuedMailQuerySet) else QueuedMail.objects.all()
        match self.value():
            case "waiting":
                return mails.waiting()
            case "late":
                return mails.late(timezone.now())
            case "sent":
                return mails.exclude(sent_at=None)
            case "parked":
                return mails.parked()
            case "withdrawn":
                return mails.exclude(withdrawn_at=None)
        return mails


class QueuedMailAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was written to whom, and whether it left; staff can have it tried again, and change nothing else."""

    list_display = ["message", "about", "to", "state", "written"]
    list_filter = [MailStateFilter]
    search_fields = ["about", "to"]
    search_help_text = gettext_lazy("Reference, or the address it goes to")
    fields = ["message", "about", "to", "state", "written", "attempts", "subject", "what_it_says"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: QueuedMail | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: QueuedMail | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        wrap = self.admin_site.admin_view
        return [
            path("messages/", wrap(require_safe(self.messages)), name="clinic_queuedmail_messages"),
            path("messages/<slug:name>/", wrap(require_safe(self.sample)), name="clinic_queuedmail_sample"),
            path(
                "messages/<slug:name>/html/",
                wrap(require_safe(self.sample_html)),
                name="clinic_queuedmail_sample_html",
            ),
            path("<int:pk>/html/", wrap(require_safe(self.html)), name="clinic_queuedmail_html"),
            path("<int:pk>/resend/", wrap(require_POST(self.resend)), name="clinic_queuedmail_resend"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row: QueuedMail = context["original"]
        context["may_resend"] = request.user.has_perm(RESEND) and not row.sent_at and not row.withdrawn_at
        return super().render_change_form(request, context, *args, **kwargs)

    def messages(self, request: HttpRequest) -> HttpResponse:
        """Every message that the clinic sends, with made-up facts."""
        self._may_look(request)
        context = {"samples": samples(now=timezone.now()), "title": _("What our messages look like")}
        return self._page(request, "messages", context)

    def sample(self, request: HttpRequest, name: str) -> HttpResponse:
        shown = self._sample(request, name)
        return self._page(request, "sample", {"sample": shown, "title": shown.mail.subject})

    def sample_html(self, request: HttpRequest, name: str) -> HttpResponse:
        return _alone(self._sample(request, name).mail.html)

    def html(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._may_look(request)
        return _alone(get_object_or_404(QueuedMail, pk=pk).shown("html"))

    def resend(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One more round of attempts for what did not leave, under the same Message-ID."""
        if not request.user.has_perm(RESEND):
            raise PermissionDenied
        row = get_object_or_404(QueuedMail, pk=pk)
        if mail.resend(row, now=timezone.now()):
            self.log_change(request, row, _("sent again"))
            messages.success(request, _("It is tried again now."))
        else:
            messages.warning(
                request, _("Nothing was changed: it has left, was taken back, or is leaving just now.")
            )
        return HttpResponseRedirect(reverse("admin:clinic_queuedmail_change", args=[pk]))

    @admin.display(description=gettext_lazy("message"), ordering="kind")
    def message(self, mail: QueuedMail) -> str:
        return in_words(mail.kind)

    @admin.display(description=gettext_lazy("state"))
    def state(self, mail: QueuedMail) -> SafeString:
        return render_to_string("admin/clinic/queuedmail/state.html", {"mail": mail})

    @admin.display(description=gettext_lazy("written"), ordering="created_at")
    def written(self, mail: QueuedMail) -> str:
        return times.moment(mail.created_at)

    @admin.display(description=gettext_lazy("text"))
    def what_it_says(self, mail: QueuedMail) -> str:
        return mail.shown("text")

    def _may_look(self, request: HttpRequest) -> None:
        """:raises PermissionDenied: if this person may not read mail."""
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _sample(self, request: HttpRequest, name: str) -> Sample:
        """:raises Http404: if no message has this name."""
        self._may_look(request)
        if shown := sample(name, now=timezone.now()):
            return shown
        raise Http404

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        known = self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, f"admin/clinic/queuedmail/{name}.html", known | context)


def _alone(html: str) -> HttpResponse:
    """A message's HTML as a page of its own, under a policy of its own.

    Mail carries its one style sheet within itself. The policy names that sheet by its hash and allows nothing else: no
    script, no other style, no picture, no form, no frame around it.
    """
    sheet = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = b64encode(sha256((sheet[1] if sheet else "").encode()).digest()).decode()
    response = HttpResponse(html)
    response["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'; sandbox"
    )
    return response
