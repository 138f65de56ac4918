"""What every bus does."""

from __future__ import annotations

import asyncio

import pytest

from bot.bus.memory import MemoryBus
from bot.bus.redis import RedisBus
from bot.ports import Bus
from tests import services

SOON = 5.0


class TestBus:
    """Inherited behaviour, run on each implementation by the `bus` fixture."""

    async def test_it_fits_the_protocol(self, bus: Bus) -> None:
        assert isinstance(bus, Bus)
        assert (await bus.health()).state == "ok"

    async def test_a_wake_reaches_all_who_listen_to_its_topic(self, bus: Bus) -> None:
        async with (
            bus.subscribe("a") as first,
            bus.subscribe("a", "b") as second,
            bus.subscribe("b") as other,
        ):
            await bus.publish("a", "één")
            async with asyncio.timeout(SOON):
                assert await anext(first) == ("a", "één")
                assert await anext(second) == ("a", "één")
                await bus.publish("b", "twee")
                assert await anext(second) == ("b", "twee")
                assert await anext(other) == ("b", "twee")

    async def test_wakes_come_in_order(self, bus: Bus) -> None:
        async with bus.subscribe("a") as wakes:
            for number in range(100):
                await bus.publish("a", str(number))
            async with asyncio.timeout(SOON):
                assert [(await anext(wakes))[1] for _ in range(100)] == [str(n) for n in range(100)]

    async def test_nobody_listens(self, bus: Bus) -> None:
        await bus.publish("nobody", "x")

    async def test_a_reader_that_lags_gets_the_newest(self, bus: Bus) -> None:
        async with bus.subscribe("a") as wakes:
            for number in range(1500):
                await bus.publish("a", str(number))
            async with asyncio.timeout(SOON):
                last = ""
                while last != "1499":
                    last = (await anext(wakes))[1]

    async def test_a_bucket_runs_out_and_is_one_for_each_key(self, bus: Bus) -> None:
        taken = [await bus.allow("resident", rate=0.001, burst=3) for _ in range(4)]
        assert taken == [True, True, True, False]
        assert await bus.allow("other", rate=0.001, burst=3)

    async def test_a_bucket_fills_again(self, bus: Bus) -> None:
        assert await bus.allow("resident", rate=50, burst=1)
        async with asyncio.timeout(SOON):
            while not await bus.allow("resident", rate=50, burst=1):
                await asyncio.sleep(0.005)


async def test_tokens_are_saved_up_to_the_burst() -> None:
    now = 0.0
    bus = MemoryBus(lambda: now)
    assert [await bus.allow("k", rate=1, burst=2) for _ in range(3)] == [True, True, False]
    now = 1.0
    assert [await bus.allow("k", rate=1, burst=2) for _ in range(2)] == [True, False]
    now = 100.0
    assert [await bus.allow("k", rate=1, burst=2) for _ in range(3)] == [True, True, False]


class TestRedisGone:
    """Redis is never the truth: without it nothing raises, and work goes on."""

    async def test_work_goes_on(self) -> None:
        bus = RedisBus(f"redis://127.0.0.1:{services.free_port()}/0")
        await bus.publish("a")
        assert await bus.allow("k", rate=1, burst=1)
        health = await bus.health()
        assert health.state == "degraded"
        assert health.ready
        async with bus.subscribe("a"):
            pass
        await bus.close()

    async def test_two_installations_do_not_hear_each_other(self, redis_prefix: str) -> None:
        url = services.need(services.redis)
        ours, theirs = RedisBus(url, prefix=f"{redis_prefix}-a"), RedisBus(url, prefix=f"{redis_prefix}-b")
        async with ours.subscribe("a") as wakes:
            await theirs.publish("a", "theirs")
            await ours.publish("a", "ours")
            async with asyncio.timeout(SOON):
                assert await anext(wakes) == ("a", "ours")
        await ours.close()
        await theirs.close()

    async def test_a_lost_connection_comes_back_with_a_wake(self, redis_prefix: str) -> None:
        bus = RedisBus(services.need(services.redis), prefix=redis_prefix)
        async with bus.subscribe("a") as wakes:
            kicked = await bus._listening.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            assert kicked >= 1
            async with asyncio.timeout(SOON):
                assert await anext(wakes) == ("a", "")
                await bus.publish("a", "again")
                while await anext(wakes) != ("a", "again"):
                    pass
        await bus.close()


@pytest.mark.parametrize("burst", [1, 5])
async def test_a_bucket_shared_by_two_processes(redis_prefix: str, burst: int) -> None:
    url = services.need(services.redis)
    one, two = RedisBus(url, prefix=redis_prefix), RedisBus(url, prefix=redis_prefix)
    allowed = [await bus.allow("k", rate=0.001, burst=burst) for bus in (one, two) * 5]
    assert allowed.count(True) == burst
    await one.close()
    await two.close()
