"""A callback request of a resident on the page, through worker and queue, into Open Klant: also after it was away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from bot.db.tables import registrations
from bot.model import Command, Reply, Turn
from tests.fakes.openklant import FakeOpenKlant, Mishap
from tests.integration.served import Served, serve

ARGS = {"phone": "06 12345678", "when": "middag", "topic": "de zwanenzang in het park"}


async def form(turn: Turn) -> Reply:
    """A dialogue that notes a request at each message."""
    return Reply((), (Command("callback", ARGS),))


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenKlant]:
    async with FakeOpenKlant() as fake:
        yield fake


def settings(fake: FakeOpenKlant) -> dict[str, Any]:
    return {"openklant_url": fake.url, "openklant_token": fake.token, "openklant_actor": fake.team}


async def until(true: Callable[[], bool]) -> None:
    end = monotonic() + 20
    while not true():
        assert monotonic() < end
        await asyncio.sleep(0.02)


async def contacts(served: Served) -> dict[str, str]:
    async with served.session.get("/health/ready") as answer:
        assert answer.status == 200
        return dict((await answer.json())["parts"]["contacts"])


async def test_a_request_becomes_a_task(database_url: str, tmp_path: Path, fake: FakeOpenKlant) -> None:
    async with serve(database_url, tmp_path, think=form, **settings(fake)) as served:
        visitor = await served.visitor()
        await visitor.says("bel mij")
        reference = (await visitor.waits(3))[-1]["text"].partition("nummer ")[2].partition(".")[0]
        await until(lambda: bool(fake.rows["internetaken"]))
        [task] = fake.rows["internetaken"]
        assert reference in task["toelichting"] and "Bellen: in de middag" in task["toelichting"]
        assert await contacts(served) == {"state": "ok", "detail": "openklant"}


async def test_while_it_is_away_the_resident_notices_nothing_and_after_it_all_are_in(
    database_url: str, tmp_path: Path, fake: FakeOpenKlant, caplog: pytest.LogCaptureFixture
) -> None:
    fake.mishap = Mishap(503)
    with caplog.at_level(logging.INFO):
        async with serve(database_url, tmp_path, think=form, **settings(fake)) as served:
            visitor = await served.visitor()
            for number in range(3):
                await visitor.says("bel mij")
                await visitor.waits(3 + 2 * number)
            assert (await contacts(served))["state"] == "degraded"
            await until(lambda: len(fake.calls) > 3)
            fake.mishap = None
            await served.house.registrations.again()
            await until(lambda: len(fake.rows["internetaken"]) == 3)
            while await served.count(registrations, registrations.c.state != "registered"):
                await asyncio.sleep(0.02)
    assert len(fake.rows["klantcontacten"]) == len(fake.rows["digitaleadressen"]) == 3
    for secret in ("zwanenzang", "12345678", "geheim"):
        assert secret not in caplog.text


async def test_a_worker_that_stops_in_the_middle_leaves_it_to_the_next(
    database_url: str, tmp_path: Path, fake: FakeOpenKlant
) -> None:
    """It is cut off after Open Klant made the contact; whoever comes next makes the rest, and nothing twice."""
    fake.mishap = Mishap(None, b"", "POST", "maak-klantcontact", after=True, wait=0.2)
    async with serve(database_url, tmp_path, think=form, **settings(fake)) as served:
        await (await served.visitor()).says("bel mij")
        await until(lambda: bool(fake.rows["klantcontacten"]))
    fake.mishap = None
    async with serve(database_url, tmp_path, think=form, **settings(fake)) as served:
        await served.house.registrations.clear_leases()
        await served.house.registrations.again()
        await until(lambda: bool(fake.rows["internetaken"]))
    assert {name: len(rows) for name, rows in fake.rows.items()} == {
        "klantcontacten": 1,
        "betrokkenen": 1,
        "digitaleadressen": 1,
        "onderwerpobjecten": 1,
        "actoren": 1,
        "internetaken": 1,
    }
