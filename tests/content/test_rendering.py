"""What becomes of the Markdown that staff write."""

import re
from html.parser import HTMLParser

import pytest
from django.template import Context, Template

from content.rendering import Heading, render_article

WARNING = (
    '<svg class="i" viewBox="0 0 24 24" aria-hidden="true">'
    '<path d="M12 4L2.8 20h18.4zM12 10v5M12 17.5v.1"/></svg>'
)


def test_an_emergency_card_is_red_and_says_so_to_those_who_cannot_see_it() -> None:
    rendered = render_article("::: emergency Call 911 if you:\n- cannot pee\n\nDo not drive.\n:::\n")
    assert rendered.html == (
        '<section class="care care--now" aria-labelledby="card">'
        f'<h2 id="card">{WARNING}<span><span class="vh">Emergency: </span>Call 911 if you:</span></h2>'
        "<div><ul>\n<li>cannot pee</li>\n</ul>\n<p>Do not drive.</p>\n</div></section>"
    )


@pytest.mark.parametrize(
    ("card", "prefix"), [("urgent", "Urgent advice: "), ("non-urgent", "Non-urgent advice: ")]
)
def test_other_care_cards_are_blue_and_name_their_urgency(card: str, prefix: str) -> None:
    html = render_article(f"::: {card} Call 811 if:\n- it hurts\n:::").html
    assert html.startswith('<section class="care" aria-labelledby="card"><h2 id="card"><svg class="i" ')
    assert f'<span><span class="vh">{prefix}</span>Call 811 if:</span></h2>' in html


def test_a_note_has_a_heading_and_neither_icon_nor_urgency() -> None:
    assert render_article("::: note Tell us\nIf you are ill.\n:::").html == (
        '<section class="note" aria-labelledby="card"><h2 id="card">Tell us</h2>'
        '<div class="flow"><p>If you are ill.</p>\n</div></section>'
    )


def test_a_card_below_a_part_is_one_level_under_it_and_each_card_has_its_own_id() -> None:
    html = render_article("::: note One\na\n:::\n\n## Part\n\n::: note Two\nb\n:::").html
    assert re.findall(r"<(h\d) id=\"([^\"]+)\">", html) == [("h2", "card"), ("h2", "part"), ("h3", "card-2")]


@pytest.mark.parametrize("line", ["::: danger Run", "::: emergency", ":::", "::: emergencyCall 911"])
def test_what_is_not_a_card_stays_readable_text(line: str) -> None:
    assert render_article(f"{line}\n").html == f"<p>{line}</p>\n"


def test_second_level_headings_make_the_contents_list() -> None:
    rendered = render_article("## What *happens*[^1]\n\n### A detail\n\n## Costs & fees\n")
    assert rendered.contents == (
        Heading(text="What happens", id="what-happens"),
        Heading(text="Costs & fees", id="costs-fees"),
    )
    assert '<h3 id="a-detail">A detail</h3>' in rendered.html


def test_headings_alike_or_like_an_id_of_the_page_get_ids_of_their_own() -> None:
    rendered = render_article("## Pain\n\n## Pain\n\n## Sources\n\n## C1\n\n## !!!\n\n## کمردرد\n")
    assert [heading.id for heading in rendered.contents] == [
        "pain",
        "pain-2",
        "sources-2",
        "c1-2",
        "part",
        "کمردرد",
    ]


def test_headings_of_other_levels_fit_under_the_page_s_own() -> None:
    assert render_article("# One\n\n##### Five\n").html == '<h2 id="one">One</h2>\n<h3 id="five">Five</h3>\n'


def test_a_citation_links_to_its_source_and_only_the_first_bears_the_id() -> None:
    rendered = render_article("One.[^2] Two.[^2] [^1]\n")
    assert rendered.html == (
        '<p>One.<a class="cite" href="#r2" id="c2" aria-label="Reference 2">2</a> '
        'Two.<a class="cite" href="#r2" aria-label="Reference 2">2</a> '
        '<a class="cite" href="#r1" id="c1" aria-label="Reference 1">1</a></p>\n'
    )
    assert rendered.cited == {1, 2}


