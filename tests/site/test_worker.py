"""The worker against mail servers as they are: away, silent, slow, refusing, and against being killed at any moment.

`KILLS=200 python -m pytest tests/site/test_worker.py -k killed` kills it two hundred times; the suite, five times.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes
from io import StringIO
from typing import Any
from unittest.mock import ANY
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core import mail as django_mail
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from booking.models import Appointment, VisitType
from clinic import mail
from clinic.management.commands import worker
from clinic.models import QueuedMail
from tests.booking.factories import make_clinic, wall
from tests.booking.test_operations import ask, somebody

KILLS = int(os.environ.get("KILLS", "5"))
NOW = timezone.now()


class Server:
    """A mail server that answers as told, by stage of the conversation, and keeps what it took."""

    def __init__(self) -> None:
        self.at_rcpt = ""
        self.at_data = ""
        self.drops = False
        self.takes = 0.0  # seconds for one message
        self.taken: list[tuple[str, str, str]] = []  # Message-ID, recipient, subject

    async def handle_RCPT(  # noqa: N802 (its name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_rcpt:
            return self.at_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (its name)
        if self.drops:
            assert server.transport
            server.transport.close()
            return "421 Gone"
        time.sleep(self.takes)  # noqa: ASYNC251 (slow for everybody, as a slow server is)
        if self.at_data:
            return self.at_data
        assert isinstance(envelope.content, bytes)
        read = message_from_bytes(envelope.content)
        self.taken.append((read["Message-ID"], read["To"], read["Subject"]))
        return "250 OK"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextmanager
def serving(port: int) -> Iterator[Server]:
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()


@contextmanager
def silent(port: int) -> Iterator[None]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", port), backlog=64):
        yield


@pytest.fixture
def port(settings: Settings) -> int:
    """Where mail goes; nobody listens there yet."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = free_port()
    settings.EMAIL_TIMEOUT = 1
    return int(settings.EMAIL_PORT)


def queue(to: str = "parisa@example.com", **facts: Any) -> QueuedMail:
    given: dict[str, Any] = {
        "kind": "expired",
        "about": "RH-TEST22",
        "subject": "Your request has ended",
        "text": "Your request has ended.\n",
        "html": "<p>Your request has ended.</p>",
        "message_id": f"<{uuid4().hex}@clinic.invalid>",
        "created_at": NOW,
        "send_at": NOW,
    }
    return QueuedMail.objects.create(to=to, **given | facts)


def state(row: QueuedMail) -> tuple[str, str, int]:
    row.refresh_from_db()
    named = {"sent": row.sent_at, "parked": row.parked_at, "withdrawn": row.withdrawn_at}
    return next((name for name, at in named.items() if at), "waiting"), row.last_error, row.attempts


