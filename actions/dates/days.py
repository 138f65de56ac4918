"""Days and longer: weekdays, dates, weeks, months, special days, parts of them, and what is before or after."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from actions.dates.span import Context, Grain, Reading, Span
from actions.dates.special_days import special_day
from actions.dates.when import Slot, When

Which = Literal["this", "coming", "next", "last"]
_SLOTS = {
    Grain.MINUTE: Slot.DAY,
    Grain.HOUR: Slot.DAY,
    Grain.DAY: Slot.DAY,
    Grain.WEEK: Slot.WEEK,
    Grain.MONTH: Slot.MONTH,
    Grain.QUARTER: Slot.MONTH,
    Grain.YEAR: Slot.YEAR,
}
_YEARS = 9
"""How far ahead a date is looked for: 29 February can be eight years away."""


def midnight(day: date) -> datetime:
    """Where a day begins."""
    return datetime.combine(day, time())


def days(start: date, count: int = 1, grain: Grain = Grain.DAY) -> Span:
    """So many days from midnight."""
    return Span(midnight(start), midnight(start) + timedelta(days=count), grain)


def unit(grain: Grain, around: datetime, shift: int = 0) -> Span:
    """The week, month and so on around a moment, or so many before or after it."""
    if grain in (Grain.MINUTE, Grain.HOUR):
        length = timedelta(minutes=1) if grain is Grain.MINUTE else timedelta(hours=1)
        start = around.replace(minute=0 if grain is Grain.HOUR else around.minute, second=0, microsecond=0)
        return Span(start + shift * length, start + (shift + 1) * length, grain)
    if grain in (Grain.DAY, Grain.WEEK):
        back = around.weekday() if grain is Grain.WEEK else 0
        count = 7 if grain is Grain.WEEK else 1
        return days(around.date() + timedelta(days=shift * count - back), count, grain)
    months = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}[grain]
    first = (12 * around.year + around.month - 1) // months * months + shift * months
    return Span(_month(first), _month(first + months), grain)


def _month(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1)


def moved(moment: datetime, count: int, grain: Grain) -> datetime:
    """So much later; the last of a month stays in it (31 January and a month is 28 February)."""
    if grain in (Grain.MONTH, Grain.QUARTER, Grain.YEAR):
        number = 12 * moment.year + moment.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[grain]
        last = calendar.monthrange(number // 12, number % 12 + 1)[1]
        return moment.replace(year=number // 12, month=number % 12 + 1, day=min(moment.day, last))
    return moment + count * {
        "minute": timedelta(minutes=1),
        "hour": timedelta(hours=1),
        "day": timedelta(days=1),
    }.get(grain, timedelta(days=7))


class _OfOneSlot:
    """Most parts fill one slot."""

    __slots__ = ()
    slot: Slot

    @property
    def slots(self) -> frozenset[Slot]:
        return frozenset({self.slot})


@dataclass(frozen=True)
class Unit(_OfOneSlot):
    """`deze week`, `volgende maand`, `morgen`: a unit of the calendar, so many from this one."""

    grain: Grain
    shift: int = 0

    @property
    def slot(self) -> Slot:  # type: ignore[override]
        return _SLOTS[self.grain]

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        return [(unit(self.grain, context.now, self.shift),)]


@dataclass(frozen=True)
class Ahead(_OfOneSlot):
    """`over een week` is that day; with a weekday (`over een week op dinsdag`) the day in that week."""

    count: int
    grain: Grain

    @property
    def slot(self) -> Slot:  # type: ignore[override]
        return _SLOTS[self.grain]

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        at = moved(context.now, self.count, self.grain)
        fine = Grain.MINUTE if self.grain in (Grain.MINUTE, Grain.HOUR) else Grain.DAY
        return [(unit(fine, at),)]


@dataclass(frozen=True)
class Later(_OfOneSlot):
    """`een week na kerst`, `morgen over een week`: so much after the first day of something."""

    count: int
    grain: Grain
    origin: When
    slot = Slot.DAY

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        found: list[Reading] = []
        for reading in self.origin.readings(context, scope):
            start = reading[0].start
            if self.grain is Grain.DAY and self.count > 0 and reading[0].end:
                start = reading[0].end - timedelta(days=1)
            found.append((unit(Grain.DAY, moved(start, self.count, self.grain)),))
        return found[:1]


@dataclass(frozen=True)
class Neighbour(_OfOneSlot):
    """`de week na kerst`, `de maand voor de zomer`: the unit next to the one in which something is."""

    shift: int
    grain: Grain
    origin: When

    @property
    def slot(self) -> Slot:  # type: ignore[override]
        return _SLOTS[self.grain]

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        found: list[Reading] = []
        for reading in self.origin.readings(context, scope):
            edge = reading[-1].end if self.shift > 0 else reading[0].start
            last = (edge or reading[-1].start) - timedelta(seconds=1 if self.shift > 0 else 0)
            found.append((unit(self.grain, last, self.shift),))
        return found


@dataclass(frozen=True)
class Weekday(_OfOneSlot):
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
class Date(_OfOneSlot):
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
            return [] if self.year is None else [(days(date(self.year, self.month or 1, self.day)),)]
        return [(days(first),)]

    def _all(self, start: datetime) -> Iterator[date]:
        for year in (self.year,) if self.year else range(start.year, start.year + _YEARS):
            for month in (self.month,) if self.month else range(1, 13):
                if self.day <= calendar.monthrange(year, month)[1]:
                    yield date(year, month, self.day)


@dataclass(frozen=True)
class NamedDate(_OfOneSlot):
    """`dinsdag 1 december`: a date with its weekday. Where that is another one either may be the slip, unless the day
    has just passed: `dinsdag 3 november`, written on the 23rd."""

    weekday: Weekday
    date: Date
    slot = Slot.DAY

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        readings = self.date.within(scope, context)
        past = replace(self.date, year=context.now.year).within(None, context) if self.date.month else []
        for reading in (*readings, *past):
            if reading[0].start.weekday() == self.weekday.number:
                return [reading]
        return [*readings, *replace(self.weekday, which=None).within(scope, context)]


@dataclass(frozen=True)
class Month(_OfOneSlot):
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
class Year(_OfOneSlot):
    """`2027`"""

    number: int
    slot = Slot.YEAR

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        return [(unit(Grain.YEAR, datetime(self.number, 1, 1)),)]


@dataclass(frozen=True)
class WeekNumber(_OfOneSlot):
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
class SpecialDay(_OfOneSlot):
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
class Weekend(_OfOneSlot):
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


@dataclass(frozen=True)
class Section(_OfOneSlot):
    """`begin van de week` is Monday and Tuesday, `midden` until Thursday, `eind` Thursday and Friday; of a month ten
    days each, of what is longer a third."""

    section: Literal["begin", "middle", "end"]
    slot = Slot.SECTION

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        if scope is None or scope.end is None:
            return []
        start, length = scope.start, (scope.end - scope.start).days
        if scope.grain is Grain.WEEK:
            first, last = {"begin": (0, 2), "middle": (1, 4), "end": (3, 5)}[self.section]
        elif scope.grain is Grain.MONTH:
            first, last = {"begin": (0, 10), "middle": (10, 20), "end": (20, length)}[self.section]
        else:
            third = max(1, length // 3)
            first, last = {"begin": (0, third), "middle": (third, 2 * third), "end": (2 * third, length)}[
                self.section
            ]
        return [(Span(start + timedelta(days=first), start + timedelta(days=last), Grain.DAY),)]


@dataclass(frozen=True)
class Nth(_OfOneSlot):
    """`eerste maandag van december`, `laatste week van januari`; the last is -1.  `after` something: `derde dinsdag na kerst`."""

    nth: int
    number: int | None
    grain: Grain
    period: When
    after: bool = False

    @property
    def slot(self) -> Slot:  # type: ignore[override]
        return _SLOTS[self.grain]

    @property
    def slots(self) -> frozenset[Slot]:
        return self.period.slots | {self.slot}

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        found: list[Reading] = []
        for reading in self.period.readings(context, scope):
            span = reading[0]
            if self.after and span.end:
                span = Span(span.end, None, Grain.DAY)
            if self.grain is Grain.WEEK and not self.after and span.end:
                found += ((week,) for week in self._weeks(span.start, span.end))
                continue
            candidates = list(self._candidates(span))
            if -len(candidates) <= self.nth <= len(candidates):
                found.append((candidates[self.nth if self.nth < 0 else self.nth - 1],))
        return found

    def _weeks(self, start: datetime, end: datetime) -> list[Span]:
        """A week with four working days or more in the period is its first or last for sure; with two or three it may
        be, and so may the one beside it."""
        edge = start if self.nth > 0 else end - timedelta(days=1)
        inside = 5 - edge.weekday() if self.nth > 0 else min(5, edge.weekday() + 1)
        step = 1 if self.nth > 0 else -1
        shifts = (0,) if inside >= 4 else (0, step) if inside >= 2 else (step,)
        found = (unit(Grain.WEEK, edge, shift + self.nth - step) for shift in shifts)
        return [week for week in found if week.start < end and week.end and week.end > start]

    def _candidates(self, span: Span) -> Iterator[Span]:
        end = span.end or span.start + timedelta(days=370)
        wanted = 0 if self.grain is Grain.WEEK else self.number
        if self.grain in (Grain.DAY, Grain.WEEK):
            day = span.start
            while day < end:
                if wanted is None or day.weekday() == wanted:
                    yield unit(self.grain, day)
                day += timedelta(days=1)
        else:
            found = unit(self.grain, span.start)
            while found.end and found.start < end:
                yield found
                found = unit(self.grain, found.end)


@dataclass(frozen=True)
class Soonest(_OfOneSlot):
    """`zo snel mogelijk`: from now, or from where the rest begins."""

    slot = Slot.SOON

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        return [(Span(context.now, None, Grain.MINUTE, "after"),)]


@dataclass(frozen=True)
class Open(_OfOneSlot):
    """`na`, `vanaf`, `voor` (`tot`) and `tot en met` something, or a moment that is known: `eerder`, `later`."""

    kind: Literal["after", "from", "before", "until"]
    edge: When | None = None
    slot = Slot.OPEN

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        if self.edge is None:
            return [] if context.than is None else [(self._span(context.than, context, Grain.MINUTE),)]
        found: list[Reading] = []
        for reading in self.edge.readings(context):
            first, last = min(reading, key=lambda s: s.start), max(reading, key=lambda s: s.start)
            at = {"after": last.end, "from": first.start, "before": first.start, "until": last.end}[self.kind]
            if at and first.grain in (Grain.HOUR, Grain.MINUTE) and self.kind in ("after", "until"):
                at = last.start  # "na drie uur" is from three on
            if at:
                found.append((self._span(at, context, first.grain),))
        return found

    def _span(self, at: datetime, context: Context, grain: Grain) -> Span:
        if self.kind in ("after", "from"):
            return Span(at, None, grain, "after")
        return Span(min(context.now, at), at, grain, "before")


@dataclass(frozen=True)
class Next(_OfOneSlot):
    """`de komende drie dagen`: that many after this one; weeks count from today. `binnen een week`: from now on."""

    count: int
    grain: Grain
    within_it: bool = False
    slot = Slot.OPEN

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        first, last = unit(self.grain, context.now, 1), unit(self.grain, context.now, self.count)
        start, end = first.start, last.end
        if self.count < 0:
            start, end = last.start, unit(self.grain, context.now).start
        elif self.within_it or self.grain is Grain.WEEK:
            start, end = context.now, moved(context.now, self.count, self.grain)
            if self.grain not in (Grain.MINUTE, Grain.HOUR):
                end = midnight(end.date())
        return [(Span(start, end, self.grain),)]


@dataclass(frozen=True)
class FromTo(_OfOneSlot):
    """`van maandag tot en met woensdag`: days, the last one too. With times of day the last moment is the end."""

    first: When
    last: When

    @property
    def slots(self) -> frozenset[Slot]:
        return self.first.slots | self.last.slots

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        found: list[Reading] = []
        for start in self.first.readings(context, scope):
            after = replace(context, now=start[0].start)
            for end in self.last.readings(after, scope)[:1]:
                precise = end[-1].grain in (Grain.HOUR, Grain.MINUTE) and Slot.TIME in self.last.slots
                stop = end[-1].start if precise else end[-1].end
                if stop and stop > start[0].start:
                    found.append((Span(start[0].start, stop, end[-1].grain),))
        return found


@dataclass(frozen=True)
class Moved(_OfOneSlot):
    """`een uur later`, `een dag eerder`: so much from the moment that is known."""

    count: int
    grain: Grain
    slot = Slot.DAY

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        if context.than is None:
            return []
        at = moved(context.than, self.count, self.grain)
        return [(unit(Grain.MINUTE if self.grain in (Grain.MINUTE, Grain.HOUR) else Grain.DAY, at),)]
