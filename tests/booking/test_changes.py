"""A booked visit wanted with somebody else or of another kind: asked for, and the old time kept until the answer."""

import re
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from booking import operations
from booking.models import Actor, Appointment, DeclineReason, OfferOption, Resource, Status, VisitType
from booking.operations import AlreadyDecided, OfferedTime, TimeTaken, TooManyPending
from clinic import mail
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.factories import make_appointment, make_clinic, make_patient, make_visit_type, wall
from tests.booking.test_operations import ask, occupied, staff
from tests.booking.test_private_page import body, form, page_of, said, start, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.ignore_template_errors,
]  # the desk's own pages print what may be unset

NOW = timezone.now()


def clinic() -> tuple[VisitType, Resource, Resource]:
    """A clinic with two practitioners and two rooms."""
    visit_type = make_clinic(practitioners=2, rooms=2, slug="first-visit", fee=115)
    first, second = visit_type.practitioners.order_by("pk")
    return visit_type, first, second


def a_booked_visit() -> tuple[Appointment, Resource]:
    """Booked with the first of two practitioners, at 10; and the second one."""
    visit_type, first, second = clinic()
    patient = make_patient(email="parisa@example.com")
    return (
        make_appointment(visit_type, practitioner=first, status=Status.BOOKED, patient=patient),
        second,
    )


def change(old: Appointment, practitioner: Resource | None, hour: int = 14, **facts: Any) -> Appointment:
    given: dict[str, Any] = {
        "version": old.version,
        "visit_type": old.visit_type,
        "idempotency_key": uuid4(),
        "now": NOW,
    }
    return operations.ask_to_change(
        appointment=old, starts_at=wall(hour), practitioner=practitioner, **given | facts
    )


def confirm(asked: Appointment, **facts: Any) -> Appointment:
    given: dict[str, Any] = {"version": asked.version, "by": facts.pop("by", None) or staff(), "now": NOW}
    return operations.confirm_appointment(appointment=asked, **given | facts)


def cancel(appointment: Appointment, by: User | None = None) -> Appointment:
    return operations.cancel_appointment(
        appointment=appointment, version=appointment.version, by=by, now=NOW, idempotency_key=uuid4()
    )


def statuses() -> list[str]:
    return list(Appointment.objects.order_by("pk").values_list("status", flat=True))


def told(appointment: Appointment) -> list[str]:
    """What the patient was written about it and is not taken back."""
    rows = QueuedMail.objects.filter(
        about=appointment.reference, to=appointment.patient.email, withdrawn_at=None
    )
    return list(rows.order_by("pk").values_list("kind", flat=True))


def assert_books_are_right() -> None:
    assert (books.overlaps(), books.ask(books.UNWRITTEN_CHANGES), books.ask(books.PLAIN_VISITS_ASTRAY)) == (
        0,
        0,
        0,
    )


