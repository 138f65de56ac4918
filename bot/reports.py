"""The way to the municipality's system of reports: what a resident reported waits in a queue until it is in.

The turn that confirms a report stores it; from then on it can't be lost. It is brought by a loop of the worker, and the
resident hears its number as soon as it is in, or that it takes longer. Photos follow when they are fetched.
"""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import conversations, media, reports
from bot.model import Author, Choice, Command, Outbound, Report, ReportReceipt
from bot.ports import Bus, Channel, Health, ReportFault, ReportProvider
from bot.retry import backoff
from bot.window import tell
from bot.wording import Wording

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
TIMEOUT = 60.0
"""Seconds for all calls of one report together: well within the lease."""

LONGEST_WAIT = 1800.0
STUBBORN = 8
"""From so many attempts on, about a minute, a fault does not seem to pass by itself: it is told as an error."""

FOLLOW = "report_follow"
"""What the button to follow begins with; behind the colon the report."""

FETCHED_AFTER = timedelta(seconds=2)
"""How long to wait for a photo that is still being fetched."""

_NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(("text", "place", "phone", "email"), ""),
    **dict.fromkeys(("latitude", "longitude"), None),
}
"""What is kept of the words of a report that is in: its people have them."""


async def enroll(
    connection: AsyncConnection, conversation_id: str, key: str, command: Command, now: datetime
) -> None:
    """Keep what a resident reported, within the turn's transaction. `key` is the inbox id of the message."""
    row = {"id": key, "conversation_id": conversation_id, "reference": f"R{uuid.uuid4().hex[:8].upper()}"}
    insert = sa.insert(reports).values(state="pending", told=False, attempts=0, at=now, not_before=now, **row)
    await connection.execute(insert, dict(command.args))


@dataclass(frozen=True, slots=True)
class Order:
    """One report to see to; `attempts` counts this one. `receipt` where it is in, and only photos must follow."""

    id: str
    conversation_id: str
    report: Report
    photos: tuple[str, ...]
    receipt: ReportReceipt | None
    told: bool
    attempts: int
    token: str


