"""The second factor: set up at the first sign-in, asked for at each, replaced by whose it is or taken away."""

import re
from base64 import b32decode
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import segno
from django.conf import settings as running
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from clinic import second_factor
from clinic.models import Tally
from clinic.roles import FRONT_DESK, OWNERS, make_roles
from tests.booking.test_desk import said
from tests.booking.test_patient_way import body
from tests.site.test_desk_look import CLINICS_OWN, Inline

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

LOGIN, STEP, SET_UP = "/admin/login/", "/admin/login/code/", "/admin/second-factor/set-up/"
MINE, CODES = "/admin/second-factor/", "/admin/second-factor/codes/"
KEY = "3132333435363738393031323334353637383930"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _asked_for(settings: Settings) -> None:
    settings.WITHOUT_SECOND_FACTOR = ("desk",)


@pytest.fixture
def mei() -> User:
    make_roles()
    return staff("mei", OWNERS)


def staff(name: str, *roles: str) -> User:
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def give_app(user: User, key: str = KEY) -> User:
    TOTPDevice.objects.create(user=user, name="app", key=key)
    return user


def shown_by_app(key: str = KEY, *, steps: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    return f"{totp(bytes.fromhex(key), drift=steps):06}"


def type_password(name: str = "mei", then: str = "/admin/", **typed: str) -> Client:
    client = Client()
    answer = client.post(LOGIN, {"username": name, "password": PASSWORD, "next": then} | typed)
    assert answer.status_code == 302
    return client


def key_on(page: Any) -> str:
    """The key that the set-up page shows, as the app stores it."""
    found = re.search(r'<code class="rh-code"[^>]*>([A-Z2-7 ]+)</code>', page.content.decode())
    assert found
    return b32decode(found[1].replace(" ", "")).hex()


def codes_on(page: Any) -> list[str]:
    return re.findall(r'<code class="rh-code">([a-z2-9-]+)</code>', page.content.decode())


def type_code(client: Client, code: str, then: str = "/admin/") -> Any:
    return client.post(STEP, {"code": code, "next": then})


# --- The first sign-in ---------------------------------------------------------------------------------------


def test_whoever_signs_in_for_the_first_time_sets_up_an_app_and_goes_where_they_wanted(mei: User) -> None:
    client = Client()
    asked = client.post(
        LOGIN, {"username": "mei", "password": PASSWORD, "next": "/admin/auth/user/"}, follow=True
    )
    assert [address for address, _status in asked.redirect_chain] == [
        "/admin/login/code/?next=%2Fadmin%2Fauth%2Fuser%2F",
        "/admin/second-factor/set-up/?next=%2Fadmin%2Fauth%2Fuser%2F",
    ]
    key = key_on(asked)
    assert key_on(client.get(SET_UP)) == key  # the picture stays the same while the page is looked at again
    done = client.post(SET_UP, {"code": shown_by_app(key), "next": "/admin/auth/user/"})
    codes = codes_on(done)
    assert (len(codes), len(set(codes))) == (10, 10)
    assert '<a class="rh-btn" href="/admin/auth/user/">I have them, go on</a>' in body(done)
    assert client.get("/admin/auth/user/").status_code == 200
    assert TOTPDevice.objects.get().key == key


def test_the_picture_says_what_the_key_says(mei: User) -> None:
    address = urlsplit(second_factor.address_for_app(user=mei, key=KEY))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query)["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
    assert parse_qs(address.query)["issuer"] == ["Richmond Hill Acupuncture Pro"]


def test_the_picture_is_the_qr_code_of_the_address(mei: User) -> None:
    address = second_factor.address_for_app(user=mei, key=KEY)
    drawn = second_factor.qr_code(address)
    dark = {
        (int(x) + step, int(y))
        for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", drawn.path)
        for step in range(int(width))
    }
    rows = list(segno.make_qr(address).matrix_iter(border=4))
    assert drawn.size == len(rows)
    assert dark == {(x, y) for y, row in enumerate(rows) for x, module in enumerate(row) if module}


def test_recovery_codes_and_keys_are_kept_nowhere_they_could_be_read_from(mei: User) -> None:
    client = type_password()
    page = client.get(SET_UP)
    codes = codes_on(client.post(SET_UP, {"code": shown_by_app(key_on(page))}))
    kept = set(StaticToken.objects.values_list("token", flat=True))
    assert kept.isdisjoint({code.replace("-", "") for code in codes})
    assert "second_factor_key" not in client.session


def test_a_wrong_code_sets_nothing_up(mei: User) -> None:
    client = type_password()
    key = key_on(client.get(SET_UP))
    for wrong in ("000000", "", "12345", "abcdef", "٣٣٣٣٣٣", "1" * 41, "\x00"):
        page = client.post(SET_UP, {"code": wrong})
        assert (page.status_code, key_on(page)) == (200, key)
        assert "rh-error" in page.content.decode()
    assert not TOTPDevice.objects.exists()


# --- Each sign-in --------------------------------------------------------------------------------------------


def test_after_the_password_the_desk_asks_for_the_code(mei: User) -> None:
    give_app(mei)
    client = type_password(then="/admin/booking/patient/")
    assert client.get("/admin/booking/patient/")["Location"] == "/admin/login/?next=/admin/booking/patient/"
    assert client.get("/admin/login/?next=/admin/booking/patient/")["Location"] == (
        "/admin/login/code/?next=%2Fadmin%2Fbooking%2Fpatient%2F"
    )
    answer = type_code(client, shown_by_app(), then="/admin/booking/patient/")
    assert answer["Location"] == "/admin/booking/patient/"
    assert client.get("/admin/booking/patient/").status_code == 200


@pytest.mark.parametrize(
    "address", ["/admin/", "/admin/booking/appointment/", MINE, CODES, "/admin/password_change/"]
)
def test_a_password_alone_opens_nothing_of_the_desk(mei: User, address: str) -> None:
    give_app(mei)
    client = type_password()
    assert client.get(address)["Location"].startswith("/admin/login/")
    assert client.post(address)["Location"].startswith("/admin/login/")
    assert client.get(SET_UP)["Location"].startswith(STEP)
    page = client.get(STEP)
    assert "nav-sidebar" not in page.content.decode()
    assert page.context["available_apps"] == []


def test_a_code_works_once(mei: User) -> None:
    give_app(mei)
    code = shown_by_app()
    assert type_code(type_password(), code).status_code == 302
    again = type_code(type_password(), code)
    assert again.status_code == 200
    assert "or it was used before" in body(again)


def test_a_recovery_code_works_once_however_it_is_typed(mei: User) -> None:
    give_app(mei)
    first, *_others = second_factor.replace_recovery_codes(user=mei)
    assert type_code(type_password(), f" {first.upper().replace('-', ' ')} ").status_code == 302
    assert second_factor.recovery_codes_left(mei) == 9
    assert type_code(type_password(), first).status_code == 200


def test_the_code_of_another_person_is_refused(mei: User) -> None:
    other = give_app(staff("ann", FRONT_DESK), key="00" * 20)
    give_app(mei)
    codes = second_factor.replace_recovery_codes(user=other)
    for code in (shown_by_app("00" * 20), codes[0]):
        TOTPDevice.objects.update(throttling_failure_count=0)
        assert type_code(type_password(), code).status_code == 200


def test_each_wrong_code_makes_the_next_wait_twice_as_long(mei: User) -> None:
    give_app(mei)
    client = type_password()
    type_code(client, "000000")
    refused = type_code(client, shown_by_app())
    assert refused.status_code == 200
    assert "Please wait 1 seconds" in body(refused)
    TOTPDevice.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(seconds=2))
    assert type_code(client, shown_by_app()).status_code == 302


