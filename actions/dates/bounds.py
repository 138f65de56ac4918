"""What is told by something else: so much after it, until it, a part of it, the first of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from actions.dates.span import Context, Grain, Reading, Span
from actions.dates.units import midnight, moved, unit
from actions.dates.when import SLOTS, OfOneSlot, Slot, When


@dataclass(frozen=True)
class Ahead(OfOneSlot):
    """`over een week` is that day; with a weekday (`over een week op dinsdag`) the day in that week."""

    count: int
    grain: Grain

    @property
    def slot(self) -> Slot:  # type: ignore[override]
        return SLOTS[self.grain]

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        at = moved(context.now, self.count, self.grain)
        fine = Grain.MINUTE if self.grain in (Grain.MINUTE, Grain.HOUR) else Grain.DAY
        return [(unit(fine, at),)]


@dataclass(frozen=True)
class Later(OfOneSlot):
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
class Neighbour(OfOneSlot):
    """`de week na kerst`, `de maand voor de zomer`: the unit next to the one in which something is."""

    shift: int
    grain: Grain
    origin: When

    @property
    def slot(self) -> Slot:  # type: ignore[override]
        return SLOTS[self.grain]

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        found: list[Reading] = []
        for reading in self.origin.readings(context, scope):
            edge = reading[-1].end if self.shift > 0 else reading[0].start
            last = (edge or reading[-1].start) - timedelta(seconds=1 if self.shift > 0 else 0)
            found.append((unit(self.grain, last, self.shift),))
        return found


@dataclass(frozen=True)
class Section(OfOneSlot):
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
class Nth(OfOneSlot):
    """`eerste maandag van december`, `laatste week van januari`; the last is -1. With `after`:
    `derde dinsdag na kerst`."""

    nth: int
    number: int | None
    grain: Grain
    period: When
    after: bool = False

    @property
    def slot(self) -> Slot:  # type: ignore[override]
        return SLOTS[self.grain]

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
class Soonest(OfOneSlot):
    """`zo snel mogelijk`: from now, or from where the rest begins."""

    slot = Slot.SOON

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        return [(Span(context.now, None, Grain.MINUTE, "after"),)]


@dataclass(frozen=True)
class Open(OfOneSlot):
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
class Next(OfOneSlot):
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
class FromTo(OfOneSlot):
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
class Moved(OfOneSlot):
    """`een uur later`, `een dag eerder`: so much from the moment that is known."""

    count: int
    grain: Grain
    slot = Slot.DAY

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        if context.than is None:
            return []
        at = moved(context.than, self.count, self.grain)
        return [(unit(Grain.MINUTE if self.grain in (Grain.MINUTE, Grain.HOUR) else Grain.DAY, at),)]
