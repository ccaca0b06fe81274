"""The headers that every response carries, and the requests that get no further than this."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.utils.cache import patch_vary_headers

METHODS = ("GET", "HEAD", "POST")
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
        "gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
        "publickey-credentials-get", "screen-wake-lock", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip


def content_security_policy(**changes: str) -> str:
    """The site's policy as one line, with `changes` for one page, such as `frame_src="'self'"`."""
    policy = {name: " ".join(values) for name, values in settings.SECURE_CSP.items()}
    policy |= {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {value}" for name, value in policy.items())


class HeadersMiddleware:
    """Stands outermost, so that error pages, static files and refusals carry the headers too.

    The policy is read from `SECURE_CSP`, the setting that Django 6 has its own middleware for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.policy = content_security_policy()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if response.cookies:
            patch_vary_headers(response, ["Cookie"])
        return response


class RefusalMiddleware:
    """Refuses a foreign Host (400) and methods that no page defines (405), for static files too.

    :raises DisallowedHost: if the Host header names none of `ALLOWED_HOSTS`; Django answers it with 400.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.get_host()
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        return self.get_response(request)
