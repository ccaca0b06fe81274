"""Details, health, check and send: who asks, what matters before needling, everything once more, and the request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from booking import drafts, operations, queries
from booking.forms import BEEN_HERE, DetailsForm, HealthForm, SendForm, details_of
from booking.models import Appointment, BookingRules, Contact
from booking.views.choosing import held_by, hold, is_free, taken
from booking.views.pages import STEPS, Choice, behind_the_gate, choice_of
from booking.views.traps import TRAP, ask_to_send_again, looks_automatic
from clinic import limits

STEP_OF: Final = {"details": 3, "health": 4}


@behind_the_gate
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest, visit_type: str, practitioner: str, starts_at: datetime) -> HttpResponse:
    """Who asks."""
    return _fill_in(request, choice_of(visit_type, practitioner, starts_at), "details")


@behind_the_gate
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def health(request: HttpRequest, visit_type: str, practitioner: str, starts_at: datetime) -> HttpResponse:
    """What the practitioner should know and the clinic be ready for."""
    return _fill_in(request, choice_of(visit_type, practitioner, starts_at), "health")


def _fill_in(request: HttpRequest, choice: Choice, page: str) -> HttpResponse:
    """One page of questions; each POST holds the time, looking does not."""
    now = timezone.now()
    form_of = _form_of(request, page)
    if request.method != "POST":
        return _page(
            request, choice, page, form_of(initial=drafts.answers(request.session, now=now)), now=now
        )
    if "hold" in request.POST:
        held = hold(request, choice, now=now)
        return redirect(choice.address(page)) if held else taken(request, choice, now=now)
    form = form_of(request.POST)
    if form.is_valid():
        drafts.keep(request.session, form.answers, now=now)
    if not hold(request, choice, now=now):
        return taken(request, choice, now=now)
    if form.is_valid():
        return redirect(choice.address(_answered(request, now=now).missing or "check"))
    return _page(request, choice, page, form, now=now)


def _form_of(request: HttpRequest, page: str) -> Callable[..., DetailsForm | HealthForm]:
    call_back = drafts.needs_call_back(request.session)
    return partial(DetailsForm, call_back=call_back) if page == "details" else HealthForm


@dataclass(frozen=True, slots=True)
class Answered:
    """What is kept of both pages of questions; without a draft neither form is valid."""

    person: DetailsForm
    health: HealthForm

    @property
    def missing(self) -> str | None:
        """The first page that must still be answered."""
        pages = {"details": self.person, "health": self.health}
        return next((page for page, form in pages.items() if not form.is_valid()), None)


def _answered(request: HttpRequest, *, now: datetime) -> Answered:
    kept = drafts.answers(request.session, now=now)
    call_back = drafts.needs_call_back(request.session)
    return Answered(DetailsForm(kept, call_back=call_back), HealthForm(kept))


def _page(request: HttpRequest, choice: Choice, page: str, form: Form, *, now: datetime) -> HttpResponse:
    held = held_by(request, choice, now=now)
    if not held and not is_free(request, choice, now=now):
        return taken(request, choice, now=now)
    context = {
        "form": form,
        "choice": choice,
        "held": held,
        "step": STEP_OF[page],
        "steps": STEPS,
        "back_url": choice.times_address if page == "details" else choice.address("details"),
    }
    return render(request, f"booking/{page}.html" if held else "booking/hold.html", context)


@behind_the_gate
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, visit_type: str, practitioner: str, starts_at: datetime) -> HttpResponse:
    """Everything once more before it is sent; whoever comes without answers is asked for them."""
    if reference := drafts.sent_with(request.session, request.POST.get("key", "")):
        return redirect("booking:appointment", reference)
    now, choice = timezone.now(), choice_of(visit_type, practitioner, starts_at)
    answers = _answered(request, now=now)
    if answers.missing:
        return redirect(choice.address(answers.missing))
    key = drafts.key_of(request.session, choice.address("check"))
    form = SendForm(request.POST if request.method == "POST" else None, key=key)
    if form.is_valid():
        return _send(request, choice, answers, form, now=now)
    if form.is_bound and not hold(request, choice, now=now):
        return taken(request, choice, now=now)
    return _check_page(request, choice, answers, form, now=now)


def _send(
    request: HttpRequest, choice: Choice, answers: Answered, form: SendForm, *, now: datetime
) -> HttpResponse:
    details = details_of(
        answers.person,
        answers.health,
        call_back=drafts.needs_call_back(request.session),
        wants_articles=form.cleaned_data["wants_articles"],
    )
    limits.count(limits.SEND, request, now=now, names=Contact.keys(email=details.email, phone=details.phone))
    if looks_automatic(request, now=now):
        return ask_to_send_again(request, back_url=choice.address("check"))
    try:
        appointment = operations.request_appointment(
            visit_type=choice.visit_type,
            starts_at=choice.starts_at,
            practitioner=choice.practitioner,
            details=details,
            idempotency_key=form.key,
            now=now,
            visitor=drafts.visitor(request.session),
        )
    except operations.TimeTaken:
        return taken(request, choice, now=now)
    except operations.TooManyPending:
        return render(request, "booking/too_many.html", {"back_url": choice.address("check")}, status=429)
    drafts.note_sent(request.session, key=form.key, reference=appointment.reference)
    return redirect("booking:appointment", appointment.reference)


def _check_page(
    request: HttpRequest, choice: Choice, answers: Answered, form: SendForm, *, now: datetime
) -> HttpResponse:
    held, rules = held_by(request, choice, now=now), BookingRules.current()
    if not held and not is_free(request, choice, now=now):
        return taken(request, choice, now=now)
    context = {
        "form": form,
        "choice": choice,
        "held": held,
        "answer_by": queries.answer_by(choice.starts_at, rules=rules, now=now),
        "answers": answers.person,
        "health": answers.health,
        "been_here": dict(BEEN_HERE)[answers.person.cleaned_data["new_patient"]],
        "language": Appointment.Language(answers.person.cleaned_data["language"]).label,
        "call_back": drafts.needs_call_back(request.session),
        "reminders": Appointment.Reminders(answers.person.cleaned_data["reminders"]).label,
        "details_url": choice.address("details"),
        "health_url": choice.address("health"),
        "back_url": choice.address("health"),
        "rules": rules,
        "trap": TRAP,
        "step": STEPS,
        "steps": STEPS,
    }
    return render(request, "booking/check.html", context)
