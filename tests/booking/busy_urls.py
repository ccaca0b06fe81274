"""The site's addresses, and one whose books are always busy."""

from typing import NoReturn

from django.http import HttpRequest
from django.urls import path

from booking.operations import Busy
from clinic.urls import handler400, handler403, handler404, handler500
from clinic.urls import urlpatterns as site

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def busy(request: HttpRequest) -> NoReturn:
    raise Busy


urlpatterns = [*site, path("busy/", busy)]
