"""Asks every source and outside link of the published articles whether it still answers, and says which do not."""

import re
from collections import defaultdict
from html import unescape
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from content.links import LINK
from content.models import Article
from content.rendering import render_article

PATIENCE = 20  # seconds for one address
CANNOT_TELL = {401, 403, 405, 429, 503}  # publishers who let no program in; the DOI has resolved to get there
AGENT = "reference-check (a clinic checking the links of its own articles)"


def answer_of(address: str) -> str:
    """`ok`, `cannot tell` with the reason, or what is wrong with the address (http or https)."""
    request = Request(address, headers={"User-Agent": AGENT})  # noqa: S310 (only http and https come here)
    try:
        with urlopen(request, timeout=PATIENCE):  # noqa: S310 (as above)
            return "ok"
    except HTTPError as error:
        return f"cannot tell ({error.code})" if error.code in CANNOT_TELL else f"answers {error.code}"
    except (URLError, HTTPException, OSError, ValueError) as error:
        return f"does not answer ({getattr(error, 'reason', error)})"


class Command(BaseCommand):
    help = "Reports the references and outside links of published articles that no longer answer. Uses the network."

    def handle(self, *args: Any, **options: Any) -> None:
        """:raises CommandError: if an address is broken, so that a timer can send mail about it."""
        broken = 0
        for address, titles in sorted(self._addresses().items()):
            answer = answer_of(address)
            is_broken = not answer.startswith(("ok", "cannot tell"))
            broken += is_broken
            if is_broken or options["verbosity"] > 1 or answer != "ok":
                self.stdout.write(f"{answer}: {address} ({', '.join(sorted(titles))})")
        if broken:
            raise CommandError(f"{broken} broken")
        self.stdout.write("No reference is broken.")

    @staticmethod
    def _addresses() -> dict[str, set[str]]:
        """Each outside address with the titles of the articles that lead there."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for article in Article.objects.published(timezone.now()).prefetch_related("references"):
            links = [unescape(link) for link in LINK.findall(render_article(article.body).html)]
            for link in [*links, *(row.href for row in article.references.all())]:
                if re.match("https?://", link):
                    found[link].add(article.title)
        return found
