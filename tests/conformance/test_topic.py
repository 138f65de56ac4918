"""What a person is wanted for is asked once, only where nobody knows; whatever is said then leads on."""

from __future__ import annotations

from typing import Any

import pytest

from bot.bus.memory import MemoryBus
from bot.db.database import Database
from bot.db.tables import handoffs
from bot.model import Command, Kind, Outbound, Owner, Place, Reply, Route, Trace, Turn
from bot.ports import ABOUT, EngineFault
from bot.topic import SKIP
from tests.conftest import SetClock
from tests.house import TestHouse


@pytest.fixture
def house(database: Database, clock: SetClock) -> TestHouse:
    return TestHouse(database, MemoryBus(), clock)


async def finds(turn: Turn) -> Reply:
    """A search that is sure of passports."""
    assert turn.metadata["asked"] == ABOUT
    slug = "paspoort-aanvragen" if "paspoort" in turn.text else None
    return Reply(
        (), (Command("handoff", {"reason": "asked", "topic": slug}),), None, Trace(Route.HANDOFF, slug)
    )


async def turns(house: TestHouse, *said: str | dict[str, Any]) -> Owner:
    for one in said:
        await (house.say(one) if isinstance(one, str) else house.say(**one))
        await house.work()
    return await house.owner()


async def test_the_answer_chooses_the_team(house: TestHouse) -> None:
    house.fallback.think = finds
    assert await turns(house, "mens") is Owner.BOT
    assert house.read()[-1] == house.wording.say("handoff_topic").text
    assert await turns(house, "mijn paspoort") is Owner.WAITING
    (row,) = await house.rows(handoffs)
    assert (row.topic, row.team, row.reason) == ("paspoort-aanvragen", "burgerzaken", "asked")
    assert not house.engine.turns, "neither needs the engine"


@pytest.mark.parametrize(
    "anything",
    [
        "de kikkers in de vijver",
        "nu",
        "mens",
        "ik wil gewoon een mens",
        "???",
        "help",
        {"choice": SKIP},
        {"choice": "human"},
        {"kind": Kind.AUDIO},
        {"kind": Kind.LOCATION, "place": Place(52.0, 5.0)},
    ],
)
async def test_anything_leads_on(house: TestHouse, anything: str | dict[str, Any]) -> None:
    house.fallback.think = finds
    assert await turns(house, "mens", anything) is Owner.WAITING
    asked = house.wording.say("handoff_topic").text
    assert house.read().count(asked) == 1


async def test_a_search_that_fails_leads_on_too(house: TestHouse) -> None:
    async def fails(turn: Turn) -> Reply:
        raise EngineFault("no search", down=False)

    house.fallback.think = fails
    assert await turns(house, "mens", "mijn paspoort") is Owner.WAITING


@pytest.mark.parametrize("leaves", ["stop", "opnieuw", "verder", {"choice": "callback"}])
async def test_who_leaves_is_not_handed_over(house: TestHouse, leaves: str | dict[str, Any]) -> None:
    assert await turns(house, "mens", leaves) is Owner.BOT
    house.fallback.think = finds
    assert await turns(house, "de kikkers in de vijver") is Owner.BOT, "nothing lingers"


async def test_a_question_of_long_ago_is_forgotten(house: TestHouse, clock: SetClock) -> None:
    assert await turns(house, "mens") is Owner.BOT
    clock.forward(hours=2)
    assert await turns(house, "hoe laat is het") is Owner.BOT
    assert house.read()[-1] == "1: hoe laat is het"


async def test_an_old_button_to_skip_is_a_wish_for_a_person(house: TestHouse) -> None:
    async def asked(turn: Turn) -> Reply:
        return Reply((), (Command("handoff", {"reason": "asked"}),), None, Trace(Route.HANDOFF))

    await turns(house, "mens", "stop")
    house.engine.think = asked
    assert await turns(house, {"choice": SKIP}) is Owner.WAITING


@pytest.mark.parametrize("before", ["mag ik een leeuw houden", "hallo ik heb een vraag over mijn tuin"])
async def test_who_said_something_is_not_asked(house: TestHouse, before: str) -> None:
    assert await turns(house, before, "mens") is Owner.WAITING


async def test_who_got_an_answer_by_a_button_is_not_asked(house: TestHouse) -> None:
    async def answer(turn: Turn) -> Reply:
        return Reply((Outbound("Kom langs.", article="paspoort-aanvragen", revision=1),))

    house.engine.think = answer
    await turns(house, {"text": "article:paspoort-aanvragen", "kind": Kind.START})
    assert await turns(house, {"choice": "human"}) is Owner.WAITING


async def test_greetings_and_the_wish_alone_say_nothing(house: TestHouse) -> None:
    assert await turns(house, "Goedemiddag", "mens") is Owner.BOT


async def test_outside_opening_hours_the_resident_reads_first_when_people_are_back(
    house: TestHouse, clock: SetClock
) -> None:
    clock.forward(days=4, hours=12)  # Friday evening
    assert await turns(house, "mens") is Owner.WAITING
    assert "maandag om" in house.read()[-1]


@pytest.mark.parametrize("reason", ["anger", "distress", "policy", "not_understood", "unhelpful", "failed"])
async def test_only_who_asked_is_asked(house: TestHouse, reason: str) -> None:
    async def think(turn: Turn) -> Reply:
        return Reply((), (Command("handoff", {"reason": reason}),), None, Trace(Route.HANDOFF))

    house.engine.think = think
    assert await turns(house, "hallo") is Owner.WAITING
