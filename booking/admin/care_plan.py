"""The care plan: from an appointment staff plan the further visits, which the patient gets as an offer to accept."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
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
        """The pattern and the dates stand in the address; a POST offers those that are ticked, or swaps one of them."""
        if not request.user.has_perm(DECIDE):
            raise PermissionDenied
        appointment = get_object_or_404(seen.appointments(request.user).with_people(), pk=pk)
        form = _form(request, appointment)
        chosen = form if form.is_valid() else None
        if chosen and request.method == "POST":
            act = self._swap if "swap" in request.POST else self._offer
            return act(request, appointment, chosen)
        free = _free(chosen) if chosen else {}
        person, proposal = (chosen and (chosen.dates_in(request.GET) or _best(chosen, free))) or (None, None)
        return self._plan_page(
            request,
            appointment,
            "care_plan",
            form=form,
            person=person,
            proposal=proposal,
            still_free=set(free.get(person, ())) if person else set(),
            query=request.GET.urlencode(),
            key=uuid4(),  # so that one form plans one course
        )

    def _plan_page(
        self, request: HttpRequest, appointment: Appointment, name: str, **context: Any
    ) -> HttpResponse:
        known = self.admin_site.each_context(request) | {
            "title": _("Care plan"),
            "opts": self.opts,
            "appointment": appointment,
        }
        return TemplateResponse(request, f"admin/booking/appointment/{name}.html", known | context)

    def _swap(self, request: HttpRequest, appointment: Appointment, form: CarePlanForm) -> HttpResponse:
        """Other times for one date, between the visits that are ticked; the page is the answer itself.

        Nothing is changed by it: whichever time is chosen goes into the address of the dates.
        """
        ticked, swapped = request.POST.copy(), request.POST["swap"]
        ticked.setlist("start", sorted({*ticked.getlist("start"), swapped}))
        chosen = form.dates_in(ticked)
        if chosen is None:
            messages.error(request, _("Choose one of these dates."))
            return redirect(request.get_full_path())
        person, was_at = chosen[0], times.parse_start(swapped)
        starts = [visit.starts_at for visit in chosen[1].visits]
        others = [start for start in starts if start != was_at]
        free = courses.other_starts(
            form.pattern, was_at=was_at, others=others, free=_free(form).get(person, [])
        )
        asked = _with_dates(request, person, others)
        return self._plan_page(
            request,
            appointment,
            "care_plan_swap",
            form=form,
            person=person,
            was_at=was_at,
            days=[(day, list(found)) for day, found in groupby(free, times.local_day)],
            hidden=[(name, value) for name, values in asked.lists() for value in values],
            back=f"?{_with_dates(request, person, starts).urlencode()}",
        )

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
            messages.warning(
                request, _("Some of these times have just been taken. Choose other times for them.")
            )
            return redirect(f"{request.path}?{_with_dates(request, person, starts).urlencode()}")
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


def _free(form: CarePlanForm) -> dict[Resource, list[datetime]]:
    """Every free start of the course's weeks, and of a week after, by who would give the visits."""
    found = queries.find_openings(
        form.cleaned_data["visit_type"],
        first_on=form.cleaned_data["first_on"],
        last_on=form.last_on + courses.AROUND,
        rules=BookingRules(**AT_THE_DESK),
        now=timezone.now(),
    )
    people = [form.person] if form.person else form.by_slug.values()
    return {person: [times.from_epoch(start) for start in found.starts(person.pk)] for person in people}


def _best(
    form: CarePlanForm, free: Mapping[Resource, list[datetime]]
) -> tuple[Resource, courses.Proposal] | None:
    """The dates nearest to the pattern, with whoever can give them."""
    first_on = form.cleaned_data["first_on"]
    proposals = [
        (person, courses.propose(form.pattern, first_on=first_on, starts=starts))
        for person, starts in free.items()
    ]
    some = [found for found in proposals if found[1].visits]
    return min(some, key=lambda found: found[1].rank, default=None)


def _with_dates(request: HttpRequest, person: Resource, starts: Iterable[datetime]) -> QueryDict:
    """What the address asks for, with these dates instead of its own."""
    asked = request.GET.copy()
    asked["with"] = person.slug
    asked.setlist("start", [times.write_start(start) for start in starts])
    return asked
