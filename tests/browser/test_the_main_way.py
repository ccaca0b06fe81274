"""From the article to the confirmed visit in the calendar, without JavaScript, on a phone and at the desk."""

import time
from email import message_from_bytes, policy
from email.message import EmailMessage

from icalendar import Calendar
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
    choose_time,
    choose_visit,
    free_times,
    give_details,
    go_on_to_check,
    heading,
    reference_on,
    send_button,
    sign_in,
    waiting_request,
)

MAIL_WITHIN = 15.0  # seconds: the worker looks every two


def mails_about(site: Site, reference: str, *, number: int) -> list[EmailMessage]:
    """The messages that name this request, in the order in which they left, once there are so many."""
    deadline = time.monotonic() + MAIL_WITHIN
    while True:
        files = sorted((site.data / "mails").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        messages = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        found = [message for message in messages if reference in _text(message)]
        if len(found) >= number or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body
    return str(body.get_content())


def ask_as_a_newcomer(phone: Page, patient: Patient) -> tuple[str, str]:
    """From the home page to “Request sent”, looking at every page; returns the reference and the chosen time."""
    phone.goto("/")
    look_at(phone, "01-home")
    phone.get_by_role("link", name="Acupuncture for back pain", exact=True).first.click()
    expect(phone.get_by_role("heading", name="In short")).to_be_visible()
    look_at(phone, "02-article")
    phone.locator("main").get_by_role("link", name="Book a visit").last.click()
    expect(heading(phone)).to_have_text(EMERGENCY_LIST)
    look_at(phone, "03-gate")
    answer_safety_question(phone, "No, none of these")
    expect(heading(phone)).to_have_text(URGENT_LIST)
    look_at(phone, "03-urgent-list")
    answer_safety_question(phone, "No, none of these", listed=URGENT_LIST)
    expect(heading(phone)).to_have_text("Which visit do you need?")
    look_at(phone, "04-visit-type")
    choose_visit(phone, "First visit")
    look_at(phone, "05-times")
    chosen = free_times(phone)[0]
    choose_time(phone, chosen)
    expect(heading(phone)).to_have_text("About you")
    look_at(phone, "06-details")
    give_details(phone, patient, precautions=("You are pregnant", "An allergy to metal"))
    look_at(phone, "06-health")
    go_on_to_check(phone)
    expect(phone.locator("main")).to_contain_text("You are pregnant, or might be")
    look_at(phone, "07-check")
    agree(phone)
    send_button(phone).click()
    reference = reference_on(phone)
    look_at(phone, "08-sent")
    return reference, chosen


def confirm_at_the_desk(desk: Page, site: Site, patient: Patient, reference: str) -> None:
    """Signs in, reads what the patient said and confirms it with one press."""
    desk.goto("/admin/")
    look_at(desk, "09-sign-in")
    sign_in(desk, site)
    request = waiting_request(desk, patient)
    expect(request).to_contain_text("Pregnant")
    expect(request).to_contain_text("Metal allergy")
    expect(request).to_contain_text(patient.note)
    look_at(desk, "10-today")
    request.get_by_role("button", name=f"Confirm {reference}").click()
    expect(desk.locator(".messagelist")).to_contain_text(
        f"{reference} is now confirmed. The e-mail to {patient.name} is on its way."
    )
    expect(request).to_have_count(0)
    look_at(desk, "11-confirmed")


def test_a_newcomer_reads_asks_and_is_confirmed_without_javascript(site: Site, visit: Visits) -> None:
    patient, phone = a_new_patient(), visit(javascript=False, width=390)
    reference, chosen = ask_as_a_newcomer(phone, patient)
    confirm_at_the_desk(visit(javascript=False), site, patient, reference)

    phone.reload()
    expect(heading(phone)).to_have_text("Confirmed")
    look_at(phone, "12-confirmed")
    mails = mails_about(site, reference, number=2)
    assert sorted((mail["To"], mail["Subject"].split(":")[0]) for mail in mails) == [
        (patient.email, "We have your request"),
        (patient.email, "Your visit is confirmed"),
    ]
    taken_back = (
        "SELECT withdrawn_at IS NOT NULL FROM clinic_queuedmail WHERE kind = 'new_request' AND about = ?"
    )
    assert site.rows(taken_back, reference) == [(1,)], "the desk answered before its own mail was due"
    told = "".join(
        str(part.get_content()) for mail in mails for part in mail.walk() if not part.is_multipart()
    )
    secrets = (patient.note, patient.phone, "pregnant", "Pregnant", "allergy")
    assert [secret for secret in secrets if secret in told] == []
    confirmed = next(mail for mail in mails if mail["Subject"].startswith("Your visit is confirmed"))
    assert_invitation(confirmed, reference=reference, chosen=chosen)


def assert_invitation(mail: EmailMessage, *, reference: str, chosen: str) -> None:
    """The attached calendar file has one event, at the clinic's wall time of the chosen start."""
    (attached,) = mail.iter_attachments()
    calendar = Calendar.from_ical(attached.get_content())
    (event,) = calendar.events
    assert {
        "method": calendar["METHOD"],
        "uid": str(event["UID"]),
        "zone": event["DTSTART"].params["TZID"],
        "starts": f"{event.start:%Y%m%dT%H%M%z}",
    } == {
        "method": "REQUEST",
        "uid": f"{reference}@clinic.invalid",
        "zone": "America/Toronto",
        "starts": chosen,
    }
