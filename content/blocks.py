"""What a writer puts into an article besides text: each kind of block, when to use it, and a piece to begin from."""

from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from content.points import POINTS


@dataclass(frozen=True, slots=True)
class Block:
    """`kind` is the word after `:::`. Numbers that the writer has to fill in stand as ?, so that none is forgotten."""

    kind: str
    name: Promise
    use: Promise
    text: Promise


BLOCKS: Final = (
    Block(
        "emergency",
        _("Emergency card"),
        _("Red. Signs for which one calls 911. One to a page at most, and first of all cards."),
        _(
            "::: emergency Call 911 or go to your nearest emergency department now if you have back pain and:\n"
            "- a sign\n"
            "- another sign\n\n"
            "Do not drive yourself. Do not book an acupuncture visit for this.\n"
            ":::"
        ),
    ),
    Block(
        "urgent",
        _("Urgent card"),
        _("Blue. Signs for which one sees a doctor or nurse practitioner today, or calls 811."),
        _(
            "::: urgent See a doctor or nurse practitioner today, or call Health811 (dial 811), if:\n"
            "- a sign\n"
            "- another sign\n"
            ":::"
        ),
    ),
    Block(
        "non-urgent",
        _("Non-urgent card"),
        _("Blue. What one should speak about with a doctor, without hurry."),
        _(
            "::: non-urgent Speak to a doctor, nurse practitioner or physiotherapist if:\n"
            "- a reason\n"
            "- another reason\n"
            ":::"
        ),
    ),
    Block(
        "note",
        _("Note"),
        _("What the acupuncturist has to know before a visit."),
        _("::: note Tell us before your visit\nTell us if you:\n\n- have something\n- take something\n:::"),
    ),
    Block(
        "people",
        _("People out of 100"),
        _(
            "Draws what a study found, each line as a crowd of 100 people. Name the study, and cite it. Only whole "
            "numbers out of 100; where pretend acupuncture was studied too, it has a line of its own."
        ),
        _(
            "::: people Who had clearly improved after ? months?\n"
            "**Name of the study (year)** studied how many adults, and where.[^1]\n\n"
            "- ? in 100 with acupuncture\n"
            "- ? in 100 with pretend acupuncture\n"
            "- ? in 100 with usual care\n"
            ":::"
        ),
    ),
    Block(
        "guidelines",
        _("Guidelines side by side"),
        _("A table of who says what, and when. Those who advise against it stand beside those who list it."),
        _(
            "::: guidelines Guidelines side by side\n"
            "| Who | Year | What they say | Source |\n"
            "|---|---|---|---|\n"
            "| Who says it | ? | **In two or three words**, then the rest. | [^1] |\n"
            ":::"
        ),
    ),
    Block(
        "points",
        _("Points on a drawing"),
        _(
            "Draws these points on the body, the leg or the hand, with what to be careful about. Write their codes:"
        ),
        _("::: points BL23 BL40\nWhat the drawing shows, in one sentence.\n:::"),
    ),
)


class ArticleTextarea(forms.Textarea):
    """The field for an article's Markdown, with the blocks beside it: buttons put one where the cursor is."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """Without script the buttons stay hidden, and the same pieces can be read and copied below the field."""
        return render_to_string(
            "admin/content/article/markdown.html",
            {
                "field": super().render(name, value, attrs, renderer),
                "name": name,
                "blocks": BLOCKS,
                "codes": [point.code for point in POINTS],
            },
        )
