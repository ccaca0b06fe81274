"""Tells how easily each of our texts is read, and which rules it breaks."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from content.reading import (
    HARDEST_GRADE,
    LONGEST_PARAGRAPH,
    LONGEST_SENTENCE,
    faults_of,
    read,
    split_sentences,
)
from content.texts import articles_in_english, own_texts, phrases_for_patients


class Command(BaseCommand):
    help = "Prints how every article, statement and phrase keeps the rules, with the hardest sentences."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--desk",
            action="store_true",
            help="the articles as they stand at the desk, not those that come with the project",
        )
        parser.add_argument("--worst", type=int, default=3, help="so many sentences of each text (3)")

    def handle(self, *args: Any, desk: bool, worst: int, **options: Any) -> None:
        """:raises CommandError: if a text breaks a rule."""
        readings = [
            (text.where, read(text.markdown)) for text in (articles_in_english() if desk else own_texts())
        ]
        self.stdout.write(
            f"{'text':<52}{'words':>6}{'sentence':>10}{'paragraph':>11}{'grade':>7}{'faults':>8}"
        )
        for where, reading in readings:
            self.stdout.write(
                f"{where:<52}{reading.words:>6}{reading.longest_sentence:>10}{reading.longest_paragraph:>11}"
                f"{reading.grade:>7.1f}{len(reading.faults):>8}"
            )
        self.stdout.write(
            f"{'at most':<52}{'':>6}{LONGEST_SENTENCE:>10}{LONGEST_PARAGRAPH:>11}{HARDEST_GRADE:>7.1f}{0:>8}"
        )
        for where, reading in readings:
            self.stdout.write(f"\n{where}")
            for fault in reading.faults:
                self.stdout.write(f"  BROKEN  {fault.rule}: {fault.words}")
            for sentence in reading.worst(worst):
                self.stdout.write(f"  hard    {sentence}")
        broken = sum(len(reading.faults) for _, reading in readings)
        if not desk:
            broken += self._report_phrases()
        if broken:
            raise CommandError(f"{broken} rules are broken; each stands above as BROKEN.")

    def _report_phrases(self) -> int:
        """Pages, messages and code: they have no grade, but each sentence keeps the rules."""
        phrases = list(phrases_for_patients())
        faults = [
            (phrase.where, fault)
            for phrase in phrases
            for fault in faults_of([split_sentences(phrase.markdown)])
        ]
        self.stdout.write(f"\n{len(phrases)} phrases of pages, messages and code")
        for where, fault in faults:
            self.stdout.write(f"  BROKEN  {where}, {fault.rule}: {fault.words}")
        return len(faults)
