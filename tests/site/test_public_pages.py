"""Pages for everybody are made once and kept, by each worker, until what they show is saved or its time has come."""

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from pytest_django import Settings

from booking.models import BookingRules, Resource, VisitType
from clinic.apps import SHOWN
from clinic.public_pages import KeptPageMiddleware, forget_pages, public_page
from content import editing
from content.history import Revision
from content.models import Article
from content.remarks import note_remark
from tests.booking.crowd import Crowd
from tests.booking.factories import make_practitioner, make_visit_type
from tests.content.factories import NOW, make_article, make_draft, make_reference

Committed = Callable[..., AbstractContextManager[Any]]

BACK = "/articles/back/"
# What each page asks the database when it is made.
QUERIES = {
    "/": 5,
    "/visit/": 3,
    "/articles/": 2,
    BACK: 6,
    "/articles/feed/": 2,
    "/sitemap.xml": 2,
    "/points/": 0,
    "/how-we-write/": 0,
    "/privacy/": 0,
    "/accessibility/": 0,
}


@pytest.fixture(autouse=True)
def _pages_are_kept(settings: Settings, tmp_path: Path) -> None:
    """As they are outside tests, but for each test in a place of its own."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = settings.CACHES | {"pages": {"BACKEND": backend, "LOCATION": str(tmp_path)}}


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Committed) -> Callable[[], AbstractContextManager[Any]]:
    """A block whose changes count as committed when it ends."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def make_everything_shown() -> Article:
    """An article with a source, a visit that can be booked, and somebody to book it with."""
    make_visit_type("Long visit", practitioners=[make_practitioner("Pat Sample")])
    article = make_article(slug="back", title="About the back")
    make_reference(article, 1)
    make_article(slug="more", title="More to read", topic=Article.Topic.VISITS)
    return article


