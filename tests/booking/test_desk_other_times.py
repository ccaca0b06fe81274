"""The desk gives a visit another time: offers one to three, moves it, or puts it over another on purpose."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking import times
from booking.models import Appointment, Hold, Offer, OfferNote, Status
from booking.operations import hold_time
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_hours,
    make_practitioner,
    wall,
)
from tests.booking.test_desk import act, make_staff, page_of, said, signed_in
from tests.booking.test_moves_and_offers import offer

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


@pytest.fixture
def receptionist() -> Client:
    return signed_in(make_staff("receptionist", "decide_appointment", "view_appointment"))


@pytest.fixture
def owner() -> Client:
    return signed_in(make_staff("owner", "decide_appointment", "view_appointment", "overlap_appointment"))


def fields(page: str) -> dict[str, str]:
    """The version and key that a page of the desk would send."""
    return {
        name: unescape(re.search(rf'name="{name}" value="([^"]+)"', page)[1])  # type: ignore[index]
        for name in ("version", "key")
    }


def picks(page: str) -> dict[str, bool]:
    """Each time that can be picked, and whether it is."""
    return {
        unescape(value): bool(is_checked)
        for value, is_checked in re.findall(r'name="pick" value="([^"]+)"( checked)?', page)
    }


def chosen_note(page: str) -> list[str]:
    """The sentence that is chosen on a page of the desk; an empty one is none."""
    return re.findall(r'name="note" value="([^"]*)"[^>]* checked', page)


def value(appointment: Appointment, at: Any) -> str:
    return f"{times.write_start(at)}/{appointment.practitioner.slug}"


def open_page(client: Client, appointment: Appointment, name: str) -> str:
    response = client.get(act(appointment, name))
    assert response.status_code == 200
    return response.content.decode()


def test_a_request_is_answered_with_two_other_times_that_are_held(receptionist: Client) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10))
    page = open_page(receptionist, asked, "offer")
    wanted = [value(asked, wall(11)), value(asked, wall(15))]
    assert set(wanted) < set(picks(page))
    assert not any(picks(page).values())

    answer = receptionist.post(act(asked, "offer"), fields(page) | {"pick": wanted})

    assert answer["Location"] == page_of(asked)
    assert said(answer) == ["The times are offered to Parisa Karimi and held until the offer runs out."]
    asked.refresh_from_db()
    assert asked.status == Status.PROPOSED
    assert [option.starts_at for option in Offer.objects.get().options.order_by("starts_at")] == [
        wall(11),
        wall(15),
    ]
    assert QueuedMail.objects.filter(kind="other_times_offered").count() == 1
    assert books.overlaps() == 0


def test_the_same_form_again_offers_once(receptionist: Client) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10))
    form = fields(open_page(receptionist, asked, "offer")) | {"pick": [value(asked, wall(11))]}
    receptionist.post(act(asked, "offer"), form)
    receptionist.post(act(asked, "offer"), form)
    assert (Offer.objects.count(), QueuedMail.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ([], "Choose one to three times."),
        ([9, 11, 13, 15], "Choose one to three times."),
        (["nonsense"], "Choose a time from those below."),
        (["20270304T1030-0500/nobody"], "Choose a time from those below."),
        (["99991231T2359-0500/\x00"], "Choose a time from those below."),
    ],
)
def test_a_choice_that_makes_no_offer_is_said_at_the_times(
    receptionist: Client, chosen: list[Any], says: str
) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10))
    form = fields(open_page(receptionist, asked, "offer"))
    wanted = [value(asked, wall(each)) if isinstance(each, int) else each for each in chosen]
    page = receptionist.post(act(asked, "offer"), form | {"pick": wanted}).content.decode()
    assert says in page
    assert Offer.objects.count() == 0


def test_a_time_that_was_taken_meanwhile_is_named_and_the_others_stay_ticked(receptionist: Client) -> None:
    visit_type = make_clinic()
    asked = make_appointment(visit_type, starts_at=wall(10))
    form = fields(open_page(receptionist, asked, "offer"))
    hold_time(
        visitor=uuid4(), visit_type=visit_type, starts_at=wall(11), practitioner=None, now=timezone.now()
    )
    wanted = [value(asked, wall(11)), value(asked, wall(15))]

    page = receptionist.post(act(asked, "offer"), form | {"pick": wanted}).content.decode()

    assert "has just been taken" in page
    assert {each for each, is_ticked in picks(page).items() if is_ticked} == set(wanted)
    assert fields(page) == form
    asked.refresh_from_db()
    assert (asked.status, Offer.objects.count(), Hold.objects.count()) == (Status.PENDING, 0, 1)


def test_ticks_stay_while_other_days_and_other_people_are_looked_at(receptionist: Client) -> None:
    visit_type = make_clinic()
    asked = make_appointment(visit_type, starts_at=wall(10))
    form = fields(open_page(receptionist, asked, "offer"))
    later = times.local_day(wall(10) + timedelta(days=21))
    ticked = value(asked, wall(11))
    page = receptionist.post(
        act(asked, "offer"),
        form | {"pick": [ticked], "show": "yes", "from": later.isoformat(), "who": asked.practitioner.slug},
    ).content.decode()
    assert "has-error" not in page
    assert picks(page)[ticked]
    assert f'name="from" id="from" value="{later}"' in page
    others = {each for each in picks(page) if each != ticked}
    assert others
    assert min(others) >= f"{later:%Y%m%d}"


def test_a_kind_sentence_goes_with_the_times_if_staff_choose_one(receptionist: Client) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10))
    page = open_page(receptionist, asked, "offer")
    assert re.findall(r'name="note" value="([^"]*)"', page) == ["", *OfferNote.values]
    assert chosen_note(page) == [""]

    receptionist.post(
        act(asked, "offer"), fields(page) | {"pick": [value(asked, wall(11))], "note": "nearest"}
    )

    assert Offer.objects.get().note == OfferNote.NEAREST
    shown = open_page(receptionist, asked, "change")
    assert "Offered instead" in shown
    assert times.moment(wall(11)) in shown
    assert str(OfferNote.NEAREST.label) in shown


def test_the_page_of_a_request_says_no_sentence_where_none_was_chosen(receptionist: Client) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10))
    offer(asked, wall(11))
    shown = open_page(receptionist, asked, "change")
    assert times.moment(wall(11)) in shown
    assert "Said with it" not in shown


@pytest.mark.parametrize(
    "sent", [{"pick": ["nonsense"]}, {"pick": []}, {"show": "yes", "from": "2099-01-01", "who": "nobody"}]
)
def test_the_sentence_stays_chosen_through_an_error_and_through_other_days(
    receptionist: Client, sent: dict[str, Any]
) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10))
    form = fields(open_page(receptionist, asked, "offer"))
    page = receptionist.post(act(asked, "offer"), form | {"note": "same_hour"} | sent).content.decode()
    assert chosen_note(page) == ["same_hour"]
    assert Offer.objects.count() == 0


def test_a_sentence_that_is_not_on_the_list_is_refused_at_its_field_and_ticks_stay(
    receptionist: Client,
) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10))
    form = fields(open_page(receptionist, asked, "offer")) | {"pick": [value(asked, wall(11))]}
    page = receptionist.post(act(asked, "offer"), form | {"note": "get\x00 well"}).content.decode()
    at_the_field = page[page.index('id="note-error"') :]
    assert "Choose one of these sentences, or nothing more." in at_the_field
    assert picks(page)[value(asked, wall(11))]
    assert fields(page) == {name: form[name] for name in ("version", "key")}
    assert Offer.objects.count() == 0


def test_a_request_that_waits_for_a_call_is_offered_nothing_before_it(receptionist: Client) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10), call_back=True)
    answer = receptionist.get(act(asked, "offer"))
    assert answer["Location"] == page_of(asked)
    assert said(answer) == ["Call Parisa Karimi first, then press “Called back”; nothing was changed."]


def test_a_booked_visit_is_moved_and_its_old_time_is_free(receptionist: Client) -> None:
    booked = make_appointment(make_clinic(), starts_at=wall(10), status=Status.BOOKED)
    page = open_page(receptionist, booked, "move")
    assert 'type="radio"' in page
    assert "Put it over another visit" not in page

    answer = receptionist.post(act(booked, "move"), fields(page) | {"pick": [value(booked, wall(15))]})

    assert said(answer) == [f"{booked.reference} is now on {times.moment(wall(15))}."]
    booked.refresh_from_db()
    assert (booked.status, booked.starts_at) == (Status.BOOKED, wall(15))
    assert value(booked, wall(10)) in picks(open_page(receptionist, booked, "move"))
    assert QueuedMail.objects.filter(kind="moved").count() == 1


def test_a_visit_may_be_moved_a_little_into_its_own_time(receptionist: Client) -> None:
    booked = make_appointment(make_clinic(), starts_at=wall(10), status=Status.BOOKED)
    page = open_page(receptionist, booked, "move")
    receptionist.post(act(booked, "move"), fields(page) | {"pick": [value(booked, wall(10, 15))]})
    booked.refresh_from_db()
    assert booked.starts_at == wall(10, 15)


@pytest.mark.parametrize("name", ["offer", "move", "overlap"])
def test_what_is_over_is_given_no_other_time(owner: Client, name: str) -> None:
    over = make_appointment(make_clinic(), starts_at=wall(10), status=Status.CANCELLED)
    answer = owner.get(act(over, name))
    assert answer["Location"] == page_of(over)
    assert "nothing was changed" in said(answer)[0]


@pytest.mark.parametrize("name", ["offer", "move", "overlap"])
def test_staff_without_the_permission_give_no_other_time(name: str) -> None:
    asked = make_appointment(make_clinic(), starts_at=wall(10))
    viewer = signed_in(make_staff("viewer", "view_appointment"))
    assert viewer.get(act(asked, name)).status_code == 403
    assert viewer.post(act(asked, name), {}).status_code == 403


def test_only_who_may_overlap_puts_a_visit_over_another(receptionist: Client, owner: Client) -> None:
    visit_type = make_clinic()
    make_appointment(visit_type, starts_at=wall(15), status=Status.BOOKED)
    booked = make_appointment(visit_type, starts_at=wall(10), status=Status.BOOKED)
    assert receptionist.get(act(booked, "overlap")).status_code == 403
    assert "Put it over another visit" in open_page(owner, booked, "move")
    page = open_page(owner, booked, "overlap")
    there = {
        "on": wall(15).date().isoformat(),
        "at": "15:00",
        "practitioner": booked.practitioner_id,
        "room": booked.room_id,
    }

    answer = owner.post(act(booked, "overlap"), fields(page) | there)

    assert said(answer) == [f"{booked.reference} is now on {times.moment(wall(15))}."]
    booked.refresh_from_db()
    assert booked.starts_at == wall(15)
    assert [(change.reason, change.by.username) for change in booked.changes.all() if change.by] == [
        (f"overlap in {booked.room}", "owner")
    ]
    assert {row.lane for row in booked.occupancies.all()} == {1}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"at": "15:02"}, "Visits begin at a full five minutes."),
        ({"on": "9999-12-31"}, "Enter a date of these years."),
        ({"on": "2027-03-14", "at": "02:30"}, "The clocks skip this time on that day."),
        ({"room": "0"}, "Select a valid choice"),
    ],
)
def test_a_place_that_cannot_be_is_said_at_its_field(
    owner: Client, changed: dict[str, str], says: str
) -> None:
    booked = make_appointment(make_clinic(), starts_at=wall(10), status=Status.BOOKED)
    there = {
        "on": wall(15).date().isoformat(),
        "at": "15:00",
        "practitioner": booked.practitioner_id,
        "room": booked.room_id,
    }
    form = fields(open_page(owner, booked, "overlap"))
    page = owner.post(act(booked, "overlap"), form | there | changed).content.decode()
    assert says in page
    booked.refresh_from_db()
    assert booked.version == 1


@pytest.mark.parametrize("people", [1, 3])
def test_the_free_times_cost_the_desk_fourteen_queries_however_many(
    receptionist: Client, people: int
) -> None:
    visit_type = make_clinic()
    for _ in range(people - 1):
        person = make_practitioner()
        make_hours(person)
        visit_type.practitioners.add(person)
    asked = make_appointment(visit_type, starts_at=wall(10))
    with CaptureQueriesContext(connection) as asked_for:
        open_page(receptionist, asked, "offer")
    assert len(asked_for) == 14, "\n".join(query["sql"] for query in asked_for)
