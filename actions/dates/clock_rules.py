"""The rules for times of day."""

from __future__ import annotations

from actions.dates.clock import Times, between, between_hours, both, clock, minutes_from, opened, part_of_day
from actions.dates.days import Unit
from actions.dates.grammar import GRAMMAR
from actions.dates.span import Grain
from actions.dates.when import AnyOf, When, when

_KINDS = {
    "na": "after",
    "vanaf": "after",
    "voor": "before",
    "tot": "before",
    "uiterlijk": "before",
    "t/m": "before",
}


@GRAMMAR.rule("T", "N uur", "om H")
def hour(number: int) -> Times | None:
    """`drie uur`, `om 3`"""
    return clock(number)


@GRAMMAR.rule("T", "ZERO uur?", "om ZERO")
def early_hour(number: int) -> Times | None:
    """`09 uur`"""
    return clock(number, sure=True)


@GRAMMAR.rule("T", "N uur N", "ZERO uur N")
def hour_and_minute(number: int, minute: int) -> Times | None:
    """`3 uur 20`"""
    return clock(number, minute)


@GRAMMAR.rule("T", "CLOCK uur?")
def in_figures(written: tuple[int, int, bool]) -> Times | None:
    """`14.30 uur`, `9:15`, `15u30`"""
    number, minute, padded = written
    return clock(number, minute, figures=True, sure=padded)


@GRAMMAR.rule("T", "om een uur")
def one_o_clock() -> Times | None:
    """`om een uur`; `een uur` alone is how long something takes"""
    return clock(1)


@GRAMMAR.rule("T", "PART een uur", "na|vanaf|voor|tot een uur")
def beside_one(word: str) -> Times | None:
    """`'s middags een uur`, `na een uur`"""
    one = clock(1)
    return one and (open_time(word, one) if word in _KINDS else both(one, part_of_day(word)))


@GRAMMAR.rule("T", "half een")
def half_past_noon() -> Times | None:
    """`half een`"""
    return half(1)


@GRAMMAR.rule("T", "kwart over|voor een", "kwart over|voor een uur")
def quarter_of_one(side: str) -> Times | None:
    """`kwart voor een`"""
    return minutes_beside(15, None, side, 1)


@GRAMMAR.rule("T", "N UNIT? over|voor een")
def minutes_of_one(count: int, unit: Grain | None, side: str) -> Times | None:
    """`vijf over een`"""
    return minutes_beside(count, unit, side, 1)


@GRAMMAR.rule("T", "half N")
def half(number: int) -> Times | None:
    """`half drie`"""
    return clock(12 if number == 1 else number - 1, 30) if 1 <= number <= 12 else None


@GRAMMAR.rule("T", "kwart over|voor T", "kwart over|voor H")
def quarter(side: str, of: Times | int) -> Times | None:
    """`kwart over drie`"""
    return minutes_beside(15, None, side, of)


@GRAMMAR.rule("T", "N UNIT? over|voor T", "N UNIT? over|voor H")
def minutes_beside(count: int, unit: Grain | None, side: str, of: Times | int) -> Times | None:
    """`tien voor half vijf`, `5 minuten over 3`"""
    whole = clock(of) if isinstance(of, int) else of
    if whole is None or whole.part or whole.open or unit not in (None, Grain.MINUTE) or count > 30:
        return None
    if any(o.start % 30 for o in whole.options) or any(o.end - o.start > 60 for o in whole.options):
        return None
    return minutes_from(whole, count if side == "over" else -count)


@GRAMMAR.rule("T", "T in? PART")
def of_the_day(times: Times, name: str) -> Times | None:
    """`drie uur 's middags`"""
    return None if times.open else both(times, part_of_day(name))


@GRAMMAR.rule("T", "T uiterlijk")
def at_last(times: Times) -> Times | None:
    """`elf uur op zijn laatst`"""
    return open_time("uiterlijk", times)


@GRAMMAR.rule("T", "PART")
def part(name: str) -> Times:
    """`'s middags`"""
    return part_of_day(name)


@GRAMMAR.rule("T", "na lunch", "na middag")
def after_lunch() -> Times:
    """`na de lunch`, `na de middag`"""
    return between_hours(13, 17)


@GRAMMAR.rule("T", "begin|eind|einde|vroeg|laat in? PART", "PART vroeg|laat")
def section_of_day(*given: str) -> Times | None:
    """`eind van de middag`, `vroeg in de ochtend`"""
    name = next((g for g in given if g in ("ochtend", "middag", "avond")), None)
    early = any(g in ("begin", "vroeg") for g in given)
    hours = {"ochtend": ((7, 10), (10, 12)), "middag": ((12, 14), (16, 18)), "avond": ((18, 20), (20, 24))}
    if name is None:
        return None
    start, end = hours[name][0 if early else 1]
    return between_hours(start, end)


@GRAMMAR.rule("T", "middernacht")
def midnight() -> Times | None:
    """`middernacht`"""
    return clock(24)


@GRAMMAR.rule("T", "na|vanaf|voor|tot|uiterlijk|t/m T", "na|vanaf|voor|tot|uiterlijk|t/m H")
def open_time(word: str, edge: Times | int) -> Times | None:
    """`na drie uur`, `voor 12`"""
    whole = clock(edge) if isinstance(edge, int) else edge
    if whole is None or whole.open or (word == "na" and whole.part):
        return None
    return opened("after" if _KINDS[word] == "after" else "before", whole)


@GRAMMAR.rule("T", "T tot|t/m|-|–|en T", "H tot|t/m|-|– T", "tussen? H tot|t/m|en|-|– T")
@GRAMMAR.rule("T", "tussen T en T", "T tot|t/m|-|– H", "tussen T en H")
def from_to(*given: object) -> Times | None:
    """`van 10 uur tot 12 uur`, `9:30 - 11:00`"""
    first, last = (clock(g) if isinstance(g, int) else g for g in given if isinstance(g, int | Times))
    if not first or not last or first.open or last.open or first.part or last.part:
        return None
    return between(first, last)


@GRAMMAR.rule("T", "tussen H en H", "H tot|t/m|- H")
def bare_from_to(*given: object) -> Times | None:
    """`tussen 2 en 4`"""
    return from_to(*given)


@GRAMMAR.rule("W", "T of T", "H of T", "T of H")
def either_time(one: Times | int, other: Times | int) -> When | None:
    """`om 3 of 4 uur`"""
    times = [clock(t) if isinstance(t, int) else t for t in (one, other)]
    kept = tuple(when(t) for t in times if t)
    return when(AnyOf(kept)) if len(kept) == 2 else None


@GRAMMAR.rule("W", "T")
def as_when(times: Times) -> When:
    """A time is all that was said."""
    return when(times)


@GRAMMAR.rule("W", "TODAY")
def today(name: str) -> When:
    """`vanmiddag`"""
    return When((Unit(Grain.DAY), part_of_day(name)))
