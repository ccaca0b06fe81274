"""Waiting for a time to come free: one person at a time is offered it, in the order in which they joined."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking import links, operations, screening, times
from booking.models import (
    Actor,
    Appointment,
    BookingRules,
    DeclineReason,
    Occupancy,
    Offer,
    OfferOption,
    Patient,
    Status,
    VisitType,
    WaitlistEntry,
)
from booking.operations import AlreadyWaiting, OfferEnded, TimeFree, TimeTaken, Wishes
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_patient,
    make_practitioner,
    make_visit_type,
    wall,
)
from tests.booking.test_desk import with_a_reason
from tests.booking.test_faults import broken_at_every_statement, everything
from tests.booking.test_operations import PARISA, ask, occupied, somebody
from tests.booking.test_patient_way import XSS, body, pass_gate
from tests.booking.test_races import all_at_once

State = WaitlistEntry.State


def noon() -> datetime:
    """Today at noon: whatever the hour at which the tests run, nobody is asleep."""
    return wall(12, days_ahead=0)


def full_clinic(hour: int = 10, **facts: Any) -> tuple[VisitType, Appointment]:
    """A clinic that can be visited once a day, and the visit that takes the one time of the day after tomorrow."""
    visit_type = make_clinic(**facts)
    for person in visit_type.practitioners.all():
        person.working_hours.update(opens=time(hour), closes=time(hour + 1))
    VisitType.objects.filter(pk=visit_type.pk).update(start_every=60)
    visit_type.refresh_from_db()
    return visit_type, make_appointment(visit_type, starts_at=wall(hour), status=Status.BOOKED)


def wishes(**facts: Any) -> Wishes:
    """Anything on the day after tomorrow."""
    day = wall(0).date()
    given: dict[str, Any] = {
        "practitioner": None,
        "weekdays": [day.weekday()],
        "parts": WaitlistEntry.Part.values,
        "until": day,
    }
    return Wishes(**given | facts)


def join(visit_type: VisitType, **facts: Any) -> WaitlistEntry:
    given: dict[str, Any] = {
        "wishes": wishes(),
        "details": somebody(),
        "idempotency_key": uuid4(),
        "now": noon(),
    }
    return operations.join_waitlist(visit_type=visit_type, **given | facts)


def cancel(appointment: Appointment, now: datetime | None = None) -> None:
    appointment.refresh_from_db()
    operations.cancel_appointment(
        appointment=appointment, version=appointment.version, by=None, now=now or noon()
    )


def offers() -> list[tuple[str, datetime, str]]:
    """Who was offered what and how it ended, in order."""
    return [
        (option.offer.entry.reference, option.starts_at, option.offer.answer)
        for option in OfferOption.objects.select_related("offer__entry").order_by("pk")
        if option.offer.entry
    ]


def kinds(entry: WaitlistEntry) -> list[str]:
    return list(
        QueuedMail.objects.filter(about=entry.reference).order_by("pk").values_list("kind", flat=True)
    )


def go_round(now: datetime | None = None) -> int:
    return operations.offer_released_time(now=now or noon())


@pytest.mark.django_db
class TestJoining:
    def test_it_keeps_the_wishes_and_tells_the_person(self) -> None:
        visit_type, _ = full_clinic()
        entry = join(visit_type, details=PARISA)
        entry.refresh_from_db()
        assert entry.state == State.WAITING
        assert (entry.weekdays, entry.parts, entry.wanted_until) == (
            [wall(0).weekday()],
            ["morning", "afternoon", "evening"],
            wall(0).date(),
        )
        assert (entry.patient.name, entry.patient.email, entry.patient.phone) == (
            "Parisa Karimi",
            "parisa@example.com",
            "416-555-0188",
        )
        assert (entry.language, entry.new_patient, entry.consent_version, entry.screening_version) == (
            "fa",
            True,
            "2026-11",
            screening.VERSION,
        )
        assert kinds(entry) == ["waitlist_joined"]

    def test_it_occupies_nothing(self) -> None:
        visit_type, appointment = full_clinic()
        before = occupied(appointment)
        join(visit_type)
        assert (Occupancy.objects.count(), Appointment.objects.count()) == (len(before), 1)

    def test_whoever_need_not_wait_is_shown_what_is_free(self) -> None:
        visit_type, _ = full_clinic()
        with pytest.raises(TimeFree) as found:
            join(visit_type, wishes=wishes(weekdays=range(7), until=wall(0, days_ahead=4).date()))
        assert [start for start in found.value.starts if start >= wall(0)] == [
            wall(10, days_ahead=3),
            wall(10, days_ahead=4),
        ]
        assert (WaitlistEntry.objects.count(), QueuedMail.objects.count()) == (0, 0)

    def test_what_they_hold_themselves_is_free_to_them(self) -> None:
        visit_type, appointment = full_clinic()
        cancel(appointment)
        hold = operations.hold_time(
            visitor=uuid4(), visit_type=visit_type, starts_at=wall(10), practitioner=None, now=noon()
        )
        with pytest.raises(TimeFree):
            join(visit_type, hold=hold)
        assert join(visit_type).is_waiting

    def test_an_address_or_phone_number_waits_once_for_a_visit_type(self) -> None:
        visit_type, _ = full_clinic()
        join(visit_type, details=PARISA)
        join(visit_type)
        for again in (
            replace(somebody(), email="PARISA@example.com"),
            replace(somebody(), phone="(416) 555 0188"),
        ):
            with pytest.raises(AlreadyWaiting):
                join(visit_type, details=again)
        assert WaitlistEntry.objects.count() == 2

    def test_who_has_left_may_join_again_and_may_wait_for_another_visit_type(self) -> None:
        visit_type, _ = full_clinic()
        entry = join(visit_type, details=PARISA)
        without_hours = make_visit_type(practitioners=[make_practitioner()])
        assert join(without_hours, details=PARISA).is_waiting
        operations.leave_waitlist(entry=entry, by=None, now=noon())
        assert join(visit_type, details=PARISA).is_waiting

    def test_the_same_form_sent_again_joins_once(self) -> None:
        visit_type, _ = full_clinic()
        key = uuid4()
        first = join(visit_type, details=PARISA, idempotency_key=key)
        assert join(visit_type, details=PARISA, idempotency_key=key) == first
        assert (WaitlistEntry.objects.count(), kinds(first)) == (1, ["waitlist_joined"])


@pytest.mark.django_db
class TestWhatIsWanted:
    @pytest.mark.parametrize(
        ("wanted", "fits"),
        [
            ({}, True),
            ({"weekdays": [(wall(0).weekday() + 1) % 7]}, False),
            ({"parts": ["afternoon", "evening"]}, False),
            ({"parts": ["morning"]}, True),
            ({"until": wall(0, days_ahead=1).date()}, False),
        ],
    )
    def test_only_a_time_that_fits_is_offered(self, wanted: dict[str, Any], fits: bool) -> None:  # noqa: FBT001
        visit_type, appointment = full_clinic()
        join(visit_type, wishes=wishes(**wanted))
        cancel(appointment)
        assert go_round() == int(fits)

    def test_a_named_practitioner_means_that_one(self) -> None:
        visit_type, appointment = full_clinic(practitioners=2, rooms=2)
        first, second = visit_type.practitioners.order_by("pk")
        ask(visit_type, wall(10), practitioner=second, now=noon())
        for_second = join(visit_type, wishes=wishes(practitioner=second))
        for_anyone = join(visit_type)
        cancel(appointment)
        assert go_round() == 1
        assert offers() == [(for_anyone.reference, wall(10), "")]
        assert OfferOption.objects.get().practitioner == first
        assert kinds(for_second) == ["waitlist_joined"]

    @pytest.mark.parametrize(
        ("hour", "minute", "part"),
        [
            (0, 0, "morning"),
            (11, 59, "morning"),
            (12, 0, "afternoon"),
            (16, 59, "afternoon"),
            (17, 0, "evening"),
            (23, 0, "evening"),
        ],
    )
    def test_parts_of_the_day_are_those_of_the_page_of_times(self, hour: int, minute: int, part: str) -> None:
        at = wall(hour, minute)
        fitting = [
            value
            for value in WaitlistEntry.Part.values
            if WaitlistEntry(
                weekdays=[at.weekday()], parts=[value], wanted_until=at.date(), replaces=None
            ).suits(at)
        ]
        assert fitting == [part]

    def test_wishes_are_of_the_clinics_clock(self) -> None:
        evening = datetime(2027, 3, 5, 1, 0, tzinfo=UTC)  # Thursday 4 March, 8 pm in Toronto
        entry = WaitlistEntry(weekdays=[3], parts=["evening"], wanted_until=date(2027, 3, 4), replaces=None)
        assert entry.suits(evening)


@pytest.mark.django_db
class TestAnOffer:
    def test_the_first_who_joined_is_asked_first_and_alone(self) -> None:
        visit_type, appointment = full_clinic()
        first, second = join(visit_type), join(visit_type)
        assert go_round() == 0
        cancel(appointment)

        assert [go_round(), go_round(noon() + timedelta(minutes=1))] == [1, 0]

        assert offers() == [(first.reference, wall(10), "")]
        assert kinds(first) == ["waitlist_joined", "waitlist_offer"]
        assert kinds(second) == ["waitlist_joined"]

    def test_it_holds_the_time_against_everybody(self) -> None:
        visit_type, appointment = full_clinic()
        join(visit_type)
        before = occupied(appointment)
        cancel(appointment)
        go_round()
        [option] = OfferOption.objects.all()
        assert (option.occupancies.count(), option.starts_at, option.ends_at) == (
            len(before),
            wall(10),
            wall(10, 45),
        )
        with pytest.raises(TimeTaken):
            ask(visit_type, wall(10), now=noon())
        with pytest.raises(TimeTaken):
            operations.hold_time(
                visitor=uuid4(), visit_type=visit_type, starts_at=wall(10), practitioner=None, now=noon()
            )

    @pytest.mark.parametrize(
        ("hours_before", "minutes"), [(36, 120), (11, 120), (8, 120), (4, 60), (2, 30), (1, 15)]
    )
    def test_it_stands_two_hours_and_less_when_the_visit_is_near(
        self, hours_before: int, minutes: int
    ) -> None:
        BookingRules(notice_hours=0).save()
        visit_type, appointment = full_clinic(hour=20)
        join(visit_type)
        now = wall(20) - timedelta(hours=hours_before)
        cancel(appointment, now)
        assert go_round(now) == 1
        offer = Offer.objects.get()
        assert offer.expires_at - offer.offered_at == timedelta(minutes=minutes)

    def test_the_owner_may_set_another_length(self) -> None:
        BookingRules(waitlist_open_minutes=45).save()
        visit_type, appointment = full_clinic()
        join(visit_type)
        cancel(appointment)
        go_round()
        assert Offer.objects.get().expires_at == noon() + timedelta(minutes=45)

    def test_the_mail_says_the_time_and_until_when_and_nothing_of_the_person(self) -> None:
        visit_type, appointment = full_clinic()
        entry = join(visit_type, details=PARISA)
        cancel(appointment)
        go_round()
        mail = QueuedMail.objects.get(kind="waitlist_offer")
        offer = Offer.objects.get()
        for text in (mail.text, mail.html):
            assert times.moment(wall(10)) in text
            assert times.moment(offer.expires_at) in text
            assert links.waitlist_address(entry) in text
            assert "416-555-0188" not in text
            assert "Parisa" not in text
        assert mail.subject == " ".join(f"A time came free: {times.moment(wall(10))}".split())
        assert mail.to == "parisa@example.com"

    def test_a_time_too_near_for_a_mail_is_not_offered(self) -> None:
        BookingRules(notice_hours=0).save()
        visit_type, appointment = full_clinic(hour=20)
        join(visit_type)
        now = wall(19, 1)
        cancel(appointment, now)
        assert go_round(now) == 0

    @pytest.mark.parametrize(
        ("at", "made"),
        [((20, 59), 1), ((21, 0), 0), ((23, 59), 0), ((3, 0), 0), ((7, 59), 0), ((8, 0), 1)],
    )
    def test_at_night_nobody_is_asked(self, at: tuple[int, int], made: int) -> None:
        visit_type, appointment = full_clinic()
        now = wall(*at, days_ahead=1)
        BookingRules(notice_hours=0).save()
        join(visit_type)
        cancel(appointment)
        assert go_round(now) == made

    def test_two_times_that_come_free_go_to_two_people(self) -> None:
        visit_type, appointment = full_clinic(practitioners=2, rooms=2)
        other = ask(visit_type, wall(10), now=noon())
        entries = [join(visit_type), join(visit_type), join(visit_type)]
        cancel(appointment)
        cancel(other)
        assert go_round() == 2
        assert offers() == [(entry.reference, wall(10), "") for entry in entries[:2]]
        assert len({option.practitioner_id for option in OfferOption.objects.all()}) == 2

    def test_times_of_one_visit_that_overlap_are_one_time(self) -> None:
        visit_type = make_clinic()
        person = visit_type.practitioners.get()
        person.working_hours.update(opens=time(10), closes=time(11))
        appointment = make_appointment(visit_type, starts_at=wall(10), status=Status.BOOKED)
        entries = [join(visit_type), join(visit_type)]
        cancel(appointment)  # 10:00 and 10:15 are free, and either takes the other with it
        assert go_round() == 1
        assert offers() == [(entries[0].reference, wall(10), "")]

    def test_a_cancelled_visit_releases_its_time(self) -> None:
        visit_type, appointment = full_clinic()
        join(visit_type)
        cancel(appointment)
        assert go_round() == 1

    def test_a_moved_visit_releases_its_time(self) -> None:
        visit_type, appointment = full_clinic()
        join(visit_type)
        operations.move_appointment(
            appointment=appointment,
            version=1,
            starts_at=wall(10, days_ahead=3),
            by=None,
            idempotency_key=uuid4(),
            now=noon(),
        )
        assert go_round() == 1

    def test_a_declined_request_releases_its_time(self) -> None:
        visit_type, appointment = full_clinic()
        Appointment.objects.update(status=Status.PENDING)
        join(visit_type)
        by = User.objects.create_user("desk")
        operations.decline_appointment(
            appointment=appointment, version=1, reason=DeclineReason.AWAY, by=by, now=noon()
        )
        assert go_round() == 1

    def test_an_expired_request_releases_its_time(self) -> None:
        visit_type, _ = full_clinic()
        Appointment.objects.update(status=Status.PENDING, answer_by=noon() + timedelta(hours=1))
        join(visit_type)
        now = noon() + timedelta(hours=1)
        operations.expire_overdue(now=now)
        assert go_round(now) == 1

    def test_a_hold_that_ran_out_releases_its_time(self) -> None:
        visit_type, appointment = full_clinic()
        cancel(appointment)
        operations.hold_time(
            visitor=uuid4(), visit_type=visit_type, starts_at=wall(10), practitioner=None, now=noon()
        )
        join(visit_type)
        assert go_round(noon() + timedelta(minutes=9)) == 0
        assert go_round(noon() + timedelta(minutes=10)) == 1

    def test_an_offer_of_the_desk_that_ran_out_releases_its_times(self) -> None:
        visit_type, appointment = full_clinic()
        cancel(appointment)
        asked = ask(visit_type, wall(10, days_ahead=3), now=noon())
        operations.offer_other_times(
            appointment=asked,
            version=1,
            offered=[operations.OfferedTime(wall(10), asked.practitioner)],
            by=User.objects.create_user("desk"),
            idempotency_key=uuid4(),
            now=noon() - timedelta(hours=22),
        )
        join(visit_type)
        assert go_round(noon()) == 0
        assert go_round(noon() + timedelta(hours=2)) == 1

    def test_while_nothing_comes_free_nobody_is_asked(self) -> None:
        visit_type, _ = full_clinic()
        join(visit_type)
        assert go_round() == 0

    def test_looking_at_a_quiet_list_costs_few_queries(self, django_assert_num_queries: Any) -> None:
        visit_type, _ = full_clinic()
        for _person in range(3):
            join(visit_type)
        # lapsed, hopeless, rules, waiting, their offers, visit types and phases, openings: three
        with django_assert_num_queries(10):
            go_round()


def offered(**facts: Any) -> tuple[VisitType, WaitlistEntry, Offer]:
    """Somebody who is offered 10 am of the day after tomorrow."""
    visit_type, appointment = full_clinic()
    entry = join(visit_type, **facts)
    cancel(appointment)
    assert go_round() == 1
    return visit_type, entry, Offer.objects.get(entry=entry)


def take(entry: WaitlistEntry, now: datetime | None = None) -> Appointment:
    return operations.take_offer(entry=entry, starts_at=wall(10), now=now or noon())


def decline(entry: WaitlistEntry) -> WaitlistEntry:
    return operations.decline_offer(entry=entry, starts_at=wall(10), now=noon())


@pytest.mark.django_db
class TestTakingIt:
    def test_the_visit_is_booked_at_once(self) -> None:
        _, entry, offer = offered(details=PARISA)
        held = list(Occupancy.objects.order_by("pk").values("resource", "lane", "starts_at", "ends_at"))

        appointment = take(entry)

        appointment.refresh_from_db()
        entry.refresh_from_db()
        offer.refresh_from_db()
        assert (appointment.status, appointment.starts_at, appointment.ends_at, appointment.version) == (
            Status.BOOKED,
            wall(10),
            wall(10, 45),
            1,
        )
        assert (appointment.patient, appointment.language, appointment.new_patient, appointment.anyone) == (
            entry.patient,
            "fa",
            True,
            True,
        )
        assert list(appointment.contacts.all()) == list(entry.contacts.all())
        assert list(
            appointment.occupancies.order_by("pk").values("resource", "lane", "starts_at", "ends_at")
        ) == (held)
        assert (entry.state, entry.booked, entry.ended_at, offer.answer) == (
            State.BOOKED,
            appointment,
            noon(),
            "taken",
        )
        assert [(row.from_status, row.to_status, row.actor) for row in appointment.changes.all()] == [
            ("", Status.BOOKED, Actor.PATIENT)
        ]

    def test_the_patient_gets_a_confirmation_and_the_desk_is_told(self) -> None:
        _, entry, _ = offered()
        appointment = take(entry)
        mails = QueuedMail.objects.filter(about=appointment.reference).order_by("pk")
        assert [mail.kind for mail in mails] == ["confirmed", "booked_from_waitlist"]
        assert "METHOD:REQUEST" in mails[0].calendar

    def test_staff_see_that_nobody_has_asked_about_health(self) -> None:
        _, entry, _ = offered()
        assert [flag.text for flag in take(entry).flags] == ["Not sure about precautions"]

    def test_the_same_form_sent_again_books_once(self) -> None:
        _, entry, _ = offered()
        first = take(entry)
        assert take(entry, noon() + timedelta(days=1)) == first
        assert Appointment.objects.filter(status=Status.BOOKED).count() == 1
        assert QueuedMail.objects.filter(kind="confirmed").count() == 1

    def test_it_can_be_taken_until_its_last_second(self) -> None:
        _, entry, offer = offered()
        assert take(entry, offer.expires_at - timedelta(seconds=1)).is_booked

    def test_an_offer_that_ran_out_cannot_be_taken(self) -> None:
        _, entry, offer = offered()
        before = everything()
        with pytest.raises(OfferEnded):
            take(entry, offer.expires_at)
        assert everything() == before

    def test_only_the_time_that_is_offered(self) -> None:
        _, entry, _ = offered()
        with pytest.raises(OfferEnded):
            operations.take_offer(entry=entry, starts_at=wall(11), now=noon())

    def test_nobody_else_can_take_it(self) -> None:
        visit_type, _, _ = offered()
        with pytest.raises(OfferEnded):
            take(join(visit_type))


@pytest.mark.django_db
class TestNotTakingIt:
    def test_the_next_one_is_asked_and_the_first_is_not_asked_again(self) -> None:
        visit_type, first, _ = offered()
        second = join(visit_type)
        decline(first)
        assert not Occupancy.objects.exists()
        assert [go_round(), go_round()] == [1, 0]
        assert offers() == [
            (first.reference, wall(10), "declined"),
            (second.reference, wall(10), ""),
        ]
        first.refresh_from_db()
        assert first.is_waiting

    def test_when_all_have_refused_everybody_may_have_it(self) -> None:
        visit_type, first, _ = offered()
        decline(first)
        assert go_round() == 0
        assert ask(visit_type, wall(10), now=noon()).is_pending

    def test_saying_no_twice_is_saying_it_once(self) -> None:
        _, entry, _ = offered()
        decline(entry)
        before = everything()
        decline(entry)
        assert everything() == before

    def test_whoever_said_no_cannot_take_it_any_more(self) -> None:
        _, entry, _ = offered()
        decline(entry)
        with pytest.raises(OfferEnded):
            take(entry)

    def test_what_was_taken_cannot_be_declined(self) -> None:
        _, entry, _ = offered()
        take(entry)
        with pytest.raises(OfferEnded):
            decline(entry)

    def test_silence_passes_it_on_and_the_first_is_told(self) -> None:
        visit_type, first, offer = offered()
        second = join(visit_type)
        assert go_round(offer.expires_at - timedelta(seconds=1)) == 0
        assert go_round(offer.expires_at) == 1
        assert offers() == [(first.reference, wall(10), "lapsed"), (second.reference, wall(10), "")]
        assert kinds(first) == ["waitlist_joined", "waitlist_offer", "waitlist_offer_ended"]
        mail = QueuedMail.objects.get(kind="waitlist_offer_ended")
        assert times.moment(offer.expires_at) in mail.text

    def test_another_day_is_offered_to_whoever_refused_one(self) -> None:
        visit_type, appointment = full_clinic()
        next_day = make_appointment(visit_type, starts_at=wall(10, days_ahead=3), status=Status.BOOKED)
        days = [wall(0, days_ahead=ahead).date() for ahead in (2, 3)]
        both = wishes(weekdays=[day.weekday() for day in days], until=days[-1])
        entry = join(visit_type, wishes=both)
        cancel(appointment)
        go_round()
        decline(entry)
        cancel(next_day)
        assert go_round() == 1
        assert [start for _, start, _ in offers()] == [wall(10), wall(10, days_ahead=3)]

    def test_one_offer_at_a_time(self) -> None:
        visit_type, appointment = full_clinic(practitioners=2, rooms=2)
        other = ask(visit_type, wall(10), now=noon())
        join(visit_type)
        cancel(appointment)
        assert go_round() == 1
        cancel(other)
        assert go_round() == 0


@pytest.mark.django_db
class TestLeaving:
    def test_whoever_has_left_is_asked_no_more(self) -> None:
        visit_type, appointment = full_clinic()
        entry = join(visit_type)
        left = operations.leave_waitlist(entry=entry, by=None, now=noon())
        cancel(appointment)
        assert (left.state, left.ended_at, go_round()) == (State.LEFT, noon(), 0)

    def test_what_they_were_offered_goes_to_the_next(self) -> None:
        visit_type, first, _ = offered()
        second = join(visit_type)
        operations.leave_waitlist(entry=first, by=None, now=noon())
        assert go_round() == 1
        assert offers()[-1] == (second.reference, wall(10), "")
        with pytest.raises(OfferEnded):
            take(first)

    def test_leaving_after_taking_keeps_the_visit(self) -> None:
        _, entry, _ = offered()
        appointment = take(entry)
        assert operations.leave_waitlist(entry=entry, by=None, now=noon()).state == State.BOOKED
        appointment.refresh_from_db()
        assert appointment.is_booked

    def test_whoever_staff_remove_has_a_link_that_opens_nothing(self) -> None:
        visit_type, _ = full_clinic()
        entry = join(visit_type)
        token = links.waitlist_token(entry)
        by = User.objects.create_user("desk")
        assert links.entry_opened_by(token, now=noon()) == entry
        removed = operations.leave_waitlist(entry=entry, by=by, now=noon())
        assert (removed.state, removed.removed_by) == (State.REMOVED, by)
        assert links.entry_opened_by(token, now=noon()) is None

    def test_when_the_last_day_is_over_the_person_is_told_in_the_morning(self) -> None:
        visit_type, _ = full_clinic()
        entry = join(visit_type)
        go_round(wall(20, 59))
        go_round(wall(7, 59, days_ahead=3))
        assert kinds(entry) == ["waitlist_joined"]
        go_round(wall(8, days_ahead=3))
        go_round(wall(8, days_ahead=3))
        entry.refresh_from_db()
        assert (entry.state, kinds(entry)) == (State.ENDED, ["waitlist_joined", "waitlist_ended"])


def waiting_for_earlier(**facts: Any) -> tuple[VisitType, Appointment, Appointment, WaitlistEntry]:
    """A clinic, the visit of somebody else, a later one, and whose patient waits for something before it."""
    visit_type, first = full_clinic()
    mine = ask(visit_type, wall(10, days_ahead=5), details=PARISA, now=noon())
    by = User.objects.create_user("confirming")
    mine = operations.confirm_appointment(appointment=mine, version=1, by=by, now=noon())
    given: dict[str, Any] = {"wishes": wishes(), "idempotency_key": uuid4(), "now": noon()}
    return visit_type, first, mine, operations.wait_for_earlier(appointment=mine, **given | facts)


@pytest.mark.django_db
class TestEarlierThanMine:
    def test_it_stands_for_the_same_patient(self) -> None:
        _, _, mine, entry = waiting_for_earlier()
        assert (entry.replaces, entry.patient, entry.language) == (mine, mine.patient, mine.language)
        assert Patient.objects.count() == 2

    def test_taking_it_books_the_new_and_cancels_the_old_in_one(self) -> None:
        _, first, mine, entry = waiting_for_earlier()
        cancel(first)
        go_round()

        booked = take(entry)

        mine.refresh_from_db()
        assert (booked.status, booked.patient, mine.status) == (Status.BOOKED, mine.patient, Status.CANCELLED)
        assert (booked.precautions, booked.note) == (mine.precautions, mine.note)
        assert (mine.occupancies.count(), booked.occupancies.count()) == (0, 2)
        assert [row.to_status for row in mine.changes.all()][-1] == Status.CANCELLED
        assert list(
            QueuedMail.objects.filter(about=mine.reference).order_by("pk").values_list("kind", flat=True)
        ) == ["received", "new_request", "confirmed", "cancelled"]
        assert "METHOD:CANCEL" in QueuedMail.objects.get(kind="cancelled", about=mine.reference).calendar
        desk = QueuedMail.objects.get(kind="booked_from_waitlist")
        assert mine.reference in desk.text

    def test_the_old_visit_stays_as_long_as_nothing_is_taken(self) -> None:
        _, first, mine, entry = waiting_for_earlier()
        cancel(first)
        go_round()
        decline(entry)
        mine.refresh_from_db()
        assert mine.is_booked

    def test_only_what_is_before_it(self) -> None:
        _, first, mine, _ = waiting_for_earlier(
            wishes=wishes(weekdays=[wall(0).weekday()], until=wall(0, days_ahead=30).date())
        )
        operations.move_appointment(
            appointment=mine,
            version=2,
            starts_at=wall(10, days_ahead=1),
            by=User.objects.create_user("desk"),
            idempotency_key=uuid4(),
            now=noon(),
        )
        cancel(first)
        assert go_round() == 0

    def test_without_the_visit_there_is_nothing_to_wait_for(self) -> None:
        _, first, mine, entry = waiting_for_earlier()
        cancel(mine)
        cancel(first)
        assert go_round() == 0
        entry.refresh_from_db()
        assert entry.state == State.ENDED

    def test_if_it_was_cancelled_meanwhile_the_offered_time_is_booked_all_the_same(self) -> None:
        _, first, mine, entry = waiting_for_earlier()
        cancel(first)
        go_round()
        cancel(mine)
        assert go_round() == 0
        assert take(entry).is_booked

    @pytest.mark.parametrize("status", [Status.CANCELLED, Status.ARRIVED, Status.PROPOSED, Status.DECLINED])
    def test_only_a_visit_to_come_can_be_replaced(self, status: Status) -> None:
        visit_type, _ = full_clinic()
        mine = make_appointment(visit_type, starts_at=wall(10, days_ahead=5), status=status)
        with pytest.raises(PermissionDenied):
            operations.wait_for_earlier(
                appointment=mine, wishes=wishes(), idempotency_key=uuid4(), now=noon()
            )

    def test_nobody_without_an_address_to_write_to(self) -> None:
        visit_type, _ = full_clinic()
        mine = make_appointment(
            visit_type,
            starts_at=wall(10, days_ahead=5),
            status=Status.BOOKED,
            patient=make_patient(email=""),
        )
        with pytest.raises(PermissionDenied):
            operations.wait_for_earlier(
                appointment=mine, wishes=wishes(), idempotency_key=uuid4(), now=noon()
            )

    def test_the_same_form_sent_again_and_a_second_wish(self) -> None:
        key = uuid4()
        visit_type, _, mine, entry = waiting_for_earlier(idempotency_key=key)
        again = operations.wait_for_earlier(
            appointment=mine, wishes=wishes(), idempotency_key=key, now=noon()
        )
        assert again == entry
        with pytest.raises(AlreadyWaiting):
            join(visit_type, details=PARISA)
        with pytest.raises(AlreadyWaiting):
            operations.wait_for_earlier(
                appointment=mine, wishes=wishes(), idempotency_key=uuid4(), now=noon()
            )


# --- Many at once, and faults ---------------------------------------------------------------------------------


def books_in_order() -> bool:
    """No overlap, every visit with exactly its occupancies, one row of history for each change."""
    astray = (books.OVERLAPS, books.PLAIN_VISITS_ASTRAY, books.UNWRITTEN_CHANGES, books.KEYS_USED_TWICE)
    return [books.ask(sql) for sql in astray] == [0] * len(astray)


@pytest.mark.django_db(transaction=True)
def test_in_any_number_of_processes_the_first_person_gets_one_offer() -> None:
    visit_type, appointment = full_clinic()
    entries = [join(visit_type) for _ in range(3)]
    cancel(appointment)
    made: list[int] = []

    ended = all_at_once(8, lambda _: made.append(go_round()))

    assert (ended, sum(made)) == ({"done": 8}, 1)
    assert offers() == [(entries[0].reference, wall(10), "")]
    assert (QueuedMail.objects.filter(kind="waitlist_offer").count(), books_in_order()) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_a_request_and_the_waitlist_want_one_time_and_one_gets_it() -> None:
    visit_type, appointment = full_clinic()
    join(visit_type)
    cancel(appointment)
    made: list[int] = []

    def act(number: int) -> None:
        if number % 2:
            made.append(go_round())
        else:
            ask(visit_type, wall(10), details=somebody(), now=noon())

    ended = all_at_once(16, act)

    asked = Appointment.objects.filter(status=Status.PENDING).count()
    assert (asked + sum(made), books_in_order()) == (1, True)
    assert ended == {"done": 8 + asked, "TimeTaken": 8 - asked}


@pytest.mark.django_db(transaction=True)
def test_taking_it_ten_times_at_once_books_one_visit() -> None:
    _, entry, _ = offered()
    took: set[str] = set()

    ended = all_at_once(10, lambda _: took.add(take(entry).reference))

    assert (ended, len(took)) == ({"done": 10}, 1)
    assert (QueuedMail.objects.filter(kind="confirmed").count(), books_in_order()) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_an_exchange_sent_ten_times_at_once_books_one_visit_and_cancels_one() -> None:
    _, first, mine, entry = waiting_for_earlier()
    cancel(first)
    go_round()

    ended = all_at_once(10, lambda _: take(entry))

    mine.refresh_from_db()
    assert (ended, mine.status, books_in_order()) == ({"done": 10}, Status.CANCELLED, True)
    assert QueuedMail.objects.filter(kind="cancelled", about=mine.reference).count() == 1


@pytest.mark.django_db(transaction=True)
def test_taking_declining_and_running_out_at_once_end_in_one_of_them() -> None:
    _, entry, offer = offered()

    def act(number: int) -> None:
        if number % 3 == 0:
            take(entry)
        elif number % 3 == 1:
            decline(entry)
        else:
            go_round(offer.expires_at)

    all_at_once(12, act)

    offer.refresh_from_db()
    booked = Appointment.objects.filter(status=Status.BOOKED)
    assert [offer.answer == "taken"] * 2 == [booked.exists(), Occupancy.objects.exists()]
    assert (offer.answer in {"taken", "declined", "lapsed"}, books_in_order()) == (True, True)


@pytest.mark.django_db(transaction=True)
def test_one_address_joins_once_however_often_at_once() -> None:
    visit_type, _ = full_clinic()

    ended = all_at_once(8, lambda _: join(visit_type, details=PARISA))

    assert ended == {"done": 1, "AlreadyWaiting": 7}


Act = Callable[[], object]


def a_joining() -> Iterator[Act]:
    visit_type, _ = full_clinic()
    wanted = wishes()
    yield lambda: join(visit_type, wishes=wanted)


def an_offer() -> Iterator[Act]:
    visit_type, appointment = full_clinic()
    join(visit_type)
    cancel(appointment)
    yield go_round


def a_lapse() -> Iterator[Act]:
    offered()
    at_night = wall(22, days_ahead=0)  # when nothing else is done
    yield lambda: go_round(at_night)


def a_taking() -> Iterator[Act]:
    _, entry, _ = offered()
    yield lambda: take(entry)


def an_exchange() -> Iterator[Act]:
    _, first, _, entry = waiting_for_earlier()
    cancel(first)
    go_round()
    yield lambda: take(entry)


def a_refusal() -> Iterator[Act]:
    _, entry, _ = offered()
    yield lambda: decline(entry)


def a_leaving() -> Iterator[Act]:
    _, entry, _ = offered()
    yield lambda: operations.leave_waitlist(entry=entry, by=None, now=noon())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "situation", [a_joining, an_offer, a_lapse, a_taking, an_exchange, a_refusal, a_leaving]
)
def test_a_fault_at_any_statement_leaves_everything_as_it_was(situation: Callable[[], Iterator[Act]]) -> None:
    [act] = situation()
    assert broken_at_every_statement(act) > 4


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("appointment_id = {appointment}", "offer_one_owner"),
        ("entry_id = NULL", "offer_one_owner"),
        ("by_id = {user}", "offer_one_owner"),
        ("note = 'sorry'", "offer_known_note_to_a_request"),
    ],
)
def test_the_database_refuses_an_offer_of_two_owners_or_none_or_with_a_note_to_who_waits(
    change: str, constraint: str
) -> None:
    _, _, offer = offered()
    owners = {"appointment": Appointment.objects.get().pk, "user": User.objects.create_user("desk").pk}
    with (
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE booking_offer SET {change.format(**owners)} WHERE id = {offer.pk}")  # noqa: S608


@pytest.mark.django_db
def test_the_database_refuses_a_second_open_offer_to_one_person() -> None:
    _, entry, offer = offered()
    with pytest.raises(IntegrityError), transaction.atomic():
        Offer.objects.create(entry=entry, offered_at=noon(), expires_at=offer.expires_at)


# --- The pages -------------------------------------------------------------------------------------------------


def soon(hour: int = 10, **facts: Any) -> tuple[VisitType, Appointment]:
    """As `full_clinic`, for pages, which read the clock themselves."""
    visit_type, appointment = full_clinic(hour, slug="first-visit", fee=115, **facts)
    return visit_type, appointment


def typed(**changed: Any) -> dict[str, Any]:
    return {
        "practitioner": "anyone",
        "weekdays": [wall(0).weekday()],
        "parts": ["morning"],
        "until": wall(0).date().isoformat(),
        "key": str(uuid4()),
        "name": "Parisa Karimi",
        "email": "parisa@example.com",
        "phone": "416-555-0188",
        "adult": "yes",
        "new_patient": "new",
        "language": "fa",
        "consent": "on",
    } | changed


JOIN = "/book/first-visit/waitlist/"


@pytest.fixture
def person(client: Client) -> Client:
    """A browser that has passed the safety gate."""
    pass_gate(client)
    return client


@pytest.fixture
def by_day(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Pages read the clock; the tests of offers want it to be day."""
    monkeypatch.setattr(timezone, "now", noon_of_today)
    return noon()


