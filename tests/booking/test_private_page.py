"""The private page of an appointment: who gets in, what it says, and what a patient can do there."""

import logging
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from gunicorn.config import Config
from icalendar import Calendar
from pytest_django import Settings

from booking import links, operations, times
from booking.models import (
    Actor,
    Appointment,
    BookingRules,
    DeclineReason,
    Occupancy,
    OfferNote,
    OfferOption,
    Status,
    StatusChange,
    VisitType,
)
from booking.views.standing import PAST, STANDING
from clinic.gunicorn_conf import CarefulLogger
from clinic.models import QueuedMail
from clinic.redaction import TokenFilter
from tests.booking.factories import make_appointment, make_clinic, make_patient, wall
from tests.booking.test_desk import with_a_reason
from tests.booking.test_moves_and_offers import offer
from tests.booking.test_operations import ask, somebody, staff

pytestmark = pytest.mark.django_db


def body(response: Any) -> str:
    """The page as one line, so that line breaks in templates do not matter."""
    return " ".join(response.content.decode().replace(times.NBSP, " ").split())


def said(at: datetime) -> str:
    return times.moment(at).replace(times.NBSP, " ")


def link(appointment: Appointment) -> str:
    return f"/appointments/open/{links.token(appointment)}/"


def page_of(appointment: Appointment, page: str = "appointment") -> str:
    return reverse(f"booking:{page}", args=[appointment.reference])


def visitor(*appointments: Appointment) -> Client:
    """A browser that has opened the links of these appointments."""
    client = Client()
    for appointment in appointments:
        assert client.get(link(appointment)).status_code == 302
    return client


def form(appointment: Appointment, **fields: Any) -> dict[str, Any]:
    return {"version": appointment.version, "key": uuid4()} | fields


def start(at: datetime) -> str:
    return times.write_start(at)


def booked(visit_type: VisitType | None = None, **facts: Any) -> Appointment:
    return make_appointment(visit_type or make_clinic(), status=Status.BOOKED, **facts)


def proposed(*starts: datetime, note: OfferNote | None = None) -> Appointment:
    """A request whose time staff could not give, with these other ones offered instead."""
    appointment = ask(make_clinic(), wall(10))
    offer(appointment, *starts, note=note)
    return Appointment.objects.get(pk=appointment.pk)


