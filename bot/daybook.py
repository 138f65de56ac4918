"""The day book: figures of each day, kept before retention erases what they were counted from."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

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


Span = tuple[date, date]
"""The first and the last day."""

Where = tuple[int, str, str]
"""The number of a span, the channel and the theme."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of some spans of days in a row: by span, by channel and by theme. `missing`: so many of the days
    were never counted. `all_channels` and `all_themes`: those of these days, also where only some were asked for."""

    spans: Sequence[Tally]
    channels: Mapping[str, Tally]
    themes: Mapping[str, Tally]
    missing: int
    all_channels: frozenset[str]
    all_themes: frozenset[str]

    @property
    def whole(self) -> Tally:
        """All spans together."""
        found = Tally()
        for tally in self.spans:
            found.merge(tally)
        return found


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
        self, spans: Sequence[Span], *, channel: str | None = None, theme: str | None = None
    ) -> Sheet:
        """The figures of these spans, of a channel and a theme or of all. Today is counted now."""
        sums = [Tally() for _ in spans]
        channels: dict[str, Tally] = defaultdict(Tally)
        themes: dict[str, Tally] = defaultdict(Tally)
        (first, _), (_, last) = spans[0], spans[-1]
        async with self._database.read() as connection:
            now = await self._now(connection, spans)
            days = day_figures.c.day.between(first, last)
            known = await connection.execute(
                sa.select(day_figures.c.channel, day_figures.c.theme).where(days).distinct()
            )
            pairs = {(row.channel, row.theme) for row in known if row.channel} | {key[:2] for key in now}
            counted = await _counted(connection, first, min(last + timedelta(days=1), self.today))
            place, c = _place(spans), day_figures.c
            for column, tallies in ((place, sums), (c.channel, channels), (c.theme, themes)):
                for row in await connection.execute(self._sums(spans, [column], channel, theme)):
                    tallies[row[0]].add(row.name, row.value, row.number)
        for key, number in now.items():
            if channel in (None, key.channel) and theme in (None, key.theme):
                for tally in (sums[_span_of(self.today, spans)], channels[key.channel], themes[key.theme]):
                    tally.add(key.name, key.value, number)
        passed = max(0, (min(last, self.today - timedelta(days=1)) - first).days + 1)
        return Sheet(
            sums,
            channels,
            themes,
            passed - len(counted),
            frozenset(pair[0] for pair in pairs),
            frozenset(pair[1] for pair in pairs),
        )

    async def each(
        self, spans: Sequence[Span], *, channel: str | None = None, theme: str | None = None
    ) -> dict[Where, Tally]:
        """The same by span, channel and theme at once, for a file."""
        found: dict[Where, Tally] = defaultdict(Tally)
        columns = [_place(spans), day_figures.c.channel, day_figures.c.theme]
        async with self._database.read() as connection:
            now = await self._now(connection, spans)
            for row in await connection.execute(self._sums(spans, columns, channel, theme)):
                found[row[0], row[1], row[2]].add(row.name, row.value, row.number)
        for key, number in now.items():
            if channel in (None, key.channel) and theme in (None, key.theme):
                where = (_span_of(self.today, spans), key.channel, key.theme)
                found[where].add(key.name, key.value, number)
        return dict(sorted(found.items()))

    async def _now(self, connection: AsyncConnection, spans: Sequence[Span]) -> Counter[Key]:
        if not spans[0][0] <= self.today <= spans[-1][1]:
            return Counter()
        return await count_day(connection, self.today)

    def _sums(
        self,
        spans: Sequence[Span],
        columns: Sequence[sa.ColumnElement[Any]],
        channel: str | None,
        theme: str | None,
    ) -> sa.Select[Any]:
        """Added up by the store, which is quicker than we are. Today does not stand in it."""
        c = day_figures.c
        inner = sa.select(
            *(column.label(f"by_{number}") for number, column in enumerate(columns)),
            c.name,
            c.value,
            c.number,
        ).where(c.day.between(spans[0][0], spans[-1][1]), c.day < self.today, c.name != Name.COUNTED)
        if channel is not None:
            inner = inner.where(c.channel == channel)
        if theme is not None:
            inner = inner.where(c.theme == theme)
        rows = inner.subquery()
        keys = [rows.c[f"by_{number}"] for number in range(len(columns))]
        return sa.select(
            *keys, rows.c.name, rows.c.value, sa.func.sum(rows.c.number).label("number")
        ).group_by(*keys, rows.c.name, rows.c.value)


def _place(spans: Sequence[Span]) -> sa.ColumnElement[int]:
    """The number of the span that a day is in."""
    return sa.case(*((day_figures.c.day <= last, number) for number, (_, last) in enumerate(spans)))


def _span_of(day: date, spans: Sequence[Span]) -> int:
    return next(number for number, (_, last) in enumerate(spans) if day <= last)


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
