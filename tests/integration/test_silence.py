"""The bot says nothing from the moment that a person has the conversation until it is given back: 500 rounds on each
store, with messages that race the taking and the giving back."""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path

import pytest

from bot.app.house import House, open_house
from bot.db.migrate import migrate
from bot.desk import Desk
from bot.handoff import Handoff
from bot.model import Command, Outbound, Reply, Route, Trace, Turn
from bot.settings import Settings
from tests.integration.served import serve
from tests.integration.staffed import apart
from tests.rounds import PERSON, Rounds

import os
RESIDENTS, EACH = 50, int(os.environ.get('EACH','10'))
DROPPED = "turn dropped"
"""What a worker logs whose turn came too late: the races are real ones where that is there."""


def rounds_in(house: House, seed: int) -> Rounds:
    handoff = Handoff(house.wording, house.municipality)
    desk = Desk(house.database, house.bus, house.channels, house.wording, house.municipality, handoff)
    return Rounds(house.database, house.inbox, desk, house.wording, seed)


async def test_in_one_process(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot.worker")
    chance = random.Random(20261126)

    async def think(turn: Turn) -> Reply:
        await asyncio.sleep(chance.uniform(0, 0.05))
        if turn.text in PERSON:
            return Reply((), (Command("handoff", {"reason": "asked"}),), None, Trace(Route.HANDOFF))
        return Reply((Outbound(f"U schreef: {turn.text}"),), trace=Trace(Route.ANSWER))

    url = f"sqlite+aiosqlite:///{tmp_path / 'klaartje.db'}"
    await migrate(url)
    async with serve(url, tmp_path, think=think) as served:
        rounds = rounds_in(served.house, 1)
        await rounds.play(RESIDENTS, EACH)
        assert await rounds.check() == RESIDENTS * EACH
    assert caplog.text.count(DROPPED) > 0
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.process
@pytest.mark.timeout(600)
async def test_with_two_workers(state_dir: Path) -> None:
    async with apart(state_dir) as there:
        settings = Settings(
            database_url=there.settings["DATABASE_URL"],
            redis_url=there.settings["REDIS_URL"],
            state_dir=state_dir,
        )
        async with open_house(settings) as house:
            rounds = rounds_in(house, 2)
            await rounds.play(RESIDENTS, EACH)
            assert await rounds.check() == RESIDENTS * EACH
        assert all(there.programs[name].said.count(DROPPED) > 0 for name in ("worker1", "worker2"))
        assert "Traceback" not in there.said() and "ERROR" not in there.said()
