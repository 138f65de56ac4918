"""Offers: who waits is offered to who is free longest, one agent at a time, and may be picked by anybody. On both
stores."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot import queue
from bot.board import Boards, Own
from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import handoffs, presences
from bot.desk import Agent, Full, Outcome, TakenBy
from bot.model import Owner
from bot.offers import Offers
from tests.conformance.test_desk import ELS, JAN, here, row, waits
from tests.conftest import SetClock
from tests.house import PASSPORT, TestHouse, article

ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where only `bot.offers.changes` decides: the store makes no difference."""

PIET = Agent("piet", "Piet", ("kcc",), 3)


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    return TestHouse(database, MemoryBus(), clock)


async def one_by_one(house: TestHouse, clock: SetClock, *agents: Agent) -> None:
    """They become available in this order: the first is free longest."""
    for agent in agents:
        await here(house, agent)
        clock.forward(seconds=1)


async def offered(house: TestHouse) -> dict[str, str]:
    """To whom each conversation is offered at this moment."""
    await house.offers.look()
    rows = await house.rows(handoffs)
    return {
        one.conversation_id: one.offered_to for one in rows if one.state == queue.WAITING and one.offered_to
    }


async def board(house: TestHouse, agent: Agent) -> Own:
    return await Boards(house.database, house.municipality, article, house.clock).own(agent.id)


async def line(house: TestHouse, agent: Agent) -> list[str]:
    """Who waits, as the agent sees it."""
    boards = Boards(house.database, house.municipality, article, house.clock)
    return [card.conversation_id for card in (await boards.line(agent.teams)).cards]


async def free_since(house: TestHouse, agent: Agent) -> object:
    return next(one.free_since for one in await house.rows(presences) if one.agent == agent.id)


