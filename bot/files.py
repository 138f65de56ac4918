"""Files of residents: fetched from the vendor, checked, kept under a random name, shown to staff only, and purged."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import random
import secrets
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import puremagic
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import media, media_links
from bot.model import Media
from bot.ports import Bus, Channel, SendFault
from bot.retry import backoff

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
FETCH_TIMEOUT = 60.0
MAX_ATTEMPTS = 8
"""With the waits between them about a minute; vendors keep files for days, but their links for minutes."""

ALLOWED: Mapping[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/heic": "heic",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "video/quicktime": "mov",
    "application/pdf": "pdf",
}
"""What is kept, by what the first bytes say it is, with the end of its name. Nothing that can hold a macro."""

SHOWN = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""What a browser may show in place; anything else is saved."""

LINK_LIFE = timedelta(minutes=10)
ORPHAN_AGE = 3600.0
"""Seconds after which a file that no row knows is taken away."""


@dataclass(frozen=True, slots=True)
class Order:
    """A file to fetch; `attempts` counts this one."""

    id: str
    channel: str
    media: Media
    attempts: int
    token: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is here. `name` is safe to save it under; `mime` is what its first bytes say."""

    id: str
    path: Path
    name: str
    mime: str


class Unwelcome(Exception):
    """A file that is not kept; the reason is safe to log and to show."""


class Files:
    """Keeps files under `directory`, one each, with a name that nobody can guess."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channels: Mapping[str, Channel],
        directory: Path,
        limit: int,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._directory = directory
        self._limit = limit
        self._clock = clock
        self._jitter = random.Random()  # noqa: S311 - spreads retries, guards nothing

    async def claim(self, limit: int) -> list[Order]:
        """Lease up to `limit` files that are due."""
        now, token = self._clock(), str(uuid.uuid4())
        look = {"channels": list(self._channels), "now": now, "limit": limit}
        async with self._database.read() as connection:
            found = (await connection.execute(_DUE, look)).scalars().all()
        if not found:
            return []
        async with self._database.write() as connection:
            lease = {"found": found, "now": now, "token": token, "until": now + LEASE}
            rows = (await connection.execute(_TAKE, lease)).all()
        return [
            Order(
                row.id,
                row.channel,
                Media(row.ref, row.mime, row.name, row.size, row.sha256),
                row.attempts,
                token,
            )
            for row in rows
        ]

    async def fetch(self, order: Order) -> None:
        """Fetch one and mark it: stored, refused, to be tried again, or failed for good."""
        try:
            if order.media.size is not None and order.media.size > self._limit:
                raise Unwelcome("too large")
            async with asyncio.timeout(FETCH_TIMEOUT):
                content = await self._channels[order.channel].fetch(order.media, self._limit)
            mime = examined(content, self._limit)
        except Unwelcome as refusal:
            await self._mark(order, state="refused", error=str(refusal))
        except TimeoutError:
            await self._failed(order, SendFault("no answer in time", retryable=True))
        except SendFault as fault:
            await self._failed(order, fault)
        else:
            name = secrets.token_hex(16)
            await asyncio.to_thread(_write, self._directory / name, content)
            digest = hashlib.sha256(content).hexdigest()
            values = {"file": name, "mime": mime, "size": len(content), "sha256": digest, "error": None}
            await self._mark(order, state="stored", **values)

    async def _failed(self, order: Order, fault: SendFault) -> None:
        if not fault.retryable or order.attempts >= MAX_ATTEMPTS:
            log.error("file %s on %s is given up: %s", order.id, order.channel, fault.reason)
            await self._mark(order, state="failed", error=fault.reason[:255])
            return
        wait = backoff(self._jitter, order.attempts, fault.retry_after)
        log.warning("file %s on %s waits %.0f s: %s", order.id, order.channel, wait, fault.reason)
        not_before = self._clock() + timedelta(seconds=wait)
        await self._mark(order, state="pending", error=fault.reason[:255], not_before=not_before)

    async def _mark(self, order: Order, **values: Any) -> None:
        done_at = None if values["state"] == "pending" else self._clock()
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(media)
                .where(media.c.id == order.id, media.c.lease_token == order.token)
                .values(lease_token=None, lease_until=None, done_at=done_at, **values)
            )
        await self._bus.publish("console")

    async def listed(self, *, limit: int = 100) -> Sequence[Any]:
        """What residents sent, the newest first: without names, which are theirs."""
        columns = (media.c.id, media.c.channel, media.c.mime, media.c.size, media.c.state, media.c.error)
        query = sa.select(*columns, media.c.created_at).order_by(media.c.created_at.desc()).limit(limit)
        async with self._database.read() as connection:
            return (await connection.execute(query)).all()

    async def link(self, media_id: str, *, actor: str) -> str | None:
        """A token with which a member of the staff can open the file for ten minutes; None where it is not here."""
        token = secrets.token_urlsafe(32)
        async with self._database.write() as connection:
            stored = sa.select(media.c.id).where(media.c.id == media_id, media.c.state == "stored")
            if await connection.scalar(stored) is None:
                return None
            row = {"token_hash": _hash(token), "media_id": media_id, "actor": actor}
            await connection.execute(sa.insert(media_links).values(until=self._clock() + LINK_LIFE, **row))
        return token

    async def opened(self, token: str, *, actor: str | None = None) -> Kept | None:
        """The file of a link that is still good; who opens it (whose link it is, where we do not know) is noted in
        the audit. None where there is none."""
        now = self._clock()
        async with self._database.write() as connection:
            query = (
                sa.select(media, media_links.c.actor)
                .join(media_links, media_links.c.media_id == media.c.id)
                .where(media_links.c.token_hash == _hash(token), media_links.c.until > now)
            )
            row = (await connection.execute(query)).one_or_none()
            if row is None or row.file is None:
                return None
            await audit(connection, actor or row.actor, "opened file", row.id, at=now)
        return Kept(row.id, self._directory / row.file, f"{row.id[:8]}.{ALLOWED[row.mime]}", row.mime)

    async def tidy(self) -> int:
        """Take away links that are over, and files whose row is gone; how many files."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(media_links).where(media_links.c.until < self._clock()))
        names = await asyncio.to_thread(_old, self._directory)
        async with self._database.read() as connection:
            known = await _known(connection, names)
        gone = [name for name in names if name not in known]
        await asyncio.to_thread(_remove, self._directory, gone)
        return len(gone)

    async def remove(self, names: Sequence[str]) -> None:
        """Take these files away."""
        await asyncio.to_thread(_remove, self._directory, names)


def examined(content: bytes, limit: int) -> str:
    """What the first bytes say that it is. Raises `Unwelcome` for what is not kept."""
    if len(content) > limit:
        raise Unwelcome("too large")
    if not content:
        raise Unwelcome("empty")
    try:
        found = puremagic.from_string(content)
    except puremagic.PureError:
        raise Unwelcome("kind not kept: unknown") from None
    if found not in _MIMES:
        raise Unwelcome(f"kind not kept: {found[:16] or 'unknown'}")
    return _MIMES[found]


_MIMES: Mapping[str, str] = {
    **{f".{end}": mime for mime, end in ALLOWED.items()},
    ".jfif": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".heif": "image/heic",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".mpga": "audio/mpeg",
    ".koz": "audio/mpeg",
    ".3ga": "video/3gpp",
}
"""By what the library calls it: the end of a name. All that begins with an ID3 tag it calls .koz."""


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, for our own eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    part.touch(mode=0o600)
    with part.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.rename(path)


def _old(directory: Path) -> list[str]:
    """Files that nobody is writing any more."""
    before = time.time() - ORPHAN_AGE
    if not directory.is_dir():
        return []
    return [path.name for path in directory.iterdir() if path.is_file() and path.stat().st_mtime < before]


def _remove(directory: Path, names: Sequence[str]) -> None:
    for name in names:
        (directory / name).unlink(missing_ok=True)


async def _known(connection: AsyncConnection, names: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for at in range(0, len(names), 500):
        query = sa.select(media.c.file).where(media.c.file.in_(names[at : at + 500]))
        known |= set((await connection.execute(query)).scalars())
    return known


_FREE = sa.or_(media.c.lease_until.is_(None), media.c.lease_until < sa.bindparam("now"))
_DUE = (
    sa.select(media.c.id)
    .where(
        media.c.state == "pending",
        media.c.channel.in_(sa.bindparam("channels", expanding=True)),
        media.c.not_before <= sa.bindparam("now"),
        _FREE,
    )
    .order_by(media.c.not_before)
    .limit(sa.bindparam("limit"))
)
_TAKE = (
    sa.update(media)
    .where(media.c.id.in_(sa.bindparam("found", expanding=True)), media.c.state == "pending", _FREE)
    .values(lease_token=sa.bindparam("token"), lease_until=sa.bindparam("until"), attempts=media.c.attempts + 1)
    .returning(
        media.c.id, media.c.channel, media.c.ref, media.c.mime, media.c.name, media.c.size, media.c.sha256,
        media.c.attempts,
    )
)  # fmt: skip
