"""Once a request is sent: an offered time is taken, moved, changed and cancelled, the link sent again, waited for."""

import re
from datetime import date, timedelta
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.test_the_main_way import mails_about
from tests.browser.walking import (
    Patient,
    a_new_patient,
    agree,
    ask_for_a_visit,
    choose_last_time,
    give_details,
    go_on_to_check,
    heading,
    press_tab_until,
    reference_on,
    send_button,
    sign_in,
    start_asking,
    waiting_request,
)


class Hand:
    """How somebody presses what they want: with a finger or, by keyboard alone, with Tab and Enter."""

    def __init__(self, page: Page, *, by_keyboard: bool) -> None:
        self.page = page
        self.by_keyboard = by_keyboard

    def press(self, wanted: Locator) -> None:
        if self.by_keyboard:
            press_tab_until(self.page, wanted)
            self.page.keyboard.press("Enter")
        else:
            wanted.click()

    def choose(self, wanted: Locator) -> None:
        if self.by_keyboard:
            press_tab_until(self.page, wanted)
            self.page.keyboard.press("Space")
        else:
            wanted.check(force=True)

    def button(self, name: str) -> None:
        self.press(self.page.get_by_role("button", name=name, exact=True))

    def link(self, name: str) -> None:
        self.press(self.page.get_by_role("link", name=name, exact=True))


ways = pytest.mark.parametrize("by_keyboard", [False, True], ids=["finger, no script", "keyboard"])


def confirm(desk: Page, patient: Patient, reference: str) -> None:
    """On Today, to the moment when it is done."""
    waiting_request(desk, patient).get_by_role("button", name=f"Confirm {reference}").click()
    expect(desk.locator(".messagelist")).to_contain_text(f"{reference} is now confirmed.")


def phone(visit: Visits, *, by_keyboard: bool) -> tuple[Page, Hand]:
    page = visit(javascript=by_keyboard, width=390)
    return page, Hand(page, by_keyboard=by_keyboard)


@ways
def test_an_offered_time_is_taken_then_moved_then_cancelled(
    site: Site, visit: Visits, *, by_keyboard: bool
) -> None:
    patient, (page, hand) = a_new_patient("Offered"), phone(visit, by_keyboard=by_keyboard)
    reference = ask_for_a_visit(page, patient)
    desk = visit(javascript=False)
    sign_in(desk, site)
    waiting_request(desk, patient).get_by_role("link", name="Offer other times…").click()
    later_day = desk.locator("details.rh-day").nth(3)  # near times can be moved by phone only
    later_day.locator("summary").click()
    for offered in later_day.get_by_role("checkbox").all()[:20:10]:  # far enough apart for one practitioner
        offered.check()
    look_at(desk, "40-offer")
    desk.get_by_role("button", name="Offer these times").click()
    expect(desk.locator(".messagelist")).to_contain_text("held until the offer runs out")

    page.reload()
    expect(heading(page)).to_have_text("Other times offered")
    look_at(page, "41-offered")
    hand.press(page.get_by_role("button", name=re.compile("Take this time")).first)
    expect(heading(page)).to_have_text("Confirmed")
    look_at(page, "42-taken")

    hand.link("Change the time")
    expect(heading(page)).to_have_text("Choose another time")
    look_at(page, "43-move")
    hand.choose(page.locator("#times").get_by_role("radio").first)
    hand.button("Continue")
    expect(heading(page)).to_have_text("Move your visit?")
    look_at(page, "44-compare")
    hand.button("Move my visit")
    expect(heading(page)).to_have_text("Confirmed")

    hand.link("Cancel the visit")
    expect(heading(page)).to_have_text("Cancel this visit?")
    look_at(page, "45-cancel")
    hand.button("Yes, cancel my visit")
    expect(heading(page)).to_have_text("Cancelled")
    look_at(page, "46-cancelled")
    steps = site.rows(
        "SELECT to_status, reason FROM booking_statuschange JOIN booking_appointment ON booking_appointment.id ="
        " appointment_id WHERE reference = ? ORDER BY booking_statuschange.version",
        reference,
    )
    assert steps == [
        ("pending", ""),
        ("proposed", ""),
        ("booked", ""),
        ("booked", "moved"),
        ("cancelled", ""),
    ]


