"""How often and when somebody would come for a course of visits, and in which words it is refused."""

from datetime import date, timedelta
from typing import Any, Final, cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from booking import courses, times
from booking.fields import PARTS, DayField, PractitionerField, WeekdaysField
from booking.forms import DetailsForm
from booking.models import ANYONE, Resource, WaitlistEntry, WorkingHours
from booking.operations.courses import MOST_VISITS

ANY_PART: Final = "any"
HOURS: Final = {
    ANY_PART: courses.ALL_HOURS,
    WaitlistEntry.Part.MORNING: (0, times.NOON),
    WaitlistEntry.Part.AFTERNOON: (times.NOON, times.EVENING),
    WaitlistEntry.Part.EVENING: (times.EVENING, 24),
}
MOST_WEEKS: Final = 12
# Days earlier or later, and whether at another time of the day.
TOLERANCES: Final = {"none": (0, False), "time": (0, True), "day": (1, True), "two_days": (2, True)}
A_WEEK: Final = [(1, _("Once a week")), (2, _("Twice a week")), (3, _("3 times a week"))]
WEEKS: Final = [(count, str(count)) for count in range(1, MOST_WEEKS + 1)]


class PatternForm(forms.Form):
    """The pattern of a course; `latest_on` is the last day that can be booked."""

    use_required_attribute = False

    a_week = forms.TypedChoiceField(
        label=_("How often, to begin with?"),
        choices=A_WEEK,
        coerce=int,
        error_messages={
            "required": _("Choose how often you would come"),
            "invalid_choice": _("Choose from the list"),
        },
    )
    weeks = forms.TypedChoiceField(
        label=_("For how many weeks?"),
        choices=WEEKS,
        coerce=int,
        error_messages={
            "required": _("Choose for how many weeks"),
            "invalid_choice": _("Choose from the list"),
        },
    )
    then_a_week = forms.TypedChoiceField(
        label=_("And how often after that?"),
        required=False,
        choices=[("", _("Not at all: that is the whole course")), *A_WEEK],
        coerce=int,
        error_messages={"invalid_choice": _("Choose from the list")},
    )
    then_weeks = forms.TypedChoiceField(
        label=_("For how many weeks more?"),
        required=False,
        choices=[("", "–"), *WEEKS],
        coerce=int,
        error_messages={"invalid_choice": _("Choose from the list")},
    )
    days_between = forms.TypedChoiceField(
        label=_("Days between two visits, at least"),
        choices=[(0, _("None: on two days running is fine")), (1, _("1 day")), (2, _("2 days"))],
        coerce=int,
        error_messages={"required": _("Choose how many days"), "invalid_choice": _("Choose from the list")},
    )
    practitioner = PractitionerField(help_text=_("Every visit of the course is with the same person."))
    weekdays = WeekdaysField()
    part = forms.ChoiceField(
        label=_("Which part of the day?"),
        choices=[(ANY_PART, _("Any")), *PARTS],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a part of the day"),
            "invalid_choice": _("Choose from the list"),
        },
    )
    tolerance = forms.ChoiceField(
        label=_("If nothing is free then"),
        choices=[
            ("none", _("Leave that visit out")),
            ("time", _("Another time of the same day is fine")),
            ("day", _("Another time, or a day earlier or later, is fine")),
            ("two_days", _("Another time, or up to 2 days earlier or later, is fine")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose what to do if nothing is free"),
            "invalid_choice": _("Choose from the list"),
        },
    )
    first_on = DayField(label=_("From which day on?"), required=_("Enter the first day that suits you"))

    def __init__(
        self, *args: Any, practitioners: list[Resource], today: date, latest_on: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.by_slug = {person.slug: person for person in practitioners}
        self.latest_on = latest_on
        cast("PractitionerField", self.fields["practitioner"]).offer(practitioners)
        cast("DayField", self.fields["first_on"]).keep_between(today, latest_on)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True  # it is sent by GET, and a token does not belong in an address
        self.helper.layout = Layout(
            Fieldset(_("How often"), "a_week", "weeks", "then_a_week", "then_weeks", "days_between"),
            Fieldset(_("When"), "first_on", "weekdays", "part", "tolerance"),
            "practitioner",
        )

    def clean(self) -> None:
        typed = self.cleaned_data
        if bool(typed.get("then_a_week")) != bool(typed.get("then_weeks")):
            self.add_error(
                "then_weeks", _("Choose both how often and for how many weeks after that, or neither")
            )
        if self.errors:
            return
        pattern, last_on = self.pattern, self.last_on
        if not 1 < pattern.visits <= MOST_VISITS:
            most = {"most": MOST_VISITS}
            self.add_error("weeks", _("A course that can be asked for here has 2 to %(most)d visits") % most)
        elif pattern.weeks > MOST_WEEKS or last_on > self.latest_on:
            says = _("The course would end on %(end)s. What can be booked now ends on %(latest)s")
            days = {"end": times.in_words(last_on), "latest": times.in_words(self.latest_on)}
            self.add_error("weeks", says % days)
        if any((count - 1) * (pattern.days_between + 1) >= courses.WEEK for count in pattern.weekly):
            self.add_error(
                "days_between", _("So many visits do not fit into a week with so many days between")
            )

    @property
    def pattern(self) -> courses.Pattern:
        typed = self.cleaned_data
        days_off, any_hour = TOLERANCES[typed["tolerance"]]
        stages = [(typed["a_week"], typed["weeks"]), (typed["then_a_week"], typed["then_weeks"])]
        return courses.Pattern(
            stages=tuple(courses.Stage(*stage) for stage in stages if all(stage)),
            days_between=typed["days_between"],
            weekdays=frozenset(typed["weekdays"]),
            hours=HOURS[typed["part"]],
            days_off=days_off,
            any_hour=any_hour,
        )

    @property
    def last_on(self) -> date:
        """The last day of the last week."""
        first_on: date = self.cleaned_data["first_on"]
        return first_on + timedelta(weeks=self.pattern.weeks, days=-1)

    @property
    def person(self) -> Resource | None:
        return self.by_slug.get(self.cleaned_data["practitioner"])

    def dates_in(self, asked: QueryDict) -> tuple[Resource, courses.Proposal] | None:
        """Who gives the visits, and their dates judged by the pattern; None for none, or what was never offered."""
        person = self.by_slug.get(asked.get("with", ""))
        try:
            starts = [times.parse_start(text) for text in asked.getlist("start")]
        except ValueError:
            return None
        days = {start.date() for start in starts}
        if person is None or not 0 < len(days) == len(starts) <= self.pattern.visits:
            return None
        return person, courses.judge(self.pattern, first_on=self.cleaned_data["first_on"], starts=starts)

    @property
    def query(self) -> dict[str, Any]:
        """The same again as it stands in an address."""
        typed = self.cleaned_data
        return {name: typed[name] for name in self.fields} | {
            "first_on": typed["first_on"].isoformat(),
        }


def usual_wishes(first_on: date) -> dict[str, Any]:
    """What the form suggests: twice a week for four weeks, then weekly for four, with a day between."""
    return {
        "a_week": 2,
        "weeks": 4,
        "then_a_week": 1,
        "then_weeks": 4,
        "days_between": 1,
        "weekdays": list(WorkingHours.Weekday),
        "part": ANY_PART,
        "tolerance": "day",
        "practitioner": ANYONE,
        "first_on": first_on,
    }


class CourseDetailsForm(DetailsForm):
    """Who asks for a course: somebody who has been here before."""

    def clean_new_patient(self) -> str:
        answer: str = self.cleaned_data["new_patient"]
        if answer == "new":
            raise ValidationError(
                _(
                    "A course can be asked for here after a first visit. Please ask for a first visit, or call us"
                )
            )
        return answer
