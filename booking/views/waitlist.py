"""Waiting for a time to come free: joining the list, seeing what is offered, taking it, leaving."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from booking import drafts, links, operations, queries, times
from booking.forms_waitlist import JoinForm, WishesForm, suggested_until
from booking.models import (
    ANYONE,
    Appointment,
    BookingRules,
    Contact,
    Offer,
    OfferOption,
    VisitType,
    WaitlistEntry,
)
from booking.views.appointments import opened_before, refused
from booking.views.pages import behind_the_gate, patient_page
from booking.views.traps import TRAP, ask_to_send_again, fell_into_trap
from clinic import limits


@behind_the_gate
@require_http_methods(["GET", "HEAD", "POST"])
def join_waitlist(request: HttpRequest, visit_type: str) -> HttpResponse:
    """Asks which times would suit and, of somebody without a visit, who they are."""
    now, visit = timezone.now(), get_object_or_404(VisitType.objects.bookable(), slug=visit_type)
    replaced = _to_replace(request, visit, now=now)
    if replaced is None and "replaces" in request.GET:
        return refused(request)
    if drafts.needs_call_back(request.session):
        return render(request, "booking/waitlist_by_phone.html", {"visit_type": visit})
    form = _wishes_form(request, visit, replaced, now=now)
    if not form.is_valid():
        return _join_page(request, visit, replaced, form)
    if fell_into_trap(request):
        return ask_to_send_again(request, back_url=reverse("booking:times", args=[visit.slug]))
    return _answer_joining(request, visit, replaced, form, now=now)


def _answer_joining(
    request: HttpRequest, visit: VisitType, replaced: Appointment | None, form: WishesForm, *, now: datetime
) -> HttpResponse:
    try:
        entry = _join(request, visit, replaced, form, now=now)
    except operations.TimeFree as found:
        return _join_page(request, visit, replaced, form, free_now=found.starts)
    except operations.AlreadyWaiting:
        form.add_error(
            None,
            _("You are on the waitlist for this visit already. Open the link in our e-mail, or call us."),
        )
        return _join_page(request, visit, replaced, form)
    drafts.note_opened(request.session, reference=entry.reference, generation=entry.link_generation)
    return redirect("booking:waitlist", entry.reference)


def _to_replace(request: HttpRequest, visit: VisitType, *, now: datetime) -> Appointment | None:
    """The visit that `?replaces=` names, if this session may see it and it can still give way to an earlier one."""
    mine = opened_before(request, request.GET.get("replaces", ""))
    fits = mine and mine.visit_type_id == visit.pk and operations.can_be_replaced(mine, now=now)
    return mine if fits else None


def _wishes_form(
    request: HttpRequest, visit: VisitType, replaced: Appointment | None, *, now: datetime
) -> WishesForm:
    rules, today = BookingRules.current(), times.local_day(now)
    latest_on = today + rules.horizon
    if replaced:
        latest_on = min(latest_on, times.local_day(replaced.starts_at))
    practitioners = list(visit.practitioners.active())
    options: dict[str, Any] = {"practitioners": practitioners, "today": today, "latest_on": latest_on}
    kind = WishesForm if replaced else JoinForm
    if request.method == "POST":
        return kind(request.POST, **options)
    asked_for = request.GET.get("practitioner", ANYONE)
    if replaced and not replaced.anyone:
        asked_for = replaced.practitioner.slug
    person = next((person for person in practitioners if person.slug == asked_for), None)
    first_free = queries.next_starts(visit, practitioner=person, rules=rules, now=now, limit=1)
    first_free_on = times.local_day(first_free[0]) if first_free else None
    wishes = {
        "practitioner": person.slug if person else ANYONE,
        "weekdays": [weekday for weekday, _name in kind.base_fields["weekdays"].choices],  # type: ignore[attr-defined]
        "parts": WaitlistEntry.Part.values,
        "until": suggested_until(first_free_on, today=today, latest_on=latest_on),
        "key": uuid4(),
    }
    return kind(initial=(drafts.answers(request.session, now=now) or {}) | wishes, **options)


def _join(
    request: HttpRequest, visit: VisitType, replaced: Appointment | None, form: WishesForm, *, now: datetime
) -> WaitlistEntry:
    key = form.cleaned_data["key"]
    if replaced:
        limits.count(limits.CHANGE, request, now=now)
        return operations.wait_for_earlier(
            appointment=replaced, wishes=form.wishes, idempotency_key=key, now=now
        )
    assert isinstance(form, JoinForm)  # noqa: S101 (for the type: whoever replaces nothing says who they are)
    details = form.person
    limits.count(limits.JOIN, request, now=now, names=Contact.keys(email=details.email, phone=details.phone))
    return operations.join_waitlist(
        visit_type=visit,
        wishes=form.wishes,
        details=details,
        idempotency_key=key,
        now=now,
        hold=queries.hold_of(drafts.visitor(request.session)),
    )


def _join_page(
    request: HttpRequest,
    visit: VisitType,
    replaced: Appointment | None,
    form: WishesForm,
    free_now: Sequence[datetime] = (),
) -> HttpResponse:
    """With `free_now`, the times that need no waiting come first."""
    context = {
        "visit_type": visit,
        "replaced": replaced,
        "form": form,
        "free_now": free_now,
        "trap": TRAP,
        "practitioner": form.wishes.practitioner if free_now else None,
        "rules": BookingRules.current(),
        "back_url": reverse("booking:appointment", args=[replaced.reference])
        if replaced
        else reverse("booking:times", args=[visit.slug]),
    }
    return render(request, "booking/waitlist_join.html", context, status=409 if free_now else 200)


@patient_page
@require_safe
def open_waitlist(request: HttpRequest, token: str) -> HttpResponse:
    """The link in a mail: the session learns which entry it opens, and the token leaves the address."""
    opened = links.entry_opened_by(token, now=timezone.now())
    if opened is None:
        return refused(request)
    drafts.note_opened(request.session, reference=opened.reference, generation=opened.link_generation)
    return redirect("booking:waitlist", opened.reference)


@patient_page
@require_safe
def waitlist(request: HttpRequest, reference: str) -> HttpResponse:
    """One entry as it stands, with what is offered just now; looking changes nothing."""
    entry = _opened_before(request, reference)
    return _entry_page(request, entry, now=timezone.now()) if entry else refused(request)


@patient_page
@require_POST
def take_offer(request: HttpRequest, reference: str) -> HttpResponse:
    """The offered time becomes a booked visit."""
    now, entry = timezone.now(), _opened_before(request, reference)
    if entry is None:
        return refused(request)
    limits.count(limits.CHANGE, request, now=now)
    try:
        booked = operations.take_offer(entry=entry, starts_at=_posted_start(request), now=now)
    except (operations.OfferEnded, operations.TimeTaken):
        return _entry_page(request, entry, now=now, too_late=True)
    drafts.note_opened(request.session, reference=booked.reference, generation=booked.link_generation)
    return redirect("booking:appointment", booked.reference)


@patient_page
@require_POST
def decline_offer(request: HttpRequest, reference: str) -> HttpResponse:
    """The offered time goes to the next person; this one stays on the list."""
    now, entry = timezone.now(), _opened_before(request, reference)
    if entry is None:
        return refused(request)
    limits.count(limits.CHANGE, request, now=now)
    try:
        operations.decline_offer(entry=entry, starts_at=_posted_start(request), now=now)
    except operations.OfferEnded:
        return _entry_page(request, entry, now=now, too_late=True)
    return redirect("booking:waitlist", reference)


@patient_page
@require_POST
def leave_waitlist(request: HttpRequest, reference: str) -> HttpResponse:
    """Off the list at once, whatever is offered."""
    entry = _opened_before(request, reference)
    if entry is None:
        return refused(request)
    now = timezone.now()
    limits.count(limits.CHANGE, request, now=now)
    operations.leave_waitlist(entry=entry, by=None, now=now)
    return redirect("booking:waitlist", reference)


def _opened_before(request: HttpRequest, reference: str) -> WaitlistEntry | None:
    """The entry, if this session has come to it by a link that still holds, or made it."""
    generation = drafts.generation_opened(request.session, reference)
    if generation is None:
        return None
    mine = WaitlistEntry.objects.with_people()
    return mine.filter(reference=reference, link_generation=generation).first()


def _posted_start(request: HttpRequest) -> datetime:
    """The time that stood on the page: whoever looked at an older offer answers that one and no other.

    :raises OfferEnded: if no time is named.
    """
    try:
        return times.parse_start(request.POST.get("start", ""))
    except ValueError as error:
        raise operations.OfferEnded from error


def _entry_page(
    request: HttpRequest, entry: WaitlistEntry, *, now: datetime, too_late: bool = False
) -> HttpResponse:
    last = OfferOption.objects.select_related("offer", "practitioner").filter(offer__entry=entry)
    option = last.order_by("-offer__offered_at", "-pk").first()
    is_open = bool(option) and not option.offer.has_ended(now) if option else False
    context = {
        "entry": entry,
        "offered": option if is_open else None,
        "ended": option if option and not is_open else None,
        "was_declined": bool(option and option.offer.answer == Offer.Answer.DECLINED),
        "too_late": too_late,
        "rules": BookingRules.current(),
    }
    return render(request, "booking/waitlist.html", context, status=409 if too_late else 200)