@pytest.mark.django_db
class TestTroubles:
    def trouble(self, name: str, port: int, stack: ExitStack) -> None:
        """The server as it may be; it is left behind when `stack` ends."""
        if name == "down":
            return
        if name == "silent":
            stack.enter_context(silent(port))
            return
        server = stack.enter_context(serving(port))
        if name == "drops":
            server.drops = True
        elif name == "slow":
            server.takes = 2
        else:
            code, stage = name.split()
            setattr(server, f"at_{stage}", f"{code} No")

    @pytest.mark.parametrize(
        ("name", "becomes", "error"),
        [
            ("down", "waiting", "ConnectionRefusedError"),
            ("silent", "waiting", ANY),
            ("slow", "waiting", ANY),
            ("drops", "waiting", ANY),
            ("451 data", "waiting", "SMTPDataError 451"),
            ("452 rcpt", "waiting", "SMTPRecipientsRefused 452"),
            ("550 rcpt", "parked", "SMTPRecipientsRefused 550"),
            ("554 data", "parked", "SMTPDataError 554"),
        ],
    )
    def test_booking_never_waits_for_the_mail_server_and_the_queue_drains_when_it_is_back(
        self, port: int, name: str, becomes: str, error: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        visit_type = make_clinic()
        with ExitStack() as stack:
            self.trouble(name, port, stack)
            with monkeypatch.context() as during:
                during.setattr(socket, "create_connection", None)  # whoever calls a server now, fails
                ask(visit_type, wall(10), now=NOW)
            row = QueuedMail.objects.get(kind="received")
            began = time.monotonic()
            assert mail.deliver_due(now=NOW, limit=1) == 0
            assert time.monotonic() - began < 20, "EMAIL_TIMEOUT ends it"
            assert state(row) == (becomes, error, 1)
        with serving(port) as server:
            if becomes == "parked":
                assert mail.deliver_due(now=NOW + timedelta(days=1)) == 1, "only the one to the desk"
                assert mail.resend(row, now=NOW)
            mail.deliver_due(now=NOW + timedelta(hours=1))
            assert state(row)[:2] == ("sent", "")
            assert row.message_id in [taken[0] for taken in server.taken]

    def test_a_silent_server_costs_one_timeout_in_a_look_and_the_worker_stays_ready_to_stop(
        self, port: int
    ) -> None:
        rows = [queue(f"p{number}@example.com") for number in range(10)]
        with silent(port):
            began = time.monotonic()
            worker.Command(stdout=StringIO()).send(threading.Event())
            assert 0.9 < time.monotonic() - began < 8
        assert [state(row)[0] for row in rows] == ["waiting"] * 10
        assert sum(state(row)[2] for row in rows) == 1

    def test_a_wrong_password_at_the_server_parks_nothing(self, port: int) -> None:
        error = "SMTPSenderRefused 550"
        row = queue()
        with serving(port) as server:

            async def refuse(*_: object) -> str:
                return "550 Log in first"

            server.handle_MAIL = refuse  # type: ignore[attr-defined]
            mail.deliver_due(now=NOW)
        assert state(row) == ("waiting", error, 1)

    def test_what_is_asked_to_stop_is_not_begun(self, port: int) -> None:
        row, stop = queue(), threading.Event()
        stop.set()
        worker.Command(stdout=StringIO()).send(stop)
        assert state(row) == ("waiting", "", 0)


@pytest.mark.django_db
class TestPoison:
    @pytest.mark.parametrize(
        ("facts", "error"),
        [
            ({"subject": "two\nlines"}, "cannot be written: BadHeaderError"),
            ({"to": "no body@@example.com"}, "cannot be written: ValidationError"),
            ({"to": "a@x.ca, b@y.ca"}, "cannot be written: ValidationError"),
            ({"message_id": "<a\nBcc: b@y.ca>"}, "cannot be written: BadHeaderError"),
            ({"calendar": "BEGIN:VCALENDAR", "calendar_method": "RE\nQUEST"}, ANY),
        ],
    )
    def test_a_message_that_cannot_be_written_is_parked_and_the_next_ones_go(
        self, facts: dict[str, str], error: str
    ) -> None:
        poison, good = queue(), queue("other@example.com")
        QueuedMail.objects.filter(pk=poison.pk).update(**facts)
        assert mail.deliver_due(now=NOW) == 1
        assert (state(poison), state(good)[0]) == (("parked", error, 1), "sent")
        assert state(poison)[1].startswith("cannot be written: ")
        assert [to for sent in django_mail.outbox for to in sent.to] == ["other@example.com"]
        assert mail.deliver_due(now=NOW + timedelta(days=1)) == 0, "it is not tried again and again"

    def test_an_error_nobody_thought_of_stops_neither_the_queue_nor_the_worker(
        self, settings: Settings
    ) -> None:
        settings.EMAIL_BACKEND = "tests.site.test_worker.Unthinkable"
        rows = [queue(f"p{number}@example.com") for number in range(3)]
        assert mail.deliver_due(now=NOW) == 0
        assert [state(row) for row in rows] == [("waiting", "RuntimeError", 1)] * 3

    def test_a_fault_in_one_duty_is_told_without_its_words(self) -> None:
        said = StringIO()

        def duty() -> None:
            raise RuntimeError("parisa@example.com")

        worker.Command(stderr=said).attempt(duty)
        assert said.getvalue().startswith("RuntimeError at ")
        assert "parisa" not in said.getvalue()


class Unthinkable:
    def __init__(self, **_: object) -> None:
        raise RuntimeError("parisa@example.com")


@pytest.mark.django_db
class TestTheLimitOfOneAddress:
    def test_what_is_beyond_it_is_held_for_a_person_to_see(self) -> None:
        rows = [
            queue(("parisa@example.com", "PARISA@example.com")[n % 2]) for n in range(mail.MOST_A_DAY + 2)
        ]
        other = queue("other@example.com")
        assert mail.deliver_due(now=NOW) == mail.MOST_A_DAY + 1
        assert Counter(state(row)[:2] for row in rows) == {
            ("sent", ""): mail.MOST_A_DAY,
            ("parked", "held: too many to this address today"): 2,
        }
        assert state(other)[0] == "sent"

    def test_staff_who_have_looked_can_let_it_go(self) -> None:
        for _ in range(mail.MOST_A_DAY):
            queue()
        held = queue()
        mail.deliver_due(now=NOW)
        assert mail.resend(held, now=NOW)
        assert mail.deliver_due(now=NOW) == 1

    def test_the_next_day_is_a_new_day(self) -> None:
        for _ in range(mail.MOST_A_DAY):
            queue()
        mail.deliver_due(now=NOW)
        queue(send_at=NOW + timedelta(days=1))
        assert mail.deliver_due(now=NOW + timedelta(days=1)) == 1

    def test_the_desk_itself_is_written_to_as_often_as_needed(self) -> None:
        for _ in range(mail.MOST_A_DAY + 5):
            queue("desk@clinic.invalid")
        assert mail.deliver_due(now=NOW) == mail.MOST_A_DAY + 5


@pytest.mark.django_db
def test_a_message_sent_again_has_its_three_days_anew(port: int) -> None:
    row = queue(created_at=NOW - timedelta(days=5))
    assert mail.deliver_due(now=NOW) == 0
    assert state(row)[0] == "parked"
    assert mail.resend(row, now=NOW)
    assert mail.deliver_due(now=NOW) == 0
    assert state(row)[0] == "waiting"


# --- Killed at any moment --------------------------------------------------------------------------------------


def database_url() -> str:
    """The address of the tests' own database, for another process."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    host = facts["OPTIONS"].get("host", facts["HOST"])
    return f"postgres://{facts['USER']}:{facts['PASSWORD']}@/{facts['NAME']}?host={host}"


@contextmanager
def working(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """The worker's own process, killed at the end whatever it is doing."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "DATA_DIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 (nothing is written there)
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def acknowledge(visit_type: VisitType, hours: Iterator[datetime]) -> list[Appointment]:
    """A few changes made through the operations themselves, each with its mail."""
    now = timezone.now()
    return [ask(visit_type, next(hours), details=somebody(), now=now) for _ in range(4)]


def after_the_lease() -> None:
    """Lets the minutes pass that a killed worker's lease lasts, and the grace of new requests."""
    QueuedMail.objects.waiting().update(leased_until=None, send_at=timezone.now())


def until(met: Any, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if met():
            return True
        time.sleep(0.005)
    return False


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_again_and_again_loses_no_message_and_repeats_only_under_the_same_name() -> None:
    chance = random.Random(7)  # noqa: S311 (moments, not secrets)
    port, asked = free_port(), []
    visit_type = make_clinic(practitioners=6, rooms=6)
    hours = (wall(hour, days_ahead=day) for day in range(2, 60) for hour in range(9, 18) for _ in range(6))
    with serving(port) as server:
        server.takes = 0.03
        kills = in_the_middle = 0
        while kills < KILLS:
            asked += acknowledge(visit_type, hours)
            after_the_lease()
            before = len(server.taken)
            with working(port):
                assert until(lambda before=before: len(server.taken) > before, seconds=30), "it sends"
                time.sleep(chance.random() * 0.25)
            kills += 1
            in_the_middle += QueuedMail.objects.waiting().exists()
        after_the_lease()
        server.takes = 0
        with working(port):
            assert until(lambda: not QueuedMail.objects.waiting().exists(), seconds=60 + KILLS)

    rows = {row.message_id: (row.to, row.subject) for row in QueuedMail.objects.all()}
    assert len(rows) == 2 * len(asked), "one to the patient and one to the desk for every request"
    assert QueuedMail.objects.exclude(sent_at=None).count() == len(rows)
    received = {(message_id, to, subject) for message_id, to, subject in server.taken}
    assert received == {(message_id, *what) for message_id, what in rows.items()}
    repeats = len(server.taken) - len(received)
    sys.stdout.write(
        f"{KILLS} kills, {in_the_middle} with mail left to send, {len(rows)} messages, {repeats} sent twice\n"
    )
    assert repeats <= KILLS, "at most the one in hand is repeated"
