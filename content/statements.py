"""What the clinic states about itself in its own words: privacy, accessibility, and how it writes."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import yaml
from django.conf import settings

FOLDER: Final = Path(__file__).parent / "statements"
FENCE: Final = "---\n"


@dataclass(frozen=True, slots=True)
class Statement:
    """One file of `content/statements/`: `---`, its facts as YAML, `---`, the text as Markdown.

    They are part of the code and not of the desk's content: they say what this system does. In the text `{name}`,
    `{phone}`, `{phone_uri}`, `{address}` and `{privacy_contact}` stand for the clinic's own.
    """

    slug: str
    title: str
    summary: str
    updated_on: date
    text: str

    @property
    def body(self) -> str:
        clinic = settings.CLINIC
        return self.text.format(
            name=clinic.name,
            phone=clinic.phone,
            phone_uri=clinic.phone_uri,
            address=clinic.address,
            privacy_contact=clinic.privacy_contact,
        )


@cache
def statement(slug: str) -> Statement:
    """The statement in `content/statements/<slug>.md`."""
    facts, text = (FOLDER / f"{slug}.md").read_text(encoding="utf-8").removeprefix(FENCE).split(FENCE, 1)
    return Statement(slug=slug, text=text.strip() + "\n", **yaml.safe_load(facts))


def statements() -> list[Statement]:
    return [statement(path.stem) for path in sorted(FOLDER.glob("*.md"))]
