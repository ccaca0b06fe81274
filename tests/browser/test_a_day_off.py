"""A practitioner falls ill in the morning: two clicks, and every visit of the day has another time."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from booking import times
from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.walking import heading, sign_in_as

TWELVE_VISITS = """
from django.utils import timezone
from datetime import timedelta
from booking.models import Status
from tests.booking import factories as make
ill = make.make_practitioner("Mei Ill", slug="mei-ill")
make.make_hours(ill)
room = make.make_room("Room of Mei Ill")
visit_type = make.make_visit_type("Needle check", phases=[make.phase(5)], practitioners=[ill])
now = timezone.now()
first = now - timedelta(seconds=now.timestamp() % 300) + timedelta(minutes=10)
for number in range(12):
    make.make_appointment(
        visit_type, practitioner=ill, room=room, status=Status.BOOKED,
        starts_at=first + number * timedelta(minutes=5),
        patient=make.make_patient(f"Patient {number}", email=f"seen-by-mei-{number}@example.com"),
    )
"""
THEIRS = """SELECT count(*), min(starts_at) FROM booking_appointment WHERE status = 'booked' AND practitioner_id =
    (SELECT id FROM booking_resource WHERE slug = ?)"""


def test_an_ill_practitioners_twelve_visits_are_given_other_times(site: Site, visit: Visits) -> None:
    now = timezone.now()
    if times.midnight_after(now) - now < timedelta(minutes=80):
        pytest.skip("No room for twelve visits is left today")
    site.manage("shell", "--no-imports", "-c", TWELVE_VISITS)
    desk, phone = visit(), visit(width=390, scheme="dark")
    sign_in_as(desk, site, "Owners")
    sign_in_as(phone, site, "Front desk")
    phone.get_by_role("link", name="Away today… Mei Ill").click()
    expect(heading(phone)).to_have_text("Away today: Mei Ill, R. Ac")
    look_at(phone, "36-away-dark")

    desk.get_by_role("link", name="Away today… Mei Ill").click()
    expect(heading(desk)).to_have_text("Away today: Mei Ill, R. Ac")
    expect(desk.get_by_role("radio", name="Move it: ", checked=True)).to_have_count(12)
    look_at(desk, "36-away")
    desk.get_by_role("button", name="Confirm: do all this").first.click()

    expect(desk.get_by_role("heading", name="Finished")).to_be_visible()
    expect(desk.locator("#content-main ol > li").filter(has_text="moved to")).to_have_count(12)
    look_at(desk, "37-away-done")
    [(count, first)] = site.rows(THEIRS, "mei-ill")
    assert count == 12
    assert str(first) >= f"{times.midnight_after(now):%Y-%m-%d %H:%M}"
    desk.get_by_role("link", name="Back to Today").click()
    expect(desk.get_by_text("lie in closures")).to_have_count(0)

    desk.goto("/admin/reports/")
    expect(desk.get_by_role("heading", name="Requests and answers by week")).to_be_visible()
    look_at(desk, "38-reports")

    # The second of two who do the same is told so, visit by visit, and changes nothing.
    phone.get_by_role("button", name="Confirm: do all this").first.click()
    expect(phone.get_by_role("heading", name="Finished")).to_be_visible()
    expect(phone.locator("#content-main li").filter(has_text="Nothing was done.")).to_have_count(12)
