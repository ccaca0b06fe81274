"""Which long passwords are common all the same: a common word that was doubled, or filled up with digits and signs."""

import re
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class FilledUpPasswordValidator(CommonPasswordValidator):
    """Django's list of common passwords has hardly any of fifteen letters, so the word within is looked up too."""

    def validate(self, password: str, user: Any = None) -> None:
        """:raises ValidationError: if nothing but a common word, or no word at all, is within."""
        letters = re.sub(r"[\W\d_]+", "", password.lower())
        word = re.sub(r"^(.+?)\1+$", r"\1", letters)
        if word in self.passwords or len(word) <= 3:  # noqa: PLR2004 (three letters are no word to speak of)
            raise ValidationError(
                _(
                    "This is a common password with something added. Take three or four words that do not belong."
                ),
                code="password_filled_up",
            )
