"""Sixty-four clients in processes of their own want one time: one gets it, and the books are in order after."""

from multiprocessing import get_context
from uuid import UUID

import pytest
from django.utils import timezone

from booking import operations
from booking.models import Appointment, Hold, VisitType
from booking.operations import taking
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.crowd import Crowd
from tests.booking.factories import make_clinic, wall
from tests.booking.test_operations import ask, somebody
from tests.booking.test_races import look_then_take, without_the_constraint

__all__ = ["without_the_constraint"]  # a fixture

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 64
ROUNDS = 20
CARELESS = 16


def ask_for_ten(number: int, visit_type: VisitType, days_ahead: int) -> None:
    ask(visit_type, wall(10, days_ahead=days_ahead), details=somebody())


def ask_for_about_ten(number: int, visit_type: VisitType, days_ahead: int) -> None:
    """Three starts of which no two can both be had."""
    ask(visit_type, wall(10, 15 * (number % 3), days_ahead=days_ahead), details=somebody())


def hold_and_ask_for_about_ten(number: int, visit_type: VisitType, days_ahead: int) -> None:
    """As the pages do: the time is held first, and then asked for."""
    visitor = UUID(int=CLIENTS * days_ahead + number)
    starts_at, now = wall(10, 15 * (number % 3), days_ahead=days_ahead), timezone.now()
    operations.hold_time(
        visitor=visitor, visit_type=visit_type, starts_at=starts_at, practitioner=None, now=now
    )
    ask(visit_type, starts_at, details=somebody(), visitor=visitor, now=now)


ACTS = [ask_for_ten, ask_for_about_ten, hold_and_ask_for_about_ten]


EVERYONE_HAS_LOOKED = get_context("fork").Barrier(CARELESS)


def only_look_and_take(number: int, visit_type: VisitType) -> None:
    look_then_take(visit_type, EVERYONE_HAS_LOOKED.wait, reference=f"RH-C{number:05}")


def test_in_each_of_twenty_rounds_one_of_sixty_four_clients_gets_the_time() -> None:
    visit_type = make_clinic()

    with Crowd(CLIENTS) as crowd:
        rounds = [
            crowd.all_at_once(ACTS[number % len(ACTS)], visit_type, 2 + number) for number in range(ROUNDS)
        ]

    assert rounds == [{"done": 1, "TimeTaken": CLIENTS - 1}] * ROUNDS
    assert {
        "requests": Appointment.objects.count(),
        "mails": QueuedMail.objects.count(),
        "holds": Hold.objects.count(),
        "overlaps": books.overlaps(),
        "visits astray": books.ask(books.PLAIN_VISITS_ASTRAY),
        "unwritten changes": books.ask(books.UNWRITTEN_CHANGES),
        "requests untold": books.ask(books.REQUESTS_UNTOLD),
        "keys used twice": books.ask(books.KEYS_USED_TWICE),
        "faults": books.faults(),
    } == {
        "requests": ROUNDS,
        "mails": 2 * ROUNDS,
        "holds": 0,
        "overlaps": 0,
        "visits astray": 0,
        "unwritten changes": 0,
        "requests untold": 0,
        "keys used twice": 0,
        "faults": [],
    }


@pytest.mark.usefixtures("without_the_constraint")
def test_the_control_without_lock_and_constraint_double_books_between_processes() -> None:
    visit_type = make_clinic()
    with Crowd(CARELESS) as crowd:
        ended = crowd.all_at_once(only_look_and_take, visit_type)

    assert ended == {"done": CARELESS}
    assert books.overlaps() == CARELESS * (CARELESS - 1)  # every pair, with the practitioner and in the room


def test_if_the_lock_were_lost_the_constraint_would_still_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "lock_resources", lambda *_, **__: None)
    visit_type = make_clinic()

    with Crowd(CLIENTS) as crowd:
        rounds = [crowd.all_at_once(ask_for_about_ten, visit_type, 2 + number) for number in range(2)]

    assert [one["done"] for one in rounds] == [1] * len(rounds)
    assert books.overlaps() == 0
