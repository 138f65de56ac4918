"""Appointments that were booked in the chat: noted in the turn in which the resident is told, and seen to until the
calendar agrees. A booking that nobody was told of is taken back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.db.tables import appointments, inbox, waiting_list
from bot.logs import trail
from bot.model import Booking
from bot.ports import AppointmentProvider, BookingRefused, Bus, CalendarFault, SlotGone
from bot.staff.secret import hashed

log = logging.getLogger(__name__)

REMIND = timedelta(hours=24)
"""So long before it starts a reminder goes; none for who booked later than that."""

UNTOLD = timedelta(minutes=10)
"""After so long a booking that the resident was not told of never will be: a turn takes seconds, also one that is run
again after a crash."""

SOON_TOLD = timedelta(minutes=2)
"""So long after the order a turn that was cut off waits for the dialogue engine, to tell of the booking itself."""

TOPIC = "appointments"
"""On the bus: something changed that the calendar must know."""

EVERY = 10.0
"""Seconds between looks where nothing wakes us."""

ORDERED, BOOKED, CANCELLING, CANCELLED = "ordered", "booked", "cancelling", "cancelled"


async def note(
    connection: AsyncConnection, conversation_id: str, args: Mapping[str, Any], now: datetime
) -> None:
    """Do what a command `appointment` says, within the transaction in which the resident is told."""
    match args["act"]:
        case "booked":
            await _booked(connection, args, now)
            if args.get("old"):
                await _leave(connection, args["old"])
            served = (
                waiting_list.c.conversation_id == conversation_id,
                waiting_list.c.product == args["product"],
                waiting_list.c.state == "offered",
            )
            await connection.execute(sa.update(waiting_list).where(*served).values(state="done"))
            still = (*served[:2], waiting_list.c.state == "waiting")
            start = datetime.fromisoformat(args["start"])
            await connection.execute(sa.update(waiting_list).where(*still).values(before=start))
        case "cancelled":
            await _leave(connection, args["old"])
        case "wait":
            values = {
                **{name: args[name] for name in ("product", "article", "location", "people")},
                "conversation_id": conversation_id,
                "before": datetime.fromisoformat(args["before"]),
                "state": "waiting",
                "created_at": now,
            }
            mine = (
                waiting_list.c.conversation_id == conversation_id,
                waiting_list.c.product == args["product"],
                waiting_list.c.location == args["location"],
            )
            await connection.execute(sa.delete(waiting_list).where(*mine))
            await connection.execute(sa.insert(waiting_list).values(**values))
        case "no_wait":
            mine_all = waiting_list.c.conversation_id == conversation_id
            await connection.execute(sa.update(waiting_list).where(mine_all).values(state="done"))
        case unknown:
            raise ValueError(f"unknown act {unknown!r}")


async def is_under_way(database: Database, conversation_id: str, now: datetime) -> bool:
    """Whether a booking of this conversation was begun just now of which the resident was not told."""
    query = sa.select(appointments.c.key).where(
        appointments.c.conversation_id == conversation_id,
        appointments.c.state == ORDERED,
        appointments.c.created_at > now - SOON_TOLD,
    )
    async with database.read() as connection:
        return await connection.scalar(query.limit(1)) is not None


async def _booked(connection: AsyncConnection, args: Mapping[str, Any], now: datetime) -> None:
    start = datetime.fromisoformat(args["start"])
    end = datetime.fromisoformat(args["end"]) if args.get("end") else None
    remind_at = start - REMIND if start - now >= REMIND else None
    changed = await connection.execute(
        sa.update(appointments)
        .where(appointments.c.key == args["key"], appointments.c.state.in_((ORDERED, BOOKED)))
        .values(state=BOOKED, external_id=args["id"], start=start, end=end, remind_at=remind_at)
    )
    if changed.rowcount != 1:
        raise ValueError("an appointment was booked that nobody ordered")


async def _leave(connection: AsyncConnection, key: str) -> None:
    """This one is not to stand any more; the calendar hears of it after the commit."""
    await connection.execute(
        sa.update(appointments)
        .where(appointments.c.key == key, appointments.c.state == BOOKED)
        .values(state=CANCELLING, remind_at=None)
    )


class Appointments:
    """Sees to it that calendar and list agree."""

    def __init__(self, database: Database, calendar: AppointmentProvider, clock: Clock = utc_now) -> None:
        self._database = database
        self._calendar = calendar
        self._clock = clock

    async def settle(self) -> int:
        """Cancel in the calendar what is not to stand; how many. Raises `CalendarFault`."""
        late = self._clock() - UNTOLD
        unanswered = sa.select(inbox.c.conversation_id).where(inbox.c.state == "pending")
        untold = sa.and_(
            appointments.c.state == ORDERED,
            appointments.c.created_at < late,
            appointments.c.conversation_id.not_in(unanswered),  # that turn is still to be run again
        )
        query = sa.select(appointments).where(
            sa.or_(appointments.c.state == CANCELLING, untold),
            appointments.c.calendar == self._calendar.name,
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(appointments.c.created_at).limit(50))).all()
        fault: CalendarFault | None = None
        for row in rows:
            try:
                external_id = row.external_id or await self._untold(row)
                if external_id:
                    await self._calendar.cancel(external_id)
            except (
                CalendarFault
            ) as error:  # of one of them the calendar may not know how it ended; go on with the rest
                fault = error
                continue
            mine = sa.and_(appointments.c.key == row.key, appointments.c.state == row.state)
            async with self._database.write() as connection:
                await connection.execute(
                    sa.update(appointments).where(mine).values(state=CANCELLED, external_id=external_id)
                )
        if fault:
            raise fault
        return len(rows)

    async def _untold(self, row: Any) -> str | None:
        """What the calendar has under the key of an order; None where nothing stands. It can't be asked by key, but
        booking again with the same key gives what is there."""
        start = row.start.astimezone(AMSTERDAM)
        booking = Booking(row.product, row.location, start, row.people, row.details)
        try:
            return (await self._calendar.book(booking, row.key)).id
        except (SlotGone, BookingRefused):
            return None

    async def by_token(self, token: str) -> Any | None:
        """The appointment whose calendar file this secret word opens, cancelled or not; None where there is none."""
        query = sa.select(appointments).where(
            appointments.c.token_hash == hashed(token), appointments.c.state != ORDERED
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).one_or_none()

    async def keep_settling(self, bus: Bus) -> None:
        """Settle at every wake, and each ten seconds, until cancelled."""
        woken = asyncio.Event()
        async with bus.subscribe(TOPIC) as wakes:

            async def listen() -> None:
                async for _ in wakes:
                    woken.set()

            listener = asyncio.create_task(listen())
            try:
                while True:
                    woken.clear()
                    await self._try_settling()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(EVERY):
                            await woken.wait()
            finally:
                listener.cancel()

    async def _try_settling(self) -> None:
        try:
            await self.settle()
        except Exception as error:  # store or calendar is away: say so, and look again
            log.warning("the calendar can't be settled now: %s", trail(error))
