"""The rules for days, dates, weeks and months, and for special days."""

from __future__ import annotations

import calendar

from actions.dates.bounds import Soonest
from actions.dates.clock import between, clock, part_of_day
from actions.dates.days import (
    Date,
    Month,
    NamedDate,
    SpecialDay,
    Unit,
    Weekday,
    Weekend,
    WeekNumber,
    Which,
    Year,
)
from actions.dates.grammar import GRAMMAR, any_of
from actions.dates.lexicon import SECOND_DAYS
from actions.dates.span import Grain
from actions.dates.when import AnyOf, Ways, When, when

_LEAP_YEAR = 2028
_LONGEST_VISIT = 6
"""Hours; `di 1-12` is a date."""
_SHIFTS = {"this": 0, "coming": 1, "next": 1, "last": -1}


@GRAMMAR.rule("WHICH", "THIS", "COMING", "NEXT", "LAST")
def which(word: str) -> str:
    """`deze`, `aanstaande`, `volgende`, `vorige`"""
    return word


@GRAMMAR.rule("W", "DAY")
def day(shift: int) -> When:
    """`morgen`"""
    return when(Unit(Grain.DAY, shift))


@GRAMMAR.rule("W", "WD", "WHICH WD")
def weekday(*given: object) -> When:
    """`dinsdag`, `volgende dinsdag`"""
    *word, number = given
    return when(Weekday(number, word[0] if word else None))  # type: ignore[arg-type]


@GRAMMAR.rule("W", "WD COMING")
def weekday_coming(number: int, _: str) -> When:
    """`dinsdag aanstaande`"""
    return when(Weekday(number, "coming"))


@GRAMMAR.rule("W", "WD morgen")
def weekday_morning(number: int) -> When | None:
    """`dinsdag morgen`, but on a Monday that can be all of tomorrow."""
    return When((Weekday(number), part_of_day("ochtend")))


@GRAMMAR.rule("W", "WHICH UNIT")
def this_or_next(word: str, grain: Grain) -> When | None:
    """`volgende week`, `deze maand`"""
    return None if grain in (Grain.MINUTE, Grain.HOUR) else when(Unit(grain, _SHIFTS[word]))


@GRAMMAR.rule("W", "nu")
def now() -> When:
    """`nu`"""
    return when(Unit(Grain.MINUTE))


@GRAMMAR.rule("W", "ORD MO YEAR?", "N MO YEAR?", "ZERO MO YEAR?")
def date_in_words(number: int, month: int, year: int | None = None) -> When | None:
    """`3 december`, `3e dec. 2026`"""
    return _date(number, month, year)


@GRAMMAR.rule("W", "MO N ,? YEAR?")
def date_behind_month(month: int, number: int, year: int | None = None) -> When | None:
    """`december 3`"""
    return _date(number, month, year)


@GRAMMAR.rule("W", "DATE")
def date_in_figures(written: tuple[int, int, int]) -> When | None:
    """`03/12/2026`, `2026-12-03`"""
    return _date(*written)


@GRAMMAR.rule("W", "DASHED")
def short_date(written: tuple[int, int]) -> When | None:
    """`3-12`"""
    return _date(*written)


@GRAMMAR.rule("W", "WD DASHED")
def day_and_two_numbers(number: int, written: tuple[int, int]) -> When | None:
    """`woensdag 10-12`: from ten until twelve, or 10 December where that is a Wednesday"""
    first, last = (clock(hour) for hour in written)
    hours = first and last and between(first, last)
    if not hours or not 1 <= written[1] - written[0] <= _LONGEST_VISIT or written[1] > 12:
        return None
    date = NamedDate(Weekday(number), Date(*written), surely=True)
    return when(Ways((when(date), When((Weekday(number), hours)))))


@GRAMMAR.rule("W", "WD WD")
def two_weekdays(one: int, other: int) -> When:
    """`ma di`"""
    return any_of(when(Weekday(one)), when(Weekday(other)))


@GRAMMAR.rule("W", "SLASHED")
def slashed_date(written: tuple[int, int]) -> When | None:
    """`3/12` can be in December or in March; `13/4` can't."""
    ways = [way for way in (_date(*written), _date(*reversed(written))) if way]
    return when(Ways(tuple(dict.fromkeys(ways)))) if ways else None


def _date(number: int, month: int, year: int | None = None) -> When | None:
    """A day that is not there (`31 november`) is a slip: the last of the month, or the day after."""
    if not (1 <= month <= 12 and 1 <= number <= 31) or not 1900 <= (year or _LEAP_YEAR) < 2100:
        return None
    last = calendar.monthrange(year or _LEAP_YEAR, month)[1]
    if number <= last:
        return when(Date(number, month, year))
    return when(Ways((when(Date(last, month, year)), when(Date(1, month + 1, year)))))


@GRAMMAR.rule("W", "N of|en N MO", "H of|en H MO")
def either_date(one: int, _: str, other: int, month: int) -> When | None:
    """`3 of 4 december`"""
    both = [_date(number, month) for number in (one, other)]
    kept = tuple(item for item in both if item)
    return when(AnyOf(kept)) if len(kept) == 2 else None


@GRAMMAR.rule("W", "ORD")
def day_of_month(number: int) -> When | None:
    """`de 15e`"""
    return when(Date(number)) if number <= 31 else None


@GRAMMAR.rule("W", "MO", "WHICH MO")
def month(*given: object) -> When:
    """`januari`"""
    *word, number = given
    return when(Month(number, word[0] if word else None))  # type: ignore[arg-type]


@GRAMMAR.rule("W", "MO YEAR")
def month_of_year(number: int, year: int) -> When:
    """`januari 2027`"""
    return When((Year(year), Month(number)))


@GRAMMAR.rule("W", "W YEAR")
def of_year(origin: When, year: int) -> When | None:
    """`kerst 2027`"""
    return origin.with_part(Year(year)) if isinstance(origin.parts[0], SpecialDay) else None


@GRAMMAR.rule("W", "in YEAR")
def in_year(number: int) -> When:
    """`in 2027`"""
    return when(Year(number))


@GRAMMAR.rule("W", "week N")
def week_number(number: int) -> When | None:
    """`week 49`"""
    return when(WeekNumber(number)) if 1 <= number <= 53 else None


@GRAMMAR.rule("W", "WEEKEND", "WHICH WEEKEND")
def weekend(*given: Which | None) -> When:
    """`dit weekend`"""
    return when(Weekend(given[0] if len(given) > 1 else None))


@GRAMMAR.rule("W", "HOLIDAY", "WHICH HOLIDAY")
def special(*given: object) -> When:
    """`Koningsdag`, `volgende Pasen`"""
    *word, name = given
    return when(SpecialDay(name, word[0] if word else None))  # type: ignore[arg-type]


@GRAMMAR.rule("W", "ORD kerstdag|paasdag|pinksterdag")
def first_or_second(nth: int, name: str) -> When | None:
    """`eerste kerstdag`"""
    return when(SpecialDay(SECOND_DAYS[name][nth - 1])) if nth in (1, 2) else None


@GRAMMAR.rule("W", "zsm")
def soonest() -> When:
    """`zo snel mogelijk`"""
    return when(Soonest())
