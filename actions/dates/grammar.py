"""The grammar, and what its rules share. `W` says when, `T` is a time of day, `NOT` what is not wanted."""

from __future__ import annotations

from dataclasses import replace

from actions.dates import clock
from actions.dates.chart import Grammar
from actions.dates.clock import Times
from actions.dates.days import Date, NamedDate, SpecialDay, Unit, Weekday
from actions.dates.when import AnyOf, Both, Part, When

GRAMMAR = Grammar()

_DAYS = (Weekday, Date, Unit, SpecialDay)


def merged(one: When, other: When) -> When | None:
    """Both together: a part for each slot, or two that tell the same day or time; None where they can't go together."""
    together: When | None = one
    for part in other.parts:
        together = together and _added(together, part)
    return together


def _added(one: When, part: Part) -> When | None:
    if not one.slots & part.slots:
        return one.with_part(part)
    for known in one.parts:
        if known.slots == part.slots and (fused := _fused(known, part)):
            return replace(one, parts=tuple(fused if p is known else p for p in one.parts))
    return None


def _fused(known: Part, part: Part) -> Part | None:
    if isinstance(known, Times) and isinstance(part, Times):
        return clock.both(known, part)
    for several, single in ((known, part), (part, known)):
        if isinstance(several, AnyOf) and isinstance(single, Times) and single.part:
            items = [merged(item, When((single,))) for item in several.items]
            kept = tuple(item for item in items if item)
            return AnyOf(kept) if len(kept) == len(items) else None
    if isinstance(known, _DAYS) and isinstance(part, _DAYS) and type(known) is not type(part):
        name, date = (known, part) if isinstance(known, Weekday) else (part, known)
        if isinstance(name, Weekday):
            return NamedDate(name, date) if isinstance(date, Date) else Both(name, date)
    return None


def any_of(one: When, other: When) -> When:
    """Either of them, in one list."""
    items: list[When] = []
    for when in (one, other):
        first = when.parts[0]
        items += first.items if len(when.parts) == 1 and isinstance(first, AnyOf) else (when,)
    return When((AnyOf(tuple(items)),))
