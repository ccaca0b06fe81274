"""What people see when the clinic's books are busy for a moment: a kind page instead of a fault."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from clinic.transactions import Busy

TRY_AGAIN_AFTER: Final = 5  # seconds


class BusyMiddleware:
    """Answers `Busy` with 503 and Retry-After; nothing was changed, so sending the form again is right."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Busy):
            return None
        response = render(request, "503.html", status=503)
        response["Retry-After"] = str(TRY_AGAIN_AFTER)
        return response
