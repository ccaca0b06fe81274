"""Which articles are read as one guide: they share a contents list, and each leads to the one before and after it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from content.models import Article

TOPICS: Final = list(Article.Topic)  # in reading order
# One condition and what is done about it make one guide; any other topic is a guide of its own.
CONDITION: Final = (Article.Topic.BACK_PAIN, Article.Topic.ACUPUNCTURE, Article.Topic.SAFETY)


@dataclass(frozen=True, slots=True)
class Guide:
    """The visible pages in reading order; `place` counts from 0."""

    title: str | Promise
    pages: tuple[Article, ...]
    place: int

    @property
    def before(self) -> Article | None:
        return self.pages[self.place - 1] if self.place else None

    @property
    def after(self) -> Article | None:
        return self.pages[self.place + 1] if self.place + 1 < len(self.pages) else None


def guide_of(article: Article, now: datetime) -> Guide | None:
    """The guide of a visible article in its own language, in one query; None for one that stands alone."""
    topic = Article.Topic(article.topic)
    topics = CONDITION if topic in CONDITION else (topic,)
    visible = (
        Article.objects.published(now)
        .filter(language=article.language, topic__in=topics)
        .only("slug", "title", "topic")
    )
    pages = sorted(visible, key=lambda page: TOPICS.index(Article.Topic(page.topic)))
    if len(pages) == 1:
        return None
    title = _("Back pain and acupuncture") if topic in CONDITION else topic.label
    return Guide(title, tuple(pages), pages.index(article))
