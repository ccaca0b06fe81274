"""The mail is lost: by e-mail address and reference the link is sent again, to the address on file."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from booking import operations
from booking.forms import LostLinkForm
from booking.models import Contact
from booking.views.pages import patient_page
from clinic import limits


@patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def lost_link(request: HttpRequest) -> HttpResponse:
    """Answers alike whether or not there is such an appointment."""
    form = LostLinkForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now, names = timezone.now(), Contact.keys(email=form.cleaned_data["email"], phone="")
        limits.count(limits.LOST_LINK, request, now=now, names=names)
        operations.send_link_again(**form.cleaned_data, now=now)
        return redirect(f"{reverse('booking:lost')}?asked=1")
    page = "booking/lost_asked.html" if "asked" in request.GET and not form.is_bound else "booking/lost.html"
    return render(request, page, {"form": form})
