"""Arithmetic of the calendar: the day, week, month and so on around a moment, and so much later."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta

from actions.dates.span import Grain, Span


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
