"""Whatever a patient types stays text: on every page of theirs, at the desk, in every mail and its preview."""

from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Final

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from booking.models import Appointment, Patient, VisitType
from booking.views.traps import TRAP
from clinic import limits, mail
from clinic.models import QueuedMail
from tests.booking.every_mail import write_every_mail
from tests.booking.factories import make_clinic, wall
from tests.booking.test_operations import PARISA
from tests.booking.test_patient_way import TYPED, address, key_on, pass_gate, type_details
from tests.booking.test_waitlist import JOIN
from tests.site.test_limits import come_from, use_up
from tests.site.test_routes import Site, routes

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

HOSTILE: Final = [
    "A<script>alert(1)</script>",
    'A"><img src=x onerror=alert(1)>',
    "A' onfocus='alert(1)' autofocus='",
    'A" onfocus="alert(1)" autofocus="',
    "A</textarea></title></style><svg onload=alert(1)>",
    "A--><script>alert(1)</script>",
    "javascript:alert(1)//A",
    "A{{ 7|add:7 }}{% debug %}",
    "A\u202e&lt;script&gt;alert(1)&lt;/script&gt;",
]
TOGETHER: Final = [" ".join(HOSTILE[first::3]) for first in range(3)]  # a name has room for three
FOLLOWED: Final = {"href", "src", "action", "formaction", "data", "srcdoc", "content"}
EMAIL: Final = '"<script>alert(1)</script>"@example.com'  # an address that the form takes
NAMES: Final = [
    "gate", "applies", "next", "safety", "start", "practitioner", "from", "day", "name", "email", "phone",
    "new_patient", "language", "reminders", "precautions", "any_precaution", "needs", "note", "consent", "key",
    "weekdays", "parts", "until", "reference", "replaces", "version",
]  # fmt: skip


class Dangers(HTMLParser):
    """What a browser would run or follow because of what was typed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_script = tag == "script"
        for name, value in attrs:
            plain = "".join((value or "").split()).lower()
            is_followed = name in FOLLOWED and plain.startswith(("javascript:", "data:"))
            if name.startswith("on") or is_followed:
                self.found.append(self.get_starttag_text() or tag)

    def handle_data(self, data: str) -> None:
        if self.is_script and "alert" in data:
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.is_script = False


def dangers(html: str) -> list[str]:
    reader = Dangers()
    reader.feed(html)
    return reader.found


def typed_as(text: str) -> dict[str, str]:
    """Both pages of questions, with the text wherever their forms take it."""
    return TYPED | {"name": text, "email": EMAIL, "note": text}


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href=" JavaScript:alert(1)">',
        "<textarea></textarea><svg onload=alert(1)>",
    ],
)
def test_the_eyes_of_these_tests_see_what_a_browser_would_run(page: str) -> None:
    assert dangers(page) != []


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def visit_type() -> VisitType:
    return make_clinic(slug="first-visit", fee=115)


@pytest.fixture
def patient(client: Client) -> Client:
    pass_gate(client)
    return client


def browser(site: Site, role: str) -> Client:
    client = Client()
    client.cookies = site.cookies[role]
    return client


@pytest.mark.parametrize("text", TOGETHER)
def test_what_is_kept_stays_text_on_every_page_of_the_site(site: Site, text: str) -> None:
    """In every field of a patient's that is text, whether or not its form would take it."""
    visit_type = VisitType.objects.get(slug="first-visit")
    for page in ("details", "health"):
        where = address(visit_type, wall(12), page=page)
        assert browser(site, "patient").post(where, typed_as(text)).status_code == 302
    Patient.objects.update(name=text, email=EMAIL, phone=text[:40])
    Appointment.objects.update(note=text, precautions={text: text})
    QueuedMail.objects.update(to=EMAIL)

    showing: dict[str, set[str]] = {"patient": set(), "superuser": set()}
    for role, shown in showing.items():
        for route in routes():
            answer = browser(site, role).get(site.address(route))
            if answer.headers.get("Content-Type", "").startswith("image/"):
                continue
            html = answer.content.decode()
            assert dangers(html) == [], (role, route)
            if text in unescape(html) or text[:40] in unescape(html):
                shown.add(route)
    choice = "book/<slug:visit_type>/<slug:practitioner>/<start:starts_at>/"
    assert {choice, f"{choice}health/", f"{choice}check/"} <= showing["patient"]
    assert {
        "admin/",
        "admin/booking/appointment/",
        "admin/booking/appointment/<path:object_id>/change/",
        "admin/booking/appointment/<int:pk>/decline/",
        "admin/booking/appointment/<int:pk>/cancel/",
        "admin/booking/patient/",
        "admin/booking/patient/<path:object_id>/change/",
        "admin/booking/waitlistentry/",
        "admin/booking/waitlistentry/<path:object_id>/change/",
    } <= showing["superuser"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_refused_stays_text_on_the_page_that_refuses_it(
    patient: Client, visit_type: VisitType, text: str
) -> None:
    """Every field of every form of a patient's, its address included."""
    check, wrong = address(visit_type, page="check"), dict.fromkeys(NAMES, text) | {text: text}
    type_details(patient, visit_type)
    places = ["/book/", "/book/first-visit/", address(visit_type), address(visit_type, page="health"), check]
    places += [JOIN, "/appointments/lost/"]
    pages = [ask(where, wrong) for ask in (patient.post, patient.get) for where in places]
    caught = {"consent": "on", "key": key_on(patient.get(check)), TRAP: text} | {text: text}
    pages.append(patient.post(check, caught))
    assert pages[-1].status_code == 422
    use_up(limits.SEND, come_from("127.0.0.1"))
    pages.append(patient.post(check, caught))
    assert pages[-1].status_code == 429
    assert [dangers(page.content.decode()) for page in pages] == [[]] * len(pages)
    showing = [text in unescape(page.content.decode()) for page in pages]
    assert (showing[2:4], showing[5:7], showing[-2:]) == ([True] * 2, [True] * 2, [True] * 2)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_mail_carries_what_was_typed_and_its_preview_runs_nothing(text: str) -> None:
    write_every_mail(replace(PARISA, name=text, note=text, phone=""))
    User.objects.create_superuser("owner", password="pw")
    desk = Client()
    desk.force_login(User.objects.get(username="owner"))
    for row in QueuedMail.objects.all():
        preview = desk.get(reverse("admin:clinic_queuedmail_html", args=[row.pk]))
        assert preview.status_code == 200
        assert "default-src 'none'" in preview["Content-Security-Policy"]
        assert dangers(preview.content.decode()) == []
        sent = mail.message(row)
        parts = [row.subject, row.text, unescape(row.html), row.calendar, sent.subject, str(sent.body)]
        assert [part for part in parts if text in part or "alert(1)" in part] == [], row.kind
