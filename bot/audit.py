"""The audit: who did what to what, and when. Written in the transaction of the deed itself, and changed by nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.db import tables

NOBODY = "-"
"""The actor of what somebody did whom we do not know."""


class Act(StrEnum):
    """What may be noted. The page of the audit says each in Dutch: `bot.web.staff.words`."""

    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    SIGN_IN_FAILED = "sign-in failed"
    SIGN_IN_REFUSED = "sign-in refused"
    CHOSE = "chose password and app"
    CHANGED_PASSWORD = "changed password"  # noqa: S105 - the deed, no password
    CHANGED_APP = "changed app"

    ADDED = "added member of staff"
    CHANGED_NAME = "changed display name"
    CHANGED_ROLES = "changed roles"
    CHANGED_TEAMS = "changed teams"
    CHANGED_MOST = "changed most conversations"
    RESET = "reset member of staff"
    DISABLED = "disabled member of staff"
    ENABLED = "enabled member of staff"
    REMOVED = "removed member of staff"
    DOWNLOADED_AUDIT = "downloaded the audit"

    OPENED_CONVERSATION = "opened conversation"
    TOOK_CONVERSATION = "took conversation"
    SEARCHED = "searched conversations"
    OPENED_FILE = "opened file"
    CALLED_BACK = "called back"
    EXPORTED_REPORTS = "exported reports"
    CLOSED_REPORT = "closed report"
    NOTED_APPOINTMENT = "noted who came"
    CALLED_OFF = "called appointment off"
    CLOSED_COUNTER = "closed counter"
    OPENED_COUNTER = "opened counter"
    SAVED_ARTICLE = "saved article"
    SUBMITTED_ARTICLE = "asked to review article"
    RETURNED_ARTICLE = "sent article back"
    SCHEDULED_ARTICLE = "scheduled article"
    PUBLISHED = "publish"
    WITHDREW_ARTICLE = "withdrew article"
    RESTORED_ARTICLE = "restored revision"
    DISCARDED_DRAFT = "discarded draft"
    FORGOT = "forget"
    PURGED = "purge"


async def audit(
    connection: AsyncConnection,
    actor: str,
    act: Act,
    *objects: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note it, once for each object. `objects` and `detail` hold ids and plain words, nothing that a resident or a
    visitor typed."""
    note = {"at": at, "actor": actor[:64], "action": act.value, "detail": dict(detail or {})}
    rows = [{**note, "object": one[:128]} for one in objects or ("",)]
    await connection.execute(sa.insert(tables.audit), rows)
