"""An address or phone number as something to count by and to lock, without keeping it."""

import re
from collections.abc import Iterable

from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class Contact(models.Model):
    """One row per e-mail address or phone number that ever asked; `key` cannot be turned back into it."""

    key = models.CharField(_("key"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return self.key[:8]

    @staticmethod
    def keys(*, email: str, phone: str) -> list[str]:
        """The keys of what is given, in the order to lock them: letters' case and phone punctuation do not matter."""
        digits = re.sub(r"\D", "", phone)[-10:]
        given: Iterable[str] = (
            f"mail:{email.strip().lower()}" if email.strip() else "",
            f"phone:{digits}" if digits else "",
        )
        return sorted(
            salted_hmac("booking.contact", value, algorithm="sha256").hexdigest() for value in given if value
        )
