"""What a fault may say in the log: what kind it was and where, never its message."""

import logging
import traceback
from types import TracebackType

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class WithoutMessages(logging.Formatter):
    """Leaves the messages of exceptions out: they quote what was typed.

    PostgreSQL, for one, adds the whole row that it refused, and `int()` the text that is no number.
    """

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another formatter may have left the full one
        return super().format(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 (logging's own name)
        fault = ei[1]
        return "\n".join(_faults(fault)) if fault else ""


def _faults(fault: BaseException) -> list[str]:
    """The fault and, before it, what it came from."""
    cause = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    before: list[str] = [*_faults(cause), "which led to"] if cause else []
    kind = type(fault)
    stack = "".join(traceback.format_tb(fault.__traceback__)).rstrip("\n")
    return [
        *before,
        *([stack] if stack else []),
        f"{kind.__module__}.{kind.__qualname__} (its message is not logged)",
    ]
