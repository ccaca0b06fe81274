"""A fault at any statement of an operation leaves everything as it was: all or nothing."""

from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from booking import operations
from booking.models import DeclineReason, Resource, Status
from booking.operations import Busy, OfferedTime
from clinic import transactions
from clinic.models import Tally
from tests.booking.factories import make_appointment, make_clinic, make_patient, wall
from tests.booking.test_course_operations import answer, offer, plan, request
from tests.booking.test_moves_and_offers import ask_again
from tests.booking.test_operations import ask

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
Act = Callable[[], object]


class Fault(Exception):
    """The statement was not carried out."""


class AtStatement:
    """Lets `number` statements pass and fails the next one."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        if self.left == 0:
            raise Fault(sql)
        self.left -= 1
        return execute(sql, params, many, context)


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of ours in the database, table by table, but for the counts that limits are made of."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())  # noqa: SLF001
        for label in ("booking", "clinic")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if model is not Tally
    }


def broken_at_every_statement(act: Act) -> int:
    """Fails the act at its first statement, then at its second, until it is done; how many statements it has."""
    before = everything()
    statements = 0
    while True:
        try:
            with connection.execute_wrapper(AtStatement(statements)):
                act()
            break
        except Fault:
            assert everything() == before, f"after a fault at statement {statements}"
            statements += 1
    assert everything() != before
    return statements


def a_request() -> Iterator[Act]:
    visit_type = make_clinic()
    yield lambda: ask(visit_type, wall(10))


def a_request_of_a_held_time() -> Iterator[Act]:
    visit_type, visitor = make_clinic(), uuid4()
    operations.hold_time(
        visitor=visitor, visit_type=visit_type, starts_at=wall(10), practitioner=None, now=NOW
    )
    yield lambda: ask(visit_type, wall(10), visitor=visitor, now=NOW)


def a_hold_that_moves() -> Iterator[Act]:
    visit_type, visitor = make_clinic(), uuid4()

    def hold(hour: int) -> object:
        return operations.hold_time(
            visitor=visitor, visit_type=visit_type, starts_at=wall(hour), practitioner=None, now=NOW
        )

    hold(10)
    yield lambda: hold(14)


def a_confirmation() -> Iterator[Act]:
    appointment, by = make_appointment(), User.objects.create_user("desk")
    yield lambda: operations.confirm_appointment(appointment=appointment, version=1, by=by, now=NOW)


def a_refusal() -> Iterator[Act]:
    appointment, by = make_appointment(), User.objects.create_user("desk")
    yield lambda: operations.decline_appointment(
        appointment=appointment, version=1, reason=DeclineReason.AWAY, by=by, now=NOW
    )


def a_cancellation() -> Iterator[Act]:
    appointment = make_appointment(status=Status.BOOKED)
    yield lambda: operations.cancel_appointment(
        appointment=appointment, version=1, by=None, now=NOW, idempotency_key=uuid4()
    )


def a_move() -> Iterator[Act]:
    appointment = make_appointment(make_clinic(), status=Status.BOOKED)
    yield lambda: operations.move_appointment(
        appointment=appointment, version=1, starts_at=wall(14), by=None, idempotency_key=uuid4(), now=NOW
    )


def a_booking_at_the_desk() -> Iterator[Act]:
    visit_type, by, patient = make_clinic(), User.objects.create_user("desk"), make_patient()
    practitioner = visit_type.practitioners.get()
    yield lambda: operations.book_appointment(
        visit_type=visit_type,
        starts_at=wall(10),
        practitioner=practitioner,
        patient=patient,
        by=by,
        idempotency_key=uuid4(),
        now=NOW,
    )


def offered() -> tuple[Any, Any]:
    appointment, by = make_appointment(make_clinic()), User.objects.create_user("desk")
    times = [OfferedTime(wall(hour), appointment.practitioner) for hour in (12, 14)]
    return appointment, lambda: operations.offer_other_times(
        appointment=appointment, version=1, offered=times, by=by, idempotency_key=uuid4(), now=NOW
    )


def an_offer() -> Iterator[Act]:
    yield offered()[1]


def an_acceptance() -> Iterator[Act]:
    appointment, make = offered()
    option = make().options.all()[0]
    yield lambda: operations.accept_offered_time(
        appointment=appointment, version=2, option=option, idempotency_key=uuid4(), now=NOW
    )


def another_wish() -> Iterator[Act]:
    appointment, make = offered()
    make()
    yield lambda: ask_again(appointment, wall(16), version=2)


def a_course() -> Iterator[Act]:
    visit_type = make_clinic()
    yield lambda: request(visit_type)


def an_answer_to_a_course() -> Iterator[Act]:
    course = request(make_clinic())
    yield lambda: answer(course, (0, 2))


def a_course_called_off() -> Iterator[Act]:
    course = request(make_clinic())
    yield lambda: operations.cancel_course(course=course, version=3, by=None, now=NOW)


def a_planned_course() -> Iterator[Act]:
    visit_type, by = make_clinic(), User.objects.create_user("desk")
    after = make_appointment(visit_type, starts_at=wall(15), status=Status.BOOKED)
    yield lambda: operations.plan_course(
        appointment=after, plan=plan(visit_type), by=by, idempotency_key=uuid4(), now=NOW
    )


def a_planned_course_taken() -> Iterator[Act]:
    course = offer(make_clinic())
    yield lambda: operations.accept_course(course=course, now=NOW)


def a_wish_to_change() -> tuple[Any, Act]:
    visit_type = make_clinic(practitioners=2, rooms=2)
    first, second = visit_type.practitioners.order_by("pk")
    old = make_appointment(visit_type, practitioner=first, status=Status.BOOKED)
    return old, lambda: operations.ask_to_change(
        appointment=old,
        version=1,
        visit_type=visit_type,
        starts_at=wall(14),
        practitioner=second,
        idempotency_key=uuid4(),
        now=NOW,
    )


def a_change_that_is_asked_for() -> Iterator[Act]:
    yield a_wish_to_change()[1]


def a_change_that_is_confirmed() -> Iterator[Act]:
    asked: Any = a_wish_to_change()[1]()
    by = User.objects.create_user("desk")
    yield lambda: operations.confirm_appointment(appointment=asked, version=1, by=by, now=NOW)


def a_cancellation_with_its_change() -> Iterator[Act]:
    old, change = a_wish_to_change()
    change()
    yield lambda: operations.cancel_appointment(
        appointment=old, version=1, by=None, now=NOW, idempotency_key=uuid4()
    )


@pytest.mark.parametrize(
    "situation",
    [
        a_change_that_is_asked_for,
        a_change_that_is_confirmed,
        a_cancellation_with_its_change,
        a_request,
        a_request_of_a_held_time,
        a_hold_that_moves,
        a_confirmation,
        a_refusal,
        a_cancellation,
        a_move,
        a_booking_at_the_desk,
        an_offer,
        an_acceptance,
        another_wish,
        a_course,
        an_answer_to_a_course,
        a_course_called_off,
        a_planned_course,
        a_planned_course_taken,
    ],
)
def test_a_fault_at_any_statement_leaves_everything_as_it_was(situation: Callable[[], Iterator[Act]]) -> None:
    [act] = situation()
    assert broken_at_every_statement(act) > 5


def locked(*_: Any) -> Any:
    raise OperationalError("database is locked")


def test_waiting_too_long_is_told_as_busy_and_changes_nothing() -> None:
    visit_type = make_clinic()
    before = everything()
    with pytest.raises(Busy), connection.execute_wrapper(locked):
        operations.hold_time(
            visitor=uuid4(), visit_type=visit_type, starts_at=wall(10), practitioner=None, now=NOW
        )
    assert everything() == before


def test_a_lock_that_is_not_had_in_time_is_told_as_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    visit_type = make_clinic()
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "200ms")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 200")
    locked_now, go_on = Event(), Event()

    def somebody_slow() -> None:
        with transactions.change():
            list(Resource.objects.order_by("pk").select_for_update())
            locked_now.set()
            go_on.wait(10)
        connection.close()

    thread = Thread(target=somebody_slow)
    thread.start()
    assert locked_now.wait(10)
    try:
        with pytest.raises(Busy):
            ask(visit_type, wall(10))
    finally:
        go_on.set()
        thread.join()
        connection.close()
    assert ask(visit_type, wall(10)).is_pending


def test_any_other_fault_of_the_database_is_not_told_as_busy() -> None:
    assert not transactions.is_busy(OperationalError("disk I/O error"))


def test_a_patient_reads_a_kind_page_when_the_books_are_busy(client: Client, settings: Any) -> None:
    from tests.booking import busy_urls  # noqa: PLC0415

    settings.ROOT_URLCONF = busy_urls
    response = client.get("/busy/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "Nothing was sent and nothing is lost" in response.text
    assert "905-555-0100" in response.text
