"""The board: what an agent sees beside a conversation. Who waits, what they have in hand, and what was before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.briefing import LANGUAGES, REASONS
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import conversations, handoffs, messages, presences
from bot.handoff import FindArticle
from bot.model import Author
from bot.municipality import Municipality

SHORTEST, MOST_HITS = 3, 20
"""A search needs so many characters, and gives so many conversations at most."""

QUEUE = 50
"""So many of those who wait are shown; of the others the number."""

_EXCERPT = 90

_SHOWN = (
    handoffs.c.id,
    handoffs.c.conversation_id,
    handoffs.c.state,
    handoffs.c.agent,
    handoffs.c.team,
    handoffs.c.priority,
    handoffs.c.waiting_since,
)


@dataclass(frozen=True, slots=True)
class Card:
    """One conversation in a list. `since` is when the resident began to wait, or the agent took it."""

    conversation_id: str
    topic: str
    team: str
    channel: str
    reason: str
    language: str
    distress: bool
    since: datetime
    excerpt: str
    last: int
    """The sequence number of the resident's last line."""
    unanswered: int = 0
    """What the resident said since the agent last did."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A line of an earlier conversation that holds what was looked for."""

    conversation_id: str
    at: datetime
    excerpt: str
    topic: str
    state: str


@dataclass(frozen=True, slots=True)
class Offered:
    """What is offered to the agent, until then; `taken_by` a colleague, where one was first."""

    card: Card
    until: datetime
    taken_by: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """What an agent has in hand, what is offered to them, and how they are present."""

    cards: tuple[Card, ...]
    presence: str
    offer: Offered | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Who waits: the first ones, and how many there are."""

    cards: tuple[Card, ...]
    count: int


class Boards:
    """Makes them."""

    def __init__(
        self,
        database: Database,
        municipality: Municipality,
        article: FindArticle,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._municipality = municipality
        self._article = article
        self._clock = clock

    async def own(self, agent: str) -> Own:
        """The list of one agent."""
        async with self._database.read() as connection:
            mine = await _taken(connection, agent)
            offered = (await connection.execute(self._offered(agent))).one_or_none()
            state = await connection.scalar(sa.select(presences.c.state).where(presences.c.agent == agent))
            unanswered = await _unanswered(connection, [row.conversation_id for row in mine])
            cards = await self._cards(connection, [*mine, *([offered] if offered else ())], unanswered)
        offer = offered and Offered(cards[offered.id], offered.offered_until, offered.taken_by or "")
        return Own(tuple(cards[row.id] for row in mine), state or queue.AWAY, offer)

    async def line(self, teams: Sequence[str]) -> Line:
        """The queue of these teams."""
        async with self._database.read() as connection:
            waiting = await queue.waiting(connection, teams, most=QUEUE)
            count = await queue.length(connection, teams)
            cards = await self._cards(connection, waiting, {})
        return Line(tuple(cards[row.id] for row in waiting), count)

    async def _cards(
        self, connection: AsyncConnection, rows: Sequence[Any], unanswered: Mapping[str, int]
    ) -> dict[str, Card]:
        keys = [row.conversation_id for row in rows]
        if not keys:
            return {}
        last = await _last(connection, keys)
        channels = await _channels(connection, keys)
        return {row.id: self._card(row, channels, last, unanswered) for row in rows}

    def _offered(self, agent: str) -> sa.Select[Any]:
        """What is offered to them now. Of what a colleague took meanwhile they see who has it, until it would have
        gone to the next one."""
        return (
            sa.select(handoffs, presences.c.name.label("taken_by"))
            .outerjoin(presences, presences.c.agent == handoffs.c.agent)
            .where(
                handoffs.c.state.in_((queue.WAITING, queue.TAKEN)),
                handoffs.c.offered_to == agent,
                handoffs.c.offered_until > self._clock(),
                sa.func.coalesce(handoffs.c.agent, "") != agent,
            )
            .order_by(handoffs.c.state.desc(), *queue.ORDER)
            .limit(1)
        )

    async def rows(self, keys: Collection[str] | None = None) -> dict[str, Any]:
        """What the boards show of the open handoffs by their ids, of these conversations or of all: a board changed
        where a row did. One look serves all consoles."""
        last = (
            sa.select(sa.func.max(messages.c.seq))
            .where(messages.c.conversation_id == handoffs.c.conversation_id)
            .scalar_subquery()
        )
        offered = sa.case((handoffs.c.offered_until > self._clock(), handoffs.c.offered_to))
        query = (
            sa.select(*_SHOWN, conversations.c.last_inbound_at, last.label("last"), offered.label("offered"))
            .join(conversations, conversations.c.id == handoffs.c.conversation_id)
            .where(handoffs.c.state != queue.ENDED)
        )
        if keys is not None:
            query = query.where(handoffs.c.conversation_id.in_(keys))
        async with self._database.read() as connection:
            return {row.id: row for row in await connection.execute(query)}

    async def presences(self) -> dict[str, str]:
        """How each agent is present."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(presences.c.agent, presences.c.state))
            return {row.agent: row.state for row in rows}

    async def find(self, text: str) -> list[Hit]:
        """Conversations with a person, now or before, in which this was said, the newest first."""
        wanted = " ".join(text.split())
        if len(wanted) < SHORTEST:
            return []
        handed = sa.select(handoffs.c.conversation_id)
        newest = (
            sa.select(sa.func.max(messages.c.seq))
            .where(messages.c.conversation_id.in_(handed), messages.c.text.icontains(wanted, autoescape=True))
            .group_by(messages.c.conversation_id)
        )
        query = sa.select(messages).where(messages.c.seq.in_(newest)).order_by(messages.c.seq.desc())
        async with self._database.read() as connection:
            rows = (await connection.execute(query.limit(MOST_HITS))).all()
            about = await _handoffs(connection, [row.conversation_id for row in rows])
        return [
            Hit(
                row.conversation_id,
                row.at,
                _around(row.text, wanted),
                self._topic(about[row.conversation_id].topic),
                about[row.conversation_id].state,
            )
            for row in rows
        ]

    def _card(
        self,
        row: Any,
        channels: Mapping[str, str],
        last: Mapping[str, Any],
        unanswered: Mapping[str, int],
    ) -> Card:
        team = self._municipality.team(row.team)
        line = last.get(row.conversation_id)
        return Card(
            row.conversation_id,
            self._topic(row.topic),
            team.title if team else row.team,
            channels[row.conversation_id],
            REASONS.get(row.reason, REASONS["asked"]),
            LANGUAGES.get(row.language or "", ""),
            row.priority >= queue.DISTRESS,
            row.taken_at if row.state == queue.TAKEN else row.waiting_since,
            shortened(line.text or "") if line else "",
            int(line.seq) if line else 0,
            unanswered.get(row.conversation_id, 0),
        )

    def _topic(self, slug: str | None) -> str:
        found = self._article(slug) if slug else None
        return found.title if found else slug or "Onderwerp niet bekend"


