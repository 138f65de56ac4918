"""The transcript: what was said in a conversation, as the web chat and later the console read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.database import Database
from bot.db.tables import conversations, handoffs, inbox, messages, outbox, presences
from bot.model import Author, Delivery, Kind, Owner


@dataclass(frozen=True, slots=True)
class Page:
    """Lines after a point, oldest first, and below them what waits for its turn. `last` is the point to go on
    from; `typing`: an answer of the bot is on its way; `agent`: the name of who has the conversation."""

    lines: tuple[dict[str, Any], ...]
    waiting: tuple[dict[str, Any], ...]
    last: int
    owner: Owner
    typing: bool
    agent: str = ""


class Transcript:
    """Reads conversations of one channel by their address."""

    def __init__(self, database: Database, channel: str) -> None:
        self._database = database
        self._channel = channel

    async def read(self, address: str, after: int = 0, *, limit: int = 500) -> Page:
        """The lines with a sequence number above `after`, at most `limit`; from the start, the newest of them."""
        mine = sa.and_(conversations.c.channel == self._channel, conversations.c.address == address)
        owner = sa.select(conversations.c.id, conversations.c.owner).where(mine)
        async with self._database.read() as connection:
            conversation = (await connection.execute(owner)).one_or_none()
            if conversation is None:
                return Page((), (), after, Owner.BOT, typing=False)
            lines = (
                sa.select(messages)
                .where(messages.c.conversation_id == conversation.id, messages.c.seq > after)
                .order_by(messages.c.seq if after else messages.c.seq.desc())
                .limit(limit)
            )
            found = sorted((await connection.execute(lines)).all(), key=lambda row: int(row.seq))
            pending = (
                sa.select(inbox)
                .where(inbox.c.conversation_id == conversation.id, inbox.c.state == "pending")
                .order_by(inbox.c.seq)
            )
            waiting = (await connection.execute(pending)).all()
            agent = await _agent(connection, conversation) if conversation.owner == Owner.AGENT else ""
        labels = {choice["id"]: choice["label"] for row in found for choice in row.choices}
        unanswered = (_unanswered(row, row.text or labels.get(row.choice, "")) for row in waiting)
        return Page(
            tuple(line(row) for row in found),
            tuple(row for row in unanswered if row["text"]),
            found[-1].seq if found else after,
            Owner(conversation.owner),
            typing=bool(waiting) and conversation.owner == Owner.BOT,
            agent=agent,
        )

    async def position(self, address: str, message_id: str) -> int:
        """The point to go on from for who has read up to this line; 0, the start, where there is no such line.

        What a resident says is read before its turn, so above where it comes to stand: answers to earlier messages
        may come in between. They are not passed over; the line itself may then come once more.
        """
        mine = sa.and_(conversations.c.channel == self._channel, conversations.c.address == address)
        own = sa.select(conversations.c.id).where(mine).scalar_subquery()
        here = messages.c.conversation_id == own
        said = sa.select(messages.c.seq, messages.c.author, messages.c.at).where(
            here, messages.c.id == message_id
        )
        pending = sa.select(inbox.c.received_at).where(
            inbox.c.conversation_id == own, inbox.c.id == message_id, inbox.c.state == "pending"
        )
        async with self._database.read() as connection:
            line = (await connection.execute(said)).one_or_none()
            if line is not None and line.author != Author.RESIDENT:
                return int(line.seq)
            read_at = line.at if line is not None else await connection.scalar(pending)
            if read_at is None:
                return 0
            above = messages.c.seq < line.seq if line is not None else sa.true()
            later = sa.and_(here, above, messages.c.author != Author.RESIDENT, messages.c.at > read_at)
            missed = await connection.scalar(sa.select(sa.func.min(messages.c.seq)).where(later))
            if missed is not None:
                return int(missed) - 1
            last = sa.select(sa.func.max(messages.c.seq)).where(here)
            return int(line.seq if line is not None else await connection.scalar(last) or 0)

    async def is_settled(self, address: str) -> bool:
        """Whether every message is answered, and every answer handed over (or given up)."""
        return not (
            await self._any(address, inbox, inbox.c.state == "pending")
            or await self._any(address, outbox, outbox.c.state == Delivery.QUEUED)
        )

    async def _any(self, address: str, table: sa.Table, *where: sa.ColumnElement[bool]) -> bool:
        query = (
            sa.select(table.c.seq)
            .join(conversations, conversations.c.id == table.c.conversation_id)
            .where(conversations.c.channel == self._channel, conversations.c.address == address, *where)
            .limit(1)
        )
        async with self._database.read() as connection:
            return await connection.scalar(query) is not None


def line(row: Any) -> dict[str, Any]:
    """A line of the transcript as the web chat interface gives it."""
    return {
        "id": row.id,
        "from": row.author,
        "text": row.text,
        "choices": row.choices,
        "links": row.links,
        "article": row.article,
        "at": row.at.isoformat(timespec="milliseconds"),
    }


async def _agent(connection: AsyncConnection, conversation: Any) -> str:
    """The name of who has it."""
    query = (
        sa.select(presences.c.name)
        .join(handoffs, handoffs.c.agent == presences.c.agent)
        .where(handoffs.c.conversation_id == conversation.id, handoffs.c.state == "taken")
    )
    return str(await connection.scalar(query) or "")


def _unanswered(row: Any, text: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "from": Author.RESIDENT,
        "text": text if row.kind != Kind.EDIT else "",
        "choices": [],
        "links": [],
        "article": None,
        "at": row.received_at.isoformat(timespec="milliseconds"),
    }
