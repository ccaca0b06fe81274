"""What a patient may say on the page of a visit that they have or asked for."""

from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from booking.models import LEAST, MOST, Appointment
from booking.operations import HowItIs


class RemindersForm(forms.Form):
    """When to be reminded by e-mail."""

    use_required_attribute = False
    helper = FormHelper()
    helper.form_tag = False

    reminders = forms.ChoiceField(
        label=_("Remind me by e-mail"),
        choices=Appointment.Reminders.choices,
        widget=forms.Select({"class": "w-sm"}),
        error_messages={
            "required": _("Choose when to be reminded from the list"),
            "invalid_choice": _("Choose when to be reminded from the list"),
        },
    )

    @property
    def chosen(self) -> Appointment.Reminders:
        return Appointment.Reminders(self.cleaned_data["reminders"])


def _scale(label: Any, least: Promise, most: Promise, ask_again: Any) -> forms.TypedChoiceField:
    """A whole number from 0 to 10, chosen by one press; `least` and `most` say what its ends mean."""
    return forms.TypedChoiceField(
        label=label,
        help_text=format_lazy(_("0 is: {least}. 10 is: {most}."), least=least, most=most),
        choices=[(number, str(number)) for number in range(LEAST, MOST + 1)],
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": ask_again, "invalid_choice": ask_again},
    )


class CheckInForm(forms.Form):
    """How it is before a visit: pain now, and the three questions of the PEG scale."""

    use_required_attribute = False

    pain_now = _scale(
        _("How strong is your pain now?"),
        _("no pain"),
        _("pain as bad as you can imagine"),
        _("Choose how strong your pain is now, from 0 to 10"),
    )
    pain_last_week = _scale(
        _("How strong was your pain on average in the past week?"),
        _("no pain"),
        _("pain as bad as you can imagine"),
        _("Choose how strong your pain was on average, from 0 to 10"),
    )
    enjoyment = _scale(
        _("How much has pain interfered with your enjoyment of life in the past week?"),
        _("not at all"),
        _("completely"),
        _("Choose how much pain interfered with your enjoyment of life, from 0 to 10"),
    )
    activity = _scale(
        _("How much has pain interfered with your general activity in the past week?"),
        _("not at all"),
        _("completely"),
        _("Choose how much pain interfered with your general activity, from 0 to 10"),
    )

    @property
    def answers(self) -> HowItIs:
        return HowItIs(**self.cleaned_data)