def asked(client: Client, path: str, **headers: str) -> tuple[int, int]:
    """The status, and how many queries it took."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path, headers=headers)
    return response.status_code, len(queries)


# --- Kept -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("path", QUERIES)
def test_a_page_asks_the_database_when_it_is_made_and_then_no_more(client: Client, path: str) -> None:
    make_everything_shown()
    made, kept = asked(client, path), asked(client, path)
    assert (made, kept) == ((200, QUERIES[path]), (200, 0))


@pytest.mark.django_db
@pytest.mark.parametrize("path", QUERIES)
def test_a_kept_page_is_the_page_that_was_made_and_is_not_sent_to_who_has_it(
    client: Client, path: str
) -> None:
    make_article(slug="back")
    made, kept = [client.get(path, headers={"Accept-Encoding": "br"}) for _ in range(2)]
    assert (kept.content, dict(kept.headers)) == (made.content, dict(made.headers))
    assert (kept.cookies, kept["Vary"], kept["Cache-Control"]) == (
        {},
        "Accept-Encoding",
        "public, max-age=300",
    )
    again = client.get(path, headers={"Accept-Encoding": "br", "If-None-Match": kept["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert asked(client, path, **{"Accept-Encoding": "br", "If-None-Match": kept["ETag"]}) == (304, 0)


@pytest.mark.django_db
def test_who_has_the_page_already_lets_it_be_kept_for_others(client: Client) -> None:
    make_article(slug="back")
    etag = client.get(BACK)["ETag"]
    forget_pages()
    assert asked(client, BACK, **{"If-None-Match": etag}) == (304, QUERIES[BACK])
    assert asked(client, BACK) == (200, 0)


@pytest.mark.django_db
def test_each_browser_gets_the_kept_page_as_it_can_read_it(client: Client) -> None:
    make_article(slug="back")
    for _ in range(2):
        plain, small = client.get(BACK), client.get(BACK, headers={"Accept-Encoding": "br"})
        assert brotli.decompress(small.content) == plain.content
        assert plain["Content-Length"] == str(len(plain.content))


@pytest.mark.django_db
def test_staff_and_addresses_with_a_question_get_the_page_made_anew(client: Client) -> None:
    make_article(slug="back")
    client.get(BACK)
    assert asked(client, f"{BACK}?from=feed") == (200, 5)
    client.force_login(User.objects.create_user("ann", is_staff=True))
    assert asked(client, BACK) == (200, 5)  # and not when the next article comes out: nothing is kept


@pytest.mark.django_db
def test_a_page_that_is_kept_takes_no_forms(client: Client) -> None:
    assert [client.get("/").status_code, client.post("/").status_code] == [200, 405]


# --- Until something is saved ---------------------------------------------------------------------------------


def rename(article: Article) -> None:
    article.title = "Written anew"
    article.save()


def withdraw(article: Article) -> None:
    article.status = Article.Status.DRAFT
    article.save()


def revise_and_approve(article: Article) -> None:
    ann, ben = (User.objects.create_user(name) for name in ("ann", "ben"))
    draft = editing.revise_article(article=article, by=ann, now=NOW)
    draft.title = "Written anew"
    draft.save()
    editing.approve_article(article=draft, by=ben, now=NOW)


def restore(article: Article) -> None:
    owner = User.objects.create_superuser("owner")
    facts = editing.facts_of(article) | {"title": "As it was"}
    then = Revision.objects.create(
        article=article, number=1, act=Revision.Act.SAVED, facts=facts, made_at=NOW
    )
    editing.restore_revision(revision=then, by=owner, now=NOW)


def publish_another(article: Article) -> None:
    editing.approve_article(
        article=make_draft(title="Another", topic=article.topic),
        by=User.objects.create_superuser("owner"),
        now=NOW,
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "act", "shown"),
    [
        (BACK, rename, (True, "Written anew")),
        ("/", rename, (True, "Written anew")),
        ("/articles/", rename, (True, "Written anew")),
        ("/articles/feed/", rename, (True, "Written anew")),
        (BACK, withdraw, (False, "About the back")),
        ("/articles/", withdraw, (False, "About the back")),
        ("/articles/", Article.delete, (False, "About the back")),
        (BACK, revise_and_approve, (True, "Written anew")),
        (BACK, restore, (True, "As it was")),
        ("/articles/", publish_another, (True, "Another")),
        (BACK, lambda article: make_reference(article, 2, text="A study."), (True, "A study.")),
        (
            BACK,
            lambda article: article.related.set(Article.objects.filter(slug="more")),
            (True, "More to read"),
        ),
        ("/", lambda _: VisitType.objects.all().delete(), (False, "Long visit")),
        ("/", lambda _: Resource.objects.practitioners().delete(), (False, "Pat Sample")),
        ("/visit/", lambda _: BookingRules(cancellation_rule="Half.").save(), (True, "Half.")),
    ],
)
def test_what_is_saved_is_seen_at_once(
    client: Client,
    committed: Callable[[], AbstractContextManager[Any]],
    path: str,
    act: Callable[[Article], object],
    shown: tuple[bool, str],
) -> None:
    article = make_everything_shown()
    is_there, words = shown
    assert (words in client.get(path).text) != is_there
    assert asked(client, path) == (200, 0)
    with committed():
        act(article)
    assert (words in client.get(path).text) == is_there


@pytest.mark.django_db
def test_what_readers_write_throws_no_page_away(
    client: Client, committed: Callable[[], AbstractContextManager[Any]]
) -> None:
    make_article(slug="back")
    client.get(BACK)
    with committed():
        note_remark(page=BACK, text="Wrong", email="", now=NOW)
    assert asked(client, BACK) == (200, 0)


@pytest.mark.django_db
def test_a_page_is_thrown_away_only_when_what_was_saved_can_be_read(client: Client) -> None:
    """Else another worker would keep the page as it was, under the stamp of what is to come."""
    article = make_article(slug="back")
    client.get(BACK)
    rename(article)  # in the transaction of this test, which nobody else sees
    assert asked(client, BACK) == (200, 0)


@pytest.mark.django_db
def test_every_table_that_a_page_shows_throws_pages_away_when_it_changes(client: Client) -> None:
    make_everything_shown()
    with CaptureQueriesContext(connection) as queries:
        for path in QUERIES:
            client.get(path)
    tables = {table for query in queries for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])}
    assert tables == {apps.get_model(name)._meta.db_table for name in SHOWN}  # noqa: SLF001 (documented)


@pytest.mark.django_db
def test_what_staff_save_is_saved_even_if_the_stamp_cannot_be_written(
    settings: Settings, tmp_path: Path, client: Client, committed: Callable[[], AbstractContextManager[Any]]
) -> None:
    (tmp_path / "file").touch()
    settings.PAGES_STAMP = tmp_path / "file" / "pages.stamp"
    with committed():
        make_article(slug="back")
    assert client.get(BACK).status_code == 200


# --- Until its time comes -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_article_that_is_to_come_out_later_comes_out_at_that_moment(client: Client) -> None:
    make_article(slug="back")
    comes_out_at = timezone.now() + timedelta(seconds=1)
    make_article(title="Something new", published_at=comes_out_at)
    assert "Something new" not in client.get("/articles/").text
    assert asked(client, "/articles/") == (200, 0)
    time.sleep((comes_out_at - timezone.now()).total_seconds() + 0.01)
    assert "Something new" in client.get("/articles/").text
    assert asked(client, "/articles/") == (200, 0)


# --- In every worker ------------------------------------------------------------------------------------------


def look(number: int, title: str) -> None:
    """Raises unless this worker shows the title, from what it has kept the second time."""
    client = Client()
    assert title in client.get(BACK).text
    assert asked(client, BACK) == (200, 0)


def rename_in_one_worker(number: int, title: str) -> None:
    if number == 0:
        article = Article.objects.get(slug="back")
        article.title = title
        article.save()


@pytest.mark.django_db(transaction=True)
def test_what_one_process_saves_all_others_show_at_once(settings: Settings, tmp_path: Path) -> None:
    article = make_article(slug="back", title="First")
    with Crowd(2) as workers:
        rounds = [workers.all_at_once(look, "First")]
        article.title = "Second"
        article.save()
        rounds += [workers.all_at_once(look, "Second")]
        rounds += [workers.all_at_once(rename_in_one_worker, "Third")]
        rounds += [workers.all_at_once(look, "Third")]
        settings.PAGES_STAMP = tmp_path / "another machine"
        article.title = "Fourth"
        article.save()
        rounds += [workers.all_at_once(look, "Third")]  # the control: kept, until a minute is over
    assert rounds == [{"done": 2}] * 5


# --- Never kept -----------------------------------------------------------------------------------------------


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("The same for everybody")


def with_a_cookie(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("Yours")
    response.set_cookie("reader", "1")
    return response


def with_a_form(request: HttpRequest) -> HttpResponse:
    return HttpResponse(get_token(request))


def missing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Not here", status=404)


@pytest.mark.parametrize(("view", "made"), [(plain, 1), (with_a_cookie, 2), (with_a_form, 2), (missing, 2)])
def test_only_a_whole_page_without_anything_of_one_reader_s_is_kept(
    view: Callable[[HttpRequest], HttpResponse], made: int
) -> None:
    times: list[HttpRequest] = []

    def counted(request: HttpRequest) -> HttpResponse:
        times.append(request)
        return view(request)

    page = KeptPageMiddleware(public_page()(counted))
    for _ in range(2):
        page(RequestFactory().get("/page/"))
    assert len(times) == made


def in_its_language(request: HttpRequest) -> HttpResponse:
    return HttpResponse(translation.get_language())


def test_a_page_is_kept_for_each_language() -> None:
    page = KeptPageMiddleware(public_page()(in_its_language))
    for language in ("en-ca", "fa", "en-ca"):
        with translation.override(language):
            sent = page(RequestFactory().get("/page/"))
        assert isinstance(sent, HttpResponse)
        assert sent.content == language.encode()
