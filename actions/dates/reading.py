"""From a message to what it means: `understand`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from actions.dates import clock_rules, count_rules, day_rules, joint_rules
from actions.dates.bounds import Soonest
from actions.dates.days import Weekday, Weekend
from actions.dates.grammar import GRAMMAR, any_of, merged
from actions.dates.span import Context, Reading, Span, Understood, aware, wall
from actions.dates.tokens import tokens
from actions.dates.when import AnyOf, Slot, Ways, When, unique

__all__ = ["understand"]

_RULES = (clock_rules, day_rules, count_rules, joint_rules)  # to import them is to register them
_LITERALS = frozenset(GRAMMAR.literals)
_LONGEST_RUN = 16
_WEEK = timedelta(days=7)


def understand(
    text: str, now: datetime, *, than: datetime | None = None, hours: tuple[time, time] | None = None
) -> Understood:
    """What a message says of days and times.

    `now` is when it was written, `than` a moment that was proposed (for `eerder` and `later`), `hours` when the desk
    is open (for `half zes`, which is then one of two). Without a zone a moment is on the clock in Amsterdam.
    """
    context = Context(wall(now), wall(than) if than else None, hours)
    wanted: When | None = None
    unwanted: list[When] = []
    used: list[str] = []
    for kind, found, written in _found(text):
        if kind == "NOT":
            unwanted.append(found)
        else:
            wanted = found if wanted is None else _together(wanted, found)
        used.append(written)
    without = tuple(span for when in unwanted for span in _unwanted(when, context))
    readings = _not_past(wanted.readings(context), context) if wanted else []
    if wanted is None and without:
        readings = [(Span(context.now, None, without[0].grain, "after"),)]
    readings = unique(_without(reading, without) for reading in readings)
    return _told(readings, without, wanted, tuple(used))


def _together(wanted: When, found: When) -> When:
    """Both of them; where they can't go together either is fine. A second time of day that contradicts the first
    (`vanmiddag 9 uur`) is asked about."""
    if both := merged(wanted, found):
        return both
    if found.only_time and wanted.parts[-1].slots == {Slot.TIME} and len(wanted.parts) > 1:
        return When((Ways((wanted, When((*wanted.parts[:-1], *found.parts)))),))
    return any_of(wanted, found)


def _found(text: str) -> Iterator[tuple[str, When, str]]:
    for run in tokens(text, _LITERALS):
        for at in range(0, len(run), _LONGEST_RUN):
            piece = run[at : at + _LONGEST_RUN]
            for start, end, kind, value in GRAMMAR.parse(piece, ("W", "NOT", "EITHER", "VOID")):
                if isinstance(value, When):
                    yield kind, value, text[piece[start].start : piece[end - 1].end]


def _unwanted(when: When, context: Context) -> Reading:
    """All readings, for none of them is wanted; a weekday or weekend without a week is every such day."""
    spans = [span for reading in when.readings(context) for span in reading]
    if _every_week(when):  # what is today or in a week is one weekday
        spans = list(
            {(s.start.weekday(), s.start.time()): replace(s, every="week") for s in spans[::-1]}.values()
        )
    return tuple(dict.fromkeys(spans))


def _every_week(when: When) -> bool:
    """Whether all that it names besides a time of day is weekdays and weekends, of no week."""
    parts = [part for part in when.parts if part.slots != {Slot.TIME}]
    return bool(parts) and all(
        all(map(_every_week, part.items))
        if isinstance(part, AnyOf)
        else isinstance(part, Weekday | Weekend) and part.which is None
        for part in parts
    )


def _not_past(readings: Sequence[Reading], context: Context) -> list[Reading]:
    """Without what is over, unless all of it is."""
    ahead = [tuple(s for s in reading if s.end is None or s.end > context.now) for reading in readings]
    kept = [reading for reading in ahead if reading]
    return kept or list(readings)


def _without(reading: Reading, unwanted: Iterable[Span]) -> Reading:
    """Bounded spans less what is not wanted; from the others it can't be taken off."""
    spans = list(reading)
    for no in unwanted:
        spans = [rest for span in spans for rest in _less(span, no)]
    return tuple(spans)


def _less(span: Span, no: Span) -> Iterator[Span]:
    if span.end is None or span.every or no.end is None or no.every == "day":
        yield span
        return
    start, length = no.start, no.end - no.start
    if no.every == "week":
        start -= (no.start - span.start) // _WEEK * _WEEK
        start = start - _WEEK if start > span.start else start
    at = span.start
    while start < span.end:
        if start + length > at:
            if start > at:
                yield replace(span, start=at, end=start)
            at = start + length
        if no.every is None:
            break
        start += _WEEK
    if at < span.end:
        yield replace(span, start=at)


def _told(
    readings: list[Reading], without: Reading, wanted: When | None, used: tuple[str, ...]
) -> Understood:
    shown = [reading for each in readings for reading in _aware(each)]
    return Understood(
        spans=shown[0] if len(shown) == 1 else (),
        alternatives=tuple(shown) if len(shown) > 1 else (),
        unwanted=tuple(_zoned(span) for span in without),
        soonest=wanted is not None and any(isinstance(part, Soonest) for part in wanted.parts),
        used=used if shown else (),
    )


def _aware(reading: Reading) -> Iterator[Reading]:
    """With their zone; a time that the end of summer time brings twice is two readings."""
    first, second = (tuple(_zoned(span, fold) for span in reading) for fold in (0, 1))
    yield first
    if any(a.start.utcoffset() != b.start.utcoffset() for a, b in zip(first, second, strict=True)):
        yield second


def _zoned(span: Span, fold: int = 0) -> Span:
    return replace(span, start=aware(span.start, fold), end=span.end and aware(span.end, fold))
