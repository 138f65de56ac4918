"""The knowledge base as the actions ask it: what is found, of what is still published, and when that is sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.ports import Article, Found, KnowledgeSearch, SearchContext, Thresholds


@dataclass(frozen=True, slots=True)
class Topic:
    """Where the conversation is: the article it is about and the part of it that was asked for last, how often in a
    row we did not understand, and whether a form waits behind the answer."""

    article: str | None = None
    misses: int = 0
    in_form: bool = False
    aspect: str | None = None


UNKNOWN = "?"
"""Stands for a part that no article has: something was asked of this article that we don't know."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that answers; which parts of it were asked for (None: the answer itself), in order.

    `probability` is None where the words did not decide (a button, a question that leans on the one before)."""

    article: Article
    aspects: tuple[str | None, ...] = (None,)
    probability: float | None = None
    others: tuple[str, ...] = ()


class Lookup:
    """A search without what was withdrawn just now."""

    def __init__(self, search: KnowledgeSearch) -> None:
        self._search = search

    @property
    def thresholds(self) -> Thresholds:
        """From which probability to answer, and from which to offer choices."""
        return self._search.thresholds

    def article(self, slug: str | None) -> Article | None:
        """The published article."""
        return self._search.article(slug) if slug else None

    async def ranked(self, text: str, about: str | None = None) -> list[Found]:
        """What the knowledge base has for a text, best first; `about`: the article it may lean on."""
        found = await self._search.search(text, SearchContext(article=about))
        return [f for f in found if self._search.article(f.slug)]

    async def sure(self, text: str) -> Found | None:
        """What surely answers a text."""
        found = await self.ranked(text)
        return found[0] if found and found[0].probability >= self.thresholds.answer else None

    def hit(self, found: Sequence[Found], aspects: tuple[str | None, ...], others: int) -> Hit | None:
        """The best of what was found, with the slugs of `others` that came after it."""
        article = self.article(found[0].slug) if found else None
        if article is None:
            return None
        return Hit(article, aspects, found[0].probability, tuple(f.slug for f in found[1 : 1 + others]))
