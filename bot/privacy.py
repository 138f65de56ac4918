"""Privacy: what a resident wrote is erased on request, and by itself when its time is over.

What is not even stored is taken out at the door, by `bot.masking`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.appointments import BOOKED, CANCELLING, ORDERED
from bot.attempts import forget_attempts
from bot.audit import Act, audit
from bot.clock import Clock, utc_now
from bot.db.database import Database
from bot.db.tables import (
    appointments,
    calendar_bookings,
    callback_requests,
    case_follows,
    chat_sessions,
    conversations,
    local_bookings,
    local_reports,
    media,
    registrations,
    reports,
)
from bot.files import Files
from bot.model import Owner
from bot.ports import LOCAL
from bot.receipts import forget_old
from bot.residents import conversation_at

log = logging.getLogger(__name__)

_HOUR = 3600.0


class Privacy:
    """Erases conversations with all that belongs to them; only the fact that it was done stays, in the audit."""

    def __init__(self, database: Database, clock: Clock = utc_now, files: Files | None = None) -> None:
        self._database = database
        self._clock = clock
        self._files = files

    async def forget(self, channel: str, address: str, *, actor: str) -> bool:
        """Erase the conversation of who is known at an address on a channel; False where there is none."""
        async with self._database.write() as connection:
            key = await conversation_at(connection, channel, address)
            gone, names = await self._erase(connection, conversations.c.id == key, actor, Act.FORGOT)
        await self._remove(names)
        await self._database.scrub()
        return gone > 0

    async def purge(self, days: int) -> int:
        """Erase what had no message for `days`; how many conversations. Kept: who has an appointment to come, who waits
        for a person or a call (which is with another register's people, once it is there), who follows a case, and
        what the register or the system of reports must still get. What a calendar knows or was asked goes so long
        after the appointment."""
        limit = self._clock() - timedelta(days=days)
        elsewhere = sa.select(registrations.c.reference).where(
            registrations.c.state == "registered", registrations.c.register != LOCAL
        )
        calls = sa.select(callback_requests.c.conversation_id).where(
            callback_requests.c.state == "open", callback_requests.c.reference.not_in(elsewhere)
        )
        unregistered = sa.select(registrations.c.conversation_id).where(
            registrations.c.state.in_(("pending", "failed"))
        )
        unsent = sa.select(reports.c.conversation_id).where(reports.c.state != "done")
        to_come = sa.select(appointments.c.conversation_id).where(
            sa.or_(
                sa.and_(appointments.c.state == BOOKED, appointments.c.start > self._clock()),
                appointments.c.state.in_((ORDERED, CANCELLING)),
            )
        )
        over = sa.and_(
            sa.func.coalesce(conversations.c.last_inbound_at, conversations.c.created_at) < limit,
            conversations.c.owner.in_((Owner.BOT, Owner.CLOSED)),
            conversations.c.id.not_in(calls),
            conversations.c.id.not_in(unregistered),
            conversations.c.id.not_in(unsent),
            conversations.c.id.not_in(to_come),
            conversations.c.id.not_in(sa.select(case_follows.c.conversation_id)),
        )
        async with self._database.write() as connection:
            gone, names = await self._erase(connection, over, "retention", Act.PURGED)
            await connection.execute(sa.delete(local_bookings).where(local_bookings.c.end < limit))
            await forget_old(connection, self._clock())
            await connection.execute(sa.delete(calendar_bookings).where(calendar_bookings.c.start_at < limit))
            await forget_attempts(connection, self._clock())
        await self._remove(names)
        if gone:
            await self._database.scrub()
        return gone

    async def _remove(self, names: Sequence[str]) -> None:
        """Take the files away, after their rows are gone for good; a crash in between leaves some for `Files.tidy`."""
        if self._files is not None:
            await self._files.remove(names)

    async def keep_purging(self, days: int) -> None:
        """Purge now and each hour, until cancelled."""
        while True:
            try:
                erased = await self.purge(days)
                if self._files is not None:
                    await self._files.tidy()
            except (sa.exc.SQLAlchemyError, OSError) as error:
                log.error("retention: nothing erased, the store does not answer: %s", type(error).__name__)
            else:
                if erased:
                    log.info("retention: %d conversations without messages for %d days erased", erased, days)
            await asyncio.sleep(_HOUR)

    async def _erase(
        self, connection: AsyncConnection, which: sa.ColumnElement[bool], actor: str, act: Act
    ) -> tuple[int, list[str]]:
        """How many conversations went, and the files that belonged to them."""
        now: datetime = self._clock()
        mine = media.c.conversation_id.in_(sa.select(conversations.c.id).where(which))
        kept = sa.select(media.c.file).where(mine, media.c.file.is_not(None))
        names = list((await connection.execute(kept)).scalars())
        # In our own calendar the time stays taken: who it is for comes with the number, or not.
        booked = sa.select(appointments.c.external_id).where(
            appointments.c.calendar == LOCAL,
            appointments.c.external_id.is_not(None),
            appointments.c.conversation_id.in_(sa.select(conversations.c.id).where(which)),
        )
        await connection.execute(
            sa.update(local_bookings).where(local_bookings.c.id.in_(booked)).values(details={})
        )
        addresses = sa.select(conversations.c.address).where(which)
        await connection.execute(sa.delete(chat_sessions).where(chat_sessions.c.address.in_(addresses)))
        # Our own list of reports stays, but nobody can be reached by it any more.
        told = sa.select(reports.c.id).where(
            reports.c.conversation_id.in_(sa.select(conversations.c.id).where(which))
        )
        nobody = sa.update(local_reports).where(local_reports.c.key.in_(told)).values(phone="", email="")
        await connection.execute(nobody)
        gone = (
            (await connection.execute(sa.delete(conversations).where(which).returning(conversations.c.id)))
            .scalars()
            .all()
        )
        if gone:
            await audit(connection, actor, act, *gone, at=now)
        return len(gone), [name for name in names if name]
