"""Members of staff: who they are, what they may, and who is let in no more."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import queue
from bot.audit import Act, audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import audit as notes
from bot.db.tables import recovery_codes, staff_links, staff_sessions, users
from bot.staff import links
from bot.staff.roles import Permission, Role, known, permitted

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
MOST = 20
"""More conversations at the same time than these nobody can have."""
FIRST = "beheerder"
"""The name of the first who comes in, on an installation where nobody is known yet."""


class Why(StrEnum):
    """Why it can't be done, in the words of a command."""

    BAD_NAME = "a name has 2 to 64 of a-z 0-9 . _ @ - and begins with a letter or digit"
    TAKEN = "there is somebody with this name already"
    USED = "somebody had this name who was removed: take another, so that the audit stays clear"
    UNKNOWN = "there is nobody with this name"
    NO_ROLE = "without a role nobody gets in: give one"
    BAD_MOST = "so many conversations at the same time can't be: give 1 to 20"
    WORK_ACCOUNT = "this is a work account: its password is with the provider"
    ROLES_ELSEWHERE = "this is a work account: its roles come from the provider"
    NAME_ELSEWHERE = "this is a work account: its display name comes from the provider"
    TEAMS_ELSEWHERE = "this is a work account: its teams come from the provider"
    DISABLED = "this account is disabled: enable it first"
    YOURSELF = "this is your own account: a colleague must do this"
    LAST_ADMIN = "nobody else who can sign in is an administrator"


class StaffError(Exception):
    """What was asked of the list of staff can't be done; the message says why."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff. `name` is unique and stands in the audit; `local` has a password with us, or will. Without
    `teams` they help all. `most` conversations at the same time; None: as many as the municipality says."""

    id: str
    name: str
    display_name: str
    roles: frozenset[Role]
    local: bool
    has_password: bool
    teams: tuple[str, ...] = ()
    most: int | None = None

    def may(self, permission: Permission) -> bool:
        """Whether one of the roles allows it."""
        return permitted(self.roles, permission)


