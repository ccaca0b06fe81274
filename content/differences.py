"""How two states of an article are told apart, for people to read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from django.contrib.admin.utils import label_for_field
from django.utils.translation import gettext as _

from content.models import Article

Kind = Literal["same", "gone", "new", "left out"]
AROUND = 2  # lines shown before and after a change
# With the space before it, so that what is gone and what is new never run together; the end of a line stands alone.
WORD = re.compile(r"\n|[^\S\n]*\S+|[^\S\n]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text: in both states, only in the old one, only in the new one, or alike and left out."""

    kind: Kind
    text: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one field."""

    label: str
    pieces: tuple[Piece, ...]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """The fields that differ between two states as `editing.facts_of` gives them, in the order of the form."""
    return [
        Difference(_label(name), tuple(_pieces(_text(name, old.get(name)), _text(name, new.get(name)))))
        for name in new
        if old.get(name) != new.get(name)
    ]


def _label(name: str) -> str:
    if name == "references":
        return _("references")
    return str(label_for_field(name.removesuffix("_id"), Article))


def _text(name: str, value: Any) -> str:
    """The value as text, a line for each row of a list."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "references":
        return "\n".join(
            " ".join(filter(None, [f"{row['number']}.", row["text"], row["doi"], row["url"]]))
            for row in value
        )
    if name in {"related", "translation_of_id"}:
        pks = value if isinstance(value, list) else [value]
        return "\n".join(Article.objects.filter(pk__in=pks).values_list("title", flat=True))
    return str(value)


def _pieces(old: str, new: str) -> Iterator[Piece]:
    """Lines alike are shown around changes only; within changed lines, words are compared."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from _words("".join(before[a:b]), "".join(after[c:d]))
        else:
            yield from _shortened(before[a:b], begins=a == 0, ends=b == len(before))


def _shortened(lines: Sequence[str], *, begins: bool, ends: bool) -> Iterator[Piece]:
    head = [] if begins else lines[:AROUND]
    tail = [] if ends else lines[max(len(head), len(lines) - AROUND) :]
    if len(head) + len(tail) == len(lines):
        yield Piece("same", "".join(lines))
        return
    if head:
        yield Piece("same", "".join(head))
    yield Piece("left out")
    if tail:
        yield Piece("same", "".join(tail))


def _words(old: str, new: str) -> Iterator[Piece]:
    before, after = WORD.findall(old), WORD.findall(new)
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece("same", "".join(before[a:b]))
            continue
        if a < b:
            yield Piece("gone", "".join(before[a:b]))
        if c < d:
            yield Piece("new", "".join(after[c:d]))
