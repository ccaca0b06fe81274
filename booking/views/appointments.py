"""What was asked for, as it stands."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from booking import drafts, links
from booking.models import Appointment, Status
from booking.views.pages import patient_page

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


@patient_page
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link in a mail: the session learns which appointment it opens, and the token leaves the address."""
    opened = links.opened_by(token, now=timezone.now())
    if opened is None:
        return refused(request)
    drafts.note_opened(request.session, reference=opened.reference, generation=opened.link_generation)
    return redirect("booking:appointment", opened.reference)


@patient_page
@require_safe
def appointment(request: HttpRequest, reference: str) -> HttpResponse:
    """One appointment as it stands, for the session that asked for it or opened its link, and nobody else."""
    asked = opened_before(request, reference)
    if asked is None:
        return refused(request)
    headline, meaning = STANDING[asked.status]
    context = {"appointment": asked, "headline": headline, "meaning": meaning}
    return render(request, "booking/appointment.html", context)


def opened_before(request: HttpRequest, reference: str) -> Appointment | None:
    """The appointment, if this session has come to it by a link that still holds."""
    generation = drafts.generation_opened(request.session, reference)
    if generation is None:
        return None
    mine = Appointment.objects.with_people()
    return mine.filter(reference=reference, link_generation=generation).first()


def refused(request: HttpRequest) -> HttpResponse:
    """The same answer to every link and every address that opens nothing."""
    return render(request, "404.html", status=404)