def ask_for_a_later_visit(page: Page, patient: Patient) -> str:
    """Far enough ahead that it can still be moved here; returns the reference."""
    start_asking(page)
    later_on = re.findall(r"day=([0-9-]{10})#times", page.content())[3]
    page.goto(f"/book/first-visit/?day={later_on}")
    choose_last_time(page)
    give_details(page, patient)
    go_on_to_check(page)
    agree(page)
    send_button(page).click()
    return reference_on(page)


@ways
def test_a_change_to_another_practitioner_is_asked_for_and_the_old_time_kept(
    site: Site, visit: Visits, *, by_keyboard: bool
) -> None:
    patient, (page, hand) = a_new_patient("Changing"), phone(visit, by_keyboard=by_keyboard)
    reference = ask_for_a_later_visit(page, patient)
    desk = visit(javascript=False)
    sign_in(desk, site)
    confirm(desk, patient, reference)
    page.reload()

    hand.link("Change the time")
    now_with = page.locator("main .chips").last.locator("[aria-current]").inner_text()
    others = page.locator("main .chips").last.get_by_role("link")
    hand.press(others.filter(has_not_text=now_with).first)
    expect(page.locator("main")).to_contain_text("We keep your present time until we have answered.")
    look_at(page, "50-another-practitioner")
    hand.choose(page.locator("#times").get_by_role("radio").first)
    hand.button("Continue")
    expect(heading(page)).to_have_text("Ask to change your visit?")
    look_at(page, "51-compare")
    hand.button("Ask for this time")
    changed = reference_on(page)
    assert changed != reference
    expect(page.locator("main")).to_contain_text("stays booked")
    look_at(page, "52-change-sent")
    hand.link("See that visit")
    expect(heading(page)).to_have_text("Confirmed")
    expect(page.locator("main")).to_contain_text("You asked to change this to")
    look_at(page, "53-old-visit")

    desk.goto("/admin/")
    expect(waiting_request(desk, patient)).to_contain_text(f"Instead of {reference}")
    look_at(desk, "54-today-with-change")
    confirm(desk, patient, changed)
    page.reload()
    expect(heading(page)).to_have_text("Changed")
    look_at(page, "55-changed")


@ways
def test_whoever_lost_the_mail_gets_the_link_again(site: Site, visit: Visits, *, by_keyboard: bool) -> None:
    patient = a_new_patient("Forgetful")
    reference = ask_for_a_visit(visit(), patient)
    page, hand = phone(visit, by_keyboard=by_keyboard)
    page.goto("/appointments/lost/")
    look_at(page, "60-lost")
    page.get_by_label("E-mail", exact=True).fill(patient.email)
    page.get_by_label("Reference").fill(reference.lower().removeprefix("rh-"))
    hand.button("Send me the link")
    expect(heading(page)).to_have_text("Look into your mail")
    look_at(page, "61-lost-asked")

    mails = mails_about(site, reference, number=2)
    link = next(mail for mail in mails if mail["Subject"] == "The link to your visit")
    body = link.get_body(("plain",))
    assert body
    [address] = re.findall(r"https?://[^/]+(/\S+)", str(body.get_content()))
    page.goto(address)
    assert reference_on(page) == reference
    assert page.url.endswith(f"/appointments/{reference}/")


BEFORE = """
from booking.models import Closure
from booking import times
from datetime import date, timedelta
day = date.fromisoformat("{day}")
Closure.objects.create(
    starts_at=times.from_epoch(times.epoch(day, times.datetime.min.time())),
    ends_at=times.from_epoch(times.epoch(day + timedelta(days=1), times.datetime.min.time())), reason="walk",
)
"""
AFTER = """
from booking import times
from booking.models import Closure
from booking.operations import offer_released_time
from datetime import timedelta
from django.utils import timezone
Closure.objects.filter(reason="walk").delete()
now = timezone.now()
while not 9 <= times.local(now).hour < 20:
    now += timedelta(hours=1)
offer_released_time(now=now)
"""


