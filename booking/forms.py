"""What a patient may type on the way to a request, what is refused and in which words."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from booking import screening, times
from booking.drafts import Answers
from booking.models import Appointment, Resource
from booking.models.courses import COURSE
from booking.models.resources import ANYONE
from booking.operations import Details
from clinic.text import refuse_unprintable

NOTE_LENGTH: Final = 300
PHONE_LENGTH: Final = 40
FEWEST_DIGITS: Final = 7
REFERENCE_LENGTH: Final = 6  # letters behind the hyphen

CONSENT_VERSION: Final = "2026-11-22"  # changes with the wording of CONSENT
CONSENT: Final = _(
    "I agree that the clinic keeps and uses these answers to arrange and plan my visit. I have read the fee and "
    "the cancellation rule."
)

NO, YES, NOT_SURE = "no", "yes", "not_sure"
ANY_PRECAUTION: Final = [
    (NO, _("No, none of these")),
    (YES, _("Yes, what I have ticked")),
    (NOT_SURE, _("I’m not sure")),
]
ADULT: Final = [(YES, _("Yes")), (NO, _("No"))]
BEEN_HERE: Final = [("new", _("No, this is my first visit")), ("returning", _("Yes"))]


def _helper(*layout: Any) -> FormHelper:
    """The page writes the form's tag and button; the pack writes the fields."""
    helper = FormHelper()
    helper.form_tag = False
    if layout:
        helper.layout = Layout(*layout)
    return helper


class Ticks(forms.MultipleChoiceField):
    """Tick boxes of which none may be ticked, though the question is not optional."""

    def validate(self, value: list[str]) -> None:
        if value:
            super().validate(value)


class SafetyForm(forms.Form):
    """The one question under each list of signs."""

    use_required_attribute = False
    helper = _helper()

    applies = forms.ChoiceField(
        label=_("Do any of these apply to you now?"),
        choices=[(NO, _("No, none of these")), (YES, _("Yes, at least one")), (NOT_SURE, _("I’m not sure"))],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Answer whether any of these apply to you now"),
            "invalid_choice": _("Answer whether any of these apply to you now"),
        },
    )

    @property
    def may_go_on(self) -> bool:
        return bool(self.cleaned_data["applies"] == NO)


class TimeForm(forms.Form):
    """One start, with one of the practitioners or anyone; whether it is free, the calendar says."""

    start = forms.CharField(error_messages={"required": _("Choose a time")})
    practitioner = forms.CharField(required=False)

    def __init__(self, data: Any = None, *, practitioners: dict[str, Resource]) -> None:
        super().__init__(data)
        self.practitioners = practitioners
        self.is_taken = False

    def clean_practitioner(self) -> Resource | None:
        slug = self.cleaned_data["practitioner"] or ANYONE
        if slug != ANYONE and slug not in self.practitioners:
            raise ValidationError(_("This practitioner is not available. Choose a time again."))
        return self.practitioners.get(slug)

    def clean_start(self) -> datetime:
        try:
            return times.parse_start(self.cleaned_data["start"])
        except ValueError as error:
            raise ValidationError(_("Choose a time from those below")) from error

    def time_is_taken(self) -> None:
        """What the calendar answered when the time was to be held."""
        self.is_taken = True
        self.add_error("start", _("That time has just been taken. Choose another one"))


