"""The pages on which a patient asks for a visit: safety gate, visit type, time, details, check, request sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from booking import drafts, openings, operations, queries, screening, times, timetable
from booking.forms import BEEN_HERE, DetailsForm, SafetyForm, SendForm, TimeForm
from booking.models import Appointment, BookingRules, Hold, Resource, Status, VisitType
from booking.models.resources import ANYONE

STEPS: Final = 4

# What an appointment's page says of it: a headline and what it means for the patient.
STANDING: Final[dict[str, tuple[Promise, Promise]]] = {
    Status.PENDING: (_("Request sent"), _("It is not booked yet. We check it and answer you by e-mail.")),
    Status.PROPOSED: (_("Other times offered"), _("Please look at our e-mail, or call us.")),
    Status.BOOKED: (_("Confirmed"), _("Your visit is booked.")),
    Status.ARRIVED: (_("You are here"), _("Please take a seat.")),
    Status.FULFILLED: (_("Visit completed"), _("Thank you for coming.")),
    Status.CANCELLED: (_("Cancelled"), _("This visit will not take place.")),
    Status.DECLINED: (
        _("We cannot offer this time"),
        _("Our e-mail says why. You can ask for another time, or call us."),
    ),
    Status.EXPIRED: (
        _("This request has ended"),
        _("It was not answered in time. You can ask for another time, or call us."),
    ),
    Status.NOSHOW: (_("Visit missed"), _("Call us if you would like another time.")),
}

View = Callable[..., HttpResponse]


def patient_page(view: View) -> View:
    """Never kept by a browser, a proxy or a search engine."""

    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex"
        return response

    return answer


def behind_the_gate(view: View) -> View:
    """Whoever has not passed the safety gate meets it first, and then comes back."""

    @patient_page
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if drafts.has_passed_gate(request.session):
            return view(request, *args, **kwargs)
        return HttpResponseRedirect(
            f"{reverse('booking:start')}?{urlencode({'next': request.get_full_path()})}"
        )

    return answer


@dataclass(frozen=True, slots=True)
class Choice:
    """The visit that somebody is asking for; with `practitioner` None, anyone may give it."""

    visit_type: VisitType
    practitioner: Resource | None
    starts_at: datetime

    def address(self, page: str) -> str:
        """The address of this choice's page `details` or `check`."""
        slug = self.practitioner.slug if self.practitioner else ANYONE
        return reverse(f"booking:{page}", args=[self.visit_type.slug, slug, self.starts_at])

    @property
    def times_address(self) -> str:
        """The page of times, opened where this choice was made."""
        slug = self.practitioner.slug if self.practitioner else ANYONE
        query = urlencode({"practitioner": slug, "day": times.local_day(self.starts_at).isoformat()})
        return f"{reverse('booking:times', args=[self.visit_type.slug])}?{query}"


# --- The safety gate and the visit type ------------------------------------------------------------------------


@patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """The safety gate, until it is passed; then the choice of visit type."""
    if request.method == "POST":
        return _answer_gate(request)
    if drafts.has_passed_gate(request.session) and request.GET.get("safety") != "again":
        return render(request, "booking/start.html", _start_context())
    return _gate(request, SafetyForm(initial={"next": request.GET.get("next", "")}))


def _start_context() -> dict[str, Any]:
    return {
        "visit_types": VisitType.objects.bookable(),
        "step": 1,
        "steps": STEPS,
        "back_url": f"{reverse('booking:start')}?safety=again",
    }


def _answer_gate(request: HttpRequest) -> HttpResponse:
    """“Yes” and “I’m not sure” are answered by the page itself; nothing of them is kept anywhere."""
    form = SafetyForm(request.POST)
    if not form.is_valid():
        return _gate(request, form)
    if not form.may_go_on:
        drafts.forget_gate(request.session)
        drafts.erase(request.session)
        return render(request, "booking/stop.html")
    drafts.pass_gate(request.session)
    return redirect(_onward(form.cleaned_data["next"]))


def _gate(request: HttpRequest, form: SafetyForm) -> HttpResponse:
    context = {"form": form, "signs": screening.EMERGENCY_SIGNS, "back_url": reverse("home")}
    return render(request, "booking/gate.html", context)


def _onward(wish: str) -> str:
    """The page that was asked for, if it is one of booking's own."""
    own = reverse("booking:start")
    is_own = wish.startswith(own) and url_has_allowed_host_and_scheme(wish, allowed_hosts=None)
    return wish if is_own else own


# --- The time --------------------------------------------------------------------------------------------------


@behind_the_gate
@require_http_methods(["GET", "HEAD", "POST"])
def choose_time(request: HttpRequest, visit_type: str) -> HttpResponse:
    """The free times, four weeks to a page; choosing one leads to the details."""
    visit = get_object_or_404(VisitType.objects.bookable(), slug=visit_type)
    now, rules = timezone.now(), BookingRules.current()
    practitioners = {person.slug: person for person in visit.practitioners.active()}
    free = _free(visit, rules=rules, now=now, but=queries.hold_of(drafts.visitor(request.session)))
    form = TimeForm(
        request.POST if request.method == "POST" else None, free=free, practitioners=practitioners
    )
    if form.is_valid():
        chosen = Choice(visit, form.cleaned_data["practitioner"], form.cleaned_data["start"])
        held = _hold(request, chosen, now=now)
        return redirect(chosen.address("details")) if held else _taken(request, chosen, now=now)
    person = practitioners.get(request.GET.get("practitioner", ""))
    context = _times_context(request, free, person, list(practitioners.values()), rules=rules, now=now)
    status = 409 if form.is_taken else 200
    return render(request, "booking/times.html", {"visit_type": visit, "form": form} | context, status=status)


