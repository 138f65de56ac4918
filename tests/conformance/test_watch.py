"""The watch: who looks hears what changed, and only that. On both stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import queue
from bot import watch as watching
from bot.app.roles import background
from bot.board import Boards
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import handoffs, outbox
from bot.desk import Agent
from bot.model import Delivery
from bot.signs import TYPES
from bot.thread import Threads
from bot.watch import OWN, QUEUE, THREAD, TYPING, Viewer, Watch
from tests.conformance.test_desk import ELS, JAN, here, waits
from tests.conftest import SetClock
from tests.house import PASSPORT, TestHouse, article

LIA = Agent("lia", "Lia", ("burgerzaken",), 3)

PATIENCE = 20.0


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def house(database: Database, bus: MemoryBus, clock: SetClock) -> TestHouse:
    return TestHouse(database, bus, clock)


@pytest.fixture
async def watch(house: TestHouse, bus: MemoryBus) -> AsyncIterator[Watch]:
    boards = Boards(house.database, house.municipality, article, house.clock)
    made = Watch(bus, boards, Threads(house.database, {"kept": house.channel}, house.clock))
    async with background(made.keep_watching()):
        yield made


async def hears(viewer: Viewer, *parts: str) -> None:
    """Until all these parts were told of."""
    wanted = set(parts)
    async with asyncio.timeout(PATIENCE):
        while wanted:
            wanted -= set(await viewer.next())


async def quiet(viewer: Viewer) -> None:
    """Until all is told that there is to tell."""
    while await silence(viewer, 0.5):
        pass


async def silence(viewer: Viewer, seconds: float = 0.3) -> list[str]:
    """What is told in this time; nothing, where nothing concerns them."""
    try:
        async with asyncio.timeout(seconds):
            return await viewer.next()
    except TimeoutError:
        return []


@pytest.fixture
def no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only wakes count."""
    monkeypatch.setattr(watching, "LOOK", 3600.0)
    monkeypatch.setattr(watching, "QUEUE_PACE", 0.3)


class TestWakes:
    @pytest.fixture(autouse=True)
    def only(self, no_looks: None) -> None:
        """No looks in between."""

    async def test_who_comes_fetches_all(self, house: TestHouse, watch: Watch) -> None:
        key = await waits(house)
        async with watch.viewer("els", ELS.teams, key) as viewer:
            assert await viewer.next() == [OWN, QUEUE, THREAD]
        async with watch.viewer("els", ELS.teams, "") as viewer:
            assert await viewer.next() == [OWN, QUEUE]

    async def test_a_line_reaches_whose_it_is(self, house: TestHouse, watch: Watch) -> None:
        key = await waits(house)
        await here(house, ELS, JAN)
        await house.desk.take(key, ELS)
        async with (
            watch.viewer("els", ELS.teams, key) as els,
            watch.viewer("jan", JAN.teams, key) as looks_on,
            watch.viewer("jan", JAN.teams, "") as elsewhere,
        ):
            for viewer in (els, looks_on, elsewhere):
                await quiet(viewer)
            await house.say("hallo?")
            await house.work()
            await hears(els, OWN, THREAD)
            assert await silence(looks_on) == [THREAD]
            assert await silence(elsewhere) == []

    async def test_the_queue_is_told_to_its_teams_at_a_pace(
        self, house: TestHouse, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watching, "QUEUE_PACE", 1.0)
        async with (
            watch.viewer("els", ELS.teams, "") as els,
            watch.viewer("lia", LIA.teams, "") as lia,
        ):
            await quiet(els)
            await quiet(lia)
            marks = [watch.mark(ELS.teams), watch.mark(LIA.teams)]
            await waits(house, "r1")
            assert await els.next() == [QUEUE]
            assert [watch.mark(ELS.teams) != marks[0], watch.mark(LIA.teams) != marks[1]] == [True, False]
            began = asyncio.get_running_loop().time()
            await waits(house, "r2", topic=PASSPORT.slug)
            await waits(house, "r3", topic=PASSPORT.slug)
            assert await lia.next() == [QUEUE]
            assert await els.next() == [QUEUE]
            assert asyncio.get_running_loop().time() - began > 0.5, "not at once again"
            assert await silence(els, 1.5) == [], "many changes are one word"

    async def test_taken_elsewhere(self, house: TestHouse, watch: Watch) -> None:
        key = await waits(house)
        await here(house, ELS, JAN)
        async with watch.viewer("els", ELS.teams, "") as els, watch.viewer("jan", JAN.teams, key) as jan:
            await quiet(els)
            await quiet(jan)
            await house.desk.take(key, ELS)
            await hears(els, OWN, QUEUE)
            await hears(jan, QUEUE, THREAD)

    async def test_presence_in_another_tab(self, house: TestHouse, watch: Watch) -> None:
        await here(house, ELS)
        async with watch.viewer("els", ELS.teams, "") as els:
            await quiet(els)
            await house.desk.seen(ELS, queue.BREAK)
            assert await els.next() == [OWN]

    async def test_an_offer_and_its_end(
        self, house: TestHouse, watch: Watch, bus: MemoryBus, clock: SetClock
    ) -> None:
        key = await waits(house)
        await here(house, ELS, JAN)
        async with watch.viewer("els", ELS.teams, "") as els, watch.viewer("jan", JAN.teams, "") as jan:
            await quiet(els)
            await quiet(jan)
            until = clock() + timedelta(seconds=30)
            async with house.database.write() as connection:
                offer = sa.update(handoffs).values(offered_to="els", offered_until=until)
                await connection.execute(offer)
            await bus.publish("console", key)
            await hears(els, OWN)
            clock.forward(seconds=31)
            await bus.publish("console")
            await hears(els, OWN)
            assert OWN not in await silence(jan)

    async def test_typing(self, house: TestHouse, watch: Watch, bus: MemoryBus) -> None:
        key = await waits(house)
        async with watch.viewer("els", ELS.teams, key) as els, watch.viewer("jan", JAN.teams, "") as jan:
            await quiet(els)
            await quiet(jan)
            await bus.publish(TYPES, key)
            assert await els.next() == [TYPING]
            await bus.publish(TYPES)
            assert await silence(els) == await silence(jan) == []


async def test_without_a_wake_a_look_tells(
    house: TestHouse, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK", 0.2)
    key = await waits(house)
    await here(house, ELS)
    await house.desk.take(key, ELS)
    async with watch.viewer("els", ELS.teams, key) as els:
        await hears(els, OWN, QUEUE, THREAD)
        async with house.database.write() as connection:
            await connection.execute(sa.update(outbox).values(state=Delivery.READ))
        await hears(els, THREAD)


async def test_a_store_that_is_away_is_looked_at_again(
    house: TestHouse, watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watching, "LOOK", 0.1)
    key = await waits(house)
    await here(house, ELS)
    async with watch.viewer("els", ELS.teams, key) as els:
        await hears(els, OWN, QUEUE, THREAD)
        with monkeypatch.context() as away:

            async def refuse(*_args: object) -> None:
                raise OSError("gone")

            away.setattr(watch._boards, "rows", refuse)
            await house.desk.take(key, ELS)
            async with asyncio.timeout(PATIENCE):
                while "the consoles can't be told" not in caplog.text:
                    await asyncio.sleep(0.02)
        await hears(els, OWN, QUEUE, THREAD)