def test_codes_can_be_guessed_ten_times_in_a_quarter_of_an_hour(mei: User) -> None:
    give_app(mei)
    client = type_password()
    answers = [type_code(client, f"{number:06}").status_code for number in range(11)]
    assert answers == [200] * 10 + [429]
    assert type_code(client, shown_by_app()).status_code == 429
    Tally.objects.all().delete()  # the window ends
    TOTPDevice.objects.update(throttling_failure_timestamp=None)
    assert type_code(client, shown_by_app()).status_code == 302


def test_the_session_gets_a_new_key_with_the_password_and_with_the_code(mei: User) -> None:
    give_app(mei)
    client = Client()
    client.get("/book/")
    client.post("/book/", {})
    keys = [client.session.session_key]
    client.post(LOGIN, {"username": "mei", "password": PASSWORD})
    keys.append(client.session.session_key)
    type_code(client, shown_by_app())
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_site(mei: User, elsewhere: str) -> None:
    give_app(mei)
    client = type_password(then=elsewhere)
    assert type_code(client, shown_by_app(), then=elsewhere)["Location"] == "/admin/"


def test_a_password_alone_makes_no_place_known_to_the_limits(mei: User) -> None:
    give_app(mei)
    client = type_password()
    assert not Tally.objects.filter(uses=0).exists()
    type_code(client, shown_by_app())
    assert Tally.objects.filter(uses=0).exists()


def test_whoever_signed_in_as_the_wrong_person_starts_again(mei: User) -> None:
    client = type_password()
    assert client.post("/admin/login/other/")["Location"] == LOGIN
    assert client.get(STEP)["Location"].startswith(LOGIN)


def test_only_the_demo_account_needs_none_and_only_on_a_laptop(settings: Settings) -> None:
    call_command("demo_account")
    password = (running.DATA_DIR / "demo-password").read_text()
    client = type_password("desk", password=password)
    assert client.get("/admin/").status_code == 200
    assert client.get(MINE).status_code == 200
    settings.WITHOUT_SECOND_FACTOR = ()  # as in production
    assert client.get("/admin/").status_code == 302


