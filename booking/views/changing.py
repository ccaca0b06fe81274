"""What a patient may do with an appointment: move it, cancel it, take an offered time; each is one POST."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from booking import courses, openings, operations, queries, times, timetable
from booking.forms import ChangeForm
from booking.models import ANYONE, Appointment, BookingRules, OfferOption, Resource
from booking.views.appointments import appointment_page, change_context, private
from booking.views.choosing import times_context
from booking.views.standing import standing_of
from clinic import limits

HAS_CHANGED = _("This appointment has changed since you opened the page. This is how it stands now.")
OFFER_HAS_ENDED = _("The times that we offered are no longer kept.")
TOO_LATE = _("This can no longer be changed here. Please call us.")

Change = Callable[[int, UUID], Appointment]


def _change(request: HttpRequest, asked: Appointment, make: Change, *, now: datetime) -> HttpResponse:
    """Makes the change that the form asks for, once, and goes back to the appointment.

    :raises TimeTaken: if it needs a time that is not free.
    """
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return appointment_page(request, asked, now=now, problem=HAS_CHANGED, status=409)
    limits.count(limits.CHANGE, request, now=now)
    try:
        make(form.cleaned_data["version"], form.cleaned_data["key"])
    except operations.AlreadyDecided as changed:
        return appointment_page(request, changed.appointment, now=now, problem=HAS_CHANGED, status=409)
    except operations.OfferEnded:
        return appointment_page(request, asked, now=now, problem=OFFER_HAS_ENDED, status=409)
    return redirect("booking:appointment", asked.reference)


def _has_been_done(request: HttpRequest, asked: Appointment) -> bool:
    """Whether this very form has been here: sent twice, it is answered twice alike."""
    form = ChangeForm(request.POST)
    return form.is_valid() and asked.changes.filter(idempotency_key=form.cleaned_data["key"]).exists()


@private
@require_POST
def accept(request: HttpRequest, asked: Appointment) -> HttpResponse:
    """Takes one of the offered times."""
    now, chosen = timezone.now(), request.POST.get("option", "")
    options = {str(option.pk): option for option in OfferOption.objects.filter(offer__appointment=asked)}
    if chosen not in options:
        return appointment_page(request, asked, now=now, problem=_("Choose one of the times."), status=409)

    def make(version: int, key: UUID) -> Appointment:
        return operations.accept_offered_time(
            appointment=asked, version=version, option=options[chosen], idempotency_key=key, now=now
        )

    return _change(request, asked, make, now=now)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, asked: Appointment) -> HttpResponse:
    """The question and the rule first; then it is off."""
    now = timezone.now()
    if _has_been_done(request, asked):
        return redirect("booking:appointment", asked.reference)
    if not standing_of(asked, now=now).may_cancel:
        return appointment_page(request, asked, now=now, problem=TOO_LATE, status=409)
    if request.method != "POST":
        context = change_context(asked, now=now) | {"back_url": _address(asked)}
        return render(request, "booking/cancel.html", context)

    def make(version: int, key: UUID) -> Appointment:
        return operations.cancel_appointment(
            appointment=asked, version=version, by=None, idempotency_key=key, now=now
        )

    return _change(request, asked, make, now=now)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, asked: Appointment) -> HttpResponse:
    """The free times; then the old and the new one side by side; then the move."""
    now = timezone.now()
    if _has_been_done(request, asked):
        return redirect("booking:appointment", asked.reference)
    if not standing_of(asked, now=now).may_move:
        return appointment_page(request, asked, now=now, problem=TOO_LATE, status=409)
    asked_for = request.POST if request.method == "POST" else request.GET
    person = _person(asked, asked_for.get("practitioner", ""))
    try:
        starts_at = times.parse_start(asked_for.get("start", ""))
    except ValueError:
        return _times_page(request, asked, person, now=now)
    if request.method != "POST":
        return _compare_page(request, asked, starts_at, person, now=now)
    try:
        return _change(request, asked, _moving(asked, starts_at, person, now=now), now=now)
    except operations.TimeTaken:
        return _taken_page(request, asked, starts_at, person, now=now)


def _moving(asked: Appointment, starts_at: datetime, person: Resource | None, *, now: datetime) -> Change:
    """Instead of offered times another one is asked for; anything else is moved."""

    def ask(version: int, key: UUID) -> Appointment:
        return operations.ask_for_another_time(
            appointment=asked, version=version, starts_at=starts_at, practitioner=person, idempotency_key=key,
            now=now,
        )  # fmt: skip

    def move_it(version: int, key: UUID) -> Appointment:
        return operations.move_appointment(
            appointment=asked, version=version, starts_at=starts_at, practitioner=person, by=None,
            idempotency_key=key, now=now,
        )  # fmt: skip

    return ask if asked.is_proposed else move_it


def _practitioners(asked: Appointment) -> list[Resource]:
    """With whom it may be from now on: a booked visit stays with its practitioner."""
    if asked.is_booked:
        return [asked.practitioner]
    return list(asked.visit_type.practitioners.active())


def _person(asked: Appointment, slug: str) -> Resource | None:
    """Who is asked for: the present practitioner unless another is named, anyone only in place of an offer."""
    if slug == ANYONE and asked.is_proposed:
        return None
    return next((person for person in _practitioners(asked) if person.slug == slug), asked.practitioner)


def _free(asked: Appointment, *, now: datetime) -> openings.Openings:
    """What can be booked online, with what the appointment itself occupies."""
    rules, today = BookingRules.current(), times.local_day(now)
    return queries.find_openings(
        asked.visit_type, first_on=today, last_on=today + rules.horizon, rules=rules, now=now, but=asked
    )


def _times_page(
    request: HttpRequest, asked: Appointment, person: Resource | None, *, now: datetime
) -> HttpResponse:
    free, rules = _free(asked, now=now), BookingRules.current()
    context = times_context(request, free, person, _practitioners(asked), rules=rules, now=now)
    context |= change_context(asked, now=now) | {"back_url": _address(asked)}
    return render(request, "booking/move.html", context)


def _compare_page(
    request: HttpRequest,
    asked: Appointment,
    starts_at: datetime,
    person: Resource | None,
    *,
    now: datetime,
) -> HttpResponse:
    found = _free(asked, now=now).at(int(starts_at.timestamp()), person.pk if person else None)
    if found is None:
        return _taken_page(request, asked, starts_at, person, now=now)
    if not asked.is_proposed and (starts_at, person) == (asked.starts_at, asked.practitioner):
        return redirect(_address(asked))  # that is how it is
    context = change_context(asked, now=now) | _new(asked, starts_at, person)
    context |= {"back_url": context["times_url"], "breaks": _breaks(asked, starts_at)}
    return render(request, "booking/move_check.html", context)


def _breaks(asked: Appointment, starts_at: datetime) -> courses.Break | None:
    """What the move would do to the pattern of the course that the visit belongs to; it may be moved all the same."""
    if asked.course is None:
        return None
    others = asked.course.appointments.occupying().exclude(pk=asked.pk).values_list("starts_at", flat=True)
    return courses.broken_by_move(
        asked.course.pattern,
        first_on=asked.course.first_on,
        was_on=times.local_day(asked.starts_at),
        now_on=times.local_day(starts_at),
        others=[times.local_day(at) for at in others],
    )


def _taken_page(
    request: HttpRequest,
    asked: Appointment,
    starts_at: datetime,
    person: Resource | None,
    *,
    now: datetime,
) -> HttpResponse:
    """Somebody was faster: the free times around it, and the present one is kept."""
    starts = _free(asked, now=now).starts(person.pk if person else None)
    around = timetable.nearest([times.from_epoch(seconds) for seconds in starts], starts_at)
    context = change_context(asked, now=now) | _new(asked, starts_at, person) | {"others": around}
    return render(
        request, "booking/move_taken.html", context | {"back_url": context["times_url"]}, status=409
    )


def _new(asked: Appointment, starts_at: datetime, person: Resource | None) -> dict[str, Any]:
    slug, day = person.slug if person else ANYONE, times.local_day(starts_at).isoformat()
    return {
        "starts_at": starts_at,
        "practitioner": person,
        "practitioner_slug": slug,
        "times_url": f"{reverse('booking:move', args=[asked.reference])}?practitioner={slug}&day={day}",
    }


def _address(asked: Appointment) -> str:
    return reverse("booking:appointment", args=[asked.reference])
