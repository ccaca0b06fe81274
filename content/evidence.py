"""What studies and guidelines found, as a block of an article: how its lines are read, drawn and checked."""

import re
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext
from markdown_it.token import Token

# “48 in 100 …”; the hundred may come first, as in “100 人中有 48 人”, and digits may be Persian.
OUT_OF_100 = re.compile(r"(\d{1,3})\D{1,20}?(\d{1,3})(?![.,]?\d)")
YEAR = re.compile(r"(19|20)\d\d")
COLUMNS = 4  # who, year, what they say, source
EVERYONE = 100
ROWS = 4  # of a crowd; each column of it is four people


def read_evidence(tokens: Sequence[Token]) -> list[str]:
    """Prepares the blocks `people` and `guidelines` among the tokens, and returns what is wrong with them."""
    return [
        fault
        for name, read in (("people", _read_people), ("guidelines", _read_guidelines))
        for heading, block in _blocks(tokens, name)
        for fault in read(heading, block)
    ]


def draw_crowd(count: int) -> str:
    """A hundred people as dots, column by column, `count` of them large; for the eye only, text stands beside it."""
    everyone = "".join(f"M.5 {row}.5h24.1" for row in range(ROWS))
    rows = [(row, (count - row + ROWS - 1) // ROWS) for row in range(ROWS)]
    some = "".join(f"M.5 {row}.5h{people - 1}.1" for row, people in rows if people)
    return (
        '<svg class="crowd" viewBox="0 0 25 4" aria-hidden="true">'
        f'<path d="{everyone}"/><path d="{some}"/></svg>'
    )


def _blocks(tokens: Sequence[Token], name: str) -> Iterator[tuple[str, Sequence[Token]]]:
    """The heading and the tokens of each block of that name."""
    for begin, token in enumerate(tokens):
        if token.type == f"container_{name}_open":
            same = (
                place
                for place in range(begin, len(tokens))
                if tokens[place].type == f"container_{name}_close" and tokens[place].level == token.level
            )
            heading = token.info.strip().partition(" ")[2].strip()
            yield heading, tokens[begin : next(same)]


def _read_people(heading: str, block: Sequence[Token]) -> list[str]:
    lines = [token for token in block if token.type == "inline" and token.level > block[0].level + 2]
    wrong = [line.content for line in lines if not _take_count(line)]
    for token in block:
        if token.type == "bullet_list_open":
            token.attrs = {"class": "people"}
    faults = [
        gettext(
            "Below “%(heading)s”, each line begins with whole numbers out of 100, such as “- 48 in 100 with "
            "acupuncture”. This one does not: “%(line)s”."
        )
        % {"heading": heading, "line": line}
        for line in wrong
    ]
    if not lines:
        no_line = gettext("“%(heading)s” has no line such as “- 48 in 100 with acupuncture”.")
        faults.append(no_line % {"heading": heading})
    if not any(_cites(token) for token in block):
        no_source = gettext("Name the source of “%(heading)s”: cite it with [^1] below that heading.")
        faults.append(no_source % {"heading": heading})
    return faults


def _take_count(line: Token) -> bool:
    """Sets off the words that say how many of 100 and adds the picture, if the line begins with such words."""
    children = line.children or []
    match = OUT_OF_100.match(children[0].content) if children and children[0].type == "text" else None
    numbers = sorted(int(number) for number in match.groups()) if match else []
    if not match or numbers[1] != EVERYONE:
        return False
    children[0].content = children[0].content[match.end() :]
    words = Token("out_of_100", "", 0, content=match[0])
    line.children = [words, *children, Token("crowd", "", 0, meta={"count": numbers[0]})]
    return True


def _read_guidelines(heading: str, block: Sequence[Token]) -> list[str]:
    rows: list[list[Token]] = []
    for place, token in enumerate(block):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in {"th_open", "td_open"}:
            rows[-1].append(block[place + 1])
            if token.type == "th_open":
                token.attrs = {"scope": "col"}
            elif len(rows[-1]) == 1:
                token.tag = block[place + 2].tag = "th"
                token.attrs = {"scope": "row"}
    if len(rows) <= 1:
        return [
            gettext("“%(heading)s” has no table of guidelines: who, year, what they say, source.")
            % {"heading": heading}
        ]
    return [
        gettext(
            "Below “%(heading)s”, each row says who, a year such as 2017, what they say, and cites its source "
            "with [^1]. This one does not: “%(row)s”."
        )
        % {"heading": heading, "row": " | ".join(cell.content for cell in row)}
        for row in rows[1:]
        if len(row) != COLUMNS or not YEAR.search(row[1].content) or not _cites(row[3])
    ]


def _cites(token: Token) -> bool:
    return any(child.type == "citation" for child in token.children or [])
