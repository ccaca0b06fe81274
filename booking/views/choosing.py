"""The page of free times; choosing one holds it."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from booking import drafts, openings, operations, queries, times, timetable
from booking.forms import TimeForm
from booking.models import ANYONE, BookingRules, Hold, Resource, VisitType
from booking.views.pages import STEPS, Choice, behind_the_gate
from clinic import limits


@behind_the_gate
@require_http_methods(["GET", "HEAD", "POST"])
def choose_time(request: HttpRequest, visit_type: str) -> HttpResponse:
    """The free times, four weeks to a page; choosing one leads to the details."""
    visit = get_object_or_404(VisitType.objects.bookable(), slug=visit_type)
    now, rules = timezone.now(), BookingRules.current()
    practitioners = {person.slug: person for person in visit.practitioners.active()}
    form = TimeForm(request.POST if request.method == "POST" else None, practitioners=practitioners)
    if form.is_valid():
        chosen = Choice(visit, form.cleaned_data["practitioner"], form.cleaned_data["start"])
        if hold(request, chosen, now=now):
            return redirect(chosen.address("details"))
        form.time_is_taken()
    free = _free(visit, rules=rules, now=now, but=queries.hold_of(drafts.visitor(request.session)))
    person = practitioners.get(request.GET.get("practitioner", ""))
    context = times_context(request, free, person, list(practitioners.values()), rules=rules, now=now)
    status = 409 if form.is_taken else 200
    return render(request, "booking/times.html", {"visit_type": visit, "form": form} | context, status=status)


def times_context(
    request: HttpRequest,
    free: openings.Openings,
    person: Resource | None,
    practitioners: list[Resource],
    *,
    rules: BookingRules,
    now: datetime,
) -> dict[str, Any]:
    """What the page of free times shows: of `person` or, with None, of anyone."""
    starts = [times.from_epoch(seconds) for seconds in free.starts(person.pk if person else None)]
    suggested = starts
    if rules.keep_days_compact:
        touching = free.touching(person.pk if person else None)
        suggested = timetable.compact_first(starts, [times.from_epoch(seconds) for seconds in touching])
    today = times.local_day(now)
    page = timetable.lay_out(
        starts,
        today=today,
        last_on=today + rules.horizon,
        from_on=_day(request.GET.get("from")),
        day_on=_day(request.GET.get("day")),
    )
    by_id = {practitioner.pk: practitioner for practitioner in practitioners}

    def serving(at: datetime) -> Resource | None:
        found = free.at(int(at.timestamp()), person.pk if person else None)
        return by_id.get(found.practitioner) if found and found.practitioner else None

    return {
        "page": page,
        "parts": [(part.name, [(at, serving(at)) for at in part.starts]) for part in page.parts],
        "shortcuts": [(shortcut, serving(shortcut.start)) for shortcut in timetable.shortcuts(suggested)],
        "practitioners": practitioners,
        "practitioner": person,
        "practitioner_slug": person.slug if person else ANYONE,
        "has_times": bool(starts),
        "step": 2,
        "steps": STEPS,
        "back_url": reverse("booking:start"),
    }


def _free(
    visit_type: VisitType, *, rules: BookingRules, now: datetime, but: Hold | None
) -> openings.Openings:
    """Everything that can be booked online; what `but` holds is free to whoever holds it."""
    today = times.local_day(now)
    return queries.find_openings(
        visit_type, first_on=today, last_on=today + rules.horizon, rules=rules, now=now, but=but
    )


def _day(text: str | None) -> date | None:
    try:
        return times.parse_day(text or "")
    except ValueError:
        return None


def hold(request: HttpRequest, choice: Choice, *, now: datetime) -> Hold | None:
    """Takes the time for ten minutes, or for ten more; None if somebody else has it."""
    limits.count(limits.HOLD, request, now=now)
    try:
        return operations.hold_time(
            visitor=drafts.new_visitor(request.session),
            visit_type=choice.visit_type,
            starts_at=choice.starts_at,
            practitioner=choice.practitioner,
            now=now,
        )
    except operations.TimeTaken:
        return None


def held_by(request: HttpRequest, choice: Choice, *, now: datetime) -> Hold | None:
    """The visitor's hold on this time; looking takes nothing."""
    return operations.held_time(
        visitor=drafts.visitor(request.session),
        visit_type=choice.visit_type,
        starts_at=choice.starts_at,
        practitioner=choice.practitioner,
        now=now,
    )


def is_free(request: HttpRequest, choice: Choice, *, now: datetime) -> bool:
    """Whether the time can be had; what the visitor holds does not stand in their own way."""
    opening = queries.opening_at(
        choice.visit_type,
        choice.starts_at,
        practitioner=choice.practitioner,
        rules=BookingRules.current(),
        now=now,
        but=queries.hold_of(drafts.visitor(request.session)),
    )
    return opening is not None


def taken(request: HttpRequest, choice: Choice, *, now: datetime) -> HttpResponse:
    """Somebody was faster: the free times around it, and all that was typed stays."""
    free = _free(choice.visit_type, rules=BookingRules.current(), now=now, but=None)
    starts = free.starts(choice.practitioner.pk if choice.practitioner else None)
    around = timetable.nearest([times.from_epoch(seconds) for seconds in starts], choice.starts_at)
    others = [Choice(choice.visit_type, choice.practitioner, at) for at in around]
    context = {
        "choice": choice,
        "others": [other.starts_at for other in others],
        "has_draft": drafts.answers(request.session, now=now) is not None,
        "back_url": choice.times_address,
    }
    return render(request, "booking/taken.html", context, status=409)
