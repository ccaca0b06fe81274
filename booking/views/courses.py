"""The way to a course of visits: its pattern, its dates, who asks, and the one request for all of them.

Everything but the answers about a person stands in the address, so that nothing is taken before it is sent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from booking import courses, drafts, operations, queries, times, timetable
from booking.forms import BEEN_HERE, DetailsForm, HealthForm, SendForm, details_of
from booking.forms_courses import CourseDetailsForm, PatternForm, usual_wishes
from booking.models import Appointment, BookingRules, Contact, Resource, VisitType
from booking.operations.courses import MOST_VISITS
from booking.views.asking import STEP_OF, Answered
from booking.views.pages import STEPS, View, behind_the_gate
from booking.views.traps import TRAP, ask_to_send_again, looks_automatic
from clinic import limits


@dataclass(frozen=True, slots=True)
class CourseChoice:
    """A pattern and the dates that were found or chosen for it."""

    visit_type: VisitType
    form: PatternForm
    practitioner: Resource
    proposal: courses.Proposal

    @property
    def starts(self) -> tuple[datetime, ...]:
        return tuple(visit.starts_at for visit in self.proposal.visits)

    def address(self, page: str) -> str:
        """The address of this choice's page `course_dates`, `course_details`, `course_health` or `course_check`."""
        return f"{reverse(f'booking:{page}', args=[self.visit_type.slug])}?{self.query}"

    @property
    def query(self) -> str:
        starts = [times.write_start(start) for start in self.starts]
        return urlencode(self.form.query | {"with": self.practitioner.slug, "start": starts}, doseq=True)

    @property
    def dates_address(self) -> str:
        return self.address("course_dates")

    @property
    def pattern_query(self) -> str:
        return urlencode(self.form.query, doseq=True)

    @property
    def pattern_address(self) -> str:
        own = reverse("booking:course", args=[self.visit_type.slug])
        return f"{own}?{self.pattern_query}"

    @property
    def plan(self) -> operations.Plan:
        return operations.Plan(
            visit_type=self.visit_type,
            practitioner=self.practitioner,
            pattern=self.form.pattern,
            first_on=self.form.cleaned_data["first_on"],
            starts=self.starts,
        )


def asks_for_course(view: View) -> View:
    """Behind the gate, for a visit type that is given as a course; who must be called first, calls."""

    @behind_the_gate
    @wraps(view)
    def answer(request: HttpRequest, visit_type: str) -> HttpResponse:
        visit = get_object_or_404(VisitType.objects.bookable().filter(as_course=True), slug=visit_type)
        if drafts.needs_call_back(request.session):
            return render(request, "booking/course_by_phone.html", {"visit_type": visit})
        return view(request, visit)

    return answer


def with_dates(view: Callable[..., HttpResponse]) -> View:
    """Gives the view the choice that the address holds; an address without one leads to the pattern."""

    @wraps(view)
    def answer(request: HttpRequest, visit_type: VisitType) -> HttpResponse:
        form = pattern_form(request, visit_type)
        chosen = _chosen(request, visit_type, form) if form.is_valid() else None
        return view(request, chosen) if chosen else redirect("booking:course", visit_type.slug)

    return answer


@asks_for_course
@require_safe
def course(request: HttpRequest, visit_type: VisitType) -> HttpResponse:
    """How often and when; it begins with what is usual."""
    return _pattern_page(request, visit_type, pattern_form(request, visit_type))


def pattern_form(request: HttpRequest, visit_type: VisitType) -> PatternForm:
    """What the address holds of a pattern, or what is usual where it holds none."""
    rules, now = BookingRules.current(), timezone.now()
    today = times.local_day(now)
    return PatternForm(
        request.GET if "a_week" in request.GET else None,
        initial=usual_wishes(times.local_day(now + rules.notice)),
        practitioners=list(visit_type.practitioners.active()),
        today=today,
        latest_on=today + rules.horizon,
    )


def _pattern_page(request: HttpRequest, visit_type: VisitType, form: PatternForm) -> HttpResponse:
    context = {
        "visit_type": visit_type,
        "form": form,
        "most_visits": MOST_VISITS,
        "back_url": reverse("booking:times", args=[visit_type.slug]),
    }
    return render(request, "booking/course.html", context)


