"""Thousands of requests that no form would send: every address, hostile values everywhere, and never a fault.

3,500 requests in the suite; `FUZZED_REQUESTS=10000` asks for more and `FUZZ_SEED` for others; with `-s` the
answers are counted by status. A request that breaks the site is printed as it was sent.
"""

import logging
import os
import random
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from itertools import islice
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.test import Client

from clinic.models import Tally
from tests.site.test_routes import Site, routes

REQUESTS: Final = int(os.environ.get("FUZZED_REQUESTS", "3500"))
SEED: Final = int(os.environ.get("FUZZ_SEED", "911"))
FORGET_COUNTS_EVERY: Final = 100  # requests; else the limits would answer most of them

VALUES: Final[list[str | bytes]] = [
    "", " ", "0", "1", "2", "-1", "00", "1.5", "1e9", "NaN", "Infinity", "null", "None", "true", "on", "[]", "{}",
    str(2**31), str(2**63), str(-(2**63) - 1), "9" * 400, "0x10", "٣", "½", "²",
    "\x00", "a\x00b", "\x1b[31m", "\r\nSet-Cookie: a=b", "\u202e", "\ufeff", "\ufffe", "e\u0301" * 50, "🪡",
    b"\xed\xa0\x80", b"\xff\xfe", b"\xc0\xaf", "\ud83d\ude00".encode("utf-16", "surrogatepass"),
    "0001-01-01", "9999-12-31", "10000-01-01", "2027-02-29", "2027-03-14", "1999-12-31", "2027-W09-4", "20270304",
    "00010101T0000-0517", "99991231T2359-0500", "20270314T0230-0500", "20271107T0130-0400", "20270304T1030-0500",
    "20270304T1030+9999", "00:00", "24:00", "23:59:60", "9999-12-31T23:59:59.999999+14:00",
    "<script>alert(1)</script>", "'; DROP TABLE booking_patient; --", "{{ 7|add:7 }}", "%s%n", "%00", "%",
    "../../../etc/passwd", "//evil.example", "https://evil.example/", "javascript:alert(1)", "\\", "a@b", "a,b@c.d",
    "anyone", "first-visit", "booking", "pk", "__class__", "yes", "no", "not_sure", "x" * 5000,
]  # fmt: skip
NAMES_OF_PATIENTS: Final = ["practitioner", "from", "day", "next", "safety"]
NAMES: Final = [
    "q", "p", "o", "all", "e", "when", "state", "status__exact",
    "id__exact", "pk__in", "practitioner__id__exact", "visit_type__id__exact", "starts_at__gte", "starts_at__year",
    "created_at__date", "proposed__exact", "is_active__exact", "patient__email__regex", "_to_field", "_popup",
    "_changelist_filters", "_facets", "app_label", "model_name", "field_name", "term", "action", "_selected_action",
    "csrfmiddlewaretoken", "form-TOTAL_FORMS", "phases-TOTAL_FORMS", "version", "key", "hold", "start",
    "pick", "show", "from", "who", "on", "at", "room",
    "a_week", "weeks", "then_weeks", "weekdays", "first_on", "with", "visit", "to", "confirmed", "reason",
]  # fmt: skip
HEADERS: Final = [
    "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT", "HTTP_HOST", "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_RANGE", "HTTP_X_REQUESTED_WITH",
    "REMOTE_ADDR",
]  # fmt: skip
BODIES: Final = [
    ("application/json", b'{"a": "\\ud800"}'),
    ("application/x-www-form-urlencoded; charset=utf-99", b"a=%ff"),
    ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % number for number in range(600))),
    ("application/x-www-form-urlencoded", b"note=" + b"x" * 300_000),
    ("multipart/form-data; boundary=", b"--"),
    ("multipart/form-data; boundary=a", b"--a\r\nContent-Disposition: form-data; name=\xff\r\n\r\n\x00"),
    (
        "multipart/form-data; boundary=a",
        b'--a\r\nContent-Disposition: form-data; name="f"; filename="../f"\r\n\r\nx',
    ),
    ("text/plain", b"\x00" * 1000),
]

PLACE: Final = r"<[^>]*>|\(\?P<\w+>[^)]*\)"

Answered = tuple[str, Any]  # the request as it was sent, and what came back

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


