"""Where the way to a visit bends: emergency signs, going back, a time taken meanwhile, a double press, the keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.walking import (
    EMERGENCY_LIST,
    URGENT_LIST,
    Patient,
    a_new_patient,
    agree,
    answer_safety_question,
    choose_last_time,
    choose_time,
    free_times,
    give_details,
    go_on_to_check,
    heading,
    press_tab_until,
    reference_on,
    send_button,
    start_asking,
)

BY_NAME = "/book/follow-up-visit/?practitioner=sample-practitioner-b"
ERROR = "There is a problem"


def appointments_of(site: Site, email: str) -> list[str]:
    """The references of everything that was asked for with this address."""
    query = (
        "SELECT reference FROM booking_appointment JOIN booking_patient ON booking_patient.id = patient_id "
        "WHERE email = ? ORDER BY reference"
    )
    return [str(row[0]) for row in site.rows(query, email)]


@pytest.mark.parametrize("answer", ["Yes, at least one", "I’m not sure"])
def test_an_emergency_sign_leads_to_911_and_nothing_is_stored(site: Site, visit: Visits, answer: str) -> None:
    before, page = site.rows("SELECT * FROM django_session"), visit(javascript=False, width=390)
    page.goto("/book/")
    answer_safety_question(page, answer)
    expect(heading(page)).to_have_text("Please get medical help before acupuncture")
    expect(page.get_by_role("link", name="Call 911", exact=True)).to_have_attribute("href", "tel:911")
    look_at(page, "20-stop")
    assert site.rows("SELECT * FROM django_session") == before
    assert [cookie["name"] for cookie in page.context.cookies()] == ["csrf"]
    page.goto("/book/first-visit/")
    expect(heading(page)).to_have_text("Safety first")


def test_going_back_keeps_what_was_typed(visit: Visits) -> None:
    patient, page = a_new_patient(), visit(width=390)
    start_asking(page)
    choose_last_time(page)
    give_details(page, patient, precautions=("Epilepsy or seizures",))
    go_on_to_check(page)

    page.get_by_role("link", name="Change name").click()
    expect_details(page, patient.name)
    go_on_to_check(page)
    page.get_by_role("link", name="Back", exact=True).click()
    expect_health(page, patient.note)
    go_on_to_check(page)
    page.go_back()
    expect_health(page, patient.note)
    page.get_by_role("link", name="Back", exact=True).click()
    expect_details(page, patient.name)
    page.get_by_role("link", name="Back", exact=True).click()
    expect(heading(page)).to_have_text("Choose a day and time")
    choose_last_time(page)
    expect_details(page, patient.name)


def test_the_browsers_back_button_finds_the_list_before(visit: Visits) -> None:
    page = visit()
    page.goto("/book/")
    answer_safety_question(page, "No, none of these")
    expect(heading(page)).to_have_text(URGENT_LIST)
    page.go_back()
    expect(heading(page)).to_have_text(EMERGENCY_LIST)
    page.go_forward()
    answer_safety_question(page, "No, none of these", listed=URGENT_LIST)
    expect(heading(page)).to_have_text("Which visit do you need?")
    page.go_back()
    expect(heading(page)).to_have_text(URGENT_LIST)


def expect_details(page: Page, name: str) -> None:
    expect(heading(page)).to_have_text("About you")
    expect(page.get_by_label("Full name")).to_have_value(name)
    expect(page.get_by_label("Language you prefer")).to_have_value("fa")


def expect_health(page: Page, note: str) -> None:
    expect(heading(page)).to_have_text("Your health")
    expect(page.get_by_label("What would you like help with?")).to_have_value(note)
    expect(page.get_by_label("Epilepsy or seizures")).to_be_checked()


def test_a_time_taken_meanwhile_is_told_kindly_and_the_answers_are_kept(visit: Visits) -> None:
    slow, quick = visit(javascript=False, width=390, expected={409}), visit(javascript=False)
    start_asking(slow, "Follow-up visit")
    slow.goto(BY_NAME)
    mine, theirs = free_times(slow)[-1], free_times(slow)[0]
    choose_time(slow, mine)
    give_details(slow, a_new_patient("Slow"), precautions=("Epilepsy or seizures",))
    go_on_to_check(slow)
    kept_address = slow.url.replace(mine, theirs)
    slow.get_by_role("link", name="Change day and time").click()

    start_asking(quick, "Follow-up visit")
    quick.goto(BY_NAME)
    choose_time(quick, theirs)
    give_details(quick, a_new_patient("Quick"))
    go_on_to_check(quick)
    agree(quick)
    send_button(quick).click()
    reference_on(quick)

    choose_time(slow, theirs)
    expect(slow.get_by_role("alert")).to_contain_text("That time has just been taken")
    assert theirs not in free_times(slow)
    look_at(slow, "21-taken")
    slow.goto(kept_address)
    expect(heading(slow)).to_have_text("That time has just been taken")
    expect(slow.get_by_role("alert")).to_contain_text("Your answers are kept.")
    expect(slow.locator("ul.soon > li")).to_have_count(4)
    look_at(slow, "22-taken")
    slow.locator("ul.soon").locator("a, button").first.click()
    expect(heading(slow)).not_to_have_text("That time has just been taken")
    if heading(slow).inner_text() != "Check your answers, then send":
        go_on_to_check(slow)  # from the details, which are still filled in
    expect(slow.locator("main")).to_contain_text("Epilepsy or seizures")
    agree(slow)
    send_button(slow).click()
    reference_on(slow)


def test_a_double_press_on_send_makes_one_appointment(site: Site, visit: Visits) -> None:
    patient, page = a_new_patient(), visit()
    start_asking(page)
    choose_last_time(page)
    give_details(page, patient)
    go_on_to_check(page)
    agree(page)
    send_button(page).dblclick()
    reference = reference_on(page)
    assert appointments_of(site, patient.email) == [reference]


def test_leaving_out_an_answer_brings_the_eye_and_the_focus_to_it(visit: Visits) -> None:
    page = visit()
    start_asking(page)
    choose_last_time(page)
    page.get_by_role("button", name="Continue").click()

    expect(page).to_have_title("Error: About you – Richmond Hill Acupuncture Pro")
    assert page.evaluate("document.activeElement.id") == "errors"
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text(ERROR)
    look_at(page, "23-errors")
    for says, leads_to in {
        "Enter your full name": page.get_by_label("Full name"),
        "Enter your e-mail address": page.get_by_label("E-mail", exact=True),
        "Answer whether the patient is 18 or older": page.get_by_role(
            "group", name="Is the patient 18 or older?"
        ).get_by_label("Yes"),
        "Answer whether you have been here before": page.get_by_label("No, this is my first visit"),
    }.items():
        summary.get_by_role("link", name=says).click()
        expect(leads_to).to_be_focused()
        expect(leads_to).to_be_in_viewport()


def pass_both_lists_by_keyboard(page: Page) -> None:
    for listed in (EMERGENCY_LIST, URGENT_LIST):
        expect(heading(page)).to_have_text(listed)
        press_tab_until(page, page.get_by_label("No, none of these"))
        page.keyboard.press("Space")
        press_tab_until(page, page.get_by_role("button", name="Continue"), at_most=2)
        page.keyboard.press("Enter")


def say_who_by_keyboard(page: Page, patient: Patient) -> None:
    keyboard = page.keyboard
    press_tab_until(page, page.get_by_label("Full name"))
    keyboard.type(patient.name)
    press_tab_until(page, page.get_by_label("E-mail", exact=True), at_most=1)
    keyboard.type(patient.email)
    grown_up = page.get_by_role("group", name="Is the patient 18 or older?").get_by_label("Yes")
    press_tab_until(page, grown_up, at_most=2)
    keyboard.press("Space")
    press_tab_until(page, page.get_by_label("No, this is my first visit"), at_most=1)
    keyboard.press("ArrowDown")
    been_here = page.get_by_role("group", name="Have you been to this clinic before?")
    expect(been_here.get_by_label("Yes", exact=True)).to_be_checked()
    press_tab_until(page, page.get_by_label("Language you prefer"), at_most=1)
    keyboard.type("Pers")
    press_tab_until(page, page.get_by_label("Reminders by e-mail"), at_most=1)


def test_the_whole_way_can_be_gone_by_keyboard_alone(visit: Visits) -> None:
    patient, page = a_new_patient(), visit()
    keyboard = page.keyboard
    page.goto("/")
    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    keyboard.press("Enter")
    press_tab_until(page, page.locator("main").get_by_role("link", name="Book a visit").first, at_most=1)
    keyboard.press("Enter")

    pass_both_lists_by_keyboard(page)

    expect(heading(page)).to_have_text("Which visit do you need?")
    press_tab_until(page, page.locator("a[href='/book/follow-up-visit/']"))
    keyboard.press("Enter")

    expect(heading(page)).to_have_text("Choose a day and time")
    press_tab_until(page, page.locator(".cal a").nth(1))
    keyboard.press("Enter")
    expect(page.locator(".cal a").nth(1)).to_have_attribute("aria-current", "true")
    press_tab_until(page, page.locator("#times").get_by_role("radio").first)
    keyboard.press("ArrowDown")
    expect(page.locator("#times").get_by_role("radio").nth(1)).to_be_checked()
    press_tab_until(page, page.get_by_role("button", name="Continue"), at_most=1)
    keyboard.press("Enter")

    expect(heading(page)).to_have_text("About you")
    say_who_by_keyboard(page, patient)
    press_tab_until(page, page.get_by_role("button", name="Continue"), at_most=1)
    keyboard.press("Enter")

    expect(heading(page)).to_have_text("Your health")
    press_tab_until(page, page.get_by_label("Epilepsy or seizures"))
    keyboard.press("Space")
    press_tab_until(page, page.get_by_label("No, none of these"))
    keyboard.press("ArrowDown")
    expect(page.get_by_label("Yes, what I have ticked")).to_be_checked()
    press_tab_until(page, page.get_by_role("button", name="Continue"))
    keyboard.press("Enter")

    expect(heading(page)).to_have_text("Check your answers, then send")
    expect(page.locator("main")).to_contain_text("Persian")
    press_tab_until(page, page.get_by_label("I agree that the clinic", exact=False))
    keyboard.press("Space")
    press_tab_until(page, send_button(page), at_most=2)
    keyboard.press("Enter")
    reference_on(page)
