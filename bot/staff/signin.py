"""Sign-in with a password and a code: one answer and one amount of work for all that is not right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import NOBODY, Act, audit
from bot.bus.memory import MemoryBus
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import users
from bot.ports import Bus
from bot.staff import recovery, totp
from bot.staff.members import active
from bot.staff.passwords import Passwords
from bot.staff.secret import hashed
from bot.staff.sessions import Sessions

_ADDRESS_RATE, _ADDRESS_BURST = 1 / 6, 20
_ACCOUNT_RATE, _ACCOUNT_BURST = 1 / 30, 8
"""After eight times in a row one try each half minute: a code of six digits is not guessed in a lifetime."""

_NO_APP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""Compared with where there is no app, so that it takes as long."""


class TooFast(Exception):
    """Too many tries from one address or for one name; it passes by itself."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What somebody typed to be let in. `code` is of the app, or a recovery code."""

    name: str
    password: str
    code: str


class Limits:
    """How often may be tried. Counted here too, so that it holds while the bus is away."""

    def __init__(self, bus: Bus) -> None:
        self._buses = (MemoryBus(), bus)

    async def take(self, address: str, account: str) -> None:
        """One try. Raises `TooFast`."""
        for bus in self._buses:
            here = await bus.allow(f"sign-in:address:{address}", rate=_ADDRESS_RATE, burst=_ADDRESS_BURST)
            if not here or not await self._account(bus, account):
                raise TooFast

    async def _account(self, bus: Bus, account: str) -> bool:
        key = f"sign-in:account:{hashed(account)}"  # what was typed may be anything, a password too
        return await bus.allow(key, rate=_ACCOUNT_RATE, burst=_ACCOUNT_BURST)


class SignIn:
    """Lets members in who have a password with us."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        passwords: Passwords,
        limits: Limits,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._passwords = passwords
        self._limits = limits
        self._clock = clock

    async def try_in(self, proofs: Proofs, address: str) -> str | None:
        """The token of a new session, or None: which of the three was wrong is told to nobody. Raises `TooFast`."""
        name = proofs.name.strip().lower()
        await self._limits.take(address, name)
        async with self._database.read() as connection:
            row = await active(connection, users.c.name == name, users.c.issuer.is_(None))
        right = await self._passwords.fits(proofs.password, row.password_hash if row else None)
        now = self._clock()
        step = totp.step_of((row.totp_secret if row else None) or _NO_APP, proofs.code, now)
        renewed = None
        if right and row and self._passwords.is_old(row.password_hash):
            renewed = await self._passwords.hash(proofs.password)
        async with self._database.write() as connection:
            if await self._second(connection, row, step, proofs.code, right) and row:
                if renewed:
                    changed = sa.update(users).where(users.c.id == row.id).values(password_hash=renewed)
                    await connection.execute(changed)
                return await self._sessions.begin(connection, row.id, row.name, "password")
            await audit(connection, NOBODY, Act.SIGN_IN_FAILED, row.id if row else "", at=now)
        return None

    async def confirms(self, user_id: str, password: str, address: str) -> bool:
        """Whether somebody who is in knows the password, before something of the account changes. Raises
        `TooFast`."""
        await self._limits.take(address, user_id)
        async with self._database.read() as connection:
            row = await active(connection, users.c.id == user_id)
        return await self._passwords.fits(password, row.password_hash if row else None)

    async def _second(
        self, connection: AsyncConnection, row: Any | None, step: int | None, code: str, right: bool
    ) -> bool:
        """Whether the code is good, once. With a wrong password nothing is taken, but the same is looked at."""
        now = await active(connection, users.c.id == (row.id if row else ""))
        # Between the look and now somebody may have been disabled or reset.
        same = now is not None and row is not None and now.password_hash == row.password_hash
        good = row if row and row.totp_secret and right and same else None
        if good and step is not None:
            return await use_step(connection, good.id, step)
        return await recovery.use(connection, good.id if good else "", code)


async def use_step(connection: AsyncConnection, user_id: str, step: int) -> bool:
    """Note that the code of this half minute was used; False where it, or a later one, was used before."""
    fresh = sa.or_(users.c.totp_step.is_(None), users.c.totp_step < step)
    used = await connection.execute(
        sa.update(users).where(users.c.id == user_id, fresh).values(totp_step=step)
    )
    return used.rowcount == 1
