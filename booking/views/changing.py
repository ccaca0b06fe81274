"""What a patient may do with an appointment: move it, cancel it, take an offered time; each is one POST."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from booking import courses, drafts, openings, operations, queries, times, timetable
from booking.forms import ChangeForm
from booking.models import (
    ANYONE,
    Appointment,
    BookingRules,
    OfferOption,
    Resource,
    StatusChange,
    VisitType,
)
from booking.views.appointments import appointment_page, change_context, private
from booking.views.choosing import times_context
from booking.views.standing import standing_of
from clinic import limits

HAS_CHANGED = _("This appointment has changed since you opened the page. This is how it stands now.")
OFFER_HAS_ENDED = _("The times that we offered are no longer kept.")
TOO_LATE = _("This can no longer be changed here. Please call us.")
CHANGE_WAITS = _("You have asked to change this visit already, and we have not answered yet.")

Change = Callable[[int, UUID], Appointment]


def _change(request: HttpRequest, asked: Appointment, make: Change, *, now: datetime) -> HttpResponse:
    """Makes the change that the form asks for, once, and goes on to the appointment that it changed or made.

    :raises TimeTaken: if it needs a time that is not free.
    """
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return appointment_page(request, asked, now=now, problem=HAS_CHANGED, status=409)
    limits.count(limits.CHANGE, request, now=now)
    try:
        changed = make(form.cleaned_data["version"], form.cleaned_data["key"])
    except operations.AlreadyDecided as meanwhile:
        return appointment_page(request, meanwhile.appointment, now=now, problem=HAS_CHANGED, status=409)
    except operations.OfferEnded:
        return appointment_page(request, asked, now=now, problem=OFFER_HAS_ENDED, status=409)
    except operations.TooManyPending:
        return render(request, "booking/too_many.html", {"back_url": _address(asked)}, status=429)
    return _go_to(request, changed)


def _go_to(request: HttpRequest, changed: Appointment) -> HttpResponse:
    drafts.note_opened(request.session, reference=changed.reference, generation=changed.link_generation)
    return redirect("booking:appointment", changed.reference)


def _done_before(request: HttpRequest, asked: Appointment) -> HttpResponse | None:
    """If this very form has been here, the answer that it got: sent twice, it is answered twice alike."""
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return None
    here = StatusChange.objects.filter(Q(appointment=asked) | Q(appointment__replaces=asked))
    done = here.filter(idempotency_key=form.cleaned_data["key"]).select_related("appointment").first()
    return _go_to(request, done.appointment) if done else None


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
    if done := _done_before(request, asked):
        return done
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
    """The free times; then the old and the new one side by side; then the move, or the request for it."""
    now = timezone.now()
    if done := _done_before(request, asked):
        return done
    standing = standing_of(asked, now=now)
    if not standing.may_move:
        problem = CHANGE_WAITS if standing.change else TOO_LATE
        return appointment_page(request, asked, now=now, problem=problem, status=409)
    asked_for = request.POST if request.method == "POST" else request.GET
    wish = _wish(asked, asked_for.get("visit", ""), asked_for.get("practitioner", ""))
    try:
        starts_at = times.parse_start(asked_for.get("start", ""))
    except ValueError:
        return _times_page(request, wish, now=now)
    if request.method != "POST":
        return _compare_page(request, wish, starts_at, now=now)
    try:
        return _change(request, asked, _moving(wish, starts_at, now=now), now=now)
    except operations.TimeTaken:
        return _taken_page(request, wish, starts_at, now=now)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the patient would have instead of what they asked for; with `practitioner` None, anyone may give it."""

    asked: Appointment
    visit_type: VisitType
    practitioner: Resource | None

    @property
    def is_another_visit(self) -> bool:
        return self.visit_type != self.asked.visit_type

    @property
    def is_request(self) -> bool:
        """A booked visit moves at once; with somebody else or of another kind it has to be asked for."""
        return self.asked.is_booked and (
            self.is_another_visit or self.practitioner != self.asked.practitioner
        )

    @property
    def practitioners(self) -> list[Resource]:
        return list(self.visit_type.practitioners.active())

    @property
    def slug(self) -> str:
        return self.practitioner.slug if self.practitioner else ANYONE

    @property
    def fields(self) -> dict[str, str]:
        """What says it in an address or a form; the visit type only where it is another one."""
        visit = {"visit": self.visit_type.slug} if self.is_another_visit else {}
        return visit | {"practitioner": self.slug}

    def free(self, *, now: datetime) -> openings.Openings:
        """What can be booked online: what a move gives up counts as free, what is kept beside a request does not."""
        rules, today = BookingRules.current(), times.local_day(now)
        return queries.find_openings(
            self.visit_type,
            first_on=today,
            last_on=today + rules.horizon,
            rules=rules,
            now=now,
            but=None if self.is_request else self.asked,
        )


