"""The pieces that a writer puts into an article's text instead of learning how they are written."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from content.blocks import BLOCKS, ArticleTextarea, Block
from content.rendering import CARDS, EVIDENCE, render_article
from tests.content.test_desk import ADD

FILLED_IN = {"people": "48", "guidelines": "2017"}


def test_there_is_a_piece_for_every_kind_of_block() -> None:
    assert [block.kind for block in BLOCKS] == [
        "emergency",
        "urgent",
        "non-urgent",
        "note",
        "people",
        "guidelines",
        "points",
    ]
    assert {block.kind for block in BLOCKS} == {*CARDS, *EVIDENCE, "points"}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.kind)
def test_a_piece_becomes_its_block_and_no_number_is_forgotten(block: Block) -> None:
    as_put = render_article(str(block.text))
    assert (len(re.findall(r"<(?:section|figure) ", as_put.html)), ":::" in as_put.html) == (1, False)
    assert bool(as_put.faults) == (block.kind in FILLED_IN)
    filled_in = str(block.text).replace("?", FILLED_IN.get(block.kind, ""))
    assert render_article(filled_in).faults == ()


@pytest.mark.django_db
@pytest.mark.ignore_template_errors  # Django's own pages print what may be unset
def test_beside_the_text_stand_a_button_for_each_piece_and_the_piece_itself_to_read_and_copy(
    client: Client,
) -> None:
    client.force_login(User.objects.create_superuser("owner"))
    page = client.get(ADD).text
    buttons = re.findall(r'<button class="button" type="button" data-puts="([^"]+)">([^<]+)</button>', page)
    assert buttons == [(f"body-{block.kind}", str(block.name)) for block in BLOCKS]
    assert re.search(r'<div class="rh-blocks" role="group"[^>]* hidden>', page)  # until a script shows them
    pieces = re.findall(r'<pre id="([^"]+)">([^<]*)</pre>', page)
    assert [(name, unescape(text)) for name, text in pieces] == [
        (f"body-{block.kind}", str(block.text)) for block in BLOCKS
    ]


def test_what_was_typed_stays_text_in_the_field() -> None:
    shown = ArticleTextarea().render("body", "</textarea><script>x</script>", {"id": "id_body"})
    assert "&lt;/textarea&gt;&lt;script&gt;x&lt;/script&gt;</textarea>" in shown
