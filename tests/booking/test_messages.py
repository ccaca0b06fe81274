"""What every message says, what staff see of it, and what is taken back in time."""

import re
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from booking import links, notices, operations
from booking.models import Appointment, DeclineReason
from booking.samples import IN_WORDS, samples
from clinic import mail, sms
from clinic.models import FORGOTTEN, QueuedMail
from tests.booking.factories import make_appointment, make_clinic, make_patient, wall
from tests.booking.test_moves_and_offers import book, move, offer
from tests.booking.test_operations import PARISA, ask, staff
from tests.booking.test_patient_way import address, choose, pass_gate, send, type_details

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.ignore_template_errors,
]  # the desk's own pages print what may be unset

NOW = timezone.now()
MESSAGES = "/admin/clinic/queuedmail/messages/"
NAMES = [
    "received",
    "confirmed",
    "visit-changed",
    "other-times-offered",
    "offer-ending",
    "visit-moved",
    "request-moved",
    "declined",
    "visit-cancelled",
    "visit-cancelled-by-us",
    "request-cancelled",
    "expired",
    "reminder",
    "new-request",
    "moved-by-patient",
    "cancelled-by-patient",
    "course-received",
    "course-answered",
    "course-cancelled",
    "course-expired",
    "course-offered",
    "course-offer-ending",
    "course-offer-ended",
    "course-link",
    "course-request",
    "course-accepted",
    "course-declined-by-patient",
    "course-cancelled-by-patient",
]
XSS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</title><svg onload=alert(1)>",
    "</style><script>alert(1)</script>",
    "{{ 7|add:7 }}{% debug %}",
    "javascript:alert(1)//",
    '=HYPERLINK("http://evil.example")',
    "Click http://evil.example/ now",
]


def left(now: datetime) -> list[tuple[str, str]]:
    """What a worker sends at this moment: to whom and what, in the order it was written."""
    before = set(QueuedMail.objects.exclude(sent_at=None).values_list("pk", flat=True))
    mail.deliver_due(now=now)
    sent = QueuedMail.objects.exclude(sent_at=None).exclude(pk__in=before).order_by("pk")
    return [("desk" if row.to == "desk@clinic.invalid" else "patient", row.kind) for row in sent]


def cancel(appointment: Appointment, now: datetime, by: User | None = None) -> Appointment:
    return operations.cancel_appointment(
        appointment=appointment, version=appointment.version, by=by, now=now, idempotency_key=uuid4()
    )


