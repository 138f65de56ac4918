"""The post: what agents and jobs say to a resident outside a turn, and whether they may now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import conversations
from bot.model import Author, Outbound
from bot.ports import Bus, Channel
from bot.residents import conversation_at
from bot.window import TemplateError, Window, WindowClosed, fill, opener, queue, window


class NoConversation(LookupError):
    """There is no such conversation, or its channel is off."""


class Post:
    """Puts messages in the outbox. Free words outside the window are refused before anything is stored, or kept
    until the resident writes again: as the caller wants it."""

    def __init__(
        self, database: Database, bus: Bus, channels: Mapping[str, Channel], clock: Clock = utc_now
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._clock = clock

    async def find(self, channel: str, address: str) -> str:
        """The conversation of who is known at an address. Raises `NoConversation`."""
        async with self._database.read() as connection:
            found = await conversation_at(connection, channel, address)
        if found is None:
            raise NoConversation("nobody with this address has written on this channel")
        return found

    async def window(self, conversation_id: str) -> Window:
        """Whether free words may go now, and until when. Raises `NoConversation`."""
        async with self._database.read() as connection:
            return self._window(await self._conversation(connection, conversation_id))

    async def say(
        self, conversation_id: str, message: Outbound, *, author: Author = Author.AGENT, hold: bool = False
    ) -> str:
        """Queue a message; the id of its line in the transcript.

        Raises `WindowClosed` where free words may not go, unless `hold`: then they are kept, and the resident is asked
        to write, with the template that opens the window where there is one. Raises `NoConversation`.
        """
        now = self._clock()
        async with self._database.write() as connection:
            row = await self._conversation(connection, conversation_id)
            channel = self._channels[row.channel]
            held = message.template is None and not self._window(row).is_open
            if held and not hold:
                raise WindowClosed(sorted(channel.templates))
            key = await queue(connection, channel, conversation_id, message, author, now, held=held)
            if held:
                await opener(connection, channel, conversation_id, now)
        await self._bus.publish("outbox")
        await self._bus.publish("console", conversation_id)
        return key

    async def template(
        self, conversation_id: str, name: str, values: dict[str, str], *, author: Author = Author.SYSTEM
    ) -> str:
        """Queue a template. Raises `TemplateError` where there is none of that name or its values don't fit, and
        `NoConversation`."""
        async with self._database.read() as connection:
            row = await self._conversation(connection, conversation_id)
        templates = self._channels[row.channel].templates
        if name not in templates:
            raise TemplateError(f"no template {name!r}; there is: {', '.join(sorted(templates)) or 'none'}")
        return await self.say(conversation_id, fill(templates[name], values), author=author)

    def _window(self, row: Any) -> Window:
        return window(self._channels[row.channel].limits, row.last_inbound_at, self._clock())

    async def _conversation(self, connection: AsyncConnection, conversation_id: str) -> Any:
        columns = (conversations.c.channel, conversations.c.last_inbound_at)
        query = sa.select(*columns).where(conversations.c.id == conversation_id).with_for_update()
        row = (await connection.execute(query)).one_or_none()
        if row is None or row.channel not in self._channels:
            raise NoConversation("there is no such conversation on a channel that is on")
        return row
