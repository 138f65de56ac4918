"""Days, weeks, months and years by their names and numbers."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from actions.dates.span import Context, Grain, Reading, Span
from actions.dates.special_days import special_day
from actions.dates.units import days, midnight, unit
from actions.dates.when import SLOTS, OfOneSlot, Slot

Which = Literal["this", "coming", "next", "last"]
_SOON = 183
_YEARS = 9
"""How far ahead a date is looked for: 29 February can be eight years away."""


@dataclass(frozen=True)
class Unit(OfOneSlot):
    """`deze week`, `volgende maand`, `morgen`: a unit of the calendar, so many from this one."""

    grain: Grain
    shift: int = 0

    @property
    def slot(self) -> Slot:  # type: ignore[override]
        return SLOTS[self.grain]

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        return [(unit(self.grain, context.now, self.shift),)]


@dataclass(frozen=True)
class Weekday(OfOneSlot):
    """`dinsdag`, `volgende dinsdag`. Said on a Tuesday it can be today or in a week; said on a Monday `volgende
    dinsdag` can be tomorrow or in the next week. Within something it is each such day of it."""

    number: int
    which: Which | None = None
    slot = Slot.DAY

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        if scope:
            return [self._in(scope)]
        today = context.today.date()
        ahead = (self.number - today.weekday()) % 7
        week = today - timedelta(days=today.weekday())
        shifts = {
            None: (0, 7) if not ahead else (ahead,),
            "coming": (ahead or 7,),
            "next": (ahead, ahead + 7) if ahead and self.number > today.weekday() else (ahead or 7,),
            "this": ((week - today).days + self.number,),
            "last": (ahead - 7,),
        }[self.which]
        return [(days(today + timedelta(days=shift)),) for shift in shifts]

    def _in(self, scope: Span) -> Reading:
        first = scope.start.date()
        start = first + timedelta(days=(self.number - first.weekday()) % 7)
        if scope.end is None:
            return (days(start),)
        if scope.end <= midnight(start):  # shorter than a week, and without this day: the week that it is in
            return (days(first + timedelta(days=self.number - first.weekday())),)
        weeks = range(0, max(1, (scope.end - midnight(start)).days + 1), 7)
        found = (days(start + timedelta(days=shift)) for shift in weeks)
        return tuple(day for day in found if day.start < scope.end)


@dataclass(frozen=True)
class Date(OfOneSlot):
    """`3 december`, `de 15e`: the first such day from today, or of the month or year that was named."""

    day: int
    month: int | None = None
    year: int | None = None
    slot = Slot.DAY

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        start = scope.start if scope else context.today
        found = (day for day in self._all(start) if midnight(day) >= start)
        first = next(found, None)
        if first is None or (scope and scope.end and midnight(first) >= scope.end):
            return [(days(day),) for day in self._all(start)] if self.year else []
        return [(days(first),)]

    def _all(self, start: datetime) -> Iterator[date]:
        for year in (self.year,) if self.year else range(start.year, start.year + _YEARS):
            for month in (self.month,) if self.month else range(1, 13):
                if self.day <= calendar.monthrange(year, month)[1]:
                    yield date(year, month, self.day)


@dataclass(frozen=True)
class NamedDate(OfOneSlot):
    """`dinsdag 1 december`: a date with its weekday. Where that is another one either may be the slip: the date, or the
    nearest such day; with `surely` only a day of this half-year that is right. A day that has just
    passed counts: `dinsdag 3 november`, written on the 23rd."""

    weekday: Weekday
    date: Date
    surely: bool = False
    slot = Slot.DAY

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        readings = self.date.within(scope, context)
        if self.surely:
            soon = context.now + timedelta(days=_SOON)
            return [r for r in readings if r[0].start.weekday() == self.weekday.number and r[0].start < soon]
        past = replace(self.date, year=context.now.year).within(None, context) if self.date.month else []
        for reading in (*readings, *past):
            if reading[0].start.weekday() == self.weekday.number:
                return [reading]
        return [*readings, *(self._nearest(reading) for reading in readings)]

    def _nearest(self, reading: Reading) -> Reading:
        day = reading[0].start
        ahead = (self.weekday.number - day.weekday() + 3) % 7 - 3
        return (days(day.date() + timedelta(days=ahead)),)


@dataclass(frozen=True)
class Month(OfOneSlot):
    """`januari`: the one that is now or comes next, or of the year that was named."""

    number: int
    which: Which | None = None
    slot = Slot.MONTH

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        around = scope.start if scope else context.now
        year = around.year + (1 if self.number < around.month and (scope is None or scope.end is None) else 0)
        if self.which == "last":
            year -= 1 if (year, self.number) >= (around.year, around.month) else 0
        elif self.which in ("coming", "next") and self.number == around.month:
            year += 1
        return [(unit(Grain.MONTH, datetime(year, self.number, 1)),)]


@dataclass(frozen=True)
class Year(OfOneSlot):
    """`2027`"""

    number: int
    slot = Slot.YEAR

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        return [(unit(Grain.YEAR, datetime(self.number, 1, 1)),)]


@dataclass(frozen=True)
class WeekNumber(OfOneSlot):
    """`week 49` by ISO 8601: the one that is now or comes next. Not every year has a week 53."""

    number: int
    slot = Slot.WEEK

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        around = scope.start if scope else context.now
        for year in range(around.year, around.year + _YEARS):
            if self.number == 53 and date(year, 12, 28).isocalendar().week < 53:
                continue
            week = days(date.fromisocalendar(year, self.number, 1), 7, Grain.WEEK)
            if week.end and week.end > around:
                return [(week,)]
        return []


@dataclass(frozen=True)
class SpecialDay(OfOneSlot):
    """`Koningsdag`, `kerst`: the next one, or of the year that was named."""

    name: str
    which: Which | None = None
    slot = Slot.DAY

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        around = scope.start if scope else context.today
        years = range(around.year - 1, around.year + (1 if scope and scope.end else 3))
        for year in reversed(years) if self.which == "last" else years:
            if found := special_day(self.name, year):
                span = days(found[0], (found[1] - found[0]).days + 1)
                if span.end and (span.end <= context.today if self.which == "last" else span.end > around):
                    return [(span,)]
        return []


@dataclass(frozen=True)
class Weekend(OfOneSlot):
    """`dit weekend` is Saturday and Sunday; before Saturday `volgend weekend` can be the next or the one after."""

    which: Which | None = None
    slot = Slot.SECTION

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        around = scope.start if scope else context.now
        saturday = around.date() + timedelta(days=5 - around.weekday())
        in_it = scope is None and around.weekday() >= 5
        shifts = {"last": (-7,), "coming": (7 if in_it else 0,), "next": (7,) if in_it else (0, 7)}
        chosen = shifts.get(self.which or "this", (0,))
        return [(days(saturday + timedelta(days=shift), 2),) for shift in chosen]
