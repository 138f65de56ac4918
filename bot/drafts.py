"""What editors write before residents may read it: one draft an article, looked at by a second person, then published.

A draft holds an article's contents as they are stored; what makes them good enough is `bot.editing`'s to say. Whoever
changes something says what they had seen: what another changed meanwhile is never written over.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import Act, audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import article_drafts, article_revisions, article_visits, articles
from bot.ports import Bus
from bot.standing import (
    Content,
    Draft,
    DraftError,
    Revision,
    Seen,
    Standing,
    State,
    Why,
    digest,
    put_in_list,
    standing_of,
)

log = logging.getLogger(__name__)

KNOWLEDGE = "knowledge"
"""The bus topic that wakes every process when something is published."""

EVERY = 5.0
"""Seconds between looks at what is to be published by now."""

OPEN_FOR = timedelta(minutes=10)
"""So long after the last sign of life somebody has an article open."""


class Drafts:
    """The desk's store. `four_eyes`: what somebody wrote on, another must publish."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock = utc_now, *, four_eyes: bool = True
    ) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self.four_eyes = four_eyes

    async def standing(self, slug: str) -> Standing:
        """How it stands. Raises `DraftError` where there is no such article."""
        async with self._database.read() as connection:
            return await standing_of(connection, slug)

    async def create(self, slug: str, content: Content, actor: str) -> bool:
        """A new article with its first draft; False where there is one of this name."""
        now = self._clock()
        async with self._database.write() as connection:
            made = await connection.execute(self._database.insert_new(articles), [{"slug": slug}])
            if made.rowcount != 1:
                return False
            await put_in_list(connection, slug, content)
            await connection.execute(
                sa.insert(article_drafts).values(slug=slug, **_fresh(content, actor, now), version=1)
            )
            await audit(connection, actor, Act.SAVED_ARTICLE, slug, at=now)
        return True

    async def save(self, slug: str, content: Content, seen: Seen, actor: str) -> Seen:
        """Keep what was written; a draft that was in review is a draft again. Raises `DraftError`."""
        now = self._clock()
        async with self._database.write() as connection:
            before = await self._for_change(connection, slug, seen)
            return await self._write(connection, before, content, actor, now)

    async def restore(self, slug: str, number: int, seen: Seen, actor: str) -> Seen:
        """Write the text of an old revision as a draft: it becomes a new one when it is published."""
        now = self._clock()
        async with self._database.write() as connection:
            before = await self._for_change(connection, slug, seen)
            content = await connection.scalar(
                sa.select(article_revisions.c.content).where(
                    article_revisions.c.slug == slug, article_revisions.c.revision == number
                )
            )
            if content is None:
                raise DraftError(Why.NO_REVISION)
            after = await self._write(connection, before, content, actor, now)
            detail = {"revision": number}
            await audit(connection, actor, Act.RESTORED_ARTICLE, slug, at=now, detail=detail)
            return after

    async def submit(self, slug: str, seen: Seen, actor: str) -> None:
        """Ask a colleague to look at it. Raises `DraftError`."""
        now = self._clock()
        async with self._database.write() as connection:
            standing = await self._for_change(connection, slug, seen)
            await _change(connection, _draft_of(standing), slug, state=State.REVIEW, remark="")
            await audit(connection, actor, Act.SUBMITTED_ARTICLE, slug, at=now)
            await _leave(connection, slug, actor)

    async def send_back(self, slug: str, seen: Seen, actor: str, remark: str) -> None:
        """Back to who wrote it, also when it was scheduled. Raises `DraftError`."""
        now = self._clock()
        async with self._database.write() as connection:
            draft = _draft_of(await self._for_change(connection, slug, seen))
            if draft.state is State.DRAFT:
                raise DraftError(Why.NOT_IN_REVIEW)
            back = {"state": State.DRAFT, "remark": remark, "publish_at": None, "approved_by": None}
            await _change(connection, draft, slug, **back)
            await audit(connection, actor, Act.RETURNED_ARTICLE, slug, at=now)

    async def discard(self, slug: str, seen: Seen, actor: str) -> None:
        """Throw the draft away; what is published stays as it is. Raises `DraftError`."""
        now = self._clock()
        async with self._database.write() as connection:
            standing = await self._for_change(connection, slug, seen)
            _draft_of(standing)
            await connection.execute(sa.delete(article_drafts).where(article_drafts.c.slug == slug))
            if standing.published is not None:
                await put_in_list(connection, slug, standing.published)
            elif not await connection.scalar(
                sa.select(article_revisions.c.revision).where(article_revisions.c.slug == slug).limit(1)
            ):  # nobody ever read it: then there is no such article
                await connection.execute(sa.delete(articles).where(articles.c.slug == slug))
            await audit(connection, actor, Act.DISCARDED_DRAFT, slug, at=now)

    async def publish(self, slug: str, seen: Seen, actor: str, at: datetime | None = None) -> int | None:
        """Let residents read it: now, which gives the revision, or `at` a moment to come. Raises `DraftError`."""
        now = self._clock()
        async with self._database.write() as connection:
            standing = await self._for_change(connection, slug, seen)
            draft = _draft_of(standing)
            if self.four_eyes and draft.state is State.DRAFT:
                raise DraftError(Why.NOT_IN_REVIEW)
            if self.four_eyes and actor in draft.authors:
                raise DraftError(Why.OWN_WORK)
            if at is not None and at <= now:
                raise DraftError(Why.PAST)
            if at is not None:
                later = {"state": State.SCHEDULED, "approved_by": actor, "publish_at": at, "remark": ""}
                await _change(connection, draft, slug, **later)
                await audit(connection, actor, Act.SCHEDULED_ARTICLE, slug, at=now)
                return None
            revision = await _publish(connection, slug, draft, actor, now)
        await self._bus.publish(KNOWLEDGE)
        return revision

    async def publish_due(self) -> list[str]:
        """Publish what is to be published by now; the slugs."""
        now = self._clock()
        due = (
            sa.select(article_drafts.c.slug)
            .where(article_drafts.c.state == State.SCHEDULED, article_drafts.c.publish_at <= now)
            .order_by(article_drafts.c.publish_at)
        )
        async with self._database.read() as connection:
            slugs = list((await connection.scalars(due)).all())
        done = []
        for slug in slugs:
            async with self._database.write() as connection:
                await _lock(connection, slug)
                draft = (await standing_of(connection, slug)).draft
                if draft is None or draft.state is not State.SCHEDULED or not draft.publish_at:
                    continue  # somebody took it back meanwhile
                if draft.publish_at <= now:
                    await _publish(connection, slug, draft, draft.approved_by or draft.saved_by, now)
                    done.append(slug)
        if done:
            await self._bus.publish(KNOWLEDGE)
        return done

    async def keep_publishing(self) -> None:
        """Publish what is scheduled when it is time, until cancelled."""
        while True:
            try:
                if done := await self.publish_due():
                    log.info("%d scheduled articles are published", len(done))
            except (SQLAlchemyError, OSError) as error:
                log.warning("scheduled articles wait, the store is away: %s", type(error).__name__)
            await asyncio.sleep(EVERY)

    async def withdraw(self, slug: str, seen: Seen, actor: str) -> None:
        """Residents read it no more; its revisions and a draft stay. Raises `DraftError`."""
        now = self._clock()
        async with self._database.write() as connection:
            standing = await self._for_change(connection, slug, seen)
            if standing.revision is None:
                raise DraftError(Why.NOT_PUBLISHED)
            await connection.execute(sa.update(articles).where(articles.c.slug == slug).values(revision=None))
            detail = {"revision": standing.revision}
            await audit(connection, actor, Act.WITHDREW_ARTICLE, slug, at=now, detail=detail)
        await self._bus.publish(KNOWLEDGE)

    async def revisions(self, slug: str, most: int = 100) -> list[Revision]:
        """All that were published, the newest first."""
        query = (
            sa.select(article_revisions)
            .where(article_revisions.c.slug == slug)
            .order_by(article_revisions.c.revision.desc())
            .limit(most)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Revision(row.revision, row.content, row.author, row.created_at) for row in rows]

    async def visit(self, slug: str, name: str) -> list[str]:
        """Note that somebody has it open; who else has."""
        now = self._clock()
        async with self._database.write() as connection:
            row = {"slug": slug, "name": name, "seen_at": now}
            await connection.execute(self._database.put(article_visits), [row])
            await connection.execute(
                sa.delete(article_visits).where(article_visits.c.seen_at < now - OPEN_FOR)
            )
            others = sa.select(article_visits.c.name).where(
                article_visits.c.slug == slug, article_visits.c.name != name
            )
            return sorted((await connection.scalars(others)).all())

    @staticmethod
    async def _for_change(connection: AsyncConnection, slug: str, seen: Seen) -> Standing:
        """How it stands; others wait for us. Raises `DraftError` where that is not what was seen."""
        await _lock(connection, slug)
        standing = await standing_of(connection, slug)
        if standing.seen != seen:
            raise DraftError(Why.CHANGED)
        return standing

    @staticmethod
    async def _write(
        connection: AsyncConnection, before: Standing, content: Content, actor: str, now: datetime
    ) -> Seen:
        slug, draft = before.slug, before.draft
        fresh = _fresh(content, actor, now)
        if draft is None:
            await connection.execute(sa.insert(article_drafts).values(slug=slug, **fresh, version=1))
            version = 1
        else:
            authors = list(dict.fromkeys((*draft.authors, actor)))
            version = await _change(connection, draft, slug, **{**fresh, "authors": authors})
        await put_in_list(connection, slug, content)
        await audit(connection, actor, Act.SAVED_ARTICLE, slug, at=now)
        return Seen(version, before.revision or 0)


