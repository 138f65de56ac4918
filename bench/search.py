"""How fast questions are found, and how soon what is published: with the shipped articles and with 10,000."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, time

import psutil
import sqlalchemy as sa

from bench.many import many, plant
from bench.report import Report, milliseconds, quantile
from bot.app.roles import background
from bot.bus.memory import MemoryBus
from bot.bus.redis import RedisBus
from bot.db.database import Database
from bot.db.migrate import migrate
from bot.db.tables import articles
from bot.municipality import Municipality
from bot.ports import Bus
from bot.settings import ROOT
from knowledge.article import ArticleDraft, dump
from knowledge.encoder import Encoder, Vectors, load_encoder
from knowledge.index import IndexedArticle
from knowledge.live import Live
from knowledge.search import HybridSearch
from knowledge.store import ArticleStore, read_content
from knowledge.vectors import FileVectorCache, MemoryVectorCache, VectorCache
from tests import processes, services
from tests.conftest import drop_postgresql, make_postgresql

MANY = 10_000
QUESTIONS = ROOT / "tests" / "fixtures" / "questions.jsonl"
CONTENT = ROOT / "knowledge" / "content"
_WARM = ("hoe laat gaat u open", "wat kost dat ongeveer", "ik zoek een formulier")
_PATIENCE = 120.0


class Timed:
    """An encoder that notes how long each call takes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.dim = encoder.name, encoder.dim
        self.seconds: list[float] = []

    def queries(self, texts: Sequence[str]) -> Vectors:
        started = perf_counter()
        try:
            return self._encoder.queries(texts)
        finally:
            self.seconds.append(perf_counter() - started)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.passages(texts)


async def measure(directory: Path) -> Report:
    """Search at both sizes; then publishing, seen from another process, at both sizes and on both stores."""
    report = Report("Search and publishing", "make bench ARGS=search")
    municipality = Municipality.load(ROOT / "knowledge" / "municipality.yml")
    drafts = read_content(CONTENT, municipality.variables)
    encoder = load_encoder()
    cache = FileVectorCache(ROOT / "var" / "bench" / "vectors")
    planted = MemoryVectorCache()
    made = many(drafts, MANY)
    plant(planted, encoder, drafts, made, known=cache)
    for size, caches, of in ((len(drafts), cache, drafts), (MANY, planted, made)):
        await _searching(report, f"{size} articles", of, encoder, caches)
        await _publishing(report, f"{size} articles", directory / str(size), of, encoder, caches)
    return report


async def _searching(
    report: Report, name: str, drafts: Sequence[ArticleDraft], encoder: Encoder, cache: VectorCache
) -> None:
    """Questions nobody asked before, one after the other: the encoder has to read each."""
    timed = Timed(encoder)
    search = HybridSearch(timed, cache)
    before = psutil.Process().memory_info().rss
    indexed = [IndexedArticle(draft.slug, 1, draft) for draft in drafts]
    first = await _seconds(search, indexed)
    memory = psutil.Process().memory_info().rss - before
    indexed[0] = replace(indexed[0], revision=2, draft=_changed(drafts[0]))
    again = await _seconds(search, indexed)
    for text in _WARM:
        await search.search(text)
    timed.seconds.clear()
    delays = []
    for text in _questions():
        started = perf_counter()
        await search.search(text)
        delays.append(perf_counter() - started)
    search.close()
    aim = "below 40 ms" if len(drafts) == MANY else "below 15 ms"
    report.add(
        f"{name}: search p95",
        milliseconds(quantile(delays, 0.95)),
        f"p50 {milliseconds(quantile(delays, 0.5))}, {len(delays)} questions; aim: {aim}",
    )
    encoding = timed.seconds
    report.add(
        f"{name}: of which the encoder p95",
        milliseconds(quantile(encoding, 0.95)),
        f"p50 {milliseconds(quantile(encoding, 0.5))}",
    )
    report.add(f"{name}: index made", f"{first:.2f} s", f"vectors from the cache; {memory / 2**20:.0f} MB")
    report.add(f"{name}: index after one change", f"{again:.2f} s")


