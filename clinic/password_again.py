"""Asks for the password once more before patients' data leave the desk or are erased: a screen may be left open."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import limits


class PasswordAgainForm(forms.Form):
    """Sent by the person who is signed in; tries are counted as those to sign in are.

    :raises OverLimit: if these are too many.
    """

    use_required_attribute = False

    password = forms.CharField(
        label=gettext_lazy("Your password, once more"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": gettext_lazy("Enter your password.")},
    )

    def __init__(self, data: Any = None, *, request: HttpRequest) -> None:
        super().__init__(data)
        self.request = request

    def clean_password(self) -> str:
        user, password = self.request.user, str(self.cleaned_data["password"])
        assert isinstance(user, User)  # noqa: S101 (for the type: the desk lets nobody else in)
        limits.count_sign_in(self.request, user.get_username(), now=timezone.now())
        if not user.check_password(password):
            raise ValidationError(_("This is not your password."))
        return password
