"""The inbox: each message is stored once, and one conversation at a time is leased to a worker."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.clock import Clock, utc_now
from bot.db.batch import Batch
from bot.db.database import Database
from bot.db.tables import conversations, inbox
from bot.masking import mask_bsn
from bot.model import Inbound, Kind, Media, Moved, Owner, Place
from bot.ports import Bus
from bot.residents import conversations_of, move

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=12)
"""How long a worker may hold a conversation; a turn takes less. A worker that died gives it back after this."""

LATEST = timedelta(days=8)
"""A message is never older when it comes: WhatsApp tries for seven days, others for less."""

MAX_ATTEMPTS = 3
"""How often a message may take its worker down before it is answered with an apology."""

_NAMESPACE = uuid.UUID("5f5b9a52-0c0a-4c5b-9b0e-6b1e6c0f4a11")


@dataclass(frozen=True, slots=True)
class Row:
    """A stored message, waiting for its turn. `attempts` counts this one."""

    seq: int
    id: str
    kind: Kind
    text: str
    choice: str | None
    reply_to: str | None
    ref: str | None
    external_id: str
    received_at: datetime
    attempts: int
    sent_at: datetime | None = None
    media: Media | None = None
    place: Place | None = None

    @property
    def said_at(self) -> datetime:
        """When the resident sent it, as far as the vendor can be believed: not after we got it, nor longer before
        than vendors go on trying."""
        earliest = self.received_at - LATEST
        return max(earliest, min(self.sent_at or self.received_at, self.received_at))

    def order(self) -> tuple[datetime, int]:
        """Where it stands among others of the same resident: vendors bring them in any order."""
        return self.said_at, self.seq

    def inbound(self, channel: str, address: str) -> Inbound:
        """The message as the channel gave it."""
        return Inbound(
            channel,
            address,
            self.external_id,
            self.kind,
            self.text,
            self.choice,
            self.reply_to,
            self.ref,
            self.sent_at,
            media=self.media,
            place=self.place,
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """One conversation as it was when leased, ours until `until`: every commit is fenced by `token`."""

    conversation_id: str
    token: str
    until: datetime
    channel: str
    address: str
    owner: Owner
    memory: Mapping[str, Any] | None
    greeted: bool
    rows: tuple[Row, ...]
    asks: str | None = None


def message_id(channel: str, external_id: str) -> str:
    """Our id of a message: the same message always has the same one."""
    return str(uuid.uuid5(_NAMESPACE, f"{channel}\n{external_id}"))


class Inbox:
    """Takes messages in and hands conversations out."""

    def __init__(self, database: Database, bus: Bus, clock: Clock = utc_now) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._insert = database.insert_new(inbox)
        self._batch: Batch[Sequence[Inbound]] = Batch(self._store)

    async def accept(self, messages: Sequence[Inbound]) -> None:
        """Store what is new; a duplicate is a no-op. Returns when committed, and the workers are woken."""
        if messages:
            await self._batch.add(messages)
            await self._bus.publish("inbox")

    async def _store(self, batches: Sequence[Sequence[Inbound]]) -> None:
        now = self._clock()
        # In one order everywhere, so that two writers never deadlock; a resident's own messages stay as they came.
        messages = sorted((m for batch in batches for m in batch), key=lambda m: (m.channel, m.address))
        async with self._database.write() as connection:
            keys = await conversations_of(connection, self._database, messages, now)
            await connection.execute(
                self._insert,
                [_row(message, keys[message.channel, message.address], now) for message in messages],
            )

    async def move(self, moves: Sequence[Moved]) -> None:
        """Let conversations go on at the addresses that their residents have now."""
        async with self._database.write() as connection:
            for moved in moves:
                if not await move(connection, self._database, moved, self._clock()):
                    log.info("%s: somebody whom we don't know has another address now", moved.channel)

    async def claim(self, limit: int, channels: Collection[str]) -> list[Lease]:
        """Lease up to `limit` conversations on these channels with messages waiting, the longest waiting first."""
        while True:
            now = self._clock()
            async with self._database.read() as connection:
                look = {"channels": list(channels), "now": now, "limit": limit}
                candidates = (await connection.execute(_DUE, look)).scalars().all()
            if not candidates:
                return []
            if leases := await self._lease(candidates, now):
                return leases
            # Another worker was faster with all of these: look again.

    async def _lease(self, candidates: Sequence[str], now: datetime) -> list[Lease]:
        token, until = str(uuid.uuid4()), now + LEASE
        async with self._database.write() as connection:
            lease = {"candidates": candidates, "now": now, "token": token, "until": until}
            owners = {row.id: row for row in await connection.execute(_TAKE, lease)}
            mine = {"leased": list(owners)}
            rows = (await connection.execute(_WAITING, mine)).all()
            waiting: dict[str, list[Row]] = {}
            for row in rows:
                waiting.setdefault(row.conversation_id, []).append(_from(row))
            for some in waiting.values():
                some.sort(key=Row.order)
                some[0] = replace(some[0], attempts=some[0].attempts + 1)
            if first := [some[0].seq for some in waiting.values()]:
                await connection.execute(_COUNT_ATTEMPT, {"first": first})
            if idle := owners.keys() - waiting.keys():  # answered by another worker since we looked
                await connection.execute(_released().where(conversations.c.id.in_(idle)))
        return [_lease(owners[key], token, until, found) for key, found in waiting.items()]

    async def give_back(self, lease: Lease) -> None:
        """Let others have the conversation now, where its turn could not be finished."""
        await self._release(
            conversations.c.lease_token == lease.token, conversations.c.id == lease.conversation_id
        )

    async def excuse(self, lease: Lease) -> None:
        """That the first message was not answered does not count against it. The lease stays, so that it is not tried
        again at once."""
        mine = sa.and_(inbox.c.id == lease.rows[0].id, inbox.c.attempts > 0)
        async with self._database.write() as connection:
            await connection.execute(sa.update(inbox).where(mine).values(attempts=inbox.c.attempts - 1))

    async def clear_leases(self) -> None:
        """Take back what a process held that was killed; only for the one process that owns the store."""
        await self._release(conversations.c.lease_token.is_not(None))

    async def _release(self, *where: sa.ColumnElement[bool]) -> None:
        async with self._database.write() as connection:
            await connection.execute(_released().where(*where))


_FREE = sa.or_(conversations.c.lease_until.is_(None), conversations.c.lease_until < sa.bindparam("now"))
_DUE = (
    sa.select(inbox.c.conversation_id)
    .join(conversations, conversations.c.id == inbox.c.conversation_id)
    .where(inbox.c.state == "pending", inbox.c.channel.in_(sa.bindparam("channels", expanding=True)), _FREE)
    .group_by(inbox.c.conversation_id)
    .order_by(sa.func.min(inbox.c.seq))
    .limit(sa.bindparam("limit"))
)
_TAKE = (
    sa.update(conversations)
    .where(conversations.c.id.in_(sa.bindparam("candidates", expanding=True)), _FREE)
    .values(lease_token=sa.bindparam("token"), lease_until=sa.bindparam("until"))
    .returning(
        conversations.c.id,
        conversations.c.channel,
        conversations.c.address,
        conversations.c.owner,
        conversations.c.memory,
        conversations.c.greeted,
        conversations.c.asks,
    )
)
_MINE = sa.and_(
    inbox.c.conversation_id.in_(sa.bindparam("leased", expanding=True)), inbox.c.state == "pending"
)
_COUNT_ATTEMPT = (
    sa.update(inbox)
    .where(inbox.c.seq.in_(sa.bindparam("first", expanding=True)))
    .values(attempts=inbox.c.attempts + 1)
)
_WAITING = sa.select(inbox).where(_MINE).order_by(inbox.c.seq)


def _released() -> sa.Update:
    return sa.update(conversations).values(lease_token=None, lease_until=None)


def _lease(row: Any, token: str, until: datetime, waiting: Sequence[Row]) -> Lease:
    return Lease(
        conversation_id=row.id,
        token=token,
        until=until,
        channel=row.channel,
        address=row.address,
        owner=Owner(row.owner),
        memory=row.memory,
        greeted=row.greeted,
        rows=tuple(waiting),
        asks=row.asks,
    )


def clean(text: str) -> str:
    """The text without what no store can hold: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")


def _row(message: Inbound, conversation_id: str, now: datetime) -> dict[str, Any]:
    return {
        "conversation_id": conversation_id,
        "id": message_id(message.channel, message.external_id),
        "channel": message.channel,
        "external_id": clean(message.external_id)[:255],
        "kind": message.kind,
        "text": mask_bsn(clean(message.text)),
        "choice": clean(message.choice)[:255] if message.choice is not None else None,
        "reply_to": clean(message.reply_to)[:255] if message.reply_to is not None else None,
        "ref": clean(message.ref)[:255] if message.ref is not None else None,
        "media": asdict(message.media) if message.media else None,
        "place": asdict(message.place) if message.place else None,
        "sent_at": message.sent_at,
        "received_at": now,
        "state": "pending",
        "attempts": 0,
    }


def _from(row: Any) -> Row:
    return Row(
        seq=row.seq,
        id=row.id,
        kind=Kind(row.kind),
        text=row.text,
        choice=row.choice,
        reply_to=row.reply_to,
        ref=row.ref,
        external_id=row.external_id,
        received_at=row.received_at,
        attempts=row.attempts,
        sent_at=row.sent_at,
        media=Media(**row.media) if row.media else None,
        place=Place(**row.place) if row.place else None,
    )
