"""What ends while a form waits its turn: nobody is left with half a visit, or with one that others have too."""

from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from booking import operations
from booking.models import Appointment, Hold, Offer, Resource
from booking.operations import OfferedTime, OfferEnded, TimeTaken
from tests.booking import books
from tests.booking.factories import make_clinic, wall
from tests.booking.test_moves_and_offers import accept
from tests.booking.test_operations import ask, somebody, staff

pytestmark = pytest.mark.django_db

NOW = timezone.now()
A_MOMENT = timedelta(seconds=1)


def nothing_is_astray() -> bool:
    return (books.overlaps(), books.ask(books.PLAIN_VISITS_ASTRAY)) == (0, 0)


def offered(practitioner: Resource, visit_type: Any) -> Offer:
    """10 o'clock, for a request that was for another time."""
    return operations.offer_other_times(
        appointment=ask(visit_type, wall(15, days_ahead=4), now=NOW),
        version=1,
        offered=[OfferedTime(wall(10, days_ahead=4), practitioner)],
        by=staff(),
        idempotency_key=uuid4(),
        now=NOW,
    )


def test_a_hold_that_ran_out_while_its_form_waited_gives_no_visit_without_a_room() -> None:
    """The other one took the only room with another practitioner; the first one's is still free."""
    visit_type = make_clinic(practitioners=2, rooms=1)
    first, second = visit_type.practitioners.order_by("pk")
    visitor = uuid4()
    held = operations.hold_time(
        visitor=visitor, visit_type=visit_type, starts_at=wall(10), practitioner=first, now=NOW
    )
    ask(visit_type, wall(10), practitioner=second, now=held.expires_at)

    with pytest.raises(TimeTaken):
        ask(
            visit_type,
            wall(10),
            practitioner=first,
            visitor=visitor,
            details=somebody(),
            now=held.expires_at - A_MOMENT,
        )

    assert nothing_is_astray()


def test_an_offer_that_ran_out_while_its_answer_waited_gives_no_visit_without_a_room() -> None:
    visit_type = make_clinic(practitioners=2, rooms=1)
    first, second = visit_type.practitioners.order_by("pk")
    offer = offered(first, visit_type)
    ask(
        visit_type,
        wall(10, days_ahead=4),
        practitioner=second,
        details=somebody(),
        now=offer.expires_at,
    )

    with pytest.raises(OfferEnded):
        accept(offer, now=offer.expires_at - A_MOMENT)

    assert nothing_is_astray()


def test_an_offer_that_ran_out_is_over_even_if_the_practitioner_has_left() -> None:
    visit_type = make_clinic()
    person = visit_type.practitioners.get()
    offer = offered(person, visit_type)
    Resource.objects.filter(pk=person.pk).update(is_active=False)

    with pytest.raises(OfferEnded):
        accept(offer, now=offer.expires_at)

    assert nothing_is_astray()


class AtStatement:
    """Before statement number `number`, another connection does something; it may have to wait for ours."""

    def __init__(self, number: int, act: Callable[[], object]) -> None:
        self.left = number
        self.other = Thread(target=self._with_a_connection_of_its_own, args=[act])

    @staticmethod
    def _with_a_connection_of_its_own(act: Callable[[], object]) -> None:
        try:
            act()
        finally:
            connection.close()

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        if self.left == 0:
            self.other.start()
            self.other.join(0.2)
        self.left -= 1
        return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ends", ["the visitor lets go", "it is swept away"])
def test_a_hold_that_ends_at_any_moment_of_its_request_gives_a_whole_visit_or_none(ends: str) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite one change follows the other as a whole")
    visit_type = make_clinic()
    number = 0
    while True:
        visitor, starts_at = uuid4(), wall(10, days_ahead=2 + number)
        operations.hold_time(
            visitor=visitor, visit_type=visit_type, starts_at=starts_at, practitioner=None, now=NOW
        )

        def end(visitor: Any = visitor) -> None:
            if ends == "the visitor lets go":
                operations.release_hold(visitor=visitor)
            else:
                Hold.objects.filter(visitor=visitor).delete()

        between = AtStatement(number, end)
        try:
            with connection.execute_wrapper(between):
                ask(visit_type, starts_at, visitor=visitor, details=somebody(), now=NOW)
        except TimeTaken:
            pass
        if between.left >= 0:
            break
        between.other.join()
        assert nothing_is_astray(), f"ended before statement {number}"
        number += 1
    assert number > 10
    assert Appointment.objects.count() > number / 2
