"""What a patient may say on the page of a visit that they have or asked for."""

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from booking.models import Appointment


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
