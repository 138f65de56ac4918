"""The queue of residents who wait for a person: who is next, what place somebody has, and how long it will take."""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.database import Database
from bot.db.tables import handoffs, presences

WAITING, TAKEN, ENDED = "waiting", "taken", "ended"
AVAILABLE, BREAK, AWAY = "available", "break", "away"

SEEN = timedelta(minutes=2)
"""An agent whose console was not seen for so long does not count as being there."""

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

RECENT = timedelta(hours=8)
ENOUGH = 3
"""From so many conversations handled of late on their length says something."""

USUAL_MINUTES = 6.0
"""Minutes that a conversation takes, as long as nothing is known."""

DISTRESS = 10
"""Priority of somebody who is in trouble; others have 0."""

ORDER = (handoffs.c.priority.desc(), handoffs.c.waiting_since, handoffs.c.id)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands: `number` from 1, and the minutes that it will take, None where nobody can say."""

    number: int
    minutes: int | None


async def enter(
    connection: AsyncConnection,
    conversation_id: str,
    *,
    reason: str,
    topic: str | None,
    language: str | None,
    team: str,
    priority: int,
    now: datetime,
) -> str:
    """Put a conversation in the queue; the id of its handoff."""
    key = str(uuid.uuid4())
    await connection.execute(
        sa.insert(handoffs).values(
            id=key,
            conversation_id=conversation_id,
            state=WAITING,
            reason=reason[:64],
            topic=topic,
            language=language,
            team=team,
            priority=priority,
            waiting_since=now,
            queued_at=now,
            acknowledged=False,
            passed_by=[],
        )
    )
    return key


async def open_handoff(
    connection: AsyncConnection, conversation_id: str, *, lock: bool = False
) -> Any | None:
    """The handoff of a conversation that is not over; None where there is none."""
    query = sa.select(handoffs).where(
        handoffs.c.conversation_id == conversation_id, handoffs.c.state != ENDED
    )
    return (await connection.execute(query.with_for_update() if lock else query)).one_or_none()


FRESH: dict[str, Any] = {"offered_to": None, "offered_until": None, "passed_by": []}
"""Values of a handoff that comes in the queue again: nobody was asked yet."""


async def leave(connection: AsyncConnection, conversation_id: str, outcome: str, now: datetime) -> None:
    """The conversation's handoff is over."""
    await connection.execute(
        sa.update(handoffs)
        .where(handoffs.c.conversation_id == conversation_id, handoffs.c.state != ENDED)
        .values(state=ENDED, outcome=outcome, ended_at=now, **FRESH)
    )


async def waiting(
    connection: AsyncConnection, teams: Sequence[str] | None = None, *, most: int | None = None
) -> list[Any]:
    """Who waits, the next one first; in these teams, or in all; the first `most` of them."""
    query = sa.select(handoffs).where(handoffs.c.state == WAITING).order_by(*ORDER).limit(most)
    if teams is not None:
        query = query.where(handoffs.c.team.in_(teams))
    return list((await connection.execute(query)).all())


async def length(connection: AsyncConnection, teams: Sequence[str]) -> int:
    """How many wait for these teams."""
    query = sa.select(sa.func.count()).select_from(handoffs)
    return int(
        await connection.scalar(query.where(handoffs.c.state == WAITING, handoffs.c.team.in_(teams))) or 0
    )


async def place(connection: AsyncConnection, handoff: Any, now: datetime) -> Place:
    """The place of one who waits, and an honest guess of how long it takes."""
    ahead = sa.or_(
        handoffs.c.priority > handoff.priority,
        sa.and_(
            handoffs.c.priority == handoff.priority,
            sa.tuple_(handoffs.c.waiting_since, handoffs.c.id)
            < sa.tuple_(sa.literal(handoff.waiting_since, handoffs.c.waiting_since.type), handoff.id),
        ),
    )
    query = (
        sa.select(sa.func.count())
        .select_from(handoffs)
        .where(handoffs.c.state == WAITING, handoffs.c.team == handoff.team, ahead)
    )
    number = int(await connection.scalar(query) or 0) + 1
    return Place(number, (await _pace(connection, handoff.team, now)).minutes(number))