def _fresh(content: Content, actor: str, now: datetime) -> dict[str, Any]:
    return {
        "content": dict(content),
        "state": State.DRAFT,
        "authors": [actor],
        "saved_by": actor,
        "saved_at": now,
        "remark": "",
        "approved_by": None,
        "publish_at": None,
    }


async def _lock(connection: AsyncConnection, slug: str) -> None:
    await connection.execute(sa.select(articles.c.slug).where(articles.c.slug == slug).with_for_update())


def _draft_of(standing: Standing) -> Draft:
    if standing.draft is None:
        raise DraftError(Why.NO_DRAFT)
    return standing.draft


async def _change(connection: AsyncConnection, draft: Draft, slug: str, **values: Any) -> int:
    """Change the row of a draft; its new version."""
    version = draft.version + 1
    await connection.execute(
        sa.update(article_drafts).where(article_drafts.c.slug == slug).values(**values, version=version)
    )
    return version


async def _publish(connection: AsyncConnection, slug: str, draft: Draft, actor: str, now: datetime) -> int:
    """Make a revision of the draft, and let residents read it."""
    content = dict(draft.content)
    made = await connection.execute(
        sa.insert(article_revisions)
        .values(slug=slug, digest=digest(content), content=content, author=actor, created_at=now)
        .returning(article_revisions.c.revision)
    )
    revision = int(made.scalar_one())
    await connection.execute(
        sa.update(articles).where(articles.c.slug == slug).values(revision=revision, published_at=now)
    )
    await put_in_list(connection, slug, content)
    await connection.execute(sa.delete(article_drafts).where(article_drafts.c.slug == slug))
    detail = {"revision": revision, "authors": list(draft.authors)}
    await audit(connection, actor, Act.PUBLISHED, slug, at=now, detail=detail)
    return revision


async def _leave(connection: AsyncConnection, slug: str, name: str) -> None:
    await connection.execute(
        sa.delete(article_visits).where(article_visits.c.slug == slug, article_visits.c.name == name)
    )
