"""When a resident wants to come: words in, spans of time out. The one place that knows how dates are understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.clock import AMSTERDAM

Span = tuple[datetime, datetime]
"""From, up to."""

AHEAD = 60
"""Days that are looked at where a text names a time and no day."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Any of these spans, in order. `exact`: a time of day was named, and each span is that minute."""

    spans: tuple[Span, ...]
    exact: bool = False


def understand(text: str, now: datetime) -> Wanted | None:
    """What a text says of when; None where it says nothing of it."""
    plain = _plain(text)
    hours = _hours(plain)
    days = _days(_without_times(plain), now.astimezone(AMSTERDAM).date())
    if hours is None and days is None:
        return None
    today = now.astimezone(AMSTERDAM).date()
    dates = days if days is not None else [today + timedelta(days=n) for n in range(AHEAD + 1)]
    first, last, exact = hours or (time(), time(23, 59), False)
    spans = [
        (datetime.combine(day, first, AMSTERDAM), datetime.combine(day, last, AMSTERDAM)) for day in dates
    ]
    ahead = tuple(span for span in spans if span[1] > now)
    return Wanted(ahead or tuple(spans[-1:]), exact)


def without(text: str) -> str:
    """A text without what it says of when: the rest says what for."""
    return _WHEN.sub(" ", _without_times(_plain(text)))


_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            ("maandag", "monday"),
            ("dinsdag", "tuesday"),
            ("woensdag", "wednesday"),
            ("donderdag", "thursday"),
            ("vrijdag", "friday"),
            ("zaterdag", "saturday"),
            ("zondag", "sunday"),
        )
    )
    for name in names
}
_SHORT = {"ma": 0, "di": 1, "wo": 2, "do": 3, "vr": 4, "za": 5, "zo": 6}
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("januari", "jan"),
            ("februari", "feb"),
            ("maart", "mrt"),
            ("april", "apr"),
            ("mei",),
            ("juni", "jun"),
            ("juli", "jul"),
            ("augustus", "aug"),
            ("september", "sept", "sep"),
            ("oktober", "okt"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        1,
    )
    for name in names
}
_NUMBERS = {
    name: number
    for number, name in enumerate(
        ("een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien", "elf", "twaalf"), 1
    )
}
_NAMED = "|".join(name for name in _NUMBERS if name != "een")
_ONE = r"een(?= ?(?:uur|u)\b)"
"""`een` is an hour only where it is said: it is `voor een paspoort` far more often."""

_HOUR = rf"(?:\d{{1,2}}(?:[.:]\d\d)?|{_NAMED}|{_ONE})"
_OF = rf"(?:\d{{1,2}}|{_NAMED}|een)"
_HALVES = rf"half {_OF}|kwart (?:over|voor) {_OF}"
_CLOCK = rf"(?:{_HALVES}|\d{{1,2}}[.:]\d\d(?: ?(?:uur|u))?|{_HOUR} ?(?:uur|u|am|pm)\b)"
_END = r"(?= ?(?:uur|u)\b|[,.!?]|\s*$| (?:graag|of|en|op|in)\b)"
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:e|de|ste)? (?:van )?({'|'.join(_MONTHS)})\b\.?(?: (\d{{4}})\b)?")
_NUMERIC = re.compile(r"\b(\d{1,2})[-/](\d{1,2})(?:[-/](\d{4}|\d\d))?\b")

_WHEN = re.compile(
    rf"{_DAY_MONTH.pattern}|{_NUMERIC.pattern}"
    rf"|\b(?:{'|'.join(_WEEKDAYS)}|vandaag|morgen|overmorgen|overnacht|(?:volgende|deze|komende) week"
    r"|ochtend|middag|avond|(?:op|om|na|vanaf|voor|rond|tussen)(?= *(?:\d|$)))\b"
)


def _plain(text: str) -> str:
    plain = text.lower().replace("één", "een").replace("’", "'")
    plain = re.sub(
        r"\b(maan|dins|woens|donder|vrij|zater|zon)dag(s?)(ochtend|morgen|middag|avond)\b", r"\1dag \3", plain
    )
    plain = re.sub(r"\b(maan|dins|woens|donder|vrij|zater|zon)dags\b", r"\1dag", plain)
    plain = re.sub(r"\bmorgen(ochtend|middag|avond)\b", r"overnacht \1", plain)
    plain = re.sub(r"(dag) morgen\b|(?:'s|in de|vroeg in de) morgens?\b|\bmorgens\b", r"\1 ochtend", plain)
    plain = re.sub(r"\bvan(ochtend|middag|avond)\b", r"vandaag \1", plain)
    return (
        plain.replace("tomorrow", "morgen").replace("next week", "volgende week").replace("today", "vandaag")
    )


def _without_times(plain: str) -> str:
    return re.sub(_CLOCK, " ", plain)


