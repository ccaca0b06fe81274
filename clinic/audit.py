"""What is written down whenever somebody sees, searches, takes out, changes or is refused something about patients.

The desk writes rows by itself (`clinic.desk_audit`) for every address that names a patient, appointment, course,
waitlist entry or mail, for their lists, and for every refusal. A page that shows patients otherwise has a `Shown` in
its template's context under "audit", and what changes them by another address calls `record`.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.db import OperationalError, connection, transaction

from clinic.models import Act, AuditedPerson, AuditRow
from clinic.transactions import Busy, is_busy

REMEMBERED: Final = 100  # patients whom one session gave a reason for; the oldest are asked about again

_REASONS: Final = "reasons"
# Each number of a list in JSON as a row.
_EACH: Final = {
    "sqlite": "value FROM json_each(%s)",
    "postgresql": "value::bigint FROM json_array_elements_text(%s)",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose data a page shows, by primary keys, and as what: a view of one, a list, or what was found by a search."""

    act: Act
    people: Collection[int]


def record(
    *,
    by: User | None,
    act: Act,
    kind: str,
    now: datetime,
    subject: object = "",
    people: Iterable[int] = (),
    fields: Iterable[str] = (),
    reason: str = "",
    note: str = "",
) -> AuditRow:
    """Writes one row, in the caller's transaction if there is one: a page is shown only if its row was written.

    `by` is the member of staff, or None for the clock. `kind` says what was seen, in lower-case words such as
    `appointment`, `today`, `report`; `subject` is the key of the one row concerned, nothing for a list. `people` are
    the primary keys of all patients concerned, each counted once. `fields` are names, never values. `reason` is one
    of `clinic.models.Reason`, and `note` what was typed beside it.

    :raises Busy: if the database did not get round to it.
    """
    try:
        with transaction.atomic(savepoint=False):
            row = AuditRow.objects.create(
                at=now,
                actor=by,
                act=act,
                kind=kind,
                subject=str(subject),
                fields=", ".join(fields),
                reason=reason,
                note=note,
            )
            if everybody := sorted(set(people)):
                _add_people(row, everybody)
    except OperationalError as error:
        if is_busy(error):
            raise Busy from error
        raise
    return row


def _add_people(row: AuditRow, people: list[int]) -> None:
    """In one statement: a model for each of them would cost a week's calendar more than reading the whole week."""
    table = connection.ops.quote_name(AuditedPerson._meta.db_table)  # noqa: SLF001 (as Django's own SQL names it)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (row_id, person) SELECT %s, {_EACH[connection.vendor]}",
            [row.pk, json.dumps(people)],
        )


def record_refresh(*, by: User, kind: str, people: Collection[int], now: datetime) -> None:
    """A row for a list that refreshed itself, if somebody stands in it whom the last such row does not name.

    :raises Busy: if the database did not get round to it.
    """
    last = AuditRow.objects.filter(actor=by, kind=kind).order_by("-at", "-pk").first()
    if last is None or not set(people) <= set(last.people.values_list("person", flat=True)):
        record(by=by, act=Act.LIST, kind=kind, people=people, now=now)


def reason_given(session: SessionBase, person: int) -> str | None:
    """The `Reason` that this session gave for opening this patient's record, None if it is still to be asked for.

    It is nothing for a patient for whom this session has changed something: that was the reason.
    """
    reason: str | None = session.get(_REASONS, {}).get(str(person))
    return reason


def remember_reason(session: SessionBase, person: int, reason: str) -> None:
    """So that whoever works for one patient is asked once in a session at most."""
    given = session.get(_REASONS, {})
    given.pop(str(person), None)
    session[_REASONS] = dict(list((given | {str(person): reason}).items())[-REMEMBERED:])
