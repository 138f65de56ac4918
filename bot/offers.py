"""Offers: who waits is offered to one agent at a time, the one who is free longest. Anybody may still pick them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import handoffs, presences
from bot.ports import Bus


@dataclass(frozen=True, slots=True)
class Offer:
    """How a resident who waits is offered: to whom and until when, or to nobody now; and who let it pass before."""

    handoff_id: str
    to: str | None
    until: datetime | None
    passed: tuple[str, ...]


_WAITING = (
    sa.select(
        handoffs.c.id,
        handoffs.c.team,
        handoffs.c.priority,
        handoffs.c.offered_to,
        handoffs.c.offered_until,
        handoffs.c.passed_by,
    )
    .where(handoffs.c.state == queue.WAITING)
    .order_by(*queue.ORDER)
)


class Offers:
    """Makes them, and hears who does not want one. Each lasts `lasts`; nothing is offered where that is no time."""

    def __init__(self, database: Database, bus: Bus, lasts: timedelta, clock: Clock = utc_now) -> None:
        self._database = database
        self._bus = bus
        self._lasts = lasts
        self._clock = clock

    async def look(self) -> int:
        """Bring all offers up to date; how many changed. Safe beside others who look at the same time."""
        if not self._lasts:
            return 0
        async with self._database.read() as connection:
            if not await self._changes(connection):
                return 0
        async with self._database.write() as connection:
            # Whoever looks too waits here, and then sees what we offered. What somebody is taking at this moment is
            # left alone: we never wait for a conversation with agents in our hands.
            await connection.execute(
                sa.select(presences.c.agent).order_by(presences.c.agent).with_for_update()
            )
            changes = await self._changes(connection, lock=True)
            for offer in changes:
                values = {"offered_to": offer.to, "offered_until": offer.until, "passed_by": [*offer.passed]}
                await connection.execute(
                    sa.update(handoffs).where(handoffs.c.id == offer.handoff_id).values(**values)
                )
        if changes:
            await self._bus.publish("console")
        return len(changes)

    async def _changes(self, connection: AsyncConnection, *, lock: bool = False) -> list[Offer]:
        now = self._clock()
        agents, busy = await queue.agents(connection, now), await queue.busy(connection)
        query = _WAITING
        if not any(busy.get(one.agent, 0) < one.most for one in agents):
            query = query.where(
                handoffs.c.offered_to.is_not(None)
            )  # nobody has room: only what is offered can end
        rows = (await connection.execute(query.with_for_update(skip_locked=True) if lock else query)).all()
        if not rows:
            return []
        return changes(rows, agents, busy, now, self._lasts)

    async def decline(self, conversation_id: str, agent: str) -> None:
        """Not now: the next one is asked. Of what is not offered to this agent (any more) nothing changes."""
        async with self._database.write() as connection:
            found = await queue.open_handoff(connection, conversation_id, lock=True)
            if found is None or (found.state, found.offered_to) != (queue.WAITING, agent):
                return
            values = {
                "offered_to": None,
                "offered_until": None,
                "passed_by": [*(found.passed_by or ()), agent],
            }
            await connection.execute(sa.update(handoffs).where(handoffs.c.id == found.id).values(**values))
        await self._bus.publish("console")


def changes(
    waiting: Sequence[Any], agents: Sequence[Any], busy: Mapping[str, int], now: datetime, lasts: timedelta
) -> list[Offer]:
    """What is to be offered otherwise than it is. `waiting` in the order of the queue, `agents` the longest free first;
    `busy` is how many conversations each has.

    Who has nothing in hand is free; of who has, the one with least comes first. One offer an agent. Who is in trouble
    does not wait for somebody who looks at another offer: theirs is taken back."""
    room = {one.agent: one for one in agents if busy.get(one.agent, 0) < one.most}
    before = {
        row.id: Offer(row.id, row.offered_to, row.offered_until, tuple(row.passed_by or ()))
        for row in waiting
    }
    after = {row.id: _still(before[row.id], row.team, room, now) for row in waiting}
    urgency = {row.id: row.priority for row in waiting}
    asked = {offer.to: key for key, offer in after.items() if offer.to is not None}
    order = sorted(
        room.values(), key=lambda one: busy.get(one.agent, 0)
    )  # stable: else the longest free first
    for row in waiting:
        offer = after[row.id]
        if offer.to is not None or (row.priority == 0 and len(asked) >= len(room)):
            continue
        able = [one.agent for one in order if row.team in one.teams and one.agent not in offer.passed]
        free = [key for key in able if key not in asked]
        less_urgent = [key for key in able if key in asked and urgency[asked[key]] < row.priority]
        chosen = next(iter(free or less_urgent), None)
        if chosen is None:
            continue
        if chosen in asked:
            after[asked[chosen]] = _withdrawn(after[asked[chosen]])
        asked[chosen] = row.id
        after[row.id] = replace(offer, to=chosen, until=now + lasts)
    return [offer for key, offer in after.items() if offer != before[key]]


def _still(offer: Offer, team: str, room: Mapping[str, Any], now: datetime) -> Offer:
    """An offer that goes on, or nobody's: who let the time run out has passed, who left or is full was not asked."""
    if offer.to is None or offer.until is None:
        return offer
    if offer.until <= now:
        return replace(_withdrawn(offer), passed=(*offer.passed, offer.to))
    return offer if offer.to in room and team in room[offer.to].teams else _withdrawn(offer)


def _withdrawn(offer: Offer) -> Offer:
    return replace(offer, to=None, until=None)
