"""One appointment of each key, in a calendar that knows no keys: what is asked is noted before and after the call."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from actions.appointments.calls import Declined, Unsure
from bot.clock import Clock
from bot.db.database import Database
from bot.db.tables import calendar_bookings as table
from bot.model import Booking
from bot.ports import BookingRefused, CalendarFault, Fault, SlotGone

ASKED, BOOKED = "asked", "booked"
SETTLING = timedelta(seconds=60)
"""So long a booking may still be under way, also after its call broke off: until then it is not looked up, as what is
not there may yet come. Longer than a call may take."""

Make = Callable[[str], Awaitable[str]]
"""Books, with our reference; the calendar's id. Raises `Unsure` where nobody knows, else `Fault` where it did not."""
Find = Callable[[str], Awaitable[str | None]]
"""The calendar's id of what was booked with our reference; None where it is certain that there is nothing. Raises
`CalendarFault` where that can't be told."""


def reference_of(key: str) -> str:
    """What goes along to the calendar, to be found again by: nobody can tell the key from it."""
    return f"klaartje-{hashlib.sha256(key.encode()).hexdigest()[:24]}"


class Bookings:
    """What was asked of the calendar `provider`. A row stands from just before the call; it goes where the calendar
    said no, and gets the calendar's id where it said yes. One that stays `asked` is a booking of which nobody knows."""

    def __init__(self, database: Database, provider: str, clock: Clock) -> None:
        self._database = database
        self._provider = provider
        self._clock = clock

    async def once(
        self, key: str, start: datetime, prepare: Callable[[], Awaitable[Make]], find: Find
    ) -> tuple[str, bool]:
        """The calendar's id of the appointment of this key, and whether it was made now. `prepare` sees to all that
        may go wrong before the booking itself. Raises `SlotGone`, `BookingRefused`, `CalendarFault`."""
        if (done := await self._earlier(key, find)) is not None:
            return done, False
        try:
            make = await prepare()
        except SlotGone:
            if (done := await self._earlier(key, find)) is not None:  # who has the time is this key itself
                return done, False
            raise
        await self._ask(key, start)
        reference = reference_of(key)
        try:
            made = await make(reference)
        except Unsure as fault:
            found = await find(reference)
            if found is None:  # it may yet come
                raise CalendarFault(
                    f"nobody knows yet whether it was booked: {fault.reason}", retryable=True
                ) from None
            made = found
        except Fault:
            await self._drop(key)
            raise
        await self._mark(key, made)
        return made, True

    async def booked(self) -> str | None:
        """The reference of the last one that is in the calendar, to see whether it can be looked up there."""
        which = (table.c.provider == self._provider, table.c.state == BOOKED)
        query = sa.select(table.c.key).where(*which).order_by(table.c.asked_at.desc()).limit(1)
        try:
            async with self._database.read() as connection:
                key = await connection.scalar(query)
        except (SQLAlchemyError, OSError) as error:
            raise _store(error) from None
        return reference_of(key) if key is not None else None

    async def unknown(self) -> list[tuple[str, datetime]]:
        """Reference and start of those to come of which nobody knows whether they stand."""
        now = self._clock()
        which = (
            table.c.provider == self._provider,
            table.c.state == ASKED,
            table.c.asked_at < now - SETTLING,
            table.c.start_at > now,
        )
        query = sa.select(table.c.key, table.c.start_at).where(*which).order_by(table.c.start_at).limit(20)
        try:
            async with self._database.read() as connection:
                found = (await connection.execute(query)).all()
        except (SQLAlchemyError, OSError) as error:
            raise _store(error) from None
        return [(reference_of(one.key), one.start_at) for one in found]

    async def _earlier(self, key: str, find: Find) -> str | None:
        """What an earlier call of this key came to. What it certainly came to nothing is forgotten."""
        try:
            async with self._database.read() as connection:
                row = (await connection.execute(sa.select(table).where(self._of(key)))).one_or_none()
        except (SQLAlchemyError, OSError) as error:
            raise _store(error) from None
        if row is None or row.state == BOOKED:
            return row.external_id if row else None
        if self._clock() < row.asked_at + SETTLING:
            raise CalendarFault("this is being booked already", retryable=True)
        if (found := await find(reference_of(key))) is not None:
            await self._mark(key, found)
            return found
        await self._drop(key, row.asked_at)
        return None

    async def _ask(self, key: str, start: datetime) -> None:
        """Note that it will be asked; of two at the same moment one may."""
        new = {
            "key": key,
            "provider": self._provider,
            "state": ASKED,
            "start_at": start,
            "asked_at": self._clock(),
        }
        try:
            async with self._database.write() as connection:
                added = await connection.execute(self._database.insert_new(table).values(**new))
        except (SQLAlchemyError, OSError) as error:
            raise _store(error) from None
        if added.rowcount != 1:
            raise CalendarFault("this is being booked already", retryable=True)

    async def _mark(self, key: str, external_id: str) -> None:
        """Raises `CalendarFault` where the store is away: the booking stands, and is looked up the next time."""
        change = sa.update(table).where(self._of(key)).values(state=BOOKED, external_id=external_id)
        await self._write(change)

    async def _drop(self, key: str, asked_at: datetime | None = None) -> None:
        """Forget what came to nothing; unless it was asked again meanwhile."""
        only = (table.c.asked_at == asked_at,) if asked_at else ()
        await self._write(sa.delete(table).where(self._of(key), table.c.state == ASKED, *only))

    async def _write(self, statement: sa.Update | sa.Delete) -> None:
        try:
            async with self._database.write() as connection:
                await connection.execute(statement)
        except (SQLAlchemyError, OSError) as error:
            raise _store(error) from None

    def _of(self, key: str) -> sa.ColumnElement[bool]:
        return sa.and_(table.c.key == key, table.c.provider == self._provider)


def check_details(booking: Booking, required: list[str]) -> None:
    """Raises `BookingRefused` where something that must be told is not."""
    if lacking := [name for name in required if not booking.details.get(name, "").strip()]:
        raise BookingRefused(f"not told: {', '.join(lacking)}")


async def why(fault: Declined, free: Callable[[], Awaitable[bool]]) -> Fault:
    """What a calendar that said no meant by it: calendars give one and the same answer for a time that somebody else
    has by now and for anything else that they don't take. So look whether the time is still free."""
    try:
        gone = not await free()
    except CalendarFault as unclear:  # it said no, so nothing was booked; the rest can't be told now
        return CalendarFault(unclear.reason, retryable=True)
    if gone:
        return SlotGone("somebody else has the time now")
    return fault if fault.retryable else BookingRefused(fault.reason)


def _store(error: Exception) -> CalendarFault:
    return CalendarFault(f"the store: {type(error).__name__}", retryable=True)
