"""The way to the municipality's register: contacts and callback requests wait in a queue until they are in."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import (
    article_revisions,
    callback_requests,
    conversations,
    messages,
    owner_history,
    registrations,
)
from bot.model import CallbackRequest, Contact, Owner
from bot.ports import Bus, ContactRegistry, Health, RegistryFault
from bot.retry import backoff

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
TIMEOUT = 60.0
"""Seconds for all calls of one registration together: well within the lease."""

LONGEST_WAIT = 3600.0
STUBBORN = 8
"""From so many attempts on, about a minute, a fault does not seem to pass by itself: it is told as an error."""


async def enroll_callback(
    connection: AsyncConnection, reference: str, conversation_id: str, now: datetime
) -> None:
    """The register must know of a callback request: within the transaction that stores the request."""
    await _enroll(connection, reference, conversation_id, "callback", "", now, now)


async def enroll_contact(connection: AsyncConnection, conversation_id: str, now: datetime) -> None:
    """The register must know of a contact with a human that ends now: within the transaction that ends it."""
    began = await connection.scalar(
        sa.select(sa.func.max(owner_history.c.at)).where(
            owner_history.c.conversation_id == conversation_id, owner_history.c.after == Owner.AGENT
        )
    )
    reference = f"C{uuid.uuid4().hex[:8].upper()}"
    topic = await _title(connection, conversation_id)
    await _enroll(connection, reference, conversation_id, "contact", topic, began or now, now)


async def withdraw(connection: AsyncConnection, reference: str, now: datetime) -> None:
    """The register need not know any more, where it does not yet."""
    await connection.execute(
        sa.update(registrations)
        .where(registrations.c.reference == reference, registrations.c.state.in_(("pending", "failed")))
        .values(state="withdrawn", lease_token=None, lease_until=None, done_at=now)
    )


async def _enroll(
    connection: AsyncConnection,
    reference: str,
    conversation_id: str,
    kind: str,
    topic: str,
    at: datetime,
    now: datetime,
) -> None:
    row = {"reference": reference, "conversation_id": conversation_id, "kind": kind, "topic": topic, "at": at}
    insert = sa.insert(registrations).values(state="pending", attempts=0, not_before=now, **row)
    await connection.execute(insert)


async def _title(connection: AsyncConnection, conversation_id: str) -> str:
    """What a conversation was about last: the title of an article, or nothing. Never a resident's words."""
    query = (
        sa.select(article_revisions.c.content)
        .join(messages, messages.c.revision == article_revisions.c.revision)
        .where(messages.c.conversation_id == conversation_id)
        .order_by(messages.c.seq.desc())
        .limit(1)
    )
    content = await connection.scalar(query)
    return str(content.get("title", "")) if content else ""


@dataclass(frozen=True, slots=True)
class Order:
    """One registration to see to; `attempts` counts this one."""

    what: Contact | CallbackRequest
    attempts: int
    token: str

    @property
    def reference(self) -> str:
        """Ours."""
        return self.what.reference if isinstance(self.what, Contact) else self.what.contact.reference