_NOW = timezone.now()


def noon_of_today() -> datetime:
    return datetime.combine(times.local_day(_NOW), time(12), tzinfo=times.ZONE)


def open_link(client: Client, entry: WaitlistEntry) -> Any:
    return client.get(reverse("booking:open_waitlist", args=[links.waitlist_token(entry)]))


@pytest.mark.django_db
class TestThePages:
    def test_the_list_is_joined_behind_the_safety_gate(self, client: Client) -> None:
        soon()
        assert client.get(JOIN)["Location"] == "/book/?next=%2Fbook%2Ffirst-visit%2Fwaitlist%2F"
        assert client.post(JOIN, typed())["Location"] == "/book/?next=%2Fbook%2Ffirst-visit%2Fwaitlist%2F"
        assert WaitlistEntry.objects.count() == 0

    def test_the_page_of_times_and_the_page_of_a_taken_time_lead_to_it(self, person: Client) -> None:
        visit_type, _ = soon()
        slug = visit_type.practitioners.get().slug
        assert f'href="{JOIN}?practitioner={slug}"' in body(
            person.get(f"/book/first-visit/?practitioner={slug}")
        )
        taken = person.get(reverse("booking:details", args=["first-visit", "anyone", wall(10)]))
        assert (taken.status_code, f'href="{JOIN}?practitioner=anyone"' in body(taken)) == (409, True)

    def test_the_form_asks_for_no_word_of_health_and_says_how_it_works(self, person: Client) -> None:
        soon()
        page = body(person.get(JOIN))
        assert [name for name in ("precautions", "any_precaution", "note") if f'name="{name}"' in page] == []
        assert [
            words
            for words in (
                "We cannot promise that anything comes free.",
                "The offer stands for 120 minutes",
                "$115. You pay nothing now.",
                "Only the clinic’s staff see what you enter.",
                "Between 9 pm and 8 am we offer nothing.",
            )
            if words not in page
        ] == []

    def test_the_suggested_last_day_is_the_day_before_the_first_free_one(self, person: Client) -> None:
        soon()
        BookingRules(notice_hours=42).save()
        first_free = body(person.get("/book/first-visit/"))
        day = re.findall(r"&amp;day=([0-9-]+)#times", first_free)[0]
        before = date.fromisoformat(day) - timedelta(days=1)
        assert f'name="until" value="{before}"' in body(person.get(JOIN))

    def test_joining_leads_to_a_page_that_says_so(self, person: Client) -> None:
        soon()
        answer = person.post(JOIN, typed())
        entry = WaitlistEntry.objects.get()
        assert answer["Location"] == f"/waitlist/{entry.reference}/"
        page = body(person.get(answer["Location"]))
        assert "<h1>You are on our waitlist</h1>" in page
        assert "parisa@example.com" in page
        assert entry.patient.marketing_consented_at is None

    def test_the_same_form_sent_twice_leads_to_the_same_page(self, person: Client) -> None:
        soon()
        form = typed()
        first, again = person.post(JOIN, form), person.post(JOIN, form)
        assert (first["Location"], WaitlistEntry.objects.count()) == (again["Location"], 1)

    @pytest.mark.parametrize(
        ("changed", "errors"),
        [
            ({"weekdays": []}, {"weekdays"}),
            ({"weekdays": ["7"]}, {"weekdays"}),
            ({"parts": ["night"]}, {"parts"}),
            ({"practitioner": "nobody"}, {"practitioner"}),
            ({"until": "2001-01-01"}, {"until"}),
            ({"until": "9999-12-31"}, {"until"}),
            ({"until": "soon"}, {"until"}),
            ({"key": "x"}, {"key"}),
            ({"email": "nonsense"}, {"email"}),
            ({"name": "\x00"}, {"name"}),
            ({"consent": ""}, {"consent"}),
            ({"state": "booked", "patient": "1", "booked": "1"}, set()),
        ],
    )
    def test_what_may_be_typed(self, person: Client, changed: dict[str, Any], errors: set[str]) -> None:
        soon()
        page = person.post(JOIN, typed(**changed))
        assert (set(page.context["form"].errors) if page.status_code == 200 else set()) == errors
        assert WaitlistEntry.objects.filter(state=State.WAITING).count() == int(not errors)

    def test_what_is_free_is_offered_instead_of_waiting(self, person: Client) -> None:
        _, appointment = soon()
        cancel(appointment, timezone.now())
        page = person.post(JOIN, typed())
        assert page.status_code == 409
        assert "these times are free now" in body(page)
        assert f'name="start" value="{times.write_start(wall(10))}"' in body(page)
        assert 'value="Parisa Karimi"' in body(page)

    def test_whoever_waits_already_is_told(self, person: Client) -> None:
        soon()
        person.post(JOIN, typed())
        page = person.post(JOIN, typed())
        assert "You are on the waitlist for this visit already." in body(page)

    @pytest.mark.usefixtures("by_day")
    def test_an_offer_is_seen_by_the_link_and_taken_by_a_form(self, client: Client) -> None:
        _, entry, _ = offered(details=PARISA)
        assert open_link(client, entry)["Location"] == f"/waitlist/{entry.reference}/"
        page = body(client.get(f"/waitlist/{entry.reference}/"))
        assert "<h1>A time came free</h1>" in page
        start = times.write_start(wall(10))
        assert f'name="start" value="{start}"' in page
        answer = client.post(f"/waitlist/{entry.reference}/take/", {"start": start})
        booked = Appointment.objects.get(status=Status.BOOKED)
        assert answer["Location"] == f"/appointments/{booked.reference}/"
        assert client.get(answer["Location"]).status_code == 200
        assert "<h1>Your visit is booked</h1>" in body(client.get(f"/waitlist/{entry.reference}/"))

    @pytest.mark.usefixtures("by_day")
    def test_saying_no_by_a_form(self, client: Client) -> None:
        _, entry, _ = offered()
        open_link(client, entry)
        start = times.write_start(wall(10))
        assert client.post(f"/waitlist/{entry.reference}/decline/", {"start": start}).status_code == 302
        page = body(client.get(f"/waitlist/{entry.reference}/"))
        assert "You said no to" in page
        too_late = client.post(f"/waitlist/{entry.reference}/take/", {"start": start})
        assert (too_late.status_code, "This time is no longer kept for you" in body(too_late)) == (409, True)

    @pytest.mark.parametrize("act", ["take", "decline"])
    @pytest.mark.parametrize("start", ["", "soon", "99990101T0000-0500", "\x00"])
    def test_a_form_that_names_no_offered_time_changes_nothing(
        self, client: Client, act: str, start: str
    ) -> None:
        _, entry, _ = offered()
        open_link(client, entry)
        before = everything()
        answer = client.post(f"/waitlist/{entry.reference}/{act}/", {"start": start})
        assert (answer.status_code, everything() == before) == (409, True)

    def test_leaving_is_one_form(self, person: Client) -> None:
        soon()
        person.post(JOIN, typed())
        entry = WaitlistEntry.objects.get()
        answer = person.post(f"/waitlist/{entry.reference}/leave/")
        entry.refresh_from_db()
        assert entry.state == State.LEFT
        assert "You are no longer on our waitlist" in body(person.get(answer["Location"]))

    @pytest.mark.parametrize("act", ["take", "decline", "leave"])
    def test_nothing_is_done_by_looking(self, person: Client, act: str) -> None:
        soon()
        person.post(JOIN, typed())
        entry = WaitlistEntry.objects.get()
        assert person.get(f"/waitlist/{entry.reference}/{act}/").status_code == 405

    def test_somebody_else_sees_and_does_nothing(self, client: Client) -> None:
        _, entry, _ = offered()
        before = everything()
        here, start = f"/waitlist/{entry.reference}/", {"start": times.write_start(wall(10))}
        pages = [client.get(here), client.get("/waitlist/WL-NOBODY/")]
        pages += [client.post(f"{here}{act}/", start) for act in ("take", "decline", "leave")]
        assert {(page.status_code, body(page)) for page in pages} == {(404, body(pages[0]))}
        assert everything() == before

    def test_all_links_that_open_nothing_look_alike(self, client: Client) -> None:
        visit_type, _ = full_clinic()
        entry, removed, over = join(visit_type), join(visit_type), join(visit_type)
        by = User.objects.create_user("desk")
        operations.leave_waitlist(entry=removed, by=by, now=noon())
        operations.leave_waitlist(entry=over, by=None, now=timezone.now() - links.OPENS_FOR)
        good = links.waitlist_token(entry)
        appointment = Appointment.objects.get()
        bad = [
            "x",
            good[:-1],
            good[:-1] + ("A" if good[-1] != "A" else "B"),
            good.replace(entry.reference, removed.reference),
            links.waitlist_token(removed),
            links.waitlist_token(over),
            links.token(appointment),
            "WL-NOBODY.1." + "A" * 43,
        ]
        answers = [client.get(reverse("booking:open_waitlist", args=[token])) for token in bad]
        assert {(page.status_code, body(page)) for page in answers} == {(404, body(answers[0]))}
        assert client.session.get("opened") is None
        assert open_link(client, entry).status_code == 302
        assert client.get(reverse("booking:open", args=[good])).status_code == 404

    def test_two_tabs_of_two_entries_never_mix(self, client: Client) -> None:
        visit_type, _ = full_clinic()
        first, second = join(visit_type), join(visit_type, details=PARISA)
        open_link(client, first)
        open_link(client, second)
        client.post(f"/waitlist/{first.reference}/leave/")
        assert [entry.state for entry in WaitlistEntry.objects.order_by("pk")] == [State.LEFT, State.WAITING]

    def test_a_scanner_that_opens_every_link_of_every_mail_changes_nothing(self, client: Client) -> None:
        visit_type, _, offer = offered()
        join(visit_type)
        go_round(offer.expires_at)
        go_round(wall(9, days_ahead=4))
        mails = QueuedMail.objects.filter(about__startswith="WL-")
        assert {mail.kind for mail in mails} == {
            "waitlist_joined",
            "waitlist_offer",
            "waitlist_offer_ended",
            "waitlist_ended",
        }
        paths = {
            path
            for mail in mails
            for path in re.findall(rf'{settings.SITE_URL}(/[^\s"<]+)', mail.text + mail.html)
        }
        assert len(paths) == WaitlistEntry.objects.count()
        before = everything()
        for path in paths:
            for look in (client.get, client.head, client.get, client.head):
                assert look(path, follow=True).status_code == 200
        assert everything() == before

    def test_private_pages_are_kept_by_nobody(self, person: Client) -> None:
        soon()
        person.post(JOIN, typed())
        entry = WaitlistEntry.objects.get()
        for page in (JOIN, f"/waitlist/{entry.reference}/"):
            answer = person.get(page)
            assert "no-store" in answer["Cache-Control"]
            assert answer["X-Robots-Tag"] == "noindex"

    @pytest.mark.parametrize("text", XSS)
    def test_what_was_typed_stays_text(self, person: Client, text: str) -> None:
        soon()
        page = person.post(JOIN, typed(name=text, phone=text, until=text))
        assert "<" not in text or text not in page.content.decode()

    def test_earlier_than_mine_is_asked_from_the_page_of_the_visit(self, person: Client) -> None:
        visit_type, _ = soon()
        mine = ask(visit_type, wall(10, days_ahead=5), details=PARISA)
        address = f"{JOIN}?replaces={mine.reference}"
        assert person.get(address).status_code == 404
        person.get(reverse("booking:open", args=[links.token(mine)]))
        assert f'href="{address}"' in body(person.get(f"/appointments/{mine.reference}/"))
        page = body(person.get(address))
        assert "You keep your visit of" in page
        assert 'name="email"' not in page
        wanted = {name: typed()[name] for name in ("practitioner", "weekdays", "parts", "until", "key")}
        assert person.post(address, wanted).status_code == 302
        assert WaitlistEntry.objects.get().replaces == mine


