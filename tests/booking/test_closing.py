"""Closures and changed hours: every visit that they hit is shown first, then kept, moved or cancelled one by one."""

import re
from datetime import datetime, time, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking import displaced, times
from booking.models import (
    Appointment,
    Closure,
    Hold,
    Occupancy,
    OfferNote,
    Resource,
    Status,
    StatusChange,
    VisitType,
    WorkingHours,
)
from booking.operations import cancel_appointment, hold_time
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_closure,
    make_hours,
    make_patient,
    make_practitioner,
    make_room,
    make_visit_type,
    phase,
    wall,
)
from tests.booking.test_desk import TODAY, make_staff, rows, said, signed_in
from tests.booking.test_moves_and_offers import offer

ADD = "/admin/booking/closure/add/"
VISITS = "/admin/booking/closure/visits/"

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


@pytest.fixture
def desk() -> Client:
    return signed_in(
        make_staff(
            "receptionist",
            *("decide_appointment", "view_appointment", "add_closure", "change_closure", "view_closure"),
            *("view_resource", "change_resource", "change_workinghours", "delete_workinghours"),
            *("add_workinghours", "view_workinghours", "view_extrahours"),
        )
    )


def closure(resource: Resource | None, starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    """The form of a closure as the browser sends it."""
    return {
        "resource": resource.pk if resource else "",
        "starts_at_0": f"{starts_at:%Y-%m-%d}",
        "starts_at_1": f"{starts_at:%H:%M}",
        "ends_at_0": f"{ends_at:%Y-%m-%d}",
        "ends_at_1": f"{ends_at:%H:%M}",
    }


def form_on(page: str) -> dict[str, str]:
    """What the page about the visits would send if it is confirmed as it stands."""
    sent = {}
    for tag in re.findall(r"<input [^>]*>", page.partition('id="content-main"')[2]):
        given = {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if given["type"] == "hidden" or tag.endswith(" checked>"):
            sent[given["name"]] = given["value"]
    del sent["csrfmiddlewaretoken"]
    return sent | {"_confirmed": "yes"}


def choices(page: str, appointment: Appointment) -> list[str]:
    return [
        unescape(value) for value in re.findall(rf'name="choice-{appointment.pk}" [^>]*value="([^"]+)"', page)
    ]


def ask(client: Client, address: str, typed: dict[str, Any] | None = None) -> str:
    response = client.post(address, typed) if typed is not None else client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def lines(response: Any) -> list[str]:
    """What the page says of each visit, as text."""
    page = b"".join(response.streaming_content).decode()
    assert "Finished" in page
    found = re.findall(r"<li[^>]*>\s*(<b>\d+ of.*?)</li>", page, re.DOTALL)
    return [plain(unescape(re.sub(r"<[^>]+>", " ", line))) for line in found]


def plain(text: str) -> str:
    """Every space as one space."""
    return " ".join(text.split())


def confirm(client: Client, address: str, form: dict[str, Any]) -> list[str]:
    return lines(client.post(address, form))


def state(appointment: Appointment) -> tuple[str, datetime, Resource]:
    appointment.refresh_from_db()
    return appointment.status, appointment.starts_at, appointment.practitioner


def with_colleague() -> tuple[VisitType, Resource, Resource]:
    """A visit type that two practitioners give in two rooms."""
    visit_type = make_clinic(practitioners=2, rooms=2)
    first, second = visit_type.practitioners.order_by("pk")
    return visit_type, first, second


# --- Nothing is changed before it is confirmed ------------------------------------------------------------------


def test_a_closure_first_shows_what_it_would_hit_and_changes_nothing(desk: Client) -> None:
    visit_type, mei, sara = with_colleague()
    booked = make_appointment(visit_type, starts_at=wall(10), practitioner=mei, status=Status.BOOKED)
    asked = make_appointment(visit_type, starts_at=wall(14), practitioner=mei)
    proposed = make_appointment(visit_type, starts_at=wall(9, days_ahead=9), practitioner=sara)
    offer(proposed, wall(16))
    hold_time(
        visitor=uuid4(), visit_type=visit_type, starts_at=wall(12), practitioner=mei, now=timezone.now()
    )
    other_day = make_appointment(visit_type, starts_at=wall(10, days_ahead=3), practitioner=mei)
    over = make_appointment(visit_type, starts_at=wall(11), practitioner=mei, status=Status.CANCELLED)

    page = ask(desk, ADD, closure(None, wall(9), wall(19)))

    assert Closure.objects.count() == 0
    assert re.findall(r'name="choice-(\d+)" id="choice-\d+-1"', page) == [
        str(one.pk) for one in (booked, asked, proposed)
    ]
    assert "A visitor is filling in the form" in page
    assert str(other_day.pk) not in re.findall(r'name="choice-(\d+)"', page)
    assert str(over.pk) not in re.findall(r'name="choice-(\d+)"', page)
    assert QueuedMail.objects.filter(kind__in=["moved", "cancelled", "declined"]).count() == 0


def test_a_visit_whose_rest_alone_lies_in_the_closure_is_not_hit(desk: Client) -> None:
    """The practitioner is not needed while the patient rests."""
    parts = [phase(15), phase(30, needs_practitioner=False), phase(15)]
    visit_type = make_clinic(phases=parts)
    mei = visit_type.practitioners.get()
    make_appointment(visit_type, starts_at=wall(10), status=Status.BOOKED)
    response = desk.post(ADD, closure(mei, wall(10, 15), wall(10, 45)))
    assert response.status_code == 302
    assert Closure.objects.count() == 1
    page = ask(desk, ADD, closure(mei, wall(10, 15), wall(10, 50)))
    assert "1 visit lies where nobody would be." in page


def test_what_closes_nothing_asks_nothing(desk: Client) -> None:
    visit_type = make_clinic()
    make_appointment(visit_type, starts_at=wall(10), status=Status.BOOKED)
    free_day = closure(None, wall(9, days_ahead=3), wall(19, days_ahead=3))
    proposed = closure(None, wall(9), wall(19)) | {"proposed": "on"}
    for form in (free_day, proposed):
        assert desk.post(ADD, form).status_code == 302
    assert Closure.objects.count() == 2


def test_a_year_out_of_all_proportion_is_said_at_its_field(desk: Client) -> None:
    make_appointment(make_clinic(), starts_at=wall(10), status=Status.BOOKED)
    typed = closure(None, wall(9), wall(19))
    page = ask(desk, ADD, typed | {"ends_at_0": "9999-12-31", "ends_at_1": "23:59"})
    assert "Enter a date of these years." in page
    assert "9999-12-31" in page
    assert "Enter a date of these years." in ask(desk, ADD, typed | {"starts_at_0": "0001-01-01"})


# --- Keep, move, offer, cancel ----------------------------------------------------------------------------------


def test_each_visit_is_kept_moved_or_cancelled_as_chosen(desk: Client) -> None:
    visit_type, mei, sara = with_colleague()
    kept = make_appointment(visit_type, starts_at=wall(9), practitioner=mei, status=Status.BOOKED)
    moved = make_appointment(visit_type, starts_at=wall(11), practitioner=mei, status=Status.BOOKED)
    off = make_appointment(visit_type, starts_at=wall(13), practitioner=mei, status=Status.BOOKED)
    page = ask(desk, ADD, closure(mei, wall(9), wall(19)))
    assert choices(page, moved)[1] == f"move {times.write_start(wall(11))}/{sara.slug}"
    chosen = {f"choice-{kept.pk}": "keep", f"choice-{off.pk}": "cancel"}

    told = confirm(desk, ADD, form_on(page) | chosen)

    assert [line.partition(": ")[2].rpartition(": ")[2] for line in told] == [
        "kept",
        plain(f"moved to {times.moment(wall(11))}, {sara}"),
        "cancelled",
    ]
    assert state(kept) == (Status.BOOKED, wall(9), mei)
    assert state(moved) == (Status.BOOKED, wall(11), sara)
    assert state(off) == (Status.CANCELLED, wall(13), mei)
    assert [(one.resource, one.starts_at, one.ends_at) for one in Closure.objects.all()] == [
        (mei, wall(9), wall(19))
    ]
    assert books.overlaps() == 0
    assert displaced.to_decide(now=timezone.now()).appointments == []


def test_a_cancellation_that_the_clinic_caused_is_sorry_and_names_free_times(desk: Client) -> None:
    visit_type = make_clinic()
    mei = visit_type.practitioners.get()
    off = make_appointment(visit_type, starts_at=wall(10), status=Status.BOOKED)
    page = ask(desk, ADD, closure(mei, wall(9), wall(19)))
    confirm(desk, ADD, form_on(page) | {f"choice-{off.pk}": "cancel"})
    mail = QueuedMail.objects.get(kind="cancelled", to=off.patient.email)
    assert f"We are sorry: we have to cancel your visit on {times.moment(wall(10))}." in mail.text
    assert "The practitioner is away at this time." in mail.text
    assert times.moment(wall(9, days_ahead=3)) in mail.text
    assert times.in_words(times.local_day(wall(9))) not in mail.text.partition("free now")[2]
    assert "You do not need to do anything" not in mail.text
    assert mail.calendar


def test_a_request_is_offered_other_times_or_declined(desk: Client) -> None:
    visit_type = make_clinic()
    mei = visit_type.practitioners.get()
    asked, refused = (make_appointment(visit_type, starts_at=wall(hour)) for hour in (10, 15))
    page = ask(desk, ADD, closure(mei, wall(9), wall(19)))
    assert [choice.partition(" ")[0] for choice in choices(page, asked)] == ["keep", "offer", "cancel"]
    confirm(desk, ADD, form_on(page) | {f"choice-{refused.pk}": "cancel"})
    assert state(asked)[0] == Status.PROPOSED
    assert asked.offers.get().note == OfferNote.AWAY
    offered = asked.offers.get().options.order_by("starts_at")
    assert [option.starts_at for option in offered] == [wall(10, days_ahead=days) for days in (3, 4, 5)]
    assert state(refused)[0] == Status.DECLINED
    assert sorted(QueuedMail.objects.values_list("kind", flat=True)) == ["declined", "other_times_offered"]


def test_who_must_be_called_first_is_offered_nothing(desk: Client) -> None:
    visit_type = make_clinic()
    urgent = make_appointment(visit_type, starts_at=wall(10), call_back=True)
    page = ask(desk, ADD, closure(None, wall(9), wall(19)))
    acts = {choice.partition(" ")[0] for choice in choices(page, urgent)}
    assert acts == {"keep", "move", "cancel"}


def test_the_first_times_of_many_visits_can_all_be_had(desk: Client) -> None:
    visit_type, mei, _ = with_colleague()
    hours = (9, 10, 11, 12, 14, 16)
    visits = [
        make_appointment(visit_type, starts_at=wall(hour), practitioner=mei, status=Status.BOOKED)
        for hour in hours
    ]
    found = displaced.other_times(
        visits, closures=[Closure(resource=mei, starts_at=wall(9), ends_at=wall(19))], now=timezone.now()
    )
    first = [found[one.pk][0] for one in visits]
    assert [one.starts_at for one in first] == [wall(hour) for hour in hours]
    told = confirm(desk, ADD, form_on(ask(desk, ADD, closure(mei, wall(9), wall(19)))))
    assert len(told) == len(hours)
    assert [state(one)[1:] for one in visits] == [(was.starts_at, was.practitioner) for was in first]
    assert books.overlaps() == 0


def test_two_visits_are_not_given_the_same_time() -> None:
    visit_type = make_clinic(rooms=2)
    mei = visit_type.practitioners.get()
    visits = [make_appointment(visit_type, starts_at=wall(hour), status=Status.BOOKED) for hour in (9, 10)]
    morning = Closure(resource=mei, starts_at=wall(9), ends_at=wall(11))
    found = displaced.other_times(visits, closures=[morning], now=timezone.now())
    assert [found[one.pk][0].starts_at for one in visits] == [wall(11), wall(11, 45)]


def test_the_times_offered_for_one_request_can_be_held_together() -> None:
    visit_type = make_clinic(practitioners=2, rooms=1)
    mei, sara = visit_type.practitioners.order_by("pk")
    asked = make_appointment(visit_type, starts_at=wall(10), practitioner=mei)
    early = Closure(resource=mei, starts_at=wall(9), ends_at=wall(10, 15))
    found = displaced.other_times([asked], closures=[early], now=timezone.now())
    assert [(one.starts_at, one.practitioner) for one in found[asked.pk]] == [
        (wall(10), sara),
        (wall(10, days_ahead=3), mei),
        (wall(10, days_ahead=4), mei),
    ]


def test_a_room_that_cannot_be_used_moves_its_visits_next_door(desk: Client) -> None:
    visit_type = make_clinic(rooms=2)
    one, other = Resource.objects.rooms().order_by("pk")
    visit = make_appointment(visit_type, starts_at=wall(10), room=one, status=Status.BOOKED)
    page = ask(desk, ADD, closure(one, wall(9), wall(19)))
    confirm(desk, ADD, form_on(page))
    assert state(visit)[1] == wall(10)
    assert visit.room == other


def test_a_held_time_is_freed(desk: Client) -> None:
    visit_type = make_clinic()
    facts: dict[str, Any] = {"visit_type": visit_type, "practitioner": None, "now": timezone.now()}
    hold_time(visitor=uuid4(), starts_at=wall(10), **facts)
    spared = hold_time(visitor=uuid4(), starts_at=wall(15), **facts)
    page = ask(desk, ADD, closure(None, wall(9), wall(19)))
    confirm(desk, ADD, form_on(page) | {f"hold-{spared.pk}": "keep"})
    assert list(Hold.objects.all()) == [spared]


def test_who_gave_no_address_is_to_be_called(desk: Client) -> None:
    visit_type = make_clinic()
    patient = make_patient("Tom Lee", email="", phone="905-555-0199")
    make_appointment(visit_type, starts_at=wall(10), status=Status.BOOKED, patient=patient)
    [told] = confirm(desk, ADD, form_on(ask(desk, ADD, closure(None, wall(9), wall(19)))))
    assert told.endswith("No e-mail address: please call 905-555-0199 .")


@pytest.mark.parametrize(("all_to", "act"), [("cancel", "cancel"), ("keep", "keep"), ("move", "move")])
def test_all_visits_are_set_to_one_thing_at_once(desk: Client, all_to: str, act: str) -> None:
    visit_type = make_clinic()
    for hour in (10, 12):
        make_appointment(visit_type, starts_at=wall(hour), status=Status.BOOKED)
    typed = closure(None, wall(9), wall(19))
    form = form_on(ask(desk, ADD, typed)) | {"_all": all_to}
    del form["_confirmed"]  # another button is pressed
    sent = form_on(ask(desk, ADD, form))
    assert {value.partition(" ")[0] for name, value in sent.items() if name.startswith("choice-")} == {act}
    assert typed.items() <= sent.items()


# --- Hours ------------------------------------------------------------------------------------------------------


def hours_form(mei: Resource, closes: str) -> dict[str, Any]:
    """The practitioner's page with one row of hours for each weekday, all ending at this time."""
    own = list(WorkingHours.objects.filter(practitioner=mei).order_by("weekday"))
    weekly = [
        {"id": row.pk, "practitioner": mei.pk, "weekday": row.weekday, "opens": "09:00", "closes": closes}
        for row in own
    ]
    facts = {"name": mei.name, "slug": mei.slug, "title": mei.title, "position": 0, "is_active": "on"}
    return facts | rows("working_hours", *weekly, initial=len(own)) | rows("extra_hours")


def test_shorter_hours_first_show_the_visits_that_would_lie_outside(desk: Client) -> None:
    visit_type = make_clinic()
    mei = visit_type.practitioners.get()
    late = make_appointment(visit_type, starts_at=wall(18), status=Status.BOOKED)
    make_appointment(visit_type, starts_at=wall(16), status=Status.BOOKED)
    address = f"/admin/booking/resource/{mei.pk}/change/"
    page = ask(desk, address, hours_form(mei, "17:30"))
    assert set(WorkingHours.objects.values_list("closes", flat=True)) == {time(19)}
    assert re.findall(r'name="version-(\d+)"', page) == [str(late.pk)]
    assert len(confirm(desk, address, form_on(page))) == 1
    assert set(WorkingHours.objects.values_list("closes", flat=True)) == {time(17, 30)}
    assert state(late)[1] == wall(16, 45, days_ahead=3)
    assert books.overlaps() == 0


def test_a_practitioner_who_takes_no_visits_any_more_leaves_none_behind(desk: Client) -> None:
    visit_type, mei, sara = with_colleague()
    visit = make_appointment(visit_type, starts_at=wall(18), practitioner=mei, status=Status.BOOKED)
    address = f"/admin/booking/resource/{mei.pk}/change/"
    form = hours_form(mei, "19:00")
    del form["is_active"]
    confirm(desk, address, form_on(ask(desk, address, form)))
    assert state(visit) == (Status.BOOKED, wall(18), sara)


@pytest.mark.parametrize(
    ("opens", "closes", "outside"),
    [
        ((9, 0), (19, 0), False),
        ((10, 0), (10, 45), False),
        ((10, 5), (19, 0), True),
        ((9, 0), (10, 40), True),
    ],
)
def test_a_visit_is_outside_the_hours_by_a_minute_of_it(
    opens: tuple[int, int], closes: tuple[int, int], outside: int
) -> None:
    mei = make_practitioner()
    make_hours(mei, opens=time(*opens), closes=time(*closes))
    make_room()
    make_appointment(make_visit_type(practitioners=[mei]), starts_at=wall(10), status=Status.BOOKED)
    assert len(displaced.to_decide(now=timezone.now()).appointments) == outside


def test_hours_that_meet_are_one(desk: Client) -> None:
    mei = make_practitioner()
    make_hours(mei, opens=time(9), closes=time(12))
    make_hours(mei, opens=time(12), closes=time(19))
    make_room()
    make_appointment(make_visit_type(practitioners=[mei]), starts_at=wall(11, 30), status=Status.BOOKED)
    assert not displaced.to_decide(now=timezone.now())


# --- Ill today --------------------------------------------------------------------------------------------------


@pytest.fixture
def morning(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """At the desk it is eight in the morning of a day to come, which is today from then on."""
    at = wall(8, days_ahead=1)
    monkeypatch.setattr(timezone, "now", lambda: at)
    return at


def test_a_practitioner_is_away_today_in_two_clicks(morning: datetime, desk: Client) -> None:
    visit_type, mei, sara = with_colleague()
    visits = [
        make_appointment(
            visit_type, starts_at=wall(hour, days_ahead=0), practitioner=mei, status=Status.BOOKED
        )
        for hour in (9, 10, 11)
    ]
    tomorrow = make_appointment(
        visit_type, starts_at=wall(9, days_ahead=1), practitioner=mei, status=Status.BOOKED
    )
    away = f"/admin/booking/resource/{mei.pk}/away/"
    assert f'href="{away}"' in ask(desk, TODAY)
    page = ask(desk, away)
    assert Closure.objects.count() == 0
    told = confirm(desk, away, form_on(page))
    assert len(told) == 3
    assert [state(one) for one in visits] == [
        (Status.BOOKED, wall(hour, days_ahead=0), sara) for hour in (9, 10, 11)
    ]
    assert state(tomorrow) == (Status.BOOKED, wall(9, days_ahead=1), mei)
    assert [(one.resource, one.starts_at, one.ends_at) for one in Closure.objects.all()] == [
        (mei, morning, wall(0, days_ahead=1))
    ]


def test_who_has_arrived_or_should_be_here_already_is_kept_unless_staff_say_else(
    morning: datetime, desk: Client
) -> None:
    visit_type = make_clinic()
    mei = visit_type.practitioners.get()
    arrived = make_appointment(visit_type, starts_at=wall(7, 45, days_ahead=0), status=Status.ARRIVED)
    page = ask(desk, f"/admin/booking/resource/{mei.pk}/away/")
    assert choices(page, arrived) == ["keep"]


# --- Two at once, faults, and the same form again ---------------------------------------------------------------


def test_what_changed_between_look_and_confirmation_is_told_and_the_others_go_on(desk: Client) -> None:
    visit_type, mei, sara = with_colleague()
    first, second, third = (
        make_appointment(visit_type, starts_at=wall(hour), practitioner=mei, status=Status.BOOKED)
        for hour in (9, 11, 13)
    )
    form = form_on(ask(desk, ADD, closure(mei, wall(9), wall(19))))
    cancel_appointment(appointment=first, version=1, by=None, now=timezone.now())
    make_appointment(
        visit_type, starts_at=wall(11), practitioner=sara, status=Status.BOOKED, room=make_room()
    )
    told = confirm(desk, ADD, form)
    assert "It has changed since you looked: it is now cancelled. Nothing was done." in told[0]
    assert "The other time has just been taken. Nothing was done." in told[1]
    assert "moved to" in told[2]
    assert state(second) == (Status.BOOKED, wall(11), mei)
    assert state(third)[2] == sara
    assert displaced.to_decide(now=timezone.now()).appointments == [second]


def test_what_a_fault_left_undone_is_still_shown_and_the_same_form_goes_on(desk: Client) -> None:
    visit_type, mei, _ = with_colleague()
    visits = [
        make_appointment(visit_type, starts_at=wall(hour), practitioner=mei, status=Status.BOOKED)
        for hour in (9, 11, 13)
    ]
    form = form_on(ask(desk, ADD, closure(mei, wall(9), wall(19))))
    working: Any = desk.post(ADD, form)
    pages = iter(working.streaming_content)
    assert b"1 of 3" in next(pages) + next(pages)
    del pages, working  # nobody reads on: the browser is closed, or the server falls over

    assert displaced.to_decide(now=timezone.now()).appointments == visits[1:]
    assert "2 visits lie in closures or outside the hours." in " ".join(ask(desk, TODAY).split())
    assert re.findall(r'name="version-(\d+)"', ask(desk, VISITS)) == [str(one.pk) for one in visits[1:]]

    assert ["moved to" in line for line in confirm(desk, ADD, form)] == [True, True, True]
    assert displaced.to_decide(now=timezone.now()).appointments == []
    assert Closure.objects.count() == 1
    assert QueuedMail.objects.filter(kind="moved").count() == 3
    assert [one.version for one in Appointment.objects.order_by("starts_at")] == [2, 2, 2]


def test_what_is_left_is_decided_on_its_own_page_and_what_is_kept_is_not_asked_again(desk: Client) -> None:
    visit_type, mei, _ = with_colleague()
    moved, kept = (
        make_appointment(visit_type, starts_at=wall(hour), practitioner=mei, status=Status.BOOKED)
        for hour in (9, 11)
    )
    make_closure(wall(9), wall(19), mei)
    confirm(desk, VISITS, form_on(ask(desk, VISITS)) | {f"choice-{kept.pk}": "keep"})
    assert "No visit lies where nobody would be." in ask(desk, VISITS)
    assert "Decide about them" not in ask(desk, TODAY)
    assert StatusChange.objects.filter(appointment=kept).last().reason == "kept"  # type: ignore[union-attr]
    assert Occupancy.objects.filter(appointment=kept).count() == 2
    assert state(moved)[1] == wall(9)
    # A closure more that hits it is asked about all the same.
    assert f'name="choice-{kept.pk}"' in ask(desk, ADD, closure(None, wall(9), wall(19)))


@pytest.mark.parametrize("sent", ["", "nonsense", "move", "move x/y", "offer \x00", "cancel now"])
def test_a_choice_that_nobody_offered_changes_nothing(desk: Client, sent: str) -> None:
    visit_type = make_clinic()
    visit = make_appointment(visit_type, starts_at=wall(10), status=Status.BOOKED)
    form = {f"choice-{visit.pk}": sent, f"version-{visit.pk}": "1", "_confirmed": "yes", "_key": "x"}
    told = confirm(desk, VISITS, form | {"choice-999999999999999999": "cancel", "hold-1": "free"})
    assert [line.endswith("Nothing was done.") for line in told] == [True]
    assert state(visit)[0] == Status.BOOKED


# --- Who may ----------------------------------------------------------------------------------------------------


def test_who_may_not_decide_sees_no_patient_and_decides_nothing(desk: Client) -> None:
    visit_type = make_clinic()
    visit = make_appointment(visit_type, starts_at=wall(10), status=Status.BOOKED)
    planner = signed_in(make_staff("planner", "add_closure", "view_closure", "view_appointment"))
    page = ask(planner, ADD, closure(None, wall(9), wall(19)))
    assert "1 visit lies where nobody would be." in page
    assert visit.patient.name not in page
    confirm(planner, ADD, form_on(page) | {f"choice-{visit.pk}": "cancel", f"version-{visit.pk}": "1"})
    assert (Closure.objects.count(), state(visit)[0]) == (1, Status.BOOKED)
    for address in (VISITS, f"/admin/booking/resource/{visit.practitioner_id}/away/"):
        assert planner.get(address).status_code == 403
        assert planner.post(address, {"_confirmed": "yes"}).status_code == 403


def test_a_proposed_holiday_that_would_hit_visits_is_not_accepted_unseen(desk: Client) -> None:
    make_appointment(make_clinic(), starts_at=wall(10), status=Status.BOOKED)
    for days in (2, 3):
        Closure.objects.create(
            starts_at=wall(0, days_ahead=days), ends_at=wall(23, days_ahead=days), proposed=True
        )
    response = desk.post(
        "/admin/booking/closure/",
        {"action": "accept", "_selected_action": list(Closure.objects.values_list("pk", flat=True))},
    )
    assert said(response) == [
        "1 closure would hit visits: open it and take away “only proposed” to see which.",
        "1 proposed closure is accepted: nothing can be booked then any more.",
    ]
    assert [one.proposed for one in Closure.objects.order_by("starts_at")] == [True, False]


# --- How much it asks of the database ---------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_costs_the_same_however_many_visits_are_hit(desk: Client, count: int) -> None:
    visit_type = make_clinic(phases=[phase(15)])
    for number in range(count):
        make_appointment(
            visit_type,
            starts_at=wall(9) + number * timedelta(minutes=15),
            status=[Status.BOOKED, Status.PENDING][number % 2],
        )
    make_closure(wall(9), wall(19))
    with CaptureQueriesContext(connection) as asked:
        page = ask(desk, VISITS)
    assert page.count('name="version-') == count
    assert len(asked) == 20, "\n".join(query["sql"][:150] for query in asked)
