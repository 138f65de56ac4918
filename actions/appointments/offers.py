"""Which free times a resident is offered: those that were asked for, or else the nearest to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from actions.appointments.moments import AHEAD, Span, Wanted
from bot.clock import AMSTERDAM
from bot.ports import AppointmentProvider

MANY, PER_DAY = 5, 2
"""So many times are offered, of one day at most so many where the resident named no day."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Free times, in order. `fits`: they are what was asked for; else the nearest to it, and none where there is no
    free time at all."""

    times: tuple[datetime, ...]
    fits: bool


class Free:
    """The free times of a product at a location, looked up day by day, each once."""

    def __init__(
        self, calendar: AppointmentProvider, product: str, location: str, people: int, now: datetime
    ) -> None:
        self._calendar = calendar
        self._product = product
        self._location = location
        self._people = people
        self._today = now.astimezone(AMSTERDAM).date()
        self._days: list[date] | None = None
        self._times: dict[date, list[datetime]] = {}

    async def days(self) -> list[date]:
        """Days with a free time. Raises `CalendarFault`."""
        if self._days is None:
            last = self._today + timedelta(days=AHEAD)
            self._days = await self._calendar.days(
                self._product, self._location, self._today, last, self._people
            )
        return self._days

    async def times(self, day: date) -> list[datetime]:
        """Free times of a day. Raises `CalendarFault`."""
        if day not in self._times:
            self._times[day] = await self._calendar.times(self._product, self._location, day, self._people)
        return self._times[day]

    async def within(self, spans: Sequence[Span], most: int = 500) -> list[datetime]:
        """Free times in any of the spans. Raises `CalendarFault`."""
        found: list[datetime] = []
        for day in await self.days():
            here = [span for span in spans if span[0].date() <= day <= span[1].date()]
            if here:
                found += [t for t in await self.times(day) if any(a <= t < b for a, b in here)]
            if len(found) >= most:
                break
        return found

    async def offer(self, wanted: Wanted | None) -> Offer:
        """What to offer. Raises `CalendarFault`."""
        if wanted is None:
            return Offer(await self._first(), fits=True)
        if found := await self.within(wanted.spans):
            days = {time.date() for time in found}
            return Offer(_spread(found, MANY if len(days) == 1 else PER_DAY), fits=True)
        return Offer(await self.nearest(wanted.spans[0][0]), fits=False)

    async def earlier(self, than: datetime) -> Offer:
        """The last free times before a moment."""
        begin = datetime.combine(self._today, than.timetz()).replace(hour=0, minute=0, tzinfo=AMSTERDAM)
        found = await self.within([(begin, than)])
        return Offer(tuple(found[-MANY:]), fits=bool(found))

    async def later(self, than: datetime) -> Offer:
        """The first free times after a moment; from another day on, so that there is something to choose from."""
        after = than.astimezone(AMSTERDAM).date()
        found: list[datetime] = []
        for day in [day for day in await self.days() if day > after][:3]:
            found += _spread(await self.times(day), PER_DAY)
        rest = [time for time in await self.times(after) if time > than] if not found else []
        times = tuple((found or rest)[:MANY])
        return Offer(times, fits=bool(times))

    async def _first(self) -> tuple[datetime, ...]:
        """The first ones, of some days."""
        found: list[datetime] = []
        for day in (await self.days())[:3]:
            found += _spread(await self.times(day), PER_DAY)
        return tuple(found[:MANY])

    async def nearest(self, moment: datetime) -> tuple[datetime, ...]:
        """The free times around a moment: of its day, or of the days with a free time nearest to it."""
        day = moment.astimezone(AMSTERDAM).date()
        near = sorted(await self.days(), key=lambda one: abs((one - day).days))[:3]
        times = [time for one in near for time in await self.times(one)]
        return tuple(sorted(sorted(times, key=lambda time: abs(time - moment))[:MANY]))


def _spread(times: Sequence[datetime], per_day: int) -> tuple[datetime, ...]:
    """Of each day so many, as far apart as they are; `MANY` in all."""
    by_day: dict[date, list[datetime]] = {}
    for time in times:
        by_day.setdefault(time.date(), []).append(time)
    chosen: list[datetime] = []
    for several in by_day.values():
        step = max(1, len(several) // per_day)
        chosen += several[::step][:per_day]
    return tuple(chosen[:MANY])
