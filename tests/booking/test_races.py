"""Many people, one time: one of them gets it, and the others are told so kindly."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from booking import openings, operations, queries, times
from booking.constraints import NoOverlap
from booking.models import Appointment, BookingRules, DeclineReason, Occupancy, Status, VisitType
from booking.operations import AlreadyDecided, TimeTaken
from clinic.models import QueuedMail
from tests.booking.factories import make_appointment, make_clinic, wall
from tests.booking.test_operations import ask, somebody

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 32


def all_at_once(people: int, act: Callable[[int], object]) -> Counter[str]:
    """Runs `act(number)` in as many threads, all let go together; counts how they ended, by the error's name."""
    ended: Counter[str] = Counter()
    gate = Barrier(people)

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            gate.wait()
            act(number)
            ended["done"] += 1
        except Exception as error:  # noqa: BLE001 (whatever it is, it is counted and compared)
            ended[type(error).__name__] += 1
        finally:
            connection.close()

    threads = [Thread(target=run, args=[number]) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


def overlaps() -> int:
    """Pairs of occupancies of one resource that share time: counted by plain SQL, not by our code."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM booking_occupancy a JOIN booking_occupancy b"
            " ON a.resource_id = b.resource_id AND a.lane = b.lane AND a.id < b.id"
            " AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
        )
        found: int = cursor.fetchone()[0]
        return found


@pytest.fixture
def without_the_constraint() -> Iterator[None]:
    """Drops what the database checks with, and has it written anew, as a migration would, afterwards."""
    [no_overlap] = [row for row in Occupancy._meta.constraints if isinstance(row, NoOverlap)]  # noqa: SLF001
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'booking_occupancy'"
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(name)}")
        else:
            cursor.execute(f"ALTER TABLE booking_occupancy DROP CONSTRAINT {no_overlap.name}")
    yield
    Occupancy.objects.all().delete()
    with connection.schema_editor() as editor:
        editor.add_constraint(Occupancy, no_overlap)


def test_thirty_two_people_ask_for_one_time_and_one_gets_it() -> None:
    visit_type = make_clinic()

    ended = all_at_once(PEOPLE, lambda _: ask(visit_type, wall(10), details=somebody()))

    assert ended == {"done": 1, "TimeTaken": PEOPLE - 1}
    assert (Appointment.objects.count(), overlaps()) == (1, 0)
    assert QueuedMail.objects.count() == 2


def test_times_that_overlap_without_being_equal_are_one_time_too() -> None:
    visit_type = make_clinic()

    ended = all_at_once(
        PEOPLE, lambda number: ask(visit_type, wall(10, 15 * (number % 3)), details=somebody()) and None
    )

    assert ended == {"done": 1, "TimeTaken": PEOPLE - 1}
    assert overlaps() == 0


def test_anyone_means_everyone_who_is_free_gets_one_visit() -> None:
    visit_type = make_clinic(practitioners=3, rooms=3)

    ended = all_at_once(PEOPLE, lambda _: ask(visit_type, wall(10), details=somebody()))

    assert ended == {"done": 3, "TimeTaken": PEOPLE - 3}
    assert (len({row.practitioner_id for row in Appointment.objects.all()}), overlaps()) == (3, 0)


def test_one_form_sent_ten_times_at_once_is_one_appointment() -> None:
    visit_type = make_clinic()
    key: UUID = uuid4()
    answers: set[str] = set()

    ended = all_at_once(10, lambda _: answers.add(ask(visit_type, wall(10), idempotency_key=key).reference))

    assert (ended, len(answers)) == ({"done": 10}, 1)
    assert (Appointment.objects.count(), QueuedMail.objects.count()) == (1, 2)


def test_of_all_who_decide_at_once_the_first_decides() -> None:
    appointment = make_appointment()
    by = User.objects.create_user("desk")

    def decide(number: int) -> None:
        if number % 2:
            operations.confirm_appointment(appointment=appointment, version=1, by=by, now=timezone.now())
        else:
            operations.decline_appointment(
                appointment=appointment, version=1, reason=DeclineReason.AWAY, by=by, now=timezone.now()
            )

    ended = all_at_once(12, decide)

    assert ended == {"done": 1, AlreadyDecided.__name__: 11}
    appointment.refresh_from_db()
    assert (appointment.version, appointment.changes.count()) == (2, 2)
    assert QueuedMail.objects.count() == 1
    assert appointment.occupancies.exists() == (appointment.status == Status.BOOKED)


def a_moment() -> None:
    """The rest of a slow request."""
    time.sleep(0.02)


def look_then_take(visit_type: VisitType, wait: Callable[[], object] = a_moment) -> None:
    """What a booking system without lock and constraint does."""
    opening = queries.opening_at(
        visit_type, wall(10), practitioner=None, rules=BookingRules(), now=timezone.now()
    )
    if opening is None:
        raise TimeTaken
    wait()
    appointment = make_appointment(visit_type, starts_at=wall(10), status=Status.CANCELLED)
    for span in openings.spans(opening, queries.phases_of(visit_type)):
        Occupancy.objects.create(
            appointment=appointment,
            resource_id=span.resource,
            starts_at=times.from_epoch(span.starts_at),
            ends_at=times.from_epoch(span.ends_at),
        )


@pytest.mark.usefixtures("without_the_constraint")
def test_the_control_without_lock_and_constraint_double_books() -> None:
    visit_type = make_clinic()

    ended = all_at_once(PEOPLE, lambda _: look_then_take(visit_type))

    assert ended["done"] > 1
    assert overlaps() > 0


def test_the_constraint_alone_refuses_too() -> None:
    visit_type = make_clinic()

    ended = all_at_once(PEOPLE, lambda _: look_then_take(visit_type))

    assert ended["IntegrityError"] > 0
    assert overlaps() == 0
