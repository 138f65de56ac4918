"""What somebody signs in with: chosen for the first time by a link, changed later by who is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import Act, audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import users
from bot.staff import links, recovery, totp
from bot.staff.members import FIRST, Member, active, member_of, new_user, shut_out
from bot.staff.passwords import Passwords
from bot.staff.roles import Role
from bot.staff.secret import is_token
from bot.staff.sessions import Sessions


class WrongCode(Exception):
    """The code of the app is not right."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A session that goes on, and recovery codes to be shown once."""

    token: str
    codes: list[str]


class Credentials:
    """Sets passwords and apps."""

    def __init__(
        self, database: Database, sessions: Sessions, passwords: Passwords, clock: Clock = utc_now
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._passwords = passwords
        self._clock = clock

    async def invited(self, token: str) -> Member | None:
        """Who may choose a password with this link; None where it counts no more."""
        async with self._database.read() as connection:
            row = await self._invited(connection, token)
        return member_of(row) if row is not None else None

    async def _invited(self, connection: AsyncConnection, token: str) -> Any | None:
        link = await links.find(connection, token, self._clock()) if is_token(token) else None
        if link is None or link.user_id is None:
            return None
        return await active(connection, users.c.id == link.user_id)

    async def _taken(self, connection: AsyncConnection, link: str) -> bool:
        return await self._invited(connection, link) is not None and await links.use(connection, link)

    async def pending(self, member: Member) -> str:
        """The secret of the app that is being set up; the same until a code of it was given."""
        async with self._database.write() as connection:
            mine = users.c.id == member.id
            empty = sa.update(users).where(mine, users.c.totp_pending.is_(None))
            await connection.execute(empty.values(totp_pending=totp.new_secret()))
            return str(await connection.scalar(sa.select(users.c.totp_pending).where(mine)))

    async def choose(self, member: Member, password: str, code: str, link: str | None) -> Chosen | None:
        """Take a password and an app, by a link or, without one, by who is in without a password. All sessions end
        but the new one. None where the link counts no more. Raises `WrongCode`."""
        kept = await self._passwords.hash(password)
        async with self._database.write() as connection:
            if link is not None and not await self._taken(connection, link):
                return None
            row = await active(connection, users.c.id == member.id)
            if row is None or (link is None and row.password_hash is not None):
                return None
            codes = await self._new_app(connection, row, code)
            changed = sa.update(users).where(users.c.id == row.id)
            await connection.execute(changed.values(password_hash=kept))
            await shut_out(connection, row.id)
            await audit(connection, row.name, Act.CHOSE, at=self._clock())
            token = await self._sessions.begin(connection, row.id, row.name, "link" if link else "first link")
        return Chosen(token, codes)

    async def change_password(self, member: Member, password: str) -> str:
        """Take another password; all sessions end but a new one, whose token this is."""
        kept = await self._passwords.hash(password)
        async with self._database.write() as connection:
            changed = sa.update(users).where(users.c.id == member.id).values(password_hash=kept)
            await connection.execute(changed)
            return await self._anew(connection, member, Act.CHANGED_PASSWORD)

    async def change_app(self, member: Member, code: str) -> Chosen:
        """Take the pending app, and new recovery codes; all sessions end but a new one. Raises `WrongCode`."""
        async with self._database.write() as connection:
            row = (await connection.execute(sa.select(users).where(users.c.id == member.id))).one()
            codes = await self._new_app(connection, row, code)
            return Chosen(await self._anew(connection, member, Act.CHANGED_APP), codes)

    async def _new_app(self, connection: AsyncConnection, row: Any, code: str) -> list[str]:
        step = totp.step_of(row.totp_pending, code, self._clock()) if row.totp_pending else None
        if step is None:
            raise WrongCode
        values = {"totp_secret": row.totp_pending, "totp_pending": None, "totp_step": step}
        await connection.execute(sa.update(users).where(users.c.id == row.id).values(**values))
        codes = recovery.new_codes()
        await recovery.keep(connection, row.id, codes)
        return codes

    async def _anew(self, connection: AsyncConnection, member: Member, what: Act) -> str:
        await shut_out(connection, member.id)
        await audit(connection, member.name, what, at=self._clock())
        return await self._sessions.renew(connection, member.id)

    async def first_link(self) -> str | None:
        """The token with which the first comes in, as admin; None where somebody is known already."""
        async with self._database.write() as connection:
            if await connection.scalar(sa.select(users.c.id).limit(1)) is not None:
                return None
            return await links.make(connection, None, self._clock() + links.FIRST_LIFE)

    async def first(self, token: str) -> str | None:
        """Let the first in, by that link and once; the token of a session."""
        if not is_token(token):
            return None
        now = self._clock()
        async with self._database.write() as connection:
            link = await links.find(connection, token, now)
            if link is None or link.user_id is not None or not await links.use(connection, token):
                return None
            if await connection.scalar(sa.select(users.c.id).limit(1)) is not None:
                return None
            row = new_user(FIRST, "Beheerder", [Role.ADMIN])
            await connection.execute(sa.insert(users).values(**row, created_at=now))
            await audit(connection, FIRST, Act.ADDED, FIRST, at=now, detail={"roles": row["roles"]})
            return await self._sessions.begin(connection, row["id"], FIRST, "first link")
