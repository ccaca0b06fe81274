"""Reads what a page tells machines (schema.org in microdata) and holds it against the vocabulary's own definitions."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser

from schema_org import registry

TEXTS = {"Text", "URL"}
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass
class Item:
    """One thing the page tells of; a value is a text or another thing."""

    type: str
    properties: list[tuple[str, "str | Item"]] = field(default_factory=list)

    def all(self, name: str) -> list["str | Item"]:
        return [value for given, value in self.properties if given == name]

    def one(self, name: str) -> "str | Item":
        [value] = self.all(name)
        return value

    def text(self, name: str) -> str:
        value = self.one(name)
        assert isinstance(value, str)
        return value

    def item(self, name: str) -> "Item":
        value = self.one(name)
        assert isinstance(value, Item)
        return value


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []
        self.open: list[
            tuple[Item | None, str | None, list[str]]
        ] = []  # per element: its item, property, text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        around = next((item for item, _name, _text in reversed(self.open) if item), None)
        item = Item(given["itemtype"].removeprefix("https://schema.org/")) if "itemscope" in given else None
        name = given.get("itemprop")
        value: str | Item | None = item
        if name and not item:
            value = given.get("content", given.get("href", given.get("datetime", given.get("src"))))
        if item and not name:
            self.items.append(item)
        if name and value is not None:
            assert around, f"{name} belongs to nothing"
            around.properties.append((name, value))
        if tag not in VOID:
            self.open.append((item, name if name and value is None else None, []))

    def handle_data(self, data: str) -> None:
        for _item, name, text in self.open:
            if name:
                text.append(data)

    def handle_endtag(self, tag: str) -> None:
        _item, name, text = self.open.pop()
        if name:
            around = next(item for item, _name, _text in reversed(self.open) if item)
            around.properties.append((name, " ".join("".join(text).split())))


def items_of(html: str) -> list[Item]:
    """What stands on the page in its own right, in order. The page's HTML must close what it opens."""
    reader = _Reader()
    reader.feed(html)
    return reader.items


def faults_of(item: Item) -> list[str]:
    """What the vocabulary would not understand: unknown or superseded words, and values out of range."""
    return list(_faults(item))


def _faults(item: Item) -> Iterator[str]:
    if item.type not in registry.PARENTS:
        yield f"there is no {item.type}"
        return
    known = {one.schema_name: one for one in registry.get_model(item.type).SCHEMA_PROPERTIES}
    for name, value in item.properties:
        if name not in known:
            yield f"{item.type} has no {name}"
            continue
        if known[name].superseded_by:
            yield f"{name} is superseded by {known[name].superseded_by}"
        ranges = set(known[name].ranges)
        if isinstance(value, Item):
            if not ranges & {value.type, *registry.ancestry(value.type)}:
                yield f"{name} of {item.type} is no {value.type}"
            yield from _faults(value)
        elif not _fits(value, ranges):
            yield f"{name} of {item.type} is none of {sorted(ranges)}: {value}"


def _fits(value: str, ranges: set[str]) -> bool:
    if not value:
        return False
    if ranges & TEXTS:
        return True
    if ranges & {"Date", "DateTime"}:
        return date.fromisoformat(value).isoformat() == value
    if ranges & {"Integer", "Number"}:
        return value.isdigit()
    return value.startswith(("https://", "http://", "/"))  # a thing named by its address
