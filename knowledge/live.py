"""Published is live: the search index of this process follows the store, without training."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from bot.ports import Bus, Health
from knowledge.index import IndexedArticle
from knowledge.search import HybridSearch
from knowledge.store import TOPIC, ArticleStore

log = logging.getLogger(__name__)

GLANCE = 0.5
"""Seconds between glances at whether anything was published: for a bus that is gone, or that other processes don't
share."""

LOOK = 30.0
"""Seconds between looks at everything: for articles whose day has come."""


class Live:
    """Loads what is published into the search, and again whenever that changes."""

    def __init__(self, store: ArticleStore, search: HybridSearch, bus: Bus) -> None:
        self._store = store
        self.search = search
        self._bus = bus
        self._served: list[IndexedArticle] = []

    async def load(self) -> None:
        """Serve what is published now."""
        published = await self._store.published()
        if published != self._served:
            if not self._served:
                log.info(
                    "search reads %d articles: seconds, but the first time up to a minute", len(published)
                )
            await self.search.load(published)
            self._served = published
            log.info("search serves %d articles", len(published))

    async def follow(self) -> None:
        """Keep up until cancelled."""
        async with self._bus.subscribe(TOPIC) as wakes:
            wake = asyncio.ensure_future(anext(wakes))
            try:
                while True:
                    try:
                        seen = await self._store.marker()
                        await self.load()  # at first too: for what was published before we listened
                        await self._unchanged(wake, seen)
                    except (SQLAlchemyError, OSError) as error:
                        log.warning("articles not read, the old ones stay: %s", type(error).__name__)
                        await asyncio.wait({wake}, timeout=LOOK)
                    if wake.done():
                        wake = asyncio.ensure_future(anext(wakes))
            finally:
                wake.cancel()
                with suppress(asyncio.CancelledError):
                    await wake

    async def _unchanged(self, wake: asyncio.Future[tuple[str, str]], seen: tuple[int, int]) -> None:
        """Wait until something was published since `seen`, or everything is to be looked at."""
        for _ in range(round(LOOK / GLANCE)):
            await asyncio.wait({wake}, timeout=GLANCE)
            if wake.done() or await self._store.marker() != seen:
                return

    async def health(self) -> Health:
        """Whether there is anything to answer with."""
        if not self._served:
            return Health("degraded", "no articles are published: run `klaartje content import`")
        return Health("ok", f"{len(self._served)} articles")
