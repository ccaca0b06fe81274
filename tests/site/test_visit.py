"""The page about visits and fees."""

from decimal import Decimal

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from booking.models import BookingRules, VisitType
from tests.content.test_articles import main_of, texts_of

pytestmark = pytest.mark.django_db

PAGE = "/visit/"


def test_without_fees_and_a_rule_the_page_says_ask_us(client: Client) -> None:
    call_command("starter_content")
    texts = texts_of(main_of(client, PAGE))
    assert texts.count("Ask us") == VisitType.objects.count() == 2
    assert "You can cancel for free until 24 hours before. Ask us what a later cancellation costs." in texts


def test_the_owner_s_fees_and_rule_stand_as_they_were_entered(client: Client) -> None:
    call_command("starter_content")
    VisitType.objects.filter(slug="first-visit").update(fee=Decimal("120.50"))
    VisitType.objects.filter(slug="follow-up-visit").update(fee=Decimal("80.00"))
    BookingRules(cancellation_hours=1, cancellation_rule="Half the fee.").save()
    texts = texts_of(main_of(client, PAGE))
    assert [text for text in texts if "$" in text] == ["$120.50", "$80"]
    assert "You can cancel for free until 1 hour before. Half the fee." in texts


def test_before_there_are_visit_types_the_page_gives_the_phone(client: Client) -> None:
    assert "Ask us about visits and fees:" in texts_of(main_of(client, PAGE))


def test_the_page_tells_where_we_are_and_when_we_are_open_and_leaves_no_cookie(
    client: Client, settings: Settings
) -> None:
    response = client.get(PAGE)
    assert response.cookies == {}
    texts = texts_of(main_of(client, PAGE))
    for fact in (settings.CLINIC.address, settings.CLINIC.hours, settings.CLINIC.phone):
        assert fact in texts


def test_the_page_takes_three_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call_command("starter_content")
    with django_assert_num_queries(3):
        client.get(PAGE)
