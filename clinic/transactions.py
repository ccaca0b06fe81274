"""How a change begins: one transaction, with a limit to waiting, and one error for a clinic that is too busy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError, connection, transaction

LOCK_TIMEOUT: Final = "5s"  # PostgreSQL; SQLite waits for its write lock as long as DATABASES says

# PostgreSQL: lock not available, deadlock detected, serialization failure (its manual, appendix A).
BUSY_STATES: Final = frozenset({"55P03", "40P01", "40001"})
BUSY_WORDS: Final = ("database is locked", "database table is locked")  # SQLite


class Busy(Exception):
    """The change had to wait too long for others and was not made; trying again soon is right."""


@contextmanager
def change() -> Iterator[None]:
    """One transaction of its own: all of it is written, or nothing.

    :raises Busy: if a lock was not to be had in time.
    """
    try:
        with transaction.atomic(durable=True):
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            yield
    except OperationalError as error:
        if is_busy(error):
            raise Busy from error
        raise


def is_busy(error: OperationalError) -> bool:
    """Whether the database only asked to wait; anything else is a fault."""
    state = getattr(error.__cause__, "sqlstate", None)
    return state in BUSY_STATES or any(words in str(error) for words in BUSY_WORDS)
