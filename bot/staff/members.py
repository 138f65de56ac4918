"""Members of staff: who they are, what they may, and who is let in no more."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import recovery_codes, staff_links, staff_sessions, users
from bot.staff import links
from bot.staff.roles import Permission, Role, known, permitted

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
FIRST = "beheerder"
"""The name of the first who comes in, on an installation where nobody is known yet."""


class StaffError(Exception):
    """What was asked of the list of staff can't be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff. `name` is unique and stands in the audit; `local` has a password with us, or will. `most`
    conversations at the same time; None: as many as the municipality says."""

    id: str
    name: str
    display_name: str
    roles: frozenset[Role]
    local: bool
    has_password: bool
    most: int | None = None

    def may(self, permission: Permission) -> bool:
        """Whether one of the roles allows it."""
        return permitted(self.roles, permission)


def member_of(row: Any) -> Member:
    """A row of `users` as a member."""
    local = row.issuer is None
    roles = known(row.roles)
    return Member(row.id, row.name, row.display_name, roles, local, row.password_hash is not None, row.most)


class Members:
    """The list of staff."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def exist(self) -> bool:
        """Whether there is anybody."""
        async with self._database.read() as connection:
            return await connection.scalar(sa.select(users.c.id).limit(1)) is not None

    async def listed(self) -> Sequence[Any]:
        """All of them, by name."""
        async with self._database.read() as connection:
            return (await connection.execute(sa.select(users).order_by(users.c.name))).all()

    async def add(
        self, name: str, display_name: str, roles: Iterable[Role], *, actor: str, most: int | None = None
    ) -> str:
        """Add somebody; a link with which they choose a password. Raises `StaffError`."""
        name = name.lower()
        if not _NAME.fullmatch(name):
            raise StaffError("a name has 2 to 64 of a-z 0-9 . _ @ - and begins with a letter or digit")
        now, values = self._clock(), new_user(name, display_name or name, roles, most=most)
        async with self._database.write() as connection:
            added = await connection.execute(
                self._database.insert_new(users).values(**values, created_at=now)
            )
            if not added.rowcount:
                raise StaffError("there is somebody with this name already")
            detail = {"roles": values["roles"]}
            await audit(connection, actor, "added member of staff", name, at=now, detail=detail)
            return await links.make(connection, values["id"], now + links.SETUP_LIFE)

    async def disable(self, name: str, *, actor: str) -> None:
        """Let somebody in no more, from this moment on. Raises `StaffError`."""
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            await self._set(connection, row.id, disabled_at=self._clock())
            await shut_out(connection, row.id)
            await audit(connection, actor, "disabled member of staff", row.name, at=self._clock())

    async def enable(self, name: str, *, actor: str) -> None:
        """Let somebody in again, with the password that they had. Raises `StaffError`."""
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            await self._set(connection, row.id, disabled_at=None)
            await audit(connection, actor, "enabled member of staff", row.name, at=self._clock())

    async def reset(self, name: str, *, actor: str) -> str:
        """Take away password, app and recovery codes, and end every session; a link to choose new ones. Raises
        `StaffError`."""
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            if row.issuer is not None:
                raise StaffError("this is a work account: its password is with the provider")
            gone: dict[str, Any] = dict.fromkeys(
                ("password_hash", "totp_secret", "totp_pending", "totp_step")
            )
            await self._set(connection, row.id, **gone)
            await connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == row.id))
            await shut_out(connection, row.id)
            await audit(connection, actor, "reset member of staff", row.name, at=self._clock())
            return await links.make(connection, row.id, self._clock() + links.SETUP_LIFE)

    async def give(self, name: str, roles: Iterable[Role], *, actor: str) -> None:
        """These are the roles from now on; of a work account the provider gives them. Raises `StaffError`."""
        values = sorted(set(roles))
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            if row.issuer is not None:
                raise StaffError("this is a work account: its roles come from the provider")
            await self._set(connection, row.id, roles=values)
            detail = {"roles": values}
            await audit(connection, actor, "changed roles", row.name, at=self._clock(), detail=detail)

    async def limit(self, name: str, most: int | None, *, actor: str) -> None:
        """So many conversations at the same time from now on; None: as many as the municipality says. Raises
        `StaffError`."""
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            await self._set(connection, row.id, most=most)
            detail = {"most": most}
            await audit(
                connection, actor, "changed most conversations", row.name, at=self._clock(), detail=detail
            )

    async def _named(self, connection: AsyncConnection, name: str) -> Any:
        row = (await connection.execute(sa.select(users).where(users.c.name == name.lower()))).one_or_none()
        if row is None:
            raise StaffError("there is nobody with this name")
        return row

    async def _set(self, connection: AsyncConnection, user_id: str, **values: Any) -> None:
        await connection.execute(sa.update(users).where(users.c.id == user_id).values(**values))


def new_user(name: str, display_name: str, roles: Iterable[Role], **more: Any) -> dict[str, Any]:
    """The values of a new row, but for the moment."""
    key = str(uuid.uuid4())
    names = {"id": key, "name": name, "display_name": display_name[:128]}
    return {**names, "roles": sorted(set(roles)), **more}


async def shut_out(connection: AsyncConnection, user_id: str, *, but: str = "") -> None:
    """End the sessions and links of somebody, but for the session with this hash."""
    mine = sa.and_(staff_sessions.c.user_id == user_id, staff_sessions.c.token_hash != but)
    await connection.execute(sa.delete(staff_sessions).where(mine))
    await connection.execute(sa.delete(staff_links).where(staff_links.c.user_id == user_id))


async def active(connection: AsyncConnection, *which: sa.ColumnElement[bool]) -> Any | None:
    """The row of who is meant, unless disabled."""
    query = sa.select(users).where(users.c.disabled_at.is_(None), *which)
    return (await connection.execute(query)).one_or_none()


def state_of(row: Any) -> str:
    """What a list shows of how somebody stands: `disabled`, `work` (account), `invited` or `active`."""
    if row.disabled_at:
        return "disabled"
    if row.issuer:
        return "work"
    return "active" if row.password_hash else "invited"
