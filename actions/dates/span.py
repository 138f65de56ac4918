"""What a phrase can mean: spans of time, and what was understood of a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


class Grain(StrEnum):
    """How precise a span was said: `dinsdag` is a day, `3 uur` an hour, `14.30 uur` a minute."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until `end`, which does not belong to it; without `end` it goes on.

    `open` tells that one side was left open: `voor vrijdag` is `before` (and starts now), `vanaf vrijdag` is `after`.
    `every` tells that it was said without a day (`'s middags`) or of all weeks (`niet op maandag`): this is the first
    of them. Moments are aware, in Amsterdam; inside this library they are the wall clock's, without a zone.
    """

    start: datetime
    end: datetime | None
    grain: Grain
    open: Literal["before", "after"] | None = None
    every: Literal["day", "week"] | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether a moment (aware) lies in it, or in one of its repetitions."""
        if moment < self.start or self.end is None:
            return moment >= self.start
        if self.every is None:
            return moment < self.end
        local, start = (m.astimezone(AMSTERDAM).replace(tzinfo=None) for m in (moment, self.start))
        length = self.end.astimezone(AMSTERDAM).replace(tzinfo=None) - start
        return (local - start) % timedelta(days=1 if self.every == "day" else 7) < length

    def on(self, day: date) -> Span:
        """The same time of day on another day: for `half drie`, where the day is known already."""
        start = self.start.astimezone(AMSTERDAM).replace(tzinfo=None)
        moved = datetime.combine(day, start.time())
        length = None if self.end is None else self.end.astimezone(AMSTERDAM).replace(tzinfo=None) - start
        end = None if length is None else aware(moved + length)
        return Span(aware(moved), end, self.grain, self.open)


Reading = tuple[Span, ...]
"""One way to read a phrase: any of these spans is fine to who wrote it."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What was understood of a message.

    `spans` are all fine to the resident (`maandag of dinsdag`). Where the message can be read in more than one way
    `spans` is empty and `alternatives` holds the ways: ask which one is meant. Nothing understood: both are empty.
    `unwanted` is what the resident said no to; it is taken off bounded spans already. `used` are the parts of the
    text that this came from, as they were written.
    """

    spans: Reading = ()
    alternatives: tuple[Reading, ...] = ()
    unwanted: Reading = ()
    soonest: bool = False
    used: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.spans or self.alternatives)

    def fits(self, moment: datetime) -> bool:
        """Whether a moment (aware) is fine; where it was not clear which was meant, nothing is."""
        return any(span.covers(moment) for span in self.spans) and not any(
            span.covers(moment) for span in self.unwanted
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What a phrase is read against: the wall clock in Amsterdam, a moment to compare with, and opening hours."""

    now: datetime
    than: datetime | None = None
    hours: tuple[time, time] | None = None

    @property
    def today(self) -> datetime:
        """Midnight before now."""
        return datetime.combine(self.now, time())


def wall(moment: datetime) -> datetime:
    """The wall clock in Amsterdam; a moment without a zone is already that."""
    return moment.astimezone(AMSTERDAM).replace(tzinfo=None) if moment.tzinfo else moment


def aware(moment: datetime, fold: int = 0) -> datetime:
    """The moment of a wall clock; of one that summer time ends twice the first, or the second with `fold`.

    A time that summer time skips is moved on: 2.30 becomes 3.30.
    """
    first = moment.replace(tzinfo=AMSTERDAM, fold=0)
    shown = first.astimezone(UTC).astimezone(AMSTERDAM)
    return shown if shown.replace(tzinfo=None) != moment else moment.replace(tzinfo=AMSTERDAM, fold=fold)
