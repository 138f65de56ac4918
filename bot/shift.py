"""The shift: who is on, how each queue stands, and what residents thought of it today. For the team lead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.db.tables import handoffs, presences
from bot.municipality import Municipality

REMARKS = 10


@dataclass(frozen=True, slots=True)
class OnDuty:
    """An agent whose console is open, in this state since then, with so many conversations of as many as they can."""

    name: str
    state: str
    since: datetime
    teams: tuple[str, ...]
    busy: int
    most: int


@dataclass(frozen=True, slots=True)
class Line:
    """The queue of one team: how many wait, the first since when, how many are helped now and were today."""

    team: str
    waiting: int
    longest: datetime | None
    taken: int
    ended: int


@dataclass(frozen=True, slots=True)
class Shift:
    """All of it. `marks` are today's, `remarks` the newest ones with theirs."""

    agents: tuple[OnDuty, ...]
    lines: tuple[Line, ...]
    marks: tuple[int, ...]
    remarks: tuple[tuple[int | None, str, datetime], ...]

    @property
    def average(self) -> float | None:
        """The average mark of today; None where nobody gave one."""
        return sum(self.marks) / len(self.marks) if self.marks else None


class Shifts:
    """Makes it."""

    def __init__(self, database: Database, municipality: Municipality, clock: Clock = utc_now) -> None:
        self._database = database
        self._municipality = municipality
        self._clock = clock

    async def now(self) -> Shift:
        """That of this moment."""
        now = self._clock()
        midnight = datetime.combine(now.astimezone(AMSTERDAM).date(), time(), AMSTERDAM)
        async with self._database.read() as connection:
            agents = await self._agents(connection, now)
            lines = await self._lines(connection, midnight)
            today = sa.select(handoffs).where(handoffs.c.ended_at >= midnight, handoffs.c.mark.is_not(None))
            marked = (await connection.execute(today.order_by(handoffs.c.ended_at.desc()))).all()
        said = [(row.mark, row.remark, row.ended_at) for row in marked if row.remark]
        return Shift(tuple(agents), tuple(lines), tuple(row.mark for row in marked), tuple(said[:REMARKS]))

    async def _agents(self, connection: AsyncConnection, now: datetime) -> list[OnDuty]:
        busy = await queue.busy(connection)
        query = sa.select(presences).where(presences.c.seen_at > now - queue.SEEN)
        rows = await connection.execute(query.order_by(presences.c.name, presences.c.agent))
        return [
            OnDuty(
                row.name,
                row.state,
                row.since,
                tuple(self._title(team) for team in row.teams),
                busy.get(row.agent, 0),
                row.most,
            )
            for row in rows
        ]

    async def _lines(self, connection: AsyncConnection, midnight: datetime) -> list[Line]:
        open_ones = {(row.team, row.state): row for row in await connection.execute(_OPEN)}
        ended = (
            sa.select(handoffs.c.team, sa.func.count().label("number"))
            .where(handoffs.c.ended_at >= midnight, handoffs.c.taken_at.is_not(None))
            .group_by(handoffs.c.team)
        )
        done = {row.team: int(row.number) for row in await connection.execute(ended)}
        lines = []
        for team in self._municipality.teams:
            waiting = open_ones.get((team.name, queue.WAITING))
            taken = open_ones.get((team.name, queue.TAKEN))
            lines.append(
                Line(
                    team.title,
                    waiting.number if waiting else 0,
                    waiting.longest if waiting else None,
                    taken.number if taken else 0,
                    done.get(team.name, 0),
                )
            )
        return lines

    def _title(self, name: str) -> str:
        team = self._municipality.team(name)
        return team.title if team else name


_OPEN = (
    sa.select(
        handoffs.c.team,
        handoffs.c.state,
        sa.func.count().label("number"),
        sa.func.min(handoffs.c.waiting_since).label("longest"),
    )
    .where(handoffs.c.state != queue.ENDED)
    .group_by(handoffs.c.team, handoffs.c.state)
)
