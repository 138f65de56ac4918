"""Who owns a conversation: the allowed changes as a table. Nothing else changes the owner."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.tables import conversations, owner_history
from bot.model import Owner
from bot.registry import enroll_contact

ALLOWED: dict[Owner, frozenset[Owner]] = {
    Owner.BOT: frozenset({Owner.WAITING, Owner.CLOSED}),
    Owner.WAITING: frozenset({Owner.AGENT, Owner.BOT, Owner.CLOSED}),
    Owner.AGENT: frozenset({Owner.BOT, Owner.WAITING, Owner.CLOSED}),
    Owner.CLOSED: frozenset({Owner.BOT}),
}
"""From owner to owners. AGENT goes back to WAITING when an agent hands over, or is gone; CLOSED to BOT when the
resident writes again."""


class NotAllowed(Exception):
    """This change of owner is not in the table, or somebody else changed the owner first."""


async def change_owner(
    connection: AsyncConnection,
    conversation_id: str,
    before: Owner,
    after: Owner,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """Hand the conversation over, within the caller's transaction, and note it in the history. What ended with a
    human is a contact for the municipality's register.

    Dialogue memory starts fresh, so that no stale form resumes. Raises `NotAllowed`."""
    if after not in ALLOWED[before]:
        raise NotAllowed(f"{before} -> {after}")
    changed = await connection.execute(
        sa.update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.owner == before)
        .values(owner=after, owner_since=now, memory=None)
    )
    if changed.rowcount != 1:
        raise NotAllowed(f"the conversation is not with {before} any more")
    await connection.execute(
        sa.insert(owner_history).values(
            conversation_id=conversation_id, before=before, after=after, reason=reason, actor=actor, at=now
        )
    )
    if before is Owner.AGENT and after is not Owner.WAITING:
        await enroll_contact(connection, conversation_id, now)