class DetailsForm(forms.Form):
    """Who asks for the visit; with `call_back`, the clinic calls before it confirms and needs the number."""

    use_required_attribute = False
    helper = _helper()

    name = forms.CharField(
        label=_("Full name"),
        max_length=120,
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": _("Enter your full name")},
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("We answer your request here. No health answer is ever put into an e-mail."),
        widget=forms.EmailInput({"autocomplete": "email", "inputmode": "email"}),
        error_messages={
            "required": _("Enter your e-mail address"),
            "invalid": _("Enter an e-mail address like name@example.com"),
        },
    )
    phone = forms.CharField(
        label=_("Phone number"),
        required=False,
        help_text=_(
            "In case we need to talk with you before your visit, or your time must change at short notice."
        ),
        widget=forms.TextInput(
            {"type": "tel", "autocomplete": "tel", "class": "w-sm", "maxlength": PHONE_LENGTH}
        ),
        error_messages={"required": _("Enter the phone number on which we can call you")},
    )
    adult = forms.ChoiceField(
        label=_("Is the patient 18 or older?"),
        choices=ADULT,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Answer whether the patient is 18 or older"),
            "invalid_choice": _("Answer whether the patient is 18 or older"),
        },
    )
    new_patient = forms.ChoiceField(
        label=_("Have you been to this clinic before?"),
        choices=BEEN_HERE,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Answer whether you have been here before"),
            "invalid_choice": _("Answer whether you have been here before"),
        },
    )
    language = forms.ChoiceField(
        label=_("Language you prefer"),
        help_text=_("We try to arrange it. It is not always possible."),
        choices=Appointment.Language.choices,
        initial=Appointment.Language.ENGLISH,
        widget=forms.Select({"class": "w-sm"}),
        error_messages={
            "required": _("Choose a language from the list"),
            "invalid_choice": _("Choose a language from the list"),
        },
    )
    reminders = forms.ChoiceField(
        label=_("Reminders by e-mail"),
        help_text=_("A short message with the day and time. You can still change or cancel then."),
        required=False,
        choices=Appointment.Reminders.choices,
        initial=Appointment.Reminders.TWO_DAYS,
        widget=forms.Select({"class": "w-sm"}),
        error_messages={"invalid_choice": _("Choose when to be reminded from the list")},
    )

    def __init__(self, *args: Any, call_back: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if call_back:
            self.fields["phone"].required = True
            self.fields["phone"].help_text = _(
                "We call you on this number before we confirm, because a sign on the list has been checked already."
            )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        refuse_unprintable(name)
        if not any(map(str.isalpha, name)):
            raise ValidationError(_("Enter your full name"))
        return name

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        refuse_unprintable(email)
        return email

    def clean_adult(self) -> str:
        answer = str(self.cleaned_data["adult"])
        if answer == NO:
            by_phone = _(
                "For people under 18 we arrange visits by phone only. A parent or guardian is welcome to call "
                "%(phone)s. We have not kept anything from this page."
            )
            raise ValidationError(by_phone, params={"phone": settings.CLINIC.phone})
        return answer

    def clean_phone(self) -> str:
        """Phones add invisible marks when a number is pasted, and keyboards have digits of their own."""
        typed = str(self.cleaned_data["phone"])
        plain = "".join(
            str(unicodedata.decimal(char, char)) for char in typed if unicodedata.category(char) != "Cf"
        ).strip()
        is_number = re.fullmatch(
            r"\+?[0-9()\-. ]+(?:(?:,? ?(?:ext\.?|x)) ?[0-9]{1,6})?", plain, re.IGNORECASE
        )
        is_needed = self.fields["phone"].required
        if (plain or is_needed) and (not is_number or sum(map(str.isdigit, plain)) < FEWEST_DIGITS):
            raise ValidationError(
                _("Enter a phone number like 905-555-0100")
                if is_needed
                else _("Enter a phone number like 905-555-0100, or leave this empty")
            )
        if len(plain) > PHONE_LENGTH:
            raise ValidationError(_("Enter a phone number of 40 characters at most"))
        return plain

    def clean_reminders(self) -> str:
        return self.cleaned_data["reminders"] or str(Appointment.Reminders.TWO_DAYS)

    @property
    def answers(self) -> Answers:
        """What was typed, as it is kept until it is sent and as the form takes it again."""
        return {name: self.cleaned_data[name] for name in self.fields}


class HealthForm(forms.Form):
    """What the practitioner should know before using needles, and what should be ready for the visit."""

    use_required_attribute = False
    helper = _helper(
        Fieldset(_("Before using needles"), "precautions", "any_precaution"),
        Fieldset(_("For your visit"), "needs", "note"),
    )

    precautions = Ticks(
        label=_("Tick any that apply, or might apply"),
        help_text=_("Most people can have acupuncture all the same. We ask so that treatment is safe."),
        choices=[(question.code, question.label) for question in screening.PRECAUTIONS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Tick only what is on the list")},
    )
    any_precaution = forms.ChoiceField(
        label=_("Do any of these apply to you?"),
        choices=ANY_PRECAUTION,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Answer whether any of these apply to you"),
            "invalid_choice": _("Answer whether any of these apply to you"),
        },
    )
    needs = forms.MultipleChoiceField(
        label=_("Tick what we should be ready for"),
        required=False,
        choices=[(question.code, question.label) for question in screening.NEEDS],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Tick only what is on the list")},
    )
    note = forms.CharField(
        label=_("What would you like help with?"),
        required=False,
        help_text=_("It helps us to plan the visit. A sentence or two is enough, 300 characters at most."),
        widget=forms.Textarea({"rows": 4, "maxlength": NOTE_LENGTH}),
    )

    def clean_note(self) -> str:
        """Browsers send a new line as two characters and count it as one."""
        note = str(self.cleaned_data["note"]).replace("\r\n", "\n")
        refuse_unprintable(note, allowed="\n\t")
        if len(note) > NOTE_LENGTH:
            raise ValidationError(_("Shorten this to 300 characters or fewer"))
        return note

    def clean(self) -> None:
        answer, ticked = self.cleaned_data.get("any_precaution"), self.cleaned_data.get("precautions")
        if answer == NO and ticked:
            self.add_error(
                "any_precaution",
                _("You ticked something above: answer “Yes” or “I’m not sure”, or take it back"),
            )
        if answer == YES and ticked == []:
            self.add_error("precautions", _("Tick what applies, or answer “No” or “I’m not sure” below"))

    @property
    def answers(self) -> Answers:
        """What was typed, as it is kept until it is sent and as the form takes it again."""
        return {name: self.cleaned_data[name] for name in self.fields}

    @property
    def precautions_in_words(self) -> list[str]:
        """What was ticked, and “no” or “not sure”, in the words that were read."""
        answer = self.cleaned_data["any_precaution"]
        ticked = _labels(screening.PRECAUTIONS, self.cleaned_data["precautions"])
        return ticked if answer == YES else [*ticked, str(dict(ANY_PRECAUTION)[answer])]

    @property
    def needs_in_words(self) -> list[str]:
        return _labels(screening.NEEDS, self.cleaned_data["needs"])

    @property
    def coded(self) -> dict[str, str]:
        """Every tick as `yes` or `not_sure` under its code; a doubt that names nothing has a code of its own."""
        typed = self.cleaned_data
        certainty = YES if typed["any_precaution"] == YES else NOT_SURE
        precautions = dict.fromkeys(typed["precautions"], certainty)
        if typed["any_precaution"] == NOT_SURE and not precautions:
            precautions = {screening.UNNAMED: NOT_SURE}
        return precautions | dict.fromkeys(typed["needs"], YES)


def _labels(questions: Sequence[screening.Question], ticked: Collection[str]) -> list[str]:
    return [str(question.label) for question in questions if question.code in ticked]


def details_of(person: DetailsForm, health: HealthForm, *, call_back: bool, wants_articles: bool) -> Details:
    """What the operation is told of two valid forms."""
    typed = person.cleaned_data
    return Details(
        name=typed["name"],
        email=typed["email"],
        phone=typed["phone"],
        language=typed["language"],
        new_patient=typed["new_patient"] == "new",
        precautions=health.coded,
        note=health.cleaned_data["note"],
        consent_version=CONSENT_VERSION,
        wants_articles=wants_articles,
        reminders=typed["reminders"],
        call_back=call_back,
    )


class SendForm(forms.Form):
    """The agreement under the answers; `key` names exactly these answers, so that they are sent once."""

    use_required_attribute = False
    helper = _helper()

    consent = forms.BooleanField(
        label=CONSENT, error_messages={"required": _("Tick the box to agree, or call us instead")}
    )
    wants_articles = forms.BooleanField(label=_("Send me new articles by e-mail"), required=False)

    def __init__(self, data: Any = None, *, key: UUID) -> None:
        super().__init__(data)
        self.key = key

    def clean(self) -> None:
        if self.data.get("key") != str(self.key):
            raise ValidationError(
                _("Your answers have changed since you opened this page. Please check them again.")
            )


class ChangeForm(forms.Form):
    """What every change of an appointment carries: the version that was looked at, and a key to do it once."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1)
    key = forms.UUIDField()


class LostLinkForm(forms.Form):
    """By what an appointment is found when the mail with its link is lost."""

    use_required_attribute = False
    helper = _helper()

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("The address that you gave when you asked for the visit."),
        widget=forms.EmailInput({"autocomplete": "email", "inputmode": "email"}),
        error_messages={
            "required": _("Enter your e-mail address"),
            "invalid": _("Enter an e-mail address like name@example.com"),
        },
    )
    reference = forms.CharField(
        label=_("Reference"),
        max_length=20,
        help_text=_("It begins with RH or CO and stands in every e-mail about your visits."),
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters", "class": "w-sm"}),
        error_messages={"required": _("Enter the reference, or call us if you do not have it")},
    )

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        refuse_unprintable(email)
        return email

    def clean_reference(self) -> str:
        """People leave out the hyphen or, of a visit's, all before it."""
        typed = str(self.cleaned_data["reference"])
        refuse_unprintable(typed)
        letters = re.sub(r"[^A-Z0-9]", "", typed.upper())
        if letters.startswith("CO") and len(letters) > REFERENCE_LENGTH:
            return f"{COURSE}{letters.removeprefix('CO')}"
        return f"RH-{letters.removeprefix('RH')}"