def _days(plain: str, today: date) -> list[date] | None:
    """The days that a text names, in order; None where it names none."""
    if found := [*_named_dates(plain, today)]:
        return sorted(found)
    weekdays = [number for name, number in _WEEKDAYS.items() if re.search(rf"\b{name}\b", plain)]
    weekdays += [number for name, number in _SHORT.items() if re.search(rf"\b{name}\b", plain)]
    weeks = _weeks(plain)
    if weekdays:
        found = []
        for number in weekdays:
            if weeks is not None:
                monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
                found.append(monday + timedelta(days=number))
                continue
            ahead = (number - today.weekday()) % 7
            found.append(today + timedelta(days=ahead))
            if ahead == 0 or re.search(r"\b(volgende|next) \w+", plain):
                found.append(today + timedelta(days=ahead + 7))  # which of the two is meant, nobody knows
        return sorted(found)
    if re.search(r"\bovermorgen\b", plain):
        return [today + timedelta(days=2)]
    if re.search(r"\b(morgen|overnacht)\b", plain):
        return [today + timedelta(days=1)]
    if re.search(r"\bvandaag\b", plain):
        return [today]
    if weeks is not None:
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
        return [monday + timedelta(days=n) for n in range(7)]
    if ahead_of := re.search(rf"\bover (\d{{1,2}}|{'|'.join(_NUMBERS)}) dag(?:en)?\b", plain):
        return [today + timedelta(days=_number(ahead_of[1]))]
    return None


def _weeks(plain: str) -> int | None:
    if re.search(r"\b(volgende|komende|aankomende) week\b", plain):
        return 1
    if re.search(r"\bdeze week\b", plain):
        return 0
    if found := re.search(rf"\bover (\d{{1,2}}|{'|'.join(_NUMBERS)}) we(?:ek|ken)\b", plain):
        return _number(found[1])
    return None


def _named_dates(plain: str, today: date) -> Iterator[date]:
    for match in _DAY_MONTH.finditer(plain):
        yield from _date(int(match[1]), _MONTHS[match[2]], match[3], today)
    for match in _NUMERIC.finditer(plain):
        yield from _date(int(match[1]), int(match[2]), match[3], today)


def _date(day: int, month: int, year: str | None, today: date) -> Iterator[date]:
    """The date of that day, the next one where there is no year; nothing where there is none (30 February)."""
    years = [int(year) % 2000 + 2000] if year else range(today.year, today.year + 9)
    for one in years:
        try:
            found = date(one, month, day)
        except ValueError:
            continue
        if found >= today or year:
            yield found
            return


def _hours(plain: str) -> tuple[time, time, bool] | None:
    """From and until what time of the day, and whether one time was named."""
    early = re.search(r"\b(ochtend|voormiddag|morning)\b|\bochtends\b", plain) is not None
    around = re.search(rf"\btussen ({_HOUR}) en ({_HOUR})", plain)
    if around:
        first, last = _clock(around[1], early=early), _clock(around[2], early=early)
        return (first, last, False) if first and last and first < last else None
    moment = rf"({_HALVES}|{_HOUR}){_END}"
    if (after := re.search(rf"\b(?:na|vanaf|later dan|after) {moment}", plain)) and (
        first := _clock(after[1], early=early)
    ):
        return first, time(23, 59), False
    if (before := re.search(rf"\b(?:voor|tot|uiterlijk|before) {moment}", plain)) and (
        last := _clock(before[1], early=early)
    ):
        return time(), last, False
    named = re.search(rf"\b({_CLOCK})", plain) or re.search(rf"\b(?:om|rond) ({_HOUR})\b", plain)
    if named and (exact := _clock(named[1], early=early)):
        return exact, (datetime.combine(date(2000, 1, 1), exact) + timedelta(minutes=1)).time(), True
    if early:
        return time(), time(12), False
    if re.search(r"\b('s )?middags?\b|\bafternoon\b|\bna de (lunch|middag)\b", plain):
        return time(12), time(18), False
    if re.search(r"\b('s )?avonds?\b|\bevening\b", plain):
        return time(17), time(23, 59), False
    return None


def _clock(words: str, *, early: bool) -> time | None:
    """A time of day. Desks are open by day: `drie uur` is in the afternoon."""
    plain = re.sub(r" ?(uur|u)$", "", words.strip())
    minutes = 0
    if plain.startswith("half "):
        plain, minutes = plain[5:], -30
    elif plain.startswith("kwart over "):
        plain, minutes = plain[11:], 15
    elif plain.startswith("kwart voor "):
        plain, minutes = plain[11:], -15
    evening, plain = plain.endswith("pm"), re.sub(r" ?(am|pm)$", "", plain)
    hour_words, _, more = plain.replace(":", ".").partition(".")
    hour = _number(hour_words)
    total = hour * 60 + (int(more) if more.isdigit() else 0) + minutes
    if not 0 <= total < 24 * 60:
        return None
    if total < 12 * 60 and (evening or (not early and total < 7 * 60 + 30)):
        total += 12 * 60
    return time(total // 60, total % 60)


def _number(words: str) -> int:
    return int(words) if words.isdigit() else _NUMBERS.get(words, 99)