async def places(connection: AsyncConnection, now: datetime) -> list[tuple[Any, Place]]:
    """All who wait, each with their place: the same as one by one, for far fewer questions."""
    paces: dict[str, _Pace] = {}
    numbers: Counter[str] = Counter()
    found = []
    for row in await waiting(connection):
        if row.team not in paces:
            paces[row.team] = await _pace(connection, row.team, now)
        numbers[row.team] += 1
        found.append((row, Place(numbers[row.team], paces[row.team].minutes(numbers[row.team]))))
    return found


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast a team's queue moves: with so many conversations going on at the same time, one ends each
    `length / slots` minutes."""

    slots: int
    free: int
    length: float

    def minutes(self, number: int) -> int | None:
        if not self.slots:
            return None
        return max(1, math.ceil(max(0, number - self.free) / self.slots * self.length))


async def _pace(connection: AsyncConnection, team: str, now: datetime) -> _Pace:
    here = [agent for agent in await agents(connection, now) if team in agent.teams]
    slots = sum(int(agent.most) for agent in here)
    if not slots:
        return _Pace(0, 0, 0.0)
    busy = sa.select(sa.func.count()).select_from(handoffs)
    taken = await connection.scalar(
        busy.where(handoffs.c.state == TAKEN, handoffs.c.agent.in_([agent.agent for agent in here]))
    )
    return _Pace(slots, slots - int(taken or 0), await _usual_minutes(connection, team, now))


async def _usual_minutes(connection: AsyncConnection, team: str, now: datetime) -> float:
    query = (
        sa.select(handoffs.c.taken_at, handoffs.c.ended_at)
        .where(
            handoffs.c.team == team,
            handoffs.c.state == ENDED,
            handoffs.c.taken_at.is_not(None),
            handoffs.c.ended_at > now - RECENT,
        )
        .order_by(handoffs.c.ended_at.desc())
        .limit(30)
    )
    rows = (await connection.execute(query)).all()
    lengths = [(row.ended_at - row.taken_at).total_seconds() / 60 for row in rows]
    return float(median(lengths)) if len(lengths) >= ENOUGH else USUAL_MINUTES


async def seen(
    database: Database, connection: AsyncConnection, who: dict[str, Any], state: str | None, now: datetime
) -> None:
    """An agent's console is there: `who` has `agent`, `name`, `teams` and `most`; `state` where the agent says so.
    Free since the state changed, or since they came back: who was not there for a while was not free either."""
    new = {**who, "state": state or AWAY, "since": now, "seen_at": now, "free_since": now}
    await connection.execute(database.insert_new(presences), [new])
    mine = sa.update(presences).where(presences.c.agent == who["agent"])
    if state is not None:
        changed = mine.where(presences.c.state != state)
        await connection.execute(changed.values(state=state, since=now, free_since=now))
    moment = sa.literal(now, presences.c.free_since.type)
    free = sa.case((presences.c.seen_at <= now - SEEN, moment), else_=presences.c.free_since)
    await connection.execute(mine.values(**who, seen_at=now, free_since=free))


async def agents(connection: AsyncConnection, now: datetime) -> list[Any]:
    """Who is available and really there, the longest free first."""
    query = (
        sa.select(presences)
        .where(presences.c.state == AVAILABLE, presences.c.seen_at > now - SEEN)
        .order_by(presences.c.free_since, presences.c.agent)
    )
    return list((await connection.execute(query)).all())


async def gone(connection: AsyncConnection, agent: str) -> None:
    """Somebody works here no more: they count as unseen from now on, so that at the next look of the tending their
    conversations go back in the queue."""
    left = {"state": AWAY, "seen_at": _LONG_AGO}
    await connection.execute(sa.update(presences).where(presences.c.agent == agent).values(**left))


async def busy(connection: AsyncConnection) -> dict[str, int]:
    """How many conversations each agent has who has any."""
    query = (
        sa.select(handoffs.c.agent, sa.func.count().label("number"))
        .where(handoffs.c.state == TAKEN)
        .group_by(handoffs.c.agent)
    )
    return {row.agent: int(row.number) for row in await connection.execute(query)}


async def hold(connection: AsyncConnection, *keys: str) -> None:
    """Agents, ours until the commit: what is counted of theirs stays so. Always in the same order, so that two who
    hold the same ones wait for each other and not for ever."""
    query = sa.select(presences.c.agent).where(presences.c.agent.in_(keys)).order_by(presences.c.agent)
    await connection.execute(query.with_for_update())


async def freed(connection: AsyncConnection, agent: str, now: datetime) -> None:
    """The agent has a conversation less: free since now."""
    await connection.execute(sa.update(presences).where(presences.c.agent == agent).values(free_since=now))


async def told(connection: AsyncConnection, conversation_id: str, where: Place, now: datetime) -> None:
    """Note what the resident heard of the wait."""
    await connection.execute(
        sa.update(handoffs)
        .where(handoffs.c.conversation_id == conversation_id, handoffs.c.state == WAITING)
        .values(told_minutes=where.minutes, told_at=now)
    )


async def acknowledge(connection: AsyncConnection, conversation_id: str) -> bool:
    """Whether this is the first message while the resident waits: that one is acknowledged."""
    changed = await connection.execute(
        sa.update(handoffs)
        .where(
            handoffs.c.conversation_id == conversation_id,
            handoffs.c.state == WAITING,
            handoffs.c.acknowledged.is_(False),
        )
        .values(acknowledged=True)
    )
    return changed.rowcount == 1
