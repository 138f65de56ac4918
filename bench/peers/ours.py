"""Our search behind the protocol of `bench.peers.peer`: `python -m bench.peers.ours`. Nothing is trained: articles
are encoded and indexed. What no article answers stands in knowledge/outside.txt and in the shipped weights."""

from __future__ import annotations

import asyncio
import json
import sys
from time import perf_counter
from typing import Any

from bench.peers.data import articles
from knowledge.encoder import load_encoder
from knowledge.index import IndexedArticle
from knowledge.search import HybridSearch


async def main() -> None:
    """Answer the lines of standard input."""
    search = HybridSearch(load_encoder())
    for line in sys.stdin:
        call = json.loads(line)
        started = perf_counter()
        answer: dict[str, Any] = {}
        if "train" in call:
            await search.load([IndexedArticle(draft.slug, 1, draft) for draft in articles()])
            answer["thresholds"] = [search.thresholds.answer, search.thresholds.clarify]
        else:
            answer["ranked"] = [(one.slug, one.probability) for one in await search.search(call["ask"])]
        print(json.dumps({**answer, "seconds": perf_counter() - started}), flush=True)
    search.close()


if __name__ == "__main__":
    asyncio.run(main())
