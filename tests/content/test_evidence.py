"""What studies and guidelines found, as readers see it and as staff write it."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from content.evidence import draw_crowd
from content.models import Article
from content.rendering import render_article
from content.starter import FOLDER
from tests.content.test_articles import texts_of
from tests.content.test_desk import ADD, WHOLE, faults_of

STUDY = """::: people Who felt better?
1,162 adults in Germany.[^1]

- 48 in 100 with *real* acupuncture
- 44 in 100 with pretend acupuncture
:::
"""
GUIDELINES = """::: guidelines Guidelines disagree
| Who | Year | What they say | Source |
|---|---|---|---|
| NICE | 2016, updated 2020 | **Advises against** it. | [^1] |
:::
"""


def dots_of(path: str) -> int:
    """How many dots a path of horizontal lines bears: one at its start, one at each whole unit."""
    return sum(int(float(length)) + 1 for length in re.findall(r"h([\d.]+)", path))


def test_a_study_is_its_heading_its_source_and_a_crowd_below_each_line() -> None:
    rendered = render_article(STUDY)
    assert rendered.html == (
        '<section class="evidence" aria-labelledby="card"><h2 id="card">Who felt better?</h2>'
        '<p>1,162 adults in Germany.<a class="cite" href="#r1" id="c1" aria-label="Reference 1">1</a></p>\n'
        '<ul class="people">\n'
        f"<li><strong>48 in 100</strong> with <em>real</em> acupuncture{draw_crowd(48)}</li>\n"
        f"<li><strong>44 in 100</strong> with pretend acupuncture{draw_crowd(44)}</li>\n"
        "</ul>\n</section>"
    )
    assert rendered.faults == ()


@pytest.mark.parametrize("count", range(101))
def test_a_crowd_has_a_hundred_people_and_as_many_large_dots_as_the_line_says(count: int) -> None:
    everyone, some = re.findall(r'<path d="([^"]*)"/>', draw_crowd(count))
    assert (dots_of(everyone), dots_of(some)) == (100, count)


def test_the_picture_is_for_the_eye_only_and_the_words_say_it_all() -> None:
    assert draw_crowd(48).startswith('<svg class="crowd" viewBox="0 0 25 4" aria-hidden="true">')
    assert texts_of(render_article(STUDY).html) == [
        "Who felt better?",
        "1,162 adults in Germany.",
        "1",
        "48 in 100",
        "with",
        "real",
        "acupuncture",
        "44 in 100",
        "with pretend acupuncture",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 in 100 people", "0 in 100"),
        ("100 in 100 people", "100 in 100"),
        ("1 in 100 people, after 6 months", "1 in 100"),
        ("100 人中有 48 人", "100 人中有 48"),
        ("۴۸ از ۱۰۰ نفر", "۴۸ از ۱۰۰"),
    ],
)
def test_people_are_counted_in_any_language(line: str, said: str) -> None:
    rendered = render_article(f"::: people Who?\nText.[^1]\n\n- {line}\n:::")
    assert rendered.faults == ()
    assert f"<li><strong>{said}</strong>" in rendered.html


@pytest.mark.parametrize(
    "line",
    [
        "148 in 100 people",
        "47.6 in 100 people",
        "about 48 in 100",
        "48 %",
        "1 in 2 people",
        "-5 in 100",
        "4 in 1000",
        pytest.param("9" * 5000 + " in 100", id="5,000 digits"),
        "**48** in 100",
    ],
)
def test_a_line_that_cannot_be_drawn_is_named(line: str) -> None:
    rendered = render_article(f"::: people Who?\nText.[^1]\n\n- {line}\n- 40 in 100 others\n:::")
    [fault] = rendered.faults
    assert fault == (
        "Below “Who?”, each line begins with whole numbers out of 100, such as “- 48 in 100 with acupuncture”. "
        f"This one does not: “{line}”."
    )
    assert rendered.html.count('<svg class="crowd"') == 1


def test_guidelines_stand_side_by_side_under_headings_that_are_read_out() -> None:
    rendered = render_article(GUIDELINES)
    assert rendered.faults == ()
    assert re.findall(r'<th scope="(\w+)">([^<]+)</th>', rendered.html) == [
        ("col", "Who"),
        ("col", "Year"),
        ("col", "What they say"),
        ("col", "Source"),
        ("row", "NICE"),
    ]


NO_YEAR = GUIDELINES.replace("2016, updated 2020", "last year")
NO_SOURCE = GUIDELINES.replace("[^1]", "a website")
NO_CELL = GUIDELINES.replace(" | **Advises against** it. | [^1] |", " |")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (
            STUDY.replace("48 in 100", "148 in 100"),
            "Below “Who felt better?”, each line begins with whole numbers",
        ),
        (
            STUDY.replace("[^1]", ""),
            "Name the source of “Who felt better?”: cite it with [^1] below that heading.",
        ),
        (
            re.sub(r"- .*\n", "", STUDY),
            "“Who felt better?” has no line such as “- 48 in 100 with acupuncture”.",
        ),
        (STUDY.replace("\n:::", ""), "A line with “:::” does not make a card."),
        (STUDY.replace(" Who felt better?", ""), "A line with “:::” does not make a card."),
        (NO_YEAR, "Below “Guidelines disagree”, each row says who, a year such as 2017"),
        (NO_SOURCE, "Below “Guidelines disagree”, each row says who, a year such as 2017"),
        (NO_CELL, "Below “Guidelines disagree”, each row says who, a year such as 2017"),
        (
            "::: guidelines Which?\nText.\n:::",
            "“Which?” has no table of guidelines: who, year, what they say, source.",
        ),
    ],
)
def test_a_mistake_in_the_evidence_is_said_at_the_text_and_nothing_is_saved(
    client: Client, body: str, fault: str
) -> None:
    client.force_login(User.objects.create_superuser("owner"))
    response = client.post(ADD, WHOLE | {"body": body, "status": "draft"})
    faults = faults_of(response)
    assert list(faults) == ["body"]
    assert len(faults["body"]) == 1
    assert faults["body"][0].startswith(fault)
    assert response.context["adminform"].form["body"].value() == body
    assert Article.objects.count() == 0


def test_every_mistake_is_said_at_once() -> None:
    both = STUDY.replace("48", "480").replace("44", "4.4") + "\n" + NO_YEAR
    assert len(render_article(both).faults) == 3


def drawn_in(slug: str) -> list[tuple[list[str], list[str]]]:
    """The sources and the people out of 100 of each block of a starter article."""
    rendered = render_article((FOLDER / f"{slug}.md").read_text(encoding="utf-8").split("---\n", 2)[2])
    assert rendered.faults == ()
    blocks = re.findall(r'<section class="evidence".*?</section>', rendered.html, re.DOTALL)
    return [
        (re.findall(r'href="#r(\d+)"', block), re.findall(r"<strong>(\d+) in 100", block)) for block in blocks
    ]


def test_our_articles_draw_the_three_studies_as_they_were_published() -> None:
    """GERAC: 47.6, 44.2 and 27.4 %; Cherkin: 60 and 39 %; BackInAction: 39.1, 43.8 and 29.4 %."""
    assert drawn_in("acupuncture-for-back-pain") == [
        (["6"], ["39", "44", "29"]),
        (["5"], ["48", "44", "27"]),
        (["4"], ["60", "39"]),
        (["9", "10", "11", "1"], []),
    ]
    assert drawn_in("acupuncture-for-low-back-pain-evidence") == [
        (["1"], ["48", "44", "27"]),
        (["2"], ["60", "39"]),
        (["3"], ["39", "44", "29"]),
        (["7", "8", "9", "10"], []),
    ]
