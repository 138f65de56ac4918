"""The thread: a conversation as an agent reads it, with who said what, and how far each message got."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import conversations, handoffs, media, messages, notes, outbox, owner_history, presences
from bot.model import Author, Delivery, Owner, Place, Template
from bot.ports import Channel
from bot.window import Window, window

PAGE = 100
"""Lines that are shown at first, and that each look back adds."""

LATELY = timedelta(days=2)
"""How far a message got is looked at for so long without anything else to wake the console."""

_FAR = {state: number for number, state in enumerate(Delivery)}
_FAR[Delivery.FAILED] = -1


@dataclass(frozen=True, slots=True)
class File:
    """What the resident sent along: `pending`, `stored`, `refused` or `failed`."""

    id: str
    mime: str
    name: str
    size: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `who` is the agent's name where an agent wrote it; `delivery` how far one of ours got."""

    seq: int
    id: str
    author: Author
    who: str
    kind: str
    text: str
    choices: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    article: str | None
    revision: int | None
    place: Place | None
    reaction: str
    at: datetime
    edited_at: datetime | None
    revoked_at: datetime | None
    files: tuple[File, ...]
    delivery: Delivery | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """The newest lines of a conversation, oldest first; `before` is where to look for older ones, None at the start.
    `agent` is who has it now."""

    conversation_id: str
    lines: tuple[Line, ...]
    before: int | None
    channel: str
    owner: Owner
    window: Window
    templates: tuple[Template, ...]
    agent: str | None
    agent_name: str
    handoff: str
    """`waiting`, `taken` or `ended`."""
    since: datetime
    distress: bool
    topic: str | None
    """The article that the conversation with a person is about; or another short word for it."""