def _times_context(
    request: HttpRequest,
    free: openings.Openings,
    person: Resource | None,
    practitioners: list[Resource],
    *,
    rules: BookingRules,
    now: datetime,
) -> dict[str, Any]:
    starts = [times.from_epoch(seconds) for seconds in free.starts(person.pk if person else None)]
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
        "shortcuts": [(shortcut, serving(shortcut.start)) for shortcut in timetable.shortcuts(starts)],
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


# --- Holding a time --------------------------------------------------------------------------------------------


def _hold(request: HttpRequest, choice: Choice, *, now: datetime) -> Hold | None:
    """Takes the time for ten minutes, or for ten more; None if somebody else has it."""
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


def _held(request: HttpRequest, choice: Choice, *, now: datetime) -> Hold | None:
    """The visitor's hold on this time; looking takes nothing."""
    return operations.held_time(
        visitor=drafts.visitor(request.session),
        visit_type=choice.visit_type,
        starts_at=choice.starts_at,
        practitioner=choice.practitioner,
        now=now,
    )


# --- Details, check, send --------------------------------------------------------------------------------------


@behind_the_gate
@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest, visit_type: str, practitioner: str, starts_at: datetime) -> HttpResponse:
    """Who asks and what the practitioner should know; each POST holds the time, looking does not."""
    now, choice = timezone.now(), _choice(visit_type, practitioner, starts_at)
    if request.method != "POST":
        return _details_page(
            request, choice, DetailsForm(initial=drafts.answers(request.session, now=now)), now=now
        )
    if "hold" in request.POST:
        held = _hold(request, choice, now=now)
        return redirect(choice.address("details")) if held else _taken(request, choice, now=now)
    form = DetailsForm(request.POST)
    if form.is_valid():
        drafts.keep(request.session, form.answers, now=now)
    if not _hold(request, choice, now=now):
        return _taken(request, choice, now=now)
    return (
        redirect(choice.address("check"))
        if form.is_valid()
        else _details_page(request, choice, form, now=now)
    )


def _details_page(request: HttpRequest, choice: Choice, form: DetailsForm, *, now: datetime) -> HttpResponse:
    held = _held(request, choice, now=now)
    if not held and not _is_free(request, choice, now=now):
        return _taken(request, choice, now=now)
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
    now, choice = timezone.now(), _choice(visit_type, practitioner, starts_at)
    answers = DetailsForm(drafts.answers(request.session, now=now))
    if not answers.is_valid():
        return redirect(choice.address("details"))
    key = drafts.key_of(request.session, choice.address("check"))
    form = SendForm(request.POST if request.method == "POST" else None, key=key)
    if form.is_valid():
        return _send(request, choice, answers, form, now=now)
    if form.is_bound and not _hold(request, choice, now=now):
        return _taken(request, choice, now=now)
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
        return _taken(request, choice, now=now)
    except operations.TooManyPending:
        return render(request, "booking/too_many.html", {"back_url": choice.address("check")}, status=429)
    drafts.note_sent(request.session, key=form.key, reference=appointment.reference)
    return redirect("booking:appointment", appointment.reference)


def _check_page(
    request: HttpRequest, choice: Choice, answers: DetailsForm, form: SendForm, *, now: datetime
) -> HttpResponse:
    held, rules = _held(request, choice, now=now), BookingRules.current()
    if not held and not _is_free(request, choice, now=now):
        return _taken(request, choice, now=now)
    context = {
        "form": form,
        "choice": choice,
        "held": held,
        "answer_by": queries.answer_by(choice.starts_at, rules=rules, now=now),
        "answers": answers,
        "been_here": dict(BEEN_HERE)[answers.cleaned_data["new_patient"]],
        "language": Appointment.Language(answers.cleaned_data["language"]).label,
        "precautions": answers.precautions_in_words,
        "details_url": choice.address("details"),
        "back_url": choice.address("details"),
        "rules": rules,
        "step": STEPS,
        "steps": STEPS,
    }
    return render(request, "booking/check.html", context)


def _choice(visit_type: str, practitioner: str, starts_at: datetime) -> Choice:
    """What the address names.

    :raises Http404: if there is no such visit type, or no such practitioner who gives it.
    """
    visit = get_object_or_404(VisitType.objects.bookable(), slug=visit_type)
    if practitioner == ANYONE:
        return Choice(visit, None, starts_at)
    return Choice(visit, get_object_or_404(visit.practitioners.active(), slug=practitioner), starts_at)


def _is_free(request: HttpRequest, choice: Choice, *, now: datetime) -> bool:
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


def _taken(request: HttpRequest, choice: Choice, *, now: datetime) -> HttpResponse:
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


# --- What was asked for ----------------------------------------------------------------------------------------


@patient_page
@require_safe
def appointment(request: HttpRequest, reference: str) -> HttpResponse:
    """One appointment as it stands, for the session that asked for it and nobody else."""
    if not drafts.has_sent(request.session, reference):
        raise Http404
    asked = get_object_or_404(Appointment.objects.with_people(), reference=reference)
    headline, meaning = STANDING[asked.status]
    context = {"appointment": asked, "headline": headline, "meaning": meaning}
    return render(request, "booking/appointment.html", context)