@asks_for_course
@require_safe
def course_dates(request: HttpRequest, visit_type: VisitType) -> HttpResponse:
    """All dates at once: those that fit best, or those in the address with what is no longer free among them."""
    form = pattern_form(request, visit_type)
    if not form.is_valid():
        return _pattern_page(request, visit_type, form)
    free = free_by_practitioner(request, visit_type, form)
    chosen = _chosen(request, visit_type, form)
    proposals = propose_all(form, free)
    if chosen is None and proposals:
        person, proposal = proposals[0]
        chosen = CourseChoice(visit_type, form, person, proposal)
    if chosen is None or not chosen.starts:
        return render(
            request, "booking/course_none.html", {"visit_type": visit_type, "query": request.GET.urlencode()}
        )
    still_free = set(free.get(chosen.practitioner, ()))
    context = {
        "choice": chosen,
        "visits": [(visit, visit.starts_at in still_free) for visit in chosen.proposal.visits],
        "gone": [start for start in chosen.starts if start not in still_free],
        "missing": len(chosen.proposal.missing),
        "others": [
            CourseChoice(visit_type, form, person, proposal)
            for person, proposal in proposals
            if person != chosen.practitioner and proposal.visits
        ],
        "details_url": chosen.address("course_details"),
        "back_url": chosen.pattern_address,
    }
    return render(request, "booking/course_dates.html", context)


def free_by_practitioner(
    request: HttpRequest, visit_type: VisitType, form: PatternForm
) -> dict[Resource, list[datetime]]:
    """Every free start of the course's weeks, by who would give the visits; found in one search."""
    found = queries.find_openings(
        visit_type,
        first_on=form.cleaned_data["first_on"],
        last_on=form.last_on + courses.AROUND,
        rules=BookingRules.current(),
        now=timezone.now(),
        but=queries.hold_of(drafts.visitor(request.session)),
    )
    people = [form.person] if form.person else form.by_slug.values()
    return {person: [times.from_epoch(start) for start in found.starts(person.pk)] for person in people}


def propose_all(
    form: PatternForm, free: dict[Resource, list[datetime]]
) -> list[tuple[Resource, courses.Proposal]]:
    """One proposal for each practitioner, that with the fewest exceptions first."""
    first_on = form.cleaned_data["first_on"]
    proposals = [
        (person, courses.propose(form.pattern, first_on=first_on, starts=starts))
        for person, starts in free.items()
    ]
    return sorted(proposals, key=lambda proposed: proposed[1].rank)


def _chosen(request: HttpRequest, visit_type: VisitType, form: PatternForm) -> CourseChoice | None:
    """The dates in the address, judged by the pattern; None if it holds none, or what was never offered."""
    chosen = form.dates_in(request.GET)
    return CourseChoice(visit_type, form, *chosen) if chosen else None


@asks_for_course
@require_safe
@with_dates
def course_swap(request: HttpRequest, chosen: CourseChoice) -> HttpResponse:
    """Another time for one of the dates, between the visit before and the one after it."""
    number = request.GET.get("visit", "")
    if not (number.isdecimal() and 0 < int(number[:3]) <= len(chosen.starts)):
        return redirect(chosen.address("course_dates"))
    place = int(number[:3]) - 1
    free = free_by_practitioner(request, chosen.visit_type, chosen.form).get(chosen.practitioner, [])
    was_at, others = chosen.starts[place], [*chosen.starts[:place], *chosen.starts[place + 1 :]]
    around = courses.other_starts(chosen.form.pattern, was_at=was_at, others=others, free=free)
    wanted = request.GET.get("to", "")
    if to := next((start for start in around if times.write_start(start) == wanted), None):
        return redirect(_with_date(chosen, place, to).address("course_dates"))
    days = {start.date(): [other for other in around if other.date() == start.date()] for start in around}
    context = {
        "choice": chosen,
        "number": number,
        "was_at": was_at,
        "was_on": times.local_day(was_at),
        "days": [(day, timetable.parts_of_day(starts)) for day, starts in days.items()],
        "hidden": parse_qsl(chosen.query),
        "back_url": chosen.address("course_dates"),
    }
    return render(request, "booking/course_swap.html", context)


def _with_date(chosen: CourseChoice, place: int, to: datetime) -> CourseChoice:
    starts = [to if number == place else start for number, start in enumerate(chosen.starts)]
    judged = courses.judge(chosen.form.pattern, first_on=chosen.form.cleaned_data["first_on"], starts=starts)
    return replace(chosen, proposal=judged)


