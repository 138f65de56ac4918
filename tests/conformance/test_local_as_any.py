"""Our own calendar, held to the same as those of others, on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import sqlalchemy as sa

from bot.clock import AMSTERDAM
from bot.db.database import Database
from bot.db.tables import local_bookings
from bot.municipality import Appointments, Bookable, Office, Span
from bot.ports import AppointmentProvider
from tests.calendars import local
from tests.conformance.calendar import CalendarConformance, Known
from tests.conftest import SetClock

DAY = datetime(2026, 11, 24, tzinfo=AMSTERDAM)
PLAN = Appointments(
    slot=10,
    notice=0,
    ahead=60,
    locations=(Office(id="hal", name="Gemeentehuis", address="Plein 1", hours="balie", counters=1),),
    products=(Bookable(id="paspoort", name="Paspoort", minutes=10),),
)
HOURS = {
    "di": tuple(
        Span(start=datetime(2026, 1, 1, 9, m).time(), end=datetime(2026, 1, 1, 9, m + 10).time())
        for m in (0, 20, 40)
    )
}


class TestLocal(CalendarConformance):
    people = 1
    """Each of its times is as long as one person takes."""

    @asynccontextmanager
    async def open(self, database: Database, clock: SetClock) -> AsyncIterator[AppointmentProvider]:
        self.database = database
        self.known = Known("paspoort", "hal", [DAY.replace(hour=9, minute=m) for m in (0, 20, 40)])
        yield local(database, clock, PLAN, HOURS)

    async def standing(self, start: datetime) -> int:
        query = sa.select(sa.func.count()).where(
            local_bookings.c.start == start, local_bookings.c.state == "booked"
        )
        async with self.database.read() as connection:
            return int(await connection.scalar(query) or 0)
