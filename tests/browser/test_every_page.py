"""Every public page in a narrow window, in the dark, and with letters twice as large."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.looking import assert_no_sideways_scroll, look_at, take_picture
from tests.browser.walking import (
    URGENT_LIST,
    Look,
    a_new_patient,
    agree,
    answer_safety_question,
    choose_last_time,
    choose_visit,
    give_details,
    go_on_to_check,
    heading,
    reference_on,
    send_button,
)

OPEN_PAGES = {
    "home": "/",
    "articles": "/articles/",
    "points": "/points/",
    "back-pain": "/articles/acupuncture-for-back-pain/",
    "urgent": "/articles/when-back-pain-needs-urgent-care/",
    "safety": "/articles/acupuncture-side-effects-and-safety/",
    "evidence": "/articles/acupuncture-for-low-back-pain-evidence/",
    "point-names": "/articles/acupuncture-points-for-back-pain/",
    "visits-and-fees": "/visit/",
    "privacy": "/privacy/",
    "accessibility": "/accessibility/",
    "how-we-write": "/how-we-write/",
    "corrections": "/corrections/?page=/privacy/",
    "corrections-sent": "/corrections/?sent=1",
    "not-found": "/nowhere/",
    "gate": "/book/",
}


def walk_by_every_page(page: Page, *, look: Look) -> None:
    for name, address in OPEN_PAGES.items():
        page.goto(address)
        look(page, name)
    answer_safety_question(page, "Yes, at least one")
    expect(heading(page)).to_have_text("Please get medical help before acupuncture")
    look(page, "stop")
    page.goto("/book/")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "gate-error")
    answer_safety_question(page, "No, none of these")
    expect(heading(page)).to_have_text(URGENT_LIST)
    look(page, "urgent-list")
    answer_safety_question(page, "I’m not sure", listed=URGENT_LIST)
    expect(heading(page)).to_have_text("Please have this checked before acupuncture")
    look(page, "stop-urgent")
    page.get_by_role("button", name="I have already been checked").click()
    expect(heading(page)).to_have_text("Which visit do you need?")
    look(page, "visit-type")
    choose_visit(page, "Follow-up visit")
    look(page, "times")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "times-error")
    choose_last_time(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "details-error")
    give_details(page, a_new_patient(), precautions=("An allergy to metal",))
    look(page, "health")
    go_on_to_check(page)
    look(page, "check")
    agree(page)
    send_button(page).click()
    reference_on(page)
    look(page, "sent")


def test_every_page_fits_a_small_phone_and_is_usable_in_the_dark(visit: Visits) -> None:
    page = visit(width=320, scheme="dark", expected={404})
    walk_by_every_page(page, look=lambda at, name: look_at(at, f"dark-{name}"))


def test_no_page_breaks_when_its_letters_are_twice_as_large(visit: Visits) -> None:
    page = visit(large_letters=True, expected={404})

    def look(at: Page, name: str) -> None:
        assert_no_sideways_scroll(at)
        take_picture(at, f"large-{name}", full_page=False)

    walk_by_every_page(page, look=look)
