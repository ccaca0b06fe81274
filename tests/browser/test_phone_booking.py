"""A visit is booked while the patient is on the phone, with the fewest keys and clicks; they are counted."""

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at, take_picture
from tests.browser.walking import heading, sign_in_as


@dataclass
class Hands:
    """What a receptionist's hands do, counted."""

    page: Page
    keys: int = 0
    clicks: int = 0

    def type(self, text: str) -> None:
        self.keys += len(text)
        self.page.keyboard.type(text)

    def press(self, key: str) -> None:
        self.keys += 1
        self.page.keyboard.press(key)

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def counted(self) -> tuple[int, int]:
        counted, self.keys, self.clicks = (self.keys, self.clicks), 0, 0
        return counted


def assert_booked(page: Page, name: str, visit_type: str) -> None:
    expect(page.locator(".messagelist")).to_contain_text(re.compile(f"Booked. .*{name}: .*{visit_type} with"))


def first_time(page: Page) -> Locator:
    return page.locator("button[name=pick]").first


def test_a_visit_is_booked_by_phone_with_a_few_keys_and_clicks(site: Site, visit: Visits) -> None:
    desk = visit()
    sign_in_as(desk, site, "Front desk")
    hands, by_phone = Hands(desk), desk.get_by_role("link", name="Book a visit")

    # Somebody new: the name, Enter, the number, and a press on the first time.
    hands.click(by_phone)
    take_picture(desk, "40-book")
    expect(desk.locator("#q")).to_be_focused()
    hands.type("Nadia Rahimi")
    hands.press("Enter")
    expect(desk.get_by_role("textbox", name="Phone number")).to_be_focused()
    hands.type("6475550143")
    look_at(desk, "41-book-somebody-new")
    hands.click(first_time(desk))
    assert_booked(desk, "Nadia Rahimi", "First visit")
    assert hands.counted() == (len("Nadia Rahimi") + 1 + len("6475550143"), 2)

    # Somebody known, with the mouse: three letters, the person, the first time.
    desk.goto("/admin/")
    hands.click(by_phone)
    expect(desk.locator("#q")).to_be_focused()
    hands.type("rah")
    hands.click(desk.get_by_role("link", name="Nadia Rahimi"))
    expect(desk.get_by_text("Is coming already:")).to_be_visible()
    desk.emulate_media(color_scheme="dark")
    desk.set_viewport_size({"width": 390, "height": 844})
    look_at(desk, "42-book-somebody-known-dark")
    hands.click(first_time(desk))
    assert_booked(desk, "Nadia Rahimi", "Follow-up visit")
    assert hands.counted() == (3, 3)

    # And by keyboard alone: the last digits of the number, down to the person, on to the first time.
    desk.goto("/admin/booking/appointment/book/")
    expect(desk.locator("#q")).to_be_focused()
    hands.type("0143")
    expect(desk.locator("#found")).to_contain_text("1 person found")
    hands.press("ArrowDown")
    take_picture(desk, "43-book-found-dark")
    hands.press("Enter")
    expect(desk.get_by_role("button", name="Follow-up visit", exact=True)).to_be_focused()
    hands.press("Tab")
    hands.press("Enter")
    assert_booked(desk, "Nadia Rahimi", "Follow-up visit")
    assert hands.counted() == (8, 0)

    expect(heading(desk)).to_contain_text("confirmed")
