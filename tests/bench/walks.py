"""What the served site does per second, what its start and its workers cost, each beside a bare Django site."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from itertools import count
from statistics import median
from time import perf_counter
from typing import Final
from urllib.parse import urlencode

from tests.bench.surroundings import Environment, Run, Server, say, served
from tests.bench.table import Row, ms, percentile, times_as

CLIENTS: Final = 8
AT_MOST: Final = 45  # seconds of load
AT_LEAST: Final = 0.5  # of what the bare site answers
STARTS_WITHIN: Final = 2.0  # seconds
MEMORY: Final = 120  # megabytes
REQUESTS: Final = 1_000
TIMES: Final = "/book/first-visit/"
REQUESTS_OF_A_WALK: Final = 8
REQUESTS_OF_A_LOOK: Final = 6

_number = count(1)


@dataclass(slots=True)
class Visitor:
    """A browser as far as a server can tell: one connection kept open, and its cookies."""

    link: HTTPConnection
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> bytes:
        """The page.

        :raises RuntimeError: if the answer is not a page.
        """
        answer, body = self._ask("GET", path, None)
        if answer.status != 200:
            raise RuntimeError(f"GET {path} answers {answer.status}")
        return body

    def post(self, path: str, **fields: str) -> str:
        """Sends a form; gives where the answer leads.

        :raises RuntimeError: if it leads nowhere: the form was refused.
        """
        token = {"csrfmiddlewaretoken": self.cookies["csrf"]}
        answer, _ = self._ask("POST", path, urlencode(token | fields))
        if answer.status != 302:
            raise RuntimeError(f"POST {path} answers {answer.status}")
        return str(answer.headers["Location"])

    def _ask(self, method: str, path: str, form: str | None) -> tuple[HTTPResponse, bytes]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.link.request(method, path, form, headers)
        answer = self.link.getresponse()
        body = answer.read()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return answer, body


def walk(link: HTTPConnection, start: str) -> None:
    """The whole way of a new patient to a request: gates, time, details, health, check, send; six POSTs, two GETs."""
    visitor, number = Visitor(link), next(_number)
    visitor.get("/book/")
    for gate in ("emergency", "urgent"):
        visitor.post("/book/", gate=gate, applies="no")
    details = visitor.post(TIMES, start=start, practitioner="anyone")
    health = visitor.post(
        details,
        name="Parisa Karimi",
        email=f"patient{number}@example.com",
        phone=f"905{number:07}",
        adult="yes",
        new_patient="new",
        language="fa",
    )
    check = visitor.post(health, any_precaution="no", note="Low back pain since autumn")
    key = re.search(rb'name="key" value="([0-9a-f-]{36})"', visitor.get(check))
    if key is None:
        raise RuntimeError("The page to check carries no key")
    sent = visitor.post(check, consent="on", key=key[1].decode())
    if not sent.startswith("/appointments/"):
        raise RuntimeError(f"Sending leads to {sent}")


def insert_one_row(link: HTTPConnection) -> None:
    link.request("POST", "/", "name=Parisa", {"Content-Type": "application/x-www-form-urlencoded"})
    answer = link.getresponse()
    if (answer.status, answer.read()) != (200, b"ok\n"):
        raise RuntimeError(f"The bare site answers {answer.status}")


def per_second(
    server: Server, acts: Iterator[Callable[[HTTPConnection], object]]
) -> tuple[float, list[float]]:
    """Acts per second with all clients at work, and how long each took; ends with the acts or the time."""
    took: list[float] = []
    end = perf_counter() + AT_MOST

    def client(_: int) -> None:
        link = HTTPConnection("127.0.0.1", server.port, timeout=60)
        for act in acts:
            began = perf_counter()
            act(link)
            took.append(perf_counter() - began)
            if perf_counter() > end:
                break
        link.close()

    began = perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client, range(CLIENTS)))
    return len(took) / (perf_counter() - began), took


def measure_forms(run: Run, database: str) -> list[Row]:
    """The whole way of a patient against a form that writes one row, under the same gunicorn and database."""
    environment = run.environment(database)
    starts: list[str] = run.inside("visits", environment)
    walks = starts[: 40 if run.quick else 400]
    warming, walks = walks[: CLIENTS * 2], walks[CLIENTS * 2 :]
    with served(environment) as server:
        say(f"{database}: {CLIENTS} clients go the whole way {len(walks)} times")
        per_second(server, _walks(warming))
        walked, took = per_second(server, _walks(walks))
    with served(environment, bare=True) as server:
        say(f"{database}: {CLIENTS} clients send the bare form")
        per_second(server, iter([insert_one_row] * 100))
        bare, _ = per_second(server, iter([insert_one_row] * (400 if run.quick else 4_000)))
    answered = walked * REQUESTS_OF_A_WALK
    return [
        Row(
            f"HTTP requests per second, {CLIENTS} clients, all the way to a request for a visit",
            database,
            f"{answered:,.0f}/s",
            f"bare insert: {bare:,.0f}/s; {times_as(answered / bare)}",
            f"≥ {AT_LEAST}×",
            answered / bare >= AT_LEAST,
        ),
        Row(
            f"Requests for a visit per second, {CLIENTS} clients",
            database,
            f"{walked:,.1f}/s",
            f"one way takes {ms(median(took))}, p99 {ms(percentile(took, 0.99))}",
        ),
    ]


def _walks(starts: list[str]) -> Iterator[Callable[[HTTPConnection], object]]:
    return iter([partial(walk, start=start) for start in starts])


def measure_starts(run: Run, database: str) -> list[Row]:
    """From the start of gunicorn to its first answer, and what a worker holds after many."""
    environment = run.environment(database)
    run.inside("visits", environment)
    often = 2 if run.quick else 5
    say(f"{database}: gunicorn starts {often} times, and as often bare")
    seconds = median(_seconds_to_answer(environment, bare=False) for _ in range(often))
    bare = median(_seconds_to_answer(environment, bare=True) for _ in range(often))
    requests = REQUESTS // 10 if run.quick else REQUESTS
    say(f"{database}: {requests:,} requests to one worker, and as many bare")
    with served(environment, workers=1) as server:
        per_second(server, iter([look_around] * (requests // REQUESTS_OF_A_LOOK)))
        memory = server.workers_memory()
    with served(environment, bare=True, workers=1) as server:
        per_second(server, iter([insert_one_row] * requests))
        bare_memory = server.workers_memory()
    return [
        Row(
            "Start of gunicorn to its first answer",
            database,
            f"{seconds:.2f} s",
            f"bare site: {bare:.2f} s",
            f"≤ {STARTS_WITHIN:.0f} s",
            seconds <= STARTS_WITHIN,
        ),
        Row(
            f"Memory of a worker after {requests:,} requests",
            database,
            f"{memory:.0f} MB",
            f"bare site: {bare_memory:.0f} MB",
            f"≤ {MEMORY} MB",
            memory <= MEMORY,
        ),
    ]


def look_around(link: HTTPConnection) -> None:
    """Six requests of somebody who looks and leaves: home, gate, its two answers, visit types, times."""
    visitor = Visitor(link)
    visitor.get("/")
    visitor.get("/book/")
    for gate in ("emergency", "urgent"):
        onward = visitor.post("/book/", gate=gate, applies="no")
    visitor.get(onward)
    visitor.get(TIMES)


def _seconds_to_answer(environment: Environment, *, bare: bool) -> float:
    with served(environment, bare=bare) as server:
        return server.seconds_to_answer
