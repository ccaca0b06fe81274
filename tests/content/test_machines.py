"""What search engines, feed readers and other sites are told about the clinic and its articles."""

import re
from datetime import UTC, datetime
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from django.test import Client
from PIL import Image
from pytest_django import DjangoAssertNumQueries, Settings

from content.cards import draw_card
from content.models import Article
from tests.content.factories import make_article, make_draft, make_reference
from tests.site.microdata import Item, faults_of, items_of

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(autouse=True)
def _at_home(settings: Settings) -> None:
    settings.SITE_URL = "https://clinic.example"


def changed_at(article: Article, moment: datetime) -> None:
    Article.objects.filter(pk=article.pk).update(updated_at=moment)


# --- The sitemap and robots.txt ------------------------------------------------------------------------------


def test_the_sitemap_lists_what_readers_may_see_and_when_it_changed(client: Client) -> None:
    shown, later = make_article(slug="shown"), make_article(slug="later")
    changed_at(shown, LONG_AGO)
    changed_at(later, LONG_AGO)
    Article.objects.filter(pk=later.pk).update(published_at=datetime(2026, 11, 5, 12, 0, tzinfo=UTC))
    make_draft()
    make_article(published_at=datetime(2999, 1, 1, tzinfo=UTC))
    response = client.get("/sitemap.xml", headers={"Host": "127.0.0.1"})
    assert response["Content-Type"] == "application/xml"
    listed = ET.fromstring(response.content)  # noqa: S314 (our own)
    assert [[part.text for part in url] for url in listed] == [
        ["https://clinic.example/"],
        ["https://clinic.example/visit/"],
        ["https://clinic.example/articles/"],
        ["https://clinic.example/points/"],
        ["https://clinic.example/how-we-write/"],
        ["https://clinic.example/privacy/"],
        ["https://clinic.example/accessibility/"],
        ["https://clinic.example/articles/shown/", "2026-11-03T07:00:00-05:00"],
        ["https://clinic.example/articles/later/", "2026-11-05T07:00:00-05:00"],
    ]


def test_the_sitemap_names_the_languages_of_a_translated_article(client: Client) -> None:
    english = make_article(slug="english")
    make_article(slug="persian", language="fa", translation_of=english)
    make_article(slug="draft", language="zh-hant", translation_of=english, status="draft")
    listed = ET.fromstring(client.get("/sitemap.xml").content)  # noqa: S314 (our own)
    languages = [("en-CA", "english"), ("fa", "persian")]
    for url in list(listed)[7:]:
        found = [(link.get("hreflang"), link.get("href")) for link in url.iter(f"{XHTML}link")]
        assert found == [(tag, f"https://clinic.example/articles/{slug}/") for tag, slug in languages]


def test_crawlers_are_kept_out_of_booking_private_pages_and_the_desk(client: Client) -> None:
    response = client.get("/robots.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.text.splitlines() == [
        "User-agent: *",
        "Disallow: /book/",
        "Disallow: /appointments/",
        "Disallow: /waitlist/",
        "Disallow: /calendars/",
        "Disallow: /admin/",
        "Sitemap: https://clinic.example/sitemap.xml",
    ]


# --- The feed ------------------------------------------------------------------------------------------------


def test_the_feed_has_the_newest_article_first_and_never_the_request_s_host(client: Client) -> None:
    old = make_article(
        slug="old", title="Old <1>", summary="A & b.", author="A. Writer", published_at=LONG_AGO
    )
    new = make_article(slug="new", published_at=datetime(2026, 11, 4, 12, 0, tzinfo=UTC))
    changed_at(old, datetime(2026, 11, 9, 12, 0, tzinfo=UTC))
    changed_at(new, LONG_AGO)
    make_draft()
    response = client.get("/articles/feed/", headers={"Host": "localhost"})
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert "localhost" not in response.text
    feed = ET.fromstring(response.content)  # noqa: S314 (our own)
    assert [(link.get("rel"), link.get("href")) for link in feed.findall(f"{ATOM}link")] == [
        ("alternate", "https://clinic.example/articles/"),
        ("self", "https://clinic.example/articles/feed/"),
    ]
    names = ["title", "id", "summary", "published", "updated"]
    assert [
        [entry.findtext(f"{ATOM}{name}") for name in names] for entry in feed.findall(f"{ATOM}entry")
    ] == [
        [
            new.title,
            "https://clinic.example/articles/new/",
            "What it is about.",
            "2026-11-04T12:00:00+00:00",
            "2026-11-04T12:00:00+00:00",
        ],
        [
            "Old <1>",
            "https://clinic.example/articles/old/",
            "A & b.",
            "2026-11-03T12:00:00+00:00",
            "2026-11-09T12:00:00+00:00",
        ],
    ]
    assert feed.findtext(f"{ATOM}entry/{ATOM}author/{ATOM}name") == "A. Writer"


