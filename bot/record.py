"""What is kept of a turn: the transcript, files to fetch, the messages to send, and the inbox's mark."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.tables import inbox, media, messages, outbox
from bot.inbox import MAX_ATTEMPTS, Lease, Row
from bot.masking import FACT, conceal
from bot.model import SILENT, Author, Delivery, Kind, Media, Outbound, Trace
from bot.usage import SERVICE


async def record(
    connection: AsyncConnection,
    lease: Lease,
    row: Row,
    text: str,
    said: Sequence[Outbound],
    bodies: Sequence[Mapping[str, Any]],
    trace: Trace | None,
    now: datetime,
) -> None:
    """Write it all down. `text`: what the resident said, as it is to be read; `bodies`: what the channel makes of all
    that is `said`; `trace`: how the answer was reached, kept with the last message."""
    key = lease.conversation_id
    lines: list[dict[str, Any]] = []
    state = "failed" if row.attempts > MAX_ATTEMPTS else "done"
    if row.kind in SILENT:
        if not await _change(connection, key, row.kind, row.ref, row.text, now):
            state = "early"  # vendors bring them in any order: it is about a message that is still to come
    else:
        lines.append(line_row(key, Author.RESIDENT, row.id, text, now, row=row))
    lines += [line_row(key, Author.BOT, str(uuid.uuid4()), one.text, now, outbound=one) for one in said]
    if said and trace:
        lines[-1]["trace"] = asdict(trace)
    if said:
        first, *others = lines[-len(said) :]
        for line in others:
            line["sent_with"] = first["id"]
        if bodies:
            sending = [letter_row(key, first["id"], lease.channel, dict(body), now) for body in bodies]
            await connection.execute(sa.insert(outbox), sending)
    if lines:
        await connection.execute(sa.insert(messages), lines)
    if row.media and row.kind not in SILENT and row.kind is not Kind.STICKER:
        await connection.execute(sa.insert(media), [_media_row(lease, row, row.media, now)])
    if row.kind not in SILENT and row.ref:
        await _come_late(connection, key, row.ref, now)
    emptied = {} if state == "early" else {"text": "", "choice": None, "media": None, "place": None}
    await connection.execute(
        sa.update(inbox).where(inbox.c.seq == row.seq).values(state=state, done_at=now, **emptied)
    )


async def _change(
    connection: AsyncConnection, conversation_id: str, kind: str, ref: str | None, text: str, now: datetime
) -> bool:
    """Edit, revoke or react to an earlier line; False where there is none of that name."""
    mine = messages.c.conversation_id == conversation_id
    theirs = sa.and_(mine, messages.c.author == Author.RESIDENT, messages.c.ref == ref)
    if kind == Kind.REACTION:
        sent = sa.select(outbox.c.message_id).where(
            outbox.c.conversation_id == conversation_id, outbox.c.external_id == ref
        )
        where = sa.or_(theirs, sa.and_(mine, messages.c.id.in_(sent)))
        changed = await connection.execute(
            sa.update(messages).where(where).values(reaction=text[:64] or None)
        )
        return changed.rowcount > 0
    if kind == Kind.EDIT:
        before = (await connection.execute(sa.select(messages.c.text).where(theirs))).scalars().first() or ""
        if FACT in before:  # what was taken out does not come in again
            text = conceal(text, [])
        changed = await connection.execute(
            sa.update(messages)
            .where(theirs, messages.c.revoked_at.is_(None))
            .values(text=text, edited_at=now)
        )
        return changed.rowcount > 0
    lines = sa.select(messages.c.id).where(theirs)
    # Nobody can open them from now on; the files themselves are taken away when it is tidied, or with all the rest.
    await connection.execute(
        sa.update(media).where(media.c.message_id.in_(lines)).values(state="withdrawn", name="", ref="")
    )
    changed = await connection.execute(
        sa.update(messages).where(theirs).values(text="", place=None, reaction=None, revoked_at=now)
    )
    return changed.rowcount > 0


async def _come_late(connection: AsyncConnection, conversation_id: str, ref: str, now: datetime) -> None:
    """Do now what came before the message that it is about."""
    mine = sa.and_(inbox.c.conversation_id == conversation_id, inbox.c.ref == ref, inbox.c.state == "early")
    rows = (await connection.execute(sa.select(inbox).where(mine).order_by(inbox.c.seq))).all()
    for row in rows:
        await _change(connection, conversation_id, row.kind, ref, row.text, now)
    if rows:
        await connection.execute(sa.update(inbox).where(mine).values(state="done", text=""))


def line_row(
    conversation_id: str,
    author: Author,
    key: str,
    text: str,
    now: datetime,
    *,
    outbound: Outbound | None = None,
    row: Row | None = None,
) -> dict[str, Any]:
    """A line of the transcript: of what was said, or of the resident's message `row`."""
    return {
        "id": key,
        "conversation_id": conversation_id,
        "author": author,
        "kind": row.kind if row else Kind.TEXT,
        "text": text,
        "choices": [asdict(choice) for choice in outbound.choices] if outbound else [],
        "links": [asdict(link) for link in outbound.links] if outbound else [],
        "article": outbound.article if outbound else None,
        "revision": outbound.revision if outbound else None,
        "trace": None,
        "ref": row.ref if row else None,
        "place": asdict(row.place) if row and row.place else None,
        "sent_with": None,
        "at": row.received_at if row else now,
    }


def letter_row(
    conversation_id: str,
    message_id: str,
    channel: str,
    body: dict[str, Any],
    now: datetime,
    *,
    kind: str = SERVICE,
) -> dict[str, Any]:
    """A body to be sent; `message_id` is the first line that it carries, others name that one in `sent_with`."""
    return {
        "conversation_id": conversation_id,
        "message_id": message_id,
        "channel": channel,
        "kind": kind,
        "body": body,
        "state": Delivery.QUEUED,
        "attempts": 0,
        "not_before": now,
        "created_at": now,
    }


def _media_row(lease: Lease, row: Row, found: Media, now: datetime) -> dict[str, Any]:
    """A file to fetch."""
    return {
        "id": str(uuid.uuid4()),
        "conversation_id": lease.conversation_id,
        "message_id": row.id,
        "channel": lease.channel,
        "ref": found.ref,
        "mime": found.mime[:128],
        "name": found.name[:255],
        "size": found.size,
        "sha256": found.sha256,
        "state": "pending",
        "attempts": 0,
        "not_before": now,
        "created_at": now,
    }
