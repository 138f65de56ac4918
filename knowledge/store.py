"""Articles in the store: immutable revisions and a pointer to the published one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.db.tables import article_revisions, articles, audit
from bot.ports import Bus
from knowledge.article import ArticleDraft, draft_hash, dump, from_json, parse, to_json
from knowledge.index import IndexedArticle
from knowledge.problems import conflicts, problems

TOPIC = "knowledge"
"""The bus topic that wakes every process when something is published."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: slugs that are new, changed, and as they were."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


_AT_ONCE = 500
"""Revisions in one query."""


class ContentError(ValueError):
    """The content can't be published; one problem a line, in Dutch, for an editor."""


class ArticleStore:
    """Publishes and reads articles."""

    def __init__(self, database: Database, bus: Bus, clock: Clock = utc_now) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._read: dict[int, IndexedArticle] = {}

    async def publish(self, drafts: Iterable[ArticleDraft], author: str) -> Imported:
        """Make a revision of each draft that differs from what is published, and publish it, all or none."""
        now = self._clock()
        added: list[str] = []
        changed: list[str] = []
        unchanged: list[str] = []
        async with self._database.write() as connection:
            for draft in drafts:
                before = await self._lock(connection, draft.slug)
                if before == draft_hash(draft):
                    unchanged.append(draft.slug)
                    continue
                await self._revise(connection, draft, author, now)
                (added if before is None else changed).append(draft.slug)
        if added or changed:
            await self._bus.publish(TOPIC)
        return Imported(tuple(added), tuple(changed), tuple(unchanged))

    async def _lock(self, connection: AsyncConnection, slug: str) -> str | None:
        """The digest of what is published, None where nothing is; others who publish this slug wait for us."""
        await connection.execute(self._database.insert_new(articles), [{"slug": slug}])
        await connection.execute(sa.select(articles.c.slug).where(articles.c.slug == slug).with_for_update())
        digest: str | None = await connection.scalar(
            sa.select(article_revisions.c.digest)
            .join(articles, articles.c.revision == article_revisions.c.revision)
            .where(articles.c.slug == slug)
        )
        return digest

    @staticmethod
    async def _revise(connection: AsyncConnection, draft: ArticleDraft, author: str, now: datetime) -> None:
        content = json.loads(to_json(draft))
        revision = await connection.scalar(
            sa.insert(article_revisions)
            .values(slug=draft.slug, digest=draft_hash(draft), content=content, author=author, created_at=now)
            .returning(article_revisions.c.revision)
        )
        await connection.execute(
            sa.update(articles)
            .where(articles.c.slug == draft.slug)
            .values(
                revision=revision,
                published_at=now,
                title=draft.title[:256],
                theme=draft.theme[:128],
                owner=draft.owner[:128],
                review=draft.review,
            )
        )
        await connection.execute(
            sa.insert(audit).values(
                at=now, actor=author, action="publish", object=draft.slug, detail={"revision": revision}
            )
        )

    async def published(self, today: date | None = None) -> list[IndexedArticle]:
        """All articles that residents may be shown on a day, in the order of their slugs."""
        day = today or self._clock().astimezone(AMSTERDAM).date()
        return [
            article
            for article in await self._all()
            if (article.draft.valid_from or day) <= day <= (article.draft.valid_until or day)
        ]

    async def marker(self) -> tuple[int, int]:
        """Changes with every article that is published, withdrawn or rolled back; costs next to nothing."""
        query = sa.select(sa.func.count(articles.c.revision), sa.func.sum(articles.c.revision))
        async with self._database.read() as connection:
            count, total = (await connection.execute(query)).one()
        return int(count), int(total or 0)

    async def _all(self) -> list[IndexedArticle]:
        """Everything that is published. Revisions never change: only new ones are read."""
        query = (
            sa.select(articles.c.slug, articles.c.revision)
            .where(articles.c.revision.is_not(None))
            .order_by(articles.c.slug)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
            missing = [row.revision for row in rows if row.revision not in self._read]
            for start in range(0, len(missing), _AT_ONCE):
                content = sa.select(
                    article_revisions.c.revision, article_revisions.c.slug, article_revisions.c.content
                ).where(article_revisions.c.revision.in_(missing[start : start + _AT_ONCE]))
                for new in (await connection.execute(content)).all():
                    draft = from_json(json.dumps(new.content))
                    self._read[new.revision] = IndexedArticle(new.slug, new.revision, draft)
        self._read = {row.revision: self._read[row.revision] for row in rows}
        return list(self._read.values())

    async def export(self, directory: Path) -> int:
        """Write every published article as its file; how many there were."""
        directory.mkdir(parents=True, exist_ok=True)
        found = await self._all()
        for article in found:
            (directory / f"{article.slug}.md").write_text(dump(article.draft), encoding="utf-8")
        return len(found)


def read_content(directory: Path, facts: Mapping[str, str]) -> list[ArticleDraft]:
    """All articles of a folder. Raises `ContentError` with every problem in them."""
    drafts: list[ArticleDraft] = []
    wrong: list[str] = []
    for path in sorted(directory.glob("*.md")):
        try:
            draft = parse(path.read_text(encoding="utf-8"), path.name)
        except ValueError as error:
            wrong.append(str(error))
            continue
        drafts.append(draft)
        wrong += [f"{path.name}: {problem}" for problem in problems(draft, facts)]
        if path.stem != draft.slug:
            wrong.append(f"{path.name}: de naam van het bestand moet {draft.slug}.md zijn")
    if not drafts and not wrong:
        wrong.append(f"{directory}: er zijn geen artikelen (bestanden die eindigen op .md)")
    wrong += conflicts(drafts)
    if wrong:
        raise ContentError("\n".join(wrong))
    return drafts
