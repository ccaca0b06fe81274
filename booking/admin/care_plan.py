"""The care plan: from an appointment staff plan the further visits, which the patient gets as an offer to accept."""

from datetime import date, timedelta
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import courses, operations, queries, times
from booking.admin import seen
from booking.admin.decisions import DECIDE
from booking.forms_courses import PatternForm, usual_wishes
from booking.models import Appointment, BookingRules, Resource, VisitType
from booking.operations.taking import AT_THE_DESK


class CarePlanForm(PatternForm):
    """The pattern, and which visit is given; its times need no notice."""

    visit_type = forms.ModelChoiceField(
        VisitType.objects.none(), label=gettext_lazy("Visit type"), empty_label=None
    )
    field_order = ["visit_type"]

    def __init__(self, *args: Any, visit_types: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["visit_type"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 (for the type)
        field.queryset = visit_types


class CarePlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        care_plan = self.admin_site.admin_view(self.care_plan)
        return [
            path("<int:pk>/care-plan/", care_plan, name="booking_appointment_care_plan"),
            *super().get_urls(),
        ]

    def care_plan(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The pattern is asked for and the dates are shown by GET; a POST offers those that are ticked."""
        if not request.user.has_perm(DECIDE):
            raise PermissionDenied
        appointment = get_object_or_404(seen.appointments(request.user).with_people(), pk=pk)
        form = _form(request, appointment)
        chosen = form if form.is_valid() else None
        if chosen and request.method == "POST":
            return self._offer(request, appointment, chosen)
        proposals = _proposals(chosen) if chosen else []
        context = self.admin_site.each_context(request) | {
            "title": _("Care plan"),
            "opts": self.opts,
            "appointment": appointment,
            "form": form,
            "person": proposals[0][0] if proposals else None,
            "proposal": proposals[0][1] if proposals else None,
            "query": request.GET.urlencode(),
            "key": uuid4(),  # so that one form plans one course
        }
        return TemplateResponse(request, "admin/booking/appointment/care_plan.html", context)

    def _offer(self, request: HttpRequest, appointment: Appointment, form: CarePlanForm) -> HttpResponse:
        try:
            person = form.by_slug[request.POST.get("with", "")]
            starts = tuple(times.parse_start(text) for text in request.POST.getlist("start"))
            course = operations.plan_course(
                appointment=appointment,
                plan=operations.Plan(
                    visit_type=form.cleaned_data["visit_type"],
                    practitioner=person,
                    pattern=form.pattern,
                    first_on=form.cleaned_data["first_on"],
                    starts=starts,
                ),
                by=cast("User", request.user),  # admin_view lets nobody else in
                idempotency_key=forms.UUIDField().clean(request.POST.get("key")),
                now=timezone.now(),
            )
        except operations.TimeTaken:
            messages.warning(request, _("Some of these times have just been taken. Here are new dates."))
        except (operations.NoAddress, operations.CallBackFirst):
            messages.warning(
                request, _("Please call the patient: there is no e-mail address, or a call is due.")
            )
        except (KeyError, ValueError, forms.ValidationError):
            messages.error(request, _("Tick at least one date."))
        else:
            messages.success(request, _("The visits are held and offered to the patient by e-mail."))
            return redirect("admin:booking_course_change", course.pk)
        return redirect(request.get_full_path())


def _form(request: HttpRequest, appointment: Appointment) -> CarePlanForm:
    today = times.local_day(timezone.now())
    first_on = max(times.local_day(appointment.starts_at), today) + timedelta(days=1)
    visit_types = VisitType.objects.bookable()
    suggested = usual_wishes(first_on) | {
        "practitioner": appointment.practitioner.slug,
        "visit_type": visit_types.filter(as_course=True).first() or appointment.visit_type,
    }
    return CarePlanForm(
        request.GET if "a_week" in request.GET else None,
        initial=suggested,
        visit_types=visit_types,
        practitioners=list(Resource.objects.active().practitioners()),
        today=today,
        latest_on=_latest_on(today),
    )


def _latest_on(today: date) -> date:
    return today + timedelta(days=AT_THE_DESK["horizon_days"])


def _proposals(form: CarePlanForm) -> list[tuple[Resource, courses.Proposal]]:
    """One for each practitioner who could give all visits, the nearest to the pattern first."""
    visit_type, first_on = form.cleaned_data["visit_type"], form.cleaned_data["first_on"]
    found = queries.find_openings(
        visit_type,
        first_on=first_on,
        last_on=form.last_on,
        rules=BookingRules(**AT_THE_DESK),
        now=timezone.now(),
    )
    people = [form.person] if form.person else form.by_slug.values()
    proposals = [
        (
            person,
            courses.propose(
                form.pattern,
                first_on=first_on,
                starts=[times.from_epoch(start) for start in found.starts(person.pk)],
            ),
        )
        for person in people
    ]
    return sorted((found for found in proposals if found[1].visits), key=lambda found: found[1].rank)
