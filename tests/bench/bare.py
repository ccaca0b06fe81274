"""The reference: a Django site without middleware, whose views insert one row and send the bytes of one file."""

import os
from pathlib import Path
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import path

from booking.models import Contact

PAGE = Path(os.environ["BARE_PAGE"]).read_bytes() if "BARE_PAGE" in os.environ else b""


def insert_one_row(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        Contact.objects.create(key=uuid4().hex)
    return HttpResponse("ok\n", content_type="text/plain")


def send_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE, headers={"Content-Encoding": "br", "Content-Length": str(len(PAGE))})


urlpatterns = [path("", insert_one_row), path("page/", send_page)]