class Threads:
    """Reads them. Only conversations that were handed to a person can be read."""

    def __init__(self, database: Database, channels: Mapping[str, Channel], clock: Clock = utc_now) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock

    async def of(self, conversation_id: str, *, before: int | None = None) -> Thread | None:
        """One of them; None where there is none."""
        async with self._database.read() as connection:
            found = await _conversation(connection, conversation_id)
            handoff = await _handoff(connection, conversation_id)
            if found is None or handoff is None or found.channel not in self._channels:
                return None
            names = await agent_names(connection)
            lines, older = await _lines(connection, conversation_id, before, names)
        channel = self._channels[found.channel]
        return Thread(
            conversation_id,
            tuple(lines),
            older,
            found.channel,
            Owner(found.owner),
            window(channel.limits, found.last_inbound_at, self._clock()),
            tuple(channel.templates[name] for name in sorted(channel.templates)),
            handoff.agent if handoff.state == queue.TAKEN else None,
            names.get(handoff.agent or "", "Een collega"),
            handoff.state,
            handoff.taken_at or handoff.waiting_since,
            handoff.priority >= queue.DISTRESS,
            handoff.topic,
        )

    async def marks(self, keys: Collection[str]) -> dict[str, tuple[Any, ...]]:
        """Something for each of these conversations that changes with what is shown of it and comes without a wake of
        the bus: lines and notes, who has it, how far messages and files got, and whether the window is open."""
        if not keys:
            return {}
        now = self._clock()
        marks: dict[str, tuple[Any, ...]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(_SHOWN.where(conversations.c.id.in_(keys))):
                channel = self._channels.get(row.channel)
                closed = channel and not window(channel.limits, row.last_inbound_at, now).is_open
                marks[row.id] = (*row, closed)
            letters = _LETTERS.where(messages.c.conversation_id.in_(keys), messages.c.at > now - LATELY)
            for query in (letters, _FILES.where(media.c.conversation_id.in_(keys))):
                for row in await connection.execute(query):
                    marks[row.conversation_id] += (row.state, row.number)
        return marks


async def agent_names(connection: AsyncConnection) -> dict[str, str]:
    """The names of agents by their ids."""
    query = sa.select(presences.c.agent, presences.c.name)
    return {row.agent: row.name for row in await connection.execute(query)}


async def _conversation(connection: AsyncConnection, conversation_id: str) -> Any | None:
    query = sa.select(conversations).where(conversations.c.id == conversation_id)
    return (await connection.execute(query)).one_or_none()


async def _handoff(connection: AsyncConnection, conversation_id: str) -> Any | None:
    query = sa.select(handoffs).where(handoffs.c.conversation_id == conversation_id)
    return (await connection.execute(query.order_by(handoffs.c.queued_at.desc()).limit(1))).one_or_none()


async def _lines(
    connection: AsyncConnection, conversation_id: str, before: int | None, names: Mapping[str, str]
) -> tuple[list[Line], int | None]:
    query = sa.select(messages).where(messages.c.conversation_id == conversation_id)
    if before is not None:
        query = query.where(messages.c.seq < before)
    newest = (await connection.execute(query.order_by(messages.c.seq.desc()).limit(PAGE + 1))).all()
    rows = list(reversed(newest[:PAGE]))
    files = await _files(connection, [row.id for row in rows])
    sent = await _sent(connection, conversation_id, [row.sent_with or row.id for row in rows])
    writers = await _writers(connection, conversation_id, names)
    lines = [_line(row, files.get(row.id, ()), sent.get(row.sent_with or row.id), writers) for row in rows]
    return lines, (int(rows[0].seq) if len(newest) > PAGE else None)


def _line(row: Any, files: Sequence[File], sent: Any | None, writers: Sequence[tuple[datetime, str]]) -> Line:
    author = Author(row.author)
    who = next((name for at, name in reversed(writers) if at <= row.at), "") if author is Author.AGENT else ""
    return Line(
        row.seq,
        row.id,
        author,
        who,
        row.kind,
        row.text,
        tuple(choice["label"] for choice in row.choices),
        tuple((link["label"], link["url"]) for link in row.links),
        row.article,
        row.revision,
        Place(**row.place) if row.place else None,
        row.reaction or "",
        row.at,
        row.edited_at,
        row.revoked_at,
        tuple(files),
        Delivery(sent.state) if sent is not None else None,
        (sent.error or "") if sent is not None else "",
    )


async def _files(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, list[File]]:
    rows = await connection.execute(sa.select(media).where(media.c.message_id.in_(keys)))
    found: dict[str, list[File]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(File(row.id, row.mime, row.name, row.size, row.state))
    return found


async def _sent(connection: AsyncConnection, conversation_id: str, keys: Sequence[str]) -> dict[str, Any]:
    """The letter of each line; of one that went in several, the one that got least far."""
    query = sa.select(outbox.c.message_id, outbox.c.state, outbox.c.error).where(
        outbox.c.conversation_id == conversation_id, outbox.c.message_id.in_(set(keys))
    )
    found: dict[str, Any] = {}
    for row in await connection.execute(query):
        known = found.get(row.message_id)
        if known is None or _FAR[Delivery(row.state)] < _FAR[Delivery(known.state)]:
            found[row.message_id] = row
    return found


async def _writers(
    connection: AsyncConnection, conversation_id: str, names: Mapping[str, str]
) -> list[tuple[datetime, str]]:
    """Who had the conversation from when: an agent's line is theirs."""
    query = (
        sa.select(owner_history.c.at, owner_history.c.actor)
        .where(owner_history.c.conversation_id == conversation_id, owner_history.c.after == Owner.AGENT)
        .order_by(owner_history.c.seq)
    )
    return [(row.at, names.get(row.actor, "")) for row in await connection.execute(query)]


def _newest(table: sa.Table, column: sa.Column[Any]) -> Any:
    query = sa.select(sa.func.max(column)).where(table.c.conversation_id == conversations.c.id)
    return query.correlate(conversations).scalar_subquery()


_SHOWN = sa.select(
    conversations.c.id,
    conversations.c.channel,
    conversations.c.owner,
    conversations.c.owner_since,
    conversations.c.last_inbound_at,
    _newest(messages, messages.c.seq),
    _newest(notes, notes.c.seq),
)
_LETTERS = (
    sa.select(messages.c.conversation_id, outbox.c.state, sa.func.count().label("number"))
    .join(outbox, outbox.c.message_id == messages.c.id)
    .group_by(messages.c.conversation_id, outbox.c.state)
    .order_by(messages.c.conversation_id, outbox.c.state)
)
_FILES = (
    sa.select(media.c.conversation_id, media.c.state, sa.func.count().label("number"))
    .group_by(media.c.conversation_id, media.c.state)
    .order_by(media.c.conversation_id, media.c.state)
)