def shortened(text: str, most: int = _EXCERPT) -> str:
    """The beginning, on one line."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


def _around(text: str, wanted: str) -> str:
    plain = " ".join(text.split())
    at = max(0, plain.casefold().find(wanted.casefold()) - 30)
    return ("…" if at else "") + shortened(plain[at:])


async def _taken(connection: AsyncConnection, agent: str) -> list[Any]:
    query = sa.select(handoffs).where(handoffs.c.state == queue.TAKEN, handoffs.c.agent == agent)
    return list((await connection.execute(query.order_by(handoffs.c.taken_at, handoffs.c.id))).all())


async def _last(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Any]:
    """The last line of each resident: its number, and the last words (a photo may have none)."""
    worded = sa.case((messages.c.text != "", messages.c.seq))
    newest = (
        sa.select(
            messages.c.conversation_id,
            sa.func.max(messages.c.seq).label("seq"),
            sa.func.max(worded).label("words"),
        )
        .where(messages.c.conversation_id.in_(keys), messages.c.author == Author.RESIDENT)
        .group_by(messages.c.conversation_id)
        .subquery()
    )
    query = sa.select(newest.c.conversation_id, newest.c.seq, messages.c.text).outerjoin(
        messages, messages.c.seq == newest.c.words
    )
    return {row.conversation_id: row for row in await connection.execute(query)}


async def _channels(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, str]:
    query = sa.select(conversations.c.id, conversations.c.channel).where(conversations.c.id.in_(keys))
    return {row.id: row.channel for row in await connection.execute(query)}


async def _unanswered(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, int]:
    if not keys:
        return {}
    answered = (
        sa.select(messages.c.conversation_id, sa.func.max(messages.c.seq).label("seq"))
        .where(messages.c.conversation_id.in_(keys), messages.c.author == Author.AGENT)
        .group_by(messages.c.conversation_id)
        .subquery()
    )
    since = sa.func.coalesce(answered.c.seq, 0)
    joined = (messages.c.conversation_id == handoffs.c.conversation_id) & (handoffs.c.state == queue.TAKEN)
    query = (
        sa.select(messages.c.conversation_id, sa.func.count().label("number"))
        .join(handoffs, joined)
        .outerjoin(answered, answered.c.conversation_id == messages.c.conversation_id)
        .where(
            messages.c.conversation_id.in_(keys),
            messages.c.author == Author.RESIDENT,
            messages.c.seq > since,
            messages.c.at > handoffs.c.taken_at,
        )
        .group_by(messages.c.conversation_id)
    )
    return {row.conversation_id: int(row.number) for row in await connection.execute(query)}


async def _handoffs(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Any]:
    """The last handoff of each."""
    query = sa.select(handoffs).where(handoffs.c.conversation_id.in_(keys)).order_by(handoffs.c.queued_at)
    return {row.conversation_id: row for row in await connection.execute(query)}
