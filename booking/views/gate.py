"""The two gates, emergency and urgent, and the choice of visit type behind them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from booking import drafts, screening
from booking.forms import SafetyForm
from booking.models import VisitType
from booking.screening import Gate
from booking.views.pages import STEPS, patient_page
from clinic import limits


@patient_page
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """The gates, until both are passed; then the choice of visit type.

    Each has an address of its own, so that the browser's back button finds the page before: `safety=urgent` asks
    the second list, any other value the first.
    """
    if request.method == "POST":
        return _answer_gate(request)
    asked, onward = request.GET.get("safety"), _onward(request.GET.get("next", ""))
    if asked == screening.URGENT.name and drafts.has_passed(request.session, screening.EMERGENCY):
        return _gate_page(request, screening.URGENT, SafetyForm(), onward=onward)
    if asked is None and drafts.has_passed(request.session, screening.URGENT):
        return render(request, "booking/start.html", _start_context())
    return _gate_page(request, screening.EMERGENCY, SafetyForm(), onward=onward)


def _start_context() -> dict[str, Any]:
    return {
        "visit_types": VisitType.objects.bookable(),
        "step": 1,
        "steps": STEPS,
        "back_url": _address(screening.URGENT),
    }


def _answer_gate(request: HttpRequest) -> HttpResponse:
    """“Yes” and “I’m not sure” are answered by the page itself; nothing of them is kept anywhere.

    An answer that does not say to which list it belongs belongs to the first.
    """
    is_urgent = request.POST.get("gate") == screening.URGENT.name
    gate = screening.URGENT if is_urgent else screening.EMERGENCY
    form, onward = SafetyForm(request.POST), _onward(request.POST.get("next", ""))
    if is_urgent and not drafts.has_passed(request.session, screening.EMERGENCY):
        return redirect(_address(screening.EMERGENCY, onward))
    if is_urgent and "checked" in request.POST:
        drafts.pass_gate(request.session, gate, call_back=True)
        return redirect(onward)
    if not form.is_valid():
        return _gate_page(request, gate, form, onward=onward)
    if not form.may_go_on:
        return _stop(request, gate, onward=onward)
    limits.count(limits.GATE, request, now=timezone.now())  # whoever must be told to call 911 always is
    drafts.pass_gate(request.session, gate)
    return redirect(onward if is_urgent else _address(screening.URGENT, onward))


def _stop(request: HttpRequest, gate: Gate, *, onward: str) -> HttpResponse:
    """What to do instead of booking; a stop at the second list leaves only that the first was passed."""
    drafts.erase(request.session)
    if gate is screening.URGENT:
        drafts.pass_gate(request.session, screening.EMERGENCY)
    else:
        drafts.forget_gates(request.session)
    context = {"gate": gate, "next": onward, "change_url": _address(gate, onward)}
    return render(request, f"booking/stop_{gate.name}.html", context)


def _gate_page(request: HttpRequest, gate: Gate, form: SafetyForm, *, onward: str) -> HttpResponse:
    is_first = gate is screening.EMERGENCY
    context = {
        "form": form,
        "gate": gate,
        "next": onward,
        "back_url": reverse("home") if is_first else _address(screening.EMERGENCY, onward),
    }
    return render(request, f"booking/gate_{gate.name}.html", context)


def _address(gate: Gate, onward: str = "") -> str:
    own = reverse("booking:start")
    wish = {"next": onward} if onward not in {"", own} else {}
    return f"{own}?{urlencode({'safety': gate.name} | wish)}"


def _onward(wish: str) -> str:
    """The page that was asked for, if it is one of booking's own."""
    own = reverse("booking:start")
    is_own = wish.startswith(own) and url_has_allowed_host_and_scheme(wish, allowed_hosts=None)
    return wish if is_own else own
