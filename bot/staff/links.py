"""Links that count once: to choose a password, and for the first who comes in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db.tables import staff_links
from bot.staff.secret import hashed, new_token

SETUP_LIFE = timedelta(hours=24)
FIRST_LIFE = timedelta(hours=1)


async def make(connection: AsyncConnection, user_id: str | None, until: datetime) -> str:
    """The token of a new link for somebody, or, without one, for the first who comes in. Earlier ones end."""
    token = new_token()
    await connection.execute(sa.delete(staff_links).where(_of(user_id)))
    row = {"token_hash": hashed(token), "user_id": user_id, "until": until}
    await connection.execute(sa.insert(staff_links).values(row))
    return token


async def find(connection: AsyncConnection, token: str, now: datetime) -> Any | None:
    """The link, as long as it counts."""
    query = sa.select(staff_links).where(staff_links.c.token_hash == hashed(token), staff_links.c.until > now)
    return (await connection.execute(query)).one_or_none()


async def use(connection: AsyncConnection, token: str) -> bool:
    """It counts no more; False where somebody was before us."""
    gone = await connection.execute(sa.delete(staff_links).where(staff_links.c.token_hash == hashed(token)))
    return gone.rowcount == 1


def _of(user_id: str | None) -> sa.ColumnElement[bool]:
    return staff_links.c.user_id.is_(None) if user_id is None else staff_links.c.user_id == user_id
