"""The map of points, and figures of points within articles."""

import re
from itertools import combinations, pairwise
from math import hypot

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from content.figures import NARROW, Figure, Label, figure_of, figures_for
from content.models import Article
from content.points import DRAWINGS, POINT_OF_CODE, POINTS, Caution
from content.rendering import render_article
from tests.content.test_articles import main_of, texts_of
from tests.content.test_desk import ADD, WHOLE, faults_of

PLATES = ("upper", "lower", "leg", "hand")
FIGURES = [figure_of(drawing) for drawing in DRAWINGS.values()]
Box = tuple[int, int, int, int]


def box_of(figure: Figure, label: Label) -> Box:
    """Left, upper, right and lower edge."""
    return (
        label.x - label.half,
        label.y - figure.half,
        label.x + label.half,
        label.y + figure.half,
    )


def away(point: tuple[float, float], begin: tuple[float, float], end: tuple[float, float]) -> float:
    """How far the point is from the line between begin and end."""
    (x, y), (x0, y0), (x1, y1) = point, begin, end
    along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
    along = min(1.0, max(0.0, along))
    return hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))


def stretches(label: Label) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """The straight pieces of the lines that lead to the label's dots."""
    lines = [
        [tuple(map(float, stop.split())) for stop in line.split("L")] for line in label.line[1:].split("M")
    ]
    return [((a[0], a[1]), (b[0], b[1])) for line in lines for a, b in pairwise(line)]


# --- The points ---------------------------------------------------------------------------------------------


def test_only_points_are_shown_whose_place_has_a_source() -> None:
    assert [point.code for point in POINTS] == [
        "GV14", "GB21", "BL11", "BL12", "BL13", "SI11",
        "GV4", "GV3", "BL23", "BL24", "BL25", "BL26", "BL52", "GB30",
        "BL40", "BL57", "GB34", "BL60", "KI3",
        "LI4", "SI3", "EX-UE7", "TE5",
    ]  # fmt: skip


def test_points_that_are_avoided_or_lie_over_the_lung_are_marked() -> None:
    marked = {point.code: point.cautions for point in POINTS if point.cautions}
    assert marked == {
        "GB21": (Caution.PREGNANCY, Caution.LUNG),
        "BL11": (Caution.LUNG,),
        "BL12": (Caution.LUNG,),
        "BL13": (Caution.LUNG,),
        "BL60": (Caution.PREGNANCY,),
        "LI4": (Caution.PREGNANCY,),
    }


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.code)
def test_every_point_has_its_names_a_place_in_words_and_a_drawing_of_its_own(point: object) -> None:
    shown = POINT_OF_CODE[point.code]  # type: ignore[attr-defined]
    assert re.fullmatch(r"[A-Z][a-zāáǎàēéěèīíǐìōóǒòūúǔùǘ]+", shown.pinyin)
    assert re.fullmatch(r"[\u4e00-\u9fff]{2,3}", shown.characters)
    assert re.fullmatch(r"[A-Z].{20,}\.", str(shown.place))
    assert len(set(PLATES) & set(shown.spots)) == 1


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.drawing.name)
def test_every_dot_and_label_lies_within_its_drawing(figure: Figure) -> None:
    x, y, width, height = figure.view
    for label in figure.labels:
        left, upper, right, lower = box_of(figure, label)
        assert (x <= left, right <= x + width, y <= upper, lower <= y + height) == (True,) * 4, (
            label.point.code
        )
        for dot in label.dots:
            edge = figure.radius
            assert x + edge <= dot[0] <= x + width - edge, label.point.code
            assert y + edge <= dot[1] <= y + height - edge, label.point.code


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.drawing.name)
def test_labels_are_tall_enough_to_touch_and_never_cover_each_other(figure: Figure) -> None:
    narrow = NARROW / figure.view[2]
    assert figure.height * narrow >= 24
    for one, other in combinations(figure.labels, 2):
        a, b = box_of(figure, one), box_of(figure, other)
        apart = a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
        assert apart, (one.point.code, other.point.code)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.drawing.name)
def test_no_line_runs_into_the_dot_of_another_point(figure: Figure) -> None:
    touching = [
        (one.point.code, other.point.code)
        for one in figure.labels
        for other in figure.labels
        if one is not other
        for dot in other.dots
        for begin, end in stretches(one)
        if away(dot, begin, end) <= figure.radius
    ]
    assert touching == []


# --- The page -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_map_asks_the_database_nothing(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/points/")
    assert (response.status_code, dict(response.cookies)) == (200, {})


def test_every_label_leads_to_a_description_and_every_description_to_its_label(client: Client) -> None:
    page = main_of(client, "/points/")
    labels = re.findall(r'<a class="p-([^"]+)" id="on-([^"]+)" href="#([^"]+)"', page)
    descriptions = re.findall(r'<li class="p-([^"]+)" id="([^"]+)"><h3><a href="#on-([^"]+)">', page)
    ids = sorted(point.id for point in POINTS)
    assert sorted(labels) == sorted(descriptions) == [(one, one, one) for one in ids]