class Fuzzer:
    def __init__(self, site: Site, chance: random.Random) -> None:
        self.site = site
        self.chance = chance
        self.desk = sorted(route for route in routes() if route.startswith("admin/"))
        self.public = sorted(set(routes()) - set(self.desk))
        self.forms: dict[tuple[str, str], dict[str, str]] = {}

    def requests(self) -> Iterator[Answered]:
        """First each value in each place of the public addresses; then whatever chance finds, half of it public."""
        for value in VALUES:
            for address in self._with_one_hostile_place(value):
                yield self._send("patient", "GET", address)
            query = urlencode(dict.fromkeys(NAMES_OF_PATIENTS, value))
            yield self._send("patient", "GET", f"/book/first-visit/?{query}")
            yield self._send("anonymous", "GET", f"/book/?{query}")
        while True:
            if self.chance.random() < 0.5:
                role = self.chance.choice(["anonymous", "patient", "patient"])
                yield self._surprise(self.chance.choice(self.public), role)
            else:
                yield self._surprise(self.chance.choice(self.desk), "superuser")

    def _with_one_hostile_place(self, value: str | bytes) -> Iterator[str]:
        for route in self.public:
            for place in re.findall(PLACE, route):
                real = self.site.values_of(route)[place[1:-1].partition(":")[2]]
                yield self.site.address(route).replace(f"/{real}/", f"/{quote(value, safe='')}/")

    def _surprise(self, route: str, role: str) -> Answered:
        method = self.chance.choices(["GET", "POST", "HEAD"], [4, 5, 1])[0]
        address = self._address(route)
        if self.chance.random() < 0.5:
            address += "?" + urlencode(self._hostile(NAMES_OF_PATIENTS + NAMES, 6))
        content_type, body = "application/x-www-form-urlencoded", b""
        if method == "POST":
            form = self._form(route, role)
            body = urlencode({**form, **self._hostile(form or NAMES, 3)}).encode()
            if self.chance.random() < 0.05:
                content_type, body = self.chance.choice(BODIES)
        headers = {}
        if self.chance.random() < 0.1:
            value = self.chance.choice(VALUES)
            headers = {
                self.chance.choice(HEADERS): value if isinstance(value, str) else value.decode("latin-1")
            }
        return self._send(role, method, address, body, content_type, headers)

    def _send(
        self,
        role: str,
        method: str,
        address: str,
        body: bytes = b"",
        content_type: str = "application/x-www-form-urlencoded",
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """One request, as text and answered; what it changed is taken back."""
        before = transaction.savepoint()
        answer = self._client(role).generic(method, address, body, content_type, **headers or {})  # type: ignore[arg-type]
        transaction.savepoint_rollback(before)
        return f"{role} {method} {address} {content_type} {body[:2000]!r} {headers}", answer

    def _client(self, role: str) -> Client:
        client = Client(raise_request_exception=False)
        client.cookies = SimpleCookie(self.site.cookies[role].output(header="", sep=";"))
        return client

    def _address(self, route: str) -> str:
        """With what is really there as often as not, else with something hostile in one of its places."""
        if self.chance.random() < 0.6:
            return self.site.address(route)
        hostile = quote(self.chance.choice(VALUES), safe="")
        return "/" + re.sub(PLACE, lambda _: hostile, re.sub(r"[\^$]", "", route))

    def _form(self, route: str, role: str) -> dict[str, str]:
        """The boxes of the page and what stands in them, looked up once."""
        if (route, role) not in self.forms:
            reader = FormReader()
            reader.feed(self._client(role).get(self.site.address(route)).content.decode(errors="replace"))
            self.forms[route, role] = reader.filled
        return self.forms[route, role]

    def _hostile(self, names: Iterable[str], most: int) -> dict[str, str | bytes]:
        chosen = self.chance.choices(list(names), k=self.chance.randint(1, most))
        return {name: self.chance.choice(VALUES) for name in chosen}


class FormReader(HTMLParser):
    """Reads what a browser would send if the person pressed the button at once."""

    def __init__(self) -> None:
        super().__init__()
        self.filled: dict[str, str] = {}
        self.named = ""  # the text area or list that is open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag in {"textarea", "select"}:
            self.named = found.get("name", "")
            self.filled[self.named] = ""
        elif tag == "option" and "selected" in found:
            self.filled[self.named] = found.get("value", "")
        elif tag == "input" and "name" in found:
            is_choice = found.get("type") in {"radio", "checkbox"}
            if not is_choice or "checked" in found or found["name"] not in self.filled:
                self.filled[found["name"]] = found.get("value", "on" if is_choice else "")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "textarea":
            self.filled[self.named] += data


@pytest.fixture
def _no_log() -> Iterator[None]:
    """The test run keeps every line with the request behind it: thousands of them fill the memory."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("_no_log")
def test_no_request_breaks_the_site() -> None:
    fuzzer = Fuzzer(Site(), random.Random(SEED))  # noqa: S311 (chance that can be repeated)
    answered: dict[int, int] = {}
    broken = []
    for number, (sent, answer) in enumerate(islice(fuzzer.requests(), REQUESTS)):
        if number % FORGET_COUNTS_EVERY == 0:
            Tally.objects.all().delete()
        answered[answer.status_code] = answered.get(answer.status_code, 0) + 1
        if answer.status_code >= 500:
            why = answer.exc_info[1] if getattr(answer, "exc_info", None) else ""
            broken.append(f"{type(why).__name__}: {str(why)[:200]}\n    {sent[:3000]}")
    shown = ", ".join(f"{count} × {status}" for status, count in sorted(answered.items()))
    print(f"{sum(answered.values())} requests, seed {SEED}, {len(broken)} faults: {shown}")  # noqa: T201 (with -s)
    assert broken == []
    assert {200, 302, 400, 403, 404, 405} <= answered.keys(), answered


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"applies=no&next=" + b"x" * 255_000, 302),
        (b"applies=no&next=" + b"x" * 265_000, 400),
        (b"&".join(b"applies=no" for _ in range(501)), 400),
    ],
    ids=["long", "too long", "too many fields"],
)
def test_a_body_or_form_past_its_limit_is_refused(body: bytes, status: int) -> None:
    answer = Client().generic("POST", "/book/", body, "application/x-www-form-urlencoded")
    assert answer.status_code == status


@pytest.mark.parametrize("key", ["%00", "\x00", "-1", "9" * 30, "9" * 5000, "٣", "1.5", ""])
@pytest.mark.parametrize(
    ("page", "field"),
    [
        ("content/article/add/", "related"),
        ("booking/visittype/add/", "practitioners"),
        ("auth/group/add/", "permissions"),
        ("auth/user/<path:object_id>/change/", "groups"),
    ],
)
def test_a_key_that_is_none_is_refused_by_the_list_it_was_chosen_from(
    page: str, field: str, key: str
) -> None:
    site = Site()
    page = site.address(f"admin/{page}")
    client = Client()
    client.cookies = site.cookies["superuser"]
    reader = FormReader()
    reader.feed(client.get(page).content.decode())
    answer = client.post(page, reader.filled | {field: key})
    assert answer.status_code == 200, answer
