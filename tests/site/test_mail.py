"""How mail leaves the clinic: once, to one person, and visibly when it does not."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings as django_settings
from django.core import mail as django_mail
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from clinic import mail
from clinic.models import QueuedMail

pytestmark = pytest.mark.django_db

NOON = datetime(2027, 3, 4, 17, 0, tzinfo=UTC)


def queue(to: str = "parisa@example.com", **facts: Any) -> QueuedMail:
    given: dict[str, Any] = {
        "kind": "cancelled",
        "subject": "Your visit\nis cancelled",
        "template": "tests/note",
        "context": {"said": "a < b & {{ c }}"},
        "about": "RH-TEST22",
        "now": NOON,
    }
    return mail.send(to=to, **given | facts)


@pytest.fixture(autouse=True)
def _templates(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "tests"
    folder.mkdir(parents=True)
    (folder / "note.txt").write_text("{% autoescape off %}{{ said }}, {{ clinic.phone }}{% endautoescape %}")
    (folder / "note.html").write_text("<p>{{ said }}</p>")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path / "templates"]}]


class Server:
    """A mail server that answers as told and keeps what it took."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.taken: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (its name)
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.taken.append(str(envelope.content))
        return answer


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    handler = Server()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    yield handler
    controller.stop()


def test_a_message_carries_text_html_and_calendar_to_one_person() -> None:
    queue(calendar="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", calendar_method="REQUEST")

    assert mail.deliver_due(now=NOON) == 1

    [sent] = django_mail.outbox
    assert (sent.to, sent.subject) == (["parisa@example.com"], "Your visit is cancelled")
    assert sent.body == "a < b & {{ c }}, 905-555-0100\n"
    parts = [(part.get_content_type(), part.get_filename()) for part in sent.message().walk()]
    assert parts == [
        ("multipart/mixed", None),
        ("multipart/alternative", None),
        ("text/plain", None),
        ("text/html", None),
        ("text/calendar", "visit.ics"),
    ]


def test_what_a_stranger_typed_is_text_in_html_and_never_a_template() -> None:
    assert queue().html == "<p>a &lt; b &amp; {{ c }}</p>"


@pytest.mark.parametrize("to", ["a@x.ca, b@y.ca", "a@x.ca\nBcc: b@y.ca", "nobody", ""])
def test_a_message_goes_to_exactly_one_address(to: str) -> None:
    with pytest.raises(ValidationError):
        queue(to)
    assert not QueuedMail.objects.exists()


def test_a_row_with_two_addresses_is_refused_whoever_writes_it() -> None:
    row = queue()
    row.to = "a@x.ca, b@y.ca"
    with pytest.raises(ValidationError):
        row.save()


def test_a_message_is_sent_once() -> None:
    queue()
    assert [mail.deliver_due(now=NOON), mail.deliver_due(now=NOON + timedelta(hours=1))] == [1, 0]


def test_a_message_waits_for_its_time() -> None:
    queue(send_at=NOON + timedelta(minutes=3))
    assert mail.deliver_due(now=NOON + timedelta(minutes=2)) == 0
    assert mail.deliver_due(now=NOON + timedelta(minutes=3)) == 1


def test_a_message_that_a_worker_has_in_hand_is_left_to_it_until_its_lease_runs_out() -> None:
    row = queue()
    QueuedMail.objects.update(leased_until=NOON + mail.LEASE)
    assert mail.deliver_due(now=NOON + timedelta(seconds=1)) == 0
    assert mail.deliver_due(now=NOON + mail.LEASE) == 1
    assert django_mail.outbox[0].extra_headers["Message-ID"] == row.message_id


def test_a_server_that_asks_to_wait_gets_the_same_message_later(server: Server) -> None:
    row = queue()
    server.answers = ["451 Greylisted"]

    assert mail.deliver_due(now=NOON) == 0
    row.refresh_from_db()
    assert (row.parked_at, row.attempts, row.send_at) == (None, 1, NOON + timedelta(minutes=1))
    assert row.last_error == "SMTPDataError 451"

    assert mail.deliver_due(now=NOON + timedelta(seconds=59)) == 0
    assert mail.deliver_due(now=NOON + timedelta(minutes=1)) == 1
    assert row.message_id in server.taken[0]


def test_a_lasting_refusal_parks_the_message_for_a_person_to_see(server: Server) -> None:
    row = queue()
    server.answers = ["550 No such person parisa@example.com"]

    mail.deliver_due(now=NOON)

    row.refresh_from_db()
    assert (row.parked_at, row.last_error) == (NOON, "SMTPDataError 550"), (
        "without the address the server quoted"
    )
    assert list(QueuedMail.objects.parked()) == [row]
    assert mail.deliver_due(now=NOON + timedelta(days=1)) == 0


def test_a_server_that_is_away_is_tried_for_three_days_and_one_message_does_not_stop_the_next(
    settings: Settings, server: Server
) -> None:
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1  # nobody listens there
    row = queue()
    for hours in range(0, 71, 4):
        assert mail.deliver_due(now=NOON + timedelta(hours=hours)) == 0
    assert not QueuedMail.objects.parked().exists()
    mail.deliver_due(now=NOON + timedelta(hours=76))
    row.refresh_from_db()
    assert (row.parked_at, row.last_error) == (NOON + timedelta(hours=76), "ConnectionRefusedError")

    settings.EMAIL_PORT = port
    queue("other@example.com")
    queue("third@example.com")
    server.answers = ["550 No"]
    assert mail.deliver_due(now=NOON) == 1


def test_on_a_laptop_mails_are_files_that_a_mail_program_opens(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "clinic.mail.FolderBackend"
    row = queue(now=timezone.now())

    call_command("worker", once=True)

    [path] = Path(settings.EMAIL_FILE_PATH).iterdir()
    read = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert (path.suffix, read["To"], read["Message-ID"]) == (".eml", "parisa@example.com", row.message_id)
    assert read["From"] == django_settings.DEFAULT_FROM_EMAIL
