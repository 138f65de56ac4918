"""Signs of life: a resident sees that an agent is typing, where the channel can show it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import sqlalchemy as sa

from bot import queue
from bot.db.database import Database
from bot.db.tables import conversations, handoffs, inbox, messages
from bot.model import Author, Inbound, Kind
from bot.ports import Channel, SendFault

log = logging.getLogger(__name__)


class Signs:
    """Gives them."""

    def __init__(self, database: Database, channels: Mapping[str, Channel]) -> None:
        self._database = database
        self._channels = channels

    async def typing(self, conversation_id: str, agent: str) -> None:
        """The agent who has the conversation types. Best effort: a vendor that does not take it is logged."""
        line = (
            sa.select(messages.c.id)
            .where(messages.c.conversation_id == conversation_id, messages.c.author == Author.RESIDENT)
            .order_by(messages.c.seq.desc())
            .limit(1)
        )
        query = (
            sa.select(inbox.c.channel, conversations.c.address, inbox.c.external_id, inbox.c.kind)
            .join(conversations, conversations.c.id == inbox.c.conversation_id)
            .join(handoffs, handoffs.c.conversation_id == conversations.c.id)
            .where(
                inbox.c.id == line.scalar_subquery(),
                handoffs.c.state == queue.TAKEN,
                handoffs.c.agent == agent,
            )
        )
        async with self._database.read() as connection:
            last = (await connection.execute(query)).one_or_none()
        if last is None or last.channel not in self._channels:
            return
        message = Inbound(last.channel, last.address, last.external_id, Kind(last.kind))
        try:
            await self._channels[last.channel].acknowledge(message)
        except SendFault as fault:
            log.info("typing not shown on %s: %s", last.channel, fault.reason)
