"""How often a case may be looked up: a lock-out after wrong answers, and a limit on all of them, for every process."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import case_attempts

WRONG = 5
"""So many wrong ones in `PERIOD`, of one conversation or of one number whoever asks, and nothing is looked up."""

PERIOD = timedelta(hours=24)

LOOKS, LOOKS_PERIOD = 10, timedelta(hours=1)
"""So many of one conversation may be looked up in that time, right or wrong."""

_WRONG = ("pending", "missed")


class Attempts:
    """Counts them. An attempt counts as wrong from before it is made until it is known that it was not, so that many at
    the same moment are not more than the limit."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def take(self, key: str, conversation_id: str, reference: str) -> bool:
        """Whether it may be looked up. `key` is the message that asks: the same one again counts once."""
        now, hashed = self._clock(), _hash(reference)
        row = {
            "id": key,
            "conversation_id": conversation_id,
            "reference": hashed,
            "outcome": "pending",
            "at": now,
        }
        async with self._database.write() as connection:
            await connection.execute(self._database.insert_new(case_attempts), [row])
        # Only now, when everybody sees ours: of two at the same moment at least one counts the other.
        columns = case_attempts.c
        wrong = sa.and_(columns.at > now - PERIOD, columns.outcome.in_(_WRONG))
        mine = columns.conversation_id == conversation_id
        looked = sa.and_(mine, columns.at > now - LOOKS_PERIOD, columns.outcome != "locked")
        async with self._database.read() as connection:
            by_conversation = await _count(connection, sa.and_(mine, wrong))
            by_reference = await _count(connection, sa.and_(columns.reference == hashed, wrong))
            looks = await _count(connection, looked)
        if max(by_conversation, by_reference) <= WRONG and looks <= LOOKS:
            return True
        await self.mark(key, "locked")
        return False

    async def mark(self, key: str, outcome: str) -> None:
        """What came of it: `found`, `missed`, `fault` or `locked`."""
        mine = case_attempts.c.id == key
        async with self._database.write() as connection:
            await connection.execute(sa.update(case_attempts).where(mine).values(outcome=outcome))


async def forget_attempts(connection: AsyncConnection, now: datetime) -> None:
    """Throw away those that count no more."""
    await connection.execute(sa.delete(case_attempts).where(case_attempts.c.at < now - PERIOD))


async def _count(connection: AsyncConnection, where: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(case_attempts).where(where)
    return int(await connection.scalar(query) or 0)


def _hash(reference: str) -> str:
    return hashlib.sha256(reference.encode()).hexdigest()
