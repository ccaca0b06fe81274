"""Every text of ours that people read: whole articles and statements, and each phrase of templates and code."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.template import Engine, Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from content.models import Article
from content.starter import read_starter_articles
from content.statements import statements

# Where staff read and patients do not.
DESK: Final = re.compile(
    r"templates/admin/|/(admin|management|models|reports)/|/(admin|models|blocks|desk_\w+)\.py$"
)
MARKUP: Final = re.compile(r"<[^>]*>")
FILLED_IN: Final = re.compile(r"%(?:\((\w+)\))?[sd]")  # where a value is put in
ADDRESS_OF_SOURCE: Final = re.compile(r"doi:\S+|\b10\.\d{4,}/\S+")
TRANSLATES: Final = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
# What a reader never sees: comments, tags' names and attributes other than those that are read out.
UNSEEN: Final = re.compile(
    r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}|<(script|style|svg)\b.*?</\1>", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Text:
    """`where` names it for whoever has to change it."""

    where: str
    markdown: str


def own_texts() -> list[Text]:
    """The starter articles and the statements, with their summaries and key points; files only, no database."""
    articles = [
        Text(f"articles/{file.slug}", _joined(file.title, file.summary, file.key_points, file.body))
        for file in read_starter_articles()
    ]
    return articles + [Text(one.slug, _joined(one.title, one.summary, [], one.body)) for one in statements()]


def articles_in_english() -> list[Text]:
    """The articles as they stand in the database, drafts too."""
    return [
        Text(
            f"articles/{article.slug}",
            _joined(article.title, article.summary, article.key_point_lines, article.body),
        )
        for article in Article.objects.filter(language=Article.Language.ENGLISH)
    ]


def phrases() -> Iterator[Text]:
    """What templates say, and every string of the code that is handed to translation."""
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.*")):
        if path.suffix in {".html", ".txt", ".svg"}:
            yield Text(_name(path), UNSEEN.sub(" ", path.read_text(encoding="utf-8")))
    for app in ("booking", "clinic", "content"):
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            for string in _translated(path):
                yield Text(_name(path), string)


def phrases_for_patients() -> Iterator[Text]:
    """Each phrase of pages, messages and code outside the desk, without markup; values stand as their names."""
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.*")):
        if path.suffix in {".html", ".txt", ".svg"} and not DESK.search(path.as_posix()):
            for phrase in _phrases_of_template(path):
                yield Text(_name(path), _as_read(phrase))
    for app in ("booking", "clinic", "content"):
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if not DESK.search(path.as_posix()):
                for phrase in _translated(path):
                    yield Text(_name(path), _as_read(phrase))


def _phrases_of_template(path: Path) -> Iterator[str]:
    """What the template hands to translation, as `makemessages` would find it."""
    nodes = Engine.get_default().from_string(path.read_text(encoding="utf-8")).nodelist
    for node in nodes.get_nodes_by_type(Node):
        if isinstance(node, TranslateNode):
            phrase = getattr(node.filter_expression.var, "literal", None)
            if isinstance(phrase, str):
                yield phrase
        elif isinstance(node, BlockTranslateNode):
            for tokens in filter(None, (node.singular, node.plural)):
                yield node.render_token_list(tokens)[0]


def _as_read(phrase: str) -> str:
    named = FILLED_IN.sub(lambda value: value[1] or "some", phrase)
    return ADDRESS_OF_SOURCE.sub("", MARKUP.sub("", named))


def _translated(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATES:
            for part in node.args:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def _joined(title: str, summary: str, key_points: list[str], body: str) -> str:
    points = "\n".join(f"- {point}" for point in key_points)
    return f"# {title}\n\n{summary}\n\n{points}\n\n{body}"


def _name(path: Path) -> str:
    return path.relative_to(settings.BASE_DIR).as_posix()
