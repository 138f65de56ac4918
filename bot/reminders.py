"""What we say about appointments by ourselves: a reminder the day before, and a time that came free for who waits for
one. Each is marked in the transaction that queues it, so it goes once, whatever is killed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.appointments import BOOKED, CANCELLED
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.db.database import Database
from bot.db.tables import appointments, conversations, waiting_list
from bot.logs import trail
from bot.model import Author, Outbound
from bot.municipality import moment_words
from bot.ports import AppointmentProvider, Bus, CalendarFault, Channel
from bot.window import fill, opener, queue, window
from bot.wording import Wording

log = logging.getLogger(__name__)

EVERY = 30.0
"""Seconds between looks."""

PATIENCE = timedelta(minutes=30)
"""So long who is offered a time is the only one; after that the next on the list is."""


class Reminders:
    """Looks who is to hear something."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        channels: Mapping[str, Channel],
        wording: Wording,
        calendar: AppointmentProvider,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._bus = bus
        self._channels = channels
        self._wording = wording
        self._calendar = calendar
        self._clock = clock

    async def keep_looking(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # store or calendar is away: say so, and look again
                log.warning("nobody could be reminded: %s", trail(error))
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Both, once."""
        told = await self.remind() + await self.offer()
        if told:
            await self._bus.publish("outbox")

    # -- the day before -------------------------------------------------------------------------------------

    async def remind(self) -> int:
        """Remind whose appointment is due; how many."""
        now = self._clock()
        query = sa.select(appointments).where(
            appointments.c.remind_at <= now, appointments.c.state == BOOKED, appointments.c.start > now
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(appointments.c.remind_at).limit(100))).all()
        return sum([await self._remind(row, now) for row in rows])

    async def _remind(self, row: Any, now: datetime) -> bool:
        stands = await self._stands(row)
        mine = sa.and_(
            appointments.c.key == row.key,
            appointments.c.state == BOOKED,
            appointments.c.remind_at.is_not(None),
        )
        values = {"reminded_at": now} if stands else {"state": CANCELLED}
        async with self._database.write() as connection:
            changed = await connection.execute(
                sa.update(appointments).where(mine).values(remind_at=None, **values)
            )
            if changed.rowcount != 1 or not stands:
                return False
            message = self._wording.say("appointment_reminder", **words(row, row.start, now))
            names = {"waarvoor": "title", "moment": "when", "plaats": "place"}
            await self._tell(
                connection, row.conversation_id, message, "afspraak_herinnering", names, row, now
            )
        return True

    async def _stands(self, row: Any) -> bool:
        """Whether the calendar still has it. Where it can't say, we believe that it does."""
        try:
            return await self._calendar.get(row.external_id) is not None
        except CalendarFault:
            return True

    # -- an earlier time ------------------------------------------------------------------------------------

    async def offer(self) -> int:
        """Offer times that came free to the first who waits for them; how many. Raises `CalendarFault`."""
        now = self._clock()
        async with self._database.write() as connection:
            late = sa.and_(waiting_list.c.state == "offered", waiting_list.c.offered_at < now - PATIENCE)
            over = sa.and_(waiting_list.c.state == "waiting", waiting_list.c.before <= now)
            await connection.execute(sa.update(waiting_list).where(sa.or_(late, over)).values(state="done"))
        query = sa.select(waiting_list).where(waiting_list.c.state.in_(("waiting", "offered")))
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(waiting_list.c.seq))).all()
        busy = {(row.product, row.location) for row in rows if row.state == "offered"}
        told = 0
        for row in rows:
            if row.state != "waiting" or (row.product, row.location) in busy:
                continue
            start = await self._first(row, now)
            if start and await self._offer(row, start, now):
                busy.add((row.product, row.location))
                told += 1
        return told

    async def _first(self, row: Any, now: datetime) -> datetime | None:
        """The first free time before the one that the resident has."""
        today, last = now.astimezone(AMSTERDAM).date(), row.before.astimezone(AMSTERDAM).date()
        for day in await self._calendar.days(row.product, row.location, today, last, row.people):
            for start in await self._calendar.times(row.product, row.location, day, row.people):
                return start if start < row.before else None
        return None

    async def _offer(self, row: Any, start: datetime, now: datetime) -> bool:
        product = next((one for one in await self._calendar.products() if one.id == row.product), None)
        there = await self._calendar.locations(row.product)
        place = next((one for one in there if one.id == row.location), None)
        if product is None or place is None:
            return False
        shown = {"title": product.name, "place": place.name, "address": place.address}
        shown["when"] = moment_words(start, now)
        mine = sa.and_(waiting_list.c.seq == row.seq, waiting_list.c.state == "waiting")
        async with self._database.write() as connection:
            changed = await connection.execute(
                sa.update(waiting_list).where(mine).values(state="offered", offered=start, offered_at=now)
            )
            if changed.rowcount != 1:
                return False
            message = self._wording.say("appointment_earlier", **shown)
            names = {"waarvoor": "title", "moment": "when", "plaats": "place"}
            await self._tell(connection, row.conversation_id, message, "afspraak_eerder", names, shown, now)
        return True

    async def _tell(
        self,
        connection: AsyncConnection,
        conversation_id: str,
        message: Outbound,
        template: str,
        names: Mapping[str, str],
        shown: Any,
        now: datetime,
    ) -> None:
        """Say it: in free words, or by the template where only that may go; without one it is held, and asked for."""
        hold = sa.select(conversations).where(conversations.c.id == conversation_id).with_for_update()
        row = (await connection.execute(hold)).one()
        channel = self._channels.get(row.channel)
        if channel is None:
            log.warning("nobody is told on a channel that is off: %s", row.channel)
            return
        held = not window(channel.limits, row.last_inbound_at, now).is_open
        known = channel.templates.get(template)
        if held and known:
            values = shown if isinstance(shown, dict) else words(shown, shown.start, now)
            filled = {name: values[names[name]] for name in known.variables if name in names}
            await queue(connection, channel, row.id, fill(known, filled), Author.BOT, now)
            return
        await queue(connection, channel, row.id, message, Author.BOT, now, held=held)
        if held:
            await opener(connection, channel, row.id, now)


def words(row: Any, start: datetime, now: datetime) -> dict[str, str]:
    """An appointment as a resident reads it."""
    return {
        "title": row.title,
        "place": row.place,
        "address": row.address,
        "when": moment_words(start, now),
    }
