"""Our own calendar as tests have it: the plan of the shipped municipality, or a small one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from actions.appointments.desk import Desk
from actions.appointments.orders import Orders
from bot.app.calendar import local_calendar
from bot.clock import Clock
from bot.db.database import Database
from bot.db.tables import appointments, calendar_closures, conversations
from bot.model import Booking
from bot.municipality import Appointments, Bookable, Office, Week
from bot.ports import AppointmentProvider, CalendarFault, Finding, Health
from tests.house import MUNICIPALITY

SMALL = Appointments(
    slot=5,
    notice=30,
    ahead=60,
    locations=(
        Office(id="hal", name="Gemeentehuis", address="Plein 1", hours="balie", counters=1),
        Office(id="noord", name="Noord", address="Laan 2", hours="servicepunt", counters=2),
    ),
    products=(
        Bookable(id="paspoort", name="Paspoort", minutes=15),
        Bookable(id="uittreksel", name="Uittreksel", minutes=10, fields=("name",)),
        Bookable(id="huwelijk", name="Trouwen", minutes=45, locations=("hal",)),
    ),
)
DETAILS = {"name": "Noor Bakker", "birth_date": "1990-04-03", "phone": "+31612345678"}


def calendar(database: Database, clock: Clock, plan: Appointments = SMALL) -> AppointmentProvider:
    """One of our own."""
    return local(database, clock, plan, MUNICIPALITY.hours["balie"])


def local(database: Database, clock: Clock, plan: Appointments, hours: Week) -> AppointmentProvider:
    """One of our own, with these hours of `balie`."""
    of_desks = {**MUNICIPALITY.hours, "balie": hours}
    municipality = MUNICIPALITY.model_copy(update={"appointments": plan, "hours": of_desks})
    found = local_calendar(database, municipality, clock)
    assert found is not None
    return found


class Away:
    """A calendar that can't be reached."""

    name = "local"

    async def _away(self, *_: Any, **__: Any) -> Any:
        raise CalendarFault("no answer", retryable=True)

    products = locations = days = times = fields = book = get = cancel = _away

    async def health(self) -> Health:
        return Health("down", "no answer")

    async def check(self) -> list[Finding]:
        return [Finding("the calendar", "wrong", "it does not answer")]

    async def close(self) -> None: ...


@dataclass
class Switched:
    """The desk of one actions server that serves the houses of many tests, one after the other."""

    desk: Desk = field(
        default_factory=lambda: Desk(
            Away(), Orders(Database("sqlite+aiosqlite:////nowhere/at/all.db")), "https://klaartje.example"
        )
    )
    loop: asyncio.AbstractEventLoop | None = None
    store: Database | None = None

    def open(self, url: str, clock: Clock, plan: Appointments | None = None) -> None:
        """Serve the house with this store."""
        self.store = Database(url)
        self.desk.calendar = calendar(self.store, clock, plan or MUNICIPALITY.appointments or SMALL)
        self.desk.orders, self.desk.clock = Orders(self.store), clock
        self.desk.products = {one.id: one.id for one in (plan or MUNICIPALITY.appointments or SMALL).products}
        self.desk.hours = MUNICIPALITY.widest_hours

    def close(self) -> None:
        """The house is no more."""
        if self.store and self.loop:
            asyncio.run_coroutine_threadsafe(self.store.close(), self.loop).result(30)
        self.store = None


SWITCHED = Switched()
"""That of the one actions server of a run."""


async def take(provider: AppointmentProvider, product: str, location: str, start: str, counters: int) -> None:
    """Others take every counter at a time."""
    booking = Booking(product, location, datetime.fromisoformat(start), details=DETAILS)
    for number in range(counters):
        await provider.book(booking, f"other-{start}-{number}")


async def close_all(database: Database, first: date, days: int, locations: tuple[str, ...]) -> None:
    """No counter is open for so many days."""
    rows = [
        {"location": location, "day": first + timedelta(days=n), "counter": None, "why": "dicht"}
        for location in locations
        for n in range(days)
    ]
    async with database.write() as connection:
        await connection.execute(sa.insert(calendar_closures), rows)


async def book_elsewhere(
    database: Database, provider: AppointmentProvider, reference: str, start: str, now: datetime
) -> None:
    """Somebody made an appointment in another conversation."""
    booking = Booking("paspoort", "gemeentehuis", datetime.fromisoformat(start), details=DETAILS)
    made = await provider.book(booking, "elsewhere")
    place = next(one for one in await provider.locations("paspoort") if one.id == "gemeentehuis")
    row = {"id": "elsewhere", "channel": "webchat", "address": "elsewhere", "owner": "bot", "greeted": True}
    async with database.write() as connection:
        await connection.execute(sa.insert(conversations).values(**row, owner_since=now, created_at=now))
    await Orders(database).place(
        "elsewhere", "elsewhere", "local", booking,
        title="Paspoort aanvragen of verlengen", article="paspoort-aanvragen", location=place, now=now,
    )  # fmt: skip
    async with database.write() as connection:
        values = {"reference": reference, "state": "booked", "external_id": made.id}
        mine = appointments.c.key == "elsewhere"
        await connection.execute(sa.update(appointments).where(mine).values(**values))
