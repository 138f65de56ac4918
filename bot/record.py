"""What is kept of a turn: the transcript, the messages to send, and the inbox's mark."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.tables import inbox, messages, outbox
from bot.inbox import MAX_ATTEMPTS, Lease, Row
from bot.model import Author, Delivery, Kind, Outbound, Trace

Rendered = tuple[Outbound, Sequence[Mapping[str, Any]]]
"""A message, and the bodies that its channel makes of it."""


async def record(
    connection: AsyncConnection,
    lease: Lease,
    row: Row,
    text: str,
    said: Sequence[Rendered],
    trace: Trace | None,
    now: datetime,
) -> None:
    """Write it all down. `text`: what the resident said, as it is to be read; `trace`: how the answer was reached,
    kept with the last message."""
    lines: list[dict[str, Any]] = []
    if row.kind is Kind.EDIT:
        await _edit(connection, lease, row, now)
    else:
        lines.append(_line(lease, Author.RESIDENT, row.id, text, now, kind=row.kind, row=row))
    sending: list[dict[str, Any]] = []
    for message, bodies in said:
        line = _line(lease, Author.BOT, str(uuid.uuid4()), message.text, now, outbound=message)
        lines.append(line)
        sending += (_body(lease, line["id"], dict(body), now) for body in bodies)
    if said and trace:
        lines[-1]["trace"] = asdict(trace)
    if lines:
        await connection.execute(sa.insert(messages), lines)
    if sending:
        await connection.execute(sa.insert(outbox), sending)
    state = "failed" if row.attempts > MAX_ATTEMPTS else "done"
    await connection.execute(
        sa.update(inbox).where(inbox.c.seq == row.seq).values(state=state, done_at=now, text="", choice=None)
    )


async def _edit(connection: AsyncConnection, lease: Lease, row: Row, now: datetime) -> None:
    await connection.execute(
        sa.update(messages)
        .where(
            messages.c.conversation_id == lease.conversation_id,
            messages.c.author == Author.RESIDENT,
            messages.c.ref == row.ref,
        )
        .values(text=row.text, edited_at=now)
    )


def _line(
    lease: Lease,
    author: Author,
    key: str,
    text: str,
    now: datetime,
    *,
    kind: Kind = Kind.TEXT,
    outbound: Outbound | None = None,
    row: Row | None = None,
) -> dict[str, Any]:
    return {
        "id": key,
        "conversation_id": lease.conversation_id,
        "author": author,
        "kind": kind,
        "text": text,
        "choices": [asdict(choice) for choice in outbound.choices] if outbound else [],
        "links": [asdict(link) for link in outbound.links] if outbound else [],
        "article": outbound.article if outbound else None,
        "revision": outbound.revision if outbound else None,
        "trace": None,
        "ref": row.ref if row else None,
        "at": row.received_at if row else now,
    }


def _body(lease: Lease, message_id: str, body: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "conversation_id": lease.conversation_id,
        "message_id": message_id,
        "channel": lease.channel,
        "body": body,
        "state": Delivery.QUEUED,
        "attempts": 0,
        "not_before": now,
        "created_at": now,
    }
