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

from bot.audit import Act, audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import conversations, media, media_links
from bot.logs import trail
from bot.model import Author, Media
from bot.ports import Bus, Channel, SendFault
from bot.retry import backoff
from bot.window import tell
from bot.wording import Wording

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
    conversation_id: str
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
        wording: Wording | None = None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._directory = directory
        self._limit = limit
        self._clock = clock
        self._wording = wording
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
                row.conversation_id,
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
            await self._say_so(order)
        except TimeoutError:
            await self._failed(order, SendFault("no answer in time", retryable=True))
        except SendFault as fault:
            await self._failed(order, fault)
        except Exception as error:  # a fault of ours: it must not be tried for ever
            log.error("fetching file %s failed: %s", order.id, trail(error))
            await self._failed(order, SendFault(f"our fault: {type(error).__name__}", retryable=True))
        else:
            await self._keep(order, content, mime)

    async def _keep(self, order: Order, content: bytes, mime: str) -> None:
        name = secrets.token_hex(16)
        try:
            await asyncio.to_thread(_write, self._directory / name, content)
        except OSError as error:
            await self._failed(order, SendFault(f"can't be written: {type(error).__name__}", retryable=True))
            return
        digest = hashlib.sha256(content).hexdigest()
        values = {"file": name, "mime": mime, "size": len(content), "sha256": digest, "error": None}
        await self._mark(order, state="stored", **values)

    async def _failed(self, order: Order, fault: SendFault) -> None:
        if not fault.retryable or order.attempts >= MAX_ATTEMPTS:
            log.error("file %s on %s is given up: %s", order.id, order.channel, fault.reason)
            await self._mark(order, state="failed", error=fault.reason[:255])
            await self._say_so(order)
            return
        wait = backoff(self._jitter, order.attempts, fault.retry_after)
        log.warning("file %s on %s waits %.0f s: %s", order.id, order.channel, wait, fault.reason)
        not_before = self._clock() + timedelta(seconds=wait)
        await self._mark(order, state="pending", error=fault.reason[:255], not_before=not_before)

    async def _say_so(self, order: Order) -> None:
        """Tell the resident that the file was not kept, where they were told before that it would be."""
        if self._wording is None or not hopeful(order.media, self._limit):
            return
        now = self._clock()
        channel = self._channels[order.channel]
        async with self._database.write() as connection:
            found = (
                sa.select(conversations).where(conversations.c.id == order.conversation_id).with_for_update()
            )
            row = (await connection.execute(found)).one_or_none()
            if row is None:
                return
            await tell(connection, channel, row, self._wording.say("file_refused"), Author.BOT, now)
        await self._bus.publish("outbox")

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
                .where(
                    media_links.c.token_hash == _hash(token),
                    media_links.c.until > now,
                    media.c.state == "stored",
                )
            )
            row = (await connection.execute(query)).one_or_none()
            if row is None or row.file is None:
                return None
            await audit(connection, actor or row.actor, Act.OPENED_FILE, row.id, at=now)
        return Kept(row.id, self._directory / row.file, f"{row.id[:8]}.{ALLOWED[row.mime]}", row.mime)

    async def tidy(self) -> int:
        """Take away links that are over, and files whose row is gone; how many files."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(media_links).where(media_links.c.until < self._clock()))
            taken_back = sa.delete(media).where(media.c.state == "withdrawn").returning(media.c.file)
            withdrawn = [name for name in (await connection.execute(taken_back)).scalars() if name]
        await asyncio.to_thread(_remove, self._directory, withdrawn)
        names = await asyncio.to_thread(_old, self._directory)
        async with self._database.read() as connection:
            known = await _known(connection, names)
        gone = [name for name in names if name not in known]
        await asyncio.to_thread(_remove, self._directory, gone)
        return len(gone)

    async def remove(self, names: Sequence[str]) -> None:
        """Take these files away, as far as we may; `tidy` of who may takes what is left."""
        try:
            await asyncio.to_thread(_remove, self._directory, names)
        except OSError as error:
            log.warning(
                "files of an erased conversation stay until they are tidied: %s", type(error).__name__
            )


def hopeful(found: Media, limit: int) -> bool:
    """Whether a file will be kept, as far as the vendor's word tells."""
    mime = found.mime.partition(";")[0].strip().lower()
    known = not mime or mime in ALLOWED or mime in _OTHER_NAMES
    return known and (found.size is None or found.size <= limit)


_OTHER_NAMES = frozenset(
    {"image/jpg", "image/heif", "audio/mp3", "audio/m4a", "audio/x-m4a", "audio/opus", "video/3gp"}
)


def examined(content: bytes, limit: int) -> str:
    """What the first bytes say that it is. Raises `Unwelcome` for what is not kept."""
    if len(content) > limit:
        raise Unwelcome("too large")
    if not content:
        raise Unwelcome("empty")
    if mime := _by_hand(content):
        return mime
    try:
        found = puremagic.from_string(content)
    except puremagic.PureError:
        raise Unwelcome("kind not kept: unknown") from None
    if found not in _MIMES:
        raise Unwelcome(f"kind not kept: {found[:16] or 'unknown'}")
    return _MIMES[found]


def _by_hand(content: bytes) -> str | None:
    """Families of which the library knows only some members: ISO media by their brand, MPEG sound by its frame, and
    PDF, which may begin a little later."""
    if content[4:8] == b"ftyp":
        brand = content[8:12]
        return next((mime for start, mime in _BRANDS if brand.startswith(start)), "video/mp4")
    if len(content) > 2 and content[0] == 0xFF and content[1] & 0xE6 == 0xE2:  # MPEG audio, layer III
        return "audio/mpeg"
    return "application/pdf" if b"%PDF-" in content[:1024] and not content.lstrip().startswith(b"<") else None


_BRANDS = (
    (b"hei", "image/heic"),
    (b"hev", "image/heic"),
    (b"mif1", "image/heic"),
    (b"msf1", "image/heic"),
    (b"M4A", "audio/mp4"),
    (b"M4B", "audio/mp4"),
    (b"3g", "video/3gpp"),
    (b"qt", "video/quicktime"),
)

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
    try:
        part.touch(mode=0o600)
        with part.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.rename(path)
    except OSError:
        part.unlink(missing_ok=True)  # a disk that is full must not get fuller
        raise


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
        media.c.id, media.c.conversation_id, media.c.channel, media.c.ref, media.c.mime, media.c.name,
        media.c.size, media.c.sha256, media.c.attempts,
    )
)  # fmt: skip
