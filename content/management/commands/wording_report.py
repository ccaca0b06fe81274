"""Tells where we say what we may not say, and what to say instead."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from content.texts import articles_in_english, own_texts, phrases
from content.wording import BANNED, banned_in


class Command(BaseCommand):
    help = "Looks for banned wording in every article, statement, template and translatable string."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--desk", action="store_true", help="in the articles as they stand at the desk instead"
        )

    def handle(self, *args: Any, desk: bool, **options: Any) -> None:
        """:raises CommandError: if a banned wording was found."""
        texts = articles_in_english() if desk else [*own_texts(), *phrases()]
        found = [(text.where, hit) for text in texts for hit in banned_in(text.markdown)]
        for where, hit in found:
            self.stdout.write(f"{where}: “{hit.words}”. Say instead: {hit.instead}")
        self.stdout.write(f"{len(BANNED)} rules, {len(texts)} texts, {len(found)} found.")
        if found:
            raise CommandError("Banned wording was found.")