@ways
def test_a_time_that_comes_free_is_offered_to_who_waits_and_taken(
    site: Site, visit: Visits, *, by_keyboard: bool
) -> None:
    patient, (page, hand) = a_new_patient("Waiting"), phone(visit, by_keyboard=by_keyboard)
    start_asking(page)
    free = [date.fromisoformat(day) for day in re.findall(r"day=([0-9-]{10})#times", page.content())]
    soon = [day for day in free if day < free[0] + timedelta(days=5)]
    site.manage("shell", "-v", "0", "-c", BEFORE.format(day=soon[1]))
    page.goto("/book/first-visit/waitlist/")
    for weekday in (
        page.get_by_role("group", name="Which days of the week suit you?").get_by_role("checkbox").all()
    ):
        weekday.set_checked(weekday.get_attribute("value") == str(soon[1].weekday()))
    page.get_by_label("What is the last day that suits you?").fill(soon[1].isoformat())
    page.get_by_label("Full name").fill(patient.name)
    page.get_by_label("E-mail", exact=True).fill(patient.email)
    page.get_by_role("group", name="Is the patient 18 or older?").get_by_label("Yes").check()
    page.get_by_label("No, this is my first visit").check()
    page.get_by_label("I agree that the clinic keeps and uses these answers", exact=False).check()
    look_at(page, "70-waitlist")
    hand.button("Put me on the list")
    expect(heading(page)).to_have_text("You are on our waitlist")
    look_at(page, "71-waiting")

    site.manage("shell", "-v", "0", "-c", AFTER)
    page.reload()
    expect(heading(page)).to_have_text("A time came free")
    look_at(page, "72-came-free")
    hand.button("Take this time")
    expect(heading(page)).to_have_text("Confirmed")
    look_at(page, "73-booked")


SOON = """
from datetime import timedelta
from django.utils import timezone
from booking.models import Appointment, CheckIn, Status
visit, now = Appointment.objects.get(reference="{reference}"), timezone.now()
for weeks, pain in ((5, 8), (3, 6), (2, 6), (1, 4)):
    at = now - timedelta(weeks=weeks)
    past = Appointment.objects.create(
        reference=f"RH-PAST{{visit.pk}}{{weeks}}", status=Status.FULFILLED, visit_type=visit.visit_type,
        patient=visit.patient, new_patient=False, practitioner=visit.practitioner, starts_at=at,
        ends_at=at + timedelta(hours=1), requested_at=at,
    )
    CheckIn.objects.create(
        appointment=past, pain_now=pain, pain_last_week=pain, enjoyment=pain - 1, activity=pain - 2, answered_at=at
    )
Appointment.objects.filter(pk=visit.pk).update(
    starts_at=now + timedelta(hours=30), ends_at=now + timedelta(hours=31)
)
"""


@pytest.mark.parametrize(("width", "scheme", "by_keyboard"), [(390, "light", False), (1280, "dark", True)])
def test_before_the_visit_the_patient_says_how_it_is_and_both_see_the_line(
    site: Site, visit: Visits, width: int, scheme: Literal["light", "dark"], *, by_keyboard: bool
) -> None:
    patient = a_new_patient("Hurting")
    page = visit(javascript=by_keyboard, width=width, scheme=scheme)
    hand = Hand(page, by_keyboard=by_keyboard)
    reference = ask_for_a_visit(page, patient)
    desk = visit(javascript=False, scheme=scheme)
    sign_in(desk, site)
    confirm(desk, patient, reference)
    site.manage("shell", "-v", "0", "-c", SOON.format(reference=reference))

    page.reload()
    hand.link("Answer the questions")
    expect(heading(page)).to_have_text("How is it before your visit?")
    page.get_by_role("button", name="Save my answers").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose how strong your pain is now, from 0 to 10")
    look_at(page, f"80-questions-{scheme}")
    for question in page.locator("main form").get_by_role("group").all():
        hand.choose(question.get_by_role("radio").nth(0 if by_keyboard else 3))
    hand.button("Save my answers")
    expect(page.get_by_role("link", name="Change my answers")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(6)
    look_at(page, f"81-line-{scheme}")

    desk.goto(f"/admin/booking/appointment/?q={reference}")
    desk.get_by_role("link", name=reference, exact=True).click()
    expect(desk.get_by_role("heading", name="Pain before each visit")).to_be_visible()
    look_at(desk, f"82-desk-line-{scheme}")
