"""One line of the calendar's list: what it says, and how that is marked up.

A week has hundreds of lines, and a template would take most of the page's time to go through them one by one.
"""

from collections.abc import Iterable
from typing import Final, TypedDict
from urllib.parse import urlencode

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _


class Line(TypedDict):
    """One thing in a column, in words. `start` is a time that can be booked, as it stands in addresses."""

    when: str
    title: str
    details: str
    css: str
    tag: str
    tag_css: str
    remark: str
    page: str
    move: str
    start: str


NOTHING: Final[Line] = {
    "when": "",
    "title": "",
    "details": "",
    "css": "",
    "tag": "",
    "tag_css": "",
    "remark": "",
    "page": "",
    "move": "",
    "start": "",
}

_BEGIN: Final = '<li class="{}"><p class="rh-row"><span class="rh-times">{}</span><span class="rh-who">'
_LINKED: Final = _BEGIN + '<a href="{}"><bdi>{}</bdi></a><br>{}</span>'
_NAMED: Final = _BEGIN + "<b>{}</b><br>{}</span>"
_TAG: Final = '<span class="{}">{}</span>'
_REMARK: Final = '<p class="rh-muted rh-cal-remark">{}</p>'
_ACT: Final = '<a class="rh-quiet" href="{}">{}<span class="rh-vh"> {}</span></a>'


class Escaped(dict[str, SafeString]):
    """Each text as it stands in a page, escaped once however many lines say it."""

    def __missing__(self, text: str) -> SafeString:
        self[text] = escape(text)
        return self[text]


def mark_up(lines: Iterable[Line], *, who: str, slug: str, book: str, escaped: Escaped) -> SafeString:
    """The list of one column, that of this practitioner or room; all columns of a page share `escaped`.

    `book` is the address of booking by phone; without it no free time leads there.
    """
    move_it, book_it = _("Move…"), _("Book by phone…")
    pattern: list[str] = []
    said: list[str] = []
    for line in lines:
        pattern.append(_LINKED if line["page"] else _NAMED)
        said += [line["css"], line["when"]]
        if line["page"]:
            said.append(line["page"])
        said += [line["title"], line["details"]]
        if line["tag"]:
            pattern.append(_TAG)
            said += [line["tag_css"], line["tag"]]
        pattern.append("</p>")
        if line["remark"]:
            pattern.append(_REMARK)
            said.append(line["remark"])
        if line["move"]:
            pattern.append(_ACT)
            said += [line["move"], move_it, line["title"]]
        if line["start"] and book:
            address = f"{book}?{urlencode({'start': line['start'], 'practitioner': slug})}"
            pattern.append(_ACT)
            said += [address, book_it, f"{line['when']}, {who}"]
        pattern.append("</li>\n")
    if not pattern:
        return format_html('<p class="rh-none">{}</p>', _("Nothing."))
    return format_html(f'<ol class="rh-line">\n{"".join(pattern)}</ol>', *[escaped[text] for text in said])
