"""The shelf: approved answers that an agent can look up and put in a message. The search comes when it is ready."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from bot.ports import Article, KnowledgeSearch
from bot.wording import Wording, WordingError

log = logging.getLogger(__name__)

MOST = 5

ASPECTS = {
    "kosten": "Kosten",
    "meenemen": "Wat neemt u mee",
    "duur": "Hoe lang duurt het",
    "hoe": "Hoe werkt het",
    "voorwaarden": "Voorwaarden",
    "waar": "Waar",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One text of an article, as a resident would read it."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """An article, with its answers."""

    slug: str
    revision: int
    title: str
    answers: tuple[Answer, ...]
    links: tuple[tuple[str, str], ...]


class Shelf:
    """Finds them. `search` is set by who has one; `wanted` tells that somebody asked."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self.search: KnowledgeSearch | None = None
        self.wanted = asyncio.Event()

    def article(self, slug: str) -> Article | None:
        """The published article."""
        self.wanted.set()
        return self.search.article(slug) if self.search else None

    async def find(self, text: str) -> list[Found]:
        """What may answer it, the likeliest first."""
        self.wanted.set()
        if self.search is None or not text.strip():
            return []
        found = await self.search.search(text)
        articles = [self.search.article(one.slug) for one in found[:MOST]]
        return [self._found(article) for article in articles if article is not None]

    def is_intact(self, text: str, slug: str, revision: int) -> bool:
        """Whether the text still holds an answer of exactly this revision: then it is what was approved."""
        article = self.article(slug)
        if article is None or article.revision != revision:
            return False
        said = _plain(text)
        return any(_plain(answer.text) in said for answer in self._found(article).answers)

    def _found(self, article: Article) -> Found:
        texts = [("Antwoord", article.answer)]
        texts += [(ASPECTS.get(name, name), text) for name, text in article.aspects.items()]
        answers = [(title, self._said(article, text)) for title, text in texts]
        links = [(label, self._said(article, url)) for label, url in article.links]
        return Found(
            article.slug,
            article.revision,
            article.title,
            tuple(Answer(title, text) for title, text in answers if text is not None),
            tuple((label, url) for label, url in links if url is not None),
        )

    def _said(self, article: Article, text: str) -> str | None:
        """As a resident reads it; None where it names what nobody filled in: they would not get it either."""
        try:
            return self._wording.fill(text)
        except WordingError as error:
            log.error("article %s can't be filled in: %s", article.slug, error)
            return None


def _plain(text: str) -> str:
    return " ".join(text.split())
