"""What readers see of the articles, and when."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from content.models import Article, Reference
from tests.content.factories import NOW, make_article, make_draft, make_reference

pytestmark = pytest.mark.django_db


def main_of(client: Client, path: str) -> str:
    """The page's own part, one space wherever there is white space."""
    page = client.get(path).content.decode()
    return " ".join(page.partition('<main id="main" tabindex="-1">')[2].partition("</main>")[0].split())


def texts_of(html: str) -> list[str]:
    return [text.strip() for text in re.sub(r"<[^>]+>", "\n", html).splitlines() if text.strip()]


# --- Who sees what -------------------------------------------------------------------------------------------


def test_readers_see_what_is_published_and_due() -> None:
    shown = make_article(published_at=NOW)
    make_article(published_at=NOW + timedelta(seconds=1))
    make_draft()
    assert list(Article.objects.published(NOW)) == [shown]


@pytest.mark.parametrize("facts", [{"status": "draft"}, {"published_at": datetime(2999, 1, 1, tzinfo=UTC)}])
def test_an_article_that_is_not_out_yet_cannot_be_found(client: Client, facts: dict[str, object]) -> None:
    hidden = make_article(**facts)
    assert client.get(hidden.get_absolute_url()).status_code == 404
    assert hidden.title not in client.get("/articles/").content.decode()


@pytest.mark.parametrize(
    "path", ["none-such/", "%00/", "a%00b/", "x" * 5000 + "/", "..%2f..%2f/", "%ed%a0%80/", "9" * 400 + "/"]
)
def test_an_address_that_was_never_an_article_is_not_found(client: Client, path: str) -> None:
    assert client.get(f"/articles/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/articles/", "/articles/back/"])
