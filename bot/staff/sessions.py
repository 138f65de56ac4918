"""Sessions of staff: a random token in a cookie, its hash in the store, ended by rest, by age or on request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import Act, audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import staff_links, staff_sessions, users, work_sign_ins
from bot.staff.members import Member, member_of
from bot.staff.secret import hashed, is_token, new_token

LONGEST = timedelta(hours=12)
_NOTE = timedelta(minutes=1)
"""So often at most is written down that somebody is still there."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at a page. `token` is the cookie's; `member` is None as long as nobody has signed in with it."""

    token: str
    member: Member | None = None

    @property
    def csrf(self) -> str:
        """The word that a form must bring back. Who can't read the cookie can't make it."""
        return hashed(f"csrf:{self.token}")


class Sessions:
    """Begins, finds and ends sessions. `local`: whether who has a password with us may be in."""

    def __init__(
        self, database: Database, idle_minutes: int, clock: Clock = utc_now, *, local: bool = True
    ) -> None:
        self._database = database
        self._idle = timedelta(minutes=idle_minutes)
        self._clock = clock
        self._local = local

    async def begin(self, connection: AsyncConnection, user_id: str, name: str, how: str) -> str:
        """A session for who has just shown who they are; its token. What is over is cleared away."""
        now = self._clock()
        await self._tidy(connection, now)
        await connection.execute(sa.update(users).where(users.c.id == user_id).values(signed_in_at=now))
        await audit(connection, name, Act.SIGNED_IN, at=now, detail={"how": how})
        return await self.renew(connection, user_id)

    async def renew(self, connection: AsyncConnection, user_id: str) -> str:
        """One more session for who is in; its token."""
        token, now = new_token(), self._clock()
        row = {"user_id": user_id, "created_at": now, "seen_at": now, "until": now + LONGEST}
        await connection.execute(sa.insert(staff_sessions).values(token_hash=hashed(token), **row))
        return token

    async def find(self, token: str) -> Member | None:
        """Who has this session; None where it is over, or its owner may not be in."""
        if not is_token(token):
            return None
        now, key = self._clock(), hashed(token)
        query = (
            sa.select(users, staff_sessions.c.seen_at)
            .join(staff_sessions, staff_sessions.c.user_id == users.c.id)
            .where(
                staff_sessions.c.token_hash == key,
                staff_sessions.c.until > now,
                staff_sessions.c.seen_at > now - self._idle,
                users.c.disabled_at.is_(None),
                sa.true() if self._local else users.c.issuer.is_not(None),
            )
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        if row.seen_at <= now - min(_NOTE, self._idle / 4):
            async with self._database.write() as connection:
                seen = sa.update(staff_sessions).where(staff_sessions.c.token_hash == key)
                await connection.execute(seen.values(seen_at=now))
        return member_of(row)

    async def end(self, token: str, name: str) -> None:
        """Sign out."""
        async with self._database.write() as connection:
            gone = sa.delete(staff_sessions).where(staff_sessions.c.token_hash == hashed(token))
            if (await connection.execute(gone)).rowcount:
                await audit(connection, name, Act.SIGNED_OUT, at=self._clock())

    async def _tidy(self, connection: AsyncConnection, now: datetime) -> None:
        quiet = staff_sessions.c.seen_at <= now - self._idle
        await connection.execute(
            sa.delete(staff_sessions).where(sa.or_(staff_sessions.c.until <= now, quiet))
        )
        for table in (staff_links, work_sign_ins):
            await connection.execute(sa.delete(table).where(table.c.until <= now))
