"""The bot says nothing from the moment that a person has the conversation until it is given back: 500 rounds in one
process, with messages that race the taking and the giving back. With several: `test_dropped`."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.app.house import House, open_house
from bot.app.roles import background
from bot.db.migrate import migrate
from bot.desk import Desk
from bot.handoff import Handoff
from bot.model import Command, Outbound, Reply, Route, Trace, Turn
from bot.outbox import Letter, Outbox
from bot.ports import Channel
from bot.settings import Settings
from bot.turn import Turns
from bot.worker import Worker
from tests.house import Engine, Quiet, fallback
from tests.rounds import PERSON, Rounds

RESIDENTS, EACH = 50, 10
DROPPED = "turn dropped"
"""What a worker logs whose turn came too late: the races are real ones where that is there."""


class Kept(Outbox):
    """Hands nothing out: what is said is looked at where it stands, and that saves half of the time."""

    async def claim(self, limit: int) -> list[Letter]:
        return []


def rounds_in(house: House, seed: int) -> Rounds:
    """Rounds in a house whose workers run, here or elsewhere."""
    handoff = Handoff(house.wording, house.municipality)
    desk = Desk(house.database, house.bus, house.channels, house.wording, house.municipality, handoff)
    return Rounds(house.database, house.inbox, desk, house.wording, seed)


def worker_of(house: House, channels: Mapping[str, Channel], engine: Engine) -> Worker:
    """A worker whose dialogue a test wrote."""
    turns = Turns(
        house.database,
        house.bus,
        channels,
        engine,
        Engine(fallback),
        Quiet(),
        house.wording,
        Handoff(house.wording, house.municipality),
    )
    return Worker(house.inbox, turns, Kept(house.database, house.bus, channels), house.bus, channels)


@pytest.mark.timeout(600)
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
    async with (
        open_house(Settings(database_url=url, state_dir=tmp_path)) as house,
        background(worker_of(house, house.channels, Engine(think)).run()),
    ):
        rounds = rounds_in(house, 1)
        await rounds.play(RESIDENTS, EACH)
        assert await rounds.check() == RESIDENTS * EACH
    assert caplog.text.count(DROPPED) > 0
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
