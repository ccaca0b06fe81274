"""How a text message would leave the clinic: the interface of a sender, and one that only prints.

Nothing sends text messages yet. To add them, write a class with this `send` for your provider (a contract that keeps
patients' data in Canada comes first), name it in the setting `SMS_SENDER`, and let the worker send from a queue of
rows as it does mail: a provider is as slow and as often away as a mail server.
"""

import sys
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Sender(Protocol):
    def send(self, *, to: str, text: str) -> None:
        """Hands one text to the provider; `to` is a number in the international form, as in +19055550100.

        :raises OSError: if it was not taken; then it is to be tried again.
        """


class ConsoleSender:
    """Prints what it is given, for development; nothing leaves the machine."""

    def send(self, *, to: str, text: str) -> None:
        sys.stdout.write(f"Text message to {to}, not sent: {text}\n")


def sender() -> Sender:
    """The sender that the settings name."""
    made: Sender = import_string(settings.SMS_SENDER)()
    return made
