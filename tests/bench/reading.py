"""The articles that the served site is measured with, and which of them is asked for."""

from django.core.management import call_command
from django.db.models.functions import Length

from content.models import Article


def prepare(*, database: str, quick: bool) -> str:
    """The address of the longest starter article."""
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("starter_content", verbosity=0)
    return Article.objects.order_by(Length("body").desc())[0].get_absolute_url()
