"""What a change of the calendar reads: never all that was ever booked, however long the clinic exists."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from booking import operations, times
from booking.models import Appointment, Occupancy
from tests.bench import rows
from tests.booking.factories import make_clinic, wall
from tests.booking.test_operations import ask, somebody

pytestmark = pytest.mark.django_db


def reads_of_a_whole_past(act: Callable[[], object]) -> list[str]:
    """The steps of SQLite's plans that go through all occupancies, or all of one resource."""
    statements: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, values: Any, many: Any, context: Any) -> Any:
        if "booking_occupancy" in sql and sql.startswith(("SELECT", "DELETE", "UPDATE")):
            statements.append((sql, values))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(note):
        act()
    assert statements, "the calendar was read"
    steps: list[str] = []
    for sql, values in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            steps += [step for *_, step in cursor.fetchall()]
    return [
        step
        for step in steps
        if step.startswith(("SCAN booking_occupancy", "SCAN U0")) or "booking_occupancy_resource_id" in step
    ]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL plans by what the tables hold")
def test_holding_asking_moving_and_cancelling_never_read_the_whole_past() -> None:
    visit_type, now, visitor = make_clinic(), timezone.now(), uuid4()
    by = User.objects.create_user("desk")

    def all_of_it() -> None:
        operations.hold_time(
            visitor=visitor, visit_type=visit_type, starts_at=wall(10), practitioner=None, now=now
        )
        asked = ask(visit_type, wall(12), details=somebody())
        moved = operations.move_appointment(
            appointment=asked, version=1, starts_at=wall(15), by=by, idempotency_key=uuid4(), now=now
        )
        operations.cancel_appointment(appointment=moved, version=moved.version, by=by, now=now)

    assert reads_of_a_whole_past(all_of_it) == []


def test_the_past_that_is_measured_is_made_of_whole_visits_that_are_over() -> None:
    visit_type = rows.make_clinic(3)
    with connection.execute_wrapper(
        lambda execute, sql, *rest: None if "VACUUM" in sql else execute(sql, *rest)
    ):
        rows.add_past(visit_type, first=0, end=3)
        rows.add_past(visit_type, first=3, end=7)
    visits = Appointment.objects.order_by("starts_at")
    assert {visit.status for visit in visits} == {"arrived"}
    assert [visit.occupancies.count() for visit in visits] == [3] * 7
    assert Occupancy.objects.count() == 21
    assert max(visit.ends_at for visit in visits) < times.midnight_after(timezone.now())
