"""Tidings of cases: looks again and again at those that are followed, and tells each change once.

One process does so at a time (`bot.db.lease.NamedLease`). Should two do it all the same, or one be killed, the change
of `case_follows.state` and the message about it are one transaction, which only one of them can make.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.casewords import CaseWords
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import case_follows, conversations
from bot.logs import trail
from bot.model import Author, Case, Outbound
from bot.ports import Bus, CaseFault, CaseProvider, Channel
from bot.window import fill, opener, queue, tell, window
from bot.wording import Wording

log = logging.getLogger(__name__)

TOPIC = "cases"
"""The bus wakes us with it."""

EVERY = 20.0
"""Seconds between looks for what is due."""

AT_A_TIME = 50
SECONDS = 15.0
"""For one case, by the way of a system that nobody waits for."""

LONGEST = 6 * 60
"""Minutes after which a case that could not be looked at is tried again, at the most."""

TEMPLATE = "zaak_nieuws"
"""The template for who wrote too long ago: its variables are the number of the case and where it is."""


class Tidings:
    """Looks after follows. `minutes`: how often a case is looked at."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channels: Mapping[str, Channel],
        provider: CaseProvider,
        words: CaseWords,
        wording: Wording,
        clock: Clock = utc_now,
        *,
        minutes: int = 15,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._provider = provider
        self._words = words
        self._wording = wording
        self._clock = clock
        self._every = timedelta(minutes=minutes)

    async def keep_looking(self) -> None:
        """Look, at intervals and when woken, until cancelled."""
        wake = asyncio.Event()
        async with self._bus.subscribe(TOPIC) as wakes:

            async def listen() -> None:
                async for _ in wakes:
                    wake.set()

            listener = asyncio.create_task(listen())
            try:
                while True:
                    wake.clear()
                    if await self._looked() < AT_A_TIME:
                        with suppress(TimeoutError):
                            async with asyncio.timeout(EVERY):
                                await wake.wait()
            finally:
                listener.cancel()

    async def _looked(self) -> int:
        try:
            return await self.look()
        except Exception as error:  # the store is away: say so, and look again
            log.error("followed cases can't be looked at: %s", trail(error))
            return 0

    async def look(self) -> int:
        """At all that is due on the channels that are here, once; how many."""
        now = self._clock()
        columns = case_follows.c
        due = sa.and_(columns.provider == self._provider.name, columns.look_at <= now)
        ours = sa.and_(due, conversations.c.channel.in_(list(self._channels)))
        there = case_follows.join(conversations, conversations.c.id == columns.conversation_id)
        query = (
            sa.select(case_follows).select_from(there).where(ours).order_by(columns.look_at).limit(AT_A_TIME)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        for row in rows:
            if not await self._look_at(row):
                break  # the others would go the same way: later
        return len(rows)

    async def _look_at(self, row: Any) -> bool:
        """Whether the system answered."""
        try:
            async with asyncio.timeout(SECONDS):
                case = await self._provider.look(row.key)
        except (TimeoutError, CaseFault) as fault:
            reason = fault.reason if isinstance(fault, CaseFault) else "no answer in time"
            log.warning("a followed case can't be looked at: %s", reason)
            minutes = min(2**row.faults, LONGEST)
            await self._change(row, look_at=self._clock() + timedelta(minutes=minutes), faults=row.faults + 1)
            return False
        if case is not None and case.state == row.state:
            await self._change(row, look_at=self._clock() + self._every, faults=0)
        else:
            await self._tell(row, case)
        return True

    async def _change(self, row: Any, **values: Any) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(case_follows).where(case_follows.c.id == row.id).values(**values)
            )

    async def _tell(self, row: Any, case: Case | None) -> None:
        """The change and the message about it, together or not at all."""
        now = self._clock()
        case = case if case and self._words.kind(case) else None
        async with self._database.write() as connection:
            held = sa.select(conversations).where(conversations.c.id == row.conversation_id).with_for_update()
            conversation = (await connection.execute(held)).one_or_none()
            if conversation is None or not await self._mark(connection, row, case, now):
                return  # told already, or not followed any more
            channel = self._channels[conversation.channel]
            await self._say(connection, channel, conversation, self._news(row, case, now), row, case, now)
        metrics.CASE_NEWS.inc()
        await self._bus.publish("outbox")
        await self._bus.publish("console", row.conversation_id)

    async def _mark(self, connection: AsyncConnection, row: Any, case: Case | None, now: datetime) -> bool:
        columns = case_follows.c
        mine = sa.and_(columns.id == row.id, columns.state == row.state)
        if case is None or case.ended:
            changed = await connection.execute(sa.delete(case_follows).where(mine))
        else:
            values = {"state": case.state, "look_at": now + self._every, "faults": 0}
            changed = await connection.execute(sa.update(case_follows).where(mine).values(**values))
        return changed.rowcount == 1

    def _news(self, row: Any, case: Case | None, now: datetime) -> Outbound:
        if case is None:
            return self._wording.say("case_gone", reference=row.reference)
        return self._words.news(case, now)

    async def _say(
        self,
        connection: AsyncConnection,
        channel: Channel,
        conversation: Any,
        news: Outbound,
        row: Any,
        case: Case | None,
        now: datetime,
    ) -> None:
        """In free words, or as a template, or when the resident writes again."""
        if window(channel.limits, conversation.last_inbound_at, now).is_open:
            await tell(connection, channel, conversation, news, Author.BOT, now)
            return
        template = channel.templates.get(TEMPLATE)
        if template and case:
            values = (row.reference, self._words.now(case))
            if len(template.variables) == len(values):
                said = fill(template, dict(zip(template.variables, values, strict=True)))
                await queue(connection, channel, conversation.id, said, Author.BOT, now)
                return
        await tell(connection, channel, conversation, news, Author.BOT, now)
        await opener(connection, channel, conversation.id, now)
