"""The front desk clears a morning's queue of twenty requests, by keys and with the mouse, and the page keeps up."""

import json

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.walking import heading, press_tab_until, sign_in, sign_in_as

# Whatever other walks left waiting is called off first. Tells each new request's address for its patient.
ASK = """
import json
from datetime import time, timedelta
from uuid import uuid4
from django.contrib.auth.models import User
from django.utils import timezone
from booking import links, queries, times
from booking.models import Appointment, BookingRules, VisitType
from booking.operations import Details, cancel_appointment, request_appointment
now, desk = timezone.now(), User.objects.get(username="desk")
for left in Appointment.objects.pending().exclude(patient__name__startswith="Morning"):
    cancel_appointment(appointment=left, version=left.version, by=desk, now=now)
visit_type = VisitType.objects.get(slug="follow-up-visit")
rules, today = BookingRules.current(), times.local_day(now)
found = queries.find_openings(
    visit_type, first_on=today + timedelta(days=30), last_on=today + timedelta(days=60), rules=rules, now=now
)
opened = {}
for number, start in zip(NUMBERS, found.starts()[::7], strict=False):
    asked = request_appointment(
        visit_type=visit_type,
        starts_at=times.from_epoch(start),
        practitioner=None,
        details=Details(
            name=f"Morning {number}", email=f"morning{number}@example.com", phone="", language="en",
            new_patient=False, precautions={}, note="", consent_version="2026-11", wants_articles=False,
        ),
        idempotency_key=uuid4(),
        now=now - timedelta(minutes=60 - number),  # the queue is in the order of the numbers
    )
    opened[f"Morning {number}"] = f"/appointments/open/{links.token(asked)}/"
print(json.dumps(opened))
"""
CALL_OFF = """
from django.contrib.auth.models import User
from django.utils import timezone
from booking.models import Appointment
from booking.operations import cancel_appointment
left, desk = Appointment.objects.get(patient__name="Morning 21"), User.objects.get(username="desk")
cancel_appointment(appointment=left, version=left.version, by=desk, now=timezone.now())
"""
STATUSES = """SELECT status, count(*) FROM booking_appointment JOIN booking_patient ON booking_patient.id = patient_id
    WHERE name LIKE 'Morning %' GROUP BY status ORDER BY status"""
MINUTE = 60_000  # milliseconds


def ask(site: Site, numbers: range) -> dict[str, str]:
    """The addresses at which the patients called “Morning 1” and so on see what became of their new requests."""
    made = site.manage("shell", "--no-imports", "-c", ASK.replace("NUMBERS", repr(numbers)))
    opened: dict[str, str] = json.loads(made)
    assert len(opened) == len(numbers)
    return opened


def request_of(desk: Page, number: int) -> Locator:
    link = desk.get_by_role("link", name=f"Morning {number}", exact=True)
    return desk.locator("[data-request]").filter(has=link)


def expect_said(desk: Page, says: str) -> None:
    """The page that follows an act is there, with its message."""
    expect(desk.locator(".messagelist")).to_contain_text(says)


def test_a_queue_of_twenty_is_cleared_by_keys_and_with_the_mouse(site: Site, visit: Visits) -> None:
    opened = ask(site, range(1, 20))
    desk = visit()
    desk.clock.install()
    sign_in_as(desk, site, "Front desk")
    queue, news = desk.locator("[data-request]"), desk.locator("#news")
    expect(queue).to_have_count(19)
    look_at(desk, "60-morning")

    desk.keyboard.press("j")
    expect(request_of(desk, 1)).to_be_focused()
    opened |= ask(site, range(20, 22))
    desk.clock.fast_forward(MINUTE)
    expect(news).to_have_text("2 new requests")
    expect(queue).to_have_count(21)
    expect(request_of(desk, 1)).to_be_focused()

    request_of(desk, 21).get_by_role("button", name="Confirm").focus()
    site.manage("shell", "--no-imports", "-c", CALL_OFF)
    desk.clock.fast_forward(MINUTE)
    expect(news).to_have_text("Today has been brought up to date.")
    expect(queue).to_have_count(20)
    expect(desk.locator("#waiting")).to_be_focused()
    desk.keyboard.press("j")
    expect(request_of(desk, 1)).to_be_focused()

    clear_ten_by_keys(desk)
    clear_ten_with_the_mouse(desk)
    expect(desk.get_by_text("No request waits. Everyone has an answer.")).to_be_visible()
    assert site.rows(STATUSES) == [("booked", 15), ("cancelled", 1), ("declined", 3), ("proposed", 2)]

    patient = visit()
    for number, says in (
        (1, "Confirmed"),
        (8, "We cannot offer this time"),
        (9, "Other times offered"),
        (18, "Other times offered"),
        (20, "We cannot offer this time"),
    ):
        patient.goto(opened[f"Morning {number}"])
        expect(heading(patient)).to_have_text(says)

    desk.context.clear_cookies()
    desk.clock.fast_forward(MINUTE)
    again = desk.get_by_role("link", name="Sign in again")
    expect(again).to_be_visible()
    expect(desk.locator("#lists")).to_have_count(0)
    again.click()
    expect(desk.get_by_label("Username")).to_be_focused()


