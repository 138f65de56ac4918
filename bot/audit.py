"""The audit: who did what to what, and when. Written in the transaction of the deed itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db import tables

NOBODY = "-"
"""The actor of what somebody did whom we do not know."""


async def audit(
    connection: AsyncConnection,
    actor: str,
    action: str,
    object: str = "",
    *,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note it. `object` and `detail` hold ids and plain words, nothing that a resident or a visitor typed."""
    note = {"at": at, "actor": actor[:64], "action": action, "object": object[:128]}
    await connection.execute(sa.insert(tables.audit).values(**note, detail=dict(detail or {})))
