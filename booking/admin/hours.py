"""Closures at the desk: when a resource or the whole clinic is away, and what is only proposed so far."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Field
from django.forms import Field as FormField
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from booking import displaced, times
from booking.admin import closing
from booking.admin.decisions import DECIDE
from booking.admin.seen import EVERY_PATIENT
from booking.fields import of_these_years
from booking.models import Closure, DeclineReason
from booking.models.hours import ClosureQuerySet


class ClosureForm(forms.ModelForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"starts_at", "ends_at"} & self.fields.keys():  # whoever may only look has no fields
            self.fields[name].validators.append(of_these_years)


@admin.register(Closure)
class ClosureAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "begins", "ends", "reason", "proposed"]
    list_filter = ["proposed"]
    show_facets = admin.ShowFacets.NEVER
    list_select_related = ["resource"]
    fields = ["resource", "starts_at", "ends_at", "reason", "proposed"]
    actions = ["accept"]
    form = ClosureForm

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        visits = self.admin_site.admin_view(self.visits)
        return [path("visits/", visits, name="booking_closure_visits"), *super().get_urls()]

    def visits(self, request: HttpRequest) -> HttpResponse:
        """What lies in closures or outside the hours just now, whatever has come between."""
        if not request.user.has_perms([DECIDE, EVERY_PATIENT]):
            raise PermissionDenied
        title = gettext("Visits in closures or outside the hours")
        if closing.CONFIRMED in request.POST:
            return closing.decide(self, request, title=title, reason=DeclineReason.TIME_GONE)
        return closing.ask_about(
            self,
            request,
            displaced.to_decide(now=timezone.now()),
            title=title,
            what=gettext("These times are closed already, and nobody new can book them."),
            back=reverse("admin:booking_closure_changelist"),
        )

    def save_model(self, request: HttpRequest, obj: Closure, form: Any, change: bool) -> None:  # noqa: FBT001
        """The same closure entered again, by a form sent twice say, is the same closure."""
        same = {"resource": obj.resource, "starts_at": obj.starts_at, "ends_at": obj.ends_at}
        there = None if change else Closure.objects.filter(**same, proposed=obj.proposed).first()
        if there:
            obj.pk, obj.holiday_on = there.pk, there.holiday_on
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Closure, post_url_continue: str | None = None
    ) -> HttpResponse:
        hits = displaced.hit_by(obj, now=timezone.now())
        return self._first_the_visits(request, obj, hits) or super().response_add(
            request, obj, post_url_continue
        )

    def response_change(self, request: HttpRequest, obj: Closure) -> HttpResponse:
        """Visits that staff keep in it are not asked about each time that it is saved."""
        hits = displaced.hit_by(obj, now=timezone.now()).without_kept()
        return self._first_the_visits(request, obj, hits) or super().response_change(request, obj)

    def _first_the_visits(
        self, request: HttpRequest, closure: Closure, hits: displaced.Hits
    ) -> HttpResponse | None:
        """The page about what the closure hits, which is then not saved yet; None if there is nothing to ask."""
        title = gettext("Closure: %(what)s") % {"what": closure}
        if closing.CONFIRMED in request.POST:
            return closing.decide(self, request, title=title, reason=closing.why(closure.resource))
        if not hits:
            return None
        page = closing.ask_about(
            self,
            request,
            hits,
            title=title,
            what=closing.in_words(closure),
            back=reverse("admin:booking_closure_changelist"),
            closures=[closure],
        )
        transaction.set_rollback(True)
        return page

    @admin.action(permissions=["change"], description=_("Accept: close on these days"))
    def accept(self, request: HttpRequest, closures: ClosureQuerySet) -> None:
        """Those that would hit visits wait until somebody has decided about these on the closure's own page."""
        now = timezone.now()
        hitting = []
        for closure in closures.filter(proposed=True):
            closure.proposed = False
            if displaced.hit_by(closure, now=now):
                hitting.append(closure.pk)
        accepted = closures.filter(proposed=True).exclude(pk__in=hitting).update(proposed=False)
        if hitting:
            waits = ngettext(
                "%(count)d closure would hit visits: open it and take away “only proposed” to see which.",
                "%(count)d closures would hit visits: open each and take away “only proposed” to see which.",
                len(hitting),
            )
            messages.warning(request, waits % {"count": len(hitting)})
        says = ngettext(
            "%(count)d proposed closure is accepted: nothing can be booked then any more.",
            "%(count)d proposed closures are accepted: nothing can be booked then any more.",
            accepted,
        )
        if accepted:
            messages.success(request, says % {"count": accepted})
        elif not hitting:
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
