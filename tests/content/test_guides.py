"""The pages that are read one after the other."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from content.guides import guide_of
from tests.content.factories import NOW, make_article, make_draft
from tests.content.test_articles import main_of

pytestmark = pytest.mark.django_db


def test_the_pages_about_the_condition_make_one_guide_in_reading_order() -> None:
    risks = make_article(topic="safety")
    second = make_article(topic="acupuncture", position=2)
    first = make_article(topic="acupuncture", position=1)
    overview = make_article(topic="back-pain", position=9)
    make_article(topic="visits")
    make_article(topic="safety", language="fa")
    make_article(topic="safety", published_at=NOW + timedelta(seconds=1))
    make_draft(topic="safety")
    guide = guide_of(second, NOW)
    assert guide is not None
    assert str(guide.title) == "Back pain and acupuncture"
    assert guide.pages == (overview, first, second, risks)
    assert (guide.before, guide.after) == (first, risks)


def test_the_pages_about_visits_are_a_guide_of_their_own() -> None:
    first, last = make_article(topic="visits", position=1), make_article(topic="visits", position=2)
    make_article(topic="safety")
    guides = [guide_of(page, NOW) for page in (first, last)]
    assert [(str(one.title), one.pages, one.before, one.after) for one in guides if one] == [
        ("Visits and fees", (first, last), None, last),
        ("Visits and fees", (first, last), first, None),
    ]


def test_a_page_that_stands_alone_has_no_guide(client: Client) -> None:
    alone = make_article()
    assert guide_of(alone, NOW) is None
    main = main_of(client, alone.get_absolute_url())
    assert ("<nav class=" in main, 'class="guide"' in main, 'class="pager"' in main) == (True, False, False)


def test_every_page_lists_the_guide_and_leads_on_and_back(client: Client) -> None:
    first, second, third = (make_article(title=title, position=place) for place, title in enumerate("ABC"))
    main = main_of(client, second.get_absolute_url())
    assert "Back pain and acupuncture: page 2 of 3" in main
    listed = main.partition('<nav class="guide"')[2].partition("</nav>")[0]
    assert re.findall(r"<li>(.*?)</li>", listed) == [
        f'<a href="{first.get_absolute_url()}">A</a>',
        '<span aria-current="page">B</span>',
        f'<a href="{third.get_absolute_url()}">C</a>',
    ]
    leading = main.partition('<nav class="pager"')[2].partition("</nav>")[0]
    assert re.findall(r'href="([^"]+)" rel="(\w+)"', leading) == [
        (first.get_absolute_url(), "prev"),
        (third.get_absolute_url(), "next"),
    ]


@pytest.mark.parametrize("pages", [1, 9])
def test_a_guide_is_read_in_one_query(django_assert_num_queries: DjangoAssertNumQueries, pages: int) -> None:
    article, *_others = [make_article() for _page in range(pages)]
    with django_assert_num_queries(1):
        guide = guide_of(article, NOW)
        assert guide is None or [str(page) for page in guide.pages]
