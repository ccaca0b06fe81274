"""How long staff stay signed in, and what their passwords must be."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.module_loading import import_string
from pytest_django import DjangoAssertNumQueries

from clinic import desk_sessions
from clinic import settings as as_written
from tests.booking.test_desk import TODAY, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


@pytest.fixture
def mei() -> User:
    return User.objects.create_superuser("mei", password="correct horse battery")


@pytest.fixture
def desk(mei: User) -> Client:
    return signed_in(mei)


def let_pass(client: Client, *, since_active: timedelta, since_sign_in: timedelta | None = None) -> None:
    """As if so much time had passed."""
    session = client.session
    session["desk_active"] -= since_active.total_seconds()
    session["desk_began"] -= (since_sign_in or since_active).total_seconds()
    session.save()


def is_signed_in(client: Client) -> bool:
    return client.get("/admin/jsi18n/").status_code == 200


# --- How long ------------------------------------------------------------------------------------------------


def test_after_half_an_hour_without_a_click_one_signs_in_again_and_is_told_why(desk: Client) -> None:
    let_pass(desk, since_active=timedelta(minutes=29))
    assert desk.get(TODAY).status_code == 200
    let_pass(desk, since_active=timedelta(minutes=30, seconds=1))
    page = desk.get("/admin/booking/patient/?p=2", follow=True)
    assert page.redirect_chain == [("/admin/login/?next=/admin/booking/patient/%3Fp%3D2", 302)]
    assert "You were signed out, because nothing happened here for a while." in page.content.decode()
    assert "_auth_user_id" not in desk.session


def test_every_click_starts_the_half_hour_anew(desk: Client) -> None:
    for _ in range(3):
        let_pass(desk, since_active=timedelta(minutes=20))
        assert desk.get(TODAY).status_code == 200


def test_after_twelve_hours_one_signs_in_again_however_busy_one_was(desk: Client) -> None:
    let_pass(desk, since_active=timedelta(0), since_sign_in=timedelta(hours=11, minutes=59))
    assert desk.get(TODAY).status_code == 200
    let_pass(desk, since_active=timedelta(0), since_sign_in=timedelta(minutes=2))
    assert desk.get(TODAY).status_code == 302


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(mei: User, desk: Client) -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        return HttpResponse("new")

    def quietly(request: HttpRequest) -> HttpResponse:
        return answer(request)

    let_pass(desk, since_active=timedelta(minutes=20))
    active = []
    for view in (desk_sessions.no_activity(quietly), answer):
        request = RequestFactory().get(TODAY)
        request.session, request.user = desk.session, mei
        assert admin.site.admin_view(view)(request).content == b"new"
        active.append(timezone.now().timestamp() - request.session["desk_active"] > 19 * 60)
    assert active == [True, False]


def test_no_session_is_written_for_a_click_within_a_minute(
    desk: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):  # the session and the account
        assert is_signed_in(desk)


def test_a_session_that_says_nothing_of_its_beginning_is_over(desk: Client) -> None:
    session = desk.session
    del session["desk_began"]
    session.save()
    assert not is_signed_in(desk)


def test_a_deactivated_account_is_out_at_once(mei: User, desk: Client) -> None:
    assert is_signed_in(desk)
    User.objects.update(is_active=False)
    assert not is_signed_in(desk)


def test_a_new_password_ends_every_other_session(mei: User, desk: Client) -> None:
    elsewhere = signed_in(mei)
    new = {"old_password": "correct horse battery", "new_password1": "a new long password!"}
    changed = desk.post("/admin/password_change/", new | {"new_password2": "a new long password!"})
    assert changed["Location"] == "/admin/password_change/done/"
    assert (is_signed_in(desk), is_signed_in(elsewhere)) == (True, False)


def test_patients_sessions_are_not_looked_at(client: Client) -> None:
    client.post("/book/", {})
    before = dict(client.session)
    assert client.get("/book/").status_code == 200
    assert dict(client.session) == before
    assert not {"desk_began", "desk_active"} & before.keys()


# --- Passwords -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [
        ("fourteen chars", False),
        ("fifteen letters", True),
        ("the long way home " * 7, True),  # 126 characters
        ("1q2w3e4r5t6y7u8i9o0p", False),
        ("passwordpassword", False),
        ("Password-2026-2027!", False),
        ("12345678901234567", False),
        ("四個不相干的詞語在一起就是好密碼", True),
        ("richmondhill-mei-lin", True),
        ("meilin@example.com", False),
    ],
)
def test_passwords_are_long_and_not_common(mei: User, password: str, *, is_taken: bool) -> None:
    User.objects.filter(pk=mei.pk).update(email="meilin@example.com")
    typed = {"old_password": "correct horse battery", "new_password1": password, "new_password2": password}
    answer = signed_in(mei).post("/admin/password_change/", typed)
    mei.refresh_from_db()
    assert (answer.status_code == 302, mei.check_password(password)) == (is_taken, is_taken)


def test_ones_own_password_is_changed_only_where_the_old_one_is_asked_for(mei: User) -> None:
    typed = {"password1": "the long way home", "password2": "the long way home", "usable_password": "true"}
    answer = signed_in(mei).post(f"/admin/auth/user/{mei.pk}/password/", typed)
    mei.refresh_from_db()
    assert (answer["Location"], mei.check_password("the long way home")) == ("/admin/password_change/", False)


def test_passwords_are_kept_as_argon2_hashes() -> None:
    [hasher] = as_written.PASSWORD_HASHERS
    assert import_string(hasher)().encode("a long password", "somesalt").startswith("argon2$argon2id$")
