"""Receipts: what vendors say of messages that we sent. They come in any order, twice, and sometimes before we know
the id of what they are about."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.db.database import Database
from bot.db.tables import early_receipts, outbox
from bot.model import Delivery, Receipt
from bot.retry import backoff
from bot.usage import count

log = logging.getLogger(__name__)

MAX_RESENDS = 5
"""How often a message is sent again that the vendor took and then could not deliver."""

KEEP = timedelta(days=1)
"""How long a receipt is kept of a message that we don't know: what others send from the same number has them too."""

Held = tuple[str, str]
"""A channel and a conversation on it in which a message waits for the resident to write."""

_ORDER = (Delivery.SENT, Delivery.DELIVERED, Delivery.READ)


async def note(
    database: Database, items: Sequence[Receipt], now: datetime, jitter: random.Random
) -> set[Held]:
    """Note them in one transaction; where a message is held now.

    One of a message that we don't know (yet) is kept, and looked at again once its message is marked."""
    async with database.write() as connection:
        # In one order everywhere, so that two writers never deadlock; what is said of one message stays in order.
        ordered = sorted(items, key=lambda item: (item.channel, item.external_id))
        known, held = await _apply(connection, database, ordered, now, jitter)
        early = [item for item, done in zip(ordered, known, strict=True) if not done]
        if early:
            await connection.execute(sa.insert(early_receipts), [_row(item, now) for item in early])
    for channel in sorted({item.channel for item in early}):
        # The mark may have been committed between our look and our note.
        ids = [item.external_id for item in early if item.channel == channel]
        held |= await settle(database, channel, ids, now, jitter)
    return held


async def settle(
    database: Database, channel: str, external_ids: Sequence[str], now: datetime, jitter: random.Random
) -> set[Held]:
    """Apply what was told before of these messages, those that are marked by now; where one is held now."""
    mine = sa.and_(early_receipts.c.channel == channel, early_receipts.c.external_id.in_(external_ids))
    async with database.read() as connection:
        if await connection.scalar(sa.select(early_receipts.c.seq).where(mine).limit(1)) is None:
            return set()
    async with database.write() as connection:
        kept = (
            sa.select(early_receipts).where(mine).order_by(early_receipts.c.external_id, early_receipts.c.seq)
        )
        rows = (await connection.execute(kept)).all()
        told = [_receipt(row.receipt) for row in rows]
        known, held = await _apply(connection, database, told, now, jitter)
        if done := [row.seq for row, applied in zip(rows, known, strict=True) if applied]:
            await connection.execute(sa.delete(early_receipts).where(early_receipts.c.seq.in_(done)))
    return held


async def forget_old(connection: AsyncConnection, now: datetime) -> None:
    """Throw away receipts whose message was never ours."""
    await connection.execute(sa.delete(early_receipts).where(early_receipts.c.at < now - KEEP))


async def _apply(
    connection: AsyncConnection,
    database: Database,
    items: Sequence[Receipt],
    now: datetime,
    jitter: random.Random,
) -> tuple[list[bool], set[Held]]:
    """Move the messages' states forward, where the receipts do; of each whether we know its message, and where one is
    held now."""
    look = {"channels": {item.channel for item in items}, "ids": {item.external_id for item in items}}
    rows = await connection.execute(_TOLD_OF, {name: sorted(values) for name, values in look.items()})
    letters = {(row.channel, row.external_id): _Letter(row, Delivery(row.state)) for row in rows}
    delivered: list[tuple[str, str, datetime]] = []
    for item in items:
        if letter := letters.get((item.channel, item.external_id)):
            _move(letter, item, now, jitter, delivered)
    for letter in letters.values():
        if letter.values:
            await connection.execute(
                sa.update(outbox).where(outbox.c.seq == letter.row.seq).values(**letter.values)
            )
    await count(connection, database, "delivered", delivered)
    held = {
        (letter.row.channel, letter.row.conversation_id)
        for letter in letters.values()
        if letter.state is Delivery.HELD and letter.values
    }
    return [(item.channel, item.external_id) in letters for item in items], held


@dataclass
class _Letter:
    """A message as it was read, and what becomes of it."""

    row: Any
    state: Delivery
    values: dict[str, Any] = field(default_factory=dict)


def _move(
    letter: _Letter,
    item: Receipt,
    now: datetime,
    jitter: random.Random,
    delivered: list[tuple[str, str, datetime]],
) -> None:
    """One step forward, or none. One that failed, or is in the queue again, stays so whatever comes later."""
    if letter.state not in _ORDER:
        return
    if item.state is Delivery.FAILED:
        letter.values = _failed(item, letter.row, now, jitter)
    elif _ORDER.index(item.state) > _ORDER.index(letter.state):
        if letter.state is Delivery.SENT:
            delivered.append((item.channel, letter.row.kind, letter.row.done_at or now))
        letter.values = {"state": item.state}
    else:
        return
    letter.state = letter.values["state"]


def _failed(item: Receipt, row: Any, now: datetime, jitter: random.Random) -> dict[str, Any]:
    """The vendor took it and could not deliver it."""
    reason = item.error or "not delivered"
    again = {"external_id": None, "done_at": None, "error": reason[:255]}
    if item.window:
        log.warning("message %d on %s is held: %s", row.seq, item.channel, reason)
        return {**again, "state": Delivery.HELD}
    final = not item.retryable or row.attempts >= MAX_RESENDS
    metrics.SEND_FAULTS.labels(item.channel, str(final).lower()).inc()
    if final:
        log.error("message %d on %s was not delivered: %s", row.seq, item.channel, reason)
        return {"state": Delivery.FAILED, "error": reason[:255]}
    wait = backoff(jitter, row.attempts + 1)
    log.warning("message %d on %s is sent again in %.0f s: %s", row.seq, item.channel, wait, reason)
    return {**again, "state": Delivery.QUEUED, "not_before": now + timedelta(seconds=wait)}


_TOLD_OF = (
    sa.select(
        outbox.c.seq,
        outbox.c.conversation_id,
        outbox.c.channel,
        outbox.c.external_id,
        outbox.c.state,
        outbox.c.kind,
        outbox.c.attempts,
        outbox.c.done_at,
    )
    .where(
        outbox.c.channel.in_(sa.bindparam("channels", expanding=True)),
        outbox.c.external_id.in_(sa.bindparam("ids", expanding=True)),
    )
    .order_by(outbox.c.seq)
    .with_for_update()
)


def _row(item: Receipt, now: datetime) -> dict[str, Any]:
    return {
        "channel": item.channel,
        "external_id": item.external_id,
        "receipt": asdict(item),
        "at": now,
    }


def _receipt(kept: dict[str, Any]) -> Receipt:
    return Receipt(**{**kept, "state": Delivery(kept["state"])})
