"""The window: some channels take free words only for some hours after the resident wrote; a template at any time."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.tables import conversations, messages, outbox
from bot.model import Author, Delivery, Outbound, Template
from bot.ports import Body, Channel, Limits
from bot.record import letter_row, line_row
from bot.usage import SERVICE

CLOSED = "window closed: goes when the resident writes again"

_PLACE = re.compile(r"\{(\w+)\}")

MARGIN = timedelta(minutes=2)
"""So much sooner than the vendor's our window closes: a message also needs time to get there."""


@dataclass(frozen=True, slots=True)
class Window:
    """Whether free words may go now; `until` when, or None where they always may, or never could yet."""

    is_open: bool
    until: datetime | None = None


class WindowClosed(Exception):
    """Free words may not go now. Nothing was sent or stored; the names of the templates that may go instead."""

    def __init__(self, templates: Sequence[str]) -> None:
        super().__init__("free words may not go to this resident now")
        self.templates = tuple(templates)


class TemplateError(ValueError):
    """There is no such template, or its values are not what it needs."""


def window(limits: Limits, last_inbound_at: datetime | None, now: datetime) -> Window:
    """The window of a conversation."""
    if limits.window_hours is None:
        return Window(True)
    if last_inbound_at is None:
        return Window(False)
    until = last_inbound_at + timedelta(hours=limits.window_hours) - MARGIN
    return Window(now < until, until)


def fill(template: Template, values: dict[str, str]) -> Outbound:
    """The template as a message. Raises `TemplateError` unless there is one value for each variable."""
    if set(values) != set(template.variables):
        raise TemplateError(f"{template.name} needs: {', '.join(template.variables) or 'no values'}")
    if empty := [name for name, value in values.items() if not value.strip()]:
        raise TemplateError(f"{template.name}: {', '.join(empty)} is empty")
    # Vendors refuse line breaks, tabs and many spaces in a row within a value.
    given = tuple(" ".join(values[name].split()) for name in template.variables)
    known = dict(zip(template.variables, given, strict=True))
    text = _PLACE.sub(lambda place: known.get(place[1], place[0]), template.text)
    return Outbound(text, template.choices, template=template, values=given)


async def opener(connection: AsyncConnection, channel: Channel, conversation_id: str, now: datetime) -> bool:
    """Queue the template that asks the resident to write, once since they last did; whether it was queued."""
    template = next((one for one in channel.templates.values() if one.opens), None)
    if template is None:
        return False
    last = sa.select(conversations.c.last_inbound_at).where(conversations.c.id == conversation_id)
    since = await connection.scalar(last.with_for_update())
    asked = (
        sa.select(outbox.c.seq)
        .join(messages, messages.c.id == outbox.c.message_id)
        .where(
            outbox.c.conversation_id == conversation_id,
            outbox.c.kind != SERVICE,
            outbox.c.state != Delivery.FAILED,
            messages.c.text == template.text,
        )
    )
    if since is not None:
        asked = asked.where(outbox.c.created_at > since)
    if await connection.scalar(asked.limit(1)) is not None:
        return False
    await queue(connection, channel, conversation_id, fill(template, {}), Author.SYSTEM, now)
    return True


async def queue(
    connection: AsyncConnection,
    channel: Channel,
    conversation_id: str,
    message: Outbound,
    author: Author,
    now: datetime,
    *,
    held: bool = False,
    key: str | None = None,
) -> str:
    """Put a message in transcript and outbox within the caller's transaction; the id of its line, a new one where the
    caller has none."""
    line = line_row(conversation_id, author, key or str(uuid.uuid4()), message.text, now, outbound=message)
    await connection.execute(sa.insert(messages), [line])
    kind = message.template.category if message.template else SERVICE
    bodies: list[Body] = channel.render([message])
    rows = [
        letter_row(conversation_id, line["id"], channel.name, dict(body), now, kind=kind)
        | ({"state": Delivery.HELD, "error": CLOSED} if held else {})
        for body in bodies
    ]
    if rows:
        await connection.execute(sa.insert(outbox), rows)
    return str(line["id"])


async def tell(
    connection: AsyncConnection,
    channel: Channel,
    conversation: Any,
    message: Outbound,
    author: Author,
    now: datetime,
) -> None:
    """Say something to the resident of a conversation (its row); outside the window it is held."""
    held = not window(channel.limits, conversation.last_inbound_at, now).is_open
    await queue(connection, channel, conversation.id, message, author, now, held=held)


async def release(connection: AsyncConnection, conversation_id: str, now: datetime) -> bool:
    """The resident wrote: what was held may go. Whether there was any."""
    changed = await connection.execute(
        sa.update(outbox)
        .where(outbox.c.conversation_id == conversation_id, outbox.c.state == Delivery.HELD)
        .values(state=Delivery.QUEUED, not_before=now, error=None)
    )
    return changed.rowcount > 0