class Registrations:
    """The queue. What may pass is tried again for as long as it takes, at least each hour or so; a fault that stays
    is for an engineer, who sees it and lets it be tried again."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        registry: ContactRegistry,
        clock: Clock = utc_now,
        jitter: random.Random | None = None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._registry = registry
        self._clock = clock
        self._jitter = jitter or random.Random()  # noqa: S311 - spreads retries, guards nothing

    async def claim(self, limit: int) -> list[Order]:
        """Lease up to `limit` registrations that are due."""
        now, token = self._clock(), str(uuid.uuid4())
        async with self._database.read() as connection:
            found = (await connection.execute(_DUE, {"now": now, "limit": limit})).scalars().all()
        if not found:
            return []
        async with self._database.write() as connection:
            lease = {"found": found, "now": now, "token": token, "until": now + LEASE}
            leased = (await connection.execute(_TAKE, lease)).scalars().all()
            rows = (await connection.execute(_LEASED, {"keys": leased})).all() if leased else []
        return [Order(_wanted(row), row.attempts, token) for row in rows]

    async def register(self, order: Order) -> None:
        """See to it that the register has it, and mark it: in, to be tried again later, or for an engineer."""
        try:
            async with asyncio.timeout(TIMEOUT):
                match order.what:
                    case Contact() as contact:
                        external_id = await self._registry.register_contact(contact)
                    case CallbackRequest() as request:
                        external_id = await self._registry.register_callback(request)
        except TimeoutError:
            await self._failed(order, RegistryFault("no answer in time", retryable=True))
        except RegistryFault as fault:
            await self._failed(order, fault)
        else:
            metrics.REGISTERED.inc()
            values = {"register": self._registry.name, "external_id": external_id[:255], "error": None}
            await self._mark(order, state="registered", done_at=self._clock(), **values)

    async def _failed(self, order: Order, fault: RegistryFault) -> None:
        metrics.REGISTER_FAULTS.labels(str(not fault.retryable).lower()).inc()
        reason = fault.reason[:255]
        if not fault.retryable:
            log.error("%s can't be registered: %s; see `klaartje callbacks list`", order.reference, reason)
            await self._mark(order, state="failed", error=reason, done_at=self._clock())
            return
        wait = backoff(self._jitter, order.attempts, fault.retry_after, longest=LONGEST_WAIT)
        level = logging.ERROR if order.attempts >= STUBBORN else logging.WARNING
        told = "%s is not registered after %d attempts and waits %.0f s: %s"
        log.log(level, told, order.reference, order.attempts, wait, reason)
        await self._mark(order, error=reason, not_before=self._clock() + timedelta(seconds=wait))

    async def _mark(self, order: Order, **values: Any) -> None:
        mine = (registrations.c.reference == order.reference, registrations.c.lease_token == order.token)
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(registrations).where(*mine).values(lease_token=None, lease_until=None, **values)
            )
        await self._bus.publish("console")

    async def clear_leases(self) -> None:
        """Take back what a process held that was killed; only for the one process that owns the store."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(registrations)
                .where(registrations.c.lease_token.is_not(None))
                .values(lease_token=None, lease_until=None)
            )

    async def stuck(self) -> list[Any]:
        """The contacts with a human that are not in and were tried, oldest first: without what they were about."""
        names = ("reference", "at", "state", "attempts", "error")
        query = sa.select(*(registrations.c[name] for name in names)).where(
            registrations.c.kind == "contact", registrations.c.state.in_(("pending", "failed")), _TRIED
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query.order_by(registrations.c.at))).all())

    async def again(self, references: Sequence[str] | None = None) -> int:
        """Try now what is not in: these, or all; how many. What is in another register than the present one too: of
        all, only those who still wait for a call."""
        out = registrations.c.state.in_(("pending", "failed"))
        elsewhere = sa.and_(
            registrations.c.state == "registered", registrations.c.register != self._registry.name
        )
        if references is None:
            which = sa.or_(out, sa.and_(elsewhere, registrations.c.reference.in_(_OPEN)))
        else:
            which = sa.and_(sa.or_(out, elsewhere), registrations.c.reference.in_(references))
        nothing: dict[str, Any] = dict.fromkeys(("register", "external_id", "error", "done_at"))
        async with self._database.write() as connection:
            changed = await connection.execute(
                sa.update(registrations)
                .where(which)
                .values(state="pending", attempts=0, not_before=self._clock(), **nothing)
            )
        await self._bus.publish("registrations")
        return changed.rowcount

    async def health(self) -> Health:
        """Whether what residents ask for gets into the register. Never `down`: it waits, and they are answered."""
        state = await self._registry.health()
        failed = registrations.c.state == "failed"
        late = sa.and_(registrations.c.state == "pending", registrations.c.attempts >= STUBBORN)
        query = sa.select(
            sa.func.count(sa.case((failed, 1))).label("failed"),
            sa.func.count(sa.case((late, 1))).label("late"),
        ).where(registrations.c.state.in_(("pending", "failed")))
        async with self._database.read() as connection:
            number = (await connection.execute(query)).one()
        told = [f"{self._registry.name}: {state.detail}" if state.detail else self._registry.name]
        told += (
            [f"{number.failed} can't be registered: see `klaartje callbacks list`"] if number.failed else []
        )
        told += [f"{number.late} wait for long"] if number.late else []
        degraded = state.state != "ok" or len(told) > 1
        return Health("degraded" if degraded else "ok", "; ".join(told))


def _wanted(row: Any) -> Contact | CallbackRequest:
    topic = row.topic if row.kind == "contact" else row.asked
    contact = Contact(row.reference, row.conversation_id, row.channel, topic, row.at)
    if row.kind == "contact":
        return contact
    return CallbackRequest(contact, row.phone, row.part_of_day)


_TRIED = registrations.c.attempts > 0
_FREE = sa.or_(registrations.c.lease_until.is_(None), registrations.c.lease_until < sa.bindparam("now"))
_OPEN = sa.select(callback_requests.c.reference).where(callback_requests.c.state == "open")
_DUE = (
    sa.select(registrations.c.reference)
    .where(registrations.c.state == "pending", registrations.c.not_before <= sa.bindparam("now"), _FREE)
    .order_by(registrations.c.not_before)
    .limit(sa.bindparam("limit"))
)
_TAKE = (
    sa.update(registrations)
    .where(
        registrations.c.reference.in_(sa.bindparam("found", expanding=True)),
        registrations.c.state == "pending",
        _FREE,
    )
    .values(
        lease_token=sa.bindparam("token"),
        lease_until=sa.bindparam("until"),
        attempts=registrations.c.attempts + 1,
    )
    .returning(registrations.c.reference)
)
_LEASED = (
    sa.select(
        registrations,
        conversations.c.channel,
        callback_requests.c.topic.label("asked"),
        callback_requests.c.phone,
        callback_requests.c.part_of_day,
    )
    .join(conversations, conversations.c.id == registrations.c.conversation_id)
    .outerjoin(callback_requests, callback_requests.c.reference == registrations.c.reference)
    .where(registrations.c.reference.in_(sa.bindparam("keys", expanding=True)))
    .order_by(registrations.c.at)
)
