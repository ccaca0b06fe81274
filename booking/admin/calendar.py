"""The calendar's addresses: the page, what the script draws, and what a drag asks for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast
from urllib.parse import quote

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from booking import queries, times, timetable
from booking.admin import schedule, seen
from booking.admin.calendar_refusals import why_not
from booking.admin.calendar_words import Words
from booking.admin.decisions import DecisionsAdmin, SeenForm, changed_meanwhile
from booking.admin.picks import write_pick
from booking.admin.seen import EVERY_PATIENT
from booking.fields import of_these_years
from booking.models import Appointment, BookingRules, Resource
from booking.openings import union
from booking.operations import AlreadyDecided, TimeTaken, move_appointment
from booking.operations.taking import AT_THE_DESK
from clinic import audit
from clinic.desk_sessions import no_activity
from clinic.models import Act

WEEK: Final = 7
REFUSED: Final = 409
MARKED: Final = 15 * 60  # seconds of the grid that are marked for one free time


class View(TextChoices):
    DAY = "day", gettext_lazy("Day")
    WEEK = "week", gettext_lazy("Week")


class ShownForm(forms.Form):
    """Which part of the calendar is asked for; whatever is left out or unknown is today's, by practitioner."""

    on = forms.DateField(
        required=False,
        label=gettext_lazy("Go to day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[of_these_years],
    )
    view = forms.ChoiceField(choices=View, required=False)
    by = forms.ChoiceField(choices=Resource.Kind, required=False)
    only = forms.SlugField(required=False)


class DragForm(SeenForm):
    """Where a visit was dropped: the wall time, and the column's practitioner or room; `sure` after being asked."""

    key = forms.UUIDField()
    at = forms.CharField(max_length=16)
    column = forms.ModelChoiceField(Resource.objects.active(), to_field_name="slug")
    sure = forms.BooleanField(required=False)

    def clean_at(self) -> datetime:
        try:
            wall = datetime.strptime(self.cleaned_data["at"], "%Y-%m-%dT%H:%M")  # noqa: DTZ007 (a wall time)
        except ValueError as error:
            raise ValidationError(_("Enter a date and a time.")) from error
        of_these_years(wall)
        at = times.from_epoch(times.epoch(wall.date(), wall.time()))
        if at.replace(tzinfo=None) != wall:
            raise ValidationError(_("The clocks skip this time on that day."))
        return at


@dataclass(frozen=True, slots=True)
class Shown:
    """One day or one week of the calendar."""

    on: date
    view: View
    by: Resource.Kind
    only: str
    today: date
    mine: Resource | None = None  # the practitioner who sees nothing but their own

    @classmethod
    def asked(cls, form: ShownForm, *, now: datetime) -> "Shown":
        asked, today = form.cleaned_data, times.local_day(now)
        return cls(
            on=asked.get("on") or today,
            view=View(asked.get("view") or View.DAY),
            by=Resource.Kind(asked.get("by") or Resource.Kind.PRACTITIONER),
            only=asked.get("only") or "",
            today=today,
        )

    @property
    def is_week(self) -> bool:
        return self.view == View.WEEK

    @property
    def days(self) -> list[date]:
        if not self.is_week:
            return [self.on]
        first = times.sunday(self.on)
        return times.days(first, first + timedelta(days=WEEK - 1))

    @property
    def earlier_on(self) -> date:
        return self.on - timedelta(days=len(self.days))

    @property
    def later_on(self) -> date:
        return self.on + timedelta(days=len(self.days))

    def own(self, mine: Resource) -> "Shown":
        """The same days of this practitioner alone."""
        return replace(self, by=Resource.Kind.PRACTITIONER, only=mine.slug, mine=mine)

    def read(self, *, now: datetime) -> schedule.Schedule:
        found = schedule.read(self.days, kind=self.by, only=self.only, now=now)
        if self.mine:
            theirs = seen.appointments(self.mine.user).filter(pk__in=found.offered())
            found = found.own(self.mine, named=set(theirs.values_list("pk", flat=True)))
        return found.in_use() if self.is_week else found

    def zones(self) -> str:
        """EST; or both names where the clock changes on one of the days."""
        first, last = (times.zone(times.from_epoch(edge)) for edge in self._edges())
        return first if first == last else _("%(before)s, then %(after)s") % {"before": first, "after": last}

    def title(self) -> str:
        first, last = self.days[0], self.days[-1]
        if first == last:
            return times.in_words(first)
        return _("%(first)s to %(last)s") % {
            "first": timetable.day_and_month(first),
            "last": f"{timetable.day_and_month(last)} {last.year}",
        }

    def _edges(self) -> tuple[int, int]:
        """The first and the last second."""
        last = self.days[-1] + timedelta(days=1)
        return times.epoch(self.days[0], time.min), times.epoch(last, time.min) - 1


class CalendarAdmin(DecisionsAdmin):
    """Adds the calendar to the addresses of appointments; dragging needs the permission that moving needs."""

    def get_urls(self) -> list[URLResolver | URLPattern]:  # type: ignore[override]
        def page(address: str, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
            wrapped = self.admin_site.admin_view(require_GET(view))
            return path(address, wrapped, name=f"booking_appointment_{name}")

        return [
            page("calendar/", "calendar", self.calendar),
            page("calendar/events/", "events", self.events),
            self.act("drag", require_POST(self.drag)),
            self.act("openings", require_GET(self.openings)),
            *super().get_urls(),
        ]

    def calendar(self, request: HttpRequest) -> HttpResponse:
        """The day or the week in words; the script draws the same as a grid above them."""
        form, shown, now = self._shown(request)
        found = shown.read(now=now)
        book = reverse("admin:booking_appointment_book") if self.may_book(request) else ""
        words = Words(
            found,
            now=now,
            may_move=self.may_decide(request),
            back=quote(request.get_full_path(), safe=""),
            book=book,
        )
        context = self.admin_site.each_context(request) | {
            "title": _("My calendar") if shown.mine else _("Calendar"),
            "opts": self.opts,
            "form": form,
            "shown": shown,
            "may_move": self.may_decide(request),
            "book": book,
            "views": View,
            "kinds": Resource.Kind,
            "schedule": found,
            "days": words.days(with_free=not shown.is_week),
            "now": now,
            "audit": audit.Shown(Act.LIST, _people_in(found)),
        }
        return TemplateResponse(request, "admin/booking/appointment/calendar.html", context)

    @no_activity
    def events(self, request: HttpRequest) -> JsonResponse:
        """What the script draws: of patients their names, and nothing that they wrote or answered."""
        _form, shown, now = self._shown(request)
        found = shown.read(now=now)
        words = Words(found, now=now, may_move=self.may_decide(request) and not shown.mine)
        by = cast("User", request.user)  # admin_view lets nobody else in
        audit.record_refresh(by=by, kind="appointment calendar", people=_people_in(found), now=now)
        return JsonResponse(_drawn(shown, words))

    def openings(self, request: HttpRequest, pk: int) -> JsonResponse:
        """One day as the script draws it, with the times at which this visit could be instead."""
        appointment = self._to_decide(request, pk)
        _form, asked, now = self._shown(request)
        shown = replace(asked, view=View.DAY, by=Resource.Kind.PRACTITIONER)
        able = appointment.visit_type.practitioners.active().values_list("slug", flat=True)
        found = shown.read(now=now).only(set(able))
        by = cast("User", request.user)  # admin_view lets nobody else in
        audit.record_refresh(by=by, kind="appointment calendar", people=_people_in(found), now=now)
        rules = BookingRules(**AT_THE_DESK)
        free = queries.find_openings(
            appointment.visit_type, first_on=shown.on, last_on=shown.on, rules=rules, now=now, but=appointment
        )
        last_on = shown.today + rules.horizon
        return JsonResponse(
            _drawn(shown, Words(found, now=now))
            | {
                "title": shown.title(),
                "earlier": f"{shown.earlier_on:%Y-%m-%d}" if shown.on > shown.today else "",
                "later": f"{shown.later_on:%Y-%m-%d}" if shown.on < last_on else "",
                "minutes": appointment.visit_type.minutes,
                "free": [
                    _start(start, person) for person in found.resources for start in free.starts(person.pk)
                ],
                "marks": [
                    {"column": person.slug, "start": _wall(start), "end": _wall(end)}
                    for person in found.resources
                    for start, end in union((start, start + MARKED) for start in free.starts(person.pk))
                ],
            }
        )

    def drag(self, request: HttpRequest, pk: int) -> JsonResponse:
        """A visit dropped on another time: asks whether it is meant, and moves it when told so."""
        if not request.user.has_perm(EVERY_PATIENT):  # a refusal may name who is in the way
            raise PermissionDenied
        appointment = self._to_decide(request, pk)
        form, now = DragForm(request.POST), timezone.now()
        if not form.is_valid():
            return refused(str(next(error for errors in form.errors.values() for error in errors)))
        at, version = form.cleaned_data["at"], form.cleaned_data["version"]
        place = _place(appointment, form.cleaned_data["column"])
        try:
            if not form.cleaned_data["sure"]:
                return JsonResponse({"asks": _ask(appointment, version=version, at=at, now=now, **place)})
            moved = move_appointment(
                appointment=appointment,
                version=version,
                starts_at=at,
                by=cast("User", request.user),  # admin_view lets nobody else in
                idempotency_key=form.cleaned_data["key"],
                now=now,
                **place,
            )
        except TimeTaken:
            why = why_not(appointment, at=at, now=now, **place)
            return refused(_("Not moved. %(why)s") % {"why": why})
        except AlreadyDecided as error:
            return refused(changed_meanwhile(error.appointment))
        return JsonResponse({"says": _moved(moved)})

    def _shown(self, request: HttpRequest) -> tuple[ShownForm, Shown, datetime]:
        """Everybody's calendar, or one's own for a practitioner who sees no other patients.

        :raises PermissionDenied: if this person is neither.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        form, now = ShownForm(request.GET), timezone.now()
        form.is_valid()
        shown = Shown.asked(form, now=now)
        if request.user.has_perm(EVERY_PATIENT):
            return form, shown, now
        mine = Resource.objects.practitioners().filter(user=request.user.pk).select_related("user").first()
        if mine is None:
            raise PermissionDenied
        return form, shown.own(mine), now


def _drawn(shown: Shown, words: Words) -> dict[str, Any]:
    """What the script draws: days, hours and columns, and every box in them."""
    found = words.schedule
    first_hour, last_hour = found.wall_hours()
    offset = f"{times.from_epoch(words.now):%z}"
    return {
        "view": "resourceTimeGridWeek" if shown.is_week else "resourceTimeGridDay",
        "date": f"{shown.days[0]:%Y-%m-%d}",
        "hidden": [day.isoweekday() % WEEK for day in shown.days if day not in found.days],
        "days": {
            f"{day:%Y-%m-%d}": [timetable.weekday_and_day(day), f"{_noon(day):%z}"] for day in found.days
        },
        "opens": f"{first_hour:02}:00",
        "closes": f"{last_hour:02}:00",
        "offset": f"{offset[:3]}:{offset[3:]}",
        "halves": [_("am"), _("pm")],
        "columns": [{"id": one.slug, "title": one.name} for one in found.resources],
        "events": words.events(first_hour, last_hour),
    }


def _wall(at: int) -> str:
    return f"{times.from_epoch(at):%Y-%m-%dT%H:%M}"


def _start(start: int, practitioner: Resource) -> dict[str, str]:
    """One free time as the script draws it, and as the form sends it."""
    at = times.from_epoch(start)
    return {
        "column": practitioner.slug,
        "start": _wall(start),
        "value": write_pick(at, practitioner),
        "says": f"{times.in_words(at.date())}, {timetable.label(at)} {practitioner.name}",
    }


def _people_in(found: schedule.Schedule) -> list[int]:
    """The keys of the patients who are named there: whose visits these are, and to whom times are offered."""
    return sorted(
        {
            entry.person
            for columns in found.columns.values()
            for column in columns
            for entry in column.entries
            if entry.person
        }
    )


def _noon(day: date) -> datetime:
    """The clock changes in the night: what holds at noon holds while anybody works."""
    return times.from_epoch(times.epoch(day, time(times.NOON)))


def _place(appointment: Appointment, column: Resource) -> dict[str, Any]:
    """Who is to give the visit and where: one of them is the column, a practitioner gets whatever room fits."""
    if column.kind == Resource.Kind.ROOM:
        return {"practitioner": appointment.practitioner, "room": column}
    return {"practitioner": column, "room": None}


def _ask(
    appointment: Appointment,
    *,
    version: int,
    at: datetime,
    practitioner: Resource,
    room: Resource | None,
    now: datetime,
) -> dict[str, str]:
    """The question before a move, which the patient is told of at once.

    :raises TimeTaken: if the time is not free as things stand.
    :raises AlreadyDecided: if the appointment has changed since `version`, or is past moving.
    """
    if appointment.version != version or not appointment.can_be_moved:
        raise AlreadyDecided(appointment)
    rules = BookingRules(**AT_THE_DESK)
    opening = queries.opening_at(
        appointment.visit_type,
        at,
        practitioner=practitioner,
        rules=rules,
        now=now,
        but=appointment,
        room=room,
    )
    if opening is None:
        raise TimeTaken
    told = (
        _("%(name)s is told by e-mail, with a new calendar file.")
        if appointment.patient.email
        else _("%(name)s gave no e-mail address: please call.")
    )
    return {
        "question": _("Move this visit?"),
        "who": f"{appointment.patient.name}, {appointment.visit_type}",
        "from": _place_in_words(
            appointment.starts_at, appointment.practitioner, appointment.room if room else None
        ),
        "to": _place_in_words(at, practitioner, room),
        "told": told % {"name": appointment.patient.name},
    }


def _place_in_words(at: datetime, practitioner: Resource, room: Resource | None) -> str:
    """The room is said where somebody chose it."""
    return _(", ").join([times.moment(at), practitioner.name, *([room.name] if room else [])])


def _moved(moved: Appointment) -> str:
    return _("%(name)s, %(reference)s: now on %(when)s with %(practitioner)s, %(room)s.") % {
        "name": moved.patient.name,
        "reference": moved.reference,
        "when": times.moment(moved.starts_at),
        "practitioner": moved.practitioner.name,
        "room": moved.room or _("no room"),
    }


def refused(why: str) -> JsonResponse:
    return JsonResponse({"says": why}, status=REFUSED)
