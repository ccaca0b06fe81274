"""Fills an empty clinic with what it needs to be tried: sample people and rooms, visit types, articles."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from booking.starter import create_starter_clinic
from content.editing import EDITORS, make_editors_group
from content.starter import load_starter_articles


class Command(BaseCommand):
    help = (
        "Creates sample practitioners, rooms, hours, visit types and the articles where there are none yet."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for line in [*create_starter_clinic(), *load_starter_articles(timezone.now())]:
            self.stdout.write(line)
        if make_editors_group():
            self.stdout.write(f"Made the group “{EDITORS}”: they write articles and see no patient.")
