"""What may stand in a text that a person typed."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def refuse_unprintable(text: str, allowed: str = "") -> None:
    """Control characters and halves of characters cannot be shown, stored or sent.

    :raises ValidationError: if `text` has any but those `allowed`.
    """
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed for char in text):
        raise ValidationError(_("Remove the characters that cannot be shown, or type this again."))
