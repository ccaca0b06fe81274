"""Two people make an article in the browser: one writes, the other approves, and the past can be brought back."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, Visits
from tests.browser.looking import look_at
from tests.browser.walking import heading, sign_in_as


def told(page: Page, words: str) -> None:
    expect(page.locator(".messagelist")).to_contain_text(words)


def test_an_article_is_written_previewed_approved_published_revised_and_brought_back(
    site: Site, visit: Visits
) -> None:
    ann, bob, reader = visit(), visit(javascript=False), visit(width=390, expected={404})
    for editor in (ann, bob):
        sign_in_as(editor, site, "Article editors")

    write_and_watch_the_preview(ann)
    ann.get_by_role("link", name="Review and publish").click()
    expect(ann.get_by_text("another person has to approve it")).to_be_visible()
    reader.goto("/articles/sleep-and-back-pain/")
    expect(heading(reader)).to_have_text("We could not find that page")
    preview_and_approve(bob)
    reader.goto("/articles/search/?q=sleep")
    reader.get_by_role("link", name="Sleep and back pain").click()
    expect(reader.get_by_text("Typed just now.")).to_be_visible()

    open_article(ann)
    ann.get_by_role("button", name="Revise in a draft").click()
    told(ann, "Readers see the article as it was until it is approved.")
    ann.get_by_label("Text:").fill("## Sleep\n\nRevised text.\n")
    ann.get_by_role("button", name="Save and continue editing").click()
    told(ann, "was changed successfully")
    reader.reload()
    expect(reader.get_by_text("Typed just now.")).to_be_visible()
    approve_the_revision(bob)
    reader.reload()
    expect(reader.get_by_text("Revised text.")).to_be_visible()

    open_article(ann)
    ann.get_by_role("link", name="Past states").click()
    expect(ann.locator("del").first).to_be_visible()
    look_at(ann, "63-past")
    ann.get_by_role("button", name="Bring back state 3").click()
    told(ann, "State 3 is back.")
    approve_the_revision(bob)
    reader.reload()
    expect(reader.get_by_text("Typed just now.")).to_be_visible()


def open_article(page: Page) -> None:
    page.goto("/admin/content/article/")
    page.get_by_role("link", name="Sleep and back pain").first.click()
    expect(page.get_by_role("heading", name="Who answers for it")).to_be_visible()


def write_and_watch_the_preview(page: Page) -> None:
    page.goto("/admin/content/article/add/")
    page.locator("#id_title").press_sequentially("Sleep and back pain")
    page.get_by_label("Summary:").fill("What is known about sleep and back pain.")
    page.get_by_label("Text:").fill("## Sleep\n\nFirst text.\n")
    page.get_by_label("Topic:").select_option("back-pain")
    page.get_by_label("Written by:").fill("A. Writer")
    page.locator("#id_reviewed_on").fill("2026-11-01")
    page.locator("#id_review_due_on").fill("2028-11-01")
    page.get_by_role("button", name="Save and continue editing").click()
    told(page, "was added successfully")
    shown = page.frame_locator("iframe[name=preview]")
    expect(shown.get_by_role("heading", level=1)).to_have_text("Sleep and back pain")
    page.get_by_label("Text:").fill(
        "## Sleep\n\nTyped just now.\n\n::: note Tell us\nIf you sleep badly.\n:::\n"
    )
    put_in_a_drawing(page)
    expect(shown.get_by_text("Typed just now.")).to_be_visible()
    expect(shown.get_by_role("link", name="BL25").first).to_be_visible()
    look_at(page, "60-editing")
    page.get_by_role("button", name="Save and continue editing").click()
    told(page, "was changed successfully")


def put_in_a_drawing(page: Page) -> None:
    """With its codes selected, so that one types over them."""
    page.get_by_role("button", name="Points on a drawing").click()
    page.keyboard.type("BL25")
    expect(page.get_by_label("Text:")).to_have_value(
        "## Sleep\n\nTyped just now.\n\n::: note Tell us\nIf you sleep badly.\n:::\n\n"
        "::: points BL25\nWhat the drawing shows, in one sentence.\n:::\n"
    )


def preview_and_approve(page: Page) -> None:
    """Without script: the pieces are there to be read and copied, and no button that would do nothing."""
    open_article(page)
    expect(page.get_by_role("button", name="Points on a drawing")).to_be_hidden()
    page.get_by_text("Cards and figures: how they are written").click()
    expect(page.get_by_text("::: points BL23 BL40")).to_be_visible()
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.frame_locator("iframe[name=preview]").get_by_text("Typed just now.")).to_be_visible()
    page.get_by_role("link", name="Review and publish").click()
    expect(page.get_by_role("button", name="Approve and publish")).to_be_visible()
    look_at(page, "61-review")
    page.get_by_role("button", name="Approve and publish").click()
    told(page, "“Sleep and back pain” is published.")


def approve_the_revision(page: Page) -> None:
    open_article(page)
    if page.get_by_role("link", name="Go to the revision in hand").count():
        page.get_by_role("link", name="Go to the revision in hand").click()
    page.get_by_role("link", name="Review and publish").click()
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    page.get_by_role("button", name="Approve and publish").click()
    told(page, "is published.")


def test_one_finds_an_article_by_words_and_with_a_slip(visit: Visits) -> None:
    page = visit(javascript=False, width=390, scheme="dark", expected={404})
    page.goto("/articles/")
    page.get_by_label("Search the articles").fill("side effects")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark").first).to_be_visible()
    look_at(page, "64-found")
    page.get_by_label("Search the articles").fill("neadles")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("We looked for “needles” instead.")).to_be_visible()
    page.get_by_label("Search the articles").fill("xyzzy")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("No article has anything about “xyzzy”.")).to_be_visible()
    look_at(page, "65-not-found")
    page.goto("/nowhere/")
    look_at(page, "66-missing")
