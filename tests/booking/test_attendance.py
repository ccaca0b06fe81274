"""What staff note on the day itself, what it does to the calendar, and how it is taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from booking import operations, times
from booking.models import Appointment, Occupancy, Status
from booking.operations import AlreadyDecided, NotYet, TimeTaken
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.factories import make_appointment, make_clinic, wall
from tests.booking.test_desk import TODAY, act, make_staff, page_of, said, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

AT = wall(10)
NOTED: dict[str, Callable[..., Appointment]] = {
    "arrived": operations.note_arrival,
    "completed": operations.note_completion,
    "no-show": operations.note_no_show,
    "step-back": operations.step_back,
}


def note(what: str, visit: Appointment, *, now: datetime = AT, version: int | None = None) -> Appointment:
    by, _ = User.objects.get_or_create(username="desk")
    return NOTED[what](appointment=visit, version=version or visit.version, by=by, now=now)


def make_visit(**fields: Any) -> Appointment:
    return make_appointment(make_clinic(), starts_at=AT, status=Status.BOOKED, **fields)


def spans(visit: Appointment) -> list[tuple[datetime, datetime, int]]:
    return list(
        visit.occupancies.order_by("starts_at", "resource").values_list("starts_at", "ends_at", "resource")
    )


@pytest.fixture
def receptionist() -> Client:
    return signed_in(make_staff("receptionist", "decide_appointment", "view_appointment"))


def test_a_patient_arrives_is_treated_and_nobody_is_written_to() -> None:
    visit = make_visit()
    occupied = spans(visit)
    arrived = note("arrived", visit)
    assert (arrived.status, arrived.version, spans(arrived)) == (Status.ARRIVED, 2, occupied)
    done = note("completed", arrived, now=AT + timedelta(minutes=40))
    assert (done.status, done.version, spans(done)) == (Status.FULFILLED, 3, [])
    assert [
        (change.from_status, change.to_status, change.by.username)
        for change in done.changes.all()
        if change.by
    ] == [("booked", "arrived", "desk"), ("arrived", "fulfilled", "desk")]
    assert QueuedMail.objects.count() == 0


def test_whoever_does_not_come_leaves_the_time_free() -> None:
    visit = make_visit()
    gone = note("no-show", visit, now=AT + timedelta(minutes=10))
    assert (gone.status, spans(gone)) == (Status.NOSHOW, [])
    make_appointment(visit.visit_type, starts_at=AT, status=Status.BOOKED)
    assert books.overlaps() == 0


@pytest.mark.parametrize("way", [["arrived"], ["arrived", "completed"], ["no-show"]])
def test_every_note_is_taken_back_step_by_step_on_the_same_day(way: list[str]) -> None:
    visit = make_visit()
    occupied = spans(visit)
    for what in way:
        visit = note(what, visit)
    for _ in way:
        visit = note("step-back", visit, now=AT + timedelta(hours=3))
    assert (visit.status, spans(visit)) == (Status.BOOKED, occupied)
    assert visit.changes.last().reason == "taken back"  # type: ignore[union-attr]


def test_a_stretched_visit_that_is_taken_back_is_as_long_as_its_phases() -> None:
    visit = make_visit(ends_at=AT + timedelta(minutes=55))
    back = note("step-back", note("no-show", visit))
    assert back.ends_at == AT + timedelta(minutes=45)
    assert max(ends for _, ends, _ in spans(back)) == AT + timedelta(minutes=45)


def test_a_note_is_not_taken_back_on_another_day() -> None:
    arrived = note("arrived", make_visit())
    with pytest.raises(AlreadyDecided):
        note("step-back", arrived, now=AT + timedelta(days=1))


def test_a_new_private_link_on_the_next_day_does_not_open_the_way_back_again() -> None:
    arrived = note("arrived", make_visit())
    by = User.objects.get(username="desk")
    relinked = operations.replace_link(
        appointment=arrived, version=arrived.version, by=by, now=AT + timedelta(days=1)
    )
    with pytest.raises(AlreadyDecided):
        note("step-back", relinked, now=AT + timedelta(days=1, hours=1))


def test_a_time_that_another_has_by_now_is_not_taken_back() -> None:
    gone = note("no-show", make_visit())
    make_appointment(
        gone.visit_type,
        starts_at=AT,
        status=Status.BOOKED,
        practitioner=gone.practitioner,
        room=gone.room,
    )
    with pytest.raises(TimeTaken):
        note("step-back", gone)
    gone.refresh_from_db()
    assert (gone.status, spans(gone), books.overlaps()) == (Status.NOSHOW, [], 0)


@pytest.mark.parametrize(
    ("what", "now"), [("arrived", AT - timedelta(days=1)), ("no-show", AT - timedelta(minutes=1))]
)
def test_nothing_is_noted_before_its_time(what: str, now: datetime) -> None:
    visit = make_visit()
    with pytest.raises(NotYet):
        note(what, visit, now=now)
    assert Occupancy.objects.filter(appointment=visit).exists()


@pytest.mark.parametrize("what", NOTED)
@pytest.mark.parametrize("status", [Status.PENDING, Status.CANCELLED, Status.DECLINED, Status.EXPIRED])
def test_what_is_no_visit_is_not_noted(what: str, status: Status) -> None:
    visit = make_appointment(make_clinic(), starts_at=AT, status=status)
    with pytest.raises(AlreadyDecided):
        note(what, visit)


@pytest.mark.parametrize("what", NOTED)
def test_the_second_of_two_who_note_at_once_is_told(what: str) -> None:
    visit = make_visit()
    with pytest.raises(AlreadyDecided):
        note(what, visit, version=visit.version + 1)


def test_the_day_is_gone_through_from_the_first_page(receptionist: Client) -> None:
    now = times.local(datetime.now(times.ZONE))
    visit = make_appointment(
        make_clinic(), starts_at=now.replace(minute=0, second=0, microsecond=0), status=Status.BOOKED
    )

    def press(name: str) -> str:
        visit.refresh_from_db()
        response = receptionist.post(f"{act(visit, name)}?next={TODAY}", {"version": visit.version})
        assert response["Location"] == TODAY
        return said(response)[-1]

    first = receptionist.get(TODAY).content.decode()
    assert (act(visit, "arrived") in first, act(visit, "step-back") in first) == (True, False)
    assert press("arrived") == f"Parisa Karimi, {visit.reference}: arrived."
    assert press("completed") == f"Parisa Karimi, {visit.reference}: completed."
    last = receptionist.get(TODAY).content.decode()
    assert (act(visit, "arrived") in last, act(visit, "step-back") in last) == (False, True)
    assert press("step-back") == f"Parisa Karimi, {visit.reference}: arrived."


def test_too_early_is_said_kindly(receptionist: Client) -> None:
    visit = make_appointment(make_clinic(), starts_at=wall(10, days_ahead=9), status=Status.BOOKED)
    answer = receptionist.post(act(visit, "no-show"), {"version": visit.version})
    assert answer["Location"] == page_of(visit)
    assert said(answer) == ["This visit has not begun; nothing was changed."]


@pytest.mark.parametrize("what", NOTED)
def test_only_who_may_decide_notes_anything_and_only_by_post(receptionist: Client, what: str) -> None:
    visit = make_visit()
    viewer = signed_in(make_staff("viewer", "view_appointment"))
    assert viewer.post(act(visit, what), {"version": 1}).status_code == 403
    assert receptionist.get(act(visit, what)).status_code == 405
    visit.refresh_from_db()
    assert visit.version == 1
