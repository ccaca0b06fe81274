"""Every page of the desk: in the clinic's look, under the strict policy, with nothing inline."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from clinic.models import QueuedMail
from content.remarks import note_remark
from tests.booking.factories import make_appointment, make_clinic, make_practitioner

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.ignore_template_errors,  # Django's own pages print what may be unset
]

CLINICS_OWN = "/static/css/staff.css"
SIGNED_IN_PAGES = [
    "/admin/",
    "/admin/?by=room",
    "/admin/booking/",
    "/admin/password_change/",
    "/admin/booking/appointment/",
    "/admin/booking/appointment/calendar/",
    "/admin/booking/appointment/calendar/?view=week&by=room",
    "/admin/booking/appointment/book/",
    "/admin/booking/appointment/day-sheet/",
    "/admin/booking/appointment/{appointment}/change/",
    "/admin/booking/appointment/{appointment}/stretch/",
    "/admin/booking/appointment/{appointment}/history/",
    "/admin/booking/appointment/{appointment}/decline/",
    "/admin/booking/appointment/{appointment}/cancel/",
    "/admin/booking/bookingrules/",
    "/admin/booking/bookingrules/add/",
    "/admin/booking/closure/",
    "/admin/booking/closure/add/",
    "/admin/booking/closure/visits/",
    "/admin/booking/resource/{practitioner}/away/",
    "/admin/booking/resource/feed/",
    "/admin/reports/",
    "/admin/booking/patient/",
    "/admin/booking/patient/duplicates/",
    "/admin/booking/patient/merge/?one={patient}",
    "/admin/booking/patient/{patient}/change/",
    "/admin/booking/patient/{patient}/history/",
    "/admin/booking/patient/{patient}/reason/",
    "/admin/booking/patient/{patient}/rights/",
    "/admin/clinic/auditrow/",
    "/admin/booking/resource/",
    "/admin/booking/resource/add/",
    "/admin/booking/resource/{practitioner}/change/",
    "/admin/booking/resource/{practitioner}/history/",
    "/admin/booking/resource/{practitioner}/delete/",
    "/admin/booking/visittype/",
    "/admin/booking/visittype/add/",
    "/admin/booking/visittype/{visit_type}/change/",
    "/admin/clinic/queuedmail/",
    "/admin/clinic/queuedmail/messages/",
    "/admin/clinic/queuedmail/messages/reminder/",
    "/admin/clinic/queuedmail/{mail}/change/",
    "/admin/content/article/",
    "/admin/content/article/add/",
    "/admin/content/remark/",
    "/admin/content/remark/{remark}/change/",
    "/admin/auth/group/",
    "/admin/auth/group/add/",
    "/admin/auth/group/{group}/delete/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/user/{user}/change/",
    "/admin/auth/user/{user}/password/",
]


class Inline(HTMLParser):
    """Collects whatever the policy would refuse: inline scripts and styles, handlers, data: and foreign sources."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(tag)
        for name, value in given.items():
            if name == "style" or name.startswith("on") or (value or "").startswith(("data:", "javascript:")):
                self.found.append(f"{tag} {name}")
            if name in {"src", "action", "formaction"} and re.match(r"(https?:)?//", value or ""):
                self.found.append(f"{tag} {name} {value}")


def make_mail() -> QueuedMail:
    """A message that was given up, as the desk shows it."""
    now = timezone.now()
    return QueuedMail.objects.create(
        kind="expired",
        about="RH-TEST22",
        to="parisa@example.com",
        subject="Your request has ended",
        text="It has ended.",
        html="<style>p { color: red }</style><p>It has ended.</p>",
        message_id="<1@clinic.invalid>",
        created_at=now,
        send_at=now,
        parked_at=now,
    )


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner", password="pw"))
    return client


@pytest.mark.parametrize("address", SIGNED_IN_PAGES)
def test_no_page_of_the_desk_carries_inline_code(owner: Client, address: str) -> None:
    appointment = make_appointment()
    rows = {
        "appointment": appointment.pk,
        "patient": appointment.patient_id,
        "practitioner": appointment.practitioner_id,
        "visit_type": appointment.visit_type_id,
        "mail": make_mail().pk,
        "remark": note_remark(page="/visit/", text="Wrong", email="", now=timezone.now()).pk,
        "group": Group.objects.create(name="Front desk").pk,
        "user": User.objects.create_user("mei", password="pw").pk,
    }
    address = address.format(**rows)
    response = owner.get(address)
    assert response.status_code == 200
    assert "'unsafe" not in response["Content-Security-Policy"]
    content = response.content.decode()
    assert Inline(content).found == []
    assert CLINICS_OWN in content


def test_the_sign_in_page_is_the_clinics(client: Client) -> None:
    content = client.get("/admin/login/").content.decode()
    assert Inline(content).found == []
    assert CLINICS_OWN in content
    assert "<h1>Staff sign-in</h1>" in content
    assert "Richmond Hill Acupuncture Pro" in content


def test_the_clinics_styles_come_after_the_admins(owner: Client) -> None:
    for address in ("/admin/", "/admin/booking/appointment/", "/admin/booking/closure/add/"):
        sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', owner.get(address).content.decode())
        assert sheets[-1] == CLINICS_OWN


def test_every_page_says_while_sample_data_is_still_there(owner: Client) -> None:
    notice = "Sample data: the practitioners and rooms named “Sample …” are still here."
    make_clinic()
    sample = make_practitioner("Sample practitioner A", is_sample=True)
    for address in ("/admin/", "/admin/booking/patient/", "/admin/auth/user/add/"):
        content = owner.get(address).content.decode()
        assert notice in content
        assert 'href="/admin/booking/resource/?is_sample__exact=1"' in content
    listed = owner.get("/admin/booking/resource/?is_sample__exact=1").context["cl"].result_list
    assert list(listed) == [sample]
    sample.delete()
    assert notice not in owner.get("/admin/").content.decode()


def test_strangers_read_nothing_of_the_sample_data(client: Client) -> None:
    make_practitioner("Sample practitioner A", is_sample=True)
    assert "Sample data" not in client.get("/admin/login/").content.decode()


def test_the_days_work_stands_first_in_the_sidebar(owner: Client) -> None:
    apps = owner.get("/admin/").context["available_apps"]
    assert [app["app_label"] for app in apps] == ["booking", "content", "clinic", "auth"]


def test_staff_who_are_refused_or_find_nothing_are_led_back_to_today() -> None:
    staff = Client()
    staff.force_login(User.objects.create_user("mei", password="pw", is_staff=True))
    for address, status in (("/admin/auth/user/", 403), ("/admin/nowhere/", 404)):
        answer = staff.get(address)
        content = answer.content.decode()
        assert answer.status_code == status
        assert '<a class="btn" href="/admin/">Go to Today</a>' in content
        assert "the last e-mail that we sent you" not in content
    assert "the last e-mail that we sent you" in Client().get("/nowhere/").content.decode()
