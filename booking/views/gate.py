"""The safety gate, and the choice of visit type behind it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from booking import drafts, screening
from booking.forms import SafetyForm
from booking.models import VisitType
from booking.views.pages import STEPS, patient_page


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
