"""How readers find articles by words: what is indexed, how words match, how a slip of the keyboard is forgiven.

One table, `content_searchtext`, has a row for every published article: SQLite's FTS5, or a `tsvector` on PostgreSQL.
Both match beginnings of words by their English stem and weigh the title above the summary above the text. What a
reader may see is not decided here: only the articles handed in are ever found.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from content.rendering import render_article

if TYPE_CHECKING:
    from content.models import Article

WORDS_AT_MOST: Final = 8
CLOSE_ENOUGH: Final = 0.8  # of 1; “neadle” is 0.83 like “needle”, “driving” 0.75 like “relieving”
BEGIN, END = "\x02", "\x03"  # around a found word; no article can hold them
HAN = "\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{HAN}]|[^\W_{HAN}]{{1,40}}")
BETWEEN_HAN = re.compile(rf"(?<=[{HAN}])(?=[{HAN}])")
SPACE_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}])([{BEGIN}{END}]*) ([{BEGIN}{END}]*)(?=[{HAN}])")
# Too common to tell articles apart; PostgreSQL's own list for English leaves them out as well.
COMMON: Final = frozenset(
    """a an and are as at be but by can do does for from get has have how i if in is it its me my of on or should so
    that the then there this to was we what when where which who why will with you your""".split()  # noqa: SIM905
)

CREATE: Final = {
    "sqlite": "CREATE VIRTUAL TABLE content_searchtext USING fts5(title, lead, body, tokenize = 'porter unicode61')",
    "postgresql": """
        CREATE TABLE content_searchtext (
            rowid bigint PRIMARY KEY, title text NOT NULL, lead text NOT NULL, body text NOT NULL,
            document tsvector NOT NULL GENERATED ALWAYS AS (
                setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', lead), 'B')
                || setweight(to_tsvector('english', body), 'D')
            ) STORED
        );
        CREATE INDEX content_searchtext_document ON content_searchtext USING gin (document)
        """,
}
FIND: Final = {  # given BEGIN, END and what to match
    "sqlite": """
        SELECT rowid, snippet(content_searchtext, 2, %s, %s, '…', 32) FROM content_searchtext
        WHERE content_searchtext MATCH %s ORDER BY bm25(content_searchtext, 10.0, 4.0, 1.0), rowid
        """,
    "postgresql": """
        SELECT rowid, '…' || ts_headline(
            'english', body, query,
            'StartSel=' || %s || ', StopSel=' || %s || ', MinWords=20, MaxWords=32'
        ) || '…'
        FROM content_searchtext, to_tsquery('english', %s) AS query
        WHERE document @@ query ORDER BY ts_rank(document, query) DESC, rowid
        """,
}


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article's text; `found` if it is one of the reader's words."""

    text: str
    found: bool


@dataclass(frozen=True, slots=True)
class Hit:
    article: "Article"
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The best articles first. `near`: none has all the words, and these have some of them.

    `read_as` pairs each word that no article has with the one it was taken for.
    """

    hits: tuple[Hit, ...] = ()
    near: bool = False
    read_as: tuple[tuple[str, str], ...] = ()


def find_articles(visible: Iterable["Article"], query: str) -> Found:
    """The articles among `visible` that have every word of `query`; where there are none, those with some.

    Asks the database twice, or four times where nothing has every word.
    """
    words = _telling_words(query)
    if not words:
        return Found()
    by_pk = {article.pk: article for article in visible}
    if hits := _hits(by_pk, words, every=True):
        return Found(hits)
    read_as = _read_as(words, _vocabulary(by_pk))
    hits = _hits(by_pk, [read_as.get(word, word) for word in words], every=False)
    return Found(hits, near=bool(hits), read_as=tuple(read_as.items()) if hits else ())


def index_article(article: "Article", using: BaseDatabaseWrapper = connection) -> None:
    """Writes the article's row if it is published, and takes away every row that stands for none that is."""
    with using.cursor() as cursor:
        cursor.execute(
            "DELETE FROM content_searchtext WHERE rowid = %s"
            " OR rowid NOT IN (SELECT id FROM content_article WHERE status = 'published')",
            [article.pk],
        )
        if article.status == "published":
            lead = f"{article.summary} {article.key_points}"
            cursor.execute(
                "INSERT INTO content_searchtext (rowid, title, lead, body) VALUES (%s, %s, %s, %s)",
                [article.pk, *map(_plain, (article.title, lead, _readable(article.body)))],
            )


def create_index(using: BaseDatabaseWrapper) -> None:
    with using.cursor() as cursor:
        cursor.execute(CREATE[using.vendor])


def drop_index(using: BaseDatabaseWrapper) -> None:
    with using.cursor() as cursor:
        cursor.execute("DROP TABLE content_searchtext")


def _readable(markdown: str) -> str:
    """The text as readers have it before them, without the numbers of references."""
    html = re.sub(r'<a class="cite".*?</a>', "", render_article(markdown).html)
    text = re.sub(r"<[^>]*>", " ", re.sub(r"</(?:h2|h3|li|t[dh])>", " · ", html))
    return unescape(re.sub(r"([.:!?])\s*·", r"\1", text))


def _plain(text: str) -> str:
    """One space between words, and between Chinese characters, each of which is indexed as a word."""
    words = " ".join(re.sub(r"[\x00-\x1f]", " ", text).split())
    return BETWEEN_HAN.sub(" ", words)


def _telling_words(query: str) -> list[str]:
    words = WORD.findall(query.lower())[:WORDS_AT_MOST]
    return [word for word in words if word not in COMMON]


def _hits(by_pk: dict[int, "Article"], words: Sequence[str], *, every: bool) -> tuple[Hit, ...]:
    if connection.vendor == "postgresql":
        expression = (" & " if every else " | ").join(f"{word}:*" for word in words)
    else:
        expression = (" AND " if every else " OR ").join(f'"{word}"*' for word in words)
    with connection.cursor() as cursor:
        cursor.execute(FIND[connection.vendor], [BEGIN, END, expression])
        rows = cursor.fetchall()
    return tuple(Hit(by_pk[pk], _passages(snippet)) for pk, snippet in rows if pk in by_pk)


def _passages(snippet: str) -> tuple[Passage, ...]:
    pieces = re.split(f"([{BEGIN}{END}])", SPACE_BETWEEN_HAN.sub(r"\1\2", snippet))
    found, passages = False, []
    for piece in pieces:
        if piece in {BEGIN, END}:
            found = piece == BEGIN
        elif piece:
            passages.append(Passage(piece, found))
    return tuple(passages)


def _vocabulary(by_pk: dict[int, "Article"]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rowid, title || ' ' || lead || ' ' || body FROM content_searchtext")
        rows = cursor.fetchall()
    return {word for pk, text in rows if pk in by_pk for word in WORD.findall(text.lower())}


def _read_as(words: Sequence[str], vocabulary: set[str]) -> dict[str, str]:
    """For each word that begins no word of the articles, the one that looks most like it, if any does.

    The same on both databases, where FTS5's trigrams and PostgreSQL's extension pg_trgm would differ.
    """
    read_as = {}
    for word in words:
        if not any(known.startswith(word) for known in vocabulary):
            alike = [known for known in vocabulary if abs(len(known) - len(word)) <= 2]  # noqa: PLR2004 (letters)
            for close in difflib.get_close_matches(word, sorted(alike), 1, CLOSE_ENOUGH):
                read_as[word] = close
    return read_as
