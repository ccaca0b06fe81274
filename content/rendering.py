"""How an article's Markdown becomes HTML: what may stand in it, how cards and citations look."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

import nh3
from django.template.loader import render_to_string
from django.utils.text import slugify
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin

from content.evidence import draw_crowd, read_evidence
from content.figures import figures_for
from content.points import POINT_OF_CODE, Point

PREFIXES = {
    "emergency": _("Emergency:"),
    "urgent": _("Urgent advice:"),
    "non-urgent": _("Non-urgent advice:"),
}
CARDS = (*PREFIXES, "note")
ICON_PATHS = {
    "emergency": "M12 4L2.8 20h18.4zM12 10v5M12 17.5v.1",
    "urgent": (
        "M5 4h4l1.5 5-2.3 1.6a12 12 0 0 0 5.2 5.2L15 13.5l5 1.5v4a1.5 1.5 0 0 1-1.5 1.5"
        "C10.5 20.5 3.5 13.5 3.5 5.5A1.5 1.5 0 0 1 5 4z"
    ),
    "non-urgent": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 11v5.5M12 7.5v.1",
}
CROWD = re.compile(r'<span class="crowd-(\d+)"></span>')
PICTURE = '<span class="points"></span>'
CITATION = re.compile(r"\[\^([1-9][0-9]{0,2})\]")
EVIDENCE = ("people", "guidelines")
HEADED = {f"container_{name}_open" for name in ("card", *EVIDENCE)}
TAKEN_BY_THE_PAGE = re.compile(r"main|in-short|contents|sources|book|related|[rc][0-9]+")

# The renderer below writes nothing else; the cleaner is there for what it might be talked into.
CLEANER = nh3.Cleaner(
    tags={
        "a", "blockquote", "br", "em", "figcaption", "figure", "h2", "h3", "hr", "li", "ol", "p", "section", "div",
        "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
    },
    attributes={
        "*": set(),  # otherwise lang and title are let through
        "a": {"href", "id", "aria-label"},
        "h2": {"id"},
        "h3": {"id"},
        "ol": {"start"},
        "section": {"aria-labelledby"},
        "th": {"scope"},
    },
    allowed_classes={
        "a": {"cite"},
        "div": {"flow"},
        "figure": {"fig"},
        "section": {"care", "care--now", "evidence", "note"},
        "span": {
            "points", "vh", *(f"icon-{card}" for card in ICON_PATHS), *(f"crowd-{count}" for count in range(101)),
        },
        "ul": {"people"},
    },
    url_schemes={"https", "http", "mailto", "tel"},
    link_rel=None,  # the site's Referrer-Policy says it for every link
)  # fmt: skip


class SanitisedHtml(str):
    """HTML that came out of this file's cleaner: the only text that templates print unescaped.

    Whatever is made from it by `+` or a method is a plain `str` again, and escaped.
    """

    __slots__ = ()

    def __html__(self) -> str:
        return self


@dataclass(frozen=True, slots=True)
class Heading:
    """One entry of the contents list; `id` is the address of the part within the page."""

    text: str
    id: str


@dataclass(frozen=True, slots=True)
class RenderedArticle:
    """`contents` lists the second-level headings in order; `cited` the numbers of references in the text.

    `faults` says in words for staff what is wrong with the text's figures.
    """

    html: SanitisedHtml
    contents: tuple[Heading, ...]
    cited: frozenset[int]
    faults: tuple[str, ...]


def render_article(markdown: str) -> RenderedArticle:
    """Renders CommonMark without raw HTML, code and images, and with these additions:

    - `::: emergency <heading>` up to `:::` is a care card; so are `urgent`, `non-urgent` and `note`.
      Any other name, or a card without a heading, stays text.
    - `::: people <heading>` up to `:::` draws what its list says, such as “- 48 in 100 with acupuncture”.
    - `::: guidelines <heading>` up to `:::` holds a table: who, year, what they say, source.
    - `::: points BL23 BL40` up to `:::` draws these points; what stands between is the caption.
    - `[^4]` cites reference 4 of the article.

    Its own words, such as “Emergency:”, are in the active language.
    """
    return _render(markdown, get_language())


@lru_cache(maxsize=64)  # a long article takes 10 ms to render, more than all the rest of its page
def _render(markdown: str, _language: str) -> RenderedArticle:
    tokens = PARSER.parse(markdown)
    contents = _name_headings(tokens)
    cited = _name_citations(tokens)
    pictures, faults = _draw_points(tokens)
    faults += read_evidence(tokens)
    html = CLEANER.clean(PARSER.renderer.render(tokens, PARSER.options, {}))
    for card, path in ICON_PATHS.items():
        icon = f'<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg>'
        html = html.replace(f'<span class="icon-{card}"></span>', icon)
    html = CROWD.sub(lambda match: draw_crowd(int(match[1])), html)
    for picture in pictures:
        html = html.replace(PICTURE, picture, 1)
    html = html.replace("<figcaption></figcaption>", "")
    return RenderedArticle(SanitisedHtml(html), tuple(contents), frozenset(cited), tuple(faults))


def _name_headings(tokens: Sequence[Token]) -> list[Heading]:
    """Gives headings and cards their level and an id, and returns what belongs into the contents list.

    The page has its own `h1`, so headings are `h2` or `h3`. A card's heading is one of the page's parts until
    the first `h2`, and below that part afterwards.
    """
    contents: list[Heading] = []
    ids: set[str] = set()
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.tag = tokens[place + 2].tag = "h2" if token.tag in {"h1", "h2"} else "h3"
            text = _plain(tokens[place + 1])
            token.attrSet("id", _free_id(text, ids))
            if token.tag == "h2":
                contents.append(Heading(text, str(token.attrs["id"])))
        elif token.type in HEADED:
            token.meta = {"tag": "h3" if contents else "h2", "id": _free_id("card", ids)}
    return contents


def _plain(inline: Token) -> str:
    return "".join(
        " " if child.type == "softbreak" else child.content
        for child in inline.children or []
        if child.type != "citation"
    ).strip()


def _free_id(text: str, ids: set[str]) -> str:
    """An id for `text` that neither the page nor `ids` has yet; it is added to `ids`."""
    wanted = candidate = slugify(text, allow_unicode=True) or "part"
    count = 1
    while candidate in ids or TAKEN_BY_THE_PAGE.fullmatch(candidate):
        count += 1
        candidate = f"{wanted}-{count}"
    ids.add(candidate)
    return candidate


def _name_citations(tokens: Sequence[Token]) -> set[int]:
    """Gives the first citation of each reference its id, and returns the numbers cited."""
    cited: set[int] = set()
    for citation in (child for token in tokens for child in token.children or [] if child.type == "citation"):
        if citation.meta["number"] not in cited:
            citation.meta["id"] = f' id="c{citation.meta["number"]}"'
        cited.add(citation.meta["number"])
    return cited


def _draw_points(tokens: Sequence[Token]) -> tuple[list[str], list[str]]:
    """The pictures of the blocks `points`, in order, and what is wrong with these blocks."""
    pictures: list[str] = []
    faults: list[str] = []
    drawn: set[str] = set()
    for token in tokens:
        if token.type == "container_points_open":
            codes = dict.fromkeys(token.info.upper().split()[1:])
            pictures.append(_draw([POINT_OF_CODE[code] for code in codes if code in POINT_OF_CODE], drawn))
            unknown = ", ".join(code for code in codes if code not in POINT_OF_CODE)
            if unknown:
                faults.append(
                    gettext("We have no drawing of %(unknown)s. The points are: %(known)s.")
                    % {"unknown": unknown, "known": ", ".join(POINT_OF_CODE)}
                )
    return pictures, faults


def _draw(points: Sequence[Point], drawn: set[str]) -> str:
    """A picture of the points; artwork in `drawn` stands on the page already, and what is new is added to it."""
    figures = [
        (figure, figure.drawing.artwork if figure.drawing.artwork in drawn else "")
        for figure in figures_for(points)
    ]
    drawn |= {figure.drawing.artwork for figure, _drawn in figures}
    return render_to_string("content/figures/points.html", {"figures": figures, "points": points})


def _read_citation(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 (the parser's signature)
    match = CITATION.match(state.src, state.pos)
    if not match:
        return False
    if not silent:
        state.push("citation", "", 0).meta = {"number": int(match[1]), "id": ""}
    state.pos = match.end()
    return True


def _write_citation(_renderer: object, tokens: Sequence[Token], place: int, *_rest: object) -> str:
    number, identity = tokens[place].meta["number"], tokens[place].meta["id"]
    label = escape(gettext("Reference %(number)d") % {"number": number})
    return f'<a class="cite" href="#r{number}"{identity} aria-label="{label}">{number}</a>'


def _is_card(params: str, markup: str) -> bool:
    card, _space, heading = params.strip().partition(" ")
    return card in CARDS and bool(heading.strip())


def _write_card(_renderer: object, tokens: Sequence[Token], place: int, *_rest: object) -> str:
    token = tokens[place]
    if token.nesting < 0:
        return "</div></section>"
    card, _space, heading = token.info.strip().partition(" ")
    tag, identity, heading = token.meta["tag"], token.meta["id"], escape(heading.strip())
    if card == "note":
        return (
            f'<section class="note" aria-labelledby="{identity}">'
            f'<{tag} id="{identity}">{heading}</{tag}><div class="flow">'
        )
    return (
        f'<section class="care{" care--now" if card == "emergency" else ""}" aria-labelledby="{identity}">'
        f'<{tag} id="{identity}"><span class="icon-{card}"></span>'
        f'<span><span class="vh">{escape(str(PREFIXES[card]))} </span>{heading}</span></{tag}><div>'
    )


def _has_heading(name: str) -> Callable[[str, str], bool]:
    def is_block(params: str, markup: str) -> bool:
        first, _space, heading = params.strip().partition(" ")
        return first == name and bool(heading.strip())

    return is_block


def _write_evidence(_renderer: object, tokens: Sequence[Token], place: int, *_rest: object) -> str:
    token = tokens[place]
    if token.nesting < 0:
        return "</section>"
    heading = escape(token.info.strip().partition(" ")[2].strip())
    tag, identity = token.meta["tag"], token.meta["id"]
    return f'<section class="evidence" aria-labelledby="{identity}"><{tag} id="{identity}">{heading}</{tag}>'


def _write_count(_renderer: object, tokens: Sequence[Token], place: int, *_rest: object) -> str:
    return f"<strong>{escape(tokens[place].content)}</strong>"


def _write_crowd(_renderer: object, tokens: Sequence[Token], place: int, *_rest: object) -> str:
    return f'<span class="crowd-{tokens[place].meta["count"]}"></span>'


def _is_points(params: str, markup: str) -> bool:
    name, _space, codes = params.strip().partition(" ")
    return name == "points" and bool(codes.strip())


def _write_points(_renderer: object, tokens: Sequence[Token], place: int, *_rest: object) -> str:
    return (
        f'<figure class="fig">{PICTURE}<figcaption>'
        if tokens[place].nesting > 0
        else "</figcaption></figure>"
    )


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    # Patients' pages have no use for these, and four spaces too many would turn a warning into code.
    parser.disable(["code", "fence", "backticks", "image", "reference"])
    parser.use(container_plugin, "card", validate=_is_card, render=_write_card)
    for name in EVIDENCE:
        parser.use(container_plugin, name, validate=_has_heading(name), render=_write_evidence)
    parser.use(container_plugin, "points", validate=_is_points, render=_write_points)
    parser.inline.ruler.before("link", "citation", _read_citation)
    parser.add_render_rule("citation", _write_citation)
    parser.add_render_rule("out_of_100", _write_count)
    parser.add_render_rule("crowd", _write_crowd)
    return parser


PARSER = _parser()
