"""How an article stands at the desk of editors: what residents read of it, and what is being written on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.tables import article_drafts, article_revisions, articles

Content = Mapping[str, Any]


class State(StrEnum):
    """How far a draft is."""

    DRAFT = "draft"
    REVIEW = "review"
    SCHEDULED = "scheduled"


class Why(StrEnum):
    """Why something can't be done with an article."""

    UNKNOWN = "no such article"
    CHANGED = "changed by somebody else meanwhile"
    NO_DRAFT = "no draft"
    NOT_IN_REVIEW = "not in review"
    OWN_WORK = "written by who wants to publish it"
    NOT_PUBLISHED = "not published"
    NO_REVISION = "no such revision"
    PAST = "the moment has passed"


class DraftError(Exception):
    """It can't be done; nothing was changed."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody had before them: the version of the draft and the published revision, 0 for none."""

    version: int
    revision: int


@dataclass(frozen=True, slots=True)
class Draft:
    """`authors` are all who wrote on it; `remark` is why it was sent back, or empty."""

    version: int
    content: Content
    state: State
    authors: tuple[str, ...]
    saved_by: str
    saved_at: datetime
    remark: str
    approved_by: str | None
    publish_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """An article: what residents read, if anything, and what is written on it, if anything."""

    slug: str
    revision: int | None
    published: Content | None
    draft: Draft | None

    @property
    def seen(self) -> Seen:
        """What who looks at it now has seen."""
        return Seen(self.draft.version if self.draft else 0, self.revision or 0)

    @property
    def content(self) -> Content | None:
        """What there is to write on."""
        return self.draft.content if self.draft else self.published


@dataclass(frozen=True, slots=True)
class Revision:
    """One that was published once, or still is."""

    number: int
    content: Content
    author: str
    at: datetime


def digest(content: Content) -> str:
    """A fingerprint of the contents: 64 hexadecimal digits, the same for the same article."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


async def standing_of(connection: AsyncConnection, slug: str) -> Standing:
    """How an article stands. Raises `DraftError` where there is no such article."""
    published = (
        await connection.execute(
            sa.select(articles.c.revision, article_revisions.c.content)
            .outerjoin(article_revisions, article_revisions.c.revision == articles.c.revision)
            .where(articles.c.slug == slug)
        )
    ).one_or_none()
    if published is None:
        raise DraftError(Why.UNKNOWN)
    row = (
        await connection.execute(sa.select(article_drafts).where(article_drafts.c.slug == slug))
    ).one_or_none()
    return Standing(slug, published.revision, published.content, _draft(row) if row else None)


def _draft(row: sa.Row[Any]) -> Draft:
    return Draft(
        row.version,
        row.content,
        State(row.state),
        tuple(row.authors),
        row.saved_by,
        row.saved_at,
        row.remark,
        row.approved_by,
        row.publish_at,
    )


async def put_in_list(connection: AsyncConnection, slug: str, content: Content) -> None:
    """What the list of articles shows of it. A draft may be far from done: nothing in it is sure."""
    said = {name: str(content.get(name) or "") for name in ("title", "theme", "owner", "review")}
    try:
        review = date.fromisoformat(said["review"])
    except ValueError:
        review = None
    await connection.execute(
        sa.update(articles)
        .where(articles.c.slug == slug)
        .values(
            title=said["title"][:256], theme=said["theme"][:128], owner=said["owner"][:128], review=review
        )
    )
