"""The rules for days and longer."""

from __future__ import annotations

import calendar

from actions.dates.clock import part_of_day
from actions.dates.days import (
    Ahead,
    Date,
    Later,
    Month,
    Moved,
    Neighbour,
    Next,
    Nth,
    Section,
    Soonest,
    SpecialDay,
    Unit,
    Weekday,
    Weekend,
    WeekNumber,
    Which,
    Year,
)
from actions.dates.grammar import GRAMMAR
from actions.dates.lexicon import SECOND_DAYS
from actions.dates.span import Grain
from actions.dates.when import AnyOf, Slot, Ways, When, when

_TOO_FINE = {Slot.DAY, Slot.TIME, Slot.OPEN, Slot.SOON, Slot.SECTION}
_LEAP_YEAR = 2028
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


@GRAMMAR.rule("W", "WHICH N UNIT")
def next_few(word: str, count: int, grain: Grain) -> When | None:
    """`de komende drie weken`"""
    return when(Next(-count if word == "last" else count, grain)) if word != "this" else None


@GRAMMAR.rule("LENGTH", "N UNIT")
def length(count: int, grain: Grain) -> tuple[int, Grain]:
    """`drie dagen`"""
    return count, grain


@GRAMMAR.rule("LENGTH", "UNIT")
def one_length(grain: Grain) -> tuple[int, Grain]:
    """`uurtje` (later)"""
    return 1, grain


@GRAMMAR.rule("LENGTH", "N? halfuur")
def half_an_hour(_: object = None) -> tuple[int, Grain]:
    """`half uur`"""
    return 30, Grain.MINUTE


@GRAMMAR.rule("LENGTH", "kwartier|kwartiertje", "N kwartier|kwartiertje")
def quarters(*given: object) -> tuple[int, Grain]:
    """`kwartier`, `drie kwartier`"""
    return 15 * next((g for g in given if isinstance(g, int)), 1), Grain.MINUTE


@GRAMMAR.rule("LENGTH", "anderhalf|anderhalve UNIT")
def one_and_a_half(_: str, grain: Grain) -> tuple[int, Grain] | None:
    """`anderhalf uur`, `anderhalve week`"""
    return {Grain.HOUR: (90, Grain.MINUTE), Grain.WEEK: (11, Grain.DAY), Grain.YEAR: (18, Grain.MONTH)}.get(
        grain
    )


@GRAMMAR.rule("W", "binnen LENGTH")
def within(length: tuple[int, Grain]) -> When:
    """`binnen twee weken`"""
    return when(Next(*length, within_it=True))


@GRAMMAR.rule("LENGTH", "N en N half UNIT", "N en N halfuur")
def and_a_half(count: int, one: int, grain: Grain | None = None) -> tuple[int, Grain] | None:
    """`twee en een half uur`"""
    return (60 * count + 30, Grain.MINUTE) if one == 1 and grain in (None, Grain.HOUR) else None


@GRAMMAR.rule("W", "nu")
def now() -> When:
    """`nu`"""
    return when(Unit(Grain.MINUTE))


@GRAMMAR.rule("W", "over|in LENGTH")
def ahead(_: str, length: tuple[int, Grain]) -> When:
    """`over drie dagen`"""
    return when(Ahead(*length))


@GRAMMAR.rule("W", "LENGTH geleden")
def ago(length: tuple[int, Grain]) -> When:
    """`drie dagen geleden`"""
    return when(Ahead(-length[0], length[1]))


@GRAMMAR.rule("W", "LENGTH later|eerder|vroeger")
def later(length: tuple[int, Grain], word: str) -> When:
    """`een uur later`, than the moment that is known"""
    return when(Moved(length[0] if word == "later" else -length[0], length[1]))


@GRAMMAR.rule("W", "W over LENGTH")
def day_ahead(origin: When, length: tuple[int, Grain]) -> When | None:
    """`dinsdag over een week`: a week after the coming Tuesday, or after today where it is Tuesday"""
    one = origin.parts[0]
    if (
        len(origin.parts) > 1
        or not isinstance(one, Weekday | Unit)
        or length[1] in (Grain.MINUTE, Grain.HOUR)
    ):
        return None
    return when(Later(*length, origin))


@GRAMMAR.rule("W", "LENGTH na|voor W")
def length_from(length: tuple[int, Grain], side: str, origin: When) -> When | None:
    """`een week na kerst`, `de dag voor Koningsdag`"""
    count, grain = length
    if origin.only_time or grain in (Grain.MINUTE, Grain.HOUR):
        return None
    return when(Later(count if side == "na" else -count, grain, origin))


@GRAMMAR.rule("W", "UNIT na|voor W")
def neighbour(grain: Grain, side: str, origin: When) -> When | None:
    """`de week na kerst`"""
    if origin.only_time or grain in (Grain.MINUTE, Grain.HOUR, Grain.DAY):
        return None
    return when(Neighbour(1 if side == "na" else -1, grain, origin))


@GRAMMAR.rule("W", "ORD MO YEAR?", "N MO YEAR?", "ZERO MO YEAR?")
def date_in_words(number: int, month: int, year: int | None = None) -> When | None:
    """`3 december`, `3e dec. 2026`"""
    return _date(number, month, year)


@GRAMMAR.rule("W", "MO N ,? YEAR?")
def date_behind_month(month: int, number: int, year: int | None = None) -> When | None:
    """`december 3`"""
    return _date(number, month, year)


