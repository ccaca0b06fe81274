"""How easily an English text is read: the rules it keeps, its reading grade, and the sentences to look at first."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from content.rendering import PARSER

# NHS digital service manual, “How we write”: sentences of 20 words and paragraphs of 3 sentences at most, whole
# numbers such as “1 in 10” and no percentages, a reading age of 9 to 11.
LONGEST_SENTENCE: Final = 20  # words
LONGEST_PARAGRAPH: Final = 3  # sentences
HARDEST_GRADE: Final = 5.0  # the school year of 10 to 11 year olds

WORD: Final = re.compile(r"[^\W_]+(?:[’',.‑-][^\W_]+)*")
# Not after a title such as “R. Ac”; and only where the next sentence begins.
SENTENCE_END: Final = re.compile(r"(?<=[.!?])(?<!\bR\.)(?<!\be\.g\.)[”’)]*\s+(?=[“‘(]?[A-Z0-9])")
PERCENTAGE: Final = re.compile(r"%|\bper ?cent\b", re.IGNORECASE)
DECIMAL: Final = re.compile(r"(?<!WCAG )(?<![\d.])\d+\.\d")  # a version is no amount


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that is broken, said for whoever rewrites the text, and the words that break it."""

    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured; `sentences` are in the order of the text, headings left out."""

    sentences: tuple[str, ...]
    longest_paragraph: int
    grade: float
    faults: tuple[Fault, ...]

    @property
    def words(self) -> int:
        return sum(map(count_words, self.sentences))

    @property
    def longest_sentence(self) -> int:
        return max(map(count_words, self.sentences), default=0)

    def worst(self, number: int) -> list[str]:
        """The sentences with the highest grade, worst first."""
        return sorted(self.sentences, key=lambda sentence: grade_of([sentence]), reverse=True)[:number]


def read(markdown: str) -> Reading:
    """Measures an article's Markdown; headings and the headings of cards are no sentences."""
    paragraphs = [split_sentences(paragraph) for paragraph in paragraphs_of(markdown)]
    sentences = [sentence for paragraph in paragraphs for sentence in paragraph]
    grade = grade_of(sentences)
    faults = faults_of(paragraphs)
    if grade > HARDEST_GRADE:
        faults.append(Fault(f"reading grade {grade:.1f}", "the whole text"))
    return Reading(tuple(sentences), max(map(len, paragraphs), default=0), grade, tuple(faults))


def faults_of(paragraphs: Sequence[Sequence[str]]) -> list[Fault]:
    """The rules that paragraphs, each of them its sentences, break one by one: all but that of the grade."""
    sentences = [sentence for paragraph in paragraphs for sentence in paragraph]
    return [
        *(
            Fault(f"{count_words(sentence)} words in a sentence", sentence)
            for sentence in sentences
            if count_words(sentence) > LONGEST_SENTENCE
        ),
        *(
            Fault(f"{len(paragraph)} sentences in a paragraph", " ".join(paragraph))
            for paragraph in paragraphs
            if len(paragraph) > LONGEST_PARAGRAPH
        ),
        *(Fault("a percentage: write “1 in 10”", text) for text in sentences if PERCENTAGE.search(text)),
        *(Fault("a decimal: write a whole number", text) for text in sentences if DECIMAL.search(text)),
    ]


def paragraphs_of(markdown: str) -> Iterator[str]:
    """The plain text of each paragraph, list item and table cell."""
    tokens = PARSER.parse(markdown)
    for before, token in pairwise(tokens):
        if token.type != "inline" or before.type == "heading_open":
            continue
        text = "".join(
            " " if child.type in {"softbreak", "hardbreak"} else child.content
            for child in token.children or []
            if child.type != "citation"
        )
        if WORD.search(text):
            yield text.strip()


def split_sentences(paragraph: str) -> list[str]:
    return [sentence for sentence in SENTENCE_END.split(paragraph) if WORD.search(sentence)]


def count_words(sentence: str) -> int:
    return len(WORD.findall(sentence))


def grade_of(sentences: list[str]) -> float:
    """The Automated Readability Index, a United States school grade; age is about five years more.

    It counts letters, not syllables, so it needs no dictionary and gives the same figure everywhere. Formula:
    R. J. Senter and E. A. Smith, Automated Readability Index, AMRL-TR-66-220, 1967.
    """
    words: list[str] = [word for sentence in sentences for word in WORD.findall(sentence)]
    if not words:
        return 0.0
    characters = sum(char.isalnum() for word in words for char in word)
    return 4.71 * characters / len(words) + 0.5 * len(words) / len(sentences) - 21.43
