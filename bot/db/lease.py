"""A named lease: of several processes one does a job, and another takes over when it dies."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import leases

log = logging.getLogger(__name__)

HOLD = timedelta(seconds=20)
RENEW = 5.0


class NamedLease:
    """Runs a job only while the lease is ours."""

    def __init__(self, database: Database, name: str, clock: Clock = utc_now) -> None:
        self._database = database
        self._name = name
        self._clock = clock
        self._token = str(uuid.uuid4())
        self._until = datetime.min.replace(tzinfo=UTC)

    async def run(self, job: Callable[[], Awaitable[None]]) -> None:
        """Do the job while the lease is ours, again after it was lost; returns when the job returns. Gives the
        lease back at the end. A store that is away is no reason to end."""
        try:
            while not await self._held(job):
                log.error("lost the lease %s: another process took it", self._name)
        finally:
            with suppress(SQLAlchemyError, OSError):  # then it runs out by itself
                await self._give_back()

    async def _held(self, job: Callable[[], Awaitable[None]]) -> bool:
        """Wait for the lease, and do the job; False where the lease was lost before it was done."""
        while not await self._take():
            await asyncio.sleep(RENEW)
        task = asyncio.ensure_future(job())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=RENEW)
                if not task.done() and not await self._take():
                    return False
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return True

    async def _take(self) -> bool:
        """Take or renew; whether it is ours now. Where the store does not answer it is ours until it runs out."""
        now = self._clock()
        values = {"token": self._token, "until": now + HOLD}
        try:
            async with self._database.write() as connection:
                await connection.execute(self._database.insert_new(leases), [{"name": self._name, **values}])
                taken = await connection.execute(
                    sa.update(leases)
                    .where(
                        leases.c.name == self._name,
                        sa.or_(leases.c.token == self._token, leases.c.until < now),
                    )
                    .values(**values)
                )
        except (SQLAlchemyError, OSError) as error:
            log.warning("the store does not answer on the lease %s: %s", self._name, type(error).__name__)
            return now < self._until
        self._until = now + HOLD if taken.rowcount == 1 else now
        return taken.rowcount == 1

    async def _give_back(self) -> None:
        mine = sa.and_(leases.c.name == self._name, leases.c.token == self._token)
        async with self._database.write() as connection:
            await connection.execute(sa.delete(leases).where(mine))
