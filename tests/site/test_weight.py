"""What a reader's phone has to fetch before an article can be read: one round trip, nothing to run, nothing to keep."""

import gzip
import re
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from whitenoise.compress import Compressor

from content.models import Article
from tests.content.factories import make_article

pytestmark = pytest.mark.django_db

# What a server may send before it waits for the first answer: ten packets of 1,460 bytes (RFC 6928), less headers.
ONE_ROUND_TRIP = 14_336  # bytes
BROWSER = "gzip, deflate, br, zstd"


def fetched(client: Client, address: str) -> Any:
    response = client.get(address, headers={"Accept-Encoding": BROWSER})
    assert response.status_code == 200
    return response


def styles_of(html: str) -> list[bytes]:
    """The style sheets that the page links, compressed as WhiteNoise keeps them."""
    links = re.findall(r'<link rel="stylesheet" href="([^"]+)">', html)
    files = [finders.find(link.removeprefix(settings.STATIC_URL)) for link in links]
    return [Compressor.compress_brotli(Path(str(file)).read_bytes()) for file in files]


@pytest.mark.parametrize("page", ["articles", "home", "points", "statements"])
def test_a_page_to_read_comes_in_one_round_trip_without_script_or_cookie(client: Client, page: str) -> None:
    call_command("starter_content")
    articles = [article.get_absolute_url() for article in Article.objects.all()]
    statements = ["/visit/", "/privacy/", "/accessibility/", "/how-we-write/"]
    addresses = {
        "articles": ["/articles/", *articles],
        "home": ["/"],
        "points": ["/points/"],
        "statements": statements,
    }
    for address in addresses[page]:
        html = client.get(address).content.decode()
        compressed = fetched(client, address)
        styles = styles_of(html)
        weight = len(compressed.content) + sum(map(len, styles))

        assert compressed["Content-Encoding"] == "br", address
        assert styles
        assert weight <= ONE_ROUND_TRIP, f"{address} weighs {weight} bytes"
        assert ("<script" in html, "<style" in html, "style=" in html, "@import" in html) == (False,) * 4
        assert dict(compressed.cookies) == {}
        assert compressed["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=1.0, gzip;q=0.8", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip, br;q=0", "gzip"),
        ("identity", None),
    ],
)
def test_every_browser_gets_a_page_as_it_can_read_it(client: Client, accepted: str, sent: str | None) -> None:
    plain = client.get("/points/").content
    response = client.get("/points/", headers={"Accept-Encoding": accepted})
    read = {"br": brotli.decompress, "gzip": gzip.decompress}.get(sent or "", bytes)
    assert (response.get("Content-Encoding"), response["Vary"]) == (sent, "Accept-Encoding")
    assert read(response.content) == plain
    assert response["Content-Length"] == str(len(response.content))


def test_a_page_with_a_form_is_sent_as_it_is(client: Client) -> None:
    """Compressed, its length would tell of the secret in its form (BREACH)."""
    response = fetched(client, "/book/")
    assert "csrfmiddlewaretoken" in response.content.decode()
    assert not response.has_header("Content-Encoding")


@pytest.mark.parametrize("paragraphs", [1, 100])
def test_a_long_article_asks_the_database_no_more_than_a_short_one(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, paragraphs: int
) -> None:
    article = make_article(body="## A part\n\nText.\n\n" * paragraphs)
    with django_assert_num_queries(6):
        fetched(client, article.get_absolute_url())
