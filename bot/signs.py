"""Signs of life: who writes sees that the other is typing, where the channel can show it. Nothing of it is kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import sqlalchemy as sa

from bot import queue
from bot.db.database import Database
from bot.db.tables import conversations, handoffs, inbox, messages
from bot.model import Author, Inbound, Kind, Owner
from bot.ports import Bus, Channel, SendFault

log = logging.getLogger(__name__)

AGAIN = 0.6
"""A sign is given again after this part of the time that it stays."""


TYPES = "types"
"""The topic on which consoles hear whose resident types: a conversation's id."""


class Signs:
    """Gives them."""

    def __init__(self, database: Database, bus: Bus, channels: Mapping[str, Channel]) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels

    async def typing(self, conversation_id: str, agent: str) -> None:
        """The agent who has the conversation types. Best effort: a vendor that does not take it is logged. While the
        last sign still stays no other is given, unless something was said since."""
        here = messages.c.conversation_id == conversation_id
        line = (
            sa.select(messages.c.id)
            .where(here, messages.c.author == Author.RESIDENT)
            .order_by(messages.c.seq.desc())
            .limit(1)
        )
        last_said = sa.select(sa.func.max(messages.c.seq)).where(here)
        query = (
            sa.select(
                inbox.c.channel,
                conversations.c.address,
                inbox.c.external_id,
                inbox.c.kind,
                last_said.scalar_subquery().label("last_said"),
            )
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
        channel = self._channels[last.channel]
        key, rate = f"types:{conversation_id}:{last.last_said}", 1 / (AGAIN * channel.limits.typing_seconds)
        if not await self._bus.allow(key, rate=rate, burst=1):
            return
        message = Inbound(last.channel, last.address, last.external_id, Kind(last.kind))
        try:
            await channel.acknowledge(message)
        except SendFault as fault:
            log.info("typing not shown on %s: %s", last.channel, fault.reason)

    async def resident_typing(self, channel: str, address: str) -> None:
        """The resident at this address types. Consoles hear it only while a person has the conversation or it waits
        for one."""
        query = sa.select(conversations.c.id).where(
            conversations.c.channel == channel,
            conversations.c.address == address,
            conversations.c.owner.in_((Owner.WAITING, Owner.AGENT)),
        )
        async with self._database.read() as connection:
            conversation_id = await connection.scalar(query)
        if conversation_id is not None:
            await self._bus.publish(TYPES, conversation_id)
