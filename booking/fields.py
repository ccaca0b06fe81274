"""The form fields that more than one form asks with, and in which words they refuse."""

from datetime import date
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from booking import times
from booking.models import ANYONE, Resource, WaitlistEntry, WorkingHours

PARTS: Final = [
    (WaitlistEntry.Part.MORNING, _("Morning, before noon")),
    (WaitlistEntry.Part.AFTERNOON, _("Afternoon, from noon to 5 pm")),
    (WaitlistEntry.Part.EVENING, _("Evening, from 5 pm")),
]


def of_these_years(at: date) -> None:
    """The validator of every date and time that staff type.

    :raises ValidationError: if it is so far away that arithmetic on dates could overflow.
    """
    if not times.SOONEST <= at.year <= times.LATEST:
        raise ValidationError(_("Enter a date of these years."))


class WeekdaysField(forms.TypedMultipleChoiceField):
    """Days of the week as numbers, of which at least one is ticked."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Which days of the week suit you?"),
            choices=WorkingHours.Weekday.choices,
            coerce=int,
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "required": _("Tick at least one day of the week"),
                "invalid_choice": _("Tick only what is on the list"),
            },
        )


class DayField(forms.DateField):
    """A day that can be booked: its form says between which two."""

    first_on = date.min
    last_on = date.max

    def __init__(self, *, label: Any, required: Any) -> None:
        super().__init__(
            label=label,
            widget=forms.DateInput({"type": "date", "class": "w-sm"}, format="%Y-%m-%d"),
            input_formats=["%Y-%m-%d"],
            error_messages={
                "required": required,
                "invalid": _("Enter a day, year first, like 2027-03-04"),
            },
        )

    def keep_between(self, first_on: date, last_on: date) -> None:
        """Both days are allowed."""
        self.first_on, self.last_on = first_on, last_on
        self.widget.attrs |= {"min": first_on.isoformat(), "max": last_on.isoformat()}

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value and not self.first_on <= value <= self.last_on:
            raise ValidationError(
                _("Enter a day from today to %(day)s"), params={"day": times.in_words(self.last_on)}
            )


class PractitionerField(forms.ChoiceField):
    """Somebody by name, or anyone; its form says who there is."""

    def __init__(self, *, help_text: Any = "") -> None:
        refusal = _("Choose a practitioner from the list, or anyone")
        super().__init__(
            label=_("Who would you like to see?"),
            help_text=help_text,
            widget=forms.Select({"class": "w-sm"}),
            error_messages={"required": refusal, "invalid_choice": refusal},
        )

    def offer(self, practitioners: list[Resource]) -> None:
        self.choices = [(ANYONE, _("Anyone")), *((person.slug, str(person)) for person in practitioners)]