def clear_ten_by_keys(desk: Page) -> None:
    """Nothing is pressed but keys; after each act the focus is on the next request."""
    desk.keyboard.press("j")
    expect(request_of(desk, 2)).to_be_focused()
    desk.keyboard.press("k")
    for number in range(1, 8):
        expect(request_of(desk, number)).to_be_focused()
        desk.keyboard.press("c")
        expect_said(desk, f"The e-mail to Morning {number} is on its way.")

    expect(request_of(desk, 8)).to_be_focused()
    desk.keyboard.press("d")
    expect(heading(desk)).to_have_text("Decline this request?")
    press_tab_until(desk, desk.get_by_role("radio").first)
    desk.keyboard.press("Space")
    press_tab_until(desk, desk.get_by_role("button", name="Decline this request"), at_most=2)
    desk.keyboard.press("Enter")
    expect_said(desk, "is now declined.")

    expect(request_of(desk, 9)).to_be_focused()
    desk.keyboard.press("o")
    expect(heading(desk)).to_have_text("Offer other times")
    expect(desk.locator(".rh-pick-grid")).to_be_visible()
    press_tab_until(desk, desk.locator("details.rh-day summary").first)
    desk.keyboard.press("Enter")
    press_tab_until(desk, desk.locator("details[open]").get_by_role("checkbox").first, at_most=1)
    desk.keyboard.press("Space")
    press_tab_until(desk, desk.get_by_role("button", name="Offer these times"), at_most=150)
    desk.keyboard.press("Enter")
    expect_said(desk, "held until the offer runs out")

    expect(request_of(desk, 10)).to_be_focused()
    desk.keyboard.press("c")
    expect_said(desk, "The e-mail to Morning 10 is on its way.")


def clear_ten_with_the_mouse(desk: Page) -> None:
    for number in range(11, 18):
        request_of(desk, number).get_by_role("button", name="Confirm").click()
        expect_said(desk, f"The e-mail to Morning {number} is on its way.")
    request_of(desk, 18).get_by_role("link", name="Offer other times…").click()
    pick_on_the_drawing(desk)
    desk.get_by_role("button", name="Offer these times").click()
    expect_said(desk, "held until the offer runs out")
    for number in (19, 20):
        request_of(desk, number).get_by_role("link", name="Decline…").click()
        desk.get_by_role("radio").first.check()
        desk.get_by_role("button", name="Decline this request").click()
        expect_said(desk, "is now declined.")
        expect(request_of(desk, number)).to_have_count(0)


def pick_on_the_drawing(desk: Page) -> None:
    """A press where the visit could begin ticks that time in the list, a press on it takes it back."""
    drawing = desk.locator(".rh-pick-grid")
    free, picked, said = (
        drawing.locator(".rh-box-open").last,
        drawing.locator(".rh-box-picked"),
        drawing.get_by_role("status"),
    )
    expect(said).to_have_text("Nothing is picked yet.")
    free.click(position={"x": 60, "y": 3}, force=True)
    expect(said).to_contain_text("Picked: ")
    expect(desk.locator("input[name=pick]:checked")).to_have_count(1)
    picked.get_by_role("button", name="Picked").click()
    expect(said).to_have_text("Nothing is picked yet.")
    expect(desk.locator("input[name=pick]:checked")).to_have_count(0)
    free.click(position={"x": 60, "y": 3}, force=True)
    picked.get_by_role("button", name="Picked").press("Enter")
    expect(said).to_have_text("Nothing is picked yet.")
    expect(desk.locator("input[name=pick]:focus")).not_to_be_checked()
    desk.keyboard.press("Space")
    expect(picked).to_have_count(1)
    look_at(desk, "62-picked")


def test_the_keys_are_listed_ignored_in_fields_and_can_be_switched_off(site: Site, visit: Visits) -> None:
    desk = visit(scheme="dark")
    sign_in(desk, site)
    desk.goto("/admin/?by=room")
    keys = desk.get_by_role("dialog", name="Keyboard shortcuts")
    desk.locator("#nav-filter").press("?")
    expect(desk.locator("#nav-filter")).to_have_value("?")
    expect(keys).to_be_hidden()
    desk.locator("#nav-filter").fill("")

    desk.get_by_role("button", name="Keyboard shortcuts").click()
    expect(keys.get_by_role("button", name="Close")).to_be_focused()
    look_at(desk, "61-keys-dark")
    keys.get_by_label("Use these keys in this browser").uncheck()
    keys.get_by_role("button", name="Close").click()
    desk.reload()
    desk.get_by_role("heading", level=1).click()
    desk.keyboard.press("?")
    expect(desk.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
    expect(keys).to_be_hidden()
