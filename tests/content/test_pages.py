"""The clinic's statements, and how a reader tells it that a page is wrong."""

import re
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core import mail as outbox
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from clinic import limits, mail
from clinic.models import AuditRow, QueuedMail
from content.forms import RemarkForm
from content.remarks import REMARKS_KEPT, Remark, erase_old_remarks, note_remark
from tests.content.factories import NOW, make_article
from tests.content.test_articles import main_of, texts_of

pytestmark = pytest.mark.django_db

FORM = "/corrections/"
WORDS = {"page": "/articles/needles/", "text": "The second number is wrong.", "email": ""}
STATEMENTS = ["/privacy/", "/accessibility/", "/how-we-write/"]


# --- Statements ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", STATEMENTS)
def test_a_statement_is_the_same_for_everybody_asks_no_database_and_leaves_no_cookie(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, settings: Settings, path: str
) -> None:
    settings.SITE_URL = "https://clinic.example"
    with django_assert_num_queries(0):
        response = client.get(path)
    assert response.status_code == 200
    assert response.cookies == {}
    assert response["Cache-Control"] == "public, max-age=300"
    page = response.content.decode()
    assert f'<link rel="canonical" href="https://clinic.example{path}">' in page
    assert page.count("<h1>") == 1
    assert "22 November 2026" in page
    assert f'href="/corrections/?page={path}"' in page
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", STATEMENTS)
def test_every_part_that_the_contents_list_names_is_on_the_page(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert sorted(ids) == sorted(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) - set(ids) == set()


def test_the_privacy_page_names_the_clinic_its_contact_and_where_to_complain(
    client: Client, settings: Settings
) -> None:
    page = " ".join(texts_of(main_of(client, "/privacy/")))
    for fact in (
        settings.CLINIC.name,
        settings.CLINIC.privacy_contact,
        settings.CLINIC.phone,
        settings.CLINIC.address,
        "(PHIPA)",
        "Information and Privacy Commissioner of Ontario",
        "We answer within 30 days",
    ):
        assert fact in page, fact
    assert "{" not in page


def test_every_page_leads_to_the_statements_and_to_visits_and_fees(client: Client) -> None:
    footer = client.get("/").content.decode().partition("<footer")[2]
    for path in [*STATEMENTS, "/visit/"]:
        assert f'href="{path}"' in footer


# --- Telling us ----------------------------------------------------------------------------------------------


def told(client: Client, **words: str) -> list[tuple[str, str, str]]:
    """The remarks that there are after this one was sent: page, text, e-mail."""
    client.post(FORM, WORDS | words)
    return list(Remark.objects.values_list("page", "text", "email"))


def test_the_link_under_an_article_fills_in_its_page(client: Client) -> None:
    article = make_article(slug="needles")
    main = main_of(client, article.get_absolute_url())
    assert '<a href="/corrections/?page=/articles/needles/">Is anything wrong with this page?</a>' in main
    form = main_of(client, "/corrections/?page=/articles/needles/")
    assert re.findall(r'name="page" value="([^"]*)"', form) == ["/articles/needles/"]


@pytest.mark.parametrize(
    "page",
    ["Call 555", "https://evil.example/", "//evil.example/<b>", "/articles/\n", "/x" * 200, "\x00", "/ä/"],
)
def test_a_link_cannot_put_a_stranger_s_words_into_the_form(client: Client, page: str) -> None:
    form = main_of(client, f"{FORM}?{urlencode({'page': page})}")
    assert re.findall(r'name="page"( value="[^"]*")?', form) == [""]


def test_a_remark_is_kept_and_the_reader_is_thanked_on_a_page_that_can_be_loaded_again(
    client: Client,
) -> None:
    before = timezone.now()
    response = client.post(FORM, WORDS | {"email": "reader@example.com"})
    assert (response.status_code, response["Location"]) == (302, "/corrections/?sent=1")
    remark = Remark.objects.get()
    assert (remark.page, remark.text, remark.email, remark.is_settled) == (
        "/articles/needles/",
        "The second number is wrong.",
        "reader@example.com",
        False,
    )
    assert before <= remark.sent_at <= timezone.now()
    assert texts_of(main_of(client, response["Location"]))[:2] == [
        "Thank you",
        "Your words have reached the clinic’s staff.",
    ]
    assert Remark.objects.count() == 1


def test_the_desk_gets_one_mail_without_a_word_of_the_stranger_s(settings: Settings) -> None:
    remark = note_remark(page="/a-canary/", text="b canary", email="c-canary@example.com", now=NOW)
    queued = QueuedMail.objects.get()
    assert (queued.kind, queued.to, queued.send_at) == ("remark", settings.CLINIC.email, NOW)
    address = f"{settings.SITE_URL}/admin/content/remark/{remark.pk}/change/"
    for part in (queued.text, queued.html):
        assert address in part
    assert "canary" not in queued.subject + queued.text + queued.html
    assert mail.deliver_due(now=NOW + timedelta(minutes=1)) == 1
    assert [message.to for message in outbox.outbox] == [[settings.CLINIC.email]]


def test_what_is_missing_or_wrong_is_said_at_its_field_and_nothing_typed_is_lost(client: Client) -> None:
    response = client.post(FORM, {"page": "", "text": "", "email": "reader@"})
    assert response.status_code == 200
    assert dict(response.context["form"].errors) == {
        "page": ["Enter the title or address of the page"],
        "text": ["Enter what is wrong with the page"],
        "email": ["Enter an e-mail address like name@example.com, or leave this empty"],
    }
    page = response.content.decode()
    assert "<title>Error: " in page
    assert 'value="reader@"' in page
    assert (Remark.objects.count(), QueuedMail.objects.count()) == (0, 0)


def test_a_new_line_counts_as_one_character_of_two_thousand(client: Client) -> None:
    assert told(client, text="a\r\n" * 999 + "ab") == [("/articles/needles/", "a\n" * 999 + "ab", "")]
    response = client.post(FORM, WORDS | {"text": "a" * 2001})
    assert dict(response.context["form"].errors) == {"text": ["Shorten this to 2,000 characters or fewer"]}


@pytest.mark.parametrize("field", ["page", "text", "email"])
@pytest.mark.parametrize("char", ["\x00", "\x07", "\ud800"])
def test_what_cannot_be_kept_is_refused_at_its_field(field: str, char: str) -> None:
    assert list(RemarkForm(WORDS | {field: f"a{char}@example.com"}).errors) == [field]


def test_remarks_are_taken_only_so_often_and_the_words_of_one_too_many_are_not_lost(client: Client) -> None:
    request = RequestFactory().post(FORM)
    for now in (timezone.now(), timezone.now() + limits.REMARK.per):  # a window may end just now
        for _ in range(limits.REMARK.from_one_address):
            with suppress(limits.OverLimit):
                limits.count(limits.REMARK, request, now=now)
    response = client.post(FORM, WORDS)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert (
        '<input type="hidden" name="text" value="The second number is wrong.">' in response.content.decode()
    )
    assert (Remark.objects.count(), QueuedMail.objects.count()) == (0, 0)


def test_the_page_is_kept_by_nobody_and_found_by_no_search(client: Client) -> None:
    response = client.get(FORM)
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"
    assert not response.has_header("Content-Encoding")


def test_a_form_without_our_token_is_refused() -> None:
    assert Client(enforce_csrf_checks=True).post(FORM, WORDS).status_code == 403


# --- At the desk ---------------------------------------------------------------------------------------------


def staff(client: Client, *permissions: str) -> Client:
    person = User.objects.create_user("person", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(person)
    return client


def test_staff_read_remarks_and_tick_off_what_is_dealt_with_and_change_no_word(client: Client) -> None:
    remark = note_remark(page="/privacy/", text="<b>Wrong</b>", email="", now=NOW)
    desk = staff(client, "view_remark", "change_remark")
    page = desk.get(f"/admin/content/remark/{remark.pk}/change/").content.decode()
    assert "&lt;b&gt;Wrong&lt;/b&gt;" in page
    desk.post(
        f"/admin/content/remark/{remark.pk}/change/", {"is_settled": "on", "text": "Right", "page": "x"}
    )
    remark.refresh_from_db()
    assert (remark.is_settled, remark.text, remark.page) == (True, "<b>Wrong</b>", "/privacy/")
    assert desk.get("/admin/content/remark/add/").status_code == 403


@pytest.mark.ignore_template_errors  # Django's own pages print what may be unset
def test_the_first_page_of_the_desk_says_how_many_remarks_wait_and_leads_to_them(client: Client) -> None:
    settled, *_waiting = [note_remark(page="/visit/", text="Wrong", email="", now=NOW) for _ in range(3)]
    Remark.objects.filter(pk=settled.pk).update(is_settled=True)
    desk = staff(client, "view_remark")
    page = " ".join(desk.get("/admin/").content.decode().split())
    assert "2 readers say that something is wrong with a page." in page
    waiting = "/admin/content/remark/?is_settled__exact=0"
    assert f'href="{waiting}"' in page
    assert desk.get(waiting).context["cl"].result_count == 2


def test_what_a_reader_wrote_is_erased_90_days_later_with_what_the_desks_own_log_says_of_it(
    client: Client,
) -> None:
    old, lately = (
        note_remark(page=f"/{days}/", text="Wrong", email="", now=NOW - timedelta(days=days))
        for days in (90, 89)
    )
    desk = staff(client, "view_remark", "change_remark")
    for remark in (old, lately):
        desk.post(f"/admin/content/remark/{remark.pk}/change/", {"is_settled": "on"})
    assert [erase_old_remarks(now=NOW), erase_old_remarks(now=NOW)] == [1, 0]
    assert list(Remark.objects.values_list("page", flat=True)) == ["/89/"]
    assert sorted(LogEntry.objects.values_list("object_repr", flat=True)) == ["", "/89/"]
    written = AuditRow.objects.filter(actor=None, act="erase").values_list("kind", "fields")
    assert list(written) == [("remark", "page, text, email")]
    Remark.objects.update(sent_at=timezone.now() - REMARKS_KEPT)
    call_command("worker", once=True)
    assert not Remark.objects.exists()


@pytest.mark.ignore_template_errors
def test_an_editor_of_articles_alone_does_not_read_what_readers_wrote(client: Client) -> None:
    remark = note_remark(page="/privacy/", text="Wrong", email="", now=NOW)
    desk = staff(client, "change_article")
    assert "says that something is wrong" not in desk.get("/admin/").content.decode()
    assert desk.get(f"/admin/content/remark/{remark.pk}/change/").status_code == 403