def member_of(row: Any) -> Member:
    """A row of `users` as a member."""
    local = row.issuer is None
    roles, teams, has_password = known(row.roles), tuple(row.teams or ()), row.password_hash is not None
    return Member(row.id, row.name, row.display_name, roles, local, has_password, teams, row.most)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How somebody is to be; None: as it was. `most` 0: as many conversations as the municipality says."""

    display_name: str | None = None
    roles: Iterable[Role] | None = None
    teams: Iterable[str] | None = None
    most: int | None = None


class Members:
    """The list of staff. `teams_elsewhere`: the provider of work accounts gives their teams too.

    An `actor` is who does it, for the audit. With `guarded` they are a member of staff themselves, who can't take
    their own way in, nor that of the last administrator; the commands of the engineer are the way back."""

    def __init__(self, database: Database, clock: Clock = utc_now, *, teams_elsewhere: bool = False) -> None:
        self._database = database
        self._clock = clock
        self.teams_elsewhere = teams_elsewhere

    async def exist(self) -> bool:
        """Whether there is anybody."""
        async with self._database.read() as connection:
            return await connection.scalar(sa.select(users.c.id).limit(1)) is not None

    async def listed(self) -> Sequence[Any]:
        """All of them, by name; `seen_at` is of their sessions that go on."""
        seen = sa.func.max(staff_sessions.c.seen_at, type_=staff_sessions.c.seen_at.type)
        mine = sa.select(seen).where(staff_sessions.c.user_id == users.c.id).scalar_subquery()
        query = sa.select(users, mine.label("seen_at")).order_by(users.c.name)
        async with self._database.read() as connection:
            return (await connection.execute(query)).all()

    async def name_of(self, user_id: str) -> str:
        """The name of who has this id. Raises `StaffError`."""
        async with self._database.read() as connection:
            name = await connection.scalar(sa.select(users.c.name).where(users.c.id == user_id))
        if name is None:
            raise StaffError(Why.UNKNOWN)
        return str(name)

    async def display_names(self, names: Sequence[str]) -> list[str]:
        """How those with these names are called, in the same order; who is gone by the name that they had."""
        query = sa.select(users.c.name, users.c.display_name).where(users.c.name.in_(names))
        async with self._database.read() as connection:
            shown = {row.name: row.display_name for row in (await connection.execute(query)).all()}
        return [shown.get(name, name) for name in names]

    async def add(
        self,
        name: str,
        display_name: str,
        roles: Iterable[Role],
        teams: Iterable[str] = (),
        *,
        actor: str,
        most: int | None = None,
    ) -> str:
        """Add somebody; a link with which they choose a password. Raises `StaffError`."""
        name = name.lower()
        if not _NAME.fullmatch(name):
            raise StaffError(Why.BAD_NAME)
        now, values = self._clock(), new_user(name, display_name or name, roles, teams, most=_in_range(most))
        if not values["roles"]:
            raise StaffError(Why.NO_ROLE)
        async with self._database.write() as connection:
            if await was_removed(connection, name):
                raise StaffError(Why.USED)
            added = await connection.execute(
                self._database.insert_new(users).values(**values, created_at=now)
            )
            if not added.rowcount:
                raise StaffError(Why.TAKEN)
            detail = {key: values[key] for key in ("roles", "teams", "most") if values[key]}
            await audit(connection, actor, Act.ADDED, name, at=now, detail=detail)
            return await links.make(connection, values["id"], now + links.SETUP_LIFE)

    async def disable(self, name: str, *, actor: str, guarded: bool = False) -> None:
        """Let somebody in no more, from this moment on; their conversations go back in the queue. Raises
        `StaffError`."""
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            await self._guard(connection, row, actor if guarded else None)
            await self._set(connection, row.id, disabled_at=self._clock())
            await shut_out(connection, row.id)
            await queue.gone(connection, row.name)
            await audit(connection, actor, Act.DISABLED, row.name, at=self._clock())

    async def enable(self, name: str, *, actor: str) -> None:
        """Let somebody in again, with the password that they had. Raises `StaffError`."""
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            await self._set(connection, row.id, disabled_at=None)
            await audit(connection, actor, Act.ENABLED, row.name, at=self._clock())

    async def remove(self, name: str, *, actor: str, guarded: bool = False) -> None:
        """Take somebody off the list; what they did stays in the audit, so nobody else gets their name. A work account
        comes back at its next sign-in. Raises `StaffError`."""
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            await self._guard(connection, row, actor if guarded else None)
            await connection.execute(sa.delete(users).where(users.c.id == row.id))
            await queue.gone(connection, row.name)
            await audit(connection, actor, Act.REMOVED, row.name, at=self._clock())

    async def reset(self, name: str, *, actor: str, guarded: bool = False) -> str:
        """Take away password, app and recovery codes, and end every session; a link to choose new ones. Raises
        `StaffError`."""
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            if row.issuer is not None:
                raise StaffError(Why.WORK_ACCOUNT)
            if guarded and row.disabled_at is not None:
                raise StaffError(Why.DISABLED)
            await self._guard(connection, row, actor if guarded else None)
            gone: dict[str, Any] = dict.fromkeys(
                ("password_hash", "totp_secret", "totp_pending", "totp_step")
            )
            await self._set(connection, row.id, **gone)
            await connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == row.id))
            await shut_out(connection, row.id)
            await audit(connection, actor, Act.RESET, row.name, at=self._clock())
            return await links.make(connection, row.id, self._clock() + links.SETUP_LIFE)

    async def change(self, name: str, wanted: Wanted, *, actor: str, guarded: bool = False) -> None:
        """Change what is wanted otherwise, all or nothing. Of a work account the provider gives name and roles, and
        teams where it is set up so. Raises `StaffError`."""
        async with self._database.write() as connection:
            row = await self._named(connection, name)
            changed = _changed(row, wanted)
            if row.issuer is not None:
                self._given_elsewhere(changed)
            roles = changed.get("roles")
            if roles is not None:
                if not roles:
                    raise StaffError(Why.NO_ROLE)
                if Role.ADMIN in row.roles and Role.ADMIN not in roles:
                    await self._guard(connection, row, actor if guarded else None)
                if not permitted(known(roles), Permission.ANSWER):
                    await queue.gone(connection, row.name)
            if changed:
                await self._set(connection, row.id, **changed)
            for key, value in changed.items():
                detail = {} if key == "display_name" else {key: value}
                await audit(connection, actor, _ACTS[key], row.name, at=self._clock(), detail=detail)

    def _given_elsewhere(self, changed: Iterable[str]) -> None:
        if "roles" in changed:
            raise StaffError(Why.ROLES_ELSEWHERE)
        if "display_name" in changed:
            raise StaffError(Why.NAME_ELSEWHERE)
        if "teams" in changed and self.teams_elsewhere:
            raise StaffError(Why.TEAMS_ELSEWHERE)

    async def _guard(self, connection: AsyncConnection, row: Any, actor: str | None) -> None:
        """Raises `StaffError` where a member does this to themself, or nobody would be left to manage. The rows are
        held: of two who do it to each other at once, one can."""
        if actor is None:
            return
        if row.name == actor:
            raise StaffError(Why.YOURSELF)
        if not _manages(row):
            return
        held = sa.select(users).order_by(users.c.id).with_for_update()
        left = [one for one in await connection.execute(held) if one.id != row.id]
        if not any(map(_manages, left)):
            raise StaffError(Why.LAST_ADMIN)

    async def limit(self, name: str, most: int | None, *, actor: str) -> None:
        """So many conversations at the same time from now on; None: as many as the municipality says. Raises
        `StaffError`."""
        await self.change(name, Wanted(most=most or 0), actor=actor)

    async def _named(self, connection: AsyncConnection, name: str) -> Any:
        row = (await connection.execute(sa.select(users).where(users.c.name == name.lower()))).one_or_none()
        if row is None:
            raise StaffError(Why.UNKNOWN)
        return row

    async def _set(self, connection: AsyncConnection, user_id: str, **values: Any) -> None:
        await connection.execute(sa.update(users).where(users.c.id == user_id).values(**values))


_ACTS = {
    "display_name": Act.CHANGED_NAME,
    "roles": Act.CHANGED_ROLES,
    "teams": Act.CHANGED_TEAMS,
    "most": Act.CHANGED_MOST,
}


def _changed(row: Any, wanted: Wanted) -> dict[str, Any]:
    """What of a row is wanted otherwise than it is."""
    asked: dict[str, Any] = {}
    if wanted.display_name is not None:
        asked["display_name"] = wanted.display_name[:128] or row.name
    if wanted.roles is not None:
        asked["roles"] = sorted(set(wanted.roles))
    if wanted.teams is not None:
        asked["teams"] = sorted(set(wanted.teams))
    if wanted.most is not None:
        asked["most"] = _in_range(wanted.most)
    now = {
        "display_name": row.display_name,
        "roles": sorted(row.roles),
        "teams": sorted(row.teams or ()),
        "most": row.most,
    }
    return {key: value for key, value in asked.items() if value != now[key]}


def _in_range(most: int | None) -> int | None:
    """A number of conversations as it is kept. Raises `StaffError`."""
    if most and not 1 <= most <= MOST:
        raise StaffError(Why.BAD_MOST)
    return most or None


def _manages(row: Any) -> bool:
    """Whether this is an administrator who can sign in."""
    return Role.ADMIN in row.roles and state_of(row) in ("active", "work")


def new_user(
    name: str, display_name: str, roles: Iterable[Role], teams: Iterable[str] = (), **more: Any
) -> dict[str, Any]:
    """The values of a new row, but for the moment."""
    key = str(uuid.uuid4())
    names = {"id": key, "name": name, "display_name": display_name[:128]}
    return {**names, "roles": sorted(set(roles)), "teams": sorted(set(teams)), **more}


async def was_removed(connection: AsyncConnection, name: str) -> bool:
    """Whether somebody had this name who is not here any more."""
    removed = sa.select(notes.c.seq).where(notes.c.action == Act.REMOVED, notes.c.object == name)
    return await connection.scalar(removed.limit(1)) is not None


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