def test_without_styles_the_map_is_a_plain_list(client: Client) -> None:
    page = main_of(client, "/points/")
    items = re.findall(r'<li class="p-[^"]+"[^>]*>(.*?)</li>', page, re.DOTALL)
    assert [" ".join(texts_of(item)) for item in items] == [
        " ".join(
            [point.code, point.pinyin, point.characters, str(point.place)]
            + [f"{caution.value}." for caution in point.cautions]
        )
        for point in POINTS
    ]


def test_names_say_which_language_they_are_in(client: Client) -> None:
    page = main_of(client, "/points/")
    assert '<span lang="zh-Latn-pinyin">Shènshù</span> <span lang="zh-Hant">腎俞</span>' in page
    assert page.count('lang="zh-Latn-pinyin"') == len(POINTS)


def test_a_caution_is_a_shape_and_words_on_the_drawing_and_in_the_list(client: Client) -> None:
    page = main_of(client, "/points/")
    assert 'aria-label="GB21. Usually avoided in pregnancy. The lung lies underneath"' in page
    for caution in Caution:
        marked = [point for point in POINTS if caution in point.cautions]
        drawn = re.findall(rf'<path class="m-mark" d="{re.escape(caution.shape)}"', page)
        assert len(drawn) == len(marked)
    assert "call 911" in page
    assert "Tell us if you are or might be pregnant." in page


def test_the_map_claims_no_effect_and_tells_nobody_how_to_needle(client: Client) -> None:
    words = " ".join(texts_of(main_of(client, "/points/")))
    assert "They are not proven switches." in words
    assert "It is not a guide to needling yourself." in words
    forbidden = r"(?i)\b(?:deep|depth|angle|insert\w*|[0-9.]+ ?(?:mm|cm|cun)|treats?|cures?|relieves?)\b"
    assert re.findall(forbidden, words) == []


def test_the_map_is_linked_from_every_page(client: Client) -> None:
    assert client.get("/points/").content.decode().count('<a href="/points/"') == 2
    assert '<a href="/points/" aria-current="page">' in client.get("/points/").content.decode()


def test_the_styles_light_every_point() -> None:
    with open(str(finders.find("css/points.css")), encoding="utf-8") as styles:  # noqa: PTH123 (found by name)
        lit = re.findall(r"\.map:has\(\.p-(\S+):is\([^)]*\)\) \.p-(\S+?)[,\s]", styles.read())
    assert lit == [(point.id, point.id) for point in POINTS]


# --- Points in articles -------------------------------------------------------------------------------------


def codes_of(figures: list[Figure]) -> dict[str, list[str]]:
    return {figure.drawing.name: [point.code for point in figure.points] for figure in figures}


def test_a_figure_uses_as_few_drawings_as_show_its_points() -> None:
    chosen = [POINT_OF_CODE[code] for code in ("BL23", "KI3", "BL40", "LI4")]
    assert codes_of(figures_for(chosen)) == {"back": ["BL23", "BL40"], "leg": ["KI3"], "hand": ["LI4"]}


def test_a_figure_is_cut_to_the_height_of_its_points_and_shows_all_of_them() -> None:
    whole = DRAWINGS["back"].view
    [figure] = figures_for([POINT_OF_CODE["BL23"], POINT_OF_CODE["BL25"]])
    _x, upper, width, height = figure.view
    assert width == whole[2]
    assert height < whole[3] / 2
    for label in figure.labels:
        assert upper < label.y - figure.half
        assert label.y + figure.half < upper + height


def test_points_in_an_article_lead_to_the_map_and_are_told_in_words_below() -> None:
    rendered = render_article("::: points BL40 BL60\nTwo of *many*.\n:::")
    assert rendered.faults == ()
    assert re.findall(r'<a class="p-[^"]+" href="([^"]+)" aria-label="([^"]+)"', rendered.html) == [
        ("/points/#bl40", "BL40"),
        ("/points/#bl60", "BL60. Usually avoided in pregnancy"),
    ]
    assert [" ".join(texts_of(item)) for item in re.findall(r"<li>(.*?)</li>", rendered.html, re.DOTALL)] == [
        "BL40 Wěizhōng : In the middle of the crease behind the knee.",
        "BL60 Kūnlún : Between the outer ankle bone and the Achilles tendon. Usually avoided in pregnancy.",
    ]
    assert "<figcaption><p>Two of <em>many</em>.</p>\n</figcaption></figure>" in rendered.html


def test_points_may_be_written_small_or_twice() -> None:
    assert render_article("::: points bl23 BL23\n:::") == render_article("::: points BL23\n:::")


def test_two_figures_of_one_body_draw_it_once_so_that_no_id_stands_twice() -> None:
    html = render_article("::: points BL23\n:::\n\n::: points BL40\n:::").html
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert (html.count('<g id="body">'), html.count('<use href="#body"/>')) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("::: points BL23 BL99 XY\n:::", "We have no drawing of BL99, XY. The points are: GV14, GB21, "),
        ("::: points\n:::", "A line with “:::” does not make a card."),
        ("::: points BL23\n\nText.", "A line with “:::” does not make a card."),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_said_at_the_text(client: Client, body: str, fault: str) -> None:
    client.force_login(User.objects.create_superuser("owner"))
    faults = faults_of(client.post(ADD, WHOLE | {"body": body}))
    assert list(faults) == ["body"]
    assert faults["body"][0].startswith(fault)
    assert Article.objects.count() == 0
