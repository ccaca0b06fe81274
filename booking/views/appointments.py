"""What was asked for, as it stands."""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from booking import drafts
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
def appointment(request: HttpRequest, reference: str) -> HttpResponse:
    """One appointment as it stands, for the session that asked for it and nobody else."""
    if not drafts.has_sent(request.session, reference):
        raise Http404
    asked = get_object_or_404(Appointment.objects.with_people(), reference=reference)
    headline, meaning = STANDING[asked.status]
    context = {"appointment": asked, "headline": headline, "meaning": meaning}
    return render(request, "booking/appointment.html", context)
