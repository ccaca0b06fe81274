"""Fills an empty clinic with what it needs to be tried: sample people and rooms, visit types, articles."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from booking.starter import create_starter_clinic
from clinic.roles import make_roles
from content.starter import load_starter_articles


class Command(BaseCommand):
    help = "Creates sample practitioners, rooms, hours, visit types, articles and roles where there are none."

    def handle(self, *args: Any, **options: Any) -> None:
        for line in [*create_starter_clinic(), *load_starter_articles(timezone.now()), *make_roles()]:
            self.stdout.write(line)
