"""The audit as it is read: newest first, by person, act and day. There is nothing here that changes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from bot.audit import Act
from bot.clock import AMSTERDAM
from bot.db.database import Database
from bot.db.tables import audit, users

PAGE = 50
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; empty: all. `person` is a user name, or a part of a name that others read; `others` are
    actors that are no members and are meant too; `day` is one of Amsterdam."""

    person: str = ""
    others: frozenset[str] = frozenset()
    act: Act | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `person` and `about` are as others read them, where they are members of staff."""

    seq: int
    at: datetime
    actor: str
    person: str
    act: str
    object: str
    about: str
    detail: Mapping[str, Any]


class Logbook:
    """Reads it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, sought: Sought, before: int | None = None) -> tuple[list[Entry], bool]:
        """A page of what came before a line, or of the newest; and whether there is more behind it."""
        found = await self._read(sought, before, PAGE + 1)
        return found[:PAGE], len(found) > PAGE

    async def all(self, sought: Sought) -> AsyncIterator[list[Entry]]:
        """Everything, in batches: it may be more than fits in memory."""
        before: int | None = None
        while batch := await self._read(sought, before, _BATCH):
            yield batch
            before = batch[-1].seq

    async def _read(self, sought: Sought, before: int | None, limit: int) -> list[Entry]:
        async with self._database.read() as connection:
            people = (
                await connection.execute(sa.select(users.c.id, users.c.name, users.c.display_name))
            ).all()
            query = sa.select(audit).where(*_where(sought, before, people))
            rows = (await connection.execute(query.order_by(audit.c.seq.desc()).limit(limit))).all()
        named = {key: f"{one.display_name} ({one.name})" for one in people for key in (one.name, one.id)}
        return [
            Entry(
                row.seq,
                row.at,
                row.actor,
                named.get(row.actor, row.actor),
                row.action,
                row.object,
                named.get(row.object, row.object),
                row.detail,
            )
            for row in rows
        ]


def _where(sought: Sought, before: int | None, people: Sequence[Any]) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if before is not None:
        found.append(audit.c.seq < before)
    if term := sought.person.strip().lower():
        known = {one.name for one in people if term in one.name or term in one.display_name.lower()}
        found.append(audit.c.actor.in_(sorted({*known, *sought.others, term, sought.person.strip()})))
    if sought.act is not None:
        found.append(audit.c.action == sought.act.value)
    if sought.day is not None:
        start = datetime.combine(sought.day, time(), AMSTERDAM)
        end = datetime.combine(sought.day + timedelta(days=1), time(), AMSTERDAM)
        found += [audit.c.at >= start, audit.c.at < end]
    return found
