"""Recovery codes: for who lost the telephone with the app. Each counts once."""

from __future__ import annotations

import re
import secrets

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.tables import recovery_codes
from bot.staff.secret import hashed

COUNT = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that looks like another."""
_GROUPS, _EACH = 4, 4


def new_codes() -> list[str]:
    """Ten of 79 random bits, as four groups of four."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_EACH)) for _ in range(_GROUPS))
        for _ in range(COUNT)
    ]


def hash_of(code: str) -> str:
    """What the store keeps; spaces, dashes and capitals make no difference."""
    return hashed(re.sub(r"[\s-]", "", code).lower())


async def keep(connection: AsyncConnection, user_id: str, codes: list[str]) -> None:
    """These are the codes now; older ones are worth nothing any more."""
    await connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    if codes:
        rows = [{"code_hash": hash_of(code), "user_id": user_id} for code in codes]
        await connection.execute(sa.insert(recovery_codes), rows)


async def use(connection: AsyncConnection, user_id: str, code: str) -> bool:
    """Take the code; False where this member of staff does not have it (any more)."""
    taken = await connection.execute(
        sa.delete(recovery_codes).where(
            recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == hash_of(code)
        )
    )
    return taken.rowcount == 1