class TestToWhom:
    async def test_who_is_free_longest_sees_it_and_takes_it(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, ELS)
        key = await waits(house)
        clock.forward(seconds=5)
        assert await offered(house) == {key: "jan"}
        assert await house.offers.look() == 0, "it stands"
        offer = (await board(house, JAN)).offer
        assert offer is not None
        assert (offer.card.conversation_id, offer.until) == (key, clock() + timedelta(seconds=30))
        assert (await board(house, ELS)).offer is None
        assert await line(house, ELS) == [key]
        await house.desk.take(key, JAN)
        assert (await board(house, JAN)).offer is None
        assert await house.owner() is Owner.AGENT

    @ONLY_SQLITE
    async def test_the_next_conversation_goes_to_who_has_nothing_in_hand(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        await one_by_one(house, clock, JAN, ELS, PIET)
        order = []
        for number in range(5):
            key = await waits(house, f"r{number}")
            [to] = (await offered(house)).values()
            order.append(to)
            agent = next(one for one in (ELS, JAN, PIET) if one.id == to)
            await house.desk.take(key, agent)
            clock.forward(seconds=1)
        assert order == ["jan", "els", "piet", "jan", "els"]

    @pytest.mark.parametrize("end", ["close", "give_back", "hand_over", "reclaim"])
    async def test_free_is_since_the_last_conversation_went(
        self, house: TestHouse, clock: SetClock, end: str
    ) -> None:
        await one_by_one(house, clock, JAN, ELS)
        key = await waits(house)
        await house.desk.take(key, JAN)
        clock.forward(minutes=1)
        match end:
            case "hand_over":
                await house.desk.hand_over(key, JAN, "zo", team="burgerzaken")
            case "reclaim":
                clock.forward(minutes=8)
                await house.desk.seen(ELS)
                assert await house.tending.reclaim() == 1
            case _:
                await getattr(house.desk, end)(key, JAN, Outcome.HANDLED)
        assert await free_since(house, JAN) == clock()

    async def test_free_is_since_one_came_back(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, ELS)
        since = await free_since(house, JAN)
        clock.forward(seconds=90)
        await here(house, JAN, ELS)
        assert await free_since(house, JAN) == since, "there all the time"
        clock.forward(minutes=3)
        await house.desk.seen(JAN)
        assert await free_since(house, JAN) == clock()
        await house.desk.seen(JAN, queue.BREAK)
        clock.forward(seconds=10)
        await house.desk.seen(JAN, queue.AVAILABLE)
        assert await free_since(house, JAN) == clock()

    @ONLY_SQLITE
    async def test_only_of_ones_team(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, ELS)
        key = await waits(house, topic=PASSPORT.slug)
        assert await offered(house) == {key: "els"}

    @ONLY_SQLITE
    async def test_nobody_who_is_full_or_not_there(self, house: TestHouse, clock: SetClock) -> None:
        first = await waits(house, "r1")
        await here(house, replace(JAN, most=1))
        await house.desk.take(first, replace(JAN, most=1))
        key = await waits(house, "r2")
        assert await offered(house) == {}
        await house.desk.seen(ELS, queue.BREAK)
        assert await offered(house) == {}
        await here(house, PIET)
        clock.forward(minutes=3)
        assert await offered(house) == {}, "nobody was seen for three minutes"
        await house.desk.seen(PIET)
        assert await offered(house) == {key: "piet"}

    @ONLY_SQLITE
    async def test_one_at_a_time_each(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, ELS)
        keys = []
        for number in range(3):
            keys.append(await waits(house, f"r{number}"))
            clock.forward(seconds=1)
        assert await offered(house) == {keys[0]: "jan", keys[1]: "els"}
        await house.desk.take(keys[0], JAN)
        assert await offered(house) == {keys[1]: "els", keys[2]: "jan"}

    @ONLY_SQLITE
    async def test_who_is_in_trouble_goes_first(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN)
        calm = await waits(house, "r1")
        clock.forward(seconds=1)
        assert await offered(house) == {calm: "jan"}
        trouble = await waits(house, "r2", reason="distress")
        assert await offered(house) == {trouble: "jan"}, "another offer makes room"
        other = await waits(house, "r3", reason="distress")
        assert await offered(house) == {trouble: "jan"}, "one who is as much in trouble does not"
        await here(house, PIET)
        assert await offered(house) == {trouble: "jan", other: "piet"}

    @ONLY_SQLITE
    async def test_a_municipality_can_do_without(self, house: TestHouse, clock: SetClock) -> None:
        await here(house, JAN)
        await waits(house)
        assert await Offers(house.database, house.bus, timedelta(0), clock).look() == 0


class TestNotTaken:
    async def test_in_time_or_not_at_all(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, ELS)
        key = await waits(house)
        assert await offered(house) == {key: "jan"}
        clock.forward(seconds=29)
        assert await offered(house) == {key: "jan"}
        clock.forward(seconds=1)
        assert (await board(house, JAN)).offer is None, "also before somebody looked"
        assert await offered(house) == {key: "els"}
        await house.desk.take(key, JAN)  # from the list: that stays

    async def test_refused_by_all_it_stays_in_the_list(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, ELS)
        key = await waits(house)
        for agent in (JAN, ELS):
            assert await offered(house) == {key: agent.id}
            await house.offers.decline(key, agent.id)
        clock.forward(seconds=60)
        await here(house, JAN, ELS)
        assert await offered(house) == {}
        for agent in (JAN, ELS):
            assert await line(house, agent) == [key]
        await here(house, PIET)
        assert await offered(house) == {key: "piet"}, "who comes later was not asked yet"
        await house.offers.decline(key, "piet")
        assert (await row(house)).passed_by == ["jan", "els", "piet"]
        await house.desk.take(key, ELS)
        assert (await row(house)).passed_by == [], "nobody needs to know any more who did not want it"

    @ONLY_SQLITE
    async def test_no_is_only_said_to_ones_own_offer(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, ELS)
        key = await waits(house)
        assert await offered(house) == {key: "jan"}
        await house.offers.decline(key, "els")
        await house.offers.decline("nobody", "jan")
        assert await offered(house) == {key: "jan"}
        await house.desk.take(key, JAN)
        await house.offers.decline(key, "jan")
        assert (await row(house)).passed_by == []

    @ONLY_SQLITE
    @pytest.mark.parametrize("way", ["break", "gone", "full"])
    async def test_who_leaves_or_is_full_meanwhile_was_not_asked(
        self, house: TestHouse, clock: SetClock, way: str
    ) -> None:
        jan = replace(JAN, most=1)
        await one_by_one(house, clock, jan)
        key = await waits(house)
        clock.forward(seconds=1)
        other = await waits(house, "r2")
        assert await offered(house) == {key: "jan"}
        match way:
            case "break":
                await house.desk.seen(jan, queue.BREAK)
            case "gone":
                async with house.database.write() as connection:
                    await connection.execute(sa.update(presences).values(seen_at=clock() - queue.SEEN))
            case "full":
                await house.desk.take(other, jan)
        assert await offered(house) == {}
        assert (await house.rows(handoffs, "waiting_since"))[0].passed_by == []
        await here(house, ELS)
        assert (await offered(house))[key] == "els"

    @ONLY_SQLITE
    async def test_in_another_team_all_are_asked_again(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, ELS)
        key = await waits(house, topic=PASSPORT.slug)
        assert await offered(house) == {key: "els"}
        await house.offers.decline(key, "els")
        assert await offered(house) == {}
        clock.forward(minutes=11)
        await here(house, ELS)
        await house.desk.seen(ELS)
        assert await house.tending.overflow() == 1
        assert await offered(house) == {key: "els"}

    @ONLY_SQLITE
    async def test_back_in_the_queue_all_are_asked_again(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, ELS)
        key = await waits(house)
        assert await offered(house) == {key: "jan"}
        await house.offers.decline(key, "jan")
        await house.desk.take(key, ELS)
        await house.desk.hand_over(key, ELS, "zo", team="kcc")
        assert await offered(house) == {key: "jan"}


class TestAtTheSameTime:
    async def test_accepted_while_another_picks_it(self, house: TestHouse, clock: SetClock) -> None:
        """Exactly one gets it, and the other reads who; many times over, in any order."""
        many = [replace(agent, most=100) for agent in (JAN, ELS)]
        await one_by_one(house, clock, *many)
        won: dict[str, int] = {"jan": 0, "els": 0}
        for number in range(6):
            key = await waits(house, f"r{number}")
            [to] = (await offered(house)).values()
            moves = [house.desk.take(key, agent) for agent in (many if number % 2 else reversed(many))]
            first, second = await asyncio.gather(*moves, return_exceptions=True)
            assert [first, second].count(None) == 1, (first, second)
            found = await row(house)
            won[found.agent] += 1
            loser = next(one for one in many if one.id != found.agent)
            failure = first or second
            assert isinstance(failure, TakenBy) and failure.name == ("Jan" if found.agent == "jan" else "Els")
            seen = (await board(house, loser)).offer
            if loser.id == to:
                assert seen is not None and seen.taken_by == failure.name
            else:
                assert seen is None
            clock.forward(seconds=31)
            await house.desk.seen(many[0])
            await house.desk.seen(many[1])
            assert (await board(house, loser)).offer is None
        assert sum(won.values()) == 6

    async def test_two_workers_offer_once(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, ELS, PIET)
        keys = [await waits(house, f"r{number}") for number in range(3)]
        second = Offers(house.database, house.bus, timedelta(seconds=30), clock)
        await asyncio.gather(*(one.look() for _ in range(4) for one in (house.offers, second)))
        now = await offered(house)
        assert set(now) == set(keys)
        assert sorted(now.values()) == ["els", "jan", "piet"]

    async def test_looks_and_takes_and_refusals_all_at_once(self, house: TestHouse, clock: SetClock) -> None:
        """However they fall: nobody has more than they can, and nobody waits for ever for another."""
        agents = [Agent(f"a{number}", f"Agent {number}", ("kcc",), 2) for number in range(4)]
        await one_by_one(house, clock, *agents)
        keys = [await waits(house, f"r{number}") for number in range(12)]
        for turn in range(4):
            moves = [house.desk.take(key, agents[(at + turn) % 4]) for at, key in enumerate(keys)]
            moves += [house.offers.decline(key, agents[at % 4].id) for at, key in enumerate(keys)]
            async with asyncio.timeout(60):
                done = await asyncio.gather(
                    *moves, house.offers.look(), house.offers.look(), return_exceptions=True
                )
            assert all(one is None or isinstance(one, int | TakenBy | Full) for one in done), done
        taken = [one.agent for one in await house.rows(handoffs) if one.state == queue.TAKEN]
        assert sorted(taken) == sorted([agent.id for agent in agents] * 2)

    async def test_two_who_hand_over_to_each_other(self, house: TestHouse, clock: SetClock) -> None:
        await one_by_one(house, clock, JAN, PIET)
        mine, yours = await waits(house, "r1"), await waits(house, "r2")
        await house.desk.take(mine, JAN)
        await house.desk.take(yours, PIET)
        for one, other in ((JAN, PIET), (PIET, JAN), (JAN, PIET)):
            async with asyncio.timeout(60):
                await asyncio.gather(
                    house.desk.hand_over(mine, one, "zo", to=other.id),
                    house.desk.hand_over(yours, other, "zo", to=one.id),
                )
        assert [one.agent for one in await house.rows(handoffs, "queued_at", "id") if one.agent]


class TestTheLoop:
    async def test_it_offers_by_itself_as_soon_as_somebody_waits(
        self, house: TestHouse, clock: SetClock
    ) -> None:
        await one_by_one(house, clock, JAN, ELS)
        tending = asyncio.create_task(house.tending.keep_tending())
        try:
            key = await waits(house)
            async with asyncio.timeout(30):
                async with house.bus.subscribe("console") as wakes:
                    while (await row(house)).offered_to != "jan":
                        await anext(wakes)
                    await house.offers.decline(key, "jan")
                    while (await row(house)).offered_to != "els":
                        await anext(wakes)
        finally:
            tending.cancel()
            await asyncio.gather(tending, return_exceptions=True)