class TestEveryMessage:
    def test_there_is_a_sample_of_each(self) -> None:
        assert [sample.name for sample in samples(now=NOW)] == NAMES

    def test_the_desk_has_words_for_each(self) -> None:
        written = {path.stem for path in Path("templates/booking/mail").glob("*.txt")} - {"base"}
        assert written == set(IN_WORDS)

    def test_looking_at_samples_writes_and_asks_nothing(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            samples(now=NOW)
        assert ([query["sql"] for query in queries], QueuedMail.objects.count()) == ([], 0)

    def test_each_says_who_writes_from_where_and_why(self) -> None:
        for sample in samples(now=NOW):
            for part in (sample.mail.text, unescape(sample.mail.html)):
                for said in (
                    "Richmond Hill Acupuncture Pro",
                    "Richmond Hill, Ontario (sample address)",
                    "905-555-0100",
                    "You get this message because",
                    "In an emergency call 911.",
                    "CO-SAMPLE" if sample.name.startswith("course") else "RH-SAMPLE",
                ):
                    assert said in part, (sample.name, said)

    def test_text_and_html_give_the_same_links(self) -> None:
        for sample in samples(now=NOW):
            in_html = re.findall(r'href="(http[^"]+)"', sample.mail.html)
            assert re.findall(r"https?://\S+", sample.mail.text) == in_html, sample.name
            assert len(in_html) == 1, sample.name

    def test_none_asks_the_reader_to_rate_or_buy_anything(self) -> None:
        for sample in samples(now=NOW):
            assert not re.search(r"how was|review|rate us|feedback|survey", sample.mail.text, re.IGNORECASE)

    def test_html_loads_nothing_and_has_a_dark_side(self) -> None:
        for sample in samples(now=NOW):
            assert not re.search(r"<(script|img|link|iframe)|\bstyle=|url\(|@import", sample.mail.html)
            assert "prefers-color-scheme: dark" in sample.mail.html

    def test_the_reminder_asks_what_has_changed_and_says_where_help_is(self) -> None:
        [reminder] = [sample.mail.text for sample in samples(now=NOW) if sample.name == "reminder"]
        assert "Has anything changed in your health" in reminder
        assert "In an emergency call 911. For health advice at any hour in Ontario call 811." in reminder

    @pytest.mark.parametrize("nasty", XSS)
    def test_no_message_carries_what_a_stranger_typed(self, nasty: str) -> None:
        visit_type, by = make_clinic(), staff()
        typed = replace(PARISA, name=nasty, note=nasty)

        def request(hour: int) -> Appointment:
            return ask(
                visit_type,
                wall(hour, days_ahead=5),
                details=replace(typed, phone="", email=f"p{hour}@example.com"),
            )

        cancel(request(9), NOW)
        moved = move(request(10), wall(11, days_ahead=5))
        operations.confirm_appointment(appointment=moved, version=2, by=by, now=NOW)
        operations.decline_appointment(
            appointment=request(12), version=1, reason=DeclineReason.AWAY, by=by, now=NOW
        )
        made = offer(request(13), wall(14, days_ahead=5), by=by)
        notices.offer_ending(
            Appointment.objects.get(offers=made),
            options=list(made.options.all()),
            until=made.expires_at,
            key="x",
            now=NOW,
        )
        notices.reminder(moved, free_until=None, key="y", now=NOW)
        operations.expire_overdue(now=made.expires_at)
        assert {row.kind for row in QueuedMail.objects.all()} == {
            "received", "new_request", "cancelled", "moved", "confirmed", "declined", "other_times_offered",
            "offer_ending", "reminder", "expired",
        }  # fmt: skip
        for row in QueuedMail.objects.all():
            for part in (row.subject, row.text, row.html, row.calendar, str(mail.message(row).message())):
                assert nasty not in unescape(part), row.kind
            assert "alert(1)" not in row.html + row.text


class TestTheGrace:
    def test_staff_are_written_to_three_minutes_after_the_request(self) -> None:
        ask(make_clinic(), wall(10), now=NOW)
        assert left(NOW) == [("patient", "received")]
        assert left(NOW + timedelta(seconds=179)) == []
        assert left(NOW + timedelta(minutes=3)) == [("desk", "new_request")]

    def test_the_desk_shows_the_request_at_once(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("owner"))
        appointment = ask(make_clinic(), wall(10), now=NOW)
        assert appointment.reference in client.get("/admin/").content.decode()

    def test_a_request_taken_back_within_it_is_never_heard_of_at_the_clinic(self) -> None:
        appointment = ask(make_clinic(), wall(10), now=NOW)
        assert left(NOW) == [("patient", "received")]
        cancel(appointment, NOW + timedelta(minutes=2))
        assert left(NOW + timedelta(hours=1)) == [("patient", "cancelled")]

    def test_a_receipt_that_had_not_left_either_is_taken_back_with_it(self) -> None:
        cancel(ask(make_clinic(), wall(10), now=NOW), NOW + timedelta(minutes=2))
        assert left(NOW + timedelta(hours=1)) == [("patient", "cancelled")]
        withdrawn = QueuedMail.objects.exclude(withdrawn_at=None)
        assert sorted(row.kind for row in withdrawn) == ["new_request", "received"]
        assert not any(links.address(Appointment.objects.get()) in row.text + row.html for row in withdrawn)

    def test_after_it_staff_are_told_of_the_cancellation(self) -> None:
        appointment = ask(make_clinic(), wall(10), now=NOW)
        left(NOW + timedelta(minutes=3))
        cancel(appointment, NOW + timedelta(minutes=4))
        assert left(NOW + timedelta(minutes=4)) == [
            ("patient", "cancelled"),
            ("desk", "cancelled_by_patient"),
        ]

    def test_a_mail_that_a_worker_has_in_hand_is_not_taken_back(self) -> None:
        appointment = ask(make_clinic(), wall(10), now=NOW)
        later = NOW + timedelta(minutes=3)
        QueuedMail.objects.filter(kind="new_request").update(leased_until=later + mail.LEASE)
        cancel(appointment, later)
        assert not QueuedMail.objects.filter(kind="new_request").exclude(withdrawn_at=None).exists()
        assert ("desk", "cancelled_by_patient") in left(later)

    def test_a_confirmed_visit_that_the_patient_cancels_is_told_to_staff_whenever_it_is(self) -> None:
        by = staff()
        appointment = ask(make_clinic(), wall(10), now=NOW)
        operations.confirm_appointment(appointment=appointment, version=1, by=by, now=NOW)
        appointment.refresh_from_db()
        cancel(appointment, NOW + timedelta(minutes=1))
        assert ("desk", "cancelled_by_patient") in left(NOW + timedelta(minutes=1))

    def test_staff_who_cancel_are_not_told_of_it(self) -> None:
        cancel(book(make_clinic(), wall(10), staff()), NOW, by=User.objects.get())
        assert left(NOW) == [("patient", "confirmed"), ("patient", "cancelled")]

    def test_staff_who_answered_already_are_not_told_that_a_request_waits(self) -> None:
        operations.confirm_appointment(
            appointment=ask(make_clinic(), wall(10), now=NOW), version=1, by=staff(), now=NOW
        )
        assert left(NOW + timedelta(hours=1)) == [("patient", "received"), ("patient", "confirmed")]

    def test_a_move_within_it_tells_staff_of_one_request_with_its_new_time(self) -> None:
        move(ask(make_clinic(), wall(10), now=NOW), wall(14), now=NOW + timedelta(minutes=1))
        assert left(NOW + timedelta(minutes=3)) == [("patient", "received"), ("patient", "moved")]
        assert left(NOW + timedelta(minutes=4)) == [("desk", "new_request")]
        assert "2:30" not in QueuedMail.objects.get(kind="new_request", withdrawn_at=None).text
        assert "2:00" in QueuedMail.objects.get(kind="new_request", withdrawn_at=None).text

    def test_a_move_after_it_tells_staff_of_the_move(self) -> None:
        appointment = ask(make_clinic(), wall(10), now=NOW)
        left(NOW + timedelta(minutes=3))
        move(appointment, wall(14), now=NOW + timedelta(minutes=4))
        assert left(NOW + timedelta(minutes=4)) == [("patient", "moved"), ("desk", "moved_by_patient")]


class TestThePrivateLink:
    def test_a_row_forgets_it_when_the_message_has_left(self) -> None:
        link = links.address(ask(make_clinic(), wall(10), now=NOW))
        row = QueuedMail.objects.get(kind="received")
        assert (link in row.text, link in row.html, row.secret) == (True, True, link)
        left(NOW)
        row.refresh_from_db()
        assert (link in row.text, link in row.html, row.secret) == (False, False, "")
        assert (row.text.count(FORGOTTEN), row.html.count(FORGOTTEN)) == (1, 1)

    def test_a_new_one_goes_into_what_has_not_left(self) -> None:
        appointment = ask(make_clinic(), wall(10), now=NOW)
        old = links.address(appointment)
        operations.replace_link(appointment=appointment, version=1, by=staff(), now=NOW)
        new = links.address(Appointment.objects.get())
        rows = QueuedMail.objects.filter(to=PARISA.email)
        assert [(row.kind, row.secret == new, new in row.text, new in row.html) for row in rows] == [
            ("link", True, True, True),
            ("received", True, True, True),
        ]
        assert not any(old in row.text + row.html for row in QueuedMail.objects.all())

    def test_what_has_left_is_not_touched_by_a_new_one(self) -> None:
        appointment = ask(make_clinic(), wall(10), now=NOW)
        left(NOW)
        operations.replace_link(appointment=appointment, version=1, by=staff(), now=NOW)
        sent = QueuedMail.objects.get(kind="received")
        assert (FORGOTTEN in sent.text, links.address(Appointment.objects.get()) in sent.text) == (
            True,
            False,
        )

    def test_staff_do_not_read_it(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("owner"))
        link = links.address(ask(make_clinic(), wall(10), now=NOW))
        row = QueuedMail.objects.get(kind="received")
        for page in ("change", "html"):
            shown = client.get(f"/admin/clinic/queuedmail/{row.pk}/{page}/").content.decode()
            assert "We have your request" in shown
            assert link not in shown


def person(*permissions: str) -> Client:
    user = User.objects.create_user("receptionist", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


class TestAtTheDesk:
    def test_staff_see_every_message_with_made_up_facts(self) -> None:
        reader = person("view_queuedmail")
        page = reader.get(MESSAGES).content.decode()
        for name in NAMES:
            assert f'href="{MESSAGES}{name}/"' in page
            shown = reader.get(f"{MESSAGES}{name}/")
            reference = "CO-SAMPLE" if name.startswith("course") else "RH-SAMPLE"
            assert (shown.status_code, reference in shown.content.decode()) == (200, True)
        assert reader.get(f"{MESSAGES}no-such/").status_code == 404

    def test_html_stands_alone_under_a_policy_that_allows_its_own_sheet_and_nothing_else(self) -> None:
        reader = person("view_queuedmail")
        for name in NAMES:
            response = reader.get(f"{MESSAGES}{name}/html/")
            [sheet] = re.findall(r"<style>(.*?)</style>", response.content.decode(), re.DOTALL)
            digest = b64encode(sha256(sheet.encode()).digest()).decode()
            assert response["Content-Security-Policy"] == (
                f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none';"
                " frame-ancestors 'none'; sandbox"
            )

    @pytest.mark.parametrize("page", [MESSAGES, f"{MESSAGES}received/", f"{MESSAGES}received/html/"])
    def test_whoever_may_not_read_mail_sees_none_of_it(self, page: str) -> None:
        assert person("view_appointment").get(page).status_code == 403
        assert Client().get(page).status_code == 302

    def test_html_of_a_real_message_is_for_readers_of_mail_only(self) -> None:
        ask(make_clinic(), wall(10))
        row = QueuedMail.objects.get(kind="received")
        assert person("view_appointment").get(f"/admin/clinic/queuedmail/{row.pk}/html/").status_code == 403

    def test_the_list_of_mail_leads_to_the_messages(self) -> None:
        assert (
            f'href="{MESSAGES}"'
            in person("view_queuedmail").get("/admin/clinic/queuedmail/").content.decode()
        )

    def undelivered(self) -> QueuedMail:
        ask(make_clinic(), wall(10), now=NOW)
        QueuedMail.objects.filter(kind="received").update(
            parked_at=NOW, attempts=4, last_error="SMTPDataError 550"
        )
        return QueuedMail.objects.get(kind="received")

    def test_undelivered_mail_is_sent_again_by_one_click_as_the_same_message(self) -> None:
        row = self.undelivered()
        desk = person("view_queuedmail", "resend_queuedmail")
        assert "Try again now" in desk.get(f"/admin/clinic/queuedmail/{row.pk}/change/").content.decode()

        answer = desk.post(f"/admin/clinic/queuedmail/{row.pk}/resend/", follow=True)

        assert "It is tried again now." in answer.content.decode()
        again = QueuedMail.objects.get(pk=row.pk)
        assert (again.parked_at, again.attempts, again.last_error, again.message_id) == (
            None,
            0,
            "",
            row.message_id,
        )
        assert LogEntry.objects.get().get_change_message() == "sent again"
        assert [mail for mail in left(timezone.now()) if mail[0] == "patient"] == [("patient", "received")]

    def test_sending_again_needs_its_permission_and_a_post(self) -> None:
        row = self.undelivered()
        reader = person("view_queuedmail")
        address = f"/admin/clinic/queuedmail/{row.pk}/resend/"
        assert (
            "Try again now" not in reader.get(f"/admin/clinic/queuedmail/{row.pk}/change/").content.decode()
        )
        assert reader.post(address).status_code == 403
        User.objects.update(is_superuser=True)
        assert reader.get(address).status_code == 405
        assert QueuedMail.objects.values().get(pk=row.pk)["parked_at"] == NOW

    @pytest.mark.parametrize("state", ["sent_at", "withdrawn_at"])
    def test_what_has_left_or_was_taken_back_is_not_sent_again(self, state: str) -> None:
        row = self.undelivered()
        QueuedMail.objects.filter(pk=row.pk).update(**{state: NOW})
        before = QueuedMail.objects.values().get(pk=row.pk)
        desk = person("view_queuedmail", "resend_queuedmail")
        assert "Try again now" not in desk.get(f"/admin/clinic/queuedmail/{row.pk}/change/").content.decode()
        answer = desk.post(f"/admin/clinic/queuedmail/{row.pk}/resend/", follow=True)
        assert "Nothing was changed" in answer.content.decode()
        assert QueuedMail.objects.values().get(pk=row.pk) == before

    def test_mail_that_is_late_is_announced_until_it_has_left(self) -> None:
        ask(make_clinic(), wall(10), now=NOW)
        desk = person("view_queuedmail", "view_appointment")
        QueuedMail.objects.filter(kind="received").update(attempts=3, created_at=NOW - timedelta(hours=1))
        assert "1 e-mail is late" in desk.get("/admin/").content.decode()
        assert desk.get("/admin/clinic/queuedmail/?state=late").context["cl"].result_count == 1
        left(timezone.now())
        assert "is late" not in desk.get("/admin/").content.decode()

    def test_the_list_says_what_was_taken_back(self) -> None:
        cancel(ask(make_clinic(), wall(10), now=NOW), NOW)
        page = person("view_queuedmail").get("/admin/clinic/queuedmail/?state=withdrawn")
        assert page.context["cl"].result_count == 2
        assert "taken back" in page.content.decode()


class TestWhatThePatientChooses:
    @pytest.mark.parametrize(
        ("typed", "kept", "read"),
        [
            ({"reminders": "both"}, "both", "Both: 2 days and 1 day before"),
            ({"reminders": "none"}, "none", "No reminders"),
            ({}, "48h", "2 days before"),
        ],
    )
    def test_the_form_asks_the_check_page_shows_and_the_request_keeps_it(
        self, client: Client, typed: dict[str, str], kept: str, read: str
    ) -> None:
        visit_type = make_clinic()
        pass_gate(client)
        choose(client, visit_type)
        page = client.get(address(visit_type)).content.decode()
        assert '<option value="48h" selected>2 days before</option>' in page
        type_details(client, visit_type, **typed)
        assert (
            f"<dt>Reminders</dt><dd>{read}</dd>"
            in client.get(address(visit_type, page="check")).content.decode()
        )
        send(client, visit_type)
        assert Appointment.objects.get().reminders == kept

    def test_another_choice_than_those_is_asked_again(self, client: Client) -> None:
        visit_type = make_clinic()
        pass_gate(client)
        choose(client, visit_type)
        answer = type_details(client, visit_type, reminders="hourly")
        assert "Choose when to be reminded from the list" in answer.content.decode()

    def test_the_choice_of_reminders_reaches_the_appointment_and_the_desk(self, client: Client) -> None:
        appointment = ask(make_clinic(), wall(10), details=replace(PARISA, reminders="both"))
        assert appointment.reminders == "both"
        client.force_login(User.objects.create_superuser("owner"))
        page = client.get(f"/admin/booking/appointment/{appointment.pk}/change/").content.decode()
        assert "Both: 2 days and 1 day before" in page


def test_a_person_without_an_address_is_sent_nothing() -> None:
    book(make_clinic(), wall(10), staff(), patient=make_patient(email=""))
    assert not QueuedMail.objects.exists()


def test_a_reminder_past_the_free_hours_asks_to_be_told_soon() -> None:
    notices.reminder(make_appointment(), free_until=None, key="k", now=NOW)
    assert "If you cannot come, please tell us" in QueuedMail.objects.get().text


def test_text_messages_are_only_printed(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    sms.sender().send(to="+19055550100", text="Your visit is tomorrow")
    assert capsys.readouterr().out == "Text message to +19055550100, not sent: Your visit is tomorrow\n"
    sent: list[Any] = []
    settings.SMS_SENDER = "tests.booking.test_messages.Provider"
    Provider.sent = sent
    sms.sender().send(to="+19055550100", text="Your visit is tomorrow")
    assert sent == [("+19055550100", "Your visit is tomorrow")]


class Provider:
    sent: list[Any]

    def send(self, *, to: str, text: str) -> None:
        self.sent.append((to, text))
