"""Lists of rows to choose from in forms: what is no key of a row is refused before the database is asked."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

LONGEST_KEY = 18  # digits that fit into both databases' integers


def is_key(value: object) -> bool:
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_KEY


class RowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Django asks the database for whatever number was sent, and fails on one that no column can hold.

    :raises ValidationError: if a value is no key.
    """

    def clean(self, value: Any) -> Any:
        for key in value or []:
            if not is_key(key):
                raise ValidationError(
                    self.error_messages["invalid_pk_value"],
                    "invalid_pk_value",
                    {"pk": str(key)[:LONGEST_KEY]},
                )
        return super().clean(value)
