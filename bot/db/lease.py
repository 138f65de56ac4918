"""A named lease: of several processes one does a job, and another takes over when it dies."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import sqlalchemy as sa

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

    async def run(self, job: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, do the job, renew; returns when the job returns. Gives the lease back at the end."""
        try:
            while not await self._take():
                await asyncio.sleep(RENEW)
            task = asyncio.ensure_future(job())
            try:
                while not task.done():
                    await asyncio.wait({task}, timeout=RENEW)
                    if not task.done() and not await self._take():
                        log.error("lost the lease %s: another process took it", self._name)
                        return
                await task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        finally:
            async with self._database.write() as connection:
                await connection.execute(
                    sa.delete(leases).where(leases.c.name == self._name, leases.c.token == self._token)
                )

    async def _take(self) -> bool:
        """Take or renew; whether it is ours now."""
        now = self._clock()
        values = {"token": self._token, "until": now + HOLD}
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
        return taken.rowcount == 1
