"""Limits: what is done too often is refused kindly for a while, counted across workers and by true addresses only."""

import re
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from booking import links, times
from booking.models import Appointment, Contact, Hold, VisitType, WaitlistEntry
from clinic import limits
from clinic.limits import Limit, OverLimit
from clinic.models import Tally
from tests.booking.factories import make_clinic, wall
from tests.booking.test_faults import everything
from tests.booking.test_operations import PARISA, ask
from tests.booking.test_patient_way import TYPED, address, body, choose, key_on, pass_gate, send, type_details
from tests.booking.test_waitlist import JOIN, offered, open_link, soon, typed

NOON = datetime(2027, 3, 4, 12, tzinfo=UTC)
THREE = Limit("test", timedelta(minutes=10), from_one_address=3)


def come_from(remote: str = "203.0.113.7", **headers: str) -> HttpRequest:
    return RequestFactory().post("/", REMOTE_ADDR=remote, **headers)  # type: ignore[arg-type]


def use_up(limit: Limit, request: HttpRequest) -> None:
    """In this window and the next, so that a test may run while one ends."""
    for now in (timezone.now(), timezone.now() + limit.per):
        for _ in range(limit.from_one_address):
            is_refused(limit, request, now=now)


def is_refused(limit: Limit, request: HttpRequest, *, now: datetime = NOON, **names: Any) -> bool:
    try:
        limits.count(limit, request, now=now, **names)
    except OverLimit:
        return True
    return False


def sent_again(page: Any) -> dict[str, Any]:
    """What the page's button sends: days and parts of the day as lists, all else as it was typed."""
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', body(page)):
        if name in {"weekdays", "parts"}:
            fields.setdefault(name, []).append(value)
        elif name != "csrfmiddlewaretoken":
            fields[name] = value
    return fields


@pytest.fixture
def visit_type() -> VisitType:
    return make_clinic(slug="first-visit", fee=115)


@pytest.fixture
def patient(client: Client) -> Client:
    pass_gate(client)
    return client


