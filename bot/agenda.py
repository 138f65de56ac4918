"""The days of our own calendar, for who works at the counter: who comes, who came, and what is closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.appointments import BOOKED, CANCELLED
from bot.audit import Act, audit
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.db.tables import appointments, calendar_closures, conversations, local_bookings
from bot.model import Author
from bot.municipality import Appointments as Plan
from bot.municipality import moment_words
from bot.ports import LOCAL, AppointmentProvider, Bus, Channel
from bot.window import opener, tell, window
from bot.wording import Wording

CAME, NO_SHOW = "came", "no_show"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a location, in order of time."""

    bookings: list[Any]
    closures: list[Any]


class Agenda:
    """Reads and changes days. What residents of the chat must hear, they hear in the same transaction."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channels: Mapping[str, Channel],
        wording: Wording,
        calendar: AppointmentProvider,
        plan: Plan,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._wording = wording
        self._calendar = calendar
        self.plan = plan
        self.clock = clock

    @property
    def titles(self) -> dict[str, str]:
        """Products by id, as residents read them."""
        return {product.id: product.name for product in self.plan.products}

    async def day(self, location: str, day: date) -> Day:
        """Who comes, cancelled ones left out, and what is closed."""
        first = datetime.combine(day, time(), AMSTERDAM)
        last = datetime.combine(day + timedelta(days=1), time(), AMSTERDAM)
        bookings = sa.select(local_bookings).where(
            local_bookings.c.location == location,
            local_bookings.c.start >= first,
            local_bookings.c.start < last,
            local_bookings.c.state != CANCELLED,
        )
        closures = sa.select(calendar_closures).where(
            calendar_closures.c.location == location, calendar_closures.c.day == day
        )
        async with self._database.read() as connection:
            order = (local_bookings.c.start, local_bookings.c.counter)
            found = (await connection.execute(bookings.order_by(*order))).all()
            closed = (await connection.execute(closures.order_by(calendar_closures.c.seq))).all()
        return Day(list(found), list(closed))

    async def mark(self, booking: str, state: str, *, actor: str) -> bool:
        """Somebody came, or did not; `booked` takes that back. False where there is no such appointment."""
        if state not in (BOOKED, CAME, NO_SHOW):
            return False
        mine = sa.and_(local_bookings.c.id == booking, local_bookings.c.state != CANCELLED)
        async with self._database.write() as connection:
            changed = await connection.execute(sa.update(local_bookings).where(mine).values(state=state))
            if changed.rowcount:
                detail = {"state": state}
                await audit(connection, actor, Act.NOTED_APPOINTMENT, booking, at=self.clock(), detail=detail)
        return changed.rowcount == 1

    async def call_off(self, booking: str, *, actor: str) -> bool:
        """Cancel an appointment for the municipality, and tell the resident where it was made in the chat. False where
        there is nothing to cancel."""
        if await self._calendar.get(booking) is None:
            return False
        await self._calendar.cancel(booking)
        now = self.clock()
        mine = sa.and_(
            appointments.c.external_id == booking,
            appointments.c.calendar == LOCAL,
            appointments.c.state == BOOKED,
        )
        async with self._database.write() as connection:
            query = sa.update(appointments).where(mine).values(state=CANCELLED, remind_at=None)
            rows = (await connection.execute(query.returning(appointments))).all()
            for row in rows:
                await self._tell(connection, row, now)
            await audit(connection, actor, Act.CALLED_OFF, booking, at=now)
        await self._bus.publish("outbox")
        return True

    async def _tell(self, connection: AsyncConnection, row: Any, now: datetime) -> None:
        query = sa.select(conversations).where(conversations.c.id == row.conversation_id).with_for_update()
        conversation = (await connection.execute(query)).one()
        channel = self._channels.get(conversation.channel)
        if channel is None:
            return
        when = moment_words(row.start, now)
        said = self._wording.say("appointment_called_off", when=when)
        await tell(connection, channel, conversation, said, Author.SYSTEM, now)
        if not window(channel.limits, conversation.last_inbound_at, now).is_open:
            await opener(connection, channel, conversation.id, now)

    async def close(self, location: str, day: date, counter: int | None, why: str, *, actor: str) -> bool:
        """Close a day, or one counter on it, for new appointments; those that stand stay. False where it was closed."""
        values = {"location": location, "day": day, "counter": counter}
        same = [calendar_closures.c[name] == value for name, value in values.items() if value is not None]
        same += [calendar_closures.c.counter.is_(None)] if counter is None else []
        async with self._database.write() as connection:
            if await connection.scalar(sa.select(calendar_closures.c.seq).where(*same)) is not None:
                return False
            await connection.execute(sa.insert(calendar_closures).values(**values, why=why[:128]))
            what = f"{location} {day} {counter or ''}".strip()
            await audit(connection, actor, Act.CLOSED_COUNTER, what, at=self.clock())
        return True

    async def reopen(self, seq: int, *, actor: str) -> bool:
        """Take a closure back; False where it is not there."""
        async with self._database.write() as connection:
            gone = await connection.execute(
                sa.delete(calendar_closures).where(calendar_closures.c.seq == seq)
            )
            if gone.rowcount:
                await audit(connection, actor, Act.OPENED_COUNTER, str(seq), at=self.clock())
        return gone.rowcount == 1
