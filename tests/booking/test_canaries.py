"""What people type, marked, is looked for wherever it must not be: logs, addresses, caches, error pages, mails."""

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from gunicorn.config import Config
from gunicorn.glogging import Logger

from booking.models import Appointment, Closure, Patient, VisitType
from clinic import gunicorn_conf, logs
from clinic.models import QueuedMail, Tally
from tests.booking.factories import make_clinic, wall
from tests.booking.test_desk import owner  # noqa: F401 (a fixture)
from tests.booking.test_patient_way import TYPED, address, body, choose, key_on, pass_gate, send

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

CANARY = "kanarek"  # a word that is in no page, name or message of ours
PHONE = "905 555 7391"
DETAILS: dict[str, Any] = TYPED | {
    "name": f"Name{CANARY}",
    "email": f"mail{CANARY}@example.com",
    "phone": PHONE,
    "note": f"Note {CANARY}",
    "any_precaution": "not_sure",
    "precautions": ["lymph", "pregnant"],
}
MARKS: list[str] = [CANARY, PHONE, PHONE.replace(" ", ""), "lymph", "pregnan", "not_sure"]


def marks_in(text: str) -> list[str]:
    return [mark for mark in MARKS if mark.lower() in text.lower()]


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """Everything that any logger says at any level, as production writes it."""
    written_as: Any = settings.LOGGING
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.WithoutMessages(written_as["formatters"]["line"]["format"], style="{"))
    listened = [logging.getLogger(), *(logging.getLogger(name) for name in written_as["loggers"])]
    levels = [logger.level for logger in listened]
    for logger in listened:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield stream
    for logger, level in zip(listened, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture
def visit_type() -> VisitType:
    return make_clinic(slug="first-visit", fee=115)


class Browser(Client):
    """Notes every address that it asks for, is sent to or is shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.addresses: list[str] = []
        self.pages: list[Any] = []

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        self.pages.append(response)
        self.addresses += [
            f"{request['PATH_INFO']}?{request.get('QUERY_STRING', '')}",
            response.headers.get("Location", ""),
            *re.findall(r'(?:href|action|src|formaction)="([^"]*)"', response.content.decode()),
        ]
        return response


def walk(browser: Browser, visit_type: VisitType) -> Appointment:
    """The whole way with mistakes in it, and everything typed with a mark."""
    browser.post("/book/", {"applies": "not_sure", "next": "/book/"})
    pass_gate(browser)
    browser.post("/book/first-visit/", {"start": CANARY, "practitioner": CANARY})
    choose(browser, visit_type)
    browser.post(address(visit_type), DETAILS | {"email": CANARY, "phone": f"{PHONE} {CANARY}"})
    browser.post(address(visit_type), DETAILS)
    health = address(visit_type, page="health")
    browser.post(health, DETAILS | {"note": CANARY * 50})
    browser.post(health, DETAILS)
    check = address(visit_type, page="check")
    browser.post(check, {"key": CANARY, "consent": "on"})
    send(browser, visit_type, consent="")
    send(browser, visit_type, website=CANARY)
    where = send(browser, visit_type)["Location"]
    browser.get(where)
    return Appointment.objects.get(reference=where.split("/")[2])


def access_line(response: Any) -> str:
    """The line that gunicorn writes of a request, with marks wherever a client could put them besides."""
    environ = dict(response.request) | {
        "QUERY_STRING": f"q={CANARY}",
        "RAW_URI": f"{response.request['PATH_INFO']}?q={CANARY}",
        "HTTP_REFERER": f"https://clinic.example/?q={CANARY}",
        "HTTP_USER_AGENT": CANARY,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_COOKIE": CANARY,
    }

    class Answer:
        status = str(response.status_code)
        sent = len(response.content)
        headers: tuple[tuple[str, str], ...] = tuple(response.headers.items())

    class Asked:
        headers: tuple[tuple[str, str], ...] = ()

    logger = Logger(Config())
    atoms = logger.atoms(Answer(), Asked(), environ, timedelta(milliseconds=20))
    return str(gunicorn_conf.access_log_format % logger.atoms_wrapper_class(atoms))


def test_nothing_typed_on_the_way_to_a_request_is_logged_or_put_into_an_address(
    visit_type: VisitType, log: io.StringIO
) -> None:
    browser = Browser()
    asked = walk(browser, visit_type)
    assert (asked.patient.name, asked.patient.phone) == (DETAILS["name"], PHONE)
    assert (
        "/book/first-visit/" in log.getvalue()
    )  # the log was listened to: a refused time is in it, by its address
    assert marks_in(log.getvalue()) == []
    assert marks_in("\n".join(browser.addresses)) == []
    lines = [access_line(page) for page in browser.pages]
    assert re.fullmatch(r"\[[^]]+\] POST /book/ 200 \d+ 20000", lines[0])
    assert marks_in("\n".join(lines)) == []


def test_nothing_typed_is_mailed_or_kept_where_it_does_not_belong(visit_type: VisitType) -> None:
    asked = walk(Browser(), visit_type)
    mails = "\n".join(f"{row.subject}{row.text}{row.html}{row.calendar}" for row in QueuedMail.objects.all())
    assert asked.reference in mails
    assert marks_in(mails) == []
    assert marks_in(str(list(Tally.objects.values()))) == []
    assert getattr(cache, "_cache", {}) == {}  # nothing of ours is cached at all


def test_what_was_typed_is_in_one_place_once_it_is_sent(visit_type: VisitType) -> None:
    """The patient's row and the appointment's; nothing of it stays behind in a session or another table."""
    browser = Browser()
    walk(browser, visit_type)
    assert marks_in(json.dumps(dict(browser.session))) == []
    with_marks = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 (our own tables)
            if any(CANARY in str(row) for row in cursor.fetchall()):
                with_marks.add(table)
    assert with_marks == {"booking_patient", "booking_appointment", "clinic_queuedmail"}
    assert QueuedMail.objects.filter(to=DETAILS["email"]).exists()  # the address it goes to, and only that


class RefusesThePatient:
    """Takes the phone number out of the patient's row on its way to the database, which then refuses the row."""

    def __call__(self, execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if 'INSERT INTO "booking_patient"' in sql:
            params = tuple(None if value == PHONE else value for value in params)
        return execute(sql, params, many, context)


def test_a_fault_while_sending_tells_neither_the_patient_nor_the_log_what_was_typed(
    visit_type: VisitType, log: io.StringIO
) -> None:
    browser = Browser(raise_request_exception=False)
    pass_gate(browser)
    for questions in ("details", "health"):
        browser.post(address(visit_type, page=questions), DETAILS)
    check = address(visit_type, page="check")
    form = {"consent": "on", "key": key_on(browser.get(check))}

    with connection.execute_wrapper(RefusesThePatient()):
        page: Any = browser.post(check, form)

    assert page.status_code == 500
    assert CANARY in str(page.exc_info[1]) or connection.vendor == "sqlite"  # PostgreSQL quotes the whole row
    assert marks_in(body(page)) == []
    assert "IntegrityError (its message is not logged)" in log.getvalue()
    assert "booking/operations/" in log.getvalue()
    assert marks_in(log.getvalue()) == []
    assert browser.post(check, form).status_code == 302  # nothing was lost


def test_the_log_names_the_whole_chain_of_a_fault_without_its_messages() -> None:
    try:
        try:
            int(CANARY)
        except ValueError as error:
            raise KeyError(CANARY) from error
    except KeyError as error:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "said", None, (type(error), error, None))
    record.exc_text = f"what another formatter wrote: {CANARY}"
    written = logs.WithoutMessages("{message}", style="{").format(record)
    assert CANARY not in written.replace("int(CANARY)", "").replace("KeyError(CANARY)", "")
    assert re.findall(r"^(\S+ .*not logged\)|which led to)$", written, re.MULTILINE) == [
        "builtins.ValueError (its message is not logged)",
        "which led to",
        "builtins.KeyError (its message is not logged)",
    ]


def test_faults_go_to_the_log_alone() -> None:
    handlers = {
        type(handler).__name__
        for name in ("", "django", "django.request", "django.security")
        for handler in logging.getLogger(name).handlers
    }
    assert "AdminEmailHandler" not in handlers


def test_what_staff_type_and_read_is_in_no_log_or_address(
    visit_type: VisitType,
    owner: Client,  # noqa: F811
    log: io.StringIO,
) -> None:
    asked = walk(Browser(), visit_type)
    staff = Browser()
    staff.cookies = owner.cookies
    patient, page = f"/admin/booking/patient/{asked.patient.pk}/change/", "/admin/booking/appointment/"
    typed = {
        "name": f"New{CANARY}",
        "email": f"new{CANARY}@example.com",
        "phone": PHONE,
        "date_of_birth": "1944-02-29",
    }
    inline = {"appointments-TOTAL_FORMS": 0, "appointments-INITIAL_FORMS": 0}
    day = wall(9, days_ahead=9).date().isoformat()
    closure = {"starts_at_0": day, "starts_at_1": "09:00", "ends_at_0": day, "ends_at_1": "10:00"}

    staff.get("/admin/")
    staff.get(page)
    staff.get(f"{page}{asked.pk}/change/")
    staff.get(patient)
    staff.post(patient, typed | inline | {"date_of_birth": CANARY})
    assert staff.post(patient, typed | inline).status_code == 302
    assert staff.post("/admin/booking/closure/add/", closure | {"reason": CANARY}).status_code == 302
    staff.post(f"{page}{asked.pk}/decline/", {"version": CANARY, "reason": CANARY})
    staff.post(f"{page}{asked.pk}/confirm/", {"version": "1"})

    assert Patient.objects.get(pk=asked.patient.pk).name == typed["name"]
    assert Closure.objects.get().reason == CANARY
    assert "1944-02-29" not in log.getvalue()
    assert marks_in(log.getvalue()) == []
    ours = [where for where in staff.addresses if not where.startswith(("mailto:", "tel:"))]
    assert marks_in("\n".join(ours)) == []
    assert marks_in("\n".join(access_line(one) for one in staff.pages)) == []
