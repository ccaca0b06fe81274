"""Who may open and change what: every address of the site stands in `routes.csv`, with what each kind of person gets.

A cell is “GET/POST”: the status, or `sign-in` and `gate` for a redirect to those. Patients have passed the safety
gate and sent a request; staff have no permission at all. An address without a row fails here: whoever adds one
writes down whom it is for.
"""

import csv
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from booking import links, operations, times
from booking.models import Appointment, BookingRules
from clinic import audit
from clinic.models import Act
from clinic.roles import make_roles
from content.remarks import note_remark
from tests.booking.factories import (
    make_appointment,
    make_clinic,
    make_closure,
    make_practitioner,
    make_visit_type,
    wall,
)
from tests.booking.test_course_operations import request
from tests.booking.test_operations import somebody
from tests.booking.test_patient_way import TYPED, address, pass_gate, send, type_details
from tests.booking.test_waitlist import join, open_link
from tests.content.factories import make_article

TABLE = Path(__file__).with_name("routes.csv")
ROLES = ["anonymous", "patient", "staff", "superuser"]
OPEN_TO_ALL_STAFF = {  # of the desk, to staff without any permission: nothing of it tells about a patient
    "admin/",
    "admin/login/",
    "admin/logout/",
    "admin/password_change/",
    "admin/password_change/done/",
    "admin/jsi18n/",
    "admin/second-factor/",
    "admin/second-factor/set-up/",
    "admin/second-factor/codes/",
}

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def routes(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Every address as it is written in the urls modules, includes followed."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        written = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, written)
        elif isinstance(pattern, URLPattern):
            yield written


def written_down() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


class Site:
    """One of everything, and someone of each role."""

    def __init__(self) -> None:
        visit_type = make_clinic(slug="first-visit", as_course=True)
        article = make_article()
        note_remark(page="/visit/", text="Wrong", email="", now=timezone.now())
        make_closure(wall(9, days_ahead=20), wall(10, days_ahead=20))
        BookingRules.current().save()
        make_appointment(visit_type, starts_at=wall(16))
        make_roles()
        audit.record(by=None, act=Act.ERASE, kind="patient", now=timezone.now())
        staff = User.objects.create_user("staff", password="pw", is_staff=True)
        owner = User.objects.create_superuser("owner", password="pw")

        patient = Client()
        pass_gate(patient)
        type_details(patient, visit_type)
        sent = send(patient, visit_type)
        self.entry = join(
            make_visit_type(slug="never-free", practitioners=[make_practitioner()]), now=timezone.now()
        )
        open_link(patient, self.entry)
        self.course = request(visit_type, hour=14, details=somebody(), now=timezone.now())
        patient.get(f"/courses/open/{links.course_token(self.course)}/")
        practitioner = visit_type.practitioners.get()
        practitioner.user = owner
        practitioner.save()
        self.feed = operations.make_feed(practitioner=practitioner, by=owner, now=timezone.now())
        for page in ("details", "health"):
            patient.post(address(visit_type, wall(12), page=page), TYPED)

        self.cookies = {"anonymous": SimpleCookie(), "patient": patient.cookies}
        for role, user in {"staff": staff, "superuser": owner}.items():
            client = Client()
            client.force_login(user)
            self.cookies[role] = client.cookies
        self.values: dict[str, str] = {
            "slug": article.slug,
            "visit_type": visit_type.slug,
            "practitioner": "anyone",
            "starts_at": times.write_start(wall(12)),
            "token": links.token(Appointment.objects.get(reference=sent["Location"].split("/")[2])),
            "reference": sent["Location"].split("/")[2],
            "app_label": "booking",
            "content_type_id": str(ContentType.objects.get_for_model(Appointment).pk),
            "id": str(owner.pk),
            "url": "nowhere/",
            "name": "received",
        }

    def address(self, route: str) -> str:
        """An address that the route stands for, naming something that is there."""
        values = self.values_of(route)
        plain = re.sub(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)", lambda m: values[m[1] or m[2]], route)
        return "/" + re.sub(r"[\^$]|\\Z", "", plain)

    def values_of(self, route: str) -> dict[str, str]:
        """What stands in its places: the waitlist's or course's own, or the first row of the model at the desk."""
        if route.startswith("waitlist/"):
            return self.values | {
                "reference": self.entry.reference,
                "token": links.waitlist_token(self.entry),
            }
        if route.startswith("courses/"):
            return self.values | {
                "reference": self.course.reference,
                "token": links.course_token(self.course),
            }
        if route.startswith("calendars/"):
            return self.values | {"token": self.feed}
        found = re.match(r"admin/([a-z]+)/([a-z]+)/", route)
        model = apps.all_models[found[1]].get(found[2]) if found else None
        first = str(self._first(model)) if model else "1"
        return self.values | {"object_id": first, "pk": first}

    @staticmethod
    def _first(model: Any) -> Any:
        return model.objects.order_by("pk").values_list("pk", flat=True)[0]

    def response(self, method: str, route: str, role: str) -> Any:
        """The page that somebody in this role gets; whatever it changed is taken back."""
        client = Client(raise_request_exception=False)
        client.cookies = SimpleCookie(self.cookies[role].output(header="", sep=";"))
        before = transaction.savepoint()
        response = getattr(client, method)(self.address(route))
        transaction.savepoint_rollback(before)
        return response

    def answer(self, method: str, route: str, role: str) -> str:
        """What somebody in this role gets, in a word or as a status."""
        response = self.response(method, route, role)
        where = response.headers.get("Location", "")
        if where.startswith("/admin/login/"):
            return "sign-in"
        return "gate" if where.startswith("/book/?next=") else str(response.status_code)

    def row(self, route: str) -> dict[str, str]:
        return {"route": route} | {
            role: f"{self.answer('get', route, role)}/{self.answer('post', route, role)}" for role in ROLES
        }


@pytest.fixture
def site() -> Site:
    return Site()


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert sorted(row["route"] for row in written_down()) == sorted(routes())


def test_everybody_gets_what_the_table_says(site: Site) -> None:
    found = [site.row(row["route"]) for row in written_down()]
    wrong = [(row, says) for row, says in zip(found, written_down(), strict=True) if row != says]
    assert wrong == []


def test_nothing_at_the_desk_is_open_to_strangers_or_to_staff_without_permission() -> None:
    desk = [row for row in written_down() if row["route"].startswith("admin/")]
    assert len(desk) > 50
    strangers = {row["route"] for row in desk if {row["anonymous"], row["patient"]} - {"sign-in/sign-in"}}
    staff = {row["route"] for row in desk if re.search("200|302", row["staff"])}
    only_redirects = {row["route"] for row in desk if row["staff"] == "302/302"}
    assert strangers == {"admin/login/", "admin/logout/"}
    assert staff == OPEN_TO_ALL_STAFF | only_redirects


def test_no_public_address_has_a_number_for_a_key() -> None:
    assert [route for route in routes() if "<int:" in route and not route.startswith("admin/")] == []


def test_no_address_answers_other_methods(site: Site) -> None:
    others = ["put", "patch", "delete", "options", "trace"]
    assert {site.answer(method, route, "superuser") for method in others for route in routes()} == {"405"}


def test_looking_without_reading_gets_the_same_answer(site: Site) -> None:
    """HEAD is GET without the body."""
    public = [route for route in routes() if not route.startswith("admin/")]
    assert [site.answer("head", route, "patient") for route in public] == [
        site.answer("get", route, "patient") for route in public
    ]
