"""The page of reports: what staff ask for, the plots and tables that answer it, and the same numbers as a file."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast

from django import forms
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from booking import plots, times
from booking.fields import of_these_years
from booking.models import Resource, VisitType
from booking.reports import Asked, Table, report
from clinic import audit
from clinic.models import Act
from clinic.spreadsheets import csv_file

VIEW: Final = "booking.view_reports"
AT_FIRST: Final = timedelta(weeks=12)
LONGEST: Final = timedelta(days=366)


class ReportForm(forms.Form):
    first_on = forms.DateField(
        label=gettext_lazy("From"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[of_these_years],
    )
    last_on = forms.DateField(
        label=gettext_lazy("To"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[of_these_years],
    )
    practitioner = forms.ChoiceField(label=gettext_lazy("Practitioner"), required=False)
    visit_type = forms.ChoiceField(label=gettext_lazy("Visit type"), required=False)

    def __init__(self, data: Any = None, *, today: date) -> None:
        initial = {"first_on": today - AT_FIRST + timedelta(days=1), "last_on": today}
        super().__init__(data, initial=initial)
        self.practitioners = {person.slug: person for person in Resource.objects.practitioners()}
        self.visit_types = {one.slug: one for one in VisitType.objects.all()}
        for name, rows in (("practitioner", self.practitioners), ("visit_type", self.visit_types)):
            choices = [("", _("all")), *((slug, str(row)) for slug, row in rows.items())]
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # a ChoiceField, as above

    def clean(self) -> None:
        first, last = self.cleaned_data.get("first_on"), self.cleaned_data.get("last_on")
        if first and last and first > last:
            self.add_error("last_on", _("The last day must not be before the first."))
        elif first and last and last - first >= LONGEST:
            self.add_error("last_on", _("Choose at most a year."))

    def asked(self) -> Asked | None:
        """What is counted: the weeks before today while nothing was asked, None if that cannot be counted."""
        typed = self.cleaned_data if self.is_valid() else {} if self.is_bound else self.initial
        if not typed:
            return None
        return Asked(
            first_on=typed["first_on"],
            last_on=typed["last_on"],
            practitioner=self.practitioners.get(typed.get("practitioner", "")),
            visit_type=self.visit_types.get(typed.get("visit_type", "")),
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table and the drawing of some of its columns, None where there is nothing to draw; `drawn` are their names."""

    table: Table
    plot: plots.Bars | None
    drawn: list[str]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    now = _now_for_who_may(request)
    return _answer(request, ReportForm(request.GET or None, today=times.local_day(now)), now)


@require_POST
def as_file(request: HttpRequest) -> HttpResponse:
    """One line for each number, so that a spreadsheet can sort and sum them; the page again if it cannot be counted."""
    now = _now_for_who_may(request)
    form = ReportForm(request.POST, today=times.local_day(now))
    asked = form.asked()
    if asked is None:
        return _answer(request, form, now)
    rows = [
        (table.title, name, column, number)
        for table in report(asked, now=now)
        for name, numbers in table.rows
        for column, number in zip(table.columns[1:], numbers, strict=True)
    ]
    by = cast("User", request.user)  # admin_view lets nobody else in
    audit.record(by=by, act=Act.EXPORT, kind="reports", now=now)
    heads = (_("Report"), _("Of"), _("What"), _("Number"))
    return csv_file(f"reports-{asked.first_on}-{asked.last_on}", [heads, *rows])


def _now_for_who_may(request: HttpRequest) -> datetime:
    """:raises PermissionDenied: if this person may not see reports; `admin_view` asks only who is staff."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    return timezone.now()


def _answer(request: HttpRequest, form: ReportForm, now: datetime) -> HttpResponse:
    asked = form.asked()
    context = site.each_context(request) | {
        "title": _("Reports"),
        "form": form,
        "asked": asked,
        "reports": [_drawn(table) for table in report(asked, now=now)] if asked else [],
    }
    return TemplateResponse(request, "admin/reports.html", context)


def _drawn(table: Table) -> Drawn:
    shown = [(name, [numbers[column] for column in table.plotted]) for name, numbers in table.rows]
    is_drawn = table.plotted and not table.is_empty
    return Drawn(
        table=table,
        plot=plots.bars(shown) if is_drawn else None,
        drawn=[table.columns[column + 1] for column in table.plotted],
    )