# --- Who asks ----------------------------------------------------------------------------------------------------


@asks_for_course
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@with_dates
def course_details(request: HttpRequest, chosen: CourseChoice) -> HttpResponse:
    """Who asks."""
    return _fill_in(request, chosen, "details", CourseDetailsForm)


@asks_for_course
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@with_dates
def course_health(request: HttpRequest, chosen: CourseChoice) -> HttpResponse:
    """What the practitioner should know and the clinic be ready for."""
    return _fill_in(request, chosen, "health", HealthForm)


def _fill_in(
    request: HttpRequest, chosen: CourseChoice, page: str, form_of: type[DetailsForm] | type[HealthForm]
) -> HttpResponse:
    """One page of questions; nothing is taken before the request is sent."""
    now = timezone.now()
    if request.method == "POST":
        form = form_of(request.POST)
        if form.is_valid():
            drafts.keep(request.session, form.answers, now=now)
            return redirect(chosen.address(f"course_{_answered(request, now=now).missing or 'check'}"))
    else:
        form = form_of(initial=drafts.answers(request.session, now=now))
    context = {
        "form": form,
        "choice": chosen,
        "step": STEP_OF[page],
        "steps": STEPS,
        "back_url": chosen.address("course_dates" if page == "details" else "course_details"),
    }
    return render(request, f"booking/course_{page}.html", context)


def _answered(request: HttpRequest, *, now: datetime) -> Answered:
    kept = drafts.answers(request.session, now=now)
    return Answered(CourseDetailsForm(kept), HealthForm(kept))


@asks_for_course
@require_http_methods(["GET", "HEAD", "POST"])
@with_dates
def course_check(request: HttpRequest, chosen: CourseChoice) -> HttpResponse:
    """Everything once more before it is sent; whoever comes without answers is asked for them."""
    if reference := drafts.sent_with(request.session, request.POST.get("key", "")):
        return redirect("booking:course_page", reference)
    now = timezone.now()
    answers = _answered(request, now=now)
    if answers.missing:
        return redirect(chosen.address(f"course_{answers.missing}"))
    key = drafts.key_of(request.session, chosen.address("course_check"))
    form = SendForm(request.POST if request.method == "POST" else None, key=key)
    if form.is_valid():
        return _send(request, chosen, answers, form, now=now)
    return _check_page(request, chosen, answers, form, now=now)


def _send(
    request: HttpRequest, chosen: CourseChoice, answers: Answered, form: SendForm, *, now: datetime
) -> HttpResponse:
    details = details_of(
        answers.person, answers.health, call_back=False, wants_articles=form.cleaned_data["wants_articles"]
    )
    limits.count(limits.SEND, request, now=now, names=Contact.keys(email=details.email, phone=details.phone))
    if looks_automatic(request, now=now):
        return ask_to_send_again(request, back_url=chosen.address("course_check"))
    try:
        made = operations.request_course(
            plan=chosen.plan,
            details=details,
            idempotency_key=form.key,
            now=now,
            visitor=drafts.visitor(request.session),
        )
    except operations.TimeTaken:
        return redirect(chosen.address("course_dates"))  # which says what is gone
    except operations.TooManyPending:
        context = {"back_url": chosen.address("course_check")}
        return render(request, "booking/too_many.html", context, status=429)
    drafts.note_sent(request.session, key=form.key, reference=made.reference)
    return redirect("booking:course_page", made.reference)


def _check_page(
    request: HttpRequest, chosen: CourseChoice, answers: Answered, form: SendForm, *, now: datetime
) -> HttpResponse:
    rules = BookingRules.current()
    context = {
        "form": form,
        "choice": chosen,
        "answer_by": queries.answer_by(chosen.starts[0], rules=rules, now=now),
        "answers": answers.person,
        "health": answers.health,
        "been_here": dict(BEEN_HERE)[answers.person.cleaned_data["new_patient"]],
        "language": Appointment.Language(answers.person.cleaned_data["language"]).label,
        "reminders": Appointment.Reminders(answers.person.cleaned_data["reminders"]).label,
        "details_url": chosen.address("course_details"),
        "health_url": chosen.address("course_health"),
        "back_url": chosen.address("course_health"),
        "rules": rules,
        "trap": TRAP,
        "step": STEPS,
        "steps": STEPS,
    }
    return render(request, "booking/course_check.html", context)
