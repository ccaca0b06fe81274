"""Times that visitors keep, at the desk: somebody who hoards them is seen, and one action frees them all."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from booking import operations, times
from booking.models import Hold, Occupancy, VisitType
from tests.booking.factories import make_clinic, wall
from tests.booking.test_patient_way import TYPED, address, body, choose, pass_gate

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

LIST = "/admin/booking/hold/"


def desk(client: Client, *permissions: str) -> Client:
    user = User.objects.create_user("reception", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def hoarded(*hours: int) -> VisitType:
    visit_type = make_clinic(slug="first-visit")
    for hour in hours:
        operations.hold_time(
            visitor=uuid4(),
            visit_type=visit_type,
            starts_at=wall(hour),
            practitioner=None,
            now=timezone.now(),
        )
    return visit_type


def free(client: Client, *holds: Hold, everything: bool = False) -> None:
    chosen = {"action": "free", "_selected_action": [hold.pk for hold in holds]}
    assert client.post(LIST, chosen | {"select_across": int(everything)}).status_code == 302


def test_held_times_are_listed_in_their_order(client: Client) -> None:
    hoarded(11, 9)
    page = body(desk(client, "view_hold").get(LIST))
    at_nine, at_eleven = (times.moment(wall(hour)).replace(times.NBSP, " ") for hour in (9, 11))
    assert 0 < page.index(at_nine) < page.index(at_eleven)


def test_one_action_frees_them_all(client: Client) -> None:
    hoarded(9, 11, 13)
    one = Hold.objects.all()[0]
    staff = desk(client, "view_hold", "delete_hold")
    free(staff, one, everything=True)
    assert (Hold.objects.count(), Occupancy.objects.count()) == (0, 0)
    assert "3 times are free again." in body(staff.get(LIST))


def test_only_the_ticked_ones_are_freed(client: Client) -> None:
    hoarded(9, 11, 13)
    first, second, third = Hold.objects.order_by("starts_at")
    free(desk(client, "view_hold", "delete_hold"), first, third)
    assert list(Hold.objects.all()) == [second]


def test_whoever_may_only_look_frees_nothing(client: Client) -> None:
    hoarded(9)
    staff = desk(client, "view_hold")
    staff.post(LIST, {"action": "free", "_selected_action": [Hold.objects.get().pk]})
    assert Hold.objects.count() == 1
    assert "Free these times" not in body(staff.get(LIST))


def test_a_patient_whose_time_was_freed_has_it_again_with_the_next_page(client: Client) -> None:
    visit_type, patient = hoarded(), Client()
    pass_gate(patient)
    choose(patient, visit_type)
    free(desk(client, "view_hold", "delete_hold"), *Hold.objects.all())
    assert patient.post(address(visit_type), TYPED).status_code == 302
    assert Hold.objects.get().starts_at == wall(10)
