"""Which cases a resident wants to hear of: begun with a button, stopped with a word or a button."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.casewords import UNFOLLOW
from bot.db.tables import case_follows
from bot.inbox import Row
from bot.model import Command, Kind, Say

MOST = 10
"""Cases that one conversation follows at a time."""

_STOP = re.compile(
    r"\W*(?:stop(?:pen)? (?:met )?(?:het )?volgen|(?:niet meer|niet langer) volgen|volgen (?:stoppen|uit)|ontvolgen?"
    r"|geen (?:updates|berichten) meer)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """What to say to it, and what to do."""

    say: Say
    command: Command


def answer(row: Row) -> Stopped | None:
    """Whether a message stops it: the case of a button, or all of them. It counts whoever has the conversation."""
    kind, _, key = (row.choice or "").partition(":")
    if kind == UNFOLLOW:
        return Stopped(Say("case_unfollowed"), Command("unfollow", {"key": key or None}))
    if row.kind is Kind.TEXT and row.choice is None and len(row.text) <= 40 and _STOP.fullmatch(row.text):
        return Stopped(Say("case_unfollowed"), Command("unfollow", {"key": None}))
    return None


async def follow(
    connection: AsyncConnection, conversation_id: str, command: Command, now: datetime
) -> Say | None:
    """Begin, within the turn's transaction; what stands against it, if anything. The same case again is once."""
    args = command.args
    mine = case_follows.c.conversation_id == conversation_id
    keys = (await connection.execute(sa.select(case_follows.c.key).where(mine))).scalars().all()
    if args["key"] in keys:
        return None
    if len(keys) >= MOST:
        return Say("case_follow_full")
    row = {name: args[name] for name in ("provider", "key", "reference", "state")}
    look_at = now + timedelta(minutes=args["minutes"])
    values = {
        "id": str(uuid.uuid4()),
        "conversation_id": conversation_id,
        "faults": 0,
        "look_at": look_at,
        **row,
    }
    await connection.execute(sa.insert(case_follows).values(created_at=now, **values))
    return None


async def unfollow(connection: AsyncConnection, conversation_id: str, key: str | None) -> int:
    """Stop with one case, or with all; how many."""
    mine = case_follows.c.conversation_id == conversation_id
    where = sa.and_(mine, case_follows.c.key == key) if key else mine
    return (await connection.execute(sa.delete(case_follows).where(where))).rowcount


async def hasten(connection: AsyncConnection, provider: str, key: str, now: datetime) -> int:
    """Something happened to a case: have it looked at now; by how many it is followed."""
    columns = case_follows.c
    due = sa.update(case_follows).where(columns.provider == provider, columns.key == key)
    return (await connection.execute(due.values(look_at=now, faults=0))).rowcount