def test_an_empty_feed_is_a_feed(client: Client) -> None:
    assert ET.fromstring(client.get("/articles/feed/").content).findall(f"{ATOM}entry") == []  # noqa: S314 (ours)


def test_the_list_leads_feed_readers_to_the_feed(client: Client) -> None:
    assert (
        '<link rel="alternate" type="application/atom+xml" href="/articles/feed/" title="Articles">'
        in client.get("/articles/").text
    )


# --- What other sites show beside a link ---------------------------------------------------------------------


def shared(page: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[a-z_]+)" content="([^"]*)">', page))


def test_a_link_to_an_article_is_shown_with_its_title_and_picture(client: Client) -> None:
    article = make_article(slug="needles", title="Needles & backs")
    assert shared(client.get(article.get_absolute_url()).text) == {
        "og:type": "article",
        "og:site_name": "Richmond Hill Acupuncture Pro",
        "og:title": "Needles &amp; backs",
        "og:description": "What it is about.",
        "og:url": "https://clinic.example/articles/needles/",
        "og:image": "https://clinic.example/articles/needles/card.png",
        "twitter:card": "summary_large_image",
    }


def test_a_link_to_the_home_page_is_shown_with_a_picture(client: Client) -> None:
    page = client.get("/").text
    assert shared(page)["og:image"] == "https://clinic.example/card.png"
    assert '<link rel="canonical" href="https://clinic.example/">' in page


@pytest.mark.parametrize("where", ["/card.png", "/articles/needles/card.png"])
def test_the_picture_has_the_size_that_other_sites_expect(client: Client, where: str) -> None:
    make_article(slug="needles")
    response = client.get(where)
    assert (response["Content-Type"], response["Cache-Control"]) == ("image/png", "public, max-age=86400")
    image = Image.open(BytesIO(response.content))
    assert (image.format, image.size) == ("PNG", (1200, 630))
    assert response.cookies == {}


def test_every_title_has_its_own_picture_and_other_scripts_get_the_plain_one(client: Client) -> None:
    pictures = [
        client.get(f"/articles/{make_article(**facts).slug}/card.png").content
        for facts in ({"title": "One"}, {"title": "Two"}, {"title": "背痛", "language": "zh-hant"})
    ]
    plain = draw_card("", "Richmond Hill Acupuncture Pro")
    assert [picture == plain for picture in pictures] == [False, False, True]
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("title", ["", "x" * 120, "word " * 24, "Incomprehensibilities " * 5])
def test_any_title_fits_a_picture(title: str) -> None:
    assert draw_card(title, "Clinic").startswith(b"\x89PNG")


def test_what_is_not_out_yet_has_no_picture(client: Client) -> None:
    assert client.get(f"/articles/{make_draft().slug}/card.png").status_code == 404


@pytest.mark.parametrize("slug", ["feed", "search"])
def test_an_article_cannot_take_the_address_of_a_page_of_ours(slug: str) -> None:
    with pytest.raises(Exception, match="A page of our own has this address"):
        make_draft(slug=slug).full_clean()


# --- What search engines understand --------------------------------------------------------------------------


def items_on(client: Client, where: str) -> list[Item]:
    items = items_of(client.get(where).text)
    assert [fault for item in items for fault in faults_of(item)] == []
    return items


def test_what_reads_the_vocabulary_would_notice_a_mistake() -> None:
    html = (
        '<p itemscope itemtype="https://schema.org/MedicalWebPage"><meta itemprop="aspect" content="x">'
        '<meta itemprop="flavour" content="x"><b itemprop="reviewedBy">Ann</b>'
        '<b itemprop="publisher" itemscope itemtype="https://schema.org/Recipe"></b>'
        '<time itemprop="lastReviewed" datetime="2026-11-1"></time></p>'
        '<p itemscope itemtype="https://schema.org/Acupuncture"></p>'
    )
    page, other = items_of(html.replace('datetime="2026-11-1"', 'datetime="2026-11-01"'))
    assert faults_of(page) == [
        "aspect is superseded by mainContentOfPage",
        "MedicalWebPage has no flavour",
        "publisher of MedicalWebPage is no Recipe",
        "reviewedBy of MedicalWebPage is none of ['Organization', 'Person']: Ann",
    ] or sorted(faults_of(page)) == sorted(
        [
            "aspect is superseded by mainContentOfPage",
            "MedicalWebPage has no flavour",
            "publisher of MedicalWebPage is no Recipe",
            "reviewedBy of MedicalWebPage is none of ['Organization', 'Person']: Ann",
        ]
    )
    assert faults_of(other) == ["there is no Acupuncture"]


def test_an_article_tells_machines_who_answers_for_it_and_what_it_rests_on(client: Client) -> None:
    article = make_article(
        slug="needles", title="Needles", author="A. Writer", reviewer="B. Reader, R. Ac", body="x[^1]"
    )
    changed_at(article, LONG_AGO)
    make_reference(article, 1, text="A study.", doi="10.1000/1")
    crumbs, page = items_on(client, "/articles/needles/")
    assert [
        (crumb.text("position"), crumb.text("name"), crumb.text("item"))
        for crumb in crumbs.all("itemListElement")
        if isinstance(crumb, Item)
    ] == [("1", "Home", "/"), ("2", "Articles", "/articles/")]
    assert page.type == "MedicalWebPage"
    assert {
        name: page.text(name)
        for name in ("name", "url", "inLanguage", "lastReviewed", "datePublished", "dateModified")
    } == {
        "name": "Needles",
        "url": "https://clinic.example/articles/needles/",
        "inLanguage": "en-CA",
        "lastReviewed": "2026-11-01",
        "datePublished": "2026-11-01",
        "dateModified": "2026-11-03",
    }
    assert page.item("author") == Item("Person", [("name", "A. Writer")])
    assert page.item("reviewedBy") == Item("Person", [("name", "B. Reader, R. Ac")])
    assert page.item("audience") == Item("MedicalAudience", [("audienceType", "Patient")])
    assert page.item("publisher").type == "MedicalClinic"
    assert page.item("citation") == Item(
        "CreativeWork", [("url", "https://doi.org/10.1000/1"), ("name", "A study.")]
    ) or page.item("citation") == Item(
        "CreativeWork", [("name", "A study."), ("url", "https://doi.org/10.1000/1")]
    )


def test_no_reviewer_is_invented_for_machines_either(client: Client) -> None:
    article = make_article(reviewer="", author="Richmond Hill Acupuncture Pro")
    _crumbs, page = items_on(client, article.get_absolute_url())
    assert page.all("reviewedBy") == []
    assert page.item("author").type == "Organization"


def test_the_home_page_tells_machines_where_when_and_how_to_ask_for_a_time(client: Client) -> None:
    [clinic] = items_on(client, "/")
    assert clinic.type == "MedicalClinic"
    assert clinic.item("potentialAction") == Item("ScheduleAction", [("target", "/book/")])
    assert {name: clinic.text(name) for name in ("name", "url", "address", "telephone", "openingHours")} == {
        "name": "Richmond Hill Acupuncture Pro",
        "url": "https://clinic.example/",
        "address": "Richmond Hill, Ontario (sample address)",
        "telephone": "905-555-0100",
        "openingHours": "Mo-Fr 09:00-18:00",
    }


def test_the_list_has_breadcrumbs_for_machines(client: Client) -> None:
    [crumbs] = items_on(client, "/articles/")
    assert crumbs.type == "BreadcrumbList"


# --- All of them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3])
def test_machines_ask_the_database_the_same_however_much_there_is(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    slug, *_others = [make_article().slug for _row in range(rows)]
    for where, queries in {"/sitemap.xml": 2, "/articles/feed/": 2, f"/articles/{slug}/card.png": 1}.items():
        with django_assert_num_queries(queries):
            assert client.get(where).status_code == 200


@pytest.mark.parametrize("where", ["/sitemap.xml", "/robots.txt", "/articles/feed/", "/card.png"])
def test_what_machines_fetch_leaves_no_cookie_and_is_only_read(client: Client, where: str) -> None:
    response = client.get(where)
    assert (response.status_code, dict(response.cookies)) == (200, {})
    assert "Cookie" not in response.get("Vary", "")
    assert "public" in response["Cache-Control"]
    assert client.post(where).status_code == 405


def test_an_article_changed_after_it_came_out_says_when() -> None:
    article = make_article()
    article.updated_at = LONG_AGO
    assert article.visibly_changed_at == LONG_AGO
    article.published_at = datetime(2026, 11, 30, tzinfo=UTC)
    assert article.visibly_changed_at == article.published_at
