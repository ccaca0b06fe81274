"""Writes the search rows of all articles anew, for when rows came past `Article.save`: `loaddata`, another database."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from content.models import Article
from content.search import index_article


class Command(BaseCommand):
    help = (
        "Writes what readers can search anew from the articles; needed only after loading data by other ways."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            articles = list(Article.objects.all())
            for article in articles:
                index_article(article)
        self.stdout.write(f"Indexed {sum(article.is_published for article in articles)} articles.")
