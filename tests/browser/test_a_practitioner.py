"""A practitioner answers their own requests in the browser, by keyboard alone, and meets nobody else's patients."""

from playwright.sync_api import expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.walking import press_tab_until, sign_in_as

TWO_PRACTITIONERS = """
from booking import times
from tests.booking import factories as make
for who, patient in (("Own Day", "Seen by Own"), ("Other Day", "Seen by Other")):
    slug = who.lower().replace(" ", "-")
    person, room = make.make_practitioner(who, slug=slug), make.make_room(f"Room of {who}", slug=f"room-{slug}")
    make.make_hours(person)
    asked = make.make_appointment(
        make.make_visit_type(f"Visit, {who}", slug=slug, phases=[make.phase(30)], practitioners=[person]),
        reference=f"RH-{slug[:6].upper()}",
        practitioner=person,
        room=room,
        starts_at=make.wall(10, days_ahead=9),
        patient=make.make_patient(patient, email=f"{slug}@example.com"),
    )
print(asked.pk, times.local_day(asked.starts_at))
"""


def test_a_practitioner_answers_their_own_and_sees_nobody_elses(site: Site, visit: Visits) -> None:
    of_another, day = site.manage("shell", "--no-imports", "-c", TWO_PRACTITIONERS).split()
    page = visit()
    sign_in_as(page, site, "Practitioners", practitioner="own-day")
    expect(page.get_by_text("Seen by Other")).to_have_count(0)
    press_tab_until(page, page.locator("[data-request]").get_by_role("button", name="Confirm"))
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_contain_text("The e-mail to Seen by Own is on its way.")
    expect(page.get_by_text("No request waits. Everyone has an answer.")).to_be_visible()
    look_at(page, "65-practitioner-today")

    page.goto(f"/admin/booking/appointment/calendar/?on={day}")
    expect(page.get_by_text("Seen by Own").first).to_be_visible()
    expect(page.get_by_text("Seen by Other")).to_have_count(0)
    look_at(page, "66-practitioner-calendar")

    page.goto(f"/admin/booking/appointment/{of_another}/change/")
    expect(page.locator(".messagelist")).to_contain_text("doesn’t exist")
    expect(page.get_by_role("heading", name="Waiting for an answer")).to_be_visible()
