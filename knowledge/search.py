"""Finds the approved answer to a question: words and meaning together, one calibrated probability."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bot.ports import Article, Found, SearchContext, Thresholds
from knowledge.calibration import EXACT, fit, stored
from knowledge.encoder import Encoder, Remembered, Vectors, encode_texts
from knowledge.index import Entry, Index, IndexedArticle, build_entries, outside_questions
from knowledge.rivals import Stolen, stolen
from knowledge.tokens import LONGEST, words
from knowledge.vectors import MemoryVectorCache, VectorCache

log = logging.getLogger(__name__)

MOST = 10
_LONGEST_QUESTION = 400
"""Characters that the encoder gets: more of them cost time and blur the question."""

_IN_CONVERSATION = 0.7
"""What the score of the article in conversation gains: its odds double."""

_ROUNDED = 4


class HybridSearch:
    """Search over the published articles. `load` swaps in a new index; running searches keep the old one."""

    def __init__(self, encoder: Encoder, cache: VectorCache | None = None) -> None:
        self._encoder = encoder
        self._cache = cache or MemoryVectorCache()
        self._questions = Remembered(encoder)
        self._calibration = stored(encoder.name)
        self._index: Index | None = None
        self._outside: tuple[list[str], Vectors] | None = None
        self._articles: Mapping[str, Article] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._rebuilding = asyncio.Lock()
        self.loaded = 0
        """Rises with every load: what was found before may be no more."""

    @property
    def thresholds(self) -> Thresholds:
        """From which probability to answer, and from which to offer choices."""
        return self._calibration.thresholds if self._calibration else Thresholds(answer=1.0, clarify=1.0)

    async def load(self, articles: Sequence[IndexedArticle]) -> None:
        """Serve exactly these articles from now on. Only new texts are encoded."""
        async with self._rebuilding:
            await asyncio.to_thread(self.rebuild, articles)

    def rebuild(self, articles: Sequence[IndexedArticle]) -> None:
        """What `load` does, for callers without an event loop. One at a time."""
        known = {entry.article.slug: entry for entry in self._index.entries} if self._index else {}
        entries = build_entries(articles, self._encoder, self._cache, known)
        if self._outside is None:
            outside = outside_questions()
            self._outside = outside, encode_texts(self._encoder, outside, self._cache, "query")
        if self._calibration is None and entries:
            log.info(
                "no calibration for this encoder yet: fitting one", extra={"encoder": self._encoder.name}
            )
            self._calibration = fit(entries, self._encoder, self._cache)
        index = Index(entries, *self._outside)
        self._articles = {entry.article.slug: _article(entry) for entry in entries}
        self._index = index
        self.loaded += 1

    async def search(self, text: str, context: SearchContext | None = None) -> list[Found]:
        """Ranked, best first, at most ten; empty for text without a word in it."""
        index, text = self._index, text[:LONGEST]
        if not index or not words(text):
            return []
        if exact := index.exact(text):
            return [_found(index, position, EXACT / len(exact)) for position in exact]
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._find, index, text, context)

    def article(self, slug: str) -> Article | None:
        """The published article, or None where there is none (any more)."""
        return self._articles.get(slug)

    async def rivals(self, candidate: IndexedArticle) -> list[Stolen] | None:
        """Which questions of other articles this one would take from them; None while nothing is loaded."""
        index, calibration, outside = self._index, self._calibration, self._outside
        if index is None or calibration is None or outside is None:
            return None
        parts = (index.entries, candidate, self._encoder, self._cache, calibration, outside)
        return await asyncio.to_thread(stolen, *parts)

    def owners(self, phrasing: str) -> list[str]:
        """The articles that have this very phrasing."""
        index = self._index
        return [index.entries[at].article.slug for at in index.exact(phrasing)] if index else []

    async def nearest(self, text: str, slug: str) -> str | None:
        """The phrasing (or title) of an article that is most like a question; None without such an article."""
        index = self._index
        position = index.positions.get(slug) if index else None
        if index is None or position is None:
            return None
        vector = await asyncio.to_thread(self._questions.query, index.plain(text)[:_LONGEST_QUESTION])
        entry = index.entries[position]
        texts = (entry.article.draft.title, *entry.article.draft.phrasings)
        return texts[int(np.argmax(entry.questions @ vector))]

    def close(self) -> None:
        """Stop the search thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _find(self, index: Index, text: str, context: SearchContext | None) -> list[Found]:
        calibration = self._calibration
        if calibration is None:
            return []
        current = index.positions.get(context.article) if context and context.article else None
        asked = index.plain(text)
        evidence = index.evidence(asked, self._questions.query(asked[:_LONGEST_QUESTION]), keep=current)
        prior = np.where(evidence.articles == current, _IN_CONVERSATION, 0.0)
        chances = calibration.probabilities(evidence, prior)
        best = np.argsort(-chances, kind="stable")[:MOST]
        return [_found(index, int(evidence.articles[row]), float(chances[row])) for row in best]


def _found(index: Index, position: int, probability: float) -> Found:
    article = index.entries[position].article
    return Found(article.slug, article.revision, article.draft.title, round(probability, _ROUNDED))


def _article(entry: Entry) -> Article:
    draft = entry.article.draft
    return Article(
        slug=draft.slug,
        revision=entry.article.revision,
        title=draft.title,
        theme=draft.theme,
        answer=draft.answer,
        aspects=dict(draft.aspects),
        links=tuple((link.label, link.url) for link in draft.links),
        actions=draft.actions,
        related=draft.related,
        translations=dict(draft.translations),
        policy=draft.policy,
    )
