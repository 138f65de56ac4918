"""The list of articles at the desk of editors: who looks for what, and what became of each article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.db.tables import article_drafts, articles, handoffs, messages
from bot.model import Author
from bot.standing import State

PAGE = 50
USED = timedelta(days=28)
"""How far back answers and marks are counted."""


class Shown(StrEnum):
    """What an article is looked for by: it may be more than one of these."""

    PUBLISHED = "published"
    DRAFT = "draft"
    REVIEW = "review"
    SCHEDULED = "scheduled"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; what is empty is no matter. `due`: the day to look at it again has come."""

    text: str = ""
    theme: str = ""
    owner: str = ""
    shown: Shown | None = None
    due: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An article in the list. `used`: so many answers in 28 days; `mark`: the mean of `marks` after conversations about
    it in the same time, None without any."""

    slug: str
    title: str
    theme: str
    owner: str
    review: date | None
    shown: tuple[Shown, ...]
    publish_at: datetime | None
    used: int
    marks: int
    mark: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the list, of so many in all."""

    rows: Sequence[Row]
    total: int


class Articles:
    """Reads the list; the store does the looking, so that ten thousand articles are no matter."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def page(self, sought: Sought, number: int = 1) -> Found:
        """One page, by title."""
        where = self._where(sought)
        both = articles.outerjoin(article_drafts, article_drafts.c.slug == articles.c.slug)
        query = (
            sa.select(articles, article_drafts.c.state, article_drafts.c.publish_at)
            .select_from(both)
            .where(*where)
            .order_by(articles.c.title, articles.c.slug)
            .limit(PAGE)
            .offset(PAGE * (number - 1))
        )
        count = sa.select(sa.func.count()).select_from(both).where(*where)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
            total = int(await connection.scalar(count) or 0)
            slugs = [row.slug for row in rows]
            since = self._clock() - USED
            used = {row.article: row.times for row in (await connection.execute(_used(slugs, since))).all()}
            marks = {row.topic: row for row in (await connection.execute(_marks(slugs, since))).all()}
        return Found([_row(row, used.get(row.slug, 0), marks.get(row.slug)) for row in rows], total)

    async def names(self, column: str) -> list[str]:
        """The themes or owners that there are: `theme` or `owner`."""
        one = articles.c[column]
        query = sa.select(one).where(one.is_not(None), one != "").distinct().order_by(one)
        async with self._database.read() as connection:
            return [str(name) for name in (await connection.scalars(query)).all()]

    def _where(self, sought: Sought) -> list[sa.ColumnElement[bool]]:
        state, published = article_drafts.c.state, articles.c.revision.is_not(None)
        found: list[sa.ColumnElement[bool]] = []
        for word in sought.text.split():
            found.append(
                sa.or_(
                    articles.c.title.icontains(word, autoescape=True),
                    articles.c.slug.icontains(word, autoescape=True),
                )
            )
        if sought.theme:
            found.append(articles.c.theme == sought.theme)
        if sought.owner:
            found.append(articles.c.owner == sought.owner)
        if sought.due:
            found.append(articles.c.review <= self._clock().astimezone(AMSTERDAM).date())
        if sought.shown is Shown.PUBLISHED:
            found.append(published)
        elif sought.shown is Shown.WITHDRAWN:
            found.append(sa.and_(~published, state.is_(None)))
        elif sought.shown:
            found.append(state == sought.shown.value)
        return found


def _used(slugs: Sequence[str], since: datetime) -> sa.Select[Any]:
    return (
        sa.select(messages.c.article, sa.func.count().label("times"))
        .where(messages.c.article.in_(slugs), messages.c.author == Author.BOT, messages.c.at >= since)
        .group_by(messages.c.article)
    )


def _marks(slugs: Sequence[str], since: datetime) -> sa.Select[Any]:
    return (
        sa.select(
            handoffs.c.topic,
            sa.func.count(handoffs.c.mark).label("marks"),
            sa.func.avg(handoffs.c.mark).label("mark"),
        )
        .where(handoffs.c.topic.in_(slugs), handoffs.c.mark.is_not(None), handoffs.c.ended_at >= since)
        .group_by(handoffs.c.topic)
    )


def _row(row: sa.Row[Any], used: int, marks: sa.Row[Any] | None) -> Row:
    shown = [Shown.PUBLISHED] if row.revision is not None else []
    if row.state is not None:
        shown.append(Shown(State(row.state).value))
    return Row(
        row.slug,
        row.title or row.slug,
        row.theme or "",
        row.owner or "",
        row.review,
        tuple(shown) or (Shown.WITHDRAWN,),
        row.publish_at,
        used,
        marks.marks if marks else 0,
        float(marks.mark) if marks else None,
    )
