"""The rules for what is counted: lengths (`over drie dagen`) and the first, the last and parts of something."""

from __future__ import annotations

from actions.dates.bounds import Ahead, Later, Moved, Neighbour, Next, Nth, Section
from actions.dates.days import Date, Month, SpecialDay, Unit, Weekday, Year
from actions.dates.grammar import GRAMMAR
from actions.dates.span import Grain
from actions.dates.when import Slot, When, when

_TOO_FINE = {Slot.DAY, Slot.TIME, Slot.OPEN, Slot.SOON, Slot.SECTION}


@GRAMMAR.rule("W", "WHICH N UNIT")
def next_few(word: str, count: int, grain: Grain) -> When | None:
    """`de komende drie weken`"""
    return when(Next(-count if word == "last" else count, grain)) if word != "this" else None


@GRAMMAR.rule("LENGTH", "N UNIT")
def length(count: int, grain: Grain) -> tuple[int, Grain]:
    """`drie dagen`"""
    return count, grain


@GRAMMAR.rule("LENGTH", "UNIT", "een UNIT")
def one_length(grain: Grain) -> tuple[int, Grain]:
    """`uurtje` (later)"""
    return 1, grain


@GRAMMAR.rule("LENGTH", "een? halfuur")
def half_an_hour() -> tuple[int, Grain]:
    """`half uur`"""
    return 30, Grain.MINUTE


@GRAMMAR.rule("LENGTH", "een? kwartier|kwartiertje", "N kwartier|kwartiertje")
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


@GRAMMAR.rule("LENGTH", "N en een half UNIT", "N en een halfuur")
def and_a_half(count: int, grain: Grain | None = None) -> tuple[int, Grain] | None:
    """`twee en een half uur`"""
    return (60 * count + 30, Grain.MINUTE) if grain in (None, Grain.HOUR) else None


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


@GRAMMAR.rule("W", "ORD UNIT YEAR?")
def quarter(nth: int, grain: Grain, year: int | None = None) -> When | None:
    """`derde kwartaal`"""
    period = when(Year(year)) if year else when(Unit(Grain.YEAR))
    return when(Nth(nth, None, grain, period)) if grain is Grain.QUARTER else None


@GRAMMAR.rule("VOID", "voor|na|tot|vanaf LENGTH")
def how_long(_: str, length: tuple[int, Grain]) -> str | None:
    """`na acht jaar`, `voor een dag`: how long something takes, and eight is no hour here."""
    return None if length[1] is Grain.HOUR else ""


@GRAMMAR.rule("VOID", "ORD UNIT", "ORD WD")
def counted(_: int, __: object) -> str:
    """`de eerste week`: of what is not said, and `eerste` is no day of the month here."""
    return ""


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
