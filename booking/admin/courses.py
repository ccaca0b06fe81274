"""Courses at the desk: read with all their visits, answered as one, and planned for a patient as an offer."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from booking import operations, times
from booking.admin import seen
from booking.admin.decisions import DECIDE, SeenForm
from booking.models import Appointment, Course, DeclineReason, Offer
from booking.operations.courses import still_to_come, version_of
from clinic.models import QueuedMail


class AnswerForm(forms.Form):
    """Which of the visits that wait are confirmed, and what the patient reads of the others."""

    version = forms.IntegerField(min_value=1)
    confirmed = forms.TypedMultipleChoiceField(coerce=int, required=False)
    reason = forms.ChoiceField(choices=[("", ""), *DeclineReason.choices], required=False)

    def __init__(self, *args: Any, waiting: list[Appointment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting = waiting
        field = self.fields["confirmed"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101 (for the type)
        field.choices = [(visit.pk, str(visit)) for visit in waiting]

    def clean(self) -> None:
        typed = self.cleaned_data
        if len(typed.get("confirmed", ())) < len(self.waiting) and not typed.get("reason"):
            self.add_error("reason", _("Choose what the patient reads of the visits that are not confirmed."))


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["reference", "patient", "visit_type", "practitioner", "asked"]
    search_fields = ["reference", "patient__name", "patient__email", "patient__phone"]
    search_help_text = gettext_lazy("Reference, or the patient's name, e-mail or phone")
    list_per_page = 50
    show_full_result_count = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Course | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Course | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        return seen.courses(request.user).with_people().select_related("offer")

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        def act(name: str, view: Callable[..., HttpResponse]) -> URLPattern:
            wrapped = self.admin_site.admin_view(require_POST(view))
            return path(f"<int:pk>/{name}/", wrapped, name=f"booking_course_{name}")

        return [
            act("answer", self.answer),
            act("cancel", self.cancel),
            act("withdraw", self.withdraw),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("asked or planned"), ordering="created_at")
    def asked(self, course: Course) -> str:
        return times.moment(course.created_at)

    def answer(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirms the visits that are ticked and declines the others, as the page showed them."""
        course = _to_decide(request, pk)
        form = AnswerForm(request.POST, waiting=[visit for visit in visits_of(course) if visit.is_pending])
        if not form.is_valid():
            reason = form.errors.get("reason")
            messages.error(
                request, str(reason[0]) if reason else _("This course has changed. Please look again.")
            )
            return redirect("admin:booking_course_change", pk)
        typed = form.cleaned_data
        try:
            confirmed = operations.answer_course(
                course=course,
                version=typed["version"],
                confirmed=typed["confirmed"],
                reason=DeclineReason(typed["reason"]) if typed["reason"] else None,
                by=cast("User", request.user),  # admin_view lets nobody else in
                now=timezone.now(),
            )
        except operations.CourseChanged:
            _say_changed(request, course)
        except operations.CallBackFirst:
            messages.warning(request, _("Call the patient first; nothing was changed."))
        else:
            says = _("%(reference)s: %(count)d visits confirmed.")
            messages.success(request, says % {"reference": course.reference, "count": len(confirmed)})
        return redirect("admin:booking_course_change", pk)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Calls off every visit that is still to come, as the page showed them."""
        course = _to_decide(request, pk)
        seen = SeenForm(request.POST)
        try:
            off = operations.cancel_course(
                course=course,
                version=seen.cleaned_data["version"] if seen.is_valid() else 0,
                by=cast("User", request.user),
                now=timezone.now(),
            )
        except operations.CourseChanged:
            _say_changed(request, course)
        else:
            says = _("%(reference)s: %(count)d visits cancelled.")
            messages.success(request, says % {"reference": course.reference, "count": len(off)})
        return redirect("admin:booking_course_change", pk)

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Takes back a planned course that the patient has not taken yet."""
        course, now = _to_decide(request, pk), timezone.now()
        try:
            ended = operations.end_course_offer(
                course=course,
                answer=Offer.Answer.DECLINED,
                by=cast("User", request.user),  # admin_view lets nobody else in
                now=now,
            )
        except operations.OfferEnded:
            ended = False
        if ended:
            messages.success(request, _("The planned visits are no longer offered. Please tell the patient."))
        else:
            _say_changed(request, course)
        return redirect("admin:booking_course_change", pk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        course: Course = context["original"]
        visits, now = visits_of(course), timezone.now()
        offer: Offer | None = getattr(course, "offer", None)
        context |= {
            "course": course,
            "visits": visits,
            "first": visits[0] if visits else course.planned_after,
            "options": offer.options.all() if offer and not visits else [],
            "offer": offer,
            "offer_is_open": bool(offer and not offer.has_ended(now)),
            "may_decide": request.user.has_perm(DECIDE),
            "waits": any(visit.is_pending for visit in visits),
            "may_cancel": bool(still_to_come(visits, now=now)),
            "version": version_of(visits),
            "reasons": DeclineReason.choices,
            "mails": QueuedMail.objects.filter(about=course.reference).order_by("created_at", "pk"),
        }
        return super().render_change_form(request, context, *args, **kwargs)


def visits_of(course: Course) -> list[Appointment]:
    return list(course.appointments.with_people().order_by("starts_at", "pk"))


def _to_decide(request: HttpRequest, pk: int) -> Course:
    """The course that the address names; `admin_view` only asks whether somebody is staff.

    :raises PermissionDenied: if this person may not decide.
    :raises Http404: if there is none, or it is not theirs to see.
    """
    if not request.user.has_perm(DECIDE):
        raise PermissionDenied
    return get_object_or_404(seen.courses(request.user).with_people(), pk=pk)


def _say_changed(request: HttpRequest, course: Course) -> None:
    says = _("%(reference)s has changed since you looked at it; nothing was changed.")
    messages.warning(request, says % {"reference": course.reference})
