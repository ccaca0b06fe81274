"""What a reader may type who has found something wrong with a page."""

from typing import Final

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.text import refuse_unprintable
from content.remarks import PAGE_LENGTH, REMARK_LENGTH

EMAIL_LENGTH: Final = 254


class RemarkForm(forms.Form):
    use_required_attribute = False
    helper = FormHelper()
    helper.form_tag = False

    page = forms.CharField(
        label=_("Which page?"),
        max_length=PAGE_LENGTH,
        help_text=_("Its title or its address on our site."),
        error_messages={"required": _("Enter the title or address of the page")},
    )
    text = forms.CharField(
        label=_("What is wrong?"),
        help_text=_("Please do not write about your own health here. 2,000 characters at most."),
        widget=forms.Textarea({"rows": 6, "maxlength": REMARK_LENGTH}),
        error_messages={"required": _("Enter what is wrong with the page")},
    )
    email = forms.EmailField(
        label=_("E-mail"),
        required=False,
        max_length=EMAIL_LENGTH,
        help_text=_("Only if you would like an answer."),
        widget=forms.EmailInput({"autocomplete": "email", "inputmode": "email"}),
        error_messages={"invalid": _("Enter an e-mail address like name@example.com, or leave this empty")},
    )

    def clean_page(self) -> str:
        page = str(self.cleaned_data["page"])
        refuse_unprintable(page)
        return page

    def clean_text(self) -> str:
        """Browsers send a new line as two characters and count it as one."""
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n")
        refuse_unprintable(text, allowed="\n\t")
        if len(text) > REMARK_LENGTH:
            raise forms.ValidationError(_("Shorten this to 2,000 characters or fewer"))
        return text

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        refuse_unprintable(email)
        return email
