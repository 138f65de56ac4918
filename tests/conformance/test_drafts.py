"""From draft to published on both stores: four eyes, a moment to come, what nobody may write over, and what stays."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.app.roles import background
from bot.articles import PAGE, Articles, Shown, Sought
from bot.audit import Act
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import articles, audit, conversations, messages
from bot.drafts import KNOWLEDGE, Drafts
from bot.model import Author, Kind
from bot.residents import new_conversation
from bot.settings import ROOT
from bot.standing import DraftError, Seen, State, Why, digest
from knowledge.article import draft_hash, from_json, parse, to_json
from knowledge.store import TOPIC, ArticleStore
from tests.conftest import SetClock

DOG = parse((ROOT / "knowledge" / "content" / "hondenbelasting.md").read_text("utf-8"), "dog")
TEXT: dict[str, Any] = json.loads(to_json(DOG))
NEWER = {**TEXT, "answer": "Meld uw hond binnen 2 weken bij ons aan."}
SLUG = DOG.slug


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def drafts(database: Database, bus: MemoryBus, clock: SetClock) -> Drafts:
    return Drafts(database, bus, clock)


@pytest.fixture
def store(database: Database, bus: MemoryBus, clock: SetClock) -> ArticleStore:
    return ArticleStore(database, bus, clock)


async def seen(drafts: Drafts) -> Seen:
    return (await drafts.standing(SLUG)).seen


async def published(drafts: Drafts, content: dict[str, Any] = TEXT) -> int:
    """Ann writes it, Bob publishes it; the revision."""
    if not await drafts.create(SLUG, content, "ann"):
        await drafts.save(SLUG, content, await seen(drafts), "ann")
    await drafts.submit(SLUG, await seen(drafts), "ann")
    revision = await drafts.publish(SLUG, await seen(drafts), "bob")
    assert revision is not None
    return revision


async def acts(database: Database) -> list[tuple[str, str]]:
    async with database.read() as connection:
        rows = (await connection.execute(sa.select(audit).order_by(audit.c.seq))).all()
    return [(row.actor, row.action) for row in rows]


async def refused(deed: Any) -> Why:
    with pytest.raises(DraftError) as caught:
        await deed
    return caught.value.why


def test_the_desk_and_the_knowledge_base_mean_the_same() -> None:
    assert TOPIC == KNOWLEDGE
    assert digest(TEXT) == draft_hash(DOG)


async def test_what_one_wrote_another_publishes(
    drafts: Drafts, store: ArticleStore, database: Database
) -> None:
    assert await drafts.create(SLUG, TEXT, "ann")
    assert not await drafts.create(SLUG, NEWER, "bob")
    assert await store.published() == []
    assert await refused(drafts.publish(SLUG, await seen(drafts), "bob")) is Why.NOT_IN_REVIEW
    await drafts.submit(SLUG, await seen(drafts), "ann")
    assert await refused(drafts.publish(SLUG, await seen(drafts), "ann")) is Why.OWN_WORK
    revision = await drafts.publish(SLUG, await seen(drafts), "bob")
    [live] = await store.published()
    assert (live.revision, live.draft) == (revision, DOG)
    standing = await drafts.standing(SLUG)
    assert standing.draft is None and standing.published == TEXT
    assert (await store.publish([DOG], "import")).unchanged == (SLUG,)
    assert await acts(database) == [
        ("ann", Act.SAVED_ARTICLE),
        ("ann", Act.SUBMITTED_ARTICLE),
        ("bob", Act.PUBLISHED),
    ]


async def test_who_helped_writing_may_not_publish_either(drafts: Drafts) -> None:
    await drafts.create(SLUG, TEXT, "ann")
    await drafts.save(SLUG, NEWER, await seen(drafts), "bob")
    await drafts.submit(SLUG, await seen(drafts), "bob")
    assert await refused(drafts.publish(SLUG, await seen(drafts), "ann")) is Why.OWN_WORK
    assert await drafts.publish(SLUG, await seen(drafts), "eve")


async def test_a_change_in_review_begins_the_review_again(drafts: Drafts) -> None:
    await drafts.create(SLUG, TEXT, "ann")
    await drafts.submit(SLUG, await seen(drafts), "ann")
    await drafts.save(SLUG, NEWER, await seen(drafts), "ann")
    assert await refused(drafts.publish(SLUG, await seen(drafts), "bob")) is Why.NOT_IN_REVIEW


async def test_with_two_eyes_one_may_do_all(database: Database, bus: MemoryBus, clock: SetClock) -> None:
    drafts = Drafts(database, bus, clock, four_eyes=False)
    await drafts.create(SLUG, TEXT, "ann")
    assert await drafts.publish(SLUG, await seen(drafts), "ann")


async def test_nothing_is_written_over(drafts: Drafts, store: ArticleStore) -> None:
    await drafts.create(SLUG, TEXT, "ann")
    both = await seen(drafts)
    await drafts.save(SLUG, NEWER, both, "ann")
    late = {**TEXT, "title": "Iets anders"}
    for deed in (
        drafts.save(SLUG, late, both, "bob"),
        drafts.submit(SLUG, both, "bob"),
        drafts.discard(SLUG, both, "bob"),
        drafts.publish(SLUG, both, "bob"),
        drafts.send_back(SLUG, both, "bob", "nee"),
        drafts.restore(SLUG, 1, both, "bob"),
    ):
        assert await refused(deed) is Why.CHANGED
    kept = (await drafts.standing(SLUG)).draft
    assert kept is not None and kept.content == NEWER
    now = await seen(drafts)
    await store.publish([replace(DOG, title="Van de opdrachtregel")], "import")  # beside the desk
    assert await refused(drafts.save(SLUG, late, now, "ann")) is Why.CHANGED


async def test_of_two_at_once_one_is_told(drafts: Drafts) -> None:
    await drafts.create(SLUG, TEXT, "ann")
    before = await seen(drafts)
    done = await asyncio.gather(
        *(drafts.save(SLUG, {**TEXT, "title": name}, before, name) for name in ("ann", "bob", "eve")),
        return_exceptions=True,
    )
    assert sum(isinstance(one, DraftError) for one in done) == 2
    kept = (await drafts.standing(SLUG)).draft
    assert kept is not None and kept.version == before.version + 1
    assert kept.content["title"] == kept.saved_by


async def test_it_goes_back_with_a_remark(drafts: Drafts) -> None:
    await drafts.create(SLUG, TEXT, "ann")
    assert await refused(drafts.send_back(SLUG, await seen(drafts), "bob", "x")) is Why.NOT_IN_REVIEW
    await drafts.submit(SLUG, await seen(drafts), "ann")
    await drafts.send_back(SLUG, await seen(drafts), "bob", "De prijs klopt niet.")
    back = (await drafts.standing(SLUG)).draft
    assert back is not None and (back.state, back.remark) == (State.DRAFT, "De prijs klopt niet.")


async def test_it_is_published_when_it_is_time(
    drafts: Drafts, store: ArticleStore, clock: SetClock, database: Database
) -> None:
    await drafts.create(SLUG, TEXT, "ann")
    await drafts.submit(SLUG, await seen(drafts), "ann")
    now = clock.now
    assert await refused(drafts.publish(SLUG, await seen(drafts), "bob", now)) is Why.PAST
    clock.forward(hours=2)
    at = clock.now
    clock.now = now
    assert await drafts.publish(SLUG, await seen(drafts), "bob", at) is None
    assert await drafts.publish_due() == []
    clock.forward(hours=1, minutes=59)
    assert await drafts.publish_due() == []
    clock.forward(minutes=1)
    done = await asyncio.gather(drafts.publish_due(), drafts.publish_due())  # two workers
    assert sorted(done) == [[], [SLUG]]
    assert [one.draft for one in await store.published()] == [DOG]
    assert (await acts(database))[-1] == ("bob", Act.PUBLISHED)


async def test_the_loop_publishes(drafts: Drafts, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.drafts.EVERY", 0.02)
    await drafts.create(SLUG, TEXT, "ann")
    await drafts.submit(SLUG, await seen(drafts), "ann")
    await drafts.publish(SLUG, await seen(drafts), "bob", clock.now + timedelta(hours=1))
    async with background(drafts.keep_publishing()), asyncio.timeout(30):
        clock.forward(hours=1)
        while (await drafts.standing(SLUG)).revision is None:
            await asyncio.sleep(0.02)


async def test_what_is_scheduled_can_be_taken_back(drafts: Drafts, clock: SetClock) -> None:
    await drafts.create(SLUG, TEXT, "ann")
    await drafts.submit(SLUG, await seen(drafts), "ann")
    clock.forward(hours=1)
    at = clock.now
    clock.forward(hours=-1)
    await drafts.publish(SLUG, await seen(drafts), "bob", at)
    await drafts.send_back(SLUG, await seen(drafts), "bob", "Toch niet.")
    clock.forward(hours=2)
    assert await drafts.publish_due() == []


async def test_old_text_comes_back_as_a_new_revision(drafts: Drafts, store: ArticleStore) -> None:
    first = await published(drafts)
    second = await published(drafts, NEWER)
    assert await refused(drafts.restore(SLUG, 9_999, await seen(drafts), "ann")) is Why.NO_REVISION
    await drafts.restore(SLUG, first, await seen(drafts), "ann")
    await drafts.submit(SLUG, await seen(drafts), "ann")
    third = await drafts.publish(SLUG, await seen(drafts), "bob")
    kept = await drafts.revisions(SLUG)
    assert [one.number for one in kept] == [third, second, first]
    assert [one.content for one in kept] == [TEXT, NEWER, TEXT]
    [live] = await store.published()
    assert live.revision == third


async def test_withdrawn_and_thrown_away(drafts: Drafts, store: ArticleStore, database: Database) -> None:
    await drafts.create(SLUG, TEXT, "ann")
    await drafts.discard(SLUG, await seen(drafts), "ann")
    assert await refused(drafts.standing(SLUG)) is Why.UNKNOWN  # nobody ever read it
    await published(drafts)
    marker = await store.marker()
    await drafts.save(SLUG, {**NEWER, "title": "Anders"}, await seen(drafts), "ann")
    await drafts.discard(SLUG, await seen(drafts), "ann")
    async with database.read() as connection:
        assert await connection.scalar(sa.select(articles.c.title)) == TEXT["title"]
    await drafts.withdraw(SLUG, await seen(drafts), "bob")
    assert await store.published() == [] and await store.marker() != marker
    assert await refused(drafts.withdraw(SLUG, await seen(drafts), "bob")) is Why.NOT_PUBLISHED
    assert len(await drafts.revisions(SLUG)) == 1
    assert await published(drafts, NEWER)
    assert [one.draft for one in await store.published()] == [from_json(json.dumps(NEWER))]


async def test_who_has_it_open(drafts: Drafts, clock: SetClock) -> None:
    assert await drafts.visit(SLUG, "ann") == []
    assert await drafts.visit(SLUG, "bob") == ["ann"]
    clock.forward(minutes=9)
    assert await drafts.visit(SLUG, "ann") == ["bob"]
    clock.forward(minutes=2)
    assert await drafts.visit(SLUG, "ann") == []


async def said(database: Database, clock: SetClock, slug: str, *days: int) -> None:
    """The bot gave it so many days ago."""
    async with database.write() as connection:
        row = new_conversation("webchat", "a", clock.now)
        await connection.execute(sa.insert(conversations).values(**row))
        line = {
            "conversation_id": row["id"],
            "author": Author.BOT,
            "kind": Kind.TEXT,
            "text": "",
            "choices": [],
        }
        await connection.execute(
            sa.insert(messages),
            [
                {**line, "links": [], "article": slug, "id": str(ago), "at": clock.now - timedelta(days=ago)}
                for ago in days
            ],
        )


async def test_the_list(drafts: Drafts, store: ArticleStore, database: Database, clock: SetClock) -> None:
    listed = Articles(database, clock)
    await store.publish([DOG, replace(DOG, slug="kat", title="Kat 100% kwijt", theme="zorg")], "import")
    await drafts.create("vis", {"title": "Vis", "review": "onzin"}, "ann")
    await drafts.save(SLUG, {**TEXT, "review": "2026-11-23"}, await seen(drafts), "ann")
    await said(database, clock, "kat", 0, 27, 29)
    found = await listed.page(Sought())
    assert found.total == 3 and len(found.rows) <= PAGE
    rows = {row.slug: row for row in found.rows}
    assert rows[SLUG].shown == (Shown.PUBLISHED, Shown.DRAFT) and rows["vis"].shown == (Shown.DRAFT,)
    assert rows["vis"].review is None and rows["kat"].used == 2

    async def slugs(**sought: Any) -> list[str]:
        return [row.slug for row in (await listed.page(Sought(**sought))).rows]

    assert await slugs(text="100% KAT") == ["kat"]
    assert await slugs(text="100_") == []
    assert await slugs(theme="zorg") == ["kat"]
    assert await slugs(due=True) == [SLUG]
    assert await slugs(shown=Shown.DRAFT) == [SLUG, "vis"]
    assert sorted(await slugs(shown=Shown.PUBLISHED)) == [SLUG, "kat"]
    assert await slugs(shown=Shown.WITHDRAWN) == []
    assert (await listed.page(Sought(), 2)).rows == []
    assert await listed.names("theme") == sorted({DOG.theme, "zorg"})
