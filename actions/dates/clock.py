"""Times of day: `half drie`, `'s middags`, `na drie uur`, `tussen 2 en 4`, and which half of the day is meant.

Without opening hours a time may be meant from five in the morning until nine in the evening: who means the night says
so. `half drie` is 14.30, and `8 uur` can be both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from actions.dates.lexicon import PARTS
from actions.dates.span import Context, Grain, Reading, Span
from actions.dates.when import Slot

_HALF, _DAY = 720, 1440
_EARLY, _LATE = 5 * 60, 21 * 60
_NOT_BEFORE = 7 * 60
"""The same for a part of a day: `na vijf uur` is in the afternoon."""
_MOST_DAYS = 62
"""Over more days a time of day is not written out: it is a span with `every`."""


@dataclass(frozen=True, slots=True)
class Option:
    """Minutes from midnight; `said` are those that were named, by which it is judged whether it can be meant."""

    start: int
    end: int
    said: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """A time of day, in each half of the day that it can be in.

    `sure`: the half is said. `figures`: written as `9.15`, which is the morning unless `'s avonds` follows.
    """

    options: tuple[Option, ...]
    grain: Grain = Grain.HOUR
    sure: bool = False
    figures: bool = False
    part: str | None = None
    open: bool = False

    @property
    def slots(self) -> frozenset[Slot]:
        return frozenset({Slot.TIME})

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        found: list[Reading] = []
        for option in self._meant(context):
            if scope is None or scope.end is None:
                found.append((self._daily(option, context, scope),))
            else:
                found.append(tuple(self._in(scope, option)))
        return found

    def _meant(self, context: Context) -> tuple[Option, ...]:
        if self.sure or not any(option.said for option in self.options):
            return self.options
        if context.hours:
            opens, closes = (60 * at.hour + at.minute for at in context.hours)
            if inside := tuple(o for o in self.options if all(opens <= m <= closes for m in o.said)):
                return inside
        if self.figures:
            return self.options[:1]
        early = _NOT_BEFORE if self.open else _EARLY
        day = tuple(o for o in self.options if all(early <= m <= _LATE for m in o.said))
        return day or self.options

    def _daily(self, option: Option, context: Context, scope: Span | None) -> Span:
        first = scope.start if scope else context.now
        day = datetime(first.year, first.month, first.day)
        span = self._on(day, option)
        if span.end is not None and (span.end <= first or (not self._is_long(option) and span.start < first)):
            span = self._on(day + timedelta(days=1), option)
        return replace(span, every="day")

    def _is_long(self, option: Option) -> bool:
        return self.open or bool(self.part) or option.end - option.start > 60

    def _in(self, scope: Span, option: Option) -> Iterator[Span]:
        day = datetime(scope.start.year, scope.start.month, scope.start.day)
        for _ in range(_MOST_DAYS):
            if scope.end is None or day >= scope.end:
                return
            span = self._on(day, option)
            if span.start < scope.end and span.end is not None and span.end > scope.start:
                yield replace(span, start=max(span.start, scope.start))
            elif option.start >= _DAY:
                yield span
            day += timedelta(days=1)

    def _on(self, day: datetime, option: Option) -> Span:
        return Span(day + timedelta(minutes=option.start), day + timedelta(minutes=option.end), self.grain)


def clock(hour: int, minute: int = 0, *, figures: bool = False, sure: bool = False) -> Times | None:
    """A time on the clock; None where there is none such. `sure`: not to be moved to the other half of the day."""
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        return None
    grain = Grain.MINUTE if minute else Grain.HOUR
    at = 60 * hour + minute
    if sure or not 1 <= hour <= 12:
        return Times((_option(at, grain),), grain, sure=True)
    other = at + _HALF if hour < 12 else at - _HALF if minute else _DAY
    return Times((_option(at, grain), _option(other, grain)), grain, figures=figures and hour >= 5)


def _option(at: int, grain: Grain) -> Option:
    return Option(at, at + (1 if grain is Grain.MINUTE else 60), (at,))


def minutes_from(times: Times, minutes: int) -> Times:
    """So many minutes after (or before) a time: `tien over half drie`."""
    options = tuple(_option((o.start + minutes) % (2 * _DAY), Grain.MINUTE) for o in times.options)
    return replace(times, options=options, grain=Grain.MINUTE)


def part_of_day(name: str) -> Times:
    """`'s middags`"""
    start, end, _, _ = PARTS[name]
    return Times((Option(60 * start, 60 * end),), sure=True, part=name)


def between_hours(start: int, end: int) -> Times:
    """From an hour until another, of which nothing is to be asked."""
    return Times((Option(60 * start, 60 * end),), sure=True)


def opened(kind: Literal["before", "after"], times: Times) -> Times:
    """`na drie uur` (until the day ends) and `voor drie uur` (from where it begins)."""
    options = tuple(
        Option(0, o.start, o.said) if kind == "before" else Option(o.start, max(_DAY, o.end), o.said)
        for o in times.options
    )
    return replace(times, options=options, open=True)


def between(first: Times, last: Times) -> Times | None:
    """`van tien tot twee`: from each reading of the first until the next reading of the last."""
    if first.sure and first.part is None and not last.sure:
        first = replace(first, sure=True)
    options = []
    for start in first.options:
        later = [end for end in last.options if end.start > start.start]
        if later:
            end = min(later, key=lambda option: option.start)
            options.append(Option(start.start, end.start, (start.start, end.start)))
    grain = Grain.MINUTE if Grain.MINUTE in (first.grain, last.grain) else Grain.HOUR
    sure = first.sure or last.sure
    shortest = min((o.end - o.start for o in options), default=0)
    kept = tuple(o for o in options if not sure or o.end - o.start == shortest)
    return Times(kept, grain, sure=sure) if kept else None


def both(one: Times, other: Times) -> Times | None:
    """`3 uur 's middags`: the readings of a time that belong to a part of the day; None where there are none."""
    if one.open and other.open:
        return _overlap(one, other)
    if one.part is None:
        one, other = other, one
    if one.part is None or other.part is not None:
        return None
    start, end, said_from, said_until = PARTS[one.part]
    kept = tuple(
        o
        for o in other.options
        if all(60 * said_from <= _clock_face(m, one.part) <= 60 * said_until for m in o.said)
    )
    if other.open:
        kept = tuple(
            replace(o, start=max(o.start, 60 * start), end=min(o.end, 60 * end))
            for o in kept
            if max(o.start, 60 * start) < min(o.end, 60 * end)
        )
    return replace(other, options=kept, sure=True, figures=False) if kept else None


def _clock_face(minutes: int, part: str) -> int:
    """Midnight belongs to the night that begins with it."""
    return minutes % _DAY if part == "nacht" else minutes


def _overlap(one: Times, other: Times) -> Times | None:
    """`na half tien maar voor elf`: the shortest that both allow."""
    pairs = ((max(a.start, b.start), min(a.end, b.end)) for a in one.options for b in other.options)
    lengths = sorted((end - start, start, end) for start, end in pairs if start < end)
    if not lengths:
        return None
    options = tuple(
        Option(start, end, (start, end)) for length, start, end in lengths if length == lengths[0][0]
    )
    return replace(one, options=options, grain=min(one.grain, other.grain, key=list(Grain).index))
