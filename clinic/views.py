"""The home page, the health checks, and the pages for when something went wrong."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from booking.models import BookingRules, Resource, VisitType
from clinic.models import QueuedMail
from clinic.public_pages import public_page
from content.models import Article

MAIL_STUCK_AFTER = timedelta(minutes=15)


@require_safe
@public_page(changes_at=Article.objects.next_publication_at)
def home(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "home.html",
        {
            "canonical": settings.SITE_URL + reverse("home"),
            "card": settings.SITE_URL + reverse("card"),
            "articles": Article.objects.published(timezone.now()).filter(language=Article.Language.ENGLISH),
            "visit_types": VisitType.objects.bookable(),
            "practitioners": Resource.objects.active().practitioners(),
        },
    )


@require_safe
@public_page()
def visit(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "visit.html",
        {
            "canonical": settings.SITE_URL + reverse("visit"),
            "visit_types": VisitType.objects.bookable(),
            "rules": BookingRules.current(),
        },
    )


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers, every migration is applied, and the mail queue moves; 503 names what is not so."""
    faults = _faults(timezone.now())
    return HttpResponse(
        "\n".join(faults or ["ok"]) + "\n", content_type="text/plain", status=503 if faults else 200
    )


def _faults(now: datetime) -> list[str]:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return ["migrations are not applied"]
        if QueuedMail.objects.waiting().filter(attempts=0, send_at__lt=now - MAIL_STUCK_AFTER).exists():
            return ["the mail queue does not move"]
    except DatabaseError:
        return ["the database does not answer"]
    return []


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where to report a weakness (RFC 9116); the expiry is always between 30 and 365 days away."""
    expires = (timezone.now().astimezone(UTC) + timedelta(days=180)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    lines = [
        f"Contact: mailto:{settings.CLINIC.email}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", _whose(request), status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", _whose(request), status=404)


def _whose(request: HttpRequest) -> dict[str, bool]:
    """Staff are told what helps staff; a stranger's address under the desk's leads to signing in before this."""
    return {"at_the_desk": request.path.startswith(reverse("admin:index"))}


def server_error(request: HttpRequest) -> HttpResponse:
    """Renders without touching the database, which may be what failed."""
    return render(request, "500.html", status=500)