# --- Counting ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_one_too_many_is_refused_until_the_window_ends() -> None:
    moments = [NOON + timedelta(minutes=minute) for minute in (0, 1, 2, 3, 9, 10, 11)]
    assert [is_refused(THREE, come_from(), now=now) for now in moments] == [
        False, False, False, True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(OverLimit) as refused:
        limits.count(THREE, come_from(), now=NOON + timedelta(minutes=4))
    assert refused.value.ends_at == NOON + timedelta(minutes=10)


@pytest.mark.django_db
def test_one_address_acts_and_name_does_not_use_up_anothers() -> None:
    other_act = Limit("another", THREE.per, from_one_address=3)
    for _ in range(3):
        limits.count(THREE, come_from(), now=NOON)
    assert not is_refused(THREE, come_from("203.0.113.8"))
    assert not is_refused(other_act, come_from())
    assert is_refused(THREE, come_from())


@pytest.mark.django_db
def test_a_name_and_everyone_are_counted_whatever_the_address() -> None:
    two = Limit("test", timedelta(hours=1), from_one_address=9, for_one_name=2, by_everyone=5)
    tries = [
        ("1.1.1.1", "anna"),
        ("1.1.1.2", "anna"),
        ("1.1.1.3", "anna"),
        ("1.1.1.4", "bo"),
        ("1.1.1.5", "cy"),
    ]
    assert [is_refused(two, come_from(where), names=[name]) for where, name in tries] == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert is_refused(two, come_from("1.1.1.6"), names=["dee"])


@pytest.mark.django_db
def test_a_larger_clinic_allows_several_times_as_much(settings: Settings) -> None:
    settings.LIMITS_TIMES = 2
    assert [is_refused(THREE, come_from()) for _ in range(7)] == [False] * 6 + [True]


@pytest.mark.django_db
def test_counting_is_one_statement() -> None:
    keys = Contact.keys(email="a@example.com", phone="905 555 0100")
    with CaptureQueriesContext(connection) as queries:
        limits.count(limits.SEND, come_from(), now=NOON, names=keys)
    assert len(queries) == 1
    assert Tally.objects.count() == 4


@pytest.mark.django_db
def test_what_is_counted_cannot_be_read_back() -> None:
    limits.count(limits.SIGN_IN, come_from(), now=NOON, names=["mei"])
    kept = str(list(Tally.objects.values()))
    assert "203.0.113.7" not in kept
    assert "mei" not in kept


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_counted_one_by_one() -> None:
    limit = Limit("test", timedelta(hours=1), from_one_address=30, for_one_name=100, by_everyone=100)
    refused: list[bool] = []
    start = threading.Barrier(8)

    def press() -> None:
        start.wait()
        refused.extend(is_refused(limit, come_from(), names=["b", "a", "a"]) for _ in range(5))
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (refused.count(False), refused.count(True)) == (30, 10)
    assert sorted(Tally.objects.values_list("uses", flat=True)) == [40, 40, 40, 40]


@pytest.mark.django_db
def test_the_worker_erases_counts_that_are_over(capsys: pytest.CaptureFixture[str]) -> None:
    now = timezone.now()
    limits.count(THREE, come_from(), now=now - timedelta(hours=1))
    limits.count(THREE, come_from(), now=now)
    call_command("worker", "--once")
    assert [row.ends_at > now for row in Tally.objects.all()] == [True]


# --- Whose address ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trusted", "remote", "forwarded", "expected"),
    [
        (False, "203.0.113.7", None, "203.0.113.7"),
        (False, "203.0.113.7", "198.51.100.1", "203.0.113.7"),
        (True, "127.0.0.1", "198.51.100.1", "198.51.100.1"),
        (True, "127.0.0.1", "10.9.8.7, 6.6.6.6,198.51.100.1", "198.51.100.1"),
        (True, "127.0.0.1", None, "127.0.0.1"),
        (True, "", "no address", "unknown"),
        (False, "", None, "unknown"),
        (False, "2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        (False, "2001:db8:1:2:ffff::1", None, "2001:db8:1:2::/64"),
        (False, "fe80::1%eth0", None, "fe80::/64"),
        (False, "::ffff:203.0.113.7", None, "203.0.113.7"),
    ],
)
def test_the_address_is_the_one_that_our_own_proxy_saw(
    settings: Settings, *, trusted: bool, remote: str, forwarded: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXY = trusted
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    assert limits.client_address(come_from(remote, **headers)) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("trusted", [True, False])
def test_a_made_up_forwarded_address_gets_nobody_round_a_limit(settings: Settings, *, trusted: bool) -> None:
    settings.TRUSTED_PROXY = trusted
    ours = ", 203.0.113.7" if trusted else ""
    made_up = [come_from(HTTP_X_FORWARDED_FOR=f"198.51.100.{number}{ours}") for number in range(4)]
    assert [is_refused(THREE, request) for request in made_up] == [False, False, False, True]


# --- On the patient's way ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_gate_asks_to_wait_and_names_the_phone(client: Client) -> None:
    use_up(limits.GATE, come_from("127.0.0.1"))
    page = client.post("/book/", {"applies": "no", "next": "/book/first-visit/"})
    assert page.status_code == 429
    assert 0 < int(page["Retry-After"]) <= 600
    assert "no-store" in page["Cache-Control"]
    assert "Please wait a little" in body(page)
    assert "905-555-0100" in body(page)
    assert '<input type="hidden" name="next" value="/book/first-visit/">' in body(page)
    assert not client.session.keys()


@pytest.mark.django_db
@pytest.mark.parametrize("answer", ["yes", "not_sure"])
def test_whoever_must_call_911_is_always_told_to(client: Client, answer: str) -> None:
    use_up(limits.GATE, come_from("127.0.0.1"))
    page = client.post("/book/", {"applies": answer})
    assert (page.status_code, 'href="tel:911"' in body(page)) == (200, True)


@pytest.mark.django_db
def test_no_time_is_held_over_the_limit(patient: Client, visit_type: VisitType) -> None:
    use_up(limits.HOLD, come_from("127.0.0.1"))
    pages = [choose(patient, visit_type), patient.post(address(visit_type), {"hold": "1"})]
    assert [page.status_code for page in pages] == [429, 429]
    assert not Hold.objects.exists()


@pytest.mark.django_db
def test_details_over_the_limit_are_lost_neither_right_nor_wrong(
    patient: Client, visit_type: VisitType
) -> None:
    choose(patient, visit_type)
    use_up(limits.HOLD, come_from("127.0.0.1"))

    wrong = type_details(
        patient, visit_type, email="nobody", note='Back & "leg"\nsince autumn', precautions=["lymph"]
    )
    right = type_details(patient, visit_type)

    assert (wrong.status_code, right.status_code) == (429, 429)
    text = wrong.content.decode()
    assert '<input type="hidden" name="email" value="nobody">' in text
    assert 'name="note" value="Back &amp; &quot;leg&quot;\nsince autumn"' in text
    assert '<input type="hidden" name="precautions" value="lymph">' in text
    assert patient.session["draft"]["answers"]["name"] == TYPED["name"]
    Tally.objects.all().delete()  # the window ends
    assert type_details(patient, visit_type)["Location"] == address(visit_type, page="check")


@pytest.mark.django_db
def test_a_request_over_the_limit_is_kept_and_goes_through_later(
    patient: Client, visit_type: VisitType
) -> None:
    type_details(patient, visit_type)
    use_up(limits.SEND, come_from("127.0.0.1"))
    assert send(patient, visit_type).status_code == 429
    assert "draft" in patient.session
    assert not Appointment.objects.exists()
    Tally.objects.all().delete()  # the window ends
    assert send(patient, visit_type).status_code == 302
    assert Appointment.objects.get().patient.name == TYPED["name"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "known", [{"email": " PARISA@example.com", "phone": ""}, {"email": "", "phone": "+1 (416) 555 0188"}]
)
def test_requests_are_counted_for_each_contact_from_wherever_they_come(
    patient: Client, visit_type: VisitType, known: dict[str, str]
) -> None:
    for now in (timezone.now(), timezone.now() + limits.SEND.per):
        for number in range(limits.SEND.for_one_name or 0):
            limits.count(limits.SEND, come_from(f"198.51.100.{number}"), now=now, names=Contact.keys(**known))
    type_details(patient, visit_type)
    assert send(patient, visit_type).status_code == 429


@pytest.mark.django_db
def test_sending_the_same_twice_is_no_second_request(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    check = address(visit_type, page="check")
    form = {"consent": "on", "key": key_on(patient.get(check))}
    answers = [patient.post(check, form) for _ in range(limits.SEND.from_one_address + 5)]
    assert {answer.status_code for answer in answers} == {302}


@pytest.mark.django_db
def test_looking_is_never_counted(patient: Client, visit_type: VisitType) -> None:
    choose(patient, visit_type)
    before = list(Tally.objects.values())
    for page in ("/", "/articles/", "/book/", "/book/first-visit/", address(visit_type), "/admin/login/"):
        patient.get(page)
    assert list(Tally.objects.values()) == before


@pytest.mark.django_db
def test_a_lost_link_is_asked_for_only_so_often() -> None:
    for now in (timezone.now(), timezone.now() + limits.LOST_LINK.per):
        for number in range(limits.LOST_LINK.for_one_name or 0):
            names = Contact.keys(email="parisa@example.com", phone="")
            limits.count(limits.LOST_LINK, come_from(f"198.51.100.{number}"), now=now, names=names)
    answer = Client().post("/appointments/lost/", {"email": "Parisa@example.com", "reference": "RH-BCDFGH"})
    assert answer.status_code == 429


@pytest.mark.django_db
def test_an_appointment_over_the_limit_of_changes_stays_as_it_is(
    patient: Client, visit_type: VisitType
) -> None:
    type_details(patient, visit_type)
    page = send(patient, visit_type)["Location"]
    form = dict(re.findall(r'name="(key|version)" value="([^"]*)"', body(patient.get(f"{page}cancel/"))))
    use_up(limits.CHANGE, come_from("127.0.0.1"))
    assert patient.post(f"{page}cancel/", form).status_code == 429
    assert Appointment.objects.get().status == "pending"
    Tally.objects.all().delete()  # the window ends
    assert patient.post(f"{page}cancel/", form).status_code == 302
    assert Appointment.objects.get().status == "cancelled"


# --- On the waitlist --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_joining_over_the_limit_loses_nothing_that_was_typed(patient: Client) -> None:
    soon()
    use_up(limits.JOIN, come_from("127.0.0.1"))
    wishes = typed(parts=["morning", "evening"])
    page = patient.post(JOIN, wishes)
    assert (page.status_code, "905-555-0100" in body(page)) == (429, True)
    assert sent_again(page) == wishes | {"weekdays": [str(wall(0).weekday())]}
    assert not WaitlistEntry.objects.exists()
    Tally.objects.all().delete()  # the window ends
    assert patient.post(JOIN, sent_again(page)).status_code == 302
    assert WaitlistEntry.objects.get().patient.name == wishes["name"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "known", [{"email": " PARISA@example.com", "phone": ""}, {"email": "", "phone": "+1 (416) 555 0188"}]
)
def test_joining_is_counted_for_each_contact_from_wherever_it_comes(
    patient: Client, known: dict[str, str]
) -> None:
    soon()
    for now in (timezone.now(), timezone.now() + limits.JOIN.per):
        for number in range(limits.JOIN.for_one_name or 0):
            limits.count(limits.JOIN, come_from(f"198.51.100.{number}"), now=now, names=Contact.keys(**known))
    assert patient.post(JOIN, typed()).status_code == 429
    other = typed(email="other@example.com", phone="416-555-0189")
    assert patient.post(JOIN, other).status_code == 302


@pytest.mark.django_db
def test_a_program_that_fills_in_every_box_does_not_join_and_a_person_does_at_the_second_try(
    patient: Client,
) -> None:
    soon()
    wishes = typed()
    page = patient.post(JOIN, wishes | {"website": "https://spam.example"})
    assert page.status_code == 422
    assert "It has not been sent yet." in body(page)
    assert not WaitlistEntry.objects.exists()
    assert sent_again(page) == wishes | {"weekdays": [str(wall(0).weekday())]}
    assert patient.post(JOIN, sent_again(page)).status_code == 302
    assert WaitlistEntry.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("act", ["take", "decline", "leave"])
def test_an_entry_over_the_limit_of_changes_stays_as_it_is(client: Client, act: str) -> None:
    _, entry, offer = offered()
    open_link(client, entry)
    form = {"start": times.write_start(offer.options.get().starts_at)}
    use_up(limits.CHANGE, come_from("127.0.0.1"))
    before = everything()
    assert client.post(f"/waitlist/{entry.reference}/{act}/", form).status_code == 429
    assert everything() == before


@pytest.mark.django_db
def test_waiting_for_an_earlier_time_is_counted_as_a_change(client: Client) -> None:
    visit_type, _ = soon()
    mine = ask(visit_type, wall(10, days_ahead=5), details=PARISA)
    client.get(reverse("booking:open", args=[links.token(mine)]))
    pass_gate(client)
    use_up(limits.CHANGE, come_from("127.0.0.1"))
    address = f"{JOIN}?replaces={mine.reference}"
    assert client.post(address, typed()).status_code == 429
    Tally.objects.all().delete()  # the window ends
    assert client.post(address, typed()).status_code == 302


# --- Signing in -------------------------------------------------------------------------------------------------


def sign_in(username: str = "mei", guess: str = "", remote: str = "203.0.113.7") -> Any:
    """With the right password unless another is guessed."""
    typed = {"username": username, "password": guess or "pw"}
    return Client(REMOTE_ADDR=remote).post("/admin/login/", typed)


def guess_from_everywhere(account: str) -> None:
    for now in (timezone.now(), timezone.now() + limits.SIGN_IN.per):
        for number in range(60):
            with suppress(OverLimit):
                limits.count_sign_in(come_from(f"198.51.100.{number}"), account, now=now)


@pytest.fixture
def mei() -> User:
    return User.objects.create_superuser("mei", password="pw")


@pytest.mark.django_db
@pytest.mark.ignore_template_errors
def test_guessing_passwords_from_one_address_ends_after_thirty_tries(mei: User) -> None:
    use_up(replace(limits.SIGN_IN, from_one_address=29), come_from())
    assert [sign_in(f"user{number}", "guess").status_code for number in range(3)] == [200, 429, 429]
    page = sign_in("mei")
    assert page.status_code == 429
    assert "905-555-0100" in body(page)
    assert not re.search(r'value="pw"', page.content.decode())
    assert sign_in("mei", remote="203.0.113.8").status_code == 302


@pytest.mark.django_db
@pytest.mark.ignore_template_errors
def test_guessing_one_password_from_many_addresses_ends_too(mei: User) -> None:
    guess_from_everywhere("mei")
    assert sign_in("mei").status_code == 429
    assert sign_in("\uff4dei ").status_code == 429  # the sign-in form reads a full-width m as an m
    assert sign_in("wing", "guess").status_code == 200


@pytest.mark.django_db
@pytest.mark.ignore_template_errors
def test_strangers_do_not_keep_staff_out_of_where_they_work(mei: User) -> None:
    assert sign_in("mei").status_code == 302
    guess_from_everywhere("mei")
    assert sign_in("mei", remote="198.51.100.200").status_code == 429
    assert sign_in("mei").status_code == 302
    Tally.objects.filter(uses=0).update(ends_at=timezone.now())
    assert sign_in("mei").status_code == 429


@pytest.mark.django_db
@pytest.mark.ignore_template_errors
def test_a_wrong_password_makes_no_place_known(mei: User) -> None:
    sign_in("mei", "guess")
    assert not Tally.objects.filter(uses=0).exists()


# --- Programs that fill in forms --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_program_that_fills_in_every_box_sends_nothing(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    page = send(patient, visit_type, website="https://spam.example")
    assert page.status_code == 422
    assert not Appointment.objects.exists()


@pytest.mark.django_db
def test_a_person_who_was_taken_for_a_program_is_told_and_sends_once_more(
    patient: Client, visit_type: VisitType
) -> None:
    type_details(patient, visit_type)
    page = send(patient, visit_type, website="https://autofill.example", wants_articles="on")
    assert "It has not been sent yet." in body(page)
    assert "905-555-0100" in body(page)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.content.decode()))
    del fields["csrfmiddlewaretoken"]
    assert fields.keys() == {"consent", "key", "wants_articles"}
    patient.post(address(visit_type, page="check"), fields)
    assert Appointment.objects.get().patient.marketing_consented_at is not None


@pytest.mark.django_db
def test_nobody_sends_in_less_than_two_seconds(
    patient: Client, visit_type: VisitType, settings: Settings
) -> None:
    settings.QUICKEST_SEND = 2
    type_details(patient, visit_type)
    assert send(patient, visit_type).status_code == 422
    session = patient.session
    session["draft"] = session["draft"] | {"until": session["draft"]["until"] - 2}
    session.save()
    assert send(patient, visit_type).status_code == 302


def test_the_time_is_two_seconds_where_it_runs() -> None:
    from clinic import settings  # noqa: PLC0415 (as it is written, not as tests set it)

    assert (settings.QUICKEST_SEND, settings.LIMITS_TIMES) == (2, 1)


@pytest.mark.django_db
def test_the_box_that_stays_empty_is_shown_and_read_to_nobody(patient: Client, visit_type: VisitType) -> None:
    type_details(patient, visit_type)
    assert (
        '<div class="vh" aria-hidden="true"><label for="id_website">Leave this empty</label>'
        '<input id="id_website" name="website" autocomplete="off" tabindex="-1"></div>'
    ) in body(patient.get(address(visit_type, page="check")))
