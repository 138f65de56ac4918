"""Tending the queue: who waits hears how long, gets another team in time, and does not stay with an agent who left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.clock import Clock, utc_now
from bot.conversation import NotAllowed, change_owner
from bot.db.database import Database
from bot.db.tables import conversations, handoffs, notes, presences
from bot.handoff import Handoff
from bot.logs import trail
from bot.model import Author, Outbound, Owner
from bot.municipality import Municipality
from bot.offers import Offers
from bot.ports import Bus, Channel
from bot.window import tell
from bot.wording import Wording

log = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between looks."""

OFFER_EVERY, LEAST = 2.0, 0.2
"""Seconds between looks at the offers without a wake, and at least, however much happens."""

MUCH_MINUTES, MUCH = 3, 0.5
"""A guess has changed much by so many minutes and by so large a part of what was told."""

TELL_AGAIN = timedelta(minutes=2)
"""Least time between two words about the wait."""


class Tending:
    """Looks after the queue. `silent` is how long an agent may be unseen before their conversations go back;
    `offers` bring who waits to who is free."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channels: Mapping[str, Channel],
        wording: Wording,
        municipality: Municipality,
        handoff: Handoff,
        silent: timedelta,
        offers: Offers,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._wording = wording
        self._municipality = municipality
        self._handoff = handoff
        self._silent = silent
        self._offers = offers
        self._clock = clock

    async def keep_tending(self) -> None:
        """Look again and again, until cancelled: at the offers as soon as something happens on the desk."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        async with self._bus.subscribe("console") as wakes:
            waiting = asyncio.ensure_future(anext(wakes))
            try:
                while True:
                    try:
                        if loop.time() >= due:
                            due = loop.time() + EVERY
                            await self.look()
                        await self._offers.look()
                    except Exception as error:  # the store is away: say so, and look again
                        log.error("the queue can't be tended: %s", trail(error))
                        await asyncio.sleep(EVERY)
                    await asyncio.sleep(LEAST)
                    await asyncio.wait({waiting}, timeout=OFFER_EVERY)
                    while waiting.done():  # many wakes are one look
                        waiting = asyncio.ensure_future(anext(wakes))
                        await asyncio.sleep(0)
            finally:
                waiting.cancel()

    async def look(self) -> None:
        """All but the offers, once."""
        await self.reclaim()
        await self.overflow()
        await self.inform()

    async def reclaim(self) -> int:
        """Put conversations of agents who are gone back in the queue, in their old place; how many."""
        now = self._clock()
        gone = sa.select(presences.c.agent).where(presences.c.seen_at < now - self._silent)
        query = sa.select(handoffs).where(handoffs.c.state == queue.TAKEN, handoffs.c.agent.in_(gone))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        done = [await self._reclaim(row, now) for row in rows]
        if any(done):
            await self._bus.publish("outbox")
            await self._bus.publish("console")
        return sum(done)

    async def _reclaim(self, row: Any, now: datetime) -> bool:
        async with self._database.write() as connection:
            conversation = await _hold(connection, row.conversation_id)
            found = await queue.open_handoff(connection, row.conversation_id, lock=True)
            if (
                conversation is None
                or found is None
                or (found.state, found.agent) != (queue.TAKEN, row.agent)
            ):
                return False  # handed over or ended meanwhile
            try:
                await change_owner(
                    connection,
                    row.conversation_id,
                    Owner.AGENT,
                    Owner.WAITING,
                    reason="agent gone",
                    actor="system",
                    now=now,
                )
            except NotAllowed:
                return False
            values = {"state": queue.WAITING, "agent": None, "queued_at": now, **queue.FRESH}
            await connection.execute(sa.update(handoffs).where(handoffs.c.id == found.id).values(**values))
            await queue.freed(connection, row.agent, now)
            text = "Terug in de rij: de collega was weg of had geen verbinding meer."
            note = {"conversation_id": row.conversation_id, "author": "system", "text": text, "at": now}
            await connection.execute(sa.insert(notes).values(**note))
            await self._tell(connection, conversation, self._wording.say("agent_gone"), now)
        return True

    async def overflow(self) -> int:
        """Give who waits too long to the team that helps out; how many."""
        now = self._clock()
        changed = 0
        for team in self._municipality.teams:
            if team.overflow_to is None:
                continue
            late = now - timedelta(minutes=team.overflow_minutes)
            async with self._database.write() as connection:
                moved = await connection.execute(
                    sa.update(handoffs)
                    .where(
                        handoffs.c.state == queue.WAITING,
                        handoffs.c.team == team.name,
                        handoffs.c.queued_at < late,
                    )
                    .values(team=team.overflow_to, queued_at=now, **queue.FRESH)
                )
            changed += moved.rowcount
        if changed:
            await self._bus.publish("console")
        return changed

    async def inform(self) -> int:
        """Tell who waits, where the guess has changed much; how many."""
        now = self._clock()
        if not self._handoff.is_open(now):
            return 0
        async with self._database.read() as connection:
            places = await queue.places(connection, now)
        done = [await self._inform(row, now) for row, place in places if changed_much(row, place, now)]
        if any(done):
            await self._bus.publish("outbox")
        return sum(done)

    async def _inform(self, row: Any, now: datetime) -> bool:
        async with self._database.write() as connection:
            conversation = await _hold(connection, row.conversation_id)
            found = await queue.open_handoff(connection, row.conversation_id, lock=True)
            if conversation is None or found is None or found.state != queue.WAITING:
                return False
            place = await queue.place(connection, found, now)
            if not changed_much(found, place, now):
                return False
            await queue.told(connection, row.conversation_id, place, now)
            await self._tell(connection, conversation, self._handoff.still_waiting(place), now)
        return True

    async def _tell(self, connection: AsyncConnection, row: Any, message: Outbound, now: datetime) -> None:
        if channel := self._channels.get(row.channel):
            await tell(connection, channel, row, message, Author.SYSTEM, now)


def changed_much(handoff: Any, place: queue.Place, now: datetime) -> bool:
    """Whether what the resident was told of the wait is far off."""
    if place.minutes is None or (handoff.told_at is not None and now - handoff.told_at < TELL_AGAIN):
        return False
    if handoff.told_minutes is None:
        return True
    left = max(0.0, handoff.told_minutes - (now - handoff.told_at).total_seconds() / 60)
    off = abs(place.minutes - left)
    return bool(off >= MUCH_MINUTES and off >= MUCH * max(left, 1.0))


async def _hold(connection: AsyncConnection, conversation_id: str) -> Any | None:
    query = sa.select(conversations).where(conversations.c.id == conversation_id).with_for_update()
    return (await connection.execute(query)).one_or_none()
