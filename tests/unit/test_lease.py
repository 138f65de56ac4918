"""A named lease: one of several does the job, and another takes over; a store that is away ends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from bot.db import lease as module
from bot.db.database import Database
from bot.db.lease import HOLD, NamedLease
from bot.db.tables import leases
from tests.conftest import SetClock


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEW", 0.02)


class Job:
    """Runs until told; counts how often it was begun and how many run now."""

    def __init__(self) -> None:
        self.begun = self.running = 0
        self.end = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        self.running += 1
        try:
            await self.end.wait()
        finally:
            self.running -= 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(lease: NamedLease, job: Job) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(lease.run(job))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def holders(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(leases)) or 0)


async def test_only_one_of_them_works(database: Database, clock: SetClock) -> None:
    job = Job()
    rivals = [NamedLease(database, "x", clock) for _ in range(4)]
    async with (
        running(rivals[0], job),
        running(rivals[1], job),
        running(rivals[2], job),
        running(rivals[3], job),
    ):
        await until(lambda: job.running == 1)
        await asyncio.sleep(0.2)
        assert (job.begun, job.running) == (1, 1)
    assert job.running == 0
    assert await holders(database) == 0


async def test_the_next_one_takes_over_at_once_after_a_stop(database: Database, clock: SetClock) -> None:
    first, second = Job(), Job()
    async with running(NamedLease(database, "x", clock), first):
        await until(lambda: first.running == 1)
        task = asyncio.create_task(NamedLease(database, "x", clock).run(second))
    await until(lambda: second.running == 1)
    second.end.set()
    await task
    assert await holders(database) == 0


async def test_who_died_is_followed_when_the_lease_runs_out(database: Database, clock: SetClock) -> None:
    async with database.write() as connection:
        await connection.execute(sa.insert(leases).values(name="x", token="dead", until=clock() + HOLD))
    job = Job()
    async with running(NamedLease(database, "x", clock), job):
        await asyncio.sleep(0.1)
        assert job.begun == 0
        clock.forward(seconds=HOLD.total_seconds() + 1)
        await until(lambda: job.running == 1)


async def test_who_lost_it_stops_and_waits_for_it_again(database: Database, clock: SetClock) -> None:
    job = Job()
    async with running(NamedLease(database, "x", clock), job):
        await until(lambda: job.running == 1)
        async with database.write() as connection:
            await connection.execute(sa.update(leases).values(token="other", until=clock() + HOLD))
        await until(lambda: job.running == 0)
        clock.forward(seconds=HOLD.total_seconds() + 1)
        await until(lambda: job.running == 1)
        assert job.begun == 2


async def test_a_store_that_is_away_for_a_moment_ends_nothing(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    @asynccontextmanager
    async def away() -> AsyncIterator[None]:
        nonlocal asked
        asked += 1
        raise OSError("away")
        yield

    job = Job()
    async with running(NamedLease(database, "x", clock), job) as task:
        await until(lambda: job.running == 1)
        monkeypatch.setattr(database, "write", away)
        await until(lambda: asked > 3)
        assert job.running == 1  # it is ours until it runs out
        clock.forward(seconds=HOLD.total_seconds() + 1)
        await until(lambda: job.running == 0)  # now it may be another's
        monkeypatch.undo()
        monkeypatch.setattr(module, "RENEW", 0.02)
        await until(lambda: job.running == 1)
        assert not task.done()
    assert job.begun == 2


async def test_leases_of_other_names_do_not_wait_for_each_other(database: Database, clock: SetClock) -> None:
    one, two = Job(), Job()
    async with running(NamedLease(database, "x", clock), one), running(NamedLease(database, "y", clock), two):
        await until(lambda: one.running == two.running == 1)


async def test_a_job_that_fails_gives_the_lease_back(database: Database, clock: SetClock) -> None:
    async def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await NamedLease(database, "x", clock).run(fail)
    assert await holders(database) == 0
