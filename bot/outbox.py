"""The outbox: each message is handed to its vendor, in order per resident, again and again until it is in."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot import metrics
from bot.clock import Clock, utc_now
from bot.db.batch import Batch
from bot.db.database import Database
from bot.db.tables import outbox
from bot.model import Delivery, Receipt
from bot.ports import Bus, Channel, SendFault

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
SEND_TIMEOUT = 10.0
MAX_ATTEMPTS = 14
"""Attempts before a message is given up: with the waits between them about 25 minutes."""

_ORDER = (Delivery.QUEUED, Delivery.SENT, Delivery.DELIVERED, Delivery.READ)


@dataclass(frozen=True, slots=True)
class Letter:
    """One body to hand over; `attempts` counts this one."""

    seq: int
    channel: str
    body: Mapping[str, Any]
    attempts: int
    token: str


@dataclass(frozen=True, slots=True)
class _Mark:
    letter: Letter
    values: Mapping[str, Any]


class Outbox:
    """Delivers what the turns wrote. A crash between a send and its mark can repeat one message."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channels: Mapping[str, Channel],
        clock: Clock = utc_now,
        jitter: random.Random | None = None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._clock = clock
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._marks: Batch[_Mark] = Batch(self._mark)

    async def claim(self, limit: int) -> list[Letter]:
        """Lease the oldest undelivered message of up to `limit` conversations, where it is due."""
        while True:
            now = self._clock()
            look = {"channels": list(self._channels), "now": now, "limit": limit}
            async with self._database.read() as connection:
                found = (await connection.execute(_DUE, look)).scalars().all()
            if not found:
                return []
            if letters := await self._lease(found, now):
                return letters
            # Another worker was faster with all of these: look again.

    async def _lease(self, found: Sequence[int], now: datetime) -> list[Letter]:
        token = str(uuid.uuid4())
        async with self._database.write() as connection:
            lease = {"found": found, "now": now, "token": token, "until": now + LEASE}
            leased = await connection.execute(_TAKE, lease)
            return [Letter(row.seq, row.channel, row.body, row.attempts, token) for row in leased]

    async def deliver(self, letter: Letter) -> None:
        """Hand one over and mark it: sent, to be tried again later, or failed for good."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                external_id = await self._channels[letter.channel].send(letter.body)
        except TimeoutError:
            await self._failed(letter, SendFault("no answer in time", retryable=True))
        except SendFault as fault:
            await self._failed(letter, fault)
        else:
            metrics.SENT.labels(letter.channel).inc()
            sent = {
                "state": Delivery.SENT,
                "external_id": external_id,
                "error": None,
                "done_at": self._clock(),
            }
            await self._marks.add(_Mark(letter, sent))

    async def _failed(self, letter: Letter, fault: SendFault) -> None:
        now = self._clock()
        final = not fault.retryable or letter.attempts >= MAX_ATTEMPTS
        metrics.SEND_FAULTS.labels(letter.channel, str(final).lower()).inc()
        if final:
            log.error("message %d on %s is given up: %s", letter.seq, letter.channel, fault.reason)
            values = {"state": Delivery.FAILED, "error": fault.reason[:255], "done_at": now}
        else:
            wait = self.backoff(letter.attempts, fault.retry_after)
            log.warning("message %d on %s waits %.0f s: %s", letter.seq, letter.channel, wait, fault.reason)
            values = {"error": fault.reason[:255], "not_before": now + timedelta(seconds=wait)}
        await self._marks.add(_Mark(letter, values))

    def backoff(self, attempts: int, retry_after: float | None = None) -> float:
        """Seconds until the next attempt: doubling from half a second to five minutes, with jitter; never sooner
        than the vendor asks."""
        wait = min(300.0, 0.5 * 2.0 ** (attempts - 1)) * self._jitter.uniform(0.8, 1.2)
        return max(wait, retry_after or 0.0)

    async def _mark(self, marks: Sequence[_Mark]) -> None:
        async with self._database.write() as connection:
            for mark in marks:
                await connection.execute(
                    sa.update(outbox)
                    .where(outbox.c.seq == mark.letter.seq, outbox.c.lease_token == mark.letter.token)
                    .values(lease_token=None, lease_until=None, **mark.values)
                )

    async def receipts(self, receipts: Sequence[Receipt]) -> None:
        """Note what vendors say; a state only moves forward, and an unknown message is ignored."""
        async with self._database.write() as connection:
            for receipt in receipts:
                before = _ORDER if receipt.state is Delivery.FAILED else _ORDER[: _ORDER.index(receipt.state)]
                await connection.execute(
                    sa.update(outbox)
                    .where(
                        outbox.c.channel == receipt.channel,
                        outbox.c.external_id == receipt.external_id,
                        outbox.c.state.in_(before),
                    )
                    .values(state=receipt.state, error=receipt.error)
                )

    async def clear_leases(self) -> None:
        """Take back what a process held that was killed; only for the one process that owns the store."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(outbox)
                .where(outbox.c.lease_token.is_not(None))
                .values(lease_token=None, lease_until=None)
            )

    async def failed(self) -> list[Any]:
        """The messages that were given up, oldest first: what `klaartje outbox` shows."""
        columns = (outbox.c.seq, outbox.c.channel, outbox.c.attempts, outbox.c.error, outbox.c.created_at)
        query = sa.select(*columns).where(outbox.c.state == Delivery.FAILED).order_by(outbox.c.seq)
        async with self._database.read() as connection:
            return list((await connection.execute(query)).all())

    async def replay(self, seqs: Sequence[int]) -> int:
        """Put given-up messages in the queue again; how many there were."""
        async with self._database.write() as connection:
            changed = await connection.execute(
                sa.update(outbox)
                .where(outbox.c.seq.in_(seqs), outbox.c.state == Delivery.FAILED)
                .values(state=Delivery.QUEUED, attempts=0, not_before=self._clock(), done_at=None)
            )
        await self._bus.publish("outbox")
        return changed.rowcount


_FREE = sa.or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < sa.bindparam("now"))
_HEADS = (
    sa.select(sa.func.min(outbox.c.seq))
    .where(outbox.c.state == Delivery.QUEUED, outbox.c.channel.in_(sa.bindparam("channels", expanding=True)))
    .group_by(outbox.c.conversation_id)
)
_DUE = (
    sa.select(outbox.c.seq)
    .where(outbox.c.seq.in_(_HEADS), _FREE, outbox.c.not_before <= sa.bindparam("now"))
    .order_by(outbox.c.seq)
    .limit(sa.bindparam("limit"))
)
_TAKE = (
    sa.update(outbox)
    .where(outbox.c.seq.in_(sa.bindparam("found", expanding=True)), outbox.c.state == Delivery.QUEUED, _FREE)
    .values(
        lease_token=sa.bindparam("token"), lease_until=sa.bindparam("until"), attempts=outbox.c.attempts + 1
    )
    .returning(outbox.c.seq, outbox.c.channel, outbox.c.body, outbox.c.attempts)
)
