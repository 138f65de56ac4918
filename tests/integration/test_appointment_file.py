"""The calendar file of an appointment, from the house's own door: only for who has the link."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession
from icalendar import Calendar

from bot.app.house import open_house
from bot.app.roles import web_role
from bot.db.tables import appointments
from bot.settings import Settings
from tests.calendars import book_elsewhere
from tests.conftest import SetClock

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TOKEN = "a" * 43


async def test_the_link_gives_the_file_and_nothing_else_does(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    from bot.staff.secret import hashed

    settings = Settings(database_url=database_url, state_dir=tmp_path, port=0)
    async with open_house(settings, clock=clock) as house, web_role(house, {}) as address:
        assert house.calendar is not None
        start = "2026-11-25T10:00+01:00"
        await book_elsewhere(house.database, house.calendar, "A23456789", start, clock())
        async with house.database.write() as connection:
            await connection.execute(sa.update(appointments).values(token_hash=hashed(TOKEN)))
        async with ClientSession() as session:
            async with session.get(f"{address}afspraken/{TOKEN}.ics") as answer:
                assert (answer.status, answer.content_type) == (200, "text/calendar")
                assert "no-store" in answer.headers["Cache-Control"]
                (event,) = Calendar.from_ical(await answer.text()).events
            assert event.start == datetime.fromisoformat(start)
            assert event["SUMMARY"] == "Afspraak gemeente Zonneveen: Paspoort aanvragen of verlengen"
            for wrong in ("b" * 43, "a", "A23456789", "..%2f"):
                async with session.get(f"{address}afspraken/{wrong}.ics") as answer:
                    assert answer.status == 404, wrong
