"""When a resident wants to come: words in, spans of time out. `actions.dates` reads them; here they are bounded to the
days that can be booked, so that what was said before and what is said now go together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from actions import dates
from actions.appointments import facts
from actions.appointments.words import short
from bot.clock import AMSTERDAM

Span = tuple[datetime, datetime]
"""From, up to."""

AHEAD = 60
"""Days from now that are looked at."""

MOST_WAYS = 5
"""In so many ways a phrase is read at most: more can't be asked about."""

_MINUTE, _DAY, _WEEK = timedelta(minutes=1), timedelta(days=1), timedelta(days=7)

_ENGLISH = {
    "tomorrow": "morgen", "today": "vandaag", "next week": "volgende week", "morning": "ochtend",
    "afternoon": "middag", "evening": "avond", "monday": "maandag", "tuesday": "dinsdag", "wednesday": "woensdag",
    "thursday": "donderdag", "friday": "vrijdag", "saturday": "zaterdag", "sunday": "zondag",
}  # fmt: skip
_IN_ENGLISH = re.compile(rf"\b({'|'.join(_ENGLISH)})\b", re.IGNORECASE)
_JAN = re.compile(
    r"(?<!\d )(?<!\d)(?<!in )(?<!eind )(?<!begin )(?<!half )(?<!van )\bjan\b(?!\.?\s*\d)", re.IGNORECASE
)
"""The name: as a month it stands beside a number."""

_AROUND = re.compile(r"\b(tussen|rond|tot|ongeveer)\b", re.IGNORECASE)
"""Where an hour is a span to choose from."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Any of these spans, in order. `exact`: a time of day was named, and each span is that minute. `daily`: no day was
    named. `less`: only what is not wanted was named. `ways`: each way to read it, with its words, where there are more:
    the resident must be asked, and `spans` are all of them."""

    spans: tuple[Span, ...]
    exact: bool = False
    daily: bool = False
    less: bool = False
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """One way to read a phrase: how it is told, how on a button, and what it means."""

    told: str
    label: str
    wanted: Wanted


def understand(
    text: str, now: datetime, *, than: datetime | None = None, hours: tuple[time, time] | None = None
) -> Wanted | None:
    """What a text says of when; None where it says nothing of it. `than`: what was proposed, for `een uurtje later`; a
    mere `eerder` or `later` is nothing, for all that is free may be meant. `hours`: between which times any desk is
    ever open."""
    found = dates.understand(_plain(text, now), now, than=than, hours=hours)
    if found.alternatives:
        return _unclear(found, now)
    if not found.spans or (found.soonest and _open(found.spans, now)) or _beside(found.spans, than, now):
        return None
    wanted = _wanted(found.spans, found, now)
    return wanted if wanted.spans else None


def without(text: str, now: datetime) -> str:
    """A text without what it says of when: the rest says what for."""
    plain = _plain(text, now)
    for used in dates.understand(plain, now).used:
        plain = plain.replace(used, " ", 1)
    return plain


def together(before: Sequence[Span], wanted: Wanted) -> Wanted:
    """What is wanted now, with what was named before: a time of day alone is of those days, and a day that is not
    wanted is taken off them. Only what is wanted now where they don't go together."""
    if not before or not (wanted.daily or wanted.less):
        return wanted
    days = [_whole(span) for span in before] if wanted.daily else before
    return within(sorted(set(days)), wanted)


def within(some: Sequence[Span], wanted: Wanted) -> Wanted:
    """What is wanted in these spans; all of it where there are none, or where none of it is in them."""
    both = tuple(_overlaps(some, wanted.spans))
    return replace(wanted, spans=both) if both else wanted


def _plain(text: str, now: datetime) -> str:
    """Without what is no moment to come: phone numbers, dates of birth, a name. In Dutch."""
    plain = facts.without_details(text, now.astimezone(AMSTERDAM).date())
    return _IN_ENGLISH.sub(lambda word: _ENGLISH[word[0].lower()], _JAN.sub(" ", plain))


def _wanted(spans: Sequence[dates.Span], found: dates.Understood, now: datetime) -> Wanted:
    exact = all(_is_exact(span) for span in spans) and not any(map(_AROUND.search, found.used))
    bounded = sorted({one for span in spans for one in _bounded(span, now)})
    for no in found.unwanted:
        bounded = [rest for span in bounded for rest in _off(span, no, now)]
    if exact:
        bounded = [(start, start + _MINUTE) for start, _ in bounded]
    ahead = tuple(span for span in bounded if span[1] > now)
    today = tuple(span for span in bounded if span[0].date() == now.astimezone(AMSTERDAM).date())
    return Wanted(
        ahead or today[-1:],
        exact,
        daily=all(span.every == "day" for span in spans),
        less=bool(found.unwanted) and _open(spans, now),
    )


def _unclear(found: dates.Understood, now: datetime) -> Wanted | None:
    ways = []
    for reading in found.alternatives[:MOST_WAYS]:
        own = [span for span in reading if not all(span in other for other in found.alternatives)] or reading
        told = " of ".join(dates.words(span, now) for span in own)
        if (wanted := _wanted(reading, found, now)).spans:
            ways.append(Way(told, short(told), wanted))
    if len(ways) < 2:
        return ways[0].wanted if ways else None
    spans = tuple(sorted({span for way in ways for span in way.wanted.spans}))
    exact = all(way.wanted.exact for way in ways)
    daily = all(way.wanted.daily for way in ways)
    return Wanted(spans, exact, daily, ways=tuple(ways))


def _open(spans: Sequence[dates.Span], now: datetime) -> bool:
    """Whether this is only `from now on`."""
    return all(span.end is None and span.start <= now for span in spans)


def _beside(spans: Sequence[dates.Span], than: datetime | None, now: datetime) -> bool:
    """Whether this is only `before` or `after` what was proposed."""
    if than is None or len(spans) != 1:
        return False
    [span] = spans
    return span.start == than if span.open == "after" else span.open == "before" and span.end == than


def _is_exact(span: dates.Span) -> bool:
    """Whether a time of day was named, rather than some part of it."""
    if span.end is None or span.open or span.grain not in (dates.Grain.MINUTE, dates.Grain.HOUR):
        return False
    length = span.end - span.start
    return length in (_MINUTE, timedelta(hours=1))


def _bounded(span: dates.Span, now: datetime) -> Iterator[Span]:
    """A span, or its repetitions, within the days that are looked at."""
    last = datetime.combine(now.astimezone(AMSTERDAM).date() + timedelta(days=AHEAD + 1), time(), AMSTERDAM)
    if span.end is None:
        yield span.start, max(last, span.start + _DAY)
    elif span.every is None:
        yield span.start, span.end
    else:
        step = _DAY if span.every == "day" else _WEEK
        day = span.start.date()
        while day < last.date():
            one = span.on(day)
            yield one.start, one.end or last
            day += step


def _off(span: Span, no: dates.Span, now: datetime) -> Iterator[Span]:
    """What is left of a span without what is not wanted."""
    at, end = span
    for start, until in _bounded(no, now):
        if start < end and until > at:
            if start > at:
                yield at, start
            at = until
    if at < end:
        yield at, end


def _whole(span: Span) -> Span:
    """The days of a span, from midnight to midnight."""
    start = datetime.combine(span[0].date(), time(), AMSTERDAM)
    last = (span[1] - timedelta(microseconds=1)).date()
    return start, datetime.combine(last + _DAY, time(), AMSTERDAM)


def _overlaps(some: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    for a, b in some:
        for c, d in others:
            if max(a, c) < min(b, d):
                yield max(a, c), min(b, d)
