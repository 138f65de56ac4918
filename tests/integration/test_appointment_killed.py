"""Kill -9 between the calendar's booking and the turn's commit: one appointment, one confirmation. Real processes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.db.database import Database
from bot.db.tables import appointments, local_bookings, messages
from tests import processes
from tests.crowd import opened, patient, web_resident
from tests.processes import Program, until

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]

HOLDS = """
CREATE TRIGGER hold BEFORE UPDATE OF external_id ON appointments WHEN NEW.state = 'booked'
BEGIN SELECT RAISE(ABORT, 'held by the test'); END
"""
"""Lets no turn commit that notes a booking: there the process is killed, after the calendar has booked."""


async def test_one_appointment_and_one_confirmation(
    start: Callable[[Program], Program], state_dir: Path, engine_python: str
) -> None:
    port = processes.port()
    url = f"http://127.0.0.1:{port}"
    program = processes.bot(
        "run",
        state_dir,
        {
            "ENGINE_PYTHON": engine_python,
            "PORT": str(port),
            "ENGINE_PORT": str(processes.port()),
            "ACTIONS_PORT": str(processes.port()),
        },
    )
    async with opened(processes.sqlite(state_dir)) as store, patient() as session:
        start(program)
        await processes.ready(url)
        resident, page = await web_resident(store, session, url)

        async def reads(words: str) -> bool:
            return any(words in line["text"] for line in await page.read())

        said = (
            ("ik wil een afspraak maken voor een paspoort volgende week", "Kies een tijd"),
            ("de eerste", "Wie komt er?"),
            ("Noor Bakker, 3-4-1990, 06 12345678", "Klopt dit?"),
        )
        for number, (text, answer) in enumerate(said):
            await resident.send(number, text)
            await until(partial(reads, answer), 90, answer)
        async with store.write() as connection:
            await connection.execute(sa.text(HOLDS))
        await resident.send(len(said), "ja")

        async def is_booked() -> bool:
            async with store.read() as connection:
                return bool(await connection.scalar(sa.select(sa.func.count()).select_from(local_bookings)))

        await until(is_booked, 90, "the calendar has booked")
        program.kill()
        async with store.read() as connection:
            assert (await connection.execute(sa.select(appointments.c.state))).scalars().all() == ["ordered"]
        assert await _told(store) == 0
        async with store.write() as connection:
            await connection.execute(sa.text("DROP TRIGGER hold"))
        program.start()
        await processes.ready(url)
        await until(partial(reads, "Uw afspraak staat vast"), 90, "the confirmation")
        async with store.read() as connection:
            states = (await connection.execute(sa.select(appointments.c.state))).scalars().all()
            booked = (await connection.execute(sa.select(local_bookings.c.state))).scalars().all()
        assert (states, booked, await _told(store)) == (["booked"], ["booked"], 1)
        assert await program.stop() == 0


async def _told(store: Database) -> int:
    """How often the confirmation stands in the transcript."""
    query = sa.select(sa.func.count()).where(messages.c.text.contains("Uw afspraak staat vast"))
    async with store.read() as connection:
        return int(await connection.scalar(query) or 0)