def test_a_citation_within_a_link_s_text_leaves_no_link_inside_a_link() -> None:
    assert render_article("[a[^1]](/b/)").html == (
        '<p>[a<a class="cite" href="#r1" id="c1" aria-label="Reference 1">1</a>](/b/)</p>\n'
    )


def test_html_in_the_text_is_shown_and_not_obeyed() -> None:
    assert render_article("Use <b>this</b>.\n\n<hr>\n\n::: note <em>Tell</em> us\n:::").html == (
        "<p>Use &lt;b&gt;this&lt;/b&gt;.</p>\n<p>&lt;hr&gt;</p>\n"
        '<section class="note" aria-labelledby="card"><h2 id="card">&lt;em&gt;Tell&lt;/em&gt; us</h2>'
        '<div class="flow"></div></section>'
    )


def test_tables_lists_and_links_are_kept() -> None:
    markdown = "|a|\n|:-:|\n|b|\n\n3. c\n\n[d](/points/) [e](tel:811) **f** *g*\n"
    assert render_article(markdown).html == (
        "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b</td>\n</tr>\n</tbody>\n</table>\n"
        '<ol start="3">\n<li>c</li>\n</ol>\n'
        '<p><a href="/points/">d</a> <a href="tel:811">e</a> <strong>f</strong> <em>g</em></p>\n'
    )


def test_a_warning_indented_by_four_spaces_does_not_become_code() -> None:
    assert render_article("    Call 911.\n").html == "<p>Call 911.</p>\n"


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    '<a href="javascript:alert(1)">x</a>',
    '<span class="icon-emergency"></span>',
    "<style>*{display:none}</style>",
    "<!-- --><base href=//evil.example>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](vbscript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](https://a.example/pixel.png)",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example/"onmouseover="alert(1))',
    '[x](<https://a.example/" onmouseover="alert(1)>)',
    "[x]: javascript:alert(1)\n\n[x]",
    "[^1]: <script>alert(1)</script>",
    '[^1" onmouseover="alert(1)]',
    '## <b onclick=alert(1)>x" onclick="alert(1)',
    '::: emergency <img src=x onerror=alert(1)>" onclick="alert(1)\n:::',
    '::: note "><script>alert(1)</script>\n</div></section><script>alert(1)</script>\n:::',
    '::: "onclick=alert(1) x\n:::',
    "|<script>alert(1)</script>|\n|-|\n|<b onclick=alert(1)>|",
    '```"onclick=alert(1)\n<script>alert(1)</script>\n```',
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "<" * 200 + "script>",
    "[" * 200 + "x" + "](javascript:alert(1))" * 200,
]


class Tags(HTMLParser):
    """Reads HTML as a browser would and keeps what could act."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _value in attrs}
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]


def test_what_reads_the_attacks_would_notice_one() -> None:
    tags = Tags('<img src=x onerror=alert(1)><a href="javascript:alert(1)">')
    assert (tags.names, tags.attributes) == ({"img", "a"}, {"src", "onerror", "href"})
    assert tags.addresses == ["x", "javascript:alert(1)"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_of_an_article_can_act_on_the_page(attack: str) -> None:
    rendered = render_article(f"{attack}\n\nText {attack} text\n\n- {attack}\n")
    tags = Tags(rendered.html)
    assert tags.names <= {
        "a", "div", "h2", "h3", "li", "ol", "p", "path", "section", "span", "svg", "table", "tbody", "td", "th",
        "thead", "tr", "ul",
    }  # fmt: skip
    assert tags.attributes <= {
        "aria-hidden", "aria-label", "aria-labelledby", "class", "d", "href", "id", "viewbox",
    }  # fmt: skip
    assert [address for address in tags.addresses if not re.match(r"https://a\.example|#", address)] == []


def test_a_template_prints_an_article_s_html_but_escapes_whatever_is_made_from_it() -> None:
    html = render_article("Text").html
    page = Template("{{ html }}|{{ more }}").render(Context({"html": html, "more": html + "<script>"}))
    assert page == "<p>Text</p>\n|&lt;p&gt;Text&lt;/p&gt;\n&lt;script&gt;"