class Reports:
    """The queue. What may pass is tried again for as long as it takes; a fault that stays is for an engineer."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channels: Mapping[str, Channel],
        provider: ReportProvider,
        wording: Wording,
        directory: Path,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._provider = provider
        self._wording = wording
        self._directory = directory
        self._clock = clock
        self._jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing

    async def claim(self, limit: int) -> list[Order]:
        """Lease up to `limit` reports that are due."""
        now, token = self._clock(), str(uuid.uuid4())
        # Who has other channels, such as `klaartje ask`, could not tell the number.
        look = {"channels": list(self._channels), "now": now, "limit": limit}
        async with self._database.read() as connection:
            found = (await connection.execute(_DUE, look)).scalars().all()
        if not found:
            return []
        async with self._database.write() as connection:
            lease = {"found": found, "now": now, "token": token, "until": now + LEASE}
            rows = (await connection.execute(_TAKE, lease)).all()
        return [_order(row, token) for row in rows]

    async def bring(self, order: Order) -> None:
        """See to it that it is in, with its photos, and mark it."""
        receipt = order.receipt
        try:
            async with asyncio.timeout(TIMEOUT):
                if receipt is None:
                    receipt = await self._provider.send(order.report, order.id)
                    await self._sent(order, receipt)
                await self._photos(order, receipt)
        except TimeoutError:
            fault = ReportFault("no answer in time", retryable=True, unknown=receipt is None)
            await self._failed(order, fault, sent=receipt is not None)
        except ReportFault as fault:
            await self._failed(order, fault, sent=receipt is not None)

    async def _sent(self, order: Order, receipt: ReportReceipt) -> None:
        """It is in, and the resident hears the number: together or not at all."""
        values = {"provider": self._provider.name, "external_id": receipt.id, "number": receipt.number}
        follow = Choice(f"{FOLLOW}:{order.id}", self._wording.say(f"choice_{FOLLOW}").text)
        said = replace(self._wording.say("report_sent", number=receipt.number), choices=(follow,))
        async with self._database.write() as connection:
            changed = await connection.execute(
                _mine(order).values(state="sent", error=None, **values, **_NOTHING)
            )
            if changed.rowcount:
                await self._tell(connection, order, said)
        metrics.REPORTS.labels("sent").inc()
        await self._wake(order)

    async def _photos(self, order: Order, receipt: ReportReceipt) -> None:
        """Those that are here go along; those on their way are waited for."""
        left = list(order.photos)
        for message in order.photos:
            async with self._database.read() as connection:
                row = (
                    await connection.execute(sa.select(media).where(media.c.message_id == message))
                ).first()
            if row is not None and row.state == "pending":
                continue
            if row is not None and row.state == "stored" and row.file:
                await self._attach(order, receipt, row)
            left.remove(message)
            await self._mark(order, keep=True, photos=left)
        if left:
            await self._mark(order, not_before=self._clock() + FETCHED_AFTER)
        else:
            await self._mark(order, state="done", done_at=self._clock(), error=None)

    async def _attach(self, order: Order, receipt: ReportReceipt, row: Any) -> None:
        try:
            content = await asyncio.to_thread((self._directory / row.file).read_bytes)
            await self._provider.attach(receipt.id, content, row.mime, row.id)
        except OSError as error:
            raise ReportFault(f"a photo can't be read: {type(error).__name__}", retryable=True) from None
        except ReportFault as fault:
            if fault.retryable:
                raise
            log.error("a photo of report %s is not taken: %s", order.report.reference, fault.reason)
            async with self._database.write() as connection:
                await self._tell(connection, order, self._wording.say("report_photo_refused"))
            await self._wake(order)

    async def _failed(self, order: Order, fault: ReportFault, *, sent: bool) -> None:
        """`sent`: it is in, and only its photos must follow; that is nothing to tell of."""
        metrics.REPORTS.labels("failed" if not fault.retryable else "later").inc()
        name, reason = order.report.reference, fault.reason[:255]
        phrase = "report_unknown" if fault.unknown else "report_later"
        now = self._clock()
        values: dict[str, Any] = {"error": reason, "told": True}
        if fault.retryable:
            wait = backoff(self._jitter, order.attempts, fault.retry_after, longest=LONGEST_WAIT)
            level = logging.ERROR if order.attempts >= STUBBORN else logging.WARNING
            log.log(level, "report %s waits %.0f s after %d attempts: %s", name, wait, order.attempts, reason)
            values["not_before"] = now + timedelta(seconds=wait)
        else:
            log.error("report %s can't be brought: %s; see `klaartje reports list`", name, reason)
            values["state"] = "failed"
        async with self._database.write() as connection:
            changed = await connection.execute(_mine(order).values(**_FREED, **values))
            if changed.rowcount and not (order.told or sent):
                await self._tell(connection, order, self._wording.say(phrase))
        await self._wake(order)

    async def _tell(self, connection: AsyncConnection, order: Order, said: Outbound) -> None:
        held = sa.select(conversations).where(conversations.c.id == order.conversation_id).with_for_update()
        row = (await connection.execute(held)).one_or_none()
        channel = self._channels.get(row.channel) if row else None
        if row is not None and channel is not None:
            await tell(connection, channel, row, said, Author.BOT, self._clock())

    async def _mark(self, order: Order, *, keep: bool = False, **values: Any) -> None:
        freed: Mapping[str, Any] = {} if keep else _FREED
        async with self._database.write() as connection:
            await connection.execute(_mine(order).values(**freed, **values))

    async def _wake(self, order: Order) -> None:
        await self._bus.publish("outbox")
        await self._bus.publish("console", order.conversation_id)

    async def clear_leases(self) -> None:
        """Take back what a process held that was killed; only for the one process that owns the store."""
        async with self._database.write() as connection:
            held = sa.update(reports).where(reports.c.lease_token.is_not(None))
            await connection.execute(held.values(**_FREED))

    async def waiting(self) -> Sequence[Any]:
        """Those that are not in, oldest first: without what they tell."""
        names = ("reference", "at", "state", "attempts", "error", "category")
        query = sa.select(*(reports.c[name] for name in names)).where(_OUT).order_by(reports.c.at)
        async with self._database.read() as connection:
            return (await connection.execute(query)).all()

    async def again(self) -> int:
        """Try now all that are not in; how many."""
        async with self._database.write() as connection:
            due = sa.update(reports).where(_OUT)
            changed = await connection.execute(
                due.values(state="pending", attempts=0, not_before=self._clock())
            )
        await self._bus.publish("reports")
        return changed.rowcount

    async def health(self) -> Health:
        """Whether reports get in. Never `down`: they wait, and residents are answered."""
        state = await self._provider.health()
        late = sa.or_(reports.c.state == "failed", sa.and_(_OUT, reports.c.attempts >= STUBBORN))
        async with self._database.read() as connection:
            number = await connection.scalar(sa.select(sa.func.count()).select_from(reports).where(late))
        told = f"{self._provider.name}: {state.detail}" if state.detail else self._provider.name
        if number:
            return Health("degraded", f"{told}; {number} are not in: see `klaartje reports list`")
        return Health("ok" if state.state == "ok" else "degraded", told)


def _order(row: Any, token: str) -> Order:
    report = Report(
        row.reference,
        row.category,
        row.text,
        row.place,
        row.at,
        row.latitude,
        row.longitude,
        row.phone,
        row.email,
    )
    receipt = ReportReceipt(row.external_id, row.number) if row.external_id else None
    return Order(
        row.id, row.conversation_id, report, tuple(row.photos), receipt, row.told, row.attempts, token
    )


def _mine(order: Order) -> sa.Update:
    return sa.update(reports).where(reports.c.id == order.id, reports.c.lease_token == order.token)


_FREED: Mapping[str, Any] = {"lease_token": None, "lease_until": None}
_OUT = reports.c.state.in_(("pending", "failed"))
_OPEN = reports.c.state.in_(("pending", "sent"))
_FREE = sa.or_(reports.c.lease_until.is_(None), reports.c.lease_until < sa.bindparam("now"))
_DUE = (
    sa.select(reports.c.id)
    .join(conversations, conversations.c.id == reports.c.conversation_id)
    .where(
        _OPEN,
        conversations.c.channel.in_(sa.bindparam("channels", expanding=True)),
        reports.c.not_before <= sa.bindparam("now"),
        _FREE,
    )
    .order_by(reports.c.not_before)
    .limit(sa.bindparam("limit"))
)
_TAKE = (
    sa.update(reports)
    .where(reports.c.id.in_(sa.bindparam("found", expanding=True)), _OPEN, _FREE)
    .values(
        lease_token=sa.bindparam("token"),
        lease_until=sa.bindparam("until"),
        attempts=reports.c.attempts + 1,
    )
    .returning(reports)
)
