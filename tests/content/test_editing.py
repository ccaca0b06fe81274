"""How an article is written by one person and released by another, and how its past is kept."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from content import editing
from content.differences import Difference, Piece, differences
from content.history import FormerAddress, Revision
from content.links import broken_links
from content.models import Article, Reference
from content.rendering import render_article
from content.starter import load_starter_articles
from tests.content.factories import NOW, make_article, make_draft, make_reference
from tests.content.test_desk import WHOLE

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

FORM = WHOLE


@pytest.fixture
def editors() -> None:
    editing.make_editors_group()


def make_editor(name: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=editing.EDITORS))
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def at(article: Article, name: str) -> str:
    return f"/admin/content/article/{article.pk}/{name}/"


def said(response: Any) -> list[str]:
    """What the page that follows says of the last act."""
    return [str(message) for message in response.context["messages"] if "successfully" not in str(message)]


# --- Who may do what -----------------------------------------------------------------------------------------


def test_article_editors_have_permissions_for_articles_and_nothing_else(editors: None) -> None:
    editor = make_editor("ann")
    assert sorted(editor.get_all_permissions()) == sorted(f"content.{name}" for name in editing.EDITORS_MAY)


def test_article_editors_see_no_patient_anywhere_at_the_desk(editors: None) -> None:
    ann = signed_in(make_editor("ann"))
    page = ann.get("/admin/")
    assert [app["app_label"] for app in page.context["app_list"]] == ["content"]
    assert "waiting" not in page.context
    for model in ("appointment", "patient", "waitlistentry", "closure", "resource"):
        assert ann.get(f"/admin/booking/{model}/").status_code == 403
    assert ann.get("/admin/clinic/queuedmail/").status_code == 403
    assert ann.get("/admin/auth/user/").status_code == 403


def test_the_group_is_made_once_and_what_the_owner_changes_stays(editors: None) -> None:
    group = Group.objects.get(name=editing.EDITORS)
    group.permissions.clear()
    assert editing.make_editors_group() is False
    assert group.permissions.count() == 0


def test_an_editor_cannot_publish_alone_by_posting_more_fields(editors: None) -> None:
    ann = make_editor("ann")
    signed_in(ann).post("/admin/content/article/add/", FORM)
    draft = Article.objects.get()
    assert (draft.status, draft.edited_by) == ("draft", ann)
    assert signed_in(ann).post(at(draft, "change"), FORM | {"status": "published"}).status_code == 302
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_published_article_cannot_be_changed_under_its_readers(editors: None) -> None:
    article, ann = make_article(title="Was"), signed_in(make_editor("ann"))
    assert ann.post(at(article, "change"), FORM).status_code == 403
    article.refresh_from_db()
    assert article.title == "Was"
    page = ann.get(at(article, "change")).text
    assert "This article is published. Revise it in a draft" in page
    assert 'name="title"' not in page


@pytest.mark.parametrize("name", ["preview", "revisions", "review"])
def test_staff_without_permission_see_nothing_of_an_article_s_making(name: str) -> None:
    client = signed_in(User.objects.create_user("desk", is_staff=True))
    assert client.get(at(make_draft(), name)).status_code == 403


@pytest.mark.parametrize("name", ["revise", "discard", "approve", "restore"])
def test_acts_need_permission_and_are_never_done_by_looking(name: str) -> None:
    article = make_draft()
    desk = User.objects.create_user("desk", is_staff=True)
    assert signed_in(desk).post(at(article, name)).status_code == 403
    desk.user_permissions.add(Permission.objects.get(codename="view_article"))
    assert signed_in(User.objects.get(pk=desk.pk)).post(at(article, name)).status_code == 403
    owner = signed_in(User.objects.create_superuser("owner"))
    assert owner.get(at(article, name)).status_code == 405


# --- Two people ----------------------------------------------------------------------------------------------


def test_a_draft_is_published_by_another_person_than_its_writer(editors: None) -> None:
    ann, bob = make_editor("ann"), make_editor("bob")
    signed_in(ann).post("/admin/content/article/add/", FORM)
    draft = Article.objects.get()
    refused = signed_in(ann).post(at(draft, "approve"), follow=True)
    assert said(refused) == ["You edited it last: another person has to approve it."]
    assert "another person has to approve it" in signed_in(ann).get(at(draft, "review")).text
    assert "Approve and publish" in signed_in(bob).get(at(draft, "review")).text
    done = signed_in(bob).post(at(draft, "approve"), follow=True)
    assert said(done) == ["“Needles” is published."]
    assert Client().get("/articles/needles/").status_code == 200
    revision = Article.objects.get().revisions.first()
    assert revision
    assert (revision.act, revision.made_by, revision.approved_by) == ("published", ann, bob)


def test_a_person_who_may_publish_alone_needs_no_other() -> None:
    owner = User.objects.create_superuser("owner")
    draft = make_draft(edited_by=owner)
    editing.approve_article(article=draft, by=owner, now=NOW)
    assert list(Article.objects.published(NOW)) == [draft]


def test_what_nobody_is_known_to_have_written_is_not_released_by_one_person(editors: None) -> None:
    with pytest.raises(editing.NeedsAnotherPerson):
        editing.approve_article(article=make_draft(edited_by=None), by=make_editor("ann"), now=NOW)


def test_an_approved_draft_with_a_later_date_comes_out_then(editors: None) -> None:
    ann, bob, tomorrow = make_editor("ann"), make_editor("bob"), NOW + timedelta(days=1)
    draft = make_draft(edited_by=ann)
    Article.objects.filter(pk=draft.pk).update(published_at=tomorrow)
    editing.approve_article(article=draft, by=bob, now=NOW)
    assert list(Article.objects.published(NOW)) == []
    assert list(Article.objects.published(tomorrow)) == [draft]


def test_what_is_not_fit_to_be_published_is_refused_with_the_reason(editors: None) -> None:
    ann, bob = make_editor("ann"), make_editor("bob")
    draft = make_draft(edited_by=ann, body="See [this](/articles/none/) and [that](#nowhere).[^2]")
    refused = signed_in(bob).post(at(draft, "approve"), follow=True)
    assert said(refused) == [
        "The text cites 2, but no such reference is listed.",
        "These links lead nowhere: /articles/none/, #nowhere",
    ]
    incomplete = make_draft(edited_by=ann, author="")
    refused = signed_in(bob).post(at(incomplete, "approve"), follow=True)
    assert said(refused) == ["A published article needs this."]
    assert not Article.objects.published(NOW).exists()


def test_what_is_out_cannot_be_approved_again(editors: None) -> None:
    article = make_article()
    response = signed_in(make_editor("bob")).post(at(article, "approve"), follow=True)
    assert said(response) == ["It is published already."]


def test_whoever_approves_is_told_how_easily_the_text_is_read(editors: None) -> None:
    draft = make_draft(body="A short one. " + "Very long words " * 9 + "end.")
    page = signed_in(make_editor("bob")).get(at(draft, "review")).text
    assert "the longest sentence has 28 words." in page
    assert "<strong>28 words in a sentence:</strong> Very long" in page


def test_whoever_writes_is_told_how_easily_the_text_is_read_if_it_is_english(editors: None) -> None:
    ann = signed_in(make_editor("ann"))
    page = ann.get(at(make_draft(body="It was 5%."), "change")).text
    assert "<strong>a percentage: write “1 in 10”:</strong> It was 5%." in page
    assert "It keeps the rules" in ann.get(at(make_draft(body="It may help."), "change")).text
    assert "School grade" not in ann.get(at(make_draft(body="一切都好。", language="zh-hant"), "change")).text


# --- Revising ------------------------------------------------------------------------------------------------


def test_a_revision_is_written_beside_the_article_and_takes_its_place_when_approved(editors: None) -> None:
    ann, bob = make_editor("ann"), make_editor("bob")
    other = make_article()
    article = make_article(slug="needles", title="Old", body="Old.[^1]", published_at=NOW - timedelta(days=9))
    make_reference(article, 1, doi="10.1000/1")
    article.related.set([other])

    response = signed_in(ann).post(at(article, "revise"), follow=True)
    draft = Article.objects.get(revises=article)
    assert said(response) == ["This is a draft. Readers see the article as it was until it is approved."]
    assert editing.facts_of(draft) == editing.facts_of(article)
    draft.title, draft.body = "New", "New.[^1] [^2]"
    draft.save()
    make_reference(draft, 2)
    assert "<h1" in Client().get("/articles/needles/").text
    assert "Old" in Client().get("/articles/needles/").text

    done = signed_in(bob).post(at(draft, "approve"), follow=True)
    assert said(done) == ["“New” is published."]
    article.refresh_from_db()
    assert (article.title, article.slug, article.published_at) == ("New", "needles", NOW - timedelta(days=9))
    assert [row.number for row in article.references.all()] == [1, 2]
    assert list(article.related.all()) == [other]
    assert sorted(Article.objects.values_list("pk", flat=True)) == sorted([article.pk, other.pk])


def test_one_revision_is_in_hand_at_a_time(editors: None) -> None:
    ann, bob, article = make_editor("ann"), make_editor("bob"), make_article()
    signed_in(ann).post(at(article, "revise"))
    response = signed_in(bob).post(at(article, "revise"), follow=True)
    assert said(response) == ["Somebody has a revision of this article in hand."]
    assert "Go to the revision in hand" in response.text


def test_a_revision_that_is_given_up_leaves_the_article_as_it_was(editors: None) -> None:
    ann, article = make_editor("ann"), make_article()
    before = Article.objects.values().get(pk=article.pk)
    signed_in(ann).post(at(article, "revise"))
    response = signed_in(ann).post(at(Article.objects.get(revises=article), "discard"), follow=True)
    assert said(response) == ["The revision was given up. The article is as it was."]
    assert list(Article.objects.values()) == [before]


def test_only_a_revision_can_be_given_up(editors: None) -> None:
    article = make_draft()
    signed_in(make_editor("ann")).post(at(article, "discard"))
    assert list(Article.objects.all()) == [article]


def test_the_draft_of_a_revision_keeps_the_address_and_date_of_its_article(editors: None) -> None:
    ann, article = make_editor("ann"), make_article(slug="needles")
    signed_in(ann).post(at(article, "revise"))
    draft = Article.objects.get(revises=article)
    signed_in(ann).post(at(draft, "change"), FORM | {"slug": "mine", "title": "Mine"})
    draft.refresh_from_db()
    assert (draft.title, draft.slug) == ("Mine", "needles-revision")


def test_the_list_at_the_desk_tells_drafts_revisions_and_what_comes_later_apart(editors: None) -> None:
    ann, article = make_editor("ann"), make_article(title="A")
    editing.revise_article(article=article, by=ann, now=NOW)
    make_draft(title="B")
    make_article(title="C", published_at=datetime(2999, 1, 1, tzinfo=UTC))
    page = signed_in(ann).get("/admin/content/article/").text
    assert sorted(re.findall(r'<td class="field-state">([^<]*)</td>', page)) == [
        "comes out later",
        "draft",
        "draft of a revision",
        "published",
    ]


def test_the_desk_lists_what_is_due_for_review() -> None:
    today = timezone.localdate()
    for days in (-1, 30, 31):
        make_article(
            title=f"In {days}", review_due_on=today + timedelta(days=days), reviewed_on=date(2020, 1, 1)
        )
    make_draft(review_due_on=today)
    page = signed_in(User.objects.create_superuser("owner")).get("/admin/content/article/?review=due")
    assert sorted(article.title for article in page.context["cl"].result_list) == ["In -1", "In 30"]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_first_page_of_the_desk_lists_what_is_due_for_review_with_one_query(
    editors: None, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    today = timezone.localdate()
    late, soon = today - timedelta(days=1), today + timedelta(days=30)
    for number in range(rows):
        make_article(title=f"Soon {number}", review_due_on=soon, reviewed_on=date(2020, 1, 1))
    article = make_article(title="Late", review_due_on=late, reviewed_on=date(2020, 1, 1))
    make_article(title="Later", review_due_on=soon + timedelta(days=1), reviewed_on=date(2020, 1, 1))
    ann = signed_in(make_editor("ann"))
    with django_assert_num_queries(6):
        page = ann.get("/admin/").text
    listed = re.findall(
        r'<a href="(/admin/content/article/\d+/change/)">([^<]+)</a>\s*<span[^>]*>([^<]+)<', page
    )
    assert [(title, said) for _address, title, said in listed] == [
        ("Late", f"late since {late:%-d %B %Y}"),
        *[(f"Soon {number}", f"due {soon:%-d %B %Y}") for number in range(rows)],
    ]
    assert listed[0][0] == at(article, "change")
    assert f'<span class="rh-count">{rows + 1}</span>' in page


def test_who_may_not_see_articles_is_not_told_what_is_due_for_review() -> None:
    make_article(title="Late", review_due_on=date(2021, 1, 1), reviewed_on=date(2020, 1, 1))
    desk = User.objects.create_user("desk", is_staff=True)
    assert "Late" not in signed_in(desk).get("/admin/").text


# --- The past ------------------------------------------------------------------------------------------------


def test_every_save_that_changes_something_is_kept(editors: None) -> None:
    ann = make_editor("ann")
    client = signed_in(ann)
    client.post("/admin/content/article/add/", FORM)
    draft = Article.objects.get()
    for facts in ({}, {"title": "Second"}, {"title": "Second"}):
        assert client.post(at(draft, "change"), FORM | facts).status_code == 302
    kept = [
        (revision.number, revision.facts["title"], revision.made_by) for revision in draft.revisions.all()
    ]
    assert kept == [(2, "Second", ann), (1, "Needles", ann)]


def test_what_was_there_before_the_first_change_at_the_desk_is_kept_too() -> None:
    article = make_article(title="As it came")
    make_reference(article, 1)
    owner = signed_in(User.objects.create_superuser("owner"))
    assert owner.post(at(article, "change"), FORM).status_code == 302
    kept = [(one.number, one.facts["title"], one.act) for one in article.revisions.all()]
    assert kept == [(2, "Needles", "saved"), (1, "As it came", "published")]


def test_a_revision_holds_everything_of_the_text() -> None:
    """A new field of articles has to be named: kept with the text, or not part of it."""
    apart = {"id", "slug", "status", "published_at", "updated_at", "revises_id", "edited_by_id"}
    columns = {field.attname for field in Article._meta.concrete_fields}  # noqa: SLF001 (Django's public way)  # noqa: SLF001 (public in all but name)
    assert set(editing.FIELDS) == columns - apart
    reference = {field.attname for field in Reference._meta.concrete_fields} - {"id", "article_id"}  # noqa: SLF001  # noqa: SLF001 (as above)
    assert set(editing.REFERENCE_FIELDS) == reference


def test_differences_are_shown_word_by_word_with_the_lines_around_them() -> None:
    lines = [f"Line {number}.\n" for number in range(20)]
    changed = [*lines]
    changed[9] = "Line nine.\n"
    old, new = {"body": "".join(lines), "title": "A"}, {"body": "".join(changed), "title": "A"}
    assert differences(old, new) == [
        Difference(
            "text",
            (
                Piece("left out"),
                Piece("same", "Line 7.\nLine 8.\n"),
                Piece("same", "Line"),
                Piece("gone", " 9."),
                Piece("new", " nine."),
                Piece("same", "\n"),
                Piece("same", "Line 10.\nLine 11.\n"),
                Piece("left out"),
            ),
        )
    ]


def test_differences_name_other_fields_as_people_read_them() -> None:
    first, second = make_article(title="First"), make_article(title="Second")
    row = {"number": 1, "text": "A study.", "doi": "", "url": ""}
    old = {"invites_booking": True, "reviewed_on": None, "related": [first.pk], "references": [row]}
    new = {
        "invites_booking": False,
        "reviewed_on": "2026-11-01",
        "related": [first.pk, second.pk],
        "references": [row | {"doi": "10.1000/1"}],
    }
    assert [(one.label, one.pieces) for one in differences(old, new)] == [
        ("invites to book", (Piece("gone", "yes"), Piece("new", "no"))),
        ("last reviewed", (Piece("new", "2026-11-01"),)),
        ("related articles", (Piece("same", "First"), Piece("new", "\nSecond"))),
        ("references", (Piece("same", "1. A study."), Piece("new", " 10.1000/1"))),
    ]


def test_past_states_are_listed_with_what_each_changed(editors: None) -> None:
    ann = signed_in(make_editor("ann"))
    ann.post("/admin/content/article/add/", FORM)
    draft = Article.objects.get()
    ann.post(at(draft, "change"), FORM | {"body": "## Part\n\nOther <b>text</b>."})
    page = ann.get(at(draft, "revisions")).text
    assert "<del>Text.</del><ins>Other &lt;b&gt;text&lt;/b&gt;.</ins>" in page
    assert "By ann." in page
    assert "Bring back state 1" in page
    assert "Bring back state 2" not in page


def test_an_article_without_a_past_says_so(editors: None) -> None:
    page = signed_in(make_editor("ann")).get(at(make_article(), "revisions")).text
    assert "Nothing has been kept yet." in page


def test_an_earlier_state_of_a_draft_is_brought_back(editors: None) -> None:
    ann = signed_in(make_editor("ann"))
    ann.post("/admin/content/article/add/", FORM)
    draft = Article.objects.get()
    ann.post(at(draft, "change"), FORM | {"title": "Second"})
    response = ann.post(at(draft, "restore"), {"number": "1"}, follow=True)
    assert said(response) == ["State 1 is back."]
    draft.refresh_from_db()
    assert draft.title == "Needles"
    assert [(one.number, one.act) for one in draft.revisions.all()] == [
        (3, "restored"),
        (2, "saved"),
        (1, "saved"),
    ]


def test_an_earlier_state_of_a_published_article_waits_for_approval(editors: None) -> None:
    ann, article = make_editor("ann"), make_article(title="Then")
    editing.record_revision(article=article, act=Revision.Act.PUBLISHED, by=ann, now=NOW)
    article.title = "Now"
    article.save()
    signed_in(ann).post(at(article, "restore"), {"number": "1"})
    article.refresh_from_db()
    assert (article.title, Article.objects.get(revises=article).title) == ("Now", "Then")


@pytest.mark.parametrize("number", ["", "7", "x", "-1", "9" * 30])
def test_a_state_that_never_was_cannot_be_brought_back(number: str) -> None:
    owner = signed_in(User.objects.create_superuser("owner"))
    assert owner.post(at(make_draft(), "restore"), {"number": number}).status_code == 404


@pytest.mark.parametrize("rows", [2, 4])
def test_the_page_of_past_states_asks_the_same_however_many_there_are(
    django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    client, draft = signed_in(User.objects.create_superuser("owner")), make_draft()
    for number in range(rows):
        draft.title = f"Title {number}"
        editing.record_revision(article=draft, act=Revision.Act.SAVED, by=None, now=NOW)
    with django_assert_num_queries(6):
        client.get(at(draft, "revisions"))


# --- The preview ---------------------------------------------------------------------------------------------


def test_a_draft_is_previewed_as_the_real_page_and_only_we_may_frame_it(editors: None) -> None:
    draft = make_draft(title="Soon", reviewed_on=None, review_due_on=None)
    response = signed_in(make_editor("ann")).get(at(draft, "preview"))
    assert '<h1 itemprop="name">Soon</h1>' in response.text
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in response["Cache-Control"]
    assert Client().get(draft.get_absolute_url()).status_code == 404


def test_what_is_typed_is_previewed_through_the_same_sanitiser_and_nothing_is_saved(editors: None) -> None:
    draft = make_draft(title="Was")
    typed = FORM | {
        "title": "Typed",
        "body": "Text <script>alert(1)</script>.[^1]",
        "references-TOTAL_FORMS": "1",
        "references-INITIAL_FORMS": "0",
        "references-0-number": "1",
        "references-0-text": "A study.",
    }
    page = signed_in(make_editor("ann")).post(at(draft, "preview"), typed).text
    assert '<h1 itemprop="name">Typed</h1>' in page
    assert "Text &lt;script&gt;alert(1)&lt;/script&gt;." in page
    assert "A study." in page
    draft.refresh_from_db()
    assert (draft.title, draft.references.count(), draft.revisions.count()) == ("Was", 0, 0)


def test_what_is_not_finished_can_be_previewed_all_the_same(editors: None) -> None:
    draft = make_draft()
    response = signed_in(make_editor("ann")).post(at(draft, "preview"), FORM | {"body": "::: x", "slug": ""})
    assert response.status_code == 200
    assert "::: x" in response.text


def test_only_the_form_s_page_may_frame_the_preview_and_only_that_route_may_be_framed(editors: None) -> None:
    ann, draft = signed_in(make_editor("ann")), make_draft()
    form = ann.get(at(draft, "change"))
    assert "frame-src 'self'" in form["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in form["Content-Security-Policy"]
    assert "frame-src" not in ann.get("/admin/content/article/")["Content-Security-Policy"]


# --- Addresses and links -------------------------------------------------------------------------------------


def test_a_former_address_leads_to_the_present_one_for_good(client: Client) -> None:
    article = make_article(slug="first")
    for slug in ("second", "third"):
        article.slug = slug
        article.save()
    for former in ("first", "second"):
        response = client.get(f"/articles/{former}/")
        assert (response.status_code, response["Location"]) == (301, "/articles/third/")
    article.slug = "first"
    article.save()
    assert client.get("/articles/first/").status_code == 200
    assert client.get("/articles/third/")["Location"] == "/articles/first/"


def test_a_draft_s_address_may_change_without_a_trace(client: Client) -> None:
    draft = make_draft(slug="first")
    draft.slug = "second"
    draft.save()
    assert not FormerAddress.objects.exists()


def test_a_former_address_does_not_lead_to_what_is_hidden(client: Client) -> None:
    article = make_article(slug="first")
    article.slug = "second"
    article.save()
    article.status = Article.Status.DRAFT
    article.save()
    assert client.get("/articles/first/").status_code == 404


def test_another_article_cannot_take_an_address_that_still_leads_somewhere() -> None:
    article = make_article(slug="first")
    article.slug = "second"
    article.save()
    with pytest.raises(ValidationError, match="Another article had this address"):
        make_draft(slug="third").__class__(slug="first", title="x", topic="safety").full_clean()


@pytest.mark.parametrize(
    ("link", "is_broken"),
    [
        ("/articles/there/", False),
        ("/articles/there/#part", False),
        ("/articles/draft/", True),
        ("/articles/none/", True),
        ("/articles/", False),
        ("/book/", False),
        ("/nowhere/", True),
        ("nowhere", True),
        ("#a-part", False),
        ("#nowhere", True),
        ("https://elsewhere.example/nowhere/", False),
        ("tel:811", False),
        ("mailto:a@b.example", False),
        ("//elsewhere.example/", False),
    ],
)
def test_a_link_within_the_site_has_to_lead_somewhere(link: str, is_broken: bool) -> None:  # noqa: FBT001 (a case)
    make_article(slug="there")
    make_draft(slug="draft")
    html = render_article(f"## A part\n\n[x]({link})").html
    assert broken_links(html) == ([link] if is_broken else [])


def test_an_article_with_a_broken_link_is_not_published_from_its_form() -> None:
    owner = signed_in(User.objects.create_superuser("owner"))
    response = owner.post("/admin/content/article/add/", FORM | {"body": "[x](/articles/none/)"})
    [formset] = response.context["inline_admin_formsets"]
    assert list(formset.non_form_errors()) == ["These links lead nowhere: /articles/none/"]


def test_a_draft_with_a_broken_link_is_saved_and_the_writer_is_told(editors: None) -> None:
    ann = signed_in(make_editor("ann"))
    response = ann.post("/admin/content/article/add/", FORM | {"body": "[x](/articles/none/)"}, follow=True)
    assert said(response) == ["Saved, but these links lead nowhere yet: /articles/none/"]
    draft = Article.objects.get()
    response = ann.post(at(draft, "change"), FORM | {"body": "[x](/articles/)"}, follow=True)
    assert said(response) == []


def test_every_article_that_a_clinic_begins_with_is_fit_to_be_published() -> None:
    load_starter_articles(NOW)
    for article in Article.objects.all():
        editing.check_fit_to_publish(article.body, {row.number for row in article.references.all()})


# --- Translations --------------------------------------------------------------------------------------------


def test_a_translation_and_its_original_lead_to_each_other(client: Client) -> None:
    english = make_article(slug="english")
    persian = make_article(slug="persian", language="fa", translation_of=english)
    make_article(slug="chinese", language="zh-hant", translation_of=english, status="draft")
    pages = [client.get(article.get_absolute_url()).text for article in (english, persian)]
    assert '<a href="/articles/persian/" lang="fa" hreflang="fa">فارسی</a>' in pages[0]
    assert '<a href="/articles/english/" lang="en-CA" hreflang="en-CA">English</a>' in pages[1]
    for page in pages:
        assert page.count('<link rel="alternate" hreflang=') == 2
        assert "chinese" not in page


def test_persian_runs_from_right_to_left_wherever_it_stands_and_home_is_in_one_language(
    client: Client,
) -> None:
    persian = make_article(title="درد کمر", language="fa")
    assert '<article class="article" lang="fa" dir="rtl"' in client.get(persian.get_absolute_url()).text
    assert f'<li lang="fa" dir="rtl"><a href="{persian.get_absolute_url()}">' in client.get("/articles/").text
    assert f'<li lang="fa" dir="rtl"><a href="{persian.get_absolute_url()}">' in (
        client.get("/articles/search/", {"q": "کمر"}).text
    )
    assert "درد کمر" not in client.get("/").text


def test_a_translation_says_when_its_original_has_changed_since(client: Client) -> None:
    english = make_article(slug="english")
    persian = make_article(slug="persian", language="fa", translation_of=english)
    behind = "The original has been changed since this translation was made."
    assert behind not in client.get("/articles/persian/").text
    english.save()
    assert behind in client.get("/articles/persian/").text
    assert behind not in client.get("/articles/english/").text
    Article.objects.get(pk=persian.pk).save()
    assert behind not in client.get("/articles/persian/").text


def test_a_translation_is_of_an_original_in_another_language() -> None:
    english = make_article()
    persian = make_article(language="fa", translation_of=english)
    for facts in (
        {"language": "en", "translation_of": english},
        {"language": "fa", "translation_of": persian},
    ):
        with pytest.raises(ValidationError) as refused:
            make_draft(**facts).full_clean()
        assert list(refused.value.message_dict) == ["translation_of"]


# --- Sources -------------------------------------------------------------------------------------------------


class Answers(BaseHTTPRequestHandler):
    """Answers `/404` with 404 and so on."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's name)
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_sources_that_no_longer_answer_are_reported(elsewhere: str) -> None:
    article = make_article(title="A", body=f"[x]({elsewhere}/200) [y](/book/)")
    for number, code in enumerate((200, 404, 403), start=1):
        make_reference(article, number, url=f"{elsewhere}/{code}")
    make_reference(make_draft(), 1, url=f"{elsewhere}/500")
    out = StringIO()
    with pytest.raises(CommandError, match="1 broken"):
        call_command("check_references", stdout=out)
    assert out.getvalue().splitlines() == [
        f"cannot tell (403): {elsewhere}/403 (A)",
        f"answers 404: {elsewhere}/404 (A)",
    ]


def test_sources_that_all_answer_are_reported_as_such(elsewhere: str) -> None:
    make_reference(make_article(), 1, url=f"{elsewhere}/200")
    out = StringIO()
    call_command("check_references", stdout=out)
    assert out.getvalue() == "No reference is broken.\n"


def test_a_revision_knows_the_dates_it_had(editors: None) -> None:
    article = make_article(reviewed_on=date(2026, 11, 1))
    revision = editing.record_revision(article=article, act=Revision.Act.SAVED, by=None, now=NOW)
    assert revision
    owner = User.objects.create_superuser("owner")
    Article.objects.filter(pk=article.pk).update(reviewed_on=date(2026, 11, 9))
    editing.restore_revision(revision=revision, by=owner, now=datetime(2026, 11, 23, tzinfo=UTC))
    article.refresh_from_db()
    assert article.reviewed_on == date(2026, 11, 1)