async def _seconds(search: HybridSearch, indexed: Sequence[IndexedArticle]) -> float:
    started = perf_counter()
    await search.load(indexed)
    return perf_counter() - started


def _questions() -> list[str]:
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines if line.strip()]


def _changed(draft: ArticleDraft) -> ArticleDraft:
    """The article with one phrasing more, of this moment."""
    return replace(draft, phrasings=(*draft.phrasings, f"nieuwe vraag van {time():.6f}"))


async def _publishing(
    report: Report,
    name: str,
    directory: Path,
    drafts: Sequence[ArticleDraft],
    encoder: Encoder,
    cache: VectorCache,
) -> None:
    """`klaartje content import` in one process, found in another: ours, which follows as a worker does."""
    directory.mkdir()
    for kind in ("SQLite", "PostgreSQL and Redis"):
        try:
            async with _store(kind, directory) as (environment, database, bus):
                store = ArticleStore(database, bus)
                await store.publish(drafts, "bench")
                search = HybridSearch(encoder, cache)
                live = Live(store, search, bus)
                await live.load()
                async with background(live.follow()):
                    command, found = await _found(directory, environment, database, search, drafts[-1])
                search.close()
        except services.Missing as missing:
            report.add(f"{name}: published and found, {kind}", "not measured", str(missing))
            continue
        report.add(
            f"{name}: published and found, {kind}",
            f"{found:.2f} s",
            f"aim: within 1 s; {command:.1f} s with the start of `klaartje content import`",
        )


async def _found(
    directory: Path,
    environment: dict[str, str],
    database: Database,
    search: HybridSearch,
    draft: ArticleDraft,
) -> tuple[float, float]:
    """Seconds until the change is found: from the start of the command, and from the publication."""
    changed = _changed(replace(draft, related=()))
    folder = directory / "one"
    folder.mkdir(exist_ok=True)
    (folder / f"{changed.slug}.md").write_text(dump(changed), encoding="utf-8")
    command = [sys.executable, "-m", "bot", "content", "import", str(folder)]
    importing = processes.Program("import", command, environment, log=directory / "import.log")
    slug, before = changed.slug, search.article(changed.slug)
    assert before is not None
    await asyncio.sleep(1)  # until the other follows

    async def served() -> bool:
        now = search.article(slug)
        return now is not None and now.revision != before.revision

    started = datetime.now(UTC)
    with importing.start():
        await processes.until(served, _PATIENCE, f"the change is served: {importing.said}")
        done = datetime.now(UTC)
        assert await importing.exit_code(processes.START) == 0, importing.said
    assert (await search.search(changed.phrasings[-1]))[0].slug == slug
    async with database.read() as connection:
        published = await connection.scalar(sa.select(articles.c.published_at).where(articles.c.slug == slug))
    assert published is not None
    return (done - started).total_seconds(), (done - published).total_seconds()


@asynccontextmanager
async def _store(kind: str, directory: Path) -> AsyncIterator[tuple[dict[str, str], Database, Bus]]:
    """An empty store and its bus, and the environment of another process that uses them."""
    environment = {"STATE_DIR": str(directory), "PYTHONPATH": str(ROOT)}
    if kind == "SQLite":
        url = processes.sqlite(directory)
        bus: Bus = MemoryBus()
    else:
        address = services.redis()
        services.postgresql()
        url, bus = await make_postgresql(), RedisBus(address)
        environment |= {"DATABASE_URL": url, "REDIS_URL": address}
    await migrate(url)
    database = Database(url)
    try:
        yield environment, database, bus
    finally:
        await bus.close()
        await database.close()
        if kind != "SQLite":
            await drop_postgresql(url)
