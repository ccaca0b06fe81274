"""Today: what needs care, the visits by practitioner and by room with their phases, and how it keeps up to date."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from booking import times
from booking.admin.today import places
from booking.models import Appointment, Offer, Resource, Status
from clinic.models import AuditRow
from tests.booking import test_course_operations
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_patient,
    make_room,
    wall,
)
from tests.booking.test_calendar import clinic, nbsp
from tests.booking.test_desk import TODAY, make_staff, page_of, signed_in
from tests.booking.test_moves_and_offers import offer
from tests.booking.test_operations import staff
from tests.site.test_sign_in import let_pass

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

LISTS = "/admin/today/"
PERMISSIONS = ("decide_appointment", "view_appointment", "view_course")


@pytest.fixture
def receptionist() -> Client:
    return signed_in(make_staff("receptionist", *PERMISSIONS))


# --- Needs care -------------------------------------------------------------------------------------------------


def ending(made: Offer, within: timedelta) -> Offer:
    made.expires_at = timezone.now() + within
    made.save()
    return made


def care(client: Client) -> list[Offer]:
    found: list[Offer] = client.get(TODAY).context["offers_ending"]
    return found


def test_an_offer_that_ends_soon_needs_care(receptionist: Client) -> None:
    visit_type = make_clinic()
    patient = make_patient("Parisa Karimi", phone="416-555-0123")
    soon = make_appointment(visit_type, starts_at=wall(10), patient=patient)
    later = make_appointment(visit_type, starts_at=wall(14), patient=make_patient("Wing Chan"))
    ends_soon = ending(offer(soon, wall(11)), timedelta(hours=3, minutes=59))
    ending(offer(later, wall(15), by=ends_soon.by), timedelta(hours=4, minutes=1))
    page = receptionist.get(TODAY)
    assert page.context["offers_ending"] == [ends_soon]
    content = " ".join(page.content.decode().split())
    assert f'<a href="{page_of(soon)}"><bdi>Parisa Karimi</bdi>, {soon.reference}</a>' in content
    until = " ".join(times.moment(ends_soon.expires_at).split())
    assert f"The times that we offered are kept until {until}. Phone: <bdi>416-555-0123</bdi>" in content
    assert "Wing Chan" not in content


def test_what_was_answered_or_has_run_out_needs_none(receptionist: Client) -> None:
    visit_type = make_clinic()
    asked = make_appointment(visit_type, starts_at=wall(10))
    made = ending(offer(asked, wall(11)), timedelta(hours=1))
    assert care(receptionist) == [made]
    ending(made, timedelta(seconds=-1))
    assert care(receptionist) == []
    ending(made, timedelta(hours=1))
    Appointment.objects.update(status=Status.CANCELLED)
    assert care(receptionist) == []


def test_of_two_offers_to_one_patient_the_standing_one_counts(receptionist: Client) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10))
    first = ending(offer(asked, wall(11)), timedelta(hours=1))
    first.options.all().delete()  # as when the patient asks for another time instead
    asked.refresh_from_db()
    Appointment.objects.update(status=Status.PENDING)
    second = ending(offer(asked, wall(12), by=first.by), timedelta(hours=2))
    assert care(receptionist) == [second]


def test_an_offered_course_that_ends_soon_needs_care_too(receptionist: Client) -> None:
    course = test_course_operations.offer(make_clinic())
    made = ending(Offer.objects.get(course=course), timedelta(hours=1))
    page = receptionist.get(TODAY)
    assert page.context["offers_ending"] == [made]
    assert f"/admin/booking/course/{course.pk}/change/" in page.content.decode()


# --- Today's visits ---------------------------------------------------------------------------------------------


def shown(kind: Resource.Kind, *, now: datetime, sees_everybody: bool = True) -> list[Any]:
    day = times.local_day(wall(0))
    seen = Appointment.objects.all()
    return places(day, seen, kind=kind, sees_everybody=sees_everybody, now=now)


def two_visits() -> list[Appointment]:
    """One at 9 and one at 11, of 45 minutes each, with a rest from the 20th minute to the 40th."""
    visit_type, _mei = clinic(rooms=3)
    rooms = Resource.objects.rooms()
    return [
        make_appointment(visit_type, starts_at=wall(9), room=rooms[0], status=Status.BOOKED),
        make_appointment(visit_type, starts_at=wall(11), room=rooms[1]),
    ]


def test_a_practitioners_day_says_when_they_are_free() -> None:
    first, second = two_visits()
    [mei] = shown(Resource.Kind.PRACTITIONER, now=wall(8))
    assert [(visit.appointment, visit.idle) for visit in mei.visits] == [
        (first, nbsp("9:20 am to 9:40 am")),
        (second, nbsp("11:20 am to 11:40 am")),
    ]
    assert mei.free == nbsp(
        "9:20 am to 9:40 am, 9:45 am to 11:00 am, 11:20 am to 11:40 am, 11:45 am to 7:00 pm"
    )
    [mei] = shown(Resource.Kind.PRACTITIONER, now=wall(11, 30))
    assert mei.free == nbsp("11:45 am to 7:00 pm")
    [mei] = shown(Resource.Kind.PRACTITIONER, now=wall(18, 50))
    assert mei.free == ""


def test_the_strip_shows_hands_on_phases_rests_and_what_is_only_asked_for() -> None:
    two_visits()
    [mei] = shown(Resource.Kind.PRACTITIONER, now=wall(14))
    # From 9 am to 7 pm: a tenth of it is an hour.
    assert [(piece.kind, piece.x, piece.width) for piece in mei.strip.pieces] == [
        ("open", "0.00%", "100.00%"),
        ("rest", "3.33%", "3.33%"),
        ("rest", "23.33%", "3.33%"),
        ("asked", "20.00%", "3.33%"),
        ("asked", "26.67%", "0.83%"),
        ("busy", "0.00%", "3.33%"),
        ("busy", "6.67%", "0.83%"),
    ]
    assert mei.strip.now == "50.00%"
    assert mei.strip.hours[:2] == [("10.00%", 10), ("30.00%", 12)]
    [mei] = shown(Resource.Kind.PRACTITIONER, now=wall(20))
    assert mei.strip.now == ""


def test_by_room_the_visits_stand_in_their_rooms_and_free_rooms_are_seen() -> None:
    first, second = two_visits()
    Appointment.objects.filter(pk=second.pk).update(room=None)
    second.occupancies.filter(resource__kind=Resource.Kind.ROOM).delete()
    found = shown(Resource.Kind.ROOM, now=wall(8))
    assert [
        (place.resource and place.resource.name, [visit.appointment for visit in place.visits], place.free)
        for place in found
    ] == [
        ("Room 1", [first], nbsp("9:55 am to 7:00 pm")),  # turned over for ten minutes after the visit
        ("Room 2", [], nbsp("9:00 am to 7:00 pm")),
        ("Room 3", [], nbsp("9:00 am to 7:00 pm")),
        (None, [second], ""),
    ]
    kinds = [piece.kind for piece in found[0].strip.pieces]
    assert kinds == ["open", "rest", "rest", "busy", "busy"]


def test_who_sees_only_their_own_sees_no_room_without_them() -> None:
    two_visits()
    found = shown(Resource.Kind.ROOM, now=wall(8), sees_everybody=False)
    assert [place.resource.name for place in found] == ["Room 1", "Room 2"]


def test_the_view_is_chosen_by_a_link_and_answers_lead_back_to_it(receptionist: Client) -> None:
    visit = make_appointment(starts_at=timezone.now(), status=Status.BOOKED)
    by_room = receptionist.get(TODAY, {"by": "room"}).content.decode()
    assert 'href="/admin/?by=room#visits" aria-current="true"' in by_room
    assert f"/admin/booking/appointment/{visit.pk}/arrived/?next=%2Fadmin%2F%3Fby%3Droom" in by_room
    assert receptionist.get(TODAY, {"by": "nonsense"}).context["by"] == Resource.Kind.PRACTITIONER


# --- Keeping up to date -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("requests", [1, 3])
def test_keeping_up_to_date_takes_the_same_number_of_queries_however_much_there_is(
    receptionist: Client, django_assert_num_queries: DjangoAssertNumQueries, requests: int
) -> None:
    visit_type, by = make_clinic(), staff()
    for number in range(requests):
        room = make_room()
        for days_ahead in (0, 2):
            starts_at = wall(9 + number, days_ahead=days_ahead)
            make_appointment(visit_type, starts_at=starts_at, room=room)
        ended = make_appointment(visit_type, starts_at=wall(9 + number, days_ahead=3), room=room)
        ending(offer(ended, wall(14 + number, days_ahead=3), by=by), timedelta(hours=1))
    receptionist.get(TODAY)
    with django_assert_num_queries(21):
        receptionist.get(LISTS, {"by": "room"})


def test_the_lists_alone_say_how_many_requests_are_new_or_that_something_else_is(
    receptionist: Client,
) -> None:
    visit_type = make_clinic()
    known = make_appointment(visit_type, starts_at=wall(10))
    answer = receptionist.get(LISTS, {"known": [str(known.pk), "nonsense"]})
    assert 'data-news="Today has been brought up to date."' in answer.content.decode()
    for hour in (12, 14):
        make_appointment(visit_type, starts_at=wall(hour), patient=make_patient("Wing Chan"))
    content = receptionist.get(LISTS, {"known": known.pk}).content.decode()
    assert 'data-news="2 new requests"' in content
    assert "Wing Chan" in content
    assert "<html" not in content


def test_a_row_of_the_trail_is_written_only_when_somebody_else_is_shown(receptionist: Client) -> None:
    visit_type = make_clinic()
    make_appointment(visit_type, starts_at=wall(10))
    receptionist.get(TODAY)
    for _ in range(3):
        assert receptionist.get(LISTS).status_code == 200
    assert AuditRow.objects.count() == 1
    make_appointment(visit_type, starts_at=wall(12), patient=make_patient("Wing Chan"))
    receptionist.get(LISTS)
    receptionist.get(LISTS)
    assert list(AuditRow.objects.order_by("pk").values_list("act", "kind")) == [("list", "today")] * 2


def test_a_page_left_open_keeps_nobody_signed_in(receptionist: Client) -> None:
    receptionist.get(TODAY)
    for _ in range(5):
        let_pass(receptionist, since_active=timedelta(minutes=5))
        assert receptionist.get(LISTS).status_code == 200
    let_pass(receptionist, since_active=timedelta(minutes=5, seconds=1))
    over = receptionist.get(LISTS)
    assert (over.status_code, over["Location"]) == (302, "/admin/login/?next=/admin/today/")
    page = receptionist.get("/admin/login/").content.decode()
    assert "You were signed out, because nothing happened here for a while." in page


def test_strangers_and_who_may_see_no_appointments_get_no_lists(client: Client) -> None:
    make_appointment()
    assert client.get(LISTS)["Location"].startswith("/admin/login/")
    assert signed_in(make_staff("editor", "change_article")).get(LISTS).status_code == 403
