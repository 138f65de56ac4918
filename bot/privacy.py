"""Privacy: what a resident wrote is erased on request, and by itself when its time is over."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import audit, callback_requests, chat_sessions, conversations
from bot.model import Owner

log = logging.getLogger(__name__)

_HOUR = 3600.0


class Privacy:
    """Erases conversations with all that belongs to them; only the fact that it was done stays, in the audit."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def forget(self, channel: str, address: str, *, actor: str) -> bool:
        """Erase one resident's conversation on a channel; False where there is none."""
        mine = sa.and_(conversations.c.channel == channel, conversations.c.address == address)
        async with self._database.write() as connection:
            return await self._erase(connection, mine, actor, "forget") > 0

    async def purge(self, days: int) -> int:
        """Erase what had no message for `days`; how many conversations. Kept: who waits for a person or a call."""
        limit = self._clock() - timedelta(days=days)
        calls = sa.select(callback_requests.c.conversation_id).where(callback_requests.c.state == "open")
        over = sa.and_(
            sa.func.coalesce(conversations.c.last_inbound_at, conversations.c.created_at) < limit,
            conversations.c.owner.in_((Owner.BOT, Owner.CLOSED)),
            conversations.c.id.not_in(calls),
        )
        async with self._database.write() as connection:
            return await self._erase(connection, over, "retention", "purge")

    async def keep_purging(self, days: int) -> None:
        """Purge now and each hour, until cancelled."""
        while True:
            try:
                erased = await self.purge(days)
            except (sa.exc.SQLAlchemyError, OSError) as error:
                log.error("retention: nothing erased, the store does not answer: %s", type(error).__name__)
            else:
                if erased:
                    log.info("retention: %d conversations without messages for %d days erased", erased, days)
            await asyncio.sleep(_HOUR)

    async def _erase(
        self, connection: AsyncConnection, which: sa.ColumnElement[bool], actor: str, action: str
    ) -> int:
        now: datetime = self._clock()
        addresses = sa.select(conversations.c.address).where(which)
        await connection.execute(sa.delete(chat_sessions).where(chat_sessions.c.address.in_(addresses)))
        gone = (
            (await connection.execute(sa.delete(conversations).where(which).returning(conversations.c.id)))
            .scalars()
            .all()
        )
        if gone:
            await connection.execute(
                sa.insert(audit),
                [{"at": now, "actor": actor, "action": action, "object": key, "detail": {}} for key in gone],
            )
        return len(gone)
