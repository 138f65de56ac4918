"""The day book: figures of each day, kept before retention erases what they were counted from."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit import Act
from bot.clock import AMSTERDAM, Clock, utc_now
from bot.counting import bounds, count_day
from bot.db.database import Database
from bot.db.tables import audit, conversations, day_figures
from bot.logs import trail
from bot.tally import Key, Name, Tally

log = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds between looks whether a day is to be counted; well within the shortest retention."""

SETTLING = 7
"""So many days back are counted once more after midnight: a mark may come late."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of some days. `talks` by day, channel and theme; `missing`: days that were never counted."""

    talks: Mapping[tuple[date, str, str], Tally]
    missing: tuple[date, ...]
    channels: frozenset[str] = field(default_factory=frozenset)
    themes: frozenset[str] = field(default_factory=frozenset)
    """Those of these days, also where only some were asked for."""


class Daybook:
    """Counts and reads. `retention` is in days: so long conversations are there to count from."""

    def __init__(self, database: Database, retention: int, clock: Clock = utc_now) -> None:
        self._database = database
        self._retention = timedelta(days=retention)
        self._clock = clock
        self._looked: dict[date, date] = {}
        """When we counted a day last; a worker that starts counts the last ones once more."""

    @property
    def today(self) -> date:
        """In Amsterdam."""
        return self._clock().astimezone(AMSTERDAM).date()

    async def keep_counting(self) -> None:
        """Count what is due again and again, until cancelled."""
        while True:
            try:
                await self.count()
            except Exception as error:  # the store is away: say so, and look again
                log.error("the day can't be counted: %s", trail(error))
            await asyncio.sleep(EVERY)

    async def count(self) -> list[date]:
        """Count each day that is over and was never counted, and the last ones once more; which. Done twice it
        changes nothing."""
        today = self.today
        for day in (due := await self._due(today)):
            async with self._database.read() as connection:
                counts = await count_day(connection, day)
            await self._keep(day, counts)
            self._looked[day] = today
        self._looked = {
            day: at for day, at in self._looked.items() if day >= today - timedelta(days=SETTLING)
        }
        return due

    async def _due(self, today: date) -> list[date]:
        """Only of days that began within the retention all conversations are there; and of those not after somebody
        was erased on request: what was counted before that is more than what can be counted now."""
        whole = (self._clock() - self._retention).astimezone(AMSTERDAM).date() + timedelta(days=1)
        first = min(
            whole, today - timedelta(days=1)
        )  # with a retention of a day, the first minutes may be gone
        async with self._database.read() as connection:
            begun = await _begun(connection, today)
            counted = await _counted(connection, first, today)
            erased = await connection.scalar(
                sa.select(sa.func.max(audit.c.at)).where(
                    audit.c.action == Act.FORGOT, audit.c.at >= bounds(first)[0]
                )
            )
        first = max(first, begun)
        days = [first + timedelta(days=ahead) for ahead in range((today - first).days)]
        settling = today - timedelta(days=SETTLING)

        def again(day: date) -> bool:
            intact = day >= whole and (erased is None or erased < bounds(day)[0])
            return day >= settling and self._looked.get(day) != today and intact

        return [day for day in days if day not in counted or again(day)]

    async def _keep(self, day: date, counts: Counter[Key]) -> None:
        marker = Key("", "", Name.COUNTED)
        rows = [{"day": day, **key._asdict(), "number": n} for key, n in {**counts, marker: 1}.items()]
        async with self._database.write() as connection:
            await connection.execute(sa.delete(day_figures).where(day_figures.c.day == day))
            await connection.execute(sa.insert(day_figures), rows)

    async def read(
        self, first: date, last: date, *, channel: str | None = None, theme: str | None = None
    ) -> Sheet:
        """The figures of these days, of a channel and a theme or of all. Today is counted now."""
        today = self.today
        query = sa.select(day_figures).where(day_figures.c.day >= first, day_figures.c.day <= last)
        async with self._database.read() as connection:
            rows = [
                (row.day, Key(row.channel, row.theme, row.name, row.value), row.number)
                for row in await connection.execute(query.where(day_figures.c.day < today))
            ]
            if first <= today <= last:
                now = await count_day(connection, today)
                rows += [(today, key, number) for key, number in now.items()]
        talks: dict[tuple[date, str, str], Tally] = {}
        counted, channels, themes = {today}, set(), set()
        for day, key, number in rows:
            if key.name == Name.COUNTED:
                counted.add(day)
                continue
            channels.add(key.channel)
            themes.add(key.theme)
            if channel in (None, key.channel) and theme in (None, key.theme):
                tally = talks.setdefault((day, key.channel, key.theme), Tally())
                tally.add(key.name, key.value, number)
        asked = (first + timedelta(days=ahead) for ahead in range((min(last, today) - first).days + 1))
        missing = tuple(day for day in asked if day not in counted)
        return Sheet(talks, missing, frozenset(channels), frozenset(themes))


async def _begun(connection: AsyncConnection, today: date) -> date:
    """The first day that can have figures: before it nothing was counted, and nobody is known of. Where nothing ever
    happened it is `today`."""
    kept = await connection.scalar(sa.select(sa.func.min(day_figures.c.day)))
    known = await connection.scalar(sa.select(sa.func.min(conversations.c.created_at)))
    days = [kept or today, known.astimezone(AMSTERDAM).date() if known else today]
    return min(days)


async def _counted(connection: AsyncConnection, first: date, until: date) -> set[date]:
    query = sa.select(day_figures.c.day).where(
        day_figures.c.name == Name.COUNTED, day_figures.c.day >= first, day_figures.c.day < until
    )
    return set((await connection.execute(query)).scalars())
