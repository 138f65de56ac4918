"""How many messages went out, per account, month and price class: what they cost can be told from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.db.tables import outbox, sent_counts
from bot.model import Delivery

SERVICE = "service"
"""The price class of free words; templates have their own."""


@dataclass(frozen=True, slots=True)
class Count:
    """Of one account, month (`2026-11`, in Amsterdam) and price class."""

    channel: str
    month: str
    kind: str
    sent: int
    delivered: int


def free_left(counts: Iterable[Count], channel: str, free: int) -> int:
    """How many free service messages an account has left in the month of these counts. Sent ones count: a few of
    them are never delivered, so there is rather one more left than one less."""
    used = sum(one.sent for one in counts if one.channel == channel and one.kind == SERVICE)
    return max(0, free - used)


def month_of(moment: datetime) -> str:
    """The month as it is counted: in Amsterdam."""
    return f"{moment.astimezone(AMSTERDAM):%Y-%m}"


async def count(
    connection: AsyncConnection, database: Database, field: str, messages: Iterable[tuple[str, str, datetime]]
) -> None:
    """Add messages (channel, price class, when they were sent) to `sent` or `delivered`, in the caller's
    transaction."""
    sums = Counter((channel, month_of(at), kind) for channel, kind, at in messages)
    rows = [
        {"channel": channel, "month": month, "kind": kind, "sent": 0, "delivered": 0, field: number}
        for (channel, month, kind), number in sorted(sums.items())
    ]
    if rows:
        add = database.add_up(sent_counts, sent_counts.c.sent, sent_counts.c.delivered)
        await connection.execute(add, rows)


class Usage:
    """Reads the counts, and what lies in the outbox."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def month(self, month: str | None = None) -> list[Count]:
        """The counts of a month (`2026-11`); of this one where none is named."""
        wanted = month or month_of(self._clock())
        query = sa.select(sent_counts).where(sent_counts.c.month == wanted)
        order = (sent_counts.c.channel, sent_counts.c.kind)
        async with self._database.read() as connection:
            return [Count(**row._mapping) for row in await connection.execute(query.order_by(*order))]

    async def waiting(self) -> dict[tuple[str, str], int]:
        """How many messages are queued, held or given up, by channel and state."""
        states = (Delivery.QUEUED, Delivery.HELD, Delivery.FAILED)
        query = (
            sa.select(outbox.c.channel, outbox.c.state, sa.func.count().label("number"))
            .where(outbox.c.state.in_(states))
            .group_by(outbox.c.channel, outbox.c.state)
        )
        async with self._database.read() as connection:
            return {(row.channel, row.state): row.number for row in await connection.execute(query)}
