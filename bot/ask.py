"""One question, one answer, the way a resident's message goes: for programs, checks and evaluations."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import conversations, inbox, messages
from bot.inbox import Inbox, message_id
from bot.model import Author, Inbound, Route
from bot.ports import Bus
from bot.privacy import Privacy
from bot.residents import new_conversation

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What a resident would read, and how it was reached. `articles`: the slugs of all that it quotes."""

    text: str
    route: str
    article: str | None
    articles: tuple[str, ...]
    alternatives: tuple[str, ...]
    confidence: float | None


class Asking:
    """Asks each question in a conversation of its own, which is erased afterwards."""

    def __init__(self, database: Database, bus: Bus, channel: str, clock: Clock = utc_now) -> None:
        self._database = database
        self._bus = bus
        self._inbox = Inbox(database, bus, clock)
        self._privacy = Privacy(database, clock)
        self._channel = channel
        self._clock = clock

    async def ask(self, text: str) -> Answered:
        """The answer. Raises TimeoutError where none comes within half a minute."""
        address, question = str(uuid.uuid4()), str(uuid.uuid4())
        conversation = new_conversation(self._channel, address, self._clock(), greeted=True)
        async with self._database.write() as connection:
            await connection.execute(sa.insert(conversations).values(conversation))
        try:
            async with asyncio.timeout(TIMEOUT), self._bus.subscribe("console") as wakes:
                await self._inbox.accept([Inbound(self._channel, address, question, text=text)])
                while not await self._is_done(message_id(self._channel, question)):
                    await anext(wakes)
            return await self._read(conversation["id"])
        finally:
            await self._privacy.forget(self._channel, address, actor="ask")

    async def _is_done(self, key: str) -> bool:
        async with self._database.read() as connection:
            return await connection.scalar(sa.select(inbox.c.state).where(inbox.c.id == key)) != "pending"

    async def _read(self, conversation_id: str) -> Answered:
        query = (
            sa.select(messages.c.text, messages.c.article, messages.c.trace)
            .where(messages.c.conversation_id == conversation_id, messages.c.author == Author.BOT)
            .order_by(messages.c.seq)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        trace: dict[str, Any] = next((row.trace for row in reversed(rows) if row.trace), {})
        return Answered(
            text="\n\n".join(row.text for row in rows),
            route=trace.get("route", Route.OUT_OF_SCOPE),
            article=trace.get("article"),
            articles=tuple(dict.fromkeys(row.article for row in rows if row.article)),
            alternatives=tuple(trace.get("alternatives", ())),
            confidence=trace.get("confidence"),
        )
