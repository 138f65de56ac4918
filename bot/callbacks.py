"""Callback requests: what a resident asked for in the chat stays open until somebody called."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import Act, audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import callback_requests, registrations
from bot.model import Command
from bot.registry import enroll_callback, withdraw


async def request(connection: AsyncConnection, conversation_id: str, command: Command, now: datetime) -> str:
    """Note a request within the turn's transaction, and that the municipality's register must know; its reference."""
    reference = f"T{uuid.uuid4().hex[:8].upper()}"
    await connection.execute(
        sa.insert(callback_requests).values(
            reference=reference,
            conversation_id=conversation_id,
            phone=command.args["phone"],
            part_of_day=command.args["when"],
            topic=command.args["topic"],
            state="open",
            created_at=now,
        )
    )
    await enroll_callback(connection, reference, conversation_id, now)
    return reference


class Callbacks:
    """The list of who waits for a call."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def waiting(self) -> list[Any]:
        """The open requests, oldest first, each with how far its registration is."""
        how_far = (registrations.c[name] for name in ("state", "attempts", "error"))
        query = (
            sa.select(
                *(column for column in callback_requests.c if column.name != "state"),
                *(column.label(f"registration_{column.name}") for column in how_far),
            )
            .join(registrations, registrations.c.reference == callback_requests.c.reference)
            .where(callback_requests.c.state == "open")
            .order_by(callback_requests.c.created_at)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).all())

    async def done(self, reference: str, *, actor: str) -> bool:
        """Close a request; False where it is not open. Where the register does not have it yet, it need not: nobody
        must be called twice."""
        async with self._database.write() as connection:
            closed = await connection.execute(
                sa.update(callback_requests)
                .where(callback_requests.c.reference == reference, callback_requests.c.state == "open")
                .values(state="done")
            )
            if closed.rowcount:
                await withdraw(connection, reference, self._clock())
                await audit(connection, actor, Act.CALLED_BACK, reference, at=self._clock())
        return closed.rowcount == 1
