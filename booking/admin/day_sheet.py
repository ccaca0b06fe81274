"""The day on paper, for each practitioner or room: what the room door may read, and not more."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from booking import times
from booking.models import Appointment, Resource
from clinic import audit
from clinic.models import Act


@dataclass(frozen=True, slots=True)
class Line:
    """One visit; `needed` is when it takes the practitioner or room whose sheet it stands on, in words."""

    appointment: Appointment
    initials: str
    here: str
    needed: list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One practitioner's or room's day; None for visits in no room."""

    resource: Resource | None
    lines: list[Line]


def sheets_of(visits: Iterable[Appointment], kind: str) -> list[Sheet]:
    """The visits by practitioner or by room, in the order of their lists, each in order of time."""

    def place(visit: Appointment) -> tuple[int, str, int]:
        resource = _of(visit, kind)
        return (resource.position, resource.name, resource.pk) if resource else (0, "", 0)

    ordered = sorted(visits, key=lambda visit: (place(visit), visit.starts_at, visit.pk))
    grouped = [list(group) for _place, group in groupby(ordered, key=place)]
    return [
        Sheet(_of(theirs[0], kind), [_line(visit, _of(visit, kind)) for visit in theirs])
        for theirs in grouped
    ]


def _of(visit: Appointment, kind: str) -> Resource | None:
    return visit.practitioner if kind == Resource.Kind.PRACTITIONER else visit.room


def _line(visit: Appointment, resource: Resource | None) -> Line:
    """What follows without a pause is written as one."""
    needed: list[tuple[datetime, datetime]] = []
    theirs = [taken for taken in visit.occupancies.all() if resource and taken.resource_id == resource.pk]
    for taken in sorted(theirs, key=lambda taken: taken.starts_at):
        begins = needed.pop()[0] if needed and needed[-1][1] == taken.starts_at else taken.starts_at
        needed.append((begins, taken.ends_at))
    here = _span(visit.starts_at, visit.ends_at)
    return Line(visit, visit.patient.initials, here, [_span(*span) for span in needed])


def _span(begins: datetime, ends: datetime) -> str:
    """9:00–9:45 am, and 11:30 am–12:15 pm."""
    first, last = times.clock(begins), times.clock(ends)
    same_half = first.split(times.NBSP)[1:] == last.split(times.NBSP)[1:]
    return f"{first.split(times.NBSP)[0] if same_half else first}–{last}"


class DaySheetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Adds to the appointments' addresses the one of their day sheets."""

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        sheet = self.admin_site.admin_view(require_safe(self.day_sheet))
        return [path("day-sheet/", sheet, name="booking_appointment_day_sheet"), *super().get_urls()]

    def day_sheet(self, request: HttpRequest) -> HttpResponse:
        """Of the day and kind that the address says; of today and by practitioner, if it says none or nonsense."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        day = times.local_day(now)
        with suppress(ValueError):
            day = times.parse_day(request.GET.get("day", ""))
        kind = (
            Resource.Kind.ROOM if request.GET.get("by") == Resource.Kind.ROOM else Resource.Kind.PRACTITIONER
        )
        sheets = sheets_of(self._visits_of(request, day), kind)
        people = {line.appointment.patient_id for sheet in sheets for line in sheet.lines}
        context = self.admin_site.each_context(request) | {
            "title": _("Day sheet"),
            "opts": self.opts,
            "day": day,
            "kind": kind,
            "by_room": kind == Resource.Kind.ROOM,
            "sheets": sheets,
            "audit": audit.Shown(Act.LIST, people),
            "now": now,
        }
        return TemplateResponse(request, "admin/booking/appointment/day_sheet.html", context)

    def _visits_of(self, request: HttpRequest, day: date) -> Any:
        there: Any = self.get_queryset(request)
        return (
            there.of_a_day()
            .filter(starts_at__gte=times.midnight(day), starts_at__lt=times.midnight(day + timedelta(days=1)))
            .prefetch_related("occupancies")
        )
