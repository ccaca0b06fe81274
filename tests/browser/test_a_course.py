"""Twelve visits asked for at once on a phone without JavaScript, confirmed at the desk with one press."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.test_after_sending import Hand
from tests.browser.walking import (
    Patient,
    a_new_patient,
    agree,
    go_on_to_check,
    heading,
    press_tab_until,
    send_button,
    sign_in,
    start_asking,
    waiting_request,
)


def find_twelve_dates(phone: Page) -> None:
    start_asking(phone, "Follow-up visit")
    phone.get_by_role("link", name="Ask for several visits at once, as a course").click()
    expect(heading(phone)).to_have_text("Plan a course of visits")
    look_at(phone, "course-1-pattern")
    phone.get_by_label("Tuesday").uncheck()
    phone.get_by_role("button", name="Find dates").click()
    expect(heading(phone)).to_have_text("The dates of your course")
    expect(phone.locator(".visit-line")).to_have_count(12)
    look_at(phone, "course-2-dates")


def swap_the_second(phone: Page) -> None:
    phone.get_by_role("link", name="Change").filter(has_text=re.compile("day")).nth(1).click()
    expect(heading(phone)).to_have_text("Choose another time for this visit")
    phone.locator("details.day:not([open]) summary").first.click()
    look_at(phone, "course-3-swap")
    phone.locator("details.day").first.get_by_role("radio").last.check()
    phone.get_by_role("button", name="Take this time").click()
    expect(heading(phone)).to_have_text("The dates of your course")


def tell_about_oneself(phone: Page, patient: Patient) -> None:
    phone.get_by_role("link", name="Continue with these dates").click()
    expect(heading(phone)).to_have_text("About you")
    look_at(phone, "course-4-details")
    phone.get_by_label("Full name").fill(patient.name)
    phone.get_by_label("E-mail", exact=True).fill(patient.email)
    phone.get_by_role("group", name="Is the patient 18 or older?").get_by_label("Yes").check()
    been_here = phone.get_by_role("group", name="Have you been to this clinic before?")
    been_here.get_by_label("No, this is my first visit").check()
    phone.get_by_role("button", name="Continue").click()
    expect(phone.locator("main")).to_contain_text("A course can be asked for here after a first visit")
    been_here.get_by_label("Yes", exact=True).check()
    phone.get_by_role("button", name="Continue").click()
    expect(heading(phone)).to_have_text("Your health")
    look_at(phone, "course-5-health")
    phone.get_by_label("No, none of these").check()
    go_on_to_check(phone)
    look_at(phone, "course-6-check")


def plan_more_visits(desk: Page) -> None:
    """From the page of a course that was just answered."""
    desk.locator("table").get_by_role("link").first.click()
    desk.get_by_role("link", name="Care plan").click()
    expect(desk.get_by_role("button", name="Find dates")).to_be_visible()
    look_at(desk, "course-13-care-plan")
    desk.get_by_role("button", name="Find dates").click()
    expect(desk.get_by_role("button", name="Hold these times and offer them")).to_be_visible()
    look_at(desk, "course-14-care-plan-dates")
    desk.get_by_role("button", name="Another time").nth(1).click()
    expect(desk.get_by_role("button", name="Take this time")).to_be_visible()
    look_at(desk, "course-15-care-plan-swap")
    desk.locator(".rh-grid").get_by_role("radio").last.check()
    desk.get_by_role("button", name="Take this time").click()
    desk.get_by_role("button", name="Hold these times and offer them").click()
    expect(desk.locator(".messagelist")).to_contain_text("The visits are held and offered")
    look_at(desk, "course-16-offered")


def test_a_course_of_twelve_visits_is_asked_for_in_one_go_without_javascript(
    site: Site, visit: Visits
) -> None:
    patient, phone = a_new_patient(), visit(javascript=False, width=390)
    find_twelve_dates(phone)
    swap_the_second(phone)
    tell_about_oneself(phone, patient)
    agree(phone)
    send_button(phone).click()
    expect(heading(phone)).to_have_text("Request sent")
    expect(phone.locator(".visit-line")).to_have_count(12)
    look_at(phone, "course-7-sent")

    desk = visit(javascript=False)
    sign_in(desk, site)
    waiting = waiting_request(desk, patient)
    expect(waiting).to_contain_text("Course of 12 visits")
    look_at(desk, "course-8-today")
    waiting.get_by_role("link", name="Answer the course").click()
    expect(desk.get_by_role("button", name="Confirm the visits that are ticked")).to_be_visible()
    look_at(desk, "course-9-answer")
    desk.get_by_role("button", name="Confirm the visits that are ticked").click()
    expect(desk.locator(".messagelist")).to_contain_text("12 visits confirmed")
    plan_more_visits(desk)

    phone.reload()
    expect(heading(phone)).to_have_text("Your visits are confirmed")
    phone.locator(".visit-line a").first.click()
    expect(heading(phone)).to_have_text("Confirmed")
    look_at(phone, "course-10-visit")
    phone.get_by_role("link", name="All visits of your course").click()
    phone.get_by_role("link", name="Cancel all visits to come").click()
    expect(phone.get_by_role("button", name="Yes, cancel all of them")).to_be_visible()
    look_at(phone, "course-11-cancel")
    phone.get_by_role("button", name="Yes, cancel all of them").click()
    expect(heading(phone)).to_have_text("These visits will not take place")
    look_at(phone, "course-12-cancelled")


def choose_by_arrows(page: Page, radio: Locator) -> None:
    """Tab leads to the first of a group, arrows to the others."""
    group = page.locator(f"input[name='{radio.get_attribute('name')}']")
    press_tab_until(page, group.first)
    page.keyboard.press("Space")
    for _ in range(group.count()):
        if not radio.is_checked():
            page.keyboard.press("ArrowDown")
    expect(radio).to_be_checked()


def test_a_course_of_twelve_visits_is_asked_for_by_keyboard_alone(visit: Visits) -> None:
    patient, page = a_new_patient(), visit(width=390)
    hand = Hand(page, by_keyboard=True)
    start_asking(page, "Follow-up visit")
    hand.link("Ask for several visits at once, as a course")
    expect(heading(page)).to_have_text("Plan a course of visits")
    hand.button("Find dates")
    expect(page.locator(".visit-line")).to_have_count(12)
    hand.link("Continue with these dates")
    expect(heading(page)).to_have_text("About you")
    press_tab_until(page, page.get_by_label("Full name"))
    page.keyboard.type(patient.name)
    press_tab_until(page, page.get_by_label("E-mail", exact=True))
    page.keyboard.type(patient.email)
    for asked in ("Is the patient 18 or older?", "Have you been to this clinic before?"):
        choose_by_arrows(page, page.get_by_role("group", name=asked).get_by_label("Yes", exact=True))
    hand.button("Continue")
    expect(heading(page)).to_have_text("Your health")
    choose_by_arrows(page, page.get_by_label("No, none of these"))
    hand.button("Continue")
    expect(heading(page)).to_have_text("Check your answers, then send")
    hand.choose(page.get_by_label("I agree that the clinic keeps and uses these answers", exact=False))
    hand.press(send_button(page))
    expect(heading(page)).to_have_text("Request sent")
    expect(page.locator(".visit-line")).to_have_count(12)
