"""Details, check and send: who asks, everything once more, and the request."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from booking import drafts, operations, queries
from booking.forms import BEEN_HERE, DetailsForm, SendForm
from booking.models import Appointment, BookingRules
from booking.views.choosing import held_by, hold, is_free, taken
from booking.views.pages import STEPS, Choice, behind_the_gate, choice_of


@behind_the_gate
@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest, visit_type: str, practitioner: str, starts_at: datetime) -> HttpResponse:
    """Who asks and what the practitioner should know; each POST holds the time, looking does not."""
    now, choice = timezone.now(), choice_of(visit_type, practitioner, starts_at)
    if request.method != "POST":
        return _details_page(
            request, choice, DetailsForm(initial=drafts.answers(request.session, now=now)), now=now
        )
    if "hold" in request.POST:
        held = hold(request, choice, now=now)
        return redirect(choice.address("details")) if held else taken(request, choice, now=now)
    form = DetailsForm(request.POST)
    if form.is_valid():
        drafts.keep(request.session, form.answers, now=now)
    if not hold(request, choice, now=now):
        return taken(request, choice, now=now)
    return (
        redirect(choice.address("check"))
        if form.is_valid()
        else _details_page(request, choice, form, now=now)
    )


def _details_page(request: HttpRequest, choice: Choice, form: DetailsForm, *, now: datetime) -> HttpResponse:
    held = held_by(request, choice, now=now)
    if not held and not is_free(request, choice, now=now):
        return taken(request, choice, now=now)
    context = {
        "form": form,
        "choice": choice,
        "held": held,
        "step": 3,
        "steps": STEPS,
        "back_url": choice.times_address,
    }
    return render(request, "booking/details.html" if held else "booking/hold.html", context)


@behind_the_gate
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, visit_type: str, practitioner: str, starts_at: datetime) -> HttpResponse:
    """Everything once more before it is sent; whoever comes without answers is asked for them."""
    if reference := drafts.sent_with(request.session, request.POST.get("key", "")):
        return redirect("booking:appointment", reference)
    now, choice = timezone.now(), choice_of(visit_type, practitioner, starts_at)
    answers = DetailsForm(drafts.answers(request.session, now=now))
    if not answers.is_valid():
        return redirect(choice.address("details"))
    key = drafts.key_of(request.session, choice.address("check"))
    form = SendForm(request.POST if request.method == "POST" else None, key=key)
    if form.is_valid():
        return _send(request, choice, answers, form, now=now)
    if form.is_bound and not hold(request, choice, now=now):
        return taken(request, choice, now=now)
    return _check_page(request, choice, answers, form, now=now)


def _send(
    request: HttpRequest, choice: Choice, answers: DetailsForm, form: SendForm, *, now: datetime
) -> HttpResponse:
    try:
        appointment = operations.request_appointment(
            visit_type=choice.visit_type,
            starts_at=choice.starts_at,
            practitioner=choice.practitioner,
            details=answers.details(wants_articles=form.cleaned_data["wants_articles"]),
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
    request: HttpRequest, choice: Choice, answers: DetailsForm, form: SendForm, *, now: datetime
) -> HttpResponse:
    held, rules = held_by(request, choice, now=now), BookingRules.current()
    if not held and not is_free(request, choice, now=now):
        return taken(request, choice, now=now)
    context = {
        "form": form,
        "choice": choice,
        "held": held,
        "answer_by": queries.answer_by(choice.starts_at, rules=rules, now=now),
        "answers": answers,
        "been_here": dict(BEEN_HERE)[answers.cleaned_data["new_patient"]],
        "language": Appointment.Language(answers.cleaned_data["language"]).label,
        "reminders": Appointment.Reminders(answers.cleaned_data["reminders"]).label,
        "precautions": answers.precautions_in_words,
        "details_url": choice.address("details"),
        "back_url": choice.address("details"),
        "rules": rules,
        "step": STEPS,
        "steps": STEPS,
    }
    return render(request, "booking/check.html", context)
