"""Saying a span back in plain Dutch: `dinsdag 1 december om 14.30 uur`. What is said here is read as the same span."""

from __future__ import annotations

from datetime import datetime, timedelta

from actions.dates.lexicon import MONTHS, PARTS, WEEKDAYS
from actions.dates.span import Grain, Span, wall

_DAY = timedelta(days=1)


def words(span: Span, now: datetime | None = None) -> str:
    """The span in words. With `now` the year is told where it is not the first such day from now on."""
    start, end = wall(span.start), span.end and wall(span.end)
    year = _year(start, wall(now) if now else None)
    if end is None or span.open == "after":
        return f"vanaf {_moment(start, year)}"
    if span.open == "before":
        return f"voor {_moment(end, _year(end, wall(now) if now else None))}"
    if span.every:
        return _every(span, start, end)
    if span.grain is Grain.MINUTE and end - start == timedelta(minutes=1):
        return f"{day_words(start, year)} om {clock_words(start)} uur"
    if span.grain is Grain.HOUR and end - start == timedelta(hours=1):
        return f"{day_words(start, year)} om {clock_words(start)} uur"
    if _is_midnight(start) and _is_midnight(end):
        return _days(span, start, end, year)
    if end - start <= _DAY:
        if part := _part(start, end):
            return f"{WEEKDAYS[start.weekday()]}{part} {_date(start, year)}"
        return f"{day_words(start, year)} {_times(start, end)}"
    return f"van {_moment(start, year)} tot {_moment(end, year)}"


def day_words(day: datetime, year: bool = False) -> str:
    """`dinsdag 1 december`"""
    return f"{WEEKDAYS[day.weekday()]} {_date(day, year)}"


def clock_words(moment: datetime) -> str:
    """`14.30`; early hours with a nought, so that they are not taken for the afternoon: `02.30`."""
    return (
        f"{moment.hour:02d}.{moment.minute:02d}" if moment.hour < 5 else f"{moment.hour}.{moment.minute:02d}"
    )


def _date(day: datetime, year: bool) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}{f' {day.year}' if year else ''}"


def _moment(at: datetime, year: bool) -> str:
    return day_words(at, year) + ("" if _is_midnight(at) else f" om {clock_words(at)} uur")


def _times(start: datetime, end: datetime) -> str:
    if _is_midnight(end):
        return f"vanaf {clock_words(start)} uur"
    if _is_midnight(start):
        return f"voor {clock_words(end)} uur"
    return f"tussen {clock_words(start)} en {clock_words(end)} uur"


def _every(span: Span, start: datetime, end: datetime) -> str:
    if span.every == "week":
        return f"elke {WEEKDAYS[start.weekday()]}{_part(start, end) or ''}"
    if part := _part(start, end):
        return f"in de {part}"
    if end - start <= timedelta(hours=1) and span.grain in (Grain.HOUR, Grain.MINUTE):
        return f"om {clock_words(start)} uur"
    return _times(start, end)


def _part(start: datetime, end: datetime) -> str | None:
    midnight = start.replace(hour=0, minute=0)
    hours = ((start - midnight) / timedelta(hours=1), (end - midnight) / timedelta(hours=1))
    return next((name for name in ("ochtend", "middag", "avond", "nacht") if PARTS[name][:2] == hours), None)


def _days(span: Span, start: datetime, end: datetime, year: bool) -> str:
    last = end - _DAY
    if end - start == _DAY:
        return day_words(start, year)
    if span.grain is Grain.WEEK and end - start == timedelta(days=7) and not start.weekday():
        return f"de week van {day_words(start, year)}"
    if span.grain is Grain.MONTH and start.day == 1 and end == _next_month(start):
        return f"{MONTHS[start.month - 1]} {start.year}"
    if span.grain is Grain.YEAR:
        return str(start.year)
    return f"van {day_words(start, year)} tot en met {day_words(last, year)}"


def _next_month(start: datetime) -> datetime:
    return (start.replace(day=28) + timedelta(days=4)).replace(day=1)


def _is_midnight(moment: datetime) -> bool:
    return (moment.hour, moment.minute) == (0, 0)


def _year(day: datetime, now: datetime | None) -> bool:
    """Whether the day without its year would be another one."""
    if now is None:
        return False
    return not now.date() <= day.date() < now.date() + timedelta(days=365)