class TestAsking:
    def test_the_request_stands_beside_the_booked_visit_and_both_times_are_kept(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        assert (asked.status, asked.replaces, asked.practitioner, asked.starts_at) == (
            Status.PENDING,
            old,
            second,
            wall(14),
        )
        assert statuses() == [Status.BOOKED, Status.PENDING]
        assert (len(occupied(old)), len(occupied(asked))) == (2, 2)
        assert (told(old), told(asked)) == ([], ["received"])
        assert QueuedMail.objects.filter(kind="new_request", about=asked.reference).exists()
        assert_books_are_right()

    def test_the_letters_name_both_times(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        for kind, says in (
            ("received", "which stays booked until we have answered"),
            ("new_request", f"It would replace {old.reference}"),
        ):
            row = QueuedMail.objects.get(kind=kind, about=asked.reference)
            for part in (row.text, row.html):
                flat = " ".join(part.replace("\N{NO-BREAK SPACE}", " ").split())
                assert (says in flat, said(wall(10)) in flat, said(wall(14)) in flat) == (True, True, True)

    def test_it_carries_over_what_the_patient_said_and_the_call_that_was_made(self) -> None:
        visit_type, first, second = clinic()
        by = staff()
        old = make_appointment(
            visit_type, practitioner=first, status=Status.BOOKED, precautions={"blood": "yes"}, note="Back",
            call_back=True, called_back_at=NOW, called_back_by=by, language="fa", reminders="both",
        )  # fmt: skip
        asked = change(old, second)
        assert (asked.precautions, asked.note, asked.language, asked.reminders, asked.patient) == (
            {"blood": "yes"},
            "Back",
            "fa",
            "both",
            old.patient,
        )
        assert confirm(asked, by=by).is_booked

    def test_the_same_form_sent_again_asks_once(self) -> None:
        old, second = a_booked_visit()
        key = uuid4()
        asked = change(old, second, idempotency_key=key)
        assert (change(old, second, idempotency_key=key), len(statuses())) == (asked, 2)

    def test_a_second_change_is_not_asked_for_before_the_first_is_answered(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        with pytest.raises(AlreadyDecided):
            change(old, second, 16)
        cancel(asked)
        assert change(old, second, 16).is_pending

    def test_the_database_itself_refuses_a_second_open_change(self) -> None:
        old, second = a_booked_visit()
        change(old, second)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_appointment(
                old.visit_type, practitioner=second, starts_at=wall(17), replaces=old, patient=old.patient
            )

    def test_it_counts_as_one_of_the_two_requests_that_may_wait(self) -> None:
        old, second = a_booked_visit()
        for hour in (15, 16):
            ask(old.visit_type, wall(hour))  # by the same e-mail address
        with pytest.raises(TooManyPending):
            change(old, second)

    def test_a_time_that_is_not_free_beside_the_old_one_changes_nothing(self) -> None:
        visit_type, first, second = clinic()
        old = make_appointment(visit_type, practitioner=first, status=Status.BOOKED)
        other = make_appointment(
            visit_type,
            practitioner=second,
            room=Resource.objects.rooms().order_by("pk")[1],
            starts_at=wall(14),
        )
        with pytest.raises(TimeTaken):
            change(old, second)
        assert statuses() == [Status.BOOKED, other.status]

    def test_the_answer_is_promised_before_either_visit(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second, 18)
        assert asked.answer_by is not None
        assert asked.answer_by <= old.starts_at

    @pytest.mark.parametrize("status", [Status.PENDING, Status.CANCELLED, Status.ARRIVED])
    def test_only_a_booked_visit_is_changed_so(self, status: Status) -> None:
        visit_type, first, second = clinic()
        with pytest.raises(AlreadyDecided):
            change(make_appointment(visit_type, practitioner=first, status=status), second)


class TestTheAnswer:
    def test_yes_books_the_new_and_releases_the_old_in_one_letter(self) -> None:
        old, second = a_booked_visit()
        booked = confirm(change(old, second))
        old.refresh_from_db()
        assert statuses() == [Status.CANCELLED, Status.BOOKED]
        assert (occupied(old), len(occupied(booked))) == ([], 2)
        last = old.changes.last()
        assert last is not None
        assert (last.actor, last.reason) == (Actor.STAFF, f"moved to {booked.reference}")
        assert (told(old), told(booked)) == ([], ["received", "confirmed"])
        assert_books_are_right()

    def test_that_letter_puts_the_new_visit_into_the_calendar_and_takes_the_old_one_out(self) -> None:
        old, second = a_booked_visit()
        booked = confirm(change(old, second))
        row = QueuedMail.objects.get(kind="confirmed")
        assert "It takes the place of your visit of" in row.text
        assert "fee" not in row.text
        files = [
            part for part in mail.message(row).message().walk() if part.get_content_type() == "text/calendar"
        ]
        read: list[Any] = [Calendar.from_ical(cast("bytes", part.get_payload(decode=True))) for part in files]
        assert [
            (
                part.get_filename(),
                part.get_param("method"),
                str(calendar["METHOD"]),
                *[(str(event["UID"]), event["SEQUENCE"], str(event["STATUS"])) for event in calendar.events],
            )
            for part, calendar in zip(files, read, strict=True)
        ] == [
            ("visit.ics", "REQUEST", "REQUEST", (f"{booked.reference}@clinic.invalid", 1, "CONFIRMED")),
            ("old-visit.ics", "CANCEL", "CANCEL", (f"{old.reference}@clinic.invalid", 1, "CANCELLED")),
        ]

    def test_no_leaves_the_old_visit_as_it_is_and_says_so(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        operations.decline_appointment(
            appointment=asked, version=1, reason=DeclineReason.AWAY, by=staff(), now=NOW
        )
        self.assert_kept(old, asked, "declined")

    def test_no_answer_leaves_it_too(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        assert asked.answer_by is not None
        assert operations.expire_overdue(now=asked.answer_by).requests == 1
        self.assert_kept(old, asked, "expired")

    def test_so_does_taking_the_request_back(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        cancel(asked)
        self.assert_kept(old, asked, "cancelled")

    def assert_kept(self, old: Appointment, asked: Appointment, kind: str) -> None:
        old.refresh_from_db()
        assert (old.status, old.version, len(occupied(old)), occupied(asked)) == (Status.BOOKED, 1, 2, [])
        row = QueuedMail.objects.get(kind=kind, about=asked.reference)
        for part in (row.text, row.html):
            flat = " ".join(part.replace("\N{NO-BREAK SPACE}", " ").split())
            assert f"Your visit of {said(old.starts_at)} with {old.practitioner} stays as it is." in flat
        assert_books_are_right()

    def test_of_other_times_that_staff_offer_the_one_taken_replaces_the_old(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        made = operations.offer_other_times(
            appointment=asked, version=1, offered=[OfferedTime(wall(16), second)], by=staff(),
            idempotency_key=uuid4(), now=NOW,
        )  # fmt: skip
        assert made.expires_at <= old.starts_at
        assert statuses() == [Status.BOOKED, Status.PROPOSED]
        row = QueuedMail.objects.get(kind="other_times_offered")
        assert "stays booked until you take one of these times" in " ".join(row.text.split())
        booked = operations.accept_offered_time(
            appointment=asked, version=2, option=OfferOption.objects.get(), idempotency_key=uuid4(), now=NOW
        )
        assert (statuses(), booked.starts_at) == ([Status.CANCELLED, Status.BOOKED], wall(16))
        assert (told(old), told(booked)[-1]) == ([], "confirmed")
        assert_books_are_right()

    def test_an_old_visit_that_staff_cancelled_meanwhile_is_not_in_the_way(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        by = staff()
        cancel(old, by)
        confirm(asked, by=by)
        assert statuses() == [Status.CANCELLED, Status.BOOKED]
        assert told(old) == ["cancelled"]
        assert "takes the place" not in QueuedMail.objects.get(kind="confirmed").text

    def test_an_old_visit_that_has_begun_is_not_taken_away(self) -> None:
        old, second = a_booked_visit()
        confirm(change(old, second), now=old.starts_at + timedelta(minutes=5))
        assert statuses() == [Status.BOOKED, Status.BOOKED]


def test_a_patient_who_cancels_the_visit_takes_the_wish_to_change_it_back_too() -> None:
    old, second = a_booked_visit()
    asked = change(old, second)
    page = body(visitor(old).get(page_of(old, "cancel")))
    assert f"Your request to change it to {said(asked.starts_at)} is taken back with it." in page
    cancel(old)
    assert statuses() == [Status.CANCELLED, Status.CANCELLED]
    assert (told(old), told(asked)) == (["cancelled"], ["cancelled"])
    assert "stays as it is" not in QueuedMail.objects.get(kind="cancelled", about=asked.reference).text
    assert_books_are_right()


class TestThePages:
    def test_another_practitioner_is_asked_for_with_the_old_and_the_new_side_by_side(self) -> None:
        old, second = a_booked_visit()
        client = visitor(old)
        chosen = body(client.get(page_of(old, "move"), {"practitioner": second.slug}))
        assert "it is a request. We keep your present time until we have answered." in chosen
        assert "practitioner=anyone" not in chosen
        wish = {"start": start(wall(14)), "practitioner": second.slug}
        compared = body(client.get(page_of(old, "move"), wish))
        assert "<h1>Ask to change your visit?</h1>" in compared
        assert "You keep your present time until then." in compared

        sent = form(old, **wish)
        answers = [client.post(page_of(old, "move"), sent)["Location"] for _ in range(2)]

        asked = Appointment.objects.get(replaces=old)
        assert answers == [page_of(asked)] * 2
        page = body(client.get(page_of(asked)))
        assert f"Until we have answered, your visit of {said(old.starts_at)} with" in page
        page = body(client.get(page_of(old)))
        assert (
            f"You asked to change this to {said(asked.starts_at)}: {old.visit_type.name}, with {second}."
            in page
        )
        assert "We keep this time until we have answered." in page
        assert f'<a href="{page_of(asked)}">See that request, or take it back</a>' in page
        assert page_of(old, "move") not in page

    def test_the_link_to_one_of_them_opens_only_that_one(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        for mine, other in ((old, asked), (asked, old)):
            client = visitor(mine)
            assert page_of(other) not in body(client.get(page_of(mine)))
            assert client.get(page_of(other)).status_code == 404

    def test_another_kind_of_visit_may_be_with_anyone(self) -> None:
        old, second = a_booked_visit()
        other = make_visit_type("Follow-up visit", slug="follow-up", practitioners=[second], fee=95)
        client = visitor(old)
        page = body(client.get(page_of(old, "move"), {"visit": "follow-up"}))
        assert 'href="?visit=follow-up" aria-current="true">Follow-up visit, 45 minutes, $95</a>' in page
        assert re.findall(r'href="\?visit=follow-up&amp;practitioner=([a-z0-9-]+)&amp;from=[^"]*"', page)
        sent = form(old, start=start(wall(14)), visit="follow-up", practitioner="anyone")
        client.post(page_of(old, "move"), sent)
        asked = Appointment.objects.get(replaces=old)
        assert (asked.visit_type, asked.anyone, asked.practitioner) == (other, True, second)

    def test_while_a_change_waits_the_visit_is_not_moved(self) -> None:
        old, second = a_booked_visit()
        change(old, second)
        answer = visitor(old).post(page_of(old, "move"), form(old, start=start(wall(16))))
        assert answer.status_code == 409
        assert "You have asked to change this visit already" in body(answer)

    def test_whoever_has_two_requests_waiting_is_told(self) -> None:
        old, second = a_booked_visit()
        for hour in (15, 16):
            ask(old.visit_type, wall(hour))
        sent = form(old, start=start(wall(14)), practitioner=second.slug)
        assert visitor(old).post(page_of(old, "move"), sent).status_code == 429

    def test_afterwards_each_page_says_what_became_of_it(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        operations.decline_appointment(
            appointment=asked, version=1, reason=DeclineReason.AWAY, by=staff(), now=NOW
        )
        assert f"Your visit of {said(old.starts_at)} with" in body(visitor(asked).get(page_of(asked)))
        booked = confirm(change(old, second), by=User.objects.get())
        page = body(visitor(old).get(page_of(old)))
        assert "<h1>Changed</h1>" in page
        assert f"Now: {said(booked.starts_at)}, with {second}." in page
        assert "Changed for another visit" in page
        assert "free until" not in page

    def test_an_earlier_time_is_not_waited_for_in_place_of_a_change(self) -> None:
        old, second = a_booked_visit()
        asked = change(old, second)
        assert not operations.can_be_replaced(asked, now=NOW)
        assert "something earlier" not in body(visitor(asked).get(page_of(asked)))

    def test_the_desk_sees_both_times_where_it_answers(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("owner"))
        old, second = a_booked_visit()
        asked = change(old, second)
        for page in (
            "/admin/",
            f"/admin/booking/appointment/{asked.pk}/change/",
            f"/admin/booking/appointment/{asked.pk}/decline/",
        ):
            seen = body(client.get(page))
            assert (said(old.starts_at) in seen, said(asked.starts_at) in seen, old.reference in seen) == (
                True,
                True,
                True,
            )
        assert asked.reference in body(client.get(f"/admin/booking/appointment/{old.pk}/change/"))
        assert "still waits for your answer" in body(
            client.get(f"/admin/booking/appointment/{old.pk}/cancel/")
        )
