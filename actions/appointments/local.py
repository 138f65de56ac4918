"""Our own calendar: counters in the house's own store, where the municipality has no other.

The day of each counter is a grid of cells, and a booking takes one row of `calendar_cells` for each cell that it needs.
The key of that table keeps two residents from having the same, on SQLite and PostgreSQL alike, without a lock.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.db.tables import calendar_cells, calendar_closures, local_bookings
from bot.model import Appointment, Booking, Field, Location, Product
from bot.ports import LOCAL, BookingRefused, CalendarFault, Finding, Health, SlotGone


class Open(Protocol):
    """From when until when a desk is open, in local time."""

    @property
    def start(self) -> time: ...

    @property
    def end(self) -> time: ...


Hours = Callable[[str, date], Sequence[Open]]
"""When a location is open on a day: by its id."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the calendar knows besides the bookings. `counters` and `offered` (products) by location; `fields` by
    product; `slot` and `notice` in minutes, `ahead` in days."""

    products: Sequence[Product]
    locations: Sequence[Location]
    counters: Mapping[str, int]
    offered: Mapping[str, frozenset[str]]
    hours: Hours
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    slot: int = 5
    notice: int = 30
    ahead: int = 60


class LocalCalendar:
    """Counters, and who has which at what time."""

    def __init__(self, database: Database, plan: Plan, clock: Clock = utc_now) -> None:
        self._database = database
        self._plan = plan
        self._clock = clock
        self._minutes = {product.id: product.minutes or plan.slot for product in plan.products}

    @property
    def name(self) -> str:
        """The one that is always there."""
        return LOCAL

    async def products(self) -> list[Product]:
        """Those of the plan."""
        return list(self._plan.products)

    async def locations(self, product: str) -> list[Location]:
        """Where the plan has it."""
        return [one for one in self._plan.locations if product in self._plan.offered[one.id]]

    async def fields(self, product: str) -> list[Field]:
        """What must be told; none may be left out."""
        return [Field(name, required=True) for name in self._plan.fields.get(product, ())]

    async def days(self, product: str, location: str, first: date, last: date, people: int = 1) -> list[date]:
        """Days with a free time."""
        free = await self._free(product, location, first, last, people)
        return sorted({start.astimezone(AMSTERDAM).date() for start in free})

    async def times(self, product: str, location: str, day: date, people: int = 1) -> list[datetime]:
        """Free times of a day."""
        return [
            start.astimezone(AMSTERDAM) for start in await self._free(product, location, day, day, people)
        ]

    async def book(self, booking: Booking, key: str) -> Appointment:
        """Take the cells of one counter that has all of them."""
        with _store():
            async with self._database.write() as connection:
                return await self._book(connection, booking, key)

    async def _book(self, connection: AsyncConnection, booking: Booking, key: str) -> Appointment:
        row = (await connection.execute(_BY_KEY, {"key": key})).one_or_none()
        if row is not None:
            if row.state == "cancelled":
                raise SlotGone("this booking was cancelled")
            return _appointment(row)
        self._refuse(booking)
        start = booking.start.astimezone(AMSTERDAM)
        if start not in self._starts(booking.product, booking.location, start.date(), booking.people):
            raise SlotGone("not a time of the calendar (any more)")
        cells = self._cells(booking.product, start, booking.people)
        values: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "key": key,
            "product": booking.product,
            "location": booking.location,
            "start": start,
            "end": cells[-1] + timedelta(minutes=self._plan.slot),
            "people": booking.people,
            "details": dict(booking.details),
            "state": "booked",
            "created_at": self._clock(),
        }
        new = self._database.insert_new(local_bookings).values(counter=0, **values)
        if not (await connection.execute(new)).rowcount:  # another call with this key was first
            return _appointment((await connection.execute(_BY_KEY, {"key": key})).one())
        closed = await self._closed(connection, booking.location, start.date(), start.date())
        for counter in self._open_counters(booking.location, start.date(), closed):
            if await self._take(connection, values["id"], booking.location, counter, cells):
                mine = local_bookings.c.id == values["id"]
                await connection.execute(sa.update(local_bookings).where(mine).values(counter=counter))
                return Appointment(
                    values["id"], booking.product, booking.location, start, values["end"], booking.people
                )
        raise SlotGone("every counter is taken at this time")

    async def _take(
        self,
        connection: AsyncConnection,
        booking: str,
        location: str,
        counter: int,
        cells: Sequence[datetime],
    ) -> bool:
        """All cells of a counter, or none."""
        rows = [
            {"location": location, "counter": counter, "at": cell, "booking_id": booking} for cell in cells
        ]
        taken = await connection.execute(self._database.insert_new(calendar_cells).values(rows))
        if taken.rowcount == len(rows):
            return True
        mine = calendar_cells.c.booking_id == booking
        await connection.execute(sa.delete(calendar_cells).where(mine))
        return False

    async def get(self, appointment: str) -> Appointment | None:
        """One that stands."""
        query = sa.select(local_bookings).where(
            local_bookings.c.id == appointment, local_bookings.c.state != "cancelled"
        )
        with _store():
            async with self._database.read() as connection:
                row = (await connection.execute(query)).one_or_none()
        return _appointment(row) if row else None

    async def cancel(self, appointment: str) -> None:
        """Give the cells back."""
        mine = sa.and_(local_bookings.c.id == appointment, local_bookings.c.state == "booked")
        with _store():
            async with self._database.write() as connection:
                done = await connection.execute(
                    sa.update(local_bookings).where(mine).values(state="cancelled", details={})
                )
                if done.rowcount:
                    cells = calendar_cells.c.booking_id == appointment
                    await connection.execute(sa.delete(calendar_cells).where(cells))

    async def health(self) -> Health:
        """That of the store is told elsewhere."""
        return Health("ok", LOCAL)

    async def check(self) -> list[Finding]:
        """The plan was looked at when it was read."""
        return [Finding("our own calendar", "ok")]

    async def close(self) -> None:
        """Nothing of its own."""

    def _refuse(self, booking: Booking) -> None:
        """Raises `BookingRefused` for what no time would help."""
        if booking.location not in self._plan.counters or booking.product not in self._minutes:
            raise BookingRefused("no such product or location")
        if booking.product not in self._plan.offered[booking.location]:
            raise BookingRefused("the product can't be had at this location")
        lacking = [
            name
            for name in self._plan.fields.get(booking.product, ())
            if not booking.details.get(name, "").strip()
        ]
        if lacking:
            raise BookingRefused(f"lacking: {', '.join(lacking)}")

    async def _free(
        self, product: str, location: str, first: date, last: date, people: int
    ) -> list[datetime]:
        """All free starts of some days, in order."""
        if product not in self._plan.offered.get(location, frozenset()):
            return []
        now = self._clock().astimezone(AMSTERDAM)
        first = max(first, now.date())
        last = min(last, now.date() + timedelta(days=self._plan.ahead))
        if last < first:
            return []
        with _store():
            async with self._database.read() as connection:
                taken = await self._taken(connection, location, first, last)
                closed = await self._closed(connection, location, first, last)
        free: list[datetime] = []
        for ahead in range((last - first).days + 1):
            day = first + timedelta(days=ahead)
            counters = self._open_counters(location, day, closed)
            for start in self._starts(product, location, day, people) if counters else ():
                cells = self._cells(product, start, people)
                if any(not any((counter, cell) in taken for cell in cells) for counter in counters):
                    free.append(start)
        return free

    def _starts(self, product: str, location: str, day: date, people: int) -> list[datetime]:
        """When an appointment may start on a day: it ends before the desk closes, and none starts too soon."""
        length = timedelta(minutes=self._minutes[product])
        earliest = self._clock() + timedelta(minutes=self._plan.notice)
        starts = []
        for span in self._plan.hours(location, day):
            # In UTC: on the days on which the clock changes, an hour on it is no hour.
            start = datetime.combine(day, span.start, AMSTERDAM).astimezone(UTC)
            end = datetime.combine(day, span.end, AMSTERDAM).astimezone(UTC)
            while start + length * people <= end:
                if start >= earliest:
                    starts.append(start)
                start += length
        return starts

    def _cells(self, product: str, start: datetime, people: int) -> list[datetime]:
        step = timedelta(minutes=self._plan.slot)
        first = start.astimezone(UTC)
        return [first + step * number for number in range(self._minutes[product] * people // self._plan.slot)]

    def _open_counters(self, location: str, day: date, closed: set[tuple[date, int | None]]) -> list[int]:
        if (day, None) in closed:
            return []
        return [n for n in range(1, self._plan.counters[location] + 1) if (day, n) not in closed]

    async def _taken(
        self, connection: AsyncConnection, location: str, first: date, last: date
    ) -> set[tuple[int, datetime]]:
        begin = datetime.combine(first, time(), AMSTERDAM)
        end = datetime.combine(last + timedelta(days=1), time(), AMSTERDAM)
        query = sa.select(calendar_cells.c.counter, calendar_cells.c.at).where(
            calendar_cells.c.location == location, calendar_cells.c.at >= begin, calendar_cells.c.at < end
        )
        return {(row.counter, row.at) for row in (await connection.execute(query)).all()}

    @staticmethod
    async def _closed(
        connection: AsyncConnection, location: str, first: date, last: date
    ) -> set[tuple[date, int | None]]:
        query = sa.select(calendar_closures.c.day, calendar_closures.c.counter).where(
            calendar_closures.c.location == location, calendar_closures.c.day.between(first, last)
        )
        return {(row.day, row.counter) for row in (await connection.execute(query)).all()}


@contextmanager
def _store() -> Iterator[None]:
    """A store that is away is a calendar that is away."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, OSError) as error:
        raise CalendarFault(f"the store: {type(error).__name__}", retryable=True) from None


def _appointment(row: Any) -> Appointment:
    start = row.start.astimezone(AMSTERDAM)
    return Appointment(row.id, row.product, row.location, start, row.end.astimezone(AMSTERDAM), row.people)


_BY_KEY = sa.select(local_bookings).where(local_bookings.c.key == sa.bindparam("key"))
