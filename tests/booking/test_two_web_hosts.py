"""Two web hosts share one database: whichever of them people reach, one gets the time and the others read it kindly."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from socket import create_server
from threading import Barrier
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.db import connection

from booking import times
from booking.models import Appointment, Hold, VisitType
from clinic.models import QueuedMail
from tests.booking import books
from tests.booking.factories import make_clinic, wall
from tests.booking.test_patient_way import TYPED

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite is for one machine; two hosts share PostgreSQL"
    ),
]

CLIENTS = 32
READY_WITHIN = 60  # seconds
PATIENCE = 60  # seconds for an answer; only something that hangs takes longer


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    page: str


@dataclass
class Client:
    """One browser: its cookies, and the token of the last form it saw. A proxy says where it is."""

    number: int
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def get(self, address: str) -> Answer:
        return self.send("GET", address)

    def post(self, address: str, **form: str) -> Answer:
        """Sends a form and, as the page asks when the books are busy (on a slow machine), sends it again."""
        body = urlencode(form | {"csrfmiddlewaretoken": self.token})
        while (answer := self.send("POST", address, body)).status == 503:
            assert "Nothing was sent and nothing is lost" in answer.page
        return answer

    def send(self, method: str, address: str, body: str | None = None) -> Answer:
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-Forwarded-For": f"10.0.0.{self.number}",
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as line:
            line.request(method, address, body, headers)
            answer = line.getresponse()
            page = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(cookie).items()}
        if token := re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page):
            self.token = token[1]
        return Answer(answer.status, answer.headers.get("Location", ""), page)

    def walk_to_the_times(self, visit_type: VisitType, starts_at: datetime) -> None:
        assert self.get("/book/").status == 200
        for gate in ("emergency", "urgent"):
            assert self.post("/book/", gate=gate, applies="no").status == 302
        day = times.local_day(starts_at).isoformat()
        assert self.get(f"/book/{visit_type.slug}/?day={day}").status == 200

    def choose(self, visit_type: VisitType, starts_at: datetime) -> Answer:
        return self.post(
            f"/book/{visit_type.slug}/", start=times.write_start(starts_at), practitioner="anyone"
        )

    def fill_in(self, details: str) -> tuple[str, dict[str, str]]:
        """The address of the page that sends the request, and the form it would send."""
        assert self.get(details).status == 200
        number = f"{self.number:03}"
        facts = TYPED | {"email": f"patient{number}@example.com", "phone": f"416-555-0{number}"}
        health = self.post(details, **facts)
        assert health.status == 302, health.page
        check = self.post(health.location, **facts)
        assert check.status == 302, check.page
        key = re.search(r'name="key" value="([0-9a-f-]{36})"', self.get(check.location).page)
        assert key
        return check.location, {"consent": "on", "key": key[1]}


@pytest.fixture(scope="module")
def hosts(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """The ports of two web servers, each started as in production, on the database of this test."""
    data = tmp_path_factory.mktemp("hosts")
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = os.environ | {
        "QUICKEST_SEND": "0",  # they type faster than people, and one presses ten times at once
        "LIMITS_TIMES": "1000",
        "DATABASE_URL": database.geturl(),
        "DATA_DIR": str(data),
        "WEB_CONCURRENCY": "1",
        "TRUSTED_PROXY": "1",
    }
    manage = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(manage, cwd=settings.BASE_DIR, env=environment, check=True)
    serve = [sys.executable, "-m", "gunicorn", "--config", "clinic/gunicorn_conf.py", "clinic.wsgi"]
    with ExitStack() as stack:
        ports = free_ports(2)
        for port in ports:
            log = stack.enter_context((data / f"{port}.log").open("wb"))
            server = subprocess.Popen(
                serve,
                cwd=settings.BASE_DIR,
                env=environment | {"PORT": str(port)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            stack.callback(server.wait)
            stack.callback(server.terminate)
        for port in ports:
            wait_for(port, data / f"{port}.log")
        yield ports


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        lines = [stack.enter_context(create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [line.getsockname()[1] for line in lines]


def wait_for(port: int, log: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(log.read_text())


def all_at_once(clients: Sequence[Client], act: Callable[[Client], Answer]) -> list[Answer]:
    """Each client acts in a thread of its own, in the same moment; their answers, in the clients' order."""
    together = Barrier(len(clients))

    def join_in(client: Client) -> Answer:
        together.wait(PATIENCE)
        return act(client)

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(join_in, clients))


def headline(answer: Answer) -> str:
    """What the patient reads about the time, or where they are sent on to."""
    taken = "That time has just been taken"
    if taken in answer.page:
        return f"{answer.status} {taken}"
    return str(answer.status)


def test_of_all_who_choose_one_time_through_both_hosts_one_gets_it(hosts: list[int]) -> None:
    visit_type = make_clinic(slug="first-visit")
    clients = [Client(number, hosts[number % 2]) for number in range(CLIENTS)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda client: client.walk_to_the_times(visit_type, wall(10)), clients))

    answers = all_at_once(clients, lambda client: client.choose(visit_type, wall(10)))

    assert Counter(map(headline, answers)) == {
        "302": 1,
        "409 That time has just been taken": CLIENTS - 1,
    }
    assert (Hold.objects.count(), books.overlaps()) == (1, 0)
    [winner] = [number for number, answer in enumerate(answers) if answer.status == 302]
    check, form = clients[winner].fill_in(answers[winner].location)
    clients[winner].port = hosts[1 - winner % 2]  # the next form may well reach the other host
    sent = clients[winner].post(check, **form)
    assert (sent.status, Appointment.objects.get().starts_at) == (302, wall(10))
    assert "Request sent" in clients[winner].get(sent.location).page
    assert (books.overlaps(), books.ask(books.PLAIN_VISITS_ASTRAY), Hold.objects.count()) == (0, 0, 0)


def test_all_who_send_at_once_for_one_time_that_nobody_holds_make_one_appointment(hosts: list[int]) -> None:
    """Their holds have run out while they were typing."""
    visit_type = make_clinic(slug="first-visit")
    clients = [Client(number, hosts[number % 2]) for number in range(8)]
    forms = {}
    for client in clients:
        client.walk_to_the_times(visit_type, wall(10))
        chosen = client.choose(visit_type, wall(10))
        forms[client.number] = client.fill_in(chosen.location)
        Hold.objects.all().delete()

    answers = all_at_once(
        clients, lambda client: client.post(forms[client.number][0], **forms[client.number][1])
    )

    assert Counter(map(headline, answers)) == {"302": 1, "409 That time has just been taken": 7}
    assert (Appointment.objects.count(), QueuedMail.objects.count(), books.overlaps()) == (1, 2, 0)


def test_one_form_sent_ten_times_at_once_through_both_hosts_is_one_appointment(hosts: list[int]) -> None:
    visit_type = make_clinic(slug="first-visit")
    client = Client(1, hosts[0])
    client.walk_to_the_times(visit_type, wall(10))
    check, form = client.fill_in(client.choose(visit_type, wall(10)).location)
    presses = [replace(client, port=hosts[number % 2], cookies=client.cookies.copy()) for number in range(10)]

    answers = all_at_once(presses, lambda press: press.post(check, **form))

    appointment = Appointment.objects.get()
    assert Counter((answer.status, answer.location) for answer in answers) == {
        (302, f"/appointments/{appointment.reference}/"): 10
    }
    assert "Request sent" in client.get(answers[0].location).page
    kinds = (
        QueuedMail.objects.filter(about=appointment.reference).order_by("kind").values_list("kind", flat=True)
    )
    assert list(kinds) == ["new_request", "received"]
    assert books.overlaps() == 0