def _wish(asked: Appointment, visit: str, practitioner: str) -> Wish:
    """What the address or the form says, as far as there is such a thing; else what was asked for until now.

    Anyone may be named in place of an offer or for another kind of visit, and only then.
    """
    others = VisitType.objects.bookable() if asked.is_booked else VisitType.objects.none()
    visit_type = others.filter(slug=visit).first() or asked.visit_type
    active = {person.slug: person for person in visit_type.practitioners.active()}
    if visit_type == asked.visit_type and not (asked.is_proposed and practitioner == ANYONE):
        return Wish(asked, asked.visit_type, active.get(practitioner, asked.practitioner))
    return Wish(asked, visit_type, active.get(practitioner))


def _moving(wish: Wish, starts_at: datetime, *, now: datetime) -> Change:
    """Instead of offered times another one is asked for, beside a booked visit another visit; the rest is moved."""
    asked = wish.asked

    def ask(version: int, key: UUID) -> Appointment:
        return operations.ask_for_another_time(
            appointment=asked, version=version, starts_at=starts_at, practitioner=wish.practitioner,
            idempotency_key=key, now=now,
        )  # fmt: skip

    def ask_to_change(version: int, key: UUID) -> Appointment:
        return operations.ask_to_change(
            appointment=asked, version=version, visit_type=wish.visit_type, starts_at=starts_at,
            practitioner=wish.practitioner, idempotency_key=key, now=now,
        )  # fmt: skip

    def move_it(version: int, key: UUID) -> Appointment:
        return operations.move_appointment(
            appointment=asked, version=version, starts_at=starts_at, practitioner=wish.practitioner, by=None,
            idempotency_key=key, now=now,
        )  # fmt: skip

    if asked.is_proposed:
        return ask
    return ask_to_change if wish.is_request else move_it


def _times_page(request: HttpRequest, wish: Wish, *, now: datetime) -> HttpResponse:
    free, rules, asked = wish.free(now=now), BookingRules.current(), wish.asked
    context = times_context(request, free, wish.practitioner, wish.practitioners, rules=rules, now=now)
    context |= change_context(asked, now=now) | _new(wish) | {"back_url": _address(asked)}
    context["visit_types"] = VisitType.objects.bookable() if asked.is_booked else []
    context["may_be_anyone"] = asked.is_proposed or wish.is_another_visit
    return render(request, "booking/move.html", context)


def _compare_page(request: HttpRequest, wish: Wish, starts_at: datetime, *, now: datetime) -> HttpResponse:
    asked, person = wish.asked, wish.practitioner
    found = wish.free(now=now).at(int(starts_at.timestamp()), person.pk if person else None)
    if found is None:
        return _taken_page(request, wish, starts_at, now=now)
    if not (asked.is_proposed or wish.is_request) and (starts_at, person) == (
        asked.starts_at,
        asked.practitioner,
    ):
        return redirect(_address(asked))  # that is how it is
    context = change_context(asked, now=now) | _new(wish, starts_at)
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


def _taken_page(request: HttpRequest, wish: Wish, starts_at: datetime, *, now: datetime) -> HttpResponse:
    """Somebody was faster: the free times around it, and the present one is kept."""
    starts = wish.free(now=now).starts(wish.practitioner.pk if wish.practitioner else None)
    around = timetable.nearest([times.from_epoch(seconds) for seconds in starts], starts_at)
    context = change_context(wish.asked, now=now) | _new(wish, starts_at) | {"others": around}
    return render(
        request, "booking/move_taken.html", context | {"back_url": context["times_url"]}, status=409
    )


def _new(wish: Wish, starts_at: datetime | None = None) -> dict[str, Any]:
    """What the pages say of the wish; `link` is how their links go on saying it."""
    day = {"day": times.local_day(starts_at).isoformat()} if starts_at else {}
    return {
        "wish": wish,
        "link": urlencode(wish.fields),
        "starts_at": starts_at,
        "practitioner": wish.practitioner,
        "practitioner_slug": wish.slug,
        "times_url": f"{reverse('booking:move', args=[wish.asked.reference])}?{urlencode(wish.fields | day)}",
    }


def _address(asked: Appointment) -> str:
    return reverse("booking:appointment", args=[asked.reference])
