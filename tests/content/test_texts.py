"""Our own texts keep the rules: easy to read, nothing promised, every link and source in its place."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from content.reading import Fault, faults_of, grade_of, paragraphs_of, read, split_sentences
from content.rendering import render_article
from content.starter import FOLDER, StarterArticle, read_starter_articles
from content.statements import statements
from content.texts import Text, own_texts, phrases, phrases_for_patients
from content.wording import BANNED, banned_in
from tests.content.factories import make_article

ARTICLES = read_starter_articles()
LINK = re.compile(r"\]\(([^)]+)\)")


def named(item: object) -> str:
    return str(getattr(item, "where", "") or getattr(item, "slug", item))


# --- Measuring -----------------------------------------------------------------------------------------------


def test_a_text_that_keeps_the_rules_has_no_faults() -> None:
    title = " ".join(["long"] * 21)  # a heading is no sentence
    reading = read(f"# {title}\n\nIt may help. About 1 in 10 felt it.[^1]\n\n- one\n- two\n")
    assert reading.sentences == ("It may help.", "About 1 in 10 felt it.", "one", "two")
    assert (reading.words, reading.longest_sentence, reading.longest_paragraph) == (11, 6, 2)
    assert reading.faults == ()


def test_each_rule_that_is_broken_is_named_with_the_words_that_break_it() -> None:
    long = " ".join(["a"] * 21) + "."
    reading = read(f"{long}\n\nOne. Two. Three. Four.\n\nIt was 5%.\n\nIt was 1.5 points.\n")
    assert reading.faults == (
        Fault("21 words in a sentence", long),
        Fault("4 sentences in a paragraph", "One. Two. Three. Four."),
        Fault("a percentage: write “1 in 10”", "It was 5%."),
        Fault("a decimal: write a whole number", "It was 1.5 points."),
    )


def test_hard_words_make_a_hard_text() -> None:
    reading = read("Practitioners individualise interventions.")
    assert [fault.rule for fault in reading.faults] == [f"reading grade {reading.grade:.1f}"]


def test_the_grade_is_that_of_the_published_formula() -> None:
    # 4.71 × 20 letters / 5 words + 0.5 × 5 words / 1 sentence − 21.43
    assert grade_of(["They have some good food."]) == pytest.approx(4.71 * 20 / 5 + 2.5 - 21.43)
    assert grade_of([]) == 0


@pytest.mark.parametrize(
    ("paragraph", "sentences"),
    [
        ("Ask an R. Ac first. Then wait.", ["Ask an R. Ac first.", "Then wait."]),
        ("It is “pretend.” So?", ["It is “pretend.", "So?"]),
        ("Serious harm is rare: 1 in 10,000 people.", ["Serious harm is rare: 1 in 10,000 people."]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(paragraph: str, sentences: list[str]) -> None:
    assert split_sentences(paragraph) == sentences


def test_cards_lists_and_tables_are_read_and_headings_are_not() -> None:
    markdown = "## No\n\n::: urgent No\n- one\n\n  two\n:::\n\n|three|\n|-|\n|[four](/x/)|\n\nfive\n**six**\n"
    assert list(paragraphs_of(markdown)) == ["one", "two", "three", "four", "five six"]


# --- What we say ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", own_texts(), ids=named)
def test_every_text_of_ours_is_easy_to_read(text: Text) -> None:
    reading = read(text.markdown)
    assert [(fault.rule, fault.words) for fault in reading.faults] == [], f"hardest: {reading.worst(5)}"


def test_every_phrase_that_patients_read_on_pages_and_in_messages_is_short() -> None:
    phrases_read = list(phrases_for_patients())
    broken = [
        (phrase.where, fault.rule, fault.words)
        for phrase in phrases_read
        for fault in faults_of([split_sentences(phrase.markdown)])
    ]
    assert broken == []
    assert {phrase.where for phrase in phrases_read} >= {
        "booking/notices.py",
        "booking/forms.py",
        "content/points.py",
        "templates/base.html",
        "templates/booking/mail/reminder.txt",
        "templates/content/article.html",
        "templates/home.html",
    }
    assert Text("templates/home.html", "48 in 100") in phrases_read  # without its markup
    assert not [phrase for phrase in phrases_read if "admin" in phrase.where]


def test_no_article_template_or_message_uses_a_banned_wording() -> None:
    texts = [*own_texts(), *phrases()]
    assert [(text.where, hit.words) for text in texts for hit in banned_in(text.markdown)] == []
    read_from = {text.where.split("/")[0] for text in texts}
    assert read_from >= {"articles", "privacy", "templates", "booking", "clinic", "content"}


@pytest.mark.parametrize(
    "claim",
    [
        "Safe and effective care.",
        "It is 100% safe.",
        "There are no side effects.",
        "Painless needles.",
        "It heals your back.",
        "We fix back pain.",
        "We relieve it: acupuncture relieves back pain.",
        "Results guaranteed.",
        "You will feel better in 3 visits.",
        "Research proves it.",
        "It is clinically proven.",
        "It releases your body's natural painkillers.",
        "It rebalances your qi.",
        "It is better than drugs.",
        "It has fewer side effects than medicines.",
        "Better than other clinics.",
        "The best acupuncturist in town.",
        "A top-rated clinic.",
        "Our back pain specialists.",
        "An expert in needles.",
        "A licensed acupuncturist.",
        "Ask Dr. Chan.",
        "陳醫師",
        "Read our testimonials.",
        "Five-star care.",
        "A 20-minute procedure.",
        "It is covered by insurance.",
        "A special offer.",
    ],
)
def test_what_the_college_forbids_is_found_in_any_case(claim: str) -> None:
    for spelled in (claim, claim.upper(), claim.lower() if "Dr." not in claim else claim):
        assert list(banned_in(spelled)), spelled


def test_every_rule_says_what_to_write_instead() -> None:
    assert [rule.pattern.pattern for rule in BANNED if not rule.instead] == []
    instead = " ".join(rule.instead for rule in BANNED)
    assert list(banned_in(instead.replace("testimonials", ""))) == []


# --- What every article has ----------------------------------------------------------------------------------


def test_the_set_is_complete_and_read_in_order() -> None:
    places = sorted((article.topic, article.position, article.slug) for article in ARTICLES)
    assert places == [
        ("acupuncture", 1, "acupuncture-for-back-pain"),
        ("acupuncture", 2, "acupuncture-for-low-back-pain-evidence"),
        ("acupuncture", 3, "acupuncture-for-upper-back-and-neck-pain"),
        ("acupuncture", 4, "how-acupuncture-may-work"),
        ("acupuncture", 5, "acupuncture-points-for-back-pain"),
        ("back-pain", 1, "back-pain"),
        ("back-pain", 2, "when-back-pain-needs-urgent-care"),
        ("safety", 1, "acupuncture-side-effects-and-safety"),
        ("safety", 2, "who-should-check-before-acupuncture"),
        ("visits", 1, "what-happens-at-an-acupuncture-visit"),
        ("visits", 2, "acupuncture-visits-cost-and-what-else-helps"),
    ]


@pytest.mark.parametrize("article", ARTICLES, ids=named)
def test_each_article_says_what_is_not_known_what_it_rests_on_and_that_we_have_an_interest(
    article: StarterArticle,
) -> None:
    headings = [heading.text for heading in render_article(article.body).contents]
    assert "What we do not know" in headings
    assert 3 <= len(article.key_points) <= 4
    assert render_article(article.body).cited == set(range(1, len(article.references) + 1))
    assert article.topic != "back-pain" or "so we have an interest" in article.body
    assert len(article.related_slugs) == 2


@pytest.mark.parametrize("article", ARTICLES, ids=named)
def test_other_sites_are_linked_from_the_list_of_sources_only(article: StarterArticle) -> None:
    assert [link for link in LINK.findall(article.body) if not link.startswith("/")] == []
    unlinked = [row["text"] for row in article.references if not {"doi", "url"} & set(row)]
    assert all("ISBN" in text for text in unlinked)


@pytest.mark.django_db
def test_every_link_within_the_site_leads_to_a_page_and_to_its_part(client: Client) -> None:
    call_command("starter_content")
    links = {link for text in own_texts() for link in LINK.findall(text.markdown) if link.startswith("/")}
    assert len(links) > 10
    for link in sorted(links):
        response = client.get(link)
        assert response.status_code == 200, link
        part = link.partition("#")[2]
        assert not part or f'id="{part}"' in response.content.decode(), link


def test_the_same_signs_stand_in_the_same_words_wherever_all_of_them_are_listed() -> None:
    cards = {
        card: {body.partition(f"::: {card} ")[2].partition("\n:::")[0] for body in bodies}
        for card in ("emergency", "urgent")
        if (
            bodies := [
                a.body
                for a in ARTICLES
                if a.slug in {"back-pain", "acupuncture-for-back-pain", "when-back-pain-needs-urgent-care"}
            ]
        )
    }
    assert {card: len(texts) for card, texts in cards.items()} == {"emergency": 1, "urgent": 1}


# --- The reports ---------------------------------------------------------------------------------------------


def test_the_reading_report_has_a_line_for_each_text_and_its_hardest_sentences() -> None:
    out = StringIO()
    call_command("reading_report", "--worst", "1", stdout=out)
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines[1 : len(own_texts()) + 1]] == [
        text.where for text in own_texts()
    ]
    assert sum(line.startswith("  hard ") for line in lines) == len(own_texts())
    assert re.fullmatch(r"\d{3,} phrases of pages, messages and code", lines[-1])


@pytest.mark.django_db
def test_the_reading_report_of_the_desk_fails_when_an_article_breaks_a_rule() -> None:
    make_article(body="It was 5%.", topic="safety", slug="risks")
    make_article(body="Het was 5%.", language="zh-hant")
    out = StringIO()
    with pytest.raises(CommandError, match=r"^1 rules are broken"):
        call_command("reading_report", "--desk", stdout=out)
    assert "  BROKEN  a percentage: write “1 in 10”: It was 5%." in out.getvalue()


def test_the_wording_report_tells_how_much_it_looked_at() -> None:
    out = StringIO()
    call_command("wording_report", stdout=out)
    assert re.fullmatch(rf"{len(BANNED)} rules, \d{{3,}} texts, 0 found\.\n", out.getvalue())


@pytest.mark.django_db
def test_the_wording_report_of_the_desk_fails_and_says_what_to_write_instead() -> None:
    make_article(body="It is painless.", slug="needles")
    out = StringIO()
    with pytest.raises(CommandError, match=r"^Banned wording was found\.$"):
        call_command("wording_report", "--desk", stdout=out)
    assert out.getvalue().startswith(
        "articles/needles: “painless”. Say instead: “Most people feel little or no pain."
    )


def test_statements_and_articles_come_from_files_that_are_all_read() -> None:
    folders = [FOLDER, Path(FOLDER).parent / "statements"]
    assert len(list(own_texts())) == sum(len(list(folder.glob("*.md"))) for folder in folders)
    assert [one.slug for one in statements()] == ["accessibility", "how-we-write", "privacy"]
