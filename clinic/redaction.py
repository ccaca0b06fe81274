"""Keeps the tokens of private links out of every log."""

import logging
import re
from typing import Final

# Whoever reads a log must not be able to open what these addresses open, under any language's prefix.
_TOKEN: Final = re.compile(r"(/(?:(?:appointments|courses|waitlist)/open|calendars)/)[^/\s?]+")


def redacted(text: str) -> str:
    """The text with … in place of every token."""
    return _TOKEN.sub(r"\1…", text)


class TokenFilter(logging.Filter):
    """Django logs the path of what it refused."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if message != redacted(message):
            record.msg, record.args = redacted(message), ()
        return True
