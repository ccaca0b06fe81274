"""The map of points with finger, mouse and keyboard, narrow and wide, light and dark."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visits
from tests.browser.looking import look_at, take_picture

LABELS = "main svg a"
# The label itself, not the line and dots that belong to the link too.
SIZES = """links => links.map(link => {
    const { width, height } = link.querySelector('.m-tag').getBoundingClientRect();
    return [link.getAttribute('href'), width, height];
})"""
FILL = "name => getComputedStyle(document.querySelector(`a.${name} .m-tag`)).fill"
GROUND = "id => getComputedStyle(document.getElementById(id)).backgroundColor"
SEEN = """id => {
    const box = document.getElementById(id).getBoundingClientRect();
    return box.top >= 0 && box.bottom <= innerHeight;
}"""


def open_map(visit: Visits, *, width: int) -> Page:
    """The map without motion: what a press leads to is there at once."""
    page = visit(width=width)
    page.emulate_media(reduced_motion="reduce")
    page.goto("/points/")
    return page


def look_of(page: Page, code: str) -> tuple[object, object]:
    """The colours of a point's label and of its description."""
    return page.evaluate(FILL, f"p-{code}"), page.evaluate(GROUND, code)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_map_and_the_figures_of_articles_can_be_used_by_everyone(
    visit: Visits, width: int, scheme: str
) -> None:
    page = visit(width=width, scheme="dark" if scheme == "dark" else "light")
    for name, address in {
        "points": "/points/",
        "figures": "/articles/acupuncture-points-for-back-pain/",
    }.items():
        page.goto(address)
        look_at(page, f"{name}-{scheme}")


@pytest.mark.parametrize(
    ("address", "labels"), [("/points/", 27), ("/articles/acupuncture-points-for-back-pain/", 8)]
)
def test_every_label_can_be_hit_with_a_finger_on_a_phone(visit: Visits, address: str, labels: int) -> None:
    page = visit(width=390)
    page.goto(address)
    sizes = page.locator(LABELS).evaluate_all(SIZES)
    assert len(sizes) == labels
    assert [size for size in sizes if size[1] < 24 or size[2] < 24] == []


def test_a_label_leads_to_its_description_and_both_light_up(visit: Visits) -> None:
    page = open_map(visit, width=390)
    before = look_of(page, "bl23")
    page.locator("a.p-bl23 .m-tag").click()
    page.mouse.move(0, 0)
    page.wait_for_url("**/points/#bl23")
    label, description = look_of(page, "bl23")
    assert label != before[0]
    assert description != before[1]
    assert page.evaluate(SEEN, "bl23")
    take_picture(page, "points-lit", full_page=False)


def test_a_description_leads_back_to_its_label_and_both_light_up(visit: Visits) -> None:
    page = open_map(visit, width=390)
    before = look_of(page, "ki3")
    page.locator("#ki3 a").click()
    page.mouse.move(0, 0)
    page.wait_for_url("**/points/#on-ki3")
    assert page.evaluate(SEEN, "on-ki3")
    assert [now != then for now, then in zip(look_of(page, "ki3"), before, strict=True)] == [True, True]


def test_pointing_at_a_label_lights_its_description_and_the_other_way_round(visit: Visits) -> None:
    page = open_map(visit, width=1280)
    before = look_of(page, "bl40")
    for pointed in ("a.p-bl40 .m-tag", "#bl40 p"):
        page.locator(pointed).hover()
        assert [now != then for now, then in zip(look_of(page, "bl40"), before, strict=True)] == [True, True]


def test_every_point_is_reached_by_keyboard_in_the_order_of_the_page(visit: Visits) -> None:
    page = open_map(visit, width=1280)
    expected = page.locator("main a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    page.locator("#main").focus()
    reached = []
    for _link in expected:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('href')"))
    assert reached == expected
    assert len([href for href in reached if href.startswith("#on-")]) == 23
    page.locator("a.p-gb34").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/points/#gb34")