def database() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but the sessions."""
    models = [model for model in apps.get_models() if model is not Session]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}  # noqa: SLF001


class TestTheLink:
    def test_it_leads_to_the_clean_address_of_its_appointment(self, client: Client) -> None:
        appointment = booked()
        opened = client.get(link(appointment))
        assert (opened.status_code, opened["Location"]) == (302, page_of(appointment))
        assert client.get(opened["Location"]).status_code == 200

    def test_mails_carry_it_as_an_absolute_address_that_is_always_the_same(self, settings: Settings) -> None:
        settings.SITE_URL = "https://clinic.example"
        appointment = booked()
        assert links.address(appointment) == f"https://clinic.example{link(appointment)}"
        assert links.address(appointment) == links.address(Appointment.objects.get())

    def test_a_head_request_opens_it_like_a_get(self, client: Client) -> None:
        appointment = booked()
        assert client.head(link(appointment))["Location"] == page_of(appointment)

    def test_its_token_cannot_be_guessed_and_is_nowhere_stored(self) -> None:
        appointment = booked()
        client = visitor(appointment)
        signature = links.token(appointment).rpartition(".")[2]
        assert len(signature) == 43  # 256 bits
        sessions = [row.get_decoded() for row in Session.objects.all()]
        assert signature not in str(database()) + str(sessions) + body(client.get(page_of(appointment)))

    def test_without_it_nobody_gets_in(self, client: Client) -> None:
        appointment = booked()
        for page in ("appointment", "calendar", "move", "cancel"):
            assert client.get(page_of(appointment, page)).status_code == 404

    def test_two_tabs_of_two_appointments_do_not_mix(self) -> None:
        visit_type = make_clinic()
        first, second = booked(visit_type), booked(visit_type, starts_at=wall(14))
        both = visitor(first, second)
        assert said(first.starts_at) in body(both.get(page_of(first)))
        assert said(second.starts_at) in body(both.get(page_of(second)))
        both.post(page_of(first, "cancel"), form(first))
        assert list(Appointment.objects.order_by("pk").values_list("status", flat=True)) == [
            Status.CANCELLED,
            Status.BOOKED,
        ]

    def test_one_link_does_not_open_another_appointment(self) -> None:
        visit_type = make_clinic()
        mine, other = booked(visit_type), booked(visit_type, starts_at=wall(14))
        client = visitor(mine)
        assert client.get(page_of(other)).status_code == 404
        assert client.post(page_of(other, "cancel"), form(other)).status_code == 404
        assert Appointment.objects.get(pk=other.pk).status == Status.BOOKED

    def test_a_new_generation_revokes_it_for_those_who_are_in_already(self) -> None:
        appointment = booked()
        client = visitor(appointment)
        Appointment.objects.update(link_generation=2)
        assert client.get(link(appointment)).status_code == 404
        assert client.get(page_of(appointment)).status_code == 404
        assert client.post(page_of(appointment, "cancel"), form(appointment)).status_code == 404
        assert visitor(Appointment.objects.get()).get(page_of(appointment)).status_code == 200

    def test_it_opens_for_ninety_days_after_the_visit(self, client: Client) -> None:
        appointment = booked()
        for past, answer in ((timedelta(days=89), 302), (timedelta(days=91), 404)):
            Appointment.objects.update(
                starts_at=timezone.now() - past - timedelta(hours=1), ends_at=timezone.now() - past
            )
            assert client.get(link(appointment)).status_code == answer

    def test_all_that_open_nothing_are_refused_alike(self, client: Client) -> None:
        visit_type = make_clinic()
        revoked, past = booked(visit_type), booked(visit_type, starts_at=wall(14))
        tokens = [links.token(revoked), links.token(past)]
        Appointment.objects.filter(pk=revoked.pk).update(link_generation=2)
        Appointment.objects.filter(pk=past.pk).update(
            ends_at=wall(15, days_ahead=-91), starts_at=wall(14, days_ahead=-91)
        )
        good = links.token(booked(visit_type, starts_at=wall(17)))
        tokens += [
            f"{good}x",
            good[:-1],
            good.replace(".1.", ".2."),
            "RH-NOBODY.1.x",
            "x",
            "\x00",
            "é" * 300,
            "..",
        ]
        answers = []
        for token in tokens:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                answer = client.get(reverse("booking:open", args=[token]))
            headers = {name: value for name, value in answer.headers.items() if name != "Expires"}
            answers.append((answer.status_code, body(answer), headers, len(queries)))
        assert [answer for answer in answers if answer != answers[0]] == []
        assert (answers[0][0], answers[0][3]) == (404, 1)
        assert answers[0][1] == body(client.get(page_of(revoked)))

    def test_no_page_is_kept_found_or_named_to_others(self) -> None:
        appointment = booked()
        client = visitor(appointment)
        pages = [client.get(page_of(appointment, page)) for page in ("appointment", "move", "cancel")]
        pages += [
            client.get(page_of(appointment, "calendar")),
            client.get(link(appointment)),
            client.get("/appointments/open/x/"),
            client.get("/appointments/lost/"),
        ]
        for page in pages:
            assert "no-store" in page["Cache-Control"]
            assert page["X-Robots-Tag"] == "noindex"
            assert page["Referrer-Policy"] == "same-origin"
            assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", body(page))

    def test_it_stands_in_no_log(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        token = links.token(booked())
        caplog.handler.addFilter(TokenFilter())
        with caplog.at_level(logging.DEBUG, logger="django.request"):
            client.get(f"/appointments/open/{token}x/")
        assert "Not Found: /appointments/open/…/" in caplog.text
        assert token not in caplog.text

    def test_the_web_server_logs_neither_it_nor_the_token_of_a_calendar(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        logger = CarefulLogger(Config())
        for log in (logger.access_log, logger.error_log):
            log.addHandler(caplog.handler)
        logger.access_log.info("%(m)s %(U)s", {"m": "GET", "U": "/fa/appointments/open/RH-X.1.secret/"})
        logger.error("Error handling request GET %s", "/calendars/secret.ics?x=1")
        for log in (logger.access_log, logger.error_log):
            log.removeHandler(caplog.handler)
        assert caplog.messages == [
            "GET /fa/appointments/open/…/",
            "Error handling request GET /calendars/…?x=1",
        ]


class TestThePage:
    @pytest.mark.parametrize("status", Status)
    def test_each_status_has_words_of_its_own(self, status: Status) -> None:
        appointment = (
            proposed(wall(14))
            if status == Status.PROPOSED
            else make_appointment(make_clinic(), status=status)
        )
        headline, meaning = STANDING[status]
        page = body(visitor(appointment).get(page_of(appointment)))
        assert f"<h1>{headline}</h1>" in page
        assert str(meaning) in page
        assert said(appointment.starts_at) in page

    @pytest.mark.parametrize(
        ("status", "offered"),
        [
            (Status.PENDING, ["Ask for another time", "Take the request back"]),
            (Status.BOOKED, ["Change the time", "Cancel the visit"]),
            (Status.ARRIVED, ["Ask for another visit"]),
            (Status.FULFILLED, ["Ask for another visit"]),
            (Status.NOSHOW, ["Ask for another visit"]),
            (Status.CANCELLED, ["Ask for another visit"]),
            (Status.DECLINED, ["Ask for another visit"]),
            (Status.EXPIRED, ["Ask for another visit"]),
        ],
    )
    def test_it_offers_what_can_be_done_now(self, status: Status, offered: list[str]) -> None:
        appointment = make_appointment(make_clinic(), status=status, starts_at=wall(10, days_ahead=5))
        page = body(visitor(appointment).get(page_of(appointment)))
        assert re.findall(r'<a class="btn[^>]*>([^<]*)</a>', page) == offered

    def test_a_visit_whose_time_has_come_can_no_longer_be_changed(self) -> None:
        appointment = booked(starts_at=timezone.now() - timedelta(minutes=1))
        client = visitor(appointment)
        assert f"<h1>{STANDING[PAST][0]}</h1>" in body(client.get(page_of(appointment)))
        for page in ("move", "cancel"):
            answer = client.post(page_of(appointment, page), form(appointment, start=start(wall(14))))
            assert answer.status_code == 409
            assert "This can no longer be changed here. Please call us." in body(answer)
        assert Appointment.objects.get().status == Status.BOOKED

    def test_a_request_that_was_not_answered_in_time_has_ended_before_the_clock_ends_it(self) -> None:
        appointment = make_appointment(make_clinic(), answer_by=timezone.now())
        page = body(visitor(appointment).get(page_of(appointment)))
        assert f"<h1>{STANDING[Status.EXPIRED][0]}</h1>" in page

    def test_it_says_where_with_whom_and_how_to_prepare(self) -> None:
        appointment = booked()
        page = body(visitor(appointment).get(page_of(appointment)))
        for fact in (
            f"{said(appointment.starts_at)}, with {appointment.practitioner}",
            "Richmond Hill, Ontario (sample address)",
            "Have something to eat beforehand, and bring a list of the medicines you take.",
            f"It is free until {said(appointment.starts_at - timedelta(hours=24))}.",
            "Ask us what a later cancellation costs.",
            appointment.reference,
        ):
            assert fact in page

    @pytest.mark.parametrize("has_new_link", [False, True])
    def test_a_declined_request_says_why(self, has_new_link: bool) -> None:  # noqa: FBT001 (a case)
        by, now = staff(), timezone.now()
        appointment = operations.decline_appointment(
            appointment=ask(make_clinic(), wall(10)), version=1, reason=DeclineReason.AWAY, by=by, now=now
        )
        if has_new_link:
            appointment = operations.replace_link(appointment=appointment, version=2, by=by, now=now)
        page = body(visitor(appointment).get(page_of(appointment)))
        assert "The practitioner is away at this time." in page

    def test_it_tells_what_happened_and_never_which_of_the_staff_did_it(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        operations.confirm_appointment(appointment=appointment, version=1, by=staff(), now=timezone.now())
        page = body(visitor(appointment).get(page_of(appointment)))
        history = page[page.index("What happened") :]
        assert re.findall(r"<li><b>([^<]*)</b>([^<]*)<br>", history) == [
            ("Confirmed", " by the clinic"),
            ("Requested", " by you"),
        ]
        assert "desk" not in history

    def test_it_shows_no_health_answer_note_or_phone_number(self) -> None:
        patient = make_patient(phone="416-555-7777")
        appointment = booked(patient=patient, note="Canary note", precautions={"blood": "yes"})
        client = visitor(appointment)
        for page in ("appointment", "move", "cancel", "calendar"):
            seen = body(client.get(page_of(appointment, page)))
            assert [word for word in ("Canary", "blood", "Bleeding", "7777") if word in seen] == []


class TestScanners:
    def test_whatever_a_scanner_opens_twice_nothing_changes(self) -> None:
        visit_type = make_clinic()
        asked = ask(visit_type, wall(9))
        made = [proposed(wall(14), wall(15)), booked(visit_type, starts_at=wall(17)), asked]
        for appointment in made:
            operations.send_link_again(
                email=appointment.patient.email, reference=appointment.reference, now=timezone.now()
            )
        mailed = {
            address
            for mail in QueuedMail.objects.all()
            for address in re.findall(r"https?://[^/\s\"]+(/[^\s\"<]*)", mail.text + mail.html)
        }
        assert {link(appointment) for appointment in made} <= mailed
        before, scanner, seen = database(), Client(raise_request_exception=True), set[str]()
        waiting = sorted(mailed)
        while waiting:
            address = waiting.pop()
            seen.add(address)
            found = set[str]()
            for answer in (
                scanner.get(address),
                scanner.head(address),
                scanner.get(address),
                scanner.head(address),
            ):
                assert answer.status_code < 500
                found |= {answer["Location"]} if answer.status_code == 302 else set()
                if answer["Content-Type"].startswith("text/html"):
                    page = answer.content.decode()
                    found |= set(re.findall(r'(?:href|action)="(/appointments/[^"#]*)', page))
            waiting += [
                new for new in found - seen if new.startswith("/appointments/") and new not in waiting
            ]
        assert {
            page_of(made[0], page) for page in ("appointment", "calendar", "move", "cancel", "accept")
        } <= seen
        assert database() == before


class TestCancelling:
    def test_the_rule_is_shown_first_and_one_post_cancels(self) -> None:
        BookingRules.objects.create(
            cancellation_hours=24, cancellation_rule="After that it costs half the fee."
        )
        appointment = booked()
        client = visitor(appointment)
        question = body(client.get(page_of(appointment, "cancel")))
        free_until = said(appointment.starts_at - timedelta(hours=24))
        assert f"It is free until {free_until}. After that it costs half the fee." in question

        cancelled = client.post(page_of(appointment, "cancel"), form(appointment))

        assert cancelled["Location"] == page_of(appointment)
        assert "<h1>Cancelled</h1>" in body(client.get(cancelled["Location"]))
        assert Occupancy.objects.count() == 0
        assert [mail.kind for mail in QueuedMail.objects.all()] == ["cancelled_by_patient", "cancelled"]

    def test_a_late_cancellation_says_that_it_was_free_until_then(self) -> None:
        appointment = booked(starts_at=timezone.now() + timedelta(hours=3))
        question = body(visitor(appointment).get(page_of(appointment, "cancel")))
        assert f"It was free until {said(appointment.starts_at - timedelta(hours=24))}." in question
        assert "Ask us what a cancellation costs now." in question

    def test_a_request_is_taken_back_for_nothing(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        client = visitor(appointment)
        assert "Nothing is booked yet, so it costs nothing." in body(
            client.get(page_of(appointment, "cancel"))
        )
        client.post(page_of(appointment, "cancel"), form(appointment))
        assert Appointment.objects.get().status == Status.CANCELLED

    def test_the_same_form_sent_again_is_answered_alike_and_does_nothing(self) -> None:
        appointment = booked()
        client, sent = visitor(appointment), form(appointment)
        answers = [client.post(page_of(appointment, "cancel"), sent) for _ in range(3)]
        assert [(answer.status_code, answer["Location"]) for answer in answers] == [
            (302, page_of(appointment))
        ] * 3
        assert QueuedMail.objects.filter(kind="cancelled").count() == 1

    def test_what_changed_meanwhile_is_shown_instead(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        client, sent = visitor(appointment), form(appointment)
        operations.confirm_appointment(appointment=appointment, version=1, by=staff(), now=timezone.now())
        answer = client.post(page_of(appointment, "cancel"), sent)
        assert answer.status_code == 409
        assert "This appointment has changed since you opened the page." in body(answer)
        assert "<h1>Confirmed</h1>" in body(answer)
        assert Appointment.objects.get().status == Status.BOOKED

    @pytest.mark.parametrize(
        "broken", [{"version": "x"}, {"key": "x"}, {"version": "9" * 400}, {"version": ""}, {"key": "\x00"}]
    )
    def test_a_form_that_is_not_ours_changes_nothing(self, broken: dict[str, str]) -> None:
        appointment = booked()
        answer = visitor(appointment).post(page_of(appointment, "cancel"), form(appointment, **broken))
        assert answer.status_code == 409
        assert Appointment.objects.get().status == Status.BOOKED

    def test_a_form_from_elsewhere_is_refused(self) -> None:
        appointment = booked()
        client = Client(enforce_csrf_checks=True)
        client.get(link(appointment))
        for page in ("cancel", "move", "accept"):
            assert client.post(page_of(appointment, page), form(appointment)).status_code == 403


class TestMoving:
    def test_the_old_and_the_new_time_stand_side_by_side_and_one_post_moves(self) -> None:
        appointment = booked()
        client = visitor(appointment)
        day = times.local_day(wall(0))
        chosen = body(client.get(page_of(appointment, "move"), {"day": day.isoformat()}))
        assert f'value="{start(wall(14))}"' in chosen
        compared = body(client.get(page_of(appointment, "move"), {"start": start(wall(14))}))
        assert f"<p>{said(wall(10))}</p>" in compared
        assert f"<p><b>{said(wall(14))}</b></p>" in compared
        assert "Your visit stays booked, at the new time." in compared

        moved = client.post(page_of(appointment, "move"), form(appointment, start=start(wall(14))))

        assert moved["Location"] == page_of(appointment)
        now_at = Appointment.objects.get()
        assert (now_at.starts_at, now_at.status) == (wall(14), Status.BOOKED)
        assert sorted(mail.kind for mail in QueuedMail.objects.all()) == ["moved", "moved_by_patient"]
        change = StatusChange.objects.last()
        assert change is not None
        assert (change.actor, change.reason) == (Actor.PATIENT, "moved")

    def test_times_that_overlap_the_own_visit_can_be_chosen(self) -> None:
        appointment = booked()
        client = visitor(appointment)
        page = body(client.get(page_of(appointment, "move"), {"day": times.local_day(wall(0)).isoformat()}))
        assert f'value="{start(wall(10, 15))}"' in page
        client.post(page_of(appointment, "move"), form(appointment, start=start(wall(10, 15))))
        assert Appointment.objects.get().starts_at == wall(10, 15)

    def test_a_request_may_go_to_another_practitioner_and_stays_a_request(self) -> None:
        visit_type = make_clinic(practitioners=2, rooms=2)
        first, second = visit_type.practitioners.order_by("pk")
        appointment = ask(visit_type, wall(10), practitioner=first)
        client = visitor(appointment)
        page = body(client.get(page_of(appointment, "move"), {"practitioner": second.slug}))
        assert re.findall(r'<a href="\?practitioner=([^"&]*)"( aria-current="true")?>', page) == [
            (first.slug, ""),
            (second.slug, ' aria-current="true"'),
        ]
        client.post(
            page_of(appointment, "move"), form(appointment, start=start(wall(14)), practitioner=second.slug)
        )
        moved = Appointment.objects.get()
        assert (moved.practitioner, moved.status, moved.starts_at) == (second, Status.PENDING, wall(14))

    def test_the_answer_to_a_moved_request_is_promised_before_its_new_time(self) -> None:
        appointment = ask(make_clinic(), wall(10, days_ahead=9), now=timezone.now())
        promised = appointment.answer_by
        soon = wall(10, days_ahead=1)
        BookingRules.objects.create(notice_hours=0)
        visitor(appointment).post(page_of(appointment, "move"), form(appointment, start=start(soon)))
        moved = Appointment.objects.get()
        assert moved.starts_at == soon
        assert moved.answer_by is not None
        assert promised is not None
        assert moved.answer_by <= min(promised, soon - timedelta(hours=2))

    def test_a_time_that_was_taken_meanwhile_is_told_with_the_nearest_ones(self) -> None:
        visit_type = make_clinic()
        appointment = booked(visit_type)
        booked(visit_type, starts_at=wall(14))
        client = visitor(appointment)
        for answer in (
            client.post(page_of(appointment, "move"), form(appointment, start=start(wall(14)))),
            client.get(page_of(appointment, "move"), {"start": start(wall(14))}),
        ):
            page = body(answer)
            assert answer.status_code == 409
            assert f"Nothing has changed: you still have {said(wall(10))}." in page
            assert re.findall(r'name="start" value="([^"]*)"', page) == [
                start(at) for at in (wall(13, 15), wall(14, 45), wall(13), wall(15))
            ]
        assert Appointment.objects.get(pk=appointment.pk).starts_at == wall(10)

    def test_shortly_before_the_visit_it_is_moved_by_phone_only(self) -> None:
        appointment = booked(starts_at=timezone.now() + timedelta(hours=3))
        client = visitor(appointment)
        page = body(client.get(page_of(appointment)))
        assert "So shortly before the visit it can be moved by phone only" in page
        assert page_of(appointment, "move") not in page
        answer = client.post(page_of(appointment, "move"), form(appointment, start=start(wall(14))))
        assert answer.status_code == 409
        assert Appointment.objects.get().version == 1

    def test_the_same_move_sent_again_is_answered_alike(self) -> None:
        appointment = booked()
        client, sent = visitor(appointment), form(appointment, start=start(wall(14)))
        answers = [client.post(page_of(appointment, "move"), sent) for _ in range(2)]
        assert [answer["Location"] for answer in answers] == [page_of(appointment)] * 2
        assert Appointment.objects.get().version == 2

    def test_what_changed_meanwhile_is_shown_instead(self) -> None:
        appointment = booked()
        client, sent = visitor(appointment), form(appointment, start=start(wall(14)))
        operations.cancel_appointment(appointment=appointment, version=1, by=staff(), now=timezone.now())
        answer = client.post(page_of(appointment, "move"), sent)
        assert answer.status_code == 409
        assert "<h1>Cancelled</h1>" in body(answer)

    @pytest.mark.parametrize(
        "value",
        [
            "\x00",
            "99991231T2359-0500",
            "00010101T0000+0000",
            "9" * 400,
            "2027-02-30",
            "' OR 1=1",
            "20000101T1000-0500",
        ],
    )
    def test_nothing_that_is_sent_breaks_a_page(self, value: str) -> None:
        appointment = booked()
        client = visitor(appointment)
        sent = {"start": value, "practitioner": value, "day": value, "from": value, "option": value}
        for page in ("move", "cancel", "accept"):
            assert client.get(page_of(appointment, page), sent).status_code < 500
            assert client.post(page_of(appointment, page), form(appointment) | sent).status_code < 500


class TestOfferedTimes:
    def test_one_of_them_is_taken_with_one_post(self) -> None:
        appointment = proposed(wall(14), wall(15))
        client = visitor(appointment)
        second = OfferOption.objects.last()
        assert second is not None
        page = body(client.get(page_of(appointment)))
        assert re.findall(r'name="option" value="(\d+)"', page) == [
            str(option.pk) for option in OfferOption.objects.all()
        ]
        taken = client.post(page_of(appointment, "accept"), form(appointment, option=second.pk))
        assert taken["Location"] == page_of(appointment)
        now_at = Appointment.objects.get()
        assert (now_at.status, now_at.starts_at) == (Status.BOOKED, wall(15))
        assert "<h1>Confirmed</h1>" in body(client.get(taken["Location"]))

    @pytest.mark.parametrize("note", [OfferNote.AWAY, None])
    def test_the_sentence_that_staff_chose_stands_above_them_and_without_one_nothing(
        self, note: OfferNote | None
    ) -> None:
        appointment = proposed(wall(14), note=note)
        page = body(visitor(appointment).get(page_of(appointment)))
        above = page[page.index("These times are kept for you") : page.index('name="option"')]
        assert [each for each in OfferNote if str(each.label) in page] == ([note] if note else [])
        assert [each for each in OfferNote if str(each.label) in above] == ([note] if note else [])

    def test_the_same_answer_sent_again_is_answered_alike(self) -> None:
        appointment = proposed(wall(14))
        client, sent = visitor(appointment), form(appointment, option=OfferOption.objects.get().pk)
        answers = [client.post(page_of(appointment, "accept"), sent) for _ in range(2)]
        assert [answer["Location"] for answer in answers] == [page_of(appointment)] * 2
        assert QueuedMail.objects.filter(kind="confirmed").count() == 1

    def test_another_time_may_be_asked_for_with_anyone(self) -> None:
        appointment = proposed(wall(14))
        client = visitor(appointment)
        sent = form(appointment, start=start(wall(17)), practitioner="anyone")
        assert client.post(page_of(appointment, "move"), sent)["Location"] == page_of(appointment)
        asked = Appointment.objects.get()
        assert (asked.status, asked.starts_at, asked.anyone) == (Status.PENDING, wall(17), True)

    def test_an_offer_that_ran_out_is_told(self) -> None:
        appointment = proposed(wall(14))
        option = OfferOption.objects.get()
        option.offer.expires_at = timezone.now()
        option.offer.save()
        client = visitor(appointment)
        assert f"<h1>{STANDING[Status.EXPIRED][0]}</h1>" in body(client.get(page_of(appointment)))
        answer = client.post(page_of(appointment, "accept"), form(appointment, option=option.pk))
        assert answer.status_code == 409
        assert "The times that we offered are no longer kept." in body(answer)

    def test_a_time_offered_to_somebody_else_is_not_taken(self) -> None:
        appointment = proposed(wall(14))
        other = ask(make_clinic(), wall(10), details=somebody())
        offer(other, wall(16), by=User.objects.create_user("colleague"))
        theirs = OfferOption.objects.get(offer__appointment=other)
        answer = visitor(appointment).post(
            page_of(appointment, "accept"), form(appointment, option=theirs.pk)
        )
        assert answer.status_code == 409
        assert set(Appointment.objects.values_list("status", flat=True)) == {Status.PROPOSED}


class TestTheCalendarFile:
    def event(self, appointment: Appointment) -> tuple[str, Any]:
        answer = visitor(appointment).get(page_of(appointment, "calendar"))
        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer["Content-Disposition"] == f'attachment; filename="{appointment.reference}.ics"'
        calendar: Any = Calendar.from_ical(answer.content)
        [event] = calendar.walk("VEVENT")
        assert [
            len(line.encode()) for line in answer.content.decode().split("\r\n") if len(line.encode()) > 75
        ] == []
        return str(calendar["METHOD"]), event

    @pytest.mark.parametrize(
        ("status", "method", "says"),
        [
            (Status.PENDING, "PUBLISH", "TENTATIVE"),
            (Status.BOOKED, "PUBLISH", "CONFIRMED"),
            (Status.CANCELLED, "CANCEL", "CANCELLED"),
            (Status.DECLINED, "CANCEL", "CANCELLED"),
            (Status.EXPIRED, "CANCEL", "CANCELLED"),
        ],
    )
    def test_it_says_how_sure_the_visit_is(self, status: Status, method: str, says: str) -> None:
        appointment = make_appointment(make_clinic(), status=status)
        told, event = self.event(appointment)
        assert (told, event["STATUS"], event["UID"], event["SEQUENCE"]) == (
            method,
            says,
            f"{appointment.reference}@clinic.invalid",
            0,
        )
        assert (event["DTSTART"].dt, event["DTEND"].dt) == (wall(10), wall(10, 45))
        assert "ATTENDEE" not in event  # RFC 5546, 3.2.1: a published event has none

    def test_fetched_after_a_move_it_replaces_the_earlier_one(self) -> None:
        appointment = booked()
        _, before = self.event(appointment)
        visitor(appointment).post(page_of(appointment, "move"), form(appointment, start=start(wall(14))))
        _, after = self.event(appointment)
        assert (after["UID"], after["DTSTART"].dt) == (before["UID"], wall(14))
        assert after["SEQUENCE"] > before["SEQUENCE"]

    def test_it_has_the_same_uid_and_sequence_as_the_invitation_in_the_mail(self) -> None:
        appointment = ask(make_clinic(), wall(10))
        operations.confirm_appointment(appointment=appointment, version=1, by=staff(), now=timezone.now())
        mailed: Any = Calendar.from_ical(QueuedMail.objects.get(kind="confirmed").calendar).walk("VEVENT")[0]
        _, fetched = self.event(appointment)
        for name in ("UID", "SEQUENCE", "SUMMARY", "LOCATION", "ORGANIZER"):
            assert fetched[name] == mailed[name]


class TestALostMail:
    def send(self, client: Client, appointment: Appointment, **typed: Any) -> Any:
        given = {"email": appointment.patient.email, "reference": appointment.reference}
        return client.post("/appointments/lost/", given | typed)

    def test_the_link_goes_to_the_address_on_file(self, client: Client) -> None:
        appointment = booked(patient=make_patient(email="Parisa@example.com"))
        self.send(
            client,
            appointment,
            email=" parisa@EXAMPLE.com",
            reference=f" {appointment.reference[3:].lower()} ",
        )
        mail = QueuedMail.objects.get()
        assert (mail.kind, mail.to, mail.about) == ("link", "Parisa@example.com", appointment.reference)
        for part in (mail.text, mail.html):
            assert links.address(appointment) in part

    def test_nobody_can_see_whether_there_is_such_an_appointment(self, client: Client) -> None:
        appointment = booked()
        answers = []
        for typed in ({}, {"email": "other@example.com"}, {"reference": "RH-NOBODY"}):
            with CaptureQueriesContext(connection) as queries:
                answer = self.send(client, appointment, **typed)
            kinds = [query["sql"].split()[0] for query in queries.captured_queries]
            headers = {name: value for name, value in answer.headers.items() if name != "Expires"}
            answers.append((answer.status_code, answer["Location"], headers, kinds))
        assert answers[1:] == [answers[0]] * 2
        assert "If the address and the reference belong together" in body(client.get(answers[0][1]))
        assert QueuedMail.objects.count() == 1

    def test_a_mailbox_cannot_be_filled(self, client: Client) -> None:
        appointment = booked()
        for _ in range(3):
            self.send(client, appointment)
        assert QueuedMail.objects.count() == 1
        QueuedMail.objects.update(created_at=timezone.now() - timedelta(minutes=11))
        self.send(client, appointment)
        assert QueuedMail.objects.count() == 2

    @pytest.mark.parametrize(
        "typed",
        [
            {"email": "nobody"},
            {"email": ""},
            {"reference": ""},
            {"reference": "\x00"},
            {"reference": "9" * 99},
        ],
    )
    def test_what_cannot_be_is_asked_for_again(self, client: Client, typed: dict[str, str]) -> None:
        answer = self.send(client, booked(), **typed)
        assert answer.status_code == 200
        assert "<title>Error: Get the link to your visit again" in body(answer)
        assert QueuedMail.objects.count() == 0

    def test_the_pages_of_booking_lead_there(self, client: Client) -> None:
        for page in ("/book/", "/appointments/open/x/"):
            assert 'href="/appointments/lost/"' in body(client.get(page))


def test_the_session_that_sent_a_request_may_see_it_until_its_link_is_revoked(client: Client) -> None:
    appointment = ask(make_clinic(), wall(10))
    session = client.session
    session["opened"] = {appointment.reference: 1}
    session.save()
    assert client.get(page_of(appointment)).status_code == 200
    Appointment.objects.update(link_generation=2)
    assert client.get(page_of(appointment)).status_code == 404


def test_no_form_carries_the_same_key_twice() -> None:
    appointment = booked()
    client = visitor(appointment)
    keys = [
        re.findall(r'name="key" value="([^"]*)"', body(client.get(page_of(appointment, "cancel"))))[0]
        for _ in range(2)
    ]
    assert len({UUID(key) for key in keys}) == 2


class TestANewLink:
    def press(self, client: Client, appointment: Appointment) -> Any:
        address = reverse("admin:booking_appointment_new_link", args=[appointment.pk])
        return client.post(address, {"version": appointment.version}, follow=True)

    def test_staff_revoke_the_old_link_and_send_a_new_one(self, admin_client: Client) -> None:
        appointment = booked()
        patient = visitor(appointment)
        desk = body(
            with_a_reason(admin_client, appointment.patient).get(
                reverse("admin:booking_appointment_change", args=[appointment.pk])
            )
        )
        assert "Send a new private link" in desk

        assert "A new link is on its way" in body(self.press(admin_client, appointment))

        linked = Appointment.objects.get()
        mail = QueuedMail.objects.get()
        assert (mail.kind, linked.link_generation, linked.status) == ("link", 2, Status.BOOKED)
        assert links.address(linked) in mail.text
        assert patient.get(page_of(appointment)).status_code == 404
        history = body(visitor(linked).get(page_of(linked)))
        assert "new private link" not in history

    def test_pressed_again_on_an_old_page_it_does_nothing(self, admin_client: Client) -> None:
        appointment = booked()
        self.press(admin_client, appointment)
        assert "has changed since you looked at it" in body(self.press(admin_client, appointment))
        assert Appointment.objects.get().link_generation == 2

    def test_only_those_who_decide_may(self, client: Client) -> None:
        appointment = booked()
        client.force_login(staff())
        assert self.press(client, appointment).status_code == 403
        assert Appointment.objects.get().link_generation == 1


class TestReminders:
    def choose(self, appointment: Appointment, reminders: str) -> Any:
        return visitor(appointment).post(page_of(appointment, "reminders"), {"reminders": reminders})

    @pytest.mark.parametrize("chosen", ["48h", "24h", "both", "none"])
    def test_they_are_chosen_anew_on_the_page(self, chosen: str) -> None:
        appointment = booked()
        page = body(visitor(appointment).get(page_of(appointment)))
        assert '<option value="48h" selected>2 days before</option>' in page
        assert self.choose(appointment, chosen)["Location"] == f"{page_of(appointment)}#reminders"
        now_at = Appointment.objects.get()
        assert (now_at.reminders, now_at.version) == (chosen, 1)
        label = Appointment.Reminders(chosen).label
        says = f"Now: {label}, to <bdi>" if chosen != "none" else "Now: no reminders."
        assert says in body(visitor(appointment).get(page_of(appointment)))

    @pytest.mark.parametrize(("chosen", "left"), [("none", 0), ("24h", 0), ("48h", 1), ("both", 1)])
    def test_one_that_is_not_wanted_any_more_and_has_not_left_is_taken_back(
        self, chosen: str, left: int
    ) -> None:
        appointment = booked(starts_at=wall(12, days_ahead=4))
        StatusChange.objects.update(at=timezone.now() - timedelta(days=1))
        due = wall(12, days_ahead=2)
        assert operations.remind(now=due).visits == 1
        operations.choose_reminders(appointment=appointment, reminders=Appointment.Reminders(chosen), now=due)
        assert QueuedMail.objects.waiting().filter(kind="reminder").count() == left

    @pytest.mark.parametrize("typed", ["", "always", "\x00"])
    def test_what_is_not_on_the_list_is_asked_for_again(self, typed: str) -> None:
        appointment = booked()
        page = body(self.choose(appointment, typed))
        assert "Choose when to be reminded from the list" in page
        assert f"<h1>{STANDING[Status.BOOKED][0]}</h1>" in page
        assert Appointment.objects.get().reminders == "48h"

    def test_for_a_visit_that_is_over_or_off_there_is_nothing_to_choose(self) -> None:
        visit_type = make_clinic()
        off = make_appointment(visit_type, status=Status.CANCELLED)
        over = booked(visit_type, starts_at=timezone.now() - timedelta(minutes=1))
        for appointment in (off, over):
            client = visitor(appointment)
            assert "Remind me by e-mail" not in body(client.get(page_of(appointment)))
            answer = client.post(page_of(appointment, "reminders"), {"reminders": "none"})
            assert (answer.status_code, "Nothing was changed." in body(answer)) == (409, True)
        assert set(Appointment.objects.values_list("reminders", flat=True)) == {"48h"}

    def test_only_whoever_has_the_link_chooses(self, client: Client) -> None:
        appointment = booked()
        assert client.post(page_of(appointment, "reminders"), {"reminders": "none"}).status_code == 404
        assert Appointment.objects.get().reminders == "48h"
