"""How readers find an article by words, with their slips, and what is never found."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from content.models import Article
from content.search import Found, create_index, drop_index, find_articles
from tests.content.factories import NOW, make_article, make_draft

pytestmark = pytest.mark.django_db


def found(query: str) -> Found:
    return find_articles(Article.objects.published(NOW), query)


def titles(query: str) -> list[str]:
    return [hit.article.title for hit in found(query).hits]


# --- What is found -------------------------------------------------------------------------------------------


def test_words_are_found_in_titles_summaries_key_points_and_texts_in_that_order() -> None:
    make_article(title="In the text", body="Long before sciatica was known.")
    make_article(title="In short", key_points="Sciatica often gets better.")
    make_article(title="About sciatica")
    make_article(title="Something else")
    assert titles("sciatica") == ["About sciatica", "In short", "In the text"]


@pytest.mark.parametrize(
    "query", ["needle", "Needles", "NEEDL", "thin needles", "needle, thin!", "thin  the needles", "“needles”"]
)
def test_other_forms_and_beginnings_of_a_word_find_it_too(query: str) -> None:
    make_article(title="A", body="Thin needles are used.")
    make_article(title="B", body="A thin mat.")
    assert titles(query) == ["A"]


def test_words_that_stand_everywhere_do_not_count() -> None:
    make_article(title="A", body="Back pain in pregnancy.")
    assert titles("what to do for the pain") == ["A"]
    assert titles("is it") == titles("") == titles("?!") == []


def test_the_passage_around_the_words_is_shown_with_the_words_marked() -> None:
    make_article(body="First a word. " * 40 + "Then **needles** & more.[^1] " + "Last a word. " * 40)
    [hit] = found("needle").hits
    assert [passage.text for passage in hit.passages if passage.found] == ["needles"]
    text = "".join(passage.text for passage in hit.passages)
    assert "needles & more. Last" in " ".join(text.split())
    assert 60 < len(text) < 400


def test_chinese_words_are_found_within_sentences_and_shown_without_gaps() -> None:
    make_article(title="A", language="zh-hant", body="如果您有下背痛，請先看醫生。")
    make_article(title="B", language="zh-hant", body="背部運動。")
    [hit] = found("背痛").hits
    assert hit.article.title == "A"
    assert "如果您有下背痛，請先看醫生。" in "".join(passage.text for passage in hit.passages)


def test_persian_words_are_found() -> None:
    make_article(title="A", language="fa", body="کمردرد شایع است.")
    assert titles("کمردرد") == ["A"]


# --- Slips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "word"), [("acupunture", "acupuncture"), ("siatica", "sciatica"), ("pregnency", "pregnancy")]
)
def test_a_slip_of_the_keyboard_is_read_as_the_word_it_looks_like(typed: str, word: str) -> None:
    make_article(title="A", body="Acupuncture and sciatica in pregnancy.")
    assert (titles(typed), found(typed).near, found(typed).read_as) == (["A"], True, ((typed, word),))


def test_where_no_article_has_all_the_words_those_with_some_are_shown() -> None:
    make_article(title="A", body="Needles.")
    make_article(title="B", body="Pregnancy.")
    assert sorted(titles("needles pregnancy")) == ["A", "B"]
    assert (found("needles pregnancy").near, found("needles pregnancy").read_as) == (True, ())


def test_what_looks_like_nothing_finds_nothing() -> None:
    make_article(body="Needles.")
    assert found("qwertyuiop") == Found()


# --- What is never found -------------------------------------------------------------------------------------


def test_drafts_and_what_comes_out_later_are_not_found_and_give_no_word_away() -> None:
    make_article(title="Out", body="Needles.")
    make_draft(body="Moxibustion.")
    make_article(body="Cupping.", published_at=NOW + timedelta(seconds=1))
    assert found("moxibustion") == found("cupping") == found("cuping") == Found()
    assert (titles("needles cuping"), found("needles cuping").read_as) == (["Out"], ())


def test_the_index_follows_every_change_of_an_article() -> None:
    article = make_article(title="A", body="Needles.")
    article.body = "Cupping."
    article.save()
    assert (titles("needles"), titles("cupping")) == ([], ["A"])
    article.status = Article.Status.DRAFT
    article.save()
    assert titles("cupping") == []
    article.status = Article.Status.PUBLISHED
    article.save()
    assert titles("cupping") == ["A"]
    article.delete()
    make_article()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM content_searchtext")
        assert cursor.fetchall() == [(1,)]


def test_a_change_that_is_taken_back_leaves_the_index_as_it_was() -> None:
    article = make_article(title="A", body="Needles.")
    article.body = "Cupping."
    with transaction.atomic():
        article.save()
        transaction.set_rollback(True)
    assert (titles("needles"), titles("cupping")) == (["A"], [])


def test_the_index_can_be_made_anew_from_the_articles() -> None:
    make_article(title="A", body="Needles.")
    make_draft(body="Needles.")
    drop_index(connection)
    create_index(connection)
    assert titles("needles") == []
    out = StringIO()
    call_command("index_articles", stdout=out)
    assert (titles("needles"), out.getvalue()) == (["A"], "Indexed 1 articles.\n")


NASTY = [
    "'; DROP TABLE content_article; --",
    '"',
    "*",
    "a:* & b | !c <-> d",
    "NEAR(a b, 2)",
    "title : needles",
    "needles OR",
    "-needles",
    "{title}: x",
    "\\",
    "%s",
    "\x02needles\x03",
    "١٢٣",
    "ß" * 50,
    "x" * 5000,
    "word " * 1000,
    "____",
    "<script>alert(1)</script>",
]


@pytest.mark.parametrize("query", NASTY)
def test_nothing_typed_is_taken_for_a_command(client: Client, query: str) -> None:
    make_article(body="Needles.")
    response = client.get("/articles/search/", {"q": query})
    assert response.status_code == 200
    assert "<script" not in response.text


# --- The page ------------------------------------------------------------------------------------------------


def text_of(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_the_page_shows_what_was_found_with_the_words_marked(client: Client) -> None:
    make_article(title="Needles & backs", slug="needles", body="They use **thin** needles & care.")
    page = client.get("/articles/search/?q=needle").text
    assert '<a href="/articles/needles/">Needles &amp; backs</a>' in page
    assert "They use thin <mark>needles</mark> &amp; care." in page
    assert '<input id="q" name="q" type="search" value="needle" maxlength="100"' in page
    assert '<meta name="robots" content="noindex">' in page
    assert "1 article Needles & backs" in text_of(page)


def test_the_page_says_how_it_read_a_slip(client: Client) -> None:
    make_article(body="Thin needles.")
    page = text_of(client.get("/articles/search/?q=neeedles").text)
    assert "No article has “neeedles”. We looked for “needles” instead." in page


def test_the_page_says_when_only_some_of_the_words_were_found(client: Client) -> None:
    make_article(body="Thin needles.")
    make_article(body="Pregnancy.")
    page = text_of(client.get("/articles/search/?q=needles+pregnancy").text)
    assert "No article has all of these words. These have some of them." in page


def test_the_page_says_when_nothing_was_found_and_what_to_try(client: Client) -> None:
    page = text_of(client.get("/articles/search/?q=%3Cb%3Exyz%3C/b%3E").text)
    assert "No article has anything about “<b>xyz</b>”. Try fewer words" in page
    assert "In an emergency call 911" in page


@pytest.mark.parametrize("where", ["/articles/", "/nowhere/", "/articles/search/"])
def test_one_can_search_from_the_list_and_where_a_page_is_missing(client: Client, where: str) -> None:
    page = client.get(where).text
    assert '<form class="find" role="search" action="/articles/search/">' in page
    assert '<label for="q">Search the articles</label>' in page


@pytest.mark.parametrize("rows", [1, 3])
def test_searching_asks_the_database_the_same_however_much_there_is(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    for _row in range(rows):
        make_article(body="Needles.", published_at=datetime(2026, 11, 1, tzinfo=UTC))
    for query, queries in (("needles", 2), ("neeedles", 4), ("", 0)):
        with django_assert_num_queries(queries):
            client.get("/articles/search/", {"q": query})


def test_searching_leaves_no_cookie(client: Client) -> None:
    response = client.get("/articles/search/?q=x")
    assert (response.cookies, response["Vary"]) == ({}, "Accept-Encoding")
