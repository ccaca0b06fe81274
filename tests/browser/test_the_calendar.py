"""Staff drag visits in the calendar: onto a taken time, to a free one, by the end; and do without a script."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from playwright.sync_api import FloatRect, Locator, Page, Response, expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.walking import heading, sign_in_as

HOUR = 80  # pixels
TUESDAY = 1
FILL = """
from datetime import time
from uuid import uuid4
from django.contrib.auth.models import User
from django.utils import timezone
from booking import times
from booking.models import Patient, Resource, VisitType
from booking.operations import book_appointment
for name, hour in (("Wing Chan", 10), ("Ali Nouri", 13)):
    book_appointment(
        visit_type=VisitType.objects.get(slug="follow-up-visit"),
        starts_at=times.from_epoch(times.epoch(times.parse_day("DAY"), time(hour))),
        practitioner=Resource.objects.get(slug="sample-practitioner-a"),
        patient=Patient.objects.create(name=name, email="patient@example.com", created_at=timezone.now()),
        by=User.objects.get(username="desk"),
        idempotency_key=uuid4(),
        now=timezone.now(),
    )
"""


def test_a_visit_is_dragged_and_what_is_taken_is_refused_with_the_reason(site: Site, visit: Visits) -> None:
    day = a_tuesday_far_ahead()
    site.manage("shell", "--no-imports", "-c", FILL.replace("DAY", day))
    address = f"/admin/booking/appointment/calendar/?on={day}"
    desk = visit(expected={409})
    sign_in_as(desk, site, "Front desk")
    desk.goto(address)
    said, visit_of_wing_chan = desk.get_by_role("status"), box(desk, "Wing Chan")
    expect(visit_of_wing_chan).to_contain_text("10:00 am")
    look_at(desk, "36-calendar")

    drag(desk, visit_of_wing_chan, 3 * HOUR)
    expect(said).to_have_text("Not moved. Sample practitioner A is taken 1:00 pm to 1:45 pm: Ali Nouri.")
    expect(visit_of_wing_chan).to_contain_text("10:00 am")

    drag(desk, visit_of_wing_chan, HOUR)
    question = desk.get_by_role("dialog", name="Move this visit?")
    expect(question).to_contain_text("Wing Chan is told by e-mail, with a new calendar file.")
    look_at(desk, "37-calendar-question")
    with desk.expect_response(drawn_anew):
        desk.keyboard.press("Enter")
    expect(said).to_contain_text("11:00 am")
    expect(visit_of_wing_chan).to_contain_text("11:00 am")

    with desk.expect_response(drawn_anew):
        drag(desk, visit_of_wing_chan, HOUR / 6, by_the_end=True)
    expect(said).to_contain_text("now until 11:55 am")
    took = site.rows("SELECT status, version FROM booking_appointment WHERE starts_at LIKE ?", f"{day}%")
    assert sorted(took) == [("booked", 1), ("booked", 3)]

    for _ in range(3):  # a click while the calendar is drawn anew meets nothing
        there = place_of(visit_of_wing_chan)
        desk.mouse.click(there["x"] + 100, there["y"] + 4 * HOUR + 3)
        with suppress(AssertionError):
            expect(heading(desk)).to_have_text("Book a visit", timeout=6000)
            break
    expect(heading(desk)).to_have_text("Book a visit")
    at_three = re.compile(rf"start={day.replace('-', '')}T1500-0[45]00&practitioner=sample-practitioner-a")
    expect(desk).to_have_url(at_three)

    narrow = visit(javascript=False, width=390, scheme="dark")
    narrow.context.add_cookies(desk.context.cookies())  # type: ignore[arg-type]  # what one gives the other takes
    narrow.goto(address)
    look_at(narrow, "38-calendar-list")
    narrow.get_by_role("link", name="Move… Wing Chan").click()
    expect(heading(narrow)).to_have_text("Move to another time")


def a_tuesday_far_ahead() -> str:
    """One on which no other walk books anything."""
    day = datetime.now(UTC).date() + timedelta(days=200)
    return str(day + timedelta(days=(TUESDAY - day.weekday()) % 7))


def box(page: Page, name: str) -> Locator:
    return page.locator(".ec-event").filter(has_text=name)


def drawn_anew(answer: Response) -> bool:
    return "/calendar/events/" in answer.url


def place_of(what: Locator) -> FloatRect:
    """Where it lies, in the middle of the window; while the calendar is drawn anew it is nowhere for a moment."""
    for _ in range(50):
        what.evaluate("element => element.scrollIntoView({block: 'center'})")
        if there := what.bounding_box():
            return there
        what.page.wait_for_timeout(100)
    raise AssertionError("It is not there.")


def drag(page: Page, what: Locator, pixels: float, *, by_the_end: bool = False) -> None:
    """Presses on the visit, or on its lower edge, and lets it go so many pixels further down."""
    there = place_of(what)
    across, down = there["x"] + 100, there["y"] + (there["height"] - 4 if by_the_end else 10)
    page.mouse.move(across, down)
    page.mouse.down()
    page.mouse.move(across, down + pixels / 2, steps=3)
    page.mouse.move(across, down + pixels, steps=3)
    page.mouse.up()
