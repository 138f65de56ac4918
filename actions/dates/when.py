"""What a phrase says, before it is known when: parts from coarse to fine, each of which is looked up in the one before.

`volgende week dinsdagmiddag` is a week, a weekday and a part of the day, in whatever order they were written.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from actions.dates.span import Context, Grain, Reading, Span


class Slot(IntEnum):
    """How coarse a part is; a phrase has one part for each at most."""

    SOON = 0
    OPEN = 1
    YEAR = 2
    MONTH = 3
    WEEK = 4
    SECTION = 5
    DAY = 6
    TIME = 7


SLOTS = {
    Grain.MINUTE: Slot.DAY,
    Grain.HOUR: Slot.DAY,
    Grain.DAY: Slot.DAY,
    Grain.WEEK: Slot.WEEK,
    Grain.MONTH: Slot.MONTH,
    Grain.QUARTER: Slot.MONTH,
    Grain.YEAR: Slot.YEAR,
}
"""The slot of a unit of the calendar."""


class Part(Protocol):
    """One part of what was said."""

    @property
    def slots(self) -> frozenset[Slot]: ...

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        """The ways to read it inside of what the coarser parts said."""


class OfOneSlot:
    """Most parts fill one slot."""

    __slots__ = ()
    slot: Slot

    @property
    def slots(self) -> frozenset[Slot]:
        return frozenset({self.slot})


@dataclass(frozen=True, slots=True)
class When:
    """The parts, the coarsest first."""

    parts: tuple[Part, ...]

    @property
    def slots(self) -> frozenset[Slot]:
        return frozenset().union(*(part.slots for part in self.parts))

    @property
    def only_time(self) -> bool:
        """Whether no day was named."""
        return self.slots == {Slot.TIME}

    def with_part(self, part: Part) -> When:
        return When(tuple(sorted((*self.parts, part), key=lambda p: min(p.slots))))

    def readings(self, context: Context, scope: Span | None = None) -> list[Reading]:
        """Each way to read the whole; the same spans once."""
        current: list[tuple[Span | None, ...]] = [(scope,)]
        for part in self.parts:
            choices = (itertools.product(*(part.within(s, context) for s in spans)) for spans in current)
            found = itertools.islice(itertools.chain.from_iterable(choices), _MOST)
            current = [tuple(itertools.chain.from_iterable(chosen)) for chosen in found]
        return unique(tuple(span for span in spans if span) for spans in current)


_MOST = 16
"""Readings that are kept: who wrote something with more ways to read it is asked anyway."""


def unique(readings: Iterable[Reading]) -> list[Reading]:
    """Without those that are there already and those with nothing in them."""
    return [reading for reading in dict.fromkeys(tuple(dict.fromkeys(r)) for r in readings) if reading]


def when(part: Part) -> When:
    """Of one part."""
    return When((part,))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`maandag of dinsdag`: each of them is fine."""

    items: tuple[When, ...]

    @property
    def slots(self) -> frozenset[Slot]:
        return frozenset().union(*(item.slots for item in self.items))

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        choices = itertools.product(*(item.readings(context, scope) for item in self.items))
        return [tuple(itertools.chain.from_iterable(chosen)) for chosen in itertools.islice(choices, _MOST)]


@dataclass(frozen=True, slots=True)
class Ways:
    """`3/4`: one of these is meant, and it is not known which."""

    items: tuple[When, ...]

    @property
    def slots(self) -> frozenset[Slot]:
        return frozenset().union(*(item.slots for item in self.items))

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        return list(itertools.chain.from_iterable(item.readings(context, scope) for item in self.items))


@dataclass(frozen=True, slots=True)
class Both:
    """`dinsdag 1 december`: two names of one day. Where they differ, either may be the slip."""

    first: Part
    second: Part

    @property
    def slots(self) -> frozenset[Slot]:
        return self.first.slots | self.second.slots

    def within(self, scope: Span | None, context: Context) -> list[Reading]:
        firsts, seconds = self.first.within(scope, context), self.second.within(scope, context)
        days = {reading[0].start.weekday() for reading in firsts if reading}
        agreed = [reading for reading in seconds if reading and reading[0].start.weekday() in days]
        return agreed or [*seconds, *firsts]