def test_pages_are_the_same_for_everybody_and_leave_no_cookie(client: Client, path: str) -> None:
    make_article(slug="back")
    response = client.get(path)
    assert response.status_code == 200
    assert response.cookies == {}
    assert response["Vary"] == "Accept-Encoding"  # compressed or not, never by cookie
    assert response["Cache-Control"] == "public, max-age=300"
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/articles/", "/articles/back/", "/articles/feed/"])
def test_what_a_reader_has_already_is_not_sent_again_until_it_changes(client: Client, path: str) -> None:
    article = make_article(slug="back")
    headers = {"Accept-Encoding": "gzip"}
    first = client.get(path, headers=headers)
    headers["If-None-Match"] = first["ETag"]
    again = client.get(path, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    article.title = "Changed"
    article.save()
    assert client.get(path, headers=headers).status_code == 200


# --- The article ---------------------------------------------------------------------------------------------


def test_a_whole_article_page(client: Client, settings: Settings) -> None:
    settings.SITE_URL = "https://clinic.example"
    article = make_article(
        title="Needles & backs",
        slug="needles",
        summary="What <it> is.",
        key_points="It may help.\n\n  It may not.  \n",
        body="## What it is\n\nThin needles.[^1]\n\n## Does it work?\n\nPerhaps.[^2]\n",
        reviewer="B. Reader, R. Ac",
    )
    make_reference(article, 2, text="Second study.", url="https://study.example/2")
    make_reference(article, 1, text="First <study>.", doi="10.1000/1(a)<b>")
    other = make_article(title="Another one", slug="another", summary="More.", position=1)
    article.related.set([other])

    page = client.get("/articles/needles/").content.decode()
    assert "<title>Needles &amp; backs – Richmond Hill Acupuncture Pro</title>" in page
    assert '<meta name="description" content="What &lt;it&gt; is.">' in page
    assert '<link rel="canonical" href="https://clinic.example/articles/needles/">' in page

    main = main_of(client, "/articles/needles/")
    assert texts_of(main) == [
        "Home",
        "Articles",
        "Back pain and acupuncture: page 1 of 2",
        "Needles &amp; backs",
        "Another one",
        "Needles &amp; backs",
        "What &lt;it&gt; is.",
        "Page last reviewed",
        "1 November 2026",
        "In short",
        "It may help.",
        "It may not.",
        "On this page",
        "What it is",
        "Does it work?",
        "Sources",
        "What it is",
        "Thin needles.",
        "1",
        "Does it work?",
        "Perhaps.",
        "2",
        "Sources",
        "First &lt;study&gt;.",
        "doi:10.1000/1(a)&lt;b&gt;",
        "Second study.",
        "https://study.example/2",
        "Written by",
        "A. Writer",
        "Clinical reviewer",
        "B. Reader, R. Ac",
        "Page last reviewed",
        "1 November 2026",
        "Next review due",
        "1 November 2028",
        "We offer this treatment, so we have an interest.",
        "Is anything wrong with this page?",
        "Talk it through in person",
        "A first visit is a chance to ask. Before you choose a time, we check for signs that need a doctor first.",
        "Book a visit",
        "Related articles",
        "Another one",
        "More.",
        "Next",
        "Another one",
    ]
    assert re.findall(r'<a [^>]*href="([^"]+)"', main) == [
        "/",
        "/articles/",
        other.get_absolute_url(),
        "#what-it-is",
        "#does-it-work",
        "#sources",
        "#r1",
        "#r2",
        "https://doi.org/10.1000/1(a)%3Cb%3E",
        "https://study.example/2",
        "/corrections/?page=/articles/needles/",
        "/book/",
        other.get_absolute_url(),
        other.get_absolute_url(),
    ]
    assert '<li id="r2" value="2"' in main
    assert '<time class="nowrap" datetime="2028-11-01">' in main


def test_every_link_within_an_article_page_has_its_target_once(client: Client) -> None:
    article = make_article(
        body="::: note Sources\nx\n:::\n\n## Sources\n\na[^1]\n\n## R1\n\n## Book\n\n## Main\n"
    )
    make_reference(article, 1)
    make_article()
    page = client.get(article.get_absolute_url()).content.decode()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert sorted(ids) == sorted(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) - set(ids) == set()
    assert set(re.findall(r'aria-labelledby="([^"]+)"', page)) - set(ids) == set()


def test_without_a_reviewer_the_page_says_that_it_awaits_clinical_review(client: Client) -> None:
    main = main_of(client, make_article(reviewer="").get_absolute_url())
    assert "<dt>Clinical reviewer</dt><dd>Awaiting clinical review</dd>" in main


@pytest.mark.parametrize(
    ("topic", "times"), [("acupuncture", 1), ("safety", 1), ("visits", 1), ("back-pain", 0)]
)
def test_pages_about_our_treatment_say_that_we_have_an_interest(
    client: Client, topic: str, times: int
) -> None:
    main = main_of(client, make_article(topic=topic).get_absolute_url())
    assert main.count("We offer this treatment, so we have an interest.") == times


def test_a_short_article_has_no_empty_lists(client: Client) -> None:
    main = main_of(client, make_article(body="Text.", topic="back-pain").get_absolute_url())
    assert texts_of(main)[6:10] == ["Text.", "Written by", "A. Writer", "Clinical reviewer"]
    assert "Related articles" not in main
    assert "page 1 of" not in main


# --- The invitation to book ----------------------------------------------------------------------------------


def test_the_invitation_to_book_never_stands_right_under_an_emergency_card(client: Client) -> None:
    article = make_article(body="Text.\n\n::: emergency Call 911 if you:\n- cannot pee\n:::\n")
    main = main_of(client, article.get_absolute_url())
    between = main.partition('class="care care--now"')[2].partition('<section class="cta"')[0]
    assert texts_of(between)[-11:] == [
        "cannot pee",
        "Written by",
        "A. Writer",
        "Clinical reviewer",
        "Awaiting clinical review",
        "Page last reviewed",
        "1 November 2026",
        "Next review due",
        "1 November 2028",
        "We offer this treatment, so we have an interest.",
        "Is anything wrong with this page?",
    ]
    assert "/book/" not in between


def test_an_article_for_those_who_may_need_a_doctor_does_not_invite_to_book(client: Client) -> None:
    inviting, other = make_article(), make_article(invites_booking=False)
    pages = [client.get(article.get_absolute_url()).content.decode() for article in (inviting, other)]
    above_the_footer = [page.partition("<footer")[0] for page in pages]
    assert [page.count('href="/book/"') for page in above_the_footer] == [2, 1]
    assert '<a class="book-here" href="/book/">Book a visit</a>' in above_the_footer[1], (
        "a plain link in the header"
    )


# --- Related articles ----------------------------------------------------------------------------------------


def test_staff_choose_what_to_read_next_and_drafts_are_left_out() -> None:
    article, chosen, draft = make_article(), make_article(topic="safety"), make_draft()
    make_article()
    article.related.set([chosen, draft])
    assert article.related_articles(NOW) == [chosen]
    assert chosen.related_articles(NOW) == []


def test_three_related_articles_are_shown_at_most() -> None:
    article = make_article(title="A")
    others = [make_article(title=title) for title in "BCDE"]
    article.related.set(others)
    assert article.related_articles(NOW) == others[:3]


# --- The list ------------------------------------------------------------------------------------------------


def test_the_list_is_grouped_by_topic_in_the_clinic_s_order(client: Client) -> None:
    make_article(title="Risks", topic="safety", summary="S1.")
    make_article(title="Zones", topic="acupuncture", position=1, summary="S2.")
    make_article(title="Needles", topic="acupuncture", position=2, summary="S3.")
    assert texts_of(main_of(client, "/articles/"))[5:] == [
        "Acupuncture",
        "Zones",
        "S2.",
        "Needles",
        "S3.",
        "Side effects and safety",
        "Risks",
        "S1.",
    ]


def test_an_empty_list_says_so(client: Client) -> None:
    assert texts_of(main_of(client, "/articles/"))[-1] == "There are no articles yet."


@pytest.mark.parametrize("rows", [1, 3])
def test_pages_ask_the_database_the_same_however_much_there_is(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    article, *_others = [make_article() for _row in range(rows)]
    for number in range(1, rows + 1):
        make_reference(article, number, doi=f"10.1000/{number}")
    with django_assert_num_queries(2):
        client.get("/articles/")
    with django_assert_num_queries(6):
        client.get(article.get_absolute_url())


# --- What the database itself refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "facts",
    [
        {"published_at": None},
        {"reviewed_on": None},
        {"review_due_on": None},
        {"summary": ""},
        {"body": ""},
        {"author": ""},
        {"status": "out"},
        {"review_due_on": date(2026, 11, 1)},
    ],
)
def test_an_incomplete_article_cannot_be_published(facts: dict[str, object]) -> None:
    article = make_article()
    with pytest.raises(IntegrityError), transaction.atomic():
        Article.objects.filter(pk=article.pk).update(**facts)


def test_a_draft_may_be_incomplete() -> None:
    draft = make_draft(summary="", body="", author="", reviewed_on=None, review_due_on=None)
    draft.full_clean()


@pytest.mark.parametrize(
    "facts", [{"doi": "10.1000/1", "url": "https://a.example/"}, {"number": 0}, {"number": 2}]
)
def test_a_source_has_one_link_at_most_and_a_number_of_its_own(facts: dict[str, object]) -> None:
    article = make_article()
    make_reference(article, 2)
    first = make_reference(article, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reference.objects.filter(pk=first.pk).update(**facts)


def test_a_source_without_a_link_has_none(client: Client) -> None:
    article = make_article()
    assert make_reference(article, 1, text="A book.").href == ""
    main = main_of(client, article.get_absolute_url())
    listed = re.search(r'<li id="r1"[^>]*>(.*?)</li>', main)
    assert listed
    assert listed[1] == '<span itemprop="name">A book.</span>'


def test_the_clock_of_the_pages_is_the_present(client: Client) -> None:
    soon = make_article(published_at=timezone.now() - timedelta(seconds=1))
    assert client.get(soon.get_absolute_url()).status_code == 200
