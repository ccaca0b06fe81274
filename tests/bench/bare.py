"""The reference: a Django site without middleware, whose only view inserts one row."""

from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import path

from booking.models import Contact


def insert_one_row(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        Contact.objects.create(key=uuid4().hex)
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [path("", insert_one_row)]