@GRAMMAR.rule("W", "ORD UNIT YEAR?")
def quarter(nth: int, grain: Grain, year: int | None = None) -> When | None:
    """`derde kwartaal`"""
    period = when(Year(year)) if year else when(Unit(Grain.YEAR))
    return when(Nth(nth, None, grain, period)) if grain is Grain.QUARTER else None


@GRAMMAR.rule("VOID", "ORD UNIT", "ORD WD")
def counted(_: int, __: object) -> str:
    """`de eerste week`: of what is not said, and `eerste` is no day of the month here."""
    return ""


@GRAMMAR.rule("W", "DATE")
def date_in_figures(written: tuple[int, int, int]) -> When | None:
    """`03/12/2026`, `2026-12-03`"""
    return _date(*written)


@GRAMMAR.rule("W", "DASHED")
def short_date(written: tuple[int, int]) -> When | None:
    """`3-12`"""
    return _date(*written)


@GRAMMAR.rule("W", "SLASHED")
def slashed_date(written: tuple[int, int]) -> When | None:
    """`3/12` can be in December or in March; `13/4` can't."""
    ways = [way for way in (_date(*written), _date(*reversed(written))) if way]
    return when(Ways(tuple(dict.fromkeys(ways)))) if ways else None


def _date(number: int, month: int, year: int | None = None) -> When | None:
    """A day that is not there (`31 november`) is a slip: the last of the month, or the day after."""
    if not (1 <= month <= 12 and 1 <= number <= 31):
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


@GRAMMAR.rule("W", "week N")
def week_number(number: int) -> When | None:
    """`week 49`"""
    return when(WeekNumber(number)) if 1 <= number <= 53 else None


@GRAMMAR.rule("W", "WEEKEND", "WHICH WEEKEND")
def weekend(*given: Which | None) -> When:
    """`dit weekend`"""
    return when(Weekend(given[0] if len(given) > 1 else None))


@GRAMMAR.rule("W", "SECTION W", "SECTION UNIT")
def section(name: str, of: When | Grain) -> When | None:
    """`begin volgende week`, `eind van de maand`"""
    period = when(Unit(of)) if isinstance(of, Grain) else of
    if period.parts[-1].slots & _TOO_FINE:
        return None
    return period.with_part(Section(name))  # type: ignore[arg-type]


@GRAMMAR.rule("W", "half MO")
def half_month(number: int) -> When:
    """`half december`"""
    return When((Month(number), Section("middle")))


@GRAMMAR.rule("W", "UNIT W")
def unit_of(grain: Grain, day: When) -> When | None:
    """`de week van 7 december`"""
    if len(day.parts) > 1 or not isinstance(day.parts[0], Date | SpecialDay) or grain is not Grain.WEEK:
        return None
    return when(Neighbour(0, grain, day))


@GRAMMAR.rule("PERIOD", "W")
def period(of: When) -> When | None:
    """What a weekday can be counted in."""
    return None if of.slots & _TOO_FINE else of


@GRAMMAR.rule("PERIOD", "UNIT")
def this_period(grain: Grain) -> When | None:
    """`de maand`"""
    return when(Unit(grain)) if grain not in (Grain.MINUTE, Grain.HOUR, Grain.DAY) else None


@GRAMMAR.rule("W", "ORD WD PERIOD")
def nth_weekday(nth: int, number: int, of: When) -> When | None:
    """`eerste maandag van december`"""
    return when(Nth(nth, number, Grain.DAY, of))


@GRAMMAR.rule("W", "W ,? ORD WD")
def nth_weekday_of(of: When, nth: int, number: int) -> When | None:
    """`december, eerste maandag`"""
    return None if of.slots & _TOO_FINE else when(Nth(nth, number, Grain.DAY, of))


@GRAMMAR.rule("W", "W ,? ORD UNIT")
def nth_unit_of(of: When, nth: int, grain: Grain) -> When | None:
    """`volgende maand, de eerste week`"""
    return None if of.slots & _TOO_FINE else nth_unit(nth, grain, of)


@GRAMMAR.rule("W", "LAST WD PERIOD")
def last_weekday(_: str, number: int, of: When) -> When:
    """`laatste vrijdag van de maand`"""
    return when(Nth(-1, number, Grain.DAY, of))


@GRAMMAR.rule("W", "ORD UNIT PERIOD")
def nth_unit(nth: int, grain: Grain, of: When) -> When | None:
    """`eerste week van januari`"""
    return when(Nth(nth, None, grain, of)) if grain not in (Grain.MINUTE, Grain.HOUR) else None


@GRAMMAR.rule("W", "LAST UNIT PERIOD")
def last_unit(_: str, grain: Grain, of: When) -> When | None:
    """`laatste week van december`"""
    return nth_unit(-1, grain, of)


@GRAMMAR.rule("W", "ORD WD na W")
def nth_weekday_after(nth: int, number: int, of: When) -> When:
    """`derde dinsdag na kerst`"""
    return when(Nth(nth, number, Grain.DAY, of, after=True))


@GRAMMAR.rule("W", "WD na W")
def weekday_after(number: int, of: When) -> When | None:
    """`dinsdag na kerst`"""
    return None if of.only_time else when(Nth(1, number, Grain.DAY, of, after=True))


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
