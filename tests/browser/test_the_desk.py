"""Staff answer requests in the browser: by keyboard alone, and two of them at once."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.walking import (
    STAFF_PASSWORD,
    a_new_patient,
    ask_for_a_visit,
    heading,
    press_tab_until,
    sign_in,
    sign_in_as,
    waiting_request,
)

# Kinds of page that no other walk comes by, each once.
OTHER_PAGES = {
    "patients": "/admin/booking/patient/",
    "day-sheet": "/admin/booking/appointment/day-sheet/",
    "closure": "/admin/booking/closure/add/",
    "practitioner": "/admin/booking/resource/{booking_resource}/change/",
    "visit-type": "/admin/booking/visittype/{booking_visittype}/change/",
    "article": "/admin/content/article/{content_article}/change/",
    "mails": "/admin/clinic/queuedmail/",
    "role": "/admin/auth/group/{auth_group}/change/",
}


def test_a_request_is_declined_with_a_reason_by_keyboard_alone(site: Site, visit: Visits) -> None:
    patient, asking, desk = a_new_patient(), visit(), visit()
    reference = ask_for_a_visit(asking, patient)
    desk.goto("/admin/")
    expect(desk.get_by_label("Username")).to_be_focused()
    desk.keyboard.type("desk")
    press_tab_until(desk, desk.get_by_label("Password"), at_most=1)
    desk.keyboard.type(site.password)
    desk.keyboard.press("Enter")

    request = waiting_request(desk, patient)
    expect(request).to_be_visible()
    press_tab_until(desk, request.get_by_role("link", name=f"Decline… {reference}"))
    desk.keyboard.press("Enter")
    expect(heading(desk)).to_have_text("Decline this request?")
    look_at(desk, "30-decline")
    press_tab_until(desk, desk.get_by_role("radio").first)
    desk.keyboard.press("Space")
    press_tab_until(desk, desk.get_by_role("button", name="Decline this request"), at_most=2)
    desk.keyboard.press("Enter")

    expect(desk.locator(".messagelist")).to_contain_text(f"{reference} is now declined.")
    asking.reload()
    expect(heading(asking)).to_have_text("We cannot offer this time")
    look_at(asking, "31-declined")


def test_the_second_of_two_who_decide_is_told_what_the_first_decided(site: Site, visit: Visits) -> None:
    patient, first, second = a_new_patient(), visit(), visit()
    reference = ask_for_a_visit(visit(), patient)
    for desk in (first, second):
        sign_in(desk, site)
    waiting_request(first, patient).get_by_role("button", name="Confirm").click()
    expect(first.locator(".messagelist")).to_contain_text(f"{reference} is now confirmed.")

    waiting_request(second, patient).get_by_role("button", name="Confirm").click()
    expect(second.locator(".messagelist")).to_contain_text(f"{reference} was already confirmed (by Demo, ")
    expect(second.locator(".messagelist")).to_contain_text("nothing was changed")
    expect(heading(second)).to_contain_text("confirmed")
    look_at(second, "32-already")
    changes = site.rows(
        "SELECT to_status FROM booking_statuschange JOIN booking_appointment ON booking_appointment.id = "
        "appointment_id WHERE reference = ? ORDER BY booking_statuschange.id",
        reference,
    )
    assert changes == [("pending",), ("booked",)]


def test_the_pages_of_the_desk_can_be_used_by_everyone_in_the_dark_too(site: Site, visit: Visits) -> None:
    patient, desk = a_new_patient(), visit(scheme="dark")
    reference = ask_for_a_visit(visit(), patient)
    sign_in(desk, site)
    look_at(desk, "33-today-dark")
    desk.goto(f"/admin/booking/appointment/?q={reference}")
    look_at(desk, "34-appointments-dark")
    desk.get_by_role("link", name=reference, exact=True).click()
    expect(heading(desk)).to_contain_text(reference)
    look_at(desk, "35-appointment-dark")
    desk.goto("/admin/booking/resource/feed/")
    expect(heading(desk)).to_have_text("Calendar feeds")
    look_at(desk, "35-feeds-dark")


def test_the_pages_about_a_patients_rights_can_be_used_by_everyone(site: Site, visit: Visits) -> None:
    patient, desk = a_new_patient(), visit(scheme="dark")
    reference = ask_for_a_visit(visit(), patient)
    sign_in_as(desk, site, "Privacy officers")
    desk.goto(f"/admin/booking/patient/?q={patient.email}")
    address = desk.get_by_role("link", name=patient.name).get_attribute("href") or ""
    record = address.partition("change/")[0]
    for page in ("reason", "rights"):
        desk.goto(f"{record}{page}/")
        look_at(desk, f"36-{page}-dark")
    desk.get_by_label("Your password, once more").first.fill(STAFF_PASSWORD)
    desk.get_by_role("button", name="Make the copy").click()
    expect(desk.get_by_role("main")).to_contain_text(reference)
    look_at(desk, "37-copy-dark")
    desk.go_back()
    desk.goto(f"{record}change/")
    desk.get_by_role("link", name="Who saw this record").click()
    expect(heading(desk)).to_have_text(f"Who saw the record of {patient.name}")
    expect(desk.locator("#result_list")).to_contain_text("took out a copy")
    look_at(desk, "38-trail-dark")


def test_what_no_other_walk_comes_by_fits_a_phone_in_the_dark(site: Site, visit: Visits) -> None:
    desk = visit(width=390, scheme="dark")
    sign_in(desk, site)
    for name, address in OTHER_PAGES.items():
        tables = re.findall(r"{(\w+)}", address)
        first = {table: site.rows(f"SELECT min(id) FROM {table}")[0][0] for table in tables}  # noqa: S608 (ours)
        desk.goto(address.format(**first))
        look_at(desk, f"39-{name}-dark")
