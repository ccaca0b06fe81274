"""How staff write and publish articles at the desk."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from content.models import Article
from tests.content.factories import make_article, make_reference

pytestmark = pytest.mark.django_db

ADD = "/admin/content/article/add/"
NO_REFERENCES = {"references-TOTAL_FORMS": "0", "references-INITIAL_FORMS": "0"}
WHOLE = {
    "title": "Needles",
    "slug": "needles",
    "summary": "What they are.",
    "key_points": "",
    "body": "## Part\n\nText.",
    "topic": "acupuncture",
    "language": "en",
    "translation_of": "",
    "position": "0",
    "invites_booking": "on",
    "author": "A. Writer",
    "reviewer": "",
    "reviewed_on": "2026-11-01",
    "review_due_on": "2028-11-01",
    "status": "published",
    "published_at_0": "",
    "published_at_1": "",
    **NO_REFERENCES,
}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner"))
    return client


def faults_of(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def test_an_article_published_without_a_date_is_out_from_this_moment(staff: Client) -> None:
    before = timezone.now()
    assert staff.post(ADD, WHOLE).status_code == 302
    article = Article.objects.get()
    assert article.published_at is not None
    assert before <= article.published_at <= timezone.now()
    assert staff.get("/articles/needles/").status_code == 200


def test_an_article_can_be_published_for_later_in_the_clinic_s_time(staff: Client) -> None:
    staff.post(ADD, WHOLE | {"published_at_0": "2999-01-01", "published_at_1": "09:00:00"})
    assert Article.objects.get().published_at == datetime(2999, 1, 1, 14, 0, tzinfo=UTC)
    assert staff.get("/articles/needles/").status_code == 404


def test_a_draft_needs_no_more_than_a_title_a_topic_and_an_address(staff: Client) -> None:
    empty = dict.fromkeys(["summary", "body", "author", "reviewed_on", "review_due_on"], "")
    assert staff.post(ADD, WHOLE | empty | {"status": "draft"}).status_code == 302
    assert Article.objects.get().published_at is None


def test_what_is_missing_for_publishing_is_said_at_each_field(staff: Client) -> None:
    missing = ["summary", "body", "author", "reviewed_on", "review_due_on"]
    response = staff.post(ADD, WHOLE | dict.fromkeys(missing, ""))
    assert faults_of(response) == {field: ["A published article needs this."] for field in missing}


@pytest.mark.parametrize(
    ("facts", "field", "fault"),
    [
        ({"review_due_on": "2026-11-01"}, "review_due_on", "The next review comes after the last one."),
        ({"body": "::: danger Run\nNow.\n:::"}, "body", "A line with “:::” does not make a card."),
        (
            {"body": "::: emergency Call 911\n- x\n\n## Part"},
            "body",
            "A line with “:::” does not make a card.",
        ),
    ],
)
def test_a_mistake_is_said_once_at_its_field(
    staff: Client, facts: dict[str, str], field: str, fault: str
) -> None:
    faults = faults_of(staff.post(ADD, WHOLE | facts))
    assert list(faults) == [field]
    assert len(faults[field]) == 1
    assert faults[field][0].startswith(fault)


def test_a_date_that_is_none_is_said_at_its_field(staff: Client) -> None:
    faults = faults_of(staff.post(ADD, WHOLE | {"published_at_0": "soon", "published_at_1": "09:00"}))
    assert faults == {"published_at": ["Enter a valid date."]}


def test_references_are_listed_with_the_article(staff: Client) -> None:
    listed = {
        "references-TOTAL_FORMS": "1",
        "references-INITIAL_FORMS": "0",
        "references-0-number": "1",
        "references-0-text": "A study.",
        "references-0-doi": "10.1000/1",
        "references-0-url": "",
    }
    assert staff.post(ADD, WHOLE | {"body": "Text.[^1]"} | listed).status_code == 302
    assert [str(row) for row in Article.objects.get().references.all()] == ["1. A study."]


def test_a_text_that_cites_what_is_not_listed_is_not_published(staff: Client) -> None:
    response = staff.post(ADD, WHOLE | {"body": "Text.[^2] [^1]"})
    [formset] = response.context["inline_admin_formsets"]
    assert list(formset.non_form_errors()) == ["The text cites 1, 2, but no such reference is listed."]
    assert staff.post(ADD, WHOLE | {"body": "Text.[^2] [^1]", "status": "draft"}).status_code == 302


def test_a_cited_reference_cannot_be_taken_off_a_published_article(staff: Client) -> None:
    article = make_article(body="Text.[^1]")
    row = make_reference(article, 1)
    kept = {
        "references-TOTAL_FORMS": "1",
        "references-INITIAL_FORMS": "1",
        "references-0-id": str(row.pk),
        "references-0-article": str(article.pk),
        "references-0-number": "1",
        "references-0-text": row.text,
    }
    facts = WHOLE | {"body": article.body} | kept
    path = f"/admin/content/article/{article.pk}/change/"
    response = staff.post(path, facts | {"references-0-DELETE": "on"})
    assert response.status_code == 200
    assert staff.post(path, facts).status_code == 302
    assert list(article.references.all()) == [row]


def test_the_old_address_of_a_published_article_leads_to_the_new_one(staff: Client) -> None:
    article = make_article(slug="old")
    staff.post(f"/admin/content/article/{article.pk}/change/", WHOLE | {"slug": "new"})
    response = staff.get("/articles/old/")
    assert (response.status_code, response.headers["Location"]) == (301, "/articles/new/")


def test_view_on_site_stands_only_where_readers_find_the_page(staff: Client) -> None:
    shown, hidden = make_article(), make_article(published_at=datetime(2999, 1, 1, tzinfo=UTC))
    pages = [staff.get(f"/admin/content/article/{article.pk}/change/") for article in (shown, hidden)]
    assert [page.context["has_absolute_url"] for page in pages] == [True, False]
    assert pages[0].context["absolute_url"] == shown.get_absolute_url()


def test_the_list_shows_what_is_due_for_review(staff: Client) -> None:
    make_article(title="Soon due", review_due_on=date(2027, 1, 2), reviewer="B. Reader")
    page = staff.get("/admin/content/article/").content.decode()
    assert 'class="field-review_due_on nowrap"' in page
    assert "B. Reader" in page


def test_related_articles_are_ticked_and_no_address_answers_to_a_few_letters(staff: Client) -> None:
    needles, article = make_article(title="Needles"), make_article()
    path = f"/admin/content/article/{article.pk}/change/"
    assert staff.post(path, WHOLE | {"related": [needles.pk]}).status_code == 302
    assert list(article.related.all()) == [needles]
    boxes = re.findall(r'<input type="checkbox" name="related" [^>]*>', staff.get(path).content.decode())
    assert [(f'value="{needles.pk}"' in box, " checked" in box) for box in boxes] == [
        (True, True),
        (False, False),
    ]
    query = {"term": "need", "app_label": "content", "model_name": "article", "field_name": "related"}
    assert staff.get("/admin/autocomplete/", query).status_code == 403
