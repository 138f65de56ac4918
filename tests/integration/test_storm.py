"""A storm of WhatsApp messages, with real processes that are killed meanwhile: each is answered once, in order; no
forged one gets in; what goes out is valid. On both stores."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests import processes
from tests.integration.test_kill import Installation, Start, embedded, scaled_out
from tests.storm import SETTINGS, Figures, Storm, meta

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]

SECONDS, KILLS = 60, 6

House = Callable[..., AbstractAsyncContextManager[Installation]]


@pytest.mark.parametrize("house", [embedded, scaled_out], ids=["embedded", "scaled out"])
async def test_storm(house: House, start: Start, state_dir: Path, engine_python: str) -> None:
    chance = random.Random(20261125)
    port = processes.port()
    async with meta(f"http://127.0.0.1:{port}") as fake:
        settings = {**fake.settings(), **SETTINGS}
        async with house(start, state_dir, engine_python, port, **settings) as running:
            assert await fake.handshake("verify-me") == (200, "1158201444")
            assert (await fake.handshake("guess"))[0] == 403
            storm = Storm(fake, running.store)
            blowing = asyncio.create_task(storm.blow(SECONDS))
            names = list(running.kills)
            for number in range(KILLS):
                await asyncio.sleep(SECONDS / (KILLS + 1) + chance.uniform(-2, 2))
                await running.kills[names[number % len(names)]]()
            await blowing
            await storm.settles(240)
            found = await storm.figures()
            print(told(found))
            nothing_is_wrong(found)
            for program in running.programs:
                assert "Traceback" not in program.said, program.said[-3000:]


def nothing_is_wrong(found: Figures) -> None:
    """All but repeats, of which each kill makes a few."""
    assert found.written == SECONDS * 50
    assert found.calls > found.written / 8
    assert (found.lost, found.unanswered, found.doubled) == (0, 0, 0)
    assert (found.forged_in, found.disordered) == (0, 0)
    assert found.invalid == []
    assert found.repeats <= KILLS * 16, "a kill repeats at most what was under way"


def told(found: Figures) -> str:
    """The figures in a line."""
    rest = {name: value for name, value in vars(found).items() if name not in ("answers", "invalid")}
    middle, most = (found.answers[int(len(found.answers) * part)] for part in (0.5, 0.95))
    return f"{rest} p50 {middle * 1000:.1f} ms p95 {most * 1000:.1f} ms"