# --- The desk and the worker -----------------------------------------------------------------------------------


def desk(client: Client, *permissions: str) -> Client:
    user = User.objects.create_user("reception", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


LIST = "/admin/booking/waitlistentry/"


@pytest.mark.django_db
class TestTheDesk:
    def test_staff_read_who_waits_and_what_was_offered_last(self, client: Client) -> None:
        _, entry, offer = offered(details=PARISA)
        page = body(desk(client, "view_waitlistentry").get(LIST))
        until = times.moment(offer.expires_at).replace(times.NBSP, " ")
        assert f"open until {until}" in page
        assert "Parisa Karimi" in page
        shown = body(client.get(f"{LIST}{entry.pk}/change/"))
        assert "Remove from the waitlist" not in shown
        assert 'name="_save"' not in shown

    def test_removing_needs_its_own_permission_and_is_one_form(self, client: Client) -> None:
        _, entry, _ = offered()
        address = f"{LIST}{entry.pk}/remove/"
        reader = desk(client, "view_waitlistentry")
        assert [reader.get(address).status_code, reader.post(address).status_code] == [405, 403]
        User.objects.get().user_permissions.add(Permission.objects.get(codename="remove_waitlistentry"))
        assert "Remove from the waitlist" in body(reader.get(f"{LIST}{entry.pk}/change/"))
        assert "is off the waitlist" in body(reader.post(address, follow=True))
        entry.refresh_from_db()
        assert (entry.state, entry.removed_by, Occupancy.objects.count()) == (
            State.REMOVED,
            User.objects.get(),
            0,
        )

    def test_removing_somebody_who_has_left_changes_nothing(self, client: Client) -> None:
        visit_type, _ = full_clinic()
        entry = join(visit_type)
        operations.leave_waitlist(entry=entry, by=None, now=noon())
        reception = desk(client, "view_waitlistentry", "remove_waitlistentry", "see_every_patient")
        answer = with_a_reason(reception, entry.patient).post(f"{LIST}{entry.pk}/remove/", follow=True)
        assert "waits no longer: left the list" in body(answer)
        entry.refresh_from_db()
        assert (entry.state, entry.removed_by) == (State.LEFT, None)


@pytest.mark.django_db
def test_the_worker_offers_what_came_free(capsys: pytest.CaptureFixture[str], by_day: datetime) -> None:
    visit_type, appointment = full_clinic()
    join(visit_type, now=by_day)
    cancel(appointment, by_day)
    call_command("worker", once=True)
    assert "1 times offered from the waitlist" in capsys.readouterr().out
