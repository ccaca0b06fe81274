"""Somebody new at the clinic signs in for the first time in the browser, by keyboard alone, and the next day again."""

from base64 import b32decode

from django_otp.oath import totp
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.walking import heading, press_tab_until

PASSWORD = "four words for trying"
MAKE = (
    "from django.contrib.auth.models import Group, User\n"
    f"user = User.objects.create_user('wing', password='{PASSWORD}', is_staff=True)\n"
    "user.groups.add(Group.objects.get(name='Front desk'))\n"
)


def type_password(page: Page) -> None:
    page.goto("/admin/")
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("wing")
    press_tab_until(page, page.get_by_label("Password"), at_most=1)
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def test_the_first_sign_in_sets_up_an_app_and_the_next_asks_for_its_code(site: Site, visit: Visits) -> None:
    site.manage("shell", "-c", MAKE)
    page, dark = visit(width=390), visit(scheme="dark", javascript=False)

    type_password(page)
    expect(heading(page)).to_have_text("Set up your second factor")
    look_at(page, "70-set-up")
    key = b32decode(page.locator(".rh-code").inner_text().replace(" ", ""))
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.keyboard.type("123")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This code is not right")).to_be_visible()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.keyboard.type(f"{totp(key):06}")
    page.keyboard.press("Enter")
    expect(heading(page)).to_have_text("Your recovery codes")
    codes = page.locator(".rh-code").all_inner_texts()
    assert len(codes) == 10
    look_at(page, "71-recovery-codes")
    press_tab_until(page, page.get_by_role("link", name="I have them, go on"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Waiting for an answer")).to_be_visible()

    type_password(dark)
    expect(heading(dark)).to_have_text("Your code")
    look_at(dark, "72-code")
    expect(dark.get_by_label("Code", exact=True)).to_be_focused()
    dark.keyboard.type(codes[0])
    dark.keyboard.press("Enter")
    expect(dark.get_by_role("heading", name="Waiting for an answer")).to_be_visible()
    dark.goto("/admin/second-factor/")
    expect(dark.get_by_text("9 codes are left.")).to_be_visible()
    look_at(dark, "73-second-factor")
