"""The outbox: each message is handed to its vendor, in order per resident, again and again until it is in."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot import metrics, receipts
from bot.clock import Clock, utc_now
from bot.db.batch import Batch
from bot.db.database import Database
from bot.db.tables import conversations, outbox
from bot.logs import trail
from bot.model import Delivery, Receipt
from bot.ports import Bus, Channel, SendFault
from bot.receipts import Held
from bot.retry import backoff
from bot.usage import SERVICE, count
from bot.window import CLOSED, Window, opener, window

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
SEND_TIMEOUT = 10.0
MAX_ATTEMPTS = 14
"""Attempts before a message is given up: with the waits between them about 25 minutes."""


CRASHES = 6
"""So many attempts more may end without a word, by processes that died."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One body to hand over; `attempts` counts this one. `address` is where the resident is now."""

    seq: int
    conversation_id: str
    channel: str
    address: str
    kind: str
    body: Mapping[str, Any]
    attempts: int
    token: str
    last_inbound_at: datetime | None


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
        self._told: Batch[Sequence[Receipt]] = Batch(self._note)

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
            leased = (await connection.execute(_TAKE, lease)).all()
            keys = {"keys": [row.conversation_id for row in leased]}
            residents = {row.id: row for row in await connection.execute(_RESIDENTS, keys)} if leased else {}
        return [
            Letter(
                row.seq,
                row.conversation_id,
                row.channel,
                residents[row.conversation_id].address,
                row.kind,
                row.body,
                row.attempts,
                token,
                residents[row.conversation_id].last_inbound_at,
            )
            for row in leased
        ]

    async def deliver(self, letter: Letter) -> None:
        """Hand one over and mark it: sent, to be tried again later, held, or failed for good."""
        channel = self._channels[letter.channel]
        if letter.attempts > MAX_ATTEMPTS + CRASHES:
            await self._failed(letter, SendFault("whoever tried did not come back", retryable=False))
            return
        if letter.kind == SERVICE and not self._window(letter).is_open:
            await self._hold(letter, CLOSED)
            return
        if wait := await self._pace(letter, channel):
            await self._later(letter, wait)
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                external_id = await channel.send(letter.address, letter.body)
        except TimeoutError:
            await self._failed(letter, SendFault("no answer in time", retryable=True))
        except SendFault as fault:
            await self._failed(letter, fault)
        except (
            Exception
        ) as error:  # a fault of ours: it must not be tried for ever, nor stop what comes after it
            log.error("sending message %d on %s failed: %s", letter.seq, letter.channel, trail(error))
            await self._failed(letter, SendFault(f"our fault: {type(error).__name__}", retryable=True))
        else:
            metrics.SENT.labels(letter.channel).inc()
            values = {
                "state": Delivery.SENT,
                "external_id": external_id,
                "error": None,
                "done_at": self._clock(),
            }
            await self._marks.add(_Mark(letter, values))

    def _window(self, letter: Letter) -> Window:
        return window(self._channels[letter.channel].limits, letter.last_inbound_at, self._clock())

    async def _pace(self, letter: Letter, channel: Channel) -> float:
        """Seconds to wait: first for this resident, so that nobody's turn is taken for a message that can't go."""
        limits = channel.limits
        resident = hashlib.sha256(letter.address.encode()).hexdigest()[:32]
        for pace, key in ((limits.resident_pace, f"{channel.name}:{resident}"), (limits.pace, channel.name)):
            if pace is None:
                continue
            if wait := await self._bus.delay(f"send:{key}", rate=pace.rate, burst=pace.burst):
                metrics.THROTTLED.labels(letter.channel).inc()
                return wait
        return 0.0

    async def _later(self, letter: Letter, wait: float) -> None:
        """Not its turn yet: that is no attempt."""
        not_before = self._clock() + timedelta(seconds=wait)
        values = {"not_before": not_before, "attempts": letter.attempts - 1}
        await self._marks.add(_Mark(letter, values))

    async def _failed(self, letter: Letter, fault: SendFault) -> None:
        if fault.window:
            await self._hold(letter, fault.reason)
            return
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

    async def _hold(self, letter: Letter, reason: str) -> None:
        """Keep it until the resident writes again; ask for that with a template, where there is one for it."""
        now = self._clock()
        channel = self._channels[letter.channel]
        async with self._database.write() as connection:
            mine = sa.select(conversations.c.last_inbound_at).where(
                conversations.c.id == letter.conversation_id
            )
            last = await connection.scalar(mine.with_for_update())
            # Who wrote while we tried has opened the window: then it goes at once.
            again = last is not None and (letter.last_inbound_at is None or last > letter.last_inbound_at)
            values = {"state": Delivery.QUEUED if again else Delivery.HELD, "error": reason[:255]}
            await connection.execute(
                sa.update(outbox)
                .where(outbox.c.seq == letter.seq, outbox.c.lease_token == letter.token)
                .values(lease_token=None, lease_until=None, attempts=letter.attempts - 1, **values)
            )
            if not again:
                await opener(connection, channel, letter.conversation_id, now)
        log.warning("message %d on %s is held: %s", letter.seq, letter.channel, reason)
        await self._bus.publish("outbox")

    def backoff(self, attempts: int, retry_after: float | None = None) -> float:
        """Seconds until the next attempt: doubling from half a second to five minutes, with jitter; never sooner
        than the vendor asks."""
        return backoff(self._jitter, attempts, retry_after)

    async def _mark(self, marks: Sequence[_Mark]) -> None:
        sent: list[tuple[str, str, datetime]] = []
        told: dict[str, list[str]] = {}
        async with self._database.write() as connection:
            for mark in marks:
                marked = await connection.execute(
                    sa.update(outbox)
                    .where(outbox.c.seq == mark.letter.seq, outbox.c.lease_token == mark.letter.token)
                    .values(lease_token=None, lease_until=None, **mark.values)
                )
                if not marked.rowcount or mark.values.get("state") is not Delivery.SENT:
                    continue
                limits = self._channels[mark.letter.channel].limits
                if limits.counted:
                    sent.append((mark.letter.channel, mark.letter.kind, mark.values["done_at"]))
                if limits.receipts:
                    told.setdefault(mark.letter.channel, []).append(mark.values["external_id"])
            await count(connection, self._database, "sent", sent)
        for channel, ids in told.items():  # what the vendor said of them before we knew their ids
            held = await receipts.settle(self._database, channel, ids, self._clock(), self._jitter)
            await self._ask(held)

    async def receipts(self, items: Sequence[Receipt]) -> None:
        """Note what vendors say; a state only moves forward. Returns when it is committed."""
        await self._told.add(items)
        if any(item.retryable for item in items):
            await self._bus.publish("outbox")

    async def _note(self, batches: Sequence[Sequence[Receipt]]) -> None:
        items = [item for batch in batches for item in batch]
        await self._ask(await receipts.note(self._database, items, self._clock(), self._jitter))

    async def _ask(self, held: Iterable[Held]) -> None:
        """Ask residents to write, for whom a message is held since the vendor gave it back."""
        for channel, conversation_id in sorted(held):
            async with self._database.write() as connection:
                await opener(connection, self._channels[channel], conversation_id, self._clock())
            await self._bus.publish("outbox")

    async def clear_leases(self) -> None:
        """Take back what a process held that was killed; only for the one process that owns the store."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(outbox)
                .where(outbox.c.lease_token.is_not(None))
                .values(lease_token=None, lease_until=None)
            )

    async def kept(self, *states: Delivery) -> list[Any]:
        """The messages in these states, oldest first: what `klaartje outbox list` shows."""
        names = ("seq", "channel", "kind", "state", "attempts", "error", "created_at")
        query = sa.select(*(outbox.c[name] for name in names)).where(outbox.c.state.in_(states))
        async with self._database.read() as connection:
            return list((await connection.execute(query.order_by(outbox.c.seq))).all())

    async def failed(self) -> list[Any]:
        """The messages that were given up, oldest first."""
        return await self.kept(Delivery.FAILED)

    async def replay(self, seqs: Sequence[int] | None = None, *, channel: str | None = None) -> int:
        """Put given-up messages in the queue again, those with these numbers or all (on one channel); how many."""
        which = [outbox.c.state == Delivery.FAILED]
        which += [outbox.c.seq.in_(seqs)] if seqs is not None else []
        which += [outbox.c.channel == channel] if channel else []
        async with self._database.write() as connection:
            changed = await connection.execute(
                sa.update(outbox)
                .where(*which)
                .values(
                    state=Delivery.QUEUED,
                    attempts=0,
                    not_before=self._clock(),
                    done_at=None,
                    external_id=None,
                    error=None,
                )
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
    .returning(
        outbox.c.seq,
        outbox.c.conversation_id,
        outbox.c.channel,
        outbox.c.kind,
        outbox.c.body,
        outbox.c.attempts,
    )
)
_RESIDENTS = sa.select(conversations.c.id, conversations.c.address, conversations.c.last_inbound_at).where(
    conversations.c.id.in_(sa.bindparam("keys", expanding=True))
)
