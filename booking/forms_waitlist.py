"""What somebody who waits for a time may ask for, and in which words it is refused."""

from datetime import date, timedelta
from typing import Any, Final, cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from booking.fields import PARTS, DayField, PractitionerField, WeekdaysField
from booking.forms import CONSENT, CONSENT_VERSION, DetailsForm
from booking.models import Resource
from booking.operations import Details, Wishes

FEW_DAYS: Final = timedelta(days=14)  # suggested where nothing is free at all, or something is at once


class WishesForm(forms.Form):
    """Which times would suit; `latest_on` is the last day that can be booked online."""

    use_required_attribute = False

    practitioner = PractitionerField()
    weekdays = WeekdaysField()
    parts = forms.MultipleChoiceField(
        label=_("Which parts of the day?"),
        choices=PARTS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Tick at least one part of the day"),
            "invalid_choice": _("Tick only what is on the list"),
        },
    )
    until = DayField(
        label=_("What is the last day that suits you?"), required=_("Enter the last day that suits you")
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    wishes_shown = Fieldset(_("Times that suit you"), "practitioner", "weekdays", "parts", "until", "key")

    def __init__(
        self, *args: Any, practitioners: list[Resource], today: date, latest_on: date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.by_slug = {person.slug: person for person in practitioners}
        cast("PractitionerField", self.fields["practitioner"]).offer(practitioners)
        cast("DayField", self.fields["until"]).keep_between(today, latest_on)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.layout = self.layout()

    def layout(self) -> Layout:
        return Layout(self.wishes_shown)

    @property
    def wishes(self) -> Wishes:
        typed = self.cleaned_data
        return Wishes(
            practitioner=self.by_slug.get(typed["practitioner"]),
            weekdays=typed["weekdays"],
            parts=typed["parts"],
            until=typed["until"],
        )


class JoinForm(WishesForm, DetailsForm):
    """The same from somebody who has no visit yet: who they are, and no word of health."""

    consent = forms.BooleanField(
        label=CONSENT, error_messages={"required": _("Tick the box to agree, or call us instead")}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = _("We write to you here when a time comes free.")

    def layout(self) -> Layout:
        return Layout(
            self.wishes_shown,
            Fieldset(_("You"), "name", "email", "phone", "adult", "new_patient", "language", "reminders"),
            "consent",
        )

    @property
    def person(self) -> Details:
        """What the operation is told of the person."""
        typed = self.cleaned_data
        return Details(
            name=typed["name"],
            email=typed["email"],
            phone=typed["phone"],
            language=typed["language"],
            new_patient=typed["new_patient"] == "new",
            precautions={},
            note="",
            consent_version=CONSENT_VERSION,
            wants_articles=False,
            reminders=typed["reminders"],
        )


def suggested_until(first_free_on: date | None, *, today: date, latest_on: date) -> date:
    """The day before the first free time, so that waiting begins where booking does not help."""
    day_before = first_free_on - timedelta(days=1) if first_free_on else today
    return min(day_before if day_before > today else today + FEW_DAYS, latest_on)
