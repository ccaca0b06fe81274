"""What people do on the site, in their own words; each step ends on the page that it leads to."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from django_otp.oath import totp
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site

Look = Callable[[Page, str], None]
_number = count(1)


@dataclass(frozen=True, slots=True)
class Patient:
    name: str
    email: str
    phone: str
    note: str = "Low back pain since autumn, worse when I sit"


def a_new_patient(name: str = "Parisa Karimi") -> Patient:
    number = next(_number)
    return Patient(f"{name} {number}", f"patient{number}@example.com", f"416-555-{1000 + number}")


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


# --- Asking for a visit ----------------------------------------------------------------------------------------


EMERGENCY_LIST, URGENT_LIST = "Safety first", "Signs to have checked first"


def answer_safety_question(page: Page, answer: str, *, listed: str = EMERGENCY_LIST) -> None:
    expect(heading(page)).to_have_text(listed)
    page.get_by_label(answer, exact=False).check()
    page.get_by_role("button", name="Continue").click()


def pass_both_lists(page: Page) -> None:
    for listed in (EMERGENCY_LIST, URGENT_LIST):
        answer_safety_question(page, "No, none of these", listed=listed)


def choose_visit(page: Page, name: str) -> None:
    expect(heading(page)).to_have_text("Which visit do you need?")
    page.locator("main").get_by_role("link", name=re.compile(f"^{name}")).click()
    expect(heading(page)).to_have_text("Choose a day and time")


def start_asking(page: Page, visit: str = "First visit") -> None:
    page.goto("/book/")
    pass_both_lists(page)
    choose_visit(page, visit)


def free_times(page: Page) -> list[str]:
    """The addresses' own words for the free times of the day that is shown."""
    return [str(one.get_attribute("value")) for one in page.locator("#times").get_by_role("radio").all()]


def choose_time(page: Page, time: str) -> None:
    page.locator("#times").locator(f"input[value='{time}']").check()
    page.get_by_role("button", name="Continue").click()


def choose_last_time(page: Page) -> str:
    """The last free time of the day that is shown; two walks that choose the first would meet."""
    time = free_times(page)[-1]
    choose_time(page, time)
    expect(heading(page)).to_have_text("About you")
    return time


def give_details(page: Page, patient: Patient, *, precautions: tuple[str, ...] = ()) -> None:
    """Fills in who asks, goes on, and fills in the page about their health."""
    page.get_by_label("Full name").fill(patient.name)
    page.get_by_label("E-mail", exact=True).fill(patient.email)
    page.get_by_label("Phone number").fill(patient.phone)
    page.get_by_role("group", name="Is the patient 18 or older?").get_by_label("Yes").check()
    page.get_by_label("No, this is my first visit").check()
    page.get_by_label("Language you prefer").select_option(label="Persian")
    page.get_by_role("button", name="Continue").click()
    expect(heading(page)).to_have_text("Your health")
    for precaution in precautions:
        page.get_by_label(precaution).check()
    page.get_by_label("Yes, what I have ticked" if precautions else "No, none of these").check()
    page.get_by_label("What would you like help with?").fill(patient.note)


def go_on_to_check(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()
    expect(heading(page)).to_have_text("Check your answers, then send")


def agree(page: Page) -> None:
    page.get_by_label("I agree that the clinic keeps and uses these answers", exact=False).check()


def send_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Send my request")


def reference_on(page: Page) -> str:
    """The reference of the request, read on the page that says it was sent."""
    expect(heading(page)).to_have_text("Request sent")
    found = re.search(r"RH-[A-Z0-9]{6}", page.locator("main").inner_text())
    assert found, "the page tells the reference"
    return found[0]


def ask_for_a_visit(page: Page, patient: Patient) -> str:
    """The whole way by the shortest path; returns the reference."""
    start_asking(page)
    choose_last_time(page)
    give_details(page, patient)
    go_on_to_check(page)
    agree(page)
    send_button(page).click()
    return reference_on(page)


# --- At the desk -----------------------------------------------------------------------------------------------


def sign_in(page: Page, site: Site) -> None:
    """As the demo account, which may do everything and needs no second factor on a laptop."""
    page.goto("/admin/")
    page.get_by_label("Username").fill("desk")
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Waiting for an answer")).to_be_visible()


STAFF_PASSWORD = "a long enough password"
_KEY_OF_THE_APP = "3132333435363738393031323334353637383930"
_MAKE_STAFF = """
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_totp.models import TOTPDevice
from booking.models import Resource
user = User.objects.create_user("{name}", password="{password}", is_staff=True, first_name="{name}")
user.groups.add(Group.objects.get(name="{role}"))
TOTPDevice.objects.create(user=user, name="app", key="{key}")
Resource.objects.filter(slug="{practitioner}").update(user=user)
"""


def sign_in_as(page: Page, site: Site, role: str, *, practitioner: str = "") -> None:
    """Somebody new in this role, or the practitioner with this slug, signs in with password and code."""
    name = f"{role.lower().replace(' ', '-')}-{next(_number)}"
    make = _MAKE_STAFF.format(
        name=name, password=STAFF_PASSWORD, role=role, key=_KEY_OF_THE_APP, practitioner=practitioner
    )
    site.manage("shell", "--no-imports", "-c", make)
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(STAFF_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(heading(page)).to_have_text("Your code")
    page.get_by_label("Code", exact=True).fill(f"{totp(bytes.fromhex(_KEY_OF_THE_APP)):06}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def waiting_request(page: Page, patient: Patient) -> Locator:
    """The patient's request among those that wait on Today."""
    by_name = page.get_by_role(
        "link", name=patient.name, exact=True
    )  # the neighbours on the day are no links
    return page.locator(".rh-queue > li").filter(has=by_name)


# --- By keyboard alone -----------------------------------------------------------------------------------------


def press_tab_until(page: Page, wanted: Locator, *, at_most: int = 90) -> None:
    """Goes on by Tab to what is wanted; on every stop the eye can see where it is."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_IS_SEEN), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by Tab within {at_most} stops")


# An outline on the element itself or, where a radio button lies unseen over its chip, on its label.
FOCUS_IS_SEEN = """() => {
  const one = document.activeElement, seen = e => e && getComputedStyle(e).outlineStyle !== 'none'
    && parseFloat(getComputedStyle(e).outlineWidth) >= 2;
  return one === document.body || seen(one) || seen(one.labels && one.labels[0]);
}"""