# --- Looking after it ----------------------------------------------------------------------------------------


@pytest.fixture
def signed_in(mei: User) -> Client:
    give_app(mei)
    client = type_password()
    type_code(client, shown_by_app())
    return client


def test_a_new_phone_needs_the_password_and_ends_other_sessions(mei: User, signed_in: Client) -> None:
    TOTPDevice.objects.update(last_t=-1)
    elsewhere = type_password()
    type_code(elsewhere, shown_by_app())
    key = key_on(signed_in.get(SET_UP))
    refused = signed_in.post(SET_UP, {"code": shown_by_app(key), "password": "wrong"})
    assert "This is not your password." in body(refused)
    assert TOTPDevice.objects.get().key == KEY
    signed_in.post(SET_UP, {"code": shown_by_app(key), "password": PASSWORD})
    assert TOTPDevice.objects.get().key == key
    assert signed_in.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302
    assert "_auth_user_id" not in elsewhere.session


def test_new_recovery_codes_need_the_password_and_end_the_old_ones(mei: User, signed_in: Client) -> None:
    old = second_factor.replace_recovery_codes(user=mei)
    assert "This is not your password." in body(signed_in.post(CODES, {"password": "wrong"}))
    new = codes_on(signed_in.post(CODES, {"password": PASSWORD}))
    assert len(set(new) - set(old)) == 10
    assert "10 codes are left." in body(signed_in.get(MINE))
    assert type_code(type_password(), old[0]).status_code == 200
    StaticDevice.objects.update(throttling_failure_count=0)
    assert type_code(type_password(), new[0]).status_code == 302


def take_away(account: User) -> str:
    return f"/admin/auth/user/{account.pk}/second-factor/"


def test_an_owner_takes_away_a_lost_second_factor_and_the_person_sets_up_a_new_one(
    mei: User, signed_in: Client
) -> None:
    ann = give_app(staff("ann", FRONT_DESK), key="00" * 20)
    at_work = type_password("ann")
    type_code(at_work, shown_by_app("00" * 20))
    assert at_work.get("/admin/").status_code == 200
    assert take_away(ann) in body(signed_in.get(f"/admin/auth/user/{ann.pk}/change/"))
    assert signed_in.get(take_away(ann)).status_code == 200
    assert TOTPDevice.objects.filter(user=ann).exists()
    done = signed_in.post(take_away(ann))
    assert said(done) == ["The second factor of ann is gone. They set up a new one when they sign in next."]
    assert at_work.get("/admin/").status_code == 302
    assert at_work.get(SET_UP)["Location"].startswith(LOGIN)  # whoever held that session is out
    assert type_password("ann").get(STEP)["Location"].startswith(SET_UP)


def test_the_list_of_accounts_tells_who_has_one(mei: User, signed_in: Client) -> None:
    staff("ann", FRONT_DESK)
    page = signed_in.get("/admin/auth/user/")
    told = {account.username: account.has_second_factor for account in page.context["cl"].result_list}
    assert told == {"ann": False, "mei": True}


def test_nobody_takes_away_their_own_or_a_superusers(mei: User, signed_in: Client) -> None:
    boss = give_app(User.objects.create_superuser("boss", password=PASSWORD))
    for account in (mei, boss):
        assert signed_in.post(take_away(account)).status_code == 403
        assert take_away(account) not in body(signed_in.get(f"/admin/auth/user/{account.pk}/change/"))
    assert TOTPDevice.objects.count() == 2


def test_a_command_helps_the_last_owner_who_lost_everything(mei: User) -> None:
    give_app(mei)
    call_command("take_away_second_factor", "mei")
    assert not TOTPDevice.objects.exists()
    with pytest.raises(CommandError, match="no account"):
        call_command("take_away_second_factor", "nobody")


# --- How it looks --------------------------------------------------------------------------------------------


def pages(mei: User) -> dict[str, Any]:
    """Every page of it, as its owner comes by them."""
    client = type_password()
    set_up = client.get(SET_UP)
    codes = client.post(SET_UP, {"code": shown_by_app(key_on(set_up))})
    return {
        "set up": set_up,
        "codes": codes,
        "mine": client.get(MINE),
        "step": type_password().get(STEP),
        "take away": client.get(take_away(staff("ann"))),
    }


def test_its_pages_carry_no_inline_code_and_are_in_the_clinics_look(mei: User) -> None:
    for page in pages(mei).values():
        assert page.status_code == 200
        assert "'unsafe" not in page["Content-Security-Policy"]
        assert "no-store" in page["Cache-Control"]
        assert Inline(page.content.decode()).found == []
        assert CLINICS_OWN in page.content.decode()
